"""What runs in a seed: schedulers of several tempers, executors that obey or do not, tasks that die well or badly."""

from __future__ import annotations

import random
from typing import Any

from attrs import define, evolve, field

from mesolite import (
    Capability,
    CommandInfo,
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    Filters,
    FrameworkInfo,
    KillPolicy,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.messages.ids import AgentId, ExecutorId, TaskId

KINDS = ("plain", "aware", "checkpointing", "slow", "deaf", "greedy", "dying")
GRACE_MAX_S = 6.0
"""No task's own grace is longer."""

TASKS_MAX = 14
"""So many tasks a framework launches, more or less."""


ASK_S = 10.0
"""How long frameworks that rest wait before they ask again what became of their tasks."""


class Obeying(Executor):
    """Runs tasks for ever, and kills them when asked."""

    def __init__(self) -> None:
        self.tasks: dict[TaskId, None] = {}

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        self.tasks[task.task_id] = None
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        self.end(driver, task_id, TaskState.TASK_KILLED)

    def shutdown(self, driver: ExecutorDriver) -> None:
        for task_id in list(self.tasks):
            self.end(driver, task_id, TaskState.TASK_KILLED)

    def end(self, driver: ExecutorDriver, task_id: TaskId, state: TaskState) -> None:
        if task_id in self.tasks:
            del self.tasks[task_id]
            driver.send_status_update(task_id, state)


class Ignoring(Obeying):
    """Does not care about kills: a task ends when it is done, and told to shut down it just goes."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        super().launch_task(driver, task)
        driver.call_later(float(task.data), lambda: self.end(driver, task.task_id, TaskState.TASK_FINISHED))

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        pass

    def shutdown(self, driver: ExecutorDriver) -> None:
        pass


EXECUTORS = {"obeying": Obeying, "ignoring": Ignoring}


@define(eq=False)
class View:
    """What one framework knows, whichever of its schedulers was told: the framework outlives them."""

    name: str
    kind: str
    info: FrameworkInfo
    random: random.Random
    explicit: bool = False
    driver: Any = None
    agents: dict[TaskId, AgentId] = field(factory=dict)
    told: dict[TaskId, list[TaskStatus]] = field(factory=dict)
    next_task: int = 1
    resting: bool = False

    def is_final(self, task_id: TaskId) -> bool:
        """Whether the last it was told of the task is the last there is to know."""
        told = self.told.get(task_id) or []
        return bool(told) and (told[-1].state.is_terminal or told[-1].state is TaskState.TASK_UNKNOWN)

    @property
    def open_tasks(self) -> list[TaskId]:
        """Launched, and not known to have ended."""
        return [task_id for task_id in self.agents if not self.is_final(task_id)]

    def reconcile(self) -> None:
        """Ask the master about every open task."""
        asked = [
            TaskStatus(task_id=task_id, state=TaskState.TASK_STAGING, agent_id=self.agents[task_id])
            for task_id in self.open_tasks
        ]
        if asked:
            self.driver.reconcile_tasks(asked)


def make_view(kind: str, number: int, seed: object) -> View:
    """A framework of that kind, with the rest of its nature drawn."""
    draw = random.Random(f"{seed}/{kind}-{number}")
    capabilities = [Capability.PARTITION_AWARE] if kind == "aware" or draw.random() < 0.3 else []
    if draw.random() < 0.4:
        capabilities.append(Capability.TASK_KILLING_STATE)
    info = FrameworkInfo(
        name=f"{kind}-{number}",
        role=draw.choice(("*", "*", "other")),
        checkpoint=kind == "checkpointing" or draw.random() < 0.3,
        failover_timeout_s=draw.choice((0.0, 5.0, 60.0)),
        capabilities=capabilities,
    )
    return View(info.name, kind, info, draw, explicit=kind == "slow")


def make_task(view: View, offer: Offer, cpus: float) -> TaskInfo:
    """A task for that offer: a command, or something for an executor."""
    draw, number = view.random, view.next_task
    view.next_task += 1
    task_id = TaskId(f"{view.name}.t{number}")
    grace_s = draw.choice((None, None, 0.0, 1.0, GRACE_MAX_S))
    task = TaskInfo(
        task_id=task_id,
        name=task_id,
        agent_id=offer.agent_id,
        resources=f"cpus:{cpus:g};mem:64",
        kill_policy=None if grace_s is None else KillPolicy(grace_period_s=grace_s),
    )
    if draw.random() < 0.3:
        name = draw.choice(("obeying", "obeying", "ignoring"))
        executor = ExecutorInfo(
            executor_id=ExecutorId(f"{name}-{draw.randint(1, 2)}"),
            name=name,
            resources="cpus:0.1;mem:32",
            shutdown_grace_period_s=2.0,
        )
        return evolve(task, executor=executor, data=f"{draw.uniform(2.0, 25.0):.1f}")
    return evolve(task, command=CommandInfo(value="work"), work=_work(draw))


def _work(draw: random.Random) -> SimulatedWork:
    match draw.choice(("obedient", "obedient", "slow", "stubborn", "short")):
        case "obedient":
            return SimulatedWork(duration=None, on_sigterm=draw.choice((0.0, 0.2)))
        case "slow":
            return SimulatedWork(duration=None, on_sigterm=draw.uniform(0.5, 8.0))
        case "stubborn":
            return SimulatedWork(duration=None, on_sigterm=None)
        case _:
            return SimulatedWork(duration=draw.uniform(0.2, 8.0), exit_status=draw.choice((0, 0, 1)))


class Worker(Scheduler):
    """One scheduler of a framework: launches, kills a little, answers inverse offers as its kind would."""

    def __init__(self, view: View) -> None:
        self.view = view

    def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.view.driver = driver  # of two successors that start at once it is the one that is registered last
        self.view.reconcile()
        self._ask_again(driver)

    def _ask_again(self, driver: SchedulerDriver) -> None:
        """Once all rest, ask now and then what became of the tasks."""
        if self.view.driver is driver:
            if self.view.resting:
                self.view.reconcile()
            driver.call_later(ASK_S, lambda: self._ask_again(driver))

    def reregistered(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.registered(driver)

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        view = self.view
        if view.random.random() < 0.05 and not view.resting:
            driver.suppress_offers()
            self._later(driver, driver.revive_offers)
        for offer in offers:
            wish = view.random.random()
            if view.resting or view.next_task > TASKS_MAX:
                driver.decline_offer(offer, Filters(refuse_seconds=1000.0))
            elif view.kind == "greedy" or wish < 0.6:
                self._launch(driver, offer)
            elif wish < 0.8:
                driver.decline_offer(offer, Filters(refuse_seconds=view.random.choice((0.0, 1.0, 5.0))))
            else:
                self._later(driver, lambda kept=offer: driver.decline_offer(kept))

    def _launch(self, driver: SchedulerDriver, offer: Offer) -> None:
        view, tasks = self.view, []
        left = offer.resources.scalars.get("cpus", 0) / 1000
        for _ in range(8 if view.kind == "greedy" else view.random.randint(1, 2)):
            cpus = view.random.choice((0.5, 1.0, 1.5))
            if left < cpus + 0.1:
                break
            left -= cpus + 0.1
            tasks.append(make_task(view, offer, cpus))
        for task in tasks:
            view.agents[task.task_id] = offer.agent_id
        driver.launch_tasks(offer, tasks, Filters(refuse_seconds=view.random.choice((0.0, 1.0, 5.0))))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        view = self.view
        if view.driver is driver:  # a scheduler that was replaced may still get, late, what was on its way to it
            view.told.setdefault(status.task_id, []).append(status)
        if view.explicit:
            self._later(driver, lambda: driver.acknowledge(status))
        if status.state is TaskState.TASK_RUNNING and view.kind != "deaf" and view.random.random() < 0.1:
            self._later(driver, lambda: None if view.resting else driver.kill_task(status.task_id))

    def inverse_offers(self, driver: Any, inverse_offers: tuple[Any, ...]) -> None:
        view = self.view
        if view.kind == "deaf":
            return
        ids = [inverse_offer.id for inverse_offer in inverse_offers]
        match view.random.choice(("accept", "return", "list", "decline", "silence")):
            case "accept":
                driver.accept_inverse_offers(ids)
            case "return":
                driver.accept_inverse_offers(ids)
                for task_id in view.open_tasks[-2:]:
                    driver.kill_task(task_id)
            case "list":
                driver.accept_inverse_offers(ids, returning=view.open_tasks[:3])
            case "decline":
                driver.decline_inverse_offers(ids, reason="not now")

    def _later(self, driver: SchedulerDriver, act: Any) -> None:
        driver.call_later(self.view.random.uniform(0.2, 4.0), act)
