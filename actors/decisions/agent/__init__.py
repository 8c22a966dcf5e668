"""The agent's decisions, split by noun.

core          the table from event to decision                 state        what is known, and small shared moves
registration  finding the leader, being its agent, pings       recovery     what a restarted agent finds again
tasks         launched, killed, reconciled                     executors    born, registered, shut down, gone
updates       reliable status updates                          checkpoints  what is stored before acting
leaving       SIGUSR1, ShutdownAgent, one framework's end
"""

from mesolite.actors.decisions.agent.core import AgentCore

__all__ = ["AgentCore"]
