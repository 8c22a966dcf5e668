"""Bad executors, one fault each, for a scheduler of yours: `cluster.run(mine, "mine", executors={"bad": Stubborn})`.

    Stubborn  ends nothing that it is asked to end
    Silent    never says a word about its tasks
    Crashing  raises when it is given a task

docs/stand-ins.md shows what comes of it.
"""

from __future__ import annotations

from mesolite.callbacks import Executor, ExecutorDriver
from mesolite.messages.ids import TaskId
from mesolite.messages.tasks import KillPolicy, TaskInfo, TaskState


class Stubborn(Executor):
    """Runs its tasks for ever, deaf to kills and to its own shutdown: only its agent can end it, after its grace."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        """Begin it."""
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        """Take no notice."""

    def shutdown(self, driver: ExecutorDriver) -> None:
        """Take no notice."""


class Silent(Executor):
    """Takes tasks and never says what became of them: they stay `TASK_STAGING` as far as anybody knows.

    It does not say that a task has ended either, so a kill is never answered.
    """

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        """Say nothing."""


class Crashing(Executor):
    """Dies of the first task that it is given: all tasks that it has end with it (`TASK_FAILED`).

    In a test the error has to be allowed: `sim.allow_error(RuntimeError)`.
    """

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        """Break down."""
        raise RuntimeError(f"this executor cannot run {task.task_id}, nor anything else")
