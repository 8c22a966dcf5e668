"""Which status an answer has, and in which order a request is looked at (docs/spec/http.md section 4).

Of a request with many faults, what is wrong is said in Mesos's order: each test takes one fault after the other away.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesolite.http import Http
from tests.gateway.calling import (
    EXECUTOR,
    FRAMEWORK,
    JSON,
    OPERATOR,
    SCHEDULER,
    UUID,
    World,
    an_id,
    basic,
    with_process,
)

GUARDED = Http(credentials={"ann": "secret", "bob": "secret"})
ANN, BOB = basic("ann", "secret"), basic("bob", "secret")
PROTOBUF = {"Accept": "application/x-protobuf"}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def json_of(call: Any) -> bytes:
    return json.dumps(call).encode()


SUBSCRIBE = json_of({"type": "SUBSCRIBE", "subscribe": {"framework_info": FRAMEWORK}})


def test_a_subscription_is_looked_at_in_this_order() -> None:
    """HT-69: who, whether this one leads, method, type, JSON, rules, Accept, stream id; HT-124 is the last of them."""
    world = World(masters=2, http=GUARDED)
    unreadable = {**ANN, **PROTOBUF, "Mesos-Stream-Id": "x"}
    not_equal = json_of({"type": "SUBSCRIBE", "framework_id": an_id("f"), "subscribe": {"framework_info": FRAMEWORK}})
    steps = [
        (world.standby, "GET", b"{", {**PROTOBUF, "Mesos-Stream-Id": "x"}, 401),
        (world.standby, "GET", b"{", unreadable, 307),
        (world.leader, "GET", b"{", unreadable, 405),
        (world.leader, "POST", b"{", unreadable, 400),
        (world.leader, "POST", b"{", {**unreadable, "Content-Type": "text/xml"}, 415),
        (world.leader, "POST", b"{", {**unreadable, **JSON}, 400),
        (world.leader, "POST", not_equal, {**unreadable, **JSON}, 400),
        (world.leader, "POST", SUBSCRIBE, {**unreadable, **JSON}, 406),
        (world.leader, "POST", SUBSCRIBE, {**ANN, **JSON, "Mesos-Stream-Id": "x"}, 400),
        (world.leader, "POST", SUBSCRIBE, {**ANN, **JSON}, 200),
    ]

    for to, method, body, headers, status in steps:
        assert world.send(method, SCHEDULER, body, headers, to=to).status == status


def test_a_call_is_looked_at_in_this_order() -> None:
    """HT-69: framework known, principal, connected, subscribed over HTTP, stream id present and right, then 202."""
    world = World(http=GUARDED)
    framework = world.subscribe(headers=ANN)
    revive = json_of({"type": "REVIVE", "framework_id": framework.id})
    right = {"Mesos-Stream-Id": framework.stream_id}
    steps = [
        (json_of({"type": "REVIVE", "framework_id": an_id("m1-F99")}), BOB, 400, b"there is no framework"),
        (revive, BOB, 400, b"is not the principal"),
        (revive, ANN, 400, b"has no Mesos-Stream-Id"),
        (revive, {**ANN, "Mesos-Stream-Id": "wrong"}, 400, b"present subscription"),
        (revive, {**ANN, **right}, 202, b""),
    ]

    for body, headers, status, text in steps:
        answer = world.send("POST", SCHEDULER, body, {**JSON, **headers})
        assert (answer.status, text in answer.body) == (status, True)


def test_who_is_not_connected_is_told_so_before_its_stream_is_looked_at() -> None:
    """HT-69, HT-79: 403; but to another principal 400, and no framework at all is 400, too (HT-135, HT-394)."""
    world = World(http=GUARDED)
    framework = world.subscribe(headers=ANN, failover_timeout=600)
    framework.hang_up()
    revive = json_of({"type": "REVIVE", "framework_id": framework.id})

    assert world.send("POST", SCHEDULER, revive, {**JSON, **BOB}).status == 400
    assert world.send("POST", SCHEDULER, revive, {**JSON, **ANN}).status == 403
    assert world.send("POST", SCHEDULER, revive, {**JSON, **ANN, "Mesos-Stream-Id": framework.stream_id}).status == 403


def test_an_operators_call_is_looked_at_in_this_order() -> None:
    """HT-70: who, whether this one leads, method, type, JSON, rules, Accept for every call, and then the call."""
    world = World(masters=2, http=GUARDED)
    unreadable = {**ANN, **PROTOBUF}
    gone = json_of({"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": an_id("nobody")}})
    steps = [
        (world.standby, "PUT", b"{", PROTOBUF, 401),
        (world.standby, "PUT", b"{", unreadable, 307),
        (world.leader, "PUT", b"{", unreadable, 405),
        (world.leader, "POST", b"{", unreadable, 400),
        (world.leader, "POST", b"{", {**unreadable, "Content-Type": "text/xml"}, 415),
        (world.leader, "POST", b"{", {**unreadable, **JSON}, 400),
        (world.leader, "POST", b'{"type": "MARK_AGENT_GONE"}', {**unreadable, **JSON}, 400),
        (world.leader, "POST", gone, {**unreadable, **JSON}, 406),
        (world.leader, "POST", gone, {**ANN, **JSON}, 404),
    ]

    for to, method, body, headers, status in steps:
        assert world.send(method, OPERATOR, body, headers, to=to).status == status


def test_an_operators_call_to_an_agent_is_looked_at_in_this_order() -> None:
    """HT-71: method, Content-Type, Message-Content-Type, Accept, Message-Accept, JSON, rules."""
    world = World()
    xml, typed, wants = {"Content-Type": "text/xml"}, {"Message-Content-Type": "x"}, {"Message-Accept": "x"}
    steps = [
        ("GET", b"{", {**typed, **PROTOBUF, **wants}, 405),
        ("POST", b"{", {**typed, **PROTOBUF, **wants}, 400),
        ("POST", b"{", {**xml, **typed, **PROTOBUF, **wants}, 415),
        ("POST", b"{", {**JSON, **typed, **PROTOBUF, **wants}, 415),
        ("POST", b"{", {**JSON, **PROTOBUF, **wants}, 406),
        ("POST", b"{", {**JSON, **wants}, 406),
        ("POST", b"{", JSON, 400),
        ("POST", b'{"type": "READ_FILE"}', JSON, 400),
        ("POST", b'{"type": "GET_HEALTH"}', JSON, 200),
    ]

    for method, body, headers, status in steps:
        assert world.send(method, OPERATOR, body, headers, to=world.agent()).status == status


def test_an_executors_call_is_looked_at_in_this_order() -> None:
    """HT-72: method, type, JSON, rules, Accept for SUBSCRIBE, framework, executor, subscribed, then 202 (HT-194)."""
    process = with_process()
    world, ids = process.world, {"framework_id": process.framework.id, "executor_id": an_id("e1")}
    message = {"type": "MESSAGE", "message": {"data": ""}}
    steps = [
        ("GET", b"{", {}, 405),
        ("POST", b"{", {}, 400),
        ("POST", b"{", {"Content-Type": "text/xml"}, 415),
        ("POST", b"{", JSON, 400),
        ("POST", json_of({**ids, "type": "MESSAGE"}), JSON, 400),
        ("POST", json_of({**ids, "type": "SUBSCRIBE", "framework_id": an_id("f")}), {**JSON, **PROTOBUF}, 406),
        ("POST", json_of({**ids, **message, "framework_id": an_id("f")}), JSON, 400),
        ("POST", json_of({**ids, **message, "executor_id": an_id("e")}), JSON, 400),
        ("POST", json_of({**ids, **message}), JSON, 403),
        ("POST", json_of({**ids, "type": "SUBSCRIBE", "subscribe": {}}), JSON, 200),
        ("POST", json_of({**ids, **message}), JSON, 202),
        ("POST", json_of({**ids, **message}), {**JSON, **PROTOBUF}, 202),
    ]

    for method, body, headers, status in steps:
        assert world.send(method, EXECUTOR, body, headers, to=process.agent).status == status


def test_the_order_is_the_same_once_an_executor_has_subscribed() -> None:
    """HT-72: although its agent need not be asked any more."""
    process = with_process()
    process.subscribe()
    world = process.world
    call = json_of({"type": "HEARTBEAT", "framework_id": process.framework.id, "executor_id": an_id("e1")})

    assert world.send("PUT", EXECUTOR, b"{", to=process.agent).status == 405
    assert world.send("POST", EXECUTOR, b"{", to=process.agent).status == 400
    assert world.send("POST", EXECUTOR, b"{", {"Content-Type": "text/xml"}, to=process.agent).status == 415
    assert world.send("POST", EXECUTOR, b"{", JSON, to=process.agent).status == 400
    assert world.send("POST", EXECUTOR, call, JSON, to=process.agent).status == 202


def test_accept_is_looked_at_where_there_is_something_to_say() -> None:
    """HT-73: calls that are answered with nothing are never 406; RECONCILE_OPERATIONS is, for history's sake."""
    framework = World().offered()

    for kind, body in (("REVIVE", None), ("DECLINE", {"offer_ids": []}), ("RECONCILE", {"tasks": []})):
        assert framework.call(kind, body, headers=PROTOBUF).status == 202
    assert framework.call("RECONCILE_OPERATIONS", {"operations": []}, headers=PROTOBUF).status == 406
    assert framework.call("RECONCILE_OPERATIONS", {"operations": []}).status == 202


