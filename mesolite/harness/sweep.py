"""One action at every instant of a calm run: exhaustive for single faults, and as small as can be from the start."""

from __future__ import annotations

from attrs import define, field

from mesolite.actors.decisions.contract import TimerFired
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import Refused
from mesolite.actors.trace import HEARTBEATS, Record
from mesolite.harness.exploration import NothingReached
from mesolite.harness.run import Identity, Outcome, Scenario, Setting, calm, identity_of
from mesolite.harness.script import Script
from mesolite.messages.checking import Duration, checked_arguments, in_seconds
from mesolite.simulation.actions import Action, act
from mesolite.simulation.simulation import Simulation

WITHOUT = -1
"""The instant of a failure for which the action is not needed."""


@define(kw_only=True)
class Swept:
    """What became of the action at each instant.

    Attributes:
        instants: how many there were: one after every event of the calm run.
        runs: at how many of them the action was tried.
        failures: by instant, which is the number of the event the action came after, what failed.
        refused: by instant, why the action was not possible, as killing what is dead.
    """

    instants: int
    runs: int = 0
    failures: dict[int, Exception] = field(factory=dict)
    refused: dict[int, Refused] = field(factory=dict)

    @property
    def failure(self) -> Exception | None:
        """The failure of the earliest instant that has one."""
        return next(iter(self.failures.values()), None)

    def __str__(self) -> str:
        """Say how many were tried, and at which what failed."""
        lines = [f"{self.runs} instants tried, {len(self.failures)} fail, {len(self.refused)} were refused"]
        lines += [f"  {identity}: after events {_spans(at)}" for identity, at in self.kinds.items()]
        return "\n".join(lines)

    def check(self) -> None:
        """Raise the first failure, with a note that says after which event the action came.

        Raises:
            Exception: the failure of the earliest instant that has one.
            NothingReached: there was no instant to try, or the action was refused at each.
        """
        if not self.runs and not self.failures:
            raise NothingReached("there was no instant to try: the scenario makes no cluster, or lets nothing happen")
        if self.runs and len(self.refused) == self.runs:
            raise NothingReached(f"the action was refused at every instant: {next(iter(self.refused.values()))}")
        if self.failures:
            instant, error = next(iter(self.failures.items()))
            if instant == WITHOUT:
                error.add_note("it fails without the action, so nothing was tried")
                raise error
            more = len(self.failures) - 1
            error.add_note(f"the action came after event {instant} of {self.instants}; {more} other instants fail, too")
            raise error

    @property
    def kinds(self) -> dict[Identity, list[int]]:
        """The instants that fail, by failure."""
        found: dict[Identity, list[int]] = {}
        for instant, error in self.failures.items():
            found.setdefault(identity_of(error), []).append(instant)
        return found


@checked_arguments
def sweep(
    scenario: Scenario,
    action: Action,
    *,
    seed: int = 0,
    settings: Settings | None = None,
    latency: Duration = 0.0,
) -> Swept:
    """Run a scenario once for each of its events, first in, first out, and do this after that event.

    Such an action is `lambda sim: sim.started.masters["master-1"].crash()`.

    So every moment at which something may happen to the cluster is tried once, from when it is ready on; between one
    heartbeat and the next nothing is different. Then faults stop, everything is mended, and what must come true
    eventually has to, as in `explore`. A message takes `latency`, all the same. An action that is refused at some
    instant, as one that kills what is dead, is no failure there.
    """
    takes = in_seconds(latency)
    setting, script = Setting(settings=settings), Script(latency=(takes, takes))
    first = _events(scenario, seed, script, setting, None, action)
    swept = Swept(instants=first.events)
    tries = range(first.began + 1, first.events + 1)
    if first.outcome.error is not None:
        swept.failures[WITHOUT] = first.outcome.error
        return swept
    for instant in tries:
        ran = _events(scenario, seed, script, setting, instant, action)
        swept.runs += 1
        if ran.refused is not None:
            swept.refused[instant] = ran.refused
        if ran.outcome.error is not None:
            swept.failures[instant] = ran.outcome.error
    return swept


@define
class _Ran:
    outcome: Outcome
    events: int
    began: int
    refused: Refused | None


def _events(
    scenario: Scenario, seed: int, script: Script, setting: Setting, instant: int | None, action: Action
) -> _Ran:
    """Run it, and do this after that event; count the events, and those before the cluster was ready."""
    events, began = 0, 0
    refused: Refused | None = None

    def prepare(sim: Simulation) -> None:
        news = False

        def note(record: Record) -> None:
            nonlocal news
            event = record.event
            routine = isinstance(event, TimerFired) and event.key.PERIODIC
            news = news or not (routine or isinstance(event, HEARTBEATS))

        def look() -> None:
            nonlocal events, began, news, refused
            if not news or (sim.stated.recovered and sim.stated.eventually):
                return
            news = False
            events += 1
            if not sim.is_ready:
                began = events
            if events == instant:
                try:
                    act(action, sim)
                except Refused as why:
                    refused = why

        sim.trace.subscribe(note)
        sim.runtime.looks.append(look)

    outcome = calm(scenario, seed, script, setting, prepare)
    return _Ran(outcome, events, began, refused)


def _spans(numbers: list[int]) -> str:
    """Numbers as people write them: 3, 5 to 9."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join(" to ".join(map(str, span)) for span in spans)
