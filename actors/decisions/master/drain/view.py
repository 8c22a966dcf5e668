"""A drain as one can look at it: which there are, and what one waits for (drain.md 4.5; docs/drain.md)."""

from __future__ import annotations

from collections.abc import Iterator

from mesolite.actors.decisions.master.drain.rule import DrainingAgent, TaskLeft, blockers
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import NOT_BACK, MasterState
from mesolite.messages.drains import Blocker, DrainInfo, Party
from mesolite.messages.ids import AgentId, DrainId


def find(m: MasterState, drain_id: DrainId, agent_id: AgentId) -> DrainInfo | None:
    """That drain, under way or past; None if it is so long ago that it was forgotten."""
    current = m.deactivated.get(agent_id)
    past = m.past_drains.get(drain_id)
    return past or (current if current is not None and current.id == drain_id else None)


def all_known(m: MasterState) -> list[DrainInfo]:
    """Every drain under way, and every one that is remembered, in the order they began."""
    known = {drain.id: drain for drain in (*m.past_drains.values(), *m.deactivated.values()) if drain is not None}
    return sorted(known.values(), key=lambda drain: drain.started_at)


def blocked_by(m: MasterState, current: DrainInfo) -> list[Blocker]:
    """Everything a drain under way waits for, never nothing."""
    agent = m.agents.get(current.agent_id)
    if agent is not None:
        why = "nothing is left, and it is recording that"
        recording = Blocker(party=Party.MASTER, name=m.info.name if m.info is not None else "", why=why)
        return list(blockers(facts(m, agent, current), tasks_of(m, agent))) or [recording]
    if current.agent_id in m.unreachable:
        away = f"unreachable since {m.unreachable[current.agent_id].since:.3f} s"
    else:
        away = NOT_BACK
    return list(blockers(DrainingAgent(name=current.agent_id, away=away), _tasks_out_of_reach(m, current.agent_id)))


def facts(m: MasterState, agent: AgentRecord, current: DrainInfo) -> DrainingAgent:
    """What the rule has to know of the agent."""
    return DrainingAgent(
        name=agent.pid,
        away="" if agent.connected else "disconnected",
        told_at=agent.drain_told_at,
        max_grace_period_s=current.config.max_grace_period_s,
        executor_margin_s=m.settings.command_executor_margin_s,
        confirmed=agent.drained,
    )


def tasks_of(m: MasterState, agent: AgentRecord) -> Iterator[TaskLeft]:
    """What the rule has to know of the tasks that are left there."""
    return (_left(m.frameworks[task.framework_id], task) for task in agent.tasks.values())


def _tasks_out_of_reach(m: MasterState, agent_id: AgentId) -> Iterator[TaskLeft]:
    return (_left(framework, task) for framework, task in m.out_of_reach(agent_id))


def _left(framework: FrameworkRecord, task: TaskRecord) -> TaskLeft:
    away = "" if framework.connected else NOT_BACK if framework.recovered else "disconnected"
    return TaskLeft(
        task_id=task.task_id,
        framework_id=framework.id,
        framework=framework.info.name,
        state=task.state,
        executor_id=task.executor_id,
        grace_period_s=task.grace_period_s,
        unacknowledged=task.unacknowledged,
        framework_away=away,
    )
