"""When is a drain done, and if it is not, who has to do what first (drain.md 4.5.1)?

A drain is done when the master's state hold no task of the agent any more, acknowledged ones being gone from them, and
the agent, there and connected, has itself said that nothing of it is left. Mesos goes by the state alone, and calls an
agent drained that is away, or still has executors within their grace (4.5.3, 4.5.4).

    task alive ---------------------> its executor has to end it
    last update not acknowledged ---> its framework has to acknowledge, come back, or be removed
    agent away ---------------------> the agent has to come back
    no task left, not confirmed ----> the agent has to say so
    nothing left, confirmed --------> done; the master has to record it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from mesolite.actors.decisions.rules.grace import longest_drain_s
from mesolite.messages.drains import Blocker, Party
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.tasks import TaskState


@frozen(kw_only=True)
class DrainingAgent:
    """What a master knows of the agent. `away`: how it is away and since when, '' while it is connected.

    `executor_margin_s`: so long after the longest grace it shuts down an executor that has not killed its task.
    """

    name: str
    away: str = ""
    told_at: float | None = None
    max_grace_period_s: float | None = None
    executor_margin_s: float = 0.0
    confirmed: bool = False


@frozen(kw_only=True)
class TaskLeft:
    """What a master knows of a task of that agent. `framework_away`: how its scheduler is away, '' if it is not.

    `unacknowledged`: its framework has not taken its last update yet, so that what happened since is not known.
    """

    task_id: TaskId
    framework_id: FrameworkId
    framework: str
    state: TaskState
    executor_id: ExecutorId | None = None
    grace_period_s: float | None = None
    unacknowledged: bool = False
    framework_away: str = ""


def blockers(agent: DrainingAgent, tasks: Iterable[TaskLeft]) -> Iterator[Blocker]:
    """Everything that drain waits for, one after another; nothing means that it is done."""
    if agent.away:
        yield Blocker(party=Party.AGENT, name=agent.name, why=f"it is {agent.away} and has to come back")
    left = False
    for task in tasks:
        left = True
        yield _of_task(agent, task)
    if not left and not agent.away and not agent.confirmed:
        why = "it has not confirmed yet that nothing is left on it; executors may be on their way out"
        yield Blocker(party=Party.AGENT, name=agent.name, why=why, since=agent.told_at)


def is_done(agent: DrainingAgent, tasks: Iterable[TaskLeft]) -> bool:
    """Whether that drain waits for nothing any more."""
    return next(blockers(agent, tasks), None) is None


def _of_task(agent: DrainingAgent, task: TaskLeft) -> Blocker:
    since, grace_s = None, None
    if agent.away:
        party, name, why = Party.AGENT, agent.name, f"it is {agent.away}"
    elif not (task.state.is_terminal or task.unacknowledged):
        party, name, why = Party.EXECUTOR, task.executor_id or task.task_id, "it has to kill the task, which lives"
        since = agent.told_at
        grace_s = longest_drain_s(
            agent.max_grace_period_s, task.grace_period_s, agent.executor_margin_s, command=task.executor_id is None
        )
    else:
        party, name, why = Party.FRAMEWORK, task.framework, "it has not acknowledged the task's last update"
        if task.framework_away:
            why = f"it is {task.framework_away}, and has not acknowledged the task's last update"
    return Blocker(
        party=party,
        name=name,
        why=why,
        since=since,
        task_id=task.task_id,
        framework_id=task.framework_id,
        framework=task.framework,
        state=task.state,
        grace_s=grace_s,
    )
