"""The end of faults: everything that was disturbed is mended, and what must come true in the end has to."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from mesolite.actors.errors import Refused
from mesolite.messages.checking import Duration, checked_arguments, optional_seconds
from mesolite.simulation.choices import draw, stream
from mesolite.simulation.disrupting import Disrupting
from mesolite.simulation.network import Verdict
from mesolite.simulation.properties import Properties
from mesolite.wiring import Wiring

NEVER_RETURN = 3
"""Of so many agents that are dead when faults stop, one never returns, drawn from the seed."""

LEADER_S = 120.0
"""How long it may take until somebody leads again, once all masters run."""


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
    """

    seed: int
    faults: FaultSource | None

    @property
    @abstractmethod
    def started(self) -> Wiring | None:
        """The cluster of this simulation, None before there is one."""

    @checked_arguments
    def recover(self, within: Duration | None = None) -> None:
        """Mend all that was disturbed, and wait for what must come true eventually.

        No more faults are made; partitions heal, and break links that have lost something; what is held is let go, what
        is dropped, delayed or said twice is so no more; disks are sound; who was paused goes on; who is dead is started
        again. But of three agents or more that there are, some of the dead never return: on a real cluster, too, some
        do not. Then every `sim.eventually` has to come true, within its own time or within the one given here.

        Raises:
            PropertyViolated: one of them has not.
            Refused: nobody leads two minutes after everything was mended.
        """
        done = self._did("recover", ())
        if self.faults is not None:
            self.faults.stop()
        self._mend(done)
        if self.started is not None:
            if not self.runtime.wait(self._leads, LEADER_S):
                raise Refused(f"nobody leads {LEADER_S:g} s after everything was mended:\n{self.runtime.situation()}")
            if self.faults is not None:
                self.faults.undo()
        self.stated.recovered = True
        self._demand(optional_seconds(within))

    def _leads(self) -> bool:
        return self.started is not None and self.started.leader is not None

    def _mend(self, done: int) -> None:
        network = self.runtime.network
        for rule in network.rules:
            network.remove(rule)
            if rule.verdict is Verdict.HOLD:
                self.runtime.release(rule.take_matched(), done)
        self.heal()
        for disk in self.runtime.disks.values():
            disk.mend()
        for seat in self.runtime.directory:
            if seat.inbox.paused:
                self.runtime.resume(seat)
        if self.started is not None:
            self._restart(self.started)

    def _restart(self, cluster: Wiring) -> None:
        """Start the dead again: all masters, and all agents but those that never return."""
        for master in cluster.masters.values():
            if not master.alive:
                master.restart()
        begin = stream(self.seed, "never returns")
        dead = [agent for agent in cluster.agents.values() if not agent.alive]
        missing = len(cluster.agents) // NEVER_RETURN
        for number, agent in enumerate(dead):
            if missing and draw(begin, number) * NEVER_RETURN < 1.0:
                missing -= 1
            else:
                agent.restart()
