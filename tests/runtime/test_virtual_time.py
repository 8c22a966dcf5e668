"""What only the virtual runtime promises: waiting makes things happen, and what could never happen is an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pykka
import pytest

from mesolite import EndlessLoop, NothingToWaitFor, WouldBlock, WrongThread
from mesolite.actors.decisions.contract import Callback, CallbackReturned, Core, Effect, Send, SetTimer
from mesolite.actors.role import Inspect, Role
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import Place
from mesolite.simulation import instant
from tests.runtime.toys import Say, VirtualStage, stage_of


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
    party = stage.party("mine", user)
    stage.runtime.user_errors.allow(BaseException, "mine")
    party.do(Callback("status_update", (), 1))
    stage.until(lambda: party.kinds(CallbackReturned))
    return str(party.kinds(CallbackReturned)[0].error)


def test_ask_lets_happen_what_it_waits_for(stage: VirtualStage) -> None:
    """Nothing runs before the question, and the question is answered in its turn."""
    party = stage.party("party")
    party.do(Send("party", Say("hello")))
    assert party.heard == []

    assert isinstance(party.seat.ref.ask(Inspect(lambda core: len(core.heard))), int)


def test_the_time_out_of_a_question_is_virtual(stage: VirtualStage) -> None:
    """An answer that does not come within five seconds of virtual time, with timers firing on the way."""
    party = stage.party("party")
    party.do(SetTimer(("on the way",), 3.0), SetTimer(("too late",), 7.0))
    future = PortFuture()
    stage.runtime.bind(future, "party")

    with pytest.raises(pykka.Timeout):
        future.get(timeout=5.0)

    assert stage.runtime.now() == 5.0
    assert party.fired == ["on the way"]


def test_waiting_for_what_cannot_happen_is_an_error(stage: VirtualStage) -> None:
    """No message, no timer, no time-out: this would be for ever, and the text says so (no hanging test)."""
    stage.party("party")

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
        lambda stage: stage.party("other").seat.ref.ask(Inspect(len)),
    ],
    ids=["settle", "advance", "wait", "ask"],
)
def test_waiting_inside_a_handler_is_an_error(stage: VirtualStage, wait: Callable[[VirtualStage], object]) -> None:
    """It would stop the only thread there is; the text names the party and what to do instead."""
    error = error_of(stage, lambda: wait(stage))

    assert error.startswith(f"status_update raised {WouldBlock.__name__}: mine tried to wait inside a handler")
    assert "use call_later(delay_s, function)" in error


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
    assert "call_later(delay_s, function)" in str(wrong)


@pytest.mark.parametrize("drive", ["settle", "wait", "advance"])
def test_an_endless_loop_is_an_error(
    stage: VirtualStage, drive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parties that keep each other busy at one instant are named, instead of a test that hangs."""
    monkeypatch.setattr(instant, "EVENTS_PER_INSTANT", 1000)
    for name in ("ping", "pong"):
        stage.runtime.start(name, Place("here"), lambda seat: Role(seat, Echo()))
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
    party = stage.party("party")

    for number in range(300):
        party.do(SetTimer((str(number),), 0.0))
        stage.runtime.advance(1.0)

    assert len(party.fired) == 300


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interruption_of_a_handler_comes_out(stage: VirtualStage, error: BaseException) -> None:
    """Ctrl-C that happens to come inside a handler ends the test run, not some actor."""
    party = stage.party("party")
    party.fail(error)

    with pytest.raises(type(error)):
        stage.runtime.settle()


def test_ctrl_c_in_user_code_comes_out(stage: VirtualStage) -> None:
    """It is meant for whoever drives the simulation, not for the framework whose callback is running."""

    def user() -> None:
        raise KeyboardInterrupt

    party = stage.party("party", user)
    party.do(Callback("status_update", (), 1))

    with pytest.raises(KeyboardInterrupt):
        stage.runtime.settle()


def test_a_failure_is_raised_once(stage: VirtualStage) -> None:
    """The simulation can be driven on, to look at what became of the others."""
    other = stage.party("other")
    stage.party("party").fail(ValueError("a bug"))
    stage.failure()

    other.do(Send("other", Say("hello")))
    stage.runtime.settle()

    assert other.words == ["hello"]


def test_the_timers_of_the_dead_do_not_keep_time_going(stage: VirtualStage) -> None:
    """Nobody is left whom they could wake."""
    party = stage.party("party")
    party.do(SetTimer(("never",), 100.0))
    stage.runtime.settle()
    party.end()

    with pytest.raises(NothingToWaitFor):
        stage.runtime.wait(lambda: False, None)
