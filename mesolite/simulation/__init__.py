"""A cluster on virtual time.

simulation  Simulation: time, faults and observations, as a test or a story uses them
virtual     the runtime: one thread, a clock of its own, a seed that chooses what happens next
network     what is under way, and what is done to it
work        simulated processes
"""

from mesolite.simulation.simulation import Hold, SimulatedCluster, Simulation

__all__ = ["Hold", "SimulatedCluster", "Simulation"]
