"""The same plain commands on a real cluster and in a simulation end alike: state, and exit status or signal."""

from __future__ import annotations

from typing import Any

from mesolite import Cluster, CommandInfo, Simulation, TaskInfo
from mesolite.simulation import SimulatedCluster
from tests.cluster.real_commands import PATIENCE_S, Launching, command, until

TEXTS = (
    "sleep 0.05", "sleep .05", "/bin/sleep 0.01", "exec sleep 0.01",
    "exit 0", "exit 3", "exit 255", "exit 256", "exit", "true", "false", "",
    "sleep 0.01; exit 3", "sleep 0.01\nexit 3\n", "sleep 0.01 && exit 4", "sleep 0.01;",
    "false && sleep infinity", "true || sleep infinity", "false || exit 5", "false; exit 0", "false; exit",
    "false && exit 2 || exit 3", "true || exit 2 && exit 3", "exit 3; sleep infinity", "exec sleep 0.01; exit 3",
    "true && false", "sleep '0.01'; exit \"3\"",
    "echo done", "echo done; exit 3", "echo 'a; exit 4'; exit 3", 'echo "a \\" && exit 5"', "sleep 0.01 &&\n exit 6",
)  # fmt: skip

PROGRAMS = (
    ("sleep", "0.05"), ("/bin/sleep", "0.01"), ("true",), ("false",), ("echo", "exit", "3"), ("exit", "0"),
    ("exit", "3"), ("sh", "-c", "sleep 0.01; exit 3"), ("/bin/sh", "-c", "false"),
)  # fmt: skip


def tasks() -> list[TaskInfo]:
    """One of each."""
    shell = [command(f"text-{number}", text) for number, text in enumerate(TEXTS)]
    return shell + [command(f"argv-{number}", *words, shell=False) for number, words in enumerate(PROGRAMS)]


def ends(framework: Launching) -> dict[str, tuple[str, str]]:
    """How each task ended, and, if it was started at all, in whose words."""
    statuses = [framework.updates(str(task.task_id))[-1] for task in tasks()]
    return {
        str(status.task_id): (status.state.name, status.message if "cannot start" not in status.message else "")
        for status in statuses
    }


def test_plain_commands_end_alike_on_both_runtimes() -> None:
    """A test that passes in a simulation says something about the real thing."""
    ids = [str(task.task_id) for task in tasks()]
    simulated, real = Launching(*tasks()), Launching(*tasks())
    sim = Simulation(seed=1)
    sim.cluster(resources="cpus:8;mem:4096").run(simulated, framework="mine")
    sim.run_until(lambda: simulated.ended(*ids), timeout=600.0)
    with Cluster(resources="cpus:8;mem:4096") as cluster:
        cluster.run(real, framework="mine")
        until(cluster, lambda: real.ended(*ids))

    assert ends(simulated) == ends(real)
    assert len(dict.fromkeys(ends(real).values())) > 6, "they should end in many ways"


def killed(cluster: Cluster | SimulatedCluster, task: TaskInfo) -> tuple[str, str]:
    """How a task ends that is killed when it runs."""
    framework = Launching(task)
    driver: Any = cluster.run(framework, framework="mine")
    cluster.wait_until(lambda: framework.states("t")[-1:] == ["RUNNING"], PATIENCE_S)
    driver.kill_task("t")
    cluster.wait_until(lambda: framework.ended("t"), PATIENCE_S)
    ended = framework.updates("t")[-1]
    return ended.state.name, ended.message


def test_what_sleeps_for_ever_dies_of_sigterm_on_both_runtimes() -> None:
    """It is taken at its word, in a shell or not."""
    for info in (CommandInfo(value="sleep infinity"), CommandInfo(value="sleep", arguments=("infinity",), shell=False)):
        task = TaskInfo(task_id="t", resources="cpus:0.1;mem:32", command=info)
        with Cluster() as cluster:
            real = killed(cluster, task)

        assert killed(Simulation(seed=1).cluster(), task) == real
        assert real == ("TASK_KILLED", "Command was killed by SIGTERM (15)")
