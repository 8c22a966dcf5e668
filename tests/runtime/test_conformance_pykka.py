"""The port's promises, kept by both runtimes: what Pykka's own way in gives to whoever stands outside."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pykka
import pytest

from mesolite.actors.decisions.contract import Callback, Link, Send
from tests.runtime.puppets import STAGES, Inspect, Say, stage_of


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
    """With an error: what is left in the inbox is not handled any more (LP-20).

    What it is handling when it is ended it still takes to its end, here an answer (LP-19).
    """
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
    """Pykka's own stop: what came before is handled, links break, the name is free (LP-20)."""
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
