"""Watch a cluster drain: nine short chapters, three with real commands, six on virtual time.

    python demo.py                all of it, in about ten seconds
    python demo.py --list         what there is
    python demo.py --chapter 3    one chapter
    python demo.py --seed 7       another course of events, in the chapters on virtual time

Rule: nothing on the page is written down that can be measured; times, states, reasons and pids come from the run.
The schedulers are in examples/schedulers.py, the endings of chapter 3 in examples/endings.py, chapters 5 to 8 in
examples/operating.py, the scheduler that chapter 9 finds out in examples/naive.py.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import frozen

from examples import endings
from examples.bell import Bell
from examples.endings import LATENCY_S, STEADY_S
from examples.naive import Naive, two_workers, two_workers_mended
from examples.operating import deadline_passes, drain_with_grace, maintenance_window, out_of_the_offers
from examples.page import Page
from examples.schedulers import Hello, Shop, service, task_of
from mesolite import Exploration, Faults, KillPolicy, Settings, Simulation, TaskState, explore
from mesolite.actors.decisions.contract import PeerExited, SignalReceived, WorkExited, WorkStarted
from mesolite.cluster import Cluster
from mesolite.messages import (
    AcceptOffers,
    AgentLost,
    AgentReregistered,
    FrameworkRegistered,
    FrameworkReregistered,
    LeaderDetected,
    OperationApplied,
    RecoverRegistry,
    RegistryRecovered,
    ReregisterAgent,
    ShutdownExecutor,
    StatusUpdate,
    Subscribe,
    UnregisterAgent,
)
from mesolite.simulation import SimulatedCluster

GREETINGS = 12
PATIENCE_S = 15.0
DEAF_FOR_S = 1.0

FAILOVER_S = 60.0
JOB_S = 23  # so that it ends when nobody leads

SEEDS_AT_MOST = 500

# ----------------------------------------------------------------------------------------------- 1 and 2: real commands


def hello_fosdem(page: Page, seed: int) -> dict[str, str]:
    """Run real commands on three agents; returns what each task wrote."""
    page.say("A master and three agents of two cpus each, in this process. The whole framework:\n")
    page.code(Hello)
    outputs: dict[str, str] = {}
    machines: Counter[str] = Counter()
    with Cluster(agents=3, resources="cpus:2;mem:1024") as cluster:
        names = {agent.id: agent.name for agent in cluster.agents.values()}
        framework = Hello(GREETINGS)
        began_s = cluster.now
        cluster.run(framework, framework="hello")
        while len(outputs) < GREETINGS:
            cluster.wait_until(lambda: not framework.said.empty(), PATIENCE_S)
            status = framework.said.get()
            name, output = names[status.agent_id], (cluster.sandbox(status.task_id) / "stdout").read_text()
            outputs[status.task_id] = output
            machines[name] += 1
            took_s = cluster.now - began_s
            columns = (f"{took_s:.3f} s", -10), (name, 10), (status.task_id, 10), (str(status.state), 14)
            page.line(*columns, rest=output.rstrip("\n"))
    shares = ", ".join(f"{count} on {name}" for name, count in sorted(machines.items()))
    page.say(f"\n{len(outputs)} processes started, ended, and their output read back in {took_s:.2f} s: {shares}.")
    return outputs


@frozen
class Drained:
    """What chapter 2 saw: the machine's processes, those of them still there, and each lost service's new task.

    `deaf_for_s`: how long the deaf service went on after the signal.
    """

    processes: list[int]
    left: list[int]
    moved: dict[str, str]
    deaf_for_s: float


def drain_now(page: Page, seed: int) -> Drained:
    """Send SIGUSR1 to one of three agents while it runs long tasks, one of which ignores SIGTERM."""
    page.say("Six services that sleep for 1000 s; one is deaf to SIGTERM, and its kill policy gives it one second.")
    with Bell() as bell, Cluster(agents=3) as cluster:
        deaf = service("deaf", f"trap '' TERM; {bell.ring}; sleep 1000", KillPolicy(grace_period_s=DEAF_FOR_S))
        shop = Shop([deaf, *(service(f"web-{number}", "sleep 1000") for number in range(1, 6))])
        cluster.run(shop, framework="shop")
        cluster.wait_until(lambda: shop.complete, PATIENCE_S)
        bell.wait(PATIENCE_S)  # it may run and not be deaf yet
        names = {agent.id: agent.name for agent in cluster.agents.values()}
        was = {task_id: names[status.agent_id] for task_id, status in shop.status.items()}
        doomed = cluster.agents[was["deaf"]]
        processes = sorted(cluster.processes(doomed.name))
        page.say(f"{doomed.name} has the deaf one, and these processes: {_listed(processes)}. It gets SIGUSR1:\n")
        since_s = cluster.now
        doomed.signal(signal.SIGUSR1)
        cluster.wait_until(lambda: shop.complete and not doomed.alive, PATIENCE_S)
        page.exchange(cluster.trace, since_s, lambda *line: _about_drain(doomed.name, *line))
        left = [pid for pid in processes if _exists(pid)]
        moved = {name: str(task.task_id) for name, task in shop.current.items() if task.task_id != name}
        now = {name: shop.status[task_id] for name, task_id in moved.items()}
        page.say()
        page.table(
            ("service", "was on", "is now task", "on", "process"),
            [(name, was[name], moved[name], names[now[name].agent_id], now[name].message) for name in moved],
        )
        exits = {record.actor: record.time for record in cluster.trace if isinstance(record.event, WorkExited)}
        died_s = exits[next(actor for actor in exits if task_of(actor) == "deaf")]
        known_s = next(time_s for time_s, status in shop.told if status.state is TaskState.TASK_LOST)
        again_s = next(time_s for time_s, status in shop.told if status == now["deaf"])
    page.say(
        f"\nThe shop knew after {(known_s - since_s) * 1000:.1f} ms; the first task had ended after "
        f"{(min(exits.values()) - since_s) * 1000:.1f} ms, the deaf one after {died_s - since_s:.2f} s,\n"
        f"of which it ran {died_s - again_s:.2f} s beside its replacement. Of the processes {_listed(processes)}\n"
        f"still there: {_listed(left)}."
    )
    return Drained(processes, left, moved, died_s - since_s)


def _about_drain(doomed: str, sender: str, to: str, event: Any) -> bool:
    if isinstance(event, StatusUpdate):
        return to == "shop" and event.status.state is not TaskState.TASK_STARTING
    if isinstance(event, ShutdownExecutor | WorkExited | PeerExited):
        return to.startswith(doomed) or (sender == doomed and to != "elector")
    if isinstance(event, AcceptOffers):
        return any(launch.tasks for launch in event.operations)
    return isinstance(event, SignalReceived | UnregisterAgent | OperationApplied | AgentLost)


def _listed(pids: list[int]) -> str:
    return ", ".join(map(str, pids)) or "none"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# ----------------------------------------------------------------------------------------------------- 3: virtual time


def why_it_matters(page: Page, seed: int) -> dict[bool, dict[str, endings.Row]]:
    """Four endings of one machine from one seed, for a framework with and one without checkpointing."""
    back_s = endings.BACK_AFTER_S
    page.say(f"Three agents, six services. agent-1 goes in four ways, and is back in order after {back_s:g} s.\n")
    came = {checkpoint: endings.outcomes(seed, checkpoint) for checkpoint in (False, True)}
    rows = [
        (name, "yes" if checkpoint else "no", *(_in_words(row[name][each]) for each in endings.SHOWN))
        for name in endings.ENDINGS
        for checkpoint, row in came.items()
    ]
    page.table(("agent-1", "check-\npoints", *endings.SHOWN), rows, lines=True)
    page.say()
    for checkpoint, who in ((False, "without"), (True, "with")):
        pasts = {row[endings.PAST] for row in came[checkpoint].values()}
        same = "one and the same run" if len(pasts) == 1 else "DIFFERENT runs"
        page.say(f"Until agent-1 goes, the four {who} checkpoints are {same}: {min(pasts)[0]} events, by their hashes.")
    known_s = endings.silences_s(seed, 16)
    pings, apart_s = Settings.mesos().max_agent_ping_timeouts, Settings.mesos().agent_ping_timeout_s
    page.say(
        f"A goodbye is known after {came[False][endings.GOODBYE][endings.KNEW] * 1000:.1f} ms. "
        f"Silence is known when {pings} pings, {apart_s:g} s apart, have gone unanswered:\n"
        f"power lost at {len(known_s)} moments a second apart, known after {known_s[0]:.1f} to {known_s[-1]:.1f} s."
    )
    return came


def _in_words(value: float | str | dict[str, float]) -> str:
    if isinstance(value, dict):
        value = "\n".join(f"{service} {seconds:.1f} s" for service, seconds in value.items())
    return f"{value:.3f} s" if isinstance(value, float) else value or "nothing"


# ----------------------------------------------------------------------------------------------------- 4: virtual time


@frozen
class Failover:
    """What chapter 4 saw: the books of the old and the new leader, as task to state, and each process's starts."""

    before: dict[str, str]
    after: dict[str, str]
    starts: dict[str, int]


