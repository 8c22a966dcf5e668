"""What actors make known about themselves and their charges, to whoever looks: the newest of each is kept and shown.

Facts are nouns. Of a drain the fact is its `DrainInfo`, of a reclaim its `ReclaimInfo` with the state it is in.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.drains import DrainInfo
from mesolite.messages.ids import ActorName, AgentId
from mesolite.messages.reclaims import ReclaimInfo


@frozen(kw_only=True)
class AgentStatus:
    """Whether an agent is registered with a leader, as it sees that itself, and under which id."""

    name: ActorName
    agent_id: AgentId | None = None
    registered: bool = False


@frozen(kw_only=True)
class MasterStatus:
    """Whether a master leads and has read the registry; `term` is that of its election, 0 before the first."""

    name: ActorName
    leading: bool = False
    term: int = 0


@frozen(kw_only=True)
class DrainForgotten:
    """A drain ended so long ago that its leader does not remember it any more."""

    id: str


@frozen(kw_only=True)
class ReclaimForgotten:
    """A reclaim ended so long ago that its leader does not remember it any more."""

    id: str


Fact = AgentStatus | MasterStatus | DrainInfo | ReclaimInfo | DrainForgotten | ReclaimForgotten
