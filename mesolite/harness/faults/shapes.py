"""Faults that have a shape: several of the same in a row, as they happen to real clusters."""

from __future__ import annotations

from functools import partial
from typing import Any

from mesolite.harness.faults.kind import DoesNotFit, Kind, Ongoing, Scene
from mesolite.harness.script import Arguments
from mesolite.simulation.simulation import SimulatedCluster, Simulation


class _OfAgents(Kind):
    """Hits several agents, one after another."""

    lasts = True
    verb: str
    """What is done to each `name`, as code."""

    def draw(self, scene: Scene) -> Arguments | None:
        """All of them or some, in some order, and how long there is between two."""
        names = scene.agents()
        if not names:
            return None
        chosen = scene.draws.some_of(names, self.how_many(scene, len(names)))
        return ("agents", tuple(chosen)), ("every", scene.draws.between(0.0, 20.0))

    def how_many(self, scene: Scene, alive: int) -> int:
        """How many of those alive."""
        return alive

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Do it to the first now, to the others later."""
        names = [name for name in arguments["agents"] if name in cluster.agents]
        if not names:
            raise DoesNotFit("there is none of these agents")
        left = dict(enumerate(names))

        def hit(number: int) -> None:
            if number in left:
                self.hit(sim, cluster, left.pop(number))

        for number in list(left):
            sim.at(sim.now + number * arguments["every"], partial(hit, number))

        def end() -> None:
            left.clear()  # whoever was not hit by now is not hit any more
            self.bring_back(sim, cluster, names)

        return Ongoing(end=end, hits=tuple(dict.fromkeys(names)))

    def hit(self, sim: Simulation, cluster: SimulatedCluster, name: str) -> None:
        """Do it to one of them."""
        raise TypeError(f"{type(self).__name__} does not say what it does to an agent")

    def bring_back(self, sim: Simulation, cluster: SimulatedCluster, names: list[str]) -> None:
        """Undo what is not the death of a machine."""

    def code(self, arguments: dict[str, Any]) -> str:
        """A loop over the agents."""
        names, every = arguments["agents"], arguments["every"]
        return f"for n, name in enumerate({names!r}): sim.at(sim.now + n * {every:g}, {self.verb})"


class RollingRestart(_OfAgents):
    """All agents are restarted, one after another, as for an upgrade."""

    name = "rolling_restart"
    verb = "cluster.agents[name].restart"

    def hit(self, sim: Simulation, cluster: SimulatedCluster, name: str) -> None:
        """Restart it, whatever it is doing."""
        cluster.agents[name].restart()


class RackLoss(_OfAgents):
    """Half of the agents lose power at once."""

    name = "rack_loss"
    verb = "cluster.agents[name].power_off"
    keeps_down = True

    def draw(self, scene: Scene) -> Arguments | None:
        """All at once."""
        drawn = super().draw(scene)
        return drawn and (drawn[0], ("every", 0.0))

    def how_many(self, scene: Scene, alive: int) -> int:
        """Half of them, one at least."""
        return max(1, alive // 2)

    def hit(self, sim: Simulation, cluster: SimulatedCluster, name: str) -> None:
        """Cut its power."""
        if cluster.agents[name].alive:
            cluster.agents[name].power_off()


class Flapping(_OfAgents):
    """One agent dies and comes back, again and again."""

    name = "flapping"
    verb = "lambda it=cluster.agents[name]: it.crash() if it.alive else it.restart()"
    keeps_down = True

    def draw(self, scene: Scene) -> Arguments | None:
        """One agent, and how often."""
        names = scene.agents()
        if not names:
            return None
        name, times = scene.draws.one_of(names), 2 + int(scene.draws.unit() * 4)
        return ("agents", (name,) * times), ("every", scene.draws.between(0.1, 15.0))

    def hit(self, sim: Simulation, cluster: SimulatedCluster, name: str) -> None:
        """Kill it, or start it."""
        agent = cluster.agents[name]
        if agent.alive:
            agent.crash()
        else:
            agent.restart()


class Swizzle(_OfAgents):
    """Agents are cut off from the leader one after another, and come back in another order."""

    name = "swizzle"
    verb = "lambda name=name: [sim.partition(name, master) for master in cluster.masters]"

    def hit(self, sim: Simulation, cluster: SimulatedCluster, name: str) -> None:
        """Cut it off from all masters."""
        for master in cluster.masters:
            sim.partition(name, master)

    def bring_back(self, sim: Simulation, cluster: SimulatedCluster, names: list[str]) -> None:
        """Let them come back, the last first."""
        for number, name in enumerate(reversed(names)):
            sim.at(sim.now + number, partial(sim.heal, name))
