"""Maintenance of a real cluster: real time, a real command, a schedule that outlives its master in SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesolite import Cluster, Filters, Unavailability, Window
from tests.cluster.real_commands import SHORT, Launching, Pipes, command, pipes_in, until


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


def test_a_machine_is_scheduled_given_back_and_taken_down(pipes: Pipes) -> None:
    """The framework is asked and answers; a new master knows the schedule; down, the command is gone (5.5.2, 5.10)."""
    with Cluster(masters=2, agents=2, settings=SHORT) as cluster:
        scheduler = Launching(command("t", 'exec 9>"$LIFE"; echo up > "$TOLD"; read go < "$GO"', **pipes.environment))
        driver = cluster.run(scheduler, "mine")
        pipes.hear()
        status = scheduler.updates("t")[0]
        agent = next(each for each in cluster.agents.values() if each.id == status.agent_id)
        window = Window(machines=[agent.machine_id], unavailability=Unavailability(start=cluster.now + 3600.0))

        cluster.operator.update_maintenance_schedule([window])
        until(cluster, lambda: scheduler.asked)
        assert scheduler.asked[0].unavailability == window.unavailability
        driver.decline_inverse_offers(scheduler.asked[0], Filters(refuse_seconds=0), reason="not yet")
        until(cluster, lambda: len(scheduler.asked) > 1)
        assert "not yet" in str(cluster.operator.maintenance_status())

        leader = cluster.leader
        assert leader is not None
        leader.crash()
        until(cluster, lambda: cluster.leader is not None and len(scheduler.asked) > 2)
        assert scheduler.asked[-1].unavailability == window.unavailability

        cluster.operator.machine_down([agent])
        until(cluster, lambda: scheduler.ended("t") and not agent.alive)
        pipes.all_gone()
        assert str(scheduler.updates("t")[-1].cause) == "MACHINE_DOWN"
        assert [each["hostname"] for each in cluster.operator.maintenance_status()["down_machines"]] == [agent.name]
        cluster.operator.machine_up([agent])
        agent.restart()
        until(cluster, lambda: agent.registered)
