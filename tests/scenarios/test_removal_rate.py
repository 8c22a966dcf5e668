"""Agents are given up one at a time, if operators want that: who waits, and what becomes of it (drain.md 1.8).

One permit every 20 minutes, Mesos's example "1/20mins". Pings are 15 s apart, five of them make 75 s.
"""

from __future__ import annotations

import signal

import attrs
import pytest

from mesolite import Settings, Simulation
from mesolite.actors.decisions.contract import PeerExited
from mesolite.messages import ApplyOperation, OperationApplied, PongAgent, ReregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.operator import MarkAgentGoneCall
from mesolite.messages.registrar import AdmitAgent, MarkAgentGone, MarkAgentUnreachable, RemoveAgent
from mesolite.simulation.network import Rule
from mesolite.simulation.simulation import SimulatedCluster
from mesolite.wiring import DEFAULT_RESOURCES
from tests.scenarios.schedulers import (
    Recorder,
    counters,
    fail_over,
    id_of,
    only,
    writes,
)

INTERVAL_S = 1200.0
LIMITED = Settings.mesos().but(agent_removal_interval_s=INTERVAL_S)


def limited(sim: Simulation, agents: int, masters: int = 1) -> tuple[SimulatedCluster, Recorder]:
    """A cluster with the limit, and a framework that notes which agents are lost when."""
    sim.settings = LIMITED
    cluster, framework = sim.cluster(agents=agents, masters=masters), Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    return cluster, framework


def info_of(cluster: SimulatedCluster, name: str) -> AgentInfo:
    """What that agent says of itself, without what it runs."""
    return AgentInfo(id=id_of(cluster, name), hostname=name, resources=DEFAULT_RESOURCES)


def names_of(cluster: SimulatedCluster, agent_ids: list[AgentId]) -> list[str]:
    names = {agent.id: agent.name for agent in cluster.agents.values()}
    return [names[agent_id] for agent_id in agent_ids]


def counted(cluster: SimulatedCluster) -> tuple[int, int, int]:
    """Scheduled, completed and canceled, as the leader has counted them."""
    of = counters(cluster)
    return of["slave_unreachable_scheduled"], of["slave_unreachable_completed"], of["slave_unreachable_canceled"]


def silence(sim: Simulation, cluster: SimulatedCluster, framework: Recorder, *names: str) -> None:
    """Cut these agents off, 20 s apart, and wait until the first is lost and each of the others waits in turn."""
    for name in names:
        sim.partition(name, "master-1")
        sim.advance(20.0)
    sim.advance(100.0)
    assert names_of(cluster, framework.lost_agents) == [names[0]]


@pytest.mark.scenario("SlaveTest.RateLimitSlaveRemoval")
def test_an_agent_that_answers_no_pings_waits_for_its_permit(sim: Simulation) -> None:
    """One permit is asked for, however often the check fails; when it is given, and no earlier, it is lost (1.8.2)."""
    cluster, framework = limited(sim, agents=2)
    offered = {offer.agent_id: offer.id for offer in framework.offers}
    silence(sim, cluster, framework, "agent-1", "agent-2")
    lost_at = only(framework.named("agent_lost")).time
    assert (counted(cluster), framework.count("offer_rescinded")) == ((2, 1, 0), 1)

    sim.advance(lost_at + INTERVAL_S - sim.now - 0.1)
    assert (counted(cluster), framework.count("agent_lost")) == ((2, 1, 0), 1)
    sim.advance(0.2)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    assert framework.named("agent_lost")[1].time == pytest.approx(lost_at + INTERVAL_S)
    assert framework.rescinded == [offered[id_of(cluster, name)] for name in ("agent-1", "agent-2")]
    assert counted(cluster) == (2, 2, 0)


