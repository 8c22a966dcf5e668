"""The port between actors and the world: what a runtime must be able to do, and what an actor is born with.

Two runtimes stand behind it: threads and real time (`actors/threads/runtime.py`), one thread and virtual time
(`mesolite/simulation/virtual.py`). The same scripts hold for both (tests/runtime/test_conformance*.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pykka

from mesolite.actors.decisions.contract import ExecutorStart, Run, TimerKey
from mesolite.messages.base import Message, Query

if TYPE_CHECKING:
    from mesolite.actors.actor import MesosActor
    from mesolite.actors.runtime.directory import Directory
    from mesolite.actors.runtime.disk import Disk
    from mesolite.actors.runtime.event_stream import EventStream
    from mesolite.actors.runtime.pykka_inside import Envelope, HostedActor
    from mesolite.actors.trace import Trace
    from mesolite.actors.user_errors import UserErrors


class Delivery(NamedTuple):
    """What is put into an actor's inbox: the event, who caused it, and the trace record it follows from."""

    event: object
    sender: str
    cause: int


class Placement(NamedTuple):
    """Where an actor lives: its machine, whose records it keeps ('' for its own), and whether it runs user code.

    An actor that runs user code gets a thread of its own where there are threads, so that a blocking callback stalls
    nobody else.
    """

    host: str
    store: str = ""
    own_thread: bool = False


class Timer:
    """One setting of a timer. Its identity is its serial: a key set again has another `Timer` (core.md LP-34)."""

    __slots__ = ("cause", "context", "deadline", "key", "live", "period_s")

    def __init__(
        self, context: ActorContext, key: TimerKey, deadline: float, cause: int, period_s: float = 0.0
    ) -> None:
        """Belongs to this context, is due at this time, was set by this trace record.

        `period_s`: it will be set again, after so long at most, as long as nothing changes; 0: it fires once.
        """
        self.context = context
        self.period_s = period_s
        self.key = key
        self.deadline = deadline
        self.cause = cause
        self.live = True
        """False once it was cancelled or its key was set again."""


class UserCall(NamedTuple):
    """A callback that is running, and since when on the runtime's clock."""

    callback: str
    since: float


class ActorContext:
    """One life of one actor: a name, which life it is, the machine it lives on, and its live timers.

    Whatever comes back from the world (timers, stored records, exit statuses) is addressed to a context, not to a name,
    so nothing that was meant for a predecessor reaches a restarted actor.
    """

    __slots__ = (
        "actor",
        "alive",
        "handle",
        "host",
        "inbox",
        "incarnation",
        "jitters",
        "name",
        "outgoing",
        "own_thread",
        "ref",
        "runtime",
        "store",
        "timers",
        "user_call",
    )

    def __init__(self, runtime: Runtime, name: str, incarnation: int, place: Placement) -> None:
        """Prepare a context; the directory fills in the rest when the actor sits down."""
        self.runtime = runtime
        self.name = name
        self.incarnation = incarnation
        self.host = place.host
        self.store = place.store or name
        self.own_thread = place.own_thread
        self.timers: dict[TimerKey, Timer] = {}
        self.alive = True
        self.outgoing: dict[str, Any] = {}
        """On virtual time: its channels, by receiver (mesolite/simulation/in_flight.py)."""
        self.jitters: dict[TimerKey, tuple[int, int]] = {}
        """On virtual time: where the jitter of a timer is drawn from, and how often it was."""
        self.user_call: UserCall | None = None
        """What user code the actor is in, if it runs any."""
        self.actor: MesosActor
        self.ref: pykka.ActorRef[Any]
        # The actor's own, at hand: among ten thousand actors each object not looked at spares a miss of the cache.
        self.inbox: Any
        self.handle: Callable[[object, str, int], None]
        """`MesosActor.handle` of the actor."""

    @property
    def detached(self) -> bool:
        """Whether the actor has been let go of."""
        return not hasattr(self, "actor")

    def detach(self) -> None:
        """Let go of the actor, whose loop has ended.

        Then nothing is a circle: all of it is freed at once, and nothing is left to the collector of cyclic garbage,
        whose runs cost the more the larger a cluster is.
        """
        del self.actor, self.handle

    def call_off(self, key: TimerKey) -> Timer | None:
        """Let a timer never fire, and return it; None if it is not set."""
        timer = self.timers.pop(key, None)
        if timer is not None:
            timer.live = False
        return timer


class Inbox(Protocol):
    """Where Pykka puts what an actor is told, and its loop takes it out."""

    def put(self, envelope: Envelope[Any], /) -> None:
        """Take an envelope, from any thread that may speak to the actor."""

    def get(self) -> Envelope[Any]:
        """Give out the oldest; what this raises leaves Pykka's loop."""

    def empty(self) -> bool:
        """Whether there is none."""


