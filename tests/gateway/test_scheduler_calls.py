"""What a subscribed scheduler calls, and what comes of it (docs/spec/http.md section 7.2)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import FrameworkInfo, Scheduler
from tests.gateway.calling import (
    EXECUTOR_INFO,
    SCHEDULER,
    UUID,
    Framework,
    World,
    an_id,
    base64_of,
    with_process,
)

NEEDS_BODY = [
    "ACCEPT",
    "DECLINE",
    "KILL",
    "SHUTDOWN",
    "ACKNOWLEDGE",
    "RECONCILE",
    "MESSAGE",
    "REQUEST",
    "ACCEPT_INVERSE_OFFERS",
    "DECLINE_INVERSE_OFFERS",
    "UPDATE_FRAMEWORK",
    "ACKNOWLEDGE_OPERATION_STATUS",
    "RECONCILE_OPERATIONS",
]


@pytest.fixture
def framework() -> Framework:
    return World().offered()


def new_offers(framework: Framework, known: int, seconds: float = 2.0) -> list[Any]:
    framework.world.sim.advance(seconds)
    return framework.offers[known:]


def running(framework: Framework, task_id: str = "t1") -> Framework:
    framework.launch(task_id)
    framework.world.sim.advance(1.0)
    framework.acknowledge_all()
    assert framework.states(task_id) == ["TASK_STARTING", "TASK_RUNNING"]
    return framework


# --- who may call --------------------------------------------------------------------------------------


def test_a_call_names_its_framework_and_its_stream(framework: Framework) -> None:
    """HT-135: without either, or with another's, it is 400."""
    other = framework.world.subscribe(name="other")
    world, right = framework.world, {"Mesos-Stream-Id": framework.stream_id}

    def revive(headers: dict[str, str], **ids: Any) -> int | None:
        return world.post(SCHEDULER, {"type": "REVIVE", **ids}, headers=headers).status

    assert revive(right) == 400
    assert revive(right, framework_id=an_id("")) == 400
    assert revive(right, framework_id=an_id("nobody")) == 400
    assert revive({}, framework_id=framework.id) == 400
    assert revive({"Mesos-Stream-Id": other.stream_id}, framework_id=framework.id) == 400
    assert revive(right, framework_id=other.id) == 400
    assert revive(right, framework_id=framework.id) == 202


@pytest.mark.parametrize("kind", NEEDS_BODY)
def test_a_call_has_the_field_of_its_type(framework: Framework, kind: str) -> None:
    """HT-136: without it 400, which names it: how a call is written is looked at while its caller waits (SEC-47)."""
    answer = framework.call(kind)

    assert answer.status == 400
    assert kind.lower().encode() in answer.body


@pytest.mark.parametrize("kind", ["REVIVE", "SUPPRESS", "TEARDOWN"])
def test_some_calls_need_nothing_but_their_type(framework: Framework, kind: str) -> None:
    """HT-136."""
    assert framework.call(kind).status == 202


def test_a_call_is_answered_before_anybody_is_asked(framework: Framework) -> None:
    """HT-137: 202 although neither master nor agent has had a chance to look at it."""
    framework.world.sim.pause("master-1")
    answer = framework.launch("t1")

    assert answer.status == 202


def test_who_is_subscribed_in_process_cannot_be_called_for() -> None:
    """HT-155: 403; but who subscribes with its id has taken its place, and the driver is told."""
    world = World()
    errors: list[str] = []

    class Local(Scheduler):
        def error(self, driver: Any, message: str) -> None:
            errors.append(message)

    driver = world.cluster.run(Local(), FrameworkInfo(name="local", failover_timeout_s=60))
    world.sim.advance(5.0)
    (known,) = world.read("GET_FRAMEWORKS")["frameworks"]
    framework_id = known["framework_info"]["id"]
    assert world.post(SCHEDULER, {"type": "REVIVE", "framework_id": framework_id}).status == 403

    taken = world.subscribe(id=framework_id, user="", name="local")
    assert taken.kinds[:2] == ["SUBSCRIBED", "HEARTBEAT"]
    assert len(errors) == 1
    assert driver is not None
    assert taken.call("REVIVE").status == 202


# --- offers --------------------------------------------------------------------------------------------


