"""A cluster on virtual time.

simulation  Simulation: time, faults and observations, as a test or a story uses them
virtual     the runtime: one thread, a clock of its own, a seed that chooses what happens next
network     what is under way, and what is done to it
work        simulated processes
view        what is so, to be looked at without changing the run
"""

from mesolite.simulation.simulation import Hold, SimulatedCluster, Simulation
from mesolite.simulation.view import AgentView, OfferView, RunningTask, TaskView, View

__all__ = ["AgentView", "Hold", "OfferView", "RunningTask", "SimulatedCluster", "Simulation", "TaskView", "View"]
