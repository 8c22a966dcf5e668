"""The virtual runtime: one thread, virtual time, and a seed that chooses what happens next.

Actors are ordinary Pykka actors; an inbox whose `put` posts to the dispatcher (dispatcher.py) is all that differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mesolite.actors.decisions.contract import (
    ExecutorStart,
    Loaded,
    PeerExited,
    Run,
    Saved,
    Started,
    StoreRefused,
    TimerKey,
)
from mesolite.actors.errors import ActorFailed
from mesolite.actors.runtime.disk import Disk, Fate
from mesolite.actors.runtime.event_stream import EventStream
from mesolite.actors.runtime.port import ActorContext, ActorFactory, Delivery, NewActor, Placement, Timer, no_executors
from mesolite.actors.runtime.pykka_inside import HostedActor, set_up, start_loop
from mesolite.actors.runtime.store import Changes, MemoryStore, StaleTerm, encoded, unwritten
from mesolite.actors.trace import Ended, Trace, raised
from mesolite.messages.base import Message, Query
from mesolite.simulation.choices import Order, Seeded, draw, stream
from mesolite.simulation.dispatcher import Dispatcher
from mesolite.simulation.in_flight import Directed
from mesolite.simulation.inbox import VirtualInbox
from mesolite.simulation.scheduled_actions import Loop, ScheduledAction
from mesolite.simulation.standstill import situation
from mesolite.simulation.work import SimulatedProcesses

_new_tuple: Any = tuple.__new__


class VirtualRuntime(Dispatcher):
    """Implements the port (actors/runtime/port.py) on a dispatcher."""

    def __init__(
        self,
        seed: int,
        trace: Trace,
        latency_s: tuple[float, float] = (0.0, 0.0),
        standstill_s: float = 0.0,
        encoded_store: bool = True,
        order: Order | None = None,
    ) -> None:
        """Start at time 0 with nobody there. A message takes a random time within `latency_s`; by default none."""
        super().__init__(seed, trace, latency_s, standstill_s, order or Seeded(seed))
        self.store = MemoryStore()
        self._encodes = encoded_store
        self.disks: dict[str, Disk] = {}
        self.events = EventStream()
        self.processes = SimulatedProcesses(self)
        self.executor_factory: Callable[[str, ExecutorStart], NewActor] = no_executors

    # ------------------------------------------------------------------------------------------------ actors

    def start(self, name: str, place: Placement, make: ActorFactory, cause: int = -1) -> ActorContext:
        """Start an actor; its first event is `Started`."""
        context = self.directory.enter(self, name, place, make)
        start_loop(context.actor)
        if context.own_thread and context.host != name:
            self.processes.executors[context] = None
        self.post(context, Started(name, context.incarnation), cause=cause)
        return context

    def situation(self) -> str:
        """Say in a few lines who is there, and what they may be waited for with."""
        return situation(list(self.directory), self.directory.ended(), self.processes.endless(), self.network)

    def end(
        self, context: ActorContext, status: int, *, silent: bool = False, reason: str = "", cause: int = -1
    ) -> None:
        """End an actor at once. Its links break, unless it goes silently, as a machine without power does."""
        if not context.alive:
            return
        self._timeline.called_off(len(context.timers))
        self._standstill.to_come.difference_update(context.timers.values())
        ended = Ended(status, reason, silent)
        index = self.trace.record(self._now, context.name, context.name, ended, (), cause, context.incarnation)
        watchers = self.directory.leave(context, index)
        self.in_flight.close(context, self._now)
        host = self._find(context.host)
        if host is not None:
            self.in_flight.forget(host, context.name, self._now)  # an executor's name hardly ever comes back
        context.actor.actor_stopped.set()
        self.processes.forget(context)
        if context.inbox.paused:
            self.resume(context)  # what waits is refused, not kept
        if context is not self._running and context.inbox.empty():
            self.detach(context)  # or else after its loop, which refuses what is in the inbox
        if silent:
            return
        for watcher in watchers:
            news = PeerExited(context.name, context.incarnation, status, reason)
            self._put(context.name, watcher.name, Directed(news, watcher), index)

    # ------------------------------------------------------------------------------------------------ the port

    def post_here(self, context: ActorContext, event: object, sender: str = "") -> None:
        """The same as `post`: there is one thread."""
        self.post(context, event, sender)

    def inbox(self, context: ActorContext) -> VirtualInbox:
        """Make an inbox."""
        return VirtualInbox(context, self.runnable, self.bind)

    def begin(self, actor: HostedActor) -> None:
        """Run the actor's set-up; its loop is run whenever it has something to do."""
        set_up(actor)

    def answer(self, name: str, query: Query) -> Message | None:
        """What that actor answers to a query: nobody is at work, so it is looked up at once, and nothing happens."""
        context = self._find(name)
        return context.actor.core.answer(query, self._now) if context is not None else None

    def failed(self, context: ActorContext, error: BaseException, cause: int = -1) -> None:
        """Remember the failure, to raise it from whatever drives the simulation."""
        if self._failure is None:
            self._failure = ActorFailed(
                f"{context.name} failed: {raised(error).error}\nthe last it saw:\n{self.trace.tail(context.name)}"
            )
            self._failure.__cause__ = error
        self.end(context, -1, cause=cause)

    def raise_failure(self) -> None:
        """Do nothing: it is raised by whatever drives the simulation, as soon as its event is handled in full."""

    def interrupted(self, context: ActorContext, error: BaseException) -> None:
        """Remember that Ctrl-C or the like came in a handler; it is raised again from whatever drives us."""
        self._failure = error

    def send(self, context: ActorContext, to: str, message: Message, cause: int) -> None:
        """Put it in flight."""
        channel = context.outgoing.get(to)
        if channel is None:
            channel = self.in_flight.open(context, to)
        # A Delivery made the short way: these lines run for every message.
        delivery = _new_tuple(Delivery, (message, context.name, cause))
        if self._takes_time:
            self._post(channel, delivery)
        else:
            channel.sent = serial = channel.sent + 1
            self._put_in_flight(channel, serial, delivery)

    def set_timer(self, context: ActorContext, key: TimerKey, after_s: float, spread_s: float, cause: int) -> None:
        """Set a timer; the seed draws the spread."""
        delay = after_s + (spread_s * self._jitter(context, key) if spread_s else 0.0)
        timer = Timer(context, key, self._now + delay, cause, after_s + spread_s if key.PERIODIC else 0.0)
        if key in context.timers:
            self.cancel_timer(context, key)
        context.timers[key] = timer
        self._timeline.add(timer.deadline, timer)
        if not timer.period_s and delay < math.inf:
            self._standstill.to_come.add(timer)

    def _jitter(self, context: ActorContext, key: TimerKey) -> float:
        begin, n = context.jitters.get(key) or (stream(self._seed, "jitter", context.name, context.incarnation, key), 0)
        context.jitters[key] = begin, n + 1
        return draw(begin, n)

    def cancel_timer(self, context: ActorContext, key: TimerKey) -> None:
        """Let a timer never fire."""
        timer = context.call_off(key)
        if timer is not None:
            self._standstill.to_come.discard(timer)
            self._timeline.called_off()

    def link(self, context: ActorContext, peer: str, cause: int) -> None:
        """Watch a peer; if it is not there the news is due at once."""
        if not self.directory.link(context, peer):
            news = PeerExited(peer, self.directory.incarnation(peer))
            self._put(peer, context.name, Directed(news, context), cause)

    def load(self, context: ActorContext, term: int, cause: int) -> None:
        """Read the store."""
        try:
            event: object = Loaded(self.store.load(context.store, term), self.directory.beside(context))
        except StaleTerm as stale:
            event = StoreRefused(str(stale))
        self._put(context.name, context.name, Directed(event, context), cause)

    def save(
        self, context: ActorContext, changes: tuple[tuple[str, Any], ...], term: int, tag: str, cause: int
    ) -> None:
        """Write the store; what becomes of it, the machine's disk says."""
        kept = encoded(context.store, changes) if self._encodes else unwritten(changes)
        disk = self.disks.get(context.host)
        if disk is None:
            self.write(context, kept, term, tag, cause)
            return
        write = DiskWrite(self, disk, disk.take(self._now), context, kept, term, tag, cause)
        if write.fate.due > self._now:
            self.at(write.fate.due, write)
        else:
            write.occur(self)

    def refuse_save(self, context: ActorContext, reason: str, cause: int) -> None:
        """Say that a write was not made."""
        self._put(context.name, context.name, Directed(StoreRefused(reason), context), cause)

    def write(self, context: ActorContext, kept: Changes, term: int, tag: str, cause: int) -> None:
        """Make a write, and say so."""
        event: object = Saved(tag)
        try:
            self.store.save(context.store, kept, term)
        except StaleTerm as stale:
            event = StoreRefused(str(stale))
        if tag or isinstance(event, StoreRefused):
            self._put(context.name, context.name, Directed(event, context), cause)

    def run(self, context: ActorContext, run: Run, cause: int) -> None:
        """Start simulated work."""
        self.processes.run(context, run, cause)

    def signal_work(self, context: ActorContext, work_id: str, signum: int, cause: int) -> None:
        """Signal simulated work."""
        self.processes.signal(work_id, signum, cause)

    def processes_of(self, work_id: str) -> list[int]:
        """None: nothing is a process here."""
        return []

    def exit(self, context: ActorContext, status: int, reason: str, cause: int) -> None:
        """End the actor that asks."""
        self.directory.ends_itself(context, reason)
        self.end(context, status, reason=reason if status else "", cause=cause)


class DiskWrite(ScheduledAction):
    """A write that a disk of its own mind was given, and what becomes of it."""

    __slots__ = ("cause", "changes", "context", "disk", "fate", "runtime", "tag", "term")

    def __init__(
        self,
        runtime: VirtualRuntime,
        disk: Disk,
        fate: Fate,
        context: ActorContext,
        changes: Changes,
        term: int,
        tag: str,
        cause: int,
    ) -> None:
        """Let that disk write these changes of that actor."""
        super().__init__()
        self.runtime = runtime
        self.disk = disk
        self.fate = fate
        self.context = context
        self.changes = changes
        self.term = term
        self.tag = tag
        self.cause = cause

    def occur(self, loop: Loop) -> None:
        """Make it, or not; nothing if its actor died while the disk was at work."""
        if not self.context.alive:
            return
        fate = self.disk.outcome(self.fate)
        if fate.refused:
            self.runtime.refuse_save(self.context, fate.refused, self.cause)
        elif fate.stored:
            self.runtime.write(self.context, self.changes, self.term, self.tag, self.cause)
        if fate.last:
            self.disk.crash()
