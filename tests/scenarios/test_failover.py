"""A successor takes over: a new instance of a scheduler, a new leader, an agent that asks again (core.md 3.3, 3.4)."""

from __future__ import annotations

import attrs
import pytest

from mesolite import Capability, Filters, FrameworkInfo, SchedulerDriver, SimulatedWork, Simulation
from mesolite.actors.decisions.contract import PeerExited
from mesolite.messages import (
    AgentRegistered,
    AgentReregistered,
    ApplyOperation,
    ExitedExecutor,
    FrameworkError,
    FrameworkRegistered,
    KillTask,
    RegisterAgent,
    RescindOffer,
    ResourceOffers,
    RunTask,
    StatusUpdate,
    Subscribe,
    UpdateFramework,
)
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.registrar import MarkAgentReachable
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    Launcher,
    Recorder,
    about,
    command_task,
    counters,
    executor_task,
    fail_over,
    framework_of,
    lose_session,
    only,
    tell_executor,
)

WEEK_S = 7 * 86400.0
LASTING = FrameworkInfo(name="lasting", failover_timeout_s=2 * WEEK_S)


def successor_of(info: FrameworkInfo, driver: SchedulerDriver, **changes: object) -> FrameworkInfo:
    """The same framework, as its next instance presents it."""
    return attrs.evolve(info, id=FrameworkId(str(driver.framework_id)), **changes)  # type: ignore[attr-defined]


@pytest.mark.scenario("SchedulerTest.SchedulerFailover")
def test_of_two_instances_the_newer_one_wins(sim: Simulation) -> None:
    """The newcomer is registered under the same id; the old instance gets an error, its last word (FW-18)."""
    cluster = sim.cluster(agents=1)
    old, new = Recorder(), Recorder()
    old_driver = cluster.run(old, framework=LASTING)
    sim.settle()
    rescinds = sim.expect(RescindOffer)

    new_driver = cluster.run(new, framework=successor_of(LASTING, old_driver))
    sim.advance(2.0)

    assert "failed over" in only(old.errors)
    assert old.names[-1] == "error"
    assert new.names[0] == "registered"
    assert new_driver.framework_id == old_driver.framework_id
    # Its offers are discarded without a word, and made anew to the newcomer.
    assert rescinds.count == 0
    assert only(old.offers).resources == only(new.offers).resources


@pytest.mark.scenario("FaultToleranceTest.SchedulerFailoverRetriedReregistration")
def test_a_newcomer_whose_answer_was_lost_asks_again_and_is_not_taken_for_a_stranger(sim: Simulation) -> None:
    """Its retry is answered; only the old instance is told that the framework failed over (FW-20, EL-57)."""
    cluster = sim.cluster(agents=0)
    old, new = Recorder(), Recorder()
    old_driver = cluster.run(old, framework=LASTING)
    sim.settle()
    sim.drop(FrameworkRegistered, times=1)

    cluster.run(new, framework=successor_of(LASTING, old_driver))
    sim.settle()
    assert new.names == []
    sim.advance(2.0)

    assert new.names == ["registered"]
    assert len(old.errors) == 1


