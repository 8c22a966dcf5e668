"""Operators change the maintenance schedule, take machines down and bring them up (drain.md 5.2, 5.5).

The whole schedule with all modes is one record, so there is one write of it at a time. Later calls wait their turn in
order, and are held against the schedule as it is when their turn comes.

    call --> waits --> valid? --no--> refused, nothing changed
                          +---yes--> written --> agents of changed machines are offered anew, or shut down --> answered
"""

from __future__ import annotations

from mesolite.actors.decisions.master.maintenance import enforcement, machines
from mesolite.actors.decisions.master.maintenance.rule import Schedule, machine_of
from mesolite.actors.decisions.master.membership import removal
from mesolite.actors.decisions.master.offers import inverse_offers, offers
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MaintenanceCall, MasterState
from mesolite.messages.maintenance import Maintenance
from mesolite.messages.operator import StartMaintenanceCall, StopMaintenanceCall, UpdateMaintenanceScheduleCall
from mesolite.messages.registrar import Registry, UpdateMaintenance
from mesolite.messages.tasks import Cause


def change(m: MasterState, message: MaintenanceCall, sender: str, now: float) -> None:
    """An operator wants the schedule or a machine's mode changed: wait for the changes before it."""
    m.maintenance_calls.append((message, sender))
    if len(m.maintenance_calls) == 1:
        _take_next(m)


def _take_next(m: MasterState) -> None:
    """Refuse the calls whose turn it is, up to the first that can be carried out: that one is written."""
    while m.maintenance_calls:
        message, sender = m.maintenance_calls[0]
        wanted, why_not = _outcome(m.schedule, message)
        if not why_not:
            m.write_for(UpdateMaintenance(maintenance=wanted), sender, message.call_id)
            return
        m.answer(sender, message.call_id, 400, why_not)
        del m.maintenance_calls[0]


def _outcome(schedule: Schedule, message: MaintenanceCall) -> tuple[Maintenance, str]:
    """What would be then, and why it cannot be, '' if it can."""
    match message:
        case UpdateMaintenanceScheduleCall(windows=windows):
            why_not = schedule.windows_error(windows)
            return (schedule.maintenance if why_not else schedule.with_windows(windows)), why_not
        case StartMaintenanceCall(machines=machines):
            why_not = schedule.down_error(machines)
            return (schedule.maintenance if why_not else schedule.with_down(machines)), why_not
        case StopMaintenanceCall(machines=machines):
            why_not = schedule.up_error(machines)
            return (schedule.maintenance if why_not else schedule.with_up(machines)), why_not


def changed(m: MasterState, operation: UpdateMaintenance, now: float) -> None:
    """It is durable: now it holds. Agents of machines of which nothing has changed notice nothing (ours: 10.2)."""
    before, after = m.schedule, Schedule(operation.maintenance)
    m.schedule = after
    for machine in before.changed(after):
        for agent_id in m.machines.get(machine, {}):
            _offer_anew(m, m.agents[agent_id], now)
    for machine in map(machine_of, after.maintenance.down):
        for agent_id in m.machines.get(machine, {}):
            shut_down(m, m.agents[agent_id], now)
    enforcement.schedule_changed(m, now)
    del m.maintenance_calls[0]
    _take_next(m)


def _offer_anew(m: MasterState, agent: AgentRecord, now: float) -> None:
    """The agent is available at other times: what was offered and answered is void, and both begin again (5.2.6)."""
    offers.rescind_all(m, agent.offers, now)
    inverse_offers.rescind_advice(m, agent.inverse_offers)
    agent.answers.clear()
    m.inverse_offer_queue.forget_agent(agent.id)
    m.allocator.offer_again(agent.id, now)
    machines.consider_asking(m, agent, now)


def shut_down(m: MasterState, agent: AgentRecord, now: float) -> None:
    """The agent's machine is DOWN: it is told so, and removed even if it never hears of it (5.5.2, 5.5.3).

    If it is on its way out already, that way is taken to its end (5.5.4).
    """
    m.send(agent.pid, machines.turned_away(agent.info))
    removal.remove(m, agent.id, Cause.MACHINE_DOWN, now)


def joined(m: MasterState, agent: AgentRecord, now: float) -> None:
    """The machine may have gone down while the agent was being admitted."""
    if machines.is_down(m, agent.info):
        shut_down(m, agent, now)


def recovered(m: MasterState, registry: Registry, now: float) -> None:
    """A new leader has read the schedule."""
    m.schedule = Schedule(registry.maintenance)
