"""Four endings of one machine, each from the same seed and so from the same past: what is known of it, and when?"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from examples.schedulers import Shop, service, service_of, task_of
from mesolite import FrameworkInfo, Simulation, TaskStatus, compare
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

Row = dict[str, Any]
"""What came of an ending, by the headings below; PAST is how many events there were before it, and their hash."""

SHOWN = KNEW, TOLD, TWICE, RETURN = "the shop\nknew after", "was told", "ran twice for", "was told on return"
PAST = "past"


def _machine(sim: Simulation) -> AgentMachine:
    assert sim.started is not None
    return sim.started.agents["agent-1"]


def _restarted(go: Callable[[AgentMachine], object]) -> Callable[[Simulation], Callable[[], None]]:
    def ending(sim: Simulation) -> Callable[[], None]:
        go(_machine(sim))
        return _machine(sim).restart

    return ending


def _cut(sim: Simulation) -> Callable[[], None]:
    sim.partition("agent-1", "master-1")
    return partial(sim.heal, "agent-1")


GOODBYE, CRASH = "says goodbye\n(SIGUSR1)", "loses its agent\n(a crash)"
POWER, CUT = "loses power", "is cut off from\nthe master"
ENDINGS = {
    GOODBYE: _restarted(lambda machine: machine.signal(signal.SIGUSR1)),
    CRASH: _restarted(AgentMachine.crash),
    POWER: _restarted(AgentMachine.power_off),
    CUT: _cut,
}
"""How the machine goes, under words that go on from "the machine ..."; each returns how it comes back."""


def outcomes(seed: int, checkpoint: bool) -> dict[str, Row]:
    """Run each ending, the machine's return, and what follows; returns what came of each."""
    return compare(partial(_goes_and_returns, checkpoint), ENDINGS, seed, latency=LATENCY_S).rows


def _goes_and_returns(checkpoint: bool, sim: Simulation, ending: Callable[[], Any]) -> Row:
    cluster, shop = _open_shop(sim, checkpoint)
    sim.advance(STEADY_S)
    since_s, past = sim.now, (len(sim.trace), sim.trace.hash())
    lost = [status.task_id for status in shop.status.values() if status.agent_id == _machine(sim).id]
    last_seen_s: dict[str, float] = {}
    come_back = ending()
    _watch(sim, cluster, BACK_AFTER_S, last_seen_s)
    come_back()
    _watch(sim, cluster, AFTERWARDS_S, last_seen_s)
    told = [(time_s - since_s, status) for time_s, status in shop.told if time_s >= since_s and status.task_id in lost]
    return {
        KNEW: told[0][0],
        TOLD: _words(status for after_s, status in told if after_s < BACK_AFTER_S),
        TWICE: _twice_s(sim.trace, last_seen_s, since_s),
        RETURN: _words(status for after_s, status in told if after_s >= BACK_AFTER_S),
        PAST: past,
    }


def silences_s(seed: int, moments: int) -> list[float]:
    """How long the framework knows nothing of a machine that lost power, at so many moments a second apart."""
    endings = {str(moment): partial(_lose_power_later, moment) for moment in range(moments)}
    return sorted(row[KNEW] for row in compare(_known_after, endings, seed, latency=LATENCY_S).rows.values())


def _lose_power_later(seconds: int, sim: Simulation) -> None:
    sim.advance(STEADY_S + seconds)
    _machine(sim).power_off()


def _known_after(sim: Simulation, ending: Callable[[], object]) -> Row:
    _, shop = _open_shop(sim, checkpoint=False)
    ending()
    since_s, told = sim.now, len(shop.told)
    sim.run_until(lambda: len(shop.told) > told, SILENCE_MAX_S)
    return {KNEW: sim.now - since_s}


def _open_shop(sim: Simulation, checkpoint: bool) -> tuple[SimulatedCluster, Shop]:
    cluster = sim.cluster(agents=3)
    shop = Shop(service(f"web-{number}", "sleep infinity") for number in range(1, 7))
    cluster.run(shop, framework=FrameworkInfo(name="shop", checkpoint=checkpoint))
    return cluster, shop


def _watch(sim: Simulation, cluster: SimulatedCluster, seconds: float, last_seen_s: dict[str, float]) -> None:
    """Let time pass, looking who is there: what vanishes with its machine says nothing."""
    for _ in range(round(seconds / LOOK_EVERY_S)):
        sim.advance(LOOK_EVERY_S)
        for host in cluster.agents:
            last_seen_s.update((context.name, sim.now) for context in sim.runtime.directory.on_host(host))


def _twice_s(trace: Trace, last_seen_s: dict[str, float], since_s: float) -> dict[str, float]:
    """Per service, how long two copies ran side by side: what really ran, whatever anybody believed."""
    began_s = {record.actor: record.time for record in trace if isinstance(record.event, WorkStarted)}
    ended_s = {record.actor: record.time for record in trace if isinstance(record.event, WorkExited)}
    twice_s: dict[str, float] = {}
    until_s: dict[str, float] = {}
    for actor, start_s in began_s.items():
        name, end_s = service_of(task_of(actor)), ended_s.get(actor, last_seen_s.get(actor, since_s))
        side_by_side_s = min(until_s.get(name, 0.0), end_s) - start_s
        if side_by_side_s > 0:
            twice_s[name] = side_by_side_s
        until_s[name] = end_s
    return twice_s


def _words(statuses: Iterable[TaskStatus]) -> str:
    """Each state with its reason, once."""
    words = (f"{status.state}\n  {str(status.reason or '').removeprefix('REASON_')}".rstrip() for status in statuses)
    return "\n".join(dict.fromkeys(words))
