"""What an agent sets timers for. A timer is set, cancelled and handled under one declaration, and this is it.

Which decision each leads to is the table `TIMERS` in core.py. Keys that name an executor have its run in them, so that
they cannot hit a successor of the same id (core.md TK-53).
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import TimerKey
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId


@frozen
class RegistrationAttempt(TimerKey):
    """It is time for an attempt to register (drain.md 1.1.2 to 1.1.4)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class PingTimeout(TimerKey):
    """No ping may have come for the total time-out (drain.md 1.4.6)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class UpdateRetry(TimerKey):
    """Nobody has acknowledged the head of that task's stream in time (drain.md 0.2.13)."""

    PERIODIC: ClassVar[bool] = True
    framework_id: FrameworkId
    task_id: TaskId


@frozen
class ExecutorRegistrationTimeout(TimerKey):
    """An executor that was started has not registered in time (core.md TK-50)."""

    framework_id: FrameworkId
    executor_id: ExecutorId
    run: int


@frozen
class ExecutorShutdownTimeout(TimerKey):
    """An executor that was told to shut down has not ended within its grace (drain.md 3.1.3)."""

    framework_id: FrameworkId
    executor_id: ExecutorId
    run: int


@frozen
class ExecutorReregistrationTimeout(TimerKey):
    """The time in which executors may come back to a restarted agent is over (core.md AG-12)."""


@frozen
class ReconnectRetry(TimerKey):
    """Executors that have not come back may not have heard that they are to (core.md AG-11)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class LastGraceEnd(TimerKey):
    """A killed task has had its last grace (graces.py)."""

    framework_id: FrameworkId
    executor_id: ExecutorId
    run: int
    task_id: TaskId
