"""Executors that never register, are killed before they do, or do not end when told to (drain.md 3.1; core.md 5.7)."""

from __future__ import annotations

import attrs
import pytest

from mesolite import (
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    KillPolicy,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
)
from mesolite.messages import (
    ExecutorRegistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    RunTask,
    ShutdownExecutor,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    UpdateFramework,
)
from mesolite.messages.ids import ExecutorId
from tests.inside import store_of
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    about,
    check_books,
    command_task,
    executor_task,
    only,
    tell_executor,
)


@pytest.mark.scenario("SlaveTest.ShutdownUnregisteredExecutor")
def test_an_executor_that_never_registers_is_destroyed_after_a_minute(sim: Simulation) -> None:
    """Its task FAILS for EXECUTOR_REGISTRATION_TIMEOUT; nothing of it is left (TK-50, 3.1.12)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    sim.drop(RegisterExecutor)
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(59.9)
    assert framework.updates("t1") == []

    sim.advance(0.2)

    assert about(only(framework.updates("t1"))) == ("FAILED", "AGENT", "EXECUTOR_REGISTRATION_TIMEOUT")
    assert framework.count("executor_lost") == 1
    check_books(sim)


@pytest.mark.scenario("SlaveTest.RemoveUnregisteredTerminatedExecutor")
def test_an_executor_that_ends_before_it_registers_fails_its_task(sim: Simulation) -> None:
    """EXECUTOR_TERMINATED, and the framework hears that the executor is lost (TK-55, TK-57)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    sim.drop(RegisterExecutor)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()

    sim.kill(f"agent-1/{driver.framework_id}/e1")
    sim.advance(1.0)

    assert about(only(framework.updates("t1"))) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
    assert only(framework.named("executor_lost")).arguments[2] == -9


@pytest.mark.scenario("SlaveTest.KillQueuedTaskDuringExecutorRegistration")
def test_a_task_killed_before_its_executor_registers_never_reaches_it(sim: Simulation) -> None:
    """KILLED at once, from the agent; the executor that comes for nothing is shut down, not registered (TK-44)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    registrations = sim.hold(RegisterExecutor)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    answers = sim.expect((ExecutorRegistered, ShutdownExecutor), sender="agent-1")

    driver.kill_task("t1")
    sim.settle()
    assert about(only(framework.updates("t1"))) == ("KILLED", "AGENT", "TASK_KILLED_DURING_LAUNCH")
    registrations.release()
    sim.advance(5.0)

    assert [type(answer) for answer in answers.all] == [ShutdownExecutor]
    assert framework.count("executor_lost") == 1
    check_books(sim)


def test_of_the_tasks_that_wait_for_an_executor_only_the_living_reach_it(sim: Simulation) -> None:
    """In the order of their launch (TK-36, TK-38); one that was killed meanwhile never does (TK-44)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(*(executor_task(name, resources="cpus:0.1;mem:32") for name in ("t3", "t1", "t2")))
    registrations = sim.hold(RegisterExecutor)
    # Nobody acknowledges anything, so the agent still has the killed one in its books when the executor registers.
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS, implicit_acknowledgements=False)
    sim.settle()
    answers = sim.expect((ExecutorRegistered, RunTask, ShutdownExecutor), sender="agent-1")

    driver.kill_task("t1")
    sim.settle()
    assert about(only(framework.updates("t1"))) == ("KILLED", "AGENT", "TASK_KILLED_DURING_LAUNCH")
    registrations.release()
    sim.advance(5.0)

    assert isinstance(answers.first, ExecutorRegistered)
    assert [run.task.task_id for run in answers.all[1:]] == ["t3", "t2"]
    assert (framework.states("t3"), framework.states("t2")) == (["RUNNING"], ["RUNNING"])


