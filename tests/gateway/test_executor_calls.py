"""What an executor's process calls, and what it is told, through the endpoint of its agent (http.md section 8)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import FrameworkInfo, Settings
from mesolite.actors.decisions.agent.core import AgentCore
from mesolite.actors.decisions.agent.environment import environment
from mesolite.actors.decisions.agent.state import ExecutorRecord, FrameworkRecord
from mesolite.messages.infos import AgentInfo
from tests.gateway.calling import (
    EXECUTOR,
    EXECUTOR_INFO,
    UUID,
    Process,
    World,
    an_id,
    with_process,
)

OTHER_UUID = "/////////////////////w=="
KEPT = {"failover_timeout": 600, "checkpoint": True}


@pytest.fixture
def process() -> Process:
    """It has been started, and has not subscribed."""
    return with_process()


@pytest.fixture
def subscribed(process: Process) -> Process:
    process.subscribe()
    return process


# --- calls ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["framework_id", "executor_id"])
def test_every_call_says_whose_it_is(subscribed: Process, missing: str) -> None:
    """HT-189: else 400, which says what is missing."""
    for kind in ("SUBSCRIBE", "UPDATE", "MESSAGE", "HEARTBEAT"):
        answer = subscribed.call(kind, **{missing: None})
        assert answer.status == 400
        assert missing.encode() in answer.body


@pytest.mark.parametrize("kind", ["UPDATE", "MESSAGE"])
def test_a_call_has_the_field_of_its_type(subscribed: Process, kind: str) -> None:
    """HT-189."""
    assert subscribed.call(kind).status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"uuid": None},
        {"uuid": ""},
        {"uuid": "AA=="},
        {"source": None},
        {"source": "SOURCE_MASTER"},
        {"state": "TASK_STAGING"},
        {"state": "TASK_DANCING"},
        {"executor_id": an_id("other")},
        {"task_id": None},
    ],
)
def test_an_update_must_be_one_that_an_executor_may_send(subscribed: Process, wrong: dict[str, Any]) -> None:
    """HT-189: 400, and its scheduler is not told; nor may it stand in a subscription."""
    status = {**subscribed.status("t1"), **wrong}

    assert subscribed.call("UPDATE", {"status": status}).status == 400
    assert subscribed.call("SUBSCRIBE", {"unacknowledged_updates": [{"status": status}]}).status == 400
    assert subscribed.framework.statuses == []


def test_its_own_id_may_stand_in_an_update(subscribed: Process) -> None:
    """HT-189, HT-193."""
    assert subscribed.update("t1", executor_id=an_id("e1")).status == 202
    assert subscribed.framework.states("t1") == ["TASK_RUNNING"]


@pytest.mark.parametrize(
    "body", [None, {}, {"unacknowledged_tasks": None, "unacknowledged_updates": None}, {"unacknowledged_tasks": []}]
)
def test_a_subscription_need_not_say_anything(process: Process, body: Any) -> None:
    """HT-190: lists may be missing or null, and all of it."""
    answer = process.call("SUBSCRIBE", body)

    assert [record["type"] for record in answer.records] == ["SUBSCRIBED", "LAUNCH"]


def test_a_subscription_is_a_stream_without_an_id(process: Process) -> None:
    """HT-191, HT-56: calls that carry one all the same are taken."""
    stream = process.subscribe()
    call = {"type": "HEARTBEAT", "framework_id": process.framework.id, "executor_id": an_id("e1")}

    assert (stream.status, stream.headers) == (200, {"content-type": "application/json"})
    assert not stream.ended
    answer = process.world.post(EXECUTOR, call, to=process.agent, headers={"Mesos-Stream-Id": "x"})
    assert answer.status == 202


def test_who_is_not_known_is_refused(process: Process) -> None:
    """HT-194: unknown framework or executor 400, and before it has subscribed 403."""
    message = {"data": ""}

    assert process.call("MESSAGE", message, framework_id=an_id("m1-F9")).status == 400
    assert process.call("SUBSCRIBE", {}, framework_id=an_id("m1-F9")).status == 400
    assert process.call("MESSAGE", message, executor_id=an_id("e9")).status == 400
    assert process.call("SUBSCRIBE", {}, executor_id=an_id("e9")).status == 400
    assert process.call("MESSAGE", message).status == 403
    assert process.update("t1").status == 403
    assert process.framework.statuses == []


def test_a_command_task_has_no_process_that_calls() -> None:
    """HT-194: its executor is the agent's own."""
    framework = World().offered()
    framework.launch("t1")
    process = Process(framework.world, framework, "t1")

    assert process.subscribe().status == 400