@pytest.mark.scenario("FaultToleranceTest.FrameworkReregister")
def test_a_driver_that_hears_of_the_same_leader_again_reregisters(sim: Simulation) -> None:
    """disconnected, then reregistered; its offers are rescinded, and made again at the next allocation (FW-19)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=LASTING)
    sim.advance(2.0)
    rescinds = sim.expect(RescindOffer)

    lose_session(sim, "lasting")
    sim.advance(1.0)

    told = [name for name in framework.names if name != "offer_rescinded"]
    assert told == ["registered", "resource_offers", "disconnected", "reregistered", "resource_offers"]
    first, second = framework.offers
    assert rescinds.first.offer_id == first.id
    assert second.resources == first.resources
    found = framework_of(cluster)
    assert (found["active"], found["connected"], found["recovered"]) == (True, True, False)


@pytest.mark.scenario("SchedulerTest.SchedulerReconnect")
def test_a_driver_without_a_master_is_disconnected_once(sim: Simulation) -> None:
    """A blip is disconnected and back; a lost master is disconnected once, whatever happens meanwhile (EL-55)."""
    cluster = sim.cluster(agents=0, masters=1)
    framework = Recorder()
    cluster.run(framework, framework=LASTING)
    sim.settle()

    lose_session(sim, "lasting")
    sim.advance(5.0)
    assert framework.names == ["registered", "disconnected", "reregistered"]
    cluster.masters["master-1"].crash()
    sim.advance(20.0)
    assert framework.names[3:] == ["disconnected"]
    lose_session(sim, "lasting")
    sim.advance(20.0)

    assert framework.names[3:] == ["disconnected"]


@pytest.mark.scenario("FaultToleranceTest.IgnoreKillTaskFromUnregisteredFramework")
def test_a_kill_from_an_instance_that_was_replaced_is_ignored(sim: Simulation) -> None:
    """Even if it never heard that it was replaced: the master knows whose calls count (FW-33)."""
    cluster = sim.cluster(agents=1)
    old, new = Launcher(executor_task("t1")), Recorder()
    old_driver = cluster.run(old, framework=LASTING, executors=EXECUTORS)
    sim.settle()
    sim.drop(FrameworkError)
    new_driver = cluster.run(new, framework=successor_of(LASTING, old_driver))
    sim.settle()
    kills = sim.expect(KillTask, receiver="agent-1")
    seen_by_old = len(old.calls)

    old_driver.kill_task("t1")
    sim.settle()
    assert kills.count == 0
    new_driver.send_framework_message("e1", AgentId(str(cluster.agents["agent-1"].id)), "TASK_FINISHED t1")
    sim.advance(20.0)

    assert new.states("t1")[-1] == "FINISHED"
    assert len(old.calls) == seen_by_old


@pytest.mark.scenario("FaultToleranceTest.SchedulerFailoverExecutorToFrameworkMessage")
def test_an_executors_message_goes_to_the_newer_instance_only(sim: Simulation) -> None:
    """After the agent was told where the scheduler is now, what executors say goes there (FW-22, FW-23)."""
    cluster = sim.cluster(agents=1)
    old, new = Launcher(executor_task("t1")), Recorder()
    old_driver = cluster.run(old, framework=LASTING, executors=EXECUTORS)
    sim.settle()
    told = sim.expect(UpdateFramework, receiver="agent-1")
    cluster.run(new, framework=successor_of(LASTING, old_driver))
    sim.settle()
    assert told.count == 1

    tell_executor(sim, cluster, old_driver, "hello")
    sim.settle()

    assert [call.arguments[2] for call in new.named("framework_message")] == ["hello"]
    assert old.count("framework_message") == 0
    assert "failed over" in only(old.errors)


@pytest.mark.scenario("FaultToleranceTest.SchedulerReregisterAfterFailoverTimeout")
def test_a_framework_whose_failover_timeout_is_over_cannot_come_back(sim: Simulation) -> None:
    """With the default of 0 s it is completed at once; a newcomer with its id is refused for good (FW-11, FW-30)."""
    cluster = sim.cluster(agents=0)
    old, new = Recorder(), Recorder()
    old_driver = cluster.run(old, framework="framework")
    sim.settle()

    sim.inject("master-1", PeerExited("framework", 1), sender="framework")  # type: ignore[arg-type]
    sim.settle()
    cluster.run(new, framework=successor_of(FrameworkInfo(name="framework"), old_driver))
    sim.advance(10.0)

    assert only(cluster.operator.state()["completed_frameworks"])["id"] == old_driver.framework_id
    assert new.names == ["error"]
    assert "removed" in only(new.errors)


def test_a_framework_may_come_back_until_its_failover_timeout(sim: Simulation) -> None:
    """The countdown ends with a new session; an old timer cannot end that (FW-28, FW-29)."""
    cluster = sim.cluster(agents=1)
    info = FrameworkInfo(name="framework", failover_timeout_s=100.0)
    old, new = Launcher(command_task("t1")), Recorder()
    old_driver = cluster.run(old, framework=info)
    sim.advance(1.0)
    old_driver.stop(failover=True)
    sim.advance(99.0)

    driver = cluster.run(new, framework=successor_of(info, old_driver))
    sim.advance(50.0)
    assert framework_of(cluster)["connected"]
    driver.stop(failover=True)
    sim.advance(99.0)
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]
    sim.advance(2.0)

    assert cluster.operator.state()["frameworks"] == []
    assert [task["state"] for task in only(cluster.operator.state()["completed_frameworks"])["completed_tasks"]] == [
        "TASK_KILLED"
    ]


def test_a_driver_whose_link_broke_while_it_lives_is_told_to_abort(sim: Simulation) -> None:
    """The master takes it for gone and says so; what it says after that is answered with an error (FW-28, FW-32)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    driver = cluster.run(framework, framework=LASTING)
    sim.settle()
    unheard = sim.drop(FrameworkError, times=1)
    sim.inject("master-1", PeerExited("lasting", 1), sender="lasting")  # type: ignore[arg-type]
    sim.settle()
    assert (unheard.count, framework.errors) == (1, [])

    driver.revive_offers()
    sim.settle()

    assert "disconnected" in only(framework.errors)


