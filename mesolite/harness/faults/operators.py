"""What operators ask for while other things go wrong: no faults, but a family of its own among them.

Nobody waits for the answer, as time must not pass inside a fault; whether it was done is seen when it comes. Once all
faults have ended it is taken back, so that what must come true eventually can.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from mesolite.actors.errors import OutcomeUnknown, Refused
from mesolite.harness.faults.kind import DoesNotFit, Kind, Ongoing, Scene
from mesolite.harness.script import Arguments
from mesolite.messages.base import OperatorCall
from mesolite.messages.ids import AgentId, ReclaimId
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.operator import (
    OPERATOR,
    CallAnswered,
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReclaimResourcesCall,
    StartMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.simulation.network import Rule
from mesolite.simulation.simulation import SimulatedCluster, Simulation

FIRST_CALL = 1_000_000
"""The numbers of these calls begin there: those of the operator's own verbs stay below."""

TRIES, PAUSE_S = 120, 5.0
"""How often, and after how long, it is tried to take something back: a drain has to end first."""


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
        """Ask."""
        agent_id = _id_of(sim, arguments["agent"])
        answers = ask(sim, lambda number: self.call(number, agent_id, arguments))
        return Ongoing(
            end=lambda: sim.forget(answers),
            had_effect=lambda: _done(answers),
            undo=lambda: self.take_back(sim, cluster, arguments, answers),
        )

    def call(self, number: int, agent_id: AgentId, arguments: dict[str, Any]) -> OperatorCall:
        """The call to be made."""
        raise TypeError(f"{type(self).__name__} does not say what it asks for")

    def take_back(
        self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any], answers: Rule
    ) -> None:
        """Let the agent be as it was."""
        agent = cluster.agents[arguments["agent"]]

        def reactivated() -> bool:
            known = {each.name: each for each in sim.view.agents}.get(agent.name)
            if known is None or not known.deactivated:
                return True
            with contextlib.suppress(Refused, OutcomeUnknown):
                cluster.operator.reactivate(agent)
            return False

        _try(sim, reactivated)

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the operator."""
        more = "".join(f", {name}={value!r}" for name, value in arguments.items() if name != "agent")
        return f"cluster.operator.{self.name}({arguments['agent']!r}{more})"


class Deactivate(_OfAnAgent):
    """Nothing more is offered from an agent."""

    name = "deactivate"

    def call(self, number: int, agent_id: AgentId, arguments: dict[str, Any]) -> OperatorCall:
        """Deactivate it."""
        return DeactivateAgentCall(call_id=number, agent_id=agent_id)


class Drain(_OfAnAgent):
    """An agent is drained, with a longest grace or without."""

    name = "drain"

    def how(self, scene: Scene) -> Arguments:
        """Draw a longest grace, or none."""
        grace = scene.draws.between(0.0, 30.0) if scene.draws.chance(0.7) else None
        return (("max_grace_period", grace),)

    def call(self, number: int, agent_id: AgentId, arguments: dict[str, Any]) -> OperatorCall:
        """Drain it."""
        return DrainAgentCall(
            call_id=number, agent_id=agent_id, max_grace_period_s=arguments.get("max_grace_period")
        )


class MarkGone(_OfAnAgent):
    """An agent is said to be gone for good; its machine comes back as a new agent."""

    name = "mark_gone"

    def call(self, number: int, agent_id: AgentId, arguments: dict[str, Any]) -> OperatorCall:
        """Mark it gone."""
        return MarkAgentGoneCall(call_id=number, agent_id=agent_id)

    def take_back(
        self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any], answers: Rule
    ) -> None:
        """Start it again, as what it is now."""
        agent = cluster.agents[arguments["agent"]]
        if not agent.alive:
            agent.restart()


class Reclaim(_OfAnAgent):
    """Everything on an agent is asked back within a time, and revoked after it."""

    name = "reclaim"

    def how(self, scene: Scene) -> Arguments:
        """Draw the time."""
        return (("within", scene.draws.between(0.0, 60.0)),)

    def call(self, number: int, agent_id: AgentId, arguments: dict[str, Any]) -> OperatorCall:
        """Reclaim everything."""
        return ReclaimResourcesCall(call_id=number, agent_id=agent_id, within_s=arguments["within"])

    def take_back(
        self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any], answers: Rule
    ) -> None:
        """Release it, so that its resources may be offered again."""
        if not _done(answers):
            return
        made = ReclaimId(answers.first.made)

        def released() -> bool:
            with contextlib.suppress(Refused, OutcomeUnknown):
                for reclaim in cluster.operator.reclaims():
                    if reclaim.id == made and reclaim.ended_at is None:
                        reclaim.release()
                return True
            return False

        _try(sim, released)


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
        agent = cluster.agents.get(arguments["agent"])
        if agent is None:
            raise DoesNotFit(f"there is no agent {arguments['agent']}")
        start = sim.now + arguments["within"]
        window = Window(machines=[agent.machine_id], unavailability=Unavailability(start=start, duration_s=3600.0))
        answers = ask(sim, lambda number: UpdateMaintenanceScheduleCall(call_id=number, windows=(window,)))
        down = (agent.machine_id,)

        def take_down() -> None:
            with contextlib.suppress(DoesNotFit):
                ask(sim, lambda number: StartMaintenanceCall(call_id=number, machines=down), watched=False)

        sim.at(start, take_down)
        return Ongoing(
            end=lambda: sim.forget(answers),
            had_effect=lambda: _done(answers),
            undo=lambda: self.take_back(sim, cluster, arguments, answers),
        )

    def take_back(
        self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any], answers: Rule
    ) -> None:
        """Take the machine up, and cancel what is scheduled."""
        agent = cluster.agents[arguments["agent"]]

        def nothing_scheduled() -> bool:
            state = sim.view.state
            if state is None:
                return False
            with contextlib.suppress(Refused, OutcomeUnknown):
                if state["maintenance"]["status"]["down_machines"]:
                    cluster.operator.machine_up(agent)
                cluster.operator.update_maintenance_schedule([])
                return True
            return False

        _try(sim, nothing_scheduled)
        if not agent.alive:
            agent.restart()

    def code(self, arguments: dict[str, Any]) -> str:
        """A window, in words that fit a line."""
        return f"cluster.operator.update_maintenance_schedule([Window({arguments['agent']!r}, ...)])"


def ask(sim: Simulation, make: Callable[[int], OperatorCall], *, watched: bool = True) -> Rule:
    """Put a call before the leader without waiting; the rule sees its answer.

    Raises:
        DoesNotFit: nobody leads.
    """
    leader = sim.view.leader
    if leader is None:
        raise DoesNotFit("nobody leads")
    number = FIRST_CALL + len(sim.trace)
    answers = sim.observe(CallAnswered, receiver=OPERATOR, where=lambda answer: answer.call_id == number)
    if not watched:
        sim.forget(answers)
    sim.inject(leader, make(number), sender=OPERATOR)
    return answers


def _done(answers: Rule) -> bool:
    return answers.count > 0 and answers.first.code == 200  # as in HTTP


def _id_of(sim: Simulation, name: str) -> AgentId:
    for agent in sim.view.agents:
        if agent.name == name:
            return agent.id
    raise DoesNotFit(f"no agent {name} is registered")


def _try(sim: Simulation, done: Callable[[], bool]) -> None:
    """Try until it is done, for ten minutes at most."""
    for _ in range(TRIES):
        if done():
            return
        sim.runtime.advance(PAUSE_S)
