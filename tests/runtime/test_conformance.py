"""The port's promises, kept by both runtimes: the same short scripts on threads and on virtual time.

Spec: docs/spec/core.md, LP-10 to LP-34 and EL-37. Each comment names what a line shows.
"""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Exit,
    Link,
    Load,
    PeerExited,
    Save,
    Send,
    SetTimer,
    TimerFired,
)
from mesolite.actors.errors import NameTaken
from mesolite.actors.runtime.port import Placement
from mesolite.actors.trace import Lost
from mesolite.messages.infos import AgentInfo
from tests.runtime.puppets import Alarm, Inspect, Say

RECORD = AgentInfo(hostname="one", resources="cpus:1")


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


def test_an_inbox_is_first_come_first_served_and_closed_with_its_actor(stage: Any) -> None:
    """Whoever says it, in the order in which it came; what comes after the end is heard by nobody (LP-2)."""
    listener = stage.actor("listener")
    first = listener.context
    said = [f"{number} of {sender}" for number in range(50) for sender in ("one", "other", "third")]

    def hear_none_of_it_yet(core: Any) -> int:
        """It is busy with this while all that comes."""
        for word in said:
            stage.runtime.post(first, Say(word), word.split()[-1])
        return len(listener.words)

    assert first.ref.ask(Inspect(hear_none_of_it_yet), timeout=60) == 0
    stage.until(lambda: len(listener.words) == len(said))
    assert said == listener.words

    listener.end()
    second = stage.actor("listener")
    stage.runtime.post(first, Say("too late"), "one")
    second.do(Send("listener", Say("of its own")))
    stage.until(lambda: second.words)
    assert (second.words, listener.words) == (["of its own"], said)


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


def test_nobody_hears_of_anything_before_it_was_said(stage: Any) -> None:
    """An event is never earlier than what caused it, and no actor's time goes back (LP-42)."""
    first, second = stage.actor("first"), stage.actor("second")

    first.do(SetTimer(Alarm("later"), 0.02))
    stage.until(lambda: first.fired)
    for number in range(20):
        first.do(Send("second", Say(str(number))))
        second.do(Send("first", Say(str(number))))
    stage.until(lambda: len(first.words) == len(second.words) == 20)

    records = {record.index: record for record in stage.runtime.trace}
    caused = [record for record in records.values() if record.cause in records]
    assert {(record.actor, type(record.event)) for record in caused} >= {
        ("first", TimerFired),
        ("first", Say),
        ("second", Say),
    }
    assert all(records[record.cause].time <= record.time for record in caused)
    for actor in ("first", "second"):
        times = [record.time for record in records.values() if record.actor == actor]
        assert times == sorted(times)


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
    """`PeerExited` comes after all the dead actor said, with its reason, once however often linked (LP-24, LP-26)."""
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
    """Whoever links to an actor that is not there any more, or never was, need not wait (LP-25)."""
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
