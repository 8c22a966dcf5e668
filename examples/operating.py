"""Chapters 5 to 8 of the demo: what an operator can do with a machine and with what runs on it."""

from __future__ import annotations

import os
import signal
from typing import Any

from attrs import frozen

from examples.bell import Bell
from examples.page import Page
from examples.schedulers import Shop, Stayer, service, task_of
from mesolite import Cause, KillPolicy, Simulation, TaskState, TaskStatus, Unavailability, Window
from mesolite.actors.decisions.contract import SignalReceived, WorkExited
from mesolite.cluster import Cluster
from mesolite.messages import (
    AcceptInverseOffers,
    AcceptOffers,
    AgentDrained,
    AgentLost,
    DeactivateAgentCall,
    DeclineInverseOffers,
    DrainAgent,
    DrainAgentCall,
    InverseOffers,
    KillTask,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    RescindInverseOffer,
    RescindOffer,
    RevokeTask,
    ShutdownAgent,
    StartMaintenanceCall,
    StatusUpdate,
    UpdateMaintenanceScheduleCall,
)
from mesolite.simulation import SimulatedCluster

PATIENCE_S = 15.0
STEADY_S = 10.0
LATENCY_S = (0.0001, 0.001)
LONGEST_S = 1.0
POLITE_S = 0.1
WINDOW_S = 60.0
WITHIN_S = 30.0


def _operator_verb(event: Any) -> bool:
    calls = DeactivateAgentCall | ReactivateAgentCall | DrainAgentCall | ReclaimResourcesCall
    return isinstance(event, calls | StartMaintenanceCall | UpdateMaintenanceScheduleCall)


def _news(to: str, event: Any) -> bool:
    """Status updates where they arrive, except that a task is starting."""
    return isinstance(event, StatusUpdate) and "/" not in to and not to.startswith(("master", "agent")) and (
        event.status.state.name != "TASK_STARTING"
    )


# ----------------------------------------------------------------------------------------------------- 5: virtual time


@frozen
class Deactivated:
    """What chapter 5 saw: on which agent each service ran before, while agent-1 was deactivated, and after."""

    before: dict[str, str]
    meanwhile: dict[str, str]
    after: dict[str, str]


def out_of_the_offers(page: Page, seed: int) -> Deactivated:
    """Deactivate an agent: nothing more is offered of it, and what runs there goes on."""
    with Simulation(seed, latency=LATENCY_S) as sim:
        cluster = sim.cluster(agents=2)
        shop = Shop([service("web-1", "sleep infinity"), service("web-2", "sleep infinity")])
        driver = cluster.run(shop, framework="shop")
        sim.advance(STEADY_S)
        before = _places(cluster, shop)
        chosen = cluster.agents[before["web-1"]]
        page.say(f"A shop with two services on {chosen.name}, which is deactivated. Then the shop wants two more:\n")
        since_s = sim.now
        cluster.operator.deactivate(chosen)
        shop.want(driver, service("web-3", "sleep infinity"), service("web-4", "sleep infinity"))
        sim.advance(STEADY_S)
        meanwhile = _places(cluster, shop)
        cluster.operator.reactivate(chosen)
        shop.want(driver, service("web-5", "sleep infinity"), service("web-6", "sleep infinity"))
        sim.advance(STEADY_S)
        after = _places(cluster, shop)
        page.exchange(sim.trace, since_s, _about_offers)
    page.say()
    services = sorted(after)
    rows = [(name, before.get(name, ""), meanwhile.get(name, ""), after[name]) for name in services]
    page.table(("service", "before", f"{chosen.name} deactivated", "reactivated"), rows)
    return Deactivated(before, meanwhile, after)


def _about_offers(sender: str, to: str, event: Any) -> bool:
    if isinstance(event, AcceptOffers):
        return any(launch.tasks for launch in event.operations)
    return _operator_verb(event) or isinstance(event, RescindOffer)


