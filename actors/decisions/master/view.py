"""A leader's books as plain data, for people and for `operator.state()`: names, strings, numbers, lists and dicts."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from mesolite.actors.decisions.master import deactivation, draining, reclaim_view
from mesolite.actors.decisions.master.books import (
    AgentEntry,
    AskedAgentEntry,
    BlockerEntry,
    Books,
    DrainEntry,
    FrameworkEntry,
    MachineEntry,
    MaintenanceStatusEntry,
    OpenDrainEntry,
    TaskEntry,
    WindowEntry,
)
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, ReclaimRecord, TaskRecord
from mesolite.actors.decisions.master.state import Counters, MasterState
from mesolite.actors.decisions.rules.drain import Blocker
from mesolite.actors.decisions.rules.maintenance import machine_of
from mesolite.messages.drains import DrainInfo
from mesolite.messages.ids import AgentId
from mesolite.messages.maintenance import MachineId
from mesolite.messages.resources import NOTHING, Resources


def view(m: MasterState) -> Books:
    """Everything the master knows, in Mesos's words (core.md OP-2 to OP-10)."""
    return {
        "leading": m.leading,
        "term": m.info.term if m.info is not None else None,
        "agents": [_agent(m, agent) for agent in m.agents.values()],
        "recovered_agents": list(m.recovered),
        "unreachable_agents": dict(m.unreachable.items()),
        "gone_agents": dict(m.gone.items()),
        "deactivated_agents": list(m.deactivated),
        "drains": [_open_drain(m, drain) for drain in deactivation.open_drains(m)],
        "past_drains": [_plain(drain) for drain in m.past_drains.values()],
        "reclaims": [_reclaim(m, record) for record in m.reclaims.values()],
        "past_reclaims": [_reclaim(m, record) for record in m.past_reclaims.values()],
        "frameworks": [_framework(framework) for framework in m.frameworks.values()],
        "completed_frameworks": [_framework(framework) for framework in m.completed_frameworks.values()],
        "counters": _plain(m.counters),
        "maintenance": {"schedule": _schedule(m), "status": _maintenance_status(m)},
        "offers": [
            {"id": o.id, "framework_id": o.framework_id, "agent_id": o.agent_id, "resources": str(o.resources)}
            for o in m.offers.values()
        ],
        "inverse_offers": [
            {"id": o.id, "framework_id": o.framework_id, "agent_id": o.agent_id, "reclaim_id": o.reclaim_id}
            for o in m.inverse_offers.values()
        ],
    }


def used_on(agent: AgentRecord) -> Resources:
    """What tasks and executors hold of an agent."""
    return sum(agent.used().values(), NOTHING)


def offered_on(m: MasterState, agent: AgentRecord) -> Resources:
    """What is offered of an agent to anybody."""
    return sum((m.offers[offer_id].resources for offer_id in agent.offers), NOTHING)


def _agent(m: MasterState, agent: AgentRecord) -> AgentEntry:
    drain = m.deactivated.get(agent.id)  # 4.5.7
    return {
        "id": agent.id,
        "name": agent.party,
        "hostname": agent.info.hostname,
        "ip": agent.info.ip,
        "resources": str(agent.info.resources),
        "attributes": dict(agent.info.attributes),
        "connected": agent.connected,
        "active": agent.active,
        "deactivated": agent.id in m.deactivated,
        "drain": _plain(drain) if drain is not None else None,
        "tasks": [task.task_id for task in agent.tasks.values()],
        "executors": [
            {"executor_id": executor_id, "framework_id": framework_id, "resources": str(resources)}
            for (framework_id, executor_id), resources in agent.executors.items()
        ],
    }


def _framework(framework: FrameworkRecord) -> FrameworkEntry:
    return {
        "id": framework.id,
        "name": framework.info.name,
        "user": framework.info.user,
        "role": framework.info.role,
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


def _schedule(m: MasterState) -> list[WindowEntry]:
    """The windows as they were posted (drain.md 5.2.8); `enforce` is ours."""
    return [
        {
            "machines": [_machine(machine) for machine in window.machines],
            "start": window.unavailability.start,
            "duration_s": window.unavailability.duration_s,
            "enforce": window.enforce,
        }
        for window in m.schedule.maintenance.windows
    ]


def _maintenance_status(m: MasterState) -> MaintenanceStatusEntry:
    """Machines that are DRAINING, each with the newest answer per agent and framework, and those DOWN (5.9.1)."""
    return {
        "draining_machines": [
            {**_machine(machine), "agents": [_asked(m, agent_id) for agent_id in agents]}
            for machine in m.schedule.draining()
            for agents in [m.machines.get(machine_of(machine), {})]
        ],
        "down_machines": [_machine(machine) for machine in m.schedule.maintenance.down],
    }


def _machine(machine: MachineId) -> MachineEntry:
    return {"hostname": machine.hostname, "ip": machine.ip}


def _asked(m: MasterState, agent_id: AgentId) -> AskedAgentEntry:
    """What frameworks said about giving back what they hold on that agent."""
    return {
        "id": agent_id,
        "answers": [
            {
                "framework_id": framework_id,
                "status": answer.status.name,
                "timestamp": answer.timestamp,
                "reason": answer.reason,
                "returning": list(answer.returning),
            }
            for framework_id, answer in m.agents[agent_id].answers.items()
        ],
    }


def _task(task: TaskRecord) -> TaskEntry:
    return {
        "task_id": task.task_id,
        "agent_id": task.agent_id,
        "executor_id": task.executor_id,
        "state": task.state.name,
        "cause": None if task.cause is None else task.cause.name,
        "resources": str(task.resources),
    }


def _open_drain(m: MasterState, drain: DrainInfo) -> OpenDrainEntry:
    """A drain under way, with what it waits for; each task that is left is in there."""
    entry: DrainEntry = _plain(drain)
    waits_for: list[BlockerEntry] = [_plain(blocker) for blocker in draining.blocked_by(m, drain)]
    return {
        **entry,
        "remaining_tasks": [blocker for blocker in waits_for if blocker["task_id"] is not None],
        "blocked_by": waits_for,
    }


def _plain(noun: DrainInfo | Blocker | Counters) -> Any:
    return attrs.asdict(noun, value_serializer=lambda _, __, value: str(value) if isinstance(value, Enum) else value)


def _reclaim(m: MasterState, record: ReclaimRecord) -> Any:
    """Everything that is known of a reclaim; resources as text, None for everything."""
    return attrs.asdict(reclaim_view.view(m, record), value_serializer=lambda _, __, value: _as_text(value))


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, Enum | Resources) else list(value) if isinstance(value, tuple) else value
