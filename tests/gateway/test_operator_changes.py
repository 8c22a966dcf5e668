"""What an operator changes over HTTP, and what he is refused (docs/spec/http.md section 9.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.calling import World, an_id, scalar

START = 1_400_000_000 + 3600
"""An hour after the simulation's beginning, in seconds since 1970."""


@pytest.fixture
def world() -> World:
    return World(agents=2)


def agent_id(world: World, number: int = 1) -> dict[str, str]:
    return an_id(str(world.agent(number).id))


def machine(world: World, number: int = 1) -> dict[str, str]:
    host = world.agent(number).url.removeprefix("http://").partition(":")[0]
    return {"hostname": host, "ip": host}


def window(*machines: Any, start_s: int = START, **more: Any) -> dict[str, Any]:
    return {"machine_ids": list(machines), "unavailability": {"start": {"nanoseconds": start_s * 10**9}, **more}}


def schedule(world: World, *windows: Any) -> int | None:
    """Post that schedule; gives the status."""
    return world.operate("UPDATE_MAINTENANCE_SCHEDULE", {"schedule": {"windows": list(windows)}}).status


def agent(world: World, number: int = 1) -> Any:
    """An agent as the leader sees it."""
    found = world.read("GET_AGENTS")["agents"]
    return next(one for one in found if one["agent_info"]["id"] == agent_id(world, number))


# --- agents --------------------------------------------------------------------------------------------


def test_an_agent_is_drained(world: World) -> None:
    """HT-276, HT-275, HT-289: 200 when it is recorded; what is asked in seconds is shown in nanoseconds."""
    framework = world.offered(capabilities=[{"type": "PARTITION_AWARE"}])
    one = next(offer for offer in framework.offers if offer["agent_id"] == agent_id(world))
    framework.launch("t1", one)
    framework.acknowledge_all()
    grace = {"seconds": 2, "nanos": 500_000_000}
    answer = world.operate("DRAIN_AGENT", {"agent_id": agent_id(world), "max_grace_period": grace})

    assert (answer.status, answer.body) == (200, b"")
    info = agent(world)["drain_info"]
    assert info == {
        "state": "DRAINING",
        "config": {"max_grace_period": {"nanoseconds": 2_500_000_000}, "mark_gone": False},
    }
    assert agent(world)["estimated_drain_start_time"]["nanoseconds"] > 1.4e18
    framework.acknowledge_all()
    assert framework.states("t1")[-1] == "TASK_KILLED"
    assert agent(world)["drain_info"]["state"] == "DRAINED"  # HT-300: there is no event of it
    assert agent(world)["deactivated"] is True


def test_a_drain_may_end_with_the_agents_end(world: World) -> None:
    """HT-276: with `mark_gone`."""
    gone = agent_id(world)
    world.operate("DRAIN_AGENT", {"agent_id": gone, "mark_gone": "true"})
    world.sim.advance(5.0)

    assert [one["agent_info"]["id"] for one in world.read("GET_AGENTS")["agents"]] == [agent_id(world, 2)]


def test_who_is_not_there_cannot_be_drained(world: World) -> None:
    """HT-276: nor who is in the maintenance schedule; 400, and nothing changes (HT-290)."""
    assert world.operate("DRAIN_AGENT", {"agent_id": an_id("m1-S9")}).status == 400
    assert schedule(world, window(machine(world))) == 200
    assert world.operate("DRAIN_AGENT", {"agent_id": agent_id(world)}).status == 400
    assert "drain_info" not in agent(world)


def test_what_is_being_marked_gone_is_not_drained(world: World) -> None:
    """HT-276, HT-83: 409, while the registry is written."""
    gone = agent_id(world)
    world.sim.pause(f"{world.leader.name}/registrar")
    world.operate("MARK_AGENT_GONE", {"agent_id": gone})

    assert world.operate("DRAIN_AGENT", {"agent_id": gone}).status == 409
    world.sim.resume(f"{world.leader.name}/registrar")


@pytest.mark.parametrize("wrong", [{"seconds": -1}, "10mins", {"seconds": "x"}, [1]])
def test_a_grace_must_be_a_duration(world: World, wrong: Any) -> None:
    """HT-289, HT-400: the text of Mesos's documentation is refused."""
    assert world.operate("DRAIN_AGENT", {"agent_id": agent_id(world), "max_grace_period": wrong}).status == 400
    assert "drain_info" not in agent(world)


def test_an_agent_is_deactivated_and_reactivated(world: World) -> None:
    """HT-277, HT-278: its offers are rescinded, and come again."""
    framework = world.offered()
    assert world.operate("DEACTIVATE_AGENT", {"agent_id": agent_id(world)}).status == 200
    assert agent(world)["deactivated"] is True
    assert len(framework.stream.of_type("RESCIND")) == 1
    assert world.operate("DEACTIVATE_AGENT", {"agent_id": an_id("m1-S9")}).status == 400

    assert world.operate("REACTIVATE_AGENT", {"agent_id": agent_id(world)}).status == 200
    assert agent(world)["deactivated"] is False
    world.sim.advance(2.0)
    assert framework.offers[-1]["agent_id"] == agent_id(world)