def _places(cluster: SimulatedCluster | Cluster, shop: Shop) -> dict[str, str]:
    names = {agent.id: agent.name for agent in cluster.agents.values()}
    return {task_id: names.get(status.agent_id, "nowhere") for task_id, status in shop.status.items()}


# ---------------------------------------------------------------------------------------------------- 6: real commands


@frozen
class GentlyDrained:
    """What chapter 6 saw: how long each task took to die, which were killed, the drain's end, and processes left."""

    died_after_s: dict[str, float]
    killed: list[str]
    state: str
    left: list[int]


def drain_with_grace(page: Page, seed: int) -> GentlyDrained:
    """Drain an agent with two services: one obeys, one is stubborn and would like thirty seconds."""
    page.say(f"One service obeys SIGTERM, one does not and has a grace of 30 s. The drain allows {LONGEST_S:g} s.\n")
    with Bell() as bell, Cluster(agents=1) as cluster:
        polite = service("polite", f"trap 'sleep {POLITE_S}; exit 0' TERM; {bell.ring}; sleep 1000 & wait")
        stubborn = service("stubborn", f"trap '' TERM; {bell.ring}; sleep 1000", KillPolicy(grace_period_s=30.0))
        shop = Shop([polite, stubborn])
        cluster.run(shop, framework="shop")
        cluster.wait_until(lambda: shop.complete, PATIENCE_S)
        for _ in shop.current:
            bell.wait(PATIENCE_S)  # they may run and have set no trap yet
        agent = cluster.agents["agent-1"]
        processes = sorted(cluster.processes(agent.name))
        since_s = cluster.now
        why, who = "new disks", "the night shift"
        drain = cluster.operator.drain(agent, max_grace_period=LONGEST_S, message=why, initiator=who)
        waits_for = [str(blocker) for blocker in drain.blocked_by]
        state = str(drain.wait(PATIENCE_S))
        page.exchange(cluster.trace, since_s, _about_drain)
        exits = {task_of(r.actor): r for r in cluster.trace if isinstance(r.event, WorkExited)}
        took_s = (drain.ended_at or 0.0) - drain.started_at
        left = [pid for pid in processes if os.path.exists(f"/proc/{pid}")]
        books = cluster.operator.state()["agents"][0]
        end = f"It was {state} after {took_s:.2f} s."
    page.say(f"\nAsked at once what it waits for, {drain.id} ({drain.message}, by {drain.initiator}) said:")
    for line in waits_for:
        page.say(f"- {line}")
    page.say(
        f"\n{end} Of the processes {', '.join(map(str, processes))} still there: "
        f"{', '.join(map(str, left)) or 'none'}.\n"
        f"The agent is connected: {books['connected']}, active: {books['active']}, until it is reactivated."
    )
    died_after_s = {name: exits[name].time - since_s for name in ("polite", "stubborn")}
    killed = [name for name in died_after_s if exits[name].event.signal == signal.SIGKILL]
    return GentlyDrained(died_after_s, killed, state, left)


def _about_drain(sender: str, to: str, event: Any) -> bool:
    kills = isinstance(event, KillTask) and to.count("/") == 2
    orders = isinstance(event, DrainAgent | AgentDrained | WorkExited)
    return _operator_verb(event) or kills or orders or _news(to, event)


# ----------------------------------------------------------------------------------------------------- 7: virtual time


@frozen
class Maintained:
    """What chapter 7 saw: the answers to the inverse offers, and what each framework was told of its tasks."""

    answers: dict[str, str]
    told: dict[str, list[TaskStatus]]


