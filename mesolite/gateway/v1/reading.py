"""v1 messages as they were understood (lenient.py) become our nouns: pure functions.

What a client may say and nobody here can do is `Unsupported`, with a sentence for whoever asked. All else that a
message says is kept in `v1_json`, for its executor and for whoever looks (HT-45, HT-46).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan
from typing import Any

from mesolite.actors.errors import InvalidValue
from mesolite.gateway.v1.lenient import decoded
from mesolite.gateway.v1.writing import EXECUTOR_UUID, Epoch, Plain
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId, UpdateId
from mesolite.messages.maintenance import MachineId, Unavailability, Window
from mesolite.messages.offers import REFUSED_AT_MOST_S, Filters
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import (
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    Reason,
    Source,
    TaskInfo,
    TaskState,
    TaskStatus,
    Uri,
)

UUID_BYTES = 16

LONGEST_S = 2**63 / 1e9
"""A duration has nanoseconds of 64 bit (HT-184)."""

OWN_FIELDS = ("task_id", "state", "data", "message", "source", "reason", "agent_id", "executor_id", "timestamp", "uuid")
"""What a TaskStatus has fields for here; what else an executor says of a task is in `v1_json` (HT-178)."""

NO_TASK = {
    "health_check": "health checks",
    "check": "checks",
    "max_completion_time": "limits of time",
    "limits": "limits above what is requested",
}
"""What the command executor here cannot do; a framework's own executor may (HT-174)."""

NO_RESOURCE = {
    "reservations": "reservations",
    "reservation": "reservations",
    "disk": "volumes",
    "revocable": "revocable resources",
    "shared": "shared resources",
    "provider_id": "resource providers",
}

USUAL = Filters()
"""How long something is refused if nothing is said."""


class Unsupported(ValueError):
    """A client asks for what does not exist here; the text says what, and what would work."""


def value(plain: Plain, name: str) -> str:
    """An id that is there (HT-169)."""
    text: str = plain[name]["value"]
    return text


def optional_value(plain: Plain, name: str) -> str | None:
    """An id that may be there."""
    return plain[name]["value"] if name in plain else None


def framework_info(plain: Plain, principal: str) -> FrameworkInfo:
    """Who subscribes; `principal` is who has authenticated, '' if nobody had to (HT-114, HT-122).

    Raises:
        Unsupported: it wants several roles.
        InvalidValue: something in it cannot be.
    """
    declared = [each.get("type") for each in plain.get("capabilities", ())]
    roles, several = plain.get("roles", []), "MULTI_ROLE" in declared
    if roles and not several:
        raise InvalidValue("framework_info.roles is for frameworks with the capability MULTI_ROLE: give role")
    if several and plain.get("role") not in (None, "*"):
        raise InvalidValue("framework_info.role is not for frameworks with the capability MULTI_ROLE: give roles")
    if len(roles) > 1:
        raise Unsupported(f"framework_info.roles {roles}: a framework has one role here; give one")
    role = roles[0] if roles else plain.get("role", "*")
    if strangers := [each for each in plain.get("offer_filters", ()) if each != role]:
        raise InvalidValue(f"framework_info.offer_filters has {strangers}; the framework's role is {role!r}")
    timeout = plain.get("failover_timeout", 0.0)
    if not 0 <= timeout < LONGEST_S:
        raise InvalidValue(f"framework_info.failover_timeout is {timeout:g} s; it must be 0 or more, below 292 years")
    known_id = optional_value(plain, "id")
    return FrameworkInfo(
        name=plain["name"] or "unnamed",
        id=FrameworkId(known_id) if known_id else None,
        user=plain["user"],
        principal=plain.get("principal") or principal,
        role=role,
        failover_timeout_s=timeout,
        checkpoint=plain.get("checkpoint", False),
        capabilities=[Capability[name] for name in declared if name in Capability.__members__],
        v1_json=_kept(plain),
    )


