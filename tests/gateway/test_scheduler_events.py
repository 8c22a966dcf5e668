"""What a subscribed scheduler is told, in which shapes, and what happens when it goes (http.md sections 7.3 to 7.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesolite import Settings
from tests.gateway.calling import EXECUTOR_INFO, FRAMEWORK, Framework, World, an_id, base64_of, scalar, with_process

FOREVER = {"failover_timeout": 600}


@pytest.fixture
def framework() -> Framework:
    return World().offered()


# --- events --------------------------------------------------------------------------------------------


def test_every_event_has_its_body_under_its_type_in_lower_case() -> None:
    """HT-157 to HT-166: and nothing else; HEARTBEAT has no body, OFFERS has its list one level down (HT-390)."""
    process = with_process()
    framework = process.framework
    process.subscribe()
    process.update("t1")
    process.call("MESSAGE", {"data": ""})
    framework.world.sim.kill("agent-1/m1-F1/e1")
    framework.world.sim.advance(5.0)
    framework.again()

    assert {"SUBSCRIBED", "HEARTBEAT", "OFFERS", "UPDATE", "MESSAGE", "FAILURE", "ERROR"} <= set(framework.kinds)
    for record in framework.stream.records:
        kind = record["type"]
        assert record.keys() == ({"type"} if kind == "HEARTBEAT" else {"type", kind.lower()})
    assert all(told.keys() == {"offers"} for told in framework.stream.of_type("OFFERS"))
    assert all(told.keys() == {"status"} for told in framework.stream.of_type("UPDATE"))
    (error,) = framework.stream.of_type("ERROR")  # HT-165, HT-391
    assert error.keys() == {"message"}
    assert framework.stream.ended


def test_an_offer_that_is_not_valid_any_more_is_rescinded(framework: Framework) -> None:
    """HT-159: by its id."""
    framework.world.operate("DEACTIVATE_AGENT", {"agent_id": framework.offers[0]["agent_id"]})

    assert framework.stream.of_type("RESCIND") == [{"offer_id": framework.offers[0]["id"]}]


def maintenance(world: World, start_s: float = 1_400_000_100.0) -> None:
    """Plan work on the machine of agent-1, in a minute or so."""
    host = world.agent().url.removeprefix("http://").partition(":")[0]
    window = {
        "machine_ids": [{"hostname": host, "ip": host}],
        "unavailability": {"start": {"nanoseconds": int(start_s * 1e9)}, "duration": {"nanoseconds": 10**12}},
    }
    assert world.operate("UPDATE_MAINTENANCE_SCHEDULE", {"schedule": {"windows": [window]}}).status == 200


def test_what_is_wanted_back_is_asked_for(framework: Framework) -> None:
    """HT-158, HT-160, HT-148, HT-149: an inverse offer, answered or taken back; offers say until when (HT-170)."""
    framework.launch("t1")
    world = framework.world
    maintenance(world)
    world.sim.advance(10.0)

    (told,) = framework.stream.of_type("INVERSE_OFFERS")
    (asked,) = told["inverse_offers"]
    assert {"id", "framework_id", "unavailability", "resources"} <= asked.keys()
    assert asked["agent_id"] == framework.offers[0]["agent_id"]
    assert asked["unavailability"]["start"] == {"nanoseconds": 1_400_000_100 * 10**9}
    assert framework.offers[-1]["unavailability"] == asked["unavailability"]

    answer = {"inverse_offer_ids": [asked["id"]]}
    assert framework.call("ACCEPT_INVERSE_OFFERS", answer).status == 202
    (draining,) = world.read("GET_MAINTENANCE_STATUS")["status"]["draining_machines"]
    assert [(each["status"], each["framework_id"]) for each in draining["statuses"]] == [("ACCEPT", framework.id)]


def test_an_inverse_offer_may_be_declined(framework: Framework) -> None:
    """HT-149, HT-156: with a reason, if there is one to be given."""
    framework.launch("t1")
    maintenance(framework.world)
    framework.world.sim.advance(10.0)
    asked = framework.stream.of_type("INVERSE_OFFERS")[0]["inverse_offers"][0]
    answer = {"inverse_offer_ids": [asked["id"]], "filters": {"refuse_seconds": 60}, "x_mesolite_reason": "busy"}
    assert framework.call("DECLINE_INVERSE_OFFERS", answer).status == 202

    (draining,) = framework.world.read("GET_MAINTENANCE_STATUS")["status"]["draining_machines"]
    assert [each["status"] for each in draining["statuses"]] == ["DECLINE"]


def test_an_inverse_offer_is_taken_back_when_the_plan_is(framework: Framework) -> None:
    """HT-160."""
    framework.launch("t1")
    maintenance(framework.world)
    framework.world.sim.advance(10.0)
    asked = framework.stream.of_type("INVERSE_OFFERS")[0]["inverse_offers"][0]
    framework.world.operate("UPDATE_MAINTENANCE_SCHEDULE", {"schedule": {"windows": []}})

    assert framework.stream.of_type("RESCIND_INVERSE_OFFER") == [{"inverse_offer_id": asked["id"]}]


def test_the_end_of_an_executor_and_of_an_agent_are_failures() -> None:
    """HT-164: an executor's with its wait status; an agent's without one."""
    process = with_process()
    framework, world = process.framework, process.world
    process.subscribe()
    world.sim.kill("agent-1/m1-F1/e1")
    world.sim.advance(1.0)
    agent_id = framework.offers[0]["agent_id"]
    (failure,) = framework.stream.of_type("FAILURE")
    assert failure == {"agent_id": agent_id, "executor_id": an_id("e1"), "status": failure["status"]}
    assert isinstance(failure["status"], int)

    world.operate("MARK_AGENT_GONE", {"agent_id": agent_id})
    world.sim.advance(1.0)
    assert framework.stream.of_type("FAILURE")[1:] == [{"agent_id": agent_id}]


def test_updates_that_must_be_acknowledged_say_of_which_agent_they_are(framework: Framework) -> None:
    """HT-167: all that come from an agent have a uuid and its id; what a master makes has no uuid."""
    framework.launch("t1")
    framework.launch("t2", {**framework.offers[0], "id": an_id("m1-O9")})
    framework.acknowledge_all()
    by_task = {status["task_id"]["value"]: status for status in framework.statuses}

    assert by_task["t1"]["agent_id"] == framework.offers[0]["agent_id"]
    assert "uuid" in by_task["t1"]
    assert "uuid" not in by_task["t2"]


def test_a_new_subscription_is_told_again_what_is_not_acknowledged() -> None:
    """HT-168, HT-186: at once, not when the next round is due."""
    framework = World().offered(**FOREVER)
    framework.launch("t1")
    assert framework.states("t1") == ["TASK_STARTING"]

    again = framework.again(**FOREVER)
    framework.world.sim.settle()
    assert again.states("t1") == ["TASK_STARTING"]
    assert again.statuses[0]["uuid"] == framework.statuses[0]["uuid"]


# --- shapes --------------------------------------------------------------------------------------------


def test_an_offer_says_where_it_is(framework: Framework) -> None:
    """HT-170, HT-169: with an address that can be reached; HT-384 fails without url.address.ip."""
    (offer,) = framework.offers
    host, _, port = framework.world.agent().url.removeprefix("http://").partition(":")

    assert (offer["id"], offer["framework_id"]) == (an_id("m1-O1"), framework.id)
    assert offer["agent_id"] == an_id(str(framework.world.agent().id))
    assert offer["url"] == {
        "scheme": "http",
        "address": {"hostname": host, "ip": host, "port": int(port)},
        "path": "/slave(1)",
        "query": [],
    }
    assert offer["hostname"] == host
    assert offer["executor_ids"] == []


@pytest.mark.parametrize(
    ("capabilities", "said_of_each", "said_of_the_offer"),
    [
        ([], {"role": "*"}, {}),
        (["MULTI_ROLE"], {"role": "*", "allocation_info": {"role": "*"}}, {"allocation_info": {"role": "*"}}),
        (["RESERVATION_REFINEMENT"], {}, {}),
        (
            ["MULTI_ROLE", "RESERVATION_REFINEMENT"],
            {"allocation_info": {"role": "*"}},
            {"allocation_info": {"role": "*"}},
        ),
    ],
    ids=["one role", "several roles", "refined", "both"],
)
def test_resources_say_for_whom_they_are(
    capabilities: list[str], said_of_each: dict[str, Any], said_of_the_offer: dict[str, Any]
) -> None:
    """HT-171, FW-56: mesos-go takes offers for too small, or ends, if they say more than its framework understands."""
    framework = World().offered(capabilities=[{"type": each} for each in capabilities])
    (offer,) = framework.offers
    resources = {each["name"]: each for each in offer["resources"]}

    assert resources["cpus"] == {**scalar("cpus", 4), **said_of_each}
    ports = {"range": [{"begin": 31000, "end": 32000}]}
    assert resources["ports"] == {"name": "ports", "type": "RANGES", "ranges": ports, **said_of_each}
    assert {name: offer[name] for name in offer if name == "allocation_info"} == said_of_the_offer


def test_offers_are_written_for_what_the_framework_has_become(framework: Framework) -> None:
    """HT-151: its capabilities may change while it is subscribed."""
    info = {**FRAMEWORK, "id": framework.id, "capabilities": [{"type": "MULTI_ROLE"}]}
    assert framework.call("UPDATE_FRAMEWORK", {"framework_info": info}).status == 200
    framework.call("DECLINE", {"offer_ids": [framework.offers[0]["id"]], "filters": {"refuse_seconds": 0}})
    framework.world.sim.advance(5.0)

    assert ["allocation_info" in offer for offer in framework.offers] == [False, True]


def test_an_offer_names_the_executors_that_are_there() -> None:
    """HT-170: of this framework, so that it can use them again."""
    process = with_process()
    process.subscribe()
    process.world.sim.advance(10.0)

    assert process.framework.offers[-1]["executor_ids"] == [an_id("e1")]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"command": None}, "command"),
        ({"executor": {"executor_id": an_id("e"), "type": "DEFAULT"}, "command": None}, "default executor"),
        ({"container": {"type": "DOCKER", "docker": {"image": "x"}}}, "Docker"),
        ({"resources": [scalar("cpus", 100)]}, "cpus"),
        ({"resources": [{**scalar("cpus", 1), "role": "other"}]}, "reservations"),
        ({"health_check": {"type": "TCP", "tcp": {"port": 1}}}, "health checks"),
        ({"task_id": an_id("a/b")}, "a/b"),
        ({"task_id": an_id("..")}, ".."),
    ],
)
def test_a_task_that_cannot_be_fails_alone(framework: Framework, more: dict[str, Any], text: str) -> None:
    """HT-174, HT-374: the call is 202; the task fails with a word that says why, the one beside it runs."""
    offer = framework.offers[0]
    tasks = [{**framework.task("bad", offer), **more}, framework.task("good", offer)]
    launch = {"type": "LAUNCH", "launch": {"task_infos": tasks}}
    assert framework.call("ACCEPT", {"offer_ids": [offer["id"]], "operations": [launch]}).status == 202
    framework.acknowledge_all()

    (refused,) = [status for status in framework.statuses if status["task_id"] != an_id("good")]
    assert refused["state"] in ("TASK_ERROR", "TASK_FAILED")
    assert refused["timestamp"]
    assert text in refused["message"]
    assert "uuid" not in refused
    assert framework.states("good") == ["TASK_STARTING", "TASK_RUNNING"]


@pytest.mark.parametrize(
    "more",
    [
        {"resources": [scalar("cpus", -1)]},
        {"resources": [{**scalar("cpus", 0), "scalar": {"value": "Infinity"}}]},
        {"resources": [{"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 5, "end": 1}]}}]},
        {"kill_policy": {"grace_period": {"nanoseconds": -1}}},
        {"command": {"value": "x", "environment": {"variables": [{"name": "A"}]}}},
        {"command": {"value": "x\0"}},
        {"command": {"value": "x", "shell": False, "arguments": ["x\0"]}},
    ],
    ids=[
        "negative",
        "infinite",
        "range that ends early",
        "negative grace",
        "no value",
        "NUL",
        "NUL in its name",
    ],
)
def test_a_task_that_is_wrong_is_an_error(framework: Framework, more: dict[str, Any]) -> None:
    """OF-73, OF-75, OF-79: it would be wrong anywhere; what is right and not to be had here is TASK_FAILED."""
    framework.launch("bad", **more)

    (refused,) = framework.statuses
    assert (refused["state"], refused["reason"]) == ("TASK_ERROR", "REASON_TASK_INVALID")


@pytest.mark.parametrize(
    "more", [{"container": {"type": "MESOS"}}, {"container": {"type": "MESOS", "network_infos": {}}}]
)
def test_a_container_that_asks_for_nothing_is_none(framework: Framework, more: dict[str, Any]) -> None:
    """HT-174: frameworks send it all the same."""
    framework.launch("t1", **more)

    assert framework.states("t1") == ["TASK_STARTING"]


def test_a_command_task_says_how_it_goes(framework: Framework) -> None:
    """HT-180, HT-177: its executor's id is its own."""
    framework.launch("t1")
    framework.acknowledge_all()

    assert framework.states("t1") == ["TASK_STARTING", "TASK_RUNNING"]
    for status in framework.statuses:
        assert status["executor_id"] == an_id("t1")
        assert status["source"] == "SOURCE_EXECUTOR"
        assert status["timestamp"] > 1.4e9


