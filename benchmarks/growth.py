"""What must cost the same per machine, task, filter or message, however many there are: at one size and at 4 of it.

    off and on      machines of a cluster lose power and are started again, a few of them: per machine
    sent at once    one actor answers with very many messages, as a master that is asked about all tasks: per message
    told at once    one callback makes very many calls, each told to its actor: per call
    reconciliation  a framework asks about all its tasks, and hears of each: per task
    filters         the allocator runs once for one agent, with so many filters standing: per run, which no filter
                    of another agent may make dearer
    a schedule      an operator puts so many machines into a maintenance schedule: per machine
    state           operator.state() of so many agents: per agent

Processor time, without the collector of cyclic garbage, which looks at all there is every now and then. The ratio of
the larger to the smaller would be 4 if something looked at all for each; what does not fit the caches any more makes it
up to 1.4.
"""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from benchmarks.messages import Ball
from benchmarks.scale import Life
from mesolite import SchedulerDriver, Settings, Simulation
from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.contract import Core, Effect, Send
from mesolite.actors.runtime.port import Delivery, Placement
from mesolite.actors.trace import Trace
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.maintenance import MachineId, Unavailability, Window
from mesolite.messages.resources import Resources
from mesolite.simulation.virtual import VirtualRuntime

ROUNDS = 5
FACTOR = 4
SWITCHED = 25
"""So many machines are switched off and on."""
AGENT = Resources.of("cpus:10;mem:10000")
FAR = 1e6
"""When the filters and windows come to an end, or begin."""

Measure = Callable[[int], float]


def uncollected(measure: Measure, size: int) -> float:
    """Measure it with the collector off."""
    gc.disable()
    try:
        return measure(size)
    finally:
        gc.enable()


def _settled(agents: int) -> Simulation:
    sim = Simulation(seed=7, settings=Settings.mesos(), trace_records=1_000, encoded_store=False)
    sim.cluster(agents=agents)
    return sim


def off_and_on_us(agents: int) -> float:
    """Microseconds to switch one machine of so many off and on again."""
    sim = _settled(agents)
    assert sim.started is not None
    machines = list(sim.started.agents.values())[:SWITCHED]
    watch = Stopwatch(time.process_time)
    for machine in machines:
        machine.power_off()
        machine.restart()
    return 1e6 * watch.s / len(machines)


class _Answering(Core):
    """Answers whatever it hears from outside with so many messages."""

    def __init__(self, many: int) -> None:
        super().__init__()
        self._effects: list[Effect] = [Send("hears", Ball(stroke=1))] * many

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        return self._effects if sender == "outside" else []


class _Deaf(Core):
    """Wants nothing."""

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        return []


def sent_us(many: int) -> float:
    """Microseconds a message, of so many that one actor sends another at once."""
    runtime = VirtualRuntime(1, Trace(1_000))
    hears = runtime.start("hears", Placement("hears"), lambda context: MesosActor(context, _Deaf()))
    says = runtime.start("says", Placement("says"), lambda context: MesosActor(context, _Answering(many)))
    runtime.settle()
    says.ref.tell(Delivery(Ball(stroke=1), "outside", -1))
    watch = Stopwatch(time.process_time)
    runtime.settle()
    assert hears.alive
    return 1e6 * watch.s / many


def told_us(many: int) -> float:
    """Microseconds a call, of so many that are told to an actor at once."""
    runtime = VirtualRuntime(1, Trace(1_000))
    hears = runtime.start("hears", Placement("hears"), lambda context: MesosActor(context, _Deaf()))
    runtime.settle()
    watch = Stopwatch(time.process_time)
    for _ in range(many):
        hears.ref.tell(Delivery(Ball(stroke=1), "hears", -1))
    runtime.settle()
    return 1e6 * watch.s / many


