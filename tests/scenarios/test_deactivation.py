"""Operators take agents out of the offers and put them back (drain.md 2.5, 4.1, 4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Refused, SimulatedWork, Simulation, Unavailability, Window
from mesolite.messages import (
    ApplyOperation,
    CallAnswered,
    DeactivateAgentCall,
    DrainAgentCall,
    OperationApplied,
    PingAgent,
    PongAgent,
    ReactivateAgentCall,
    RescindOffer,
    UnregisterAgent,
)
from mesolite.messages.registrar import DeactivateAgent, ReactivateAgent, RemoveAgent, StartDrain
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    fail_over,
    id_of,
    only,
    place,
    shown,
    writes,
)

# ----------------------------------------------------------------------------------------------- deactivate, 4.1


def test_a_deactivated_agent_is_offered_to_nobody_and_its_tasks_go_on(sim: Simulation) -> None:
    """Its offers are rescinded, none are made, its tasks report, its health is checked (2.5.1, 4.1.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", SimulatedWork(duration=5.0)), refuse_s=0.0)
    cluster.run(framework, framework=AWARE)
    sim.advance(3.0)
    outstanding = framework.offers[-1].id
    pings = sim.expect(PingAgent)
    told = sim.expect(receiver="agent-1", sender="master-1", where=lambda message: type(message) is not PingAgent)

    cluster.operator.deactivate("agent-1")
    sim.settle()
    assert framework.rescinded == [outstanding]
    assert (shown(cluster)["connected"], shown(cluster)["active"], shown(cluster)["deactivated"]) == (True, False, True)
    assert told.count == 0, "an agent is not told that it is deactivated"
    offers = len(framework.offers)
    sim.advance(60.0)

    assert len(framework.offers) == offers
    assert framework.states("t1") == ["STARTING", "RUNNING", "FINISHED"]
    assert pings.count >= 3
    check_books(sim)


def test_deactivating_twice_is_harmless(sim: Simulation) -> None:
    """The second call is answered like the first, and one reactivation undoes both (4.1.3)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.operator.deactivate("agent-1")
    cluster.operator.deactivate("agent-1")

    cluster.operator.reactivate("agent-1")
    sim.advance(1.0)

    assert len(framework.offers) == 2


def test_it_does_not_matter_that_the_machine_is_scheduled_for_maintenance(sim: Simulation) -> None:
    """Contrast 4.3.2: a scheduled agent can be deactivated, though not drained (4.1.4)."""
    cluster = sim.cluster(agents=1)
    machine = cluster.agents["agent-1"].machine_id
    cluster.operator.update_maintenance_schedule([Window(machines=[machine], unavailability=Unavailability(start=1e6))])

    cluster.operator.deactivate("agent-1")

    assert shown(cluster)["deactivated"]


def test_an_agent_that_is_known_only_from_the_registry_can_be_deactivated(sim: Simulation) -> None:
    """It comes back inactive (4.1.1, 1.3.8 step 3)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    cluster.agents["agent-1"].power_off()
    fail_over(sim, cluster)
    sim.advance(5.0)

    cluster.operator.deactivate("agent-1")
    offers = len(framework.offers)
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert (shown(cluster)["connected"], shown(cluster)["active"]) == (True, False)
    assert len(framework.offers) == offers


def test_an_unreachable_agent_can_be_deactivated(sim: Simulation) -> None:
    """The mark waits for it; a master failover in between does not lose it (4.1.1, 4.6.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    pongs = sim.drop(PongAgent)
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)

    cluster.operator.deactivate("agent-1")
    sim.forget(pongs)
    fail_over(sim, cluster)
    offers = len(framework.offers)
    sim.advance(100.0)

    assert (shown(cluster)["connected"], shown(cluster)["active"]) == (True, False)
    assert len(framework.offers) == offers


def test_a_deactivated_agent_that_reconnects_stays_inactive(sim: Simulation) -> None:
    """Coming back does not undo what an operator decided (1.3.5 step 6)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=CHECKPOINTED)
    sim.settle()
    cluster.operator.deactivate("agent-1")

    cluster.agents["agent-1"].crash()
    sim.settle()
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert (shown(cluster)["connected"], shown(cluster)["active"]) == (True, False)
    assert len(framework.offers) == 1


