"""The core behind an executor's process, as lists of events with the exact effects of each (http.md section 8)."""

from __future__ import annotations

import json
from typing import Any

import attrs

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Effect,
    ExecutorStart,
    Exit,
    Link,
    PeerExited,
    Run,
    Send,
    SetTimer,
    SignalWork,
    Started,
    TimerFired,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
)
from mesolite.actors.decisions.executor.registration import ReconnectTimeout
from mesolite.actors.decisions.settings import Settings
from mesolite.gateway.effects import Write
from mesolite.gateway.exchange import Record, StreamBegun, StreamEnded
from mesolite.gateway.executor_stream import ExecutorHeartbeat
from mesolite.gateway.process_executor import ProcessExecutorCore, ProcessGrace
from mesolite.gateway.v1.framing import Unframer
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.remote import ExecutorCalled, ExecutorConnected, ExecutorSubscribed, StreamLost
from mesolite.messages.tasks import (
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    SimulatedWork,
    TaskInfo,
    TaskState,
    TaskStatus,
)

NAME = "agent-1/m1-F1/e1"
ENDPOINT = "agent-1/http"
COMMAND = CommandInfo(value="./executor")
EXECUTOR = ExecutorInfo(executor_id="e1", command=COMMAND, resources="cpus:1", data="hi")
FRAMEWORK = FrameworkInfo(name="web", id="m1-F1", user="me")
AGENT = AgentInfo(hostname="h1", resources="cpus:4", id="m1-S1", port=5051)
REGISTERED = ExecutorRegistered(executor_info=EXECUTOR, framework_info=FRAMEWORK, agent_info=AGENT)
REREGISTERED = ExecutorReregistered(agent_info=AGENT)
TASK = TaskInfo(task_id="t1", executor=EXECUTOR)
LAUNCH = RunTask(framework_id="m1-F1", framework_info=FRAMEWORK, scheduler="web", task=TASK)
KILL = KillTask(framework_id="m1-F1", task_id="t1", kill_policy=KillPolicy(grace_period_s=1.5))
SHUTDOWN = ShutdownExecutor(grace_s=5.0)
AGENT_EXITED = PeerExited("agent-1", 1)
UUID = "v1:AAECAwQFBgcICQoLDA0ODw=="
OF_E1 = {"framework_id": "m1-F1", "executor_id": "e1"}
HEARTBEAT = SetTimer(ExecutorHeartbeat(), 1800.0)
NO_HEARTBEAT = CancelTimer(ExecutorHeartbeat())
NO_RECONNECT = CancelTimer(ReconnectTimeout())
GRACE = SetTimer(ProcessGrace(), 5.0)
GRACE_OVER = TimerFired(ProcessGrace())
SIGKILL = SignalWork(NAME, 9)
HEAD = StreamBegun(headers=(("Content-Type", "application/json"),))
MAY_CALL = Send(ENDPOINT, ExecutorConnected(**OF_E1, connected=True))
MAY_NOT_CALL = Send(ENDPOINT, ExecutorConnected(**OF_E1, connected=False))
REGISTER = Send("agent-1", RegisterExecutor(**OF_E1))


def hear(core: ProcessExecutorCore, event: object, sender: str = "agent-1", now: float = 0.0) -> list[Effect]:
    return core.handle(event, sender, now)


def subscribe(
    core: ProcessExecutorCore, number: int, *updates: StatusUpdate, has: tuple[str, ...] = ()
) -> list[Effect]:
    return hear(core, ExecutorSubscribed(number=number, task_ids=has, updates=updates), ENDPOINT)


def call(core: ProcessExecutorCore, said: StatusUpdate | ExecutorToFramework) -> list[Effect]:
    return hear(core, ExecutorCalled(call=said), ENDPOINT, 7.0)


def events(effects: list[Any], number: int = 1) -> list[dict[str, Any]]:
    """What is said on the stream of that request, as a client reads it."""
    written = [each.part.framed for each in effects if isinstance(each, Write) and isinstance(each.part, Record)]
    assert all(each.number == number for each in effects if isinstance(each, Write))
    return [json.loads(record) for record in Unframer(1 << 20).feed(b"".join(written))]


def kinds(effects: list[Any], number: int = 1) -> list[str]:
    return [event["type"] for event in events(effects, number)]


