"""An agent's link is broken: it is not offered any more, and has some time to come back (drain.md 1.5)."""

from __future__ import annotations

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.membership import removal, unreachable
from mesolite.actors.decisions.master.membership.removal_limiter import Absence
from mesolite.actors.decisions.master.membership.table import Change, MemberState
from mesolite.actors.decisions.master.offers import offers
from mesolite.actors.decisions.master.records import AgentRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import ReregisterTimeout
from mesolite.messages.ids import AgentId
from mesolite.messages.tasks import Cause, Reason, TaskState


def disconnected(m: MasterState, agent: AgentRecord, now: float) -> None:
    """The agent's process is gone: deactivate it; tasks that were not checkpointed are lost at once (1.5)."""
    if agent.connected:
        await_return(m, agent, now)
    loss = TaskEnd(
        state=TaskState.TASK_LOST,
        reason=Reason.REASON_AGENT_DISCONNECTED,
        # Why it went may be known: it was on its way out, and is gone before that was recorded (2.3.10).
        cause=_why_it_goes(m, agent.id),
        message=f"agent {agent.id} ({agent.info.hostname}) disconnected",
    )
    for framework in m.frameworks.values():
        if not framework.info.checkpoint:
            tasks.forget_strays(framework, agent.id)
    for framework_id in list(dict.fromkeys([key[0] for key in agent.tasks] + [key[0] for key in agent.executors])):
        framework = m.frameworks[framework_id]
        if framework.info.checkpoint:
            continue
        for task in [task for task in agent.tasks.values() if task.framework_id == framework_id]:
            tasks.end(m, framework, task, loss, now)
        for key in [key for key in agent.executors if key[0] == framework_id]:
            agent.executor_infos.pop(key, None)
            m.recover(framework_id, framework.info.role, agent.id, agent.executors.pop(key), now)


def _why_it_goes(m: MasterState, agent_id: AgentId) -> Cause:
    for change in (Change.REMOVE, Change.MARK_GONE):
        departure = m.membership.departure(agent_id, change)
        if departure is not None:
            return departure.cause
    return Cause.CRASHED


def link_broke(m: MasterState, name: str, now: float) -> None:
    """Something was lost between an agent and us: it has to register again, and say what it has."""
    agent_id = m.agent_of_pid.get(name)
    if agent_id is not None and m.agents[agent_id].connected:
        await_return(m, m.agents[agent_id], now)


def await_return(m: MasterState, agent: AgentRecord, now: float) -> None:
    """It is not connected any more, and has to say again what it has (1.5.1, 1.5.3)."""
    m.membership.move(agent.id, MemberState.DISCONNECTED)
    offers.withdraw_agent(m, agent, now)
    # Who waits for a permit since an earlier absence has been back, and has its whole time again. Ours: in Mesos
    # that permit would end this absence, however short it is.
    m.removals.cancel((Absence.DISCONNECTED, agent.id))
    m.set_timer(ReregisterTimeout(agent.id), m.settings.agent_reregister_timeout_s)


def reregistration_timed_out(m: MasterState, key: ReregisterTimeout, sender: str, now: float) -> None:
    """A disconnected agent has not come back in time (1.5.3)."""
    unreachable.give_up(m, (Absence.DISCONNECTED, key.agent_id), now)


def replaced(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Somebody else joins at its address: it has gone, and we have not heard of it (1.2.4)."""
    if agent.connected:
        disconnected(m, agent, now)
    removal.remove(m, agent.id, Cause.CRASHED, now)
