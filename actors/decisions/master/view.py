"""A leader's state as plain data, for people and for `operator.state()`: names, strings, numbers, lists and dicts."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.drain import view as drain_view
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.reclaim import view as reclaim_view
from mesolite.actors.decisions.master.records import (
    AgentRecord,
    FrameworkRecord,
    InverseOfferRecord,
    OfferRecord,
    ReclaimRecord,
    TaskRecord,
)
from mesolite.actors.decisions.master.state import Counters, MasterState
from mesolite.messages.drains import Blocker, DrainInfo
from mesolite.messages.ids import AgentId
from mesolite.messages.maintenance import MachineId
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.state import (
    AgentEntry,
    AskedAgentEntry,
    BlockerEntry,
    ClusterState,
    DrainEntry,
    FrameworkEntry,
    InverseOfferEntry,
    MachineEntry,
    MaintenanceStatusEntry,
    OfferEntry,
    OpenDrainEntry,
    TaskEntry,
    WindowEntry,
)


def view(m: MasterState) -> ClusterState:
    """Everything the master knows, in Mesos's words (core.md OP-2 to OP-10)."""
    return {
        "leading": m.leading,
        "term": m.info.term if m.info is not None else None,
        "agents": [_agent(m, agent) for agent in m.agents.values()],
        "recovered_agents": list(m.recovered),
        "unreachable_agents": {agent_id: member.since for agent_id, member in m.unreachable.items()},
        "gone_agents": {agent_id: member.since for agent_id, member in m.gone.items()},
        "deactivated_agents": list(m.deactivated),
        "drains": [_open_drain(m, drain) for drain in decisions.open_drains(m)],
        "past_drains": [_plain(drain) for drain in m.past_drains.values()],
        "reclaims": [_reclaim(m, record) for record in m.reclaims.values()],
        "past_reclaims": [_reclaim(m, record) for record in m.past_reclaims.values()],
        "frameworks": [_framework(m, framework) for framework in m.frameworks.values()],
        "completed_frameworks": [_framework(m, framework) for framework in m.completed_frameworks.values()],
        "counters": _plain(m.counters),
        "maintenance": {"schedule": schedule(m), "status": maintenance_status(m)},
        "offers": [_offer(m, offer) for offer in m.offers.values()],
        "inverse_offers": [_inverse_offer(m, asked) for asked in m.inverse_offers.values()],
    }


def used_on(agent: AgentRecord) -> Resources:
    """What tasks and executors hold of an agent."""
    return sum(agent.used().values(), NOTHING)


def offered_on(m: MasterState, agent: AgentRecord) -> Resources:
    """What is offered of an agent to anybody."""
    return sum((m.offers[offer_id].resources for offer_id in agent.offers), NOTHING)


def _agent(m: MasterState, agent: AgentRecord) -> AgentEntry:
    drain = m.deactivated.get(agent.id)  # 4.5.7
    withheld = m.allocator.withheld(agent.id)
    return {
        "id": agent.id,
        "name": agent.pid,
        "hostname": agent.info.hostname,
        "ip": agent.info.ip,
        "resources": str(agent.info.resources),
        "total": str(agent.info.resources),
        "used": str(used_on(agent)),
        "offered": str(offered_on(m, agent)),
        "withheld": None if withheld is None else str(withheld),
        "attributes": dict(agent.info.attributes),
        "connected": agent.connected,
        "active": agent.active,
        "deactivated": agent.id in m.deactivated,
        "drain": _plain(drain) if drain is not None else None,
        "tasks": [task.task_id for task in agent.tasks.values()],
        "executors": [
            {
                "executor_id": executor_id,
                "framework_id": framework_id,
                "framework": reclaim_view.framework_name(m, framework_id),
                "resources": str(resources),
            }
            for (framework_id, executor_id), resources in agent.executors.items()
        ],
    }


def _framework(m: MasterState, framework: FrameworkRecord) -> FrameworkEntry:
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
        "tasks": [_task(m, framework, task) for task in framework.tasks.values()],
        "unreachable_tasks": [_task(m, framework, task) for task in framework.unreachable_tasks.values()],
        "completed_tasks": [_task(m, framework, task) for task in framework.completed_tasks.values()],
    }


def schedule(m: MasterState) -> list[WindowEntry]:
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


def maintenance_status(m: MasterState) -> MaintenanceStatusEntry:
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


def _offer(m: MasterState, offer: OfferRecord) -> OfferEntry:
    return {
        "id": offer.id,
        "framework_id": offer.framework_id,
        "framework": reclaim_view.framework_name(m, offer.framework_id),
        "agent_id": offer.agent_id,
        "agent": agent_name(m, offer.agent_id),
        "resources": str(offer.resources),
    }


def _inverse_offer(m: MasterState, asked: InverseOfferRecord) -> InverseOfferEntry:
    return {
        "id": asked.id,
        "framework_id": asked.framework_id,
        "framework": reclaim_view.framework_name(m, asked.framework_id),
        "agent_id": asked.agent_id,
        "agent": agent_name(m, asked.agent_id),
        "reclaim_id": asked.reclaim_id,
    }


def agent_name(m: MasterState, agent_id: AgentId | None) -> str:
    """The name of an agent, empty if it is not registered."""
    agent = m.agents.get(agent_id) if agent_id is not None else None
    return agent.pid if agent is not None else ""


def _task(m: MasterState, framework: FrameworkRecord, task: TaskRecord) -> TaskEntry:
    return {
        "task_id": task.task_id,
        "framework_id": framework.id,
        "framework": framework.info.name,
        "agent_id": task.agent_id,
        "agent": agent_name(m, task.agent_id),
        "executor_id": task.executor_id,
        "state": task.state.name,
        "cause": None if task.cause is None else task.cause.name,
        "resources": str(task.resources),
    }


def _open_drain(m: MasterState, drain: DrainInfo) -> OpenDrainEntry:
    """A drain under way, with what it waits for; each task that is left is in there."""
    entry: DrainEntry = _plain(drain)
    waits_for: list[BlockerEntry] = [_plain(blocker) for blocker in drain_view.blocked_by(m, drain)]
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
