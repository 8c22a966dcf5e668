"""What goes wrong with the clients of a cluster that speaks HTTP: their connections break."""

from __future__ import annotations

from typing import Any

from mesolite.harness.faults.kind import DoesNotFit, Kind, Ongoing, Scene
from mesolite.harness.script import Arguments
from mesolite.simulation.simulation import SimulatedCluster, Simulation


class HangUp(Kind):
    """The connection of a stream breaks, of a scheduler, an executor or an operator; its client may come back."""

    name = "hang_up"

    def draw(self, scene: Scene) -> Arguments | None:
        """One of the streams that are open, if the cluster speaks HTTP."""
        if not scene.cluster.speaks_http or not scene.cluster.client.streams:
            return None
        return (("stream", int(scene.draws.unit() * len(scene.cluster.client.streams))),)

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Break it; the master or agent hears of it at once."""
        if not cluster.speaks_http or arguments["stream"] >= len(cluster.client.streams):
            raise DoesNotFit(f"there is no stream {arguments['stream']}")
        cluster.client.hang_up(cluster.client.streams[arguments["stream"]])
        return Ongoing()

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the client."""
        return f"cluster.client.hang_up(cluster.client.streams[{arguments['stream']}])"
