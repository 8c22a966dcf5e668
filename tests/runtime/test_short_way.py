"""On virtual time a message of another actor is handled without a way through the inbox: that changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Core, Effect, Exit, Link, PeerExited, Send, SetTimer, TimerFired
from mesolite.actors.errors import ActorFailed
from mesolite.actors.runtime.port import Delivery, Placement, Timer
from mesolite.actors.trace import Trace
from mesolite.simulation.in_flight import Directed
from mesolite.simulation.network import Rule, Verdict
from mesolite.simulation.virtual import VirtualRuntime
from tests.runtime.puppets import Alarm, Curse, Say

CROWD = 8


class PykkasWay(VirtualRuntime):
    """Lets everything go through `ActorRef.tell`, the inbox and Pykka's loop."""

    def _deliver(self, to: str, delivery: Delivery) -> None:
        event, sender, cause = delivery
        context = self.directory.find(to)
        if isinstance(event, Directed):
            context, event = event.context or context, event.event
        elif isinstance(event, Timer):
            context = event.context
        if context is None:
            super()._deliver(to, delivery)
        elif context.alive:
            self._tell(context, Delivery(event, sender, cause))


class Gossip(Core):
    """Passes every number on to two others until it is 0; sets timers, links, and ends itself at unlucky numbers."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        match event:
            case Say(word) if int(word) and int(word) * self._number == 28:
                return [Exit("unlucky")]
            case Say(word) if int(word):
                left = str(int(word) - 1)
                others = [f"gossip-{(self._number * by + int(word)) % CROWD}" for by in (3, 5)]
                return [*(Send(other, Say(left)) for other in others), SetTimer(Alarm(left), 0.5, 0.5), Link(others[0])]
            case TimerFired() | PeerExited():
                return [Send("gossip-0", Say("1"))]
        return []


def gossip(runtime: VirtualRuntime, traces: Trace) -> str:
    """Let a crowd gossip, with words from outside and pauses in between."""
    contexts = [
        runtime.start(
            f"gossip-{number}", Placement("here"), lambda context, number=number: MesosActor(context, Gossip(number))
        )  # type: ignore[misc]
        for number in range(CROWD)
    ]
    for round_ in range(4):
        for number, context in enumerate(contexts):
            if context.alive:
                context.ref.tell(Delivery(Say(str(3 + (number + round_) % 3)), "outside", -1))
        paused = contexts[round_]
        if paused.alive:
            runtime.pause(paused)
        runtime.settle()
        if paused.alive:
            runtime.resume(paused)
        runtime.advance(1.0)
    return traces.hash()


@pytest.mark.parametrize("seed", range(5))
def test_a_run_is_the_same_by_either_way(seed: int) -> None:
    """Record by record: with ends, links, timers, pauses, and words from outside."""
    hashes, lengths = set(), set()
    for way in (VirtualRuntime, PykkasWay):
        trace = Trace()
        hashes.add(gossip(way(seed, trace), trace))
        lengths.add(len(trace))

    assert len(hashes) == 1
    assert min(lengths) > 300


class Hears(Core):
    """Keeps the words that it hears, and tells itself another after each that is `sent`."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tell: Any = None

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        if isinstance(event, Say):
            self.words.append(event.word)
            if event.word == "sent":
                self.tell(Delivery(Say("told"), "hears", -1))
            if event.word == "go":
                return [Exit("told to")]
        return []


@pytest.fixture
def runtime() -> VirtualRuntime:
    return VirtualRuntime(0, Trace())


@pytest.fixture
def hears(runtime: VirtualRuntime) -> Hears:
    """What somebody hears to whom a speaker can send."""
    core = Hears()
    context = runtime.start("hears", Placement("here"), lambda context: MesosActor(context, core))
    runtime.start("speaker", Placement("there"), lambda context: MesosActor(context, Hears()))
    core.tell = context.ref.tell
    runtime.settle()
    return core


def send(runtime: VirtualRuntime, word: str) -> None:
    speaker = runtime.directory.find("speaker")
    assert speaker is not None
    runtime.send(speaker, "hears", Say(word), -1)
    runtime.settle()


def test_what_was_told_before_goes_first(runtime: VirtualRuntime, hears: Hears) -> None:
    """A message that finds something in the inbox waits for it, as in any inbox."""
    runtime.network.add(Rule((Say,), None, "hears", None, Verdict.DUPLICATE))

    send(runtime, "sent")

    assert hears.words == ["sent", "told", "sent", "told"]


def test_a_paused_actor_handles_nothing_that_is_sent(runtime: VirtualRuntime, hears: Hears) -> None:
    """It waits in the inbox until the actor goes on."""
    context = runtime.directory.find("hears")
    assert context is not None
    runtime.pause(context)

    send(runtime, "early")
    assert hears.words == []
    runtime.resume(context)
    runtime.settle()

    assert hears.words == ["early"]


def test_an_actor_that_ends_itself_is_let_go_of(runtime: VirtualRuntime, hears: Hears) -> None:
    """Its loop comes to its end, and nothing keeps it."""
    context = runtime.directory.find("hears")
    assert context is not None

    send(runtime, "go")

    assert not context.ref.is_alive()
    assert context.detached


def test_a_failure_goes_pykkas_way(runtime: VirtualRuntime) -> None:
    """Pykka's `on_failure` is called, with what the core raised, and the actor is gone."""
    failures: list[Any] = []

    class Cursed(Core):
        def handle(self, event: object, sender: str, now: float) -> list[Effect]:
            if isinstance(event, Curse):
                raise RuntimeError(event.word)
            return []

    class Watched(MesosActor):
        def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
            failures.append(exception_value)
            super().on_failure(exception_type, exception_value, traceback)

    context = runtime.start("cursed", Placement("here"), lambda context: Watched(context, Cursed()))
    speaker = runtime.start("speaker", Placement("here"), lambda context: MesosActor(context, Cursed()))
    runtime.settle()
    runtime.send(speaker, "cursed", Curse("a spell"), -1)

    with pytest.raises(ActorFailed, match="a spell"):
        runtime.settle()

    assert [str(failure) for failure in failures] == ["a spell"]
    assert not context.alive
    assert not context.ref.is_alive()