def test_an_executor_with_nothing_to_do_stays_until_it_ends_itself(sim: Simulation) -> None:
    """Nobody shuts it down, and it takes the next task; of its end the scheduler is told (TK-57, TK-60)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), refuse_s=0)
    registrations, shutdowns = sim.expect(RegisterExecutor), sim.expect(ShutdownExecutor)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.advance(1000.0)
    driver.launch_tasks(framework.offers[-1], executor_task("t2"))
    sim.advance(1.0)
    assert (framework.states("t1"), framework.states("t2")) == (["RUNNING", "FINISHED"], ["RUNNING"])
    driver.kill_task("t2")
    sim.advance(1000.0)
    assert (registrations.count, shutdowns.count, framework.count("executor_lost")) == (1, 0, 0)

    tell_executor(sim, cluster, driver, "stop")
    sim.settle()

    assert framework.states("t2") == ["RUNNING", "KILLED"]
    assert only(framework.named("executor_lost")).arguments == ("e1", cluster.agents["agent-1"].id, 0)


def test_a_task_that_was_killed_is_not_reported_again_when_its_executor_dies(sim: Simulation) -> None:
    """The kill ends that one task, and the agent reports only those that had not ended by then (TK-45, TK-55)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), executor_task("t2", resources="cpus:0.5;mem:32"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    sim.drop(StatusUpdateAcknowledgement, receiver="agent-1", times=1)
    told = sim.expect(StatusUpdate, sender="agent-1", where=lambda update: update.status.task_id == "t1")

    driver.kill_task("t1")
    sim.advance(1.0)
    assert about(framework.updates("t1")[-1]) == ("KILLED", "EXECUTOR", None)
    assert framework.states("t2") == ["RUNNING"]
    sim.kill(f"agent-1/{driver.framework_id}/e1")
    sim.advance(60.0)

    assert about(framework.updates("t2")[-1]) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
    assert framework.states("t2") == ["RUNNING", "FAILED"]
    assert framework.states("t1") == ["RUNNING", "KILLED", "KILLED"]  # repeated, as its acknowledgement was lost
    assert {update.latest_state for update in told.all} == {TaskState.TASK_KILLED}
    assert framework.count("executor_lost") == 1
    check_books(sim)


class Deaf(Executor):
    """Runs its tasks and never returns from nothing: it ignores kills, and waits when shut down."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)


@pytest.mark.scenario("SlaveTest.ExecutorShutdownGracePeriod")
def test_an_executor_has_its_own_grace_to_end_in(sim: Simulation) -> None:
    """Told to shut down and never heard of again, it is destroyed after its 10 s, not after the agent's 5 s (3.1.3)."""
    cluster = sim.cluster(agents=1)
    executor = ExecutorInfo(executor_id=ExecutorId("e1"), name="deaf", shutdown_grace_period_s=10.0)
    task = TaskInfo(task_id="t1", resources="cpus:1;mem:128", executor=executor)
    framework = Launcher(task)
    driver = cluster.run(framework, framework=PLAIN, executors={"deaf": Deaf})
    sim.advance(1.0)
    sim.drop(ShutdownExecutor)
    actor = f"agent-1/{driver.framework_id}/e1"
    # An executor may never report STAGING, and is shut down for it (TK-5).
    running = next(
        record.event for record in sim.trace if isinstance(record.event, StatusUpdate) and record.sender == actor
    )
    staging = StatusUpdate(
        framework_id=running.framework_id,
        status=attrs.evolve(running.status, state=TaskState.TASK_STAGING, uuid="another"),
        latest_state=TaskState.TASK_STAGING,
    )
    sim.inject("agent-1", staging, sender=actor)
    sim.advance(9.9)
    assert framework.states("t1") == ["RUNNING"]

    sim.advance(0.2)

    assert about(framework.updates("t1")[-1]) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
    assert framework.count("executor_lost") == 1


@pytest.mark.parametrize("state", ["TASK_STAGING", "TASK_UNREACHABLE", "TASK_UNKNOWN"])
def test_an_executor_that_says_what_only_masters_may_say_is_shut_down(sim: Simulation, state: str) -> None:
    """Its task would run on with resources that are offered to others (TK-4, TK-5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)

    tell_executor(sim, cluster, driver, f"{state} t1")
    sim.advance(1.0)

    assert framework.states("t1")[:2] == ["RUNNING", "FAILED"]
    assert framework.updates("t1")[1].message == f"executor e1 was shut down: {state} is not an executor's to say"
    assert framework.count("executor_lost") == 1


@pytest.mark.parametrize(("work", "seconds"), [(STUBBORN, 3.0), (SimulatedWork(duration=None, on_sigterm=1.0), 1.0)])
def test_a_killed_command_gets_sigterm_then_three_seconds_then_sigkill(
    sim: Simulation, work: SimulatedWork, seconds: float
) -> None:
    """KILLED comes when it has ended, and no later than its grace (3.2.1, TK-48)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", work))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    asked_at = sim.now

    driver.kill_task("t1")
    sim.run_until(lambda: framework.states("t1")[-1] == "KILLED", timeout=10.0)

    assert sim.now - asked_at == pytest.approx(seconds)


def test_the_grace_in_a_kill_request_wins_over_the_tasks_own(sim: Simulation) -> None:
    """Ours reaches the executor, whatever its driver is; Mesos loses it on the way to old ones (3.2.7, 10.14)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN, kill_policy=KillPolicy(grace_period_s=100.0)))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)

    driver.kill_task("t1", KillPolicy(grace_period_s=2.0))
    sim.advance(2.1)

    assert framework.states("t1")[-1] == "KILLED"


@pytest.mark.scenario("SlaveRecoveryTest.KillTask")
def test_a_task_can_be_killed_through_a_restarted_agent(sim: Simulation) -> None:
    """Master, agent, executor and scheduler all speak again; all resources come back (FW-44, AG-11)."""
    cluster = sim.cluster(agents=1, resources="cpus:2;mem:256")
    framework = Launcher(command_task("t1", resources="cpus:2;mem:256"))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    driver.kill_task("t1")
    sim.advance(5.0)

    assert framework.states("t1") == ["STARTING", "RUNNING", "KILLED"]
    assert str(framework.offers[-1].resources) == "cpus:2;mem:256"


@pytest.mark.scenario("SlaveRecoveryTest.ReconnectExecutor")
def test_an_executor_tells_a_restarted_agent_what_it_missed(sim: Simulation) -> None:
    """Its unacknowledged updates come along, oldest first, and reach the scheduler, perhaps twice (AG-14, TK-67)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    sim.drop(StatusUpdate, receiver="agent-1", times=2)
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    assert framework.updates("t1") == []
    asked, told = sim.expect(ReconnectExecutor), sim.expect(ReregisterExecutor)

    cluster.agents["agent-1"].crash()
    sim.settle()
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert asked.count == 1
    assert [update.status.state.name for update in told.first.updates] == ["TASK_STARTING", "TASK_RUNNING"]
    assert list(dict.fromkeys(framework.states("t1"))) == ["STARTING", "RUNNING"]


@pytest.mark.scenario("SlaveRecoveryTest.NonCheckpointingFramework")
def test_of_a_framework_that_does_not_checkpoint_nothing_is_stored(sim: Simulation) -> None:
    """Not even when the agent hears of it again; the agent's own id is all there is (AG-1, FW-23)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    info = attrs.evolve(PLAIN, id=driver.framework_id)

    sim.inject("agent-1", UpdateFramework(framework_info=info, scheduler="plain"), sender="master-1")
    sim.settle()

    assert list(store_of(sim, "agent-1")) == ["agent"]


@pytest.mark.scenario("SlaveRecoveryTest.RecoverSlaveState")
def test_what_a_checkpointing_agent_stores_is_what_it_needs_to_go_on(sim: Simulation) -> None:
    """Its id, the framework with its scheduler, the executor, the task, and each unacknowledged update (AG-1)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED, implicit_acknowledgements=False)
    sim.settle()
    driver.acknowledge(framework.updates("t1")[0])
    sim.settle()

    stored = store_of(sim, "agent-1")

    of_framework = f"{driver.framework_id}"
    assert sorted(stored) == [
        "agent",
        f"executor/{of_framework}/t1",
        f"framework/{of_framework}",
        f"task/{of_framework}/t1",
        f"update/{of_framework}/t1/000001",
    ]
    assert stored["agent"].id == cluster.agents["agent-1"].id
    assert stored[f"framework/{of_framework}"].scheduler == "checkpointed"
    assert stored[f"task/{of_framework}/t1"].task.task_id == "t1"
    assert stored[f"update/{of_framework}/t1/000001"].status.uuid == framework.updates("t1")[1].uuid