@pytest.mark.scenario("FaultToleranceTest.UpdateFrameworkInfoOnSchedulerFailover")
def test_a_newcomer_may_change_what_the_framework_says_of_itself(sim: Simulation) -> None:
    """Name, failover timeout and capabilities are those of the newest instance (FW-24)."""
    cluster = sim.cluster(agents=0)
    old, new = Recorder(), Recorder()
    old_driver = cluster.run(old, framework=LASTING)
    sim.settle()

    info = successor_of(
        LASTING, old_driver, name="renamed", failover_timeout_s=WEEK_S, capabilities=(Capability.PARTITION_AWARE,)
    )
    cluster.run(new, framework=info)
    sim.settle()

    found = framework_of(cluster)
    assert (found["name"], found["failover_timeout_s"], found["capabilities"]) == (
        "renamed",
        WEEK_S,
        ["PARTITION_AWARE"],
    )
    assert "failed over" in only(old.errors)


@pytest.mark.scenario("FaultToleranceTest.UpdateFrameworkInfoOnMasterFailover")
def test_checkpointing_cannot_be_given_up_after_a_masters_death(sim: Simulation) -> None:
    """What the agent reported of the framework holds: name and time-out may change, checkpointing not (FW-24)."""
    cluster = sim.cluster(agents=1, masters=2)
    old_driver = cluster.run(Launcher(command_task("t1")), framework=CHECKPOINTED)
    sim.advance(1.0)
    old_driver.stop(failover=True)
    fail_over(sim, cluster)
    sim.advance(5.0)
    assert framework_of(cluster)["recovered"]

    info = successor_of(CHECKPOINTED, old_driver, name="renamed", failover_timeout_s=WEEK_S, checkpoint=False)
    cluster.run(Recorder(), framework=info)
    sim.settle()

    found = framework_of(cluster)
    assert (found["name"], found["failover_timeout_s"], found["checkpoint"]) == ("renamed", WEEK_S, True)


@pytest.mark.scenario("FaultToleranceTest.ReregisterCompletedFrameworks")
def test_a_framework_without_tasks_is_no_completed_framework(sim: Simulation) -> None:
    """Its only task is over and gone from the agent; the new leader still shows it as active (EL-43)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=LASTING)
    sim.advance(1.0)
    driver.kill_task("t1")
    sim.advance(5.0)
    assert framework.states("t1")[-1] == "KILLED"

    fail_over(sim, cluster)
    sim.advance(60.0)

    assert (framework_of(cluster)["active"], framework_of(cluster)["tasks"]) == (True, [])
    assert cluster.operator.state()["completed_frameworks"] == []


@pytest.mark.scenario("FaultToleranceTest.ReregisterFrameworkExitedExecutor")
def test_a_framework_can_return_though_its_executor_is_gone_and_its_task_is_not(sim: Simulation) -> None:
    """The last updates were lost, so the new leader has a live task without an executor, and stands it."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=LASTING, executors=EXECUTORS)
    sim.advance(1.0)
    subscriptions = sim.hold(Subscribe)
    fail_over(sim, cluster)
    sim.advance(5.0)
    sim.drop(StatusUpdate, sender="agent-1")
    exits = sim.expect(ExitedExecutor, sender="agent-1")
    tell_executor(sim, cluster, driver, "stop")
    sim.advance(5.0)
    assert exits.count == 1

    subscriptions.release()
    sim.advance(5.0)

    assert framework.names[-1] in ("registered", "resource_offers")
    assert [(task["task_id"], task["state"]) for task in framework_of(cluster)["tasks"]] == [("t1", "TASK_RUNNING")]


@pytest.mark.scenario("MasterAllocatorTest.SlaveReregistersFirst")
def test_what_an_agent_reports_before_its_framework_returns_is_not_offered_twice(sim: Simulation) -> None:
    """The framework is recovered and not offered to; once it returns it is offered what its task leaves (EL-44)."""
    cluster = sim.cluster(agents=1, masters=2, resources="cpus:2;mem:1024")
    framework = Launcher(command_task("t1", resources="cpus:1;mem:500"))
    cluster.run(framework, framework=LASTING)
    sim.advance(1.0)
    subscriptions = sim.hold(Subscribe)
    fail_over(sim, cluster)
    offers = sim.expect(ResourceOffers)
    sim.advance(5.0)
    assert (framework_of(cluster)["recovered"], framework_of(cluster)["active"], offers.count) == (True, False, 0)

    subscriptions.release()
    sim.settle()

    assert str(framework.offers[-1].resources) == "cpus:1;mem:524"
    assert offers.count == 1


