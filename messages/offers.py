"""Nouns about offers: what a master offers, and what a scheduler does with it."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import TaskInfo


@frozen(kw_only=True)
class Offer:
    """One agent's free resources, offered to one framework (core.md OF-36, OF-38). Its id is never used again."""

    id: OfferId
    framework_id: FrameworkId
    agent_id: AgentId
    hostname: str
    resources: Resources
    attributes: tuple[tuple[str, str], ...] = ()
    executor_ids: tuple[ExecutorId, ...] = ()
    role: str = "*"


@frozen(kw_only=True)
class Filters:
    """How long, in seconds, the refused resources of that agent are not offered again (core.md OF-46: default 5)."""

    refuse_seconds: float = 5.0


def _tasks(value: Iterable[TaskInfo]) -> tuple[TaskInfo, ...]:
    return tuple(value)


@frozen(kw_only=True)
class Launch:
    """The operation that starts tasks with the resources of the accepted offers (core.md OF-60)."""

    tasks: tuple[TaskInfo, ...] = field(converter=_tasks)