def update(state: TaskState = TaskState.TASK_RUNNING, uuid: str = UUID, **more: Any) -> StatusUpdate:
    """As the endpoint has read it."""
    status = TaskStatus(task_id="t1", state=state, uuid=uuid, **more)
    return StatusUpdate(framework_id="m1-F1", status=status, latest_state=state)


def whole(said: StatusUpdate, now: float = 7.0) -> StatusUpdate:
    """The update as it goes on: with what its process may leave out."""
    return attrs.evolve(said, status=attrs.evolve(said.status, agent_id="m1-S1", executor_id="e1", timestamp=now))


def acknowledgement(uuid: str = UUID) -> StatusUpdateAcknowledgement:
    return StatusUpdateAcknowledgement(framework_id="m1-F1", agent_id="m1-S1", task_id="t1", uuid=uuid)


def unborn(checkpoint: bool = False) -> ProcessExecutorCore:
    start = ExecutorStart(
        framework_id="m1-F1",
        executor_id="e1",
        agent="agent-1",
        agent_id="m1-S1",
        info=EXECUTOR,
        checkpoint=checkpoint,
        shutdown_grace_s=5.0,
        sandbox="/s/e1.1-7",
        environment=(("A", "1"),),
    )
    return ProcessExecutorCore(start, Settings.mesos())


def up(checkpoint: bool = False) -> ProcessExecutorCore:
    """Its process runs, and has not subscribed."""
    core = unborn(checkpoint)
    hear(core, Started(NAME, 1))
    hear(core, WorkStarted(NAME, 77))
    return core


def connected(checkpoint: bool = False) -> ProcessExecutorCore:
    """Its process reads the stream of request 1."""
    core = up(checkpoint)
    subscribe(core, 1)
    hear(core, REGISTERED)
    return core


def launched(checkpoint: bool = False) -> ProcessExecutorCore:
    """Its process has been given a task, and has said nothing."""
    core = connected(checkpoint)
    hear(core, LAUNCH)
    return core


# --- the process, and its first stream -----------------------------------------------------------------


def test_the_process_is_started_and_registers_when_it_subscribes() -> None:
    """Its command runs in its sandbox; that it is up nobody knows before it says so (HT-211, HT-216)."""
    core = unborn()

    # In a simulation whoever plays the client decides what it does, so it does not end by itself.
    assert hear(core, Started(NAME, 1)) == [
        Link("agent-1"),
        Run(NAME, COMMAND, (("A", "1"),), "/s/e1.1-7", SimulatedWork(duration=None), "", EXECUTOR.resources),
    ]
    assert hear(core, WorkStarted(NAME, 77)) == []
    assert subscribe(core, 1) == [REGISTER]


def test_the_process_may_call_before_it_can_know_that() -> None:
    """The endpoint hears of it first; then comes the head, then SUBSCRIBED, and no heartbeat yet (HT-192, HT-65).

    Its container is called as in all that the agent says of it.
    """
    core = up()
    subscribe(core, 1)

    effects = hear(core, REGISTERED)

    assert effects[:3] == [NO_RECONNECT, MAY_CALL, Write(1, HEAD)]
    assert effects[4:] == [HEARTBEAT]
    assert events(effects) == [
        {
            "type": "SUBSCRIBED",
            "subscribed": {
                "executor_info": {
                    "executor_id": {"value": "e1"},
                    "type": "CUSTOM",
                    "resources": [{"name": "cpus", "role": "*", "type": "SCALAR", "scalar": {"value": 1.0}}],
                    "data": "aGk=",
                    "framework_id": {"value": "m1-F1"},
                },
                "framework_info": {
                    "name": "web",
                    "user": "me",
                    "failover_timeout": 0.0,
                    "checkpoint": False,
                    "role": "*",
                    "capabilities": [],
                    "id": {"value": "m1-F1"},
                },
                "agent_info": {
                    "hostname": "h1",
                    "port": 5051,
                    "resources": [{"name": "cpus", "role": "*", "type": "SCALAR", "scalar": {"value": 4.0}}],
                    "attributes": [],
                    "id": {"value": "m1-S1"},
                },
                "container_id": {"value": "agent-1-1-7"},
            },
        }
    ]


