"""What operators ask for while other things go wrong: no faults, but a family of its own among them.

Nobody waits for an answer, as time must not pass inside a fault; whether it was done is seen when it comes. When its
time is over it is taken back, and once all faults have ended it is taken back until that is done, so that what must
come true eventually can.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from mesolite.harness.faults.kind import DoesNotFit, Kind, Ongoing, Scene
from mesolite.harness.script import Arguments
from mesolite.machines import AgentMachine
from mesolite.messages.base import OperatorCall
from mesolite.messages.ids import AgentId, ReclaimId
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.operator import (
    OPERATOR,
    CallAnswered,
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    ReleaseReclaimCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.state import ClusterState
from mesolite.simulation.network import Rule
from mesolite.simulation.simulation import SimulatedCluster, Simulation

FIRST_CALL = 1_000_000
"""The numbers of these calls begin there: those of the operator's own verbs stay below."""

CALLS_PER_RECORD = 1_000

TRIES, PAUSE_S = 120, 5.0
"""How often, and after how long, it is tried to take something back: a drain has to end first."""

INITIATOR = "a fault"
"""Who has asked for a reclaim: others are not released."""

MakeCall = Callable[[int], OperatorCall]
"""Makes a call with that number."""


class _OfAnAgent(Kind):
    """Asks the leader for something that is about an agent."""

    lasts = True

    def draw(self, scene: Scene) -> Arguments | None:
        """An agent that is registered."""
        names = scene.allowed([agent.name for agent in scene.sim.view.agents])
        return (("agent", scene.draws.one_of(names)), *self.how(scene)) if names else None

    def how(self, scene: Scene) -> Arguments:
        """Draw what else there is to draw."""
        return ()

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Ask; once it is over, ask that it be taken back."""
        agent_id = _id_of(sim, arguments["agent"])
        return self.asked(sim, cluster.agents[arguments["agent"]], agent_id, ask(sim, self.call(agent_id, arguments)))

    def asked(self, sim: Simulation, agent: AgentMachine, agent_id: AgentId, answers: Rule) -> Ongoing:
        """It was asked for."""

        def end() -> None:
            sim.forget(answers)
            _say(sim, self._back(sim, agent, agent_id))

        def undo() -> None:
            for _ in range(TRIES):
                call = self._back(sim, agent, agent_id)
                if call is None and sim.view.leader is not None:
                    return
                _say(sim, call)
                sim.runtime.advance(PAUSE_S)

        return Ongoing(
            end=end,
            had_effect=lambda: answers.count > 0 and answers.first.code == 200,  # as in HTTP
            undo=undo,
            hits=(agent.name,),
        )

    def call(self, agent_id: AgentId, arguments: dict[str, Any]) -> MakeCall:
        """The call to be made."""
        raise TypeError(f"{type(self).__name__} does not say what it asks for")

    def _back(self, sim: Simulation, agent: AgentMachine, agent_id: AgentId) -> MakeCall | None:
        """The call that takes it back next, None if nothing is left of it, or nobody leads."""
        state = sim.view.state
        is_lost = agent.name in sim.lost_for_good or agent.id not in (None, agent_id)
        return None if state is None or is_lost else self.back(state, agent, agent_id)

    def back(self, state: ClusterState, agent: AgentMachine, agent_id: AgentId) -> MakeCall | None:
        """The call that takes it back next, None if nothing is left of it."""
        if agent_id not in state["deactivated_agents"]:
            return None
        return lambda number: ReactivateAgentCall(call_id=number, agent_id=agent_id)

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the operator."""
        more = "".join(f", {name}={value!r}" for name, value in arguments.items() if name != "agent")
        return f"cluster.operator.{self.name}({arguments['agent']!r}{more})"


class Deactivate(_OfAnAgent):
    """Nothing more is offered from an agent."""

    name = "deactivate"

    def call(self, agent_id: AgentId, arguments: dict[str, Any]) -> MakeCall:
        """Deactivate it."""
        return lambda number: DeactivateAgentCall(call_id=number, agent_id=agent_id)


class Drain(_OfAnAgent):
    """An agent is drained, with a longest grace or without."""

    name = "drain"

    def how(self, scene: Scene) -> Arguments:
        """Draw a longest grace, or none."""
        grace = scene.draws.between(0.0, 30.0) if scene.draws.chance(0.7) else None
        return (("max_grace_period", grace),)

    def call(self, agent_id: AgentId, arguments: dict[str, Any]) -> MakeCall:
        """Drain it."""
        grace_s = arguments.get("max_grace_period")
        return lambda number: DrainAgentCall(call_id=number, agent_id=agent_id, max_grace_period_s=grace_s)


class MarkGone(_OfAnAgent):
    """An agent is said to be gone for good; its machine comes back as a new agent."""

    name = "mark_gone"

    def call(self, agent_id: AgentId, arguments: dict[str, Any]) -> MakeCall:
        """Mark it gone."""
        return lambda number: MarkAgentGoneCall(call_id=number, agent_id=agent_id)

    def back(self, state: ClusterState, agent: AgentMachine, agent_id: AgentId) -> MakeCall | None:
        """Nothing brings that id back."""
        return None


