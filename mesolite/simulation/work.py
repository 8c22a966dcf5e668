"""Simulated processes: work that is described instead of started. Virtual seconds, no process, no file."""

from __future__ import annotations

import math
import signal

from attrs import define

from mesolite.actors.decisions.contract import Run, WorkExited, WorkFailedToStart, WorkStarted
from mesolite.actors.runtime.port import ActorContext
from mesolite.messages.tasks import SimulatedWork
from mesolite.simulation.deliveries import Deliveries
from mesolite.simulation.plain_commands import work_of
from mesolite.simulation.scheduled_actions import Loop, ScheduledAction


@define(eq=False)
class _Process:
    context: ActorContext
    work: SimulatedWork
    cause: int
    task_id: str = ""
    end: WorkEnds | None = None
    ends_at: float = math.inf


class WorkEnds(ScheduledAction):
    """A simulated process comes to its end, by itself or by a signal."""

    __slots__ = ("exited", "process", "processes")

    def __init__(self, processes: SimulatedProcesses, process: _Process, exited: WorkExited) -> None:
        """Let that actor learn how its work has ended."""
        super().__init__()
        self.processes = processes
        self.process = process
        self.exited = exited

    def occur(self, loop: Loop) -> None:
        """End it."""
        self.processes.drop(self.exited.work_id)
        loop.post(self.process.context, self.exited, cause=self.process.cause)


class SimulatedProcesses:
    """What would be running, by work id, and the executors that run tasks in user code instead."""

    def __init__(self, deliveries: Deliveries) -> None:
        """Start with nothing running."""
        self._deliveries = deliveries
        self._processes: dict[str, _Process] = {}
        self._of_context: dict[ActorContext, dict[str, None]] = {}
        self.executors: dict[ActorContext, None] = {}
        """Those alive that run user code, oldest first."""

    def __len__(self) -> int:
        """How many would be running."""
        return len(self._processes)

    def endless(self) -> list[str]:
        """The work that does not end by itself."""
        return [work_id for work_id, process in self._processes.items() if process.ends_at == math.inf]

    def tasks(self) -> list[tuple[ActorContext, str]]:
        """The executor and the task of each process, oldest first."""
        return [(process.context, process.task_id) for process in self._processes.values()]

    def run(self, context: ActorContext, run: Run, cause: int) -> None:
        """Start, and end by itself after its duration."""
        work = run.simulated or work_of(run.command)
        if work is None:
            error = f"cannot start {run.command.value!r}: there is no program of that name, only a shell understands it"
            self._deliveries.post(context, WorkFailedToStart(run.work_id, error), cause=cause)
            return
        process = self._processes[run.work_id] = _Process(context, work, cause, run.task_id)
        self._of_context.setdefault(context, {})[run.work_id] = None
        self._deliveries.post(context, WorkStarted(run.work_id, 0), cause=cause)
        if process.work.duration is not None:
            self._end_after(run.work_id, process.work.duration, process.work.exit_status, None)

    def signal(self, work_id: str, signum: int, cause: int) -> None:
        """Do what the description says it does on this signal; unknown work has ended already."""
        process = self._processes.get(work_id)
        if process is None:
            return
        process.cause = cause
        if signum == signal.SIGKILL:
            self._end_after(work_id, 0.0, None, signum)
        elif signum == signal.SIGTERM and process.work.on_sigterm is not None:
            status = process.work.sigterm_exit_status
            self._end_after(work_id, process.work.on_sigterm, status, signum if status is None else None)

    def forget(self, context: ActorContext) -> None:
        """End everything of an actor that has ended; nobody is left to be told."""
        self.executors.pop(context, None)
        for work_id in list(self._of_context.get(context, ())):
            self.drop(work_id)

    def _end_after(self, work_id: str, after_s: float, exit_status: int | None, signum: int | None) -> None:
        """Let it end then, unless it ends earlier anyway."""
        process = self._processes[work_id]
        ends_at = self._deliveries.now() + after_s
        if ends_at >= process.ends_at:
            return
        if process.end is not None:
            self._deliveries.call_off(process.end)
        end = WorkEnds(self, process, WorkExited(work_id, exit_status, signum))
        process.end, process.ends_at = self._deliveries.at(ends_at, end), ends_at

    def drop(self, work_id: str) -> None:
        """Forget work that has ended."""
        process = self._processes.pop(work_id)
        works = self._of_context[process.context]
        del works[work_id]
        if not works:
            del self._of_context[process.context]
        if process.end is not None:
            self._deliveries.call_off(process.end)
            process.end = None  # they refer to each other
