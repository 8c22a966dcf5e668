"""What is so in a simulation at this moment, to be looked at from anywhere in it without changing the run.

Looking is no event: nothing is drawn, recorded or put in flight. So predicates, callbacks and whoever subscribed to the
trace may look as often as they like, and a run is the same with and without (tests/simulation/test_view.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.view import offered_on, used_on, view
from mesolite.actors.runtime.port import ActorContext
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.checking import checked_arguments
from mesolite.messages.drains import DrainState
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, TaskId
from mesolite.messages.resources import Resources
from mesolite.messages.state import ClusterState
from mesolite.messages.tasks import Cause, TaskState
from mesolite.simulation.virtual import VirtualRuntime
from mesolite.wiring import Wiring

AnyFramework = MesoliteSchedulerDriver | str | None
"""A framework: its driver, its name or the driver's, or its id; None: all of them."""


@frozen(kw_only=True)
class RunningTask:
    """A task that is really alive, whatever anybody believes of it.

    `framework` is the name in its FrameworkInfo, `agent` the name of the machine it runs on, such as `agent-1`.
    """

    task_id: TaskId
    framework: str
    agent: str
    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId


@frozen(kw_only=True)
class TaskView:
    """A task as the leader has it. `agent` is empty if no agent of this cluster has that id any more."""

    task_id: TaskId
    framework: str
    agent: str
    state: TaskState
    cause: Cause | None
    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId | None
    resources: Resources


@frozen(kw_only=True)
class AgentView:
    """A registered agent as the leader has it.

    `connected`: its link is up. `active`: offers may be made. `deactivated`: an operator has decided that none are.
    `draining`: a drain is under way. `used` is what tasks and executors hold of `total`, `offered` what is out.
    """

    name: str
    id: AgentId
    connected: bool
    active: bool
    deactivated: bool
    draining: bool
    total: Resources
    used: Resources
    offered: Resources


@frozen(kw_only=True)
class OfferView:
    """An offer that is out."""

    id: OfferId
    framework: str
    agent: str
    framework_id: FrameworkId
    agent_id: AgentId
    resources: Resources