def test_several_agents_are_lost_in_the_order_in_which_they_failed(sim: Simulation) -> None:
    """An interval apart each (1.8.2); the books stay whole meanwhile."""
    cluster, framework = limited(sim, agents=4)

    silence(sim, cluster, framework, "agent-3", "agent-1", "agent-4", "agent-2")
    sim.advance(3 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-3", "agent-1", "agent-4", "agent-2"]
    first, *later = [call.time for call in framework.named("agent_lost")]
    assert later == pytest.approx([first + n * INTERVAL_S for n in (1, 2, 3)])


def test_a_pong_saves_an_agent_that_waits(sim: Simulation) -> None:
    """It leaves the queue, and the next in line gets its permit; pinging had never stopped (1.4.3)."""
    cluster, framework = limited(sim, agents=3)
    silence(sim, cluster, framework, "agent-1", "agent-2", "agent-3")
    assert counted(cluster) == (3, 1, 0)

    sim.heal("agent-2")
    sim.advance(20.0)
    assert counted(cluster) == (3, 1, 1)
    sim.advance(INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-3"]
    assert counted(cluster) == (3, 2, 1)
    assert only(cluster.operator.state()["agents"])["name"] == "agent-2"
    sim.advance(5 * INTERVAL_S)
    assert len(framework.lost_agents) == 2


def test_a_pong_that_comes_after_the_permit_is_too_late(sim: Simulation) -> None:
    """Once the write has begun the agent becomes unreachable, and has to come back by itself (1.4.3)."""
    cluster, framework = limited(sim, agents=2)
    silence(sim, cluster, framework, "agent-1", "agent-2")
    applied = sim.hold(OperationApplied, where=writes(MarkAgentUnreachable))
    sim.run_until(lambda: applied.count, timeout=INTERVAL_S)

    sim.inject("master-1", PongAgent(), sender="agent-2")
    sim.settle()
    applied.release()
    sim.settle()

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    assert counted(cluster) == (2, 2, 0)


def test_an_agent_that_was_saved_and_falls_silent_again_queues_anew(sim: Simulation) -> None:
    """Its new wait begins at the end of the queue."""
    cluster, framework = limited(sim, agents=3)
    silence(sim, cluster, framework, "agent-1", "agent-2", "agent-3")

    sim.heal("agent-2")
    sim.advance(20.0)
    sim.partition("agent-2", "master-1")
    sim.advance(2 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-3", "agent-2"]
    assert counted(cluster) == (4, 3, 1)


def test_an_agent_that_unregisters_while_it_waits_is_removed_at_once(sim: Simulation) -> None:
    """Unregistering needs no permit (1.8.1), and leaves that of the agent to the next in line."""
    cluster, framework = limited(sim, agents=3)
    silence(sim, cluster, framework, "agent-1", "agent-2", "agent-3")
    first = only(framework.named("agent_lost")).time

    sim.heal("agent-2")
    pongs = sim.drop(PongAgent)
    cluster.agents["agent-2"].signal(signal.SIGUSR1)
    sim.settle()
    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    sim.forget(pongs)
    sim.advance(INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2", "agent-3"]
    assert framework.named("agent_lost")[2].time == pytest.approx(first + INTERVAL_S)
    assert counters(cluster)["slave_removals_reason_unregistered"] == 1


def test_an_agent_that_gets_its_permit_while_it_is_being_removed_is_removed_once(sim: Simulation) -> None:
    """The removal's write has begun, so the permit comes to nothing (1.6.1, 2.3.3)."""
    cluster, framework = limited(sim, agents=2)
    silence(sim, cluster, framework, "agent-1", "agent-2")
    applied = sim.hold(OperationApplied)
    written = sim.expect(ApplyOperation)
    sim.heal("agent-2")
    sim.drop(PongAgent)
    cluster.agents["agent-2"].signal(signal.SIGUSR1)

    sim.advance(INTERVAL_S)
    assert counters(cluster)["slave_unreachable_completed"] == 2
    applied.release()
    sim.settle()

    assert [type(message.operation) for message in written.all] == [RemoveAgent]
    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    assert counters(cluster)["slave_removals_reason_unhealthy"] == 1


# --- agents that answer pings, but do not come back after their link broke ---


def disconnect(sim: Simulation, *names: str) -> dict[str, Rule]:
    """Break the master's links to these agents, 1 s apart, and lose what they say to come back, until it is undone."""
    lost = {}
    for name in names:
        lost[name] = sim.drop(ReregisterAgent, sender=name)
        sim.inject("master-1", PeerExited(name, 1), sender=name)  # type: ignore[arg-type]
        sim.advance(1.0)
    return lost


def test_agents_that_do_not_come_back_in_time_queue_too(sim: Simulation) -> None:
    """Their ten minutes over, they are given up an interval apart (1.8.1, 1.8.3)."""
    cluster, framework = limited(sim, agents=3)
    began = sim.now
    disconnect(sim, "agent-1", "agent-2", "agent-3")

    sim.advance(600.0 + 2 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2", "agent-3"]
    times = [call.time - began for call in framework.named("agent_lost")]
    assert times == pytest.approx([600.0 + n * INTERVAL_S for n in range(3)])
    assert counted(cluster) == (3, 3, 0)


def test_an_agent_that_comes_back_while_it_waits_wastes_its_permit(sim: Simulation) -> None:
    """Only when it has its permit is it looked at again; the next in line waits an interval more (1.8.3)."""
    cluster, framework = limited(sim, agents=3)
    began = sim.now
    lost = disconnect(sim, "agent-1", "agent-2", "agent-3")
    sim.advance(700.0)
    assert counted(cluster) == (3, 1, 0)

    sim.forget(lost["agent-2"])
    sim.advance(100.0)
    assert counted(cluster) == (3, 1, 0)
    sim.advance(INTERVAL_S)
    assert (counted(cluster), len(framework.lost_agents)) == ((3, 1, 1), 1)
    sim.advance(INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-3"]
    assert framework.calls[-1].time - began == pytest.approx(600.0 + 2 * INTERVAL_S)
    assert counted(cluster) == (3, 2, 1)


def test_an_agent_that_came_back_and_broke_off_again_has_its_whole_time_again(sim: Simulation) -> None:
    """The permit it waited for would end its new absence after no time at all: it leaves the queue (ours)."""
    cluster, framework = limited(sim, agents=3)
    began = sim.now
    lost = disconnect(sim, "agent-1", "agent-2", "agent-3")
    sim.advance(700.0)

    sim.forget(lost["agent-2"])
    sim.advance(1000.0)
    disconnect(sim, "agent-2")
    sim.advance(4 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-3", "agent-2"]
    times = [call.time - began for call in framework.named("agent_lost")]
    assert times == pytest.approx([600.0 + n * INTERVAL_S for n in range(3)])
    assert counted(cluster) == (4, 3, 0)


def test_an_agent_that_gets_its_permit_while_its_return_is_written_stays(sim: Simulation) -> None:
    """It has begun to come back, so it is not marked (1.6.1)."""
    cluster, framework = limited(sim, agents=2)
    disconnect(sim, "agent-1", "agent-2")
    sim.advance(700.0)
    applied = sim.hold(OperationApplied)
    changed = attrs.evolve(info_of(cluster, "agent-2"), attributes=(("rack", "2"),))
    sim.inject("master-1", ReregisterAgent(agent=changed), sender="agent-2")

    sim.advance(INTERVAL_S)
    assert [type(message.operation) for message in applied.all] == [AdmitAgent]
    assert counted(cluster) == (2, 2, 0)
    applied.release()
    sim.advance(INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1"]
    assert only(cluster.operator.state()["agents"])["connected"]


def test_an_agent_may_wait_for_two_reasons(sim: Simulation) -> None:
    """One that is dead fails its checks and does not come back; its second permit finds nothing to do (1.8.3)."""
    cluster, framework = limited(sim, agents=2)
    sim.partition("agent-1", "master-1")
    sim.advance(100.0)
    cluster.agents["agent-2"].crash()

    sim.advance(700.0)
    assert counted(cluster) == (3, 1, 0)
    sim.advance(2 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    assert counted(cluster) == (3, 2, 1)


# --- a new leader ---


def failed_over(sim: Simulation, agents: int) -> tuple[SimulatedCluster, Recorder, dict[str, Rule]]:
    """A new leader to whom no agent has come back yet: what they say to come back is lost, until it is forgotten."""
    cluster, framework = limited(sim, agents=agents, masters=2)
    lost = {name: sim.drop(ReregisterAgent, sender=name) for name in cluster.agents}
    fail_over(sim, cluster)
    return cluster, framework, lost


def test_agents_that_do_not_come_back_to_a_new_leader_queue_too(sim: Simulation) -> None:
    """In the order of the registry, an interval apart (1.7.3, 1.8.1, EL-41)."""
    cluster, framework, _ = failed_over(sim, agents=3)
    began = sim.now

    sim.advance(600.0 + 2 * INTERVAL_S)

    assert sorted(names_of(cluster, framework.lost_agents)) == ["agent-1", "agent-2", "agent-3"]
    times = [call.time - began for call in framework.named("agent_lost")]
    assert times == pytest.approx([600.0 + n * INTERVAL_S for n in range(3)])
    assert counted(cluster) == (3, 3, 0)
    assert counters(cluster)["recovery_slave_removals"] == 3


def test_an_agent_that_comes_back_to_a_new_leader_while_it_waits_stays(sim: Simulation) -> None:
    """Its permit is wasted (1.8.3)."""
    cluster, framework, lost = failed_over(sim, agents=3)
    began = sim.now
    sim.advance(600.0)
    (first,) = names_of(cluster, framework.lost_agents)
    second, third = (name for name in names_of(cluster, cluster.operator.state()["recovered_agents"]))

    sim.forget(lost[second])
    sim.advance(2 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == [first, third]
    assert framework.calls[-1].time - began == pytest.approx(600.0 + 2 * INTERVAL_S)
    assert counted(cluster) == (3, 2, 1)
    assert [agent["name"] for agent in cluster.operator.state()["agents"]] == [second]


@pytest.mark.parametrize("earlier", ["permit", "return"])
def test_of_a_permit_and_a_return_to_a_new_leader_the_earlier_counts(sim: Simulation, earlier: str) -> None:
    """Whichever write begins first completes; the other is not begun (1.3.1, 1.6.1, 1.7.3)."""
    cluster, framework, _ = failed_over(sim, agents=2)
    sim.advance(600.0)
    name = only(names_of(cluster, cluster.operator.state()["recovered_agents"]))
    changed = attrs.evolve(info_of(cluster, name), attributes=(("rack", "2"),))
    applied = sim.hold(OperationApplied)
    written = sim.expect(ApplyOperation)

    sim.advance(INTERVAL_S if earlier == "permit" else 0.0)
    sim.inject(cluster.leader, ReregisterAgent(agent=changed), sender=name)
    sim.advance(INTERVAL_S)
    applied.release()
    sim.settle()

    assert [type(message.operation) for message in written.all] == [
        MarkAgentUnreachable if earlier == "permit" else AdmitAgent
    ]
    assert len(framework.lost_agents) == (2 if earlier == "permit" else 1)
    assert counted(cluster) == ((2, 2, 0) if earlier == "permit" else (2, 1, 1))


def test_who_waits_when_the_leader_dies_waits_for_the_next_leader(sim: Simulation) -> None:
    """That one knows of no queue and of no permit: ten minutes for all, and its first permit is at once (1.7.1)."""
    cluster, framework = limited(sim, agents=2, masters=2)
    for name in ("agent-1", "agent-2"):
        for master in cluster.masters.values():
            sim.partition(name, master)
        sim.advance(20.0)
    sim.advance(100.0)
    assert (names_of(cluster, framework.lost_agents), counted(cluster)) == (["agent-1"], (2, 1, 0))

    fail_over(sim, cluster)
    began = sim.now
    sim.advance(600.0)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    assert framework.calls[-1].time == pytest.approx(began + 600.0)
    assert counted(cluster) == (1, 1, 0)


def test_an_agent_that_is_marked_gone_while_it_waits_takes_no_permit(sim: Simulation) -> None:
    """An operator's word needs none (1.8.1): the next in line gets the permit in its time."""
    cluster, framework = limited(sim, agents=3)
    silence(sim, cluster, framework, "agent-1", "agent-2", "agent-3")
    first = only(framework.named("agent_lost")).time

    cluster.operator.mark_gone("agent-2")
    sim.settle()
    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2"]
    sim.advance(2 * INTERVAL_S)

    assert names_of(cluster, framework.lost_agents) == ["agent-1", "agent-2", "agent-3"]
    assert framework.named("agent_lost")[2].time == pytest.approx(first + INTERVAL_S)


@pytest.mark.parametrize("marked", ["before", "meanwhile"])
def test_an_agent_that_is_marked_gone_is_not_marked_unreachable_too(sim: Simulation, marked: str) -> None:
    """Neither if that was done when a new leader's time is up, nor if it is being written just then (1.6.1)."""
    cluster, _, _ = failed_over(sim, agents=2)
    written = sim.expect(ApplyOperation)
    gone = id_of(cluster, "agent-2")
    applied = sim.hold(OperationApplied, where=writes(MarkAgentGone))
    sim.inject(cluster.leader, MarkAgentGoneCall(call_id=1, agent_id=gone), sender="operator")
    sim.settle()
    if marked == "before":
        applied.release()

    sim.advance(600.0 + INTERVAL_S)
    applied.release()
    sim.settle()

    kinds = [type(message.operation) for message in written.all]
    assert kinds == [MarkAgentGone, MarkAgentUnreachable]
    assert list(cluster.operator.state()["gone_agents"]) == [gone]
    assert list(cluster.operator.state()["unreachable_agents"]) == [id_of(cluster, "agent-1")]
