"""Their dictionaries become our nouns: pure functions that take v1 shapes, and say what does not exist here.

As lenient as Mesos is with JSON (docs/spec/http.md HT-29 to HT-34): unknown fields are ignored, None is unset, one
thing where a list belongs is a list of one, numbers and booleans may be text. What is known and cannot be done here is
refused where it is given, as is what is no such thing: an error names the field by its path.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from mesolite.actors.errors import InvalidValue, Refused
from mesolite.compat.pymesos.dicts import decode_data
from mesolite.compat.pymesos.interface import Plain
from mesolite.compat.pymesos.sealed import sealed
from mesolite.gateway.v1.reading import NO_RESOURCE, NO_TASK
from mesolite.messages.checking.misfits import shown
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.offers import Filters, Launch
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import CommandInfo, ExecutorInfo, KillPolicy, TaskInfo, Uri

FAILOVER_TIMEOUT_S = 100.0
"""What pymesos says where its user says nothing (HT-183)."""

NO_EFFECT = ("GPU_RESOURCES", "MULTI_ROLE", "REVOCABLE_RESOURCES", "SHARED_RESOURCES", "REGION_AWARE")
"""Capabilities that only say what could be offered, too; nothing of the kind ever is."""


class Listed(NamedTuple):
    """A list's items, each with its path."""

    where: str
    item: Any


def framework_info(plain: Plain, principal: str | None = None) -> FrameworkInfo:
    """Who subscribes."""
    plain = mapping(plain, "framework")
    roles = [each.item for each in several(plain.get("roles"), "framework.roles")]
    if len(roles) > 1:
        raise Refused(f"framework.roles {roles}: a framework has one role here; give one")
    known_id, timeout = given(plain, "id"), plain.get("failover_timeout")
    return FrameworkInfo(
        name=text(plain, "name", "framework"),
        id=None if known_id is None else FrameworkId(identifier(known_id, "framework.id")),
        user=text(plain, "user", "framework"),
        principal=plain.get("principal") or principal or "",
        role=plain.get("role") or (roles[0] if roles else "*"),
        failover_timeout_s=FAILOVER_TIMEOUT_S if timeout is None else number(timeout, "framework.failover_timeout"),
        checkpoint=truth(plain.get("checkpoint"), "framework.checkpoint"),
        capabilities=[_capability(name) for name in declared(plain) if name not in NO_EFFECT],
    )


def declared(plain: Plain) -> list[Any]:
    """The capabilities that a framework says it has, by name."""
    return [
        mapping(item, where).get("type") for where, item in several(plain.get("capabilities"), "framework.capabilities")
    ]


def _capability(name: object) -> Capability:
    if isinstance(name, str) and name in Capability.__members__:
        return Capability[name]
    known = ", ".join([*Capability.__members__, *NO_EFFECT])
    raise Refused(f"framework.capabilities: {name!r} is not known here; known are {known}")


def operations(plain: object, executors: Collection[str]) -> tuple[Launch, ...]:
    """What is to be done with offers: only LAUNCH is there (HT-173)."""
    launches = []
    for where, item in several(plain, "operations"):
        operation = mapping(item, where)
        if operation.get("type") != "LAUNCH":
            raise Refused(f"{where}.type: {shown(operation.get('type'))} does not exist here; only LAUNCH does")
        launch = mapping(operation.get("launch"), f"{where}.launch")
        infos = several(launch.get("task_infos"), f"{where}.launch.task_infos")
        launches.append(Launch(tasks=[task_info(info, at, executors) for at, info in infos]))
    return tuple(launches)


def task_info(plain: object, where: str, executors: Collection[str]) -> TaskInfo:
    """What a framework asks for; with an executor all of it is sealed for that to see (HT-174, HT-192)."""
    plain = mapping(plain, where)
    _refuse(plain, where, NO_TASK)
    _only_mesos(plain, where)
    command, executor = given(plain, "command"), given(plain, "executor")
    agent_id = identifier(plain.get("agent_id"), f"{where}.agent_id")
    own_data = data(plain.get("data"), f"{where}.data")
    return TaskInfo(
        task_id=identifier(plain.get("task_id"), f"{where}.task_id"),
        name=text(plain, "name", where),
        agent_id=AgentId(agent_id),
        resources=resources(plain.get("resources"), f"{where}.resources"),
        command=None if command is None else _command(command, f"{where}.command"),
        executor=None if executor is None else _executor(executor, f"{where}.executor", executors),
        kill_policy=_kill_policy(given(plain, "kill_policy"), f"{where}.kill_policy"),
        data=own_data if executor is None else sealed(plain, where),
    )


