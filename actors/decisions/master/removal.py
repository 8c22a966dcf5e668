"""How agents leave: unregistered, replaced, or cut off (drain.md 1.6.3, 2.3).

UnregisterAgent --+
another agent at its address -----+--> RemoveAgent written --> every task LOST, offers rescinded, agent lost
no pong for 75 s ----------------------> MarkAgentUnreachable written --> the same, but UNREACHABLE where understood
"""

from __future__ import annotations

from mesolite.actors.decisions.master import inverse_offers, offers, tasks
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import UnregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import RemoveAgent
from mesolite.messages.scheduler import AgentLost
from mesolite.messages.tasks import Reason, TaskState


def unregister(m: MasterState, message: UnregisterAgent, sender: str, now: float) -> None:
    """The agent says it is leaving. Only that agent itself may say so (2.3.1)."""
    if m.agent_at(message.agent_id, sender) is not None:
        remove(m, message.agent_id, "unregistered")


def remove(m: MasterState, agent_id: AgentId, cause: str) -> None:
    """Want the agent deleted outright, unless another transition has begun, which then completes instead (2.3.2)."""
    if agent_id in m.removing or agent_id in m.marking_unreachable:
        return
    m.removing[agent_id] = cause
    m.write(RemoveAgent(agent_id=agent_id))


def removed(m: MasterState, operation: RemoveAgent, now: float) -> None:
    """It is deleted: now say so (2.3.5)."""
    cause = m.removing.pop(operation.agent_id, None)
    if cause is None:
        return  # said twice
    m.counters.slave_removals += 1
    if cause == "registered":
        m.counters.slave_removals_reason_registered += 1
    else:
        m.counters.slave_removals_reason_unregistered += 1
    forget(m, operation.agent_id, None, now, cause)


def forget(m: MasterState, agent_id: AgentId, unreachable_time: float | None, now: float, cause: str = "") -> None:
    """Take an agent out of memory and tell every framework, in Mesos's order (1.6.3, 2.3.5)."""
    agent = m.agents.get(agent_id)
    if agent is not None:
        # The allocator forgets it first: nothing that follows is to be offered from it again.
        m.allocator.remove_agent(agent_id)
        host = f"agent {agent_id} ({agent.info.hostname})"
        for task in list(agent.tasks.values()):
            framework = m.frameworks[task.framework_id]
            cut_off = unreachable_time is not None
            tasks.lose(
                m,
                framework,
                task,
                framework.info.or_lost(TaskState.TASK_UNREACHABLE) if cut_off else TaskState.TASK_LOST,
                Reason.REASON_AGENT_REMOVED,
                f"{host} is unreachable" if cut_off else f"{host} was removed: {cause}",
                now,
                unreachable_time,
            )
        agent.executors.clear()
        offers.rescind_all(m, agent.offers, now)
        inverse_offers.rescind_all(m, agent.inverse_offers)
        del m.agents[agent_id]
        if m.agent_of_party.get(agent.party) == agent_id:
            del m.agent_of_party[agent.party]
        m.cancel_timer(("ping", agent_id))
        m.cancel_timer(("reregister", agent_id))
    m.removed[agent_id] = None
    while len(m.removed) > m.settings.removed_agents_max:
        del m.removed[next(iter(m.removed))]
    m.send_to_all_frameworks(AgentLost(agent_id=agent_id))
