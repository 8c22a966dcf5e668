"""Operators say that an agent will never come back (drain.md 4.7), or had it drained to that end (4.5.6).

MarkAgentGoneCall ----+
drain with mark_gone -+--> MarkAgentGone written --> told to shut down, tasks GONE_BY_OPERATOR where understood

Its id is refused from then on (1.3.2); its machine may join with a new one (4.7.7).
"""

from __future__ import annotations

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.membership import leaving
from mesolite.actors.decisions.master.membership.table import NOT_WHILE, Change, Departure, MemberState
from mesolite.actors.decisions.master.records import AgentRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import ShutdownAgent
from mesolite.messages.drains import DrainInfo
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import MarkAgentGoneCall
from mesolite.messages.registrar import MarkAgentGone
from mesolite.messages.tasks import Cause, Reason, TaskState


def mark_gone(m: MasterState, message: MarkAgentGoneCall, sender: str, now: float) -> None:
    """Want it recorded, whether the agent is there or not (4.7.1)."""
    agent_id = message.agent_id
    if agent_id in m.gone:
        m.answer(sender, message.call_id)
    elif m.membership.is_pending(agent_id, *NOT_WHILE[Change.MARK_GONE]):
        m.answer(sender, message.call_id, 503, f"agent {agent_id} is just leaving; ask again when that is done")
    elif not decisions.is_known(m, agent_id):
        m.answer(sender, message.call_id, 404, f"there is no agent {agent_id!r}; the state lists the agents by id")
    else:
        operation = _operation(m, agent_id, decisions.drain_ended_by_removal(m, agent_id, now), now)
        m.write_for(operation, sender, message.call_id)


def write(m: MasterState, agent_id: AgentId, drain: DrainInfo, now: float) -> None:
    """Want it recorded, at the end of a drain to that end (4.5.6)."""
    m.write(_operation(m, agent_id, drain, now))


def _operation(m: MasterState, agent_id: AgentId, drain: DrainInfo | None, now: float) -> MarkAgentGone:
    m.membership.begin(agent_id, Change.MARK_GONE, Departure(Cause.GONE))
    return MarkAgentGone(agent_id=agent_id, gone_time=now, drain=drain, forget=decisions.drains_to_forget(m))


def marked_gone(m: MasterState, operation: MarkAgentGone, now: float) -> None:
    """It is recorded: now say so (4.7.3, 4.7.5, 4.7.6). What operators had decided about it goes, too (10.12)."""
    agent_id = operation.agent_id
    m.membership.end(agent_id, Change.MARK_GONE)
    was_unreachable = agent_id in m.unreachable
    m.membership.move(agent_id, MemberState.GONE, operation.gone_time)
    decisions.forget(m, agent_id, operation.drain, operation.forget)
    agent = m.agents.get(agent_id)
    if agent is not None:
        _shut_down(m, agent)
        leaving.leave(m, agent, _loss(f"{agent_id} ({agent.info.hostname})"), now)
    elif was_unreachable:
        _give_up(m, agent_id, now)
    m.subscribers.agent_lost(m, agent_id, now)


def refuse(m: MasterState, agent_id: AgentId, actor: str) -> None:
    """An agent that is gone wants to come back (1.3.2)."""
    m.send(actor, ShutdownAgent(reason=f"agent {agent_id} was marked gone", gone=True))


def _shut_down(m: MasterState, agent: AgentRecord) -> None:
    # Or it would hit the newcomer at that address.
    if agent.pid not in m.registering and m.agent_of_pid.get(agent.pid) == agent.id:
        m.send(agent.pid, ShutdownAgent(reason=f"agent {agent.id} was marked gone by an operator", gone=True))


def _loss(name: str) -> TaskEnd:
    return TaskEnd(
        state=TaskState.TASK_GONE_BY_OPERATOR,
        reason=Reason.REASON_AGENT_REMOVED_BY_OPERATOR,
        reason_if_lost=Reason.REASON_AGENT_REMOVED,
        cause=Cause.GONE,
        message=f"agent {name} was marked gone by an operator",
    )


def _give_up(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Its tasks were out of reach; now they are gone (4.7.5)."""
    loss = _loss(agent_id)
    for framework, task in m.out_of_reach(agent_id):
        del framework.unreachable_tasks[task.task_id]
        tasks.archive(m, framework, task, loss, now)