def test_a_call_that_is_handed_on_is_answered_with_nothing() -> None:
    """HT-75, HT-92: 202, never 200, without a body or a type (HT-6); HT-91: also if what it is about is not there."""
    framework = World().offered()
    nobody = {"agent_id": an_id("m1-S9"), "executor_id": an_id("e")}
    calls: list[tuple[str, Any]] = [
        ("REVIVE", None),
        ("SUPPRESS", {}),
        ("ACCEPT", {"offer_ids": [an_id("m1-O99")], "operations": []}),
        ("DECLINE", {"offer_ids": [an_id("m1-O99")]}),
        ("KILL", {"task_id": an_id("nothing")}),
        ("SHUTDOWN", nobody),
        ("ACKNOWLEDGE", {"agent_id": an_id("m1-S9"), "task_id": an_id("nothing"), "uuid": UUID}),
        ("RECONCILE", {"tasks": [{"task_id": an_id("nothing")}]}),
        ("MESSAGE", {**nobody, "data": "eA=="}),
        ("REQUEST", {"requests": []}),
        ("ACCEPT_INVERSE_OFFERS", {"inverse_offer_ids": [an_id("m1-O99")]}),
        ("DECLINE_INVERSE_OFFERS", {"inverse_offer_ids": [an_id("m1-O99")]}),
        ("ACKNOWLEDGE_OPERATION_STATUS", {"agent_id": an_id("m1-S9"), "uuid": UUID, "operation_id": an_id("o")}),
    ]

    for kind, body in calls:
        answer = framework.call(kind, body)
        assert (kind, answer.status, answer.body, answer.headers) == (kind, 202, b"", {})
    assert not framework.stream.ended