class View:
    """What is alive, and what the leading master has: each attribute is worked out when it is read, and frozen.

    Where nobody leads, and before there is a cluster, there is nothing to be seen of what a leader has. Of several that
    believe they lead, as after a partition, the one that was elected last is looked at.
    """

    def __init__(self, runtime: VirtualRuntime, cluster: Callable[[], Wiring | None]) -> None:
        """Look at that simulation, and at its cluster once there is one."""
        self._runtime = runtime
        self._cluster = cluster

    @checked_arguments
    def running(self, framework: AnyFramework = None) -> tuple[RunningTask, ...]:
        """The tasks that are really alive, of one framework or of all.

        Of a command, its simulated process is; of a task for an executor class, user code was given it, and neither has
        that said how it ended nor has its executor.
        """
        self._runtime.check_thread()
        processes, names = self._runtime.processes, self._framework_names()
        # A process that is an executor is none of its tasks.
        alive = [(context, task_id) for context, task_id in processes.tasks() if task_id]
        for context in processes.executors:
            alive += [(context, task_id) for task_id in _core(context).tasks]
        found, wanted = [], self._wanted(framework)
        for context, task_id in alive:
            known = _core(context).registration
            name = names.get(known.framework_id, known.framework_id)
            if wanted(known.framework_id, name):
                task = RunningTask(
                    task_id=TaskId(task_id),
                    framework=name,
                    agent=context.host,
                    framework_id=known.framework_id,
                    agent_id=known.agent_id,
                    executor_id=known.executor_id,
                )
                found.append(task)
        return tuple(found)

    @checked_arguments
    def tasks(self, framework: AnyFramework = None) -> tuple[TaskView, ...]:
        """The tasks that the leader has, of one framework or of all: those that have not ended, or whose end is not
        acknowledged, and those on agents out of reach.
        """
        m, wanted = self._books(), self._wanted(framework)
        if m is None:
            return ()
        names = self._agent_names(m)
        return tuple(
            TaskView(
                task_id=task.task_id,
                framework=record.info.name,
                agent=names.get(task.agent_id, ""),
                state=task.state,
                cause=task.cause,
                framework_id=record.id,
                agent_id=task.agent_id,
                executor_id=task.executor_id,
                resources=task.resources,
            )
            for record in m.frameworks.values()
            if wanted(record.id, record.info.name)
            for task in (*record.tasks.values(), *record.unreachable_tasks.values())
        )

    @property
    def agents(self) -> tuple[AgentView, ...]:
        """The agents that are registered with the leader, connected or not."""
        m = self._books()
        if m is None:
            return ()
        drains = m.deactivated
        return tuple(
            AgentView(
                name=agent.pid,
                id=agent.id,
                connected=agent.connected,
                active=agent.active,
                deactivated=agent.id in drains,
                draining=(drain := drains.get(agent.id)) is not None and drain.state is DrainState.DRAINING,
                total=agent.info.resources,
                used=used_on(agent),
                offered=offered_on(m, agent),
            )
            for agent in m.agents.values()
        )

    @property
    def awaited(self) -> tuple[AgentId, ...]:
        """The agents that the leader has from the registry only: they have not come back to it, nor been given up."""
        m = self._books()
        return tuple(m.recovered) if m is not None else ()

    @property
    def offers(self) -> tuple[OfferView, ...]:
        """The offers that are out."""
        m = self._books()
        if m is None:
            return ()
        return tuple(
            OfferView(
                id=offer.id,
                framework=m.frameworks[offer.framework_id].info.name,
                agent=m.agents[offer.agent_id].pid,
                framework_id=offer.framework_id,
                agent_id=offer.agent_id,
                resources=offer.resources,
            )
            for offer in m.offers.values()
        )

    @property
    def leader(self) -> str | None:
        """The name of the master that leads and has read the registry; None while there is none."""
        m = self._books()
        return m.info.name if m is not None and m.info is not None else None

    @property
    def state(self) -> ClusterState | None:
        """What `operator.state()` would answer; None where it would be refused, as nobody leads."""
        m = self._books()
        return view(m) if m is not None else None

    # ------------------------------------------------------------------------------------------------------ inside

    def _books(self) -> MasterState | None:
        """What the leader knows; None while there is none."""
        self._runtime.check_thread()
        cluster = self._cluster()
        leader = cluster.leader if cluster is not None else None
        context = self._runtime.directory.find(leader.name) if leader is not None else None
        m: MasterState | None = _core(context).state if context is not None else None
        return m if m is not None and m.leading else None  # at the record of its end it is still known to lead

    def _wanted(self, framework: AnyFramework) -> Callable[[str, str], bool]:
        """Whether a framework of that id and name is the one that is asked for."""
        cluster = self._cluster()
        known = cluster.frameworks if cluster is not None else {}
        driver = known.get(framework) if isinstance(framework, str) else framework
        if driver is not None:
            framework_id = driver.framework_id
            return lambda its_id, name: its_id == framework_id
        return lambda its_id, name: framework is None or framework in (its_id, name)

    def _framework_names(self) -> Mapping[str, str]:
        """The names of all frameworks that a driver was started for, by id."""
        cluster = self._cluster()
        return dict(_named(cluster)) if cluster is not None else {}

    def _agent_names(self, m: MasterState) -> Mapping[str, str]:
        """The names of agents by id: those that are registered, and those that were when they were last seen."""
        cluster = self._cluster()
        machines = cluster.agents.values() if cluster is not None else ()
        seen = {machine.id: machine.name for machine in machines if machine.id is not None}
        return seen | {agent.id: agent.pid for agent in m.agents.values()}


def _core(context: ActorContext) -> Any:
    return context.actor.core


def _named(cluster: Wiring) -> Iterator[tuple[str, str]]:
    for driver in cluster.frameworks.values():
        if driver.framework_id is not None:
            yield driver.framework_id, driver.framework_name
