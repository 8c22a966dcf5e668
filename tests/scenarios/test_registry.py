"""What the registry remembers of agents that are away, and for how long (drain.md 1.6.2, 1.9, 4.1, 4.5).

Every 15 minutes, counted from when the leader began to lead, the lists of unreachable and gone agents are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mesolite import Books, Refused, Settings, Simulation
from mesolite.actors.decisions.contract import PeerExited
from mesolite.actors.decisions.master.timers import Pruning
from mesolite.actors.runtime.store import encoded
from mesolite.messages import (
    AgentDrained,
    AgentReregistered,
    ApplyOperation,
    CallAnswered,
    OperationApplied,
    ShutdownAgent,
)
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.operator import DeactivateAgentCall, DrainAgentCall, MarkAgentGoneCall
from mesolite.messages.registrar import (
    DeactivateAgent,
    EndDrain,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    PruneAgents,
    StartDrain,
    UnreachableAgent,
)
from mesolite.messages.tasks import TaskState, TaskStatus
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    Recorder,
    about,
    fail_over,
    id_of,
    leader_of,
    only,
    writes,
)

GC_S = 900.0
MAX_AGE_S = 1200.0
BY_AGE = Settings.mesos().but(registry_max_agent_age_s=MAX_AGE_S)
ONE_ONLY = Settings.mesos().but(registry_max_agent_count=1)


class InverseOfferQueue(Recorder):
    """Reconciles tasks nobody has ever launched, to find out what is thought of an agent."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        super().__init__()
        self.driver = cluster.run(self, framework=AWARE)
        self.questions = 0

    def about(self, sim: Simulation, agent_id: str) -> tuple[str, float | None]:
        """The state it is told for a task on that agent, and since when the agent is unreachable."""
        self.questions += 1
        task_id = TaskId(f"random-{self.questions}")
        status = TaskStatus(task_id=task_id, state=TaskState.TASK_STAGING, agent_id=AgentId(agent_id))
        self.driver.reconcile_tasks([status])
        sim.settle()
        answer = only(self.updates(task_id))
        state, source, reason = about(answer)
        assert (source, reason) == ("MASTER", "RECONCILIATION")
        return state, answer.unreachable_time


def cut_off(sim: Simulation, cluster: SimulatedCluster, *names: str) -> list[tuple[AgentId, float]]:
    """Cut these agents off from all masters, one after the other, until each is unreachable; ids and times."""
    found = []
    for name in names:
        agent_id = id_of(cluster, name)
        for master in cluster.masters.values():
            sim.partition(name, master)
        sim.run_until(lambda a=agent_id: a in cluster.operator.state()["unreachable_agents"], timeout=100.0)
        found.append((agent_id, cluster.operator.state()["unreachable_agents"][agent_id]))
    return found


def to_the_next_look(sim: Simulation) -> None:
    """Let time pass until just after the lists have been looked at; the first leader leads from the start."""
    sim.advance(GC_S - sim.now % GC_S + 0.001)


def pruning_at(sim: Simulation, cluster: SimulatedCluster) -> float | None:
    """When the leader will look at the lists, None if it will not."""
    timers = sim.runtime.directory.find(leader_of(cluster).name).timers  # type: ignore[union-attr]
    return timers[Pruning()].deadline if Pruning() in timers else None


# --- what is too old, and what is too much ---


@pytest.mark.scenario("PartitionTest.RegistryGcByAge")
def test_what_has_been_away_too_long_is_forgotten(sim: Simulation) -> None:
    """Looked at every 15 minutes: at 30 the first is older than 20 minutes, at 45 the second too (1.9.1)."""
    sim.settings = BY_AGE
    cluster = sim.cluster(agents=2)
    asking = InverseOfferQueue(cluster)
    ((first, first_time),) = cut_off(sim, cluster, "agent-1")
    sim.advance(640.0 - sim.now)
    ((second, second_time),) = cut_off(sim, cluster, "agent-2")
    assert (first_time, second_time) == (pytest.approx(76.0, abs=16.0), pytest.approx(720.0, abs=10.0))

    to_the_next_look(sim)
    assert asking.about(sim, first) == ("UNREACHABLE", first_time)
    assert asking.about(sim, second) == ("UNREACHABLE", second_time)
    to_the_next_look(sim)
    assert asking.about(sim, first) == ("UNKNOWN", None)
    assert asking.about(sim, second) == ("UNREACHABLE", second_time)
    to_the_next_look(sim)
    assert asking.about(sim, second) == ("UNKNOWN", None)


