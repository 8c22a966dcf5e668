"""What the runtime says of a core's own affairs is decided on, ignored in so many words, or a mistake of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import frozen

from mesolite.actors.decisions import detector, driver_calls, elector, registrar
from mesolite.actors.decisions.agent import timers as agent_timers
from mesolite.actors.decisions.agent.core import DECISIONS, AgentCore
from mesolite.actors.decisions.contract import (
    SYSTEM_EVENTS,
    CallbackReturned,
    Core,
    LinkBroken,
    Loaded,
    PeerExited,
    Saved,
    SignalReceived,
    SpawnFailed,
    Started,
    StoreRefused,
    TimerFired,
    TimerKey,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
)
from mesolite.actors.decisions.executor import command, core, registration
from mesolite.actors.decisions.master import timers as master_timers
from mesolite.actors.decisions.master.core import MasterCore
from mesolite.actors.decisions.operator import OperatorCore
from mesolite.actors.decisions.scheduler import subscribing
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.base import Message
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from tests.runtime.puppets import start_of

SETTINGS = Settings.mesos()

EVENTS: tuple[Any, ...] = (
    Started("me", 1),
    PeerExited("somebody", 1),
    LinkBroken("somebody"),
    Loaded({}),
    Saved("tag"),
    StoreRefused("no"),
    SpawnFailed("somebody", "no"),
    WorkStarted("work", 1),
    WorkFailedToStart("work", "no"),
    WorkExited("work", 0, None),
    SignalReceived("SIGUSR1"),
    CallbackReturned("shutdown", 1, None, True),
)

CORES: Mapping[str, Callable[[], Core]] = {
    "master": lambda: MasterCore(SETTINGS, "registrar"),
    "agent": lambda: AgentCore(SETTINGS, AgentInfo(hostname="here", resources="cpus:1"), "/sandboxes"),
    "elector": lambda: elector.ElectorCore(SETTINGS),
    "registrar": lambda: registrar.RegistrarCore("master", SETTINGS),
    "operator": OperatorCore,
    "scheduler": lambda: SchedulerCore(SETTINGS, FrameworkInfo(user="me", name="mine")),
    "executor": lambda: core.ExecutorCore(start_of("E"), SETTINGS),
    "command executor": lambda: command.CommandExecutorCore(start_of("E"), SETTINGS),
}

WORK = {WorkStarted, WorkFailedToStart, WorkExited}

DECIDED: Mapping[str, set[type]] = {
    "master": {Started, PeerExited, LinkBroken},
    "agent": {Started, PeerExited, Loaded, Saved, StoreRefused, SpawnFailed, SignalReceived},
    "elector": {PeerExited},
    "registrar": {Loaded, Saved, StoreRefused},
    "operator": {PeerExited},
    "scheduler": {Started, LinkBroken, CallbackReturned},
    "executor": {Started, PeerExited, CallbackReturned},
    "command executor": {Started, PeerExited, *WORK},
}
"""What each core decides on. All but timers, which have a test of their own."""

IGNORED: Mapping[str, set[type]] = {
    "master": set(),
    "agent": {LinkBroken},
    "elector": {Started, LinkBroken},
    "registrar": {Started, LinkBroken},
    "operator": {Started, LinkBroken},
    "scheduler": {PeerExited},
    "executor": {LinkBroken},
    "command executor": {LinkBroken},
}
"""What reaches each and changes nothing; of a link that breaks between two actors both hear (LP-28)."""

MODULES = (
    master_timers,
    agent_timers,
    command,
    driver_calls,
    elector,
    core,
    registrar,
    registration,
    detector,
    subscribing,
)


@frozen
class NobodysTimer(TimerKey):
    """A key that no core sets."""


@frozen(kw_only=True)
class Gossip(Message):
    """A message that nobody handles."""


def test_every_system_event_is_tried() -> None:
    """So that a new one has its place in these tables."""
    assert {type(event) for event in EVENTS} | {TimerFired} == SYSTEM_EVENTS


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_system_event_is_decided_on_or_ignored_or_raises(name: str, event: Any) -> None:
    """Nothing that was asked of the runtime is answered into the void; the error names core and event."""
    core, kind = CORES[name](), type(event)
    if kind in DECIDED[name]:
        assert kind in {"agent": {*DECISIONS, Saved}, "master": DECIDED["master"]}.get(name, core.HANDLERS)
        if name == "master":
            core.handle(event, "somebody", 1.0)
    elif kind in IGNORED[name]:
        assert core.handle(event, "somebody", 1.0) == []
    else:
        with pytest.raises(TypeError, match=rf"{type(core).__name__} cannot handle {kind.__name__}\("):
            core.handle(event, "somebody", 1.0)


@pytest.mark.parametrize("name", CORES)
def test_a_timer_that_a_core_does_not_set_raises(name: str) -> None:
    """Whoever sets a timer has a decision for it; the error names core and key."""
    core = CORES[name]()
    with pytest.raises(TypeError, match=rf"{type(core).__name__} sets no timer .*NobodysTimer"):
        core.handle(TimerFired(NobodysTimer()), "me", 1.0)


@pytest.mark.parametrize("name", CORES)
def test_a_message_that_nobody_handles_is_dropped(name: str) -> None:
    """Without a word to the sender (core.md LP-15)."""
    assert CORES[name]().handle(Gossip(), "somebody", 1.0) == []


def test_every_kind_of_timer_has_a_decision_in_some_core() -> None:
    """In the table of its core, or handed to the leader watch that set it."""
    kinds = {
        kind
        for module in MODULES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, TimerKey) and kind.__module__ == module.__name__
    }
    decided = {kind for make in CORES.values() for kind in make().TIMERS}

    assert kinds == decided
