"""Each kind of fault: it begins, ends, prints as the code that does it, fits its script, and says what it came to."""

from __future__ import annotations

import ast
import itertools
import json
import signal

import pytest

from examples.schedulers import Shop
from mesolite import FrameworkInfo, Simulation, Unavailability, Window
from mesolite import messages as mesolite_messages
from mesolite.actors.trace.records import Disturbed
from mesolite.harness.faults import KINDS, Faults
from mesolite.harness.faults.injector import Injector, code_of
from mesolite.harness.faults.kind import Draws, Kind, Scene
from mesolite.harness.script import Injection, Script, from_plain, to_plain
from mesolite.simulation.simulation import SimulatedCluster
from tests.harness.mistakes import jobs

AT, LASTS = 10.0, 30.0
INFO = FrameworkInfo(name="mine", checkpoint=True, failover_timeout_s=3600)
EACH = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def started(seed: int = 3) -> tuple[Simulation, SimulatedCluster]:
    """A cluster with three services, and an operator's stream over HTTP."""
    sim = Simulation(seed)
    cluster = sim.cluster(agents=3, masters=3, http=True)
    cluster.run(Shop(jobs()), framework=INFO)
    cluster.client.post(cluster.url, "/api/v1", {"type": "SUBSCRIBE"})
    sim.advance(5.0)
    return sim, cluster


def drawn(kind: Kind, sim: Simulation, cluster: SimulatedCluster) -> Injection:
    """A fault of that kind, as it is drawn there."""
    arguments = kind.draw(Scene(sim, cluster, Draws(sim.seed, kind.name, 0)))
    assert arguments is not None
    return Injection(kind=kind.name, at=AT, lasts=LASTS if kind.lasts else None, arguments=arguments)


def with_fault(kind: Kind) -> tuple[Simulation, Injector, Injection]:
    """A run with one fault of that kind, which has begun and ended."""
    sim, cluster = started()
    injector = Injector(sim)
    injection = drawn(kind, sim, cluster)
    injector.follow([injection])
    sim.advance(AT + LASTS)
    return sim, injector, injection


@EACH
def test_a_fault_begins_and_ends_and_everything_is_as_good_as_before(kind: Kind) -> None:
    """It is noted as it was given; when all is mended the three services run, and no rule or cut is left."""
    sim, injector, injection = with_fault(kind)
    assert injector.unfit == []
    assert injector.script() == (injection,)
    assert injector.tally()[kind.name]["injected"] == 1
    sim.eventually(lambda: len(sim.view.running("mine")) == 3, within=600)

    sim.recover()

    network = sim.runtime.network
    assert (network.faults(), network.cuts, network.rules) == ([], {}, [])
    assert all(not disk.faults for disk in sim.runtime.disks.values())
    assert all(not context.inbox.paused for context in sim.runtime.directory)
    state = sim.view.state
    assert state is not None
    assert (state["deactivated_agents"], state["reclaims"], state["maintenance"]["schedule"]) == ([], [], [])


@EACH
def test_a_fault_fits_its_script_after_it_was_kept(kind: Kind) -> None:
    """What JSON gives back is the same script, and makes the same run."""
    sim, injector, injection = with_fault(kind)

    kept = from_plain(json.loads(json.dumps(to_plain(Script(faults=(injection,))))))

    assert kept.faults == (injection,)
    again, _ = started()
    following = Injector(again)
    following.follow(kept.faults)
    again.advance(AT + LASTS)
    assert following.unfit == []
    assert again.trace.hash() == sim.trace.hash()
    assert following.tally() == injector.tally()


@EACH
def test_a_fault_prints_as_code(kind: Kind) -> None:
    """One line, which is Python: given `sim` and `cluster` it does what the fault does."""
    sim, cluster = started()
    sim.advance(AT - sim.now)
    injection = drawn(kind, sim, cluster)
    code = code_of(injection)
    assert "\n" not in code
    names = {name: getattr(mesolite_messages, name) for name in mesolite_messages.__all__}
    scope = {"sim": sim, "cluster": cluster, "itertools": itertools, "signal": signal, **names}
    scope |= {"Window": Window, "Unavailability": Unavailability}
    before = len(sim.trace)

    ast.parse(code)
    exec(code, scope)  # that it runs is what is to be tested
    sim.advance(LASTS)

    assert len(sim.trace) > before


