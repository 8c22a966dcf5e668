"""What only the virtual runtime promises: waiting makes things happen, and what could never happen is an error."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pykka
import pytest
from attrs import frozen

from mesolite import EndlessLoop, InvalidValue, NothingToWaitFor, WouldBlock, WrongThread
from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Callback, CallbackReturned, Core, Effect, Send, SetTimer, TimerKey
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import Placement
from mesolite.simulation import instant
from tests.runtime.puppets import Alarm, Inspect, Say, VirtualStage, stage_of


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[VirtualStage]:
    with stage_of("virtual", tmp_path) as stage:
        yield stage


class Echo(Core):
    """Says back what is said to it."""

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        return [Send(sender, event)] if isinstance(event, Say) else []


def error_of(stage: VirtualStage, user: Callable[[], object]) -> str:
    """What the fence makes of user code on virtual time."""
    actor = stage.actor("mine", user)
    stage.runtime.user_errors.allow(BaseException, "mine")
    actor.do(Callback("status_update", (), 1))
    stage.until(lambda: actor.kinds(CallbackReturned))
    return str(actor.kinds(CallbackReturned)[0].error)


def test_ask_lets_happen_what_it_waits_for(stage: VirtualStage) -> None:
    """Nothing runs before the question, and the question is answered in its turn."""
    actor = stage.actor("actor")
    actor.do(Send("actor", Say("hello")))
    assert actor.heard == []

    assert isinstance(actor.context.ref.ask(Inspect(lambda core: len(core.heard))), int)


def test_the_time_out_of_a_question_is_virtual(stage: VirtualStage) -> None:
    """An answer that does not come within five seconds of virtual time, with timers firing on the way."""
    actor = stage.actor("actor")
    actor.do(SetTimer(Alarm("on the way"), 3.0), SetTimer(Alarm("too late"), 7.0))
    future = PortFuture()
    stage.runtime.bind(future, "actor")

    with pytest.raises(pykka.Timeout):
        future.get(timeout=5.0)

    assert stage.runtime.now() == 5.0
    assert actor.fired == ["on the way"]


def test_waiting_for_what_cannot_happen_is_an_error(stage: VirtualStage) -> None:
    """No message, no timer, no time-out: this would be for ever, and the text says so (no hanging test)."""
    stage.actor("actor")

    with pytest.raises(NothingToWaitFor, match=r"nothing is under way and no timer is set.*give a timeout"):
        stage.runtime.wait(lambda: False, None)


def test_waiting_with_a_time_out_ends_at_it(stage: VirtualStage) -> None:
    """The clock stands exactly there, even if nothing was on the way."""
    assert not stage.runtime.wait(lambda: False, 12.5)
    assert stage.runtime.now() == 12.5


@pytest.mark.parametrize(
    "wait",
    [
        lambda stage: stage.runtime.settle(),
        lambda stage: stage.runtime.advance(1.0),
        lambda stage: stage.runtime.wait(lambda: False, 1.0),
        lambda stage: stage.actor("other").context.ref.ask(Inspect(len)),
    ],
    ids=["settle", "advance", "wait", "ask"],
)
def test_waiting_inside_a_handler_is_an_error(stage: VirtualStage, wait: Callable[[VirtualStage], object]) -> None:
    """It would stop the only thread there is; the text names the actor and what to do instead."""
    error = error_of(stage, lambda: wait(stage))

    assert error.startswith(f"status_update raised {WouldBlock.__name__}: mine tried to wait inside a handler")
    assert "use call_later(delay, function)" in error


def test_a_foreign_thread_may_not_drive_it(stage: VirtualStage) -> None:
    """The error names the way out."""
    caught: list[BaseException] = []

    def foreign() -> None:
        try:
            stage.runtime.settle()
        except WrongThread as wrong:
            caught.append(wrong)

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()

    (wrong,) = caught
    assert "call_later(delay, function)" in str(wrong)


@pytest.mark.parametrize("drive", ["settle", "wait", "advance"])
def test_an_endless_loop_is_an_error(
    stage: VirtualStage, drive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Actors that keep each other busy at one instant are named, instead of a test that hangs."""
    monkeypatch.setattr(instant, "EVENTS_PER_INSTANT", 1000)
    for name in ("ping", "pong"):
        stage.runtime.start(name, Placement("here"), lambda context: MesosActor(context, Echo()))
    stage.runtime.post(stage.runtime.directory.find("ping"), Say("again"), sender="pong")

    with pytest.raises(EndlessLoop, match=r"events at 0.000 s without time passing, and no end in sight") as caught:
        {
            "settle": stage.runtime.settle,
            "wait": lambda: stage.runtime.wait(lambda: False, 1.0),
            "advance": lambda: stage.runtime.advance(1.0),
        }[drive]()

    assert "ping" in str(caught.value)
    assert "pong" in str(caught.value)


