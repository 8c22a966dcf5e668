"""A cluster on virtual time, and what a test or a story does to it.

with Simulation(seed=7) as sim:
cluster = sim.cluster(agents=2, masters=3)
driver = cluster.run(MyScheduler(), framework="mine")
sim.settle()
sim.advance(75.0)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import InvalidValue, Refused
from mesolite.actors.trace import DEFAULT_RECORDS, Trace
from mesolite.http import Http
from mesolite.machines import AnyResources
from mesolite.messages.checking import (
    Count,
    Duration,
    SomeCount,
    Timeout,
    checked_arguments,
    in_seconds,
)
from mesolite.simulation.beliefs import BeliefOf, Beliefs, Disagreement, driver_of
from mesolite.simulation.choices import Order, order_of
from mesolite.simulation.messages_in_flight import MessageInFlight
from mesolite.simulation.probe import Probing
from mesolite.simulation.properties import Stated
from mesolite.simulation.recovering import Recovering
from mesolite.simulation.scripting import Scripting
from mesolite.simulation.standstill import PERIODS, some
from mesolite.simulation.view import View
from mesolite.simulation.virtual import VirtualRuntime
from mesolite.user_errors import KeepsUserErrors
from mesolite.version import __version__
from mesolite.waiting import words
from mesolite.wiring import DEFAULT_RESOURCES, Wiring

if TYPE_CHECKING:
    from mesolite.simulation.http_client import HttpClient, SimulatedPorts

EPOCH_S = 1_400_000_000.0
"""What the world's clock reads at virtual time 0, where times are told by it: in May 2014."""

SIGNATURE = "executors of a simulation"
"""What the tokens of executors are signed with, where nobody could steal one."""


class SimulatedCluster(Wiring):
    """A cluster on virtual time. Nothing happens until the simulation is settled or advanced."""

    _ports: SimulatedPorts | None = None

    @classmethod
    def with_http(cls, runtime: VirtualRuntime, settings: Settings, http: Http, **made_of: Any) -> Self:
        """A cluster that speaks HTTP, to clients of this simulation (`client`)."""
        from mesolite.gateway.gateway import Gateway  # noqa: PLC0415  only who wants it pays for it
        from mesolite.simulation.http_client import SimulatedPorts  # noqa: PLC0415  only who wants it pays for it

        ports = SimulatedPorts()
        gateway = Gateway(runtime, settings, http, ports, epoch_s=EPOCH_S, secret=SIGNATURE)
        cluster = cls(runtime, settings, gateway=gateway, **made_of)
        cluster._ports = ports
        return cluster

    @property
    def speaks_http(self) -> bool:
        """Whether it was made with `http=True`."""
        return self._ports is not None

    @property
    def client(self) -> HttpClient:
        """A client that speaks HTTP with this cluster, as a scheduler of another language would.

        Raises:
            Refused: this cluster does not speak HTTP.
        """
        from mesolite.simulation.http_client import HttpClient  # noqa: PLC0415  only who wants it pays for it

        if self._ports is None:
            raise Refused("this cluster does not speak HTTP; make it with sim.cluster(http=True)")
        return HttpClient(self._ports)


