"""Who runs whose loop: a few workers share all actors, and actors with user code have a thread each.

An actor is runnable while its inbox is not empty; a worker takes it, lets it handle what is there until the inbox is
empty or the turn is over, and lets go. So thousands of actors need no thousands of threads, and one actor never runs
twice at once (core.md LP-1). Own threads are for code that may block.

What actors tell each other is put into an inbox as it is, and handled as Pykka's loop would, without entering it, as on
virtual time. What comes through an `ActorRef`, every failure and every end are left to that loop.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import pykka

from mesolite.actors.logs import logger
from mesolite.actors.runtime.port import Delivery
from mesolite.actors.runtime.pykka_inside import ActorStop, Envelope, Failed, HostedActor, run_loop
from mesolite.actors.runtime.thread import Thread

TURN = 64
"""How many messages an actor may handle before the next runnable one gets its turn; libprocess has no such limit."""


BORROWED = 16
"""How many actors a thread that is no worker runs at most, before it goes on with its own business."""


class Idle(Exception):  # not an error: it leaves Pykka's loop when there is nothing to do
    """The inbox is empty, or the turn is over."""


Content = Envelope[Any] | Delivery
"""What is in an inbox: what Pykka puts there, or a delivery as it is."""


def refuse(content: Content) -> None:
    """Answer a question that came too late, as Pykka does for what is left in an inbox."""
    if isinstance(content, Delivery) or content.reply_to is None:
        return
    if isinstance(content.message, ActorStop):
        content.reply_to.set(None)
    else:
        dead = pykka.ActorDeadError("the actor ended before it came to this question")
        content.reply_to.set_exception((pykka.ActorDeadError, dead, None))


def enveloped(content: Content) -> Envelope[Any]:
    """The same for Pykka's loop."""
    return Envelope(content) if isinstance(content, Delivery) else content


class PooledInbox:
    """A Pykka inbox that makes its actor runnable when something comes in."""

    __slots__ = ("_actor", "_contents", "_lock", "_over", "_pool", "_scheduled", "_turn")

    def __init__(self, pool: Pool) -> None:
        """Belong to an actor that `begin` will name."""
        self._pool = pool
        self._actor: HostedActor | None = None
        self._contents: deque[Content] = deque()
        self._lock = threading.Lock()
        self._scheduled = False
        self._over = False
        self._turn = 0

    def put(self, content: Content) -> None:
        """Take an envelope or a delivery, from any thread."""
        with self._lock:
            if not self._over:
                self._contents.append(content)
                if self._scheduled or self._actor is None:
                    return
                self._scheduled = True
                self._pool.schedule(self)
                return
        refuse(content)

    def get(self) -> Envelope[Any]:
        """Give out the oldest content, for Pykka's loop.

        Raises:
            Idle: there is none, or the turn is over.
        """
        if not self._contents or self._turn >= TURN:
            raise Idle
        self._turn += 1
        return enveloped(self._contents.popleft())

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._contents

    def begin(self, actor: HostedActor) -> None:
        """Let this actor be run from now on."""
        self._actor = actor
        self.wake()

    def wake(self) -> None:
        """Make the actor runnable even if nothing came in, so that a stopped one can take its leave."""
        with self._lock:
            if self._scheduled:
                return
            self._scheduled = True
        self._pool.schedule(self)

    def run(self) -> None:
        """Let the actor handle what is here, for one turn; called by a worker."""
        actor = self._actor
        assert actor is not None
        self._turn = 0
        self._handle_deliveries(actor)
        if self._rests(actor):  # as nearly always
            return
        try:
            run_loop(actor)
        except Idle:
            if not self._rests(actor):
                self._pool.schedule(self)
            return
        with self._lock:
            self._over = True
        for content in self._contents:
            refuse(content)
        self._pool.leave(actor)
        self._actor = None

    def _rests(self, actor: HostedActor) -> bool:
        """Whether there is nothing to do now. A stopped one has something left: to take its leave."""
        with self._lock:
            if self._contents or actor.actor_stopped.is_set():
                return False
            self._scheduled = False
            return True

    def _handle_deliveries(self, actor: HostedActor) -> None:
        """Handle deliveries up to the first content of another kind, or the first that fails: Pykka's loop goes on."""
        contents, stopped = self._contents, actor.actor_stopped
        while contents and self._turn < TURN and not stopped.is_set():
            delivery = contents[0]
            if not isinstance(delivery, Delivery):
                return
            self._turn += 1
            contents.popleft()
            try:
                actor.context.handle(*delivery)
            except BaseException as error:  # noqa: BLE001  # Pykka's failure path takes it from here
                contents.appendleft(Envelope(Failed(error)))


