"""Whose turn it is among all frameworks: roles compete with each other, and in each role its frameworks do (OF-17).

A framework is in one role, and what it holds counts for both. A role competes while one of its frameworks does (OF-22).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mesolite.actors.decisions.allocator.sorter import Ranking, Totals
from mesolite.messages.ids import FrameworkId
from mesolite.messages.resources import Resources


class Shares:
    """A ranking of roles, and in each a ranking of its frameworks. A role is there while it has a framework."""

    def __init__(self, totals: Totals) -> None:
        """Nobody is there yet; shares are those of this cluster."""
        self._totals = totals
        self._role_of: dict[FrameworkId, str] = {}
        self._roles: Ranking[str] = Ranking(totals)
        self._members: dict[str, Ranking[FrameworkId]] = {}

    @property
    def has_competitors(self) -> bool:
        """Whether there is anybody in the order."""
        return self._roles.has_competitors

    def add(self, framework_id: FrameworkId, role: str, held: Iterable[Resources]) -> None:
        """A framework comes; it holds these already, and does not compete yet."""
        self._role_of[framework_id] = role
        if role not in self._members:
            self._members[role] = Ranking(self._totals)
            self._roles.add(role)
        self._members[role].add(framework_id)
        for resources in held:
            self.charge(framework_id, resources)

    def remove(self, framework_id: FrameworkId, held: Iterable[Resources] = ()) -> None:
        """A framework goes, with what it holds."""
        for resources in held:
            self.refund(framework_id, resources)
        self.withdraw(framework_id)
        role = self._role_of.pop(framework_id)
        self._members[role].remove(framework_id)
        if not self._members[role]:
            del self._members[role]
            self._roles.remove(role)

    def role(self, framework_id: FrameworkId) -> str:
        """The role it is in."""
        return self._role_of[framework_id]

    def enter(self, framework_id: FrameworkId) -> None:
        """From now on it competes, and so does its role."""
        role = self._role_of[framework_id]
        self._members[role].enter(framework_id)
        self._roles.enter(role)

    def withdraw(self, framework_id: FrameworkId) -> None:
        """From now on it does not compete, nor does its role if nobody else in it does."""
        role = self._role_of[framework_id]
        self._members[role].withdraw(framework_id)
        if not self._members[role].has_competitors:
            self._roles.withdraw(role)

    def charge(self, framework_id: FrameworkId, resources: Resources) -> None:
        """It was granted these, in one grant."""
        role = self._role_of[framework_id]
        self._roles.charge(role, resources)
        self._members[role].charge(framework_id, resources)

    def refund(self, framework_id: FrameworkId, resources: Resources) -> None:
        """It gave these back."""
        role = self._role_of[framework_id]
        self._roles.refund(role, resources)
        self._members[role].refund(framework_id, resources)

    def in_order(self) -> Iterator[FrameworkId]:
        """Those who compete, the first to be served first. Change nothing while walking along it."""
        for role in self._roles.in_order():
            yield from self._members[role].in_order()

    def share(self, framework_id: FrameworkId) -> float:
        """Its dominant share as of now."""
        return self._members[self._role_of[framework_id]].share(framework_id)

    def held(self, framework_id: FrameworkId) -> Mapping[str, int]:
        """The scalars it holds, in thousandths."""
        return self._members[self._role_of[framework_id]].held(framework_id)

    def check(self, holdings: Mapping[FrameworkId, Iterable[Resources]]) -> None:
        """Assert that these frameworks hold these resources, their roles the sum of them, and both are in order."""
        held = {framework_id: Resources.sum(parts) for framework_id, parts in holdings.items()}
        assert held.keys() == self._role_of.keys()
        members: dict[str, list[FrameworkId]] = {}
        for framework_id, role in self._role_of.items():
            members.setdefault(role, []).append(framework_id)
        assert members.keys() == self._members.keys()
        in_roles: dict[str, dict[str, int]] = {}
        for role, ids in members.items():
            self._members[role].check({framework_id: dict(held[framework_id].scalars) for framework_id in ids})
            in_roles[role] = dict(Resources.sum(map(held.__getitem__, ids)).scalars)
        self._roles.check(in_roles)
