"""The one wording of all texts: with names for ids, on one line each, and never failing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from mesolite import CommandInfo, Simulation, TaskState, TaskStatus
from mesolite.actors.decisions.contract import Callback, PeerExited, Send, SignalWork, TimerFired, WorkExited
from mesolite.actors.decisions.master.timers import ReregisterTimeout
from mesolite.actors.trace import Disturbed, Done, Ended, Lost, Raised, Record, Trace, line, say
from mesolite.actors.trace.words import NOBODY, rows
from mesolite.messages import (
    AgentRegistered,
    CallAnswered,
    FrameworkError,
    FrameworkRegistered,
    MasterInfo,
    PingAgent,
    RunTask,
    StatusUpdate,
)
from mesolite.messages.ids import ActorName, AgentId, FrameworkId, TaskId
from tests.scenarios.schedulers import Launcher, command_task

SECRET = "hunter2"
WEB = FrameworkId("m1-F1")


def told(event: Any, effects: Any = (), sender: str = "master-1", actor: str = "web") -> list[str]:
    """How a record reads that stands alone, without its time."""
    record = Record(1, 2.0, actor, sender, event, effects, 0)
    return [f"{who}: {what}" for who, what in rows(record)]


def timer(about: str) -> TimerFired:
    return TimerFired(ReregisterTimeout(AgentId(about)))


def status(state: TaskState = TaskState.TASK_FAILED, **more: Any) -> StatusUpdate:
    status = TaskStatus(task_id=TaskId("t1"), state=state, **more)
    return StatusUpdate(framework_id=WEB, status=status, latest_state=state)


@pytest.mark.parametrize(
    ("event", "effects", "reads"),
    [
        (PingAgent(connected=True), (), ["master-1 -> web: PingAgent"]),
        (PingAgent(connected=True), (Callback("error", (), 1),), ["master-1 => web: PingAgent"]),
        (Lost(PingAgent(connected=True), "cut", 7), (), ["master-1 -x web: PingAgent  (cut)"]),
        (Disturbed(PingAgent(connected=True), "held", 7), (), ["master-1 -- web: PingAgent  (held)"]),
        (Done("crash", ("web",), "web.crash()"), (), [": web.crash()"]),
        (PeerExited("master-1", 1), (), ["master-1 -> web: (link broken)"]),
        (WorkExited("w", None, 15), (), ["web: ended by SIGTERM"]),
        (WorkExited("w", 3, None), (), ["web: ended with 3"]),
        (WorkExited("w", None, 4242), (), ["web: ended by signal 4242"]),
        (timer("m1-S1"), (SignalWork("w", 9),), ["master-1 -> web: (timer reregister-timeout m1-S1)", "web: SIGKILL"]),
        (Ended(-9, "no room", silent=True), (), ["master-1 -> web: (ends: no room, silently)"]),
        (PingAgent(connected=True), (Raised("E: x"),), ["master-1 -> web: PingAgent  (raised E: x)"]),
        (status(message="it broke"), (), ['master-1 -> web: StatusUpdate m1-F1 t1 TASK_FAILED "it broke"']),
        (status(TaskState.TASK_RUNNING, message="fine"), (), ["master-1 -> web: StatusUpdate m1-F1 t1 TASK_RUNNING"]),
        (FrameworkError(message="go away"), (), ['master-1 -> web: FrameworkError "go away"']),
        (CallAnswered(call_id=3, code=400, refusal="no"), (), ["master-1 -> web: CallAnswered 400 no"]),
    ],
)
def test_a_record_reads_like_this(event: Any, effects: Any, reads: list[str]) -> None:
    """Arrows say what became of a message; what else happened says to whom; texts are said where they are the point."""
    assert told(event, effects) == reads


def test_ids_are_shown_as_names_and_whom_a_message_is_between_is_not_said_again() -> None:
    """Names are learnt from the messages that hand out ids; a second id of one name has a number."""
    trace = Trace()
    for number, agent_id in enumerate(("m1-S1", "m2-S4")):
        registered = AgentRegistered(agent_id=AgentId(agent_id), total_ping_timeout_s=75.0)
        trace.record(float(number), "agent-1", "master-1", registered, (), -1)
    taken = FrameworkRegistered(framework_id=WEB, master=MasterInfo(name=ActorName("master-1")))
    trace.record(2.0, "web", "master-1", taken, (), -1)
    trace.record(3.0, "agent-1/m1-F1/t1", "agent-1", timer("m2-S4"), (), -1)
    trace.record(4.0, "master-1", "master-1/registrar", status(), (), -1)

    lines = [text[11:] for text in trace.text(system=True).splitlines()]

    assert lines[2:] == [
        "master-1 -> web           FrameworkRegistered",
        "agent-1 -> agent-1/t1     (timer reregister-timeout agent-1#2)",
        "registrar -> master-1     StatusUpdate web t1 TASK_FAILED",
    ]
    assert trace.names.put_in("m1-S1 m2-S4 m1-F1 m9-S9") == "agent-1 agent-1#2 web m9-S9"


def test_a_story_can_be_asked_for_by_name(sim: Simulation) -> None:
    """An agent's name stands for its id: what is said about it elsewhere belongs to its story."""
    cluster = sim.cluster(agents=2)
    cluster.operator.deactivate("agent-2")

    story = sim.trace.story("agent-2")

    assert "operator -> master-1      DeactivateAgentCall agent-2" in story
    assert "DeactivateAgent agent-2" in story
    assert "agent-1" not in story.replace("agent-1,", "").replace("master-1", "")


