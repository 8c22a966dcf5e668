"""One seed's cluster: how big it is, who runs on it, and what its operators ask for."""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

import attrs

from mesolite import FrameworkInfo, MesoliteError, OutcomeUnknown, Refused, Settings, Simulation, Unavailability, Window
from mesolite.harness.checkers import STANDARD, Checkers, Family
from mesolite.machines import AgentMachine
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import (
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    ReleaseReclaimCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.resources import Resources
from mesolite.simulation.moments import Moment, Scheduled
from tests.seeds.frameworks import EXECUTORS, KINDS, View, Worker, make_view
from tests.seeds.tally import Tally

TIMINGS = Settings.mesos().but(
    agent_ping_timeout_s=4.0,
    max_agent_ping_timeouts=3,
    agent_reregister_timeout_s=30.0,
    registration_backoff_max_s=4.0,
    subscription_backoff_max_s=4.0,
    session_timeout_s=6.0,
    status_update_retry_s=4.0,
    status_update_retry_max_s=16.0,
    executor_registration_timeout_s=15.0,
    executor_recovery_timeout_s=30.0,
    executor_ack_limit_s=20.0,
)
"""Mesos's proportions in a fifth of its time: a seed must see time-outs run out, and be over soon."""


class Found(MesoliteError):
    """A checker has found something; the seed is over."""


class Ending(NamedTuple):
    """When a fault ends, and how."""

    at: float
    act: Callable[[], object]
    moment: Moment


class World:
    """One seed: its cluster, its frameworks, and what was asked of them so far."""

    def __init__(self, seed: int) -> None:
        """Start the cluster and its frameworks; everything about them is drawn from the seed."""
        self.seed = seed
        self.random = draw = random.Random(f"seed {seed}")
        latency_s = draw.choice((0.0, 0.0, 0.02, 0.5, 2.0))
        settings = TIMINGS.but(
            agent_removal_interval_s=draw.choice((0.0, 0.0, 5.0)),
            offer_timeout_s=draw.choice((None, 15.0)),
            registry_gc_interval_s=draw.choice((900.0, 15.0)),
            registry_max_agent_age_s=20.0,
            past_drains_max=draw.choice((100, 1)),
            # A session's heartbeat and its answer have to fit into a third of it.
            session_timeout_s=TIMINGS.session_timeout_s + 6 * latency_s,
        )
        self.sim = Simulation(seed, settings=settings, latency=(latency_s / 4, latency_s))
        ours = [checker() for checker in STANDARD if checker.family is Family.OURS]
        self.checkers = Checkers(self.sim, [*ours, Tally()])
        self.cluster = self.sim.cluster(
            agents=draw.randint(2, 4), masters=draw.randint(1, 3), resources="cpus:4;mem:2048"
        )
        if draw.random() < 0.2:
            self.cluster.add_agent("agent-5", "cpus:2;mem:1024", hostname="agent-1")
        self.views: list[View] = []
        self.unregistered: dict[str, None] = {}
        self.reclaims: list[Any] = []
        self.log: list[str] = []
        self.in_a_hurry = False
        self._endings: list[Ending] = []
        self._serial = itertools.count(1_000_000)
        for number in range(1, draw.randint(1, 4) + 1):
            view = make_view(draw.choice(KINDS), number, seed)
            self.views.append(view)
            self._run(view, view.info)

    # ------------------------------------------------------------------------------------------------------- frameworks

    def _run(self, view: View, info: FrameworkInfo) -> None:
        worker = Worker(view)
        view.driver = self.cluster.run(
            worker, info, executors=EXECUTORS, implicit_acknowledgements=not view.explicit
        )

    def succeed(self, view: View) -> None:
        """Start a successor of a framework's scheduler, dead or alive."""
        framework_id = view.driver.framework_id
        if framework_id is not None:
            self._run(view, attrs.evolve(view.info, id=framework_id))

    def framework_parties(self) -> list[str]:
        """The parties that speak for frameworks now."""
        return [view.driver.name for view in self.views]

    # ------------------------------------------------------------------------------------------------------------- time

    def advance(self, seconds: float) -> None:
        """Let time pass; faults end on the way.

        Raises:
            Found: a statement did not hold.
        """
        self.sim.advance(seconds)
        self.look()

    def look(self) -> None:
        """Stop at the first violation.

        Raises:
            Found: there is one.
        """
        self.checkers.look()
        if self.checkers.first is not None:
            raise Found(str(self.checkers.first))

    def end_later(self, act: Callable[[], None], within_s: float) -> None:
        """Do this after a random time, or when everything is mended."""
        runtime = self.sim.runtime
        at = self.sim.now + self.random.uniform(0.1, within_s)
        self.checkers.disturbed(at)
        self._endings.append(Ending(at, act, runtime.at(at, Scheduled(act))))

    def end_faults(self) -> None:
        """End every fault that lasts, the oldest first."""
        for ending in self._endings:
            if ending.at > self.sim.now:
                ending.moment.live = False
                ending.act()
        self._endings.clear()

    def bring_back(self, agent: AgentMachine) -> None:
        """Start an agent again that has unregistered."""
        self.unregistered.pop(agent.name, None)
        if not agent.alive:
            agent.restart()

    def a_leader(self) -> str:
        """The master that leads, or any."""
        leader = self.cluster.leader
        return leader.name if leader is not None else self.random.choice(list(self.cluster.masters))

    # -------------------------------------------------------------------------------------------------------- operators

    def an_agent(self) -> AgentMachine:
        """Any agent, running or not."""
        return self.random.choice(list(self.cluster.agents.values()))

    def call_id(self) -> int:
        """A number for a call that nobody waits for."""
        return next(self._serial)

    def ask(self, name: str, verb: Callable[[], object], call: Callable[[int], Any] | None = None) -> None:
        """Ask for something: mostly wait for the answer, sometimes go on at once. Refusals are fine."""
        self.log.append(f"{self.sim.now:10.3f}  {name}")
        self.checkers.tally[f"asked {name.split(maxsplit=1)[0]}"] += 1
        leader = self.cluster.leader
        if self.in_a_hurry and (call is None or leader is None):
            return
        if call is not None and leader is not None and (self.in_a_hurry or self.random.random() < 0.5):
            self.sim.inject(leader, call(self.call_id()), sender="operator")
            return
        try:
            made = verb()
        except (Refused, OutcomeUnknown) as refusal:
            self.log.append(f"{self.sim.now:10.3f}    {refusal}")
            self.checkers.tally[f"{type(refusal).__name__} {name.split(maxsplit=1)[0]}"] += 1
            return
        if type(made).__name__ == "Reclaim":
            self.reclaims.append(made)


def deactivate(world: World) -> None:
    """Take an agent out of the offers."""
    agent = world.an_agent()
    agent_id = AgentId(agent.id or "")
    world.ask(
        f"deactivate {agent}",
        lambda: world.cluster.operator.deactivate(agent),
        lambda number: DeactivateAgentCall(call_id=number, agent_id=agent_id),
    )


def reactivate(world: World) -> None:
    """Put one back, preferably one that was taken out."""
    out = [agent for agent in world.cluster.agents.values() if agent.id in world.checkers.decided.deactivated]
    agent = world.random.choice(out) if out else world.an_agent()
    agent_id = AgentId(agent.id or "")
    world.ask(
        f"reactivate {agent}",
        lambda: world.cluster.operator.reactivate(agent),
        lambda number: ReactivateAgentCall(call_id=number, agent_id=agent_id),
    )


def drain(world: World) -> None:
    """Drain an agent, with or without a grace, now and then for good."""
    agent, draw = world.an_agent(), world.random
    grace_s, gone = draw.choice((None, None, 0.0, 2.0, 10.0)), draw.random() < 0.25
    agent_id = AgentId(agent.id or "")
    world.ask(
        f"drain {agent} grace {grace_s} mark_gone {gone}",
        lambda: world.cluster.operator.drain(agent, grace_s, mark_gone=gone),
        lambda number: DrainAgentCall(
            call_id=number, agent_id=agent_id, max_grace_period_s=grace_s, mark_gone=gone
        ),
    )


def mark_gone(world: World) -> None:
    """Give an agent up for good; one that is away, if there is one."""
    everybody = world.cluster.agents.values()
    away = [agent for agent in everybody if not agent.alive and agent.name not in world.unregistered]
    agent = world.random.choice(away) if away else world.an_agent()
    agent_id = AgentId(agent.id or "")
    world.ask(
        f"mark_gone {agent}",
        lambda: world.cluster.operator.mark_gone(agent),
        lambda number: MarkAgentGoneCall(call_id=number, agent_id=agent_id),
    )


def sigusr1(world: World) -> None:
    """Drain now, the old way."""
    agent = world.an_agent()
    if agent.alive:
        world.log.append(f"{world.sim.now:10.3f}  SIGUSR1 {agent}")
        world.checkers.tally["asked SIGUSR1"] += 1
        world.unregistered[agent.name] = None
        agent.signal(signal.SIGUSR1)
        if world.random.random() < 0.4:
            world.end_later(lambda: world.bring_back(agent), 2 * world.checkers.recovery_s)


def schedule(world: World) -> None:
    """Post a maintenance schedule of some machines, or of none."""
    draw = world.random
    agents = draw.sample(list(world.cluster.agents.values()), draw.randint(0, 2))
    machines = list(dict.fromkeys(agent.machine_id for agent in agents))
    start = world.sim.now + draw.uniform(-2.0, 15.0)
    windows = [
        Window(
            machines=[machine],
            unavailability=Unavailability(start=start, duration_s=draw.choice((None, 5.0, 30.0))),
            enforce=draw.random() < 0.4,
        )
        for machine in machines
    ]
    world.ask(
        f"schedule {[(str(w.machines[0]), w.enforce) for w in windows]}",
        lambda: world.cluster.operator.update_maintenance_schedule(windows),
        lambda number: UpdateMaintenanceScheduleCall(call_id=number, windows=tuple(windows)),
    )


def machine_down(world: World) -> None:
    """Take a machine down; a scheduled one, mostly."""
    agent = _on_machine(world, world.checkers.decided.scheduled)
    world.ask(
        f"machine_down {agent}",
        lambda: world.cluster.operator.machine_down([agent]),
        lambda number: StartMaintenanceCall(call_id=number, machines=(agent.machine_id,)),
    )


def machine_up(world: World) -> None:
    """Bring a machine back; one that is down, mostly."""
    agent = _on_machine(world, world.checkers.decided.down)
    world.ask(
        f"machine_up {agent}",
        lambda: world.cluster.operator.machine_up([agent]),
        lambda number: StopMaintenanceCall(call_id=number, machines=(agent.machine_id,)),
    )


def _on_machine(world: World, machines: dict[tuple[str, str], None]) -> AgentMachine:
    """An agent on one of these machines, mostly; else any."""
    there = [
        agent
        for agent in world.cluster.agents.values()
        if (agent.machine_id.hostname.casefold(), agent.machine_id.ip) in machines
    ]
    return world.random.choice(there) if there and world.random.random() < 0.8 else world.an_agent()


def reclaim(world: World) -> None:
    """Ask an agent or a framework for resources back."""
    draw = world.random
    resources = draw.choice((None, "cpus:1", "cpus:2", "cpus:3;mem:128"))
    within_s = draw.choice((0.5, 3.0, 10.0))
    if draw.random() < 0.6:
        agent = world.an_agent()
        agent_id = AgentId(agent.id or "")
        world.ask(
            f"reclaim {agent} {resources} within {within_s}",
            lambda: world.cluster.operator.reclaim(agent, resources, within=within_s),
            lambda number: ReclaimResourcesCall(
                call_id=number,
                agent_id=agent_id,
                resources=None if resources is None else Resources.of(resources),
                within_s=within_s,
            ),
        )
    else:
        view = draw.choice(world.views)
        world.ask(
            f"reclaim {view.name} {resources} within {within_s}",
            lambda: world.cluster.operator.reclaim(view.driver, resources, within=within_s),
        )


def release(world: World) -> None:
    """Give up a reclaim, one that is open if there is one."""
    leader, reclaim_ids = world.cluster.leader, list(world.checkers.decided.reclaims)
    if reclaim_ids and leader is not None and world.random.random() < 0.5:
        call = ReleaseReclaimCall(call_id=world.call_id(), reclaim_id=world.random.choice(reclaim_ids))
        world.sim.inject(leader, call, sender="operator")
    elif world.reclaims:
        reclaim = world.random.choice(world.reclaims)
        world.ask(f"release {reclaim.id}", reclaim.release)


def teardown(world: World) -> None:
    """End a framework."""
    view = world.random.choice(world.views)
    world.ask(f"teardown {view.name}", lambda: world.cluster.operator.teardown(view.driver))


VERBS: dict[Callable[[World], None], int] = {
    deactivate: 2,
    reactivate: 3,
    drain: 8,
    mark_gone: 1,
    sigusr1: 2,
    schedule: 3,
    machine_down: 2,
    machine_up: 2,
    reclaim: 5,
    release: 2,
    teardown: 1,
}
"""What operators ask for, and how often."""
