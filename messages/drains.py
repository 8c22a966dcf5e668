"""Nouns about drains: an agent whose tasks are killed because an operator needs its machine (drain.md 4.3 to 4.6).

Vocabulary trap: a machine's maintenance mode DRAINING (maintenance.py) is another thing.
"""

from __future__ import annotations

import enum

from attrs import frozen

from mesolite.messages.ids import AgentId, DrainId


class DrainState(enum.Enum):
    """Where a drain stands. The last two end it too, without the agent having become DRAINED.

    DRAINING --nothing is left, every last update acknowledged--> DRAINED, or GONE if the agent was to be marked gone
    DRAINING --the agent unregistered, was removed or its machine taken down--> LEFT
    """

    DRAINING = "DRAINING"
    DRAINED = "DRAINED"
    GONE = "GONE"
    LEFT = "LEFT"

    def __str__(self) -> str:
        """Print the bare name."""
        return self.name


@frozen(kw_only=True)
class DrainConfig:
    """How to drain: what `max_grace_period_s` does to each task is drain.md 4.4.5; `mark_gone`: the agent goes too."""

    max_grace_period_s: float | None = None
    mark_gone: bool = False


@frozen(kw_only=True)
class DrainInfo:
    """One drain of one agent. Times are seconds on the cluster's clock; `ended_at` None while it is under way.

    `message` and `initiator` are the operator's own words: why, and who.
    """

    id: DrainId
    agent_id: AgentId
    state: DrainState
    config: DrainConfig
    started_at: float
    ended_at: float | None = None
    message: str = ""
    initiator: str = ""