@pytest.mark.parametrize("verb", ["deactivate", "reactivate", "drain"])
def test_an_unknown_agent_is_refused(sim: Simulation, verb: str) -> None:
    """400, saying where to find the agents (4.1.1, 4.2.1, 4.3.3)."""
    cluster = sim.cluster(agents=1)
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match=r"there is no agent 'm9-S9'; the state lists the agents by id"):
        getattr(cluster.operator, verb)("m9-S9")

    assert answers.first.code == 400


@pytest.mark.parametrize("verb", ["deactivate", "reactivate", "drain"])
def test_an_agent_that_is_just_leaving_is_refused(sim: Simulation, verb: str) -> None:
    """409 while its removal is being written: what would be recorded about it would outlive it."""
    cluster = sim.cluster(agents=1)
    cluster.operator.deactivate("agent-1")
    held = sim.hold(OperationApplied, where=writes(RemoveAgent))
    sim.inject("master-1", UnregisterAgent(agent_id=id_of(cluster)), sender="agent-1")
    sim.settle()
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match="is just being removed"):
        getattr(cluster.operator, verb)("agent-1")
    held.release()
    sim.settle()

    assert answers.first.code == 409
    assert cluster.operator.state()["deactivated_agents"] == []


# ----------------------------------------------------------------------------------------------- reactivate, 4.2


def test_an_agent_that_is_not_deactivated_cannot_be_reactivated(sim: Simulation) -> None:
    """400: there is nothing to undo (4.2.1)."""
    cluster = sim.cluster(agents=1)
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match="is not deactivated, so there is nothing to undo"):
        cluster.operator.reactivate("agent-1")

    assert answers.first.code == 400


def test_a_reactivated_agent_is_offered_with_the_next_allocation(sim: Simulation) -> None:
    """Within a second; the agent itself is told nothing (4.2.3, 4.2.5)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.operator.deactivate("agent-1")
    sim.advance(10.0)
    told = sim.expect(receiver="agent-1", sender="master-1", where=lambda message: type(message) is not PingAgent)

    cluster.operator.reactivate("agent-1")
    assert shown(cluster)["active"]
    sim.advance(1.0)

    assert [offer.agent_id for offer in framework.offers] == [id_of(cluster)] * 2
    assert told.count == 0


def test_an_agent_reactivated_while_disconnected_is_offered_when_it_is_back(sim: Simulation) -> None:
    """Not before: nobody is there to run anything (4.2.3)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.operator.deactivate("agent-1")
    cluster.agents["agent-1"].crash()
    sim.settle()

    cluster.operator.reactivate("agent-1")
    sim.advance(10.0)
    assert (len(framework.offers), shown(cluster)["active"]) == (1, False)
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert len(framework.offers) == 2


def test_an_absent_agent_can_be_reactivated(sim: Simulation) -> None:
    """Ours: it is done, and answered so; Mesos does it and answers 409 (4.2.4, 10.9)."""
    cluster = sim.cluster(agents=1)
    cluster.operator.deactivate("agent-1")
    pongs = sim.drop(PongAgent)
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)

    cluster.operator.reactivate("agent-1")
    sim.forget(pongs)
    sim.advance(100.0)

    assert (shown(cluster)["active"], shown(cluster)["deactivated"]) == (True, False)


