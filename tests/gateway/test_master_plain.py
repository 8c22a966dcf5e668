"""The plain endpoints of a master, as old clients use them (docs/spec/http.md section 11)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.calling import Framework, World


@pytest.fixture
def framework() -> Framework:
    """It runs one task, t1."""
    framework = World(agents=2).offered()
    framework.launch("t1", framework.offers[0])
    framework.acknowledge_all()
    return framework


def test_a_master_is_well(framework: Framework) -> None:
    """HT-328: 200 and nothing, for any method."""
    for method in ("GET", "POST", "HEAD", "PUT"):
        answer = framework.world.send(method, "/health")
        assert (answer.status, answer.body, answer.headers) == (200, b"", {})


@pytest.mark.parametrize("path", ["/state", "/state-summary", "/slaves", "/frameworks", "/tasks", "/roles", "/flags"])
def test_answers_are_json(framework: Framework, path: str) -> None:
    """HT-324: application/json, without charset."""
    answer = framework.world.get(path)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert isinstance(answer.json, dict)


def test_one_agent_or_framework_can_be_chosen(framework: Framework) -> None:
    """HT-334, HT-335: by its id; of one that is not there the list is empty."""
    world = framework.world
    agent_id, framework_id = world.agent(2).id, framework.id["value"]

    assert [one["id"] for one in world.get(f"/slaves?slave_id={agent_id}").json["slaves"]] == [agent_id]
    assert world.get("/slaves?slave_id=x").json["slaves"] == []
    chosen = world.get(f"/frameworks?framework_id={framework_id}").json["frameworks"]
    assert [one["id"] for one in chosen] == [framework_id]
    assert world.get("/frameworks?framework_id=x").json["frameworks"] == []


def test_tasks_can_be_chosen(framework: Framework) -> None:
    """HT-336, HT-369: by id, and so many; what is no number counts as not given."""
    world = framework.world

    assert [task["id"] for task in world.get("/tasks").json["tasks"]] == ["t1"]
    for query, count in (("limit=0", 0), ("limit=x", 1), ("offset=1", 0), ("task_id=t1", 1), ("task_id=x", 0)):
        assert len(world.get(f"/tasks?{query}").json["tasks"]) == count


def test_the_version_is_digits_and_dots(framework: Framework) -> None:
    """HT-327, HT-382: pymesos reads it so."""
    version = framework.world.get("/version").json["version"]

    assert all(part.isdigit() for part in version.split("."))


def test_what_is_counted_is_flat(framework: Framework) -> None:
    """HT-330."""
    counted = framework.world.get("/metrics/snapshot").json

    assert counted["master/tasks_running"] == 1
    assert all(isinstance(value, int | float) for value in counted.values())
    assert "mesos_master_tasks_running 1.0\n" in framework.world.get("/metrics").body.decode()  # HT-331


def machine(world: World) -> dict[str, str]:
    host = world.agent().url.removeprefix("http://").partition(":")[0]
    return {"hostname": host, "ip": host}


def plan(*machines: Any) -> dict[str, Any]:
    unavailability = {"start": {"nanoseconds": 1_400_003_600 * 10**9}}
    return {"windows": [{"machine_ids": list(machines), "unavailability": unavailability}]}


def test_maintenance_is_planned_begun_and_ended_without_an_envelope(framework: Framework) -> None:
    """HT-339, HT-340, HT-341: the same as by the calls of section 9.2, 200 and nothing."""
    world = framework.world
    one = machine(world)
    assert world.get("/maintenance/schedule").json == {}
    answer = world.post("/maintenance/schedule", plan(one))
    assert (answer.status, answer.body) == (200, b"")
    assert world.get("/maintenance/schedule").json == plan(one)
    assert [each["id"] for each in world.get("/maintenance/status").json["draining_machines"]] == [one]

    assert world.post("/machine/down", [one]).status == 200
    assert world.get("/maintenance/status").json == {"down_machines": [one]}
    assert world.post("/machine/up", [one]).status == 200
    assert world.get("/maintenance/status").json == {}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"machines": []}', [], [{}], [{"hostname": "nobody"}], b"[1]"])
def test_machines_come_as_a_list_of_machines(framework: Framework, body: Any) -> None:
    """HT-341, HT-39: all else is 400, as are machines that nothing is planned for."""
    for path in ("/machine/down", "/machine/up"):
        assert framework.world.post(path, body).status == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", {"windows": [{"machine_ids": []}]}, plan({})])
def test_a_schedule_that_cannot_be_is_refused(framework: Framework, body: Any) -> None:
    """HT-339: 400, as by UPDATE_MAINTENANCE_SCHEDULE."""
    assert framework.world.post("/maintenance/schedule", body).status == 400


def test_a_framework_is_torn_down_by_a_form(framework: Framework) -> None:
    """HT-342: 200 and nothing; without an id, or with one that nobody knows, 400."""
    world, form = framework.world, {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"", b"frameworkId=", b"frameworkId=nobody", b"framework_id=m1-F1", b"\xff"):
        assert world.send("POST", "/teardown", body, form).status == 400
    answer = world.send("POST", "/master/teardown", f"frameworkId={framework.id['value']}".encode(), form)

    assert (answer.status, answer.body) == (200, b"")
    assert framework.stream.ended
    assert world.get("/frameworks").json["frameworks"] == []


@pytest.mark.parametrize(
    "path", ["/quota", "/weights", "/reserve", "/unreserve", "/create-volumes", "/destroy-volumes"]
)
def test_what_does_not_exist_here_is_not_found(framework: Framework, path: str) -> None:
    """HT-344."""
    assert framework.world.get(path).status == 404


def test_there_is_something_to_read_at_the_root(framework: Framework) -> None:
    """HT-345: for whoever comes by with a browser."""
    answer = framework.world.get("/")

    assert answer.status == 200
    assert b"/state" in answer.body
