"""Nouns about frameworks: who a scheduler is and what it declares it can cope with."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from attrs import field, frozen

from mesolite.messages.checking import Name, Seconds, checked, in_seconds
from mesolite.messages.ids import FrameworkId
from mesolite.messages.tasks import TaskState


class Capability(enum.Enum):
    """What a framework declares it understands (core.md FW-47, FW-51)."""

    PARTITION_AWARE = "PARTITION_AWARE"
    TASK_KILLING_STATE = "TASK_KILLING_STATE"

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


def _capabilities(value: Capability | str | Iterable[Capability | str]) -> tuple[Capability, ...]:
    return value  # type: ignore[return-value]  # the check makes it that; this is for type checkers


def _framework_id(value: str | None) -> FrameworkId | None:
    return value  # type: ignore[return-value]  # likewise


@checked
@frozen(kw_only=True)
class FrameworkInfo:
    """Who subscribes. `id` None means a new framework; a stored id fails over to it (core.md FW-1, FW-6).

    `failover_timeout_s` is how long the master keeps the framework's tasks after its scheduler has gone (FW-28);
    `checkpoint` lets its executors survive an agent's restart (FW-44). `principal` is under whom what it may is looked
    up, '' if under nobody (SEC-13); a framework keeps it for life (FW-24). `v1_json`: if it came by HTTP, all of it as
    it was understood (HT-45).
    """

    name: Name
    id: FrameworkId | None = field(default=None, converter=_framework_id)
    user: str = ""
    principal: str = ""
    role: str = "*"
    failover_timeout_s: Seconds = field(default=0.0, converter=in_seconds)
    checkpoint: bool = False
    capabilities: tuple[Capability, ...] = field(default=(), converter=_capabilities)
    v1_json: str = ""

    def can(self, capability: Capability) -> bool:
        """Whether the framework declared this capability."""
        return capability in self.capabilities

    def or_lost(self, state: TaskState) -> TaskState:
        """This state if the framework is partition aware, else the catch-all TASK_LOST (core.md FW-47)."""
        return state if self.can(Capability.PARTITION_AWARE) else TaskState.TASK_LOST
