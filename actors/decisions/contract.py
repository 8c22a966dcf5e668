"""The contract between deciding and doing: what happens to a core, and what a core wants done.

A core is asked `handle(event, sender, now)` and answers with a list of effects, to be carried out in order. It sends
nothing, reads no clock, draws no random number, opens no file. Events are messages of other actors and the system
events below; effects are the closed set below. An actor (actors/actor.py) stands between a core and the world.

    event, sender, now  -->  Core  -->  [Send(...), SetTimer(...), Save(...), ...]
           ^                                            |
           +------ TimerFired, Saved, PeerExited <------+

Times are seconds on the runtime's clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar, get_args

from attrs import astuple, frozen

from mesolite.messages.base import Message, Query
from mesolite.messages.facts import Fact
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QueryAnswered
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.tasks import CommandInfo, ExecutorInfo, SimulatedWork

_new_tuple: Any = tuple.__new__


@frozen
class TimerKey:
    """What a timer is set, cancelled and handled under: each kind is a class that says what it is about.

    So nobody sets a timer under one key and cancels it under another: keys of two kinds are never equal.
    """

    PERIODIC: ClassVar[bool] = False
    """It will be set again as long as nothing changes, and alone brings nothing about, as a ping or a retry.

    Whoever waits for ever in a simulation learns from it that nothing is to come.
    """

    def __str__(self) -> str:
        """Print its kind and what it is about."""
        kind = re.sub("(?<=.)(?=[A-Z])", "-", type(self).__name__).lower()
        return " ".join([kind, *map(str, astuple(self, recurse=False))])


# ------------------------------------------------------------------------------------------------------- system events


@frozen
class Started:
    """The first event of an actor's life. `incarnation` grows by one with each restart under the same name."""

    name: str
    incarnation: int


@frozen
class TimerFired:
    """A timer came due that had been neither cancelled nor set again. A core knows the keys that it sets."""

    key: TimerKey


@frozen
class PeerExited:
    """A linked actor is gone; this travels last on its channel. `status` is what it exited with, -1 if not known.

    `reason`: what it said when it exited by itself with a status other than 0.
    """

    name: str
    incarnation: int
    status: int = -1
    reason: str = ""


@frozen
class LinkBroken:
    """The connection to a living actor has broken: something that one of us said to the other is lost (LP-28).

    Both hear of it, linked or not, after all that did arrive.
    """

    name: str


@frozen
class Loaded:
    """The actor's store: every record by key; and, for an actor that lived before, who else lives on its machine."""

    records: Mapping[str, Any]
    alive: tuple[str, ...] = ()


@frozen
class Saved:
    """A `Save` that carried this tag is durable."""

    tag: str


@frozen
class StoreRefused:
    """The store did not take a `Load` or `Save`; somebody with a later term owns it, or it failed."""

    reason: str


@frozen
class SpawnFailed:
    """A `SpawnExecutor` came to nothing; `error` says what was asked, why not, and what would work."""

    name: str
    error: str


@frozen
class WorkStarted:
    """A `Run` has a process now; `pid` is 0 in simulation."""

    work_id: str
    pid: int


@frozen
class WorkFailedToStart:
    """A `Run` came to nothing; `error` says what was asked and why not."""

    work_id: str
    error: str


@frozen
class WorkExited:
    """A `Run` has ended and nothing of it is left alive: exactly one of exit status and signal is set."""

    work_id: str
    exit_status: int | None
    signal: int | None


@frozen
class SignalReceived:
    """The process that hosts this actor was sent a signal for it: by name, `SIGUSR1`, say (drain.md 2.1.1)."""

    signal: str


@frozen
class CallbackReturned:
    """User code has returned. `error`: what it raised. `still_running` is false if it stopped or aborted its driver."""

    callback: str
    serial: int
    error: str | None
    still_running: bool


SystemEvent = (
    Started | TimerFired | PeerExited | LinkBroken | Loaded | Saved | StoreRefused | SpawnFailed | WorkStarted
    | WorkFailedToStart | WorkExited | SignalReceived | CallbackReturned
)  # fmt: skip
SYSTEM_EVENTS: frozenset[type] = frozenset(get_args(SystemEvent))

# ------------------------------------------------------------------------------------------------------------- effects


class Send(NamedTuple):
    """Say this to that actor, at most once, in order with what was said to it before (core.md LP-13, LP-14)."""

    to: str
    message: Message


class SetTimer(NamedTuple):
    """Fire once, `after_s` plus a random part of `spread_s` from now. Setting a key again replaces the old timer."""

    key: TimerKey
    after_s: float
    spread_s: float = 0.0


@frozen
class CancelTimer:
    """That timer must not fire any more; cancelling what is not set is harmless."""

    key: TimerKey


@frozen
class Link:
    """Tell me once, with `PeerExited`, when that actor goes; at once if it is not there (core.md LP-24..26)."""

    peer: str


@frozen
class Load:
    """Read my store, claiming it for this term; answered by `Loaded` or `StoreRefused`."""

    term: int = 0


@frozen
class Save:
    """Write these records to my store, all or none; None deletes. Answered by `Saved(tag)` if a tag is given."""

    changes: tuple[tuple[str, Any], ...]
    term: int = 0
    tag: str = ""


