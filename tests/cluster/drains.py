"""Many drains in a row of one agent, each with a mix of commands and Python executors that do not all want to go.

    python -m tests.cluster.drains --drains 1000       `make drains`; test_many_drains.py runs a few of them

Rule: when the drain says DRAINED nothing that descends from any of its commands is alive, not even for an instant, and
no executor that ran a task is; every task was reported to its framework as killed by the drain, exactly once.
"""

from __future__ import annotations

import argparse
import select
import sys
import tempfile
import threading
import time
from pathlib import Path

from attrs import frozen

from mesolite import (
    Cause,
    Cluster,
    DrainState,
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    KillPolicy,
    Settings,
    TaskInfo,
    TaskState,
)
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.ids import TaskId
from tests.cluster.real_commands import PATIENCE_S, Launching, Pipes, command, pipes_in, until
from tests.inside import executors_on

GRACE_S = 0.1
HERE = 'exec 9>"$LIFE"; echo "$NAME" > "$TOLD"; '

KINDS = {
    "obedient": "exec sleep 1000",
    "tidy": "trap 'kill $!; exit 0' TERM; sleep 1000 & wait",
    "slow": "trap 'sleep 0.03; exit 0' TERM; sleep 1000 & wait",
    "stubborn": "trap '' TERM; while :; do sleep 1000; done",
    "forking": "for n in 1 2 3 4; do (trap '' TERM; sleep 1000) & done; sleep 1000",
    "daemonising": """setsid sh -c 'trap "" TERM; (sleep 1000; :) & exit 0' & sleep 1000""",
    "orphaning": "(setsid sh -c 'sleep 1000; :' &) ; exec sleep 1000",
    "respawning": "trap '' TERM; while :; do sleep 0.01; done",
}
"""What each command does after it has said that it is there; all that descend from it hold the lifeline open."""


class Deaf(Executor):
    """Hears no kill, and ends when it is shut down."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)


class Hung(Deaf):
    """Hangs in the kill, so that it hears nothing any more: it has to be cut off. Nobody can end its thread."""

    released = threading.Event()

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        self.released.wait()


EXECUTORS = {"deaf": Deaf, "hung": Hung}


@frozen
class Round:
    """One drain: how long it took, and what was wrong with it."""

    took_s: float
    complaints: list[str]


def drain_once(cluster: Cluster, number: int, folder: Path) -> Round:
    """Fill the agent, drain it, look at what is left, and put it back into service."""
    names = {f"{kind}-{number}": script for kind, script in KINDS.items()}
    with pipes_in(folder / str(number)) as pipes:
        tasks = [command(name, HERE + script, NAME=name, **pipes.environment) for name, script in names.items()]
        deaf = [_task_of(kind, number) for kind in EXECUTORS]
        everything = [*names, *(str(task.task_id) for task in deaf)]
        framework = Launching(*tasks, *deaf)
        Hung.released = threading.Event()
        driver = cluster.run(framework, f"drain-{number}", executors=EXECUTORS)
        pipes.hear(len(names))
        until(cluster, lambda: all(framework.states(name)[-1:] == ["RUNNING"] for name in everything))
        drain = cluster.operator.drain("agent-1", max_grace_period=GRACE_S)
        state = drain.wait(PATIENCE_S)
        complaints = [] if state is DrainState.DRAINED else [f"it ended {state}"]
        complaints += _still_alive(cluster, pipes) + _untold(framework, everything)
        Hung.released.set()
        until(cluster, lambda: drain.ended_at is not None)
        took_s = (drain.ended_at or 0.0) - drain.started_at
    _back_to_service(cluster, driver)
    return Round(took_s, complaints)


def _task_of(kind: str, number: int) -> TaskInfo:
    executor = ExecutorInfo(executor_id=f"{kind}-{number}", name=kind, shutdown_grace_period_s=GRACE_S)
    return TaskInfo(task_id=f"{kind}-{number}", resources="cpus:0.1;mem:32", executor=executor)


def _still_alive(cluster: Cluster, pipes: Pipes) -> list[str]:
    """What lives now: looked at once, without waiting."""
    poll = select.poll()
    poll.register(pipes.lifeline, 0)
    alive = [] if poll.poll(0) else ["somebody holds the lifeline"]
    alive += [f"{executor} is alive" for executor in executors_on(cluster, "agent-1")]
    return alive + [f"process {pid} is alive" for pid in cluster.processes("agent-1")]


def _untold(framework: Launching, names: list[str]) -> list[str]:
    """Tasks whose end was not reported exactly once, as what it was."""
    complaints = []
    for name in names:
        ends = [(status.state, status.cause) for status in framework.updates(name) if status.state.is_terminal]
        if ends != [(TaskState.TASK_KILLED, Cause.DRAINED)]:
            complaints.append(f"{name} was reported as {ends}")
    return complaints


def _back_to_service(cluster: Cluster, driver: MesoliteSchedulerDriver) -> None:
    cluster.operator.reactivate("agent-1")
    driver.stop()
    driver.join(PATIENCE_S)


def many(drains: int, progress: bool = False) -> list[Round]:
    """Drain one agent so many times."""
    rounds: list[Round] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster(agents=1, settings=Settings.local().but(command_executor_margin_s=0.2)) as cluster,
    ):
        for number in range(1, drains + 1):
            rounds.append(drain_once(cluster, number, Path(folder)))
            if progress and number % 10 == 0:
                bad = sum(1 for each in rounds if each.complaints)
                sys.stdout.write(f"{number} of {drains} drains, {bad} of them with complaints\n")
    return rounds


def main() -> int:
    """Drain, and say what was seen; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Drain one agent again and again.")
    parser.add_argument("--drains", type=int, default=200)
    began = time.monotonic()
    rounds = many(parser.parse_args().drains, progress=True)
    for number, each in enumerate(rounds, start=1):
        for complaint in each.complaints:
            sys.stdout.write(f"drain {number}: {complaint}\n")
    took = sorted(each.took_s for each in rounds)
    bad = sum(1 for each in rounds if each.complaints)
    sys.stdout.write(
        f"{len(rounds)} drains of {len(KINDS)} commands and {len(EXECUTORS)} executors, grace {GRACE_S:g} s, "
        f"in {time.monotonic() - began:.1f} s: {bad} with complaints; "
        f"each took {took[0]:.3f} to {took[-1]:.3f} s, half of them under {took[len(took) // 2]:.3f} s\n"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
