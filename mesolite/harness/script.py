"""What happened to a run, as data: the faults that were injected, and the exceptions from first in, first out.

A run is a function of (scenario, seed, script). Exploring draws scripts, replaying gives one back, shrinking makes one
smaller. A script names actors and messages, so that it still fits when other things have changed, as far as it can.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from mesolite.simulation.choices import ChannelKey, Postponed

Arguments = tuple[tuple[str, Any], ...]
"""What a fault was done to and how, by name: text, numbers, yes or no, and tuples of them."""


@frozen(kw_only=True)
class Injection:
    """One fault: what, when, to whom, for how long.

    Attributes:
        kind: its name in `Faults`.
        at: when, in virtual seconds.
        events: it comes so many events after that time, so that it can come between two messages of one instant.
        lasts: seconds until it is undone; None: it is not, before all faults end.
        arguments: what it is done to, and how, by name.
    """

    kind: str
    at: float
    events: int = 0
    lasts: float | None = None
    arguments: Arguments = ()

    def argument(self, name: str) -> Any:
        """Return one of the arguments.

        Raises:
            KeyError: it has none of that name.
        """
        return dict(self.arguments)[name]


@frozen(kw_only=True)
class Script:
    """What was done to a run.

    Attributes:
        faults: those that were injected.
        order: the messages that wait for others, all others go first in, first out; None: the seed says which.
        latency: between which times a message takes, in seconds.
        share: where `order` is None: which share of the messages the seed postpones.
        changes: where `order` is None: each channel has a rank, and falls back at these messages; None: see `share`.
    """

    faults: tuple[Injection, ...] = ()
    order: tuple[Postponed, ...] | None = None
    latency: tuple[float, float] = (0.0, 0.0)
    share: float = 0.5
    changes: tuple[tuple[ChannelKey, int], ...] | None = None

    def but(self, **changes: Any) -> Script:
        """Return the same script with something changed."""
        return evolve(self, **changes)


def to_plain(script: Script) -> dict[str, Any]:
    """The script as JSON has it."""
    return {
        "faults": [
            {
                "kind": one.kind,
                "at": one.at,
                "events": one.events,
                "lasts": one.lasts,
                "arguments": {name: _listed(value) for name, value in one.arguments},
            }
            for one in script.faults
        ],
        "order": None if script.order is None else [[*one.channel, one.serial, one.rank] for one in script.order],
        "latency": list(script.latency),
        "share": script.share,
        "changes": None if script.changes is None else [[*key, serial] for key, serial in script.changes],
    }


def from_plain(plain: dict[str, Any]) -> Script:
    """The script that JSON held.

    Raises:
        LookupError, TypeError, ValueError: it is none.
    """
    order = plain["order"]
    return Script(
        faults=tuple(
            Injection(
                kind=one["kind"],
                at=float(one["at"]),
                events=int(one["events"]),
                lasts=one["lasts"],
                arguments=tuple((name, _frozen(value)) for name, value in one["arguments"].items()),
            )
            for one in plain["faults"]
        ),
        order=None
        if order is None
        else tuple(
            Postponed(ChannelKey(sender, life, to), serial, rank) for sender, life, to, serial, rank in order
        ),
        latency=(float(plain["latency"][0]), float(plain["latency"][1])),
        share=float(plain["share"]),
        changes=None
        if plain["changes"] is None
        else tuple((ChannelKey(sender, life, to), serial) for sender, life, to, serial in plain["changes"]),
    )


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
