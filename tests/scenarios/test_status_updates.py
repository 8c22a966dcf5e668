"""Status updates: retried until acknowledged, one at a time per task, and never acknowledged if a master made them.

drain.md 0.2.8 to 0.2.15; core.md 5.2 to 5.4.
"""

from __future__ import annotations

import attrs
import pytest

from mesolite import FrameworkInfo, Scheduler, SchedulerDriver, Simulation
from mesolite.messages import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.ids import AgentId, ExecutorId, UpdateId
from mesolite.messages.tasks import Cause, Source, TaskState
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    EXECUTORS,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    executor_task,
    fail_over,
    framework_of,
    only,
    tell_executor,
)

LASTING = FrameworkInfo(name="lasting", failover_timeout_s=1e6)


def started(
    sim: Simulation, cluster: SimulatedCluster, framework: Launcher, *, explicit: bool = False
) -> SchedulerDriver:
    """Run the framework and let its task get as far as it does at once."""
    driver = cluster.run(framework, framework=LASTING, executors=EXECUTORS, implicit_acknowledgements=not explicit)
    sim.advance(1.0)
    return driver


def test_an_update_is_repeated_at_growing_intervals_until_it_is_acknowledged(sim: Simulation) -> None:
    """After 10 s, then 20, 40 and so on up to 10 min, always under one uuid (0.2.13, TK-11, TK-20)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework, explicit=True)
    first = framework.named("status_update")[0].time

    sim.advance(3000.0)

    times = [call.time - first for call in framework.named("status_update")]
    assert [round(time) for time in times] == [0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430]
    assert len({status.uuid for status in framework.updates("t1")}) == 1
    driver.acknowledge(framework.updates("t1")[0])
    sim.advance(3000.0)
    assert len(framework.updates("t1")) == len(times)


@pytest.mark.scenario("TaskStatusUpdateManagerTest.LatestTaskState")
def test_a_repeated_update_carries_the_newest_state_beside_its_own(sim: Simulation) -> None:
    """The scheduler sees RUNNING, while the master already knows that the task has finished (TK-25, TK-26)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    sim.drop(StatusUpdate, receiver="master-1", times=1)
    driver = started(sim, cluster, framework)
    repeated = sim.expect(StatusUpdate, receiver="master-1")
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    assert repeated.count == 0

    sim.advance(10.0)

    assert (repeated.first.status.state.name, repeated.first.latest_state.name) == ("TASK_RUNNING", "TASK_FINISHED")
    assert framework.states("t1") == ["RUNNING", "FINISHED"]


@pytest.mark.scenario("SlaveTest.DuplicateTerminalUpdateBeforeAck")
def test_a_task_ends_once_however_often_its_executor_says_so(sim: Simulation) -> None:
    """While FINISHED is unacknowledged a KILLED is dropped, and only FINISHED is repeated (TK-2, TK-61)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework)
    sim.drop(StatusUpdateAcknowledgement, receiver="agent-1", times=1)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    said = sim.expect(StatusUpdateAcknowledgement, sender="agent-1")
    repeated = sim.expect(StatusUpdate, sender="agent-1")

    tell_executor(sim, cluster, driver, "TASK_KILLED t1")
    sim.advance(10.0)

    assert said.count == 1  # the executor need not keep it
    assert only(repeated.all).latest_state.name == "TASK_FINISHED"
    assert framework.states("t1") == ["RUNNING", "FINISHED", "FINISHED"]


@pytest.mark.scenario("TaskStatusUpdateManagerTest.DuplicateTerminalUpdateAfterAck")
@pytest.mark.scenario("TaskStatusUpdateManagerTest.DuplicatedTerminalStatusUpdate")
def test_a_second_end_after_the_first_was_acknowledged_is_passed_on(sim: Simulation) -> None:
    """KILLED after FINISHED reaches the scheduler, is acknowledged; the books keep FINISHED (0.2.10, TK-2, TK-24)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    taken = sim.expect(StatusUpdateAcknowledgement, receiver="agent-1")

    tell_executor(sim, cluster, driver, "TASK_KILLED t1")
    sim.advance(60.0)

    assert framework.states("t1") == ["RUNNING", "FINISHED", "KILLED"]
    assert taken.count == 1
    assert [task["state"] for task in framework_of(cluster)["completed_tasks"]] == ["TASK_FINISHED"]


