"""What a partition swallowed comes out when it heals: the connection has broken, and each side says what there is.

core.md LP-28, RC-23 to RC-27, FW-19; drain.md 1.3.5, 1.5.
"""

from __future__ import annotations

import pytest

from mesolite import FrameworkInfo, Simulation
from mesolite.actors.decisions.contract import LinkBroken
from mesolite.messages import (
    AcceptOffers,
    DeactivateFramework,
    ExitedExecutor,
    KillTask,
    ReregisterAgent,
    ResourceOffers,
    RunTask,
    Teardown,
)
from mesolite.messages.ids import TaskId
from mesolite.messages.tasks import TaskState, TaskStatus
from tests.inside import executors_on
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    Launcher,
    Recorder,
    books_of,
    check_books,
    command_task,
    executor_task,
    framework_of,
    id_of,
    shown,
)

STAYING = FrameworkInfo(name="framework", failover_timeout_s=1e6)
STAYING_AWARE = FrameworkInfo(name="framework", failover_timeout_s=1e6, capabilities=AWARE.capabilities)
CAREFUL = FrameworkInfo(name="framework", failover_timeout_s=1e6, checkpoint=True, capabilities=AWARE.capabilities)
KINDS = pytest.mark.parametrize("info", [STAYING, STAYING_AWARE, CAREFUL], ids=["plain", "aware", "careful"])
WAYS = pytest.mark.parametrize("both_ways", [True, False], ids=["both ways", "one way"])


def ask(task_id: str, agent_id: str | None = None) -> TaskStatus:
    """What a scheduler reconciles with."""
    return TaskStatus(task_id=TaskId(task_id), state=TaskState.TASK_STAGING, agent_id=agent_id)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ master and agent


@KINDS
@WAYS
def test_a_launch_that_was_swallowed_is_reported(sim: Simulation, info: FrameworkInfo, both_ways: bool) -> None:
    """It stays STAGING no longer than it takes the agent to come back; then its resources are free (RC-23, RC-24)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher()
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)
    sim.partition("master-1", "agent-1", both_ways=both_ways)
    driver.launch_tasks(framework.offers[0], command_task("t1"))
    sim.advance(5.0)
    assert framework_of(cluster)["tasks"][0]["state"] == "TASK_STAGING"

    sim.heal()
    sim.advance(20.0)

    end = "LOST" if info is STAYING else "DROPPED"
    assert framework.states("t1") == [end]
    assert (framework_of(cluster)["tasks"], len(sim.view.running())) == ([], 0)
    driver.reconcile_tasks([ask("t1", id_of(cluster))])
    driver.kill_task(TaskId("t1"))
    sim.advance(5.0)
    assert framework.states("t1") == [end] * 3
    assert framework.offers[-1].resources == framework.offers[0].resources
    check_books(sim)


@KINDS
@pytest.mark.parametrize("task", [command_task("t1"), executor_task("t1")], ids=["command", "executor"])
def test_a_kill_that_was_swallowed_is_carried_out(sim: Simulation, info: FrameworkInfo, task: object) -> None:
    """The master remembers it (RC-27)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(task)  # type: ignore[arg-type]
    driver = cluster.run(framework, framework=info, executors=EXECUTORS)
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    driver.kill_task(TaskId("t1"))
    sim.advance(5.0)
    assert framework.states("t1")[-1] == "RUNNING"

    sim.heal()
    sim.advance(30.0)

    assert framework.states("t1")[-1] == "KILLED"
    assert (framework_of(cluster)["tasks"], len(sim.view.running())) == ([], 0)