@pytest.mark.scenario("PartitionTest.RegistryGcByCountManySlaves")
def test_of_too_many_the_oldest_are_forgotten(sim: Simulation) -> None:
    """Of fifty agents in the registry only the one that was marked last is left (1.9.1)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=0, masters=2)
    asking = InverseOfferQueue(cluster)
    records = [(AgentId(f"m1-S{n}"), 1.0 + n / 1000) for n in range(50)]
    unreachable = [(f"unreachable/{a}", UnreachableAgent(agent_id=a, unreachable_time=time)) for a, time in records]
    sim.runtime.store.save("registry", encoded("registry", unreachable), sim.runtime.store.term("registry"))
    fail_over(sim, cluster)
    sim.advance(5.0)
    assert asking.about(sim, records[0][0]) == ("UNREACHABLE", records[0][1])

    sim.advance(GC_S)

    (before, _), last = records[-2:]
    assert asking.about(sim, before) == ("UNKNOWN", None)
    assert asking.about(sim, last[0]) == ("UNREACHABLE", last[1])
    assert cluster.operator.state()["unreachable_agents"] == dict([last])


def test_what_was_forgotten_stays_so_under_a_new_leader(sim: Simulation) -> None:
    """It was deleted from the registry first, like everything else (0.2.4); what was kept is there."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=3, masters=2)
    found = cut_off(sim, cluster, "agent-1", "agent-2", "agent-3")
    cluster.operator.deactivate("agent-2")
    cluster.operator.deactivate("agent-3")

    to_the_next_look(sim)
    known = cluster.operator.state()
    assert known["unreachable_agents"] == dict(found[2:])
    fail_over(sim, cluster)

    assert cluster.operator.state()["unreachable_agents"] == dict(found[2:])
    assert cluster.operator.state()["deactivated_agents"] == known["deactivated_agents"] == [found[2][0]]


def test_the_lists_are_looked_at_separately(sim: Simulation) -> None:
    """One unreachable and one gone agent are not two too many (1.9.1)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=4)
    first, second = (agent_id for agent_id, _ in cut_off(sim, cluster, "agent-1", "agent-2"))
    for name in ("agent-3", "agent-4"):
        cluster.operator.mark_gone(name)
        sim.advance(1.0)
    written = sim.expect(ApplyOperation)

    to_the_next_look(sim)

    assert only(written.all).operation == PruneAgents(unreachable=(first,), gone=(id_of(cluster, "agent-3"),))
    assert list(cluster.operator.state()["unreachable_agents"]) == [second]
    assert list(cluster.operator.state()["gone_agents"]) == [id_of(cluster, "agent-4")]


# --- when it is looked ---


def test_nobody_is_woken_while_nobody_is_away(sim: Simulation) -> None:
    """A cluster whose agents are all there has no timer for this; one is kept as long as somebody is away."""
    cluster = sim.cluster(agents=1)
    sim.advance(10.0)
    assert pruning_at(sim, cluster) is None

    cut_off(sim, cluster, "agent-1")
    assert pruning_at(sim, cluster) == GC_S
    sim.advance(GC_S)
    assert pruning_at(sim, cluster) == 2 * GC_S
    sim.heal()
    sim.advance(GC_S)

    assert cluster.operator.state()["unreachable_agents"] == {}
    assert pruning_at(sim, cluster) is None


def test_the_quarters_of_an_hour_count_from_when_the_leader_began(sim: Simulation) -> None:
    """Whenever the first agent is lost, a look is due at whole intervals since then, as with Mesos's timer."""
    sim.settings = Settings.mesos().but(registry_gc_interval_s=130.1)
    cluster = sim.cluster(agents=2, masters=2)
    sim.advance(50.0)
    fail_over(sim, cluster)
    began = sim.now
    sim.advance(200.0)
    cut_off(sim, cluster, "agent-1")

    looks = []
    for _ in range(20):
        at = pruning_at(sim, cluster)
        assert at is not None
        looks.append((at - began) / 130.1)
        sim.advance(at - sim.now + 0.01)

    assert looks == pytest.approx([looks[0] + n for n in range(20)])
    assert looks[0] == pytest.approx(round(looks[0]))