@pytest.mark.scenario("FaultToleranceTest.SlaveReliableRegistration")
def test_an_agent_whose_answer_was_lost_asks_again_and_is_registered_once(sim: Simulation) -> None:
    """The repeat gets the same answer, and the agent's resources are offered (1.2.3, RC-13)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    cluster.run(framework, framework=LASTING)
    sim.settle()
    sim.drop(AgentRegistered, times=1)
    asked = sim.expect(RegisterAgent)

    agent = cluster.add_agent()
    sim.advance(3.1)

    assert asked.count >= 2
    assert agent.registered
    assert counters(cluster)["slave_registrations"] == 1
    assert [offer.agent_id for offer in framework.offers] == [agent.id]


@pytest.mark.scenario("SlaveTest.UnreachableAgentReregisterAfterFailover")
def test_an_unreachable_agent_is_made_reachable_by_the_next_leader(sim: Simulation) -> None:
    """The registry says so before the agent is answered (1.3.7, 0.2.4)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent = cluster.agents["agent-1"]
    agent.power_off()
    sim.advance(100.0)
    assert list(cluster.operator.state()["unreachable_agents"])
    fail_over(sim, cluster)
    said = sim.expect((ApplyOperation, AgentReregistered))

    agent.restart()
    sim.advance(5.0)

    assert [type(message) for message in said.all] == [ApplyOperation, AgentReregistered]
    assert isinstance(said.first.operation, MarkAgentReachable)
    assert cluster.operator.state()["unreachable_agents"] == {}


@pytest.mark.scenario("FaultToleranceTest.DisconnectedSchedulerLaunchDropped")
def test_a_launch_without_a_master_is_dropped_by_the_driver_itself(sim: Simulation) -> None:
    """The driver answers for the master that is not there: DROPPED, MASTER_DISCONNECTED (OF-62)."""
    cluster = sim.cluster(agents=1, masters=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.masters["master-1"].crash()
    sim.advance(20.0)

    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()

    dropped = only(framework.updates("t1"))
    assert (dropped.state.name, dropped.reason.name) == ("TASK_DROPPED", "REASON_MASTER_DISCONNECTED")


def test_what_is_in_no_registry_and_at_no_agent_ends_with_its_leader(sim: Simulation) -> None:
    """Offers, filters, launches that got lost, what has ended: the next leader knows nothing of them (EL-46)."""
    cluster = sim.cluster(agents=2, masters=2, resources="cpus:4;mem:1024")
    framework = Launcher(command_task("t1", SimulatedWork(duration=1.0)), refuse_s=WEEK_S)
    driver = cluster.run(framework, framework=LASTING)
    sim.advance(2.0)
    former = cluster.run(Recorder(), framework=AWARE)
    sim.settle()
    former.stop()
    _, other, whole = framework.offers
    driver.decline_offer(whole, Filters(refuse_seconds=WEEK_S))
    sim.drop(RunTask)
    driver.launch_tasks(other, command_task("t2"))
    sim.advance(10.0)
    rest = framework.offers[-1]
    state = cluster.operator.state()
    assert [offer["id"] for offer in state["offers"]] == [rest.id]
    assert [len(framework_of(cluster)[kind]) for kind in ("tasks", "completed_tasks")] == [1, 1]
    assert len(state["completed_frameworks"]) == 1

    fail_over(sim, cluster)
    sim.advance(10.0)

    assert [len(framework_of(cluster)[kind]) for kind in ("tasks", "completed_tasks")] == [0, 0]
    assert cluster.operator.state()["completed_frameworks"] == []
    assert framework.rescinded == []
    offered = framework.offers[framework.offers.index(rest) + 1 :]
    assert sorted((offer.agent_id, str(offer.resources)) for offer in offered) == sorted(
        (str(agent.id), "cpus:4;mem:1024") for agent in cluster.agents.values()
    )
    driver.launch_tasks(rest, command_task("t3", agent_id=rest.agent_id))
    sim.settle()
    assert about(only(framework.updates("t3"))) == ("LOST", "MASTER", "INVALID_OFFERS")


def test_a_framework_that_never_comes_back_to_a_new_leader_stays(sim: Simulation) -> None:
    """Its countdown was the former leader's alone: it is recovered, and its task runs, for ever (FW-31)."""
    cluster = sim.cluster(agents=1, masters=2)
    driver = cluster.run(Launcher(command_task("t1")), framework=attrs.evolve(LASTING, failover_timeout_s=100.0))
    sim.advance(1.0)
    driver.stop(failover=True)
    sim.advance(1.0)

    fail_over(sim, cluster)
    sim.advance(1000.0)

    assert framework_of(cluster)["recovered"]
    assert [(task["task_id"], task["state"]) for task in framework_of(cluster)["tasks"]] == [("t1", "TASK_RUNNING")]
    assert cluster.operator.state()["completed_frameworks"] == []