def test_a_heartbeat_is_taken_of_anybody(process: Process) -> None:
    """HT-193: without any further check."""
    assert process.call("HEARTBEAT").status == 202
    assert process.call("HEARTBEAT", executor_id=an_id("nobody")).status == 202


def test_a_second_subscription_replaces_the_first(subscribed: Process) -> None:
    """HT-195: which gets its last chunk; the call of the process goes on."""
    first = subscribed.stream
    assert first is not None
    second = subscribed.subscribe()

    assert (first.ended, first.broken, second.ended) == (True, False, False)
    assert [record["type"] for record in second.records][:1] == ["SUBSCRIBED"]
    assert subscribed.update("t1").status == 202
    assert subscribed.heard("ACKNOWLEDGED")


def test_who_has_ended_is_told_to_when_it_subscribes(subscribed: Process) -> None:
    """HT-196: 200, SHUTDOWN, the end; its agent knows it still, as an update of it waits."""
    subscribed.update("t1")
    subscribed.world.sim.kill("agent-1/m1-F1/e1")
    subscribed.world.sim.advance(1.0)
    stream = subscribed.subscribe()

    assert (stream.status, [record["type"] for record in stream.records]) == (200, ["SHUTDOWN"])
    assert (stream.ended, stream.broken) == (True, False)


def test_who_is_on_its_way_out_is_told_so(subscribed: Process) -> None:
    """HT-196: within the grace of a shutdown."""
    framework = subscribed.framework
    ids = {"executor_id": an_id("e1"), "agent_id": framework.offers[0]["agent_id"]}
    framework.call("SHUTDOWN", ids)
    stream = subscribed.subscribe()

    assert [record["type"] for record in stream.records] == ["SHUTDOWN"]
    assert stream.ended


def test_what_was_killed_before_it_was_delivered_never_reaches_the_process(process: Process) -> None:
    """HT-209: TASK_KILLED; HT-197: and as nothing is left, it is told to end."""
    framework = process.framework
    framework.call("KILL", {"task_id": an_id("t1")})
    assert framework.states("t1") == ["TASK_KILLED"]

    stream = process.subscribe()
    kinds = [record["type"] for record in stream.records]
    assert "LAUNCH" not in kinds
    assert kinds[-1] == "SHUTDOWN"


def test_tasks_wait_for_the_process(process: Process) -> None:
    """HT-209, HT-200: until it has subscribed; then they come in the order in which they were launched."""
    framework = process.framework
    framework.world.sim.advance(10.0)
    framework.launch("t2", executor=EXECUTOR_INFO)
    process.subscribe()

    launched = [told["task"]["task_id"] for told in process.heard("LAUNCH")]
    assert launched == [an_id("t1"), an_id("t2")]


# --- events --------------------------------------------------------------------------------------------


def test_a_task_is_launched_as_its_framework_has_sent_it(subscribed: Process) -> None:
    """HT-200, HT-45, HT-46."""
    framework = subscribed.framework
    framework.world.sim.advance(10.0)
    said = {"labels": {"labels": [{"key": "k"}]}, "data": "AP8=", "discovery": {"visibility": "CLUSTER"}}
    framework.launch("t2", executor=EXECUTOR_INFO, **said)

    task = subscribed.heard("LAUNCH")[-1]["task"]
    assert {**task, **said} == task
    assert task["task_id"] == an_id("t2")


def test_it_is_told_to_kill(subscribed: Process) -> None:
    """HT-202: with the policy, if one was stated."""
    subscribed.update("t1")
    kill = {"task_id": an_id("t1"), "kill_policy": {"grace_period": {"nanoseconds": 5}}}
    subscribed.framework.call("KILL", kill)

    assert subscribed.heard("KILL") == [kill]


def test_it_is_told_what_was_taken(subscribed: Process) -> None:
    """HT-203, HT-210: with the sixteen bytes that it has sent; and again if it says it again."""
    subscribed.update("t1")
    subscribed.update("t1")

    assert subscribed.heard("ACKNOWLEDGED") == [{"task_id": an_id("t1"), "uuid": UUID}] * 2
    assert subscribed.framework.states("t1") == ["TASK_RUNNING"]


def test_the_first_heartbeat_comes_after_half_an_hour(subscribed: Process) -> None:
    """HT-207, HT-65."""
    subscribed.world.sim.advance(1799.0)
    assert subscribed.heard("HEARTBEAT") == []

    subscribed.world.sim.advance(1802.0)
    assert subscribed.heard("HEARTBEAT") == [None, None]


