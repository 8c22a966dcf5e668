"""A cluster on virtual time.

simulation  Simulation: time, as a test or a story uses it
observing   ... its verbs about messages: observe, hold, drop, delay
disrupting  ... its verbs about actors and their connections: partition, break_link, pause
probe       ... the one that makes actors that only the test speaks for
scripting   ... what is done later: at a time, after a message; actions says what it is called with
properties  ... what must hold: always, eventually, sometimes
recovering  ... the end of all faults
virtual     the runtime: one thread, a clock of its own
dispatcher  its loop
deliveries  what becomes of what arrives
choices     what a seed chooses: draws by key, and exceptions from first in, first out
in_flight   what is in flight between actors, by channel; messages_in_flight lists it
moments     what happens at a point in time
network     what is done to messages: faults, cuts, observations
work        simulated processes
view        what is so, to be looked at without changing the run
beliefs     ... and who believes otherwise of which task; courses, how they came to that
"""

from mesolite.simulation.hold import Hold
from mesolite.simulation.simulation import SimulatedCluster, Simulation
from mesolite.simulation.view import AgentView, OfferView, RunningTask, TaskView, View

__all__ = ["AgentView", "Hold", "OfferView", "RunningTask", "SimulatedCluster", "Simulation", "TaskView", "View"]