ActorFactory = Callable[["ActorContext"], "MesosActor"]
NewActor = tuple[ActorFactory, Placement]


def no_executors(host: str, start: ExecutorStart) -> NewActor:
    """Stand for the wiring where there is none.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"nothing was said about how executors such as {start.executor_id} start on {host}")


class Runtime(Protocol):
    """What actors ask of the world (the first half), and what a cluster's wiring asks (the second)."""

    trace: Trace
    directory: Directory
    user_errors: UserErrors
    """What user code has raised."""
    events: EventStream
    """What actors have made known; handles read it, and it can be subscribed to."""
    disks: dict[str, Disk]
    """The disks of machines that something was done to, by host."""
    executor_factory: Callable[[str, ExecutorStart], NewActor]
    """Says how an executor comes into being on a machine; set by the wiring. LookupError: it cannot."""

    def start(self, name: str, place: Placement, make: ActorFactory, cause: int = -1) -> ActorContext:
        """Start an actor; its first event is `Started`."""

    def end(
        self, context: ActorContext, status: int, *, silent: bool = False, reason: str = "", cause: int = -1
    ) -> None:
        """End an actor at once. Its links break, unless it goes silently, as a machine without power does.

        `reason`: what whoever is linked to it learns, besides the status. `cause`: the trace record that it comes of.
        """

    def post(self, context: ActorContext, event: object, sender: str = "", cause: int = -1) -> None:
        """Put a system event before one particular context; if that life is over, nothing happens."""

    def post_here(self, context: ActorContext, event: object, sender: str = "") -> None:
        """The same as `post`; where there are threads, the calling one handles what comes of it, as far as it goes."""

    def now(self) -> float:
        """Seconds on this runtime's clock."""

    def answer(self, name: str, query: Query) -> Message | None:
        """What that actor answers to a query, where it can be looked at without a message; None: it has to be sent.

        On virtual time it is no event, and takes no time; on threads others may be at work on what is asked about.
        """

    def check_thread(self) -> None:
        """Refuse calls from threads that must not make any; on threads all may."""

    def check_open(self) -> None:
        """Refuse what nobody can do any more, as everything has ended, and what `check_thread` refuses."""

    def check_may_act(self) -> None:
        """Refuse what changes something to who only looks, and what `check_thread` refuses."""

    def raise_failure(self) -> None:
        """Raise the next failure of an actor by our own fault, each once; in simulation they come out by themselves."""

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until it is done; False if the time-out came first. None and more than a lifetime are no limit.

        `done` is called on the waiting thread, while nothing is locked.
        """

    def inbox(self, context: ActorContext) -> Inbox:
        """Make the inbox that Pykka will put envelopes in."""

    def begin(self, actor: HostedActor) -> None:
        """Start the actor's loop."""

    def failed(self, context: ActorContext, error: BaseException, cause: int = -1) -> None:
        """Say that the actor's handler raised; the actor is gone and its links break."""

    def interrupted(self, context: ActorContext, error: BaseException) -> None:
        """Say that Ctrl-C or the like came in a handler; it belongs to whoever drives the runtime."""

    def send(self, context: ActorContext, to: str, message: Message, cause: int) -> None:
        """Say it, at most once, in order per pair; a dead or unknown receiver loses it silently (LP-14)."""

    def set_timer(self, context: ActorContext, key: TimerKey, after_s: float, spread_s: float, cause: int) -> None:
        """Set or replace a timer."""

    def cancel_timer(self, context: ActorContext, key: TimerKey) -> None:
        """Let a timer never fire; cancelling what is not set is harmless."""

    def link(self, context: ActorContext, peer: str, cause: int) -> None:
        """Watch a peer."""

    def load(self, context: ActorContext, term: int, cause: int) -> None:
        """Read the actor's store, claiming it for the term."""

    def save(
        self, context: ActorContext, changes: tuple[tuple[str, Any], ...], term: int, tag: str, cause: int
    ) -> None:
        """Write to the actor's store."""

    def run(self, context: ActorContext, run: Run, cause: int) -> None:
        """Start work."""

    def signal_work(self, context: ActorContext, work_id: str, signum: int, cause: int) -> None:
        """Signal every process of that work."""

    def processes_of(self, work_id: str) -> list[int]:
        """The pids that were started for that work and live; none on virtual time, where nothing is a process."""

    def exit(self, context: ActorContext, status: int, reason: str, cause: int) -> None:
        """End the actor; its links break."""
