"""A reclaim as one can look at it: who was asked and said what, what came back, what it waits for (docs/reclaim.md)."""

from __future__ import annotations

from collections.abc import Iterator

from mesolite.actors.decisions.master.reclaim import demands
from mesolite.actors.decisions.master.reclaim.rule import Holder, resources_of, shortfall, total
from mesolite.actors.decisions.master.records import ReclaimRecord
from mesolite.actors.decisions.master.state import NOT_BACK, MasterState
from mesolite.messages.drains import Blocker, Party
from mesolite.messages.ids import AgentId, FrameworkId, ReclaimId
from mesolite.messages.reclaims import AskedFramework, Demand, ReclaimState, ReclaimView
from mesolite.messages.resources import Resources


def find(m: MasterState, reclaim_id: ReclaimId) -> ReclaimRecord | None:
    """The record of a reclaim, open or past; None if there is none, or none any more."""
    return m.reclaims.get(reclaim_id) or m.past_reclaims.get(reclaim_id)


def all_known(m: MasterState) -> list[ReclaimRecord]:
    """Every reclaim, past ones first."""
    return [*m.past_reclaims.values(), *m.reclaims.values()]


def view(m: MasterState, record: ReclaimRecord) -> ReclaimView:
    """What is known of a reclaim now."""
    info = record.info
    asked = total(demand.share.scalars for demand in info.demands)
    return ReclaimView(
        id=info.id,
        agent_id=info.agent_id,
        framework_id=info.framework_id,
        resources=info.resources,
        state=record.state,
        asked_at=info.asked_at,
        deadline=info.deadline,
        ended_at=info.ended_at,
        message=info.message,
        initiator=info.initiator,
        asked=tuple(_asked(m, record, demand) for demand in info.demands),
        missing=resources_of(record.missing),
        returned=resources_of(shortfall(asked, record.missing)),
        revoked_tasks=tuple(task_id for _, task_id in record.revoked_tasks),
        revoked_executors=tuple(executor_id for _, _, executor_id in record.revoked_executors),
        blocked_by=tuple(_blockers(m, record)),
    )


def _asked(m: MasterState, record: ReclaimRecord, demand: Demand) -> AskedFramework:
    answer = record.answers.get(demand.framework_id)
    return AskedFramework(
        framework_id=demand.framework_id,
        framework=framework_name(m, demand.framework_id),
        share=demand.share,
        answer=answer.status if answer is not None else None,
        returning=answer.returning if answer is not None else (),
        reason=answer.reason if answer is not None else "",
        answered_at=answer.timestamp if answer is not None else None,
    )


def framework_name(m: MasterState, framework_id: FrameworkId) -> str:
    """The name of a framework, present or past; its id if it is not known any more."""
    framework = m.frameworks.get(framework_id) or m.completed_frameworks.get(framework_id)
    return framework.info.name if framework is not None else framework_id


def _blockers(m: MasterState, record: ReclaimRecord) -> Iterator[Blocker]:
    """Everything that an open reclaim waits for before it is DONE."""
    info = record.info
    if info.ended_at is not None or record.state is ReclaimState.DONE:
        return
    if info.id in m.ending_reclaims:
        name = m.info.name if m.info is not None else ""
        yield Blocker(party=Party.MASTER, name=name, why="it is recording the end")
    elif away := dict(_away(m, record)):
        for agent_id, how in away.items():
            why = f"it is {how} and has to come back"
            yield Blocker(party=Party.AGENT, name=agent_id, why=why)
    elif record.state is ReclaimState.ASKED:
        for demand in info.demands:
            excess = demands.excess(m, info, demand)
            if excess or info.resources is None:
                yield _framework(m, record, demand, resources_of(excess))
    else:
        for holder in demands.planned(m, record):
            yield _revoked(m, record, holder)


def _away(m: MasterState, record: ReclaimRecord) -> Iterator[tuple[AgentId, str]]:
    """The agents without which nothing is decided, and how they are away (RV-51, RV-53)."""
    agent_id = record.info.agent_id
    if agent_id is None:
        yield from ((each, NOT_BACK) for each in m.recovered)
    elif agent_id in m.agents:
        if not m.agents[agent_id].connected:
            yield agent_id, "disconnected"
    else:
        yield agent_id, "unreachable" if agent_id in m.unreachable else NOT_BACK


def _framework(m: MasterState, record: ReclaimRecord, demand: Demand, excess: Resources) -> Blocker:
    answer = record.answers.get(demand.framework_id)
    framework = m.frameworks.get(demand.framework_id)
    if answer is not None:
        said = f"it has answered {answer.status}" + (f", {answer.reason}" if answer.reason else "")
    elif framework is not None and framework.active:
        said = "it has not answered"
    else:
        said = "it cannot be asked, as its scheduler is away"
    return Blocker(
        party=Party.FRAMEWORK,
        name=framework_name(m, demand.framework_id),
        why=f"it has {excess or 'something'} to return before {record.info.deadline:.3f} s; {said}",
        since=record.info.asked_at,
        framework_id=demand.framework_id,
        framework=framework_name(m, demand.framework_id),
    )


def _revoked(m: MasterState, record: ReclaimRecord, holder: Holder) -> Blocker:
    agent = m.agents[holder.agent_id]
    executor = holder.executor_id or holder.task_id or ""
    task = agent.tasks[(holder.framework_id, holder.task_id)] if holder.task_id is not None else None
    what = "to end" if task is None else "to kill the task, which was revoked"
    return Blocker(
        party=Party.EXECUTOR if agent.connected else Party.AGENT,
        name=executor if agent.connected else agent.id,
        why=f"it has {what}" if agent.connected else f"it is disconnected and has to come back; then it has {what}",
        since=record.info.deadline,
        task_id=holder.task_id,
        framework_id=holder.framework_id,
        framework=framework_name(m, holder.framework_id),
        state=None if task is None else task.state,
    )
