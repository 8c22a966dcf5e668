"""How the fields of messages and nouns read: the telling ones, in few words, on one line whatever is in there."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import attrs

from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.maintenance import MachineId
from mesolite.messages.offers import InverseOffer, Launch, Offer
from mesolite.messages.registrar import Operation, RegistryRefused
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import FrameworkError
from mesolite.messages.tasks import Source, Task, TaskInfo, TaskState, TaskStatus

NAMED = frozenset(
    {
        "cause", "deadline", "down", "duration_s", "enforce", "enforced", "grace_period_s", "grace_s", "keep", "made",
        "mark_gone", "max_grace_period_s", "reconciliations", "refuse_seconds", "returning", "share", "start",
        "tasks", "within_s",
    }
)  # fmt: skip
"""Fields that need their name said, as yes and no do; the values of all others speak for themselves."""

UNSAID = frozenset(
    {
        "agent_info", "answered_at", "asked_at", "attributes", "call_id", "command", "connected", "data", "ended_at",
        "environment", "executor_ids", "executor_info", "executors", "filters", "framework_info", "frameworks",
        "gone_time", "hostname", "incarnation", "initiator", "latest_state", "launch_executor", "launched_at", "life",
        "master", "message", "name", "refusal", "registry", "role", "scheduler", "sent_at", "started_at",
        "status_update_state", "status_update_uuid", "term", "timestamp", "total_ping_timeout_s", "unreachable_time",
        "uuid", "work", "write_id",
    }
)  # fmt: skip
"""Fields that nobody misses: what everybody knows, what is long, and what users would not have others read."""

LONGEST = 300
"""So many characters of a value are said."""

LINE = 100
"""And so many of a record, where it is told in short."""

FAILED = (TaskState.TASK_FAILED, TaskState.TASK_ERROR, TaskState.TASK_DROPPED)


def fields(thing: Any) -> list[str]:
    """The telling fields of a message or noun, one word each."""
    words = []
    for field in attrs.fields(type(thing)):
        value = getattr(thing, field.name)
        if (field.name in UNSAID and not _is_why(thing, field.name)) or value is None or value in ((), "", False):
            continue
        if field.default is not attrs.NOTHING and value == field.default:
            continue
        # A task has a name of its own, and is where it is.
        if field.name in ("framework_id", "agent_id") and hasattr(thing, "task_id"):
            continue
        if field.name == "framework_id" and isinstance(thing, Offer | InverseOffer):
            continue  # it is who gets it
        if field.name == "executor_id" and value == getattr(thing, "task_id", None):
            continue
        said = brief(value)
        words.append(f"{field.name}={said}" if field.name in NAMED or value is True else said)
    return [word for word in words if word]


def _is_why(thing: Any, name: str) -> bool:
    """Whether this text is the point of it: why a framework was refused, or why a task came to nothing."""
    if name == "refusal":
        return True
    return name == "message" and (
        isinstance(thing, FrameworkError | RegistryRefused) or (isinstance(thing, TaskStatus) and thing.state in FAILED)
    )


def brief(value: Any) -> str:
    """One value in few words."""
    return one_line(_brief(value))


def one_line(text: str) -> str:
    """A text as it can be printed on one line: cut if it is long, with what is no character to look at escaped."""
    if not text.isprintable():
        text = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text[: LONGEST + 1])
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def cut(text: str, longest: int = LINE) -> str:
    """A text short enough to be one of several lines."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def _brief(value: Any) -> str:
    match value:
        case Source():
            return value.name.removeprefix("SOURCE_")
        case enum.Enum():
            return value.name
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case tuple() if len(value) == 1:
            return brief(value[0])
        case tuple():
            return "[" + ", ".join(_each(value)) + "]"
        case str() if " " in value:
            return f'"{value}"'
        case str() | int() | Resources() | MachineId():
            return str(value)
        case _ if attrs.has(type(value)):
            return _noun(value)
    return repr(value)


def _each(values: tuple[Any, ...]) -> Iterator[str]:
    """Some of them, and how many more there are."""
    shown = 20
    yield from map(brief, values[:shown])
    if len(values) > shown:
        yield f"and {len(values) - shown} more"


def _noun(noun: Any) -> str:
    """Name a noun: its id where it has one, else its fields."""
    match noun:
        case TaskInfo(task_id=task_id):
            return task_id
        case Task(task_id=task_id, state=state):
            return f"{task_id}:{state.name}"
        case MasterInfo(name=name):
            return name
        case AgentInfo(id=agent_id):
            return agent_id or ""
        case Launch(tasks=tasks):
            return brief(tasks)
        case StatusUpdate(status=status):
            return brief(status)
    # What an operation is called matters, what a noun is called does not.
    kind = [type(noun).__name__] if isinstance(noun, Operation) else []
    return " ".join(kind + fields(noun))
