"""How an agent goes: the signal, the master's order, one framework's end (drain.md 2.1, 2.2).

SIGUSR1 --> UnregisterAgent, first of all --> every executor told to shut down --> exit when the last is gone
"""

from __future__ import annotations

from mesolite.actors.decisions.agent import draining, executors, updates
from mesolite.actors.decisions.agent.state import AgentState, ExecutorPhase, FrameworkRecord, Phase
from mesolite.actors.decisions.agent.timers import RegistrationAttempt
from mesolite.actors.decisions.contract import SignalReceived
from mesolite.messages.agent import ShutdownAgent, ShutdownFramework, UnregisterAgent
from mesolite.messages.relayed import ShutdownExecutorOf


def signalled(a: AgentState, event: SignalReceived, sender: str, now: float) -> None:
    """SIGUSR1: drain now. Unregistering comes before anything is shut down (2.1.2).

    Mesos aborts an agent that has an id but knows no master (2.1.3); ours just shuts down, there is nobody to tell.
    """
    if event.signal == "SIGUSR1":
        if a.id is not None:
            a.send_to_leader(UnregisterAgent(agent_id=a.id))
        terminate(a)


def ordered(a: AgentState, message: ShutdownAgent, sender: str, now: float) -> None:
    """The master does not want this agent: the same, without unregistering (2.2)."""
    if sender == a.leader:
        a.why_it_ends = f"shut down by the master: {message.reason}"
        a.id_is_gone = message.gone
        terminate(a)


def terminate(a: AgentState) -> None:
    """End every framework, then the agent (2.1.4)."""
    a.become(Phase.TERMINATING)
    draining.forget(a)
    a.cancel_timer(RegistrationAttempt())
    for framework in list(a.frameworks.values()):
        shut_down_framework(a, framework)
    executors.end_if_empty(a)


def shutdown_framework(a: AgentState, message: ShutdownFramework, sender: str, now: float) -> None:
    """The master ends one framework (core.md FW-38)."""
    framework = a.frameworks.get(message.framework_id)
    if sender == a.leader and framework is not None and a.phase is not Phase.RECOVERING:
        shut_down_framework(a, framework)


def shut_down_executor(a: AgentState, message: ShutdownExecutorOf, sender: str, now: float) -> None:
    """A scheduler ends one of its executors (http.md HT-143, HT-218)."""
    framework = a.frameworks.get(message.framework_id)
    executor = framework.executors.get(message.executor_id) if framework is not None else None
    if sender == a.leader and framework is not None and executor is not None and a.phase is not Phase.RECOVERING:
        executors.shut_down(a, framework, executor)


def shut_down_framework(a: AgentState, framework: FrameworkRecord) -> None:
    """Discard its updates, shut its executors down, forget what has ended already (2.1.6, 2.1.7)."""
    if framework.terminating:
        return
    framework.terminating = True
    for key in [key for key in a.streams if key[0] == framework.id]:
        updates.close(a, framework, key[1])
    for executor in list(framework.executors.values()):
        if executor.phase is ExecutorPhase.TERMINATED:
            executors.clear_up(a, framework, executor)
        else:
            executors.shut_down(a, framework, executor)
    executors.clear_up_framework(a, framework)