# --- who comes back ---


@pytest.mark.scenario("PartitionTest.RegistryGcRace")
def test_an_agent_that_is_coming_back_is_not_forgotten(sim: Simulation) -> None:
    """Its return is being written when the lists are looked at: it is left out (1.9.1)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=3)
    asking = InverseOfferQueue(cluster)
    (first, _), (second, _), (third, third_time) = cut_off(sim, cluster, "agent-1", "agent-2", "agent-3")
    asked = sim.hold(ApplyOperation)
    back = sim.expect(AgentReregistered)
    sim.heal("agent-2")
    sim.run_until(lambda: asked.count, timeout=120.0)
    to_the_next_look(sim)
    assert [type(message.operation) for message in asked.all] == [MarkAgentReachable, PruneAgents]
    assert asked.all[1].operation == PruneAgents(unreachable=(first,))

    asked.release()
    sim.settle()

    assert back.first.agent_id == second
    assert asking.about(sim, first) == ("UNKNOWN", None)
    assert asking.about(sim, second) == ("GONE", None)
    assert asking.about(sim, third) == ("UNREACHABLE", third_time)


def test_an_agent_that_is_just_being_forgotten_comes_back_as_one_nobody_knows(sim: Simulation) -> None:
    """The other order: it is forgotten, with what operators had decided about it, and then admitted (1.3.7)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=3, masters=2)
    asking = InverseOfferQueue(cluster)
    (first, _), (second, _), (third, third_time) = cut_off(sim, cluster, "agent-1", "agent-2", "agent-3")
    cluster.operator.deactivate("agent-2")
    asked = sim.hold(ApplyOperation)
    to_the_next_look(sim)
    assert only(asked.all).operation == PruneAgents(unreachable=(first, second))

    sim.heal("agent-2")
    sim.run_until(lambda: asked.count == 2, timeout=120.0)
    asked.release()
    sim.settle()

    assert asking.about(sim, first) == ("UNKNOWN", None)
    assert asking.about(sim, second) == ("GONE", None)
    assert asking.about(sim, third) == ("UNREACHABLE", third_time)
    assert cluster.operator.state()["deactivated_agents"] == []
    fail_over(sim, cluster)
    sim.advance(30.0)
    agent = only(cluster.operator.state()["agents"])
    assert (agent["id"], agent["deactivated"]) == (second, False)


def test_even_a_gone_agent_may_come_back_once_it_is_forgotten(sim: Simulation) -> None:
    """Until then it is refused (1.3.2); afterwards nobody knows that it was to be gone for good (1.9.1)."""
    sim.settings = BY_AGE
    cluster = sim.cluster(agents=1)
    agent_id = id_of(cluster, "agent-1")
    cluster.agents["agent-1"].crash()
    cluster.operator.mark_gone("agent-1")
    cluster.agents["agent-1"].restart()
    never_told = sim.drop(ShutdownAgent)
    sim.advance(60.0)
    assert (never_told.count > 0, cluster.operator.state()["agents"]) == (True, [])
    cluster.agents["agent-1"].crash()

    sim.advance(2 * GC_S)
    assert cluster.operator.state()["gone_agents"] == {}
    cluster.agents["agent-1"].restart()
    sim.advance(60.0)

    assert only(cluster.operator.state()["agents"])["id"] == agent_id


# --- what operators decide meanwhile ---