def test_only_the_endpoint_and_the_agent_are_heard() -> None:
    """Anybody else may say what he likes."""
    core = up()

    assert hear(core, ExecutorSubscribed(number=1), "web") == []
    subscribe(core, 1)
    assert hear(core, REGISTERED, "web") == []
    hear(core, REGISTERED)
    for event in (StreamLost(number=1), ExecutorCalled(call=update()), LAUNCH, KILL, SHUTDOWN):
        assert hear(core, event, "web") == []


def test_a_heartbeat_comes_every_half_hour() -> None:
    """As long as there is a stream (HT-65, HT-68)."""
    core = connected()

    effects = hear(core, TimerFired(ExecutorHeartbeat()))

    assert events(effects) == [{"type": "HEARTBEAT"}]
    assert effects[1:] == [HEARTBEAT]
    assert ExecutorHeartbeat.PERIODIC


# --- events and calls ----------------------------------------------------------------------------------


def test_what_the_agent_says_are_events() -> None:
    """LAUNCH, KILL and MESSAGE (HT-200, HT-202, HT-204)."""
    core = connected()

    (launch,) = events(hear(core, LAUNCH))
    assert launch["type"] == "LAUNCH"
    assert launch["launch"]["task"]["task_id"] == {"value": "t1"}
    assert launch["launch"]["task"]["executor"]["data"] == "aGk="
    grace = {"grace_period": {"nanoseconds": 1_500_000_000}}
    assert events(hear(core, KILL)) == [{"type": "KILL", "kill": {"task_id": {"value": "t1"}, "kill_policy": grace}}]
    assert events(hear(core, attrs.evolve(KILL, kill_policy=None))) == [
        {"type": "KILL", "kill": {"task_id": {"value": "t1"}}}
    ]
    said = FrameworkToExecutor(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data=b"\x00\xff")
    assert events(hear(core, said)) == [{"type": "MESSAGE", "message": {"data": "AP8="}}]


def test_an_update_goes_to_the_agent_and_its_acknowledgement_comes_back() -> None:
    """With what the process has left out, and under its own 16 bytes (HT-178, HT-203, HT-210)."""
    core = launched()

    assert call(core, update()) == [Send("agent-1", whole(update()))]
    # Said twice before it is acknowledged it is one update.
    assert call(core, update()) == []
    acknowledged = {"task_id": {"value": "t1"}, "uuid": "AAECAwQFBgcICQoLDA0ODw=="}
    assert events(hear(core, acknowledgement())) == [{"type": "ACKNOWLEDGED", "acknowledged": acknowledged}]
    # An acknowledgement of nothing is not passed on; an update said again is acknowledged again (TK-16).
    assert hear(core, acknowledgement()) == []
    assert events(call(core, update())) == [{"type": "ACKNOWLEDGED", "acknowledged": acknowledged}]


def test_what_the_process_says_of_itself_stays() -> None:
    """Only what is not there is filled in (HT-178)."""
    said = update(agent_id="m1-S9", executor_id="e9", timestamp=1.0)

    assert call(launched(), said) == [Send("agent-1", said)]


