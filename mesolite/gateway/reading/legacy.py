"""What the plain endpoints of a master answer (docs/spec/http.md section 11); `tasks` is in legacy_tasks.py.

`version` answers with `builds.version_info`, `metrics/snapshot` with `metrics.of_master`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mesolite.gateway.reading import allocations, legacy_nouns, maintenance
from mesolite.gateway.reading.addresses import Addresses
from mesolite.gateway.reading.builds import MASTER_CAPABILITIES, version_info
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.resources import NOTHING
from mesolite.messages.snapshot import AgentSnapshot, ClusterSnapshot, ExecutorSnapshot, FrameworkSnapshot, TaskSnapshot
from mesolite.messages.tasks import TaskState

SUMMED_UP = (
    TaskState.TASK_STAGING,
    TaskState.TASK_STARTING,
    TaskState.TASK_RUNNING,
    TaskState.TASK_KILLING,
    TaskState.TASK_FINISHED,
    TaskState.TASK_KILLED,
    TaskState.TASK_FAILED,
    TaskState.TASK_LOST,
    TaskState.TASK_ERROR,
    TaskState.TASK_UNREACHABLE,
)
"""The states that `state-summary` counts tasks in (HT-333)."""


def flags(settings: Mapping[str, str]) -> Plain:
    """The settings, as text (HT-338)."""
    return {"flags": dict(settings)}


def state(snapshot: ClusterSnapshot, epoch: Epoch, addresses: Addresses, settings: Mapping[str, str]) -> Plain:
    """Everything (HT-332, core.md OP-2): `cluster` and `log_dir` only if they are set."""
    active = sum(agent.active for agent in snapshot.agents)
    at = addresses[snapshot.master.name]
    leader = writing.master_info(snapshot.master.name, snapshot.master.term, at.hostname, at.ip, at.port)
    return {
        **version_info(),
        "start_time": epoch.seconds(snapshot.started_at),
        "elected_time": epoch.seconds(snapshot.elected_at),
        "id": leader["id"],
        "pid": at.master_pid,
        "hostname": at.hostname,
        "capabilities": list(MASTER_CAPABILITIES),
        "activated_slaves": active,
        "deactivated_slaves": len(snapshot.agents) - active,
        "unreachable_slaves": len(snapshot.unreachable_agents),
        "leader": at.master_pid,
        "leader_info": {name: leader[name] for name in ("id", "pid", "port", "hostname")},
        **{name: settings[name] for name in ("cluster", "log_dir") if name in settings},
        **flags(settings),
        "slaves": [legacy_nouns.agent(agent, epoch) for agent in snapshot.agents],
        "recovered_slaves": [legacy_nouns.agent_info(info) for info in snapshot.recovered_agents],
        **_frameworks(snapshot, epoch, snapshot.frameworks, snapshot.completed_frameworks),
        "orphan_tasks": [],
    }


def frameworks(snapshot: ClusterSnapshot, epoch: Epoch, framework_id: str | None = None) -> Plain:
    """Frameworks, or that one (HT-335)."""

    def selected(among: Iterable[FrameworkSnapshot]) -> list[FrameworkSnapshot]:
        return [each for each in among if framework_id in (None, each.info.id)]

    return _frameworks(snapshot, epoch, selected(snapshot.frameworks), selected(snapshot.completed_frameworks))


def _frameworks(
    snapshot: ClusterSnapshot,
    epoch: Epoch,
    registered: Iterable[FrameworkSnapshot],
    completed: Iterable[FrameworkSnapshot],
) -> Plain:
    used = allocations.used(snapshot)
    executors: dict[str, list[ExecutorSnapshot]] = {}
    for executor in snapshot.executors:
        executors.setdefault(executor.framework_id, []).append(executor)

    def told(one: FrameworkSnapshot) -> Plain:
        known = allocations.id_of(one.info)
        return legacy_nouns.framework(one, used.get(known, NOTHING), executors.get(known, ()), epoch)

    return {
        "frameworks": list(map(told, registered)),
        "completed_frameworks": list(map(told, completed)),
        "unregistered_frameworks": [],
    }


def state_summary(snapshot: ClusterSnapshot, epoch: Epoch, addresses: Addresses, settings: Mapping[str, str]) -> Plain:
    """Agents and frameworks with numbers of tasks instead of the tasks (HT-333)."""
    used = allocations.used(snapshot)
    tasks = [task for framework in snapshot.frameworks for task in _tasks(framework)]
    on_agents: dict[str, list[TaskSnapshot]] = {}
    for task in tasks:
        on_agents.setdefault(task.agent_id, []).append(task)

    def told_agent(one: AgentSnapshot) -> Plain:
        there = on_agents.get(one.info.id or "", [])
        ids = list(dict.fromkeys(task.framework_id for task in there))
        return {**legacy_nouns.agent(one, epoch), **_counts(there), "framework_ids": ids}

    def told_framework(one: FrameworkSnapshot) -> Plain:
        summary = legacy_nouns.framework_summary(one, used.get(allocations.id_of(one.info), NOTHING))
        own = _tasks(one)
        return {**summary, **_counts(own), "slave_ids": list(dict.fromkeys(task.agent_id for task in own))}

    return {
        "hostname": addresses[snapshot.master.name].hostname,
        **{name: settings[name] for name in ("cluster",) if name in settings},
        "slaves": list(map(told_agent, snapshot.agents)),
        "frameworks": list(map(told_framework, snapshot.frameworks)),
    }


def _tasks(framework: FrameworkSnapshot) -> list[TaskSnapshot]:
    return [*framework.tasks, *framework.unreachable_tasks, *framework.completed_tasks]


def _counts(tasks: Iterable[TaskSnapshot]) -> Plain:
    counted = Counter(task.state for task in tasks)
    return {state.name: counted[state] for state in SUMMED_UP}


def slaves(snapshot: ClusterSnapshot, epoch: Epoch, slave_id: str | None = None) -> Plain:
    """Agents, or that one, with their resources in full beside (HT-334)."""
    return {
        "slaves": [_whole_slave(agent, epoch) for agent in snapshot.agents if slave_id in (None, agent.info.id)],
        "recovered_slaves": [
            legacy_nouns.agent_info(info) for info in snapshot.recovered_agents if slave_id in (None, info.id)
        ],
    }


def _whole_slave(agent: AgentSnapshot, epoch: Epoch) -> Plain:
    return {
        **legacy_nouns.agent(agent, epoch),
        "used_resources_full": writing.resources(allocations.used_on(agent)),
        "offered_resources_full": writing.resources(allocations.offered_on(agent)),
        "reserved_resources_full": {},
        "unreserved_resources_full": writing.resources(agent.info.resources),
    }


def roles(snapshot: ClusterSnapshot) -> Plain:
    """The roles of frameworks that have not ended (HT-337)."""
    return {"roles": [_role(each) for each in allocations.roles(snapshot)]}


def _role(one: allocations.Role) -> Plain:
    allocated = legacy_nouns.quantities(one.allocated)
    return {
        "name": one.name,
        "weight": allocations.WEIGHT,
        "frameworks": list(one.framework_ids),
        "resources": legacy_nouns.quantities(one.allocated + one.offered),
        "allocated": allocated,
        "offered": legacy_nouns.quantities(one.offered),
        "reserved": legacy_nouns.quantities(NOTHING),
        "quota": {"role": one.name, "guarantee": {}, "limit": {}, "consumed": allocated},
    }


def maintenance_schedule(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """The windows, without an envelope (HT-339)."""
    return _without_empty(maintenance.schedule(snapshot, epoch))


def maintenance_status(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """How far maintenance has come, without an envelope (HT-340)."""
    return _without_empty(maintenance.status(snapshot, epoch))


def _without_empty(lists: Plain) -> Plain:
    return {name: one for name, one in lists.items() if one}
