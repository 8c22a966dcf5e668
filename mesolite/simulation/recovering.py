"""The end of faults: everything that was disturbed is mended, and what must come true in the end has to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import Refused
from mesolite.machines import AgentMachine, MasterMachine
from mesolite.messages.checking import Duration, checked_arguments, optional_seconds
from mesolite.messages.election import ELECTOR
from mesolite.simulation.choices import draw, stream
from mesolite.simulation.disrupting import Disrupting
from mesolite.simulation.network import Verdict
from mesolite.simulation.properties import Properties
from mesolite.wiring import Wiring

NEVER_RETURN = 3
"""Of so many agents that are dead when faults stop, one never returns, drawn from the seed."""

LEADER_S = 120.0
"""How long it may take until somebody leads again, once all masters run."""

DEATHS = 20
"""So many times the dead are started again: what lets them die was ended, but may still be on its way."""


class FaultSource(Protocol):
    """Whoever makes faults during a run (mesolite/harness)."""

    def stop(self) -> None:
        """Make no more of them, and end those that last."""

    def undo(self) -> None:
        """Take back what operators were made to ask for, now that somebody leads."""


class Recovering(Disrupting, Properties):
    """The verb of a simulation that ends all faults.

    Attributes:
        faults: who makes faults during this run, None: only the test itself.
        lost_for_good: the agents that never return, since `recover()`.
    """

    seed: int
    settings: Settings
    faults: FaultSource | None
    lost_for_good: tuple[str, ...] = ()

    @property
    @abstractmethod
    def started(self) -> Wiring | None:
        """The cluster of this simulation, None before there is one."""

    @checked_arguments
    def recover(self, within: Duration | None = None) -> None:
        """Mend all that was disturbed, and wait for what must come true eventually.

        No more faults are made; partitions heal, and break links that have lost something; what is held is let go, what
        is dropped, delayed or said twice is so no more; disks are sound; who was paused goes on; who is dead is started
        again. But of three agents or more that there are, some of the dead never return, nor does what ran there: on a
        real cluster, too, some do not. The master is given the time that it takes to give those up, as until then
        nobody can know. Then every `sim.eventually` has to come true, within its own time or within the one given here.

        Raises:
            PropertyViolated: one of them has not.
            Refused: nobody leads two minutes after everything was mended.
        """
        done = self._did("recover", ())
        if self.faults is not None:
            self.faults.stop()
        self._mend(done)
        if self.started is not None:
            self._gather(self.started)
        self.stated.recovered = True
        self._demand(optional_seconds(within))

    def _gather(self, cluster: Wiring) -> None:
        """Start the dead again, and wait until everybody knows everybody who is there, and who is not."""
        self._choose_lost(cluster)
        if not self._wait(cluster, self._leads, LEADER_S):
            raise Refused(f"nobody leads {LEADER_S:g} s after everything was mended:\n{self.runtime.situation()}")
        if self.faults is not None:
            self.faults.undo()
        settings = self.settings
        # Whoever is found silent may then wait for its place among those that are given up (drain.md 1.8).
        each_s = settings.agent_removal_interval_s * len(cluster.agents)
        self._wait(cluster, self._all_known, settings.silence_noticed_s + settings.agent_reregister_timeout_s + each_s)

    def _wait(self, cluster: Wiring, done: Callable[[], bool], patience_s: float) -> bool:
        """Wait for that, and start again whoever is dead, or dies yet of what was on its way."""
        find = self.runtime.directory.find
        machines: dict[str, AgentMachine | MasterMachine] = {**cluster.masters, **cluster.agents}
        names = [name for name in machines if name not in self.lost_for_good]

        def dies() -> bool:
            """Whether one is dead. This is looked at after every event."""
            return None in map(find, names)

        until = self.runtime.now() + patience_s
        for _ in range(DEATHS):
            for name in names:
                if find(name) is None:
                    machines[name].restart()
            if not self.runtime.wait(lambda: done() or dies(), until - self.runtime.now()):
                return False
            if not dies():
                return True
        return done()

    def _leader(self) -> MasterState | None:
        """The books of the master that was elected, if it leads, and will: one that was paused may only believe that it
        does, and one that has not heard the elector for long may be about to give up.
        """
        elector = self.runtime.directory.find(ELECTOR)
        core: Any = None if elector is None else elector.actor.core
        # Somebody may stand in for the elector.
        elected = core.leader if isinstance(core, ElectorCore) else None
        context = None if elected is None else self.runtime.directory.find(elected.name)
        if elected is None or context is None:
            return None
        master: Any = context.actor.core
        m: MasterState = master.state
        leads = m.leading and m.term == elected.term and m.detector.is_safe(self.runtime.now())
        return m if leads else None

    def _leads(self) -> bool:
        """Whether somebody leads."""
        return self._leader() is not None

    def _all_known(self) -> bool:
        """Whether every agent that runs is registered, and every other was given up: what is lost is known to be.

        This is looked at after every event, so it makes no views of what it looks at.
        """
        m, started = self._leader(), self.started
        if started is None or m is None or m.recovered:
            return False
        registered = {agent.pid: None for agent in m.agents.values() if agent.connected}
        if len(registered) < len(m.agents):
            return False
        find = self.runtime.directory.find
        return registered.keys() == {name for name in started.agents if find(name)}

    def _mend(self, done: int) -> None:
        network = self.runtime.network
        for rule in network.rules:
            network.remove(rule)
            if rule.verdict is Verdict.HOLD:
                self.runtime.release(rule.take_matched(), done)
        self.heal()
        for disk in self.runtime.disks.values():
            disk.mend()
        for context in self.runtime.directory:
            if context.inbox.paused:
                self.runtime.resume(context)

    def _choose_lost(self, cluster: Wiring) -> None:
        """Draw which of the agents that are dead now never return: their machines have no power any more."""
        begin = stream(self.seed, "never returns")
        dead = [name for name, agent in cluster.agents.items() if not agent.alive]
        lost = [name for number, name in enumerate(dead) if draw(begin, number) * NEVER_RETURN < 1.0]
        self.lost_for_good = tuple(lost[: len(cluster.agents) // NEVER_RETURN])
        for name in self.lost_for_good:
            cluster.agents[name].power_off()  # nothing of what its daemon had started runs on
