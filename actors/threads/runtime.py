"""The threads runtime: real time, real commands, real storage. Implements the port (port.py).

workers     run actors whose inboxes are not empty (pool.py)      own threads   for actors with user code
clock       fires timers                                          store thread  reads and writes the store
launchers   one process per agent that runs commands (../containerizer)
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from mesolite.actors.containerizer.commands import Commands
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
from mesolite.actors.errors import ActorFailed, MesoliteError, Refused
from mesolite.actors.logs import logger, told
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.disk import SOUND, Disk
from mesolite.actors.runtime.event_stream import EventStream
from mesolite.actors.runtime.port import ActorContext, ActorFactory, Delivery, NewActor, Placement, Timer, no_executors
from mesolite.actors.runtime.pykka_inside import HostedActor, start_loop
from mesolite.actors.runtime.store import StaleTerm, Store, encoded
from mesolite.actors.runtime.thread import Thread
from mesolite.actors.runtime.timeout import limit
from mesolite.actors.threads.blocking import LOOK_EVERY_S, BlockingWatch
from mesolite.actors.threads.clock import Clock, Later
from mesolite.actors.threads.pool import OwnInbox, Pool, PooledInbox
from mesolite.actors.threads.unseen import Unseen
from mesolite.actors.trace import Ended, Lost, Trace, raised
from mesolite.actors.user_errors import UserErrors
from mesolite.messages.base import Message, Query

if TYPE_CHECKING:
    from mesolite.actors.actor import MesosActor

CLOSED = "this cluster is closed; make another one"
WORKERS = 4
NOTED_EVERY_S = 1.0
"""How much of the clock's way may be lost when the process is killed."""
JOIN_S = 0.5
"""How long a closing cluster waits for the threads that run user code."""