def leader_dies(page: Page, seed: int) -> Failover:
    """Crash the leader of three masters while a job is about to end."""
    with Simulation(seed, latency=LATENCY_S) as sim:
        cluster = sim.cluster(agents=3, masters=3)
        names = {agent.id: agent.name for agent in cluster.agents.values()}
        shop = Shop([service("job", f"sleep {JOB_S}"), *(service(f"web-{n}", "sleep infinity") for n in range(1, 6))])
        cluster.run(shop, framework="shop")
        sim.advance(STEADY_S)
        before, first, since_s = _books(cluster), _leader(cluster), sim.now
        on = {task_id: names[status.agent_id] for task_id, status in shop.status.items()}
        page.say(f"Three masters, three agents, five services and a job of {JOB_S} s; {first} leads, and crashes:\n")
        cluster.masters[first].crash()
        sim.advance(FAILOVER_S)
        page.exchange(sim.trace, since_s, _about_failover)
        after = _books(cluster)
        begun = [record.actor for record in sim.trace if isinstance(record.event, WorkStarted)]
        starts = {task_id: sum(task_of(actor) == task_id for actor in begun) for task_id in before}
        seen = {type(record.event): record.time - since_s for record in sim.trace}
        ended_s, led_s = seen[WorkExited], seen[RegistryRecovered]
        told_s = next(time_s for time_s, status in shop.told if status.state is TaskState.TASK_FINISHED) - since_s
    page.say()
    page.table(
        ("task", "on", f"books of {first}", f"books of {_leader(cluster)}", "times started"),
        [(task, on[task], before[task], after.get(task, "unknown"), str(starts[task])) for task in before],
    )
    page.say(
        f"\nThe job ended {ended_s:.3f} s after the crash. A leader had the registry at {led_s:.3f} s,\n"
        f"and the shop knew of the job's end at {told_s:.3f} s."
    )
    return Failover(before, after, starts)


