"""The virtual runtime: one thread, virtual time, and a seed that chooses what happens next.

Actors are ordinary Pykka actors; an inbox whose `put` posts to this dispatcher is all that differs. Time moves only
when nothing is runnable, and only to the next live timer. Nothing is ever run inside the call that moves the clock.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pykka

from mesolite.actors.decisions.contract import (
    ExecutorStart,
    Loaded,
    PeerExited,
    Run,
    Saved,
    SpawnFailed,
    Started,
    StoreRefused,
    TimerKey,
)
from mesolite.actors.errors import EndlessLoop, NameTaken, NothingToWaitFor, PartyFailed, WouldBlock, WrongThread
from mesolite.actors.role import Failed, Role
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import ActorFactory, Birth, Delivery, Place, Seat, Timer
from mesolite.actors.runtime.store import MemoryStore, StaleTerm
from mesolite.actors.trace import Lost, Trace
from mesolite.messages.base import Message
from mesolite.simulation.inbox import Idle, VirtualInbox
from mesolite.simulation.network import Network, Parcel, Verdict
from mesolite.simulation.timeline import Moment, Timeline
from mesolite.simulation.under_way import UnderWay
from mesolite.simulation.work import SimulatedProcesses

STEPS_PER_INSTANT = 1_000_000
"""More events than this without time passing is taken for an endless loop."""

SAME_INSTANT_S = 1e-9
"""Sums of seconds are not exact: what is due so shortly after the end of an advance is due at its end."""

_new_tuple: Any = tuple.__new__


class Special(NamedTuple):
    """Something under way that is not simply for whoever has the name when it arrives, or not for the network to judge.

    `seat`: an answer or a piece of news for one life of a party; its successor under that name must not get it.
    """

    event: object
    seat: Seat | None = None
    judged: bool = False


def _no_executors(host: str, start: ExecutorStart) -> Birth:
    raise LookupError(f"nothing was said about how executors such as {start.executor_id} start on {host}")


class VirtualRuntime:
    """Implements the port (actors/runtime/port.py) on one thread and a clock of its own."""

    def __init__(self, seed: int, trace: Trace, latency_s: tuple[float, float] = (0.0, 0.0)) -> None:
        """Start at time 0 with nobody there. A message takes a random time within `latency_s`; by default none."""
        self.trace = trace
        self.network = Network()
        self.directory = Directory()
        self.store = MemoryStore()
        self.processes = SimulatedProcesses(self)
        self.runnable: deque[Seat] = deque()
        self.give_birth: Callable[[str, ExecutorStart], Birth] = _no_executors
        self._random = random.Random(seed)
        self._latency_s = latency_s
        self._now = 0.0
        self._thread = threading.get_ident()
        self._under_way = UnderWay()
        self._find = self.directory.find
        self._timeline = Timeline()
        self._arrivals: dict[tuple[str, str], float] = {}
        self._running: Seat | None = None
        self._failure: BaseException | None = None

    # ------------------------------------------------------------------------------------------------ parties

    def start(self, name: str, place: Place, make: ActorFactory, cause: int = -1) -> Seat:
        """Start a party; its first event is `Started`."""
        seat = self.directory.enter(self, name, place, make)
        seat.actor._start_actor_loop()  # noqa: SLF001  # Pykka's hook for runtimes
        self.post(seat, Started(name, seat.incarnation), cause=cause)
        return seat

    def end(self, seat: Seat, status: int, *, silent: bool = False) -> None:
        """End a party at once. Its links break, unless it goes silently, as a machine without power does."""
        if not seat.alive:
            return
        self._timeline.called_off(len(seat.timers))
        watchers = self.directory.leave(seat)
        seat.actor.actor_stopped.set()
        self.processes.forget(seat)
        if silent:
            return
        for watcher in watchers:
            news = PeerExited(seat.name, seat.incarnation, status)
            self._put(seat.name, watcher.name, Special(news, watcher), -1)

    def post(self, seat: Seat, event: object, sender: str = "", cause: int = -1) -> None:
        """Put a system event before one particular seat; if that life is over, nothing happens."""
        if seat.alive:
            seat.ref.tell(Delivery(event, sender, cause))

    # ------------------------------------------------------------------------------------------------ the port

    def now(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def inbox(self, seat: Seat) -> VirtualInbox:
        """Make an inbox."""
        return VirtualInbox(self, seat)

    def begin(self, actor: Role) -> None:
        """Run the actor's set-up; its loop is run whenever it has something to do."""
        actor._actor_loop_setup()  # noqa: SLF001  # Pykka's loop, run by this dispatcher instead of a thread

    def failed(self, seat: Seat, error: BaseException) -> None:
        """Remember the failure, to raise it from whatever drives the simulation."""
        if self._failure is None:
            self._failure = PartyFailed(
                f"{seat.name} failed: {type(error).__name__}: {error}\nthe last it saw:\n{self.trace.tail(seat.name)}"
            )
            self._failure.__cause__ = error
        self.end(seat, -1)

    def interrupted(self, seat: Seat, error: BaseException) -> None:
        """Remember that Ctrl-C or the like came in a handler; it is raised again from whatever drives us."""
        self._failure = error

    def send(self, seat: Seat, to: str, message: Message, cause: int) -> None:
        """Put it under way."""
        if self._latency_s[1] > 0.0:
            self._put(seat.name, to, message, cause)
        else:
            # A Delivery made the short way: this line runs for every message.
            self._under_way.put(seat.name, to, _new_tuple(Delivery, (message, seat.name, cause)))

    def set_timer(self, seat: Seat, key: TimerKey, after_s: float, spread_s: float, cause: int) -> None:
        """Set a timer; the seed draws the spread."""
        delay = after_s + (self._random.random() * spread_s if spread_s else 0.0)
        timer = Timer(seat, key, self._now + delay, cause)
        if key in seat.timers:
            self._timeline.called_off(1)
        seat.timers[key] = timer
        self._timeline.add(timer.deadline, timer)

    def link(self, seat: Seat, peer: str, cause: int) -> None:
        """Watch a peer; if it is not there the news is due at once."""
        if not self.directory.link(seat, peer):
            news = PeerExited(peer, self.directory.incarnation(peer))
            self._put(peer, seat.name, Special(news, seat), cause)

    def load(self, seat: Seat, term: int, cause: int) -> None:
        """Read the store."""
        try:
            event: object = Loaded(self.store.load(seat.store, term))
        except StaleTerm as stale:
            event = StoreRefused(str(stale))
        self._put(seat.name, seat.name, Special(event, seat), cause)

    def save(self, seat: Seat, changes: tuple[tuple[str, Any], ...], term: int, tag: str, cause: int) -> None:
        """Write the store."""
        event: object = Saved(tag)
        try:
            self.store.save(seat.store, changes, term)
        except StaleTerm as stale:
            event = StoreRefused(str(stale))
        if tag or isinstance(event, StoreRefused):
            self._put(seat.name, seat.name, Special(event, seat), cause)

    def spawn(self, seat: Seat, name: str, start: ExecutorStart, cause: int) -> None:
        """Start an executor on the same machine."""
        try:
            make, place = self.give_birth(seat.host, start)
            self.start(name, place, make, cause)
        except (LookupError, NameTaken) as why:
            self.post(seat, SpawnFailed(name, str(why.args[0])), cause=cause)

    def destroy(self, seat: Seat, name: str, cause: int) -> None:
        """End a party of the same machine."""
        victim = self.directory.find(name)
        if victim is not None and victim.host == seat.host:
            self.end(victim, -1)

    def run(self, seat: Seat, run: Run, cause: int) -> None:
        """Start simulated work."""
        self.processes.run(seat, run)

    def signal_work(self, seat: Seat, work_id: str, signum: int) -> None:
        """Signal simulated work."""
        self.processes.signal(work_id, signum)

    def exit(self, seat: Seat, status: int, reason: str) -> None:
        """End the party that asks."""
        self.end(seat, status)

    # ------------------------------------------------------------------------------------------------ the loop

    def check_thread(self) -> None:
        """Refuse foreign threads.

        Raises:
            WrongThread: called from another thread than the one that made the simulation.
        """
        if threading.get_ident() != self._thread:
            raise WrongThread(
                "a simulation runs on one thread, and this call came from another; "
                "use driver.call_later(delay_s, function) to do something at a later virtual time"
            )

    def settle(self) -> None:
        """Let everything happen that is due now, until nobody has anything to do. No timer of the future fires.

        Raises:
            EndlessLoop: that never comes to an end.
            PartyFailed: a core raised.
            WouldBlock: called inside a handler.
        """
        self._enter()
        self._let_happen(None)

    def advance(self, seconds: float) -> None:
        """Let so much time pass, firing every timer on the way, in order, settling at each instant."""
        until = self._now + seconds
        self.settle()
        while (due := self._timeline.next()) is not None and due <= until + SAME_INSTANT_S:
            self._now = due
            self.settle()
        self._now = max(until, self._now)

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Let things happen, and time pass when nothing else can, until it is done; False if the time-out came first.

        Raises:
            NothingToWaitFor: there is no time-out, nothing is under way, and no timer is set.
        """
        self._enter()
        until = None if timeout is None else self._now + timeout
        while not self._let_happen(done):
            due = self._timeline.next()
            if until is not None and (due is None or due > until):
                self._now = until
                return False
            if due is None:
                raise NothingToWaitFor(
                    "nothing is under way and no timer is set, so this would wait for ever; give a timeout, or make "
                    "happen what is waited for first"
                )
            self._now = due
        return True

    def bind(self, future: pykka.Future[Any]) -> None:
        """Make a future's `get` drive this simulation."""
        if isinstance(future, PortFuture):
            future.pump = self._answer

    def release(self, parcels: list[Parcel]) -> None:
        """Put held parcels back under way, ahead of what came later, past the rules."""
        for sender, to, event, cause in reversed(parcels):
            self._under_way.put_first(sender, to, Delivery(Special(event, judged=True), sender, cause))

    # ------------------------------------------------------------------------------------------------ inside

    def _let_happen(self, done: Callable[[], bool] | None) -> bool:
        """Let things happen that are due now, one after another, until it is done (True) or none is left (False).

        This loop runs for every message: it keeps what it needs at hand, and calls as little as it can.
        """
        runnable, active, draw, network = self.runnable, self._under_way.active, self._random.random, self.network
        steps = 0
        while done is None or not done():
            if runnable:
                self._run(runnable.popleft())
            elif active:
                # The seed picks a channel; within it, order holds.
                index = int(draw() * len(active))
                channel = active[index]
                delivery = channel.deliveries.popleft()
                if not channel.deliveries:
                    active[index] = active[-1]
                    active.pop()
                if network.plain:
                    self._deliver(channel.to, delivery)
                else:
                    self._judge(channel.to, delivery)
            elif not self._fire():
                return False
            steps += 1
            if steps > STEPS_PER_INSTANT:
                raise EndlessLoop(
                    f"more than {STEPS_PER_INSTANT} events at {self._now:.3f} s without time passing; the last were:\n"
                    + "\n".join(self.trace.text(system=True).splitlines()[-6:])
                )
        return True

    def _enter(self) -> None:
        self.check_thread()
        if self._running is not None:
            raise WouldBlock(
                f"{self._running.name} tried to wait inside a handler, but only this thread could bring about what it "
                "waits for; return from the handler, and use call_later(delay_s, function) to go on later"
            )

    def _answer(self, future: PortFuture, timeout: float | None) -> None:
        if not self.wait(lambda: future.is_ready, timeout):
            raise pykka.Timeout(f"{timeout} virtual seconds")

    def _put(self, sender: str, to: str, event: object, cause: int) -> None:
        delivery = Delivery(event, sender, cause)
        if self._latency_s[1] > 0.0 and sender != to:
            # Nothing overtakes on one channel: arrive no earlier than what was sent before (core.md LP-13).
            arrival = max(self._now + self._random.uniform(*self._latency_s), self._arrivals.get((sender, to), 0.0))
            self._arrivals[(sender, to)] = arrival
            self.at(arrival, lambda: self._under_way.put(delivery.sender, to, delivery))
        else:
            self._under_way.put(delivery.sender, to, delivery)

    def _deliver(self, to: str, delivery: Delivery) -> None:
        event = delivery[0]
        # Some things belong to one life, a name to many (core.md LP-11).
        seat: Seat | None
        if type(event) is Timer:
            seat = event.seat
        elif type(event) is Special:
            seat, delivery = event.seat or self._find(to), Delivery(event.event, delivery.sender, delivery.cause)
        else:
            seat = self._find(to)
        if seat is None:
            self._lose(to, delivery, "nobody there")
        elif seat.alive:
            seat.ref.tell(delivery)
            self._run(self.runnable.pop())

    def _judge(self, to: str, delivery: Delivery) -> None:
        """Ask the network what becomes of it."""
        event, seat, judged = delivery.event if type(delivery.event) is Special else Special(delivery.event)
        parcel = Parcel(delivery.sender, to, event, delivery.cause)
        verdict, rule = (Verdict.DELIVER, None) if judged else self.network.judge(parcel)
        match verdict:
            case Verdict.DROP:
                self._lose(to, Delivery(event, delivery.sender, delivery.cause), "dropped" if rule else "cut")
            case Verdict.DELAY:
                assert rule is not None
                late = Delivery(Special(event, seat, judged=True), delivery.sender, delivery.cause)
                self.at(self._now + rule.delay_s, lambda: self._under_way.put(late.sender, to, late))
            case Verdict.DELIVER | Verdict.DUPLICATE:
                for _ in range(1 if verdict is Verdict.DELIVER else 2):
                    self.network.observe(parcel)
                    self._deliver(to, delivery)
            case Verdict.HOLD:
                pass  # the rule keeps it until its hold is released

    def _lose(self, to: str, delivery: Delivery, why: str) -> None:
        self.trace.record(self._now, to, delivery.sender, Lost(delivery.event, why), (), delivery.cause)

    def _run(self, seat: Seat) -> None:
        """Let an actor handle the oldest envelope of its inbox.

        A plain delivery is handled as Pykka's loop would, without entering it; all else, and every failure, is left to
        that loop. This halves the cost of Pykka per message.
        """
        actor = seat.actor
        inbox: Any = actor.actor_inbox
        self._running = seat
        delivery = inbox.take_delivery()
        try:
            if delivery is not None:
                actor._handle_receive(delivery)  # noqa: SLF001
        except Exception as error:  # noqa: BLE001  # Pykka's failure path takes it from here
            inbox.put_first(Failed(error))
            delivery = None
        if delivery is None or not seat.alive:
            self._run_loop(seat)
        self._running = None
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _run_loop(self, seat: Seat) -> None:
        """Run Pykka's own loop, until the inbox is empty or the actor was stopped, by us or through its ref."""
        with contextlib.suppress(Idle):
            seat.actor._actor_loop_running()  # noqa: SLF001
            seat.actor._actor_loop_teardown()  # noqa: SLF001
            self.end(seat, 0)

    def at(self, deadline: float, action: Callable[[], None]) -> Moment:
        """Do this at that virtual time, unless the moment is called off; for the simulation itself, not for parties."""
        moment = Moment(action)
        self._timeline.add(deadline, moment)
        return moment

    def _fire(self) -> bool:
        """Put what is due now under way; the seed then chooses among it and everything else."""
        fired = False
        for entry in self._timeline.due(self._now):
            fired = True
            if isinstance(entry, Timer):
                name = entry.seat.name
                self._under_way.put(name, name, Delivery(entry, name, entry.cause))
            else:
                entry.act()
        return fired
