"""Simulated clusters of a thousand agents and of ten thousand and more, each in a process of its own.

    a cluster's life    100 frameworks, 10 tasks per agent: bring-up, launch of all tasks, one virtual hour of pings,
                        drain of every tenth agent at once, and a failover: the leader loses its power, and all agents
                        and tasks come back to its successor
    a failover          the shape of Mesos's own failover benchmark: 5 frameworks, 10 tasks per agent

What is counted are events, that is records of the trace: a message, a timer or a piece of news, handled by one actor.
A "message" of the hour is a ping or a pong; each ping takes a timer, too, which is counted in its cost. Times are
those of the processor. The cost per event of a large cluster stands beside that of a small one, in the same run. That
of the hour also stands beside the floor of this interpreter: as many events through a bare deque.

A trace of a thousand records is kept instead of twenty thousand: with so many agents those would not even cover one
round of pings. The collector of cyclic garbage is off: what has ended frees itself (tests/runtime/test_leaks.py). Both
is what docs/performance.md advises for clusters of this size; what the collector costs is measured beside it.
"""

from __future__ import annotations

import gc
import json
import pathlib
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import asdict, define

from benchmarks.measuring import Figure, Goal, Result, Stopwatch
from mesolite import (
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
from mesolite.simulation import SimulatedCluster

SMALL, LARGE = 1_000, 10_000
FAILOVER_SIZES = (1_000, 5_000, 10_000, 20_000)
TASKS_PER_AGENT = 10
FRAMEWORKS = 100
FAILOVER_FRAMEWORKS = 5
HOUR_S = 3600.0
PATIENCE_S = 600.0
TRACE_RECORDS = 1_000
WORK = CommandInfo(value="sleep infinity")


class Fleet(Scheduler):
    """Launches so many tasks that never end, ten to an offer, and counts what becomes of all fleets' tasks."""

    running = 0
    ended = 0

    def __init__(self, tasks: int) -> None:
        """Launch so many."""
        self._left = tasks

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            number = min(TASKS_PER_AGENT, self._left)
            self._left -= number
            tasks = [
                TaskInfo(task_id=f"{offer.id}-{task}", resources="cpus:0.1;mem:32", command=WORK)
                for task in range(number)
            ]
            driver.launch_tasks(offer, tasks)
        if not self._left:
            driver.suppress_offers()

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            Fleet.running += 1
        elif status.state.is_terminal:
            Fleet.ended += 1


@define
class Phase:
    """What one phase took: seconds on the processor, and real ones; events, memory."""

    cpu_s: float
    real_s: float
    virtual_s: float
    events: int
    peak_mb: float

    @property
    def us_per_event(self) -> float:
        """Processor time by events."""
        return 1e6 * self.cpu_s / self.events


def peak_mb() -> float:
    """The most memory this process ever held."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    # Linux hands ru_maxrss on to whoever a process starts: it would be that of the whole benchmark's process.
    status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


class Life:
    """One simulated cluster, phase by phase."""

    def __init__(self, agents: int, frameworks: int) -> None:
        """Have nothing yet."""
        Fleet.running = Fleet.ended = 0
        self.phases: dict[str, Phase] = {"empty": Phase(0.0, 0.0, 0.0, 1, peak_mb())}
        self._agents = agents
        self._frameworks = frameworks
        self._simulation = Simulation(
            seed=7, settings=Settings.mesos(), trace_records=TRACE_RECORDS, encoded_store=False
        )
        self._cluster: SimulatedCluster
        self.drivers: list[SchedulerDriver] = []

    def phase(self, name: str, act: Callable[[], None]) -> None:
        """Do it and note what it took."""
        before = len(self._simulation.trace)
        virtual, real, cpu = self._simulation.now, Stopwatch(), Stopwatch(time.process_time)
        act()
        self.phases[name] = Phase(
            cpu.s,
            real.s,
            self._simulation.now - virtual,
            len(self._simulation.trace) - before,
            peak_mb(),
        )

    def bring_up(self) -> None:
        """From nothing to a leader and all agents registered."""
        self._cluster = self._simulation.cluster(agents=self._agents, masters=3)

    def launch(self) -> None:
        """All tasks, until all run."""
        tasks = self._agents * TASKS_PER_AGENT
        for number in range(self._frameworks):
            self.drivers.append(self._cluster.run(Fleet(tasks // self._frameworks), framework=f"fleet-{number}"))
        self._simulation.run_until(lambda: Fleet.running >= tasks, PATIENCE_S)
        self._simulation.settle()

    def hour(self) -> None:
        """Pings and pongs."""
        self.advance(HOUR_S)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._simulation.advance(seconds)

    def drain(self) -> None:
        """Every tenth agent at once, until all their tasks have ended and all executors are gone."""
        machines = list(self._cluster.agents.values())[::10]
        drains = [self._cluster.operator.drain(machine) for machine in machines]
        self._simulation.run_until(lambda: Fleet.ended >= len(machines) * TASKS_PER_AGENT, PATIENCE_S)
        self._simulation.settle()
        states = [drain.state.name for drain in self._books().deactivated.values()]
        assert states == ["DRAINED"] * len(drains), f"not all are drained: {dict.fromkeys(states)}"

    def fail_over(self) -> None:
        """The leader loses its power; until its successor has all agents and all tasks."""
        assert self._cluster.leader is not None
        tasks, agents = Fleet.running - Fleet.ended, self._agents
        self._cluster.leader.power_off()

        def back() -> bool:
            return self._cluster.leader is not None and len(self._books().agents) == agents

        self._simulation.run_until(back, PATIENCE_S)
        self._simulation.settle()
        found = sum(len(agent.tasks) for agent in self._books().agents.values())
        assert found == tasks, f"of {tasks} tasks {found} came back"

    def _books(self) -> Any:
        """What the leader knows, as it has it: nothing that is measured is to be made for it."""
        leader = self._cluster.leader
        assert leader is not None
        context: Any = self._simulation.runtime.directory.find(leader.name)
        return context.actor.core.state


def live(agents: int, frameworks: int, collector: str, *names: str) -> dict[str, Phase]:
    """Live through these phases in this very process, with Python's collector as it is ("on") or "off"."""
    if collector == "off":
        gc.disable()
    life = Life(agents, frameworks)
    for name in names:
        life.phase(name, getattr(life, name))
    return life.phases


def in_a_process(agents: int, frameworks: int, *names: str, collector: str = "off") -> dict[str, Phase]:
    """Live through these phases in a process of its own, so that the peak of memory is theirs."""
    command = [sys.executable, "-m", "benchmarks.scale", str(agents), str(frameworks), collector, *names]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return {name: Phase(**phase) for name, phase in json.loads(said).items()}


def deque_us_per_event(events: int = 1_000_000) -> float:
    """Microseconds for one event through a bare deque: take it out, call a handler, put in the next."""
    queue: deque[tuple[Callable[[int], None], int]] = deque()

    def handler(message: int) -> None:
        queue.append((handler, message))

    handler(0)
    cpu = Stopwatch(time.process_time)
    for _ in range(events):
        handle, message = queue.popleft()
        handle(message)
    return 1e6 * cpu.s / events


def life_figures(small: dict[str, Phase], large: dict[str, Phase]) -> list[Figure]:
    """Put two lives beside each other."""
    figures = [
        Figure(
            what=f"{name}, {LARGE:,} agents, processor time per event",
            unit="us",
            ours=[phase.us_per_event],
            beside=f"{SMALL:,} agents",
            theirs=[small[name].us_per_event],
            goal=Goal("at most", 1.3, ratio=True) if name == "hour" else None,
        )
        for name, phase in large.items()
        if name != "empty"
    ]
    floor = deque_us_per_event()
    hour = large["hour"]
    messages = 2 * LARGE * HOUR_S / Settings.mesos().agent_ping_timeout_s
    figures.append(
        Figure(
            what=f"one virtual hour of {LARGE:,} agents, {messages / 1e6:.1f} million pings and pongs",
            unit="s",
            ours=[hour.cpu_s],
            beside=f"{hour.events / 1e6:.1f} million events through a bare deque",
            theirs=[floor * hour.events / 1e6],
            goal=Goal("under", 60.0),
        )
    )
    figures.append(
        Figure(
            what=f"peak memory, {LARGE:,} agents and {LARGE * TASKS_PER_AGENT:,} tasks",
            unit="MB",
            ours=[large["fail_over"].peak_mb],
            beside=f"{SMALL:,} agents",
            theirs=[small["fail_over"].peak_mb],
            goal=Goal("under", 2048.0),
        )
    )
    return figures


def collector_figure(off: dict[str, Phase], on: dict[str, Phase]) -> Figure:
    """Put what the collector makes of a launch beside a launch without it."""
    return Figure(
        what=f"launch, {LARGE:,} agents, with Python's collector as it is",
        unit="s",
        ours=[on["launch"].cpu_s],
        beside="with gc.disable()",
        theirs=[off["launch"].cpu_s],
    )


def failover_figures(failovers: dict[int, Phase]) -> list[Figure]:
    """Put failovers of all sizes beside the smallest."""
    smallest = failovers[FAILOVER_SIZES[0]]
    return [
        Figure(
            what=f"failover of {size:,} agents, {size * TASKS_PER_AGENT:,} tasks: processor time",
            unit="s",
            ours=[failovers[size].cpu_s],
            beside=f"{FAILOVER_SIZES[0]:,} agents",
            theirs=[smallest.cpu_s],
        )
        for size in FAILOVER_SIZES[1:]
    ]


def remark(agents: int, name: str, phase: Phase, empty: Phase) -> str:
    """Say what else a phase took."""
    return (
        f"{agents:,} agents, {name}: {phase.events:,} events in {phase.cpu_s:.1f} s of processor"
        f" ({phase.real_s:.1f} s real, {phase.virtual_s:.0f} s virtual), {phase.events / phase.cpu_s:,.0f} /s,"
        f" {phase.us_per_event:.1f} us each;"
        f" peak {phase.peak_mb:,.0f} MB, {1024 * (phase.peak_mb - empty.peak_mb) / agents:.0f} KB per agent"
    )


def measure() -> Result:
    """Live every life once; at this size a second time says nothing new."""
    names = ("bring_up", "launch", "hour", "drain", "fail_over")
    small, large = (in_a_process(size, FRAMEWORKS, *names) for size in (SMALL, LARGE))
    collected = in_a_process(LARGE, FRAMEWORKS, "bring_up", "launch", collector="on")
    failovers = {
        size: in_a_process(size, FAILOVER_FRAMEWORKS, "bring_up", "launch", "fail_over") for size in FAILOVER_SIZES
    }
    lives = {SMALL: small, LARGE: large}
    remarks = [remark(size, name, life[name], life["empty"]) for size, life in lives.items() for name in names]
    remarks += [
        remark(size, "failover with 5 frameworks", life["fail_over"], life["empty"]) for size, life in failovers.items()
    ]
    return Result(
        title=f"Simulated clusters, {TASKS_PER_AGENT} tasks per agent, {FRAMEWORKS} frameworks",
        settings="Settings.mesos()",
        figures=[
            *life_figures(small, large),
            collector_figure(large, collected),
            *failover_figures({size: life["fail_over"] for size, life in failovers.items()}),
        ],
        remarks=remarks,
    )


if __name__ == "__main__":
    lived = live(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
    print(json.dumps({name: asdict(phase) for name, phase in lived.items()}))