def test_all_texts_use_the_same_words(sim: Simulation) -> None:
    """`last`, `tail` and `story` are parts of `text`."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1")), "ducks")
    sim.advance(5.0)

    everything = sim.trace.text(system=True, heartbeats=True).splitlines()

    assert sim.trace.last(12) == sim.trace.text().splitlines()[-12:]
    assert sim.trace.tail(lines=9).splitlines() == everything[-9:]
    story = sim.trace.story("t1").splitlines()
    assert len(story) > 5
    assert [text for text in story if text not in everything] == []


class Wordless:
    """Cannot say what it is."""

    def __repr__(self) -> str:
        raise ValueError("no words")


def broken(make: Callable[[], Any]) -> Any:
    """A message as no constructor would make it."""
    message = object.__new__(FrameworkError)
    object.__setattr__(message, "message", make())
    return message


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\r\n\x1b[31mb", "\u202egpj.exe", "\udc80", "</script>", "m1-S1\\", "x" * 5000, "\0", "\x85\u2028"],
    ids=repr,
)
def test_what_users_named_breaks_no_line(text: str) -> None:
    """Line ends, escapes of terminals, marks that turn the direction, surrogates are written out; the long is cut."""
    failure = FrameworkError(message=text)
    trace = Trace()
    for event in (failure, Lost(failure, text), Done("crash", (text,), text), timer(text), Ended(1, text)):
        trace.record(0.0, text, "master-1", event, (), -1)

    written = trace.text(system=True, heartbeats=True)

    assert len(written.split("\n")) == len(written.splitlines()) == 5
    assert written.replace("\n", "").isprintable()
    assert max(map(len, written.splitlines())) < 1000
    assert trace.story("nothing") == ""


@pytest.mark.parametrize("make", [Wordless, lambda: (Wordless(),), lambda: 7, object])
def test_what_has_no_words_has_its_kind(make: Callable[[], Any]) -> None:
    """A message that holds what it should not, even what raises when asked what it is, is named all the same."""
    trace = Trace()
    trace.record(0.0, "web", "master-1", broken(make), (), -1)
    trace.record(0.0, "web", "master-1", Lost(broken(make), "cut"), (), -1)
    trace.record(0.0, "web", "master-1", make(), (), -1)

    assert trace.text(system=True).count("FrameworkError") == 2
    assert len(trace.text(system=True).splitlines()) == 3
    assert trace.story("t1") == ""
    assert say(broken(make)).startswith("FrameworkError")
    assert line(next(iter(trace))).startswith("    0.000  master-1 -> web")


def test_commands_environments_and_data_are_not_said(sim: Simulation) -> None:
    """A trace gets mailed around."""
    cluster = sim.cluster(agents=1)
    task = attrs.evolve(command_task("t1"), command=CommandInfo(value=f"run --password {SECRET}"), data=SECRET)
    cluster.run(Launcher(task), "ducks")
    sim.advance(5.0)

    assert any(isinstance(record.event, RunTask) for record in sim.trace)
    assert SECRET not in sim.trace.text(system=True, heartbeats=True)
    assert SECRET not in say(task)
    assert SECRET in repr(list(sim.trace))


def test_a_record_that_stands_alone_keeps_its_ids() -> None:
    """Nobody has said what they stand for."""
    record = Record(0, 1.5, "web", "master-1", status(), (Send("x", PingAgent(connected=True)),), -1)

    assert line(record) == "    1.500  master-1 -> web           StatusUpdate m1-F1 t1 TASK_FAILED"
    assert NOBODY.put_in("m1-F1") == "m1-F1"