@pytest.mark.parametrize(
    "name", ["partition", "split", "slow_link", "drop", "duplicate", "pause", "slow_disk", "drain"]
)
def test_a_fault_says_whether_it_had_an_effect(name: str) -> None:
    """Nothing was said meanwhile, or something was: a fault of no length has had none."""
    kind = KINDS[name]
    for lasts, effect in ((LASTS, 1), (0.0, 0)):
        sim, cluster = started()
        injector = Injector(sim)
        arguments = {
            "partition": (("one", "master-1"), ("other", "agent-1"), ("both_ways", True)),
            "split": (("one", ("agent-1",)), ("other", ("master-1", "master-2", "master-3"))),
            "slow_link": (("one", "agent-1"), ("other", _leader(cluster)), ("both_ways", False)),
            "drop": (("kind", "PongAgent"), ("receiver", _leader(cluster)), ("times", 1)),
            "duplicate": (("kind", "PongAgent"), ("receiver", _leader(cluster)), ("times", 1)),
            "pause": (("actor", "agent-1"),),
            "slow_disk": (("machine", _leader(cluster)), ("seconds", 0.1)),
            "drain": (("agent", "agent-1"), ("max_grace_period", None)),
        }[name]
        injector.follow([Injection(kind=name, at=AT, lasts=lasts, arguments=arguments)])
        if name == "slow_disk":
            sim.at(AT + 1.0, lambda sim=sim, cluster=cluster: cluster.agents["agent-1"].restart(anew=True))  # type: ignore[misc]
        if name == "partition":
            arguments = (("one", _leader(cluster)), *arguments[1:])
        sim.advance(AT + LASTS)
        assert injector.tally()[kind.name]["had an effect"] == effect, lasts


def test_two_slow_links_keep_the_order_of_what_is_said() -> None:
    """One begins while the other lasts, and would be over first: what is said stays in order (core.md LP-13)."""
    sim, cluster = started()
    leader = _leader(cluster)
    link = (("one", leader), ("other", "agent-1"), ("both_ways", False))
    slow = [(AT, LASTS), (AT + 5.0, 10.0)]
    Injector(sim).follow([Injection(kind="slow_link", at=at, lasts=lasts, arguments=link) for at, lasts in slow])
    kept: list[str] = []
    sim.trace.subscribe(
        lambda record: kept.append(f"{record.event.how} {record.time:.0f}")
        if type(record.event) is Disturbed and record.actor == "agent-1"
        else None
    )
    sim.advance(AT + LASTS + 10.0)

    assert [each for each in kept if each.startswith("released")] == ["released 40", "released 40"]


def _leader(cluster: SimulatedCluster) -> str:
    assert cluster.leader is not None
    return cluster.leader.name


def test_who_a_fault_has_ended_is_started_again_when_it_is_over() -> None:
    """Unless another fault keeps it down: the machine comes back when the last of them is over."""
    sim, cluster = started()
    injector = Injector(sim)
    machine = (("machine", "agent-1"),)
    pause = Injection(kind="pause", at=9.0, lasts=11.0, arguments=(("actor", "agent-1"),))
    crash = Injection(kind="crash", at=10.0, lasts=30.0, arguments=machine)
    injector.follow([pause, crash])

    sim.advance(20.0)
    assert not cluster.agents["agent-1"].alive
    sim.advance(20.0)
    assert cluster.agents["agent-1"].alive


def test_what_has_several_steps_takes_none_after_its_end() -> None:
    """A rolling restart that is ended in the middle leaves the others alone."""
    sim, cluster = started()
    injector = Injector(sim)
    names = ("agent-1", "agent-2", "agent-3")
    rolling = (("agents", names), ("every", 10.0))
    injector.follow([Injection(kind="rolling_restart", at=10.0, lasts=15.0, arguments=rolling)])

    sim.advance(60.0)

    restarted = [name for name in names if any(what == "restart" for _, what in cluster.agents[name].history)]
    assert restarted == ["agent-1", "agent-2"]


def test_every_kind_has_a_rate() -> None:
    """Whoever says `Faults(kind=...)` finds all that there are, and no other."""
    assert list(Faults().each()) == list(KINDS)


def test_half_of_the_kinds_are_on_and_never_none() -> None:
    """By the seed; the rest cannot hide what these show."""
    shares = [len(Faults().drawn(seed)) / len(KINDS) for seed in range(50)]
    assert 0.4 < sum(shares) / len(shares) < 0.6
    assert all(len(Faults.none().but(crash=1.0).drawn(seed)) == 1 for seed in range(20))
