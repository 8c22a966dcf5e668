r"""Where each agent stands in the cluster, and what is being written about it: one state per agent, moves as tables.

                   +------- registry read --------> RECOVERED ---+
                   |                                    |        |
    UNKNOWN --> REGISTERING --> REGISTERED <------------+        |
       ^                         |     ^                         |
       |                    link broken, back                    |
       |                         v     |                         |
       +------ removed ------ DISCONNECTED --> UNREACHABLE <-----+      REGISTERED, too
       |                                            |   \--- back: REGISTERED
       +------------------ pruned ------------------+--> GONE            from wherever it is known

Who comes, goes or is given up is written to the registry first, and stands where it did until that is durable (drain.md
0.2.4). Meanwhile other changes may begin or not (0.2.5): `BEGINS_IN` and `NOT_WHILE` say which.
docs/which-wins.md shows these tables, and a test compares them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import define, field, frozen

from mesolite.actors.decisions.moves import Moves
from mesolite.messages.agent import ReregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import Cause


class MemberState(enum.Enum):
    """Where an agent stands, for the master that leads."""

    UNKNOWN = "unknown"
    REGISTERING = "registering"
    REGISTERED = "registered"
    DISCONNECTED = "disconnected"
    RECOVERED = "recovered"
    UNREACHABLE = "unreachable"
    GONE = "gone"


class Change(enum.Enum):
    """What is written about one agent that comes, goes or is given up."""

    ADMIT = "admit"
    READMIT = "readmit"
    MARK_UNREACHABLE = "mark unreachable"
    REMOVE = "remove"
    MARK_GONE = "mark gone"
    PRUNE = "prune"


_S, _C = MemberState, Change

MOVES: Moves[MemberState] = {
    _S.UNKNOWN: frozenset({_S.REGISTERING, _S.REGISTERED, _S.RECOVERED, _S.UNREACHABLE, _S.GONE}),
    _S.REGISTERING: frozenset({_S.REGISTERED}),
    _S.REGISTERED: frozenset({_S.DISCONNECTED, _S.UNREACHABLE, _S.GONE, _S.UNKNOWN}),
    _S.DISCONNECTED: frozenset({_S.REGISTERED, _S.UNREACHABLE, _S.GONE, _S.UNKNOWN}),
    _S.RECOVERED: frozenset({_S.REGISTERED, _S.UNREACHABLE, _S.GONE}),
    _S.UNREACHABLE: frozenset({_S.REGISTERED, _S.GONE, _S.UNKNOWN}),
    _S.GONE: frozenset({_S.UNKNOWN}),
}
"""From where to where. An unknown agent is known at once to a master that reads the registry (1.7.1)."""

BEGINS_IN: Mapping[Change, frozenset[MemberState]] = {
    _C.ADMIT: frozenset({_S.UNKNOWN}),
    _C.READMIT: frozenset({_S.UNKNOWN, _S.REGISTERED, _S.DISCONNECTED, _S.RECOVERED, _S.UNREACHABLE}),
    _C.MARK_UNREACHABLE: frozenset({_S.REGISTERED, _S.DISCONNECTED, _S.RECOVERED}),
    _C.REMOVE: frozenset({_S.REGISTERED, _S.DISCONNECTED}),
    _C.MARK_GONE: frozenset({_S.REGISTERED, _S.DISCONNECTED, _S.RECOVERED, _S.UNREACHABLE}),
    _C.PRUNE: frozenset({_S.UNREACHABLE, _S.GONE}),
}
"""Of whom a change may be wanted at all."""

NOT_WHILE: Mapping[Change, frozenset[Change]] = {
    _C.ADMIT: frozenset(),
    _C.READMIT: frozenset({_C.MARK_UNREACHABLE, _C.REMOVE, _C.MARK_GONE}),
    _C.MARK_UNREACHABLE: frozenset({_C.READMIT, _C.MARK_UNREACHABLE, _C.REMOVE, _C.MARK_GONE}),
    _C.REMOVE: frozenset({_C.MARK_UNREACHABLE, _C.REMOVE, _C.MARK_GONE}),
    _C.MARK_GONE: frozenset({_C.MARK_UNREACHABLE, _C.REMOVE, _C.MARK_GONE, _C.PRUNE}),
    _C.PRUNE: frozenset({_C.READMIT, _C.MARK_GONE, _C.PRUNE}),
}
"""What does not begin while one of these is being written: what began completes (1.3.1, 1.6.1, 2.3.2, 2.3.3, 1.9.1)."""

NO_DECISION_WHILE = frozenset({_C.REMOVE, _C.MARK_GONE, _C.PRUNE})
"""While one of these is being written operators decide nothing about that agent (4.1.1, 4.3.3)."""


@define(kw_only=True, eq=False)
class Registration:
    """A first registration that waits for the registry, as it was last made, under the id it will get."""

    info: AgentInfo
    pid: str
    life: int = 0
    link_broken: bool = False


@define(kw_only=True, eq=False)
class Reregistration:
    """A re-registration that waits for the registry, as it was last made.

    `link_broken`, `leaving`: since then the link to its sender broke; it has unregistered.
    """

    message: ReregisterAgent
    sender: str
    link_broken: bool = False
    leaving: bool = False


@frozen
class Departure:
    """An agent is on its way out, for this reason."""

    cause: Cause


Pending = Registration | Reregistration | Departure


@define(kw_only=True, eq=False)
class Member:
    """One agent: where it stands since when (0.0 if that is of no interest), and what is being written about it.

    `info`: of a recovered agent, as the registry has it.
    """

    state: MemberState = MemberState.UNKNOWN
    since: float = 0.0
    info: AgentInfo | None = None
    pending: dict[Change, Pending] = field(factory=dict)


class Membership:
    """Every agent that this master knows or is writing about."""

    def __init__(self) -> None:
        """Nobody is known."""
        self._members: dict[AgentId, Member] = {}
        self._in: dict[MemberState, dict[AgentId, Member]] = {state: {} for state in MemberState}

    def state(self, agent_id: AgentId) -> MemberState:
        """Where it stands."""
        member = self._members.get(agent_id)
        return MemberState.UNKNOWN if member is None else member.state

    def all_in(self, state: MemberState) -> Mapping[AgentId, Member]:
        """Everybody who stands there, in the order in which they came to it."""
        return self._in[state]

    def move(self, agent_id: AgentId, to: MemberState, since: float = 0.0, info: AgentInfo | None = None) -> Member:
        """Let it stand there from now on.

        Raises:
            ValueError: nobody gets there from where it stands.
        """
        member = self._members.get(agent_id) or Member()
        if to not in MOVES[member.state]:
            raise ValueError(f"agent {agent_id} is {member.state.value} and cannot become {to.value}")
        self._in[member.state].pop(agent_id, None)
        member.state, member.since, member.info = to, since, info
        self._in[to][agent_id] = self._members[agent_id] = member
        self._forget_if_unknown(agent_id, member)
        return member

    def is_pending(self, agent_id: AgentId, *changes: Change) -> bool:
        """Whether one of these is being written about it."""
        member = self._members.get(agent_id)
        return member is not None and any(change in member.pending for change in changes)

    def registration(self, agent_id: AgentId) -> Registration | None:
        """Its first registration, if that is being written."""
        pending = self._pending(agent_id, Change.ADMIT)
        return pending if isinstance(pending, Registration) else None

    def reregistration(self, agent_id: AgentId) -> Reregistration | None:
        """Its re-registration, if that is being written."""
        pending = self._pending(agent_id, Change.READMIT)
        return pending if isinstance(pending, Reregistration) else None

    def departure(self, agent_id: AgentId, change: Change) -> Departure | None:
        """How it is on its way out, if that is being written."""
        pending = self._pending(agent_id, change)
        return pending if isinstance(pending, Departure) else None

    def _pending(self, agent_id: AgentId, change: Change) -> Pending | None:
        member = self._members.get(agent_id)
        return None if member is None else member.pending.get(change)

    def all_pending(self, change: Change) -> list[AgentId]:
        """Everybody about whom that is being written."""
        return [agent_id for agent_id, member in self._members.items() if change in member.pending]

    def may_begin(self, agent_id: AgentId, change: Change) -> bool:
        """Whether that change may be wanted of it now."""
        return self.state(agent_id) in BEGINS_IN[change] and not self.is_pending(agent_id, *NOT_WHILE[change])

    def begin(self, agent_id: AgentId, change: Change, pending: Pending) -> None:
        """Let that be written; whatever was pending of the same kind gives way."""
        assert self.may_begin(agent_id, change), f"{change.value} cannot begin: {self._members.get(agent_id)}"
        member = self._members.setdefault(agent_id, Member())
        member.pending[change] = pending
        self._in[member.state][agent_id] = member

    def end(self, agent_id: AgentId, change: Change) -> Pending:
        """It is durable, or is not wanted any more: what was being written."""
        member = self._members[agent_id]
        pending = member.pending.pop(change)
        self._forget_if_unknown(agent_id, member)
        return pending

    def _forget_if_unknown(self, agent_id: AgentId, member: Member) -> None:
        if member.state is MemberState.UNKNOWN and not member.pending:
            del self._members[agent_id]
            self._in[MemberState.UNKNOWN].pop(agent_id, None)

    def check(self) -> None:
        """Assert that everybody is found where he stands, and that what excludes each other is not pending at once."""
        found = {agent_id: state for state, members in self._in.items() for agent_id in members}
        assert found == {agent_id: member.state for agent_id, member in self._members.items()}
        for agent_id, member in self._members.items():
            assert member.state is not MemberState.UNKNOWN or member.pending, agent_id