def test_an_executor_with_nothing_to_do_goes_on(subscribed: Process) -> None:
    """HT-219: it was asked for once, and decides itself when to go."""
    subscribed.update("t1", "TASK_FINISHED")
    subscribed.framework.acknowledge_all()
    subscribed.world.sim.advance(1000.0)

    assert subscribed.stream is not None
    assert not subscribed.stream.ended
    assert subscribed.heard("SHUTDOWN") == []


def test_the_end_of_its_framework_is_its_own(subscribed: Process) -> None:
    """HT-205, HT-218: SHUTDOWN, and after the grace it is killed."""
    subscribed.framework.call("TEARDOWN")
    assert subscribed.heard("SHUTDOWN") == [None]
    assert subscribed.stream is not None
    assert not subscribed.stream.ended

    subscribed.world.sim.advance(6.0)
    assert subscribed.stream.ended
    assert subscribed.world.read("GET_CONTAINERS", to=subscribed.agent)["containers"] == []


def test_whether_it_may_come_back_is_a_digit() -> None:
    """HT-243, HT-397: no client understands the word; it is always there."""
    agent = AgentCore(Settings.mesos(), AgentInfo(hostname="h", resources="cpus:4", id="m1-S1"), "/work").state
    executor = ExecutorRecord(id="e1", info=None, pid="agent-1/e1", run=1, shutdown_grace_s=5.0, sandbox="/s")
    found = []
    for checkpoint in (True, False):
        info = FrameworkInfo(name="web", id="m1-F1", checkpoint=checkpoint)
        given = environment(agent, FrameworkRecord(info=info, scheduler="web"), executor)
        found.append(dict(given)["MESOS_CHECKPOINT"])

    assert found == ["1", "0"]


def test_secrets_cannot_be_resolved() -> None:
    """HT-244: the task fails, and says why."""
    framework = World().offered()
    secret = {"name": "PASSWORD", "type": "SECRET", "secret": {"type": "REFERENCE", "reference": {"name": "p"}}}
    framework.launch("t1", command={"value": "true", "environment": {"variables": [secret]}})

    (status,) = framework.statuses
    assert status["state"] == "TASK_FAILED"
    assert "PASSWORD" in status["message"]


# --- the agent goes and comes back ---------------------------------------------------------------------


@pytest.mark.parametrize("checkpoint", [True, False], ids=["checkpointed", "not checkpointed"])
@pytest.mark.parametrize("how", ["crash", "stop", "restart"])
def test_with_its_agent_the_stream_ends_at_once(how: str, checkpoint: bool) -> None:
    """HT-59, HT-248, HT-249: with its last chunk, as executors learn from it that the agent has gone."""
    process = with_process(failover_timeout=1000.0, checkpoint=checkpoint)
    stream = process.subscribe()
    process.world.sim.settle()
    assert not stream.ended

    getattr(process.agent, how)()
    process.world.sim.settle()

    assert (stream.ended, stream.broken) == (True, False)


def test_a_machine_without_power_ends_nothing() -> None:
    """Nobody is there who could; no more than a machine does that is unplugged."""
    process = with_process(**KEPT)
    stream = process.subscribe()
    process.agent.power_off()
    process.world.sim.advance(60.0)

    assert not stream.ended


def test_while_its_agent_recovers_a_process_may_subscribe_and_no_more() -> None:
    """HT-198, HT-248: UPDATE and MESSAGE are 503 for now, HEARTBEAT is taken."""
    process = with_process(**KEPT)
    process.subscribe()
    process.agent.crash()
    process.agent.restart()
    process.world.sim.settle()

    assert process.update("t1").status == 503
    assert process.call("MESSAGE", {"data": ""}).status == 503
    assert "retry-after" in process.call("MESSAGE", {"data": ""}).headers
    assert process.call("HEARTBEAT").status == 202
    assert process.world.operate("GET_STATE", to=process.agent).status == 503
    stream = process.subscribe(tasks=[process.framework.task("t1", process.framework.offers[0])])
    process.world.sim.advance(5.0)
    assert [record["type"] for record in stream.records] == ["SUBSCRIBED"]
    assert process.update("t1").status == 202


def test_updates_that_wait_survive_their_agent() -> None:
    """HT-251: they are sent again when it has come back."""
    process = with_process(**KEPT)
    framework, world = process.framework, process.world
    process.subscribe()
    process.update("t1")
    process.update("t1", "TASK_FINISHED", uuid=OTHER_UUID)
    assert framework.states("t1") == ["TASK_RUNNING"]

    process.agent.crash()
    process.agent.restart()
    world.sim.settle()
    process.subscribe()
    world.sim.advance(5.0)
    framework.acknowledge_all()
    assert framework.states("t1")[-1] == "TASK_FINISHED"
    assert set(framework.states("t1")) == {"TASK_RUNNING", "TASK_FINISHED"}