@KINDS
def test_other_tasks_of_the_agent_run_on(sim: Simulation, info: FrameworkInfo) -> None:
    """It lives, so nothing is given up, checkpointed or not; Mesos cannot tell that from its end (1.5.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=info)
    sim.advance(3.0)
    sim.partition("agent-1", "master-1")
    driver.launch_tasks(framework.offers[-1], command_task("t2"))
    sim.advance(5.0)

    sim.heal()
    sim.settle()
    assert (shown(cluster)["connected"], shown(cluster)["active"]) == (False, False)
    sim.advance(20.0)

    assert framework.states("t1") == ["STARTING", "RUNNING"]
    assert [task["task_id"] for task in framework_of(cluster)["tasks"]] == ["t1"]
    assert (shown(cluster)["connected"], len(sim.view.running())) == (True, 1)
    check_books(sim)


@KINDS
def test_an_agent_that_dies_before_it_is_back_has_died(sim: Simulation, info: FrameworkInfo) -> None:
    """Its broken connection is one thing, its end another: what was not checkpointed is lost now (1.5.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=info)
    sim.advance(3.0)
    sim.partition("agent-1", "master-1")
    driver.kill_task(TaskId("t1"))
    sim.settle()
    sim.heal()
    sim.settle()

    cluster.agents["agent-1"].crash()
    sim.settle()

    assert framework.states("t1")[-1] == ("RUNNING" if info is CAREFUL else "LOST")
    check_books(sim)


def test_an_executor_whose_end_was_swallowed_is_not_in_the_books(sim: Simulation) -> None:
    """The agent does not report it any more, and when asked it says so (RC-26, TK-57)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=CAREFUL, executors=EXECUTORS)
    sim.advance(1.0)
    lost = sim.expect(ExitedExecutor, receiver="master-1")
    sim.partition("agent-1", "master-1")
    (executor,) = executors_on(sim, "agent-1")
    sim.kill(executor)
    sim.advance(5.0)

    sim.heal()
    sim.advance(30.0)

    assert (lost.count, shown(cluster)["executors"]) == (1, [])
    assert framework.states("t1")[-1] == "FAILED"
    check_books(sim)


def test_a_partition_that_swallowed_only_what_is_said_again_breaks_nothing(sim: Simulation) -> None:
    """Pings, and an update that its agent repeats: it comes late, and no task is lost (1.4.2, TK-10)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=STAYING, executors=EXECUTORS)
    sim.advance(1.0)
    back = sim.expect(ReregisterAgent)
    sim.partition("agent-1", "master-1")
    (executor,) = [context for context in sim.runtime.directory if context.name.startswith("agent-1/")]
    user = executor.actor._user  # type: ignore[attr-defined]  # noqa: SLF001  # as its code does
    user.send_status_update("t1", TaskState.TASK_RUNNING, "again")
    sim.advance(40.0)

    sim.heal()
    sim.advance(60.0)

    assert (framework.states("t1"), back.count) == (["RUNNING", "RUNNING"], 0)
    assert driver.status.name == "DRIVER_RUNNING"


def test_an_agent_that_died_behind_a_partition_is_known_to_be_dead_when_it_heals(sim: Simulation) -> None:
    """The news was only late (LP-24); nothing is offered from it any more (1.5.1)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=STAYING)
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    cluster.agents["agent-1"].crash()
    sim.advance(30.0)
    assert shown(cluster)["connected"]

    sim.heal()
    sim.settle()

    assert not shown(cluster)["connected"]
    assert framework.names[-1] == "offer_rescinded"


def test_an_agent_that_was_given_up_behind_a_partition_is_taken_back_as_before(sim: Simulation) -> None:
    """Broken connections of agents that are not registered concern nobody (1.3.7, 1.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=STAYING_AWARE)
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    driver.kill_task(TaskId("unknown"), None)
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)

    sim.heal()
    sim.advance(120.0)

    assert framework.states("t1")[-2:] == ["UNREACHABLE", "RUNNING"]
    assert cluster.agents["agent-1"].registered


# -------------------------------------------------------------------------------------------- master and scheduler


@KINDS
def test_a_driver_that_missed_something_subscribes_again(sim: Simulation, info: FrameworkInfo) -> None:
    """It is disconnected and re-registered, its tasks run on, and it is offered what there is (FW-19)."""
    cluster = sim.cluster(agents=2)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)
    lost = sim.expect(ResourceOffers)
    sim.partition("framework", "master-1")
    cluster.add_agent()
    sim.advance(5.0)
    assert lost.count == 0

    sim.heal()
    sim.advance(2.0)

    assert framework.count("disconnected") == framework.count("reregistered") == 1
    assert (driver.status.name, framework.errors) == ("DRIVER_RUNNING", [])
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    books = books_of(cluster)
    heard = [offer.id for offer in framework.offers if offer.id not in framework.rescinded]
    assert len(books.offers) == 3
    assert list(books.offers) == heard[-3:]
    check_books(sim)


