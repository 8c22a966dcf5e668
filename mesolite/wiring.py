"""How a cluster is put together, whatever it runs on: elector, masters with their registrars, agents, frameworks.

`Cluster` (threads, real commands) and `SimulatedCluster` (virtual time) are this, each on its own runtime.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from mesolite.actors.agent import Agent
from mesolite.actors.command_executor import CommandExecutor
from mesolite.actors.decisions.contract import ExecutorStart
from mesolite.actors.decisions.rules.sandboxes import folder_name
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.elector import Elector
from mesolite.actors.errors import NameTaken, Refused
from mesolite.actors.executor import ExecutorActor
from mesolite.actors.master import Master
from mesolite.actors.registrar import Registrar
from mesolite.actors.runtime.port import NewActor, Placement, Runtime
from mesolite.actors.scheduler import SchedulerActor
from mesolite.actors.trace import Trace
from mesolite.callbacks import Executor, Scheduler
from mesolite.drivers import MesoliteExecutorDriver, MesoliteSchedulerDriver
from mesolite.machines import AgentMachine, AnyResources, MasterMachine, leader_among
from mesolite.messages.checking import Name, Timeout, checked_arguments, in_seconds
from mesolite.messages.election import ELECTOR
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineId
from mesolite.messages.resources import Resources
from mesolite.names import ByName
from mesolite.operator import Operator
from mesolite.slips import check_callbacks
from mesolite.user_errors import KeepsUserErrors
from mesolite.waiting import in_callbacks, unless_broken, words

if TYPE_CHECKING:
    from mesolite.gateway.gateway import Gateway

DEFAULT_RESOURCES = "cpus:4;mem:4096;disk:10000;ports:[31000-32000]"


NO_CHANGE: Mapping[str, Any] = {}


class Wiring(KeepsUserErrors):
    """A cluster on some runtime: its machines by name, its operator, its trace."""

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        *,
        agents: int,
        masters: int,
        resources: AnyResources,
        work_dir: str,
        first_sequence: int = 1,
        gateway: Gateway | None = None,
    ) -> None:
        """Start an elector, `master-1`..., `agent-1`...; every agent offers `resources`.

        `gateway`: through it they speak HTTP; None: they do not.
        """
        self.runtime = runtime
        self._settings = settings
        self._work_dir = work_dir
        self._gateway = gateway
        self._resources = Resources.of(resources)
        self._infos: dict[str, AgentInfo] = {}
        self._executor_classes: dict[str, type[Executor]] = {}
        self._masters: ByName[MasterMachine] = ByName("master")
        self._agents: ByName[AgentMachine] = ByName("agent")
        self._frameworks: ByName[MesoliteSchedulerDriver] = ByName("framework")
        self._agent_names = map("agent-{}".format, itertools.count(1))
        runtime.executor_factory = self._give_birth
        runtime.start(ELECTOR, Placement(ELECTOR), lambda context: Elector(context, settings, first_sequence))
        self._operator = Operator(runtime, self.agents, self.masters, self.frameworks)
        for number in range(1, masters + 1):
            name = f"master-{number}"
            self.masters[name] = MasterMachine(runtime, name, functools.partial(self._start_master, name), self._url_of)
            self._start_master(name)
        for _ in range(agents):
            self.add_agent()

    @property
    def agents(self) -> dict[str, AgentMachine]:
        """The machines with agents by name, `agent-1`, ...: `signal`, `stop`, `crash`, `power_off`, `restart` them.

        To look up another name, here or below, is an `UnknownName`, which is a `KeyError`, and says who is there.
        """
        return self._agents

    @property
    def masters(self) -> dict[str, MasterMachine]:
        """The machines with masters by name, `master-1`, ...; which of them leads, if any, says `leader`."""
        return self._masters

    @property
    def frameworks(self) -> dict[str, MesoliteSchedulerDriver]:
        """The drivers that `run` has started, by the name of their actor."""
        return self._frameworks

    @property
    def operator(self) -> Operator:
        """What an operator may ask: `state`, `drain`, `deactivate`, `mark_gone`, maintenance, `reclaim`, ..."""
        return self._operator

    @property
    def settings(self) -> Settings:
        """The timings and limits: `Settings.local()` on threads, `Settings.mesos()` in simulation, or your own."""
        return self._settings

    @property
    def trace(self) -> Trace:
        """What happened: `print(cluster.trace.text())`, the `story` of one task or agent, the `hash` of all of it."""
        return self.runtime.trace

    @property
    def url(self) -> str:
        """Where the leading master listens for HTTP, and while there is none, master-1: `http://127.0.0.1:5050`.

        Raises:
            Refused: this cluster does not speak HTTP.
        """
        master = self.leader or self.masters["master-1"]
        return master.url

    @property
    def leader(self) -> MasterMachine | None:
        """The master that leads and has read the registry; None while there is none."""
        return leader_among(list(self.masters.values()))

    @property
    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual, as in the trace."""
        return self.runtime.now()

    @checked_arguments
    def wait_until(self, done: Callable[[], object], timeout: Timeout) -> None:
        """Wait until `done()` is true; it is looked at whenever somebody has handled something.

        On threads it runs on the calling thread and may ask and wait itself, as `operator.state()` does; the time-out
        is looked at in between. In simulation it must only read.

        Raises:
            TimeoutError: it was not, within so many seconds, in simulation virtual ones.
            Refused: the cluster was closed.
            NothingToWaitFor: in simulation, without an end: nothing is to come but pings, heartbeats and retries.
            Exception: user code raised it meanwhile, or before and it was not raised yet (`raise_user_errors`).
            ActorFailed: an actor failed, by our own fault; raised once.
        """
        seconds, began = in_seconds(timeout), self.now
        if self.runtime.wait(unless_broken(self.runtime, done), seconds):
            return
        if self.now < began + seconds:
            raise Refused(f"the cluster was closed, so this cannot come: {words(done)}")
        last = "\n".join(self.trace.text().splitlines()[-20:])
        ended = self.runtime.directory.ended()
        why = f"; ended by now: {', '.join(ended)}" if ended else ""
        why += "".join(f"; {stuck}" for stuck in in_callbacks(self.runtime))
        raise TimeoutError(
            f"not so within {seconds:g} s, at {self.now:.3f} s: {words(done)}{why}; the last that was said:\n{last}"
        )

    run_until = wait_until
    """As a simulation calls it."""

    @checked_arguments
    def add_agent(
        self,
        name: Name | None = None,
        resources: AnyResources | None = None,
        attributes: Mapping[str, str] | None = None,
        *,
        hostname: Name | None = None,
        ip: str = "",
    ) -> AgentMachine:
        """Start one more agent. By default its machine is its own; agents with one host name and address share one.

        Raises:
            Refused: an agent of that name exists, or somebody else (`NameTaken`).
            ResourceError: the resources are not resources.
        """
        self.runtime.check_open()
        name = name or next(name for name in self._agent_names if name not in self.agents)
        if name in self.agents:
            raise Refused(f"there is an agent named {name!r}; restart() it, or choose another name")
        if self.runtime.directory.incarnation(name):
            raise NameTaken(f"there is or was somebody else named {name!r}; choose another name")
        info = AgentInfo(
            hostname=hostname or name,
            ip=ip,
            resources=self._resources if resources is None else Resources.of(resources),
            attributes=tuple((attributes or {}).items()),
        )
        if self._gateway is not None:
            at = self._gateway.address_of(name)
            # Clients look hosts up, so an agent's own name would not do (http.md HT-170).
            info = attrs.evolve(info, hostname=hostname or at.hostname, ip=ip or at.ip, port=at.port)
        self._infos[name], start = info, functools.partial(self._start_agent, name)
        machine = self.agents[name] = AgentMachine(
            self.runtime, name, start, self._url_of, MachineId(hostname=info.hostname, ip=info.ip)
        )
        self._start_agent(name)
        return machine

    def _url_of(self, name: str) -> str:
        if self._gateway is None:
            raise Refused(f"{name} does not speak HTTP, so it has no url; make the cluster with http=True")
        known = {**self._gateway.masters, **self._gateway.agents}
        return known[name].url

    def _start_agent(
        self, name: str, facts: Mapping[str, Any] = NO_CHANGE, *, anew: bool = False, cause: int = -1
    ) -> None:
        """Start an agent's process on its machine, from now on with these facts."""
        info = self._infos[name] = attrs.evolve(self._infos[name], **facts)
        settings, work_dir = self.settings, f"{self._work_dir}/{folder_name(name)}"

        self.runtime.start(
            name, Placement(name), lambda context: Agent(context, settings, info, work_dir, anew=anew), cause
        )
        if self._gateway is not None:
            self._gateway.serve_agent(name)

    def _start_master(self, name: str, *, cause: int = -1) -> None:
        """Start a master's process, and its registrar, on its machine."""
        registrar, settings = f"{name}/registrar", self.settings
        place = Placement(name, store="registry")
        self.runtime.start(registrar, place, lambda context: Registrar(context, name, settings), cause)
        self.runtime.start(name, Placement(name), lambda context: Master(context, settings, registrar), cause)
        if self._gateway is not None:
            self._gateway.serve_master(name)

    @checked_arguments
    def run(
        self,
        scheduler: Scheduler,
        framework: Name | FrameworkInfo,
        *,
        executors: Mapping[str, type[Executor]] | None = None,
        implicit_acknowledgements: bool = True,
    ) -> MesoliteSchedulerDriver:
        """Run a scheduler as a framework; returns its driver, already started.

        `executors` says which class runs a task whose `ExecutorInfo` has that name.

        Raises:
            Refused: another class was given for the same executor name, or a callback is misspelt.
        """
        self.runtime.check_open()
        check_callbacks(type(scheduler), Scheduler)
        for executor in (executors or {}).values():
            check_callbacks(executor, Executor)
        info = FrameworkInfo(name=framework) if isinstance(framework, str) else framework
        for name, executor in (executors or {}).items():
            if self._executor_classes.setdefault(name, executor) is not executor:
                raise Refused(f"executor {name!r} is {self._executor_classes[name]} already; choose another name")
        settings = self.settings
        actor = self._free_name(info.name)
        driver = self.frameworks[actor] = MesoliteSchedulerDriver(scheduler)
        self.runtime.start(
            actor,
            Placement(actor, own_thread=True),
            lambda context: SchedulerActor(context, settings, info, driver, implicit_acknowledgements),
        )
        return driver

    def _free_name(self, wanted: str) -> str:
        """A second scheduler under a framework's name gets a number (core.md FW-5)."""
        names = itertools.chain([wanted], (f"{wanted}#{number}" for number in itertools.count(2)))
        return next(name for name in names if self.runtime.directory.incarnation(name) == 0)

    def _give_birth(self, host: str, start: ExecutorStart) -> NewActor:
        settings, gateway = self.settings, self._gateway
        if start.info is None:
            return lambda context: CommandExecutor(context, start, settings), Placement(host)
        name = start.info.name or start.executor_id
        if name not in self._executor_classes:
            if start.info.command is not None and gateway is not None:
                return lambda context: gateway.executor(context, start), Placement(host)
            if start.info.command is not None:
                raise LookupError(
                    f"executor {name!r} is a command, which speaks HTTP with its agent; this cluster does not; make "
                    "it with http=True"
                )
            known = ", ".join(sorted(self._executor_classes)) or "none"
            raise LookupError(
                f"no executor class is known under the name {name!r}; give one with run(..., executors={{{name!r}: "
                f"MyExecutor}}); known: {known}"
            )
        user = self._executor_classes[name]
        return (
            lambda context: ExecutorActor(context, start, settings, MesoliteExecutorDriver(user)),
            Placement(host, own_thread=True),
        )
