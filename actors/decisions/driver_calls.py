"""What user code asks of its driver: local calls, which become events of the driver's core.

They are no messages: they never leave the actor, and they arrive in the order they were made, between what
other actors said. Whether a call is allowed is decided by the core when it gets there, not when it was made.
"""

from __future__ import annotations

import enum

from attrs import field, frozen

from mesolite.actors.decisions.contract import TimerKey
from mesolite.actors.decisions.moves import Moves
from mesolite.messages.data import Data, as_data
from mesolite.messages.ids import AgentId, ExecutorId, OfferId, TaskId
from mesolite.messages.offers import Filters, OfferOperation
from mesolite.messages.tasks import KillPolicy, TaskState, TaskStatus


class DriverStatus(enum.Enum):
    """Where a driver is in its life (core.md FW-40)."""

    DRIVER_NOT_STARTED = "DRIVER_NOT_STARTED"
    DRIVER_RUNNING = "DRIVER_RUNNING"
    DRIVER_ABORTED = "DRIVER_ABORTED"
    DRIVER_STOPPED = "DRIVER_STOPPED"

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


DRIVER_MOVES: Moves[DriverStatus] = {
    DriverStatus.DRIVER_NOT_STARTED: frozenset({DriverStatus.DRIVER_RUNNING}),
    DriverStatus.DRIVER_RUNNING: frozenset({DriverStatus.DRIVER_ABORTED, DriverStatus.DRIVER_STOPPED}),
    DriverStatus.DRIVER_ABORTED: frozenset({DriverStatus.DRIVER_STOPPED}),
    DriverStatus.DRIVER_STOPPED: frozenset(),
}
"""From where to where: a driver starts once, and can be stopped after an abort (FW-40, FW-41)."""


class AbortedBy(enum.Enum):
    """Who ended a driver that its user has neither stopped nor aborted."""

    USER_CODE = "a callback raised"
    MASTER = "a master refused or removed the framework"
    DRIVER = "the driver found itself misused, or failed"


# --- schedulers -----------------------------------------------------------------------------------------


@frozen
class AcceptCall:
    """Use these offers of one agent for these operations; what is left over is declined (OF-54..61)."""

    offer_ids: tuple[OfferId, ...]
    operations: tuple[OfferOperation, ...]
    filters: Filters


@frozen
class DeclineCall:
    """Give these offers back (OF-44)."""

    offer_ids: tuple[OfferId, ...]
    filters: Filters


@frozen
class AcceptInverseCall:
    """I will give back what these ask for; `returning`: these tasks, in this order (drain.md 5.7.1)."""

    inverse_offer_ids: tuple[OfferId, ...]
    filters: Filters
    returning: tuple[TaskId, ...]


@frozen
class DeclineInverseCall:
    """I will not give back what these ask for, and why (drain.md 5.7.1)."""

    inverse_offer_ids: tuple[OfferId, ...]
    filters: Filters
    reason: str


@frozen
class KillCall:
    """End this task; a policy given here wins over the task's own (drain.md 3.2.1)."""

    task_id: TaskId
    kill_policy: KillPolicy | None


@frozen
class ReviveCall:
    """Forget my filters and offer again (OF-52)."""


@frozen
class SuppressCall:
    """No offers until I revive (OF-52)."""


@frozen
class ReconcileCall:
    """What is known of these tasks? An empty list means of all of mine (RC-2, RC-4)."""

    statuses: tuple[TaskStatus, ...]


@frozen
class AcknowledgeCall:
    """I have dealt with this update; only for drivers that do not acknowledge by themselves (TK-32)."""

    status: TaskStatus


IMPLICIT_ACKNOWLEDGEMENTS = (
    "acknowledge() was called on a driver that acknowledges by itself when status_update returns; "
    "ask for explicit acknowledgements when the driver is made, or do not call acknowledge()"
)
"""Said to user code that acknowledges in implicit mode, where Mesos aborts the whole process (TK-32)."""


@frozen
class FrameworkMessageCall:
    """Tell one of my executors something, best effort (TK-71)."""

    executor_id: ExecutorId
    agent_id: AgentId
    data: Data = field(converter=as_data)


@frozen
class StopCall:
    """End the driver. Without `failover` the framework and everything it runs end too (FW-40)."""

    failover: bool


@frozen
class AbortCall:
    """No callbacks any more, no offers any more; the tasks go on (FW-35, FW-42)."""


# --- schedulers and executors ---------------------------------------------------------------------------


@frozen
class CallLaterCall:
    """Call the function kept under this number after `delay_s` seconds."""

    call_id: int
    delay_s: float


@frozen
class CallLater(TimerKey):
    """The function kept under this number is to be called."""

    call_id: int


SCHEDULER_CALLS = (
    AcceptCall, DeclineCall, AcceptInverseCall, DeclineInverseCall, KillCall, ReviveCall, SuppressCall, ReconcileCall,
    AcknowledgeCall, FrameworkMessageCall, CallLaterCall, AbortCall,
)  # fmt: skip
"""What a scheduler asks of a driver that runs; stopping, which may come after an abort, is apart (FW-41)."""


# --- executors ------------------------------------------------------------------------------------------


@frozen
class SendStatusUpdateCall:
    """A task of this executor is in this state; `now` is when its code said so, in the runtime's seconds."""

    task_id: TaskId
    state: TaskState
    message: str
    data: Data = field(converter=as_data)
    now: float


@frozen
class ExecutorMessageCall:
    """Tell the scheduler something, best effort (TK-71)."""

    data: Data = field(converter=as_data)


@frozen
class StopExecutorCall:
    """The executor has nothing left to do."""
