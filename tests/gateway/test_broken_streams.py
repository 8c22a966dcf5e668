"""A remote scheduler's connection breaks at every event of the drain story: nothing is lost, nothing said twice."""

from __future__ import annotations

from collections import Counter

import pytest

from mesolite import Simulation
from mesolite.actors.errors import Refused
from mesolite.harness import sweep
from tests.gateway.remote_scheduler import RemoteScheduler

REMOTE: dict[int, RemoteScheduler] = {}
"""The scheduler of the simulation that runs, for the action that breaks its connection."""


def drained(sim: Simulation) -> None:
    """Two jobs on two agents; one agent is drained, and its job goes on elsewhere."""
    REMOTE.clear()
    cluster = sim.cluster(agents=2, http=True)
    remote = REMOTE[0] = RemoteScheduler(sim, cluster)
    sim.advance(10)
    drain = cluster.operator.drain("agent-1")

    def both_run_on_the_other() -> bool:
        state = cluster.operator.state()
        there = [task for framework in state["frameworks"] for task in framework["tasks"]]
        return (
            len(remote.running) == 2
            and [task["agent"] for task in there] == ["agent-2", "agent-2"]
            and sorted(task["task_id"] for task in there) == sorted(remote.running)
        )

    sim.eventually(both_run_on_the_other, within=600)
    sim.eventually(lambda: drain.state == "DRAINED" or str(drain.state) == "DRAINED", within=600)
    sim.always(lambda: nothing_is_said_twice(remote))
    sim.advance(60)


def nothing_is_said_twice(remote: RemoteScheduler) -> bool:
    """An update with a uuid may come again until it is acknowledged (HT-168); a task ends once."""
    ends = Counter(task_id for task_id, state, uuid in set(remote.told) if uuid and state.startswith("TASK_KILLED"))
    return all(times == 1 for times in ends.values())


def broken(sim: Simulation) -> None:
    if not REMOTE:
        raise Refused("there is no scheduler yet")
    REMOTE[0].break_off()


@pytest.mark.slow
def test_it_may_break_at_any_moment_of_a_drain() -> None:
    """HT-181, HT-185, HT-186: what waits is told after the next subscription; no job is lost, none runs twice."""
    swept = sweep(drained, broken)

    swept.check()
    assert swept.runs > 100
    assert len(swept.refused) < swept.runs / 2
