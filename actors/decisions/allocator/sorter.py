"""Who is served next: dominant shares, and clients kept in their order (core.md OF-17..OF-19, OF-22, OF-23).

The rule of this file: a client's share is the largest part it holds of any one scalar resource of the
cluster; the lowest share goes first, ties go to the one with fewer grants, then to the smaller name.

Amounts are integers of thousandths, and dividing one integer by another gives the nearest float. So equal
shares are equal floats on every machine, in whatever order the amounts were added up.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from attrs import Factory, define, field

from mesolite.messages.resources import Resources

Name = TypeVar("Name", bound=str)


def dominant_share(allocated: Mapping[str, int], total: Mapping[str, int]) -> float:
    """The largest of allocated / total over the scalars of the cluster, 0.0 when there are none (OF-17)."""
    share = 0.0
    for name, amount in allocated.items():
        if name in total:
            share = max(share, amount / total[name])
    return share


@define
class Totals:
    """The scalars of the whole cluster, in thousandths. Rankings that compete for one cluster share it."""

    amounts: dict[str, int] = Factory(dict)
    changes: int = 0
    """How often `amounts` changed: shares computed at another count are out of date."""

    def add(self, resources: Resources) -> None:
        """An agent with these joined."""
        _add(self.amounts, resources)
        self.changes += 1

    def remove(self, resources: Resources) -> None:
        """An agent with these left."""
        _subtract(self.amounts, resources)
        self.changes += 1


@define
class _Client(Generic[Name]):
    competes: bool = False
    allocated: dict[str, int] = Factory(dict)
    grants: int = 0
    place: tuple[float, int, Name] | None = None
    """Its entry in the order as it was made; None when it does not compete."""


@define
class Ranking(Generic[Name]):
    """Clients by dominant share. What each holds counts; only those that compete are in the order (OF-22).

    A charge moves one client. A change of the totals moves all, once, when the order is next asked for.
    """

    totals: Totals
    _clients: dict[Name, _Client[Name]] = field(init=False, factory=dict)
    _order: list[tuple[float, int, Name]] = field(init=False, factory=list)
    _totals_seen: int = field(init=False, default=0)

    def __len__(self) -> int:
        """How many clients there are, competing or not."""
        return len(self._clients)

    @property
    def has_competitors(self) -> bool:
        """Whether there is anybody in the order."""
        return bool(self._order)

    def add(self, name: Name) -> None:
        """A client comes. It holds nothing, was granted nothing and does not compete yet."""
        assert name not in self._clients, name
        self._clients[name] = _Client()

    def remove(self, name: Name) -> None:
        """A client goes; what it held must have been refunded."""
        assert not self._clients[name].allocated, name
        self.withdraw(name)
        del self._clients[name]

    def enter(self, name: Name) -> None:
        """From now on it competes."""
        client = self._clients[name]
        client.competes = True
        self._place(name, client)

    def withdraw(self, name: Name) -> None:
        """From now on it does not compete; what it holds still counts."""
        client = self._clients[name]
        client.competes = False
        self._place(name, client)

    def charge(self, name: Name, resources: Resources) -> None:
        """It was granted these, in one grant."""
        client = self._clients[name]
        _add(client.allocated, resources)
        client.grants += 1
        self._place(name, client)

    def refund(self, name: Name, resources: Resources) -> None:
        """It gave these back. The grants it had stay counted (OF-23)."""
        client = self._clients[name]
        _subtract(client.allocated, resources)
        self._place(name, client)

    def in_order(self) -> Iterator[Name]:
        """Those who compete, the first to be served first. Change nothing while walking along it."""
        if self._totals_seen != self.totals.changes:
            self._totals_seen = self.totals.changes
            self._order.clear()
            for name, client in self._clients.items():
                if client.competes:
                    client.place = self._entry(name, client)
                    self._order.append(client.place)
            self._order.sort()
        for _, _, name in self._order:
            yield name

    def share(self, name: Name) -> float:
        """Its dominant share as of now."""
        return dominant_share(self._clients[name].allocated, self.totals.amounts)

    def held(self, name: Name) -> Mapping[str, int]:
        """The scalars it holds, in thousandths."""
        return self._clients[name].allocated

    def check(self, allocated: Mapping[Name, Mapping[str, int]]) -> None:
        """Assert that these clients hold these scalars, in thousandths, and that the order is one."""
        assert {name: client.allocated for name, client in self._clients.items()} == allocated
        places = [client.place for client in self._clients.values() if client.place is not None]
        assert self._order == sorted(places)
        assert all(client.competes == (client.place is not None) for client in self._clients.values())

    def _entry(self, name: Name, client: _Client[Name]) -> tuple[float, int, Name]:
        return dominant_share(client.allocated, self.totals.amounts), client.grants, name

    def _place(self, name: Name, client: _Client[Name]) -> None:
        if client.place is not None:
            # Found by the entry as it was made, which may be older than the last change of the totals.
            del self._order[bisect_left(self._order, client.place)]
            client.place = None
        if client.competes:
            client.place = self._entry(name, client)
            insort(self._order, client.place)


def _add(amounts: dict[str, int], resources: Resources) -> None:
    for name, amount in resources.scalars.items():
        amounts[name] = amounts.get(name, 0) + amount


def _subtract(amounts: dict[str, int], resources: Resources) -> None:
    for name, amount in resources.scalars.items():
        left = amounts[name] - amount
        assert left >= 0, (name, amount, amounts)
        if left:
            amounts[name] = left
        else:
            del amounts[name]
