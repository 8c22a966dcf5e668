"""What a remote scheduler calls, as messages for the master (docs/spec/http.md section 7.2): pure functions."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from mesolite.actors.errors import InvalidValue
from mesolite.gateway.refusals import HttpRefusal
from mesolite.gateway.v1 import reading
from mesolite.gateway.v1.lenient import decoded
from mesolite.gateway.v1.reading import UUID_BYTES, Unsupported, value
from mesolite.gateway.v1.writing import Plain
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, TaskId
from mesolite.messages.offers import Launch
from mesolite.messages.relayed import (
    FrameworkToExecutor,
    KillTask,
    ShutdownExecutorOf,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.remote import SchedulerCall
from mesolite.messages.resources import ResourceError
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
from mesolite.messages.tasks import Cause, Reason, Source, TaskInfo, TaskState, TaskStatus

BODILESS = frozenset({"TEARDOWN", "REVIVE", "SUPPRESS"})
"""Calls that need nothing but their type (HT-136)."""

NOTHING_FOLLOWS = frozenset({"REQUEST", "ACKNOWLEDGE_OPERATION_STATUS", "RECONCILE_OPERATIONS"})
"""Calls that are taken, and nothing comes of them: there are no operations but launches here (HT-147, HT-152)."""


@frozen
class Called:
    """A call for the master, None if there is nothing to tell it, and what is to be said of tasks that it has not."""

    call: SchedulerCall | None
    refused: tuple[TaskStatus, ...] = ()


def check(call: Plain) -> str:
    """The rules of calls, before anybody looks who makes it (HT-69, HT-94, HT-123, HT-135, HT-136). Return the type.

    Raises:
        HttpRefusal: 400, or 501 for the type UNKNOWN.
    """
    kind: str | None = call.get("type")
    if kind is None:
        raise HttpRefusal(400, "the call has no type, or one that is not known; SUBSCRIBE, ACCEPT and so on are")
    if kind == "UNKNOWN":
        raise HttpRefusal(501, "a call of type UNKNOWN cannot be carried out")
    body = kind.lower()
    if kind not in BODILESS and body not in call:
        raise HttpRefusal(400, f"a call of type {kind} needs the field {body!r}, if only as an empty object")
    if kind == "SUBSCRIBE":
        outer = reading.optional_value(call, "framework_id") or ""
        inner = reading.optional_value(call["subscribe"]["framework_info"], "id") or ""
        if outer != inner:
            raise HttpRefusal(
                400,
                f"framework_id is {outer!r} and subscribe.framework_info.id is {inner!r}: to subscribe again give the "
                "same id in both, for a new framework in neither",
            )
    elif not reading.optional_value(call, "framework_id"):
        raise HttpRefusal(400, f"a call of type {kind} needs framework_id: that of SUBSCRIBED")
    _check_uuid(call, body)
    if kind == "UPDATE_FRAMEWORK" and reading.optional_value(call[body]["framework_info"], "id") != value(
        call, "framework_id"
    ):
        raise HttpRefusal(400, "update_framework.framework_info.id must be there, and equal to framework_id")
    return kind


def _check_uuid(call: Plain, body: str) -> None:
    held = call.get(body, {})
    if "uuid" in held and len(decoded(held["uuid"])) != UUID_BYTES:
        raise HttpRefusal(400, f"{body}.uuid must be base64 of 16 bytes, as it came in the update")
    if body == "acknowledge_operation_status" and "agent_id" not in held:
        raise HttpRefusal(400, "acknowledge_operation_status.agent_id is missing")


def subscribe(call: Plain, principal: str) -> Subscribe:
    """A subscription; it wins over an earlier one of that framework (HT-130).

    Raises:
        Unsupported, InvalidValue: the FrameworkInfo cannot be (HT-127).
    """
    asked = call["subscribe"]
    info = reading.framework_info(asked["framework_info"], principal)
    suppressed = asked.get("suppressed_roles", [])
    constrained = asked.get("offer_constraints", {}).get("role_constraints", ())
    for name, named in (("suppressed_roles", suppressed), ("offer_constraints", constrained)):
        if strangers := [role for role in named if role != info.role]:
            raise InvalidValue(f"{name}: {strangers} are not among the framework's roles [{info.role!r}]")
    return Subscribe(framework_info=info, force=True, suppressed=info.role in suppressed)


def of_framework(call: Plain, kind: str, role: str) -> Called:
    """What the master is told: of launches also what cannot be, as Mesos would say it (HT-138 to HT-156).

    `role`: the framework's. A call for others, be they among several, is dropped without a word (core.md OF-51).

    Raises:
        Unsupported, InvalidValue, ResourceError: something in it cannot be.
    """
    framework_id = FrameworkId(value(call, "framework_id"))
    body: Plain = call.get(kind.lower(), {})
    if kind == "ACCEPT":
        return _accept(body, framework_id)
    of_others = kind in ("REVIVE", "SUPPRESS") and any(named != role for named in body.get("roles", ()))
    if kind in NOTHING_FOLLOWS or of_others:
        return Called(None)
    return Called(CALLS[kind](body, framework_id))


def _decline(body: Plain, framework_id: FrameworkId) -> DeclineOffers:
    return DeclineOffers(
        framework_id=framework_id,
        offer_ids=_offers(body, "offer_ids"),
        filters=reading.filters(body.get("filters")),
    )


def _revive(body: Plain, framework_id: FrameworkId) -> ReviveOffers:
    return ReviveOffers(framework_id=framework_id)


def _suppress(body: Plain, framework_id: FrameworkId) -> SuppressOffers:
    return SuppressOffers(framework_id=framework_id)


def _kill(body: Plain, framework_id: FrameworkId) -> KillTask:
    agent_id = reading.optional_value(body, "agent_id")
    return KillTask(
        framework_id=framework_id,
        task_id=TaskId(value(body, "task_id")),
        agent_id=None if agent_id is None else AgentId(agent_id),
        kill_policy=reading.kill_policy(body.get("kill_policy")),
    )


def _shutdown(body: Plain, framework_id: FrameworkId) -> ShutdownExecutorOf:
    return ShutdownExecutorOf(
        framework_id=framework_id,
        agent_id=AgentId(value(body, "agent_id")),
        executor_id=ExecutorId(value(body, "executor_id")),
    )


def _acknowledge(body: Plain, framework_id: FrameworkId) -> StatusUpdateAcknowledgement:
    return StatusUpdateAcknowledgement(
        framework_id=framework_id,
        agent_id=AgentId(value(body, "agent_id")),
        task_id=TaskId(value(body, "task_id")),
        uuid=reading.update_id(body["uuid"]),
    )


def _reconcile(body: Plain, framework_id: FrameworkId) -> ReconcileTasks:
    return ReconcileTasks(framework_id=framework_id, statuses=tuple(map(_asked, body.get("tasks", ()))))


def _message(body: Plain, framework_id: FrameworkId) -> FrameworkToExecutor:
    return FrameworkToExecutor(
        framework_id=framework_id,
        agent_id=AgentId(value(body, "agent_id")),
        executor_id=ExecutorId(value(body, "executor_id")),
        data=b64decode(body["data"]),
    )


def _accept_inverse_offers(body: Plain, framework_id: FrameworkId) -> AcceptInverseOffers:
    return AcceptInverseOffers(
        framework_id=framework_id,
        inverse_offer_ids=_offers(body, "inverse_offer_ids"),
        filters=reading.filters(body.get("filters")),
        returning=tuple(TaskId(each["value"]) for each in body.get("x_mesolite_returning", ())),
    )


def _decline_inverse_offers(body: Plain, framework_id: FrameworkId) -> DeclineInverseOffers:
    return DeclineInverseOffers(
        framework_id=framework_id,
        inverse_offer_ids=_offers(body, "inverse_offer_ids"),
        filters=reading.filters(body.get("filters")),
        reason=body.get("x_mesolite_reason", ""),
    )


def _teardown(body: Plain, framework_id: FrameworkId) -> Teardown:
    return Teardown(framework_id=framework_id)


CALLS: Mapping[str, Callable[[Plain, FrameworkId], SchedulerCall]] = {
    "DECLINE": _decline,
    "REVIVE": _revive,
    "SUPPRESS": _suppress,
    "KILL": _kill,
    "SHUTDOWN": _shutdown,
    "ACKNOWLEDGE": _acknowledge,
    "RECONCILE": _reconcile,
    "MESSAGE": _message,
    "ACCEPT_INVERSE_OFFERS": _accept_inverse_offers,
    "DECLINE_INVERSE_OFFERS": _decline_inverse_offers,
    "TEARDOWN": _teardown,
}
"""What each of the calls that need no more than their own body is to the master."""


def _offers(body: Plain, name: str) -> tuple[OfferId, ...]:
    return tuple(OfferId(each["value"]) for each in body.get(name, ()))


def _asked(plain: Plain) -> TaskStatus:
    agent_id = reading.optional_value(plain, "agent_id")
    return unchecked(TaskStatus)(
        task_id=TaskId(value(plain, "task_id")),
        state=TaskState.TASK_STAGING,
        agent_id=None if agent_id is None else AgentId(agent_id),
    )


def _accept(body: Plain, framework_id: FrameworkId) -> Called:
    """Use offers. An operation that does not exist here is dropped (HT-173); a task that cannot be fails, alone."""
    launches: list[Launch] = []
    refused: list[TaskStatus] = []
    for operation in body.get("operations", ()):
        if operation.get("type") == "LAUNCH":
            tasks: list[TaskInfo] = []
            for plain in operation.get("launch", {}).get("task_infos", ()):
                try:
                    tasks.append(reading.task_info(plain, framework_id))
                except (InvalidValue, ResourceError) as why:
                    refused.append(_refused(plain, str(why), WRONG))
                except Unsupported as why:
                    refused.append(_refused(plain, str(why), NOT_HERE))
            launches.append(Launch(tasks=tuple(tasks)))
        elif operation.get("type") == "LAUNCH_GROUP":
            group = operation.get("launch_group", {}).get("task_group", {}).get("tasks", ())
            why_not = "Mesos's default executor, with its task groups, does not exist here; launch tasks with LAUNCH"
            refused.extend(_refused(plain, why_not, NOT_HERE) for plain in group)
    call = AcceptOffers(
        framework_id=framework_id,
        offer_ids=_offers(body, "offer_ids"),
        operations=tuple(launches),
        filters=reading.filters(body.get("filters")),
    )
    return Called(call, tuple(refused))


WRONG = {"state": TaskState.TASK_ERROR, "reason": Reason.REASON_TASK_INVALID}
"""What a master says of a task that cannot be (OF-70)."""

NOT_HERE = {
    "state": TaskState.TASK_FAILED,
    "reason": Reason.REASON_CONTAINER_LAUNCH_FAILED,
    "cause": Cause.NEVER_STARTED,
}
"""What an agent of Mesos says that cannot run a task."""


def _refused(plain: Plain, why: str, said: Mapping[str, Any]) -> TaskStatus:
    return unchecked(TaskStatus)(
        task_id=TaskId(value(plain, "task_id")),
        agent_id=AgentId(value(plain, "agent_id")),
        source=Source.SOURCE_MASTER,
        message=why,
        **said,
    )
