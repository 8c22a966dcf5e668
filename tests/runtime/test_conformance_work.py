"""The port's promises, kept by both runtimes: the store, executors and work, failures of cores and of user code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    Destroy,
    Exit,
    Link,
    Load,
    PeerExited,
    Run,
    Save,
    Saved,
    Send,
    SignalWork,
    SpawnExecutor,
    SpawnFailed,
    StoreRefused,
    WorkExited,
    WorkStarted,
)
from mesolite.actors.errors import ActorFailed
from mesolite.actors.trace import Ended, Raised
from mesolite.messages.ids import TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import CommandInfo, SimulatedWork, TaskState, TaskStatus
from tests.runtime.puppets import Curse, Say, start_of
from tests.scenarios.unstorable import broken

RECORD = AgentInfo(hostname="one", resources="cpus:1")
OTHER = AgentInfo(hostname="two", resources="cpus:2")


# ------------------------------------------------------------------------------------------------------------ store


def test_what_was_saved_survives_its_actor(stage: Any) -> None:
    """The next life reads what the last one saved; None deletes (EL-37)."""
    first = stage.actor("keeper")
    first.do(Save((("a", RECORD), ("b", OTHER)), tag="first"), Save((("b", None),), tag="second"))
    stage.until(lambda: len(first.kinds(Saved)) == 2)
    first.end()

    second = stage.actor("keeper")
    second.do(Load())
    stage.until(lambda: second.records)

    assert [Saved("first"), Saved("second")] == first.kinds(Saved)
    assert second.records == [{"a": RECORD}]


def test_what_is_saved_outlives_whatever_becomes_of_the_object(stage: Any) -> None:
    """A store keeps the text of a record; 20 MB of bytes in it are nothing out of the way."""
    actor = stage.actor("keeper")
    record = TaskStatus(task_id=TaskId("t"), state=TaskState.TASK_RUNNING, data=bytes(range(256)) * 78_125)

    actor.do(Save((("a", record), ("b", "text"), ("c", (1, None, RECORD)))), Load())
    stage.until(lambda: actor.records)

    (read,) = actor.records
    assert read == {"a": record, "b": "text", "c": (1, None, RECORD)}
    assert read["a"] is not record


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (broken(RECORD, hostname="\udc80"), r"AgentInfo\.hostname: .* half of a surrogate pair"),
        (broken(RECORD, hostname=5), r"AgentInfo\.hostname: expected a string, got 5"),
        (broken(RECORD, resources=5), r"AgentInfo\.resources: 5: a name and a value"),
        (broken(RECORD, hostname=object()), r"AgentInfo\.hostname: .*object is not JSON serializable"),
        ((1, (2, float("nan"))), r"record\[1\]\[1\]: Out of range float"),
        ({"a": 1}, "dict cannot be stored"),
    ],
    ids=["surrogate", "other type", "no resources", "no data", "not finite", "no record"],
)
@pytest.mark.parametrize("user", [None, list], ids=["pooled", "own thread"])
def test_who_saves_what_cannot_be_stored_has_failed(stage: Any, user: Any, record: Any, what: str) -> None:
    """It is that actor's bug, not the store's: nothing is written, others and its successor go on."""
    watcher, neighbour = stage.actor("watcher"), stage.actor("neighbour", store="keeper")
    actor = stage.actor("keeper", user)
    watcher.do(Link("keeper"))
    actor.do(Save((("good", RECORD), ("bad", record)), tag="both"), Send("watcher", Say("void")))
    failure = stage.failure()
    stage.until(lambda: watcher.exits)
    neighbour.do(Save((("other", OTHER),), tag="mine"), Load())
    stage.until(lambda: neighbour.records)
    successor = stage.actor("keeper")
    successor.do(Load())
    stage.until(lambda: successor.records)

    assert isinstance(failure, ActorFailed)
    why = rf"keeper failed: InvalidValue: the record 'bad' of keeper cannot be stored: .*{what}"
    assert re.match(why, str(failure))
    assert [PeerExited("keeper", 1, -1)] == watcher.exits
    assert watcher.words == actor.heard == []
    assert [{"other": OTHER}] == neighbour.records == successor.records


def test_news_of_the_store_does_not_reach_a_successor(stage: Any) -> None:
    """`Saved` belongs to one life (LP-11)."""
    first = stage.actor("keeper")

    first.do(Save((("a", RECORD),), tag="first life"), Exit("done"))
    stage.until(lambda: not first.context.alive)
    second = stage.actor("keeper")
    second.do(Save((("a", OTHER),), tag="second life"))
    stage.until(lambda: second.kinds(Saved))

    assert [Saved("second life")] == second.kinds(Saved)


def test_a_write_of_an_older_term_is_refused(stage: Any) -> None:
    """Who claims the store with a later term fences off everybody before, for writing and for claiming (EL-37)."""
    old, new = stage.actor("old", store="registry"), stage.actor("new", store="registry")
    old.do(Load(term=1))
    stage.until(lambda: old.records)
    new.do(Load(term=2))
    stage.until(lambda: new.records)

    old.do(Save((("a", RECORD),), term=1, tag="too late"))
    stage.until(lambda: old.kinds(StoreRefused))
    old.do(Load(term=1))
    stage.until(lambda: len(old.kinds(StoreRefused)) == 2)
    new.do(Save((("b", OTHER),), term=2, tag="mine"), Load(term=2))
    stage.until(lambda: len(new.records) == 2)

    assert old.kinds(Saved) == []
    assert new.records[1] == {"b": OTHER}
    assert {"registry: term 1 came too late, term 2 has claimed the store"} == {
        event.reason for event in old.kinds(StoreRefused)
    }


def test_a_refused_write_writes_nothing_of_it(stage: Any) -> None:
    """All or none."""
    old, new = stage.actor("old", store="registry"), stage.actor("new", store="registry")
    new.do(Load(term=2))
    stage.until(lambda: new.records)

    old.do(Save((("a", RECORD), ("b", OTHER)), term=1))  # without a tag, too, a refusal is told
    stage.until(lambda: old.kinds(StoreRefused))
    new.do(Load(term=2))
    stage.until(lambda: len(new.records) == 2)

    assert new.records == [{}, {}]


# ------------------------------------------------------------------------------------- executors, work, failures


def test_an_executor_starts_on_the_machine_of_its_agent(stage: Any) -> None:
    """A spawned actor is born there with what was said; destroying it breaks its link."""
    stage.let_spawn()
    agent = stage.actor("agent-1", host="machine")
    agent.do(SpawnExecutor("agent-1/e1", start_of("e1")), Link("agent-1/e1"))
    stage.until(lambda: stage.runtime.directory.find("agent-1/e1"))
    assert stage.find("agent-1/e1").context.host == "machine"

    agent.do(Destroy("agent-1/e1"))
    stage.until(lambda: agent.exits)

    assert [PeerExited("agent-1/e1", 1, -1)] == agent.exits


def test_parties_of_other_machines_cannot_be_destroyed(stage: Any) -> None:
    """An agent's power ends at its machine."""
    agent, other = stage.actor("agent-1", host="machine"), stage.actor("other", host="elsewhere")

    agent.do(Destroy("other"), Destroy("nobody"), Send("other", Say("alive?")))
    stage.until(lambda: other.words)

    assert other.context.alive