def maintenance_window(page: Page, seed: int) -> Maintained:
    """Schedule a machine; two frameworks are asked to leave, one does, one stays; then the machine goes down."""
    with Simulation(seed, latency=LATENCY_S) as sim:
        cluster = sim.cluster(agents=1)
        mover, stayer = Shop([service("front", "sleep infinity")]), Stayer([service("batch", "sleep infinity")])
        cluster.run(mover, framework="mover")
        sim.advance(STEADY_S)
        cluster.run(stayer, framework="stayer")
        sim.advance(STEADY_S)
        machine = cluster.agents["agent-1"]
        spare = cluster.add_agent("agent-2")
        sim.advance(STEADY_S)
        page.say(f"Both have a service on {machine.name}, away in {WINDOW_S:g} s; {spare.name} is free.\n")
        since_s = sim.now
        later = Unavailability(start=sim.now + WINDOW_S)
        cluster.operator.update_maintenance_schedule([Window(machines=[machine.machine_id], unavailability=later)])
        sim.advance(WINDOW_S / 2)
        status = cluster.operator.maintenance_status()
        sim.advance(WINDOW_S)
        cluster.operator.machine_down([machine])
        sim.advance(STEADY_S)
        page.exchange(sim.trace, since_s, _about_maintenance)
        names = {framework["id"]: framework["name"] for framework in cluster.operator.state()["frameworks"]}
        answers = {
            names[answer["framework_id"]]: f"{answer['status']} {answer['reason']}".strip()
            for each in status["draining_machines"]
            for agent in each["agents"]
            for answer in agent["answers"]
        }
        told = {
            name: [status for at, status in shop.told if at >= since_s]
            for name, shop in (("mover", mover), ("stayer", stayer))
        }
    page.say()
    lost = {name: "\n".join(f"{s.task_id} {s.state}, {s.cause}" for s in told[name] if s.cause) for name in told}
    rows = [(name, answers.get(name, "nothing"), lost[name]) for name in told]
    page.table(("framework", "answered", "lost"), rows)
    return Maintained(answers, told)


def _about_maintenance(sender: str, to: str, event: Any) -> bool:
    asked = AcceptInverseOffers | DeclineInverseOffers | InverseOffers | RescindInverseOffer
    return (
        _operator_verb(event)
        or isinstance(event, asked | ShutdownAgent | AgentLost)
        or (isinstance(event, KillTask) and to.startswith("master"))
        or _news(to, event)
    )


# ----------------------------------------------------------------------------------------------------- 8: virtual time


@frozen
class Reclaimed:
    """What chapter 8 saw: tasks revoked, and in how many seconds, tasks that run on, and where the reclaim stands."""

    revoked: dict[str, float]
    lived: list[str]
    state: str


def deadline_passes(page: Page, seed: int) -> Reclaimed:
    """Reclaim two cpus of an agent whose framework does not care; at the deadline they are taken, and only they."""
    with Simulation(seed, latency=LATENCY_S) as sim:
        cluster = sim.cluster(agents=1)
        stayer = Stayer([service(f"batch-{number}", "sleep infinity") for number in range(1, 5)])
        cluster.run(stayer, framework="stayer")
        sim.advance(STEADY_S)
        page.say(f"Four services of one cpu each fill agent-1. Two cpus of it are wanted within {WITHIN_S:g} s:\n")
        since_s = sim.now
        reclaim = cluster.operator.reclaim("agent-1", "cpus:2", within=WITHIN_S, message="a licence server")
        sim.advance(WITHIN_S / 2)
        halfway = repr(reclaim)
        sim.advance(WITHIN_S)
        page.exchange(sim.trace, since_s, _about_reclaim)
        state = str(reclaim.state)
        revoked = {str(status.task_id): at - since_s for at, status in stayer.told if status.cause is Cause.REVOKED}
        lived = [task_id for task_id, status in stayer.status.items() if status.state is TaskState.TASK_RUNNING]
    page.say(f"\nHalfway: {halfway}\nIn the end: {reclaim!r}")
    page.say(f"Revoked: {', '.join(revoked)}. Not touched: {', '.join(lived)}.")
    return Reclaimed(revoked, lived, state)


def _about_reclaim(sender: str, to: str, event: Any) -> bool:
    return _about_maintenance(sender, to, event) or isinstance(event, RevokeTask | SignalReceived | WorkExited)
