"""What `api/v1` of a master tells of the cluster: one function per call, and one per noun (HT-254 to HT-275).

The stream of events tells of single nouns in the same way (HT-295 to HT-298).
"""

from __future__ import annotations

from collections.abc import Mapping

from mesolite.gateway.reading import allocations, asked, maintenance
from mesolite.gateway.reading.addresses import Addresses, agent_pid
from mesolite.gateway.reading.builds import AGENT_CAPABILITIES, version_info
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import VERSION, Epoch, Plain, identifier
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.snapshot import AgentSnapshot, ClusterSnapshot, ExecutorSnapshot, FrameworkSnapshot, TaskSnapshot
from mesolite.messages.tasks import TaskStatus

DRAINS = (DrainState.DRAINING, DrainState.DRAINED)
"""The states of a drain that V1 has; after the others the agent is not registered any more (HT-50, HT-275)."""

QUANTITIES = ("cpus", "mem", "disk", "gpus")
"""What GET_ROLES tells of."""


def get_health() -> Plain:
    """Who can answer is well (HT-254)."""
    return {"healthy": True}


def get_version() -> Plain:
    """The version (HT-255)."""
    return {"version_info": version_info()}


def get_flags(settings: Mapping[str, str]) -> Plain:
    """The settings, as text (HT-256)."""
    return {"flags": [{"name": name, "value": value} for name, value in settings.items()]}


def get_metrics(metrics: Mapping[str, float]) -> Plain:
    """Metrics, as `metrics.py` has made them (HT-257)."""
    return {"metrics": [{"name": name, "value": value} for name, value in metrics.items()]}


def get_state(snapshot: ClusterSnapshot, epoch: Epoch, *, secure: bool = False) -> Plain:
    """All of it, of one moment (HT-253, HT-259)."""
    return {
        "get_tasks": get_tasks(snapshot, epoch),
        "get_executors": get_executors(snapshot),
        "get_frameworks": get_frameworks(snapshot, epoch, secure=secure),
        "get_agents": get_agents(snapshot, epoch),
    }


