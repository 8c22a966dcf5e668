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
from mesolite.actors.errors import PartyFailed
from mesolite.actors.runtime.disk import Disk, Fate
from mesolite.actors.runtime.event_stream import EventStream
from mesolite.actors.runtime.hosting import no_executors
from mesolite.actors.runtime.port import ActorFactory, Birth, Delivery, Place, Seat, Timer
from mesolite.actors.runtime.pykka_inside import HostedActor, set_up, start_loop
from mesolite.actors.runtime.store import Changes, MemoryStore, StaleTerm, encoded
from mesolite.actors.trace import Ended, Trace, raised
from mesolite.messages.base import Message, Query
from mesolite.simulation.choices import Order, Seeded, draw, stream
from mesolite.simulation.dispatcher import Dispatcher
from mesolite.simulation.in_flight import Special
from mesolite.simulation.inbox import Stopped, VirtualInbox
from mesolite.simulation.moments import Loop, Moment
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
        self.store = MemoryStore(encoded=encoded_store)
        self.disks: dict[str, Disk] = {}
        self.events = EventStream()
        self.processes = SimulatedProcesses(self)
        self.give_birth: Callable[[str, ExecutorStart], Birth] = no_executors

    # ------------------------------------------------------------------------------------------------ parties

    def start(self, name: str, place: Place, make: ActorFactory, cause: int = -1) -> Seat:
        """Start a party; its first event is `Started`."""
        seat = self.directory.enter(self, name, place, make)
        start_loop(seat.actor)
        if seat.own_thread and seat.host != name:
            self.processes.executors[seat] = None
        self.post(seat, Started(name, seat.incarnation), cause=cause)
        return seat

    def situation(self) -> str:
        """Say in a few lines who is there, and what they may be waited for with."""
        return situation(list(self.directory), self.directory.ended(), self.processes.endless(), self.network)

    def end(self, seat: Seat, status: int, *, silent: bool = False, reason: str = "", cause: int = -1) -> None:
        """End a party at once. Its links break, unless it goes silently, as a machine without power does."""
        if not seat.alive:
            return
        self._timeline.called_off(len(seat.timers))
        self._standstill.to_come.difference_update(seat.timers.values())
        ended = Ended(status, reason, silent)
        index = self.trace.record(self._now, seat.name, seat.name, ended, (), cause, seat.incarnation)
        watchers = self.directory.leave(seat, index)
        self.in_flight.close(seat, self._now)
        host = self._find(seat.host)
        if host is not None:
            self.in_flight.forget(host, seat.name, self._now)  # an executor's name hardly ever comes back
        seat.actor.actor_stopped.set()
        self.processes.forget(seat)
        if seat.inbox.paused:
            self.resume(seat)  # what waits is refused, not kept
        if seat is not self._running and seat.inbox.empty():
            self.vacate(seat)  # or else after its loop, which refuses what is in the inbox
        if silent:
            return
        for watcher in watchers:
            news = PeerExited(seat.name, seat.incarnation, status, reason)
            self._put(seat.name, watcher.name, Special(news, watcher), index)

    # ------------------------------------------------------------------------------------------------ the port

    def inbox(self, seat: Seat) -> VirtualInbox:
        """Make an inbox."""
        return VirtualInbox(seat, self.runnable, self.bind)

    def begin(self, actor: HostedActor) -> None:
        """Run the actor's set-up; its loop is run whenever it has something to do."""
        stopped: Any = Stopped()
        actor.actor_stopped = actor.actor_ref.actor_stopped = stopped
        set_up(actor)

    def answer(self, name: str, query: Query) -> Message | None:
        """What that actor answers to a query: nobody is at work, so it is looked up at once, and nothing happens."""
        seat = self._find(name)
        return seat.actor.performer.core.answer(query, self._now) if seat is not None else None

    def failed(self, seat: Seat, error: BaseException, cause: int = -1) -> None:
        """Remember the failure, to raise it from whatever drives the simulation."""
        if self._failure is None:
            self._failure = PartyFailed(
                f"{seat.name} failed: {raised(error).error}\nthe last it saw:\n{self.trace.tail(seat.name)}"
            )
            self._failure.__cause__ = error
        self.end(seat, -1, cause=cause)

    def raise_failure(self) -> None:
        """Do nothing: it is raised by whatever drives the simulation, as soon as its event is handled in full."""

    def interrupted(self, seat: Seat, error: BaseException) -> None:
        """Remember that Ctrl-C or the like came in a handler; it is raised again from whatever drives us."""
        self._failure = error

    def send(self, seat: Seat, to: str, message: Message, cause: int) -> None:
        """Put it in flight."""
        channel = seat.outgoing.get(to)
        if channel is None:
            channel = self.in_flight.open(seat, to)
        # A Delivery made the short way: these lines run for every message.
        delivery = _new_tuple(Delivery, (message, seat.name, cause))
        if self._takes_time:
            self._post(channel, delivery)
        else:
            channel.sent = serial = channel.sent + 1
            self._put_in_flight(channel, serial, delivery)

    def set_timer(self, seat: Seat, key: TimerKey, after_s: float, spread_s: float, cause: int) -> None:
        """Set a timer; the seed draws the spread."""
        delay = after_s + (spread_s * self._jitter(seat, key) if spread_s else 0.0)
        timer = Timer(seat, key, self._now + delay, cause, after_s + spread_s if key.PERIODIC else 0.0)
        if key in seat.timers:
            self.cancel_timer(seat, key)
        seat.timers[key] = timer
        self._timeline.add(timer.deadline, timer)
        if not timer.period_s and delay < math.inf:
            self._standstill.to_come.add(timer)

    def _jitter(self, seat: Seat, key: TimerKey) -> float:
        begin, n = seat.jitters.get(key) or (stream(self._seed, "jitter", seat.name, seat.incarnation, key), 0)
        seat.jitters[key] = begin, n + 1
        return draw(begin, n)

    def cancel_timer(self, seat: Seat, key: TimerKey) -> None:
        """Let a timer never fire."""
        timer = seat.call_off(key)
        if timer is not None:
            self._standstill.to_come.discard(timer)
            self._timeline.called_off()

    def link(self, seat: Seat, peer: str, cause: int) -> None:
        """Watch a peer; if it is not there the news is due at once."""
        if not self.directory.link(seat, peer):
            news = PeerExited(peer, self.directory.incarnation(peer))
            self._put(peer, seat.name, Special(news, seat), cause)

    def load(self, seat: Seat, term: int, cause: int) -> None:
        """Read the store."""
        try:
            event: object = Loaded(self.store.load(seat.store, term), self.directory.beside(seat))
        except StaleTerm as stale:
            event = StoreRefused(str(stale))
        self._put(seat.name, seat.name, Special(event, seat), cause)

    def save(self, seat: Seat, changes: tuple[tuple[str, Any], ...], term: int, tag: str, cause: int) -> None:
        """Write the store; what becomes of it, the machine's disk says."""
        kept = encoded(seat.store, changes) if self.store.encoded else changes
        disk = self.disks.get(seat.host)
        if disk is None:
            self.write(seat, kept, term, tag, cause)
            return
        write = DiskWrite(self, disk, disk.take(self._now), seat, kept, term, tag, cause)
        if write.fate.due > self._now:
            self.at(write.fate.due, write)
        else:
            write.occur(self)

    def refuse_save(self, seat: Seat, reason: str, cause: int) -> None:
        """Say that a write was not made."""
        self._put(seat.name, seat.name, Special(StoreRefused(reason), seat), cause)

    def write(self, seat: Seat, kept: Changes, term: int, tag: str, cause: int) -> None:
        """Make a write, and say so."""
        event: object = Saved(tag)
        try:
            self.store.save(seat.store, kept, term)
        except StaleTerm as stale:
            event = StoreRefused(str(stale))
        if tag or isinstance(event, StoreRefused):
            self._put(seat.name, seat.name, Special(event, seat), cause)

    def run(self, seat: Seat, run: Run, cause: int) -> None:
        """Start simulated work."""
        self.processes.run(seat, run, cause)

    def signal_work(self, seat: Seat, work_id: str, signum: int, cause: int) -> None:
        """Signal simulated work."""
        self.processes.signal(work_id, signum, cause)

    def exit(self, seat: Seat, status: int, reason: str, cause: int) -> None:
        """End the party that asks."""
        self.directory.ends_itself(seat, reason)
        self.end(seat, status, reason=reason if status else "", cause=cause)


class DiskWrite(Moment):
    """A write that a disk of its own mind was given, and what becomes of it."""

    __slots__ = ("cause", "changes", "disk", "fate", "runtime", "seat", "tag", "term")

    def __init__(
        self,
        runtime: VirtualRuntime,
        disk: Disk,
        fate: Fate,
        seat: Seat,
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
        self.seat = seat
        self.changes = changes
        self.term = term
        self.tag = tag
        self.cause = cause

    def occur(self, loop: Loop) -> None:
        """Make it, or not; nothing if its actor died while the disk was at work."""
        if not self.seat.alive:
            return
        fate = self.disk.outcome(self.fate)
        if fate.refused:
            self.runtime.refuse_save(self.seat, fate.refused, self.cause)
        elif fate.stored:
            self.runtime.write(self.seat, self.changes, self.term, self.tag, self.cause)
        if fate.last:
            self.disk.crash()
