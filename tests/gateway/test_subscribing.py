"""A scheduler subscribes (docs/spec/http.md section 7.1)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mesolite import Settings
from tests.gateway.calling import FRAMEWORK, SCHEDULER, Framework, World, an_id


def frameworks(world: World) -> list[Any]:
    found: list[Any] = world.read("GET_FRAMEWORKS")["frameworks"]
    return found


def subscribed_with(world: World, **body: Any) -> Framework:
    """A scheduler that has sent this beside its FrameworkInfo."""
    call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": FRAMEWORK, **body}}
    return Framework(world, world.post(SCHEDULER, call))


def test_a_subscription_is_a_stream_with_an_id() -> None:
    """HT-121, HT-125, HT-56: each subscription has its own, a text of at most 128 bytes like a UUID."""
    world = World()
    one, other = world.subscribe(), world.subscribe()

    assert (one.stream.status, one.stream.headers["content-type"]) == (200, "application/json")
    assert one.stream_id != other.stream_id
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one.stream_id)
    assert not one.stream.ended


def test_the_first_event_says_who_it_is_and_who_leads() -> None:
    """HT-126, HT-67, HT-53: with the address of the leader, readable and as a number in network order."""
    world = World()
    (told,) = world.subscribe().stream.of_type("SUBSCRIBED")

    assert told["framework_id"] == an_id("m1-F1")
    assert told["heartbeat_interval_seconds"] == 15
    master = told["master_info"]
    port = int(world.leader.url.rpartition(":")[2])
    assert master["address"] == {"hostname": "127.0.0.1", "ip": "127.0.0.1", "port": port}
    assert (master["port"], master["pid"], master["ip"]) == (port, f"master@127.0.0.1:{port}", 16777343)
    assert {"id", "hostname", "version", "capabilities"} <= master.keys()


def test_it_is_subscribed_at_once_and_offers_come_when_they_come() -> None:
    """HT-134, HT-64: SUBSCRIBED and HEARTBEAT do not wait for an agent that has anything to offer."""
    world = World(agents=0)
    framework = world.subscribe()
    assert framework.kinds == ["SUBSCRIBED", "HEARTBEAT"]

    world.cluster.add_agent()
    world.sim.advance(5.0)
    assert framework.kinds == ["SUBSCRIBED", "HEARTBEAT", "OFFERS"]


def test_heartbeats_come_in_the_interval_that_was_stated() -> None:
    """HT-64, HT-67, HT-63, HT-68, HT-166: every 15 seconds, or as the setting says, whatever else is said."""
    for interval_s, settings in ((15, None), (5, Settings(stream_heartbeat_s=5))):
        framework = World(settings=settings).subscribe()
        framework.world.sim.advance(interval_s * 4 + 1)
        assert framework.kinds.count("HEARTBEAT") == 5
        assert {"type": "HEARTBEAT"} in framework.stream.records
        assert framework.stream.of_type("SUBSCRIBED")[0]["heartbeat_interval_seconds"] == interval_s


@pytest.mark.parametrize("missing", ["user", "name"])
def test_a_framework_has_a_user_and_a_name(missing: str) -> None:
    """HT-122: else 400, which says what is missing."""
    info = {name: value for name, value in FRAMEWORK.items() if name != missing}
    answer = World().post(SCHEDULER, {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}})

    assert answer.status == 400
    assert f"subscribe.framework_info.{missing}".encode() in answer.body


def test_what_a_framework_says_of_itself_is_shown() -> None:
    """HT-122: and what it does not say has its default."""
    world = World()
    said = {
        "failover_timeout": 5.5,
        "checkpoint": True,
        "role": "prod",
        "hostname": "h.example",
        "principal": "p",
        "webui_url": "http://h.example/",
        "capabilities": [{"type": "PARTITION_AWARE"}],
        "labels": {"labels": [{"key": "k", "value": "v"}]},
    }
    world.subscribe(**said)
    world.subscribe(name="other")
    first, second = (framework["framework_info"] for framework in frameworks(world))

    assert {**first, **said} == first
    assert (second["failover_timeout"], second["checkpoint"], second["role"]) == (0, False, "*")


@pytest.mark.parametrize("given", [None, {}, an_id("")])
def test_without_an_id_it_is_a_new_framework(given: Any) -> None:
    """HT-123: be it unset or an empty text."""
    world = World()
    world.subscribe()
    call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": {**FRAMEWORK, "id": given}}, "framework_id": given}
    answer = world.post(SCHEDULER, call)

    if given == {}:  # an id without its text
        assert answer.status == 400
    else:
        assert answer.of_type("SUBSCRIBED")[0]["framework_id"] == an_id("m1-F2")


@pytest.mark.parametrize(("outer", "inner"), [("f", None), (None, "f"), ("f", "g"), ("f", ""), ("", "f")])
def test_an_id_is_given_twice_and_the_same(outer: str | None, inner: str | None) -> None:
    """HT-123: in both places, else 400."""
    world = World()
    info: dict[str, Any] = {**FRAMEWORK, **({} if inner is None else {"id": an_id(inner)})}
    call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}

    assert world.post(SCHEDULER, call if outer is None else {**call, "framework_id": an_id(outer)}).status == 400
    assert frameworks(world) == []


def test_a_subscription_carries_no_stream_id() -> None:
    """HT-124: 400."""
    answer = World().subscribe(headers={"Mesos-Stream-Id": ""}).stream

    assert answer.status == 400
    assert b"Mesos-Stream-Id" in answer.body


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "a b"},
        {"role": ".."},
        {"role": "a/"},
        {"role": "-a"},
        {"roles": ["a", "b"]},
        {"roles": ["a"]},
        {"roles": ["a"], "role": "a", "capabilities": [{"type": "MULTI_ROLE"}]},
        {"id": an_id("a/b")},
        {"id": an_id("..")},
        {"failover_timeout": -1},
        {"failover_timeout": 1e300},
        {"failover_timeout": "Infinity"},
        {"offer_filters": {"other": {}}},
    ],
)
def test_a_framework_that_cannot_be_is_told_so_on_its_stream(wrong: dict[str, Any]) -> None:
    """HT-127: 200, one ERROR, the end; and no framework is made. HT-184: timeouts must be durations. HT-165."""
    world = World()
    framework = world.subscribe(**wrong)

    assert (framework.stream.status, framework.kinds) == (200, ["ERROR"])
    assert framework.stream.of_type("ERROR")[0]["message"]
    assert framework.stream_id  # HT-125: mesos-go does not read on without it
    assert (framework.stream.ended, framework.stream.broken) == (True, False)
    assert frameworks(world) == []


@pytest.mark.parametrize(
    "wrong", [{"suppressed_roles": ["other"]}, {"offer_constraints": {"role_constraints": {"other": {"groups": []}}}}]
)
def test_it_can_be_silent_only_for_its_own_roles(wrong: dict[str, Any]) -> None:
    """HT-127."""
    framework = subscribed_with(World(), **wrong)

    assert (framework.stream.status, framework.kinds, framework.stream.ended) == (200, ["ERROR"], True)


def test_a_framework_cannot_change_its_principal() -> None:
    """HT-127: an ERROR; the one that was there goes on."""
    world = World()
    framework = world.subscribe(principal="p", failover_timeout=60)
    changed = framework.again(principal="q")

    assert (changed.kinds, changed.stream.ended) == (["ERROR"], True)
    assert not framework.stream.ended
    assert framework.call("REVIVE").status == 202


def test_who_was_removed_does_not_come_back() -> None:
    """HT-128: torn down, or its time was over: an ERROR that says so."""
    world = World()
    torn_down, timed_out = world.subscribe(), world.subscribe(failover_timeout=5)
    torn_down.call("TEARDOWN")
    timed_out.hang_up()
    world.sim.advance(10.0)

    for framework in (torn_down, timed_out):
        again = framework.again()
        assert (again.kinds, again.stream.ended) == (["ERROR"], True)
        assert "removed" in again.stream.of_type("ERROR")[0]["message"]


def test_an_id_that_this_master_never_saw_is_taken() -> None:
    """HT-129: it may have been given by one before it."""
    framework = World().subscribe(id=an_id("of-before"))

    assert framework.stream.of_type("SUBSCRIBED")[0]["framework_id"] == an_id("of-before")


def test_a_second_subscription_wins() -> None:
    """HT-130, HT-131: the first is told, and ends; its stream id is void, its offers go without RESCIND."""
    world = World()
    first = world.offered(failover_timeout=600)
    second = first.again()

    assert first.kinds[-1] == "ERROR"
    assert "failed over" in first.stream.of_type("ERROR")[0]["message"]
    assert (first.stream.ended, first.stream.broken) == (True, False)
    assert "RESCIND" not in first.kinds
    assert second.stream.of_type("SUBSCRIBED")[0]["framework_id"] == first.id
    assert first.call("REVIVE").status == 400
    assert second.call("REVIVE").status == 202
    world.sim.advance(2.0)
    assert second.offers
    assert second.offers[0]["id"] not in [offer["id"] for offer in first.offers]


def test_the_end_of_a_stream_that_was_replaced_means_nothing() -> None:
    """HT-182: the client of the first closes it when it has read the ERROR."""
    world = World()
    first = world.offered()
    second = first.again()
    first.hang_up()
    world.sim.advance(60.0)

    assert not second.stream.ended
    assert frameworks(world)[0]["connected"] is True


def test_user_and_checkpoint_stay_as_they_were() -> None:
    """HT-132: all else is as it was said last."""
    world = World()
    framework = world.subscribe(user="a", checkpoint=True, failover_timeout=60)
    framework.again(user="b", checkpoint=False, failover_timeout=90, name="renamed", webui_url="http://x/")
    info = frameworks(world)[0]["framework_info"]

    assert (info["user"], info["checkpoint"]) == ("a", True)
    assert (info["name"], info["failover_timeout"], info["webui_url"]) == ("renamed", 90, "http://x/")


def test_a_role_may_be_suppressed_from_the_beginning() -> None:
    """HT-133: there are no offers until it revives."""
    world = World()
    framework = subscribed_with(world, suppressed_roles=["*"])
    world.sim.advance(10.0)
    assert framework.offers == []

    framework.call("REVIVE")
    world.sim.advance(2.0)
    assert framework.offers


def test_one_role_may_be_given_as_a_list() -> None:
    """HT-349, HT-122: with the capability for it; more than one role is more than there is here."""
    world = World()
    multi = [{"type": "MULTI_ROLE"}]

    assert world.offered(roles=["prod"], capabilities=multi).offers[0]["allocation_info"] == {"role": "prod"}
    refused = world.subscribe(roles=["a", "b"], capabilities=multi)
    assert "one role" in refused.stream.of_type("ERROR")[0]["message"]
