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
from mesolite.actors.runtime.port import ActorContext, Timer
from mesolite.actors.trace import Routine, raised
from mesolite.messages.base import Query
from mesolite.messages.queries import QUERIES, QueryAnswered

LOOKING = frozenset({*QUERIES, QueryAnswered, PlaceQuery})
"""What comes of somebody looking. It is looked up for every event, so it is a set."""


class Performer:
    """Stands between one core and one runtime."""

    __slots__ = (
        "_draining",
        "_next_index",
        "_now",
        "_returned",
        "_runtime",
        "_send",
        "_trace",
        "context",
        "core",
        "latest"
    )  # fmt: skip

    def __init__(self, context: ActorContext, core: Core) -> None:
        """Perform for this context, whose actor runs user code if it has any."""
        self.context = context
        self.core = core
        self._runtime = context.runtime
        self._now = context.runtime.now
        self._send = context.runtime.send
        self._next_index = context.runtime.trace.next_index
        self._trace = context.runtime.trace
        self._returned: list[tuple[CallbackReturned, str, int]] = []
        self._draining = False
        self.latest = -1
        """The record that user code was last called in, or that the core raised at."""

    def perform(self, event: object, sender: str, cause: int) -> None:
        """Let the core decide on one event, and do what it wants; user code that has returned is the next event."""
        context = self.context
        kind: type = type(event)
        if kind is Timer:
            timer: Any = event
            # Between coming due and being handled it may have been cancelled or set again (core.md LP-33, LP-34).
            if not timer.live:
                return
            context.timers.pop(timer.key, None)  # on threads the actor may be ended from outside at this moment
            kind = Routine if timer.key.PERIODIC else TimerFired
            event = TimerFired(timer.key)
        elif kind in LOOKING:
            self._perform_unseen(event, sender)
            return
        now = self._now()
        try:
            effects = self.core.handle(event, sender, now)
        except BaseException as error:
            # What ends an actor is the first thing to look for in its story.
            said = (raised(error),)
            self.latest = self._trace.record(now, context.name, sender, event, said, cause, context.incarnation)
            raise
        index = self._next_index()
        self._trace.keepers[kind]((index, now, context.name, sender, event, effects, cause, context.incarnation))
        for effect in effects:
            if type(effect) is Send:
                self._send(context, effect.to, effect.message, index)
            elif type(effect) is SetTimer:
                key, after_s, spread_s = effect
                self._runtime.set_timer(context, key, after_s, spread_s, index)
            elif type(effect) is CancelTimer:
                self._runtime.cancel_timer(context, effect.key)
            else:
                self._carry_out(effect, index)
                if not context.alive:
                    return  # it has ended: what it wanted after that is void
        if self._returned and not self._draining:
            # Not before the effects are carried out, and one after another: a long row of callbacks must not nest.
            self._draining = True
            while self._returned and context.alive:
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
            self._trace.record(now, self.context.name, sender, event, (raised(error),), -1)
            raise
        for effect in effects:
            if type(effect) is Send:
                self._send(self.context, effect.to, effect.message, -1)
            else:
                self._carry_out(effect, -1)

    def _carry_out(self, effect: Effect, index: int) -> None:
        context, runtime = self.context, self._runtime
        match effect:
            case Callback():
                self.latest = index
                self._returned.append((context.actor.call_user_code(effect), context.name, index))
            case Save(changes, term, tag):
                runtime.save(context, changes, term, tag, index)
            case Link(peer):
                runtime.link(context, peer, index)
            case Run():
                runtime.run(context, effect, index)
            case SignalWork(work_id, signum):
                runtime.signal_work(context, work_id, signum, index)
            case SpawnExecutor(name, start):
                hosting.spawn(context, name, start, index)
            case Destroy(name):
                hosting.destroy(context, name, index)
            case Publish(fact):
                runtime.events.publish(fact, context.name, context.incarnation)
            case Reply(answer):
                context.actor.reply(answer)
            case Load(term):
                runtime.load(context, term, index)
            case Exit(reason, status):
                runtime.exit(context, status, reason, index)
            case _:
                raise TypeError(f"{effect!r} is not an effect of the contract (actors/decisions/contract.py)")
