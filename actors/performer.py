"""The performer: give the event to the core, record both, carry out the effects in order. It decides nothing."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    CancelTimer,
    Core,
    Destroy,
    Effect,
    Exit,
    Link,
    Load,
    Publish,
    Reply,
    Run,
    Save,
    Send,
    SetTimer,
    SignalWork,
    SpawnExecutor,
    TimerFired,
)
from mesolite.actors.decisions.operator import PlaceQuery
from mesolite.actors.runtime import hosting
from mesolite.actors.runtime.port import Seat, Timer
from mesolite.actors.trace import Routine, raised
from mesolite.messages.base import Query
from mesolite.messages.queries import QUERIES, QueryAnswered

LOOKING = frozenset({*QUERIES, QueryAnswered, PlaceQuery})
"""What comes of somebody looking. It is looked up for every event, so it is a set."""


class Performer:
    """Stands between one core and one runtime."""

    __slots__ = (
        "_draining", "_next_index", "_now", "_returned", "_runtime", "_send", "_trace", "core", "latest", "seat"
    )  # fmt: skip

    def __init__(self, seat: Seat, core: Core) -> None:
        """Perform for this seat, whose actor runs user code if it has any."""
        self.seat = seat
        self.core = core
        self._runtime = seat.runtime
        self._now = seat.runtime.now
        self._send = seat.runtime.send
        self._next_index = seat.runtime.trace.next_index
        self._trace = seat.runtime.trace
        self._returned: list[tuple[CallbackReturned, str, int]] = []
        self._draining = False
        self.latest = -1
        """The record that user code was last called in, or that the core raised at."""

    def perform(self, event: object, sender: str, cause: int) -> None:
        """Let the core decide on one event, and do what it wants; user code that has returned is the next event."""
        seat = self.seat
        kind: type = type(event)
        if kind is Timer:
            timer: Any = event
            # Between coming due and being handled it may have been cancelled or set again (core.md LP-33, LP-34).
            if not timer.live:
                return
            seat.timers.pop(timer.key, None)  # on threads the party may be ended from outside at this moment
            kind = Routine if timer.key.PERIODIC else TimerFired
            event = TimerFired(timer.key)
        elif kind in LOOKING:
            self._perform_unseen(event, sender)
            return
        now = self._now()
        try:
            effects = self.core.handle(event, sender, now)
        except BaseException as error:
            # What ends a party is the first thing to look for in its story.
            said = (raised(error),)
            self.latest = self._trace.record(now, seat.name, sender, event, said, cause, seat.incarnation)
            raise
        index = self._next_index()
        self._trace.keepers[kind]((index, now, seat.name, sender, event, effects, cause, seat.incarnation))
        for effect in effects:
            if type(effect) is Send:
                self._send(seat, effect.to, effect.message, index)
            elif type(effect) is SetTimer:
                key, after_s, spread_s = effect
                self._runtime.set_timer(seat, key, after_s, spread_s, index)
            elif type(effect) is CancelTimer:
                self._runtime.cancel_timer(seat, effect.key)
            else:
                self._carry_out(effect, index)
                if not seat.alive:
                    return  # it has ended: what it wanted after that is void
        if self._returned and not self._draining:
            # Not before the effects are carried out, and one after another: a long row of callbacks must not nest.
            self._draining = True
            while self._returned and seat.alive:
                self.perform(*self._returned.pop(0))
            self._draining = False

    def _perform_unseen(self, event: Any, sender: str) -> None:
        """Answer who only looks, or pass the answer on: it leaves no record, unless the core raises at it."""
        now = self._now()
        try:
            if isinstance(event, Query):
                answer = self.core.answer(event, now)
                effects: list[Effect] = [] if answer is None else [Send(sender, answer)]
            else:
                effects = self.core.handle(event, sender, now)
        except BaseException as error:
            self._trace.record(now, self.seat.name, sender, event, (raised(error),), -1)
            raise
        for effect in effects:
            if type(effect) is Send:
                self._send(self.seat, effect.to, effect.message, -1)
            else:
                self._carry_out(effect, -1)

    def _carry_out(self, effect: Effect, index: int) -> None:
        seat, runtime = self.seat, self._runtime
        match effect:
            case Callback():
                self.latest = index
                self._returned.append((seat.actor.call_user_code(effect), seat.name, index))
            case Save(changes, term, tag):
                runtime.save(seat, changes, term, tag, index)
            case Link(peer):
                runtime.link(seat, peer, index)
            case Run():
                runtime.run(seat, effect, index)
            case SignalWork(work_id, signum):
                runtime.signal_work(seat, work_id, signum, index)
            case SpawnExecutor(name, start):
                hosting.spawn(seat, name, start, index)
            case Destroy(name):
                hosting.destroy(seat, name, index)
            case Publish(fact):
                runtime.events.publish(fact, seat.name, seat.incarnation)
            case Reply(answer):
                seat.actor.reply(answer)
            case Load(term):
                runtime.load(seat, term, index)
            case Exit(reason, status):
                runtime.exit(seat, status, reason, index)
            case _:
                raise TypeError(f"{effect!r} is not an effect of the contract (actors/decisions/contract.py)")
