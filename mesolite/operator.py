"""What an operator may ask of a cluster: look at its state, take agents out of service, get resources back.

Every verb is a message to the leading master and waits for its answer; what was refused is raised as `Refused`, saying
what was asked, why not, and what would work. Verbs are safe to repeat.

Looking leaves no record. On virtual time it is not even a message: the leader's answer is looked up at once, so that a
predicate or a callback may look without changing the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Runtime
from mesolite.calls import DONE, Calls
from mesolite.drain import Drain
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.machines import AgentMachine, MasterMachine
from mesolite.messages.checking import Duration, checked_arguments, in_seconds, optional_seconds, several
from mesolite.messages.ids import AgentId, DrainId, FrameworkId, ReclaimId
from mesolite.messages.maintenance import MachineId, Window, machine_ids
from mesolite.messages.operator import (
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    TeardownFrameworkCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.queries import (
    GetDrains,
    GetFramework,
    GetMaintenanceSchedule,
    GetMaintenanceStatus,
    GetReclaims,
    GetState,
)
from mesolite.messages.resources import Resources
from mesolite.messages.state import ClusterState, MaintenanceStatusEntry, WindowEntry
from mesolite.reclaim import Reclaim

AnyAgent = AgentMachine | str
"""An agent: its machine, the machine's name, or the agent's id."""

AnyFramework = MesoliteSchedulerDriver | str
"""A framework: its driver, the driver's name, or the framework's id."""

Machines = MachineId | AgentMachine | str | Iterable[MachineId | AgentMachine | str]
"""One machine or several, each by its id, the handle of an agent on it, or the name of that or of the host."""


class Operator:
    """The verbs of an operator."""

    def __init__(
        self,
        runtime: Runtime,
        agents: Mapping[str, AgentMachine],
        masters: Mapping[str, MasterMachine],
        frameworks: Mapping[str, MesoliteSchedulerDriver],
    ) -> None:
        """Speak to whichever of these masters leads."""
        self._runtime = runtime
        self._agents = agents
        self._frameworks = frameworks
        self._calls = Calls(runtime, masters)
        self._ask, self._call = self._calls.ask, self._calls.call

    # ----------------------------------------------------------------------------------------------------- looking

    def state(self) -> ClusterState:
        """Return what the leader knows as plain data: agents, tasks, frameworks, offers, drains, schedule (OP-2).

        It is dictionaries, lists, text and numbers, as JSON would have it; `ClusterState` says which keys there are.

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
        """
        return cast(ClusterState, self._ask(lambda number: GetState(call_id=number)).data)

    def maintenance_schedule(self) -> list[WindowEntry]:
        """Return the windows of the schedule, as plain data (drain.md 5.2.8).

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
        """
        windows: list[WindowEntry] = self._ask(lambda number: GetMaintenanceSchedule(call_id=number)).data["windows"]
        return windows

    def maintenance_status(self) -> MaintenanceStatusEntry:
        """Return the machines that are DRAINING, with what frameworks answered, and those DOWN (drain.md 5.9).

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
        """
        return cast(MaintenanceStatusEntry, self._ask(lambda number: GetMaintenanceStatus(call_id=number)).data)

    # ------------------------------------------------------------------------------------------------------ agents

    @checked_arguments
    def deactivate(self, agent: AnyAgent) -> None:
        """Offer nothing more from an agent; what runs there goes on (drain.md 4.1). Survives masters and restarts.

        Raises:
            Refused: there is no such agent, or it is leaving.
            OutcomeUnknown: the master died, or did not answer.
        """
        agent_id = self._agent_id(agent)
        self._call(lambda number: DeactivateAgentCall(call_id=number, agent_id=agent_id))

    @checked_arguments
    def reactivate(self, agent: AnyAgent) -> None:
        """Offer from an agent again that was deactivated or drained (drain.md 4.2).

        Raises:
            Refused: it is not deactivated, or its drain has not ended.
            OutcomeUnknown: the master died, or did not answer.
        """
        agent_id = self._agent_id(agent)
        self._call(lambda number: ReactivateAgentCall(call_id=number, agent_id=agent_id))

    @checked_arguments
    def drain(
        self,
        agent: AnyAgent,
        max_grace_period: Duration | None = None,
        *,
        mark_gone: bool = False,
        message: str | None = None,
        initiator: str | None = None,
    ) -> Drain:
        """Kill what runs on an agent, with grace, and offer nothing more from it (drain.md 4.3); returns at once.

        `max_grace_period`, in seconds, replaces longer graces and that of tasks that have none of their own (4.4.5).
        `mark_gone`: the agent is gone for good when that is done. `message` and `initiator` are kept with the drain.

        Raises:
            Refused: there is no such agent, it is leaving, or its machine is in the maintenance schedule.
            OutcomeUnknown: the master died, or did not answer.
        """
        agent_id = self._agent_id(agent)
        answer = self._call(
            lambda number: DrainAgentCall(
                call_id=number,
                agent_id=agent_id,
                max_grace_period_s=optional_seconds(max_grace_period),
                mark_gone=mark_gone,
                message=message or "",
                initiator=initiator or "",
            )
        )
        return self._drain(DrainId(answer.made), agent_id)

    def drains(self) -> list[Drain]:
        """Return all drains under way, and those that have ended and are remembered, oldest first.

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
        """
        known = self._ask(lambda number: GetDrains(call_id=number)).drains
        return [self._drain(drain.id, drain.agent_id) for drain in known]

    @checked_arguments
    def mark_gone(self, agent: AnyAgent) -> None:
        """Say that an agent will never come back: its tasks are gone, its id is refused for ever (drain.md 4.7).

        Its machine may join again: an agent that is started there is a new one (4.7.7).

        Raises:
            Refused: there is no such agent, or it is leaving.
            OutcomeUnknown: the master died, or did not answer.
        """
        agent_id = self._agent_id(agent)
        self._call(lambda number: MarkAgentGoneCall(call_id=number, agent_id=agent_id))

    # ------------------------------------------------------------------------------------------------- maintenance

    @checked_arguments
    def update_maintenance_schedule(self, windows: Window | Iterable[Window]) -> None:
        """Replace the whole maintenance schedule; an empty one cancels all maintenance (drain.md 5.2).

        Raises:
            Refused: the schedule is not valid; nothing is changed then.
            OutcomeUnknown: the master died, or did not answer.
        """
        wanted = several(windows)
        self._call(lambda number: UpdateMaintenanceScheduleCall(call_id=number, windows=wanted))

    @checked_arguments
    def machine_down(self, machines: Machines) -> None:
        """Take scheduled machines down now: their agents shut down, their tasks are lost (drain.md 5.5.2).

        Raises:
            Refused: one of them is not in mode DRAINING; nothing is changed then.
            OutcomeUnknown: the master died, or did not answer.
        """
        wanted = self._machine_ids(machines)
        self._call(lambda number: StartMaintenanceCall(call_id=number, machines=wanted))

    @checked_arguments
    def machine_up(self, machines: Machines) -> None:
        """Let agents of machines that are down register again; the machines leave the schedule (drain.md 5.5.5).

        Raises:
            Refused: one of them is not in mode DOWN; nothing is changed then.
            OutcomeUnknown: the master died, or did not answer.
        """
        wanted = self._machine_ids(machines)
        self._call(lambda number: StopMaintenanceCall(call_id=number, machines=wanted))

    # -------------------------------------------------------------------------------------------------- frameworks

    @checked_arguments
    def reclaim(
        self,
        target: AnyAgent | AnyFramework,
        resources: Resources | str | Mapping[str, float] | None = None,
        *,
        within: Duration = 600.0,
        message: str | None = None,
        initiator: str | None = None,
    ) -> Reclaim:
        """Get resources of an agent, or of a framework, back within so many seconds (docs/reclaim.md); returns at once.

        `target` is an agent, or a framework: its driver, name or id. `resources` None means everything. What is not
        returned by the deadline, and only that, is revoked. What comes back from an agent is offered to nobody until
        the reclaim is released.

        Raises:
            Refused: no such agent or framework, more than is there, or a time that cannot be.
            ResourceError: the resources are not resources.
            OutcomeUnknown: the master died, or did not answer.
        """
        wanted = None if resources is None else Resources.of(resources)
        agent_id, framework_id = self._target(target)
        answer = self._call(
            lambda number: ReclaimResourcesCall(
                call_id=number,
                agent_id=agent_id,
                framework_id=framework_id,
                resources=wanted,
                within_s=in_seconds(within),
                message=message or "",
                initiator=initiator or "",
            )
        )
        return self._reclaim(ReclaimId(answer.made), agent_id or framework_id or "")

    def reclaims(self) -> list[Reclaim]:
        """Return the reclaims that have ended and are remembered, and all that are open.

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
        """
        known = self._ask(lambda number: GetReclaims(call_id=number)).reclaims
        return [self._reclaim(reclaim.id, reclaim.agent_id or reclaim.framework_id or "") for reclaim in known]

    @checked_arguments
    def teardown(self, framework: AnyFramework) -> None:
        """End a framework and everything it runs (core.md FW-36).

        Raises:
            Refused: there is no such framework.
            OutcomeUnknown: the master died, or did not answer.
        """
        framework_id = self._framework_id(framework)
        self._call(lambda number: TeardownFrameworkCall(call_id=number, framework_id=framework_id))

    # ------------------------------------------------------------------------------------------------------ inside

    def _drain(self, drain_id: DrainId, agent_id: AgentId) -> Drain:
        return Drain(self._runtime, self._ask, drain_id, agent_id)

    def _reclaim(self, reclaim_id: ReclaimId, target: str) -> Reclaim:
        return Reclaim(self._runtime, self._ask, self._call, reclaim_id, target)

    def _agent_id(self, agent: AnyAgent) -> AgentId:
        """The id of an agent, whether or not it is running; what is no known name is taken for an id."""
        machine = self._agents.get(agent) if isinstance(agent, str) else agent
        if machine is None:
            return AgentId(str(agent))
        if machine.id is None:
            raise Refused(f"{machine.name} has no id: no master has admitted it yet; wait until it has registered")
        return AgentId(machine.id)

    def _machine_ids(self, machines: Machines) -> tuple[MachineId, ...]:
        named: tuple[MachineId | AgentMachine | str, ...] = several(machines)
        return machine_ids(self._agents.get(one, one) if isinstance(one, str) else one for one in named)

    def _framework_id(self, framework: AnyFramework) -> FrameworkId:
        """The id of a framework, whether or not its driver runs; what is no known name is taken for an id."""
        driver = self._frameworks.get(framework) if isinstance(framework, str) else framework
        if driver is None:
            return FrameworkId(str(framework))
        if driver.framework_id is None:
            raise Refused(f"{driver.name} has no framework id yet; wait until it has registered")
        return driver.framework_id

    def _target(self, target: AnyAgent | AnyFramework) -> tuple[AgentId | None, FrameworkId | None]:
        """Tell agents from frameworks: ids of frameworks are those the leader has in its books."""
        if isinstance(target, MesoliteSchedulerDriver) or (target in self._frameworks and target not in self._agents):
            return None, self._framework_id(target)  # type: ignore[arg-type]
        if isinstance(target, str) and target not in self._agents:
            framework_id = FrameworkId(target)
            if self._ask(lambda number: GetFramework(call_id=number, framework_id=framework_id)).code == DONE:
                return None, framework_id
        return self._agent_id(target), None