def test_an_executors_calls_are_answered_with_nothing() -> None:
    """HT-75, HT-92."""
    process = with_process()
    process.subscribe()

    for answer in (process.update("t1"), process.call("MESSAGE", {"data": ""}), process.call("HEARTBEAT")):
        assert (answer.status, answer.body, answer.headers) == (202, b"", {})


def test_an_operators_call_says_what_came_of_it(world: World) -> None:
    """HT-74: 200, with JSON if there is a result; HT-93: without one the answer is empty and has no type."""
    read = world.operate("GET_HEALTH")
    changed = world.operate("UPDATE_MAINTENANCE_SCHEDULE", {"schedule": {}})

    assert (read.status, read.headers["content-type"]) == (200, "application/json")
    assert (changed.status, changed.body, changed.headers) == (200, b"", {})


def test_what_is_wrong_is_said_in_english(world: World) -> None:
    """HT-77, HT-90: each of these is 400, with a text."""
    bodies: list[Any] = [
        b"",
        b"{",
        {},
        {"type": "SUBSCRIBE"},
        {"type": "SUBSCRIBE", "subscribe": {}},
        {"type": "REVIVE"},
        {"type": "REVIVE", "framework_id": an_id("nobody")},
    ]

    for body in bodies:
        answer = world.post(SCHEDULER, body)
        assert answer.status == 400
        assert len(answer.body.split()) > 3
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("path", "to_agent"),
    [("/nothing", False), ("/nothing", True), ("/files/read?path=/nowhere&offset=0", True), ("/redirect/x", False)],
)
def test_what_is_not_there_is_not_found(world: World, path: str, to_agent: bool) -> None:
    """HT-80: no such route, no such file."""
    assert world.get(path, to=world.agent() if to_agent else None).status == 404


