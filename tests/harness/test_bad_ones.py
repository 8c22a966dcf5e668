"""Bad schedulers and executors: each makes happen what it is there for, and `Endless`, which has no fault, does not."""

from __future__ import annotations

import pytest

from mesolite import (
    Cause,
    DrainState,
    DriverStatus,
    Executor,
    InverseOfferStatus,
    MesoliteSchedulerDriver,
    Reason,
    ReclaimState,
    Simulation,
    TaskState,
)
from mesolite.harness import executors, schedulers
from mesolite.harness.schedulers import Endless
from mesolite.simulation import SimulatedCluster


def reclaimed(sim: Simulation, scheduler: Endless) -> tuple[InverseOfferStatus | None, int, tuple[str, ...]]:
    """What is answered when all of an agent is asked back, how many tasks are alive just before the deadline, and which
    are taken by force.
    """
    cluster = sim.cluster(agents=1)
    cluster.run(scheduler, framework="bad")
    sim.advance(10.0)
    reclaim = cluster.operator.reclaim("agent-1", within=30)
    sim.advance(29.0)
    alive = len(sim.view.running("bad"))
    (asked,) = reclaim.asked
    sim.advance(10.0)
    assert reclaim.state is ReclaimState.DONE
    assert len(sim.view.running("bad")) == 0
    return asked.answer, alive, reclaim.revoked_tasks


def test_who_has_no_fault_gives_back_what_it_promises(sim: Simulation) -> None:
    """Nothing has to be taken by force."""
    assert reclaimed(sim, Endless()) == (InverseOfferStatus.ACCEPT, 0, ())


def test_who_is_deaf_is_waited_for_until_the_deadline(sim: Simulation) -> None:
    """It answers no inverse offer, and its task is revoked."""
    deaf = schedulers.Deaf()

    assert reclaimed(sim, deaf) == (None, 1, ("t1",))
    assert deaf.told["t1"].reason is Reason.REASON_RESOURCES_REVOKED


def test_who_is_deaf_sits_on_offers(sim: Simulation) -> None:
    """What it was offered and does not want, nobody else is offered."""
    cluster = sim.cluster(agents=2)
    cluster.run(schedulers.Deaf(), framework="deaf")
    sim.advance(5.0)
    cluster.run(Endless(), framework="other")
    sim.advance(300.0)

    assert {offer.framework for offer in sim.view.offers} == {"deaf"}
    assert sim.view.running("other") == ()


def test_who_lies_promises_and_gives_nothing_back(sim: Simulation) -> None:
    """An operator reads that all is promised; at the deadline all of it has to be revoked."""
    lying = schedulers.Lying(wanted=1)

    assert reclaimed(sim, lying) == (InverseOfferStatus.ACCEPT, 1, ("t1",))
    assert lying.told["t1"].cause is Cause.REVOKED


@pytest.mark.parametrize(("other", "gets"), [(schedulers.Greedy, 0), (Endless, 1)])
def test_who_is_greedy_leaves_nothing_to_others(sim: Simulation, other: type[Endless], gets: int) -> None:
    """Each of its tasks is as large as an agent."""
    cluster = sim.cluster(agents=2)
    cluster.run(other(), framework="greedy")
    sim.advance(5.0)
    cluster.run(Endless(), framework="meek")
    sim.advance(300.0)

    assert len(sim.view.running("meek")) == gets


@pytest.mark.parametrize("slow", [True, False])
def test_who_is_slow_launches_what_cannot_be_launched_any_more(sim: Simulation, slow: bool) -> None:
    """The offer was rescinded while it thought, as its agent was deactivated."""
    cluster = sim.cluster(agents=1)
    scheduler = schedulers.Slow(thinks_for=30.0) if slow else Endless()
    cluster.run(scheduler, framework="slow")
    sim.advance(10.0)
    cluster.operator.deactivate("agent-1")
    sim.advance(40.0)

    status = scheduler.told["t1"]
    lost = (TaskState.TASK_LOST, Reason.REASON_INVALID_OFFERS, Cause.NEVER_STARTED)
    assert ((status.state, status.reason, status.cause) == lost) == slow


def test_who_crashes_leaves_tasks_to_nobody(sim: Simulation) -> None:
    """Its driver aborts, and is offered nothing more; its task runs on."""
    sim.allow_error(RuntimeError)
    cluster = sim.cluster(agents=1)
    driver = cluster.run(schedulers.Crashing(), framework="crashing")
    sim.advance(100.0)

    assert driver.status is DriverStatus.DRIVER_ABORTED
    assert "cannot bear to hear that t1 is TASK_STARTING" in (driver.error or "")
    assert [task.task_id for task in sim.view.running("crashing")] == ["t1"]


def with_executor(
    sim: Simulation, executor: type[Executor]
) -> tuple[SimulatedCluster, Endless, MesoliteSchedulerDriver]:
    """A scheduler without a fault, whose task is run by that."""
    cluster, scheduler = sim.cluster(agents=1), Endless(executor="bad")
    driver = cluster.run(scheduler, framework="mine", executors={"bad": executor})
    sim.advance(5.0)
    return cluster, scheduler, driver


def test_a_drain_ends_a_stubborn_executor_when_its_grace_is_over(sim: Simulation) -> None:
    """It takes no notice of the kill; the drain says whom it waits for, and for how long at most."""
    cluster, scheduler, driver = with_executor(sim, executors.Stubborn)
    driver.kill_task("t1")
    sim.advance(60.0)
    assert scheduler.told["t1"].state is TaskState.TASK_RUNNING

    drain = cluster.operator.drain("agent-1", max_grace_period=5)
    sim.advance(5.0)
    assert drain.state is DrainState.DRAINING
    assert "waits for executor bad: it has to kill the task" in str(drain.blocked_by[0])
    sim.advance(5.0)
    assert drain.state is DrainState.DRAINED
    assert scheduler.told["t1"].state is TaskState.TASK_KILLED
    assert scheduler.told["t1"].cause is Cause.DRAINED


def test_of_a_silent_executors_task_nobody_hears(sim: Simulation) -> None:
    """It really runs, and stays STAGING for its scheduler, for ever."""
    _, scheduler, _ = with_executor(sim, executors.Silent)
    sim.advance(3600.0)

    assert scheduler.told == {}
    assert [task.state for task in sim.view.tasks("mine")] == [TaskState.TASK_STAGING]
    assert len(sim.view.running("mine")) == 1


def test_what_a_crashing_executor_was_given_has_failed(sim: Simulation) -> None:
    """Its scheduler is told why."""
    sim.allow_error(RuntimeError)
    _, scheduler, _ = with_executor(sim, executors.Crashing)

    status = scheduler.told["t1"]
    assert (status.state, status.cause) == (TaskState.TASK_FAILED, Cause.EXECUTOR_DIED)
    assert "this executor cannot run t1" in status.message