def reconciled_us(tasks: int) -> float:
    """Microseconds a task, of so many that one framework asks about at once."""
    life = Life(tasks // 10, 1)
    life.bring_up()
    life.launch()
    driver: SchedulerDriver = life.drivers[0]
    watch = Stopwatch(time.process_time)
    driver.reconcile_tasks(())
    life.advance(0.0)
    return 1e6 * watch.s / tasks


def filtered_us(filters: int) -> float:
    """Microseconds of one run of the allocator over one agent, with so many filters on others: ten frameworks each."""
    allocator = Allocator(Settings.mesos())
    frameworks = [FrameworkId(f"framework-{number}") for number in range(10)]
    agents = [AgentId(f"agent-{number}") for number in range(filters // len(frameworks))]
    for framework in frameworks:
        allocator.add_framework(framework, "role", 0.0)
    for agent in agents:
        allocator.add_agent(agent, AGENT, {}, 0.0)
    now = 0.0
    # Whoever is granted an agent refuses it for long, until nobody is left who would take it.
    while grants := allocator.run(now):
        for grant in grants:
            allocator.recover(grant.framework_id, grant.role, grant.agent_id, grant.resources, now, FAR)
        now += 1.0
    runs = 50
    watch = Stopwatch(time.process_time)
    for number in range(runs):
        agent = agents[number]
        allocator.withhold(agent, Resources.of("cpus:1"), now)
        allocator.withhold(agent, Resources.of(""), now)
        now += 1.0
        assert not allocator.run(now)
    return 1e6 * watch.s / runs


def scheduled_us(machines: int) -> float:
    """Microseconds a machine, of so many that are put into one schedule, each with a window of its own."""
    sim = _settled(1)
    assert sim.started is not None
    windows = [
        Window(machines=(MachineId(hostname=f"host-{number}"),), unavailability=Unavailability(start=FAR + number))
        for number in range(machines)
    ]
    watch = Stopwatch(time.process_time)
    sim.started.operator.update_maintenance_schedule(windows)
    return 1e6 * watch.s / machines


def state_us(agents: int) -> float:
    """Microseconds an agent, of the state of so many."""
    sim = _settled(agents)
    assert sim.started is not None
    operator, times = sim.started.operator, 5
    assert len(operator.state()["agents"]) == agents
    watch = Stopwatch(time.process_time)
    for _ in range(times):
        operator.state()
    return 1e6 * watch.s / (times * agents)


SUBJECTS: dict[str, tuple[Measure, int, int]] = {
    "a machine off and on, of {} agents": (off_and_on_us, 500, 1_000),
    "a message, of {} sent at once": (sent_us, 5_000, 25_000),
    "a call, of {} told at once": (told_us, 5_000, 25_000),
    "a task reconciled, of {}": (reconciled_us, 250, 2_500),
    "a run over one agent, {} filters": (filtered_us, 2_500, 10_000),
    "a machine scheduled, of {}": (scheduled_us, 150, 1_250),
    "an agent in state(), of {}": (state_us, 250, 1_000),
}
"""What is measured, and the smaller size: for the check, which is quick, and here."""


def figures(rounds: int, size: Callable[[int, int], int]) -> list[Figure]:
    """Measure all; the size is chosen of the two."""
    rows = []
    for what, (measure, quick, full) in SUBJECTS.items():
        small = size(quick, full)
        large = FACTOR * small
        subjects = (functools.partial(uncollected, measure, number) for number in (small, large))
        few, many = in_turn(rounds, *subjects)
        rows.append(
            Figure(
                what=what.format(f"{large:,}"),
                unit="us",
                ours=many,
                beside=f"{small:,}",
                theirs=few,
                goal=Goal("at most", 1.5, ratio=True),
            )
        )
    return rows


def measure() -> Result:
    """Measure all."""
    return Result(
        title=f"Growth: what costs the same however many there are, at one size and at {FACTOR} of it",
        settings="Settings.mesos()",
        figures=figures(ROUNDS, lambda quick, full: full),
    )
