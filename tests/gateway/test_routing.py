"""From a path to what serves it, and what every answer has in common (docs/spec/http.md sections 1 and 2)."""

from __future__ import annotations

import json

import pytest

from tests.gateway.calling import FRAMEWORK, JSON, OPERATOR, SCHEDULER, World, an_id


@pytest.fixture(scope="module")
def world() -> World:
    return World()


HEALTH = json.dumps({"type": "GET_HEALTH"}).encode()


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/operator", "/api/v1/state", "/api/v1/", "/master/api/v1"])
def test_the_longest_name_that_a_path_begins_with_serves_it(world: World, path: str) -> None:
    """By whole components (HT-10): operators' clients post to `api/v1/operator`; the process may be named (HT-12)."""
    answer = world.post(path, HEALTH)

    assert (answer.status, answer.json["type"]) == (200, "GET_HEALTH")


@pytest.mark.parametrize("path", ["/api/v1/scheduler/x", "/master/api/v1/scheduler", "/api/v1/scheduler//"])
def test_the_scheduler_api_is_longer_than_the_operators(world: World, path: str) -> None:
    """HT-10: what is no call of a scheduler is refused there, and not carried out as an operator's."""
    assert world.post(path, HEALTH).status == 400


@pytest.mark.parametrize("path", ["/nothing", "/stat", "/stateful", "/api", "/api/v2", "/slave(1)/state", "/master/x"])
def test_what_nothing_serves_is_not_found(world: World, path: str) -> None:
    """HT-10, HT-80: a component counts whole, or not at all."""
    answer = world.get(path)

    assert answer.status == 404
    assert path.encode() in answer.body


@pytest.mark.parametrize("path", ["/state/", "/state///", "/state?_ts=123", "/state/?x=1&x=2&=&%", "/state/anything"])
def test_slashes_at_the_end_and_unknown_parameters_mean_nothing(world: World, path: str) -> None:
    """HT-11, HT-10."""
    assert world.get(path).json == world.get("/state").json


@pytest.mark.parametrize("name", ["state", "state-summary", "slaves", "frameworks", "tasks", "roles"])
def test_a_suffix_json_is_as_if_it_were_not_there(world: World, name: str) -> None:
    """HT-13, HT-12: as old command-line tools ask."""
    assert world.get(f"/master/{name}.json").json == world.get(f"/{name}").json


@pytest.mark.parametrize(
    "path", ["/slave(1)/state", "/slave%281%29/state", "/state", "/state.json", "/slave(1)/health"]
)
def test_an_agent_may_be_named_as_mesos_calls_it(world: World, path: str) -> None:
    """HT-12: with its parentheses as they are, or percent-encoded."""
    assert world.get(path, to=world.agent()).status == 200
    assert world.get("/master/state", to=world.agent()).status == 404


def test_what_belongs_to_no_process_stands_without_its_name(world: World) -> None:
    """HT-12: `version`, `metrics/snapshot` and `files`."""
    for machine in (world.leader, world.agent()):
        assert world.get("/version", to=machine).status == 200
        assert world.get("/metrics/snapshot", to=machine).status == 200
        assert world.get("/files/browse?path=/nowhere", to=machine).status == 404


@pytest.mark.parametrize("path", ["/state", "/version", "/flags", "/tasks", "/metrics/snapshot", "/"])
def test_head_is_served_as_get_is(world: World, path: str) -> None:
    """HT-14: monitoring tools send it; that no body goes out is the server's business."""
    head, get = world.send("HEAD", path), world.get(path)

    assert (head.status, head.headers) == (get.status, get.headers)


@pytest.mark.parametrize("path", ["/state", "/version", "/flags", "/metrics/snapshot", "/maintenance/status"])
def test_old_browsers_get_json_as_the_argument_of_a_function(world: World, path: str) -> None:
    """HT-15: and only of what can be a function's name."""
    answer = world.get(f"{path}?jsonp=jQuery1.on$_done")

    assert answer.headers["content-type"] == "text/javascript"
    assert answer.body == b"jQuery1.on$_done(" + world.get(path).body + b");"
    assert world.get(f"{path}?jsonp=alert(1)//").status == 400


@pytest.mark.parametrize("path", ["/containers", "/monitor/statistics", "/state", "/flags"])
def test_an_agents_json_may_be_the_argument_of_a_function_too(world: World, path: str) -> None:
    """HT-15: also where what it says has to be measured first."""
    assert world.get(f"{path}?jsonp=f", to=world.agent()).body.startswith(b"f(")
    assert world.get(f"{path}?jsonp=", to=world.agent()).status == 400


@pytest.mark.parametrize("path", [OPERATOR, SCHEDULER])
def test_a_call_must_say_that_it_is_json(world: World, path: str) -> None:
    """HT-20: without a Content-Type 400; HT-21: with another 415, which names what is understood."""
    without = world.send("POST", path, HEALTH)
    other = world.send("POST", path, HEALTH, {"Content-Type": "text/xml"})

    assert (without.status, other.status) == (400, 415)
    assert b"application/json" in without.body
    assert b"application/json" in other.body


@pytest.mark.parametrize("stated", ["application/json", "Application/JSON; charset=utf-8", " application/json "])
def test_json_is_taken_however_it_is_spelt(world: World, stated: str) -> None:
    """HT-19, HT-22, and the header's name in any case (HT-5)."""
    assert world.send("POST", OPERATOR, HEALTH, {"content-TYPE": stated}).status == 200


