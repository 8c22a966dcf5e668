"""One run of a scenario: a function of (scenario, seed, script)."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import inspect
import pathlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator

from attrs import define, field, frozen

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import InvalidValue, MesoliteError
from mesolite.actors.trace import TraceFailure, raised
from mesolite.harness.checkers import STANDARD, Checker, Checkers, Violation
from mesolite.harness.checkers.checker import Family
from mesolite.harness.checkers.schedulers import PATIENCE_S
from mesolite.harness.faults.faults import Fault
from mesolite.harness.faults.injector import Injector, code_of
from mesolite.harness.script import Script
from mesolite.simulation.choices import Calm, Noting, Order, Ranked, Scripted, Seeded, Until, draw, stream
from mesolite.simulation.properties import PropertyViolated
from mesolite.simulation.simulation import Simulation

Scenario = Callable[[Simulation], object]
"""What is run: it makes a cluster, states what must hold, and lets time pass."""

SOON_S = 5.0
"""How often it is seen whether all has come to its end."""

COLLECT_AFTER = 2_000_000
"""After so many more objects than were freed the collector looks even in a run; a seed makes a tenth of that."""

OURS = pathlib.Path(__file__).parent.parent
"""Where the library is: a mistake in how it is used was made elsewhere."""

LONG = 0.25
"""Which share of the seeds goes on for long."""


@define(eq=False)
class Running:
    """The run that goes on: its simulation, and what is done at its end."""

    sim: Simulation
    injector: Injector
    checkers: Checkers
    to_the_end: bool = True
    ended: bool = False
    left: bool = False

    def found(self) -> None:
        """A checker has found something: raise it when the event is handled in full, before anybody else looks."""
        if not self.left:
            self.sim.runtime.looks.insert(0, self.look)

    def look(self) -> None:
        """Raise what a checker has found.

        Raises:
            CheckerViolated: its statement does not hold.
        """
        if self.checkers.first is not None:
            raise CheckerViolated(self.checkers.first)

    def end(self) -> None:
        """Stop faults, mend everything, and see what must come true eventually; nothing happens the second time."""
        if self.ended:
            return
        self.ended = True
        if not self.sim.stated.recovered or (self.to_the_end and self.injector.is_active):
            self.sim.recover()
        self.look()
        if self.to_the_end:
            _finish(self.sim, self.checkers)

    def wait_for_answers(self) -> None:
        """Let users answer what operators have asked them, as long as they may take: what is taken back needs none."""
        until = self.sim.now + PATIENCE_S
        while self.checkers.under_way(until, Family.YOURS):
            self.sim.runtime.advance(SOON_S)

    def leave(self) -> None:
        """Disturb and check nothing more: what comes now only tidies up."""
        self.ended = self.left = True
        self.injector.stop()
        if self.look in self.sim.runtime.looks:
            self.sim.runtime.looks.remove(self.look)


_CURRENT: contextvars.ContextVar[Running | None] = contextvars.ContextVar("the run that goes on", default=None)


class CheckerViolated(MesoliteError, AssertionError):
    """A checker has found that its statement does not hold."""

    def __init__(self, violation: Violation) -> None:
        """Say which, whose fault that is, and how."""
        super().__init__(str(violation))
        self.violation = violation


class Exited(MesoliteError):
    """A scenario has ended its program, which is not its to end."""


class NothingRun(InvalidValue):
    """What was given for a scenario has run nothing: it is a coroutine or a generator."""


def refuse_unrun(returned: object) -> None:
    """Refuse a coroutine or generator that a scenario has returned and that nobody would run.

    Raises:
        NothingRun: it is one.
    """
    if inspect.isawaitable(returned) or inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        close = getattr(returned, "close", None)
        if close is not None:
            close()
        kind = type(returned).__name__.replace("_", " ")
        raise NothingRun(f"the scenario has run nothing: it returned a {kind}; give a function without async and yield")


def reached(name: str) -> None:
    """Say, from inside user code, that this place was reached: an exploration in which no run does so fails.

    Outside of an explored run it does nothing.
    """
    running = _CURRENT.get()
    if running is not None:
        running.sim.reached(name)


def running() -> Running | None:
    """The run that goes on, None outside of one: for who has something to do between its end and its tidying up."""
    return _CURRENT.get()


@frozen
class Identity:
    """What tells one failure from another.

    Attributes:
        what: the checker or property that failed, or the class of the exception.
        where: the file and line of the exception.
    """

    what: str
    where: str = ""

    def __str__(self) -> str:
        """Print it."""
        return f"{self.what} at {self.where}" if self.where else self.what


@frozen(kw_only=True)
class Setting:
    """What all runs of an exploration share: the settings, and which checkers are left out."""

    settings: Settings | None = None
    without: tuple[str, ...] = ()
    besides: tuple[Callable[[], Checker], ...] = ()
    """What makes the checkers that are on besides those that always are."""


@define(kw_only=True)
class Outcome:
    """What became of a run.

    Attributes:
        error: what it raised, None if all held.
        script: what was done to it, to be given back.
        faults: how often each kind was injected, and had an effect.
        sometimes: what was to be reached at least once over all runs, and whether this one did.
        unfit: what of a script that was given could not be done.
        hash: of its whole trace.
    """

    sim: Simulation
    seed: int
    script: Script
    error: Exception | None = None
    faults: dict[str, Counter[str]] = field(factory=dict)
    sometimes: dict[str, bool] = field(factory=dict)
    unfit: list[str] = field(factory=list)

    @property
    def identity(self) -> Identity | None:
        """Which failure it is, None if it is none."""
        return None if self.error is None else identity_of(self.error)

    @property
    def hash(self) -> str:
        """The hash of its trace."""
        return self.sim.trace.hash()


def drawn(
    scenario: Scenario, seed: int, script: Script, faults: dict[str, Fault], setting: Setting, *, note: bool = False
) -> Outcome:
    """Run it with faults that the seed draws. `note`: the exceptions from the calm order are in the outcome, too."""
    order = order_of(seed, script)
    noting = Noting(order) if note else None
    return _live(
        scenario, seed, script, setting, noting or order, lambda injector: injector.draw(faults), noting
    )


def replayed(
    scenario: Scenario, seed: int, script: Script, setting: Setting, *, note: bool = False, go_on: bool = False
) -> Outcome:
    """Run it with the faults and the order of a script. `go_on`: from the first fault that does not fit any more, in
    the order of its seed.
    """
    order = order_of(seed, script)
    afterwards = Until(order, order_of(seed, script.but(order=None)))
    noting = Noting(order) if note else None

    def follow(injector: Injector) -> None:
        injector.on_unfit = afterwards.begin if go_on else injector.on_unfit
        injector.follow(script.faults)

    return _live(scenario, seed, script, setting, afterwards if go_on else noting or order, follow, noting)


def misfits(script: Script, outcome: Outcome) -> list[str]:
    """What of a script could not be done in the run that followed it, or made no difference, and why."""
    made = outcome.script.order or ()
    lost = [each for each in script.order or () if each not in made]
    return [*outcome.unfit, *(f"{each}: there is no such message, or nothing that it lets pass" for each in lost)]


def order_of(seed: int, script: Script) -> Order:
    """The order in which messages are delivered: as the script says, or as the seed draws it."""
    if script.order is not None:
        return Scripted(script.order)
    return Seeded(seed, script.share) if script.changes is None else Ranked(seed, script.changes)


def calm(
    scenario: Scenario, seed: int, script: Script, setting: Setting, prepare: Callable[[Simulation], object]
) -> Outcome:
    """Run it first in, first out, without faults but those that `prepare` makes."""
    return _live(scenario, seed, script, setting, Calm(), lambda injector: None, None, prepare, to_the_end=False)


def _live(
    scenario: Scenario,
    seed: int,
    script: Script,
    setting: Setting,
    order: Order,
    disturb: Callable[[Injector], None],
    noting: Noting | None,
    prepare: Callable[[Simulation], object] = lambda sim: None,
    *,
    to_the_end: bool = True,
) -> Outcome:
    sim = Simulation(seed, settings=setting.settings, latency=script.latency, order=order)
    outcome = Outcome(sim=sim, seed=seed, script=script)
    run = watched(sim, setting, to_the_end=to_the_end)
    injector = run.injector
    disturb(injector)
    prepare(sim)
    try:
        with _current(run), uncollected():
            refuse_unrun(scenario(sim))
            run.end()
        sim.runtime.user_errors.raise_first()
    except NothingRun:
        raise
    except SystemExit as end:
        said = f"it has ended its program, with SystemExit({end.code!r})"
        outcome.error = Exited(said).with_traceback(end.__traceback__)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what this run came to
        outcome.error = error
    injector.stop()
    outcome.script = script.but(
        faults=injector.script(), order=script.order if noting is None else tuple(noting.exceptions)
    )
    outcome.faults = injector.tally()
    outcome.sometimes = {name: one.reached for name, one in sim.stated.sometimes.items()}
    outcome.unfit = injector.unfit
    _describe(outcome)
    return outcome


def watched(sim: Simulation, setting: Setting, *, to_the_end: bool = True) -> Running:
    """Let checkers look at a simulation from its beginning, and raise what they find from whatever lets things happen.

    Nobody makes faults in it yet. `to_the_end`: in the end it is given the time to finish what is under way.
    """
    makers: tuple[Callable[[], Checker], ...] = (*STANDARD, *setting.besides)
    run = Running(sim, Injector(sim), Checkers(sim, [make() for make in makers], without=setting.without), to_the_end)
    run.checkers.on_found = run.found
    run.injector.on_undo = run.wait_for_answers
    return run


def _describe(outcome: Outcome) -> None:
    """Let the head of the trace say what was done to the run, and what did not hold."""
    trace, script, error = outcome.sim.trace, outcome.script, outcome.error
    failure = None
    if error is not None:
        check, said = str(identity_of(error)), raised(error).error
        failure = TraceFailure(check=check, words=said, time=outcome.sim.now, index=len(trace) - 1)
    trace.describe(script=lines_of(script, outcome.seed), failure=failure)


def lines_of(script: Script, seed: int) -> tuple[str, ...]:
    """A script as text: the code that does each fault and when, and what is an exception from first in, first out."""
    lines = []
    for fault in script.faults:
        lasts = "" if fault.lasts is None else f"  # for {fault.lasts:g} s"
        events = f" and {fault.events} events" if fault.events else ""
        lines.append(f"at {fault.at:g} s{events}: {code_of(fault)}{lasts}")
    lines += [str(postponed) for postponed in script.order or ()]
    if script.order is None:
        lines.append(f"messages in the order of seed {seed}")
    return tuple(lines)


def _finish(sim: Simulation, checkers: Checkers) -> None:
    """Everything is mended: see whether all comes to its end, and give it as long as that may take.

    One seed in four goes on until nobody can feel a fault any more: what is overdue shows only then.
    """
    if sim.started is None:
        return
    if draw(stream(sim.seed, "long"), 0) < LONG:
        sim.advance(max(0.0, checkers.quiet_from - sim.now) + SOON_S)
    # An agent that a new leader only knows of is given up after its time to come back; then nothing is left to come.
    last = sim.now + max(sim.settings.agent_reregister_timeout_s + checkers.recovery_s, PATIENCE_S)
    sim.advance(SOON_S)
    while (unfinished := checkers.unfinished()) or checkers.under_way(last):
        if unfinished and sim.now >= last:
            raise CheckerViolated(unfinished[0])
        sim.advance(SOON_S)


@contextlib.contextmanager
def _current(run: Running) -> Iterator[None]:
    token = _CURRENT.set(run)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector of cyclic garbage out of a run, unless that fills the memory.

    When it comes depends on what the process did before, and so would the moment at which it calls a finalizer: a run
    would be no function of its seed. And it would find nothing before the end, but look through all that there is again
    and again, for a quarter of the time. What a run leaves is freed after it.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def identity_of(error: BaseException) -> Identity:
    """What tells this failure from others."""
    if isinstance(error, CheckerViolated):
        return Identity(f"checker {error.violation.checker}")
    if isinstance(error, PropertyViolated):
        return Identity(f"property {error.name}")
    place = _place(error)
    return Identity(type(error).__name__, f"{place.filename}:{place.lineno}" if place else "")


def line_of(error: BaseException) -> str:
    """The line of code that raised it, for an error that says nothing, as a bare assert; "" if it is not there."""
    place = _place(error)
    return (place.line or "") if place else ""


def _place(error: BaseException) -> traceback.FrameSummary | None:
    """Where it was raised. Of what we raise at a user's call, and of what user code raised, that is the user's line."""
    if isinstance(error, MesoliteError) and isinstance(error.__cause__, Exception):
        return _place(error.__cause__) or _last_frame(error)
    return _last_frame(error)


def _last_frame(error: BaseException) -> traceback.FrameSummary | None:
    frames = list(traceback.extract_tb(error.__traceback__))
    if isinstance(error, MesoliteError):
        frames = [each for each in frames if not pathlib.Path(each.filename).is_relative_to(OURS)] or frames
    return frames[-1] if frames else None
