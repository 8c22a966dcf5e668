"""Schedulers and executors that scenario tests share: they note what they are told and do one plain thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen

from mesolite import (
    Capability,
    CommandInfo,
    CountersEntry,
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    Filters,
    FrameworkInfo,
    InverseOffer,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.actors.decisions.master.state import MasterState
from mesolite.machines import MasterMachine
from mesolite.messages.data import Data
from mesolite.messages.election import ExpireSession
from mesolite.messages.ids import ActorName, AgentId, ExecutorId, FrameworkId, OfferId, TaskId
from mesolite.messages.relayed import FrameworkToExecutor
from mesolite.messages.tasks import KillPolicy
from mesolite.simulation.simulation import SimulatedCluster

FOR_EVER = SimulatedWork(duration=None)
"""Work that ends only when it is told to, and then at once."""

STUBBORN = SimulatedWork(duration=None, on_sigterm=None)
"""Work that only SIGKILL ends."""

PLAIN = FrameworkInfo(name="plain")
AWARE = FrameworkInfo(name="aware", capabilities=(Capability.PARTITION_AWARE,))
CHECKPOINTED = FrameworkInfo(name="checkpointed", checkpoint=True)


@frozen
class Call:
    """One callback: when, which, and with what."""

    time: float
    name: str
    arguments: tuple[Any, ...]


class Recorder(Scheduler):
    """Notes every callback and answers nothing: offers stay outstanding."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def note(self, driver: SchedulerDriver, name: str, *arguments: Any) -> None:
        self.calls.append(Call(driver.now(), name, arguments))

    def named(self, *names: str) -> list[Call]:
        return [call for call in self.calls if call.name in names]

    def count(self, name: str) -> int:
        return len(self.named(name))

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    @property
    def offers(self) -> list[Offer]:
        """Every offer ever made, rescinded ones too."""
        return [offer for call in self.named("resource_offers") for offer in call.arguments[0]]

    @property
    def rescinded(self) -> list[OfferId]:
        return [call.arguments[0] for call in self.named("offer_rescinded")]

    @property
    def asked(self) -> list[InverseOffer]:
        """Every inverse offer ever made, rescinded ones too."""
        return [asked for call in self.named("inverse_offers") for asked in call.arguments[0]]

    @property
    def asked_no_more(self) -> list[OfferId]:
        """The inverse offers that were rescinded."""
        return [call.arguments[0] for call in self.named("inverse_offer_rescinded")]

    @property
    def lost_agents(self) -> list[AgentId]:
        return [call.arguments[0] for call in self.named("agent_lost")]

    @property
    def errors(self) -> list[str]:
        return [call.arguments[0] for call in self.named("error")]

    def updates(self, task_id: str) -> list[TaskStatus]:
        """Every status update of that task, in order."""
        statuses = [call.arguments[0] for call in self.named("status_update")]
        return [status for status in statuses if status.task_id == task_id]

    def states(self, task_id: str) -> list[str]:
        """The states of those updates, without their TASK_ prefix."""
        return [status.state.name.removeprefix("TASK_") for status in self.updates(task_id)]

    def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "registered", *arguments)

    def reregistered(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "reregistered", *arguments)

    def disconnected(self, driver: SchedulerDriver) -> None:
        self.note(driver, "disconnected")

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.note(driver, "resource_offers", offers)

    def offer_rescinded(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "offer_rescinded", *arguments)

    def inverse_offers(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "inverse_offers", *arguments)

    def inverse_offer_rescinded(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "inverse_offer_rescinded", *arguments)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        self.note(driver, "status_update", status)

    def framework_message(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "framework_message", *arguments)

    def agent_lost(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "agent_lost", *arguments)

    def executor_lost(self, driver: SchedulerDriver, *arguments: Any) -> None:
        self.note(driver, "executor_lost", *arguments)

    def error(self, driver: SchedulerDriver, message: str) -> None:
        self.note(driver, "error", message)


class Launcher(Recorder):
    """Launches its tasks with the first offers it gets, all at once; later offers stay outstanding.

    What the tasks leave of those offers is declined for `refuse_s` seconds.
    """

    def __init__(self, *tasks: TaskInfo, refuse_s: float = 5.0) -> None:
        super().__init__()
        self.waiting = list(tasks)
        self._refuse_s = refuse_s

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        super().resource_offers(driver, offers)
        if self.waiting:
            driver.launch_tasks(offers[:1], self.waiting, Filters(refuse_seconds=self._refuse_s))
            self.waiting = []


class Spreader(Recorder):
    """Launches one of its tasks with each offer it gets, until it has none left."""

    def __init__(self, *tasks: TaskInfo) -> None:
        super().__init__()
        self.waiting = list(tasks)

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        super().resource_offers(driver, offers)
        for offer in offers[: len(self.waiting)]:
            driver.launch_tasks(offer, self.waiting.pop(0))


