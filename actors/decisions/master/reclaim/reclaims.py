"""Reclaims: resources an operator wants back by a deadline (docs/reclaim.md).

ReclaimResourcesCall --> StartReclaim written --> offers rescinded, amount withheld, frameworks asked --> ASKED
    ASKED --returned in time--> DONE
          --the deadline--> what is missing is revoked: REVOKING --nothing is missing--> DONE
    any --released, agent or framework left, framework done--> EndReclaim written --> offered again

What is missing is read from the state each time; whatever happens, looking again is right.
"""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.maintenance import enforcement
from mesolite.actors.decisions.master.offers import offers
from mesolite.actors.decisions.master.reclaim import asking, demands, revocation
from mesolite.actors.decisions.master.reclaim.rule import amount_error, resources_of, time_error, total
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, ReclaimRecord, target_of
from mesolite.actors.decisions.master.state import NOT_BACK, MasterState
from mesolite.actors.decisions.master.timers import ReclaimDue, ReclaimReminder
from mesolite.messages.facts import ReclaimForgotten
from mesolite.messages.ids import AgentId, FrameworkId, ReclaimId
from mesolite.messages.operator import ReclaimResourcesCall, ReleaseReclaimCall
from mesolite.messages.reclaims import ReclaimInfo, ReclaimState
from mesolite.messages.registrar import EndReclaim, Registry, StartReclaim

# ----------------------------------------------------------------------------------------------------------- calls


def reclaim(m: MasterState, message: ReclaimResourcesCall, sender: str, now: float) -> None:
    """Want it recorded, with the shares as they are now (RV-1, RV-3, RV-13)."""
    why_not = _refusal(m, message)
    if why_not is not None:
        m.answer(sender, message.call_id, *why_not)
        return
    info = ReclaimInfo(
        id=ReclaimId(m.id_for("R", m.next_reclaim)),
        agent_id=message.agent_id,
        framework_id=message.framework_id,
        resources=message.resources,
        asked_at=now,
        deadline=now + message.within_s,
        message=message.message,
        initiator=message.initiator,
    )
    m.next_reclaim += 1
    info = attrs.evolve(info, demands=demands.made_for(m, info))
    m.starting_reclaims[target_of(info)] = info.id
    m.write_for(StartReclaim(reclaim=info), sender, message.call_id, made=info.id)


def _refusal(m: MasterState, message: ReclaimResourcesCall) -> tuple[int, str] | None:
    """Why this cannot be reclaimed, None if it can (RV-70)."""
    agent_id, framework_id = message.agent_id, message.framework_id
    if agent_id is not None and framework_id is None:
        what = f"agent {agent_id}"
        why_not = _agent_refusal(m, agent_id, message)
    elif framework_id is not None and agent_id is None:
        what = f"framework {framework_id}"
        why_not = _framework_refusal(m, framework_id, message)
    else:
        what = "nobody" if agent_id is None else f"agent {agent_id} and framework {framework_id} at once"
        return 400, f"resources of {what} were to be reclaimed; name one agent, or one framework"
    if why_not is None and (wrong := time_error(message.within_s)):
        why_not = 400, wrong
    target = agent_id or framework_id or ""
    known = m.reclaim_of.get(target) or m.starting_reclaims.get(target)
    if why_not is None and known is not None:
        why_not = 409, f"{what} is being reclaimed already, by {known}; wait for its end, or release it first"
    return why_not


def _agent_refusal(m: MasterState, agent_id: AgentId, message: ReclaimResourcesCall) -> tuple[int, str] | None:
    why_not = decisions.refusal(m, agent_id)
    if why_not is not None:
        return why_not
    agent = m.agents.get(agent_id)
    if agent is None:
        away = "unreachable" if agent_id in m.unreachable else NOT_BACK
        return 409, f"agent {agent_id} is {away}, so nobody knows what runs there; ask again when it is registered"
    wrong = amount_error(message.resources, agent.info.resources, f"agent {agent_id}", "has")
    return (400, wrong) if wrong else None


