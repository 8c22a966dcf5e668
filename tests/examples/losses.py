"""Every way of losing a machine (docs/drain.md), and what must hold of a scheduler that keeps services running."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable

from attrs import frozen

from examples.schedulers import service_of
from mesolite import Simulation, Unavailability, Window
from mesolite.machines import AgentMachine
from mesolite.simulation import SimulatedCluster

SERVICES = tuple(f"web-{number}" for number in range(1, 7))
LATENCY_S = (0.0002, 0.001)
STEADY_S = 20.0
PATIENCE_S = 1500.0
"""An agent that does not come back to a new leader is given up after 600 s; a shop looks again after as much."""

Go = Callable[[Simulation, SimulatedCluster, AgentMachine], object]


@frozen
class Way:
    """How a machine goes; `stays` says that what runs there goes on."""

    name: str
    go: Go
    stays: bool = False


def _maintenance(sim: Simulation, cluster: SimulatedCluster, agent: AgentMachine) -> None:
    window = Window(machines=[agent.machine_id], unavailability=Unavailability(start=sim.now + 30.0))
    cluster.operator.update_maintenance_schedule([window])
    sim.advance(60.0)
    cluster.operator.machine_down([agent])


WAYS = (
    Way("signal", lambda sim, cluster, agent: agent.signal(signal.SIGUSR1)),
    Way("deactivate", lambda sim, cluster, agent: cluster.operator.deactivate(agent), stays=True),
    Way("drain", lambda sim, cluster, agent: cluster.operator.drain(agent, max_grace_period=5)),
    Way("drain-mark-gone", lambda sim, cluster, agent: cluster.operator.drain(agent, mark_gone=True)),
    Way("mark-gone", lambda sim, cluster, agent: cluster.operator.mark_gone(agent)),
    Way("maintenance", _maintenance),
    Way("reclaim", lambda sim, cluster, agent: cluster.operator.reclaim(agent, within=30)),
)
"""The seven that docs/drain.md names."""

ACCIDENTS = (
    Way("crash", lambda sim, cluster, agent: agent.crash()),
    Way("power", lambda sim, cluster, agent: agent.power_off()),
)
"""Those nobody chose."""


def alive(sim: Simulation, *, without: str = "") -> Counter[str]:
    """How many copies of each service really run, whatever anybody believes; not counting that agent."""
    return Counter(service_of(task.task_id) for task in sim.view.running() if task.agent != without)


def one_each(sim: Simulation) -> bool:
    """Whether every service runs exactly once."""
    return alive(sim) == Counter(SERVICES)
