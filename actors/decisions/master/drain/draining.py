"""Operators drain agents: everything there is killed with grace, and nothing more is offered (drain.md 4.3 to 4.6).

DrainAgentCall --> StartDrain written --> offers withdrawn, agent told --> DRAINING
    DRAINING --nothing left in memory, confirmed by the agent--> EndDrain written --> DRAINED
             --the same, to be marked gone--> MarkAgentGone written (gone.py) --> GONE
             --the agent leaves--> RemoveAgent or MarkAgentGone written with the drain in it --> LEFT

The kills are the agent's business (4.3.6). It is told again whenever it re-registers (4.6.1), and while it does not
react: a lost message must not hang a drain.
"""

from __future__ import annotations

import math

import attrs

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.drain import view as drain_view
from mesolite.actors.decisions.master.drain.rule import is_done
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.membership import gone
from mesolite.actors.decisions.master.membership.table import Change
from mesolite.actors.decisions.master.offers import offers
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import AgentDrained, DrainAgent
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.ids import AgentId, DrainId
from mesolite.messages.operator import DrainAgentCall
from mesolite.messages.registrar import EndDrain, StartDrain


def drain(m: MasterState, message: DrainAgentCall, sender: str, now: float) -> None:
    """Want it recorded (4.3.4). Asked again while it is under way, the same drain goes on with the new wish (4.3.7)."""
    why_not = _refusal(m, message)
    if why_not is not None:
        m.answer(sender, message.call_id, *why_not)
        return
    config = DrainConfig(max_grace_period_s=message.max_grace_period_s, mark_gone=message.mark_gone)
    known = decisions.open_drain(m, message.agent_id)
    if known is not None:
        wanted = attrs.evolve(
            known,
            config=config,
            message=message.message or known.message,
            initiator=message.initiator or known.initiator,
        )
    else:
        wanted = DrainInfo(
            id=DrainId(m.id_for("D", m.next_drain)),
            agent_id=message.agent_id,
            state=DrainState.DRAINING,
            config=config,
            started_at=now,
            message=message.message,
            initiator=message.initiator,
        )
        m.next_drain += 1
    m.write_for(StartDrain(drain=wanted), sender, message.call_id, made=wanted.id)


def _refusal(m: MasterState, message: DrainAgentCall) -> tuple[int, str] | None:
    """Why this drain cannot be, None if it can (4.3.2, 4.3.3). Mesos takes any period (4.3.1)."""
    period: object = message.max_grace_period_s
    agent_id = message.agent_id
    if not (period is None or (isinstance(period, int | float) and 0 <= period < math.inf)):
        return 400, f"a longest grace period of {period!r} s cannot be; give 0 or more seconds, or none for no limit"
    why_not = decisions.refusal(m, agent_id)
    agent = m.agents.get(agent_id)
    if why_not is not None or agent is None:
        return why_not  # the machine of an agent that is away is not known
    if machines.is_scheduled(m, agent):
        return 400, (
            f"agent {agent_id} cannot be drained: its machine {agent.info.hostname} is in the maintenance schedule; "
            "take the machine down, or out of the schedule first"
        )
    return None


def started(m: MasterState, operation: StartDrain, now: float) -> None:
    """It is recorded: now do it (4.3.5)."""
    wanted = operation.drain
    if not decisions.is_known(m, wanted.agent_id):
        return  # it has left meanwhile, and the drain with it
    before = m.deactivated.get(wanted.agent_id)
    m.deactivated[wanted.agent_id] = wanted
    m.publish(wanted)
    agent = m.agents.get(wanted.agent_id)
    if agent is not None:
        offers.withdraw_agent(m, agent, now)
        if before is None or before.id != wanted.id:
            agent.drain_told_at = None
        tell(m, agent, now)


def tell(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Tell an agent to drain, if that was decided, drained or not; it confirms again when nothing is left (4.6.1)."""
    known = m.deactivated.get(agent.id)
    if known is None:
        return
    agent.drained = False
    if agent.drain_told_at is None:
        agent.drain_told_at = now
    m.send(agent.pid, DrainAgent(config=known.config))


def remind(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Ask an agent again that has not confirmed: what was said may have been lost on the way, more than once."""
    known = m.deactivated.get(agent.id)
    if known is None or known.state is not DrainState.DRAINING or not agent.connected:
        return
    m.released_on[agent.id] = None
    if not agent.drained:
        # Not before it had an interval's time: it kills again what it is killing when it is told again.
        if agent.drain_told_at is None or now - agent.drain_told_at >= m.settings.agent_ping_timeout_s:
            tell(m, agent, now)
    elif agent.tasks:
        # It has nothing left, and memory has: those never came to it, and it has to say so (1.3.9).
        tasks.ask_about(m, agent, agent.tasks.values(), now)


def confirmed(m: MasterState, message: AgentDrained, sender: str, now: float) -> None:
    """The agent has nothing alive and nothing unacknowledged left."""
    agent = m.agent_at(message.agent_id, sender)
    if agent is not None:
        agent.drained = True
        m.released_on[agent.id] = None


def check_done(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Something on this agent was let go: its drain ends if it waits for nothing more (4.5.1, 4.5.2)."""
    current, agent = m.deactivated.get(agent_id), m.agents.get(agent_id)
    if current is None or agent is None or current.state is not DrainState.DRAINING:
        return
    if current.id in m.ending_drains or m.membership.is_pending(agent_id, Change.REMOVE, Change.MARK_GONE):
        return  # it ends already, this way or another
    if decisions.pending_decisions(m, agent_id):
        return  # it is about to go on with another wish (4.3.7)
    if not is_done(drain_view.facts(m, agent, current), drain_view.tasks_of(m, agent)):
        return
    if not current.config.mark_gone:
        m.ending_drains[current.id] = None
        ended = attrs.evolve(current, state=DrainState.DRAINED, ended_at=now)
        m.write(EndDrain(drain=ended, forget=decisions.drains_to_forget(m)))
    elif m.membership.may_begin(agent_id, Change.MARK_GONE):  # or when it returns it confirms again
        gone.write(m, agent_id, attrs.evolve(current, state=DrainState.GONE, ended_at=now), now)


def ended(m: MasterState, operation: EndDrain, now: float) -> None:
    """It is recorded: the agent is drained, and stays out of the offers until it is reactivated (4.5.5)."""
    done = operation.drain
    del m.ending_drains[done.id]
    decisions.remember(m, done, operation.forget)
    current = m.deactivated.get(done.agent_id)
    if current is not None and current.id == done.id:
        m.deactivated[done.agent_id] = done
