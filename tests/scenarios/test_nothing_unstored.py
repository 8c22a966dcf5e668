"""Nothing is said that is not stored (core.md AG-1, AG-3, TK-9): full disks, slow ones, and a kill at every write."""

from __future__ import annotations

import signal
from functools import cache
from typing import Any

import pytest

from mesolite import Cluster, DrainState, SimulatedWork, Simulation, TaskState
from mesolite.drain import Drain
from mesolite.messages import DrainAgent, KillTask, RunTask, ShutdownExecutor, StatusUpdate, StatusUpdateAcknowledgement
from tests.inside import alive, executors_on, store_of
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    Launcher,
    check_books,
    command_task,
    executor_task,
    only,
    tell_executor,
)

SHORT = SimulatedWork(duration=2.0)


def ends(framework: Launcher, task_id: str) -> list[TaskState]:
    """Every end that was told of that task; an agent that comes back may tell it again (TK-12)."""
    return [status.state for status in framework.updates(task_id) if status.state.is_terminal]


# ------------------------------------------------------------------------------------------------- a disk that is full


@pytest.mark.parametrize("task", [command_task("t1", SHORT), executor_task("t1")], ids=["command", "executor"])
def test_with_a_full_disk_an_end_is_not_told_before_it_is_stored(sim: Simulation, task: Any) -> None:
    """The agent ends instead, and says why. When there is room again its next life has one end to tell (TK-8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(task)
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    agent.disk.fail()

    if task.executor is not None:
        tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.advance(3.0)

    assert ends(framework, "t1") == []
    assert not agent.alive
    assert any("No space left on device" in str(record.effects) for record in sim.trace)
    agent.disk.mend()
    agent.restart()
    sim.advance(10.0)
    assert set(ends(framework, "t1")) == {TaskState.TASK_FINISHED}


def test_the_same_on_a_real_cluster() -> None:
    """With a real command, a real store, and threads."""
    with Cluster(agents=1) as cluster:
        framework = Launcher(command_task("t1", SHORT))
        framework.waiting = [only(framework.waiting).__class__(task_id="t1", resources="cpus:1", command="sleep 60")]
        agent = cluster.agents["agent-1"]
        driver = cluster.run(framework, framework=CHECKPOINTED)
        cluster.wait_until(lambda: "RUNNING" in framework.states("t1"), 30.0)
        agent.disk.fail()

        driver.kill_task("t1")
        cluster.wait_until(lambda: not agent.alive, 30.0)
        assert ends(framework, "t1") == []

        agent.disk.mend()
        agent.restart()
        cluster.wait_until(lambda: ends(framework, "t1"), 30.0)
        assert set(ends(framework, "t1")) == {TaskState.TASK_KILLED}


# ------------------------------------------------------------------------------------------------- a disk that is slow


def test_nothing_is_said_while_a_write_is_under_way(sim: Simulation) -> None:
    """Not to the executor, not to the master; then both hear of it, in order (TK-9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    cluster.agents["agent-1"].disk.slow(5.0)
    said = sim.expect((StatusUpdate, StatusUpdateAcknowledgement), sender="agent-1")

    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.advance(4.9)
    assert said.count == 0
    sim.advance(0.2)

    assert {type(message) for message in said.all} == {StatusUpdate, StatusUpdateAcknowledgement}
    assert framework.states("t1")[-1] == "FINISHED"


def test_what_is_not_checkpointed_waits_for_nothing(sim: Simulation) -> None:
    """A framework that wants nothing stored is not held up by a slow disk (AG-2)."""
    cluster = sim.cluster(agents=1)
    cluster.agents["agent-1"].disk.slow(5.0)
    framework = Launcher(command_task("t1"))

    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)

    assert framework.states("t1") == ["STARTING", "RUNNING"]


def test_a_task_is_not_launched_before_it_is_on_record(sim: Simulation) -> None:
    """Or a restarted agent would find a process that nobody knows (AG-1)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    agent.disk.slow(5.0)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    launched = sim.expect(RunTask, receiver="agent-1")
    sim.advance(1.0)

    assert launched.count == 1
    assert executors_on(sim, "agent-1") == []


def test_a_drain_kills_nothing_before_it_is_on_record(sim: Simulation) -> None:
    """Or a restarted agent would go on as if nobody had asked (4.4.3, 4.4.11)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    cluster.agents["agent-1"].disk.slow(5.0)
    told, killed = sim.expect(DrainAgent), sim.expect(KillTask, sender="agent-1")

    cluster.operator.drain("agent-1")
    sim.advance(4.0)
    assert (told.count, killed.count) == (1, 0)
    sim.advance(2.0)

    assert killed.count == 1