def _leader(cluster: SimulatedCluster) -> str:
    leader = cluster.leader
    return leader.name if leader else "nobody"


def _books(cluster: SimulatedCluster) -> dict[str, str]:
    """What the leader has on record of every task, ended ones included."""
    (framework,) = cluster.operator.state()["frameworks"]
    return {task["task_id"]: task["state"] for kind in ("tasks", "completed_tasks") for task in framework[kind]}


def _about_failover(sender: str, to: str, event: Any) -> bool:
    if isinstance(event, LeaderDetected):
        return event.leader is None or to == event.leader.name or not to.startswith("master")
    if isinstance(event, PeerExited):
        return to == "shop"
    subscribing = Subscribe | FrameworkRegistered | FrameworkReregistered
    registering = RecoverRegistry | RegistryRecovered | ReregisterAgent | AgentReregistered
    return isinstance(event, WorkExited | StatusUpdate | subscribing | registering)


# ----------------------------------------------------------------------------------------------------- 9: virtual time


def a_fault_is_found(page: Page, seed: int) -> tuple[Exploration, Exploration]:
    """Explore a naive scheduler until it fails, show what breaks it, and explore the mended one."""
    page.say("A scheduler that replaces every worker of whose end it is told:\n")
    page.code(Naive)
    page.say("What must hold: two run in the end, whatever has crashed. Each seed draws other crashes:\n")
    page.code(two_workers)
    faults = Faults.none().but(crash=1)
    found = explore(two_workers, seeds=SEEDS_AT_MOST, faults=faults, first_seed=seed)
    failure = found.failure
    assert failure is not None, "there is a fault to be found"
    page.say(f"Seed {failure.seed} broke it, after {found.runs} were tried. Made small in {failure.runs} runs:\n")
    page.say(failure.code, style="bold")
    page.say(f"\n{failure.story}\n")
    page.say("A worker has ended while nobody led, so nobody will ever tell. The scheduler waits; the mended one asks.")
    mended = explore(two_workers_mended, seeds=found.runs, faults=faults, first_seed=seed)
    mended.check()
    injected = sum(count["injected"] for count in mended.faults.values())
    page.say(f"With that one the same {mended.runs} seeds: {injected} crashes, nothing found.")
    return found, mended


CHAPTERS: tuple[tuple[str, str, Callable[[Page, int], object]], ...] = (
    ("Hello FOSDEM", "real commands", hello_fosdem),
    ("Drain now", "real commands", drain_now),
    ("Why it matters", "virtual time", why_it_matters),
    ("The leader dies", "virtual time", leader_dies),
    ("Out of the offers", "virtual time", out_of_the_offers),
    ("Drain with grace", "real commands", drain_with_grace),
    ("A maintenance window", "virtual time", maintenance_window),
    ("A deadline passes", "virtual time", deadline_passes),
    ("A fault is found", "virtual time", a_fault_is_found),
)


def show(page: Page, number: int, seed: int) -> None:
    """Show one chapter, the first being 1."""
    title, kind, chapter = CHAPTERS[number - 1]
    page.title(f"{number}. {title}", f"seed {seed}, {kind}" if kind == "virtual time" else kind)
    chapter(page, seed)


def main(arguments: list[str] | None = None) -> int:
    """Show the chapters that were asked for; returns the exit status."""
    numbers = range(1, len(CHAPTERS) + 1)
    parser = argparse.ArgumentParser(description="Watch a cluster drain.")
    parser.add_argument("--list", action="store_true", help="list the chapters")
    parser.add_argument("--chapter", type=int, choices=numbers, help="show only this one")
    parser.add_argument("--seed", type=int, default=7, help="another course of events on virtual time (default: 7)")
    wanted = parser.parse_args(arguments)
    page = Page(sys.stdout)
    if wanted.list:
        for number in numbers:
            page.say(f"{number}  {CHAPTERS[number - 1][0]:20} {CHAPTERS[number - 1][1]}")
        return 0
    try:
        for number in [wanted.chapter] if wanted.chapter else numbers:
            show(page, number, wanted.seed)
    except KeyboardInterrupt:
        page.say("\nInterrupted; nothing is left running.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
