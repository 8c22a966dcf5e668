"""What an executor process calls, as messages (docs/spec/http.md section 8.1): pure functions."""

from __future__ import annotations

from base64 import b64decode

from mesolite.actors.errors import InvalidValue
from mesolite.gateway.refusals import HttpRefusal
from mesolite.gateway.v1 import reading
from mesolite.gateway.v1.lenient import decoded
from mesolite.gateway.v1.reading import UUID_BYTES, value
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.relayed import ExecutorToFramework, StatusUpdate
from mesolite.messages.remote import ExecutorSubscribed


def check(call: Plain) -> str:
    """The rules of calls, before anybody looks who makes it (HT-189, HT-190). Return the type.

    Raises:
        HttpRefusal: 400, or 501 for the type UNKNOWN.
    """
    kind: str | None = call.get("type")
    if kind is None:
        raise HttpRefusal(400, "the call has no type that is known; SUBSCRIBE, UPDATE, MESSAGE, HEARTBEAT are")
    if kind == "UNKNOWN":
        raise HttpRefusal(501, "a call of type UNKNOWN cannot be carried out")
    if kind in ("UPDATE", "MESSAGE") and kind.lower() not in call:
        raise HttpRefusal(400, f"a call of type {kind} needs the field {kind.lower()!r}")
    for said in _statuses(call, kind):
        _check_status(said, value(call, "executor_id"))
    return kind


def _statuses(call: Plain, kind: str) -> list[Plain]:
    if kind == "UPDATE":
        return [call["update"]["status"]]
    return [each["status"] for each in call.get("subscribe", {}).get("unacknowledged_updates", ())]


def _check_status(said: Plain, executor_id: str) -> None:
    if len(decoded(said.get("uuid", ""))) != UUID_BYTES:
        raise HttpRefusal(400, "status.uuid must be base64 of 16 bytes, other ones for each update")
    if said.get("source") != "SOURCE_EXECUTOR":
        raise HttpRefusal(400, f"status.source is {said.get('source')!r}; an executor says SOURCE_EXECUTOR")
    if said["state"] == "TASK_STAGING":
        raise HttpRefusal(400, "status.state is TASK_STAGING, which only a master says")
    if reading.optional_value(said, "executor_id") not in (None, executor_id):
        raise HttpRefusal(400, f"status.executor_id is not {executor_id!r}, which makes the call")


def subscribed(call: Plain, number: int, agent_id: AgentId | None, epoch: Epoch, now: float) -> ExecutorSubscribed:
    """A subscription, with what the process has not seen acknowledged (HT-199).

    Raises:
        HttpRefusal: 400, something in it cannot be.
    """
    asked: Plain = call.get("subscribe", {})
    return ExecutorSubscribed(
        number=number,
        task_ids=tuple(TaskId(value(each, "task_id")) for each in asked.get("unacknowledged_tasks", ())),
        updates=tuple(_update(call, said, agent_id, epoch, now) for said in _statuses(call, "SUBSCRIBE")),
    )


def of_executor(
    call: Plain, kind: str, agent_id: AgentId | None, epoch: Epoch, now: float
) -> StatusUpdate | ExecutorToFramework:
    """What the agent is told (HT-193).

    Raises:
        HttpRefusal: 400, something in it cannot be.
    """
    if kind == "UPDATE":
        return _update(call, call["update"]["status"], agent_id, epoch, now)
    return ExecutorToFramework(
        framework_id=FrameworkId(value(call, "framework_id")),
        agent_id=agent_id or AgentId(""),
        executor_id=ExecutorId(value(call, "executor_id")),
        data=b64decode(call["message"]["data"]),
    )


def _update(call: Plain, said: Plain, agent_id: AgentId | None, epoch: Epoch, now: float) -> StatusUpdate:
    try:
        status = reading.status(said, agent_id, ExecutorId(value(call, "executor_id")), epoch, now)
    except InvalidValue as why:
        raise HttpRefusal(400, f"status: {why}") from None
    return StatusUpdate(framework_id=FrameworkId(value(call, "framework_id")), status=status, latest_state=status.state)