# ----------------------------------------------------------------------------------------------- a kill at every write


def live(seed: int, write: int, *, stored: bool) -> tuple[Simulation, Any, Launcher, Drain]:
    """One agent's life, with a kill at its so-many-th write: tasks that end by themselves, are killed, are drained."""
    sim = Simulation(seed)
    cluster = sim.cluster(agents=0)
    agent = cluster.add_agent()
    agent.disk.crash_at(write, stored=stored)
    commands = [command_task("ends", SHORT), command_task("stays", resources="cpus:1;mem:64")]
    others = [executor_task(task_id, resources="cpus:0.5;mem:64") for task_id in ("killed", "told")]
    framework = Launcher(*commands, *others)
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)

    def advance(seconds: float) -> None:
        for _ in range(int(seconds)):
            sim.advance(1.0)
            if not agent.alive:
                agent.restart()

    advance(5)
    driver.kill_task("killed")
    if alive(sim, f"agent-1/{driver.framework_id}/e1"):
        tell_executor(sim, cluster, driver, "TASK_FINISHED told")
    advance(3)
    drain = cluster.operator.drain("agent-1", max_grace_period=1.0)
    advance(60)
    return sim, cluster, framework, drain


@cache
def writes_of_a_life() -> int:
    """How many writes that life has when nobody kills it."""
    _, cluster, _, _ = live(1, 1_000_000, stored=True)
    return int(cluster.agents["agent-1"].disk.writes)


def test_a_life_has_writes_to_be_killed_at() -> None:
    """Otherwise the next test would show nothing."""
    assert writes_of_a_life() >= 15


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "lost"])
def test_an_agent_that_is_killed_at_any_write_goes_on(stored: bool) -> None:
    """It starts again, every task has one end, the drain that was begun ends, nothing is left (AG-11 to AG-16)."""
    for write in range(1, writes_of_a_life() + 1):
        sim, cluster, framework, drain = live(1, write, stored=stored)
        agent = cluster.agents["agent-1"]
        at = f"write {write}"

        assert (agent.history[0][1], sum(what == "crash" for _, what in agent.history)) == ("crash", 1), at
        assert agent.registered, at
        assert drain.state is DrainState.DRAINED, f"{at}: {drain.blocked_by}"
        for task_id in ("ends", "stays", "killed", "told"):
            assert len(set(ends(framework, task_id))) == 1, f"{at}: {task_id} {framework.states(task_id)}"
        books = only(cluster.operator.state()["frameworks"])
        for task in books["completed_tasks"]:
            assert task["state"] == ends(framework, task["task_id"])[0].name, at
        left = [key for key in store_of(sim, "agent-1") if key.startswith(("task", "update", "drain"))]
        assert left == [], at
        check_books(sim)


def test_an_agent_that_is_killed_while_it_shuts_down_leaves_no_end_that_nobody_hears(sim: Simulation) -> None:
    """Updates are discarded at once, tasks go with their executors: a kill in between leaves nothing half (2.1.7)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    framework = Launcher(executor_task("ends"), executor_task("stays"))
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    lost = sim.drop(StatusUpdate, sender="agent-1", where=lambda update: update.status.state.is_terminal)
    tell_executor(sim, cluster, driver, "TASK_FINISHED ends")
    sim.settle()

    sim.hold(ShutdownExecutor)
    agent.signal(signal.SIGUSR1)
    sim.settle()
    agent.crash()
    sim.forget(lost)
    agent.restart()
    sim.advance(30.0)
    ended = [status for status in framework.updates("ends") if status.state is not TaskState.TASK_LOST]
    drain = cluster.operator.drain("agent-1", max_grace_period=1.0)

    assert [str(status.state) for status in ended] == ["TASK_RUNNING"]
    assert drain.wait(120.0) is DrainState.DRAINED
    check_books(sim)
