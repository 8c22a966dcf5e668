"""Our nouns as the plain endpoints spell them: old names, ids as plain text (HT-324 to HT-326, HT-346 to HT-350).

What is the same in all of them: no null, and lists and objects that are empty are there all the same (HT-43).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesolite.gateway.reading import allocations, asked, operator_reads
from mesolite.gateway.reading.addresses import agent_pid
from mesolite.gateway.reading.builds import AGENT_CAPABILITIES
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import VERSION, Epoch, Plain
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from mesolite.messages.offers import Offer
from mesolite.messages.resources import Resources
from mesolite.messages.snapshot import AgentSnapshot, ExecutorSnapshot, FrameworkSnapshot, TaskSnapshot
from mesolite.messages.tasks import CommandInfo, ExecutorInfo, TaskStatus

ALWAYS = ("cpus", "gpus", "mem", "disk")
"""Resources that are told of even where there are none of them (HT-325)."""


def resources(held: Resources) -> Plain:
    """Numbers by name, ranges and sets as text (HT-325). No name ends in `_revocable`, as nothing is revocable here."""
    written: Plain = {name: held.scalar(name) for name in ALWAYS}
    for name in held.names:
        if ranges := held.ranges(name):
            written[name] = "[" + ", ".join(f"{begin}-{end}" for begin, end in ranges) + "]"
        elif items := held.set(name):
            written[name] = "{" + ", ".join(items) + "}"
        else:
            written[name] = held.scalar(name)
    return written


def quantities(held: Resources) -> Plain:
    """Numbers only: what roles are told of, whose resources are on many agents."""
    return {name: held.scalar(name) for name in dict.fromkeys((*ALWAYS, *held.scalars))}


def attributes(pairs: Iterable[tuple[str, str]]) -> Plain:
    """Numbers and text by name; of several with one name the last counts (HT-326)."""
    return {each["name"]: _attribute(each) for each in writing.attributes(pairs)}


def _attribute(v1: Plain) -> Any:
    return v1[v1["type"].lower()]["value"]


def agent_info(one: AgentInfo) -> Plain:
    """What an agent says of itself."""
    return {
        "id": one.id or "",
        "hostname": one.hostname,
        "port": one.port,
        "attributes": attributes(one.attributes),
    }


def totals(held: Resources) -> Plain:
    """What an agent has. All of it is unreserved, as nothing can be reserved here."""
    told = resources(held)
    return {"resources": told, "reserved_resources": {}, "unreserved_resources": told}


def agent(one: AgentSnapshot, epoch: Epoch) -> Plain:
    """A registered agent (core.md OP-4, HT-346)."""
    written: Plain = {
        **agent_info(one.info),
        "pid": agent_pid(one.info),
        "registered_time": epoch.seconds(one.registered_at),
        **totals(one.info.resources),
        "used_resources": resources(allocations.used_on(one)),
        "offered_resources": resources(allocations.offered_on(one)),
        "active": one.active,
        "deactivated": one.deactivated,
        "version": VERSION,
        "capabilities": list(AGENT_CAPABILITIES),
    }
    if one.reregistered_at is not None:
        written["reregistered_time"] = epoch.seconds(one.reregistered_at)
    if one.drain is not None and one.drain.state in operator_reads.DRAINS:
        written["drain_info"] = operator_reads.drain_info(one.drain)
        written["estimated_drain_start_time_seconds"] = epoch.seconds(one.drain.started_at)
    return written


def framework_info(one: FrameworkInfo) -> Plain:
    """What a framework says of itself, on masters and agents alike; `roles` only if it can have several (HT-349)."""
    written: Plain = {
        "id": allocations.id_of(one),
        "name": one.name,
        "user": one.user,
        "failover_timeout": one.failover_timeout_s,
        "checkpoint": one.checkpoint,
        "hostname": asked.of(one.v1_json).get("hostname", ""),
    }
    if one.principal:
        written["principal"] = one.principal
    if "MULTI_ROLE" in capabilities(one):
        return written | {"roles": asked.of(one.v1_json).get("roles", [])}
    return written | {"role": one.role}


def capabilities(one: FrameworkInfo) -> list[str]:
    """The names of what a framework has declared."""
    return [declared["type"] for declared in writing.framework_info(one)["capabilities"] if "type" in declared]


def framework_summary(one: FrameworkSnapshot, used: Resources) -> Plain:
    """What `state` and `state-summary` both tell of a framework; it has no pid (HT-347)."""
    said = asked.of(one.info.v1_json)
    return {
        "id": allocations.id_of(one.info),
        "name": one.info.name,
        "used_resources": resources(used),
        "offered_resources": resources(allocations.offered(one)),
        "capabilities": capabilities(one.info),
        "hostname": said.get("hostname", ""),
        "webui_url": said.get("webui_url", ""),
        "active": one.active,
        "connected": one.connected,
        "recovered": one.recovered,
    }


def framework(one: FrameworkSnapshot, used: Resources, executors: Iterable[ExecutorSnapshot], epoch: Epoch) -> Plain:
    """A framework with all that belongs to it (core.md OP-3); `unregistered_time` 0: it has not ended."""
    role = one.info.role
    written: Plain = {
        **framework_summary(one, used),
        **framework_info(one.info),
        "resources": resources(used + allocations.offered(one)),
        "registered_time": epoch.seconds(one.registered_at),
        "unregistered_time": 0.0 if one.unregistered_at is None else epoch.seconds(one.unregistered_at),
        "tasks": [task(each, role, epoch) for each in one.tasks],
        "unreachable_tasks": [task(each, role, epoch) for each in one.unreachable_tasks],
        "completed_tasks": [task(each, role, epoch) for each in one.completed_tasks],
        "offers": [offer(each) for each in one.offers],
        "executors": [executor_info(each.info, role) | _where(each) for each in executors],
    }
    if one.reregistered_at is not None:
        written["reregistered_time"] = epoch.seconds(one.reregistered_at)
    if "labels" in (said := asked.of(one.info.v1_json)):
        written["labels"] = _labels(said)
    return written


def _where(one: ExecutorSnapshot) -> Plain:
    return {"framework_id": one.framework_id, "slave_id": one.agent_id}


def offer(one: Offer) -> Plain:
    """An offer that is out."""
    return {
        "id": one.id,
        "framework_id": one.framework_id,
        "allocation_info": {"role": one.role},
        "slave_id": one.agent_id,
        "resources": resources(one.resources),
    }


def executor_info(one: ExecutorInfo, role: str) -> Plain:
    """What an executor is, on a master."""
    said = asked.of(one.v1_json)
    written: Plain = {
        "executor_id": one.executor_id,
        "name": one.name,
        "framework_id": one.framework_id or "",
        "command": command(one.command),
        "resources": resources(one.resources),
        "type": said.get("type", "CUSTOM"),
    }
    if one.resources:
        written["role"] = role
    return written | ({"labels": _labels(said)} if "labels" in said else {})


def command(one: CommandInfo | None) -> Plain:
    """What is run; `argv` begins with the name of the program, where there is no shell."""
    if one is None:
        return {"argv": [], "uris": []}
    written: Plain = {
        "value": one.value,
        "shell": one.shell,
        "argv": list(one.arguments) if one.shell else [one.value, *one.arguments],
        "uris": [{"value": uri.value, "executable": uri.executable} for uri in one.uris],
    }
    if one.environment:
        written["environment"] = {"variables": [{"name": name, "value": value} for name, value in one.environment]}
    return written


def task(one: TaskSnapshot, role: str, epoch: Epoch) -> Plain:
    """A task (core.md OP-7); `executor_id` '' is that of a command task (HT-324)."""
    requested = asked.of_task(one.v1_json)
    written: Plain = {
        "id": one.task_id,
        "name": one.name,
        "framework_id": one.framework_id,
        "executor_id": one.executor_id or "",
        "slave_id": one.agent_id,
        "state": one.state.name,
        "resources": resources(one.resources),
        "role": role,
        "statuses": [status(each, epoch) for each in one.statuses],
    }
    written |= {
        name: requested[name] for name in ("discovery", "container", "health_check", "user") if name in requested
    }
    if "labels" in requested:
        written["labels"] = _labels(requested)
    if "limits" in requested:
        written["limits"] = {name: limit["value"] for name, limit in requested["limits"].items()}
    return written


def status(one: TaskStatus, epoch: Epoch) -> Plain:
    """What was said of a task (HT-350)."""
    said = writing.status(one, epoch)
    written: Plain = {
        "state": one.state.name,
        "timestamp": 0.0 if one.timestamp is None else epoch.seconds(one.timestamp),
    }
    if "labels" in said:
        written["labels"] = _labels(said)
    if "container_status" in said:
        written["container_status"] = _container_status(said["container_status"])
    return written | ({"healthy": said["healthy"]} if "healthy" in said else {})


def _container_status(v1: Plain) -> Plain:
    shown: Plain = {name: v1[name] for name in ("container_id", "cgroup_info") if name in v1}
    if networks := v1.get("network_infos"):
        shown["network_infos"] = [each | ({"labels": _labels(each)} if "labels" in each else {}) for each in networks]
    return shown


def _labels(v1: Plain) -> Any:
    """Labels are a list here, and one level deeper in v1."""
    return v1["labels"].get("labels", [])
