"""A leader's state as nouns, all of one moment: what its HTTP endpoint tells clients (http.md section 9.1)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.master import view
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, OfferRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.ids import ActorName, FrameworkId, OfferId
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.snapshot import (
    AgentSnapshot,
    ClusterSnapshot,
    ExecutorSnapshot,
    FrameworkSnapshot,
    TaskSnapshot,
)


def take(m: MasterState) -> ClusterSnapshot:
    """Everything that this leader knows now."""
    assert m.info is not None, "only a leader is asked"
    maintenance = m.schedule.maintenance
    return ClusterSnapshot(
        master=m.info,
        started_at=m.started_at,
        elected_at=m.leading_since,
        agents=tuple(of_agent(m, agent) for agent in m.agents.values()),
        recovered_agents=tuple(member.info for member in m.recovered.values() if member.info is not None),
        unreachable_agents=tuple((agent_id, member.since) for agent_id, member in m.unreachable.items()),
        frameworks=tuple(of_framework(m, framework) for framework in m.frameworks.values()),
        completed_frameworks=tuple(of_framework(m, framework) for framework in m.completed_frameworks.values()),
        executors=tuple(
            ExecutorSnapshot(agent_id=agent.id, framework_id=key[0], info=agent.executor_infos[key])
            for agent in m.agents.values()
            for key in agent.executors
            if key in agent.executor_infos
        ),
        windows=maintenance.windows,
        down_machines=maintenance.down,
        maintenance=view.maintenance_status(m),
        counters=attrs.asdict(m.counters),
    )


def of_agent(m: MasterState, agent: AgentRecord) -> AgentSnapshot:
    """An agent as it stands."""
    offered: dict[FrameworkId, Resources] = {}
    for offer in map(m.offers.__getitem__, agent.offers):
        offered[offer.framework_id] = offered.get(offer.framework_id, NOTHING) + offer.resources
    return AgentSnapshot(
        info=agent.info,
        name=ActorName(agent.pid),
        connected=agent.connected,
        active=agent.active,
        deactivated=agent.id in m.deactivated,
        registered_at=agent.registered_at,
        reregistered_at=agent.reregistered_at,
        used=tuple(agent.used().items()),
        offered=tuple(offered.items()),
        drain=m.deactivated.get(agent.id),
    )


def of_framework(m: MasterState, framework: FrameworkRecord) -> FrameworkSnapshot:
    """A framework with its tasks."""
    return FrameworkSnapshot(
        info=framework.info,
        connected=framework.connected,
        active=framework.active,
        recovered=framework.recovered,
        registered_at=framework.registered_at,
        reregistered_at=framework.reregistered_at,
        unregistered_at=framework.unregistered_at,
        tasks=tuple(map(of_task, framework.tasks.values())),
        unreachable_tasks=tuple(map(of_task, framework.unreachable_tasks.values())),
        completed_tasks=tuple(map(of_task, framework.completed_tasks.values())),
        offers=tuple(_offer(m, m.offers[offer_id]) for offer_id in framework.offers if offer_id in m.offers),
        inverse_offers=tuple(
            _inverse_offer(m, offer_id) for offer_id in framework.inverse_offers if offer_id in m.inverse_offers
        ),
    )


def of_task(task: TaskRecord) -> TaskSnapshot:
    """A task."""
    return TaskSnapshot(
        task_id=task.task_id,
        name=task.name,
        framework_id=task.framework_id,
        agent_id=task.agent_id,
        executor_id=task.executor_id,
        state=task.state,
        resources=task.resources,
        statuses=task.statuses,
        status_update_state=task.status_update_state,
        status_update_uuid=task.status_update_uuid,
        v1_json=task.v1_json,
    )


def _offer(m: MasterState, offer: OfferRecord) -> Offer:
    info = m.agents[offer.agent_id].info
    return Offer(
        id=offer.id,
        framework_id=offer.framework_id,
        agent_id=offer.agent_id,
        hostname=info.hostname,
        resources=offer.resources,
        attributes=info.attributes,
        role=offer.role,
        unavailability=m.schedule.unavailability_of(machine_of(info)),
        ip=info.ip,
        port=info.port,
    )


def _inverse_offer(m: MasterState, offer_id: OfferId) -> InverseOffer:
    asked = m.inverse_offers[offer_id]
    return InverseOffer(
        id=asked.id,
        framework_id=asked.framework_id,
        unavailability=asked.unavailability,
        resources=asked.resources,
        agent_id=asked.agent_id,
    )
