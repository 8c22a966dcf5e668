"""How a cluster is put together, whatever it runs on: elector, masters with their registrars, agents, frameworks.

`Cluster` (threads, real commands) and `SimulatedCluster` (virtual time) are this, each on its own runtime.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping

from mesolite.actors.decisions.contract import ExecutorStart
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import Refused
from mesolite.actors.parties import Agent, CommandExecutor, Elector, Master, Registrar
from mesolite.actors.runtime.port import Birth, Place, Runtime, Seat
from mesolite.actors.trace import Trace
from mesolite.actors.user_code import ExecutorParty, SchedulerParty
from mesolite.callbacks import Executor, Scheduler
from mesolite.drivers import MesoliteExecutorDriver, MesoliteSchedulerDriver
from mesolite.machines import AgentMachine, MasterMachine
from mesolite.messages.agents import AgentInfo
from mesolite.messages.election import ELECTOR
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.maintenance import MachineId
from mesolite.messages.resources import Resources
from mesolite.operator import Operator
from mesolite.user_errors import KeepsUserErrors

DEFAULT_RESOURCES = "cpus:4;mem:4096;disk:10000;ports:[31000-32000]"


class Wiring(KeepsUserErrors):
    """A cluster on some runtime: its machines by name, its operator, its trace."""

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        *,
        agents: int,
        masters: int,
        resources: str | Resources,
        work_dir: str,
        first_sequence: int = 1,
    ) -> None:
        """Start an elector, `master-1`..., `agent-1`...; every agent offers `resources`."""
        if masters < 1 or agents < 0:
            raise Refused(f"a cluster of {masters} masters and {agents} agents cannot be; have at least one master")
        self.runtime = runtime
        self.settings = settings
        self._work_dir = work_dir
        self._resources = Resources.of(resources)
        self._infos: dict[str, AgentInfo] = {}
        self._executor_classes: dict[str, type[Executor]] = {}
        self.masters: dict[str, MasterMachine] = {}
        self.agents: dict[str, AgentMachine] = {}
        self._agent_names = map("agent-{}".format, itertools.count(1))
        runtime.give_birth = self._give_birth
        runtime.start(ELECTOR, Place(ELECTOR), lambda seat: Elector(seat, settings, first_sequence))
        self.operator = Operator(runtime, self.agents, self.masters)
        for number in range(1, masters + 1):
            name = f"master-{number}"
            self.masters[name] = MasterMachine(runtime, name, functools.partial(self._start_master, name))
            self._start_master(name)
        for _ in range(agents):
            self.add_agent()

    @property
    def trace(self) -> Trace:
        """What happened."""
        return self.runtime.trace

    @property
    def leader(self) -> MasterMachine | None:
        """The master that leads and has read the registry; None while there is none."""
        return next((master for master in list(self.masters.values()) if master.leading), None)

    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual, as in the trace."""
        return self.runtime.now()

    def wait_until(self, done: Callable[[], object], timeout: float) -> None:
        """Wait until `done()` is true; it is looked at whenever somebody has handled something, and must only read.

        Raises:
            TimeoutError: it was not, within so many seconds, in simulation virtual ones.
            Exception: user code raised it meanwhile, or before and it was not raised yet (`raise_user_errors`).
        """
        errors = self.runtime.user_errors
        is_done = self.runtime.wait(lambda: bool(errors.unraised) or bool(done()), timeout)
        errors.raise_first()
        if not is_done:
            last = "\n".join(self.trace.text().splitlines()[-20:])
            raise TimeoutError(f"not so within {timeout} s, at {self.now():.3f} s; the last that was said:\n{last}")

    def add_agent(
        self,
        name: str | None = None,
        resources: str | Resources | None = None,
        attributes: Mapping[str, str] | None = None,
        *,
        hostname: str | None = None,
        ip: str = "",
    ) -> AgentMachine:
        """Start one more agent. By default its machine is its own; agents with one host name and address share one.

        Raises:
            Refused: an agent of that name exists.
            ResourceError: the resources are not resources.
        """
        name = name or next(name for name in self._agent_names if name not in self.agents)
        if name in self.agents:
            raise Refused(f"there is an agent named {name!r}; restart() it, or choose another name")
        self._infos[name] = AgentInfo(
            hostname=hostname or name,
            ip=ip,
            resources=self._resources if resources is None else Resources.of(resources),
            attributes=tuple((attributes or {}).items()),
        )
        info, start = self._infos[name], functools.partial(self._start_agent, name)
        machine = self.agents[name] = AgentMachine(self.runtime, name, start, MachineId(hostname=info.hostname, ip=ip))
        self._start_agent(name)
        return machine

    def _start_agent(self, name: str) -> None:
        """Start an agent's process on its machine."""
        info, settings, work_dir = self._infos[name], self.settings, f"{self._work_dir}/{name}"

        def make(seat: Seat) -> Agent:
            agent = Agent(seat, settings, info, work_dir)
            self.agents[name].learn(agent.performer.core)
            return agent

        self.runtime.start(name, Place(name), make)

    def _start_master(self, name: str) -> None:
        """Start a master's process, and its registrar, on its machine."""
        registrar, settings = f"{name}/registrar", self.settings
        self.runtime.start(registrar, Place(name, store="registry"), lambda seat: Registrar(seat, name, settings))
        self.runtime.start(name, Place(name), lambda seat: Master(seat, settings, registrar))

    def run(
        self,
        scheduler: Scheduler,
        framework: str | FrameworkInfo,
        *,
        executors: Mapping[str, type[Executor]] | None = None,
        implicit_acknowledgements: bool = True,
    ) -> MesoliteSchedulerDriver:
        """Run a scheduler as a framework; returns its driver, already started.

        `executors` says which class runs a task whose `ExecutorInfo` has that name.

        Raises:
            Refused: another class was given for the same executor name.
        """
        self.runtime.check_thread()
        info = FrameworkInfo(name=framework) if isinstance(framework, str) else framework
        for name, executor in (executors or {}).items():
            if self._executor_classes.setdefault(name, executor) is not executor:
                raise Refused(f"executor {name!r} is {self._executor_classes[name]} already; choose another name")
        driver = MesoliteSchedulerDriver(scheduler)
        settings = self.settings
        party = self._free_name(info.name)
        self.runtime.start(
            party,
            Place(party, own_thread=True),
            lambda seat: SchedulerParty(seat, settings, info, driver, implicit_acknowledgements),
        )
        return driver

    def _free_name(self, wanted: str) -> str:
        """A second scheduler under a framework's name gets a number (core.md FW-5)."""
        names = itertools.chain([wanted], (f"{wanted}#{number}" for number in itertools.count(2)))
        return next(name for name in names if self.runtime.directory.incarnation(name) == 0)

    def _give_birth(self, host: str, start: ExecutorStart) -> Birth:
        settings = self.settings
        if start.info is None:
            return lambda seat: CommandExecutor(seat, start, settings), Place(host)
        name = start.info.name or start.executor_id
        if name not in self._executor_classes:
            known = ", ".join(sorted(self._executor_classes)) or "none"
            raise LookupError(
                f"no executor class is known under the name {name!r}; give one with run(..., executors={{{name!r}: "
                f"MyExecutor}}); known: {known}"
            )
        user = self._executor_classes[name]
        return (
            lambda seat: ExecutorParty(seat, start, settings, MesoliteExecutorDriver(user)),
            Place(host, own_thread=True),
        )
