"""A set of checkers attached to one simulation: who sees what, and what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Any, NamedTuple

from attrs import define

from mesolite.actors.decisions.contract import LinkBroken, PeerExited, Send, Started, TimerFired
from mesolite.actors.decisions.master.timers import PingBatch
from mesolite.actors.errors import InvalidValue, MesoliteError, Refused
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.trace import HEARTBEATS, Disturbed, Done, Ended, Lost, Record
from mesolite.harness.checkers.checker import (
    ActorRole,
    Assumption,
    Checker,
    Family,
    Finding,
    How,
    Observer,
    Violation,
    wishes_of,
)
from mesolite.harness.checkers.models import Decided, Life
from mesolite.harness.checkers.reading import ROLES, Reader
from mesolite.harness.checkers.wishes import Wishes
from mesolite.messages.agent import AgentDrained, DrainAgent
from mesolite.messages.base import Message, OperatorCall
from mesolite.messages.operator import OPERATOR
from mesolite.messages.scheduler import AgentLost, InverseOffers, RescindInverseOffer, RescindOffer
from mesolite.simulation.network import SAID_AGAIN
from mesolite.simulation.simulation import Simulation

BEARABLE = (*SAID_AGAIN, DrainAgent, AgentDrained, RescindOffer, InverseOffers, RescindInverseOffer, AgentLost)
"""What may be dropped and be said again, or be missed by nobody but who looks whether everything was heard."""

BEATS = frozenset(HEARTBEATS)
"""After these nobody looks, nor after a timer that sends pings; looked up for every record."""

OF_NOBODY = frozenset({Done, Ended, Disturbed, Lost})
"""Kinds of records that no actor handles; looked up for every record."""

VIOLATIONS_MAX = 100
"""The first is what counts; so many are kept."""

LOOK_S = 1.0
"""How often somebody looks for what is overdue."""

Methods = tuple[Callable[..., None], ...]


class CheckerRaised(MesoliteError):
    """A checker has raised something: that is a fault of the checker, and of nobody whom it looks at."""


class Called(dict[type, Methods]):
    """What is called for something, by its kind: asked for when the first of a kind is seen, as a run sees but few."""

    def __init__(self, find: Callable[[type], Methods]) -> None:
        """Ask `find` once for each kind."""
        super().__init__()
        self._find = find

    def __missing__(self, kind: type) -> Methods:
        """The first of its kind."""
        found = self[kind] = self._find(kind)
        return found


class Table(NamedTuple):
    """What is called for the records of one role."""

    hears: Called
    says: Called
    does: Called
    afterwards: Methods


@define(eq=False)
class Known:
    """One life of an actor, and the table for it."""

    context: ActorContext
    core: Any
    table: Table


class Checkers:
    """The checkers of one simulation.

    Attributes:
        violations: what was found, the first first.
        tally: how often what happened, for whoever counts.
        quiet_from: nothing is disturbed any more, and everybody has had time, from then on.
        began_at: since when somebody watches.
        is_late: whether somebody was there before.
    """

    def __init__(self, sim: Simulation, checkers: Iterable[Checker], *, without: Iterable[str] = ()) -> None:
        """Watch this simulation from now on, before it has a cluster or afterwards.

        Raises:
            Refused: there is no checker of a name that is to be left out.
        """
        self.sim = sim
        self.reader = Reader(sim.runtime.directory)
        self.decided, self.life, self.wishes = Decided(), Life(), Wishes()
        self.checkers: dict[str, Checker] = {}
        for checker in checkers:
            if self.checkers.setdefault(checker.name, checker) is not checker:
                raise InvalidValue(f"two checkers are named {checker.name!r}: give each a name of its own")
        self.violations: list[Violation] = []
        self._raised: CheckerRaised | None = None
        self.on_found: Callable[[], object] = lambda: None
        """Is called when the first of them is."""
        self.tally: Counter[str] = Counter()
        self.broken: dict[Assumption, None] = {}
        self.quiet_from = 0.0
        self.began_at, self.is_late = sim.now, len(sim.runtime.directory) > 0
        self._find = sim.runtime.directory.find
        self._known: dict[str, Known] = {}
        self._tables: dict[ActorRole, Table] = {}
        self._asked: dict[str, list[Checker]] = {}
        """Those that have something to say of what is overdue, of what is left in the end, and of when to ask."""
        self._next_look = 0.0
        self._hands: dict[int, None] = {}
        """The records of what hands did."""
        for observer in (self.decided, self.life, self.wishes, *self.checkers.values()):
            observer.attach(self)
        self._leave_out(without)
        self.detach = sim.trace.subscribe(self._see)
        """Watch no more."""

    # ------------------------------------------------------------------------------------------------- on and off

    def switch_off(self, name: str) -> None:
        """Let that checker look no more.

        Raises:
            Refused: there is none of that name.
        """
        self._leave_out([name])

    def no_longer(self, assumption: Assumption) -> None:
        """Something was done to the simulation that ends an assumption: whoever relies on it judges no more."""
        if assumption not in self.broken:
            self.broken[assumption] = None
            self._leave_out([name for name, checker in self.checkers.items() if assumption in checker.assumes])

    def disturbed(self, until: float | None = None) -> None:
        """Something is wrong until then, by default now: what has to be in time need not be, until all are back."""
        until = self.sim.now if until is None else until
        self.quiet_from = max(self.quiet_from, until + self.recovery_s)

    @property
    def recovery_s(self) -> float:
        """So long after a fault has ended it is still felt: sessions, pings, retries."""
        settings = self.sim.settings
        return settings.silence_noticed_s + settings.registration_backoff_max_s + settings.subscription_backoff_max_s

    # -------------------------------------------------------------------------------------------------- what is found

    def report(self, violation: Violation) -> None:
        """Keep what was found."""
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(violation)
        if len(self.violations) == 1:
            self.on_found()

    @property
    def first(self) -> Violation | None:
        """What was found first, None if nothing was.

        Raises:
            CheckerRaised: a checker has raised, so nobody knows.
        """
        if self._raised is not None:
            raise self._raised
        return self.violations[0] if self.violations else None

    def _fails(self, checker: object, error: Exception) -> None:
        """A checker has raised: whoever is being looked at has nothing to do with it."""
        if self._raised is None:
            name = getattr(checker, "name", type(checker).__name__)
            self._raised = CheckerRaised(f"the checker {name} has raised {type(error).__name__}: {error}")
            self._raised.__cause__ = error
            self.on_found()

    def _findings(self, checker: Checker, found: Callable[[], Iterable[Finding]]) -> list[Violation]:
        """What a checker says when it is asked."""
        try:
            return [checker.violation(text, *about) for text, about in found()]
        except Exception as error:  # noqa: BLE001  # it may be anybody's
            self._fails(checker, error)
            return []

    def look(self) -> None:
        """Look for what is overdue. It is looked at once a second by itself; somebody may want to know now."""
        now = self.sim.now
        if self._is_disturbed():
            self.disturbed()
        if now > self.quiet_from:
            for checker in self._asked["overdue"]:
                for violation in self._findings(checker, partial(checker.overdue, now)):
                    self.report(violation)

    def _is_disturbed(self) -> bool:
        runtime = self.sim.runtime
        return (
            (not runtime.network.plain and bool(runtime.network.faults()))
            or any(disk.faults for disk in runtime.disks.values())
            or any(context.inbox.paused for context in runtime.directory)
        )

    def unfinished(self) -> list[Violation]:
        """What does not hold if nothing more is to come, everything being mended.

        Raises:
            CheckerRaised: a checker has raised.
        """
        found = [each for checker in self._asked["calm"] for each in self._findings(checker, checker.calm)]
        if self._raised is not None:
            raise self._raised
        return found

    def under_way(self, until: float, family: Family | None = None) -> bool:
        """Whether a checker, or one of that family, waits for something that will be overdue by then, and is not."""
        return any(
            self.sim.now <= due <= until
            for checker in self._asked["due"]
            if family in (None, checker.family)
            for due in checker.due()
        )

    def leader(self) -> Any:
        """The state of the master that leads, None if none does."""
        name, core = self.decided.leader
        if core is not None and core.state.leading and self.reader.core(name) is core:
            return core.state
        return self.reader.leader()

    # ------------------------------------------------------------------------------------------------- every record

    def leads(self, core: Any) -> bool:
        """Whether this master leads, and no later one has read the registry."""
        return bool(core.state.leading and core.state.info.term >= self.decided.term)

    def _see(self, record: Record) -> None:
        """Show a record to whoever wants it. This runs for every message."""
        index, now, name, sender, event, effects, cause, _ = record
        kind = type(event)
        if kind in OF_NOBODY:
            self._of_nobody(index, event)
            return
        if cause < 0 or cause in self._hands:
            self._by_hand(event, sender)  # which may switch off who would judge by it
        known = self._known.get(name)
        if known is None or not known.context.alive:
            known = self._meet(name)
        core, table = known.core, known.table
        method: Any = None
        try:
            for method in table.hears[kind]:
                method(record, core)
            for effect in effects:
                if type(effect) is Send:
                    to, message = effect
                    for method in table.says[type(message)]:
                        method(record, core, message, to)
                else:
                    for method in table.does[type(effect)]:
                        method(record, core, effect)
            if table.afterwards and kind not in BEATS and (kind is not TimerFired or type(event.key) is not PingBatch):
                for method in table.afterwards:
                    method(record, core)
        except Exception as error:  # noqa: BLE001  # it may be anybody's
            self._fails(getattr(method, "__self__", self), error)
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self.look()

    def _meet(self, name: str) -> Known:
        context = self._find(name)
        assert context is not None, f"{name} handles something, and is not there"
        core = self.reader.core_of(context)
        known = self._known[name] = Known(context, core, self._tables[ROLES.get(type(core), ActorRole.OTHER)])
        return known

    def _of_nobody(self, index: int, event: Done | Ended | Disturbed | Lost) -> None:
        match event:
            case Lost():
                self._lost(event)
            case Done(verb=verb):
                self._hands[index] = None
                if verb == "probe":
                    self.no_longer(Assumption.HONEST)  # whoever it stands for does not do what such an actor does
            case Ended(silent=True):
                self.disturbed()  # nobody knows yet

    def _lost(self, lost: Lost) -> None:
        if lost.why == "dropped" and isinstance(lost.message, Message) and not isinstance(lost.message, HEARTBEATS):
            self.no_longer(Assumption.COMPLETE)
            if not isinstance(lost.message, BEARABLE):
                self.no_longer(Assumption.RELIABLE)

    def _by_hand(self, event: Any, sender: str) -> None:
        """Nothing led to it but hands: a life begins or ends, a link broke, an operator calls, somebody made it up."""
        kind = type(event)
        if kind is Started:
            if event.incarnation > 1:
                self.disturbed()
        elif kind is LinkBroken:
            self.disturbed()
        elif kind is PeerExited:
            if sender != event.name:
                self.no_longer(Assumption.HONEST)
        elif isinstance(event, Message) and not (isinstance(event, OperatorCall) and sender == OPERATOR):
            self.no_longer(Assumption.HONEST)

    # ---------------------------------------------------------------------------------------------------------- inside

    def _leave_out(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.checkers:
                near = get_close_matches(name, self.checkers, 1)
                known = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.checkers)}"
                raise Refused(f"there is no checker {name!r} to switch off; {known}")
            del self.checkers[name]
        self._fill()

    def _fill(self) -> None:
        """Say anew what is called for what."""
        for what in ("overdue", "calm", "due"):
            own = [each for each in self.checkers.values() if getattr(type(each), what) is not getattr(Checker, what)]
            self._asked[what] = own
        observers = (self.decided, self.life, self.wishes, *self.checkers.values())
        wishes = _wishes(tuple(map(type, observers)))

        def called(how: How, role: ActorRole, kind: type | None = None) -> Methods:
            return tuple(getattr(observers[place], name) for place, name in wishes.get((how, role, kind), ()))

        self._known.clear()
        for role in ActorRole:
            hears, says, does = (Called(partial(called, how, role)) for how in (How.HEARS, How.SAYS, How.DOES))
            self._tables[role] = Table(hears, says, does, called(How.AFTERWARDS, role))


@lru_cache(maxsize=64)  # most runs have the checkers of the run before
def _wishes(kinds: tuple[type[Observer], ...]) -> dict[tuple[How, ActorRole, type | None], list[tuple[int, str]]]:
    """What is to be called: the methods of observers of these kinds, by their names, after what they are called for."""
    wishes: dict[tuple[How, ActorRole, type | None], list[tuple[int, str]]] = {}
    for place, observer in enumerate(kinds):
        for name, function in [each for owner in reversed(observer.__mro__) for each in vars(owner).items()]:
            for how, role, wished in wishes_of(function):
                for kind in wished or (None,):
                    wishes.setdefault((how, role, kind), []).append((place, name))
    return wishes