def test_an_executor_that_cannot_start_is_told_to_its_agent(stage: Any) -> None:
    """An unknown class is no failure of the agent; the text is that of whoever could not."""
    stage.let_spawn()
    agent = stage.actor("agent-1")

    agent.do(SpawnExecutor("agent-1/e1", start_of("unknown")))
    stage.until(lambda: agent.heard)

    assert [SpawnFailed("agent-1/e1", "no executor class is known under the name 'unknown'")] == agent.heard


def test_an_executor_whose_name_is_taken_is_told_to_its_agent(stage: Any) -> None:
    """A predecessor that has not ended yet is no failure of the agent either."""
    stage.let_spawn()
    agent = stage.actor("agent-1")
    stage.actor("agent-1/e1")

    agent.do(SpawnExecutor("agent-1/e1", start_of("e1")))
    stage.until(lambda: agent.heard)

    (failed,) = agent.heard
    assert "an actor named 'agent-1/e1' is alive already" in failed.error


def _run(work_id: str, command: str, folder: Path, work: SimulatedWork) -> Run:
    return Run(work_id, CommandInfo(value=command), (), str(folder / work_id), work)


def test_work_is_told_to_have_started_and_ended(stage: Any, tmp_path: Path) -> None:
    """Started comes first, then the exit status."""
    actor = stage.actor("actor")

    actor.do(_run("w", "exit 3", tmp_path, SimulatedWork(duration=1.0, exit_status=3)))
    stage.until(lambda: actor.kinds(WorkExited))

    (started,) = actor.kinds(WorkStarted)
    assert [started, WorkExited("w", 3, None)] == actor.heard


def test_work_that_is_signalled_ends_by_that_signal(stage: Any, tmp_path: Path) -> None:
    """SIGTERM to work that obeys it; what has ended is past all signals."""
    actor = stage.actor("actor")
    actor.do(_run("w", "exec sleep 3600", tmp_path, SimulatedWork(duration=None)))
    stage.until(lambda: actor.kinds(WorkStarted))

    actor.do(SignalWork("w", 15))
    stage.until(lambda: actor.kinds(WorkExited))
    actor.do(SignalWork("w", 9), SignalWork("never was", 9), Send("actor", Say("go on")))
    stage.until(lambda: actor.words)

    assert [WorkExited("w", None, 15)] == actor.kinds(WorkExited)


