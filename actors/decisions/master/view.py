"""A leader's books as plain data, for people and for `operator.state()`: names, strings, numbers, lists and dicts."""

from __future__ import annotations

from typing import Any

import attrs

from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState


def view(m: MasterState) -> dict[str, Any]:
    """Everything the master knows, in Mesos's words (core.md OP-2 to OP-10)."""
    return {
        "leading": m.leading,
        "term": m.info.term if m.info is not None else None,
        "agents": [_agent(m, agent) for agent in m.agents.values()],
        "recovered_agents": list(m.recovered),
        "unreachable_agents": dict(m.unreachable),
        "frameworks": [_framework(framework) for framework in m.frameworks.values()],
        "completed_frameworks": [_framework(framework) for framework in m.completed_frameworks.values()],
        "counters": attrs.asdict(m.counters),
        "offers": [
            {"id": o.id, "framework_id": o.framework_id, "agent_id": o.agent_id, "resources": str(o.resources)}
            for o in m.offers.values()
        ],
    }


def _agent(m: MasterState, agent: AgentRecord) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.party,
        "hostname": agent.info.hostname,
        "resources": str(agent.info.resources),
        "connected": agent.connected,
        "active": agent.active,
        "deactivated": agent.id in m.deactivated,
        "tasks": [task.task_id for task in agent.tasks.values()],
    }


def _framework(framework: FrameworkRecord) -> dict[str, Any]:
    return {
        "id": framework.id,
        "name": framework.info.name,
        "connected": framework.connected,
        "active": framework.active,
        "recovered": framework.recovered,
        "failover_timeout_s": framework.info.failover_timeout_s,
        "checkpoint": framework.info.checkpoint,
        "capabilities": [str(capability) for capability in framework.info.capabilities],
        "tasks": [_task(task) for task in framework.tasks.values()],
        "unreachable_tasks": [_task(task) for task in framework.unreachable_tasks.values()],
        "completed_tasks": [_task(task) for task in framework.completed_tasks.values()],
    }


def _task(task: TaskRecord) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "agent_id": task.agent_id,
        "executor_id": task.executor_id,
        "state": task.state.name,
        "resources": str(task.resources),
    }
