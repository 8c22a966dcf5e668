"""What a driver says to its master: what it makes of its user's calls, with what the user may leave out.

Without a master nothing is made, but for launches, which the driver itself answers (core.md FW-43, OF-62).
"""

from __future__ import annotations

from mesolite.actors.decisions.driver_calls import (
    AcceptCall,
    AcceptInverseCall,
    DeclineCall,
    DeclineInverseCall,
    FrameworkMessageCall,
    KillCall,
    ReconcileCall,
)
from mesolite.messages.base import Message
from mesolite.messages.checking import evolve, unchecked
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.offers import Filters, Launch, Offer
from mesolite.messages.relayed import FrameworkToExecutor, KillTask, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AcceptOffers,
    DeclineInverseOffers,
    DeclineOffers,
    ReconcileTasks,
)
from mesolite.messages.tasks import Cause, Reason, Source, TaskInfo, TaskState, TaskStatus

SimpleCall = AcceptInverseCall | DeclineCall | DeclineInverseCall | KillCall | ReconcileCall | FrameworkMessageCall
"""Calls that need nothing but a master."""


def request(call: SimpleCall, framework_id: FrameworkId) -> Message:
    """The message that says to the master what this call asks for."""
    match call:
        case DeclineCall(offer_ids=offer_ids, filters=filters):
            return DeclineOffers(framework_id=framework_id, offer_ids=offer_ids, filters=filters)
        case AcceptInverseCall(inverse_offer_ids=ids, filters=filters, returning=returning):
            return AcceptInverseOffers(
                framework_id=framework_id, inverse_offer_ids=ids, filters=filters, returning=returning
            )
        case DeclineInverseCall(inverse_offer_ids=ids, filters=filters, reason=reason):
            return DeclineInverseOffers(
                framework_id=framework_id, inverse_offer_ids=ids, filters=filters, reason=reason
            )
        case KillCall(task_id=task_id, kill_policy=kill_policy):
            return KillTask(framework_id=framework_id, task_id=task_id, kill_policy=kill_policy)
        case ReconcileCall(statuses=statuses):
            return ReconcileTasks(framework_id=framework_id, statuses=statuses)
        case FrameworkMessageCall(executor_id=executor_id, agent_id=agent_id, data=data):
            return FrameworkToExecutor(
                framework_id=framework_id, agent_id=agent_id, executor_id=executor_id, data=data
            )


def unusable(offers: tuple[Offer, ...]) -> DeclineOffers:
    """Gives back what a driver is offered that is not connected: the answer that came before it was lost. Ours."""
    return DeclineOffers(
        framework_id=offers[0].framework_id,
        offer_ids=tuple(offer.id for offer in offers),
        filters=Filters(refuse_seconds=0.0),
    )


def accept(call: AcceptCall, framework_id: FrameworkId, agent_id: AgentId | None) -> AcceptOffers:
    """The accept, its tasks complete; `agent_id` is that of the offers, None if they are unknown by now."""
    launches = []
    for launch in call.operations:
        tasks = [_completed(task, framework_id, agent_id) for task in launch.tasks]
        launches.append(unchecked(Launch)(tasks=tuple(tasks)))
    return AcceptOffers(
        framework_id=framework_id,
        offer_ids=call.offer_ids,
        operations=tuple(launches),
        filters=call.filters,
    )


def _completed(task: TaskInfo, framework_id: FrameworkId, agent_id: AgentId | None) -> TaskInfo:
    executor = task.executor
    if executor is not None and executor.framework_id is None:
        executor = evolve(executor, framework_id=framework_id)
    return evolve(task, agent_id=task.agent_id or agent_id, executor=executor)


def never_started(
    task: TaskInfo, framework: FrameworkInfo, agent_id: AgentId | None, now: float
) -> TaskStatus:
    """What the driver itself says of a task that it could not send for want of a master (core.md OF-62)."""
    return unchecked(TaskStatus)(
        task_id=task.task_id,
        state=framework.or_lost(TaskState.TASK_DROPPED),
        source=Source.SOURCE_MASTER,
        reason=Reason.REASON_MASTER_DISCONNECTED,
        message="the driver was not connected to a master, so the task was never sent",
        agent_id=task.agent_id or agent_id,
        timestamp=now,
        cause=Cause.NEVER_STARTED,
    )


def acknowledgement(status: TaskStatus, framework_id: FrameworkId) -> StatusUpdateAcknowledgement | None:
    """What acknowledges an update: nothing, if a master or driver made it (core.md TK-21, TK-32)."""
    if status.uuid is None or status.agent_id is None:
        return None
    return StatusUpdateAcknowledgement(
        framework_id=framework_id, agent_id=status.agent_id, task_id=status.task_id, uuid=status.uuid
    )
