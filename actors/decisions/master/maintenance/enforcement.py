"""What is withheld of an agent, and enforced maintenance windows (docs/reclaim.md RV-6, RV-60 to RV-64).

scheduled --start--> nothing offered, everything revoked, again and again while something lives --end--> offered again

The schedule is the record: at any time it says which agents are within an enforced window.
"""

from __future__ import annotations

from mesolite.actors.decisions.interval import TIME_EPSILON_S
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.offers import offers
from mesolite.actors.decisions.master.reclaim import demands, revocation
from mesolite.actors.decisions.master.reclaim.rule import bounds, is_within
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import Enforcement, WindowBound
from mesolite.messages.resources import NOTHING, Resources


def in_force(m: MasterState, agent: AgentRecord, now: float) -> bool:
    """Whether the agent is within an enforced window (RV-61)."""
    window = m.schedule.window_of(machine_of(agent.info))
    return window is not None and is_within(window, now)


def keep_back(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Withhold what a window or a reclaim wants of an agent now, and nothing else (RV-6, RV-63)."""
    m.allocator.withhold(agent.id, _wanted(m, agent, now), now)


def _wanted(m: MasterState, agent: AgentRecord, now: float) -> Resources | None:
    reclaim_id = m.reclaim_of.get(agent.id)
    if in_force(m, agent, now):
        return None
    return NOTHING if reclaim_id is None else m.reclaims[reclaim_id].info.resources


def schedule_changed(m: MasterState, now: float) -> None:
    """Windows have come, gone or moved, or this master has begun to lead (RV-60, RV-63)."""
    for agent in m.agents.values():
        enforce(m, agent, now)
    _await_next_bound(m, now)


def bound_reached(m: MasterState, key: WindowBound, sender: str, now: float) -> None:
    """A window has begun or ended (RV-61, RV-63)."""
    schedule_changed(m, now)


def enforce(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Withhold what is wanted of this agent, and within an enforced window take it (RV-61, RV-62)."""
    keep_back(m, agent, now)
    if in_force(m, agent, now):
        offers.rescind_all(m, agent.offers, now)
        if revocation.revoke(m, demands.holders_on(agent)):
            m.set_timer(Enforcement(), m.settings.agent_ping_timeout_s)


def repeat(m: MasterState, key: Enforcement, sender: str, now: float) -> None:
    """Something may live on that was told to end: a message may have been lost (RV-37)."""
    for agent in m.agents.values():
        if in_force(m, agent, now):
            enforce(m, agent, now)


def _await_next_bound(m: MasterState, now: float) -> None:
    """Be woken when the next enforced window begins or ends."""
    to_come = [at for window in m.schedule.maintenance.windows for at in bounds(window) if at > now + TIME_EPSILON_S]
    if to_come:
        m.set_timer(WindowBound(), min(to_come) - now)
