"""A drain with a longest grace ends, whatever executors do (drain.md 4.4.5; docs/drain.md)."""

from __future__ import annotations

import attrs
import pytest

from mesolite import (
    Capability,
    DrainState,
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    FrameworkInfo,
    KillPolicy,
    Simulation,
    TaskInfo,
    TaskState,
)
from mesolite.messages import Cause, ShutdownExecutor
from tests.scenarios.agent_orders import DRAINED, told
from tests.scenarios.schedulers import CHECKPOINTED, PLAIN, Launcher, check_books, only, tell_executor

MARGIN_S = 2.0
SHUTDOWN_S = 7.0


class Deaf(Executor):
    """Runs its tasks and hears no kill; it finishes what it is told to finish."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def framework_message(self, driver: ExecutorDriver, data: object) -> None:
        driver.send_status_update(str(data), TaskState.TASK_FINISHED)


EXECUTORS = {"deaf": Deaf}


def deaf_task(task_id: str = "t1", grace_s: float | None = None) -> TaskInfo:
    """A task of the one deaf executor, which gets 7 s to end in."""
    executor = ExecutorInfo(executor_id="e1", name="deaf", shutdown_grace_period_s=SHUTDOWN_S)
    policy = None if grace_s is None else KillPolicy(grace_period_s=grace_s)
    return TaskInfo(task_id=task_id, resources="cpus:1;mem:32", executor=executor, kill_policy=policy)


@pytest.mark.parametrize(
    ("longest_s", "own_s", "grace_s"), [(10.0, None, 10.0), (10.0, 4.0, 4.0), (10.0, 60.0, 10.0), (0.0, 4.0, 0.0)]
)
def test_a_deaf_executor_is_shut_down(
    sim: Simulation, longest_s: float, own_s: float | None, grace_s: float
) -> None:
    """After the grace that counts and a margin it has to go."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(deaf_task(grace_s=own_s))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    began = sim.now

    cluster.operator.drain("agent-1", max_grace_period=longest_s).wait(60.0)

    assert sim.now - began == pytest.approx(grace_s + MARGIN_S)
    sim.settle()
    assert told(framework.updates("t1")[-1]) == ("KILLED", "AGENT", *DRAINED[2:])
    assert "t1 was killed because the agent drains" in str(framework.updates("t1")[-1].message)
    assert framework.count("executor_lost") == 1
    check_books(sim)


def test_one_that_does_not_go_is_cut_off(sim: Simulation) -> None:
    """A process that hangs hears nothing at all: after its own grace it is gone."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(deaf_task()), framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    began, lost = sim.now, sim.drop(ShutdownExecutor)

    cluster.operator.drain("agent-1", max_grace_period=5.0).wait(60.0)

    assert lost.count == 1
    assert sim.now - began == pytest.approx(5.0 + MARGIN_S + SHUTDOWN_S)
    check_books(sim)


def test_without_a_longest_grace_it_is_waited_for_and_nothing_else_is_claimed(sim: Simulation) -> None:
    """As in Mesos; who is waited for is told, and no end is promised that will not come."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(deaf_task(grace_s=1.0)), framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)

    drain = cluster.operator.drain("agent-1")
    sim.advance(3600.0)

    blocker = only(drain.blocked_by)
    assert (drain.state, str(blocker.party), blocker.name) == (DrainState.DRAINING, "EXECUTOR", "e1")
    assert blocker.grace_s is None
    assert "hard way" not in str(blocker)


def test_what_a_drain_says_about_the_end_comes_true(sim: Simulation) -> None:
    """At the time it names the hard way begins."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(deaf_task()), framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", max_grace_period=5.0)
    orders = sim.expect(ShutdownExecutor)

    blocker = only(drain.blocked_by)
    sim.advance(blocker.since + blocker.grace_s - sim.now - 0.001)
    assert orders.count == 0
    sim.advance(0.002)

    assert orders.count == 1


def test_a_drain_can_be_hurried(sim: Simulation) -> None:
    """Asked again with a shorter grace the executor has less time; asked again with a longer one it has not more."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(deaf_task()), framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", max_grace_period=600.0)
    sim.advance(10.0)

    cluster.operator.drain("agent-1", max_grace_period=5.0)
    cluster.operator.drain("agent-1", max_grace_period=900.0)
    began = sim.now
    drain.wait(60.0)

    assert sim.now - began == pytest.approx(5.0 + MARGIN_S)


def test_a_restarted_agent_gives_the_grace_again(sim: Simulation) -> None:
    """Its timer is lost with it; the order to drain is not (4.4.11)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(deaf_task())
    cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", max_grace_period=5.0)
    sim.advance(1.0)

    cluster.agents["agent-1"].restart()
    drain.wait(120.0)

    assert framework.updates("t1")[-1].cause is Cause.DRAINED


def test_with_mark_gone_it_is_gone(sim: Simulation) -> None:
    """What the agent says of the end is what it would have said of an obedient executor (4.4.6)."""
    cluster = sim.cluster(agents=1)
    aware = FrameworkInfo(name="aware", capabilities=[Capability.PARTITION_AWARE])
    framework = Launcher(deaf_task())
    cluster.run(framework, framework=aware, executors=EXECUTORS)
    sim.advance(1.0)

    drain = cluster.operator.drain("agent-1", max_grace_period=5.0, mark_gone=True)

    assert drain.wait(120.0) is DrainState.GONE
    assert told(framework.updates("t1")[-1])[0] == "GONE_BY_OPERATOR"


def test_what_ended_in_time_keeps_its_end(sim: Simulation) -> None:
    """The executor goes with the tasks it would not end, not with those it did."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(deaf_task("t1"), deaf_task("t2"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", max_grace_period=5.0)

    sim.advance(1.0)
    tell_executor(sim, cluster, driver, "t1")
    drain.wait(60.0)

    assert framework.states("t1")[-1] == "FINISHED"
    assert framework.states("t2")[-1] == "KILLED"


def test_an_executor_in_its_last_grace_may_run_no_new_task_of_the_same_id(sim: Simulation) -> None:
    """The timer of a task that has ended hits no other (TK-53)."""
    cluster = sim.cluster(agents=1)
    first, second = Launcher(deaf_task()), attrs.evolve(deaf_task("t2"))
    driver = cluster.run(first, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", max_grace_period=30.0)
    tell_executor(sim, cluster, driver, "t1")
    drain.wait(60.0)

    cluster.operator.reactivate("agent-1")
    sim.run_until(lambda: first.offers[-1].agent_id and len(first.offers) > 1, timeout=30.0)
    driver.launch_tasks(first.offers[-1], second)
    sim.advance(120.0)

    assert first.states("t2") == ["RUNNING"]