@frozen
class SpawnExecutor:
    """Start the executor of a task as an actor of its own, on my machine."""

    name: str
    start: ExecutorStart


@frozen
class Destroy:
    """End that actor of my machine at once, with everything it runs (a container's destruction, drain.md 3.1.3)."""

    name: str


@frozen
class Run:
    """Start what a task asks for, in a sandbox of its own; answered by `WorkStarted` or `WorkFailedToStart`."""

    work_id: str
    command: CommandInfo
    environment: tuple[tuple[str, str], ...]
    sandbox: str
    simulated: SimulatedWork | None = None
    task_id: str = ""  # whose sandbox that is
    resources: Resources = NOTHING  # what the task was given, to be held to it
    user: str = ""  # its framework's, as whom it runs if the command does not say (HT-245)


@frozen
class SignalWork:
    """Send this signal to every process of that work."""

    work_id: str
    signum: int


@frozen
class Callback:
    """Call the user's code; answered by `CallbackReturned` with the same serial."""

    callback: str
    arguments: tuple[Any, ...]
    serial: int


@frozen
class Publish:
    """Make this known to whoever looks: it has changed. The newest of each thing is kept (runtime/event_stream.py)."""

    fact: Fact


@frozen
class Reply:
    """Give this answer to whoever waits for it outside, by its `call_id`."""

    answer: CallAnswered | QueryAnswered


@frozen
class Exit:
    """This actor ends here; its links break. `reason` is for the log and the trace."""

    reason: str
    status: int = 0


class Extension:
    """Marks an effect that only the actors of an extension perform, as those that speak HTTP do."""

    __slots__ = ()


Effect = (
    Send | SetTimer | CancelTimer | Link | Load | Save | SpawnExecutor | Destroy | Run | SignalWork | Callback
    | Publish | Reply | Exit | Extension
)  # fmt: skip


@frozen(kw_only=True)
class ExecutorStart:
    """What an executor is born with, in Mesos in its environment (drain.md 3.1.4); `info` None: a command executor."""

    framework_id: str
    executor_id: str
    agent: str
    agent_id: str
    info: ExecutorInfo | None
    checkpoint: bool
    shutdown_grace_s: float
    sandbox: str
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""  # the framework's


# ---------------------------------------------------------------------------------------------------------------- core


S = TypeVar("S")
E = TypeVar("E")
Table = Mapping[type, Callable[..., None]]
"""Who decides, by the class of what happens."""


def on(kind: type[E], decide: Callable[[S, E, str, float], None]) -> tuple[type, Callable[[S, Any, str, float], None]]:
    """One entry of a table: an event, or the key of a timer, and who decides. mypy sees whether they fit."""
    return kind, decide


def on_each(
    *kinds: type, decide: Callable[[S, object, str, float], None]
) -> list[tuple[type, Callable[[S, Any, str, float], None]]]:
    """Entries of events that one function takes, whatever they are."""
    return [(kind, decide) for kind in kinds]


class Core:
    """The pure part of a role: its state, and tables from the classes of events and timers to who decides.

    A message whose class is not in the table is dropped: `handle` answers with no effects (core.md LP-15). What the
    runtime says of the core's own affairs must be in the table or among what it ignores.
    """

    HANDLERS: ClassVar[Table] = {}
    TIMERS: ClassVar[Table] = {}
    """Who decides when a timer has fired, by the class of its key; a handler gets the key."""
    IGNORED: ClassVar[frozenset[type]] = frozenset()
    """System events that come to this core and change nothing."""

    def __init__(self) -> None:
        """Start with nothing decided."""
        self.effects: list[Effect] = []

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        """Decide what this event means now. The only way in."""
        effects: list[Effect] = []
        self.effects = effects
        handler = self.HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event, sender, now)
        elif type(event) is TimerFired:
            self.timer_handler(event)(self, event.key, sender, now)
        else:
            self.let_pass(event)
        return effects

    def answer(self, query: Query, now: float) -> Message | None:
        """What there is to say to that query, as things are; it only reads. None: nobody asks this role anything."""
        return None

    def timer_handler(self, event: TimerFired) -> Callable[..., None]:
        """Who decides on that timer.

        Raises:
            TypeError: this core sets no such timer.
        """
        handler = self.TIMERS.get(type(event.key))
        if handler is None:
            raise TypeError(f"{type(self).__name__} sets no timer that {event} could be: add its key to TIMERS")
        return handler

    def let_pass(self, event: object) -> None:
        """Drop what nobody here decides on, unless it is news that somebody must have asked for.

        Raises:
            TypeError: a system event that this core does not ignore.
        """
        if type(event) in SYSTEM_EVENTS and type(event) not in self.IGNORED:
            raise TypeError(f"{type(self).__name__} cannot handle {event}: add it to HANDLERS, or to IGNORED")

    def send(self, to: str, message: Message) -> None:
        """Want this said."""
        # A Send made the short way: this line runs for every message.
        self.effects.append(_new_tuple(Send, (to, message)))

    def standing(self) -> str:
        """What it does or holds that somebody may wait for, in a few words; for errors, so it only reads."""
        return ""

    def check(self) -> None:
        """Assert every invariant of this role; called by simulations, never needed for correct work."""

