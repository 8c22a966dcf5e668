"""The registry does not remember absent agents for ever: old ones, and too many of them, are forgotten (drain.md 1.9).

unreachable or gone --older than two weeks, or beyond the newest 102,400--> PruneAgents written --> unknown

An agent that comes back later, even one marked gone, is taken for one that nobody knows (1.3.7).
"""

from __future__ import annotations

from collections.abc import Mapping

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.membership.table import BEGINS_IN, Change, Departure, Member, MemberState
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import Pruning
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import PruneAgents
from mesolite.messages.tasks import Cause


def keep_due(m: MasterState, now: float) -> None:
    """Be woken for the next look, every interval since this master leads; not while there is nobody to forget."""
    if m.pruning_at is not None or not (m.unreachable or m.gone):
        return
    interval_s = m.settings.registry_gc_interval_s
    m.pruning_at = m.leading_since + ((now - m.leading_since) // interval_s + 1) * interval_s
    if m.pruning_at <= now:  # by a hair
        m.pruning_at += interval_s
    m.set_timer(Pruning(), m.pruning_at - now)


def prune(m: MasterState, key: Pruning, sender: str, now: float) -> None:
    """Want those forgotten that are too old or too many, each list by itself, unless somebody is busy with them.

    One that is coming back, or about which an operator's decision is being written, is left alone (1.9.1).
    """
    m.pruning_at = None
    unreachable, gone = (
        tuple(agent_id for agent_id in _overdue(m, absent, now) if not _is_busy(m, agent_id))
        for absent in (m.unreachable, m.gone)
    )
    if unreachable or gone:
        for agent_id in (*unreachable, *gone):
            m.membership.begin(agent_id, Change.PRUNE, Departure(Cause.UNREACHABLE))
        drain_ended_by_removal = [decisions.drain_ended_by_removal(m, agent_id, now) for agent_id in unreachable]
        drains = tuple(drain for drain in drain_ended_by_removal if drain is not None)
        forget = decisions.drains_to_forget(m) if drains else ()
        m.write(PruneAgents(unreachable=unreachable, gone=gone, drains=drains, forget=forget))


def pruned(m: MasterState, operation: PruneAgents, now: float) -> None:
    """It is recorded: nobody knows them any more, nor what operators had decided about them."""
    for drain in operation.drains:
        decisions.remember(m, drain, operation.forget)
    for agent_id in (*operation.unreachable, *operation.gone):
        if m.membership.state(agent_id) in BEGINS_IN[Change.PRUNE]:
            m.membership.move(agent_id, MemberState.UNKNOWN)
    for agent_id in operation.unreachable:
        m.deactivated.pop(agent_id, None)
        tasks.forget_out_of_reach(m, agent_id)
    for agent_id in (*operation.unreachable, *operation.gone):
        m.membership.end(agent_id, Change.PRUNE)
        m.subscribers.agent_lost(m, agent_id, now)


def _overdue(m: MasterState, absent: Mapping[AgentId, Member], now: float) -> list[AgentId]:
    """Those beyond the newest so many, and those older than so long; the oldest come first in `absent`."""
    too_many = len(absent) - m.settings.registry_max_agent_count
    return [
        agent_id
        for place, (agent_id, member) in enumerate(absent.items())
        if place < too_many or now - member.since > m.settings.registry_max_agent_age_s
    ]


def _is_busy(m: MasterState, agent_id: AgentId) -> bool:
    """Whether another write about it is under way, which this one must not spoil."""
    may_begin = m.membership.may_begin(agent_id, Change.PRUNE)
    return not may_begin or bool(decisions.pending_decisions(m, agent_id))