def test_an_agent_that_nobody_knows_cannot_be_marked_gone(world: World) -> None:
    """HT-80, HT-279."""
    assert world.operate("MARK_AGENT_GONE", {"agent_id": an_id("m1-S99")}).status == 404


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (OPERATOR, "GET", "POST"),
        (SCHEDULER, "PUT", "POST"),
        (OPERATOR, "HEAD", "POST"),
        ("/state", "POST", "GET"),
        ("/flags", "DELETE", "GET"),
        ("/maintenance/schedule", "PUT", "GET, POST"),
        ("/machine/down", "GET", "POST"),
        ("/teardown", "GET", "POST"),
    ],
)
def test_another_method_is_told_which_ones_are_served(world: World, path: str, method: str, allowed: str) -> None:
    """HT-81: in the header Allow, and in the text."""
    answer = world.send(method, path)

    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert allowed.encode() in answer.body


def test_a_stream_of_records_is_not_what_an_ordinary_call_is_sent_as() -> None:
    """HT-84: 415."""
    world = World()
    recordio = {"Content-Type": "application/recordio", "Message-Content-Type": "application/json"}

    for to in (world.leader, world.agent()):
        assert world.send("POST", OPERATOR, b'20\n{"type":"GET_HEALTH"}', recordio, to=to).status == 415


@pytest.mark.parametrize(("path", "more"), [(SCHEDULER, {}), (OPERATOR, {})])
def test_the_type_unknown_cannot_be_carried_out(world: World, path: str, more: Any) -> None:
    """HT-87: 501."""
    assert world.post(path, {"type": "UNKNOWN", **more}).status == 501


def test_the_type_unknown_cannot_be_carried_out_by_an_agent(world: World) -> None:
    """HT-87: 501, of executors and of operators."""
    ids = {"framework_id": an_id("f"), "executor_id": an_id("e")}

    assert world.post(EXECUTOR, {"type": "UNKNOWN", **ids}, to=world.agent()).status == 501
    assert world.operate("UNKNOWN", to=world.agent()).status == 501


@pytest.mark.parametrize("call", [{}, {"type": None}, {"type": "SUBSCRIBE_ALL"}, {"type": "subscribe"}])
def test_a_type_that_is_not_known_is_none(world: World, call: dict[str, Any]) -> None:
    """HT-94: 400, as HT-77 says."""
    ids = {"framework_id": an_id("f"), "executor_id": an_id("e")}

    assert world.post(SCHEDULER, call).status == 400
    assert world.post(OPERATOR, call).status == 400
    assert world.post(OPERATOR, call, to=world.agent()).status == 400
    assert world.post(EXECUTOR, {**ids, **call}, to=world.agent()).status == 400


def test_an_agent_that_is_in_transition_is_not_marked_gone_a_second_time() -> None:
    """HT-88, HT-279: 503, and when to try again; while a registry write about it runs."""
    world = World(agents=2)
    world.sim.pause("master-1/registrar")
    gone = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": an_id(str(world.agent(2).id))}}
    first, second = (world.cluster.client.post(world.leader, OPERATOR, gone) for _ in range(2))
    world.sim.settle()

    assert (first.status, second.status) == (None, 503)
    assert int(second.headers["retry-after"]) > 0
    world.sim.resume("master-1/registrar")
    world.sim.settle()
    assert first.status == 200
