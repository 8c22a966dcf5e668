"""What the tests of drains have in common: a call that waits for nothing, and agents that are out of reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite import Simulation
from mesolite.messages import DrainAgentCall, PongAgent
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import id_of, place, shown


def drain_shown(cluster: SimulatedCluster) -> str:
    """The state of the one agent's drain, as the leader shows it."""
    return str(shown(cluster)["drain"]["state"])


def call(sim: Simulation, cluster: SimulatedCluster, call_id: int = 1, **wish: Any) -> None:
    """Ask for a drain of agent-1 without waiting for the answer."""
    message = DrainAgentCall(call_id=call_id, agent_id=id_of(cluster), **wish)
    place(sim, cluster, message)


def unreachable(sim: Simulation, cluster: SimulatedCluster) -> Callable[[], None]:
    """Let the agents become unreachable; returns what lets them come back."""
    pongs = sim.drop(PongAgent)
    sim.run_until(lambda: not cluster.operator.state()["agents"], timeout=100.0)
    sim.settle()
    return lambda: sim.forget(pongs)
