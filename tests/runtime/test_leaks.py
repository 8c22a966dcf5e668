"""Clusters that were closed, and actors that have gone, leave nothing behind; benchmarks/flat.py makes a thousand."""

from __future__ import annotations

import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from signal import SIGUSR1

import psutil
import pytest

from mesolite import (
    Cluster,
    CommandInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    Settings,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.actors.actor import MesosActor
from mesolite.actors.runtime import directory
from mesolite.actors.runtime.port import ActorContext, Placement, Timer
from mesolite.actors.trace import Trace
from mesolite.simulation.in_flight import Channel
from mesolite.simulation.scheduled_actions import ScheduledAction
from mesolite.simulation.virtual import VirtualRuntime
from tests.runtime.puppets import Puppet

pytestmark = pytest.mark.slow

CLUSTERS = 30
SIMULATIONS = 200
PATIENCE_S = 60.0


class Rounds(Scheduler):
    """Runs one task after another, so many in all."""

    def __init__(self, tasks: int, command: str) -> None:
        self.ended = 0
        self._left = tasks
        self._command = command
        self.running = ""
        self.done = threading.Event()

    def again(self, tasks: int) -> None:
        self._left = tasks
        self.done.clear()

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            tasks = []
            if self._left:
                self._left -= 1
                command = CommandInfo(value=self._command)
                tasks = [TaskInfo(task_id=f"task-{self._left}", resources="cpus:1;mem:32", command=command)]
            driver.launch_tasks(offer, tasks)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            self.running = status.task_id
        if status.state.is_terminal:
            self.ended += 1
            if not self._left:
                self.done.set()


def alive() -> int:
    """How many contexts, actors, traces, timers and moments there are, whoever holds them."""
    gc.collect()
    return sum(
        isinstance(thing, ActorContext | MesosActor | Trace | Timer | ScheduledAction | Channel)
        for thing in gc.get_objects()
    )


def held() -> tuple[int, int, list[psutil.Process]]:
    """This process's threads and open files, and the processes below it."""
    process = psutil.Process()
    return threading.active_count(), process.num_fds(), process.children(recursive=True)


def test_closed_clusters_leave_nothing() -> None:
    """No thread, no process, no open file, no actor, though each has run a command."""

    def cluster() -> None:
        rounds = Rounds(1, "exit 0")
        with Cluster(agents=2, settings=Settings.local()) as made:
            made.run(rounds, framework="rounds")
            assert rounds.done.wait(PATIENCE_S)

    cluster()
    before, objects = held(), alive()
    for _ in range(CLUSTERS):
        cluster()

    assert held() == before
    assert alive() == objects


def test_left_simulations_leave_nothing() -> None:
    """Only memory could be left of a simulation, and is not."""

    def simulation(seed: int) -> None:
        with Simulation(seed) as made:
            made.cluster(agents=2).run(Rounds(2, "sleep 1"), framework="rounds")
            made.advance(30.0)

    simulation(0)
    before, objects = held(), alive()
    for seed in range(SIMULATIONS):
        simulation(seed)

    assert held() == before
    assert alive() == objects


@pytest.mark.parametrize("latency_s", [(0.0, 0.0), (0.001, 0.01)])
def test_tasks_that_have_ended_leave_nothing(latency_s: tuple[float, float]) -> None:
    """After a hundred more tasks there are no more actors, timers, simulated processes and channels than before."""
    with Simulation(7, latency=latency_s, trace_records=0) as made:
        cluster = made.cluster(agents=1)
        rounds = Rounds(10, "sleep infinity")
        driver = cluster.run(rounds, framework="rounds")

        def go_through(tasks: int) -> None:
            for number in reversed(range(tasks)):
                made.run_until(lambda: rounds.running == f"task-{number}", 60.0)  # noqa: B023  # at once
                driver.kill_task(rounds.running)
            made.run_until(rounds.done.is_set, 60.0)
            made.advance(120.0)

        go_through(10)
        objects = alive()
        rounds.again(100)
        driver.revive_offers()
        go_through(100)

        assert rounds.ended == 110
        assert alive() == objects


@pytest.fixture
def uncollected() -> Iterator[Callable[[], Counter[str]]]:
    """No collector of cyclic garbage; says what it would have had to collect since the last time it was asked."""

    def garbage() -> Counter[str]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        found = Counter(type(thing).__qualname__ for thing in gc.garbage)
        gc.garbage.clear()
        gc.collect()
        return found

    gc.collect()
    gc.disable()
    yield garbage
    gc.enable()


def test_what_has_ended_in_a_simulation_needs_no_collector(uncollected: Callable[[], Counter[str]]) -> None:
    """Tasks that end, machines that crash, lose their power, are told to go and come back: all is freed at once."""
    with Simulation(7, trace_records=0) as made:
        cluster = made.cluster(agents=3, masters=2)
        rounds = Rounds(30, "sleep 1")
        cluster.run(rounds, framework="rounds")
        made.advance(5.0)
        uncollected()

        made.run_until(rounds.done.is_set, 600.0)
        cluster.agents["agent-1"].crash()
        cluster.agents["agent-2"].power_off()
        cluster.agents["agent-3"].signal(SIGUSR1)
        made.advance(30.0)
        for agent in cluster.agents.values():
            agent.restart()
        assert cluster.leader is not None
        cluster.leader.crash()
        made.advance(120.0)

        assert uncollected() == Counter()


def test_what_has_ended_on_threads_needs_no_collector(uncollected: Callable[[], Counter[str]]) -> None:
    """Real commands, their executors, threads and processes: freed at once."""
    with Cluster(agents=2, settings=Settings.local()) as made:
        rounds = Rounds(2, "exit 0")
        driver = made.run(rounds, framework="rounds")
        assert rounds.done.wait(PATIENCE_S)
        uncollected()

        rounds.again(20)
        driver.revive_offers()
        assert rounds.done.wait(PATIENCE_S)
        made.wait_until(
            lambda: all("task-" not in context.name for context in made.runtime.directory), timeout=PATIENCE_S
        )

        assert uncollected() == Counter()


def test_a_forgotten_guest_begins_above_all_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of executors' names only so many are remembered; still no two lives of one have the same incarnation (LP-11)."""
    monkeypatch.setattr(directory, "FORMER_GUESTS", 2)
    runtime = VirtualRuntime(1, Trace())

    def live(name: str, host: str = "agent") -> int:
        context = runtime.start(name, Placement(host), lambda context: MesosActor(context, Puppet()))
        runtime.end(context, 0)
        return context.incarnation

    assert [live("often") for _ in range(3)] == [1, 2, 3]
    assert [live(name) for name in ("one", "other")] == [1, 1]

    assert runtime.directory.incarnation("often") == 0
    assert live("often") == 4
    assert live("never seen") == 4
    assert [live("agent"), live("agent")] == [1, 2]
