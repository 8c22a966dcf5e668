"""A cluster on virtual time.

simulation  Simulation: time, faults and observations, as a test or a story uses them
virtual     the runtime: one thread, a clock of its own
dispatcher  its loop
choices     what a seed chooses: draws by key, and exceptions from first in, first out
in_flight   what is in flight between actors, by channel; messages_in_flight lists it
moments     what happens at a point in time
network     what is done to messages: faults, cuts, observations
work        simulated processes
"""

from mesolite.simulation.hold import Hold
from mesolite.simulation.simulation import SimulatedCluster, Simulation

__all__ = ["Hold", "SimulatedCluster", "Simulation"]
