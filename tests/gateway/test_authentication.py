"""Who calls, and what he may do (docs/spec/http.md section 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesolite.http import Http
from mesolite.messages.operator import CallAnswered
from mesolite.messages.scheduler import FrameworkError
from tests.gateway.calling import FRAMEWORK, JSON, OPERATOR, SCHEDULER, World, an_id, base64_of, basic, with_process

SECRETS = {"ann": "secret", "bob": "a:b", "zoë": "ünï"}
ANN, BOB = basic("ann", "secret"), basic("bob", "a:b")
OF_MASTERS = {
    "mesos-master-scheduler": ["/api/v1/scheduler"],
    "mesos-master-readwrite": [
        "/api/v1",
        "/teardown",
        "/maintenance/schedule",
        "/maintenance/status",
        "/machine/down",
        "/machine/up",
    ],
    "mesos-master-readonly": [
        "/state",
        "/state-summary",
        "/slaves",
        "/frameworks",
        "/tasks",
        "/roles",
        "/flags",
        "/files/browse",
        "/files/read",
        "/files/download",
        "/files/debug",
        "/metrics/snapshot",
        "/metrics",
    ],
}
OF_AGENTS = {
    "mesos-agent-readwrite": ["/api/v1"],
    "mesos-agent-readonly": [
        "/state",
        "/containers",
        "/monitor/statistics",
        "/flags",
        "/files/browse",
        "/files/read",
        "/files/download",
        "/files/debug",
        "/metrics/snapshot",
        "/metrics",
    ],
}
OPEN = ["/health", "/version"]


@pytest.fixture(scope="module")
def guarded() -> World:
    return World(http=Http(credentials=SECRETS))


@pytest.mark.parametrize(
    ("realm", "path", "agents"),
    [(realm, path, False) for realm, paths in OF_MASTERS.items() for path in paths]
    + [(realm, path, True) for realm, paths in OF_AGENTS.items() for path in paths],
)
def test_who_does_not_say_who_he_is_is_asked(guarded: World, realm: str, path: str, agents: bool) -> None:
    """HT-105, HT-106, HT-107, HT-109, HT-110: each in its realm; HT-78: 401 with a text, and how to answer."""
    for method in ("GET", "POST"):
        answer = guarded.send(method, path, to=guarded.agent() if agents else None)

        assert answer.status == 401
        assert answer.headers["www-authenticate"] == f'Basic realm="{realm}"'
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.body


@pytest.mark.parametrize("path", OPEN)
def test_some_things_are_open_to_everybody(guarded: World, path: str) -> None:
    """HT-111: and `redirect`."""
    assert guarded.get(path).status == 200
    assert guarded.get(path, to=guarded.agent()).status == 200
    assert guarded.get("/redirect").status == 307


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer abc"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        {"Authorization": f"Basic {base64_of('ann')}"},
        basic("nobody", "secret"),
        basic("ann", "wrong"),
        basic("", ""),
    ],
)
def test_nobody_learns_what_is_wrong_with_what_he_says(guarded: World, headers: dict[str, str]) -> None:
    """HT-112: missing, another scheme, no base64, an unknown principal, a wrong secret: all look alike."""
    answer = guarded.get("/state", headers=headers)

    usual = guarded.get("/state")
    assert (answer.status, answer.body, answer.headers) == (usual.status, usual.body, usual.headers)


@pytest.mark.parametrize(("principal", "secret"), SECRETS.items())
def test_who_says_who_he_is_is_let_in(guarded: World, principal: str, secret: str) -> None:
    """HT-112; HT-113: secrets may have colons, and are UTF-8."""
    assert guarded.get("/state", headers=basic(principal, secret)).status == 200


def test_the_scheme_is_compared_without_case(guarded: World) -> None:
    """HT-112: as HTTP has it."""
    assert guarded.get("/state", headers={"authorization": f"bAsIc {base64_of('ann:secret')}"}).status == 200


def test_two_answers_to_who_are_you_are_none(guarded: World) -> None:
    """HT-120: 400, as is one without end."""
    twice = (*ANN.items(), *BOB.items())

    assert guarded.send("GET", "/state", headers=twice).status == 400
    assert guarded.get("/state", headers={"Authorization": "Basic " + "a" * 9000}).status == 400


def test_by_default_nobody_is_asked() -> None:
    """HT-104: whatever he says of himself."""
    world = World()

    assert world.get("/state").status == 200
    assert world.get("/state", headers=basic("anybody", "wrong")).status == 200
    assert world.get("/state", to=world.agent()).status == 200
    assert world.operate("GET_STATE").status == 200


def info_of(world: World) -> Any:
    answer = world.post(OPERATOR, {"type": "GET_FRAMEWORKS"}, headers=ANN)
    return answer.json["get_frameworks"]["frameworks"][0]["framework_info"]


def test_a_framework_is_of_who_has_authenticated() -> None:
    """HT-114: its FrameworkInfo need not say so."""
    world = World(http=Http(credentials=SECRETS))
    world.subscribe(headers=ANN)

    assert info_of(world)["principal"] == "ann"


def test_a_framework_may_say_whose_it_is() -> None:
    """HT-114: if that is true; else 400."""
    world = World(http=Http(credentials=SECRETS))

    assert world.subscribe(headers=ANN, principal="bob").stream.status == 400
    assert world.subscribe(headers=ANN, principal="ann").kinds[0] == "SUBSCRIBED"


def test_others_cannot_call_for_a_framework() -> None:
    """HT-115: 400; and its own principal is let in."""
    framework = World(http=Http(credentials=SECRETS)).subscribe(headers=ANN)

    assert framework.call("REVIVE", headers=BOB).status == 400
    assert framework.call("REVIVE", headers=ANN).status == 202
    assert framework.call("REVIVE").status == 401


def test_without_credentials_anybody_may_be_named() -> None:
    """HT-116."""
    world = World()
    framework = world.subscribe(principal="whoever")

    assert world.read("GET_FRAMEWORKS")["frameworks"][0]["framework_info"]["principal"] == "whoever"
    assert framework.call("REVIVE").status == 202


@pytest.mark.parametrize("path", ["/slaves?slave_id=x", "/frameworks?framework_id=x", "/files/read?path=/x"])
def test_a_refusal_does_not_say_what_there_is(guarded: World, path: str) -> None:
    """HT-119: of what is there and of what is not, the answer is the same."""
    assert guarded.get(path).body == guarded.get("/state").body


def test_a_stranger_does_not_learn_whether_there_is_a_framework(guarded: World) -> None:
    """HT-119."""
    call = {"type": "REVIVE", "framework_id": an_id("m1-F99")}
    answers = [
        guarded.send("POST", SCHEDULER, json.dumps({**call, "framework_id": an_id(one)}).encode(), JSON)
        for one in ("m1-F1", "m1-F99")
    ]

    assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}


def test_executors_need_a_token_where_others_need_credentials() -> None:
    """HT-108, HT-117: without it 401, and the challenge names their realm; where nobody needs anything, none do."""
    world = World(http=Http(credentials=SECRETS))
    call = {"type": "HEARTBEAT", "framework_id": an_id("f"), "executor_id": an_id("e")}

    answers = [
        world.post("/api/v1/executor", call, to=world.agent(), headers=headers)
        for headers in ({}, ANN, {"Authorization": "Bearer nonsense"})
    ]

    assert [answer.status for answer in answers] == [401, 401, 401]
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="mesos-agent-executor"'
    assert with_process().subscribe().status == 200


def test_the_subscription_of_an_authenticated_scheduler_is_a_stream_like_any() -> None:
    """HT-114, HT-125."""
    world = World(http=Http(credentials=SECRETS))
    answer = world.post(SCHEDULER, {"type": "SUBSCRIBE", "subscribe": {"framework_info": FRAMEWORK}}, headers=ANN)

    assert (answer.status, [record["type"] for record in answer.records][:2]) == (200, ["SUBSCRIBED", "HEARTBEAT"])


def test_what_a_master_does_not_let_him_do_is_forbidden() -> None:
    """HT-118, HT-79: operators are told 403, with the master's reason."""
    world = World()
    world.sim.pause("master-1")
    answer = world.operate("DEACTIVATE_AGENT", {"agent_id": an_id("m1-S1")})
    refused = CallAnswered(call_id=1, code=403, refusal="he may not deactivate_agents")
    world.sim.inject("master-1/http", refused, sender="master-1")
    world.sim.settle()

    assert (answer.status, answer.body) == (403, b"he may not deactivate_agents")


def test_a_scheduler_that_may_not_register_is_told_so_on_its_stream() -> None:
    """HT-118: 200, ERROR and the end."""
    world = World()
    world.sim.pause("master-1")
    framework = world.subscribe()
    assert (framework.stream.status, framework.kinds) == (200, [])
    actor = f"web@{framework.stream.number}"
    world.sim.inject(actor, FrameworkError(message="he may not register_frameworks"), sender="master-1")
    world.sim.settle()

    assert framework.stream.of_type("ERROR") == [{"message": "he may not register_frameworks"}]
    assert (framework.stream.ended, framework.stream.broken) == (True, False)
