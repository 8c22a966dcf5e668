"""What only the threads runtime promises: few threads for many actors, and user code that blocks nobody else."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pykka
import pytest

from mesolite import Refused
from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import (
    Callback,
    Core,
    Effect,
    Link,
    Load,
    PeerExited,
    Run,
    Save,
    Saved,
    Send,
    SetTimer,
    StoreRefused,
    WorkFailedToStart,
)
from mesolite.actors.runtime.port import Placement
from mesolite.actors.runtime.pykka_inside import Envelope
from mesolite.actors.threads.pool import Idle, Pool, PooledInbox
from mesolite.messages.tasks import CommandInfo
from tests.runtime.puppets import PATIENCE_S, Alarm, Inspect, Say, StageActor, ThreadsStage, stage_of


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[ThreadsStage]:
    with stage_of("threads", tmp_path) as stage:
        yield stage


class Gate:
    """User code that blocks until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def blocked(stage: ThreadsStage, gate: Gate) -> StageActor:
    """An actor whose user code blocks."""
    actor = stage.actor("blocked", gate)
    actor.do(Callback("launch_task", (), 1))
    assert gate.reached.wait(PATIENCE_S)
    return actor


class Lonely(Core):
    """Fails if it is ever asked to handle two events at once."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = threading.Lock()
        self.heard = 0

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        assert self.inside.acquire(blocking=False)
        self.heard += 1
        self.inside.release()
        return []


def test_many_parties_share_a_few_threads(stage: ThreadsStage) -> None:
    """A thousand actors that all have something to do need no thread each."""
    threads = threading.active_count()

    actors = [stage.actor(f"actor-{number}") for number in range(1000)]
    for actor in actors:
        actor.do(Send(actor.name, Say("hello")))
    stage.until(lambda: all(actor.words for actor in actors))

    assert threads == threading.active_count()


def test_an_actor_never_runs_twice_at_once(stage: ThreadsStage) -> None:
    """However many talk to it at the same time (LP-1)."""
    lonely = stage.runtime.start("lonely", Placement("here"), lambda context: MesosActor(context, Lonely()))
    talkers = [stage.actor(f"talker-{number}") for number in range(8)]

    for talker in talkers:
        talker.do(*(Send("lonely", Say("hello")) for _ in range(500)))
    core: Any = lonely.actor.core
    stage.until(lambda: core.heard == 1 + 8 * 500 or stage.runtime.failures)

    assert stage.runtime.failures == []


def test_every_end_is_told_however_busy_the_actor_is(stage: ThreadsStage) -> None:
    """An actor that is ended from outside in the middle of its work takes its leave, always."""
    watcher = stage.actor("watcher")
    for life in range(1, 301):
        actor = stage.actor("actor")
        watcher.do(Link("actor"), Send("watcher", Say(str(life))))
        stage.until(lambda life=life: str(life) in watcher.words[-1:])
        actor.do(*(Send("actor", Say("busy")) for _ in range(life % 7)), SetTimer(Alarm("t"), 0.0))
        actor.end()
        stage.until(lambda life=life: len(watcher.exits) == life)

    assert [PeerExited("actor", life, 0) for life in range(1, 301)] == watcher.exits
    assert stage.runtime.failures == []


def test_blocked_user_code_stalls_nobody_else(stage: ThreadsStage, blocked: StageActor) -> None:
    """Other actors, with user code and without, go on."""
    other, own = stage.actor("other"), stage.actor("own", list)

    other.do(Send("own", Say("hello")))
    stage.until(lambda: own.words)
    own.do(Send("other", Say("hello")))
    stage.until(lambda: other.words)

    assert blocked.context.alive


def test_the_end_of_a_blocked_actor_is_told_at_once(stage: ThreadsStage, blocked: StageActor) -> None:
    """Nobody waits for user code to return."""
    watcher = stage.actor("watcher")
    watcher.do(Link("blocked"), Send("watcher", Say("linked")))
    stage.until(lambda: watcher.words)

    blocked.end(-9)
    stage.until(lambda: watcher.exits)

    assert [PeerExited("blocked", 1, -9)] == watcher.exits


def test_whoever_asks_a_blocked_actor_learns_of_its_end_at_once(stage: ThreadsStage, blocked: StageActor) -> None:
    """A question that waits behind user code is answered with an error when the actor ends."""
    future = blocked.context.ref.ask(Inspect(len), block=False)

    blocked.end()

    with pytest.raises(pykka.ActorDeadError):
        future.get(timeout=PATIENCE_S)


def test_a_question_to_a_blocked_actor_times_out(stage: ThreadsStage, blocked: StageActor) -> None:
    """The asker decides how long it waits."""
    with pytest.raises(pykka.Timeout):
        blocked.context.ref.ask(Inspect(len), timeout=0.01)


def test_closing_does_not_wait_for_blocked_user_code(tmp_path: Path, gate: Gate) -> None:
    """The thread that stays behind ends when its user code returns."""
    with stage_of("threads", tmp_path) as stage:
        actor = stage.actor("blocked", gate)
        actor.do(Callback("launch_task", (), 1))
        assert gate.reached.wait(PATIENCE_S)

    (left,) = [thread for thread in threading.enumerate() if thread.name == "mesolite blocked"]
    gate.opened.set()
    left.join(PATIENCE_S)
    assert not left.is_alive()


def test_whoever_waits_is_let_go_when_it_is_closed(tmp_path: Path) -> None:
    """A thread that waits without a time-out does not wait for ever."""
    waiting, answers = threading.Event(), []
    with stage_of("threads", tmp_path) as stage:

        def look() -> bool:
            waiting.set()
            return False

        waiter = threading.Thread(target=lambda: answers.append(stage.runtime.wait(look, None)))
        waiter.start()
        assert waiting.wait(PATIENCE_S)
    waiter.join(PATIENCE_S)

    assert answers == [False]


def test_nothing_starts_on_a_closed_runtime(tmp_path: Path) -> None:
    """The text says what to do."""
    with stage_of("threads", tmp_path) as stage:
        pass

    with pytest.raises(Refused, match="actor cannot start: this cluster is closed; make another one"):
        stage.actor("actor")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), BaseException("odd")])
def test_an_interruption_of_a_handler_is_a_failure(stage: ThreadsStage, error: BaseException) -> None:
    """There is no user code in a handler of ours: the actor is gone, the others live on."""
    watcher, actor = stage.actor("watcher"), stage.actor("actor")
    watcher.do(Link("actor"))

    actor.fail(error)
    stage.until(lambda: watcher.exits)

    assert error is stage.failure().__cause__


def test_a_store_that_fails_refuses_and_goes_on(stage: ThreadsStage, tmp_path: Path) -> None:
    """A full disk, say: whoever asked is told, nothing of it is written, and the next request is served."""
    actor = stage.actor("actor")
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as db, db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON records WHEN new.key = 'k' BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )

    actor.do(Save((("a", 1), ("k", 2)), tag="cannot be written"))
    stage.until(lambda: actor.kinds(StoreRefused))
    actor.do(Save((("b", 3), ("k", None)), tag="can"), Load())
    stage.until(lambda: actor.records)

    assert "no room" in actor.kinds(StoreRefused)[0].reason
    assert [Saved("can")] == actor.kinds(Saved)
    assert actor.records == [{"b": 3}]


def test_what_an_actor_writes_after_its_end_is_not_stored(stage: ThreadsStage) -> None:
    """The thread that handles its last event may get that far; its successor has read what there is, and goes on."""
    actor = stage.actor("actor")
    actor.do(Save((("a", 1),), tag="alive"))
    stage.until(lambda: actor.kinds(Saved))

    actor.end()
    successor = stage.actor("actor")
    stage.runtime.save(actor.context, (("a", 2), ("b", 2)), 0, "too late", -1)
    successor.do(Load())
    stage.until(lambda: successor.records)

    assert successor.records == [{"a": 1}]


def test_a_store_that_cannot_be_read_refuses_and_goes_on(stage: ThreadsStage, tmp_path: Path) -> None:
    """A record of another version, say."""
    actor, other = stage.actor("actor"), stage.actor("other")
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as db, db:
        db.execute("INSERT INTO records VALUES ('actor', 'k', 'not a record')")

    actor.do(Load())
    stage.until(lambda: actor.kinds(StoreRefused))
    other.do(Load())
    stage.until(lambda: other.records)

    assert actor.records == []


def test_work_without_a_sandbox_fails_to_start(stage: ThreadsStage, tmp_path: Path) -> None:
    """What stands in the way is named; the actor that asked goes on."""
    (tmp_path / "file").touch()
    actor = stage.actor("actor")

    actor.do(Run("w", CommandInfo(value="true"), (), str(tmp_path / "file" / "sandbox")))
    stage.until(lambda: actor.kinds(WorkFailedToStart))

    assert "Not a directory" in actor.kinds(WorkFailedToStart)[0].error
    assert actor.context.alive


class StoppedMeanwhile:
    """An actor that is stopped from outside just after it has found its inbox empty."""

    def __init__(self, inbox: PooledInbox) -> None:
        self.actor_stopped = threading.Event()
        self.actor_inbox = self
        self._inbox = inbox

    def get(self) -> Any:
        self.actor_stopped.set()
        self._inbox.wake()
        raise Idle


def test_an_actor_that_is_stopped_as_its_turn_ends_takes_its_leave() -> None:
    """The moment between finding nothing to do and letting go of the worker must not swallow the stop."""
    left: SimpleQueue[Any] = SimpleQueue()
    pool = Pool(workers=1, leave=left.put)
    inbox = PooledInbox(pool)
    actor: Any = StoppedMeanwhile(inbox)

    inbox.put(Envelope("what is left to Pykka's loop"))
    inbox.begin(actor)

    assert left.get(timeout=PATIENCE_S) is actor
    pool.close(patience_s=0.0)