def test_what_is_not_deactivated_is_not_reactivated(world: World) -> None:
    """HT-278: nor what is still draining, nor nobody: 400."""
    framework = world.offered()
    for offer in framework.offers:
        framework.launch(f"on-{offer['agent_id']['value']}", offer)
    framework.acknowledge_all()
    assert world.operate("REACTIVATE_AGENT", {"agent_id": agent_id(world)}).status == 400
    assert world.operate("REACTIVATE_AGENT", {"agent_id": an_id("m1-S9")}).status == 400

    world.operate("DRAIN_AGENT", {"agent_id": agent_id(world)})
    assert agent(world)["drain_info"]["state"] == "DRAINING"
    assert world.operate("REACTIVATE_AGENT", {"agent_id": agent_id(world)}).status == 400


def test_an_agent_is_marked_gone_once_and_for_all(world: World) -> None:
    """HT-279, HT-401: 200, and again 200; 404 if nobody knows it."""
    gone = agent_id(world)

    assert world.operate("MARK_AGENT_GONE", {"agent_id": gone}).status == 200
    world.sim.advance(1.0)
    assert world.operate("MARK_AGENT_GONE", {"agent_id": gone}).status == 200
    assert world.operate("MARK_AGENT_GONE", {"agent_id": an_id("m1-S9")}).status == 404
    assert len(world.read("GET_AGENTS")["agents"]) == 1


# --- maintenance ---------------------------------------------------------------------------------------


def test_times_come_back_to_the_nanosecond(world: World) -> None:
    """HT-280, HT-44: clients compare what they read with what they posted; frameworks are asked for the same time."""
    framework = world.offered()
    framework.launch("t1")
    unavailability = {"start": {"nanoseconds": 1_895_988_843_000_000_001}, "duration": {"nanoseconds": 123_456_789_012}}
    posted = {"machine_ids": [machine(world)], "unavailability": unavailability}
    assert schedule(world, posted) == 200
    framework.acknowledge_all()

    assert world.read("GET_MAINTENANCE_SCHEDULE")["schedule"]["windows"] == [posted]
    assert world.get("/maintenance/schedule").json["windows"] == [posted]
    (asked,) = framework.stream.of_type("INVERSE_OFFERS")[0]["inverse_offers"]
    assert asked["unavailability"] == unavailability


def test_maintenance_is_planned_begun_and_ended(world: World) -> None:
    """HT-280, HT-281, HT-282, HT-269, HT-270, HT-399: each step 200; each out of turn 400."""
    one = machine(world)
    assert world.operate("START_MAINTENANCE", {"machines": [one]}).status == 400
    assert schedule(world, window(one, duration={"nanoseconds": 10**12})) == 200
    assert world.read("GET_MAINTENANCE_SCHEDULE")["schedule"]["windows"] == [
        window(one, duration={"nanoseconds": 10**12})
    ]
    status = world.read("GET_MAINTENANCE_STATUS")["status"]
    assert [draining["id"] for draining in status["draining_machines"]] == [one]

    assert world.operate("STOP_MAINTENANCE", {"machines": [one]}).status == 400
    assert world.operate("START_MAINTENANCE", {"machines": [one]}).status == 200
    world.sim.advance(1.0)
    assert world.read("GET_MAINTENANCE_STATUS")["status"]["down_machines"] == [one]
    assert len(world.read("GET_AGENTS")["agents"]) == 1
    assert world.operate("START_MAINTENANCE", {"machines": [one]}).status == 400
    assert schedule(world) == 400  # a machine that is down stays in the schedule

    assert world.operate("STOP_MAINTENANCE", {"machines": [one]}).status == 200
    assert world.read("GET_MAINTENANCE_STATUS")["status"].get("down_machines", []) == []
    assert world.operate("STOP_MAINTENANCE", {"machines": [one]}).status == 400


@pytest.mark.parametrize(
    "windows",
    [
        [window()],
        [window({"hostname": "a"}, {"hostname": "a"})],
        [window({"hostname": "a"}), window({"hostname": "A"})],
        [window({})],
        [window({"hostname": "", "ip": ""})],
        [window({"ip": "999.0.0.1"})],
        [window({"hostname": "a"}, duration={"nanoseconds": -1})],
        [{"machine_ids": [{"hostname": "a"}]}],
        [{"machine_ids": [{"hostname": "a"}], "unavailability": {}}],
    ],
)
def test_a_schedule_that_cannot_be_is_refused(world: World, windows: list[Any]) -> None:
    """HT-280: 400, and what was planned stays (HT-290)."""
    schedule(world, window({"hostname": "kept"}))

    assert schedule(world, *windows) == 400
    assert world.read("GET_MAINTENANCE_SCHEDULE")["schedule"]["windows"] == [window({"hostname": "kept"})]