def get_agents(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """Registered agents, and those that have not come back yet to this leader (HT-260)."""
    return {
        "agents": [agent(each, epoch) for each in snapshot.agents],
        "recovered_agents": [writing.agent_info(info) for info in snapshot.recovered_agents],
    }


def agent(one: AgentSnapshot, epoch: Epoch) -> Plain:
    """A registered agent (HT-260)."""
    written: Plain = {
        "agent_info": writing.agent_info(one.info),
        "active": one.active,
        "deactivated": one.deactivated,
        "version": VERSION,
        "pid": agent_pid(one.info),
        "registered_time": epoch.nanoseconds(one.registered_at),
        "total_resources": writing.resources(one.info.resources),
        "allocated_resources": writing.resources(allocations.used_on(one)),
        "offered_resources": writing.resources(allocations.offered_on(one)),
        "capabilities": [{"type": name} for name in AGENT_CAPABILITIES],
    }
    if one.reregistered_at is not None:
        written["reregistered_time"] = epoch.nanoseconds(one.reregistered_at)
    if one.drain is not None and one.drain.state in DRAINS:
        written["drain_info"] = drain_info(one.drain)
        written["estimated_drain_start_time"] = epoch.nanoseconds(one.drain.started_at)
    return written


def drain_info(one: DrainInfo) -> Plain:
    """How far a drain has come (HT-275)."""
    return {"state": one.state.name, "config": drain_config(one.config)}


def drain_config(one: DrainConfig) -> Plain:
    """How an agent is drained (HT-275, HT-289)."""
    written: Plain = {"mark_gone": one.mark_gone}
    if one.max_grace_period_s is not None:
        written["max_grace_period"] = writing.duration(one.max_grace_period_s)
    return written


def get_frameworks(snapshot: ClusterSnapshot, epoch: Epoch, *, secure: bool = False) -> Plain:
    """Frameworks, with what is out for them and what they hold (HT-261)."""
    used = allocations.used(snapshot)
    return {
        "frameworks": [_whole_framework(each, used, epoch, secure=secure) for each in snapshot.frameworks],
        "completed_frameworks": [
            _whole_framework(each, {}, epoch, secure=secure) for each in snapshot.completed_frameworks
        ],
    }


def framework(one: FrameworkSnapshot, epoch: Epoch) -> Plain:
    """A framework, as events tell of it: without what it holds and is offered (HT-261, HT-298)."""
    written: Plain = {
        "framework_info": writing.framework_info(one.info),
        "active": one.active,
        "connected": one.connected,
        "recovered": one.recovered,
        "registered_time": epoch.nanoseconds(one.registered_at),
    }
    if one.reregistered_at is not None:
        written["reregistered_time"] = epoch.nanoseconds(one.reregistered_at)
    if one.unregistered_at is not None:
        written["unregistered_time"] = epoch.nanoseconds(one.unregistered_at)
    return written


def _whole_framework(one: FrameworkSnapshot, used: allocations.Used, epoch: Epoch, *, secure: bool) -> Plain:
    held = used.get(allocations.id_of(one.info), NOTHING)
    return framework(one, epoch) | {
        "offers": [writing.offer(offer, epoch, secure=secure) for offer in one.offers],
        "inverse_offers": [writing.inverse_offer(inverse, epoch) for inverse in one.inverse_offers],
        "allocated_resources": writing.resources(held, one.info.role),
        "offered_resources": writing.resources(allocations.offered(one), one.info.role),
    }


def get_executors(snapshot: ClusterSnapshot) -> Plain:
    """Custom executors, and where they are (HT-262)."""
    return {"executors": [executor(each) for each in snapshot.executors]}


def executor(one: ExecutorSnapshot) -> Plain:
    """A custom executor on an agent (HT-262)."""
    info = writing.executor_info(one.info, one.framework_id)
    return {"executor_info": info, "agent_id": identifier(one.agent_id)}


def get_tasks(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """Tasks; also those of frameworks that have ended (HT-263)."""
    frameworks = (*snapshot.frameworks, *snapshot.completed_frameworks)
    return {
        "pending_tasks": [],
        "tasks": [task(each, epoch) for owner in frameworks for each in owner.tasks],
        "unreachable_tasks": [task(each, epoch) for owner in frameworks for each in owner.unreachable_tasks],
        "completed_tasks": [task(each, epoch) for owner in frameworks for each in owner.completed_tasks],
        "orphan_tasks": [],
    }


def task(one: TaskSnapshot, epoch: Epoch) -> Plain:
    """A task (HT-273, HT-274)."""
    written: Plain = {
        "name": one.name,
        "task_id": identifier(one.task_id),
        "framework_id": identifier(one.framework_id),
        "agent_id": identifier(one.agent_id),
        "state": one.state.name,
        "resources": writing.resources(one.resources),
        "statuses": [_status(status, epoch) for status in one.statuses],
        **asked.of_task(one.v1_json),
    }
    if one.executor_id is not None:
        written["executor_id"] = identifier(one.executor_id)
    if one.status_update_state is not None and one.status_update_uuid is not None:
        written["status_update_state"] = one.status_update_state.name
        written["status_update_uuid"] = writing.data(writing.uuid(one.status_update_uuid))
    return written


def _status(one: TaskStatus, epoch: Epoch) -> Plain:
    """What was said of a task, without its data (HT-179)."""
    return {name: value for name, value in writing.status(one, epoch).items() if name != "data"}


def get_operations() -> Plain:
    """There are none that take time here (HT-264)."""
    return {"operations": []}


def get_roles(snapshot: ClusterSnapshot) -> Plain:
    """The roles of frameworks that have not ended (HT-265)."""
    return {"roles": [_role(each) for each in allocations.roles(snapshot)]}


def _role(one: allocations.Role) -> Plain:
    held = one.allocated + one.offered
    told = Resources.of({name: held.scalar(name) for name in QUANTITIES})
    return {
        "name": one.name,
        "weight": allocations.WEIGHT,
        "frameworks": [identifier(framework_id) for framework_id in one.framework_ids],
        "resources": writing.resources(told),
    }


def get_weights() -> Plain:
    """Nobody has set one (HT-266)."""
    return {"weight_infos": []}


def get_quota() -> Plain:
    """Nobody has set one (HT-267)."""
    return {"status": {"configs": [], "infos": []}}


def get_master(snapshot: ClusterSnapshot, epoch: Epoch, addresses: Addresses) -> Plain:
    """Who leads, and since when (HT-268)."""
    at = addresses[snapshot.master.name]
    return {
        "master_info": writing.master_info(snapshot.master.name, snapshot.master.term, at.hostname, at.ip, at.port),
        "start_time": epoch.seconds(snapshot.started_at),
        "elected_time": epoch.seconds(snapshot.elected_at),
    }


def get_maintenance_schedule(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """When which machines are to be away (HT-269)."""
    return {"schedule": maintenance.schedule(snapshot, epoch)}


def get_maintenance_status(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """How far that has come (HT-270)."""
    return {"status": maintenance.status(snapshot, epoch)}
