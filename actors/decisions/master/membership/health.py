"""Is the agent still there? Pings, broken links, and what follows from silence (drain.md 1.4 to 1.8).

    five pings without a pong ----------+
    link broken, not back for 10 min ---+--> a permit --> needed still? --> MarkAgentUnreachable written --> it is
    not back with a new leader ---------+

Permits limit how fast agents are given up; without a limit there is one at once (1.8.1). Who waits for one because of
missing pongs leaves the queue when a pong comes (1.4.3) or the agent goes otherwise, and takes none. The other two are
looked at again only when they have their permit, so a comeback wastes it (1.8.3).
"""

from __future__ import annotations

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.drain import deactivation, draining
from mesolite.actors.decisions.master.membership import removal
from mesolite.actors.decisions.master.membership.removal_limiter import Absence, PendingRemoval
from mesolite.actors.decisions.master.membership.table import Change, Departure, MemberState
from mesolite.actors.decisions.master.reclaim import reclaims
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.tasks import TaskEnd
from mesolite.actors.decisions.master.timers import Permit, PingBatch, RecoveryTimeout, ReregisterTimeout
from mesolite.messages.agent import PingAgent, PongAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import MarkAgentUnreachable
from mesolite.messages.tasks import Cause, Reason, TaskState

PINGS = {connected: PingAgent(connected=connected) for connected in (False, True)}
"""Made once: there is nothing else to say, and nothing is said as often."""


def watch(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Ping at once, then at every interval, answered or not (1.4.1)."""
    agent.pong_seen = False
    agent.unanswered_pings = 0
    m.send(agent.pid, PINGS[agent.connected])
    begun = m.pings.join(agent.id, now)
    if begun is not None:
        m.set_timer(PingBatch(begun), m.settings.agent_ping_timeout_s)


def ping(m: MasterState, key: PingBatch, sender: str, now: float) -> None:
    """One interval has passed: count a miss where no pong came, then ping again (1.4.2, EL-54)."""
    for agent in map(m.agents.__getitem__, m.pings.due(key.number, now)):
        if agent.pong_seen:
            agent.unanswered_pings = 0
        else:
            agent.unanswered_pings += 1
            if agent.unanswered_pings >= m.settings.max_agent_ping_timeouts:
                _give_up(m, (Absence.UNHEALTHY, agent.id), now)
        agent.pong_seen = False
        m.send(agent.pid, PINGS[agent.connected])
        if agent.id in m.deactivated:
            draining.remind(m, agent, now)
    m.set_timer(key, m.settings.agent_ping_timeout_s)


def pong(m: MasterState, message: PongAgent, sender: str, now: float) -> None:
    """Any pong, however late, counts (1.4.2, EL-54); until the write has begun it saves the agent (1.4.3)."""
    agent_id = m.agent_of_pid.get(sender)
    if agent_id is not None:
        agent = m.agents[agent_id]
        agent.pong_seen = True
        if agent.unanswered_pings and m.removals.cancel((Absence.UNHEALTHY, agent_id)):
            m.counters.slave_unreachable_canceled += 1


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
    for framework_id in list(dict.fromkeys([key[0] for key in agent.tasks] + [key[0] for key in agent.executors])):
        framework = m.frameworks[framework_id]
        if framework.info.checkpoint:
            continue
        for task in [task for task in agent.tasks.values() if task.framework_id == framework_id]:
            tasks.end(m, framework, task, loss, now)
        for key in [key for key in agent.executors if key[0] == framework_id]:
            m.recover(framework_id, framework.info.role, agent.id, agent.executors.pop(key), now)


def _why_it_goes(m: MasterState, agent_id: AgentId) -> Cause:
    for change in (Change.REMOVE, Change.MARK_GONE):
        departure = m.membership.pending(agent_id, change)
        if isinstance(departure, Departure):
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
    deactivation.withdraw(m, agent, now)
    # Who waits for a permit since an earlier absence has been back, and has its whole time again. Ours: in Mesos
    # that permit would end this absence, however short it is.
    m.removals.cancel((Absence.DISCONNECTED, agent.id))
    m.set_timer(ReregisterTimeout(agent.id), m.settings.agent_reregister_timeout_s)


def reregistration_timed_out(m: MasterState, key: ReregisterTimeout, sender: str, now: float) -> None:
    """A disconnected agent has not come back in time (1.5.3)."""
    _give_up(m, (Absence.DISCONNECTED, key.agent_id), now)


def recovery_timed_out(m: MasterState, key: RecoveryTimeout, sender: str, now: float) -> None:
    """Agents known only from the registry have not come back to the new leader in time (1.7.3)."""
    for agent_id in list(m.recovered):
        if not m.membership.is_pending(agent_id, Change.READMIT):
            _give_up(m, (Absence.NOT_BACK, agent_id), now)


def _give_up(m: MasterState, agent: PendingRemoval, now: float) -> None:
    """Ask for a permit to mark this agent unreachable; one that fails its checks again asks only once (1.4.3)."""
    if agent not in m.removals:
        m.counters.slave_unreachable_scheduled += 1
        m.removals.ask(agent)
        _use_permits(m, now)


def permit_due(m: MasterState, key: Permit, sender: str, now: float) -> None:
    """The interval between two permits is over (1.8.2)."""
    _use_permits(m, now)


def _use_permits(m: MasterState, now: float) -> None:
    """Use every permit that is due, and be woken for the next that somebody waits for."""
    while (permitted := m.removals.permit(now)) is not None:
        why, agent_id = permitted
        if _is_needed(m, why, agent_id):
            m.counters.slave_unreachable_completed += 1
            _mark_unreachable(m, agent_id, now)
        else:
            m.counters.slave_unreachable_canceled += 1
    due_s = m.removals.due(now)
    if due_s is not None:
        m.set_timer(Permit(), due_s)


def _is_needed(m: MasterState, why: Absence, agent_id: AgentId) -> bool:
    """Whether what the permit was wanted for still holds (1.8.3)."""
    match why:
        case Absence.UNHEALTHY:
            return True  # or it would have left the queue
        case Absence.DISCONNECTED:
            return agent_id in m.agents and not m.agents[agent_id].connected
        case Absence.NOT_BACK:
            return agent_id in m.recovered and not m.membership.is_pending(agent_id, Change.READMIT)


def _mark_unreachable(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Want it recorded, unless it is going, coming or gone already (1.6.1, 2.3.3)."""
    if m.membership.may_begin(agent_id, Change.MARK_UNREACHABLE):
        m.membership.begin(agent_id, Change.MARK_UNREACHABLE, Departure(Cause.UNREACHABLE))
        m.write(MarkAgentUnreachable(agent_id=agent_id, unreachable_time=now))


def marked_unreachable(m: MasterState, operation: MarkAgentUnreachable, now: float) -> None:
    """It is recorded: now say so (1.6.3; for a recovered agent 1.7.3)."""
    m.membership.end(operation.agent_id, Change.MARK_UNREACHABLE)
    was_recovered = operation.agent_id in m.recovered
    m.membership.move(operation.agent_id, MemberState.UNREACHABLE, operation.unreachable_time)
    if was_recovered:
        m.counters.recovery_slave_removals += 1
        removal.announce_lost(m, operation.agent_id)
    else:
        m.counters.slave_removals += 1
        m.counters.slave_removals_reason_unhealthy += 1
        removal.cut_off(m, m.agents[operation.agent_id], operation.unreachable_time, now)
    reclaims.agent_left(m, operation.agent_id, now)
