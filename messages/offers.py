"""Nouns about offers: what a master offers or asks back, and what a scheduler does with it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import timedelta

from attrs import field, frozen

from mesolite.messages.checking import Seconds, checked, in_seconds
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.tasks import TaskInfo


@frozen(kw_only=True)
class Offer:
    """One agent's free resources, offered to one framework (core.md OF-36, OF-38). Its id is never used again.

    `role` is what the resources are allocated to, in Mesos `allocation_info.role`. `unavailability`: the agent's
    machine is scheduled for maintenance then (drain.md 5.4). `ip` and `port` are where the agent listens for HTTP,
    if it does.
    """

    id: OfferId
    framework_id: FrameworkId
    agent_id: AgentId
    hostname: str
    resources: Resources
    attributes: tuple[tuple[str, str], ...] = ()
    executor_ids: tuple[ExecutorId, ...] = ()
    role: str = "*"
    unavailability: Unavailability | None = None
    ip: str = ""
    port: int = 0


@frozen(kw_only=True)
class InverseOffer:
    """A request for resources back, before an agent becomes unavailable (drain.md 5.6.4).

    Empty `resources` mean everything the framework holds there. The last two fields are ours (docs/reclaim.md):
    `agent_id` None asks the framework for resources wherever it holds some; `enforced` says that what is not
    returned when the unavailability starts is revoked.
    """

    id: OfferId
    framework_id: FrameworkId
    unavailability: Unavailability
    resources: Resources = NOTHING
    hostname: str = ""
    agent_id: AgentId | None = None
    enforced: bool = False


class InverseOfferStatus(enum.Enum):
    """What a framework answered to an inverse offer (drain.md 5.7.1)."""

    ACCEPT = "ACCEPT"
    DECLINE = "DECLINE"

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


REFUSED_AT_MOST_S = 365 * 86_400.0
"""A longer filter counts as this (core.md OF-46)."""


def _refuse_seconds(value: float | timedelta) -> float:
    seconds: object = in_seconds(value)
    too_long = isinstance(seconds, float | int) and seconds > REFUSED_AT_MOST_S
    return REFUSED_AT_MOST_S if too_long else in_seconds(value)


@checked
@frozen(kw_only=True)
class Filters:
    """How long, in seconds, the refused resources of that agent are not offered again (core.md OF-46: default 5).

    More than 365 days, infinity too, become 365 days.
    """

    refuse_seconds: Seconds = field(default=5.0, converter=_refuse_seconds)


def _tasks(value: TaskInfo | Iterable[TaskInfo]) -> tuple[TaskInfo, ...]:
    return value  # type: ignore[return-value]  # the check makes it a tuple; this is for type checkers


@checked
@frozen(kw_only=True)
class Launch:
    """The operation that starts tasks with the resources of the accepted offers (core.md OF-60)."""

    tasks: tuple[TaskInfo, ...] = field(converter=_tasks)


OfferOperation = Launch
"""What an accept may ask for (core.md OF-60); a union as soon as there is a second kind."""
