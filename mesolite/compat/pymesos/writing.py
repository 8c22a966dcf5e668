"""Our nouns become the dictionaries that their callbacks expect: pure functions that give plain v1 shapes.

Only what is set is written (docs/spec/http.md HT-43). What v1 has no field for is called `x_mesolite_...` (HT-51).
Times are those of the cluster's clock, which `driver.now()` tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesolite.compat.pymesos.dicts import encode_data
from mesolite.compat.pymesos.sealed import unsealed
from mesolite.messages.data import Data
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import ExecutorInfo, TaskInfo, TaskStatus

MASTER_PORT, AGENT_PORT = 5050, 5051
VERSION = "1.11.0"
"""The version of Mesos that clients may count upon (HT-327)."""


def identifier(value: str) -> dict[str, Any]:
    """An id (HT-169)."""
    return {"value": value}


def data(value: Data) -> str:
    """Bytes in base64."""
    return encode_data(value.encode() if isinstance(value, str) else value)


def nanoseconds(seconds: float) -> dict[str, Any]:
    """A duration, or a time."""
    return {"nanoseconds": round(seconds * 1e9)}


def resources(held: Resources, role: str | None = None) -> list[dict[str, Any]]:
    """A list of resources; those of offers are allocated to a role (HT-171)."""
    scalars = held.scalars
    written = []
    for name in held.names:
        one: dict[str, Any] = {"name": name, "role": "*"}
        if role is not None:
            one["allocation_info"] = {"role": role}
        if name in scalars:
            one |= {"type": "SCALAR", "scalar": {"value": scalars[name] / 1000}}
        elif ranges := held.ranges(name):
            one |= {"type": "RANGES", "ranges": {"range": [{"begin": begin, "end": end} for begin, end in ranges]}}
        else:
            one |= {"type": "SET", "set": {"item": list(held.set(name))}}
        written.append(one)
    return written


def offer(one: Offer) -> dict[str, Any]:
    """An offer (HT-170), without `url`: nobody listens."""
    written = {
        "id": identifier(one.id),
        "framework_id": identifier(one.framework_id),
        "agent_id": identifier(one.agent_id),
        "hostname": one.hostname,
        "resources": resources(one.resources, one.role),
        "attributes": _attributes(one.attributes),
        "executor_ids": [identifier(executor_id) for executor_id in one.executor_ids],
        "allocation_info": {"role": one.role},
    }
    if one.unavailability is not None:
        written["unavailability"] = _unavailability(one.unavailability)
    return written


def inverse_offer(one: InverseOffer) -> dict[str, Any]:
    """A request for resources back (HT-158)."""
    written: dict[str, Any] = {
        "id": identifier(one.id),
        "framework_id": identifier(one.framework_id),
        "unavailability": _unavailability(one.unavailability),
        "resources": resources(one.resources),
    }
    if one.agent_id is not None:
        written["agent_id"] = identifier(one.agent_id)
    if one.enforced:
        written["x_mesolite_enforced"] = True
    return written


def status(one: TaskStatus) -> dict[str, Any]:
    """What is said of a task (HT-177); what its executor has sealed is as that has sent it (HT-178)."""
    written: dict[str, Any] = {"task_id": identifier(one.task_id), "state": one.state.name}
    if one.source is not None:
        written["source"] = one.source.name
    if one.reason is not None:
        written["reason"] = one.reason.name
    if one.message:
        written["message"] = one.message
    if (sent := unsealed(one.data)) is not None:
        written |= sent
    elif one.data:
        written["data"] = data(one.data)
    if one.agent_id is not None:
        written["agent_id"] = identifier(one.agent_id)
    if one.executor_id is not None:
        written["executor_id"] = identifier(one.executor_id)
    if one.timestamp is not None:
        written["timestamp"] = one.timestamp
    if one.uuid is not None:
        written["uuid"] = encode_data(one.uuid.encode())
    if one.unreachable_time is not None:
        written["unreachable_time"] = nanoseconds(one.unreachable_time)
    if one.cause is not None:
        written["x_mesolite_cause"] = one.cause.name
    return written


def master_info(one: MasterInfo) -> dict[str, Any]:
    """Who leads, as pymesos tells it."""
    return {"hostname": str(one.name), "port": MASTER_PORT, "version": VERSION}


def agent_info(one: AgentInfo) -> dict[str, Any]:
    """Which machine an executor is on (HT-192)."""
    written = {
        "hostname": one.hostname,
        "port": AGENT_PORT,
        "resources": resources(one.resources),
        "attributes": _attributes(one.attributes),
    }
    return written if one.id is None else written | {"id": identifier(one.id)}


def framework_info(one: FrameworkInfo) -> dict[str, Any]:
    """Whose executor it is."""
    written: dict[str, Any] = {
        "name": one.name,
        "user": one.user,
        "role": one.role,
        "failover_timeout": one.failover_timeout_s,
        "checkpoint": one.checkpoint,
        "capabilities": [{"type": capability.name} for capability in one.capabilities],
    }
    if one.id is not None:
        written["id"] = identifier(one.id)
    return written | ({"principal": one.principal} if one.principal else {})


def executor_info(one: ExecutorInfo) -> dict[str, Any]:
    """What an executor is, as its framework has sent it, with the framework's id (HT-192)."""
    written = unsealed(one.data)
    if written is None:
        written = {"executor_id": identifier(one.executor_id), "name": one.name, "resources": resources(one.resources)}
        written |= {"data": data(one.data)} if one.data else {}
    return written | ({} if one.framework_id is None else {"framework_id": identifier(one.framework_id)})


def task_info(one: TaskInfo) -> dict[str, Any]:
    """What an executor is to do, as its framework has sent it."""
    written = unsealed(one.data)
    if written is None:
        written = {"task_id": identifier(one.task_id), "name": one.name, "resources": resources(one.resources)}
        written |= {} if one.agent_id is None else {"agent_id": identifier(one.agent_id)}
        written |= {"data": data(one.data)} if one.data else {}
    if one.executor is not None:
        written["executor"] = executor_info(one.executor)
    return written


def _attributes(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"name": name, "type": "TEXT", "text": {"value": value}} for name, value in pairs]


def _unavailability(one: Unavailability) -> dict[str, Any]:
    start = {"start": nanoseconds(one.start)}
    return start if one.duration_s is None else start | {"duration": nanoseconds(one.duration_s)}