def test_a_launch_that_never_reached_the_master_is_unknown_when_it_is_asked_for(sim: Simulation) -> None:
    """Its offer is made anew, and the task can be launched again (RC-4, RC-10)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher()
    driver = cluster.run(framework, framework=STAYING_AWARE)
    sim.advance(1.0)
    heard = sim.expect((AcceptOffers, RunTask))
    sim.partition("framework", "master-1", both_ways=False)
    driver.launch_tasks(framework.offers[0], command_task("t1"))
    sim.advance(5.0)
    assert heard.count == 0

    sim.heal()
    sim.advance(2.0)
    driver.reconcile_tasks([ask("t1", id_of(cluster))])
    sim.settle()
    assert framework.states("t1") == ["GONE"]
    driver.launch_tasks(framework.offers[-1], command_task("t1"))
    sim.advance(1.0)

    assert framework.states("t1")[-1] == "RUNNING"


def test_what_a_master_says_once_of_a_task_breaks_the_connection_if_it_is_swallowed(sim: Simulation) -> None:
    """So the scheduler knows that it has to ask (TK-21)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=STAYING)
    sim.advance(1.0)
    sim.partition("framework", "master-1")
    cluster.agents["agent-1"].crash()
    sim.advance(5.0)
    assert framework.states("t1")[-1] == "RUNNING"

    sim.heal()
    sim.settle()
    assert framework.names[-1] == "reregistered"
    driver.reconcile_tasks([ask("t1", id_of(cluster))])
    sim.settle()

    assert framework.states("t1")[-1] == "LOST"


@pytest.mark.parametrize("failover", [True, False])
def test_a_scheduler_that_ended_behind_a_partition_is_known_to_have_ended(sim: Simulation, failover: bool) -> None:
    """The master gives it its failover time from then on (FW-28)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=FrameworkInfo(name="framework", failover_timeout_s=50.0))
    sim.advance(1.0)
    heard = sim.expect(Teardown)
    sim.partition("framework", "master-1")
    driver.stop(failover)
    sim.advance(30.0)
    assert framework_of(cluster)["connected"]

    sim.heal()
    sim.settle()
    assert (heard.count, framework_of(cluster)["connected"]) == (0, False)
    sim.advance(51.0)

    assert cluster.operator.state()["frameworks"] == []
    assert len(sim.view.running()) == 0


def test_an_abort_that_was_swallowed_is_said_again(sim: Simulation) -> None:
    """Or offers would be made to nobody for ever (FW-35)."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Recorder(), framework=STAYING)
    sim.advance(1.0)
    sim.partition("framework", "master-1")
    driver.abort()
    sim.advance(5.0)
    assert framework_of(cluster)["active"]
    said = sim.expect(DeactivateFramework)

    sim.heal()
    sim.settle()

    assert (said.count, framework_of(cluster)["active"]) == (1, False)
    assert books_of(cluster).offers == {}


def test_a_driver_that_is_subscribing_goes_on_subscribing(sim: Simulation) -> None:
    """It has nothing that could be void (EL-57)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=STAYING)
    sim.partition("framework", "master-1")
    sim.advance(5.0)
    driver.suppress_offers()

    sim.heal()
    sim.advance(60.0)

    assert framework.names == ["registered"]


# -------------------------------------------------------------------------------------------- what is no partition


@pytest.mark.parametrize("kind", [RunTask, KillTask])
def test_a_message_that_is_dropped_is_missed_by_nobody(sim: Simulation, kind: type) -> None:
    """No connection loses one message and lives on: `drop` shows what would be if one did (docs/testing.md)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=CAREFUL)
    broken = [LinkBroken("agent-1"), LinkBroken("master-1")]
    sim.drop(kind, sender="master-1")
    sim.advance(1.0)
    driver.kill_task(TaskId("t1"))

    sim.heal()
    sim.advance(60.0)

    assert framework.states("t1")[-1:] == ([] if kind is RunTask else ["RUNNING"])
    assert [record for record in sim.trace if record.event in broken] == []