class Simulation(Scripting, Recovering, Probing, KeepsUserErrors):
    """Virtual time, a seed, and a network that does as it is told. The same seed gives the same trace.

    What user code raises comes out of whatever lets things happen (`advance`, `settle`, `join`, an operator's verb),
    when the event it was raised in is handled in full: the simulation can be used on.

    Attributes:
        seed: what every random choice is drawn from.
        settings: the timings and limits in force, by default `Settings.mesos()`.
        latency_s: between which times a message takes, in seconds.
        trace: what happened: `print(sim.trace.text())`, the `story` of one task or agent, the `hash` of all of it.
        stated: for the harness: what `always`, `eventually` and `sometimes` were given.
        faults: for the harness: who makes faults during this run; None: only the test itself.
    """

    runtime: VirtualRuntime

    @checked_arguments
    def __init__(
        self,
        seed: int = 0,
        *,
        settings: Settings | None = None,
        latency: tuple[Duration, Duration] = (0.0, 0.0),
        trace_records: Count = DEFAULT_RECORDS,
        encoded_store: bool = True,
        order: str | Order = "random",
        latency_s: tuple[Duration, Duration] | None = None,
    ) -> None:
        """Start at time 0. A message takes a random number of seconds within `latency`, by default none; `latency_s`
        is the former name of that.

        `order`: which of the messages that are due at one instant goes first. "random": the seed postpones some of
        them; "fifo": first in, first out. On one channel nothing ever overtakes.

        What actors save, such as the registry and the tasks of checkpointing frameworks, is encoded and read back as
        on a real cluster, so that what cannot be stored there fails here. A very large simulation can spare that time
        with `encoded_store=False` (docs/performance.md).
        """
        self.seed = seed
        self.settings = settings or Settings.mesos()
        self.trace = Trace(trace_records)
        changed = self.settings.changed()
        self.trace.describe(version=__version__, virtual=True, seed=seed, settings=changed)
        shortest, longest = map(in_seconds, latency if latency_s is None else latency_s)
        if shortest > longest:
            raise InvalidValue(f"a latency from {shortest:g} to {longest:g} s cannot be; give the shorter one first")
        self.latency_s = (shortest, longest)
        standstill_s = PERIODS * self.settings.silence_noticed_s
        self.runtime = VirtualRuntime(
            seed, self.trace, self.latency_s, standstill_s, encoded_store, order_of(order, seed)
        )
        self._is_ready = False
        self.stated = Stated()
        self.faults = None
        self._cluster: SimulatedCluster | None = None
        self._view = View(self.runtime, lambda: self._cluster)
        self._beliefs = Beliefs(self.runtime, self._view)

    def __enter__(self) -> Self:
        """Use it as a context manager, like a `Cluster`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave; there is nothing to clean up, no thread, process or file was made.

        What must come true eventually has to now, unless `recover()` was called. What user code raised and nobody saw
        is raised now, or named in a note of what the body has raised.
        """
        if value is None and not self.stated.recovered:
            self.recover()
        self.runtime.user_errors.leave(value)

    @checked_arguments
    def cluster(
        self,
        agents: Count = 1,
        masters: SomeCount = 1,
        resources: AnyResources = DEFAULT_RESOURCES,
        *,
        http: bool | Http = False,
    ) -> SimulatedCluster:
        """Start a cluster and return it ready: a leader elected, all agents registered.

        `http`: it speaks Mesos's v1 HTTP interface with `cluster.client`, without a socket (docs/clients.md); with
        `Http(credentials=...)` whoever calls must give them.

        Raises:
            Refused: this simulation has a cluster already.
        """
        if self._cluster is not None:
            raise Refused("this simulation has a cluster already; make another Simulation for a second one")
        make: Callable[..., SimulatedCluster] = SimulatedCluster
        if http is not False:
            make = partial(SimulatedCluster.with_http, http=Http.of(http))
        self._cluster = cluster = make(
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
        self._is_ready = True
        return cluster

    @property
    def is_ready(self) -> bool:
        """Whether there is a cluster that has come up: from then on it may be disturbed."""
        return self._is_ready

    @property
    def started(self) -> SimulatedCluster | None:
        """The cluster of this simulation, None before there is one."""
        return self._cluster

    @property
    def in_flight(self) -> tuple[MessageInFlight, ...]:
        """The messages in flight now, in order of arrival: due now, then those that still take their time."""
        return self.runtime.messages_in_flight()

    @property
    def view(self) -> View:
        """What is alive, and what the leading master has, to be looked at from anywhere without changing the run."""
        return self._view

    @checked_arguments
    def disagreements(
        self, driver: Any, belief: BeliefOf | None = None, *, older_than: Duration = 0.0
    ) -> tuple[Disagreement, ...]:
        """The tasks of a framework that its scheduler, the leader and their agents disagree about, the oldest first.

        `driver`: what `cluster.run` returned, its name, or a driver of another interface, as of `compat.pymesos`.
        `belief(scheduler)` says what the scheduler believes, as `{task_id: state}`; by default what its callbacks were
        told and what it has launched. `older_than`: only what is disagreed about for at least so many seconds. Of a
        driver that has ended there is nothing. Looking changes nothing: it may be asked in a property or a callback.

        Raises:
            InvalidValue: there is no such driver, or what `belief` returns is none.
        """
        native = driver_of(self._cluster, driver)
        assert self._cluster is not None, "where a driver is known there is a cluster"
        return self._beliefs.disagreements(self._cluster, native, belief, in_seconds(older_than))

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