def task_info(plain: Plain, framework_id: FrameworkId) -> TaskInfo:
    """What is to be run (HT-174).

    Raises:
        Unsupported: it asks for what does not exist here, Docker, say.
        InvalidValue: something in it cannot be.
    """
    task_id = value(plain, "task_id")
    where = f"task {task_id!r}"
    executor = plain.get("executor")
    if executor is None:
        _refuse(plain, where, NO_TASK)
    _only_mesos(plain, where)
    if seconds(plain.get("kill_policy", {}).get("grace_period", {})) < 0:
        raise InvalidValue(f"{where}: kill_policy.grace_period is negative; 0 is the shortest")  # OF-73
    return TaskInfo(
        task_id=TaskId(task_id),
        name=plain["name"],
        agent_id=AgentId(value(plain, "agent_id")),
        resources=resources(plain.get("resources", ()), where),
        command=_command(plain["command"], where) if "command" in plain else None,
        executor=None if executor is None else executor_info(executor, framework_id, where),
        kill_policy=kill_policy(plain.get("kill_policy")),
        data=decoded(plain["data"]) if "data" in plain else b"",
        v1_json=_kept(plain),
    )


def executor_info(plain: Plain, framework_id: FrameworkId, where: str) -> ExecutorInfo:
    """What runs tasks: with a command, a process that speaks HTTP (HT-176).

    Raises:
        Unsupported: it is Mesos's default executor, or asks for what does not exist here.
        InvalidValue: something in it cannot be.
    """
    executor_id = value(plain, "executor_id")
    where = f"{where}: executor {executor_id!r}"
    if plain.get("type") == "DEFAULT":
        raise Unsupported(f"{where}: there is no default executor, with its task groups, here; give a command")
    if "command" not in plain:
        raise InvalidValue(f"{where} has no command; give one")
    _only_mesos(plain, where)
    grace = plain.get("shutdown_grace_period")
    return ExecutorInfo(
        executor_id=ExecutorId(executor_id),
        name=plain.get("name", ""),
        framework_id=FrameworkId(optional_value(plain, "framework_id") or framework_id),
        resources=resources(plain.get("resources", ()), where),
        shutdown_grace_period_s=None if grace is None else duration(grace, f"{where}: shutdown_grace_period"),
        data=decoded(plain["data"]) if "data" in plain else b"",
        command=_command(plain["command"], where) if "command" in plain else None,
        v1_json=_kept(plain),
    )


def _command(plain: Plain, where: str) -> CommandInfo:
    """What to run (HT-175)."""
    shell = plain.get("shell", True)
    variables = plain.get("environment", {}).get("variables", ())
    for variable in variables:
        if variable.get("type") == "SECRET":
            raise Unsupported(f"{where}: the variable {variable['name']!r} is a secret, and none can be resolved here")
        if "value" not in variable:
            raise InvalidValue(f"{where}: the variable {variable['name']!r} has no value; give it one")  # OF-79
    settings = (text for variable in variables for text in variable.values())
    if any("\0" in text for text in (plain.get("value", ""), *plain.get("arguments", ()), *settings)):
        raise InvalidValue(f"{where}: the command holds a NUL, which no program can be given")
    return CommandInfo(
        value=plain.get("value", ""),
        shell=shell,
        # The first of them is what the program is told to be called; here that is its own name.
        arguments=() if shell else plain.get("arguments", ())[1:],
        environment=[(variable["name"], variable.get("value", "")) for variable in variables],
        uris=tuple(
            Uri(
                value=uri["value"],
                executable=uri.get("executable", False),
                extract=uri.get("extract", True),
                output_file=uri.get("output_file", ""),
            )
            for uri in plain.get("uris", ())
        ),
        user=plain.get("user", ""),
    )


def kill_policy(plain: Plain | None) -> KillPolicy | None:
    """How long a task has to end."""
    if plain is None:
        return None
    grace = plain.get("grace_period")
    return KillPolicy(grace_period_s=None if grace is None else max(0.0, seconds(grace)))


def status(plain: Plain, agent_id: AgentId | None, executor_id: ExecutorId, epoch: Epoch, now: float) -> TaskStatus:
    """What an executor says of a task; what it left out is filled in (HT-178).

    Raises:
        InvalidValue: something in it cannot be.
    """
    said = plain.get("timestamp")
    reason: str | None = plain.get("reason")
    rest = {name: held for name, held in plain.items() if name not in OWN_FIELDS}
    return TaskStatus(
        task_id=TaskId(value(plain, "task_id")),
        state=TaskState[plain["state"]],
        source=Source.SOURCE_EXECUTOR,
        reason=None if reason is None else Reason[reason],
        message=plain.get("message", ""),
        data=decoded(plain["data"]) if "data" in plain else b"",
        agent_id=agent_id,
        executor_id=executor_id,
        timestamp=now if said is None else said - epoch.at_s,
        uuid=update_id(plain["uuid"]) if "uuid" in plain else None,
        v1_json=json.dumps(rest) if rest else "",
    )


