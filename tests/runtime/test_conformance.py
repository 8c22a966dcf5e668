"""The port's promises, kept by both runtimes: the same short scripts on threads and on virtual time.

Spec: docs/spec/core.md, LP-10 to LP-34 and EL-37. Each comment names what a line shows.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    CancelTimer,
    Destroy,
    Exit,
    Link,
    Load,
    PeerExited,
    Run,
    Save,
    Saved,
    Send,
    SetTimer,
    SignalWork,
    SpawnExecutor,
    SpawnFailed,
    StoreRefused,
    WorkExited,
    WorkStarted,
)
from mesolite.actors.errors import ActorFailed, NameTaken
from mesolite.actors.runtime.port import Placement
from mesolite.actors.trace import Ended, Lost, Raised
from mesolite.messages.ids import TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import CommandInfo, SimulatedWork, TaskState, TaskStatus
from tests.runtime.puppets import STAGES, Alarm, Curse, Inspect, Say, stage_of, start_of
from tests.scenarios.unstorable import broken

RECORD = AgentInfo(hostname="one", resources="cpus:1")
OTHER = AgentInfo(hostname="two", resources="cpus:2")


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with stage_of(request.param, tmp_path) as stage:
        yield stage


def _lost(stage: Any) -> list[tuple[str, str, Any]]:
    """What never arrived: to whom, from whom, what."""
    records = [record for record in stage.runtime.trace if isinstance(record.event, Lost)]
    return [(record.actor, record.sender, record.event.message) for record in records]


# --------------------------------------------------------------------------------------------------------- messages


def test_messages_of_one_pair_keep_their_order(stage: Any) -> None:
    """What one actor says to another arrives in the order in which it was said, once each (LP-13)."""
    talker, other, listener = stage.actor("talker"), stage.actor("other"), stage.actor("listener")
    words = [str(number) for number in range(300)]

    for word in words:
        talker.do(Send("listener", Say(f"talker {word}")), Send("listener", Say(f"talker {word}, again")))
        other.do(Send("listener", Say(f"other {word}")))
    stage.until(lambda: len(listener.words) == 900)

    said = [text for word in words for text in (f"talker {word}", f"talker {word}, again")]
    assert said == [word for word in listener.words if word.startswith("talker")]
    assert [f"other {word}" for word in words] == [word for word in listener.words if word.startswith("other")]


def test_a_message_to_nobody_is_lost_and_recorded(stage: Any) -> None:
    """The sender hears nothing of it, the trace says what was lost (LP-14)."""
    talker = stage.actor("talker")

    talker.do(Send("nobody", Say("hello")), Send("talker", Say("go on")))
    stage.until(lambda: talker.words and _lost(stage))

    assert talker.words == ["go on"]
    assert [("nobody", "talker", Say("hello"))] == _lost(stage)


def test_a_message_to_a_dead_actor_is_lost_and_recorded(stage: Any) -> None:
    """Being dead is like never having been there."""
    talker, listener = stage.actor("talker"), stage.actor("listener")
    listener.end()

    talker.do(Send("listener", Say("hello")), Send("talker", Say("go on")))
    stage.until(lambda: talker.words and _lost(stage))

    assert listener.words == []
    assert [("listener", "talker", Say("hello"))] == _lost(stage)


def test_a_record_names_its_cause(stage: Any) -> None:
    """What a message led to carries the number of the record of that message."""
    first, second = stage.actor("first"), stage.actor("second")

    first.do(Send("second", Say("hello")))
    stage.until(lambda: second.words)

    records = {record.index: record for record in stage.runtime.trace}
    (heard,) = [record for record in records.values() if isinstance(record.event, Say)]
    assert ("first", (Send("second", Say("hello")),)) == (
        records[heard.cause].actor,
        records[heard.cause].event.effects,
    )


def test_a_new_actor_hears_first_that_it_has_started(stage: Any) -> None:
    """`Started` comes before everything else, and its incarnation grows with each life of a name (LP-11)."""
    talker = stage.actor("talker")
    stage.actor("again").end()

    again = stage.actor("again")
    talker.do(Send("again", Say("hello")))
    stage.until(lambda: again.words)

    core: Any = again.context.actor.core
    (started, _), *_ = core.heard
    assert (started.name, started.incarnation) == ("again", 2)


def test_names_are_taken_while_their_actor_lives(stage: Any) -> None:
    """A second actor of that name is refused, and the first is none the worse (LP-10)."""
    first = stage.actor("same")

    with pytest.raises(NameTaken, match="'same' is alive already"):
        stage.actor("same")
    first.do(Send("same", Say("still here")))
    stage.until(lambda: first.words)

    first.end()
    assert stage.actor("same").context.incarnation == 2


def test_an_actor_that_cannot_be_made_leaves_its_name_free(stage: Any) -> None:
    """What the maker raises comes out, and nobody is left sitting there half made."""

    def cannot(context: Any) -> Any:
        raise ValueError("cannot be made")

    with pytest.raises(ValueError, match="cannot be made"):
        stage.runtime.start("unborn", Placement("here"), cannot)

    assert stage.runtime.directory.find("unborn") is None
    assert stage.actor("unborn").context.incarnation == 1


# ----------------------------------------------------------------------------------------------------------- timers


def test_a_timer_fires_once(stage: Any) -> None:
    """Not before its time, and not a second time (LP-33)."""
    actor = stage.actor("actor")
    began = stage.runtime.now()

    actor.do(SetTimer(Alarm("one"), 0.02), SetTimer(Alarm("later"), 0.05))
    stage.until(lambda: "later" in actor.fired)

    assert actor.fired == ["one", "later"]
    assert stage.runtime.now() >= began + 0.05


def test_timers_due_at_once_fire_in_the_order_they_were_set(stage: Any) -> None:
    """A delay of nothing is a delay: the event comes later, in order (LP-40)."""
    actor = stage.actor("actor")

    actor.do(*(SetTimer(Alarm(name), 0.0) for name in "abc"))
    stage.until(lambda: len(actor.fired) == 3)

    assert actor.fired == ["a", "b", "c"]


def test_a_cancelled_timer_never_fires(stage: Any) -> None:
    """Cancelling holds; cancelling what is not set is harmless (LP-33)."""
    actor = stage.actor("actor")

    actor.do(SetTimer(Alarm("cancelled"), 0.01), SetTimer(Alarm("later"), 0.03))
    actor.do(CancelTimer(Alarm("cancelled")), CancelTimer(Alarm("never set")))
    stage.until(lambda: actor.fired)

    assert actor.fired == ["later"]


def test_setting_a_timer_again_replaces_it(stage: Any) -> None:
    """Only the newest setting of a key fires (LP-34)."""
    actor = stage.actor("actor")

    actor.do(SetTimer(Alarm("again"), 0.01), SetTimer(Alarm("again"), 0.03), SetTimer(Alarm("between"), 0.02))
    stage.until(lambda: "again" in actor.fired)
    actor.do(SetTimer(Alarm("later"), 0.01))
    stage.until(lambda: "later" in actor.fired)

    assert actor.fired == ["between", "again", "later"]


def test_a_timer_that_is_due_and_then_cancelled_does_not_reach_the_core(stage: Any) -> None:
    """Between coming due and being handled it can still be outdated: the core never sees it (LP-33)."""
    actor = stage.actor("actor")

    # Both are due at the same instant; the first to be handled cancels the other.
    actor.do(SetTimer(Alarm("a"), 0.0), SetTimer(Alarm("b"), 0.0), CancelTimer(Alarm("a")), CancelTimer(Alarm("b")))
    actor.do(SetTimer(Alarm("later"), 0.02))
    stage.until(lambda: actor.fired)

    assert actor.fired == ["later"]


def test_a_timer_of_a_predecessor_never_reaches_its_successor(stage: Any) -> None:
    """A timer belongs to one life (LP-11)."""
    first = stage.actor("actor")
    first.do(SetTimer(Alarm("first life"), 0.02), Send("actor", Say("set")))
    stage.until(lambda: first.words)

    first.end()
    second = stage.actor("actor")
    second.do(SetTimer(Alarm("second life"), 0.04))
    stage.until(lambda: second.fired)

    assert second.fired == ["second life"]
    assert first.fired == []


# ------------------------------------------------------------------------------------------------------------ links


def test_a_link_tells_of_the_end_once_and_last(stage: Any) -> None:
    """`PeerExited` comes after all that the dead actor said, with its reason, once however often linked (LP-24)."""
    watcher, talker = stage.actor("watcher"), stage.actor("talker")
    watcher.do(Link("talker"), Link("talker"), Send("watcher", Say("linked")))
    stage.until(lambda: watcher.words)

    talker.do(*(Send("watcher", Say(str(number))) for number in range(50)), Exit("enough", 7))
    stage.until(lambda: watcher.exits)
    watcher.do(Send("watcher", Say("later")))
    stage.until(lambda: "later" in watcher.words)

    assert [PeerExited("talker", 1, 7, "enough")] == watcher.exits
    assert [Say("49"), PeerExited("talker", 1, 7, "enough"), Say("later")] == watcher.heard[-3:]


@pytest.mark.parametrize("had_lived", [False, True])
def test_a_link_to_nobody_is_told_at_once(stage: Any, had_lived: bool) -> None:
    """Whoever links to an actor that is not there any more, or never was, need not wait (LP-26)."""
    watcher = stage.actor("watcher")
    if had_lived:
        stage.actor("gone").end()

    watcher.do(Link("gone"))
    stage.until(lambda: watcher.exits)

    assert [PeerExited("gone", int(had_lived))] == watcher.exits


def test_the_news_of_an_end_comes_before_anything_its_successor_says(stage: Any) -> None:
    """An actor that is restarted at once is seen to go before it is seen to come (LP-13)."""
    watcher = stage.actor("watcher")
    for life in range(1, 21):
        actor = stage.actor("phoenix")
        actor.do(Send("watcher", Say(f"life {life}")))
        stage.until(lambda life=life: f"life {life}" in watcher.words)
        watcher.do(Link("phoenix"), Send("watcher", Say(f"linked {life}")))
        stage.until(lambda life=life: f"linked {life}" in watcher.words)
        actor.end()
    last = stage.actor("phoenix")
    last.do(Send("watcher", Say("life 21")))
    stage.until(lambda: "life 21" in watcher.words)

    said = [event for event in watcher.heard if not (isinstance(event, Say) and event.word.startswith("linked"))]
    expected = [event for life in range(1, 21) for event in (Say(f"life {life}"), PeerExited("phoenix", life, 0))]
    assert [*expected, Say("life 21")] == said


def test_a_machine_without_power_goes_silently(stage: Any) -> None:
    """No link breaks; whoever asks later learns that nobody is there."""
    watcher, victim = stage.actor("watcher"), stage.actor("victim")
    watcher.do(Link("victim"), Send("watcher", Say("linked")))
    stage.until(lambda: watcher.words)

    stage.runtime.end(victim.context, -1, silent=True)
    watcher.do(SetTimer(Alarm("later"), 0.02))
    stage.until(lambda: watcher.fired)

    assert watcher.exits == []


def test_what_an_actor_wants_after_its_exit_is_void(stage: Any) -> None:
    """Nothing is done for an actor that has ended, not even what it wanted in the same breath."""
    watcher, actor = stage.actor("watcher"), stage.actor("actor")
    watcher.do(Link("actor"), Send("watcher", Say("linked")))
    stage.until(lambda: watcher.words)

    actor.do(Exit("done"), Send("watcher", Say("posthumous")), SetTimer(Alarm("late"), 0.0), Save((("k", RECORD),)))
    stage.until(lambda: watcher.exits)
    heir = stage.actor("heir", store="actor")
    heir.do(Load(), Send("watcher", Say("later")))
    stage.until(lambda: heir.records and "later" in watcher.words)

    assert watcher.words == ["linked", "later"]
    assert heir.records == [{}]


def test_the_news_of_an_end_does_not_reach_a_successor_of_the_watcher(stage: Any) -> None:
    """A link belongs to one life of the watcher, too (LP-11)."""
    watcher, peer = stage.actor("watcher"), stage.actor("peer")
    watcher.do(Link("peer"), Send("peer", Say("linked")))
    stage.until(lambda: peer.words)

    peer.end()
    watcher.end()
    successor = stage.actor("watcher")
    successor.do(SetTimer(Alarm("later"), 0.02))
    stage.until(lambda: successor.fired)

    assert successor.exits == []


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


# --------------------------------------------------------------------------------------------------- Pykka from outside


def test_ask_works_from_outside(stage: Any) -> None:
    """A question is answered between two events."""
    actor = stage.actor("actor")
    actor.do(Send("actor", Say("hello")))
    stage.until(lambda: actor.words)

    assert actor.context.ref.ask(Inspect(lambda core: len(core.heard) - 1), timeout=60) == 1


def test_what_a_question_raises_goes_to_whoever_asked(stage: Any) -> None:
    """A question that fails is the asker's error; the actor lives on."""
    actor = stage.actor("actor")

    with pytest.raises(ZeroDivisionError):
        actor.context.ref.ask(Inspect(lambda core: 1 // 0), timeout=60)

    assert actor.context.alive


@pytest.mark.parametrize("user", [None, list], ids=["pooled", "own thread"])
def test_to_ask_a_dead_actor_is_an_error(stage: Any, user: Any) -> None:
    """Nobody waits for an answer that cannot come."""
    actor = stage.actor("actor", user)
    actor.end()

    with pytest.raises(pykka.ActorDeadError):
        actor.context.ref.ask(Inspect(len), timeout=60)


@pytest.mark.parametrize("user", [None, list], ids=["pooled", "own thread"])
def test_a_question_that_waits_when_its_actor_ends_is_answered(stage: Any, user: Any) -> None:
    """With an error: what is left in the inbox is not handled any more."""
    actor = stage.actor("actor", user)

    def ask_and_end(core: Any) -> Any:
        waiting = actor.context.ref.ask(Inspect(len), block=False)
        actor.end()
        return waiting

    waiting = actor.context.ref.ask(Inspect(ask_and_end), timeout=60)

    with pytest.raises(pykka.ActorDeadError):
        waiting.get(timeout=60)


@pytest.mark.parametrize("user", [None, list], ids=["pooled", "own thread"])
def test_an_actor_can_be_stopped_through_its_ref(stage: Any, user: Any) -> None:
    """Pykka's own stop: what came before is handled, links break, the name is free."""
    watcher, actor = stage.actor("watcher"), stage.actor("actor", user)
    watcher.do(Link("actor"), Send("actor", Say("before")))
    stage.until(lambda: actor.words)

    actor.context.ref.tell(Say("the last"))
    actor.context.ref.stop(block=False)
    stage.until(lambda: watcher.exits)

    assert actor.words == ["before", "the last"]
    assert stage.runtime.directory.find("actor") is None


def test_our_actors_never_enter_pykkas_registry(stage: Any) -> None:
    """The process-wide registry would tie clusters together."""
    stage.actor("pooled")
    own = stage.actor("own", list)
    own.do(Send("own", Say("hello")))
    stage.until(lambda: own.words)

    assert pykka.ActorRegistry.get_all() == []


def test_what_a_bare_message_says_comes_from_outside(stage: Any) -> None:
    """A message told to a ref by a test is handled like any other."""
    actor = stage.actor("actor")

    actor.context.ref.tell(Say("hello"))
    stage.until(lambda: actor.words)

    core: Any = actor.context.actor.core
    assert (Say("hello"), "outside") == core.heard[-1]


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    """A closed runtime has none, and a virtual one never had any."""
    before = threading.enumerate()

    for kind in STAGES:
        folder = tmp_path / kind
        folder.mkdir()
        with stage_of(kind, folder) as stage:
            actor = stage.actor("actor", list)
            actor.do(Callback("call", (), 1))
            stage.until(lambda actor=actor: actor.heard)

    assert before == threading.enumerate()
