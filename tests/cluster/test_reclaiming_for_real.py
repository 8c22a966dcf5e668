"""Reclaims and enforced windows with real processes: what is revoked is dead (docs/reclaim.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesolite import Cause, Cluster, Reason, ReclaimState, Unavailability, Window
from tests.cluster.real_commands import PATIENCE_S, SHORT, Launching, Pipes, command, pipes_in, until

STAY = 'exec 9>"$LIFE"; echo ready > "$TOLD"; exec sleep 1000'
DEAF = """exec 9>"$LIFE"; trap '' TERM; echo ready > "$TOLD"; while :; do sleep 1000; done"""


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


@pytest.mark.parametrize("what", [STAY, DEAF], ids=["obeys SIGTERM", "ignores it"])
def test_a_revoked_command_is_dead(pipes: Pipes, what: str) -> None:
    """It gets its grace, then SIGKILL, with everything it started; then its resources are there (RV-36)."""
    with Cluster(agents=1, settings=SHORT) as cluster:
        scheduler = Launching(command("t", what, **pipes.environment))
        cluster.run(scheduler, "mine")
        assert pipes.hear() == ["ready"]

        reclaim = cluster.operator.reclaim("agent-1", within=0.2)
        assert reclaim.wait(PATIENCE_S) is ReclaimState.DONE
        pipes.all_gone()
        until(cluster, lambda: scheduler.ended("t"))

        last = scheduler.updates("t")[-1]
        assert (last.cause, last.reason) == (Cause.REVOKED, Reason.REASON_RESOURCES_REVOKED)
        reclaim.release()
        assert reclaim.state is ReclaimState.RELEASED


def test_an_enforced_window_empties_its_machine(pipes: Pipes) -> None:
    """From its start on nothing lives there, while the agent stays (RV-61)."""
    with Cluster(agents=2, settings=SHORT) as cluster:
        scheduler = Launching(command("t", DEAF, **pipes.environment), on="agent-1")
        cluster.run(scheduler, "mine")
        assert pipes.hear() == ["ready"]

        away = Unavailability(start=cluster.now + 0.2)
        window = Window(machines=(cluster.agents["agent-1"].machine_id,), unavailability=away, enforce=True)
        cluster.operator.update_maintenance_schedule([window])
        until(cluster, lambda: scheduler.ended("t"))
        pipes.all_gone()

        assert scheduler.updates("t")[-1].cause is Cause.REVOKED
        assert cluster.agents["agent-1"].registered
        until(cluster, lambda: cluster.processes("agent-1") == [])