def test_a_drain_of_an_agent_that_is_forgotten_has_ended(sim: Simulation) -> None:
    """Whoever waits for it finds out that its agent left, also from the next leader (4.6.8)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=2, masters=2)
    cut_off(sim, cluster, "agent-1")
    drain = cluster.operator.drain("agent-1")
    cut_off(sim, cluster, "agent-2")

    to_the_next_look(sim)

    ended = cluster.operator.state()["past_drains"]
    assert [(past["id"], past["state"]) for past in ended] == [(drain.id, "LEFT")]
    assert ended[0]["ended_at"] == pytest.approx(GC_S)
    assert cluster.operator.state()["drains"] == []
    fail_over(sim, cluster)
    assert (cluster.operator.state()["drains"], cluster.operator.state()["past_drains"]) == ([], ended)


@pytest.mark.parametrize("call", [DeactivateAgentCall, DrainAgentCall])
def test_nothing_is_decided_about_an_agent_that_is_being_forgotten(sim: Simulation, call: type) -> None:
    """It would be decided about nobody: the call is refused, and nothing stays in the registry (409)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=2, masters=2)
    (first, _), _ = cut_off(sim, cluster, "agent-1", "agent-2")
    applied = sim.hold(OperationApplied)
    to_the_next_look(sim)
    assert only(applied.all).operation == PruneAgents(unreachable=(first,))
    answered = sim.expect(CallAnswered)

    sim.inject(leader_of(cluster), call(call_id=1, agent_id=first), sender="operator")
    sim.settle()
    applied.release()
    sim.settle()

    assert answered.first.code == 409
    fail_over(sim, cluster)
    assert cluster.operator.state()["deactivated_agents"] == []