@pytest.mark.parametrize("kind", ["START_MAINTENANCE", "STOP_MAINTENANCE"])
@pytest.mark.parametrize("machines", [[], [{"hostname": "x"}], [{}]])
def test_machines_that_are_not_planned_for_stay_as_they_are(world: World, kind: str, machines: list[Any]) -> None:
    """HT-281, HT-282: 400."""
    assert world.operate(kind, {"machines": machines}).status == 400
    assert len(world.read("GET_AGENTS")["agents"]) == 2


def test_a_machine_is_not_named_twice(world: World) -> None:
    """HT-281: 400."""
    schedule(world, window(machine(world)))

    assert world.operate("START_MAINTENANCE", {"machines": [machine(world)] * 2}).status == 400


def test_a_machine_may_have_no_agent_and_only_one_name(world: World) -> None:
    """HT-291."""
    assert schedule(world, window({"hostname": "somewhere"}, {"ip": "10.9.8.7"})) == 200
    assert world.operate("START_MAINTENANCE", {"machines": [{"hostname": "SOMEWHERE"}]}).status == 200
    assert len(world.read("GET_AGENTS")["agents"]) == 2


# --- the rest ------------------------------------------------------------------------------------------


def test_a_framework_is_torn_down(world: World) -> None:
    """HT-283: 200; 400 if nobody knows it."""
    framework = world.offered()
    framework.launch("t1")

    assert world.operate("TEARDOWN", {"framework_id": an_id("nobody")}).status == 400
    assert world.operate("TEARDOWN", {"framework_id": framework.id}).status == 200
    assert framework.stream.ended
    assert world.read("GET_FRAMEWORKS")["frameworks"] == []


def test_resources_are_asked_back(world: World) -> None:
    """HT-292: with a deadline that is enforced, as its inverse offer says (HT-158)."""
    framework = world.offered()
    framework.launch("t1", framework.offers[0])
    framework.acknowledge_all()
    body = {"agent_id": framework.offers[0]["agent_id"], "within": {"seconds": 30}}

    assert world.operate("X_MESOLITE_RECLAIM", {**body, "resources": [scalar("cpus", 3.9)]}).status == 200
    world.sim.advance(1.0)
    (told,) = framework.stream.of_type("INVERSE_OFFERS")
    assert told["inverse_offers"][0]["x_mesolite_enforced"] is True
    assert world.operate("X_MESOLITE_RECLAIM", {**body, "within": {"seconds": -5}}).status == 400
    assert world.operate("X_MESOLITE_RECLAIM", {**body, "agent_id": an_id("m1-S9")}).status in (400, 404)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("UPDATE_WEIGHTS", {"weight_infos": []}),
        ("UPDATE_QUOTA", {"quota_configs": []}),
        ("SET_QUOTA", {"quota_request": {}}),
        ("REMOVE_QUOTA", {"role": "r"}),
        ("RESERVE_RESOURCES", {"agent_id": an_id("a"), "resources": []}),
        ("GROW_VOLUME", {"volume": {"name": "disk", "type": "SCALAR"}, "addition": {"name": "disk", "type": "SCALAR"}}),
    ],
)
def test_what_there_is_not_is_said_to_be_not(world: World, kind: str, body: Any) -> None:
    """HT-288, HT-284, HT-285: 501, with a text that says what does not exist here."""
    answer = world.operate(kind, body)

    assert answer.status == 501
    assert b"there are no such things here" in answer.body


def test_a_change_outlives_the_master_that_made_it() -> None:
    """HT-290: what was answered with 200 the next leader knows."""
    world = World(agents=3, masters=2)
    former = world.leader
    first, second = agent_id(world), machine(world, 2)
    assert world.operate("DEACTIVATE_AGENT", {"agent_id": first}).status == 200
    assert schedule(world, window(second)) == 200
    former.crash()
    world.sim.advance(60.0)

    assert world.leader is not former
    assert agent(world)["deactivated"] is True
    assert world.read("GET_MAINTENANCE_SCHEDULE")["schedule"]["windows"] == [window(second)]


def test_a_call_needs_its_body(world: World) -> None:
    """HT-252, HT-77: 400 for each that has one, but for those that only read."""
    for kind in ("DRAIN_AGENT", "TEARDOWN", "UPDATE_MAINTENANCE_SCHEDULE", "GET_METRICS", "READ_FILE"):
        answer = world.operate(kind)
        assert (kind, answer.status) == (kind, 400)
        assert kind.lower().encode() in answer.body


def test_a_level_of_logging_is_taken(world: World) -> None:
    """HT-258, HT-398: 200 and nothing; what is logged, the program that holds the cluster decides."""
    answer = world.operate("SET_LOGGING_LEVEL", {"level": 1, "duration": {"nanoseconds": 1}})

    assert (answer.status, answer.body) == (200, b"")
    assert world.read("GET_LOGGING_LEVEL") == {"level": 0}


def test_masters_have_no_files(world: World) -> None:
    """HT-271, HT-272: so nothing is found; a bad path is 400."""
    assert world.operate("LIST_FILES", {"path": "/nowhere"}).status == 404
    assert world.operate("READ_FILE", {"path": "/nowhere", "offset": 0}).status == 404
    assert world.operate("LIST_FILES", {"path": ""}).status == 400