@pytest.mark.scenario("TaskStatusUpdateManagerTest.IgnoreDuplicateStatusUpdateAck")
def test_an_acknowledgement_that_comes_twice_counts_once(sim: Simulation) -> None:
    """The second one for RUNNING does not stand for FINISHED, which goes on being repeated (TK-15)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework, explicit=True)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    running = framework.updates("t1")[0]
    driver.acknowledge(running)
    sim.settle()

    driver.acknowledge(running)
    sim.advance(10.0)

    assert framework.states("t1") == ["RUNNING", "FINISHED", "FINISHED"]


def test_an_acknowledgement_with_nothing_to_acknowledge_is_ignored(sim: Simulation) -> None:
    """Twice, made up, or for a task nobody knows: agent and master stand it (TK-15, TK-29)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework)
    running = framework.updates("t1")[0]
    genuine = StatusUpdateAcknowledgement(
        framework_id=driver.framework_id,  # type: ignore[attr-defined]
        agent_id=AgentId(str(running.agent_id)),
        task_id=running.task_id,
        uuid=UpdateId(str(running.uuid)),
    )

    sim.inject("agent-1", genuine, sender="master-1")
    sim.inject("master-1", genuine, sender="lasting")
    sim.inject("master-1", genuine, sender="outside")
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.advance(60.0)

    assert framework.states("t1") == ["RUNNING", "FINISHED"]


@pytest.mark.scenario("MesosSchedulerDriverTest.ExplicitAcknowledgementsMasterGeneratedUpdate")
def test_what_a_master_says_itself_is_not_acknowledged(sim: Simulation) -> None:
    """A refused launch is answered by an update without uuid, and acknowledging that sends nothing (0.2.8, TK-32)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", resources=""))
    driver = started(sim, cluster, framework, explicit=True)
    said = sim.expect(StatusUpdateAcknowledgement)
    refused = only(framework.updates("t1"))
    assert (about(refused), refused.uuid) == (("ERROR", "MASTER", "TASK_INVALID"), None)

    driver.acknowledge(refused)
    sim.settle()

    assert said.count == 0


@pytest.mark.scenario("MesosSchedulerDriverTest.ExplicitAcknowledgements")
def test_in_explicit_mode_only_the_scheduler_acknowledges(sim: Simulation) -> None:
    """Nothing is sent before it says so, and exactly one acknowledgement after (TK-32)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    said = sim.expect(StatusUpdateAcknowledgement, sender="lasting")
    driver = started(sim, cluster, framework, explicit=True)
    assert (framework.states("t1"), said.count) == (["RUNNING"], 0)

    driver.acknowledge(framework.updates("t1")[0])
    sim.settle()

    assert said.count == 1


@pytest.mark.scenario("FaultToleranceTest.SchedulerFailoverStatusUpdate")
def test_an_update_the_old_instance_never_got_reaches_the_new_one(sim: Simulation) -> None:
    """It stays at the agent, and is sent again to whoever is the scheduler now (TK-11, TK-12)."""
    cluster = sim.cluster(agents=1)
    old, new = Launcher(executor_task("t1")), Recorder()
    sim.drop(StatusUpdate, receiver="lasting", times=1)
    driver = started(sim, cluster, old)
    assert old.updates("t1") == []

    info = FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6)  # type: ignore[attr-defined]
    cluster.run(new, framework=info)
    sim.advance(10.0)

    assert new.states("t1") == ["RUNNING"]
    assert "failed over" in only(old.errors)


