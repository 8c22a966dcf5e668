"""A cluster on virtual time, and what a test or a story does to it.

with Simulation(seed=7) as sim:
cluster = sim.cluster(agents=2, masters=3)
driver = cluster.run(MyScheduler(), framework="mine")
sim.settle()
sim.advance(75.0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import TracebackType
from typing import Any, Self

import mesolite
from mesolite.actors.decisions.contract import PeerExited
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import InvalidValue, Refused
from mesolite.actors.role import OUTSIDE
from mesolite.actors.runtime.port import Delivery
from mesolite.actors.trace import DEFAULT_RECORDS, Code, Done, Trace
from mesolite.drivers import Driver
from mesolite.machines import AnyResources, Machine
from mesolite.messages.base import Message
from mesolite.messages.checking import (
    Count,
    Duration,
    Name,
    SomeCount,
    Timeout,
    checked_arguments,
    in_seconds,
    misfit,
)
from mesolite.simulation.choices import Order, order_of
from mesolite.simulation.hold import Hold
from mesolite.simulation.messages_in_flight import MessageInFlight
from mesolite.simulation.network import Rule, Verdict
from mesolite.simulation.standstill import PERIODS, some
from mesolite.simulation.virtual import VirtualRuntime
from mesolite.user_errors import KeepsUserErrors
from mesolite.waiting import words
from mesolite.wiring import DEFAULT_RESOURCES, Wiring

Kind = type[Message] | type[PeerExited] | Iterable[type[Message] | type[PeerExited]] | None
Party = Name | Machine | Driver | None


class SimulatedCluster(Wiring):
    """A cluster on virtual time. Nothing happens until the simulation is settled or advanced."""


class Simulation(KeepsUserErrors):
    """Virtual time, a seed, and a network that does as it is told. The same seed gives the same trace.

    What user code raises comes out of whatever lets things happen (`advance`, `settle`, `join`, an operator's verb),
    when the event it was raised in is handled in full: the simulation can be used on.

    Attributes:
        seed: what every random choice is drawn from.
        settings: the timings and limits in force, by default `Settings.mesos()`.
        trace: what happened: `print(sim.trace.text())`, the `story` of one task or agent, the `hash` of all of it.
    """

    runtime: VirtualRuntime

    @checked_arguments
    def __init__(
        self,
        seed: int = 0,
        *,
        settings: Settings | None = None,
        latency_s: tuple[Duration, Duration] = (0.0, 0.0),
        trace_records: Count = DEFAULT_RECORDS,
        encoded_store: bool = True,
        order: str | Order = "random",
    ) -> None:
        """Start at time 0. A message takes a random time within `latency_s`; by default none.

        `order`: which of the messages that are due at one instant goes first. "random": the seed postpones some of
        them; "fifo": first in, first out. On one channel nothing ever overtakes.

        What parties save, such as the registry and the tasks of checkpointing frameworks, is encoded and read back as
        on a real cluster, so that what cannot be stored there fails here. A very large simulation can spare that time
        with `encoded_store=False` (docs/performance.md).
        """
        self.seed = seed
        self.settings = settings or Settings.mesos()
        self.trace = Trace(trace_records)
        changed = self.settings.changed()
        self.trace.describe(version=mesolite.__version__, virtual=True, seed=seed, settings=changed)
        shortest, longest = map(in_seconds, latency_s)
        if shortest > longest:
            raise InvalidValue(f"a latency from {shortest:g} to {longest:g} s cannot be; give the shorter one first")
        standstill_s = PERIODS * self.settings.silence_noticed_s
        self.runtime = VirtualRuntime(
            seed, self.trace, (shortest, longest), standstill_s, encoded_store, order_of(order, seed)
        )
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

    @checked_arguments
    def cluster(
        self, agents: Count = 1, masters: SomeCount = 1, resources: AnyResources = DEFAULT_RESOURCES
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

    @property
    def in_flight(self) -> tuple[MessageInFlight, ...]:
        """The messages in flight now, in order of arrival: due now, then those that still take their time."""
        return self.runtime.messages_in_flight()

    # ------------------------------------------------------------------------------------------------------- time

    @property
    def now(self) -> float:
        """Virtual seconds since the start."""
        return self.runtime.now()

    def settle(self) -> None:
        """Deliver everything that is due now, until nobody has anything to do; no timer of the future fires."""
        self.runtime.settle()

    @checked_arguments
    def advance(self, seconds: Duration) -> None:
        """Let time pass, firing every timer on the way in order, settling at each instant."""
        self.runtime.advance(in_seconds(seconds))

    @checked_arguments
    def run_until(self, done: Callable[[], object], timeout: Timeout) -> None:
        """Let things happen and time pass until `done()` is true.

        Raises:
            TimeoutError: it was not, within so many virtual seconds.
            NothingToWaitFor: `timeout` is infinite, and nothing is to come but pings, heartbeats and retries.
        """
        seconds = in_seconds(timeout)
        if not self.runtime.wait(lambda: bool(done()), seconds):
            ended = self.runtime.directory.ended()
            raise TimeoutError(
                f"not so within {seconds:g} virtual seconds (it is {self.now:.3f} now, seed {self.seed}): {words(done)}"
                + (f"; ended by now: {some(ended)}" if ended else "")
            )

    wait_until = run_until
    """As a cluster calls it."""

    # ---------------------------------------------------------------------------------------------------- messages

    @checked_arguments
    def observe(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
    ) -> Rule:
        """Observe messages from now on: `.count`, `.first`, `.all`. Seen means about to be handled (core.md LP-53).

        Sender and receiver, here and in the faults below, may be parties that are yet to come: agents to be added,
        frameworks, executors. So any name is taken, `agent-9` too, but one that nobody ever had and that is nearly that
        of somebody: `agnet-1` is a slip of the pen.

        Raises:
            Refused: there never was anybody of that name, but somebody of nearly the same.
        """
        return self._rule(kind, sender, receiver, where, Verdict.DELIVER)

    expect = observe
    """The same, where a test means to look whether it came."""

    @checked_arguments
    def wait_for(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
        *,
        timeout: Timeout,
    ) -> Any:
        """Let things happen and time pass until such a message is about to be handled, and return it.

        Raises:
            TimeoutError: none was, within so many virtual seconds.
            NothingToWaitFor: `timeout` is infinite, and nothing is to come but pings, heartbeats and retries.
        """
        seen = self.observe(kind, sender, receiver, where)
        try:
            if not self.runtime.wait(lambda: seen.count > 0, in_seconds(timeout)):
                waited = f"within {in_seconds(timeout):g} virtual seconds (it is {self.now:.3f} now, seed {self.seed})"
                raise TimeoutError(f"there was no {seen.describe()} {waited}")
        finally:
            self.forget(seen)
        return seen.first

    @checked_arguments
    def drop(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Rule:
        """Lose messages: the first so many, or all from now on.

        Nobody learns of it, which no real connection does: TCP loses nothing without breaking. It is for messages that
        are said again, or for seeing what would be if one were not; where that matters, use `partition` and `heal`.
        """
        return self._rule(kind, sender, receiver, where, Verdict.DROP, times)

    @checked_arguments
    def hold(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Hold:
        """Keep messages back, the first so many or all, until `release()` or `drop()`."""
        return Hold(self.runtime, self._rule(kind, sender, receiver, where, Verdict.HOLD, times))

    @checked_arguments
    def delay(
        self,
        seconds: Duration,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Rule:
        """Let messages take so much longer; others of the same pair may overtake them."""
        return self._rule(kind, sender, receiver, where, Verdict.DELAY, times, in_seconds(seconds))

    @checked_arguments
    def duplicate(
        self,
        kind: Kind = None,
        sender: Party = None,
        receiver: Party = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Rule:
        """Deliver messages twice."""
        return self._rule(kind, sender, receiver, where, Verdict.DUPLICATE, times)

    @checked_arguments
    def forget(self, rule: Rule) -> None:
        """End an observation or a fault; what it has seen stays readable."""
        if rule.code:
            self._did("forget", (rule.sender, rule.receiver), Code(rule.code), cause=rule.by)
        self.runtime.network.remove(rule)

    @checked_arguments
    def inject(self, to: Party, message: Message | PeerExited, sender: Party = OUTSIDE) -> None:
        """Deliver a message as if `sender` had said it.

        Raises:
            Refused: there is nobody of that name.
        """
        if why_not := misfit(message):
            raise InvalidValue(why_not)
        seat = self.runtime.directory.find(self._name(to) or "")
        if seat is None:
            names = ", ".join(seat.name for seat in self.runtime.directory)
            raise Refused(f"there is nobody named {to} to inject {type(message).__name__} to; there are {names}")
        by, said = self._name(sender) or OUTSIDE, Code(f"{type(message).__name__}(...)")
        done = self._did("inject", (seat.name,), seat.name, said, sender=None if by == OUTSIDE else by)
        seat.ref.tell(Delivery(message, by, done))

    @checked_arguments
    def partition(self, one: Party, other: Party, *, both_ways: bool = True) -> None:
        """Let nothing pass between two parties, or only not from the first to the second.

        Nobody is told while it lasts. When it heals, a connection has broken that has lost what nobody says again.
        """
        pair = self._existing(one), self._existing(other)
        done = self._did("partition", pair, *pair, both_ways=None if both_ways else False)
        self.runtime.network.cut(*pair, both_ways=both_ways, by=done)

    @checked_arguments
    def heal(self, one: Party = None, other: Party = None) -> None:
        """Undo partitions: all, those of one party, or those between two.

        Parties that missed something of each other learn that their connection broke: an agent re-registers, a driver
        subscribes again, and what was lost comes out. Who ended meanwhile is known to have ended (core.md LP-28).
        """
        pair = self._name(one), self._name(other)
        self.runtime.heal(*pair, self._did("heal", pair, *pair))

    # ------------------------------------------------------------------------------------------------------ inside

    def _rule(
        self,
        kind: Kind,
        sender: Party,
        receiver: Party,
        where: Callable[[Any], bool] | None,
        verdict: Verdict,
        times: Count | None = None,
        delay_s: float = 0.0,
    ) -> Rule:
        kinds = kind if isinstance(kind, type | None) else tuple(kind)
        rule = Rule(kinds, self._known(sender), self._known(receiver), where, verdict, times, delay_s)
        if verdict is not Verdict.DELIVER:  # who only looks does nothing
            done = rule.done()
            rule.by, rule.code = self._record(done), done.code
        return self.runtime.network.add(rule)

    def _did(self, verb: str, about: tuple[str | None, ...], *given: object, cause: int = -1, **named: object) -> int:
        """Record what hands did; returns the record, of which comes what follows."""
        return self._record(Done.by_sim(verb, about, *given, **named), cause)

    def _record(self, done: Done, cause: int = -1) -> int:
        return self.trace.record(self.now, "", OUTSIDE, done, (), cause)

    def _name(self, party: Party) -> str | None:
        return party.name if isinstance(party, Machine | Driver) else party

    def _known(self, party: Party) -> str | None:
        """The name of somebody who is or was there, or may come yet; not one that looks like a slip of the pen.

        Names that differ in their last number only are no slips: agent-9 may be added yet, agnet-1 will not. Nor are
        those of executors and registrars looked at, which have a slash in them.
        """
        name, directory = self._name(party), self.runtime.directory
        if name is None or "/" in name or directory.incarnation(name):
            return name
        series = name.rstrip("0123456789")
        everybody = [seat.name for seat in directory] + directory.ended()
        known = [other for other in everybody if other.rstrip("0123456789") != series]
        if near := get_close_matches(name, known, 1, cutoff=0.8):
            raise Refused(f"there never was anybody named {name}; perhaps {near[0]} is meant, or start it first")
        return name

    def _existing(self, party: Party) -> str:
        name = self._name(party)
        if name is None or self.runtime.directory.incarnation(name) == 0:
            names = ", ".join(seat.name for seat in self.runtime.directory)
            raise Refused(f"there never was anybody named {name}; there are {names}")
        return name
