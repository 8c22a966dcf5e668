"""Metrics have Mesos's names (docs/spec/core.md OP-9, OP-10)."""

from __future__ import annotations

import attrs

from mesolite.gateway.reading import metrics
from mesolite.messages.tasks import TaskState
from tests.gateway.reading.clusters import EMPTY, HOLDINGS, cluster, task


def of_master() -> dict[str, float]:
    return metrics.of_master(cluster(), now=11.0)


def test_all_are_numbers() -> None:
    """OP-9, HT-330: flat pairs of a name and a number."""
    for measured in (of_master(), metrics.of_master(EMPTY, 5.0), metrics.of_agent(HOLDINGS, 5.0)):
        assert {type(value) for value in measured.values()} == {float}


def test_a_leader_is_elected_and_counts_from_its_start() -> None:
    """OP-10."""
    measured = of_master()
    assert (measured["master/elected"], measured["master/uptime_secs"]) == (1.0, 10.0)


def test_agents_and_frameworks_are_counted() -> None:
    """OP-10: whether they are active is another thing than whether they are connected."""
    snapshot = cluster()
    (agent, _), (framework, _) = snapshot.agents, snapshot.frameworks
    drained, idle = attrs.evolve(agent, active=False), attrs.evolve(framework, active=False)
    measured = metrics.of_master(
        attrs.evolve(
            snapshot,
            agents=(*snapshot.agents, drained, drained),
            frameworks=(*snapshot.frameworks, idle, idle),
            unreachable_agents=(("S4", 6.0), ("S5", 6.0)),
        ),
        now=11.0,
    )
    counted = {
        "slaves_active": 1,
        "slaves_inactive": 3,
        "slaves_connected": 3,
        "slaves_disconnected": 1,
        "slaves_unreachable": 2,
        "frameworks_active": 1,
        "frameworks_inactive": 3,
        "frameworks_connected": 3,
        "frameworks_disconnected": 1,
        "outstanding_offers": 3,
    }
    assert {name: measured[f"master/{name}"] for name in counted} == counted


def test_present_tasks_are_counted_by_their_latest_state() -> None:
    """OP-10, OP-12: completed ones are not present."""
    measured = of_master()
    present = {"staging": 1, "starting": 0, "running": 1, "killing": 0, "unreachable": 1}
    assert {name: measured[f"master/tasks_{name}"] for name in present} == present


def test_tasks_said_to_be_lost_are_not_unreachable_ones() -> None:
    """OP-12: their framework knows no TASK_UNREACHABLE, and was told TASK_LOST."""
    (framework, *_) = cluster().frameworks
    lost = attrs.evolve(framework, unreachable_tasks=(task("t1", TaskState.TASK_LOST),))
    assert metrics.of_master(cluster(frameworks=(lost,)), 5.0)["master/tasks_unreachable"] == 0.0


def test_resources_are_summed_over_agents() -> None:
    """OP-10."""
    measured = of_master()
    assert [measured[f"master/cpus_{what}"] for what in ("total", "used", "percent")] == [8.0, 1.5, 1.5 / 8.0]
    assert [measured[f"master/mem_{what}"] for what in ("total", "used", "percent")] == [1024.0, 64.0, 0.0625]
    assert [measured[f"master/gpus_{what}"] for what in ("total", "used", "percent")] == [0.0, 0.0, 0.0]
    assert measured["master/cpus_revocable_total"] == 0.0


def test_what_is_offered_is_not_free() -> None:
    """OP-10: the allocator counts it with what is in use."""
    measured = of_master()
    total, taken = (measured[f"allocator/mesos/resources/cpus/{what}"] for what in ("total", "offered_or_allocated"))
    offered = sum(offer.resources.scalars["cpus"] for framework in cluster().frameworks for offer in framework.offers)
    assert offered > 0
    assert (total, taken) == (8.0, 1.5 + offered / 1000)


def test_counters_have_the_names_that_mesos_has_for_them() -> None:
    """OP-10."""
    measured = of_master()
    assert measured["master/tasks_lost"] == 2.0
    assert measured["master/slave_removals/reason_unhealthy"] == 1.0
    assert measured["registrar/queued_operations"] == 1.0


def test_prometheus_reads_the_same() -> None:
    """HT-331: names that it allows, a line each."""
    assert metrics.exposition({"master/slave_removals/reason_unhealthy": 1.0, "slave/cpus_percent": 0.25}) == (
        "mesos_master_slave_removals_reason_unhealthy 1.0\nmesos_slave_cpus_percent 0.25\n"
    )


def test_agents_measure_with_their_own_prefix() -> None:
    """HT-355, OP-10."""
    measured = metrics.of_agent(HOLDINGS, uptime_s=5.0)
    assert all(name.startswith("slave/") for name in measured)
    told = {
        "registered": 1.0,
        "uptime_secs": 5.0,
        "frameworks_active": 1.0,
        "executors_running": 1.0,
        "tasks_running": 1.0,
        "tasks_staging": 2.0,
        "cpus_total": 4.0,
        "cpus_used": 3.5,
    }
    assert {name: measured[f"slave/{name}"] for name in told} == told
