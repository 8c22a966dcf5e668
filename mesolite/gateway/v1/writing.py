"""Our nouns as v1 JSON: pure functions that give plain dictionaries with what is set, and nothing else (HT-43, HT-44).

What v1 has no field for is called `x_mesolite_...` (HT-51). `Epoch` makes a time on the cluster's clock one of the
world.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address
from typing import Any

from attrs import frozen

from mesolite.messages.data import Data
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ExecutorId, FrameworkId, UpdateId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineId, Unavailability, Window
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import ContainerStatus, ExecutorInfo, Reason, TaskInfo, TaskStatus

VERSION = "1.11.0"
"""The version of Mesos that clients may count upon (HT-327)."""

EXECUTOR_UUID = "v1:"
"""An `UpdateId` that a remote executor made begins with this; its 16 bytes follow in base64."""

NOT_V1 = frozenset({Reason.REASON_RESOURCES_REVOKED})
"""Reasons that are ours: strict clients could not read them (HT-50)."""

MULTI_ROLE = "MULTI_ROLE"
RESERVATION_REFINEMENT = "RESERVATION_REFINEMENT"
"""Capabilities of frameworks that decide how offers are written."""

_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

Plain = dict[str, Any]


@frozen
class Epoch:
    """What the world's clock read, in seconds since 1970, when the cluster's read 0."""

    at_s: float

    def nanoseconds(self, time: float) -> Plain:
        """A time on the cluster's clock, as v1 has times."""
        return {"nanoseconds": round((time + self.at_s) * 1e9)}

    def seconds(self, time: float) -> float:
        """A time on the cluster's clock, in seconds since 1970."""
        return time + self.at_s

    def from_nanoseconds(self, nanoseconds: int) -> float:
        """A time of the world on the cluster's clock."""
        return nanoseconds / 1e9 - self.at_s


def identifier(value: str) -> Plain:
    """An id (HT-169)."""
    return {"value": value}


def data(value: Data) -> str:
    """Bytes in base64."""
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def duration(seconds: float) -> Plain:
    """A duration."""
    return {"nanoseconds": round(seconds * 1e9)}


