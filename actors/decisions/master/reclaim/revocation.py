"""Who holds what, and telling agents to end it: what reclaims and enforced windows share (docs/reclaim.md RV-36).

Nothing is decided here. An agent that is away is not told; whoever wants it told looks again when it is back.
"""

from __future__ import annotations

from collections.abc import Iterable

from mesolite.actors.decisions.master.reclaim.rule import Holder
from mesolite.actors.decisions.master.records import AgentRecord, ExecutorKey, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import RevokeExecutor, RevokeTask
from mesolite.messages.ids import FrameworkId
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import TaskState


def holders_on(agent: AgentRecord) -> list[Holder]:
    """Every live task and every executor on an agent, in the order in which they came."""
    executors = (_executor(agent, key, resources) for key, resources in agent.executors.items())
    return [*(_task(agent, task) for task in agent.tasks.values() if task.state.holds_resources), *executors]


def holders_of(m: MasterState, framework_id: FrameworkId) -> list[Holder]:
    """Every live task and every executor of a framework, on whichever registered agent."""
    live = [task for task in m.frameworks[framework_id].tasks.values() if task.state.holds_resources]
    return [
        *(_task(m.agents[task.agent_id], task) for task in live),
        *(
            _executor(agent, key, resources)
            for agent in m.agents.values()
            for key, resources in agent.executors.items()
            if key[0] == framework_id
        ),
    ]


def _task(agent: AgentRecord, task: TaskRecord) -> Holder:
    told = task.key in agent.kills or task.key in agent.revokes or task.kill_cause is not None
    return Holder(
        framework_id=task.framework_id,
        agent_id=agent.id,
        task_id=task.task_id,
        executor_id=task.executor_id,
        amounts=task.resources.scalars,
        launched_at=task.launched_at,
        ending=told or task.state is TaskState.TASK_KILLING,
    )


def _executor(agent: AgentRecord, key: ExecutorKey, resources: Resources) -> Holder:
    framework_id, executor_id = key
    return Holder(
        framework_id=framework_id,
        agent_id=agent.id,
        executor_id=executor_id,
        amounts=resources.scalars,
        ending=key in agent.revoked_executors,
    )


def revoke(m: MasterState, holders: Iterable[Holder]) -> list[Holder]:
    """Have these ended, by their agents; repeating it is harmless. Return those whose agent is there to be told."""
    told = [holder for holder in holders if m.agents[holder.agent_id].connected]
    executors = [holder.executor for holder in told if holder.task_id is None]
    for holder in told:
        agent, framework_id = m.agents[holder.agent_id], holder.framework_id
        if holder.task_id is None:
            assert holder.executor_id is not None
            agent.revoked_executors[(framework_id, holder.executor_id)] = None
            m.send(agent.pid, RevokeExecutor(framework_id=framework_id, executor_id=holder.executor_id))
            continue
        agent.revokes[(framework_id, holder.task_id)] = None
        if holder.executor is None or holder.executor not in executors:  # or its executor's order ends it, too
            m.send(agent.pid, RevokeTask(framework_id=framework_id, task_id=holder.task_id))
    return told


def forget_ended(agent: AgentRecord) -> None:
    """Forget that executors were told to end that are not there any more: a later one of that id was not."""
    for key in [key for key in agent.revoked_executors if key not in agent.executors]:
        del agent.revoked_executors[key]