def test_what_an_executor_says_arrives_as_it_was_said() -> None:
    """HT-177, HT-178, HT-46: with what it left out filled in."""
    process = with_process()
    process.subscribe()
    said = {
        "message": "häh\n",
        "data": "AP8=",
        "labels": {"labels": [{"key": "k", "value": "v"}, {"key": "k"}]},
        "healthy": False,
        "check_status": {"type": "COMMAND", "command": {"exit_code": 3}},
    }
    process.update("t1", **said)
    (status,) = process.framework.statuses

    assert {**status, **said} == status
    assert status["agent_id"] == process.framework.offers[0]["agent_id"]
    assert status["executor_id"] == an_id("e1")
    assert status["timestamp"] > 1.4e9
    assert status["container_status"]["container_id"]["value"]


def test_operators_are_not_shown_what_is_in_an_update() -> None:
    """HT-179: neither by the state nor by an event is `data` told."""
    process = with_process()
    process.subscribe()
    stream = process.world.operate("SUBSCRIBE")
    process.update("t1", data=base64_of("secret"), message="shown")

    shown = json.dumps([process.world.read("GET_TASKS"), stream.records])
    assert "shown" in shown
    assert base64_of("secret") not in shown


def test_a_custom_executor_is_named_with_a_command(framework: Framework) -> None:
    """HT-176: framework_id is filled in; labels and data stay as they are (HT-192)."""
    info = {**EXECUTOR_INFO, "name": "n", "data": "AP8=", "labels": {"labels": [{"key": "k"}]}}
    framework.launch("t1", executor=info)
    (known,) = framework.world.read("GET_EXECUTORS")["executors"]

    assert known["executor_info"] == {**info, "framework_id": framework.id}


