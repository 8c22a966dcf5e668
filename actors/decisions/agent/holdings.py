"""An agent's state as nouns, all of one moment: what its HTTP endpoint tells clients (docs/spec/http.md section 10)."""

from __future__ import annotations

from mesolite.actors.decisions.agent.state import (
    AgentState,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    Phase,
    TaskRecord,
)
from mesolite.actors.decisions.rules import sandboxes
from mesolite.messages.ids import ActorName
from mesolite.messages.snapshot import AgentHoldings, HeldExecutor, HeldFramework, HeldTask


def take(a: AgentState) -> AgentHoldings:
    """Everything that this agent knows now."""
    return AgentHoldings(
        info=a.info,
        recovering=a.phase is Phase.RECOVERING,
        registered=a.phase is Phase.RUNNING,
        leader=a.leader or "",
        drain=a.drain,
        frameworks=tuple(_framework(a, framework) for framework in a.frameworks.values()),
        completed=tuple(HeldFramework(info=info, executors=(_executor(a, ended),)) for info, ended in a.completed),
    )


def _framework(a: AgentState, framework: FrameworkRecord) -> HeldFramework:
    held = tuple(_executor(a, executor) for executor in framework.executors.values())
    return HeldFramework(info=framework.info, executors=held)


def _executor(a: AgentState, executor: ExecutorRecord) -> HeldExecutor:
    return HeldExecutor(
        executor_id=executor.id,
        info=executor.info,
        actor=ActorName(executor.pid),
        container_id=sandboxes.container_id(a.name, executor.sandbox),
        sandbox=executor.sandbox,
        running=executor.phase is ExecutorPhase.RUNNING,
        tasks=tuple(map(_task, executor.tasks.values())),
        completed_tasks=tuple(map(_task, executor.completed.values())),
    )


def _task(task: TaskRecord) -> HeldTask:
    return HeldTask(info=task.info, state=task.state, delivered=task.delivered, statuses=task.statuses)
