"""How many messages per second 1,000 actors exchange on virtual time, and ten pairs on threads; beside the floors.

Ours are real actors with toy cores, each event and its effects kept in a ring trace, the seed choosing who comes next.
500 pairs play ping-pong, all at once.

What is fair to put beside it:

    a bare deque           the floor of this interpreter: take a message out, call a handler, put in the next. It has no
                           sender, no receiver and no record.
    bare Pykka, 1 thread   the floor of Pykka: `tell`, and Pykka's own loop run by hand for whoever has a message.
    SimPy, bare events     1,000 processes that do nothing but `yield env.timeout(1)`: one event is one
                           `env.step()` that resumes one process, the least SimPy can do. It has no sender,
                           no message, no mailbox and no record. The goal is set against this.
    SimPy, messages        500 pairs of processes that play the same ping-pong through a `Store` each.
    Pykka, ten pairs       plain `ThreadingActor`s; of all numbers of pairs about the best for Pykka. The
                           goal is set against this.
    Pykka, 500 pairs       the same as ours: 1,000 threads.

What runs on one thread is timed on the processor, what runs on several in real time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from typing import Any, ClassVar

import pykka
import simpy
from attrs import frozen
from pykka._envelope import Envelope

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Core, Started
from mesolite.actors.runtime.port import ActorFactory, Placement
from mesolite.actors.runtime.store import MemoryStore
from mesolite.actors.threads.runtime import ThreadsRuntime
from mesolite.actors.trace import Trace
from mesolite.messages.base import Message
from mesolite.simulation.virtual import VirtualRuntime

ACTORS = 1000
MESSAGES = 30_000
TRACE_RECORDS = 10_000
ROUNDS = 7
PATIENCE_S = 60.0


@frozen(kw_only=True)
class Ball(Message):
    """What is played with."""

    stroke: int


class Player(Core):
    """Returns every ball until the rally is over; one of each pair serves."""

    def __init__(self, partner: str, serves: bool, strokes: int) -> None:
        """Play against this partner until the ball has been hit so often."""
        super().__init__()
        self._partner = partner
        self._serves = serves
        self._strokes = strokes

    def _started(self, event: Started, sender: str, now: float) -> None:
        if self._serves:
            self.send(self._partner, Ball(stroke=1))

    def _ball(self, ball: Ball, sender: str, now: float) -> None:
        if ball.stroke < self._strokes:
            self.send(sender, Ball(stroke=ball.stroke + 1))

    HANDLERS: ClassVar[Mapping[type, Callable[..., None]]] = {Started: _started, Ball: _ball}


def attached(core: Core) -> ActorFactory:
    """Say how a role with that core sits down."""
    return lambda context: MesosActor(context, core)


def mesolite_per_s() -> float:
    """Messages delivered per second on the virtual runtime."""
    trace = Trace(TRACE_RECORDS)
    runtime = VirtualRuntime(1, trace)
    strokes = 2 * MESSAGES // ACTORS
    for number in range(ACTORS):
        name, partner = f"player-{number}", f"player-{number ^ 1}"
        runtime.start(name, Placement(name), attached(Player(partner, number % 2 == 0, strokes)))
    watch = Stopwatch(time.process_time)
    runtime.settle()
    seconds = watch.s
    assert len(trace) == MESSAGES + ACTORS, "each message and each start is one record"
    return len(trace) / seconds


def simpy_events_per_s() -> float:
    """Events per second, each resuming one process."""
    environment = simpy.Environment()

    def tick(times: int) -> Generator[simpy.Event, Any, None]:
        for _ in range(times):
            yield environment.timeout(1)

    for _ in range(ACTORS):
        environment.process(tick(MESSAGES // ACTORS))
    watch = Stopwatch(time.process_time)
    environment.run()
    return MESSAGES / watch.s


def simpy_messages_per_s() -> float:
    """Messages per second between processes, through stores."""
    environment = simpy.Environment()

    def play(mine: simpy.Store, theirs: simpy.Store, serves: bool, balls: int) -> Generator[simpy.Event, Any, None]:
        if serves:
            theirs.put(0)
        for _ in range(balls):
            stroke = yield mine.get()
            theirs.put(stroke + 1)

    for _ in range(ACTORS // 2):
        one, other = simpy.Store(environment), simpy.Store(environment)
        environment.process(play(one, other, True, MESSAGES // ACTORS))
        environment.process(play(other, one, False, MESSAGES // ACTORS))
    watch = Stopwatch(time.process_time)
    environment.run()
    return MESSAGES / watch.s


def deque_per_s() -> float:
    """Messages per second through a bare deque."""
    queue: deque[tuple[Callable[[int], None], int]] = deque()

    def handler(stroke: int) -> None:
        queue.append((handler, stroke + 1))

    for _ in range(ACTORS // 2):
        handler(0)
    watch = Stopwatch(time.process_time)
    for _ in range(MESSAGES):
        handle, stroke = queue.popleft()
        handle(stroke)
    return MESSAGES / watch.s


class Nothing(Exception):  # not an error: it leaves Pykka's loop
    """The inbox is empty."""


class BareInbox:
    """The least a Pykka inbox can be, and who has something to do."""

    def __init__(self, actor: BarePlayer, runnable: deque[BarePlayer]) -> None:
        """Belong to that actor."""
        self._actor = actor
        self._runnable = runnable
        self._envelopes: deque[Envelope[Any]] = deque()

    def put(self, envelope: Envelope[Any]) -> None:
        """Take an envelope."""
        self._envelopes.append(envelope)
        self._runnable.append(self._actor)

    def get(self) -> Envelope[Any]:
        """Give out the oldest."""
        if not self._envelopes:
            raise Nothing
        return self._envelopes.popleft()

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._envelopes


class BarePlayer(pykka.Actor):
    """A player whose loop is run by hand."""

    def __init__(self, runnable: deque[BarePlayer]) -> None:
        """Say who is runnable there."""
        self._runnable = runnable
        super().__init__()

    def on_receive(self, message: Any) -> None:
        """Return the ball."""
        strokes, partner = message
        if strokes:
            partner.tell((strokes - 1, self.actor_ref))

    def _create_actor_inbox(self) -> BareInbox:  # type: ignore[override]
        return BareInbox(self, self._runnable)

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return pykka.ThreadingFuture()

    def _start_actor_loop(self) -> None:
        """It is run by hand."""

    def turn(self) -> None:
        """Handle what is in the inbox."""
        try:
            self._actor_loop_running()
        except Nothing:
            return


def bare_pykka_per_s() -> float:
    """Messages per second between Pykka actors on one thread, with nothing of ours."""
    runnable: deque[BarePlayer] = deque()
    players = [BarePlayer(runnable) for _ in range(ACTORS)]
    for one, other in zip(players[::2], players[1::2], strict=True):
        one.actor_ref.tell((2 * MESSAGES // ACTORS - 1, other.actor_ref))
    watch = Stopwatch(time.process_time)
    while runnable:
        runnable.popleft().turn()
    return MESSAGES / watch.s


def threads_per_s(pairs: int, messages: int) -> float:
    """Messages per second between so many pairs on the threads runtime."""
    runtime = ThreadsRuntime(Trace(TRACE_RECORDS), MemoryStore(), max_file_size=1)
    try:
        watch = Stopwatch()
        for number in range(2 * pairs):
            name, partner = f"player-{number}", f"player-{number ^ 1}"
            # The one that serves comes second, so that its partner is there.
            player = Player(partner, number % 2 == 1, messages // pairs)
            runtime.start(name, Placement(name), attached(player))
        assert runtime.wait(lambda: len(runtime.trace) >= messages + 2 * pairs, PATIENCE_S), "a ball was lost"
        return messages / watch.s
    finally:
        runtime.close()


class PykkaPlayer(pykka.ThreadingActor):
    """The same player as a plain Pykka actor with a thread of its own."""

    def __init__(self, over: threading.Semaphore) -> None:
        """Tell by `over` that a rally has ended."""
        super().__init__()
        self._over = over

    def on_receive(self, message: Any) -> None:
        """Return the ball: the strokes that are left, and whom to play it to."""
        strokes, partner = message
        if strokes:
            partner.tell((strokes - 1, self.actor_ref))
        else:
            self._over.release()


def pykka_per_s(pairs: int, messages: int) -> float:
    """Messages per second between so many pairs of threads."""
    over = threading.Semaphore(0)
    players = [PykkaPlayer.start(over) for _ in range(2 * pairs)]
    watch = Stopwatch()
    for one, other in zip(players[::2], players[1::2], strict=True):
        one.tell((messages // pairs - 1, other))
    for _ in range(pairs):
        over.acquire()
    seconds = watch.s
    for player in players:
        player.stop()
    return messages / seconds


def measure() -> Result:
    """Measure all in turn."""
    ours, floor, bare, events, stores, threads, few, many = in_turn(
        ROUNDS,
        mesolite_per_s,
        deque_per_s,
        bare_pykka_per_s,
        simpy_events_per_s,
        simpy_messages_per_s,
        lambda: threads_per_s(10, 10_000),
        lambda: pykka_per_s(10, 10_000),
        lambda: pykka_per_s(ACTORS // 2, 5_000),
    )

    def figure(ours: list[float], beside: str, theirs: list[float], goal: float | None = None) -> Figure:
        return Figure(
            what="messages, ten pairs on threads" if ours is threads else "messages on virtual time",
            unit="per s",
            ours=ours,
            beside=beside,
            theirs=theirs,
            goal=Goal("at least", goal, ratio=True) if goal is not None else None,
        )

    return Result(
        title=f"{ACTORS:,} actors on virtual time, {MESSAGES:,} messages",
        settings="none; a bare VirtualRuntime, a bare ThreadsRuntime",
        figures=[
            figure(ours, "a bare deque", floor),
            figure(ours, "bare Pykka, one thread", bare),
            figure(ours, "SimPy, bare events", events, 0.3),
            figure(ours, "SimPy, messages", stores),
            figure(ours, "Pykka, ten pairs", few, 1.0),
            figure(ours, "Pykka, 500 pairs", many),
            figure(threads, "Pykka, ten pairs", few),
        ],
        remarks=["a message through a Store takes SimPy two events, its put and its get"],
    )
