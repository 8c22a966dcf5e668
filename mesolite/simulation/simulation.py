"""A cluster on virtual time, and what a test or a story does to it.

with Simulation(seed=7) as sim:
cluster = sim.cluster(agents=2, masters=3)
driver = cluster.run(MyScheduler(), framework="mine")
sim.settle()
sim.advance(75.0)
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Delivery
from mesolite.actors.trace import DEFAULT_RECORDS, Trace
from mesolite.machines import Machine
from mesolite.messages.base import Message
from mesolite.messages.resources import Resources
from mesolite.simulation.network import Rule, Verdict
from mesolite.simulation.virtual import VirtualRuntime
from mesolite.user_errors import KeepsUserErrors
from mesolite.wiring import DEFAULT_RESOURCES, Wiring

Kind = type[Any] | tuple[type[Any], ...] | None
Party = str | Machine | None


class SimulatedCluster(Wiring):
    """A cluster on virtual time. Nothing happens until the simulation is settled or advanced."""


class Hold:
    """Messages kept back until they are released."""

    def __init__(self, runtime: VirtualRuntime, rule: Rule) -> None:
        """Hold what the rule matches."""
        self._runtime = runtime
        self._rule = rule
        self._released = 0

    @property
    def count(self) -> int:
        """How many messages are or were held."""
        return self._rule.count

    @property
    def all(self) -> list[Any]:
        """The messages that are or were held, oldest first."""
        return self._rule.all

    def release(self) -> None:
        """Hold nothing more, and deliver what was held, in order."""
        self._runtime.network.remove(self._rule)
        parcels = self._rule.matched[self._released :]
        self._released += len(parcels)
        self._runtime.release(parcels)


class Simulation(KeepsUserErrors):
    """Virtual time, a seed, and a network that does as it is told. The same seed gives the same trace.

    What user code raises comes out of whatever lets things happen (`advance`, `settle`, `join`, an operator's verb),
    when the event it was raised in is handled in full: the simulation can be used on.
    """

    runtime: VirtualRuntime

    def __init__(
        self,
        seed: int = 0,
        *,
        settings: Settings | None = None,
        latency_s: tuple[float, float] = (0.0, 0.0),
        trace_records: int = DEFAULT_RECORDS,
    ) -> None:
        """Start at time 0. A message takes a random time within `latency_s`; by default none."""
        self.seed = seed
        self.settings = settings or Settings.mesos()
        self.trace = Trace(trace_records)
        self.runtime = VirtualRuntime(seed, self.trace, latency_s)
        self._cluster: SimulatedCluster | None = None

    def __enter__(self) -> Self:
        """Use it as a context manager, like a `Cluster`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave; there is nothing to clean up, no thread, process or file was made.

        What user code raised and nobody saw is raised now, or named in a note of what the body has raised.
        """
        self.runtime.user_errors.leave(value)

    def cluster(
        self, agents: int = 1, masters: int = 1, resources: str | Resources = DEFAULT_RESOURCES
    ) -> SimulatedCluster:
        """Start a cluster and return it ready: a leader elected, all agents registered.

        Raises:
            Refused: this simulation has a cluster already.
        """
        if self._cluster is not None:
            raise Refused("this simulation has a cluster already; make another Simulation for a second one")
        self._cluster = cluster = SimulatedCluster(
            self.runtime,
            self.settings,
            agents=agents,
            masters=masters,
            resources=resources,
            work_dir="/simulated",
        )
        waiting = list(cluster.agents.values())

        def ready() -> bool:
            # Asked after every event, so it looks only at what was not so before.
            while waiting and waiting[-1].registered:
                waiting.pop()
            return not waiting and cluster.leader is not None

        self.run_until(ready, timeout=60.0)
        self.settle()
        return cluster

    @property
    def started(self) -> SimulatedCluster | None:
        """The cluster of this simulation, None before there is one."""
        return self._cluster

    # ------------------------------------------------------------------------------------------------------- time

    @property
    def now(self) -> float:
        """Virtual seconds since the start."""
        return self.runtime.now()

    def settle(self) -> None:
        """Deliver everything that is due now, until nobody has anything to do; no timer of the future fires."""
        self.runtime.settle()

    def advance(self, seconds: float) -> None:
        """Let time pass, firing every timer on the way in order, settling at each instant."""
        self.runtime.advance(seconds)

    def run_until(self, done: Callable[[], object], timeout: float) -> None:
        """Let things happen and time pass until `done()` is true.

        Raises:
            TimeoutError: it was not, within so many virtual seconds.
        """
        if not self.runtime.wait(lambda: bool(done()), timeout):
            raise TimeoutError(f"not so within {timeout} virtual seconds (it is {self.now:.3f} now, seed {self.seed})")

    # ---------------------------------------------------------------------------------------------------- messages

    def expect(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
    ) -> Rule:
        """Observe messages from now on: `.count`, `.first`, `.all`. Seen means about to be handled (core.md LP-53)."""
        return self._rule(kind, sender, receiver, where, Verdict.DELIVER)

    def drop(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
        times: int | None = None,
    ) -> Rule:
        """Lose messages: the first so many, or all from now on."""
        return self._rule(kind, sender, receiver, where, Verdict.DROP, times)

    def hold(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
    ) -> Hold:
        """Keep messages back until `release()`."""
        return Hold(self.runtime, self._rule(kind, sender, receiver, where, Verdict.HOLD))

    def delay(self, seconds: float, kind: Kind = None, sender: Party = None, receiver: Party = None) -> Rule:
        """Let messages take so much longer; others of the same pair may overtake them."""
        rule = self._rule(kind, sender, receiver, None, Verdict.DELAY)
        rule.delay_s = seconds
        return rule

    def duplicate(
        self, kind: Kind = None, sender: Party = None, receiver: Party = None, times: int | None = None
    ) -> Rule:
        """Deliver messages twice."""
        return self._rule(kind, sender, receiver, None, Verdict.DUPLICATE, times)

    def forget(self, rule: Rule) -> None:
        """End an observation or a fault; what it has seen stays readable."""
        self.runtime.network.remove(rule)

    def inject(self, to: Party, message: Message, sender: Party = "outside") -> None:
        """Deliver a message as if `sender` had said it.

        Raises:
            Refused: there is nobody of that name.
        """
        seat = self.runtime.directory.find(self._name(to) or "")
        if seat is None:
            names = ", ".join(seat.name for seat in self.runtime.directory)
            raise Refused(f"there is nobody named {to} to inject {type(message).__name__} to; there are {names}")
        seat.ref.tell(Delivery(message, self._name(sender) or "outside", -1))

    def partition(self, one: Party, other: Party, *, both_ways: bool = True) -> None:
        """Let nothing pass between two parties, or only not from the first to the second; links do not break."""
        self.runtime.network.cut(self._existing(one), self._existing(other), both_ways=both_ways)

    def heal(self, one: Party = None, other: Party = None) -> None:
        """Undo partitions: all, those of one party, or those between two."""
        self.runtime.network.heal(self._name(one), self._name(other))

    # ------------------------------------------------------------------------------------------------------ inside

    def _rule(
        self,
        kind: Kind,
        sender: Party,
        receiver: Party,
        where: Callable[[Any], bool] | None,
        verdict: Verdict,
        times: int | None = None,
    ) -> Rule:
        return self.runtime.network.add(
            Rule(kind, self._name(sender), self._name(receiver), where, verdict, times)
        )

    def _name(self, party: Party) -> str | None:
        return party.name if isinstance(party, Machine) else party

    def _existing(self, party: Party) -> str:
        name = self._name(party)
        if name is None or self.runtime.directory.incarnation(name) == 0:
            names = ", ".join(seat.name for seat in self.runtime.directory)
            raise Refused(f"there never was anybody named {name}; there are {names}")
        return name
