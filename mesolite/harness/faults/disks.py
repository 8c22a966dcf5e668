"""What goes wrong with disks: they are slow, full, or the last thing a daemon uses."""

from __future__ import annotations

from typing import Any

from mesolite.harness.faults.kind import Kind, Ongoing, Scene, machine_of
from mesolite.harness.script import Arguments
from mesolite.simulation.simulation import SimulatedCluster, Simulation

LEADERS = 0.85
"""Which share of the disks that have something are leaders'."""


class _OfADisk(Kind):
    """Hits the disk of a machine; at the end it is sound, and the daemon runs again if it died of it."""

    lasts = waits = True

    def draw(self, scene: Scene) -> Arguments | None:
        """The leader's, as it is the leader who writes; or that of an agent, which writes when it is admitted, and of
        frameworks that want that.
        """
        leader = scene.leader()
        leaders = scene.allowed([leader]) if leader is not None else []
        names = leaders if leaders and scene.draws.chance(LEADERS) else scene.agents()
        return (("machine", scene.draws.one_of(names)), *self.how(scene)) if names else None

    def how(self, scene: Scene) -> Arguments:
        """Draw what else there is to draw."""
        return ()

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Let it be so, and mend it at the end."""
        machine = machine_of(cluster, arguments["machine"])
        wanted = machine.disk.writes + arguments.get("write", 1)
        self.worsen(machine.disk, arguments)
        return Ongoing(end=machine.disk.mend, had_effect=lambda: machine.disk.writes >= wanted, hits=(machine.name,))

    def worsen(self, disk: Any, arguments: dict[str, Any]) -> None:
        """Do it to the disk."""
        raise TypeError(f"{type(self).__name__} does not say what is wrong with the disk")

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the disk."""
        kind = "masters" if arguments["machine"].startswith("master") else "agents"
        return f"cluster.{kind}[{arguments['machine']!r}].disk.{self.verb(arguments)}"

    def verb(self, arguments: dict[str, Any]) -> str:
        """The verb and its arguments."""
        return "fail()"


class SlowDisk(_OfADisk):
    """Every write takes its time; what is being written when the daemon dies is lost."""

    name = "slow_disk"

    def how(self, scene: Scene) -> Arguments:
        """Up to five seconds."""
        return (("seconds", scene.draws.between(0.05, 5.0)),)

    def worsen(self, disk: Any, arguments: dict[str, Any]) -> None:
        """Let writes take their time."""
        disk.slow(arguments["seconds"])

    def verb(self, arguments: dict[str, Any]) -> str:
        """The verb and its arguments."""
        return f"slow({arguments['seconds']:g})"


class FullDisk(_OfADisk):
    """Every write fails, and whoever has to write ends."""

    name = "full_disk"

    def worsen(self, disk: Any, arguments: dict[str, Any]) -> None:
        """Let writes fail."""
        disk.fail()


class LastWrite(_OfADisk):
    """The daemon dies at its next write or the one after, which is stored, or is not."""

    name = "last_write"

    def how(self, scene: Scene) -> Arguments:
        """The next, or seldom the one after."""
        return ("write", 2 if scene.draws.chance(0.25) else 1), ("stored", scene.draws.chance(0.5))

    def worsen(self, disk: Any, arguments: dict[str, Any]) -> None:
        """Let it be the last."""
        disk.crash_at(arguments["write"], stored=arguments["stored"])

    def verb(self, arguments: dict[str, Any]) -> str:
        """The verb and its arguments."""
        return f"crash_at({arguments['write']}, stored={arguments['stored']})"