@pytest.mark.parametrize(("call", "operation"), [(DeactivateAgentCall, DeactivateAgent), (DrainAgentCall, StartDrain)])
def test_an_agent_about_which_something_is_being_decided_is_not_forgotten_yet(
    sim: Simulation, call: type, operation: type
) -> None:
    """The other order: it is left out, until the next look (1.9.1)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=2)
    (first, _), _ = cut_off(sim, cluster, "agent-1", "agent-2")
    applied = sim.hold(OperationApplied, where=writes(operation))
    sim.inject(leader_of(cluster), call(call_id=1, agent_id=first), sender="operator")
    to_the_next_look(sim)
    assert first in cluster.operator.state()["unreachable_agents"]

    applied.release()
    sim.settle()
    assert cluster.operator.state()["deactivated_agents"] == [first]
    to_the_next_look(sim)

    assert first not in cluster.operator.state()["unreachable_agents"]
    assert cluster.operator.state()["deactivated_agents"] == []


def test_an_agent_that_is_being_marked_gone_is_not_forgotten_yet(sim: Simulation) -> None:
    """It goes to the other list, and grows old there (1.9.1, 4.7.2)."""
    sim.settings = ONE_ONLY
    cluster = sim.cluster(agents=2)
    (first, _), _ = cut_off(sim, cluster, "agent-1", "agent-2")
    written = sim.expect(ApplyOperation)
    applied = sim.hold(OperationApplied, where=writes(MarkAgentGone))
    sim.advance(GC_S - sim.now % GC_S - 1.0)
    sim.inject(leader_of(cluster), MarkAgentGoneCall(call_id=1, agent_id=first), sender="operator")

    sim.advance(2.0)
    applied.release()
    sim.settle()

    assert [type(message.operation) for message in written.all] == [MarkAgentGone]
    assert list(cluster.operator.state()["gone_agents"]) == [first]


# --- what operators decided stays with an agent that goes to and fro ---


def to_and_fro(sim: Simulation, cluster: SimulatedCluster) -> Iterator[Books]:
    """Let agent-1 become unreachable, come back, and do both under a new leader; what is known in between."""
    for _ in range(2):
        cut_off(sim, cluster, "agent-1")
        yield cluster.operator.state()
        sim.heal()
        sim.run_until(lambda: cluster.operator.state()["agents"], timeout=120.0)
        yield cluster.operator.state()
        fail_over(sim, cluster)
        yield cluster.operator.state()
        sim.run_until(lambda: cluster.operator.state()["agents"], timeout=120.0)


@pytest.mark.scenario("RegistrarTest.DeactivateAgent")
def test_an_agent_stays_deactivated_wherever_it_goes(sim: Simulation) -> None:
    """Unknown agents cannot be deactivated, and nothing is written then; a known one stays so (4.1.2, 4.6.3)."""
    cluster = sim.cluster(agents=1, masters=3)
    agent_id = id_of(cluster, "agent-1")
    written = sim.expect(ApplyOperation)
    with pytest.raises(Refused, match="there is no agent 'm1-S9'"):
        cluster.operator.deactivate("m1-S9")
    assert written.count == 0

    cluster.operator.deactivate("agent-1")

    assert only(written.all).operation == DeactivateAgent(agent_id=agent_id)
    for known in to_and_fro(sim, cluster):
        assert (known["deactivated_agents"], known["drains"], known["past_drains"]) == ([agent_id], [], [])
    assert only(cluster.operator.state()["agents"])["deactivated"]


@pytest.mark.scenario("RegistrarTest.MarkAgentDrained")
def test_an_agent_stays_drained_wherever_it_goes(sim: Simulation) -> None:
    """Not told to drain it cannot be drained, and nothing is written; drained it is DRAINED in every list (4.5.5)."""
    cluster = sim.cluster(agents=1, masters=3)
    agent_id = id_of(cluster, "agent-1")
    written = sim.expect(ApplyOperation)
    sim.inject(leader_of(cluster), AgentDrained(agent_id=agent_id), sender="agent-1")
    sim.settle()
    assert written.count == 0

    drain = cluster.operator.drain("agent-1")
    sim.settle()

    assert [type(message.operation) for message in written.all] == [StartDrain, EndDrain]
    for known in to_and_fro(sim, cluster):
        assert (known["deactivated_agents"], known["drains"]) == ([agent_id], [])
        assert [(past["id"], past["state"]) for past in known["past_drains"]] == [(drain.id, "DRAINED")]
    assert only(cluster.operator.state()["agents"])["deactivated"]


@pytest.mark.scenario("RegistrarTest.MarkUnreachable")
def test_an_agent_is_marked_unreachable_as_often_as_it_comes_back(sim: Simulation) -> None:
    """Once more than it is marked reachable; one that is marked is not marked again, whoever asks (1.6.1)."""
    cluster = sim.cluster(agents=1)
    written = sim.expect(ApplyOperation)
    cut_off(sim, cluster, "agent-1")
    sim.heal()
    sim.run_until(lambda: cluster.operator.state()["agents"], timeout=120.0)
    # The second time it takes long, its checks go on failing, and it has not come back in ten minutes either.
    applied = sim.hold(OperationApplied)
    sim.inject("master-1", PeerExited("agent-1", 1), sender="agent-1")  # type: ignore[arg-type]
    sim.partition("agent-1", "master-1")
    sim.advance(700.0)
    assert applied.count == 1
    applied.release()
    sim.settle()

    kinds = [MarkAgentUnreachable, MarkAgentReachable, MarkAgentUnreachable]
    assert [type(message.operation) for message in written.all] == kinds


# --- the schedule ---


@pytest.mark.scenario("RegistrarTest.StopMaintenance")
def test_a_machine_that_is_up_again_leaves_the_schedule(sim: Simulation) -> None:
    """And its window with it, if it was the only one there; at the end nothing is left, nor in the registry (5.5.5)."""
    cluster = sim.cluster(agents=0, masters=3)
    away = Unavailability(start=60.0)
    two = Window(machines=("one", "two"), unavailability=away)
    cluster.operator.update_maintenance_schedule([two, Window(machines=("three",), unavailability=away)])
    operator = cluster.operator

    def machines(mode: str) -> list[str]:
        status: Any = operator.maintenance_status()
        return [machine["hostname"] for machine in status[f"{mode}_machines"]]

    operator.machine_down(["three"])
    assert (machines("draining"), len(operator.maintenance_schedule())) == (["one", "two"], 2)
    operator.machine_up(["three"])
    assert (machines("draining"), len(operator.maintenance_schedule())) == (["one", "two"], 1)
    operator.machine_down(["one", "two"])
    operator.machine_up(["one", "two"])

    for _ in range(2):
        assert (machines("draining"), machines("down"), operator.maintenance_schedule()) == ([], [], [])
        fail_over(sim, cluster)