def test_an_agent_takes_json_too() -> None:
    """HT-19: on `api/v1` and `api/v1/executor`; HT-20 and HT-21 hold there as well."""
    world = World()
    call = {"type": "HEARTBEAT", "framework_id": an_id("f"), "executor_id": an_id("e")}

    for path, body in (("/api/v1", HEALTH), ("/api/v1/executor", json.dumps(call).encode())):
        assert world.send("POST", path, body, JSON, to=world.agent()).status in (200, 202)
        assert world.send("POST", path, body, to=world.agent()).status == 400
        assert world.send("POST", path, body, {"Content-Type": "text/xml"}, to=world.agent()).status == 415


def test_protobuf_is_refused_with_a_word_that_says_what_is_spoken(world: World) -> None:
    """HT-23, HT-24."""
    sent = world.send("POST", OPERATOR, b"\x08\x01", {"Content-Type": "application/x-protobuf"})
    wanted = world.post(OPERATOR, HEALTH, headers={"Accept": "application/x-protobuf"})

    assert (sent.status, wanted.status) == (415, 406)
    for answer in (sent, wanted):
        assert b"application/x-protobuf is not spoken here" in answer.body
        assert b"application/json" in answer.body


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/*",
        "*/*",
        "text/html, */*;q=0.1",
        "application/x-protobuf, application/json;q=0.1",
    ],
)
def test_who_can_read_json_gets_it(world: World, accept: str) -> None:
    """HT-25: whatever the order or the quality; HT-26: and its type is exactly application/json."""
    answer = world.post(OPERATOR, HEALTH, headers={"Accept": accept})

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert world.post(OPERATOR, HEALTH).status == 200  # without an Accept everything is accepted


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=0.0, text/*", "json"])
def test_who_cannot_read_json_is_told(world: World, accept: str) -> None:
    """HT-25, HT-82: 406; an entry with q=0 is none."""
    answer = world.post(OPERATOR, HEALTH, headers={"Accept": accept})

    assert answer.status == 406
    assert b"application/json" in answer.body


def test_an_error_is_text(world: World) -> None:
    """HT-27."""
    assert world.get("/nothing").headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/maintenance/schedule", "/machine/down", "/machine/up", "/teardown"])
def test_old_endpoints_do_not_look_at_the_type(world: World, path: str) -> None:
    """HT-28: what is wrong with an empty body is that it is empty."""
    assert world.send("POST", path, b"", {"Content-Type": "text/xml"}).status == 400
    assert world.send("POST", path, b"").status == 400


def test_old_endpoints_are_served_whatever_type_is_stated(world: World) -> None:
    """HT-28."""
    assert world.send("POST", "/maintenance/schedule", b'{"windows": []}', {"Content-Type": "text/xml"}).status == 200


@pytest.mark.parametrize(
    "body", [b"", b" ", b"[]", b"1", b"{} {}", b'{"type": "GET_HEALTH"}x', b"\xff{}", b'{"a":', b"null"]
)
def test_a_body_is_one_object(world: World, body: bytes) -> None:
    """HT-39: and all else is 400, with a word that says what came."""
    for path in (OPERATOR, SCHEDULER):
        answer = world.post(path, body)
        assert answer.status == 400
        assert answer.body


@pytest.mark.parametrize("body", [b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 100_000, b'{"type": NaN}', b"9" * 6000])
def test_what_would_break_a_reader_is_refused(world: World, body: bytes) -> None:
    """HT-40: nesting, NaN and numbers without end."""
    assert world.post(OPERATOR, body).status == 400


def test_of_a_key_that_comes_twice_the_last_counts(world: World) -> None:
    """HT-40."""
    assert world.post(OPERATOR, b'{"type": "GET_STATE", "type": "GET_HEALTH"}').json["type"] == "GET_HEALTH"


def test_an_error_names_every_field_that_is_missing_by_its_path(world: World) -> None:
    """HT-38, HT-42."""
    task = {"task_id": {}, "resources": [{"name": "cpus"}]}
    accept = {"operations": [{"type": "LAUNCH", "launch": {"task_infos": [{}, task]}}]}
    answer = world.post(SCHEDULER, {"type": "ACCEPT", "framework_id": an_id("f"), "accept": accept})

    assert answer.status == 400
    infos = "accept.operations[0].launch.task_infos"
    for path in (f"{infos}[0].name", f"{infos}[1].task_id.value", f"{infos}[1].resources[0].type"):
        assert path.encode() in answer.body


def test_an_error_says_what_came_and_what_was_expected(world: World) -> None:
    """HT-34, HT-42, HT-90."""
    info = {**FRAMEWORK, "checkpoint": 1}
    answer = world.post(SCHEDULER, {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}})

    assert answer.status == 400
    assert answer.body == b"subscribe.framework_info.checkpoint: the number 1 came, true or false was expected"


def test_what_came_sloppily_is_understood_and_shown_as_it_was_understood() -> None:
    """HT-29 to HT-33 on the way in, HT-45 on the way out: others read this framework, too."""
    world = World()
    framework = world.offered(checkpoint="true", failover_timeout="1.5", labels={"labels": {"key": "k"}}, junk=[1])
    resources = [{"name": "cpus", "type": "SCALAR", "scalar": {"value": "0.5"}, "junk": 1}, None]
    framework.launch("t1", resources=resources, container=None, slave_id=an_id("x"))

    info = world.read("GET_FRAMEWORKS")["frameworks"][0]["framework_info"]
    assert (info["checkpoint"], info["failover_timeout"]) == (True, 1.5)
    assert info["labels"] == {"labels": [{"key": "k"}]}
    assert "junk" not in info
    assert world.read("GET_TASKS")["tasks"][0]["resources"][0]["scalar"] == {"value": 0.5}
    assert "slave" not in json.dumps(world.read("GET_TASKS"))
