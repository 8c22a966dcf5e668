"""How new agents come: registration (drain.md 1.2; core.md RC-12 to RC-16). Known ones come back: reregistration.py.

RegisterAgent --> AdmitAgent written --> in memory, answered
                  meanwhile: said again with other facts --> those are written, too
                             link broken, nobody said it again --> in memory, but disconnected
"""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.membership import disconnection, joining, removal
from mesolite.actors.decisions.master.membership.table import Change, MemberState, Registration
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import AgentRegistered, RegisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import AdmitAgent
from mesolite.messages.tasks import Cause


def register(m: MasterState, message: RegisterAgent, sender: str, now: float) -> None:
    """An agent without an id wants in (1.2)."""
    pending = _pending_at(m, sender)
    if pending is not None:
        # Its admission is being written (RC-13). It may be another life of it; the newest one counts.
        pending.info = attrs.evolve(message.agent, id=pending.info.id)
        pending.life, pending.link_broken = message.life, False
        m.effects.append(Link(sender))
        return
    if machines.is_down(m, message.agent):
        m.send(sender, machines.turned_away(message.agent))  # 1.2.2
        return
    known = m.agent_of_pid.get(sender)
    if known is not None:
        agent = m.agents[known]
        if agent.connected and not m.membership.is_pending(known, Change.REMOVE):
            agent.life = message.life
            m.send(sender, _registered(m, agent))  # it had not heard our answer (1.2.3)
            if agent.tasks or agent.executors:
                # Nor could it take what was launched meanwhile, not knowing its id: ask what became of that (1.3.9).
                tasks.ask_about(m, agent, agent.tasks.values(), now, agent.executors)
            return
        # Somebody new at the address of an agent that had gone: the old one is removed (1.2.4, RC-14).
        removal.remove(m, agent.id, Cause.CRASHED, now)
    agent_id = AgentId(m.id_for("S", m.next_agent))
    info = attrs.evolve(message.agent, id=agent_id)
    m.next_agent += 1
    m.membership.begin(agent_id, Change.ADMIT, Registration(info=info, pid=sender, life=message.life))
    m.membership.move(agent_id, MemberState.REGISTERING)
    m.registering[sender] = agent_id
    m.effects.append(Link(sender))
    m.write(AdmitAgent(agent=info))


def admitted(m: MasterState, operation: AdmitAgent, now: float) -> None:
    """The registry holds the new agent now (1.2.5)."""
    agent_id = operation.agent.id
    assert agent_id is not None
    pending = m.membership.registration(agent_id)
    assert pending is not None, operation
    if pending.info != operation.agent:
        m.write(AdmitAgent(agent=pending.info))
        return
    m.membership.end(agent_id, Change.ADMIT)
    del m.registering[pending.pid]
    member = m.membership.move(agent_id, MemberState.REGISTERED)
    agent = AgentRecord(
        id=agent_id, info=pending.info, pid=pending.pid, member=member, life=pending.life, registered_at=now
    )
    joining.join(m, agent, now)
    m.counters.slave_registrations += 1
    if pending.link_broken:
        disconnection.disconnected(m, agent, now)  # another life of it must not take the answer for its own
    else:
        m.send(agent.pid, _registered(m, agent))
    m.subscribers.agent_registered(m, agent, now)


def link_broke(m: MasterState, pid: str) -> None:
    """Whoever is being admitted from there is gone, unless it is heard of again before that is written."""
    pending = _pending_at(m, pid)
    if pending is not None:
        pending.link_broken = True


def _pending_at(m: MasterState, pid: str) -> Registration | None:
    """The registration that comes from there and is being written, if any."""
    agent_id = m.registering.get(pid)
    return None if agent_id is None else m.membership.registration(agent_id)


def _registered(m: MasterState, agent: AgentRecord) -> AgentRegistered:
    total_ping_timeout_s = m.settings.total_ping_timeout_s
    return AgentRegistered(agent_id=agent.id, total_ping_timeout_s=total_ping_timeout_s, life=agent.life)
