"""A small round of the fuzz; `make fuzz` has a large one."""

from __future__ import annotations

from mesolite import Simulation
from tests.fuzz.face import constructors, functions, verbs
from tests.fuzz.run import fuzz

CALLS = 4000


def test_nobody_but_the_caller_is_hurt_by_what_is_passed() -> None:
    """Every argument of the public face, poisoned: ours is the error, and leader, agent and bystander live and work."""
    assert fuzz(seed=1, count=CALLS) == []


def test_the_face_is_found_by_looking() -> None:
    """What is public is in it without being listed here; these are some that must be."""
    sim = Simulation()
    cluster = sim.cluster()
    held = (sim, cluster, cluster.operator, sim.view)
    names = {target.name for target in (*constructors(), *functions(), *verbs(*held))}

    assert {"TaskInfo", "Settings", "Window", "Simulation.advance", "SimulatedCluster.run", "Operator.drain"} <= names
    assert {"Fault", "Faults", "explore", "sweep", "compare", "Simulation.always", "View.running"} <= names