class Reclaim(_OfAnAgent):
    """Everything on an agent is asked back within a time, and revoked after it; at the end it is released."""

    name = "reclaim"

    def how(self, scene: Scene) -> Arguments:
        """Draw the time."""
        longest_s = 60.0 if scene.draws.chance(0.5) else 600.0
        return (("within", scene.draws.between(0.0, longest_s)),)

    def call(self, agent_id: AgentId, arguments: dict[str, Any]) -> MakeCall:
        """Reclaim everything."""
        within_s = arguments["within"]
        return lambda number: ReclaimResourcesCall(
            call_id=number, agent_id=agent_id, within_s=within_s, initiator=INITIATOR
        )

    def back(self, state: ClusterState, agent: AgentMachine, agent_id: AgentId) -> MakeCall | None:
        """Release what is open of it, also where the answer to the call was lost."""
        for reclaim in state["reclaims"]:
            if reclaim["agent_id"] == agent_id and reclaim["initiator"] == INITIATOR and reclaim["ended_at"] is None:
                made = ReclaimId(reclaim["id"])
                return lambda number: ReleaseReclaimCall(call_id=number, reclaim_id=made)
        return None


class Maintenance(_OfAnAgent):
    """An agent's machine is in the maintenance schedule, and is taken down when its window begins."""

    name = "maintenance"

    def how(self, scene: Scene) -> Arguments:
        """Draw when the window begins."""
        return (("within", scene.draws.between(0.0, 30.0)),)

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Schedule it, unless something else is scheduled; take it down later."""
        state = sim.view.state
        if state is None or state["maintenance"]["schedule"]:
            raise DoesNotFit("nobody leads, or something is scheduled already")
        agent_id, agent = _id_of(sim, arguments["agent"]), cluster.agents[arguments["agent"]]
        start = sim.now + arguments["within"]
        window = Window(machines=[agent.machine_id], unavailability=Unavailability(start=start, duration_s=3600.0))
        machines = (agent.machine_id,)
        answers = ask(sim, lambda number: UpdateMaintenanceScheduleCall(call_id=number, windows=(window,)))
        ongoing, ended = self.asked(sim, agent, agent_id, answers), False

        def take_down() -> None:
            if not ended:
                _say(sim, lambda number: StartMaintenanceCall(call_id=number, machines=machines))

        def end() -> None:
            nonlocal ended
            ended = True
            ongoing.end()

        sim.at(start, take_down)
        return Ongoing(end=end, had_effect=ongoing.had_effect, undo=ongoing.undo, hits=ongoing.hits)

    def back(self, state: ClusterState, agent: AgentMachine, agent_id: AgentId) -> MakeCall | None:
        """Take the machine up, or cancel its window if it is not down yet."""
        machines = (agent.machine_id,)
        maintenance = state["maintenance"]
        if agent.machine_id.ip in [machine["ip"] for machine in maintenance["status"]["down_machines"]]:
            return lambda number: StopMaintenanceCall(call_id=number, machines=machines)
        scheduled = [machine["ip"] for window in maintenance["schedule"] for machine in window["machines"]]
        if scheduled == [agent.machine_id.ip]:
            return lambda number: UpdateMaintenanceScheduleCall(call_id=number)
        return None

    def code(self, arguments: dict[str, Any]) -> str:
        """A window; that the machine is taken down when it begins is left to whoever reads it."""
        machine = f"cluster.agents[{arguments['agent']!r}].machine_id"
        start = f"Unavailability(start=sim.now + {arguments['within']:g}, duration_s=3600.0)"
        window = f"Window(machines=[{machine}], unavailability={start})"
        return f"cluster.operator.update_maintenance_schedule([{window}])"


def ask(sim: Simulation, make: MakeCall) -> Rule:
    """Put a call before the leader without waiting; the rule sees its answer.

    Raises:
        DoesNotFit: nobody leads.
    """
    leader = sim.view.leader
    context = None if leader is None else sim.runtime.directory.find(leader)
    if context is None:
        raise DoesNotFit("nobody leads")
    # The same in every run, and another for each of several calls between two records.
    number = FIRST_CALL + len(sim.trace) * CALLS_PER_RECORD + len(context.inbox)
    answers = sim.observe(CallAnswered, receiver=OPERATOR, where=lambda answer: answer.call_id == number)
    sim.inject(context.name, make(number), sender=OPERATOR)
    return answers


def _say(sim: Simulation, make: MakeCall | None) -> None:
    """Put a call before the leader, if there are both, and do not look for its answer."""
    if make is not None:
        with contextlib.suppress(DoesNotFit):
            sim.forget(ask(sim, make))


def _id_of(sim: Simulation, name: str) -> AgentId:
    for agent in sim.view.agents:
        if agent.name == name:
            return agent.id
    raise DoesNotFit(f"no agent {name} is registered")
