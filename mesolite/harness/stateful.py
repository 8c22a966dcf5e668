"""State machines of Hypothesis whose rules are what happens to a cluster: inherit, and add rules of your own.

    class Keeps(ClusterMachine):
        def start(self):
            self.driver = self.cluster.run(MyScheduler(), framework="mine")

        @invariant()
        def no_task_runs_twice(self): ...

    TestKeeps = Keeps.TestCase

Hypothesis draws which rules are carried out, in which order, and with which arguments; what fails it makes small. The
order of messages is the seed's, as a run has more choices of that than Hypothesis can hold: that is for `explore`.
Only this module needs hypothesis. docs/stateful.md describes it for users.
"""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from typing import Any, ClassVar

try:
    from hypothesis import Phase, currently_in_test_context, note
    from hypothesis import settings as hypothesis_settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
except ImportError as missing:
    raise ImportError(
        "mesolite.harness.stateful needs hypothesis, which is not installed: pip install 'mesolite[hypothesis]'"
    ) from missing

from mesolite.actors.decisions.settings import Settings
from mesolite.harness.checkers import Checker
from mesolite.harness.run import Running, Setting, watched
from mesolite.harness.script import Injection
from mesolite.harness.story import story
from mesolite.simulation.simulation import SimulatedCluster, Simulation

__all__ = ["ClusterMachine", "initialize", "invariant", "precondition", "rule"]

SECONDS = (1, 5, 20, 60, 120)
"""How long a step may let time pass: long enough for an answer, a retry, or a silence to be noticed."""

GRACES = (0, 5, 30)
"""How long a drain gives tasks at most, or a reclaim all together."""

SEEDS = 2**16

Names = Callable[["ClusterMachine"], list[str]]
"""The actors of some kind that there are at a step."""

Mark = Callable[[Callable[..., None]], Callable[..., None]]
"""Makes a rule of a method."""


def _drawn_from(names: Names) -> st.SearchStrategy[str]:
    """One of the actors that there are at this step, by name, so that a failing example can be read."""
    return st.runner().flatmap(lambda machine: st.sampled_from(names(machine)))


def _where_there_is(names: Names) -> Mark:
    """The rule is carried out only where there is somebody of that kind."""
    where: Mark = precondition(lambda machine: bool(names(machine)))
    return where


def _seed(machine: ClusterMachine) -> st.SearchStrategy[int]:
    return st.integers(0, SEEDS) if machine.seed is None else st.just(machine.seed)


def _agents_up(machine: ClusterMachine) -> list[str]:
    return [name for name, agent in machine.cluster.agents.items() if agent.alive]


def _agents_down(machine: ClusterMachine) -> list[str]:
    return [name for name, agent in machine.cluster.agents.items() if not agent.alive]


def _masters_up(machine: ClusterMachine) -> list[str]:
    return [name for name, master in machine.cluster.masters.items() if master.alive]


def _masters_down(machine: ClusterMachine) -> list[str]:
    return [name for name, master in machine.cluster.masters.items() if not master.alive]


def _registered(machine: ClusterMachine) -> list[str]:
    return [agent.name for agent in machine.sim.view.agents]


def _asked(machine: ClusterMachine) -> list[str]:
    running = machine.running.injector.injected
    return list(dict.fromkeys(str(each.injection.argument("agent")) for each in running if not each.ended))


def _cuts(machine: ClusterMachine) -> list[str]:
    return [receiver for _, receiver in machine.sim.runtime.network.cuts]


def _frameworks(machine: ClusterMachine) -> list[str]:
    return [name for name, driver in machine.cluster.frameworks.items() if driver.still_running]