def test_updates_made_while_no_master_leads_are_delivered_afterwards_in_order(sim: Simulation) -> None:
    """The agent keeps them, and sends the oldest as soon as it has registered again (0.2.13, 0.2.14, TK-13)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework)
    fail_over(sim, cluster)
    tell_executor(sim, cluster, driver, "TASK_STARTING t1")
    tell_executor(sim, cluster, driver, "TASK_RUNNING t1")
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")

    sim.advance(30.0)

    states = {status.uuid: status.state.name for status in framework.updates("t1")}  # each, however often it came
    assert list(states.values()) == ["TASK_RUNNING", "TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]


def test_updates_for_a_scheduler_that_is_away_wait_and_the_books_are_right_meanwhile(sim: Simulation) -> None:
    """Nothing is forwarded, the master's record follows, and the next instance gets all of it (TK-23, FW-34)."""
    cluster = sim.cluster(agents=1)
    old, new = Launcher(executor_task("t1")), Recorder()
    driver = started(sim, cluster, old)
    driver.stop(failover=True)
    sim.settle()
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.advance(30.0)
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_FINISHED"]

    info = FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6)  # type: ignore[attr-defined]
    cluster.run(new, framework=info)
    sim.settle()

    assert new.states("t1") == ["FINISHED"]
    assert [task["state"] for task in framework_of(cluster)["completed_tasks"]] == ["TASK_FINISHED"]


def test_a_task_that_is_given_up_as_it_runs_holds_no_resources(sim: Simulation) -> None:
    """Its agent reports it lost while its newest state is RUNNING; once that is acknowledged it is off the books."""
    cluster = sim.cluster(agents=1, resources="cpus:1;mem:128")
    framework = Launcher(executor_task("t1", resources="cpus:0.9;mem:96"))
    started(sim, cluster, framework)
    reported = next(
        record.event for record in sim.trace if isinstance(record.event, StatusUpdate) and record.actor == "master-1"
    )
    lost = attrs.evolve(reported.status, state=TaskState.TASK_LOST, uuid=UpdateId("another"))

    sim.inject("master-1", attrs.evolve(reported, status=lost), sender="agent-1")
    sim.advance(2.0)

    assert framework.states("t1") == ["RUNNING", "LOST"]
    assert [task["state"] for task in framework_of(cluster)["completed_tasks"]] == ["TASK_LOST"]
    assert str(framework.offers[-1].resources) == "cpus:0.9;mem:96"
    check_books(sim)


@pytest.mark.parametrize(
    "claim",
    [
        {"source": Source.SOURCE_MASTER},
        {"executor_id": ExecutorId("somebody-else")},
        {"executor_id": None},
        {"cause": Cause.DRAINED},
    ],
    ids=str,
)
def test_an_executor_cannot_say_who_it_is_or_why(sim: Simulation, claim: dict[str, object]) -> None:
    """Whatever it claims, its agent puts down what it knows itself (TK-6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    started(sim, cluster, framework)
    said = next(record for record in sim.trace if isinstance(record.event, StatusUpdate) and record.actor == "agent-1")
    genuine: StatusUpdate = said.event
    claimed = attrs.evolve(genuine.status, uuid=UpdateId("another"), **claim)  # type: ignore[arg-type]

    sim.inject("agent-1", attrs.evolve(genuine, status=claimed), sender=said.sender)
    sim.settle()

    first, second = framework.updates("t1")
    assert second.uuid == "another"
    whose = (Source.SOURCE_EXECUTOR, genuine.status.executor_id, None)
    assert [(status.source, status.executor_id, status.cause) for status in (first, second)] == [whose, whose]


class Impostor(Scheduler):
    """Does nothing; only its name is used."""


def test_updates_from_anybody_but_the_tasks_agent_are_dropped(sim: Simulation) -> None:
    """Another agent, an executor that is none of ours, a stranger: the scheduler hears nothing (0.2.15, TK-22)."""
    cluster = sim.cluster(agents=2)
    framework = Launcher(executor_task("t1"))
    driver = started(sim, cluster, framework)
    genuine = next(
        record.event for record in sim.trace if isinstance(record.event, StatusUpdate) and record.actor == "master-1"
    )
    cluster.run(Impostor(), framework="impostor")
    other = next(name for name, agent in cluster.agents.items() if agent.id != genuine.status.agent_id)
    home = next(name for name, agent in cluster.agents.items() if agent.id == genuine.status.agent_id)

    for sender in (other, "impostor", "outside"):
        sim.inject("master-1", genuine, sender=sender)
        sim.inject(home, genuine, sender=sender)
        sim.inject("lasting", genuine, sender=sender)
    sim.advance(20.0)

    assert framework.states("t1") == ["RUNNING"]
    assert driver.stop() is not None
