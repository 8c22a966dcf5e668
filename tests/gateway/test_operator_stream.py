"""An operator subscribes to all that a cluster does (docs/spec/http.md section 9.3)."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mesolite.actors.decisions.contract import Started, TimerFired
from mesolite.gateway.authentication import Authentication
from mesolite.gateway.endpoint import EndpointFacts
from mesolite.gateway.master_endpoint import MasterEndpointCore
from mesolite.gateway.operator_streams import SUBSCRIBERS_MAX, OperatorHeartbeat
from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.v1.writing import Epoch
from mesolite.messages.agent import PongAgent
from mesolite.simulation.http_client import HttpAnswer
from tests.gateway.calling import World, an_id
from tests.logs import logged


@pytest.fixture
def world() -> World:
    return World(agents=2)


def kinds(stream: HttpAnswer) -> list[str]:
    return [record["type"] for record in stream.records]


def test_it_begins_with_all_there_is(world: World) -> None:
    """HT-293, HT-66, HT-67, OP-14: as GET_STATE tells it, with the interval of the heartbeats; one comes at once."""
    framework = world.offered()
    framework.launch("t1")
    stream = world.operate("SUBSCRIBE")

    assert (stream.status, stream.headers) == (200, {"content-type": "application/json"})
    assert kinds(stream) == ["SUBSCRIBED", "HEARTBEAT"]
    (told,) = stream.of_type("SUBSCRIBED")
    assert told == {"get_state": world.read("GET_STATE"), "heartbeat_interval_seconds": 15}


def test_heartbeats_go_on(world: World) -> None:
    """HT-66, HT-299, HT-68, OP-14: one at once, then every 15 seconds; HT-63: with nothing in it."""
    stream = world.operate("SUBSCRIBE")
    world.sim.advance(61.0)

    assert kinds(stream).count("HEARTBEAT") == 5
    assert stream.records[-1] == {"type": "HEARTBEAT"}


def test_frameworks_come_change_and_go(world: World) -> None:
    """HT-298: as GET_FRAMEWORKS has them; of one that goes only who it was."""
    stream = world.operate("SUBSCRIBE")
    framework = world.subscribe(failover_timeout=60)
    (added,) = stream.of_type("FRAMEWORK_ADDED")
    (known,) = world.read("GET_FRAMEWORKS")["frameworks"]
    assert added["framework"].items() <= {**known, "offers": []}.items()
    assert added["framework"]["framework_info"]["id"] == framework.id

    again = framework.again(name="renamed", failover_timeout=60)
    assert stream.of_type("FRAMEWORK_UPDATED")[-1]["framework"]["framework_info"]["name"] == "renamed"
    again.call("TEARDOWN")
    (removed,) = stream.of_type("FRAMEWORK_REMOVED")
    assert removed["framework_info"]["id"] == framework.id


def test_tasks_end_before_their_framework(world: World) -> None:
    """OP-15, FW-36: who follows is told of each; its history says the same."""
    framework = world.offered()
    framework.launch("t1")
    framework.acknowledge_all()
    stream = world.operate("SUBSCRIBE")
    framework.call("TEARDOWN")

    *_, updated, removed = [record for record in stream.records if record["type"] != "HEARTBEAT"]
    assert (updated["type"], removed["type"]) == ("TASK_UPDATED", "FRAMEWORK_REMOVED")
    status = updated["task_updated"]["status"]
    assert (status["state"], status["source"], status["reason"]) == (
        "TASK_KILLED",
        "SOURCE_MASTER",
        "REASON_FRAMEWORK_REMOVED",
    )
    (task,) = world.read("GET_TASKS")["completed_tasks"]
    assert (task["state"], task["statuses"][-1]["state"]) == ("TASK_KILLED", "TASK_KILLED")


def test_tasks_come_and_change(world: World) -> None:
    """HT-295, HT-296, HT-403: a whole task when it is launched, then each new state, as a status without data."""
    framework = world.offered()
    stream = world.operate("SUBSCRIBE")
    framework.launch("t1")
    framework.acknowledge_all()
    (added,) = stream.of_type("TASK_ADDED")
    assert (added["task"]["task_id"], added["task"]["state"]) == (an_id("t1"), "TASK_STAGING")
    assert added["task"]["framework_id"] == framework.id

    updates = stream.of_type("TASK_UPDATED")
    assert [update["status"]["state"] for update in updates] == ["TASK_STARTING", "TASK_RUNNING"]
    for update in updates:
        assert update.keys() == {"framework_id", "status", "state"}
        assert update["framework_id"] == framework.id
        assert update["status"]["task_id"] == an_id("t1")


def test_agents_come_and_go(world: World) -> None:
    """HT-297, HT-402: as GET_AGENTS has them; of one that goes, here because it unregisters (RC-31), only its id."""
    stream = world.operate("SUBSCRIBE")
    world.cluster.add_agent()
    world.sim.advance(2.0)
    (added,) = stream.of_type("AGENT_ADDED")
    assert added["agent"] in world.read("GET_AGENTS")["agents"]

    removed_id = world.agent(3).id
    world.agent(3).signal(signal.SIGUSR1)
    world.sim.advance(10.0)
    assert stream.of_type("AGENT_REMOVED") == [{"agent_id": an_id(str(removed_id))}]


def test_of_an_agent_that_is_out_of_reach_there_is_no_event(world: World) -> None:
    """It may come back; that its task is lost is told, as ever (RC-30)."""
    framework = world.offered()
    framework.launch("t1")
    framework.acknowledge_all()
    stream = world.operate("SUBSCRIBE")

    world.sim.drop(PongAgent)
    world.sim.advance(100.0)

    assert [each for each in kinds(stream) if each != "HEARTBEAT"] == ["SUBSCRIBED", "TASK_UPDATED"]
    (told,) = stream.of_type("TASK_UPDATED")
    assert (told["status"]["task_id"], told["state"]) == (an_id("t1"), "TASK_LOST")


def test_a_drain_has_no_event(world: World) -> None:
    """HT-300: clients read drain_info."""
    stream = world.operate("SUBSCRIBE")
    world.operate("DRAIN_AGENT", {"agent_id": an_id(str(world.agent().id))})
    world.sim.advance(10.0)

    assert set(kinds(stream)) == {"SUBSCRIBED", "HEARTBEAT"}


def test_several_hear_the_same(world: World) -> None:
    """HT-294, HT-61, OP-14: whoever came later has in his snapshot what he was not told; one who goes is no loss."""
    framework = world.offered()
    streams = [world.operate("SUBSCRIBE")]
    framework.launch("t1")
    streams.append(world.operate("SUBSCRIBE"))
    known: list[Any] = streams[1].of_type("SUBSCRIBED")[0]["get_state"]["get_tasks"]["tasks"]
    assert [task["task_id"] for task in known] == [an_id("t1")]
    world.cluster.client.hang_up(streams[0])
    framework.acknowledge_all()

    assert [update["status"]["state"] for update in streams[1].of_type("TASK_UPDATED")] == ["TASK_RUNNING"]
    assert streams[0].of_type("TASK_UPDATED") == [
        update for update in streams[0].of_type("TASK_UPDATED") if update["status"]["state"] == "TASK_STARTING"
    ]


def test_who_has_gone_costs_nothing_any_more(world: World) -> None:
    """HT-380, HT-293: with the last of them the master stops telling, and begins again for the next."""
    streams = [world.operate("SUBSCRIBE") for _ in range(2)]
    with logged("ERROR") as faults:
        for stream in streams:
            world.cluster.client.hang_up(stream)
        world.sim.advance(60.0)
    told = world.sim.trace.text().count("FrameworkAdded")
    world.subscribe()

    assert faults == []
    assert world.sim.trace.text().count("FrameworkAdded") == told
    stream = world.operate("SUBSCRIBE")
    world.subscribe(name="other")
    assert len(stream.of_type("FRAMEWORK_ADDED")) == 1


def test_no_heart_beats_for_who_has_gone() -> None:
    """HT-380: what was to come next for him comes to nothing, and nothing after it."""
    facts = EndpointFacts(
        daemon="master-1",
        address=Address("h", "127.0.0.1", 5050),
        epoch=Epoch(0.0),
        authentication=Authentication(),
        flags={},
        heartbeat_s=15.0,
        tokens=None,
    )
    core = MasterEndpointCore(facts, {})
    core.handle(Started("master-1/http", 1), "", 0.0)

    assert core.handle(TimerFired(OperatorHeartbeat(1)), "", 15.0) == []


def test_of_too_many_the_oldest_is_ended(world: World) -> None:
    """HT-294, HT-368: with its last chunk."""
    streams = [world.operate("SUBSCRIBE") for _ in range(SUBSCRIBERS_MAX + 2)]

    assert [stream.ended for stream in streams] == [True, True] + [False] * SUBSCRIBERS_MAX
    assert not streams[0].broken
