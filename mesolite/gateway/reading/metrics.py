"""Metrics under the names that Mesos has for them, flat (core.md OP-9, OP-10), as far as a snapshot knows them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from mesolite.gateway.reading import allocations
from mesolite.messages.resources import Resources
from mesolite.messages.snapshot import AgentHoldings, ClusterSnapshot
from mesolite.messages.tasks import TaskState

Metrics = dict[str, float]

_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")

RESOURCES = ("cpus", "mem", "disk", "gpus")
PRESENT = (TaskState.TASK_STAGING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING)


def of_master(snapshot: ClusterSnapshot, now: float) -> Metrics:
    """What a leader can be measured by; `now` is on the cluster's clock."""
    live = (task.state for framework in snapshot.frameworks for task in framework.tasks)
    unreachable = (task.state for framework in snapshot.frameworks for task in framework.unreachable_tasks)
    measured = {
        "elected": 1.0,
        "uptime_secs": now - snapshot.started_at,
        "slaves_unreachable": float(len(snapshot.unreachable_agents)),
        **_split("slaves", (agent.active for agent in snapshot.agents), "active", "inactive"),
        **_split("slaves", (agent.connected for agent in snapshot.agents), "connected", "disconnected"),
        **_split("frameworks", (framework.active for framework in snapshot.frameworks), "active", "inactive"),
        **_split("frameworks", (each.connected for each in snapshot.frameworks), "connected", "disconnected"),
        "outstanding_offers": float(sum(len(framework.offers) for framework in snapshot.frameworks)),
        **_present(live),
        "tasks_unreachable": float(Counter(unreachable)[TaskState.TASK_UNREACHABLE]),
        **_resources(
            [agent.info.resources for agent in snapshot.agents], list(map(allocations.used_on, snapshot.agents))
        ),
    }
    named = {f"master/{name}": value for name, value in measured.items()}
    named |= {_counter_name(name): float(count) for name, count in snapshot.counters.items()}
    return named | _of_allocator(snapshot)


def of_agent(holdings: AgentHoldings, uptime_s: float) -> Metrics:
    """What an agent can be measured by, and has been running for so long."""
    executors = [executor for framework in holdings.frameworks for executor in framework.executors]
    held = [allocations.held(executor) for executor in executors]
    measured = {
        "registered": float(holdings.registered),
        "uptime_secs": uptime_s,
        "frameworks_active": float(len(holdings.frameworks)),
        "executors_running": float(sum(executor.running for executor in executors)),
        **_present(task.state for executor in executors for task in executor.tasks),
        **_resources([holdings.info.resources], held),
    }
    return {f"slave/{name}": value for name, value in measured.items()}


def exposition(measured: Metrics) -> str:
    """The same in the text format of Prometheus: a name is `mesos_` and Mesos's own, its slashes as underscores."""
    return "".join(f"mesos_{_NO_NAME.sub('_', name)} {value}\n" for name, value in measured.items())


def _split(noun: str, answers: Iterable[bool], yes: str, no: str) -> Metrics:
    counted = Counter(answers)
    return {f"{noun}_{yes}": float(counted[True]), f"{noun}_{no}": float(counted[False])}


def _of_allocator(snapshot: ClusterSnapshot) -> Metrics:
    """What there is to be allocated, and what is: in use, or offered."""
    measured: Metrics = {}
    for name in RESOURCES:
        total = sum(agent.info.resources.scalars.get(name, 0) for agent in snapshot.agents)
        taken = sum(
            held.scalars.get(name, 0)
            for agent in snapshot.agents
            for held in (allocations.used_on(agent), allocations.offered_on(agent))
        )
        measured[f"allocator/mesos/resources/{name}/total"] = total / 1000
        measured[f"allocator/mesos/resources/{name}/offered_or_allocated"] = taken / 1000
    return measured


def _present(states: Iterable[TaskState]) -> Metrics:
    """Tasks by their latest state (OP-12)."""
    counted = Counter(states)
    return {f"tasks_{state.name.removeprefix('TASK_').lower()}": float(counted[state]) for state in PRESENT}


def _resources(totals: list[Resources], uses: list[Resources]) -> Metrics:
    """Of each resource: all, what is in use, and the fraction that is. None are revocable here."""
    measured: Metrics = {}
    for name in RESOURCES:
        # In thousandths, which add up exactly.
        total, used = (sum(each.scalars.get(name, 0) for each in parts) / 1000 for parts in (totals, uses))
        measured |= {f"{name}_total": total, f"{name}_used": used, f"{name}_percent": used / total if total else 0.0}
        measured |= {f"{name}_revocable_{what}": 0.0 for what in ("total", "used", "percent")}
    return measured


def _counter_name(name: str) -> str:
    if name == "outstanding_registry_writes":
        return "registrar/queued_operations"
    return f"master/{name.replace('slave_removals_reason_', 'slave_removals/reason_')}"
