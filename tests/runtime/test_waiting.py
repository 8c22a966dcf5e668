"""Waiting on threads: a condition may ask and wait itself, nothing is missed, and no time-out is too long."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest

from mesolite import InvalidValue
from mesolite.actors.decisions.contract import Send, SetTimer
from tests.runtime.puppets import PATIENCE_S, Alarm, Inspect, Say, StageActor, ThreadsStage, stage_of


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[ThreadsStage]:
    with stage_of("threads", tmp_path) as stage:
        yield stage


def asked(actor: StageActor) -> int:
    """How much it has heard, in its own words."""
    heard: Any = actor.context.ref.ask(Inspect(lambda core: len(core.heard)), timeout=PATIENCE_S)
    return int(heard)


def test_a_condition_may_ask_actors(stage: ThreadsStage) -> None:
    """Each question makes an actor handle something, whose end is news for whoever waits: that must not lock up."""
    actor = stage.actor("actor")
    actor.do(SetTimer(Alarm("later"), 0.02))

    assert stage.runtime.wait(lambda: asked(actor) > 1, PATIENCE_S)


def test_a_time_out_holds_while_the_condition_asks(stage: ThreadsStage) -> None:
    """The condition never comes true, and every look at it is news."""
    actor = stage.actor("actor")

    assert not stage.runtime.wait(lambda: asked(actor) < 0, 0.05)


def test_a_condition_may_wait_itself(stage: ThreadsStage) -> None:
    """A wait inside a wait."""
    actor = stage.actor("actor")

    def inner() -> bool:
        actor.do(Send("actor", Say("inner")))
        return bool(stage.runtime.wait(lambda: actor.words, PATIENCE_S))

    assert stage.runtime.wait(inner, PATIENCE_S)


def test_many_threads_may_wait(stage: ThreadsStage) -> None:
    """Each for something of its own, asking; each is let go when that has come."""
    actor = stage.actor("actor")
    seen: list[str] = []

    def wait(number: int) -> None:
        if stage.runtime.wait(lambda: asked(actor) and str(number) in actor.words, PATIENCE_S):
            seen.append(str(number))

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for number in range(8):
        actor.do(Send("actor", Say(str(number))))
    for thread in threads:
        thread.join(PATIENCE_S)

    assert sorted(seen) == [str(number) for number in range(8)]


def test_what_a_condition_raises_comes_out(stage: ThreadsStage) -> None:
    """To whoever waits, and the next one waits as if nothing had been."""
    actor = stage.actor("actor")
    actor.do(Send("actor", Say("hello")))

    with pytest.raises(ZeroDivisionError):
        stage.runtime.wait(lambda: 1 // 0, PATIENCE_S)

    assert stage.runtime.wait(lambda: actor.words == ["hello"], PATIENCE_S)


def test_what_happens_while_the_condition_looks_is_not_missed(stage: ThreadsStage) -> None:
    """It is over before the waiting thread goes to sleep, and nothing else will wake that."""
    actor = stage.actor("actor")
    looks: list[bool] = []

    def look() -> bool:
        looks.append(bool(actor.words))
        if len(looks) == 1:
            actor.do(Send("actor", Say("now")))
            other = threading.Thread(target=stage.runtime.wait, args=(lambda: actor.words, PATIENCE_S))
            other.start()
            other.join(PATIENCE_S)
        return looks[-1]

    assert stage.runtime.wait(look, PATIENCE_S)


@pytest.mark.parametrize("timeout", [math.inf, 1e10, 1e300, None], ids=str)
def test_no_time_out_is_too_long(stage: ThreadsStage, timeout: float | None) -> None:
    """`threading` cannot count that far."""
    actor = stage.actor("actor")
    actor.do(SetTimer(Alarm("later"), 0.02))

    assert stage.runtime.wait(lambda: actor.fired, timeout)
    assert actor.context.ref.ask(Inspect(lambda core: "answer"), timeout=timeout) == "answer"


@pytest.mark.parametrize("timeout", [-1.0, math.nan, -math.inf], ids=str)
def test_a_time_out_that_cannot_be_is_refused(stage: ThreadsStage, timeout: float) -> None:
    """The text says what would do."""
    waits: list[Any] = [lambda: stage.runtime.wait(lambda: True, timeout)]
    actor = stage.actor("actor")
    waits.append(lambda: actor.context.ref.ask(Inspect(lambda core: 1), timeout=timeout))

    for wait in waits:
        with pytest.raises(InvalidValue, match=r"cannot be; give 0 or more seconds \(0: look once\), or None"):
            wait()


def test_a_time_out_of_nothing_looks_once(stage: ThreadsStage) -> None:
    """Whether it is so, or not."""
    looks: list[int] = []

    assert not stage.runtime.wait(lambda: looks.append(1), 0)
    assert stage.runtime.wait(lambda: True, 0)
    assert looks == [1]


@pytest.mark.parametrize("delay_s", [1e10, 1e300, math.inf], ids=str)
def test_a_timer_of_the_far_future_leaves_the_others_alone(stage: ThreadsStage, delay_s: float) -> None:
    """The clock sleeps until the next one, which may be further off than `threading` can count."""
    actor = stage.actor("actor")
    actor.do(SetTimer(Alarm("never"), delay_s))
    stage.until(lambda: asked(actor))
    actor.do(SetTimer(Alarm("soon"), 0.01))

    stage.until(lambda: actor.fired)

    assert actor.fired == ["soon"]


def test_a_question_that_is_not_answered_in_time_is_an_error(stage: ThreadsStage) -> None:
    """Pykka's own, on threads."""
    gate = threading.Event()
    actor = stage.actor("actor", lambda: gate.wait(PATIENCE_S))
    with pytest.raises(pykka.Timeout):
        actor.context.ref.ask(Inspect(lambda core: gate.wait(PATIENCE_S)), timeout=0.01)
    gate.set()
