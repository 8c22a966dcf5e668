"""Is the agent still there? Pings, broken links, and what follows from silence (drain.md 1.4 to 1.7)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import PeerExited, TimerFired
from mesolite.actors.decisions.master import deactivation, removal, tasks
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import PingAgent, PongAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import MarkAgentUnreachable
from mesolite.messages.tasks import Reason, TaskState


def watch(m: MasterState, agent: AgentRecord) -> None:
    """Ping at once, then at every interval, answered or not (1.4.1)."""
    agent.pong_seen = False
    agent.unanswered_pings = 0
    m.send(agent.party, PingAgent(connected=agent.connected))
    m.set_timer(("ping", agent.id), m.settings.agent_ping_timeout_s)


def ping(m: MasterState, event: TimerFired, sender: str, now: float) -> None:
    """One interval has passed: count a miss if no pong came, then ping again (1.4.2, EL-54)."""
    agent = m.agents[event.key[1]]
    if agent.pong_seen:
        agent.unanswered_pings = 0
    else:
        agent.unanswered_pings += 1
        if agent.unanswered_pings >= m.settings.max_agent_ping_timeouts:
            # Both at once: nothing limits the rate of removals here (1.8.1).
            m.counters.slave_unreachable_scheduled += 1
            m.counters.slave_unreachable_completed += 1
            mark_unreachable(m, agent.id, now)
    agent.pong_seen = False
    m.send(agent.party, PingAgent(connected=agent.connected))
    m.set_timer(event.key, m.settings.agent_ping_timeout_s)


def pong(m: MasterState, message: PongAgent, sender: str, now: float) -> None:
    """Any pong, however late, counts (1.4.2, EL-54)."""
    agent_id = m.agent_of_party.get(sender)
    if agent_id is not None:
        m.agents[agent_id].pong_seen = True


def disconnected(m: MasterState, agent: AgentRecord, event: PeerExited, now: float) -> None:
    """The agent's link broke: deactivate it; tasks that were not checkpointed are lost at once (1.5)."""
    agent.connected = False
    deactivation.withdraw(m, agent, now)
    for framework_id in list(dict.fromkeys([key[0] for key in agent.tasks] + [key[0] for key in agent.executors])):
        framework = m.frameworks[framework_id]
        if framework.info.checkpoint:
            continue
        for task in [task for task in agent.tasks.values() if task.framework_id == framework_id]:
            tasks.lose(
                m,
                framework,
                task,
                TaskState.TASK_LOST,  # for partition-aware frameworks too (1.5.2)
                Reason.REASON_AGENT_DISCONNECTED,
                f"agent {agent.id} ({agent.info.hostname}) disconnected",
                now,
            )
        for key in [key for key in agent.executors if key[0] == framework_id]:
            m.recover(framework_id, agent.id, agent.executors.pop(key), now)
    m.set_timer(("reregister", agent.id), m.settings.agent_reregister_timeout_s)


def reregistration_timed_out(m: MasterState, event: TimerFired, sender: str, now: float) -> None:
    """A disconnected agent has not come back in time (1.5.3)."""
    mark_unreachable(m, event.key[1], now)


def recovery_timed_out(m: MasterState, event: TimerFired, sender: str, now: float) -> None:
    """Agents known only from the registry have not come back to the new leader in time (1.7.3)."""
    for agent_id in m.recovered:
        if agent_id not in m.reregistering:
            _write_unreachable(m, agent_id, now)


def mark_unreachable(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Want it recorded, unless it is going, coming or gone already (1.6.1, 2.3.3)."""
    if agent_id not in m.agents or agent_id in m.reregistering or agent_id in m.removing:
        return
    _write_unreachable(m, agent_id, now)


def _write_unreachable(m: MasterState, agent_id: AgentId, now: float) -> None:
    if agent_id not in m.marking_unreachable:
        m.marking_unreachable[agent_id] = None
        m.write(MarkAgentUnreachable(agent_id=agent_id, unreachable_time=now))


def marked_unreachable(m: MasterState, operation: MarkAgentUnreachable, now: float) -> None:
    """It is recorded: now say so (1.6.3; for a recovered agent 1.7.3)."""
    if operation.agent_id not in m.marking_unreachable:
        return  # said twice
    del m.marking_unreachable[operation.agent_id]
    m.unreachable[operation.agent_id] = operation.unreachable_time
    if m.recovered.pop(operation.agent_id, None) is not None:
        m.counters.recovery_slave_removals += 1
    else:
        m.counters.slave_removals += 1
        m.counters.slave_removals_reason_unhealthy += 1
    removal.forget(m, operation.agent_id, operation.unreachable_time, now)