def _command(plain: object, where: str) -> CommandInfo:
    plain = mapping(plain, where)
    shell = truth(plain.get("shell", True), f"{where}.shell")
    words = [each.item for each in several(plain.get("arguments"), f"{where}.arguments")]
    variables = several((given(plain, "environment") or {}).get("variables"), f"{where}.environment.variables")
    # The first of the arguments is what the program is told to be called (HT-175); here that is its own name.
    return CommandInfo(
        value=plain.get("value") or "",
        shell=shell,
        arguments=() if shell else words[1:],
        environment=[_variable(mapping(item, at), at) for at, item in variables],
        uris=tuple(_uri(mapping(item, at), at) for at, item in several(plain.get("uris"), f"{where}.uris")),
        user=plain.get("user") or "",
    )


def _uri(plain: Plain, where: str) -> Uri:
    return Uri(
        value=text(plain, "value", where),
        executable=truth(plain.get("executable"), f"{where}.executable"),
        extract=truth(plain.get("extract", True), f"{where}.extract"),
        output_file=plain.get("output_file") or "",
    )


def _variable(plain: Plain, where: str) -> tuple[str, str]:
    if plain.get("type") not in (None, "VALUE"):
        raise Refused(f"{where}.type: only VALUE does exist here, no secrets")
    name, value = plain.get("name"), plain.get("value", "")
    if not isinstance(name, str) or not isinstance(value, str):
        raise InvalidValue(f"{where} cannot be {shown(dict(plain))}: it must have a name and a value, both text")
    return name, value


def _executor(plain: object, where: str, executors: Collection[str]) -> ExecutorInfo:
    plain = mapping(plain, where)
    if plain.get("type") == "DEFAULT":
        raise Refused(f"{where}.type: Mesos's default executor, with its task groups, does not exist here")
    _only_mesos(plain, where)
    executor_id = identifier(plain.get("executor_id"), f"{where}.executor_id")
    value = (given(plain, "command") or {}).get("value")
    name = next((name for name in (plain.get("name"), value, executor_id) if name in executors), None)
    if name is None:
        known = ", ".join(map(repr, executors)) or "none"
        raise Refused(
            f"{where}: nothing is known that stands for executor {executor_id!r}, named {plain.get('name')!r}, with "
            f"the command {value!r}; say what does with on(cluster, executors={{{executor_id!r}: MyExecutor}}); "
            f"known: {known}"
        )
    data(plain.get("data"), f"{where}.data")
    grace, framework = given(plain, "shutdown_grace_period"), given(plain, "framework_id")
    return ExecutorInfo(
        executor_id=executor_id,
        name=name,
        framework_id=None if framework is None else FrameworkId(identifier(framework, f"{where}.framework_id")),
        resources=resources(plain.get("resources"), f"{where}.resources"),
        shutdown_grace_period_s=None if grace is None else seconds(grace, f"{where}.shutdown_grace_period"),
        data=sealed(plain, where),
    )


def _kill_policy(plain: object, where: str) -> KillPolicy | None:
    if plain is None:
        return None
    grace = given(mapping(plain, where), "grace_period")
    return KillPolicy(grace_period_s=None if grace is None else seconds(grace, f"{where}.grace_period"))


def resources(plain: object, where: str) -> Resources:
    """A list of resources (HT-171)."""
    return Resources.parse(";".join(_resource(mapping(item, at), at) for at, item in several(plain, where)))


def _resource(plain: Plain, where: str) -> str:
    _refuse(plain, where, NO_RESOURCE)
    if plain.get("role") not in (None, "*"):
        raise Refused(f"{where}.role: {plain['role']!r} would be a reservation, and there are none here; leave it out")
    name, kind = plain.get("name"), plain.get("type")
    if kind == "SCALAR":
        scalar = mapping(plain.get("scalar"), f"{where}.scalar").get("value")
        return f"{name}:{number(scalar, f'{where}.scalar.value')}"
    if kind == "RANGES":
        found = several(mapping(plain.get("ranges"), f"{where}.ranges").get("range"), f"{where}.ranges.range")
        pairs = [mapping(item, at) for at, item in found]
        ranges = ",".join(f"{pair.get('begin')}-{pair.get('end')}" for pair in pairs)
        return f"{name}:[{ranges}]"
    if kind == "SET":
        items = several(mapping(plain.get("set"), f"{where}.set").get("item"), f"{where}.set.item")
        return f"{name}:{{{','.join(str(each.item) for each in items)}}}"
    raise InvalidValue(f"{where}.type cannot be {shown(kind)}: it must be SCALAR, RANGES or SET")


