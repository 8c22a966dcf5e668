"""What an HTTP endpoint and the actors of its streams say to each other (docs/spec/http.md sections 7 and 8).

A remote scheduler is an actor whose user code is a stream, and so is a remote executor; the endpoint is an actor beside
its master or its agent. `number` is that of the request that a stream answers.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.base import Message
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    ShutdownExecutorOf,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AcceptOffers,
    DeclineInverseOffers,
    DeclineOffers,
    ReconcileTasks,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.tasks import TaskStatus

SchedulerCall = (
    Subscribe | Teardown | AcceptOffers | DeclineOffers | SuppressOffers | ReviveOffers | AcceptInverseOffers
    | DeclineInverseOffers | KillTask | ShutdownExecutorOf | StatusUpdateAcknowledgement | ReconcileTasks
    | FrameworkToExecutor
)  # fmt: skip
"""What a remote scheduler may say to its master."""


@frozen(kw_only=True)
class FrameworkSubscribed(Message):
    """Remote scheduler to its endpoint: the master has taken my framework; its calls carry this stream id (HT-125)."""

    framework_id: FrameworkId
    stream_id: str
    principal: str


@frozen(kw_only=True)
class SchedulerCalled(Message):
    """Endpoint to a remote scheduler: its client has made that call, which is well-formed.

    `refused`: what is to be said of tasks in it that cannot be launched here; they are not in the call.
    """

    call: SchedulerCall
    refused: tuple[TaskStatus, ...] = ()


@frozen(kw_only=True)
class StreamLost(Message):
    """Endpoint to whoever writes that stream: its client has gone (HT-181, HT-246)."""

    number: int


@frozen(kw_only=True)
class ExecutorSubscribed(Message):
    """Endpoint to a remote executor: its process has subscribed, and tells what is not acknowledged (HT-190)."""

    number: int
    task_ids: tuple[TaskId, ...] = ()
    updates: tuple[StatusUpdate, ...] = ()


@frozen(kw_only=True)
class ExecutorConnected(Message):
    """Remote executor to its endpoint: the agent has taken the subscription; calls are for me (HT-194).

    Not `connected`: calls are refused again until the next subscription.
    """

    framework_id: FrameworkId
    executor_id: ExecutorId
    connected: bool


@frozen(kw_only=True)
class ExecutorCalled(Message):
    """Endpoint to a remote executor: its process has made that call, which is well-formed."""

    call: StatusUpdate | ExecutorToFramework