class ThreadsRuntime:
    """One cluster's threads. `close` ends all of them, and every process that was started."""

    def __init__(
        self, trace: Trace, store: Store, max_file_size: int, workers: int = WORKERS, clock_reads_s: float = 0.0
    ) -> None:
        """Start the workers, the clock and the store thread."""
        self.trace = trace
        self.directory = Directory()
        self.events = EventStream()
        self.disks: dict[str, Disk] = {}
        self.executor_factory: Callable[[str, ExecutorStart], NewActor] = no_executors
        self.failures: list[ActorFailed] = []
        self._raised = 0  # so many of them, by waits
        self.user_errors = UserErrors()
        self.unseen = Unseen(self.user_errors, self.failures)
        self.commands = Commands(max_file_size, self.post)
        self._store = store
        self._storing: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._store_thread = Thread(self._keep_storing, "mesolite store")
        self._random = random.Random()
        self._lock = threading.RLock()
        self._on_terminated: dict[ActorContext, Callable[[], None]] = {}
        self._closed = self._stored = False
        self._pid = os.getpid()
        self._pool = Pool(workers, self._left)
        self._blocking = BlockingWatch()
        self._clock = Clock(self._fire, self._look, LOOK_EVERY_S, clock_reads_s)
        self._noted_at = clock_reads_s - NOTED_EVERY_S  # the first write is noted, too
        self._store_thread.start()

    # ------------------------------------------------------------------------------------------------ actors

    def start(self, name: str, place: Placement, make: ActorFactory, cause: int = -1) -> ActorContext:
        """Start an actor; its first event is `Started`.

        Raises:
            NameTaken: somebody alive has that name.
            Refused: this runtime is closed, or lives in another process.
        """
        self.check_thread()

        def make_and_greet(context: ActorContext) -> MesosActor:
            # Before anybody else can find it, so that nothing comes earlier.
            actor = make(context)
            actor.actor_ref.tell(Delivery(Started(name, context.incarnation), "", cause))
            return actor

        with self._lock:
            if self._closed:
                raise Refused(f"{name} cannot start: {CLOSED}")
            for former in [former for former in self._on_terminated if former.name == name]:
                self._take_leave(former)  # the news of its end must not be overtaken by its successor (LP-13)
            context = self.directory.enter(self, name, place, make_and_greet)
            try:
                start_loop(context.actor)
            except RuntimeError as error:  # there can be no more threads
                self.directory.leave(context)
                raise Refused(f"{name} cannot start: {error}; end something else first") from error
        return context

    def end(
        self, context: ActorContext, status: int, *, silent: bool = False, reason: str = "", cause: int = -1
    ) -> None:
        """End an actor at once. Its links break when its loop has ended and its work is dead, or never if silent."""
        with self._lock:
            if not context.alive:
                return
            self._clock.called_off(len(context.timers))
            ended = Ended(status, reason, silent)
            index = self.trace.record(self.now(), context.name, context.name, ended, (), cause, context.incarnation)
            watchers = self.directory.leave(context, index)
            news = PeerExited(context.name, context.incarnation, status, reason)
            self._on_terminated[context] = lambda: self._farewell(() if silent else watchers, news, index)
            context.actor.actor_stopped.set()
            context.inbox.wake()
            if context.own_thread:
                # User code may block that thread for ever; the actor's end must not wait for it.
                self._take_leave(context)

    def post(self, context: ActorContext, event: object, sender: str = "", cause: int = -1) -> None:
        """Put a system event before one particular context; if that life is over, nothing happens."""
        self._tell(context, Delivery(event, sender, cause))

    def post_here(self, context: ActorContext, event: object, sender: str = "") -> None:
        """The same, and handle what comes of it on the calling thread, which is spared from waking another."""
        self._pool.run_here(lambda: self.post(context, event, sender))

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until it is done; False if the time-out came first, or the cluster was closed."""
        self.check_thread()
        return self._pool.wait(done, limit(timeout))

    def close(self) -> None:
        """End everything, and tell nobody: actors, threads, processes, the store. Interrupted, call it again."""
        with self._lock:
            self._closed = True
        for context in self.directory:
            self.end(context, 0, silent=True)
        self._clock.close()
        self._pool.close(JOIN_S)
        self.commands.close()
        self._storing.put(None)
        self._store_thread.wait()
        if not self._stored:
            try:
                self._store.note_time(self.now())
            except Exception as failure:  # noqa: BLE001  # a full disk, say; nobody is left to be told
                logger.error("the store failed: {}", told(failure))
            self._stored = True
        self._store.close()
        self.unseen.closed()

    # ------------------------------------------------------------------------------------------------ the port

    def now(self) -> float:
        """Seconds since the cluster began."""
        return self._clock.now()

    def answer(self, name: str, query: Query) -> Message | None:
        """Nothing: another thread may be at work on what is asked about, so the query has to be sent."""
        return None

    @property
    def forked(self) -> bool:
        """Whether this is a process forked from the one that made the cluster: nothing of it lives here."""
        return os.getpid() != self._pid

    def check_thread(self) -> None:
        """Any thread may call, of the process that made the cluster.

        Raises:
            Refused: this process was forked from that one.
        """
        if self.forked:
            lives = f"this cluster lives in process {self._pid}, and process {os.getpid()} was forked from it"
            raise Refused(f"{lives}: nothing can be asked of it here; ask there, or make another cluster here")

    check_may_act = check_thread  # nobody only looks here

    def check_open(self) -> None:
        """Refuse what nobody can do any more.

        Raises:
            Refused: this runtime is closed, or lives in another process.
        """
        self.check_thread()
        if self._closed:
            raise Refused(CLOSED)

    def raise_failure(self) -> None:
        """Raise the next failure of an actor by our own fault, each once.

        Raises:
            ActorFailed: there is one that was not raised here yet.
        """
        if self._raised == len(self.failures):
            return
        with self._lock:
            failure = next(iter(self.failures[self._raised :]), None)
            self._raised += failure is not None
        if failure is not None:
            raise failure

    def inbox(self, context: ActorContext) -> PooledInbox | OwnInbox:
        """Make an inbox: of the pool, or of a thread of its own."""
        return OwnInbox(self._pool) if context.own_thread else PooledInbox(self._pool)

    def begin(self, actor: HostedActor) -> None:
        """Let the actor run."""
        inbox: Any = actor.actor_inbox
        inbox.begin(actor)

    def failed(self, context: ActorContext, error: BaseException, cause: int = -1) -> None:
        """Our own code raised: say so loudly; the actor is gone and its links break."""
        failure = ActorFailed(
            f"{context.name} failed: {raised(error).error}\nthe last it saw:\n{self.trace.tail(context.name)}"
        )
        failure.__cause__ = error
        self.failures.append(failure)
        logger.error("{}", told(failure))
        self.end(context, -1, cause=cause)

    def interrupted(self, context: ActorContext, error: BaseException) -> None:
        """Something like SystemExit in a handler: no user code runs there, so it is a failure like any other."""
        self.failed(context, error)

    def send(self, context: ActorContext, to: str, message: Message, cause: int) -> None:
        """Say it, unless the sender has just ended; a dead or unknown receiver loses it."""
        if context.own_thread:
            # The news of its end does not wait for that thread, and nothing may follow it.
            with self._lock:
                self._send(context, to, message, cause)
        else:
            self._send(context, to, message, cause)

    def set_timer(self, context: ActorContext, key: TimerKey, after_s: float, spread_s: float, cause: int) -> None:
        """Set or replace a timer; here it makes no difference whether it will be set again."""
        delay = after_s + (self._random.random() * spread_s if spread_s else 0.0)
        self.cancel_timer(context, key)
        timer = context.timers[key] = Timer(context, key, self.now() + delay, cause)
        self._clock.schedule(timer)

    def cancel_timer(self, context: ActorContext, key: TimerKey) -> None:
        """Let a timer never fire."""
        if context.call_off(key):
            self._clock.called_off()

    def link(self, context: ActorContext, peer: str, cause: int) -> None:
        """Watch a peer; if it is not there the news is due at once."""
        with self._lock:
            linked = self.directory.link(context, peer)
            incarnation = self.directory.incarnation(peer)
        if not linked:
            self.post(context, PeerExited(peer, incarnation), peer, cause)

    def load(self, context: ActorContext, term: int, cause: int) -> None:
        """Read the store, on its thread."""

        def read() -> None:
            try:
                event: object = Loaded(self._store.load(context.store, term), self.directory.beside(context))
            except StaleTerm as stale:
                event = StoreRefused(str(stale))
            except Exception as failure:  # noqa: BLE001  # a full disk, say; the next request must still be served
                event = self._store_failed(context, failure)
            self.post(context, event, context.name, cause)

        self._storing.put(read)

    def save(
        self, context: ActorContext, changes: tuple[tuple[str, Any], ...], term: int, tag: str, cause: int
    ) -> None:
        """Write the store, on its thread, what is made here, on the actor's; what comes of it, the disk says."""
        kept = encoded(context.store, changes)
        disk = self.disks.get(context.host)
        taken = disk.take(self.now()) if disk is not None else SOUND

        def write() -> None:
            if disk is not None and not context.alive:
                return  # it died while the disk was at work
            fate = disk.outcome(taken) if disk is not None else taken
            event: object = StoreRefused(fate.refused) if fate.refused else Saved(tag)
            try:
                if fate.stored and not fate.refused:
                    self._store.save(context.store, kept, term)
                    self._note_time()
            except StaleTerm as stale:
                event = StoreRefused(str(stale))
            except Exception as failure:  # noqa: BLE001  # as above
                event = self._store_failed(context, failure)
            if disk is not None and fate.last:
                disk.crash()
            elif tag or isinstance(event, StoreRefused):
                self.post(context, event, context.name, cause)

        if taken.due > self.now():
            self._clock.schedule(Later(taken.due, lambda: self._storing.put(write)))
            return
        with self._lock:
            # The thread that handles its last event may come here after its end, when its successor has read.
            if context.alive:
                self._storing.put(write)

    def run(self, context: ActorContext, run: Run, cause: int) -> None:
        """Start a command."""
        self.commands.run(context, run, cause)

    def signal_work(self, context: ActorContext, work_id: str, signum: int, cause: int) -> None:
        """Signal every process of a command."""
        self.commands.signal(work_id, signum, cause)

    def processes_of(self, work_id: str) -> list[int]:
        """The pid of the main process of that work, if it lives."""
        return self.commands.main_processes(work_id)

    def exit(self, context: ActorContext, status: int, reason: str, cause: int) -> None:
        """End the actor that asks."""
        self.directory.ends_itself(context, reason)
        if status and not self.user_errors.of(context.name):  # what user code raised is in the log already
            logger.warning("{} exits with status {}: {}", context.name, status, reason)
        self.end(context, status, reason=reason if status else "", cause=cause)

    # ------------------------------------------------------------------------------------------------ inside

    def _send(self, context: ActorContext, to: str, message: Message, cause: int) -> None:
        if not context.alive:
            return
        receiver = self.directory.find(to)
        if receiver is None or not self._tell(receiver, Delivery(message, context.name, cause)):
            lost = Lost(message, "nobody there", self.directory.ends.get(to, -1))
            self.trace.record(self.now(), to, context.name, lost, (), cause)

    def _tell(self, context: ActorContext, delivery: Delivery) -> bool:
        """Put it into the inbox of that life of an actor; False if that is over."""
        if context.ref.actor_stopped.is_set():
            return False
        context.inbox.put(delivery)
        return True

    def _fire(self, due: Timer | Later) -> None:
        if isinstance(due, Later):
            due.act()
        else:
            self.post(due.context, due, cause=due.cause)

    def _look(self) -> None:
        self._blocking.look((context for context in self.directory if context.own_thread), self.now())

    def _left(self, actor: HostedActor) -> None:
        """An actor's loop has ended."""
        context = actor.context
        self.end(context, 0)  # if it was stopped through its ref
        self._take_leave(context)
        context.detach()

    def _take_leave(self, context: ActorContext) -> None:
        """Kill what an ended actor ran, then let its links break."""
        with self._lock:
            on_terminated = self._on_terminated.pop(context, None)
            if on_terminated is not None:
                self.commands.end(context, on_terminated)

    def _farewell(self, watchers: tuple[ActorContext, ...], news: PeerExited, cause: int) -> None:
        for watcher in watchers:
            self.post(watcher, news, news.name, cause)

    def _store_failed(self, context: ActorContext, failure: Exception) -> StoreRefused:
        if isinstance(failure, MesoliteError):
            return StoreRefused(str(failure))
        logger.error("{}: the store failed: {}", context.name, told(failure))
        return StoreRefused(f"{type(failure).__name__}: {failure}")

    def _note_time(self) -> None:
        """Note how far the clock has come, for a later cluster; not with every one of a thousand writes a second."""
        now = self.now()
        if now - self._noted_at >= NOTED_EVERY_S:
            self._store.note_time(now)
            self._noted_at = now

    def _keep_storing(self) -> None:
        while (work := self._storing.get()) is not None:
            work()
