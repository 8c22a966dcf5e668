"""What masters answer to who only wants to know: by a pure function, at any time, and it crosses the wire."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import ClusterState, Simulation
from mesolite.actors.trace import Done
from mesolite.messages import (
    GetDrain,
    GetDrains,
    GetFramework,
    GetMaintenanceSchedule,
    GetMaintenanceStatus,
    GetReclaim,
    GetReclaims,
    GetState,
    QueryAnswered,
)
from mesolite.messages.codec import decode, encode
from mesolite.messages.facts import MasterStatus
from mesolite.messages.ids import ActorName, AgentId, DrainId, FrameworkId, ReclaimId
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    STUBBORN,
    Launcher,
    command_task,
    executor_task,
    id_of,
    leader_of,
    only,
    shown,
)


def answered(cluster: SimulatedCluster, query: Any, master: str | None = None) -> Any:
    """What the leader, or that master, has to say."""
    return cluster.runtime.answer(master or leader_of(cluster).name, query)


def busy(sim: Simulation) -> SimulatedCluster:
    """A cluster with a task, an executor, a drain and a reclaim in it."""
    cluster = sim.cluster(agents=2)
    cluster.run(Launcher(command_task("t1", STUBBORN)), AWARE)
    cluster.run(Launcher(executor_task("t2")), "second", executors=EXECUTORS)
    sim.advance(6.0)
    cluster.operator.drain("agent-1", 100.0)
    cluster.operator.reclaim("agent-2", within=100.0)
    return cluster


def test_every_answer_crosses_the_wire(sim: Simulation) -> None:
    """Encoded and decoded it is equal: nothing in it is alive."""
    cluster = busy(sim)
    drain, reclaim = only(cluster.operator.drains()), only(cluster.operator.reclaims())
    queries = [
        GetState(call_id=1),
        GetMaintenanceSchedule(call_id=2),
        GetMaintenanceStatus(call_id=3),
        GetDrains(call_id=4),
        GetDrain(call_id=5, drain_id=drain.id, agent_id=drain.agent_id),
        GetReclaims(call_id=6),
        GetReclaim(call_id=7, reclaim_id=reclaim.id),
    ]

    for query in queries:
        answer = answered(cluster, query)
        assert isinstance(answer, QueryAnswered)
        assert (answer.call_id, answer.code, answer.refusal) == (query.call_id, 200, "")  # type: ignore[attr-defined]
        assert decode(encode(answer)) == answer
        assert answer != QueryAnswered(call_id=answer.call_id)


@pytest.mark.parametrize(
    "query",
    [
        GetFramework(call_id=1, framework_id=FrameworkId("nobody")),
        GetDrain(call_id=1, drain_id=DrainId("none"), agent_id=AgentId("nobody")),
        GetReclaim(call_id=1, reclaim_id=ReclaimId("none")),
    ],
    ids=lambda query: type(query).__name__,
)
def test_what_there_is_not_is_said_to_be_not_there(sim: Simulation, query: Any) -> None:
    """404, and a sentence."""
    answer = answered(sim.cluster(), query)

    assert answer.code == 404
    assert answer.refusal.startswith("there is no ")


def test_a_master_that_does_not_lead_says_so(sim: Simulation) -> None:
    """503: another may be asked, or the same later."""
    cluster = sim.cluster(masters=2)
    (standby,) = (name for name, master in cluster.masters.items() if not master.leading)

    answer = answered(cluster, GetState(call_id=7), standby)

    assert (answer.call_id, answer.code) == (7, 503)
    assert answer.refusal == "GetState was put to a master that does not lead; ask the one that does"


def test_a_query_that_makes_no_sense_is_refused(sim: Simulation) -> None:
    """It comes from outside, and must not harm the leader (400)."""
    cluster = sim.cluster()
    reclaim_id: Any = {}
    wrong = GetReclaim(call_id=3, reclaim_id=reclaim_id)

    answer = answered(cluster, wrong)

    assert (answer.call_id, answer.code) == (3, 400)
    assert answer.refusal.startswith("GetReclaim was refused: ")


def test_a_query_that_comes_as_a_message_is_answered_and_leaves_no_record(sim: Simulation) -> None:
    """Whoever asked is sent the answer; the trace holds who put it there, and that the answer was lost."""
    cluster = sim.cluster()
    before = len(sim.trace)

    sim.inject(leader_of(cluster), GetState(call_id=5), sender="gateway")
    sim.settle()

    done, lost = list(sim.trace)[before:]
    assert isinstance(done.event, Done)
    assert (lost.actor, lost.sender, lost.event.why) == ("gateway", leader_of(cluster).name, "nobody there")
    assert lost.event.message.data == cluster.operator.state()


def test_the_state_has_names_beside_ids_and_what_becomes_of_each_agents_resources(sim: Simulation) -> None:
    """Of the total so much is used, offered, withheld; framework and agent by name wherever they are by id."""
    cluster = busy(sim)

    state: ClusterState = cluster.operator.state()

    agents = {agent["name"]: agent for agent in state["agents"]}
    for agent in agents.values():
        assert agent["total"] == agent["resources"] == "cpus:4;mem:4096;disk:10000;ports:[31000-32000]"
    assert (agents["agent-1"]["withheld"], agents["agent-2"]["withheld"]) == ("", None)
    names = {framework["id"]: framework["name"] for framework in state["frameworks"]}
    assert sorted(names.values()) == ["aware", "second"]
    executors = [executor for agent in agents.values() for executor in agent["executors"]]
    assert [executor["framework"] for executor in executors] == ["second"]
    for framework in state["frameworks"]:
        for task in framework["tasks"]:
            assert (task["framework_id"], task["framework"]) == (framework["id"], framework["name"])
            assert agents[task["agent"]]["id"] == task["agent_id"]
    assert [asked["agent"] for asked in state["inverse_offers"]] == ["agent-2"]
    assert [names[asked["framework_id"]] for asked in state["inverse_offers"]] == [
        asked["framework"] for asked in state["inverse_offers"]
    ]


def test_what_is_reclaimed_of_an_agent_is_withheld_of_it(sim: Simulation) -> None:
    """As text; the rest is offered."""
    cluster = sim.cluster(resources="cpus:4;mem:1024")
    cluster.run(Launcher(), AWARE)
    cluster.operator.reclaim("agent-1", "cpus:3", within=10.0)
    sim.advance(6.0)

    agent = shown(cluster)

    assert (agent["used"], agent["withheld"], agent["offered"]) == ("", "cpus:3", "cpus:1;mem:1024")
    assert [(offer["agent"], offer["framework"]) for offer in cluster.operator.state()["offers"]] == [
        ("agent-1", "aware")
    ]


def test_an_agent_is_not_registered_by_what_its_former_life_said(sim: Simulation) -> None:
    """Its machine loses power and starts again: its id is known, and it is not registered before it says so itself."""
    cluster = sim.cluster()
    agent, agent_id = cluster.agents["agent-1"], id_of(cluster)

    agent.power_off()
    assert (agent.registered, agent.id) == (False, agent_id)
    agent.restart()
    assert (agent.registered, agent.id) == (False, agent_id)

    sim.run_until(lambda: agent.registered, timeout=60.0)


def test_of_two_that_believe_they_lead_the_one_elected_last_does(sim: Simulation) -> None:
    """Whichever has the first name: an old leader behind a partition has not heard yet that it was deposed."""
    cluster = sim.cluster(masters=2)
    leader = leader_of(cluster)
    (other,) = (name for name in cluster.masters if name != leader.name)

    def says(term: int) -> str:
        status = MasterStatus(name=ActorName(other), leading=True, term=term)
        sim.runtime.events.publish(status, other, incarnation=1)
        return leader_of(cluster).name

    assert (says(term=0), says(term=99)) == (leader.name, other)


def test_what_actors_make_known_can_be_subscribed_to(sim: Simulation) -> None:
    """Each change once, in order, with the life of who said it; nothing while nothing changes."""
    cluster = sim.cluster(masters=2)
    said: list[Any] = []
    unsubscribe = sim.runtime.events.subscribe(said.append)

    sim.advance(600.0)
    assert said == []
    leader = leader_of(cluster)
    drain = cluster.operator.drain("agent-1")
    drain.wait(60.0)
    assert [(known.fact.state.name, known.name, known.incarnation) for known in said] == [
        ("DRAINING", leader.name, 1), ("DRAINED", leader.name, 1)
    ]  # fmt: skip
    said.clear()
    leader.crash()
    sim.advance(60.0)

    told = [(type(known.fact).__name__, known.name) for known in said]
    (new,) = (name for name in cluster.masters if name != leader.name)
    assert told == [
        ("AgentStatus", "agent-1"), ("DrainInfo", new), ("DrainInfo", new), ("MasterStatus", new),
        ("AgentStatus", "agent-1"),
    ]  # fmt: skip
    unsubscribe()
    cluster.agents["agent-1"].stop()
    cluster.agents["agent-1"].restart()
    sim.advance(60.0)
    assert len(told) == len(said)
