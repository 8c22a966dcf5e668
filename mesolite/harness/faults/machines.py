"""What goes wrong with machines and the processes on them."""

from __future__ import annotations

import signal
from typing import Any

from mesolite.harness.faults.kind import DoesNotFit, Kind, Ongoing, Scene, is_alive, machine_of
from mesolite.harness.script import Arguments
from mesolite.messages.resources import Resources
from mesolite.simulation.simulation import SimulatedCluster, Simulation


class _OfAMachine(Kind):
    """Hits a machine by name; if it lasts, the machine is started again at its end."""

    verb: str
    lasts = True
    keeps_down = True

    def draw(self, scene: Scene) -> Arguments | None:
        """Any daemon that is alive, the leader more often."""
        names = scene.daemons()
        return (("machine", scene.draws.one_of(names)),) if names else None

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Do it to the machine, which must be up."""
        machine = machine_of(cluster, arguments["machine"])
        if not machine.alive:
            raise DoesNotFit(f"{machine.name} is not running")
        getattr(machine, self.verb)()
        return Ongoing(hits=(machine.name,))

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the machine."""
        return f"{_handle(arguments['machine'])}.{self.verb}()"


class Crash(_OfAMachine):
    """A daemon dies without a word; its links break, and what it had started lives on."""

    name = verb = "crash"


class PowerOff(_OfAMachine):
    """A machine goes silent, and all on it is gone."""

    name = verb = "power_off"


class Restart(_OfAMachine):
    """A daemon is restarted, with what it had stored."""

    name = verb = "restart"
    lasts = False


class Stop(_OfAMachine):
    """An agent's process ends politely, without unregistering."""

    name = verb = "stop"

    def draw(self, scene: Scene) -> Arguments | None:
        """Any agent."""
        names = scene.agents()
        return (("machine", scene.draws.one_of(names)),) if names else None


class Wipe(Stop):
    """An agent comes back without its disk: as a new agent, with what had run killed."""

    name = "wipe"
    lasts = False

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Start it anew, alive or not."""
        cluster.agents[_agent(cluster, arguments)].restart(anew=True)
        return Ongoing()

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the agent."""
        return f"{_handle(arguments['machine'])}.restart(anew=True)"


class Reconfigure(Stop):
    """A machine returns with other resources, as a new agent."""

    name = "reconfigure"
    lasts = False

    def draw(self, scene: Scene) -> Arguments | None:
        """Any agent; one processor more than it has, or one less."""
        totals = {agent.name: agent.total for agent in scene.sim.view.agents}
        names = [name for name in scene.agents() if name in totals]
        if not names:
            return None
        name = scene.draws.one_of(names)
        total, one = totals[name], Resources.of("cpus:1")
        less = total.cpus > 1 and scene.draws.chance(0.5)
        return ("machine", name), ("resources", str(total - one if less else total + one))

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Start it anew, with other resources from now on."""
        cluster.agents[_agent(cluster, arguments)].restart(resources=arguments["resources"], anew=True)
        return Ongoing()

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the agent."""
        return f"{_handle(arguments['machine'])}.restart(resources={arguments['resources']!r}, anew=True)"


class Signal(Stop):
    """An agent is sent SIGUSR1: it drains now, unregisters and ends (drain.md 2.1)."""

    name = "signal"

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Send it, while it runs."""
        agent = cluster.agents[_agent(cluster, arguments)]
        if not agent.alive:
            raise DoesNotFit(f"{agent.name} is not running")
        agent.signal(signal.SIGUSR1)
        return Ongoing(hits=(agent.name,))

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the agent."""
        return f"{_handle(arguments['machine'])}.signal(signal.SIGUSR1)"


class Pause(Kind):
    """A process stands still, and goes on later, as after SIGSTOP and SIGCONT."""

    name = "pause"
    lasts = True

    def draw(self, scene: Scene) -> Arguments | None:
        """A daemon or a scheduler."""
        names = scene.daemons() + scene.schedulers()
        return (("actor", scene.draws.one_of(names)),) if names else None

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Let it stand still, and go on at the end; it had an effect if anything came meanwhile."""
        name = arguments["actor"]
        context = sim.runtime.directory.find(name)
        if context is None:
            raise DoesNotFit(f"{name} is not running")
        sim.pause(name)
        waited = False

        def end() -> None:
            nonlocal waited
            waited = len(context.inbox) > 0
            if context.alive:
                sim.resume(name)

        return Ongoing(end=end, had_effect=lambda: waited, hits=(name,))

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the simulation."""
        return f"sim.pause({arguments['actor']!r})"


class KillExecutor(Kind):
    """An executor's process dies."""

    name = "kill_executor"

    def draw(self, scene: Scene) -> Arguments | None:
        """Any executor that is alive."""
        agents = scene.agents()
        names = [
            context.name
            for context in scene.sim.runtime.directory
            if context.host in agents and context.host != context.name
        ]
        return (("executor", scene.draws.one_of(names)),) if names else None

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Kill it."""
        if not is_alive(sim, arguments["executor"]):
            raise DoesNotFit(f"{arguments['executor']} is not running")
        sim.kill(arguments["executor"])
        return Ongoing()

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the simulation."""
        return f"sim.kill({arguments['executor']!r})"


def _agent(cluster: SimulatedCluster, arguments: dict[str, Any]) -> str:
    name: str = arguments["machine"]
    if name not in cluster.agents:
        raise DoesNotFit(f"there is no agent {name}")
    return name


def _handle(name: str) -> str:
    kind = "masters" if name.startswith("master") else "agents"
    return f"cluster.{kind}[{name!r}]"
