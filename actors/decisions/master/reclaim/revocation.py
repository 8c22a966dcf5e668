"""Telling agents to end what is revoked: what reclaims and enforced windows share (docs/reclaim.md RV-36).

Nothing is decided here. An agent that is away is not told; whoever wants it told looks again when it is back.
"""

from __future__ import annotations

from collections.abc import Iterable

from mesolite.actors.decisions.master.reclaim.rule import Holder
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import RevokeExecutor, RevokeTask


def revoke(m: MasterState, holders: Iterable[Holder]) -> list[Holder]:
    """Have these ended, by their agents; repeating it is harmless. Return those whose agent is there to be told."""
    told = [holder for holder in holders if m.agents[holder.agent_id].connected]
    executors = [holder.executor for holder in told if holder.task_id is None]
    for holder in told:
        agent, framework_id = m.agents[holder.agent_id], holder.framework_id
        if holder.task_id is None:
            assert holder.executor_id is not None
            agent.revoked_executors[(framework_id, holder.executor_id)] = None
            m.send(agent.pid, RevokeExecutor(framework_id=framework_id, executor_id=holder.executor_id))
            continue
        agent.revokes[(framework_id, holder.task_id)] = None
        if holder.executor is None or holder.executor not in executors:  # or its executor's order ends it, too
            m.send(agent.pid, RevokeTask(framework_id=framework_id, task_id=holder.task_id))
    return told


def forget_ended(agent: AgentRecord) -> None:
    """Forget that executors were told to end that are not there any more: a later one of that id was not."""
    for key in [key for key in agent.revoked_executors if key not in agent.executors]:
        del agent.revoked_executors[key]