def test_accept_launches_and_returns_what_it_does_not_use(framework: Framework) -> None:
    """HT-138: the rest of the offer comes again when its filter is over, by default 5 seconds."""
    framework.launch("t1")
    assert framework.states("t1")[0] == "TASK_STARTING"

    assert new_offers(framework, 1, 3.0) == []
    (rest,) = new_offers(framework, 1, 4.0)
    cpus = next(resource for resource in rest["resources"] if resource["name"] == "cpus")
    assert cpus["scalar"] == {"value": 3.5}


def test_accepting_what_is_not_offered_loses_the_task(framework: Framework) -> None:
    """HT-138, HT-91: it is well-formed; what became of it is an event (SEC-47), an update without a uuid (HT-167)."""
    offer = {**framework.offers[0], "id": an_id("m1-O99")}
    assert framework.launch("t1", offer).status == 202

    (status,) = framework.statuses
    assert (status["state"], status["reason"]) == ("TASK_LOST", "REASON_INVALID_OFFERS")
    assert "uuid" not in status


def test_an_operation_that_does_not_exist_is_dropped(framework: Framework) -> None:
    """HT-173: alone; what stands beside it is carried out."""
    offer = framework.offers[0]
    operations = [
        {"type": "LEVITATE"},
        {},
        {"type": "RESERVE", "reserve": {"resources": []}},
        {"type": "LAUNCH", "launch": {"task_infos": [framework.task("t1", offer)]}},
    ]
    assert framework.call("ACCEPT", {"offer_ids": [offer["id"]], "operations": operations}).status == 202
    framework.acknowledge_all()

    assert framework.states("t1") == ["TASK_STARTING", "TASK_RUNNING"]


@pytest.mark.parametrize("refuse_seconds", [4294967295, "Infinity", 1e12])
def test_what_is_declined_for_ever_does_not_come_again(framework: Framework, refuse_seconds: Any) -> None:
    """HT-139: not within an hour, that is."""
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], "filters": {"refuse_seconds": refuse_seconds}})

    assert new_offers(framework, 1, 3600.0) == []


@pytest.mark.parametrize(("filters", "seconds"), [({}, 5.0), ({"filters": {"refuse_seconds": 30}}, 30.0)])
def test_what_was_declined_comes_again_in_time(framework: Framework, filters: Any, seconds: float) -> None:
    """HT-139: after 5 seconds, or as many as it says."""
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], **filters})

    assert new_offers(framework, 1, seconds - 1.0) == []
    assert new_offers(framework, 1, 3.0)


@pytest.mark.parametrize("body", [None, {}, {"roles": []}, {"roles": ["*"]}, {"roles": "*"}])
def test_revive_clears_filters(framework: Framework, body: Any) -> None:
    """HT-140: of all roles, if none is named (HT-392)."""
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], "filters": {"refuse_seconds": 1e6}})
    assert new_offers(framework, 1) == []

    framework.call("REVIVE", body)
    assert new_offers(framework, 1)


@pytest.mark.parametrize("body", [None, {}, {"roles": ["*"]}])
def test_suppress_stops_offers_until_it_revives(framework: Framework, body: Any) -> None:
    """HT-141, HT-140."""
    framework.call("SUPPRESS", body)
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], "filters": {"refuse_seconds": 0}})
    assert new_offers(framework, 1, 60.0) == []

    framework.call("REVIVE")
    assert new_offers(framework, 1)


@pytest.mark.parametrize("kind", ["REVIVE", "SUPPRESS"])
def test_a_call_for_another_role_is_dropped(framework: Framework, kind: str) -> None:
    """HT-140, HT-141, core.md OF-51: without a word, be there others beside it."""
    filters = {"refuse_seconds": 5 if kind == "SUPPRESS" else 1e6}
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], "filters": filters})
    assert framework.call(kind, {"roles": ["*", "other"]}).status == 202

    assert bool(new_offers(framework, 1, 10.0)) == (kind == "SUPPRESS")


def test_calls_take_effect_in_the_order_in_which_they_were_sent(framework: Framework) -> None:
    """HT-154: who declines what it has accepted declines nothing, and the other way round."""
    offer_id = framework.offers[0]["id"]
    framework.launch("t1")
    framework.call("DECLINE", {"offer_ids": [offer_id]})
    assert framework.states("t1")[0] == "TASK_STARTING"

    (second,) = new_offers(framework, 1, 10.0)
    framework.call("DECLINE", {"offer_ids": [second["id"]]})
    framework.launch("t2", second)
    assert framework.states("t2") == ["TASK_LOST"]


# --- tasks ---------------------------------------------------------------------------------------------


