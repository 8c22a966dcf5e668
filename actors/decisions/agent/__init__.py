"""The agent's decisions, split by noun.

    core          the table from event to decision                 state        what is known, and small shared moves
    registration  finding the leader, being its agent, pings       recovery     what a restarted agent finds again
    tasks         launched, killed, reconciled                     executors    born, registered, shut down, gone
    reports       executors report, schedulers acknowledge         updates      the streams their updates go through
    checkpoints   what is stored before acting                     leaving      SIGUSR1, the master's orders
    draining      all is killed, nothing is taken                  revocation   what was not returned in time
    graces        who outlives one loses its executor
    causes        why a task was killed or lost                   writes       nothing is said before it is stored
    identity      the id and the facts it was admitted with

Each function decides about one event, given all the agent knows (`AgentState`).
"""

from mesolite.actors.decisions.agent.core import AgentCore

__all__ = ["AgentCore"]
