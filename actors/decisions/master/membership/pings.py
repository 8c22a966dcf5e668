"""Is the agent still there? Pings, and what follows when they are not answered (drain.md 1.4)."""

from __future__ import annotations

from mesolite.actors.decisions.master.membership import unreachable
from mesolite.actors.decisions.master.membership.removal_limiter import Absence
from mesolite.actors.decisions.master.records import AgentRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import PingBatch
from mesolite.messages.agent import PingAgent, PongAgent

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
                unreachable.give_up(m, (Absence.UNHEALTHY, agent.id), now)
        agent.pong_seen = False
        m.send(agent.pid, PINGS[agent.connected])
        if agent.id in m.deactivated:
            m.subscribers.deactivated_agent_pinged(m, agent, now)
    m.set_timer(key, m.settings.agent_ping_timeout_s)


def pong(m: MasterState, message: PongAgent, sender: str, now: float) -> None:
    """Any pong, however late, counts (1.4.2, EL-54); until the write has begun it saves the agent (1.4.3)."""
    agent_id = m.agent_of_pid.get(sender)
    if agent_id is not None:
        agent = m.agents[agent_id]
        agent.pong_seen = True
        if agent.unanswered_pings and m.removals.cancel((Absence.UNHEALTHY, agent_id)):
            m.counters.slave_unreachable_canceled += 1


def stop(m: MasterState, agent: AgentRecord, end: TaskEnd, now: float) -> None:
    """The agent has left: it is pinged no more, and nobody waits for a permit because it was silent."""
    batch_over = m.pings.leave(agent.id)
    if batch_over is not None:
        m.cancel_timer(PingBatch(batch_over))
    m.removals.cancel((Absence.UNHEALTHY, agent.id))
