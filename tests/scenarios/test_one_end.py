"""A task ends once, in one state: what the update said, what reconciliation says, and what the books show.

core.md TK-27, RC-3, RC-4; drain.md 0.2.10, 1.3.5, 1.10.1. Mesos answers about ended tasks by their agents: GONE, LOST.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite import FrameworkInfo, SimulatedWork, Simulation, TaskInfo
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages import StatusUpdate
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.tasks import TaskState, TaskStatus
from mesolite.simulation.simulation import SimulatedCluster
from tests.inside import executors_on
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    Launcher,
    about,
    check_books,
    command_task,
    executor_task,
    framework_of,
    id_of,
    only,
)

STAYING = FrameworkInfo(name="staying", failover_timeout_s=1e6)
STAYING_AWARE = FrameworkInfo(name="staying", failover_timeout_s=1e6, capabilities=AWARE.capabilities)
CAREFUL = FrameworkInfo(name="careful", failover_timeout_s=1e6, checkpoint=True, capabilities=AWARE.capabilities)
KINDS = pytest.mark.parametrize("info", [STAYING, STAYING_AWARE, CAREFUL], ids=["plain", "aware", "careful"])

FAILS = SimulatedWork(duration=5.0, exit_status=1)
ENDS = SimulatedWork(duration=5.0)


def asked(
    sim: Simulation, driver: MesoliteSchedulerDriver, framework: Launcher, agent_id: str | None, task_id: str = "t1"
) -> TaskStatus:
    """The answer to the question what became of that task on that agent."""
    before = len(framework.updates(task_id))
    named = None if agent_id is None else AgentId(agent_id)
    driver.reconcile_tasks([TaskStatus(task_id=TaskId(task_id), state=TaskState.TASK_STAGING, agent_id=named)])
    sim.settle()
    answer: TaskStatus = only(framework.updates(task_id)[before:])
    assert about(answer)[1:] == ("MASTER", "RECONCILIATION")
    return answer


def end_executors(sim: Simulation) -> None:
    """Every executor's process dies."""
    for executor in executors_on(sim, "agent-1"):
        sim.kill(executor)


