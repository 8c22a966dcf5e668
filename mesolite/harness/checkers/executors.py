"""What agents hand to executors, and whom they let in."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import LinkBroken, PeerExited, Saved
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, hears, said, says
from mesolite.messages.agent import ExitedExecutor, RegisterAgent, ReregisterAgent, UnregisterAgent
from mesolite.messages.executor import ExecutorRegistered, ShutdownExecutor
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.registrar import OperationApplied
from mesolite.messages.relayed import RunTask

Task = tuple[str, FrameworkId, TaskId]
"""A task, and the agent that it was given to."""


class TasksKeepTheirOrder(Checker):
    """What was launched first comes first (core.md TK-37, TK-52)."""

    name = "tasks_keep_their_order"
    statement = "An agent hands an executor its tasks in the order in which it was given them."

    def __init__(self) -> None:
        """Start with no task."""
        self._number = 0
        self._given: dict[Task, int] = {}
        self._handed: dict[str, int] = {}

    @hears(ActorRole.AGENT, RunTask)
    def given(self, record: Record, core: Any) -> None:
        """An agent is given a task."""
        self._number += 1
        self._given[record.actor, record.event.framework_id, record.event.task.task_id] = self._number

    @says(ActorRole.AGENT, RunTask)
    def handed(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """It hands it over."""
        number = self._given.get((record.actor, message.framework_id, message.task.task_id), 0)
        if number and number < self._handed.get(to, 0):
            text = f"{record.actor} hands {message.task.task_id} to {to} after one that it was given later"
            self.violated(text, message.task.task_id, record.actor)
        self._handed[to] = max(number, self._handed.get(to, 0))


class IdleExecutorsAreTurnedAway(Checker):
    """An executor whose tasks were all killed before it came has nothing to do (drain.md 3.3.5)."""

    name = "idle_executors_are_turned_away"
    statement = "An agent lets in no new executor that has no task left to run."

    @says(ActorRole.AGENT, ExecutorRegistered)
    def let_in(self, record: Record, core: Any, message: ExecutorRegistered, to: str) -> None:
        """An executor is let in."""
        _, executor = core.state.executor_of_pid.get(to, (None, None))
        if executor is not None and not executor.live_tasks and not any(said(record, RunTask)):
            self.violated(f"{record.actor} lets {to} in, which has no task", to, record.actor)


class UnregistersFirst(Checker):
    """The leader is to know before anything ends (drain.md 2.1.2)."""

    name = "unregisters_first"
    statement = "An agent that is to go unregisters before it shuts anything down."

    @says(ActorRole.AGENT, UnregisterAgent)
    def goes(self, record: Record, core: Any, message: UnregisterAgent, to: str) -> None:
        """An agent goes; what has waited for its disk it wanted to say before."""
        if type(record.event) is Saved:
            return
        kinds = [type(each) for _, each in said(record, UnregisterAgent, ShutdownExecutor)]
        if kinds[0] is ShutdownExecutor:
            self.violated(f"{record.actor} shuts executors down before it unregisters", record.actor)


class ExecutorsAreStartedOnce(Checker):
    """Who is there is not started again (core.md OF-67)."""

    name = "executors_are_started_once"
    statement = "A leader has no executor started that it has had started already, and has not heard the end of."

    def __init__(self) -> None:
        """Start with no executor."""
        self._started: dict[str, dict[tuple[Any, FrameworkId, ExecutorId], None]] = {}

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """A leader launches a task."""
        executor = message.task.executor
        if executor is None or not message.launch_executor or not self.watch.leads(core):
            return
        key = (core, message.framework_id, executor.executor_id)
        if key in self._started.setdefault(to, {}):
            self.violated(f"{record.actor} has {executor.executor_id} started on {to} a second time", to)
        self._started[to][key] = None

    @hears(ActorRole.MASTER, ExitedExecutor, RegisterAgent, ReregisterAgent, UnregisterAgent)
    def ended(self, record: Record, core: Any) -> None:
        """An agent has lost an executor, or may have."""
        self._started.pop(record.sender, None)

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def parted(self, record: Record, core: Any) -> None:
        """What is on an agent that is out of sight may be given up."""
        self._started.pop(record.event.name, None)

    @hears(ActorRole.MASTER, OperationApplied)
    def decided(self, record: Record, core: Any) -> None:
        """An agent may be given up."""
        self._started.clear()
