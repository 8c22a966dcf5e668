"""Calls with one argument poisoned, and what must hold afterwards. The same seed makes the same calls."""

from __future__ import annotations

import datetime
import inspect
import random
from collections.abc import Iterator
from typing import Any

from mesolite import (
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    FrameworkInfo,
    MesoliteError,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.simulation import Hold
from mesolite.simulation.network import Rule
from mesolite.simulation.scripting import When
from tests.fuzz.face import FITTING, Target, constructors, functions, verbs
from tests.fuzz.poison import poisons

CALLS_PER_CLUSTER = 400
LONG_S = 1e4
"""Times beyond this are never waited for; that they are understood is tested elsewhere."""

WAITS = ("advance", "wait", "wait_until", "run_until", "join", "ready")


class Bystander(Scheduler):
    """Runs one task that never ends, on agent-1, which nobody means, and must not notice anything."""

    def __init__(self) -> None:
        self.latest: TaskState | None = None

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        work = SimulatedWork(duration=None)
        task = TaskInfo(task_id="t", resources="cpus:0.1;mem:32", command="serve", work=work)
        here = [offer for offer in offers if offer.hostname == "agent-1"]
        if here:
            driver.launch_tasks(here, () if self.latest else task)
        driver.decline_offer([offer for offer in offers if offer not in here])

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        self.latest = status.state


class Held(Executor):
    """Keeps its driver where it can be got at."""

    drivers: list[ExecutorDriver] = []  # noqa: RUF012  # one cluster at a time

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        Held.drivers.append(driver)
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)


class Poisoned(Scheduler):
    """Runs one task of an executor whose driver is called, and holds whatever else it is offered."""

    launched = False

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        here = [offer for offer in offers if offer.hostname == "agent-1"]  # the other one will be drained
        if here and not self.launched:
            self.launched = True
            executor = ExecutorInfo(executor_id="e", name="held")
            driver.launch_tasks(here, TaskInfo(task_id="mine", resources="cpus:0.1;mem:32", executor=executor))


class Stage:
    """A cluster, a bystander, and somebody whose things are called."""

    def __init__(self, seed: int) -> None:
        self.sim = Simulation(seed)
        self.cluster = self.sim.cluster(agents=2, masters=3)
        self.bystander = Bystander()
        self.cluster.run(self.bystander, framework="bystander")
        self.sim.advance(3.0)
        self.driver = self.cluster.run(Poisoned(), FrameworkInfo(name="poisoned"), executors={"held": Held})
        self.sim.advance(10.0)
        for actor in (self.driver, *self.cluster.agents.values()):
            self.sim.allow_error(TypeError, actor)  # of a function that call_later was given and that wants arguments
        self.drain = self.cluster.operator.drain("agent-2", max_grace_period=1.0)
        self.sim.advance(5.0)
        self.reclaim = self.cluster.operator.reclaim(self.driver, "cpus:0.05", within=1e6)

    def targets(self) -> list[Target]:
        """Everything there is to call."""
        machines = (self.cluster.agents["agent-2"], self.cluster.masters["master-1"])
        held = (self.sim, self.cluster, self.cluster.operator, self.driver, Held.drivers[-1], self.drain, self.reclaim)
        things = [*verbs(*held, *machines), *verbs(self.sim.trace), *verbs(self.sim.view, self.sim.when())]
        return [*constructors(), *functions(), *things]

    def undo(self, result: object) -> None:
        """Take back a fault that was asked for well enough: what it does is no damage."""
        if inspect.isfunction(result) and result.__qualname__.startswith("Trace.subscribe"):
            result()
        self.sim.heal()
        if isinstance(result, Hold):
            result.release()
        elif isinstance(result, Rule):
            self.sim.forget(result)
        elif isinstance(result, When):
            result.come()  # the others need not wait any more for what was to be first
        stated = self.sim.stated
        for each in (stated.always, stated.eventually, stated.sometimes):
            each.clear()

    def complaints(self) -> list[str]:
        """What does not hold, after everything that was said has been dealt with."""
        try:
            self.sim.advance(10.0)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            return [f"{type(error).__name__}: {error}"]
        found = []
        if self.cluster.leader is None or not all(master.alive for master in self.cluster.masters.values()):
            found.append("a master has ended")
        if not self.cluster.agents["agent-1"].registered:
            found.append("the bystander's agent is not registered")
        if self.bystander.latest is not TaskState.TASK_RUNNING:
            found.append(f"the bystander's task is {self.bystander.latest}")
        return found


def calls(seed: int, stage: Stage, count: int) -> Iterator[tuple[str, str, BaseException | None]]:
    """Make so many calls; yield what was called, with what, and what it raised."""
    dice = random.Random(seed)
    targets = stage.targets()
    for number in range(count):
        target = dice.choice(targets)
        values = poisons()
        wrong = dice.choice(target.parameters)
        poison = dice.choice(values)
        if _takes_too_long(target, wrong.name, poison) or _raises_later(target, wrong.name, poison):
            continue
        arguments = {
            one.name: FITTING[one.name]()
            for one in target.parameters
            if one.default is one.empty and one.name in FITTING
        }
        arguments[wrong.name] = poison
        raised: BaseException | None = None
        try:
            stage.undo(target.function(**arguments))
            if number % 10 == 0:
                stage.sim.settle()
        except Exception as error:  # noqa: BLE001  # judged by whoever asked for it
            raised = error
        yield target.name, wrong.name, raised


def _raises_later(target: Target, argument: str, poison: Any) -> bool:
    """A function that wants arguments, or returns nonsense: whoever lets things happen is told, and that may be us."""
    later = ("action", "check", "observer", *(["where"] if target.name.endswith((".when", ".first")) else []))
    return argument in later and callable(poison)


def _takes_too_long(target: Target, argument: str, poison: Any) -> bool:
    verb = target.name.rpartition(".")[2]
    many = ("agents", "masters", "trace_records", "records", "seeds", "processes", "first_seed")
    if argument in many and isinstance(poison, int | range):
        return True
    if verb == "signal":  # a signal that is one may well end the agent
        return isinstance(poison, int)
    if poison is None and argument == "timeout":
        return True
    if isinstance(poison, datetime.timedelta):
        return verb in WAITS and poison.total_seconds() > LONG_S
    return verb in WAITS and isinstance(poison, int | float) and poison > LONG_S


ALLOWED = (MesoliteError, TimeoutError, TypeError, LookupError)
"""What a call may raise: our own errors; a wait that was too short; what Python says of arguments that are missing."""


def fuzz(seed: int, count: int) -> list[str]:
    """Make so many calls and return the complaints: an error that is not ours, or damage to somebody else."""
    complaints: list[str] = []
    made = 0
    while made < count:
        stage = Stage(seed)
        some = min(CALLS_PER_CLUSTER, count - made)
        recent: list[str] = []
        for name, argument, raised in calls(seed + made, stage, some):
            recent.append(f"{name}({argument}=)")
            if raised is not None and not isinstance(raised, ALLOWED):
                complaints.append(f"{name}({argument}=): {type(raised).__name__}: {str(raised)[:200]}")
        complaints += [f"after {made} calls, seed {seed}: {one}; last: {recent[-5:]}" for one in stage.complaints()]
        made += some
    return complaints