def test_kill_ends_a_task(framework: Framework) -> None:
    """HT-142: with or without the agent, and with a policy of its own."""
    running(framework)
    framework.call("KILL", {"task_id": an_id("t1"), "kill_policy": {"grace_period": {"nanoseconds": 10**9}}})
    framework.acknowledge_all()

    assert framework.states("t1")[-1] == "TASK_KILLED"


@pytest.mark.parametrize(("capable", "state"), [((), "TASK_LOST"), (["PARTITION_AWARE"], "TASK_UNKNOWN")])
def test_killing_what_is_not_there_says_so(capable: list[str], state: str) -> None:
    """HT-142: by an update that need not be acknowledged."""
    framework = World().offered(capabilities=[{"type": name} for name in capable])
    framework.call("KILL", {"task_id": an_id("nothing")})

    (status,) = framework.statuses
    assert (status["state"], status["reason"]) == (state, "REASON_RECONCILIATION")
    assert "uuid" not in status


def test_shutdown_ends_an_executor() -> None:
    """HT-143: it is told to, and its task ends with it (HT-205)."""
    process = with_process()
    process.subscribe()
    framework = process.framework
    agent_id = framework.offers[0]["agent_id"]
    framework.call("SHUTDOWN", {"executor_id": an_id("e1"), "agent_id": agent_id})

    assert process.heard("SHUTDOWN") == [None]
    framework.world.sim.advance(10.0)
    assert framework.states("t1") == ["TASK_FAILED"]


def test_an_update_comes_again_until_it_is_acknowledged(framework: Framework) -> None:
    """HT-144, HT-168: and the next one only then."""
    framework.launch("t1")
    framework.world.sim.advance(35.0)
    assert framework.states("t1") == ["TASK_STARTING"] * 3

    for status in framework.statuses[:1]:
        assert framework.acknowledge(status).status == 202
    framework.acknowledge(framework.statuses[-1])
    assert framework.states("t1")[3:] == ["TASK_RUNNING"]


@pytest.mark.parametrize(
    "uuid", ["", "AAECAw==", base64_of("f3b62c41-4b5e-4f87-9d6f-3c8f3d3b8c1a"), "!!", "AAECAwQFBgcICQoLDA0ODw", 7]
)
def test_a_uuid_is_sixteen_bytes(framework: Framework, uuid: Any) -> None:
    """HT-144, HT-36, HT-396: anything else is 400."""
    body = {"agent_id": framework.offers[0]["agent_id"], "task_id": an_id("t"), "uuid": uuid}

    assert framework.call("ACKNOWLEDGE", body).status == 400
    assert framework.call("ACKNOWLEDGE", {**body, "uuid": UUID}).status == 202


def test_reconciliation_says_how_tasks_are(framework: Framework) -> None:
    """HT-145: of those that are named, or of all; nothing of it is to be acknowledged."""
    running(framework)
    known = len(framework.statuses)
    framework.call("RECONCILE", {"tasks": [{"task_id": an_id("t1")}, {"task_id": an_id("nothing")}]})
    framework.call("RECONCILE", {"tasks": []})

    told = framework.statuses[known:]
    states = [(status["task_id"]["value"], status["state"]) for status in told]
    assert states == [("t1", "TASK_RUNNING"), ("nothing", "TASK_LOST"), ("t1", "TASK_RUNNING")]
    assert all("uuid" not in status and status["reason"] == "REASON_RECONCILIATION" for status in told)


def test_reconciliation_says_what_the_executor_has_said_last() -> None:
    """HT-145: whose task it is, how it is and where it runs are not lost with the first answer."""
    process = with_process()
    process.subscribe()
    process.update("t1", healthy=True)
    framework = process.framework
    framework.acknowledge_all()
    (said, *_) = framework.statuses
    framework.call("RECONCILE", {"tasks": []})

    told = framework.statuses[-1]
    assert (told["executor_id"], told["healthy"]) == (an_id("e1"), True)
    assert told["container_status"] == said["container_status"]


def test_messages_reach_an_executor_and_come_back() -> None:
    """HT-146, HT-163, HT-204: as the bytes they are."""
    process = with_process()
    process.subscribe()
    framework = process.framework
    ids = {"agent_id": framework.offers[0]["agent_id"], "executor_id": an_id("e1")}
    framework.call("MESSAGE", {**ids, "data": "AP8="})
    process.call("MESSAGE", {"data": "/wA="})

    assert process.heard("MESSAGE") == [{"data": "AP8="}]
    assert framework.stream.of_type("MESSAGE") == [{**ids, "data": "/wA="}]