def uuid(update_id: UpdateId) -> bytes:
    """The 16 bytes by which an update is known over HTTP: the executor's own, or made of ours (HT-144)."""
    if update_id.startswith(EXECUTOR_UUID):
        return b64decode(update_id.removeprefix(EXECUTOR_UUID))
    return hashlib.blake2b(update_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def resources(held: Resources, role: str | None = None, *, refined: bool = False) -> list[Plain]:
    """A list of resources; those of offers are allocated to a role (HT-171).

    Whoever understands refined reservations finds a role in the list of these only, which is empty here.
    """
    scalars = held.scalars
    written = []
    for name in held.names:
        one: Plain = {"name": name} if refined else {"name": name, "role": "*"}
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


def attributes(pairs: Iterable[tuple[str, str]]) -> list[Plain]:
    """What an agent says of itself beside resources: text, or a number where it is one (HT-172)."""
    return [{"name": name, **_attribute(value)} for name, value in pairs]


def _attribute(value: str) -> Plain:
    """Text, unless it is a number as people write one: neither `nan` nor `1_000`, which Python would take, too."""
    if _DECIMAL.fullmatch(value) and math.isfinite(number := float(value)):
        return {"type": "SCALAR", "scalar": {"value": number}}
    return {"type": "TEXT", "text": {"value": value}}


def offer(
    one: Offer, epoch: Epoch, understood: Collection[str] = (MULTI_ROLE,), *, secure: bool = False
) -> Plain:
    """An offer, for a framework with these capabilities (HT-170); `secure`: its cluster speaks TLS (HT-18).

    Whoever knows of one role only is not told which it is: such clients compare resources with their own (FW-56).
    """
    role = one.role if MULTI_ROLE in understood else None
    written: Plain = {
        "id": identifier(one.id),
        "framework_id": identifier(one.framework_id),
        "agent_id": identifier(one.agent_id),
        "hostname": one.hostname,
        "resources": resources(one.resources, role, refined=RESERVATION_REFINEMENT in understood),
        "attributes": attributes(one.attributes),
        "executor_ids": [identifier(executor_id) for executor_id in one.executor_ids],
    }
    if role is not None:
        written["allocation_info"] = {"role": role}
    if one.port:
        written["url"] = agent_url(one.hostname, one.ip, one.port, secure=secure)
    if one.unavailability is not None:
        written["unavailability"] = unavailability(one.unavailability, epoch)
    return written


def agent_url(hostname: str, ip: str, port: int, *, secure: bool) -> Plain:
    """Where an agent listens (HT-170)."""
    address = {"hostname": hostname, "ip": ip, "port": port}
    scheme = "https" if secure else "http"
    return {"scheme": scheme, "address": address, "path": "/slave(1)", "query": []}


def inverse_offer(one: InverseOffer, epoch: Epoch) -> Plain:
    """A request for resources back (HT-158)."""
    written: Plain = {
        "id": identifier(one.id),
        "framework_id": identifier(one.framework_id),
        "unavailability": unavailability(one.unavailability, epoch),
        "resources": resources(one.resources),
    }
    if one.agent_id is not None:
        written["agent_id"] = identifier(one.agent_id)
    if one.enforced:
        written["x_mesolite_enforced"] = True
    return written


def unavailability(one: Unavailability, epoch: Epoch) -> Plain:
    """From when, and for how long; to the nanosecond, if that was said."""
    if one.v1_json:
        said: Plain = json.loads(one.v1_json)
        return said
    start = {"start": epoch.nanoseconds(one.start)}
    return start if one.duration_s is None else start | {"duration": duration(one.duration_s)}


def window(one: Window, epoch: Epoch) -> Plain:
    """One window of the maintenance schedule (HT-269)."""
    return {
        "machine_ids": [machine_id(machine) for machine in one.machines],
        "unavailability": unavailability(one.unavailability, epoch),
    }


def machine_id(one: MachineId) -> Plain:
    """A machine; it may have only one of the two (HT-291)."""
    return {name: value for name, value in (("hostname", one.hostname), ("ip", one.ip)) if value}


def status(one: TaskStatus, epoch: Epoch) -> Plain:
    """What is said of a task (HT-177); what its executor sent is as that has sent it (HT-178)."""
    written: Plain = json.loads(one.v1_json) if one.v1_json else {}
    written["task_id"], written["state"] = identifier(one.task_id), one.state.name
    if one.source is not None:
        written["source"] = one.source.name
    if one.reason is not None:
        written["x_mesolite_reason" if one.reason in NOT_V1 else "reason"] = one.reason.name
    if one.message:
        written["message"] = one.message
    if one.data:
        written["data"] = data(one.data)
    if one.agent_id is not None:
        written["agent_id"] = identifier(one.agent_id)
    if one.executor_id is not None:
        written["executor_id"] = identifier(one.executor_id)
    if one.timestamp is not None:
        written["timestamp"] = epoch.seconds(one.timestamp)
    if one.uuid is not None:
        written["uuid"] = data(uuid(one.uuid))
    if one.unreachable_time is not None:
        written["unreachable_time"] = epoch.nanoseconds(one.unreachable_time)
    if one.container is not None:
        # What its executor has said of it counts.
        written["container_status"] = container_status(one.container) | written.get("container_status", {})
    if one.cause is not None:
        written["x_mesolite_cause"] = one.cause.name
    return written


def container_status(one: ContainerStatus) -> Plain:
    """Which run of an executor it is, and how its network is reached: as its agent's (HT-177)."""
    network = {"ip_addresses": [{"protocol": "IPv4", "ip_address": one.ip}]}
    return {"container_id": identifier(one.container_id), "network_infos": [network]}


def master_info(name: str, term: int, hostname: str, ip: str, port: int) -> Plain:
    """Who leads (HT-126, HT-53)."""
    written: Plain = {
        "id": f"{name}-{term}",
        "port": port,
        "pid": f"master@{ip}:{port}",
        "hostname": hostname,
        "version": VERSION,
        "address": {"hostname": hostname, "ip": ip, "port": port},
        "capabilities": [{"type": "AGENT_UPDATE"}, {"type": "AGENT_DRAINING"}],
    }
    return written | {"ip": int.from_bytes(IPv4Address(ip).packed, "little")}


def agent_info(one: AgentInfo) -> Plain:
    """Which machine an executor is on (HT-192), or an agent as operators see it (HT-260)."""
    written: Plain = {
        "hostname": one.hostname,
        "port": one.port,
        "resources": resources(one.resources),
        "attributes": attributes(one.attributes),
    }
    return written if one.id is None else written | {"id": identifier(one.id)}


def framework_info(one: FrameworkInfo) -> Plain:
    """Who a framework is, with all that it has said of itself (HT-45)."""
    written: Plain = json.loads(one.v1_json) if one.v1_json else {}
    written |= {
        "name": one.name,
        "user": one.user,
        "failover_timeout": one.failover_timeout_s,
        "checkpoint": one.checkpoint,
    }
    if "roles" not in written:
        written["role"] = one.role
    if "capabilities" not in written:
        written["capabilities"] = [{"type": capability.name} for capability in one.capabilities]
    if one.id is not None:
        written["id"] = identifier(one.id)
    return written | ({"principal": one.principal} if one.principal else {})


def understood(one: FrameworkInfo) -> frozenset[str]:
    """The capabilities that a framework has said it has, by name; also those that mean nothing to its master."""
    return frozenset(each.get("type", "") for each in framework_info(one)["capabilities"])


def executor_info(one: ExecutorInfo, framework_id: FrameworkId | None = None) -> Plain:
    """What an executor is, as its framework has sent it, with the framework's id (HT-192)."""
    if one.v1_json:
        written: Plain = json.loads(one.v1_json)
    else:
        written = {"executor_id": identifier(one.executor_id), "type": "CUSTOM", "resources": resources(one.resources)}
        written |= {"name": one.name} if one.name else {}
    if one.data:
        written["data"] = data(one.data)
    owner = one.framework_id or framework_id
    return written if owner is None else written | {"framework_id": identifier(owner)}


def command_executor_info(executor_id: ExecutorId, framework_id: FrameworkId) -> Plain:
    """The executor of a command task, which has its task's id."""
    return {"executor_id": identifier(executor_id), "framework_id": identifier(framework_id), "type": "CUSTOM"}


def task_info(one: TaskInfo) -> Plain:
    """What is to be done, as its framework has sent it (HT-200)."""
    if one.v1_json:
        written: Plain = json.loads(one.v1_json)
    else:
        written = {"task_id": identifier(one.task_id), "name": one.name, "resources": resources(one.resources)}
        if one.command is not None:
            written["command"] = {"value": one.command.value, "shell": one.command.shell}
    if one.agent_id is not None:
        written["agent_id"] = identifier(one.agent_id)
    if one.data:
        written["data"] = data(one.data)
    if one.executor is not None:
        written["executor"] = executor_info(one.executor)
    return written