def test_the_end_of_work_does_not_reach_a_successor(stage: Any, tmp_path: Path) -> None:
    """Work dies with the actor that asked for it, and its successor hears nothing of that (LP-11)."""
    watcher, first = stage.actor("watcher"), stage.actor("actor")
    watcher.do(Link("actor"))
    first.do(_run("w", "exec sleep 3600", tmp_path, SimulatedWork(duration=None)))
    stage.until(lambda: first.kinds(WorkStarted))

    first.do(Exit("done"))
    stage.until(lambda: watcher.exits)  # only once nothing of the work is left
    second = stage.actor("actor")
    second.do(_run("w", "exit 0", tmp_path, SimulatedWork(duration=1.0)))
    stage.until(lambda: second.kinds(WorkExited))

    assert [WorkExited("w", 0, None)] == second.kinds(WorkExited)


def test_a_core_that_raises_ends_its_actor_only(stage: Any) -> None:
    """The actor is gone and its links break; the error is raised, with its cause and the story; others go on."""
    watcher, actor = stage.actor("watcher"), stage.actor("actor")
    watcher.do(Link("actor"), Send("actor", Say("before")))
    stage.until(lambda: actor.words)
    error = ZeroDivisionError("our bug")

    actor.fail(error)
    failure = stage.failure()
    stage.until(lambda: watcher.exits)

    assert isinstance(failure, ActorFailed)
    assert error is failure.__cause__
    assert "actor failed: ZeroDivisionError: our bug" in str(failure)
    assert "Say before" in str(failure)
    assert [PeerExited("actor", 1, -1)] == watcher.exits


def test_the_event_that_ended_an_actor_is_the_last_of_its_story(stage: Any) -> None:
    """With who said it, what caused that, and what the core raised at it; nothing was carried out of it."""
    talker, _ = stage.actor("talker"), stage.actor("actor")
    talker.do(Send("actor", Say("before")), Send("actor", Curse("abracadabra")))

    failure = stage.failure()
    # On threads it is known that it has failed a moment before it has ended.
    stage.until(lambda: any(record.event == Ended(-1) for record in stage.runtime.trace))

    *records, ended = [record for record in stage.runtime.trace if record.actor == "actor"]
    assert (ended.event, ended.cause) == (Ended(-1), records[-1].index)
    (told,) = [record for record in stage.runtime.trace if record.index == records[-1].cause]
    assert (records[-1].event, records[-1].sender, told.actor) == (Curse("abracadabra"), "talker", "talker")
    assert records[-1].effects == (Raised("RuntimeError: cursed by abracadabra"),)
    said = "talker -> actor           Curse abracadabra  (raised RuntimeError: cursed by abracadabra)"
    assert str(failure).endswith(said)
    for text in (stage.runtime.trace.text(), stage.runtime.trace.tail("actor"), stage.runtime.trace.story("actor")):
        assert said in text
    assert stage.runtime.trace.hash() == stage.runtime.trace.hash()


class Unspeakable(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("nor this")


def test_an_event_that_ends_an_actor_is_shown_even_if_it_is_no_message(stage: Any) -> None:
    """What only the runtime says is left out of texts otherwise."""
    actor = stage.actor("actor")

    actor.fail(ZeroDivisionError("our bug"))
    stage.failure()

    assert "(raised ZeroDivisionError: our bug)" in stage.runtime.trace.text()


def test_what_cannot_be_put_into_words_ends_an_actor_all_the_same(stage: Any) -> None:
    """Its kind is told."""
    actor = stage.actor("actor")

    actor.fail(Unspeakable())
    stage.failure()

    *_, raised, ended = stage.runtime.trace
    assert raised.effects == (Raised("Unspeakable"),)
    assert (ended.event, ended.cause) == (Ended(-1), raised.index)


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3), GeneratorExit(), BaseException("odd")])
def test_user_code_is_fenced(stage: Any, error: BaseException) -> None:
    """Whatever user code raises comes back as text and is kept; its actor lives on, and so does everybody else's."""

    def user() -> None:
        raise error

    actor = stage.actor("actor", user)
    stage.runtime.user_errors.allow(type(error), "actor")

    actor.do(Callback("launch_task", (), 1))
    stage.until(lambda: actor.heard)
    actor.do(Send("actor", Say("go on")))
    stage.until(lambda: actor.words)

    text = f"launch_task raised {type(error).__name__}: {error}"
    assert [CallbackReturned("launch_task", 1, text, True)] == actor.kinds(CallbackReturned)
    (kept,) = stage.runtime.user_errors.all
    assert (kept.actor, kept.text, kept.exception, kept.allowed) == ("actor", text, error, True)