def update_id(uuid: str) -> UpdateId:
    """The id here of an update that is known by these bytes."""
    return UpdateId(f"{EXECUTOR_UUID}{uuid}")


def filters(plain: Plain | None) -> Filters:
    """How long something is refused (HT-139); a negative time counts as the default (OF-46)."""
    refuse = None if plain is None else plain.get("refuse_seconds")
    if refuse is None or refuse < 0 or isnan(refuse):
        return USUAL
    return Filters(refuse_seconds=min(refuse, REFUSED_AT_MOST_S))


def seconds(plain: Plain) -> float:
    """A duration: of DurationInfo, or of protobuf's Duration (HT-289)."""
    if "nanoseconds" in plain:
        return float(plain["nanoseconds"] / 1e9)
    return float(plain.get("seconds", 0) + plain.get("nanos", 0) / 1e9)


def duration(plain: Plain, where: str) -> float:
    """A duration that has to be one; `where`: the path of it (HT-42).

    Raises:
        InvalidValue: it is negative.
    """
    length = seconds(plain)
    if length < 0:
        raise InvalidValue(f"{where} is {length:g} s; it must be 0 or more")
    return length


def windows(plain: Plain, epoch: Epoch) -> tuple[Window, ...]:
    """The windows of a maintenance schedule (HT-280).

    Raises:
        InvalidValue: something in it cannot be, a negative duration, say.
    """
    return tuple(
        Window(
            machines=[machine_id(machine) for machine in each.get("machine_ids", ())],
            unavailability=_unavailability(each["unavailability"], f"windows[{at}].unavailability", epoch),
        )
        for at, each in enumerate(plain.get("windows", ()))
    )


def _unavailability(plain: Plain, where: str, epoch: Epoch) -> Unavailability:
    return Unavailability(
        start=epoch.from_nanoseconds(plain["start"]["nanoseconds"]),
        duration_s=duration(plain["duration"], f"{where}.duration") if "duration" in plain else None,
        v1_json=json.dumps(plain),
    )


def machine_id(plain: Plain) -> MachineId:
    """A machine (HT-291)."""
    return MachineId(hostname=plain.get("hostname", ""), ip=plain.get("ip", ""))


def resources(plain: Any, where: str) -> Resources:
    """A list of resources (HT-171).

    Raises:
        Unsupported: it holds reservations, volumes or the like.
        ResourceError: they are no resources.
    """
    return Resources.parse(";".join(_resource(each, where) for each in plain))


def _resource(plain: Plain, where: str) -> str:
    name = plain["name"]
    _refuse(plain, f"{where}: resource {name!r}", NO_RESOURCE)
    if plain.get("role", "*") != "*":
        raise Unsupported(f"{where}: resource {name!r} is for role {plain['role']!r}: there are no reservations here")
    match plain["type"]:
        case "SCALAR":
            return f"{name}:{plain.get('scalar', {}).get('value', 0.0)!r}"
        case "RANGES":
            ranges = plain.get("ranges", {}).get("range", ())
            spans = ",".join(f"{each['begin']}-{each['end']}" for each in ranges)
            return f"{name}:[{spans}]"
        case "SET":
            return f"{name}:{{{','.join(plain.get('set', {}).get('item', ()))}}}"
        case other:
            raise Unsupported(f"{where}: resource {name!r} is of type {other}; SCALAR, RANGES and SET are resources")


def _refuse(plain: Plain, where: str, missing: Mapping[str, str]) -> None:
    for name, what in missing.items():
        if plain.get(name):
            raise Unsupported(f"{where} has {name}: there are no such things here as {what}; leave it out")


def _only_mesos(plain: Plain, where: str) -> None:
    """A container of type MESOS that asks for nothing is none (HT-174)."""
    container = plain.get("container")
    if not container:
        return
    if container.get("type") == "DOCKER" or "docker" in container:
        raise Unsupported(f"{where} asks for Docker, and there is none here; leave the container out, or say MESOS")
    asked = [name for name in ("volumes", "rlimit_info", "tty_info", "linux_info") if container.get(name)]
    if container.get("mesos", {}).get("image"):
        asked.append("mesos.image")
    if asked:
        raise Unsupported(
            f"{where} has a container with {', '.join(asked)}; there are no images, volumes and the like here"
        )


def _kept(plain: Plain) -> str:
    return json.dumps({name: held for name, held in plain.items() if name != "data"})