def test_many_events_with_time_passing_are_no_endless_loop(
    stage: VirtualStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is per instant."""
    monkeypatch.setattr(instant, "EVENTS_PER_INSTANT", 100)
    actor = stage.actor("actor")

    for number in range(300):
        actor.do(SetTimer(Alarm(str(number)), 0.0))
        stage.runtime.advance(1.0)

    assert len(actor.fired) == 300


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interruption_of_a_handler_comes_out(stage: VirtualStage, error: BaseException) -> None:
    """Ctrl-C that happens to come inside a handler ends the test run, not some actor."""
    actor = stage.actor("actor")
    actor.fail(error)

    with pytest.raises(type(error)):
        stage.runtime.settle()


def test_ctrl_c_in_user_code_comes_out(stage: VirtualStage) -> None:
    """It is meant for whoever drives the simulation, not for the framework whose callback is running."""

    def user() -> None:
        raise KeyboardInterrupt

    actor = stage.actor("actor", user)
    actor.do(Callback("status_update", (), 1))

    with pytest.raises(KeyboardInterrupt):
        stage.runtime.settle()


def test_a_failure_is_raised_once(stage: VirtualStage) -> None:
    """The simulation can be driven on, to look at what became of the others."""
    other = stage.actor("other")
    stage.actor("actor").fail(ValueError("a bug"))
    stage.failure()

    other.do(Send("other", Say("hello")))
    stage.runtime.settle()

    assert other.words == ["hello"]


def test_the_timers_of_the_dead_do_not_keep_time_going(stage: VirtualStage) -> None:
    """Nobody is left whom they could wake."""
    actor = stage.actor("actor")
    actor.do(SetTimer(Alarm("never"), 100.0))
    stage.runtime.settle()
    actor.end()

    with pytest.raises(NothingToWaitFor):
        stage.runtime.wait(lambda: False, None)


@frozen
class Again(TimerKey):
    """A timer that is set again whenever it fires."""

    PERIODIC: ClassVar[bool] = True


class Repeating(Core):
    """Sets its timer again whenever it fires, and says so beforehand."""

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        return [SetTimer(Again(), 10.0)]


def test_timers_that_repeat_themselves_are_nothing_to_wait_for(stage: VirtualStage) -> None:
    """After two of the longest period; one that fires once is waited for first."""
    stage.runtime.start("repeating", Placement("here"), lambda context: MesosActor(context, Repeating()))
    actor = stage.actor("actor")
    actor.do(SetTimer(Alarm("once"), 1000.0))

    with pytest.raises(NothingToWaitFor, match=r"for 20 s only what repeats itself has happened"):
        stage.runtime.wait(lambda: False, None)

    assert actor.fired == ["once"]
    assert stage.runtime.now() == 1020.0


@pytest.mark.parametrize("timeout", [-1.0, math.nan, -math.inf], ids=str)
def test_a_time_out_that_cannot_be_is_refused(stage: VirtualStage, timeout: float) -> None:
    """Nothing happens; the text says what would do."""
    with pytest.raises(InvalidValue, match=r"cannot be; give 0 or more seconds \(0: look once\), or None"):
        stage.runtime.wait(lambda: True, timeout)


def test_a_question_that_times_out_names_who_was_asked(stage: VirtualStage) -> None:
    """A wait says what it waited for."""
    future = PortFuture()
    stage.runtime.bind(future, "actor")

    with pytest.raises(pykka.Timeout, match="actor has not answered within 5 virtual seconds"):
        future.get(timeout=5.0)


class Crowd(Core):
    """Answers one question with very many messages, each of which is answered `deep` times."""

    def __init__(self, many: int, deep: int) -> None:
        super().__init__()
        self._many = many
        self._deep = str(deep)

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        match event:
            case Say("all"):
                return [Send("other", Say(self._deep))] * self._many
            case Say(left) if int(left):
                return [Send(sender, Say(str(int(left) - 1)))]
        return []


@pytest.mark.long
def test_very_many_messages_between_two_parties_are_no_endless_loop(stage: VirtualStage) -> None:
    """As when a hundred thousand tasks are reconciled at one instant: they were all under way at once."""
    for name in ("crowd", "other"):
        stage.runtime.start(name, Placement("here"), lambda context: MesosActor(context, Crowd(80_000, 4)))
    stage.runtime.settle()
    began = stage.runtime.trace.next_index()
    stage.runtime.post(stage.runtime.directory.find("crowd"), Say("all"))

    stage.runtime.settle()

    assert stage.runtime.trace.next_index() - began > 5 * 80_000


class Twice(Core):
    """Says everything back twice."""

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        return [Send(sender, event)] * 2 if isinstance(event, Say) else []


@pytest.mark.parametrize(
    ("core", "events"),
    [
        pytest.param(Echo, 201_000, id="steady", marks=pytest.mark.slow),
        pytest.param(Twice, 410_000, id="growing", marks=pytest.mark.long),
    ],
)
def test_an_endless_loop_is_noticed_soon(stage: VirtualStage, core: type[Core], events: int) -> None:
    """Whether the same message goes to and fro, or brings about more and more."""
    for name in ("ping", "pong"):
        stage.runtime.start(name, Placement("here"), lambda context: MesosActor(context, core()))
    stage.runtime.post(stage.runtime.directory.find("ping"), Say("again"), sender="pong")

    with pytest.raises(EndlessLoop, match="Say"):
        stage.runtime.settle()

    assert stage.runtime.trace.next_index() < events