def _framework_refusal(
    m: MasterState, framework_id: FrameworkId, message: ReclaimResourcesCall
) -> tuple[int, str] | None:
    framework = m.frameworks.get(framework_id)
    if framework is None and framework_id in m.completed_frameworks:
        return 400, f"framework {framework_id} has been removed and holds nothing; name another framework"
    if framework is None:
        return 400, f"there is no framework {framework_id!r}; the state lists the frameworks by id"
    if message.resources is not None and m.recovered:
        why = f"{', '.join(m.recovered)} is {NOT_BACK}, so nobody knows how much framework {framework_id} holds"
        return 409, f"agent {why}; ask again when no agent is missing any more, or reclaim everything"
    held = resources_of(demands.held(m, framework))
    wrong = amount_error(message.resources, held, f"framework {framework_id}", "holds")
    return (400, wrong) if wrong else None


def release(m: MasterState, message: ReleaseReclaimCall, sender: str, now: float) -> None:
    """Want it ended, however far it is (RV-43)."""
    reclaim_id = message.reclaim_id
    if reclaim_id in m.past_reclaims:
        m.answer(sender, message.call_id)
    elif reclaim_id in m.reclaims:
        m.write_for(_ending(m, m.reclaims[reclaim_id], ReclaimState.RELEASED, now), sender, message.call_id)
    else:
        why_not = f"there is no reclaim {reclaim_id!r}; the state lists the reclaims by id"
        m.answer(sender, message.call_id, 400, why_not)


# --------------------------------------------------------------------------------------------------- start and end


def started(m: MasterState, operation: StartReclaim, now: float) -> None:
    """It is recorded: now it is in force (RV-6, RV-7), or its shares are what they are now (RV-13)."""
    info = operation.reclaim
    record = m.reclaims.get(info.id)
    if record is not None:
        record.info = info
        _known(m, record)
    elif m.starting_reclaims.get(target_of(info)) != info.id:
        return  # over meanwhile
    else:
        del m.starting_reclaims[target_of(info)]
        record = _open(m, info, now)
        _come_into_force(m, record, now)
        if info.id in m.ending_reclaims or demands.made_anew(m, info):
            return
    asking.ask_all(m, record, now)
    _enforce(m, record, now)  # new shares may come when the deadline has passed


def recovered(m: MasterState, registry: Registry, now: float) -> None:
    """A new leader has read the registry: it goes on as agents and frameworks come back (RV-50, RV-60)."""
    for info in sorted(registry.reclaims, key=lambda info: info.asked_at if info.ended_at is None else info.ended_at):
        if info.ended_at is None:
            _open(m, info, now)
        else:
            m.past_reclaims[info.id] = ReclaimRecord(info=info, state=info.state)
            m.publish(info)
    for record in list(m.reclaims.values()):
        agent_id = record.info.agent_id
        if agent_id is not None and not decisions.is_known(m, agent_id):
            _end(m, record, ReclaimState.LEFT, now)  # the last leader died between the two writes
    enforcement.schedule_changed(m, now)


def _open(m: MasterState, info: ReclaimInfo, now: float) -> ReclaimRecord:
    state = ReclaimState.REVOKING if asking.is_due(info, now) else ReclaimState.ASKED
    missing = total(demand.share.scalars for demand in info.demands)  # as far as is known before it is looked at
    record = m.reclaims[info.id] = ReclaimRecord(info=info, state=state, missing=missing)
    m.reclaim_of[record.target] = info.id
    _known(m, record)
    m.set_timer(ReclaimDue(info.id), max(0.0, info.deadline - now))
    return record


def _come_into_force(m: MasterState, record: ReclaimRecord, now: float) -> None:
    """Take back what is offered, and offer no more of it (RV-6, RV-7); who has left meanwhile has left (RV-44)."""
    agent_id, framework_id = record.info.agent_id, record.info.framework_id
    if agent_id in m.agents:
        offers.rescind_all(m, m.agents[agent_id].offers, now)
        enforcement.keep_back(m, m.agents[agent_id], now)
    elif framework_id in m.frameworks:
        offers.rescind_all(m, m.frameworks[framework_id].offers, now)
        m.allocator.block(framework_id)
    elif agent_id not in m.unreachable:
        _end(m, record, ReclaimState.LEFT, now)