def filters(plain: object) -> Filters | None:
    """How long something is refused."""
    if plain is None:
        return None
    refuse = mapping(plain, "filters").get("refuse_seconds")
    return Filters() if refuse is None else Filters(refuse_seconds=number(refuse, "filters.refuse_seconds"))


def identifiers(plain: object, where: str) -> list[str]:
    """One id, or several."""
    return [identifier(item, at) for at, item in several(plain, where)]


def identifier(plain: object, where: str) -> str:
    """An id: a dictionary with a value, everywhere (HT-169)."""
    value = plain.get("value") if isinstance(plain, Mapping) else None
    if not isinstance(value, str):
        raise InvalidValue(f"{where} cannot be {shown(plain)}: it must be an id, as {{'value': 'some text'}}")
    return value


def text(plain: Plain, name: str, where: str) -> str:
    """A text that has to be there, though it may be empty (HT-38)."""
    value = plain.get(name)
    if not isinstance(value, str):
        raise InvalidValue(f"{where}.{name} cannot be {shown(value)}: it must be there, and text")
    return value


def data(plain: object, where: str) -> bytes:
    """Bytes, which travel as base64 (HT-36)."""
    if plain is None:
        return b""
    try:
        if isinstance(plain, str):
            return decode_data(plain)
    except ValueError:
        pass
    raise InvalidValue(f"{where} cannot be {shown(plain)}: it must be base64 text; write encode_data(b'...')")


def seconds(plain: object, where: str) -> float:
    """A duration."""
    return number(mapping(plain, where).get("nanoseconds"), f"{where}.nanoseconds") / 1e9


def number(plain: object, where: str) -> float:
    """A number, perhaps as text (HT-32)."""
    try:
        if isinstance(plain, int | float | str) and not isinstance(plain, bool):
            return float(plain)
    except ValueError:
        pass
    raise InvalidValue(f"{where} cannot be {shown(plain)}: it must be a number")


def truth(plain: object, where: str) -> bool:
    """A boolean, perhaps as text (HT-33); unset is false."""
    known: dict[object, bool] = {None: False, "true": True, "false": False}
    if isinstance(plain, bool):
        return plain
    if isinstance(plain, str | None) and plain in known:
        return known[plain]
    raise InvalidValue(f"{where} cannot be {shown(plain)}: it must be True or False")


def several(plain: object, where: str) -> list[Listed]:
    """One thing or a list of them, without what is unset, each with its path (HT-30, HT-31)."""
    if plain is None or plain == {}:
        return []
    if not isinstance(plain, list | tuple):
        return [Listed(where, plain)]
    return [Listed(f"{where}[{place}]", item) for place, item in enumerate(plain) if item is not None]


def mapping(plain: object, where: str) -> Plain:
    """A dictionary."""
    if not isinstance(plain, Mapping):
        raise InvalidValue(f"{where} cannot be {shown(plain)}: it must be a dict")
    return plain


def given(plain: Plain, name: str) -> Any:
    """What is there under that name; None if nothing is, which is as good as an empty dictionary."""
    value = plain.get(name)
    return None if value == {} else value


def _refuse(plain: Plain, where: str, missing: Mapping[str, str]) -> None:
    for name, what in missing.items():
        if plain.get(name):
            raise Refused(f"{where}.{name}: there are no such things here as {what}; leave it out")


def _only_mesos(plain: Plain, where: str) -> None:
    """A container of type MESOS that asks for nothing is none (HT-174)."""
    container = given(plain, "container")
    if container is None:
        return
    asked = {name: value for name, value in mapping(container, f"{where}.container").items() if value}
    if asked not in ({}, {"type": "MESOS"}):
        raise Refused(
            f"{where}.container: there are no Docker containers here, nor images, volumes and networks, and it has "
            f"{', '.join(f'{name}' for name in asked)}; leave it out, or give the type MESOS and nothing else"
        )