@pytest.mark.scenario("SlaveRecoveryTest.ShutdownSlave")
def test_an_agent_that_was_shut_down_comes_back_empty_under_its_id(sim: Simulation) -> None:
    """Its executors have ended, so all its resources are offered (2.1.11)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    old_id = agent.id
    agent.signal(10)
    sim.advance(20.0)
    assert not agent.alive

    agent.restart()
    sim.advance(10.0)

    assert agent.id == old_id
    assert framework.offers[-1].resources == framework.offers[0].resources
    check_books(sim)


def test_an_agent_that_stops_takes_only_what_was_not_checkpointed_with_it(sim: Simulation) -> None:
    """Executors of a framework that does not checkpoint end in their grace, the others go on (AG-21, FW-44)."""
    cluster = sim.cluster(agents=1)
    plain, durable = Launcher(command_task("t1", STUBBORN)), Launcher(command_task("t2", STUBBORN))
    cluster.run(plain, framework=PLAIN)
    sim.advance(1.0)
    cluster.run(durable, framework=CHECKPOINTED)
    sim.advance(5.0)
    assert {task.task_id for task in sim.view.running()} == {"t1", "t2"}

    cluster.agents["agent-1"].stop()
    sim.advance(10.0)

    assert {task.task_id for task in sim.view.running()} == {"t2"}
    assert (plain.states("t1")[-1], durable.states("t2")[-1]) == ("LOST", "RUNNING")


@pytest.mark.scenario("SlaveRecoveryTest.Reboot")
def test_a_rebooted_machine_keeps_its_agents_id_and_has_lost_its_tasks(sim: Simulation) -> None:
    """The power was cut: nothing runs any more, the task is reported as ended, all resources are offered (AG-9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    old_id = agent.id
    agent.power_off()
    sim.advance(20.0)

    agent.restart()
    sim.advance(20.0)

    assert agent.id == old_id
    assert framework.updates("t1")[-1].state.is_terminal
    free = sum(offer["resources"].startswith("cpus:") for offer in cluster.operator.state()["offers"])
    assert free == 2  # what was left, and what the task had held
    check_books(sim)


def test_a_restarted_agent_runs_a_task_again_while_the_old_one_is_still_dying(sim: Simulation) -> None:
    """The crash lost the task (1.5.2); its executor takes its grace to die; the same id runs anew meanwhile."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN), refuse_s=0)
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.settle()
    assert framework.updates("t1")[-1].state is TaskState.TASK_LOST
    framework.waiting = [command_task("t1", STUBBORN)]

    agent.restart()
    sim.advance(2.9)

    assert len(sim.view.running()) == 2
    assert framework.updates("t1")[-1].state is TaskState.TASK_RUNNING
    sim.advance(10.0)
    assert len(sim.view.running()) == 1
    assert framework.updates("t1")[-1].state is TaskState.TASK_RUNNING
    check_books(sim)