class Obedient(Executor):
    """Reports every task as running, and does what framework messages say.

    `"TASK_FINISHED t1"` sends that update, `"raise"` raises, `"stop"` stops, anything else is sent back.
    """

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        driver.send_status_update(task_id, TaskState.TASK_KILLED)

    def framework_message(self, driver: ExecutorDriver, data: Data) -> None:
        match data.split():
            case ["raise"]:
                raise RuntimeError("told to")
            case ["stop"]:
                driver.stop()
            case [str(state), str(task_id)] if state in TaskState.__members__:
                driver.send_status_update(task_id, TaskState[state])
            case _:
                driver.send_framework_message(data)


EXECUTORS = {"obedient": Obedient}
"""For `run(..., executors=EXECUTORS)`."""


def command_task(
    task_id: str,
    work: SimulatedWork = FOR_EVER,
    *,
    resources: str = "cpus:1;mem:128",
    agent_id: str | None = None,
    kill_policy: KillPolicy | None = None,
) -> TaskInfo:
    """A task with a command of its own, which runs for ever unless `work` says otherwise."""
    return TaskInfo(
        task_id=task_id,
        name=task_id,
        resources=resources,
        command=CommandInfo(value="work"),
        work=work,
        agent_id=None if agent_id is None else AgentId(agent_id),
        kill_policy=kill_policy,
    )


def executor_task(task_id: str, *, executor_id: str = "e1", resources: str = "cpus:1;mem:128") -> TaskInfo:
    """A task for an `Obedient` executor, which itself takes cpus:0.1;mem:32."""
    executor = ExecutorInfo(executor_id=ExecutorId(executor_id), name="obedient", resources="cpus:0.1;mem:32")
    return TaskInfo(task_id=task_id, name=task_id, resources=resources, executor=executor)


def only(things: Iterable[Any]) -> Any:
    """The one thing there is."""
    (thing,) = things
    return thing


def counters(cluster: SimulatedCluster) -> CountersEntry:
    """What the leader has counted (core.md OP-10)."""
    return cluster.operator.state()["counters"]


def framework_of(cluster: SimulatedCluster) -> dict[str, Any]:
    """The one framework in the leader's books."""
    framework: dict[str, Any] = only(cluster.operator.state()["frameworks"])
    return framework


def id_of(cluster: SimulatedCluster, name: str = "agent-1") -> AgentId:
    """The id of that agent."""
    return AgentId(str(cluster.agents[name].id))


def shown(cluster: SimulatedCluster) -> dict[str, Any]:
    """The one registered agent, as the leader shows it."""
    agent: dict[str, Any] = only(cluster.operator.state()["agents"])
    return agent


def place(sim: Simulation, cluster: SimulatedCluster, message: Any) -> None:
    """Put an operator's call before the leader without waiting for the answer."""
    sim.inject(leader_of(cluster), message, sender="operator")
    sim.settle()


def operations(written: Any) -> list[str]:
    """What was written to the registry, by name."""
    return [type(message.operation).__name__ for message in written.all]


def about(status: TaskStatus) -> tuple[str, str | None, str | None]:
    """State, source and reason of an update, without their prefixes."""
    return (
        status.state.name.removeprefix("TASK_"),
        status.source.name.removeprefix("SOURCE_") if status.source else None,
        status.reason.name.removeprefix("REASON_") if status.reason else None,
    )


def writes(operation: type) -> Callable[[Any], bool]:
    """For `where=`: registry messages about that operation."""
    return lambda message: isinstance(message.operation, operation)


def leader_of(cluster: SimulatedCluster) -> MasterMachine:
    """The master that leads; which of several it is depends on the seed."""
    leader = cluster.leader
    assert leader is not None, "nobody leads"
    return leader


def books_of(cluster: SimulatedCluster) -> MasterState:
    """What the leader knows, as it has it."""
    context: Any = cluster.runtime.directory.find(leader_of(cluster).name)
    state: MasterState = context.actor.core.state
    return state


def fail_over(sim: Simulation, cluster: SimulatedCluster) -> MasterMachine:
    """Crash the leader and wait until another master leads; returns that one. Nothing else is waited for."""
    leader_of(cluster).crash()
    sim.run_until(lambda: cluster.leader, timeout=60.0)
    return leader_of(cluster)


def lose_session(sim: Simulation, actor: str) -> None:
    """Let the elector end that actor's session, as ZooKeeper might; whoever only watches hears that nobody leads."""
    sim.inject("elector", ExpireSession(actor=ActorName(actor)), sender="operator")


def tell_executor(sim: Simulation, cluster: SimulatedCluster, driver: SchedulerDriver, data: Data) -> None:
    """Say something to executor e1 as its agent would pass it on, whether or not a scheduler is there to say it."""
    framework_id = FrameworkId(str(driver.framework_id))  # type: ignore[attr-defined]
    agent_id = AgentId(str(cluster.agents["agent-1"].id))
    said = FrameworkToExecutor(framework_id=framework_id, agent_id=agent_id, executor_id=ExecutorId("e1"), data=data)
    sim.inject(f"agent-1/{framework_id}/e1", said, sender="agent-1")


def check_books(sim: Simulation) -> None:
    """Assert what must hold of every actor's books at any time."""
    for context in sim.runtime.directory:
        context.actor.core.check()
