"""Agents and their machines: which are scheduled, and who is to be asked about them (drain.md 5.1, 5.4, 5.6).

An agent's machine is what it says of itself, and does not change while it is registered (1.3.4). How operators change
the schedule is in schedules.py.
"""

from __future__ import annotations

from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import ShutdownAgent
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineMode, Unavailability


def is_scheduled(m: MasterState, agent: AgentRecord) -> bool:
    """Whether the agent's machine is in the schedule, DRAINING or DOWN (5.3.2, 4.3.2)."""
    return m.schedule.window_of(machine_of(agent.info)) is not None


def is_down(m: MasterState, info: AgentInfo) -> bool:
    """Whether agents of that machine are turned away (5.3.3)."""
    return m.schedule.mode_of(machine_of(info)) is MachineMode.DOWN


def unavailability_of(m: MasterState, agent: AgentRecord) -> Unavailability | None:
    """When the agent's machine is unavailable, None if it is not scheduled (5.4.1)."""
    return m.schedule.unavailability_of(machine_of(agent.info))


def joined(m: MasterState, agent: AgentRecord, now: float) -> None:
    """The agent is registered: it can be found by its machine, and those it came with tasks of are asked (5.10.2)."""
    m.machines.setdefault(machine_of(agent.info), {})[agent.id] = None
    consider_asking(m, agent, now)


def left(m: MasterState, agent: AgentRecord, end: TaskEnd, now: float) -> None:
    """The agent is not registered any more; what was said and refused about it is forgotten (5.9.2)."""
    machine = machine_of(agent.info)
    del m.machines[machine][agent.id]
    if not m.machines[machine]:
        del m.machines[machine]
    m.inverse_offer_queue.forget_agent(agent.id)


def consider_asking(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Somebody may have to be asked about the agent: it has come, or may be offered again."""
    if is_scheduled(m, agent):
        m.inverse_offer_queue.add(agent.id, now)


def ask_again(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    """The framework has subscribed: ask it about every scheduled agent that it holds something on (5.6.2, 5.7.6)."""
    m.inverse_offer_queue.forget_framework(framework.id, now)
    for machine in m.schedule.draining():
        for agent_id in m.machines.get(machine_of(machine), {}):
            m.inverse_offer_queue.add(agent_id, now)


def check(m: MasterState) -> None:
    """Assert that every registered agent is found by its machine, and nobody else."""
    found = {agent_id: machine for machine, agents in m.machines.items() for agent_id in agents}
    assert found == {agent.id: machine_of(agent.info) for agent in m.agents.values()}, (found, list(m.agents))


def turned_away(info: AgentInfo) -> ShutdownAgent:
    """What agents of a machine that is DOWN are told (5.3.3)."""
    return ShutdownAgent(reason=f"machine {info.hostname} is down for maintenance; start agents when it is up again")
