"""The scenario of a seed: how big its cluster is, who runs on it, what is asked of it, and when."""

from __future__ import annotations

import random
from collections.abc import Callable

import attrs

from mesolite import FrameworkInfo, OutcomeUnknown, Reclaim, Refused, Settings, Simulation
from mesolite.harness import Faults, reached
from mesolite.harness.explore import Plan
from mesolite.machines import AgentMachine
from tests.inside import alive
from tests.seeds.acts import TROUBLES, VERBS, Act
from tests.seeds.frameworks import EXECUTORS, KINDS, View, Worker, make_view

TIMINGS = Settings.mesos().but(
    agent_ping_timeout_s=4.0,
    max_agent_ping_timeouts=3,
    agent_reregister_timeout_s=30.0,
    registration_backoff_max_s=4.0,
    subscription_backoff_max_s=4.0,
    session_timeout_s=8.0,
    status_update_retry_s=4.0,
    status_update_retry_max_s=16.0,
    executor_registration_timeout_s=15.0,
    executor_recovery_timeout_s=30.0,
    executor_ack_limit_s=20.0,
    registry_max_agent_age_s=20.0,
)
"""Mesos's proportions in a fifth of its time: a seed must see time-outs run out, and be over soon."""

def settings(seed: int) -> Settings:
    """The settings of a seed."""
    draw = random.Random(f"settings {seed}")
    return TIMINGS.but(
        agent_removal_interval_s=draw.choice((0.0, 0.0, 5.0)),
        offer_timeout_s=draw.choice((None, 15.0)),
        registry_gc_interval_s=draw.choice((900.0, 15.0)),
        past_drains_max=draw.choice((100, 2)),
    )


class World:
    """One seed: its cluster, its frameworks, and what is done to them."""

    def __init__(self, sim: Simulation) -> None:
        """Start the cluster and its frameworks; everything about them is drawn from the seed."""
        self.sim = sim
        self.draw = draw = random.Random(f"seed {sim.seed}")
        self.cluster = sim.cluster(
            agents=draw.randint(2, 4), masters=draw.randint(1, 3), resources="cpus:4;mem:2048"
        )
        self.operator = self.cluster.operator
        if draw.random() < 0.2:
            self.cluster.add_agent("agent-5", "cpus:2;mem:1024", hostname="agent-1")
        self.views: list[View] = []
        self.reclaims: list[Reclaim] = []
        for number in range(1, draw.randint(1, 4) + 1):
            view = make_view(draw.choice(KINDS), number, sim.seed)
            self.views.append(view)
            self._run(view, view.info)

    def do(self, act: Act, number: int) -> None:
        """Do it, with draws of its own: one act more or less changes no other."""
        self.draw = random.Random(f"{self.sim.seed} act {number}")
        act(self)

    def ask(self, verb: Callable[..., object], *arguments: object, **more: object) -> object:
        """Ask for something. OfferFilters are fine; what others ask meanwhile they ask before it is answered."""
        reached(f"asked to {verb.__name__}")
        try:
            return verb(*arguments, **more)
        except (Refused, OutcomeUnknown) as refusal:
            reached(f"{type(refusal).__name__}: {verb.__name__}")
            return None

    def later(self, act: Callable[[], object], within_s: float) -> None:
        """Do this after a random time."""
        self.sim.at(self.sim.now + self.draw.uniform(0.0, within_s), act)

    # ----------------------------------------------------------------------------------------------------------- agents

    def an_agent(self) -> AgentMachine:
        """Any agent, running or not."""
        return self.draw.choice(list(self.cluster.agents.values()))

    def away_for_a_while(self, agent: AgentMachine) -> None:
        """Let an agent's process die and come back."""
        if agent.alive:
            agent.crash()
        self.later(lambda: None if agent.alive or agent.name in self.sim.lost_for_good else agent.restart(), 12.0)

    def down(self) -> list[str]:
        """The addresses of the machines that are down."""
        state = self.sim.view.state
        return [] if state is None else [each["ip"] for each in state["maintenance"]["status"]["down_machines"]]

    # ------------------------------------------------------------------------------------------------------- frameworks

    def _run(self, view: View, info: FrameworkInfo) -> None:
        view.driver = self.cluster.run(
            Worker(view), info, executors=EXECUTORS, implicit_acknowledgements=not view.explicit
        )

    def succeed(self, view: View) -> None:
        """Start a successor of a framework's scheduler, dead or alive."""
        framework_id = view.driver.framework_id
        if framework_id is not None:
            self._run(view, attrs.evolve(view.info, id=framework_id))

    def is_alive(self, view: View) -> bool:
        """Whether its scheduler's process is there."""
        return alive(self.sim, view.driver.name)

    def kill(self, view: View) -> None:
        """Let its scheduler's process die, without ending the framework."""
        if self.is_alive(view):
            self.sim.kill(view.driver.name)

    def rest(self) -> None:
        """Let frameworks launch nothing more."""
        for view in self.views:
            view.resting = True

    def succeed_the_dead(self) -> None:
        """Start a scheduler where none is left: what nobody acknowledges holds drains up.

        In life an operator would tear such a framework down. Of two successors that started at once each may have been
        told that the other has taken over.
        """
        for view in self.views:
            if not view.driver.still_running or not self.is_alive(view):
                self.succeed(view)


def scenario(sim: Simulation) -> None:
    """Ask, kill, replace, at random times; in the end all frameworks rest, and ask what became of their tasks."""
    world = World(sim)
    draw = random.Random(f"acts {sim.seed}")
    acts = [
        *draw.choices(list(VERBS), list(VERBS.values()), k=draw.randint(2, 8)),
        *draw.choices(list(TROUBLES), list(TROUBLES.values()), k=draw.choice((0, 0, 0, 1, 2, 3))),
    ]
    draw.shuffle(acts)
    at = sim.now + draw.uniform(0.5, 4.0)
    for number, act in enumerate(acts):
        sim.at(at, lambda act=act, number=number: world.do(act, number))  # type: ignore[misc]
        if draw.random() < 0.7:
            at += min(draw.expovariate(0.4), 15.0)
    sim.advance(at - sim.now + draw.uniform(0.0, 3.0))
    world.rest()
    sim.recover()
    world.succeed_the_dead()


PLAN = Plan(
    scenario=scenario,
    faults=Faults().times(4.0),  # a seed is over soon, so much has to go wrong in a minute
    settings=settings,
    without=("offers_are_answered", "inverse_offers_are_answered"),  # some schedulers here keep offers, or are deaf
)
"""How seeds are explored."""
