"""Who holds what, and what reclaims demand of whom: worked out from the state as it is (docs/reclaim.md).

What is decided once, the shares, is recorded (RV-13).
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from mesolite.actors.decisions.master.reclaim.rule import (
    Amounts,
    Asked,
    Holder,
    plan,
    resources_of,
    shares,
    shortfall,
    total,
)
from mesolite.actors.decisions.master.records import (
    AgentRecord,
    ExecutorKey,
    FrameworkRecord,
    ReclaimRecord,
    TaskRecord,
)
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.ids import FrameworkId
from mesolite.messages.reclaims import Demand, ReclaimInfo
from mesolite.messages.registrar import StartReclaim
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import TaskState


def holders_on(agent: AgentRecord) -> list[Holder]:
    """Every live task and every executor on an agent, in the order in which they came."""
    executors = (_executor(agent, key, resources) for key, resources in agent.executors.items())
    return [*(_task(agent, task) for task in agent.tasks.values() if task.state.holds_resources), *executors]


def holders_of(m: MasterState, framework_id: FrameworkId) -> list[Holder]:
    """Every live task and every executor of a framework, on whichever registered agent."""
    live = [task for task in m.frameworks[framework_id].tasks.values() if task.state.holds_resources]
    return [
        *(_task(m.agents[task.agent_id], task) for task in live),
        *(
            _executor(agent, key, resources)
            for agent in m.agents.values()
            for key, resources in agent.executors.items()
            if key[0] == framework_id
        ),
    ]


def _task(agent: AgentRecord, task: TaskRecord) -> Holder:
    told = task.key in agent.kills or task.key in agent.revokes or task.kill_cause is not None
    return Holder(
        framework_id=task.framework_id,
        agent_id=agent.id,
        task_id=task.task_id,
        executor_id=task.executor_id,
        amounts=task.resources.scalars,
        launched_at=task.launched_at,
        ending=told or task.state is TaskState.TASK_KILLING,
    )


def _executor(agent: AgentRecord, key: ExecutorKey, resources: Resources) -> Holder:
    framework_id, executor_id = key
    return Holder(
        framework_id=framework_id,
        agent_id=agent.id,
        executor_id=executor_id,
        amounts=resources.scalars,
        ending=key in agent.revoked_executors,
    )


def held(m: MasterState, framework: FrameworkRecord) -> Amounts:
    """What a framework holds on all agents (RV-2); the allocator counts what it is offered, too."""
    offered = total(m.offers[offer_id].resources.scalars for offer_id in framework.offers)
    return shortfall(m.allocator.scalars(framework.id), offered)


def missing(m: MasterState, info: ReclaimInfo) -> Amounts | None:
    """How much is not there yet; None: nothing is missing (RV-2). Its agent must be registered."""
    if info.framework_id is not None:
        framework = m.frameworks.get(info.framework_id)
        if framework is None:
            return None
        amounts = shortfall(_named(info, held(m, framework)), info.demands[0].keep.scalars)
    else:
        assert info.agent_id is not None
        agent = m.agents[info.agent_id]
        offered = (m.offers[offer_id].resources for offer_id in agent.offers)
        there = total(part.scalars for part in (m.allocator.free(agent.id), *offered))
        wanted = agent.info.resources if info.resources is None else info.resources
        amounts = shortfall(wanted.scalars, there)
    if info.resources is None and not amounts:
        return {} if _holders(m, info) else None  # some hold nothing, and have to go all the same (RV-35)
    return amounts or None


def _holders(m: MasterState, info: ReclaimInfo) -> list[Holder]:
    """Who holds something of the agent, or of the framework."""
    if info.framework_id is not None:
        return holders_of(m, info.framework_id) if info.framework_id in m.frameworks else []
    return holders_on(m.agents[info.agent_id]) if info.agent_id in m.agents else []


def _named(info: ReclaimInfo, amounts: Amounts) -> Amounts:
    """Those of these amounts that the reclaim is about."""
    if info.resources is None:
        return amounts
    return {name: amounts[name] for name in info.resources.names if name in amounts}


def _held_by(framework_id: FrameworkId, holders: Iterable[Holder], info: ReclaimInfo) -> Amounts:
    return _named(info, total(holder.amounts for holder in holders if holder.framework_id == framework_id))


def _excess(info: ReclaimInfo, demand: Demand, holders: Iterable[Holder]) -> Amounts:
    """What that framework holds beyond what it may keep (RV-31)."""
    return shortfall(_held_by(demand.framework_id, holders, info), demand.keep.scalars)


def excess(m: MasterState, info: ReclaimInfo, demand: Demand) -> Amounts:
    """What that framework has to give back still."""
    return _excess(info, demand, _holders(m, info))


def planned(m: MasterState, record: ReclaimRecord) -> list[Holder]:
    """What is to be revoked if it is now (RV-31)."""
    info = record.info
    holders = _holders(m, info)
    asked = {
        demand.framework_id: Asked(
            excess=_excess(info, demand, holders),
            returning=record.answers[demand.framework_id].returning if demand.framework_id in record.answers else (),
        )
        for demand in info.demands
    }
    return plan(holders, None if info.resources is None else missing(m, info) or {}, asked)


def made_for(m: MasterState, info: ReclaimInfo) -> tuple[Demand, ...]:
    """Who is asked for how much, and may keep how much, as things are now (RV-10, RV-12)."""
    if info.framework_id is not None:
        amounts = _named(info, held(m, m.frameworks[info.framework_id]))
        return (_demand(info.framework_id, amounts, amounts if info.resources is None else info.resources.scalars),)
    holders = _holders(m, info)
    wanted = None if info.resources is None else missing(m, info) or {}
    return tuple(
        _demand(framework_id, _held_by(framework_id, holders, info), share)
        for framework_id, share in shares(holders, wanted).items()
    )


def _demand(framework_id: FrameworkId, amounts: Amounts, share: Amounts) -> Demand:
    return Demand(framework_id=framework_id, keep=resources_of(shortfall(amounts, share)), share=resources_of(share))


def made_anew(m: MasterState, info: ReclaimInfo) -> bool:
    """Whether the shares do not cover what is missing of an agent, and others are being recorded (RV-13)."""
    if info.agent_id not in m.agents:
        return False
    holders = _holders(m, info)
    if info.resources is None:
        asked = [demand.framework_id for demand in info.demands]
        covered = all(holder.framework_id in asked for holder in holders)
    else:
        beyond = total(_excess(info, demand, holders) for demand in info.demands)
        covered = not shortfall(missing(m, info) or {}, beyond)
    if not covered:
        m.write(StartReclaim(reclaim=attrs.evolve(info, demands=made_for(m, info))))
    return not covered
