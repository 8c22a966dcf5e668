"""Which faults there are in a run, and how many."""

from __future__ import annotations

from typing import Annotated, Any

import attrs
from attrs import evolve, field, frozen

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import InvalidValue
from mesolite.harness.faults import clients, disks, machines, network, operators, shapes
from mesolite.harness.faults.kind import Draws, Kind
from mesolite.messages.checking import Count, Name, Number, Seconds, checked, checked_arguments

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        machines.Crash(),
        machines.PowerOff(),
        machines.Restart(),
        machines.Stop(),
        machines.Wipe(),
        machines.Reconfigure(),
        machines.Signal(),
        machines.Pause(),
        machines.KillExecutor(),
        network.Partition(),
        network.Split(),
        network.BreakLink(),
        network.SlowLink(),
        network.Drop(),
        network.Duplicate(),
        network.ExpireSession(),
        clients.HangUp(),
        disks.SlowDisk(),
        disks.FullDisk(),
        disks.LastWrite(),
        operators.Deactivate(),
        operators.Drain(),
        operators.MarkGone(),
        operators.Reclaim(),
        operators.Maintenance(),
        shapes.RollingRestart(),
        shapes.RackLoss(),
        shapes.Flapping(),
        shapes.Swizzle(),
    )
}
"""All kinds of faults, by name."""


Rate = Annotated[float, Number(at_least=0, meaning="a number of faults in a virtual minute")]


def _in_order(value: Any) -> Any:
    """Refuse what would end before it begins; what is no two numbers at all the check says."""
    are_two = isinstance(value, tuple | list) and len(value) == 2 and {*map(type, value)} <= {float, int}
    if are_two and value[0] > value[1]:
        raise InvalidValue(f"a fault cannot last {value!r}: give the shorter time first, in seconds")
    return value


@checked
@frozen
class Fault:
    """How often a kind of fault happens, and what it is limited to.

    `rate`: how many there are in a virtual minute, on average; `lasts`: seconds, from and to, None: drawn around the
    settings' own time-outs; `targets`: the names of the actors and machines it may hit, none: all; `at_most`: so many
    in one run.
    """

    rate: Rate
    lasts: tuple[Seconds, Seconds] | None = field(default=None, converter=_in_order)
    targets: tuple[Name, ...] = ()
    at_most: Count | None = None


def _as_fault(value: float | Fault) -> Fault:
    return value if isinstance(value, Fault) else Fault(value)


@checked
@frozen(kw_only=True)
class Faults:
    """How often each kind of fault happens: so many in a virtual minute, or a `Fault` where more is to be said.

    `Faults()` is what a cluster has to bear; `Faults.none()` is a calm one, `mild()` and `harsh()` are less and more.
    Each seed switches a random half of the kinds off, so that what others hide is seen. What each kind does is in the
    table of docs/testing.md.
    """

    crash: Fault = field(default=Fault(0.5), converter=_as_fault)
    power_off: Fault = field(default=Fault(0.3), converter=_as_fault)
    restart: Fault = field(default=Fault(0.3), converter=_as_fault)
    stop: Fault = field(default=Fault(0.2), converter=_as_fault)
    wipe: Fault = field(default=Fault(0.1), converter=_as_fault)
    reconfigure: Fault = field(default=Fault(0.1), converter=_as_fault)
    signal: Fault = field(default=Fault(0.2), converter=_as_fault)
    pause: Fault = field(default=Fault(0.3), converter=_as_fault)
    kill_executor: Fault = field(default=Fault(0.3), converter=_as_fault)
    partition: Fault = field(default=Fault(0.4), converter=_as_fault)
    split: Fault = field(default=Fault(0.1), converter=_as_fault)
    break_link: Fault = field(default=Fault(0.4), converter=_as_fault)
    slow_link: Fault = field(default=Fault(0.4), converter=_as_fault)
    drop: Fault = field(default=Fault(0.3), converter=_as_fault)
    duplicate: Fault = field(default=Fault(0.3), converter=_as_fault)
    expire_session: Fault = field(default=Fault(0.2), converter=_as_fault)
    hang_up: Fault = field(default=Fault(0.4), converter=_as_fault)
    slow_disk: Fault = field(default=Fault(0.2), converter=_as_fault)
    full_disk: Fault = field(default=Fault(0.1), converter=_as_fault)
    last_write: Fault = field(default=Fault(0.2), converter=_as_fault)
    deactivate: Fault = field(default=Fault(0.2), converter=_as_fault)
    drain: Fault = field(default=Fault(0.4), converter=_as_fault)
    mark_gone: Fault = field(default=Fault(0.1), converter=_as_fault)
    reclaim: Fault = field(default=Fault(0.2), converter=_as_fault)
    maintenance: Fault = field(default=Fault(0.1), converter=_as_fault)
    rolling_restart: Fault = field(default=Fault(0.1), converter=_as_fault)
    rack_loss: Fault = field(default=Fault(0.1), converter=_as_fault)
    flapping: Fault = field(default=Fault(0.1), converter=_as_fault)
    swizzle: Fault = field(default=Fault(0.1), converter=_as_fault)

    @staticmethod
    def none() -> Faults:
        """No faults at all."""
        return Faults().times(0.0)

    @staticmethod
    def mild() -> Faults:
        """A third as many."""
        return Faults().times(1 / 3)

    @staticmethod
    def harsh() -> Faults:
        """Three times as many."""
        return Faults().times(3.0)

    @checked_arguments
    def times(self, factor: Annotated[float, Number(at_least=0)]) -> Faults:
        """So many times as many of each kind."""
        return Faults(**{name: evolve(fault, rate=fault.rate * factor) for name, fault in self.each().items()})

    def but(self, **changes: float | Fault) -> Faults:
        """The same with something changed."""
        return evolve(self, **{name: _as_fault(value) for name, value in changes.items()})

    def each(self) -> dict[str, Fault]:
        """The faults by kind, those that never happen, too."""
        return attrs.asdict(self, recurse=False)

    def drawn(self, seed: int) -> dict[str, Fault]:
        """Those that happen with a seed: each kind is on or off by a draw of its own, but never are all off."""
        possible = {name: fault for name, fault in self.each().items() if fault.rate > 0}
        on = {name: fault for name, fault in possible.items() if Draws(seed, "on", name).chance(0.5)}
        if on or not possible:
            return on
        name = Draws(seed, "on").one_of(list(possible))
        return {name: possible[name]}


def length(kind: Kind, fault: Fault, settings: Settings, draws: Draws) -> float | None:
    """Draw how long a fault lasts: around one of the settings' own time-outs, so that each of them is met and missed.

    A fault of at most a minute would never show an agent that is given up.
    """
    if not kind.lasts:
        return None
    if fault.lasts is not None:
        return draws.between(*fault.lasts)
    longest = settings.agent_reregister_timeout_s
    times = (settings.session_timeout_s, settings.silence_noticed_s)
    around = longest if kind.waits else draws.one_of((*times, *times, longest))
    return draws.between(0.1 * around, 1.5 * around)