def _end(m: MasterState, record: ReclaimRecord, state: ReclaimState, now: float) -> None:
    """Want it ended, unless that is being recorded already: whoever wanted it first says how (RV-40)."""
    if record.info.id not in m.ending_reclaims:
        m.write(_ending(m, record, state, now))


def _ending(m: MasterState, record: ReclaimRecord, state: ReclaimState, now: float) -> EndReclaim:
    operation = m.ending_reclaims.get(record.info.id)
    if operation is None:
        too_many = len(m.past_reclaims) + 1 - m.settings.past_reclaims_max
        operation = m.ending_reclaims[record.info.id] = EndReclaim(
            reclaim=attrs.evolve(record.info, state=state, ended_at=now),
            forget=tuple(m.past_reclaims)[: max(0, too_many)],
        )
    return operation


def ended(m: MasterState, operation: EndReclaim, now: float) -> None:
    """It is recorded: it is history, and what it kept back is offered again (RV-40, RV-45)."""
    info = operation.reclaim
    record = m.reclaims.get(info.id)
    if record is None:
        return  # released, while its end was being written anyway
    record.info, record.state = info, info.state
    m.past_reclaims[info.id] = record
    _known(m, record)
    for reclaim_id in operation.forget:
        if m.past_reclaims.pop(reclaim_id, None) is not None:
            m.publish(ReclaimForgotten(id=reclaim_id))
    del m.reclaims[info.id]
    del m.reclaim_of[record.target]
    del m.ending_reclaims[info.id]
    m.cancel_timer(ReclaimDue(info.id))
    m.cancel_timer(ReclaimReminder(info.id))
    asking.ask_no_more(m, info)
    if info.agent_id in m.agents:
        enforcement.keep_back(m, m.agents[info.agent_id], now)
    elif info.framework_id in m.frameworks:
        m.allocator.unblock(info.framework_id, now)


# ------------------------------------------------------------------------------------------------------- looking


def can_be_judged(m: MasterState, info: ReclaimInfo) -> bool:
    """Whether the state say how much is held (RV-51, RV-53)."""
    if info.framework_id is not None:
        return not m.recovered
    agent = m.agents.get(info.agent_id) if info.agent_id is not None else None
    return agent is not None and agent.connected


def _reconsider(m: MasterState, record: ReclaimRecord, now: float) -> bool:
    """See what is missing; if that is nothing, it is DONE (RV-4, RV-41, RV-42). Whether it is late, and not done."""
    info = record.info
    if info.id in m.ending_reclaims:
        return False
    late = asking.is_due(info, now)
    if not can_be_judged(m, info):
        if late and record.state is ReclaimState.ASKED:
            _becomes(m, record, ReclaimState.REVOKING)
        return False
    missing = demands.missing(m, info)
    record.missing = dict(missing or {})
    if missing is None:
        _done(m, record, now)
        return False
    _becomes(m, record, ReclaimState.REVOKING if late else ReclaimState.ASKED)
    return late


def _becomes(m: MasterState, record: ReclaimRecord, state: ReclaimState) -> None:
    if record.state is not state:
        record.state = state
        _known(m, record)


def _known(m: MasterState, record: ReclaimRecord) -> None:
    """Make known where it stands; what is missing changes with nearly every event, and is told who asks."""
    m.publish(attrs.evolve(record.info, state=record.state))


def _done(m: MasterState, record: ReclaimRecord, now: float) -> None:
    if record.info.framework_id is not None:
        _end(m, record, ReclaimState.DONE, now)
    elif record.state is not ReclaimState.DONE:
        _becomes(m, record, ReclaimState.DONE)
        asking.ask_no_more(m, record.info)