def _happens(**arguments: st.SearchStrategy[Any]) -> Mark:
    """A rule that does something, and then lets `wait` seconds pass: with 0 the next one comes before any answer."""
    drawn: dict[str, Any] = {**arguments, "wait": st.sampled_from((0, *SECONDS))}
    make_rule: Callable[..., Mark] = rule

    def mark(method: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(method)
        def happen(self: ClusterMachine, *given: Any, wait: float = 0, **named: Any) -> None:
            method(self, *given, **named)
            if wait:
                self.sim.advance(wait)

        return make_rule(**drawn)(happen)

    return mark


def _calls_super(method: Any) -> bool:
    """Whether it goes on to what it stands before."""
    code = getattr(getattr(method, "function", method), "__code__", None)
    return code is None or "super" in code.co_names


class ClusterMachine(RuleBasedStateMachine):
    """What happens to a cluster, as rules. Override `start`, add rules and invariants, take its `TestCase` as a test.

    Each rule does one thing, and lets `wait` seconds pass then; called from a rule of yours it waits for nothing.

    Checkers look on all the time. At the end everything is mended, as with `sim.recover()`: what was stated with
    `sim.eventually` has to come true, and the checkers see whether all that was begun has ended.

    Attributes:
        agents: how many agents there are.
        masters: how many masters.
        seed: of the simulation; None: Hypothesis draws one for each example.
        latency: between which times a message takes, in seconds.
        settings: those of the simulation; None: Mesos's.
        without: the names of checkers that are off.
        checkers: checkers to be on besides, each a class or a function that makes one.
        sim: the simulation of this example.
        cluster: its cluster.
        running: for the harness: what is known of this example.
    """

    agents: ClassVar[int] = 3
    masters: ClassVar[int] = 2
    seed: ClassVar[int | None] = 0
    latency: ClassVar[tuple[float, float]] = (0.0, 0.0)
    settings: ClassVar[Settings | None] = None
    without: ClassVar[tuple[str, ...]] = ()
    checkers: ClassVar[tuple[Callable[[], Checker], ...]] = ()

    sim: Simulation
    cluster: SimulatedCluster
    running: Running

    def __init_subclass__(cls, **given: Any) -> None:
        """Leave out what explains a failure by lines of code: it takes ten times as long, and names lines of ours.

        Raises:
            TypeError: the subclass hides what makes the cluster.
        """
        super().__init_subclass__(**given)
        hidden = [name for name in ("begin", "teardown") if name in vars(cls) and not _calls_super(vars(cls)[name])]
        if hidden:
            name = hidden[0]
            instead = "start your schedulers in start()" if name == "begin" else f"call super().{name}() in it"
            raise TypeError(f"{cls.__name__}.{name} hides what every example needs; {instead}")
        phases = [phase for phase in Phase if phase is not Phase.explain]
        cls.TestCase.settings = hypothesis_settings(cls.TestCase.settings, phases=phases)

    def __init__(self) -> None:
        """Begin an example; the cluster is made by its first step."""
        super().__init__()
        self._raised_before = sys.exc_info()[1]

    def start(self) -> None:
        """Start your schedulers, and state what must come true: called when the cluster is ready."""

    @initialize(seed=st.runner().flatmap(_seed))
    def begin(self, seed: int) -> None:
        """Make the cluster."""
        self.sim = Simulation(seed, settings=self.settings, latency=self.latency)
        self.running = watched(self.sim, Setting(without=self.without, besides=self.checkers))
        self.cluster = self.sim.cluster(agents=self.agents, masters=self.masters)
        self.start()

    def teardown(self) -> None:
        """Mend everything, and let properties and checkers have their say; or say what led to the failure."""
        if not hasattr(self, "cluster"):
            return
        if sys.exc_info()[1] is not self._raised_before:
            self._tell(sys.exc_info()[1])
            return
        try:
            self.sim.recover()
            self.running.end()
            self.sim.raise_user_errors()
        except Exception as error:
            self._tell(error)
            raise

    # ------------------------------------------------------------------------------------------------------- rules

    @rule(seconds=st.sampled_from(SECONDS))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.sim.advance(seconds)

    @_where_there_is(_agents_up)
    @_happens(agent=_drawn_from(_agents_up))
    def crash(self, agent: str) -> None:
        """An agent's daemon dies; what it had started runs on."""
        self.cluster.agents[agent].crash()

    @_where_there_is(_agents_up)
    @_happens(agent=_drawn_from(_agents_up))
    def power_off(self, agent: str) -> None:
        """A machine goes silent, with all that ran on it."""
        self.cluster.agents[agent].power_off()

    @_where_there_is(_agents_up)
    @_happens(agent=_drawn_from(_agents_up))
    def unregister(self, agent: str) -> None:
        """An agent is told to leave at once, by SIGUSR1."""
        self.cluster.agents[agent].signal(signal.SIGUSR1)

    @_where_there_is(_agents_down)
    @_happens(agent=_drawn_from(_agents_down), anew=st.booleans())
    def restart(self, agent: str, anew: bool) -> None:
        """An agent that is down comes back; `anew`: without what it had stored."""
        self.cluster.agents[agent].restart(anew=anew)

    @_where_there_is(_masters_up)
    @_happens(master=_drawn_from(_masters_up))
    def crash_master(self, master: str) -> None:
        """A master dies, leading or not."""
        self.cluster.masters[master].crash()

    @_where_there_is(_masters_down)
    @_happens(master=_drawn_from(_masters_down))
    def restart_master(self, master: str) -> None:
        """A master that is down comes back."""
        self.cluster.masters[master].restart()

    @_happens(agent=_drawn_from(lambda machine: list(machine.cluster.agents)))
    def partition(self, agent: str) -> None:
        """Nothing passes between an agent and all masters."""
        self.sim.partition(agent, list(self.cluster.masters))

    @_where_there_is(_frameworks)
    @_happens(framework=_drawn_from(_frameworks))
    def partition_framework(self, framework: str) -> None:
        """Nothing passes between a scheduler and all masters."""
        self.sim.partition(framework, list(self.cluster.masters))

    @_where_there_is(_cuts)
    @_happens()
    def heal(self) -> None:
        """All partitions end."""
        self.sim.heal()

    @_where_there_is(_registered)
    @_happens(agent=_drawn_from(_registered), grace=st.sampled_from(GRACES))
    def drain(self, agent: str, grace: float) -> None:
        """An operator asks for a drain, and does not wait for it."""
        self._ask("drain", agent=agent, max_grace_period=grace)

    @_where_there_is(_registered)
    @_happens(agent=_drawn_from(_registered))
    def deactivate(self, agent: str) -> None:
        """An operator wants nothing more to be offered of an agent."""
        self._ask("deactivate", agent=agent)

    @_where_there_is(_registered)
    @_happens(agent=_drawn_from(_registered), within=st.sampled_from(GRACES))
    def reclaim(self, agent: str, within: float) -> None:
        """An operator wants everything on an agent back within a time."""
        self._ask("reclaim", agent=agent, within=within)

    @_where_there_is(_registered)
    @_happens(agent=_drawn_from(_registered))
    def mark_gone(self, agent: str) -> None:
        """An operator says that an agent is gone for good; its machine may come back as another."""
        self._ask("mark_gone", agent=agent)

    @_where_there_is(_asked)
    @_happens(agent=_drawn_from(_asked))
    def take_back(self, agent: str) -> None:
        """An operator takes back what was asked of an agent: it is reactivated, and what is reclaimed is released."""
        injector = self.running.injector
        for injected in injector.injected:
            if injected.injection.argument("agent") == agent:
                injector.end(injected)

    # ------------------------------------------------------------------------------------------------------ inside

    def _tell(self, error: BaseException | None) -> None:
        """Let the report of a failing example say what led to it. Steps that are called by hand have no report."""
        if currently_in_test_context():
            note(story(self.sim, error))

    def _ask(self, kind: str, **arguments: Any) -> None:
        injection = Injection(kind=kind, at=self.sim.now, arguments=tuple(arguments.items()))
        self.running.injector.begin(injection)