class OwnInbox:
    """A Pykka inbox whose actor blocks on it, on a thread of its own."""

    __slots__ = ("_contents", "_over", "_pool")

    def __init__(self, pool: Pool) -> None:
        """Belong to an actor that `begin` will name."""
        self._pool = pool
        self._contents: SimpleQueue[Content | None] = SimpleQueue()
        self._over = False

    def put(self, content: Content) -> None:
        """Take an envelope or a delivery, from any thread."""
        self._contents.put(content)
        if self._over:
            self.wake()

    def get(self) -> Envelope[Any]:
        """Wait for the oldest content.

        Raises:
            Idle: the actor was told to take its leave.
        """
        self._pool.handled()
        content = self._contents.get()
        if content is None:
            raise Idle
        return enveloped(content)

    def empty(self) -> bool:
        """Whether there is none."""
        return self._contents.empty()

    def begin(self, actor: HostedActor) -> None:
        """Run the actor's loop on its own thread."""

        def loop() -> None:
            with contextlib.suppress(Idle):
                run_loop(actor)
            self.wake()
            self._pool.leave(actor)
            self._pool.own_ended()

        self._pool.run_own(loop, f"mesolite {actor.context.name}")

    def wake(self) -> None:
        """Let a stopped actor take leave; whoever asked it something learns so at once, even if user code blocks."""
        self._over = True
        while True:
            try:
                content = self._contents.get_nowait()
            except Empty:
                break
            if content is not None:
                refuse(content)
        self._contents.put(None)


class Pool:
    """The workers, and whoever waits for what they bring about."""

    def __init__(self, workers: int, leave: Callable[[HostedActor], None]) -> None:
        """Start so many workers; `leave` is called for an actor whose loop has come to its end."""
        self._runnable: SimpleQueue[PooledInbox | None] = SimpleQueue()
        self._mine = threading.local()
        self.leave = leave
        self._changed = threading.Condition()
        self._waiters = 0
        self._generation = 0
        self._closed = False
        self._own: dict[threading.Thread, Thread] = {}
        self._threads = [Thread(self._work, f"mesolite worker {number}") for number in range(1, workers + 1)]
        for thread in self._threads:
            thread.start()

    def schedule(self, inbox: PooledInbox) -> None:
        """Let a worker run it: the calling one, when it is done with its present actor, or else any.

        What one actor tells another is thus handled without waking a thread, which costs more than the handling. A
        pooled actor's handler must never wait for another actor: that one may be next in the same worker's row.
        """
        mine: deque[PooledInbox] | None = getattr(self._mine, "next", None)
        if mine is None:
            self._runnable.put(inbox)
        else:
            mine.append(inbox)

    def run_here(self, act: Callable[[], None]) -> None:
        """Do this, and handle what comes of it on the calling thread, as a worker would: no thread has to be woken.

        If that goes on and on, the workers take over.
        """
        mine: deque[PooledInbox] = deque()
        self._mine.next = mine
        try:
            act()
            for _ in range(BORROWED):
                if not mine:
                    break
                mine.popleft().run()
                self.handled()
        finally:
            self._mine.next = None
            for inbox in mine:
                self._runnable.put(inbox)

    def handled(self) -> None:
        """Let whoever waits look again; costs nothing while nobody does."""
        if self._waiters:
            with self._changed:
                self._generation += 1
                self._changed.notify_all()

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until it is done; `done` is looked at whenever an actor has handled something, at least once.

        False if the time-out came first, or the pool was closed: nothing can happen any more then. `done` runs on the
        calling thread and holds nobody up: it may ask actors, and wait for them. How long it takes is its own business,
        the time-out is looked at after it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._waiters += 1
        try:
            while True:
                # Read before looking: what is handled while `done` looks is another generation, and is not missed.
                seen = self._generation
                last = self._closed or (deadline is not None and time.monotonic() >= deadline)
                if done():
                    return True
                if last:
                    return False
                self._await_news(seen, deadline)
        finally:
            with self._changed:
                self._waiters -= 1

    def _await_news(self, seen: int, deadline: float | None) -> None:
        """Sleep until something was handled since, the pool is closed, or the time is over."""
        left_s = None if deadline is None else deadline - time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._generation != seen, left_s)

    def run_own(self, loop: Callable[[], None], name: str) -> None:
        """Run the loop of an actor with user code, on a thread of its own."""
        thread = Thread(loop, name)
        with self._changed:
            self._own[thread] = thread
        thread.start()

    def own_ended(self) -> None:
        """Forget the calling thread, whose loop has ended."""
        with self._changed:
            self._own.pop(threading.current_thread(), None)
            self._generation += 1
            self._changed.notify_all()

    def close(self, patience_s: float) -> None:
        """End the workers, after what they are doing, and wait so long for the threads of user code.

        Those that do not end, because user code blocks them, are reported by name.
        """
        for _ in self._threads:
            self._runnable.put(None)
        for thread in self._threads:
            thread.wait()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            own = [thread for thread in self._own.values() if thread is not threading.current_thread()]
        deadline = time.monotonic() + patience_s
        for thread in own:
            if not thread.wait(max(0.0, deadline - time.monotonic())):
                logger.warning("thread {!r} stays behind: its user code has not returned", thread.name)

    def _work(self) -> None:
        mine: deque[PooledInbox] = deque()
        self._mine.next = mine
        while (inbox := mine.popleft() if mine else self._runnable.get()) is not None:
            inbox.run()
            self.handled()
            if mine and not self._runnable.empty():
                # Others wait, too: its own go to the end of the queue, where any worker may take them.
                self._runnable.put(mine.popleft())