def kill(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
    """The framework kills its task."""
    driver.kill_task(TaskId("t1"))


def nothing(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
    """The task ends by itself."""


ENDINGS = pytest.mark.parametrize(
    ("task", "end", "state"),
    [
        (command_task("t1", ENDS), nothing, "FINISHED"),
        (command_task("t1", FAILS), nothing, "FAILED"),
        (command_task("t1"), kill, "KILLED"),
        (command_task("t1"), lambda sim, _: end_executors(sim), "FAILED"),
        (executor_task("t1"), lambda sim, _: end_executors(sim), "FAILED"),
    ],
    ids=["finishes", "fails", "is killed", "loses its executor", "loses its custom executor"],
)


@KINDS
@ENDINGS
@pytest.mark.parametrize("named", [True, False], ids=["agent named", "no agent named"])
def test_asked_about_a_task_that_has_ended_the_master_repeats_its_end(
    sim: Simulation,
    info: FrameworkInfo,
    task: TaskInfo,
    end: Callable[[Simulation, MesoliteSchedulerDriver], None],
    state: str,
    named: bool,
) -> None:
    """Whichever way it ended; with the cause, and as often as it is asked (ours: RC-4 goes by the agent)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(task, refuse_s=0)
    driver = cluster.run(framework, framework=info, executors=EXECUTORS)
    sim.advance(1.0)

    end(sim, driver)
    sim.advance(30.0)

    told = framework.updates("t1")[-1]
    assert told.state.name == f"TASK_{state}"
    for _ in range(2):
        answer = asked(sim, driver, framework, cluster.agents["agent-1"].id if named else None)
        assert (answer.state, answer.cause) == (told.state, told.cause)
        assert answer.message == "the task has ended in this state"
    assert [task["state"] for task in framework_of(cluster)["completed_tasks"]] == [f"TASK_{state}"]


@KINDS
@ENDINGS
@pytest.mark.parametrize("lost", ["power_off", "crash"])
def test_a_task_whose_end_is_not_acknowledged_when_its_agent_goes_keeps_that_end(
    sim: Simulation,
    info: FrameworkInfo,
    task: TaskInfo,
    end: Callable[[Simulation, MesoliteSchedulerDriver], None],
    state: str,
    lost: str,
) -> None:
    """The agent that comes back may know nothing of it; that is no reason to call it dropped (1.3.5, 1.3.9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(task, refuse_s=0)
    driver = cluster.run(framework, framework=info, executors=EXECUTORS, implicit_acknowledgements=False)
    sim.run_until(lambda: framework.updates("t1"), timeout=10.0)
    for _ in range(3):  # all but the last
        for status in framework.updates("t1"):
            if not status.state.is_terminal:
                driver.acknowledge(status)
        sim.settle()
    end(sim, driver)
    sim.advance(8.0)
    for status in framework.updates("t1"):
        if not status.state.is_terminal:
            driver.acknowledge(status)
    sim.settle()
    assert framework.states("t1")[-1] == state

    getattr(cluster.agents["agent-1"], lost)()
    cluster.agents["agent-1"].restart()
    sim.advance(30.0)

    shown = [task["state"] for listed in ("tasks", "completed_tasks") for task in framework_of(cluster)[listed]]
    assert shown == [f"TASK_{state}"]
    assert asked(sim, driver, framework, cluster.agents["agent-1"].id).state.name == f"TASK_{state}"
    assert "DROPPED" not in framework.states("t1")
    check_books(sim)


def test_what_an_agent_forgot_of_an_ended_task_does_not_keep_its_drain_waiting(sim: Simulation) -> None:
    """Nobody can acknowledge it any more (4.5.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", FAILS), refuse_s=0)
    driver = cluster.run(framework, framework=STAYING_AWARE, implicit_acknowledgements=False)
    sim.advance(1.0)
    for _ in range(3):
        for status in framework.updates("t1"):
            driver.acknowledge(status)
        sim.settle()
    sim.advance(6.0)
    assert framework.states("t1")[-1] == "FAILED"
    sim.partition("agent-1", "master-1")  # so the link is not seen to break, and the task stays in the books
    cluster.agents["agent-1"].power_off()
    cluster.agents["agent-1"].restart()
    sim.heal()
    sim.advance(20.0)

    drain = cluster.operator.drain("agent-1")

    assert drain.wait(60.0).name == "DRAINED"
    assert framework.states("t1")[-1] == "FAILED"


@pytest.mark.parametrize("restarted", ["master first", "agent first"])
@ENDINGS
def test_a_task_that_ends_while_master_and_agent_restart_has_one_end(
    sim: Simulation,
    task: TaskInfo,
    end: Callable[[Simulation, MesoliteSchedulerDriver], None],
    state: str,
    restarted: str,
) -> None:
    """What the agent's update says of it is what the new leader answers and shows, acknowledged or not (RC-20)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(task, refuse_s=0)
    driver = cluster.run(framework, framework=CAREFUL, executors=EXECUTORS)
    sim.advance(1.0)
    unheard = sim.drop(StatusUpdate, receiver="master-1", where=lambda message: message.status.state.is_terminal)
    end(sim, driver)
    sim.advance(6.0)
    assert unheard.count >= 1
    sim.forget(unheard)
    order = [cluster.masters["master-1"], cluster.agents["agent-1"]]
    for machine in order if restarted == "master first" else reversed(order):
        machine.restart()
    sim.advance(60.0)

    told = framework.updates("t1")[-1]
    answer = asked(sim, driver, framework, cluster.agents["agent-1"].id)

    assert told.state.name == f"TASK_{state}"
    assert (answer.state, answer.cause) == (told.state, told.cause)
    listed = framework_of(cluster)["tasks"] + framework_of(cluster)["completed_tasks"]
    assert [task["state"] for task in listed] == [told.state.name]


def test_an_end_that_was_known_before_the_agent_became_unreachable_is_repeated(sim: Simulation) -> None:
    """Asked about, the task has FAILED, as the books show it, whatever was said of its agent since."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", FAILS), refuse_s=0)
    driver = cluster.run(framework, framework=STAYING_AWARE, implicit_acknowledgements=False)
    sim.advance(1.0)
    for _ in range(3):
        for status in framework.updates("t1"):
            driver.acknowledge(status)
        sim.settle()
    sim.advance(6.0)
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)

    assert [task["state"] for task in framework_of(cluster)["unreachable_tasks"]] == ["TASK_FAILED"]
    assert asked(sim, driver, framework, cluster.agents["agent-1"].id).state is TaskState.TASK_FAILED


# -------------------------------------------------------------------------------------- tasks that nobody ever knew


def registered(sim: Simulation, cluster: SimulatedCluster) -> str | None:
    """An agent that is there."""
    return id_of(cluster)


def unreachable(sim: Simulation, cluster: SimulatedCluster) -> str | None:
    """An agent that is out of reach."""
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)
    return id_of(cluster)


def gone(sim: Simulation, cluster: SimulatedCluster) -> str | None:
    """An agent that was marked gone."""
    cluster.operator.mark_gone("agent-1")
    return id_of(cluster)


@pytest.mark.parametrize(
    ("where", "state", "message"),
    [
        (registered, "GONE", "the master knows of no such task on agent {agent}, which is registered"),
        (unreachable, "UNREACHABLE", "agent {agent} is unreachable, and so is whatever runs there"),
        (gone, "GONE_BY_OPERATOR", "agent {agent} was marked gone by an operator, and so is whatever ran there"),
        (lambda *_: "nobody", "UNKNOWN", "the master knows neither of such a task nor of agent {agent}"),
        (lambda *_: None, "UNKNOWN", "the master knows of no such task"),
    ],
    ids=["registered", "unreachable", "gone", "unknown", "none"],
)
@pytest.mark.parametrize("info", [STAYING_AWARE, STAYING], ids=["aware", "plain"])
def test_of_a_task_nobody_ever_knew_nothing_is_claimed_to_be_known(
    sim: Simulation,
    where: Callable[[Simulation, SimulatedCluster], str | None],
    state: str,
    message: str,
    info: FrameworkInfo,
) -> None:
    """The answer says what it is drawn from (RC-4, 1.10.1)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher()
    driver = cluster.run(framework, framework=info)
    sim.settle()
    agent_id = where(sim, cluster)

    answer = asked(sim, driver, framework, agent_id, "never-launched")

    assert answer.state.name == f"TASK_{state if info is STAYING_AWARE else 'LOST'}"
    assert answer.message == message.format(agent=agent_id)


def test_asked_without_an_agent_about_a_task_out_of_reach_the_answer_names_it(sim: Simulation) -> None:
    """UNKNOWN, as in Mesos, yet it says where the task was (RC-6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=STAYING_AWARE)
    sim.advance(1.0)
    agent_id = unreachable(sim, cluster)
    sim.settle()

    answer = asked(sim, driver, framework, None)

    assert answer.state is TaskState.TASK_UNKNOWN
    assert answer.message == f"the task was on agent {agent_id}, which is unreachable; name it to learn more"


def test_a_task_that_is_alive_is_answered_with_its_latest_state(sim: Simulation) -> None:
    """That is what the master knows of it (RC-3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=STAYING)
    sim.advance(1.0)

    answer = asked(sim, driver, framework, id_of(cluster))

    assert (answer.state, answer.message) == (TaskState.TASK_RUNNING, "the latest state the master knows")
    assert only(sim.view.tasks(driver)).state is TaskState.TASK_RUNNING