# --- going and coming back -----------------------------------------------------------------------------


def test_the_end_of_the_stream_is_the_disconnection() -> None:
    """HT-181, HT-185: offers are withdrawn, calls are 403, tasks go on, and what they say waits."""
    framework = World(settings=Settings(status_update_retry_s=1e5)).offered(**FOREVER)
    world = framework.world
    framework.launch("t1")
    world.sim.advance(10.0)
    assert world.read("GET_FRAMEWORKS")["frameworks"][0]["offers"]
    framework.hang_up()

    assert framework.call("REVIVE").status == 403
    (known,) = world.read("GET_FRAMEWORKS")["frameworks"]
    assert (known["active"], known["connected"], known["offers"]) == (False, False, [])
    told = len(framework.stream.records)
    world.sim.advance(300.0)
    assert len(framework.stream.records) == told

    again = framework.again(**FOREVER)
    world.sim.advance(2.0)
    assert again.states("t1") == ["TASK_STARTING"]
    assert again.offers  # HT-186
    assert [task["task_id"] for task in world.read("GET_TASKS")["tasks"]] == [an_id("t1")]


def test_a_framework_that_does_not_come_back_in_time_is_removed() -> None:
    """HT-181, HT-183: after its timeout, at once if it has stated none; its tasks are killed."""
    for timeout_s in (0, 30):
        framework = World().offered(failover_timeout=timeout_s)
        framework.launch("t1")
        framework.hang_up()
        framework.world.sim.advance(max(0.0, timeout_s - 1.0))
        assert bool(framework.world.read("GET_FRAMEWORKS")["frameworks"]) == (timeout_s > 0)
        framework.world.sim.advance(10.0)
        assert framework.world.read("GET_FRAMEWORKS")["frameworks"] == []
        assert framework.world.read("GET_TASKS")["tasks"] == []


def test_only_the_stream_counts(framework: Framework) -> None:
    """HT-187: each call has come on a connection of its own, which has gone (HT-2); the stream is as it was."""
    for _ in range(20):
        framework.world.cluster.client.hang_up(framework.call("REVIVE"))
    framework.world.sim.advance(30.0)

    assert not framework.stream.ended
    assert framework.world.read("GET_FRAMEWORKS")["frameworks"][0]["connected"] is True
