"""Executors and whole frameworks whose resources are reclaimed (docs/reclaim.md RV-31 to RV-36, RV-2, RV-7)."""

from __future__ import annotations

from mesolite import ExecutorInfo, Simulation, TaskInfo
from mesolite.messages import Cause, ReclaimState, RevokeExecutor, RevokeTask
from mesolite.messages.ids import ExecutorId
from tests.scenarios.reclaims import AGENT, Owner, offered, stage
from tests.scenarios.schedulers import EXECUTORS, check_books, command_task, executor_task, only, tell_executor

DONE, ASKED, REVOKING, RELEASED = (
    ReclaimState.DONE,
    ReclaimState.ASKED,
    ReclaimState.REVOKING,
    ReclaimState.RELEASED,
)


# ---------------------------------------------------------------------------------------------------------- executors


def test_an_executor_goes_with_its_last_task(sim: Simulation) -> None:
    """What it holds itself is wanted too: it is shut down when its tasks have ended (RV-34, RV-36)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(executor_task("t1"), executor_task("t2"))
    cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)

    reclaim = cluster.operator.reclaim("agent-1", "cpus:4", within=10.0)
    sim.settle()
    assert framework.amounts_asked == ["cpus:2.1"]
    orders = sim.expect(RevokeTask)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks, reclaim.revoked_executors) == (DONE, ("t2", "t1"), ("e1",))
    assert (framework.count("executor_lost"), orders.count) == (1, 0), "one order ends the executor and its tasks"
    assert [framework.updates(task)[-1].cause for task in ("t1", "t2")] == [Cause.REVOKED] * 2


def test_an_executor_stays_with_a_task_that_stays(sim: Simulation) -> None:
    """Its resources are not to be had while one of its tasks need not go (RV-34)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(executor_task("t1"), executor_task("t2"))
    cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    orders = sim.expect(RevokeExecutor)

    reclaim = cluster.operator.reclaim("agent-1", "cpus:2.5", within=10.0)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks, orders.count) == (DONE, ("t2",), 0)
    assert framework.states("t1")[-1] == "RUNNING"


def test_an_idle_executor_goes_before_any_task(sim: Simulation) -> None:
    """Nobody loses work with it (RV-32)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    idle, busy = executor_task("t1", resources="cpus:0.1;mem:32"), command_task("t2", resources="cpus:3;mem:32")
    framework = Owner(idle, busy)
    driver = cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    reclaim = cluster.operator.reclaim("agent-1", "cpus:1", within=10.0)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks, reclaim.revoked_executors) == (DONE, (), ("e1",))
    assert framework.states("t2")[-1] == "RUNNING"


def test_of_everything_even_an_executor_goes_that_holds_nothing(sim: Simulation) -> None:
    """Nothing is left there that could want something again (RV-35)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    light = ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient")
    framework = Owner(TaskInfo(task_id="t1", resources="cpus:1;mem:32", executor=light))
    driver = cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    of_agent = cluster.operator.reclaim("agent-1", within=10.0)
    assert of_agent.state is ASKED
    sim.advance(20.0)

    assert (of_agent.state, framework.amounts_asked, framework.count("executor_lost")) == (DONE, [""], 1)
    check_books(sim)


# --------------------------------------------------------------------------------------------------------- frameworks


def test_a_framework_is_asked_wherever_it_holds_something(sim: Simulation) -> None:
    """It is blocked, asked without an agent, loses what is missing, and is offered again when it is DONE (RV-7)."""
    there = stage(sim)

    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=10.0)
    sim.settle()
    asked = only(there.etl.asked)
    assert (asked.agent_id, asked.hostname, str(asked.resources), asked.enforced) == (None, "", "cpus:1", True)
    assert there.web.asked == []
    assert offered(sim, there, to=there.etl_driver) == ""
    sim.advance(20.0)

    assert (reclaim.state, there.living, reclaim.revoked_tasks) == (DONE, ["t1", "t3"], ("t2",))
    assert offered(sim, there, to=there.etl_driver) == "cpus:2;mem:3840"
    assert there.cluster.operator.state()["reclaims"] == []
    assert there.etl.asked_no_more == [asked.id]


def test_others_are_offered_what_a_barred_framework_is_not(sim: Simulation) -> None:
    """The reclaim of a framework withholds nothing on any agent (RV-7)."""
    there = stage(sim)
    there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=60.0)

    assert offered(sim, there, to=there.etl_driver) == ""
    assert offered(sim, there, to=there.web_driver) == "cpus:1;mem:3712"


def test_a_framework_loses_the_newest_on_whichever_agent(sim: Simulation) -> None:
    """Its tasks of all agents are one list, by launch time (RV-12, RV-32)."""
    cluster = sim.cluster(agents=2, resources="cpus:2;mem:1024")
    framework = Owner(command_task("t1"), command_task("t2"))
    driver = cluster.run(framework, framework="etl")
    sim.advance(2.0)
    other = only(offer for offer in framework.offers if offer.agent_id != framework.updates("t1")[-1].agent_id)
    driver.launch_tasks(other, command_task("t3"))
    sim.advance(2.0)
    assert framework.states("t3")[-1] == "RUNNING"

    reclaim = cluster.operator.reclaim(driver, "cpus:2", within=10.0)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t3", "t2"))
    assert framework.states("t1")[-1] == "RUNNING"


def test_everything_of_a_framework_is_every_task_and_every_executor(sim: Simulation) -> None:
    """Others are not touched (RV-35, RV-11)."""
    there = stage(sim, etl=Owner(executor_task("t1"), command_task("t2")))

    reclaim = there.cluster.operator.reclaim(there.etl_driver, within=10.0)
    sim.settle()
    assert there.etl.amounts_asked == [""]
    sim.advance(20.0)

    assert (reclaim.state, there.living) == (DONE, ["t3"])
    assert (reclaim.revoked_tasks, reclaim.revoked_executors) == (("t2", "t1"), ("e1",))


def test_a_framework_that_returns_in_time_is_offered_again_at_once(sim: Simulation) -> None:
    """The end is written as soon as nothing is missing (RV-41, RV-42)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=600.0)
    sim.settle()

    there.etl_driver.kill_task("t1")
    sim.advance(2.0)

    assert (reclaim.state, there.living) == (DONE, ["t2", "t3"])
    assert offered(sim, there, to=there.etl_driver) == "cpus:2;mem:3840"
