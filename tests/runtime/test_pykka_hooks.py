"""Pykka's inside as we rely on it: a release that moves one of these must fail here, with a name, and nowhere else.

Three hooks are documented for new runtimes; the loop's three parts, `_handle_receive`, the message that stops an actor
and the envelope are not. What is ours of it is in actors/runtime/pykka_inside.py.
"""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pykka
import pytest
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import ActorContext, Placement
from mesolite.actors.runtime.pykka_inside import HostedActor


class Idle(Exception):
    """What our inboxes raise when there is nothing to do."""


class Inbox:
    """What Pykka asks of an inbox."""

    def __init__(self) -> None:
        self.envelopes: deque[Envelope[Any]] = deque()

    def put(self, envelope: Envelope[Any]) -> None:
        self.envelopes.append(envelope)

    def get(self) -> Envelope[Any]:
        if not self.envelopes:
            raise Idle
        return self.envelopes.popleft()

    def empty(self) -> bool:
        return not self.envelopes


class Probe(pykka.Actor):
    """Notes which of its methods Pykka calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        super().__init__()

    def _create_actor_inbox(self) -> Inbox:  # type: ignore[override]
        self.calls.append("inbox")
        return Inbox()

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return PortFuture()

    def _start_actor_loop(self) -> None:
        raise AssertionError("only Actor.start calls this, and we call it ourselves")

    def on_start(self) -> None:
        self.calls.append("on_start")

    def on_receive(self, message: Any) -> Any:
        self.calls.append(message)
        if isinstance(message, BaseException):
            raise message
        return f"answer to {message}"

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.calls.append(("on_failure", exception_type, exception_value))

    def on_stop(self) -> None:
        self.calls.append("on_stop")


@pytest.fixture
def probe() -> Probe:
    return Probe()


class Hosted(HostedActor):
    """One of ours, in a runtime that can do nothing but make inboxes."""

    def __init__(self) -> None:
        runtime: Any = SimpleNamespace(inbox=lambda _: Inbox())
        self.context = ActorContext(runtime, "agent-1", 3, Placement("agent-1"))
        super().__init__()


def run(probe: Probe) -> bool:
    """Run Pykka's loop until it leaves; true if that is because there is nothing to do."""
    try:
        probe._actor_loop_running()  # noqa: SLF001
    except Idle:
        return True
    return False


def test_an_actor_makes_its_own_inbox_when_it_is_born(probe: Probe) -> None:
    """The hook may be an instance method, so that an inbox can know its actor's context."""
    assert probe.calls == ["inbox"]
    assert probe.actor_ref.actor_inbox is probe.actor_inbox
    assert probe.actor_ref.actor_stopped is probe.actor_stopped


def test_our_actors_begin_with_all_that_pykkas_own_begin_with(probe: Probe) -> None:
    """They make it themselves, without a random name and an event."""
    hosted = Hosted()

    assert vars(hosted).keys() - {"context"} == vars(probe).keys() - {"calls"}
    assert str(hosted) == "Hosted (agent-1.3)"
    assert not hosted.actor_stopped.is_set()
    hosted.actor_stopped.set()
    assert not hosted.actor_ref.is_alive()


def test_setting_up_calls_on_start_only(probe: Probe) -> None:
    """`_actor_loop_setup` handles no message."""
    probe.actor_ref.tell("hello")

    probe._actor_loop_setup()  # noqa: SLF001

    assert probe.calls == ["inbox", "on_start"]


def test_tell_puts_an_envelope_with_the_message_in_the_inbox(probe: Probe) -> None:
    """`Envelope(message, reply_to)`; nobody waits for an answer to what was told."""
    probe.actor_ref.tell("hello")

    (envelope,) = probe.actor_inbox.envelopes  # type: ignore[attr-defined]
    assert (Envelope, "hello", None) == (type(envelope), envelope.message, envelope.reply_to)


def test_the_loop_leaves_when_the_inbox_raises_and_can_be_run_again(probe: Probe) -> None:
    """What `get` raises comes out untouched: this is what pools and virtual time are built on."""
    probe.actor_ref.tell("one")
    assert run(probe)
    probe.actor_ref.tell("two")
    assert run(probe)

    assert probe.calls == ["inbox", "one", "two"]
    assert not probe.actor_stopped.is_set()


def test_every_message_goes_through_handle_receive(probe: Probe) -> None:
    """Our roles override `_handle_receive` to look at deliveries first."""
    seen: list[object] = []
    probe._handle_receive = seen.append  # type: ignore[method-assign,assignment]  # noqa: SLF001

    probe.actor_ref.tell("hello")
    run(probe)

    assert seen == ["hello"]


def test_a_told_message_that_fails_stops_the_actor(probe: Probe) -> None:
    """`on_failure` gets the error, and the loop ends without being idle."""
    error = ValueError("a bug")
    probe.actor_ref.tell(error)

    assert not run(probe)

    assert ("on_failure", ValueError, error) == probe.calls[-1]
    assert probe.actor_stopped.is_set()
    with pytest.raises(pykka.ActorDeadError):
        probe.actor_ref.tell("too late")


def test_an_asked_message_that_fails_does_not(probe: Probe) -> None:
    """The asker gets the error."""
    future = probe.actor_ref.ask(ValueError("a bug"), block=False)

    assert run(probe)

    with pytest.raises(ValueError, match="a bug"):
        future.get()


def test_ask_makes_our_future_and_puts_it_into_the_envelope(probe: Probe) -> None:
    """The hook is called on the class; the inbox is where a future can be bound to its runtime."""
    future = probe.actor_ref.ask("hello", block=False)

    (envelope,) = probe.actor_inbox.envelopes  # type: ignore[attr-defined]
    assert isinstance(future, PortFuture)
    assert envelope.reply_to is future
    assert not future.is_ready
    run(probe)
    assert future.is_ready
    assert future.get() == "answer to hello"


def test_to_ask_a_dead_actor_fails_at_once(probe: Probe) -> None:
    """The error comes from `ask` or from the future; it does not come never."""
    probe.actor_stopped.set()

    with pytest.raises(pykka.ActorDeadError):
        probe.actor_ref.ask("hello")


def test_stop_queues_behind_messages(probe: Probe) -> None:
    """What was told before is handled, what comes after is not."""
    probe.actor_ref.tell("before")
    probe.actor_ref.tell(_ActorStop())
    probe.actor_ref.tell("after")

    assert not run(probe)

    assert probe.calls == ["inbox", "before", "on_stop"]


def test_the_teardown_answers_what_is_left(probe: Probe) -> None:
    """Questions are answered with an error, a stop with nothing."""
    left = probe.actor_ref.ask("hello", block=False)
    stop = probe.actor_ref.ask(_ActorStop(), block=False)
    probe.actor_stopped.set()

    probe._actor_loop_teardown()  # noqa: SLF001

    assert stop.get() is None
    with pytest.raises(pykka.ActorDeadError):
        left.get()


def test_an_exception_can_be_put_into_a_future() -> None:
    """The form in which an inbox refuses a late question."""
    future = PortFuture()

    future.set_exception((ValueError, ValueError("late"), None))

    assert future.is_ready
    with pytest.raises(ValueError, match="late"):
        future.get()
