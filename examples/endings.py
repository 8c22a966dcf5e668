"""Four endings of one machine, each from the same seed and so from the same past: what is known of it, and when?"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable

from attrs import frozen

from examples.schedulers import Shop, service, service_of, task_of
from mesolite import FrameworkInfo, Simulation, TaskStatus
from mesolite.actors.decisions.contract import WorkExited, WorkStarted
from mesolite.actors.trace import Trace
from mesolite.machines import AgentMachine
from mesolite.simulation import SimulatedCluster

LATENCY_S = (0.0002, 0.001)  # of a message
STEADY_S = 20.0
BACK_AFTER_S = 120.0
AFTERWARDS_S = 120.0
LOOK_EVERY_S = 0.1
SILENCE_MAX_S = 900.0


@frozen
class Ending:
    """How a machine goes, and how it comes back; `name` goes on from "the machine ..."."""

    name: str
    go: Callable[[Simulation, AgentMachine], None]
    come_back: Callable[[Simulation, AgentMachine], None]


GOODBYE = Ending("says goodbye\n(SIGUSR1)", lambda _, machine: machine.signal(signal.SIGUSR1), lambda _, m: m.restart())
CRASH = Ending("loses its agent\n(a crash)", lambda _, machine: machine.crash(), lambda _, m: m.restart())
POWER = Ending("loses power", lambda _, machine: machine.power_off(), lambda _, m: m.restart())
CUT = Ending("is cut off from\nthe master", lambda sim, m: sim.partition(m, "master-1"), lambda sim, m: sim.heal(m))
ENDINGS = (GOODBYE, CRASH, POWER, CUT)


@frozen
class Outcome:
    """What came of an ending: when the framework knew, what it was told then and later, what ran twice how long.

    `past` is the number of events up to the moment of the ending, and their hash.
    """

    known_after_s: float
    told: str
    twice_s: dict[str, float]
    told_on_return: str
    past: tuple[int, str]


def outcome(ending: Ending, seed: int, checkpoint: bool) -> Outcome:
    """Run one ending, the machine's return, and what follows."""
    with Simulation(seed, latency=LATENCY_S) as sim:
        cluster, shop = _open_shop(sim, checkpoint, STEADY_S)
        machine, since_s, past = cluster.agents["agent-1"], sim.now, (len(sim.trace), sim.trace.hash())
        lost = [status.task_id for status in shop.status.values() if status.agent_id == machine.id]
        last_seen_s: dict[str, float] = {}
        ending.go(sim, machine)
        _watch(sim, cluster, BACK_AFTER_S, last_seen_s)
        ending.come_back(sim, machine)
        _watch(sim, cluster, AFTERWARDS_S, last_seen_s)
    told = [(time_s - since_s, status) for time_s, status in shop.told if time_s >= since_s and status.task_id in lost]
    return Outcome(
        told[0][0],
        _words(status for after_s, status in told if after_s < BACK_AFTER_S),
        _twice_s(sim.trace, last_seen_s, since_s),
        _words(status for after_s, status in told if after_s >= BACK_AFTER_S),
        past,
    )


def silence_s(seed: int, moment_s: float) -> float:
    """How long the framework knows nothing of a machine that lost power at that moment."""
    with Simulation(seed, latency=LATENCY_S) as sim:
        cluster, shop = _open_shop(sim, False, moment_s)
        since_s, told = sim.now, len(shop.told)
        cluster.agents["agent-1"].power_off()
        sim.run_until(lambda: len(shop.told) > told, SILENCE_MAX_S)
        return sim.now - since_s


def _open_shop(sim: Simulation, checkpoint: bool, until_s: float) -> tuple[SimulatedCluster, Shop]:
    cluster = sim.cluster(agents=3)
    shop = Shop(service(f"web-{number}", "sleep infinity") for number in range(1, 7))
    cluster.run(shop, framework=FrameworkInfo(name="shop", checkpoint=checkpoint))
    sim.advance(until_s)
    return cluster, shop


def _watch(sim: Simulation, cluster: SimulatedCluster, seconds: float, last_seen_s: dict[str, float]) -> None:
    """Let time pass, looking who is there: what vanishes with its machine says nothing."""
    for _ in range(round(seconds / LOOK_EVERY_S)):
        sim.advance(LOOK_EVERY_S)
        for host in cluster.agents:
            last_seen_s.update((seat.name, sim.now) for seat in sim.runtime.directory.on_host(host))


def _twice_s(trace: Trace, last_seen_s: dict[str, float], since_s: float) -> dict[str, float]:
    """Per service, how long two copies ran side by side: what really ran, whatever anybody believed."""
    began_s = {record.party: record.time for record in trace if isinstance(record.event, WorkStarted)}
    ended_s = {record.party: record.time for record in trace if isinstance(record.event, WorkExited)}
    twice_s: dict[str, float] = {}
    until_s: dict[str, float] = {}
    for party, start_s in began_s.items():
        name, end_s = service_of(task_of(party)), ended_s.get(party, last_seen_s.get(party, since_s))
        side_by_side_s = min(until_s.get(name, 0.0), end_s) - start_s
        if side_by_side_s > 0:
            twice_s[name] = side_by_side_s
        until_s[name] = end_s
    return twice_s


def _words(statuses: Iterable[TaskStatus]) -> str:
    """Each state with its reason, once."""
    words = (f"{status.state}\n  {str(status.reason or '').removeprefix('REASON_')}".rstrip() for status in statuses)
    return "\n".join(dict.fromkeys(words))