def test_some_calls_are_taken_and_nothing_comes_of_them(framework: Framework) -> None:
    """HT-147, HT-152, HT-153: there are no operations here, so there is nothing to be said of them."""
    agent_id, known = framework.offers[0]["agent_id"], len(framework.stream.records)
    operation = {"agent_id": agent_id, "uuid": UUID, "operation_id": an_id("o")}

    assert framework.call("REQUEST", {"requests": [{"resources": []}]}).status == 202
    assert framework.call("RECONCILE_OPERATIONS", {"operations": []}).status == 202
    assert framework.call("ACKNOWLEDGE_OPERATION_STATUS", operation).status == 202
    assert framework.call("ACKNOWLEDGE_OPERATION_STATUS", {**operation, "agent_id": None}).status == 400
    assert framework.call("ACKNOWLEDGE_OPERATION_STATUS", {**operation, "uuid": "AA=="}).status == 400
    assert len(framework.stream.records) == known


# --- the framework itself ------------------------------------------------------------------------------


def test_teardown_ends_everything(framework: Framework) -> None:
    """HT-150: 202, then the stream's last chunk; tasks are killed, and the framework is a completed one."""
    running(framework)
    assert framework.call("TEARDOWN").status == 202

    assert (framework.stream.ended, framework.stream.broken) == (True, False)
    framework.world.sim.advance(10.0)
    found = framework.world.read("GET_FRAMEWORKS")
    assert (found["frameworks"], len(found["completed_frameworks"])) == ([], 1)
    assert framework.world.read("GET_TASKS")["tasks"] == []
    assert framework.call("REVIVE").status == 400


def test_a_framework_may_say_anew_who_it_is(framework: Framework) -> None:
    """HT-151: 200 when it is done."""
    info = {"user": "me", "name": "renamed", "id": framework.id, "failover_timeout": 7}
    answer = framework.call("UPDATE_FRAMEWORK", {"framework_info": info})

    assert (answer.status, answer.body) == (200, b"")
    (known,) = framework.world.read("GET_FRAMEWORKS")["frameworks"]
    assert (known["framework_info"]["name"], known["framework_info"]["failover_timeout"]) == ("renamed", 7)
    assert not framework.stream.ended


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": an_id("other")},
        {"user": "other"},
        {"checkpoint": True},
        {"principal": "other"},
        {"role": "a b"},
        {"failover_timeout": -1},
    ],
)
def test_a_framework_cannot_say_that_it_is_another(framework: Framework, wrong: dict[str, Any]) -> None:
    """HT-151: 400, and nothing changes."""
    info = {"user": "me", "name": "renamed", "id": framework.id, **wrong}
    answer = framework.call("UPDATE_FRAMEWORK", {"framework_info": info})

    assert answer.status == 400
    (known,) = framework.world.read("GET_FRAMEWORKS")["frameworks"]
    assert known["framework_info"]["name"] == "web"
    assert not framework.stream.ended


def test_an_update_may_suppress_roles_and_take_that_back(framework: Framework) -> None:
    """HT-151, HT-133: as a subscription does."""
    info = {"user": "me", "name": "web", "id": framework.id}
    framework.call("UPDATE_FRAMEWORK", {"framework_info": info, "suppressed_roles": ["*"]})
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], "filters": {"refuse_seconds": 0}})
    assert new_offers(framework, 1, 10.0) == []

    assert framework.call("UPDATE_FRAMEWORK", {"framework_info": info, "suppressed_roles": ["b"]}).status == 400
    framework.call("UPDATE_FRAMEWORK", {"framework_info": info})
    assert new_offers(framework, 1)


def test_an_executor_that_is_named_twice_is_one(framework: Framework) -> None:
    """HT-211, HT-176: tasks that name the same executor share its process."""
    offer = framework.offers[0]
    tasks = [framework.task(f"t{number}", offer, executor=EXECUTOR_INFO) for number in (1, 2)]
    launch = {"type": "LAUNCH", "launch": {"task_infos": tasks}}
    framework.call("ACCEPT", {"offer_ids": [offer["id"]], "operations": [launch]})

    found = framework.world.read("GET_CONTAINERS", to=framework.world.agent())["containers"]
    assert [container["executor_id"] for container in found] == [an_id("e1")]
