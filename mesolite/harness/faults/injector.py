"""Makes faults happen during a run: those that a seed draws, or those of a script. It notes all of them as a script."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from attrs import define

from mesolite.actors.errors import MesoliteError
from mesolite.harness.faults.faults import KINDS, Fault, length
from mesolite.harness.faults.kind import DoesNotFit, Draws, Kind, Ongoing, Scene
from mesolite.harness.script import Injection
from mesolite.simulation.scheduled_actions import Scheduled, ScheduledAction
from mesolite.simulation.simulation import Simulation

MINUTE_S = 60.0

EVENTS = 24
"""A fault comes up to so many events after its time, half of all faults at once."""


@define(eq=False)
class Injected:
    """A fault that has happened, and what is to be known of it."""

    injection: Injection
    ongoing: Ongoing
    end: ScheduledAction | None = None
    ended: bool = False


class Injector:
    """The faults of one run.

    Attributes:
        is_active: whether it still makes faults.
        injected: those that have happened, the oldest first.
        unfit: what of a script could not be done, and why.
        on_unfit: called whenever that is so.
        on_undo: called before what operators were made to ask for is taken back.
    """

    def __init__(self, sim: Simulation) -> None:
        """Make no faults yet."""
        self._sim = sim
        self.is_active = True
        self.injected: list[Injected] = []
        self.unfit: list[str] = []
        self.on_unfit: Callable[[], object] = lambda: None
        self.on_undo: Callable[[], object] = lambda: None
        self._waiting: list[tuple[int, Injection]] = []
        self._events = 0
        sim.faults = self

    # ------------------------------------------------------------------------------------------------- drawn, or given

    def draw(self, faults: Mapping[str, Fault]) -> None:
        """Let each of these kinds happen at random times, drawn from the seed, each from a stream of its own."""
        for name, fault in faults.items():
            self._next(KINDS[name], fault, 0)

    def follow(self, script: Iterable[Injection]) -> None:
        """Let these happen, each at its time."""
        for injection in script:
            self._at(injection.at, partial(self._due, injection))

    def _next(self, kind: Kind, fault: Fault, number: int) -> None:
        """Draw when the next of a kind comes."""
        if fault.at_most is not None and number >= fault.at_most:
            return
        sim = self._sim
        draws = Draws(sim.seed, kind.name, number)
        at = round(sim.now - math.log(1.0 - draws.unit()) * MINUTE_S / fault.rate, 3)
        at = max(at, sim.now)

        def come() -> None:
            cluster = sim.started if sim.is_ready else None
            scene = Scene(sim, cluster, draws, fault.targets) if cluster is not None else None
            arguments = kind.draw(scene) if scene is not None else None
            if arguments is not None:
                events = int(draws.unit() * EVENTS) if draws.chance(0.5) else 0
                lasts = length(kind, fault, sim.settings, draws)
                self._due(Injection(kind=kind.name, at=at, events=events, lasts=lasts, arguments=tuple(arguments)))
            self._next(kind, fault, number + 1)

        self._at(at, come)

    def _at(self, time: float, action: Callable[[], object]) -> ScheduledAction:
        # Faults that are to come are nothing that anybody waits for.
        return self._sim.runtime.at(time, Scheduled(action), routine=True)

    # ----------------------------------------------------------------------------------------------------- happening

    def _due(self, injection: Injection) -> None:
        """Its time has come: now, or after so many events more."""
        if not self.is_active:
            return
        if not injection.events:
            self.begin(injection)
            return
        if not self._waiting:
            self._sim.runtime.looks.append(self._look)
        self._waiting.append((self._events + injection.events, injection))

    def _look(self) -> None:
        """An event more has happened."""
        self._events += 1
        due = [injection for at, injection in self._waiting if at <= self._events]
        if due:
            self._waiting = [(at, injection) for at, injection in self._waiting if at > self._events]
            if not self._waiting:
                self._sim.runtime.looks.remove(self._look)
            for injection in due:
                self.begin(injection)

    def begin(self, injection: Injection) -> None:
        """Let it happen now; what cannot be is noted in `unfit`."""
        kind, sim = KINDS[injection.kind], self._sim
        if not self.is_active or sim.started is None:
            return
        try:
            ongoing = kind.begin(sim, sim.started, dict(injection.arguments))
        except (DoesNotFit, MesoliteError) as why:
            self.unfit.append(f"at {injection.at:g} s: {code_of(injection)}: {why}")
            self.on_unfit()
            return
        injected = Injected(injection, ongoing)
        self.injected.append(injected)
        if injection.lasts is not None:
            injected.end = self._at(sim.now + injection.lasts, partial(self._over, injected))
        elif not kind.lasts:
            injected.ended = True

    def _over(self, injected: Injected) -> None:
        """Its time is over: end it, and start again whom it has ended, unless another fault keeps them down."""
        self.end(injected)
        cluster = self._sim.started
        assert cluster is not None
        others = [each for each in self.injected if not each.ended and KINDS[each.injection.kind].keeps_down]
        down = [name for each in others for name in each.ongoing.hits]
        for name in injected.ongoing.hits:
            machine = cluster.agents.get(name) or cluster.masters.get(name)
            if machine is not None and not machine.alive and name not in down:
                machine.restart()

    def end(self, injected: Injected) -> None:
        """End one that lasts, if that has not been done."""
        if not injected.ended:
            injected.ended = True
            injected.ongoing.end()

    # ---------------------------------------------------------------------------------------------------- when it ends

    def stop(self) -> None:
        """Make no more of them, and end those that last; what operators wish stands until `undo`."""
        self.is_active = False
        if self._waiting:
            self._waiting.clear()
            self._sim.runtime.looks.remove(self._look)
        for injected in self.injected:
            if injected.end is not None:
                self._sim.runtime.call_off(injected.end)
            if injected.ongoing.undo is None:
                self.end(injected)

    def undo(self) -> None:
        """Take back what operators were made to ask for, when who was asked has had the time to answer."""
        self.on_undo()
        for injected in self.injected:
            if injected.ongoing.undo is not None:
                self.end(injected)
                injected.ongoing.undo()

    # ------------------------------------------------------------------------------------------------- what is known

    def script(self) -> tuple[Injection, ...]:
        """The faults that have happened, to be given back."""
        return tuple(each.injection for each in self.injected)

    def tally(self) -> dict[str, Counter[str]]:
        """How often each kind was injected, and how often it had an effect."""
        counts: dict[str, Counter[str]] = {}
        for each in self.injected:
            count = counts.setdefault(each.injection.kind, Counter())
            count["injected"] += 1
            count["had an effect"] += each.ongoing.had_effect()
        return counts


def code_of(injection: Injection) -> str:
    """The line of code that does it."""
    return KINDS[injection.kind].code(dict(injection.arguments))
