"""What the allocator knows of one agent and of one framework; plain data."""

from __future__ import annotations

from attrs import Factory, define

from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import NOTHING, Resources


@define
class KnownAgent:
    """An agent: what it has, what of that is free, who holds the rest, and what is not to be granted."""

    id: AgentId
    serial: int
    total: Resources
    free: Resources
    active: bool
    held: dict[FrameworkId, Resources] = Factory(dict)
    withheld: Resources | None = NOTHING

    @property
    def grantable(self) -> Resources:
        """What is free, less the scalars that are withheld; None withholds everything."""
        if self.withheld is None:
            return NOTHING
        names = self.withheld.names
        aside = {name: min(self.withheld.scalar(name), self.free.scalar(name)) for name in names}
        return self.free - Resources.of(aside) if aside else self.free


@define
class KnownFramework:
    """A framework, and whether it wants and may have grants."""

    id: FrameworkId
    active: bool
    suppressed: bool
    blocked: bool = False
