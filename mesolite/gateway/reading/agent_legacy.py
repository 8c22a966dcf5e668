"""What the plain endpoints of an agent answer (docs/spec/http.md section 12.1).

`version` answers with `builds.version_info`, `flags` with `legacy.flags`, `metrics/snapshot` with `metrics.of_agent`.
"""

from __future__ import annotations

from collections.abc import Mapping

from mesolite.gateway.reading import agent_reads, allocations, asked, legacy, legacy_nouns, operator_reads
from mesolite.gateway.reading.addresses import Addresses, agent_pid
from mesolite.gateway.reading.agent_reads import Statistics
from mesolite.gateway.reading.builds import AGENT_CAPABILITIES, version_info
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.resources import Resources
from mesolite.messages.snapshot import AgentHoldings, HeldExecutor, HeldFramework, HeldTask


def state(
    holdings: AgentHoldings, epoch: Epoch, started_at: float, addresses: Addresses, settings: Mapping[str, str]
) -> Plain:
    """Everything (HT-352); also while recovering, as far as it is known then (HT-356)."""
    info = holdings.info
    allocated = Resources.sum(allocations.held(executor) for _, executor in agent_reads.executors(holdings))
    written: Plain = {
        **version_info(),
        "start_time": epoch.seconds(started_at),
        "id": info.id or "",
        "pid": agent_pid(info),
        "hostname": info.hostname,
        "capabilities": list(AGENT_CAPABILITIES),
        **legacy_nouns.totals(info.resources),
        "reserved_resources_full": {},
        "unreserved_resources_full": writing.resources(info.resources),
        "reserved_resources_allocated": {},
        "unreserved_resources_allocated": legacy_nouns.resources(allocated),
        "resource_providers": [],
        "attributes": legacy_nouns.attributes(info.attributes),
        **{name: settings[name] for name in ("log_dir",) if name in settings},
        **legacy.flags(settings),
        "frameworks": [_framework(holdings, framework, epoch) for framework in holdings.frameworks],
        "completed_frameworks": [
            _framework(holdings, framework, epoch) for framework in agent_reads.completed_frameworks(holdings)
        ],
    }
    if holdings.leader in addresses:
        written["master_hostname"] = addresses[holdings.leader].hostname
    if holdings.drain is not None:
        written["drain_config"] = operator_reads.drain_config(holdings.drain)
    return written


def _framework(holdings: AgentHoldings, framework: HeldFramework, epoch: Epoch) -> Plain:
    return {
        **legacy_nouns.framework_info(framework.info),
        "executors": [_executor(holdings, framework, executor, epoch) for executor in framework.executors],
        "completed_executors": [
            _executor(holdings, framework, executor, epoch)
            for executor in agent_reads.completed_executors(holdings, framework)
        ],
    }


def _executor(holdings: AgentHoldings, framework: HeldFramework, executor: HeldExecutor, epoch: Epoch) -> Plain:
    role = framework.info.role
    by_list: dict[str, list[Plain]] = {"launched_tasks": [], "queued_tasks": [], "terminated_tasks": []}
    for held in (*executor.completed_tasks, *executor.tasks):
        where = agent_reads.list_of(held)
        snapshot = agent_reads.task(holdings, framework, executor, held)
        told = _queued(held, role) if where == "queued_tasks" else legacy_nouns.task(snapshot, role, epoch)
        by_list[where].append(told)
    written: Plain = {
        "id": executor.executor_id,
        "name": agent_reads.executor_name(executor),
        "source": agent_reads.executor_source(executor),
        "container": executor.container_id,
        "directory": executor.sandbox,
        "resources": legacy_nouns.resources(allocations.held(executor)),
        "type": "CUSTOM",
        "tasks": by_list["launched_tasks"],
        "queued_tasks": by_list["queued_tasks"],
        "completed_tasks": by_list["terminated_tasks"],
    }
    if executor.info is None:
        return written
    told_of = legacy_nouns.executor_info(executor.info, role)
    return written | {name: told_of[name] for name in ("role", "labels", "type") if name in told_of}


def _queued(held: HeldTask, role: str) -> Plain:
    """A task that its executor has not been given yet, as its framework has asked for it."""
    info = held.info
    written: Plain = {
        "id": info.task_id,
        "name": info.name,
        "slave_id": info.agent_id or "",
        "resources": legacy_nouns.resources(info.resources),
        "role": role,
    }
    if info.command is not None:
        written["command"] = legacy_nouns.command(info.command)
    if info.executor is not None:
        written["executor_id"] = info.executor.executor_id
    requested = asked.of_task(info.v1_json)
    return written | ({"discovery": requested["discovery"]} if "discovery" in requested else {})


def containers(holdings: AgentHoldings, statistics: Statistics, container_id: str | None = None) -> list[Plain]:
    """Executors as what runs them, or that one (HT-353)."""
    return [
        {
            **_executor_names(framework, executor),
            "container_id": executor.container_id,
            "status": agent_reads.container_status(holdings, executor),
            **_measured(executor, statistics),
        }
        for framework, executor in agent_reads.executors(holdings)
        if container_id in (None, executor.container_id)
    ]


def monitor_statistics(holdings: AgentHoldings, statistics: Statistics) -> list[Plain]:
    """What was measured of each executor (HT-354); who could not be measured is left out (HT-358)."""
    return [
        {**_executor_names(framework, executor), **_measured(executor, statistics)}
        for framework, executor in agent_reads.executors(holdings)
        if executor.container_id in statistics
    ]


def _executor_names(framework: HeldFramework, executor: HeldExecutor) -> Plain:
    return {
        "framework_id": allocations.id_of(framework.info),
        "executor_id": executor.executor_id,
        "executor_name": agent_reads.executor_name(executor),
        "source": agent_reads.executor_source(executor),
    }


def _measured(executor: HeldExecutor, statistics: Statistics) -> Plain:
    found = statistics.get(executor.container_id)
    return {} if found is None else {"statistics": found}


def sandboxes(holdings: AgentHoldings) -> dict[str, str]:
    """The paths by which clients find sandboxes, and where those are (HT-357, HT-359)."""
    paths: dict[str, str] = {}
    ended = [(framework, executor) for framework in holdings.completed for executor in framework.executors]
    # The oldest first, so that what lives now, or ended last, is the latest.
    for framework, executor in (*ended, *agent_reads.executors(holdings)):
        run = executor.sandbox
        runs = f"/frameworks/{allocations.id_of(framework.info)}/executors/{executor.executor_id}/runs"
        for path in (
            run,
            f"{runs}/latest",
            f"{run.rpartition('.')[0]}/runs/latest",
            # As the folders of Mesos's agents are called: by this name old tools look a sandbox up in `files/debug`.
            f"/slaves/{holdings.info.id}{runs}/{executor.container_id}",
        ):
            paths[path] = run
    return paths