def test_a_message_goes_to_the_agent() -> None:
    """On its way to the scheduler (HT-193)."""
    said = ExecutorToFramework(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi")

    assert call(connected(), said) == [Send("agent-1", said)]


# --- streams come and go -------------------------------------------------------------------------------


def test_the_executor_outlives_its_stream() -> None:
    """Calls are refused from then on; what is said meanwhile is lost, but for a launch (HT-246, HT-247)."""
    core = connected()

    assert hear(core, StreamLost(number=1), ENDPOINT) == [MAY_NOT_CALL, NO_HEARTBEAT]
    said = FrameworkToExecutor(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="lost")
    assert hear(core, said) == []
    assert hear(core, LAUNCH) == []
    effects = subscribe(core, 2)
    assert effects[:2] == [MAY_CALL, Write(2, HEAD)]
    assert kinds(effects, 2) == ["SUBSCRIBED", "LAUNCH"]


def test_a_second_subscription_replaces_the_first() -> None:
    """The old stream is ended, and its loss is no news any more (HT-195)."""
    core = connected()

    effects = subscribe(core, 2)

    assert effects[:2] == [Write(1, StreamEnded()), NO_HEARTBEAT]
    assert kinds(effects[2:], 2) == ["SUBSCRIBED"]
    assert hear(core, StreamLost(number=1), ENDPOINT) == []
    assert kinds(hear(core, LAUNCH), 2) == ["LAUNCH"]


def test_who_subscribes_twice_before_it_is_known_registers_once() -> None:
    """The first request is answered, too, though by nothing (HT-195)."""
    core = up()
    subscribe(core, 1)

    assert subscribe(core, 2) == [Write(1, HEAD), Write(1, StreamEnded()), NO_HEARTBEAT]
    assert kinds(hear(core, REGISTERED), 2) == ["SUBSCRIBED"]


def test_a_launch_comes_again_only_if_the_process_does_not_have_it() -> None:
    """It has it if it names the task, or has ever said anything of it (HT-208, HT-247)."""
    assert kinds(subscribe(launched(), 2)[2:], 2) == ["SUBSCRIBED", "LAUNCH"]
    assert kinds(subscribe(launched(), 2, has=("t1",))[2:], 2) == ["SUBSCRIBED"]
    updated = launched()
    call(updated, update())
    assert kinds(subscribe(updated, 2)[2:], 2) == ["SUBSCRIBED"]
    hear(updated, acknowledgement())
    assert kinds(subscribe(updated, 3)[2:], 3) == ["SUBSCRIBED"]


def test_a_launch_that_comes_again_brings_its_kill() -> None:
    """Or a task would run that was to be killed (HT-247)."""
    core = launched()
    hear(core, StreamLost(number=1), ENDPOINT)
    hear(core, KILL)

    assert kinds(subscribe(core, 2), 2) == ["SUBSCRIBED", "LAUNCH", "KILL"]


def test_updates_that_a_subscription_brings_are_new_unless_they_are_known() -> None:
    """Known by uuid: one that is on its way is not said again, one that is acknowledged is acknowledged (HT-199)."""
    core = launched()
    call(core, update())
    finished = update(TaskState.TASK_FINISHED, "v1:AgMEBQYHCAkKCwwNDg8AAQ==")

    effects = subscribe(core, 2, update(), finished)[2:]
    assert [each for each in effects if isinstance(each, Send)] == [MAY_CALL, Send("agent-1", whole(finished, 0.0))]
    hear(core, acknowledgement())
    effects = subscribe(core, 3, update(), finished)[2:]
    assert kinds(effects, 3) == ["SUBSCRIBED", "ACKNOWLEDGED"]
    assert [each for each in effects if isinstance(each, Send)] == [MAY_CALL]


# --- the end -------------------------------------------------------------------------------------------


def test_the_exit_of_the_process_is_the_executors() -> None:
    """Its status is that of wait(2), its stream is ended (HT-164, HT-217)."""
    ended = [Write(1, StreamEnded()), NO_HEARTBEAT, MAY_NOT_CALL]

    assert hear(connected(), WorkExited(NAME, 3, None)) == [
        *ended,
        Exit("executor e1: Command exited with status 3", 768),
    ]
    assert hear(connected(), WorkExited(NAME, None, 9)) == [
        *ended,
        Exit("executor e1: Command was killed by SIGKILL (9)", 9),
    ]
    assert hear(up(), WorkExited(NAME, 0, None)) == [Exit("executor e1: Command exited with status 0", 0)]


def test_a_process_that_cannot_be_started() -> None:
    """No process, no status; its agent knows what to make of that (HT-215, TK-39)."""
    core = unborn()
    hear(core, Started(NAME, 1))

    assert hear(core, WorkFailedToStart(NAME, "no such file")) == [Exit("no such file", -1)]


def test_who_is_shut_down_has_a_grace() -> None:
    """SHUTDOWN at once, SIGKILL after it; its last updates are taken (HT-205, HT-218)."""
    core = launched()

    effects = hear(core, SHUTDOWN)

    assert effects[0] == GRACE
    assert events(effects[1:]) == [{"type": "SHUTDOWN"}]
    assert call(core, update(TaskState.TASK_KILLED)) == [Send("agent-1", whole(update(TaskState.TASK_KILLED)))]
    # Told again, it may have another grace.
    assert hear(core, ShutdownExecutor(grace_s=1.0)) == [SetTimer(ProcessGrace(), 1.0)]
    assert hear(core, GRACE_OVER) == [SIGKILL]


def test_who_subscribes_on_its_way_out_is_told_to_go() -> None:
    """200, SHUTDOWN, the end (HT-196): refused when it registers, or shut down while it had no stream."""
    refused = up()
    subscribe(refused, 1)
    effects = hear(refused, SHUTDOWN)
    assert effects[:2] == [GRACE, Write(1, HEAD)]
    assert kinds(effects) == ["SHUTDOWN"]
    assert effects[3:] == [Write(1, StreamEnded()), NO_HEARTBEAT]

    late = connected()
    hear(late, StreamLost(number=1), ENDPOINT)
    assert hear(late, SHUTDOWN) == [GRACE]
    effects = subscribe(late, 2)
    assert effects[:2] == [MAY_CALL, Write(2, HEAD)]
    assert kinds(effects, 2) == ["SHUTDOWN"]
    assert effects[3:] == [Write(2, StreamEnded()), NO_HEARTBEAT]


def test_a_process_that_is_killed_before_it_has_started_is_killed_when_it_has() -> None:
    """Until then there is nothing to signal (HT-218)."""
    core = unborn()
    hear(core, Started(NAME, 1))
    hear(core, SHUTDOWN)

    assert hear(core, GRACE_OVER) == []
    assert hear(core, WorkStarted(NAME, 77)) == [SIGKILL]


# --- the agent's end -----------------------------------------------------------------------------------


def test_without_checkpointing_the_process_ends_with_the_agent() -> None:
    """By itself, or when the grace is over (HT-249)."""
    core = connected()

    assert hear(core, AGENT_EXITED) == [NO_HEARTBEAT, GRACE]
    assert hear(core, GRACE_OVER) == [SIGKILL]


def test_with_checkpointing_it_comes_back_when_its_process_has_subscribed() -> None:
    """Not sooner, as an agent destroys who does not come back, and should (HT-248, TK-67)."""
    core = launched(checkpoint=True)
    call(core, update())
    finished = update(TaskState.TASK_FINISHED, "v1:AgMEBQYHCAkKCwwNDg8AAQ==")
    known = (whole(update()), whole(finished, 0.0))
    back = ReregisterExecutor(**OF_E1, had_task=True, tasks=(TASK,), updates=known)

    assert hear(core, AGENT_EXITED) == [NO_HEARTBEAT, SetTimer(ReconnectTimeout(), 900.0)]
    assert hear(core, ReconnectExecutor()) == [Link("agent-1")]
    assert subscribe(core, 2, update(), finished, has=("t1",)) == [Link("agent-1"), Send("agent-1", back)]
    effects = hear(core, REREGISTERED)
    assert effects[:3] == [NO_RECONNECT, MAY_CALL, Write(2, HEAD)]
    assert kinds(effects, 2) == ["SUBSCRIBED"]
    # The agent was told of the updates already.
    assert effects[4:] == [HEARTBEAT]


def test_it_may_subscribe_before_the_agent_has_asked() -> None:
    """Then the agent is answered at once; what the process has not seen comes with SUBSCRIBED (HT-247, HT-248)."""
    core = launched(checkpoint=True)
    hear(core, AGENT_EXITED)

    assert subscribe(core, 2) == []
    back = ReregisterExecutor(**OF_E1, had_task=True, tasks=(TASK,))
    assert hear(core, ReconnectExecutor()) == [Link("agent-1"), Send("agent-1", back)]
    assert kinds(hear(core, REREGISTERED), 2) == ["SUBSCRIBED", "LAUNCH"]
    # It was asked twice (AG-11); there is one stream.
    assert hear(core, REREGISTERED) == [NO_RECONNECT]


def test_an_agent_that_ends_again_is_waited_for_no_longer() -> None:
    """The time runs from its first end; when it is over, the process ends (HT-250, TK-66)."""
    core = launched(checkpoint=True)
    hear(core, AGENT_EXITED)
    hear(core, ReconnectExecutor())

    assert hear(core, AGENT_EXITED) == [NO_HEARTBEAT]
    assert hear(core, TimerFired(ReconnectTimeout())) == [GRACE]
    assert hear(core, ReconnectExecutor()) == []
