"""Remote schedulers under every fault that there is, with the checkers on: in the end all their jobs run, each once."""

from __future__ import annotations

import random

from mesolite import Simulation
from mesolite.harness import Faults, explore
from tests.gateway.remote_scheduler import RemoteScheduler
from tests.seeds.scenario import TIMINGS

SEEDS = 30


def remote_world(sim: Simulation) -> None:
    """One or two remote schedulers on a small cluster; drawn from the seed."""
    draw = random.Random(f"remote {sim.seed}")
    cluster = sim.cluster(agents=draw.randint(2, 3), masters=draw.randint(1, 3), http=True)
    remotes = [
        RemoteScheduler(
            sim, cluster, draw.randint(1, 2), name=f"remote-{number}", checkpoint=draw.choice((True, False))
        )
        for number in range(draw.randint(1, 2))
    ]

    def all_run() -> bool:
        if cluster.leader is None:
            return False
        state = cluster.operator.state()
        there = {framework["id"]: framework["tasks"] for framework in state["frameworks"]}
        return all(
            remote.framework_id is not None
            and len(remote.running) == remote.wanted
            and sorted(task["task_id"] for task in there.get(remote.framework_id["value"], ()))
            == sorted(remote.running)
            for remote in remotes
        )

    sim.eventually(all_run, within=900)
    sim.sometimes(lambda: any(len(remote.heard) > 40 for remote in remotes), "much was heard")
    sim.advance(draw.uniform(60.0, 180.0))


def test_all_jobs_run_in_the_end() -> None:
    """HT-181 to HT-188, under faults of machines, masters, network and disks, and connections that break."""
    found = explore(remote_world, seeds=SEEDS, faults=Faults(), settings=TIMINGS)

    found.check()
    assert found.faults["hang_up"]["had an effect"] > 0
