"""Operators drain agents: everything there is killed with grace, and nothing more is offered (drain.md 4.3 to 4.6).

DrainAgentCall --> StartDrain written --> offers withdrawn, agent told --> DRAINING
    DRAINING --nothing left in the books, confirmed by the agent--> EndDrain written --> DRAINED
             --the same, to be marked gone--> MarkAgentGone written (gone.py) --> GONE
             --the agent leaves--> RemoveAgent or MarkAgentGone written with the drain in it --> LEFT

The kills are the agent's business (4.3.6). It is told again whenever it re-registers (4.6.1), and while it does not
react: a lost message must not hang a drain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.drain import deactivation
from mesolite.actors.decisions.master.drain.rule import DrainingAgent, TaskLeft, blockers, is_done
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.membership import gone
from mesolite.actors.decisions.master.membership.table import Change
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import NOT_BACK, MasterState
from mesolite.messages.agent import AgentDrained, DrainAgent
from mesolite.messages.drains import Blocker, DrainConfig, DrainInfo, DrainState, Party
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
    known = deactivation.open_drain(m, message.agent_id)
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
        return 400, f"a longest grace period of {period!r} s cannot be; give 0 or more seconds, or None for no limit"
    why_not = deactivation.refusal(m, agent_id)
    agent = m.agents.get(agent_id)
    if why_not is not None or agent is None:
        return why_not  # the machine of an agent that is away is not known
    if machines.is_scheduled(m, agent):
        return 400, (
            f"agent {agent_id} cannot be drained: its machine {agent.info.hostname} is in the maintenance schedule; "
            "take the machine down with machine_down(), or out of the schedule first"
        )
    return None


def started(m: MasterState, operation: StartDrain, now: float) -> None:
    """It is recorded: now do it (4.3.5)."""
    wanted = operation.drain
    if not deactivation.is_known(m, wanted.agent_id):
        return  # it has left meanwhile, and the drain with it
    before = m.deactivated.get(wanted.agent_id)
    m.deactivated[wanted.agent_id] = wanted
    m.publish(wanted)
    agent = m.agents.get(wanted.agent_id)
    if agent is not None:
        deactivation.withdraw(m, agent, now)
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
        # It has nothing left, and the books have: those never came to it, and it has to say so (1.3.9).
        tasks.ask_about(m, agent, agent.tasks.values(), now)


def confirmed(m: MasterState, message: AgentDrained, sender: str, now: float) -> None:
    """The agent has nothing alive and nothing unacknowledged left."""
    agent = m.agent_at(message.agent_id, sender)
    if agent is not None:
        agent.drained = True
        m.released_on[agent.id] = None


def look(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Something on this agent was let go: its drain ends if it waits for nothing more (4.5.1, 4.5.2)."""
    current, agent = m.deactivated.get(agent_id), m.agents.get(agent_id)
    if current is None or agent is None or current.state is not DrainState.DRAINING:
        return
    if current.id in m.ending_drains or m.membership.is_pending(agent_id, Change.REMOVE, Change.MARK_GONE):
        return  # it ends already, this way or another
    if deactivation.pending_decisions(m, agent_id):
        return  # it is about to go on with another wish (4.3.7)
    if not is_done(_facts(m, agent, current), _tasks_of(m, agent)):
        return
    if not current.config.mark_gone:
        m.ending_drains[current.id] = None
        ended = attrs.evolve(current, state=DrainState.DRAINED, ended_at=now)
        m.write(EndDrain(drain=ended, forget=deactivation.drains_to_forget(m)))
    elif m.membership.may_begin(agent_id, Change.MARK_GONE):  # or when it returns it confirms again
        gone.write(m, agent_id, attrs.evolve(current, state=DrainState.GONE, ended_at=now), now)


def ended(m: MasterState, operation: EndDrain, now: float) -> None:
    """It is recorded: the agent is drained, and stays out of the offers until it is reactivated (4.5.5)."""
    done = operation.drain
    del m.ending_drains[done.id]
    deactivation.remember(m, done, operation.forget)
    current = m.deactivated.get(done.agent_id)
    if current is not None and current.id == done.id:
        m.deactivated[done.agent_id] = done


def find(m: MasterState, drain_id: DrainId, agent_id: AgentId) -> DrainInfo | None:
    """That drain, under way or past; None if it is so long ago that it was forgotten."""
    current = m.deactivated.get(agent_id)
    past = m.past_drains.get(drain_id)
    return past or (current if current is not None and current.id == drain_id else None)


def all_known(m: MasterState) -> list[DrainInfo]:
    """Every drain under way, and every one that is remembered, in the order they began."""
    known = {drain.id: drain for drain in (*m.past_drains.values(), *m.deactivated.values()) if drain is not None}
    return sorted(known.values(), key=lambda drain: drain.started_at)


def blocked_by(m: MasterState, current: DrainInfo) -> list[Blocker]:
    """Everything a drain under way waits for, never nothing."""
    agent = m.agents.get(current.agent_id)
    if agent is not None:
        why = "nothing is left, and it is recording that"
        recording = Blocker(party=Party.MASTER, name=m.info.name if m.info is not None else "", why=why)
        return list(blockers(_facts(m, agent, current), _tasks_of(m, agent))) or [recording]
    if current.agent_id in m.unreachable:
        away = f"unreachable since {m.unreachable[current.agent_id].since:.3f} s"
    else:
        away = NOT_BACK
    facts = DrainingAgent(name=current.agent_id, away=away)
    return list(blockers(facts, _tasks_out_of_reach(m, current.agent_id)))


def _facts(m: MasterState, agent: AgentRecord, current: DrainInfo) -> DrainingAgent:
    return DrainingAgent(
        name=agent.pid,
        away="" if agent.connected else "disconnected",
        told_at=agent.drain_told_at,
        max_grace_period_s=current.config.max_grace_period_s,
        executor_margin_s=m.settings.command_executor_margin_s,
        confirmed=agent.drained,
    )


def _tasks_of(m: MasterState, agent: AgentRecord) -> Iterator[TaskLeft]:
    return (_left(m.frameworks[task.framework_id], task) for task in agent.tasks.values())


def _tasks_out_of_reach(m: MasterState, agent_id: AgentId) -> Iterator[TaskLeft]:
    return (_left(framework, task) for framework, task in tasks.out_of_reach(m, agent_id))


def _left(framework: FrameworkRecord, task: TaskRecord) -> TaskLeft:
    away = "" if framework.connected else NOT_BACK if framework.recovered else "disconnected"
    return TaskLeft(
        task_id=task.task_id,
        framework_id=framework.id,
        framework=framework.info.name,
        state=task.state,
        executor_id=task.executor_id,
        grace_period_s=task.grace_period_s,
        unacknowledged=task.unacknowledged,
        framework_away=away,
    )