@pytest.mark.scenario("MasterDrainingTest2.DisallowReactivationWhileDraining")
def test_a_draining_agent_cannot_be_reactivated(sim: Simulation) -> None:
    """400, saying that it is draining and what to wait for; the drain goes on (4.2.1, 4.3.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    sim.settle()
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match=f"is draining and a drain cannot be called off; .*{drain.id} has ended"):
        cluster.operator.reactivate("agent-1")

    assert answers.first.code == 400
    assert shown(cluster)["drain"]["state"] == "DRAINING"


# ------------------------------------------------------------------------------------------------------------ races


def test_until_it_is_written_a_deactivated_agent_is_offered(sim: Simulation) -> None:
    """Registry first: an offer made while the write is under way is rescinded when it is done (0.2.4, 2.5.2)."""
    cluster = sim.cluster(agents=1)
    applied = sim.hold(OperationApplied)
    place(sim, cluster, DeactivateAgentCall(call_id=1, agent_id=id_of(cluster)))
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.advance(2.0)
    assert (len(framework.offers), framework.rescinded) == (1, [])

    applied.release()
    sim.advance(10.0)

    assert framework.rescinded == [framework.offers[0].id]
    assert len(framework.offers) == 1


def test_once_it_is_written_no_offer_is_made(sim: Simulation) -> None:
    """The other order: the framework that comes after the deactivation is offered nothing (2.5.2)."""
    cluster = sim.cluster(agents=1)
    place(sim, cluster, DeactivateAgentCall(call_id=1, agent_id=id_of(cluster)))
    framework = Recorder()
    cluster.run(framework, framework=AWARE)

    sim.advance(10.0)

    assert framework.offers == []


def test_accepting_an_offer_that_is_being_rescinded_drops_the_task(sim: Simulation) -> None:
    """DROPPED with INVALID_OFFERS, and the cause as data: it never started (2.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    rescinds = sim.hold(RescindOffer)
    cluster.operator.deactivate("agent-1")

    driver.launch_tasks(framework.offers, command_task("t1"))
    rescinds.release()
    sim.settle()

    status = only(framework.updates("t1"))
    assert about(status) == ("DROPPED", "MASTER", "INVALID_OFFERS")
    assert str(status.cause) == "NEVER_STARTED"


def test_an_accept_that_comes_before_the_rescind_launches(sim: Simulation) -> None:
    """The other order: deactivation touches no task (2.5.1)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.settle()

    cluster.operator.deactivate("agent-1")
    sim.advance(10.0)

    assert framework.states("t1") == ["STARTING", "RUNNING"]


def deactivated_at_last(sim: Simulation, cluster: SimulatedCluster, *calls: Any) -> tuple[list[int], Any]:
    """Put these calls before the leader while nothing is written; the codes of the answers, and what came of it."""
    applied = sim.hold(OperationApplied)
    answers = sim.expect(CallAnswered)
    for message in calls:
        place(sim, cluster, message)
    applied.release()
    sim.settle()
    codes = {answer.call_id: answer.code for answer in answers.all}
    now, later = shown(cluster), None
    fail_over(sim, cluster)
    sim.advance(100.0)
    later = shown(cluster)
    for fact in ("deactivated", "active"):
        assert now[fact] == later[fact], "the registry holds something else than the master"
    assert (now["drain"] is None) == (later["drain"] is None), "the registry holds something else than the master"
    return [codes[number] for number in sorted(codes)], later


def test_deactivating_an_agent_whose_drain_is_being_written_does_not_lose_the_drain(sim: Simulation) -> None:
    """Of two calls that overlap both count, in memory and in the registry: it is drained (4.1.3, 4.3.4)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = id_of(cluster)

    codes, agent = deactivated_at_last(
        sim, cluster, DrainAgentCall(call_id=1, agent_id=agent_id), DeactivateAgentCall(call_id=2, agent_id=agent_id)
    )

    assert codes == [200, 200]
    assert (agent["deactivated"], agent["drain"]["state"]) == (True, "DRAINED")


def test_draining_an_agent_whose_deactivation_is_being_written_drains_it(sim: Simulation) -> None:
    """The other order."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = id_of(cluster)

    codes, agent = deactivated_at_last(
        sim, cluster, DeactivateAgentCall(call_id=1, agent_id=agent_id), DrainAgentCall(call_id=2, agent_id=agent_id)
    )

    assert codes == [200, 200]
    assert (agent["deactivated"], agent["drain"]["state"]) == (True, "DRAINED")


def test_reactivating_an_agent_whose_drain_is_being_written_is_refused(sim: Simulation) -> None:
    """A drain cannot be called off, not even before it has begun (4.3.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = id_of(cluster)
    cluster.operator.deactivate("agent-1")

    codes, agent = deactivated_at_last(
        sim, cluster, DrainAgentCall(call_id=1, agent_id=agent_id), ReactivateAgentCall(call_id=2, agent_id=agent_id)
    )

    assert codes == [200, 400]
    assert (agent["deactivated"], agent["drain"]["state"]) == (True, "DRAINED")


def test_draining_an_agent_whose_reactivation_is_being_written_drains_it(sim: Simulation) -> None:
    """The other order: the later call counts."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = id_of(cluster)
    cluster.operator.deactivate("agent-1")

    codes, agent = deactivated_at_last(
        sim, cluster, ReactivateAgentCall(call_id=1, agent_id=agent_id), DrainAgentCall(call_id=2, agent_id=agent_id)
    )

    assert codes == [200, 200]
    assert (agent["deactivated"], agent["drain"]["state"]) == (True, "DRAINED")


@pytest.mark.parametrize("first_deactivates", [True, False])
def test_of_deactivation_and_reactivation_the_later_call_counts(sim: Simulation, first_deactivates: bool) -> None:
    """Whichever is done first, in memory and in the registry."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = id_of(cluster)
    if not first_deactivates:
        cluster.operator.deactivate("agent-1")
    kinds: list[Any] = [ReactivateAgentCall, DeactivateAgentCall]
    if first_deactivates:
        kinds.reverse()

    calls = [kind(call_id=number, agent_id=agent_id) for number, kind in enumerate(kinds, start=1)]
    codes, agent = deactivated_at_last(sim, cluster, *calls)

    assert codes == [200, 200]
    assert agent["deactivated"] is not first_deactivates


def test_what_is_decided_is_written_once_per_call(sim: Simulation) -> None:
    """A deactivation that holds already costs no write."""
    cluster = sim.cluster(agents=1)
    written = sim.expect(ApplyOperation)

    cluster.operator.deactivate("agent-1")
    cluster.operator.deactivate("agent-1")
    cluster.operator.reactivate("agent-1")

    assert [type(message.operation) for message in written.all] == [DeactivateAgent, ReactivateAgent]


def test_a_repeated_call_is_not_answered_before_the_first_is_durable(sim: Simulation) -> None:
    """200 means that it will outlive the master (0.2.4)."""
    cluster = sim.cluster(agents=1)
    applied, answers = sim.hold(OperationApplied), sim.expect(CallAnswered)
    for call_id in (1, 2):
        place(sim, cluster, DeactivateAgentCall(call_id=call_id, agent_id=id_of(cluster)))
    assert answers.count == 0

    applied.release()
    sim.settle()

    assert [(answer.call_id, answer.code) for answer in answers.all] == [(1, 200), (2, 200)]


@pytest.mark.parametrize(("kind", "operation"), [(DrainAgentCall, StartDrain), (DeactivateAgentCall, DeactivateAgent)])
def test_a_decision_about_an_agent_that_left_meanwhile_is_not_kept(sim: Simulation, kind: Any, operation: type) -> None:
    """Its answer comes late, when the agent is deleted: nothing stays behind (4.6.8)."""
    cluster = sim.cluster(agents=1)
    agent_id = id_of(cluster)
    late = sim.hold(OperationApplied, where=writes(operation))
    place(sim, cluster, kind(call_id=1, agent_id=agent_id))
    sim.inject("master-1", UnregisterAgent(agent_id=agent_id), sender="agent-1")
    sim.settle()

    late.release()
    sim.settle()

    state = cluster.operator.state()
    assert (state["deactivated_agents"], state["drains"]) == ([], [])
    assert [drain["state"] for drain in state["past_drains"]] == (["LEFT"] if operation is StartDrain else [])