def _enforce(m: MasterState, record: ReclaimRecord, now: float) -> None:
    """Look, and if it is late, revoke what is missing, all of it again, and come back to it (RV-30, RV-37)."""
    if not _reconsider(m, record, now):
        return
    for holder in revocation.revoke(m, demands.planned(m, record)):
        if holder.task_id is not None:
            record.revoked_tasks[(holder.framework_id, holder.task_id)] = holder.agent_id
        elif holder.executor_id is not None:
            record.revoked_executors[(holder.agent_id, holder.framework_id, holder.executor_id)] = None
    m.cancel_timer(ReclaimDue(record.info.id))  # a deadline of now is looked at before its timer has fired
    m.set_timer(ReclaimReminder(record.info.id), m.settings.agent_ping_timeout_s)


def timed_out(m: MasterState, key: ReclaimDue | ReclaimReminder, sender: str, now: float) -> None:
    """The deadline has come, or it is time to say again what was said then (RV-30, RV-37)."""
    _enforce(m, m.reclaims[key.reclaim_id], now)


# ------------------------------------------------------------------------------------------------- what may happen


def released_on(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Something was let go on that agent (RV-42). No plan is made: what was revoked covers what is missing still."""
    if agent_id in m.agents:
        revocation.forget_ended(m.agents[agent_id])
    if agent_id in m.reclaim_of:
        _reconsider(m, m.reclaims[m.reclaim_of[agent_id]], now)
    for record in _of_frameworks(m):
        _reconsider(m, record, now)


def agent_registered(m: MasterState, agent: AgentRecord, now: float) -> None:
    """An agent is registered, for the first time or again (RV-51, RV-53, RV-62)."""
    enforcement.enforce(m, agent, now)
    if agent.id in m.reclaim_of:
        record = m.reclaims[m.reclaim_of[agent.id]]
        if record.info.id not in m.ending_reclaims and not demands.made_anew(m, record.info):
            asking.ask_all(m, record, now)
            _enforce(m, record, now)
    _reconsider_frameworks(m, now)


def agent_lost(m: MasterState, agent_id: AgentId, now: float) -> None:
    """An agent is registered no more: unreachable, which may pass, or for good (RV-44, RV-51, RV-53)."""
    if agent_id in m.reclaim_of and agent_id not in m.unreachable:
        _end(m, m.reclaims[m.reclaim_of[agent_id]], ReclaimState.LEFT, now)
    _reconsider_frameworks(m, now)


def framework_registered(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    """A framework has subscribed again: it is blocked still, and asked again (RV-7, RV-21)."""
    if framework.id in m.reclaim_of:
        m.allocator.block(framework.id)
    asking.ask_again(m, framework, now)


def framework_removed(m: MasterState, framework_id: FrameworkId, now: float) -> None:
    """A framework was removed (RV-44); what it held is free, and looked at where it was."""
    if framework_id in m.reclaim_of:
        _end(m, m.reclaims[m.reclaim_of[framework_id]], ReclaimState.LEFT, now)


def _reconsider_frameworks(m: MasterState, now: float) -> None:
    """Agents have come or gone: frameworks hold more or less, and perhaps all agents are back by now (RV-53)."""
    for record in _of_frameworks(m):
        asking.ask_all(m, record, now)
        _enforce(m, record, now)


def _of_frameworks(m: MasterState) -> list[ReclaimRecord]:
    return [record for record in m.reclaims.values() if record.info.framework_id is not None]


def check(m: MasterState) -> None:
    """Assert that each open reclaim is found by its target, and that nothing is revoked that is not there."""
    assert {record.target: reclaim_id for reclaim_id, record in m.reclaims.items()} == m.reclaim_of
    assert all(reclaim_id in m.reclaims for reclaim_id in m.ending_reclaims), (m.ending_reclaims, m.reclaims)
    for agent in m.agents.values():
        assert all(key in agent.tasks for key in agent.revokes), (agent.id, agent.revokes)
        assert all(key in agent.executors for key in agent.revoked_executors), (agent.id, agent.revoked_executors)
