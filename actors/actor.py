"""MesosActor: what all actors of a cluster have in common. It gives events to a core, and performs its effects.

    runtime --Delivery--> on_receive --> handle --> core.handle(event, sender, now)
                                            |  <--  [Send, SetTimer, Save, ...]
                                            +--> trace, and the effects, through the port

It decides nothing. Each kind of actor has a file of its own beside this one, which says what its core hears and says.

libprocess has the same under these names:

    Process, ProtobufProcess    MesosActor: one mailbox, one message at a time
    PID, UPID                   the actor's name; its `context` is one life of it
    initialize, finalize        the events `Started` and, at those that linked to it, `PeerExited`
    install                     HANDLERS and TIMERS of a core (decisions/contract.py)
    send                        the effect Send
    link, exited                the effect Link, the event PeerExited
    delay, Clock::cancel        the effects SetTimer and CancelTimer
    spawn, terminate            start and end of the runtime (runtime/port.py)

What Pykka promises holds: `ActorRef.tell`, `ask` and `stop`, `on_receive`, `on_failure`. A runtime gives each actor its
inbox and runs its loop (runtime/pykka_inside.py).
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    CancelTimer,
    Core,
    Destroy,
    Effect,
    ExecutorStart,
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
    SpawnFailed,
    TimerFired,
)
from mesolite.actors.decisions.operator import PlaceQuery
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import ActorContext, Delivery, Timer
from mesolite.actors.runtime.pykka_inside import HostedActor
from mesolite.actors.trace import Routine, raised
from mesolite.messages.base import Query
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QUERIES, QueryAnswered

OUTSIDE = "outside"
"""Who a message is from when it was told to a ref directly, as a test does."""

LOOKING = frozenset({*QUERIES, QueryAnswered, PlaceQuery})
"""What comes of somebody looking. It is looked up for every event, so it is a set."""


class MesosActor(HostedActor):
    """A Pykka actor around one core. Subclasses say which core, and what user code or waiting thread is behind it."""

    # What every message needs is in slots: they take less memory and time than entries of each actor's dictionary.
    __slots__ = (
        "_busy",
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
        """Live on that context; the runtime starts the loop."""
        self.context = context
        super().__init__()
        runtime = context.runtime
        self.core = core
        self._runtime = runtime
        self._now = runtime.now
        self._send = runtime.send
        self._trace = runtime.trace
        self._next_index = runtime.trace.next_index
        self._returned: list[tuple[CallbackReturned, str, int]] = []
        self._busy = False
        self.latest = -1
        """The record that user code was last called in, or that the core raised at."""

    # ------------------------------------------------------------------------------------------------ Pykka's ways in

    def on_receive(self, message: Any) -> Any:
        """Handle what was delivered, or a bare event that somebody outside has told to the ref."""
        if type(message) is Delivery:
            self.handle(*message)
        else:
            self.handle(message, OUTSIDE, -1)
        return None

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Our own bug: the actor is gone, and the runtime says so loudly."""
        assert exception_value is not None
        self._runtime.failed(self.context, exception_value, self.latest)

    # ---------------------------------------------------------------------------------- what only some actors can do

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        """Run user code; only schedulers and executors have any."""
        raise TypeError(f"{self.context.name} has no user code to call {callback.callback!r} on")

    def reply(self, answer: CallAnswered | QueryAnswered) -> None:
        """Give an answer to whoever waits for it outside; only an operator's actor has anybody waiting."""
        raise TypeError(f"nobody waits at {self.context.name} for {type(answer).__name__} {answer.call_id}")

    # ---------------------------------------------------------------------------------------- performing the effects

    def handle(self, event: object, sender: str, cause: int) -> None:
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
            self._handle_unseen(event, sender)
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
                self._perform(effect, index)
                if not context.alive:
                    return  # it has ended: what it wanted after that is void
        if self._returned and not self._busy:
            # Not before the effects are performed, and one after another: a long row of callbacks must not nest.
            self._busy = True
            self._handle_returned()
            self._busy = False

    def _handle_returned(self) -> None:
        """Let the core know of callbacks that have returned, and of those that come of it, in order."""
        while self._returned:
            returned, self._returned = self._returned, []
            for event, sender, cause in returned:
                if self.context.alive:
                    self.handle(event, sender, cause)

    def _handle_unseen(self, event: Any, sender: str) -> None:
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
                self._perform(effect, -1)

    def _perform(self, effect: Effect, index: int) -> None:
        """Do what comes more rarely than messages and timers."""
        context, runtime = self.context, self._runtime
        match effect:
            case Callback():
                self.latest = index
                self._returned.append((self.call_user_code(effect), context.name, index))
            case Save(changes, term, tag):
                runtime.save(context, changes, term, tag, index)
            case Link(peer):
                runtime.link(context, peer, index)
            case Run():
                runtime.run(context, effect, index)
            case SignalWork(work_id, signum):
                runtime.signal_work(context, work_id, signum, index)
            case SpawnExecutor(name, start):
                self._spawn(name, start, index)
            case Destroy(name):
                self._destroy(name, index)
            case Publish(fact):
                runtime.events.publish(fact, context.name, context.incarnation)
            case Reply(answer):
                self.reply(answer)
            case Load(term):
                runtime.load(context, term, index)
            case Exit(reason, status):
                runtime.exit(context, status, reason, index)
            case _:
                raise TypeError(f"{effect!r} is not an effect of the contract (actors/decisions/contract.py)")

    def _spawn(self, name: str, start: ExecutorStart, cause: int) -> None:
        """Start an executor on this actor's machine; if that cannot be, the core is told why."""
        context, runtime = self.context, self._runtime
        try:
            make, place = runtime.executor_factory(context.host, start)
            runtime.start(name, place, make, cause)
        except (LookupError, Refused) as why:
            runtime.post(context, SpawnFailed(name, str(why.args[0])), cause=cause)

    def _destroy(self, name: str, cause: int) -> None:
        """End an actor of this machine, with everything it runs."""
        victim = self._runtime.directory.find(name)
        if victim is not None and victim.host == self.context.host:
            self._runtime.end(victim, -1, cause=cause)
