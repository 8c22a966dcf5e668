"""Puppets: actors that note what they hear and do what they are told, on either runtime.

A script is written once and run on both stages. No test sleeps: `until` waits for something to be heard, and what
must *not* be heard is shown by waiting for something that can only come after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from attrs import frozen

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    Core,
    Effect,
    ExecutorStart,
    Loaded,
    PeerExited,
    Started,
    TimerFired,
    TimerKey,
)
from mesolite.actors.errors import ActorFailed
from mesolite.actors.runtime.port import ActorContext, NewActor, Placement
from mesolite.actors.threads.runtime import ThreadsRuntime
from mesolite.actors.threads.sqlite_store import SqliteStore
from mesolite.actors.trace import Trace
from mesolite.actors.user_code import fenced
from mesolite.actors.user_errors import UserError
from mesolite.messages.base import Message
from mesolite.simulation.virtual import VirtualRuntime

PATIENCE_S = 60.0
"""Only what hangs takes that long."""


@frozen
class Say(Message):
    """One puppet says a word to another."""

    word: str


@frozen
class Do:
    """Tells a puppet what to do next."""

    effects: tuple[Effect, ...]


@frozen
class Raise:
    """Tells a puppet's core to raise."""

    error: BaseException


@frozen
class Curse(Message):
    """A word at which a puppet's core raises."""

    word: str


@frozen
class Alarm(TimerKey):
    """A puppet's timer, by name."""

    name: str


class Puppet(Core):
    """Hears everything, decides nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[Any, str]] = []

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        match event:
            case Do(effects):
                return list(effects)
            case Raise(error):
                raise error
            case Curse(word):
                raise RuntimeError(f"cursed by {word}")
        self.heard.append((event, sender))
        return []


class UserFunction:
    """User code that is one function, as an actor sees it."""

    still_running = True

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def prepare(self) -> None:
        pass

    def call(self, callback: Callback) -> None:
        self._function()

    def raised(self, error: UserError) -> None:
        pass


class Inspect(NamedTuple):
    """Ask a puppet about its core: `ref.ask(Inspect(lambda core: core.heard))`, answered between two events."""

    read: Callable[[Any], Any]


class PuppetRole(MesosActor):
    """The Pykka actor of a puppet, with or without user code."""

    def on_receive(self, message: Any) -> Any:
        if type(message) is Inspect:
            return message.read(self.core)
        return super().on_receive(message)

    def __init__(self, context: ActorContext, user: Callable[[], object] | None = None) -> None:
        super().__init__(context, Puppet())
        self._user = user

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        assert self._user is not None
        return fenced(self, UserFunction(self._user), callback)  # type: ignore[arg-type]  # all that fenced() needs


class StageActor:
    """A puppet on a stage, and what it has heard."""

    def __init__(self, stage: Stage, context: ActorContext) -> None:
        self.stage = stage
        self.context = context
        self.core: Any = context.actor.core

    @property
    def name(self) -> str:
        return self.context.name

    @property
    def heard(self) -> list[Any]:
        """Every event but `Started`, oldest first."""
        return [event for event, _ in list(self.core.heard) if type(event) is not Started]

    def kinds(self, kind: type) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def words(self) -> list[str]:
        """What was said to it."""
        return [event.word for event in self.kinds(Say)]

    @property
    def fired(self) -> list[str]:
        """The names of the timers that fired."""
        return [event.key.name for event in self.kinds(TimerFired)]

    @property
    def exits(self) -> list[PeerExited]:
        """The ends it was told of."""
        return self.kinds(PeerExited)

    @property
    def records(self) -> list[dict[str, Any]]:
        """What it read from its store, each time."""
        return [dict(event.records) for event in self.kinds(Loaded)]

    def do(self, *effects: Effect) -> None:
        self.stage.runtime.post(self.context, Do(effects))

    def fail(self, error: BaseException) -> None:
        self.stage.runtime.post(self.context, Raise(error))

    def end(self, status: int = 0) -> None:
        self.stage.runtime.end(self.context, status)


class Stage(Protocol):
    """A runtime with puppets on it."""

    runtime: Any

    def until(self, done: Callable[[], object]) -> None:
        """Let things happen until it is done."""

    def failure(self) -> BaseException:
        """Let things happen until an actor fails, and say how."""


class _Staging:
    runtime: Any

    def actor(
        self, name: str, user: Callable[[], object] | None = None, host: str = "here", store: str = ""
    ) -> StageActor:
        """Start a puppet; with user code it gets a thread of its own where there are any."""
        place = Placement(host, store=store, own_thread=user is not None)
        return StageActor(self, self.runtime.start(name, place, lambda context: PuppetRole(context, user)))  # type: ignore[arg-type]

    def find(self, name: str) -> StageActor:
        return StageActor(self, self.runtime.directory.find(name))  # type: ignore[arg-type]

    def let_spawn(self) -> None:
        """Let executors be puppets too, except those that are to be unknown."""

        def birth(host: str, start: ExecutorStart) -> NewActor:
            if start.executor_id == "unknown":
                raise LookupError("no executor class is known under the name 'unknown'")
            return PuppetRole, Placement(host)

        self.runtime.executor_factory = birth


class ThreadsStage(_Staging):
    """Real time, real commands."""

    def __init__(self, folder: Path) -> None:
        self.runtime = ThreadsRuntime(Trace(), SqliteStore(str(folder / "store.sqlite")), max_file_size=1 << 20)

    def until(self, done: Callable[[], object]) -> None:
        assert self.runtime.wait(lambda: bool(done()), PATIENCE_S)

    def failure(self) -> BaseException:
        self.until(lambda: self.runtime.failures)
        failure: ActorFailed = self.runtime.failures[0]
        return failure

    def close(self) -> None:
        self.runtime.close()
        self.runtime.unseen.call_off()  # the test has seen it


class VirtualStage(_Staging):
    """Virtual time, described commands."""

    def __init__(self, folder: Path) -> None:
        self.runtime = VirtualRuntime(seed=0, trace=Trace())

    def until(self, done: Callable[[], object]) -> None:
        assert self.runtime.wait(lambda: bool(done()), PATIENCE_S)

    def failure(self) -> BaseException:
        try:
            self.runtime.settle()
        except ActorFailed as failed:
            return failed
        raise AssertionError("nobody failed")

    def close(self) -> None:
        """Nothing was opened."""


STAGES: dict[str, Any] = {"threads": ThreadsStage, "virtual": VirtualStage}


@contextmanager
def stage_of(kind: str, folder: Path) -> Iterator[Any]:
    stage = STAGES[kind](folder)
    try:
        yield stage
    finally:
        stage.close()


def start_of(executor_id: str) -> ExecutorStart:
    """What an executor of that id is born with."""
    return ExecutorStart(
        framework_id="F1",
        executor_id=executor_id,
        agent="agent-1",
        agent_id="S1",
        info=None,
        checkpoint=False,
        shutdown_grace_s=5.0,
        sandbox="/nowhere",
    )
