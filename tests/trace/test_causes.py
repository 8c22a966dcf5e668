"""Every record says what it comes of, hands are records, and what is lost says by which of them."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from mesolite import Cluster, CommandInfo, Simulation
from mesolite.actors.decisions.contract import (
    CallbackReturned,
    LinkBroken,
    PeerExited,
    SignalReceived,
    Started,
    WorkExited,
    WorkStarted,
)
from mesolite.actors.decisions.driver_calls import (
    AcceptCall,
    CallLaterCall,
    DeclineCall,
    KillCall,
    SendStatusUpdateCall,
)
from mesolite.actors.decisions.operator import PlaceCall
from mesolite.actors.trace import Disturbed, Done, Ended, Lost, Record
from mesolite.messages import PingAgent, RunTask, StatusUpdate, UnregisterAgent
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import EXECUTORS, Launcher, command_task, executor_task
from tests.simulation.workload import live_through
from tests.trace.test_states import live

MAY_BE_FIRST = (Started, Done, PlaceCall)
"""What comes of nothing in the trace: the first lives, what hands did, and what operators ask."""


def records(sim: Any, kind: type) -> list[Record]:
    return [record for record in sim.trace if type(record.event) is kind]


def by_index(sim: Any) -> dict[int, Record]:
    return {record.index: record for record in sim.trace}


def firsts(trace: Any) -> Counter[str]:
    """What has no cause, by kind."""
    return Counter(type(record.event).__name__ for record in trace if record.cause == -1)


def check(trace: Any) -> None:
    """A cause is an earlier record; there is one but for true firsts."""
    others = [record for record in trace if record.cause == -1 and not isinstance(record.event, MAY_BE_FIRST)]
    assert others == []
    assert [record for record in trace if record.cause >= record.index] == []
    restarted = [record for record in trace if type(record.event) is Started and record.life > 1]
    assert [record for record in restarted if record.cause == -1] == []


def test_everything_in_a_long_and_busy_run_has_a_cause() -> None:
    """Each kind of record without one is listed, and is a true first."""
    found = Counter[str]()
    for latency_s in (0.0, 0.02):
        sim = live_through(7, latency_s)
        check(sim.trace)
        found += firsts(sim.trace)

    # Elector, operator, three masters with registrars, four agents, two frameworks; two runs.
    assert found == {"Started": 28, "Done": 18}


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_everything_has_a_cause_whatever_befalls_a_cluster(seed: int) -> None:
    """Drains, reclaims, power cuts, partitions, failovers: no chain ends too early."""
    check(live(seed).sim.trace)


def test_everything_on_threads_has_a_cause(tmp_path: Any) -> None:
    """With real processes, their signals and ends, and restarts."""
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        task = attrs.evolve(command_task("t1"), command=CommandInfo(value="sleep 600"))
        driver = cluster.run(Launcher(task), "ducks")
        cluster.wait_until(lambda: "WorkStarted" in firsts_and_others(cluster), timeout=60.0)
        driver.kill_task("t1")
        cluster.wait_until(lambda: "WorkExited" in firsts_and_others(cluster), timeout=60.0)
        cluster.agents["agent-1"].crash()
        cluster.agents["agent-1"].restart()
        cluster.ready()
    others = [
        record
        for record in cluster.trace
        if record.cause == -1 and not isinstance(record.event, (*MAY_BE_FIRST, KillCall, Ended))
    ]
    assert others == []
    assert [record.cause for record in records(cluster, WorkExited)] != [-1]
    processes = [state for state in cluster.trace.states() if state.kind == "process"]
    assert [state.state for state in processes] == ["RUNNING", "SIGNALLED"]
    assert [state.ending for state in processes] == ["", "ended by SIGTERM"]


def firsts_and_others(cluster: Any) -> Counter[str]:
    return Counter(type(record.event).__name__ for record in cluster.trace)


def test_what_a_callback_asks_comes_of_it(sim: Simulation) -> None:
    """The record whose callback it was, of schedulers and executors, and of functions that were to be called later."""
    live_ones = live_through(7, 0.0)
    known = by_index(live_ones)
    for kind in (AcceptCall, KillCall, CallLaterCall, SendStatusUpdateCall):
        asked = records(live_ones, kind)
        assert asked, kind
        for record in asked:
            called = known[record.cause]
            assert called.actor == record.actor
            assert "Callback" in [type(effect).__name__ for effect in called.effects]
    assert records(live_ones, DeclineCall) == [] or all(record.cause >= 0 for record in records(live_ones, DeclineCall))


def test_what_is_asked_from_outside_comes_of_nothing(sim: Simulation) -> None:
    """A driver's verb that no callback has called is a first."""
    cluster = sim.cluster()
    driver = cluster.run(Launcher(), "ducks")
    sim.advance(3.0)
    driver.kill_task("t1")
    sim.settle()

    assert [record.cause for record in records(sim, KillCall)] == [-1]


HANDS: tuple[tuple[Callable[[Simulation, SimulatedCluster], object], str, type], ...] = (
    (lambda sim, cluster: cluster.agents["agent-1"].crash(), "agent-1.crash()", Ended),
    (lambda sim, cluster: cluster.agents["agent-1"].power_off(), "agent-1.power_off()", Ended),
    (lambda sim, cluster: cluster.agents["agent-1"].stop(), "agent-1.stop()", Ended),
    (lambda sim, cluster: cluster.agents["agent-1"].signal(signal.SIGKILL), "agent-1.signal(SIGKILL)", Ended),
    (lambda sim, cluster: cluster.agents["agent-1"].signal(signal.SIGUSR1), "agent-1.signal(SIGUSR1)", SignalReceived),
    (lambda sim, cluster: cluster.agents["agent-1"].restart(), "agent-1.restart()", Started),
    (
        lambda sim, cluster: cluster.agents["agent-1"].restart(resources="cpus:8", anew=True),
        "agent-1.restart(resources='cpus:8', anew=True)",
        Started,
    ),
    (lambda sim, cluster: cluster.masters["master-1"].crash(), "master-1.crash()", Ended),
    (lambda sim, cluster: cluster.masters["master-1"].restart(), "master-1.restart()", Started),
    (lambda sim, cluster: sim.break_link("agent-1", "master-1"), "sim.break_link('agent-1', 'master-1')", LinkBroken),
    (lambda sim, cluster: sim.kill("ducks"), "sim.kill('ducks')", Ended),
)


@pytest.mark.parametrize(("verb", "code", "follows"), HANDS, ids=[code for _, code, _ in HANDS])
def test_what_hands_do_is_a_record_that_reads_as_code(
    sim: Simulation, verb: Callable[[Simulation, SimulatedCluster], object], code: str, follows: type
) -> None:
    """And what follows from it comes of it."""
    cluster = sim.cluster()
    cluster.run(Launcher(), "ducks")
    sim.advance(3.0)
    began = len(sim.trace)

    verb(sim, cluster)
    sim.settle()

    (done,) = records(sim, Done)
    assert done.event.code == code
    assert done.index >= began
    follow = [record for record in records(sim, follows) if record.index > done.index]
    assert follow
    assert done.index in {record.cause for record in follow}
    assert code in sim.trace.text()


def test_rules_partitions_and_disks_are_records_too(sim: Simulation) -> None:
    """As the line that does it; looking is nothing that was done."""
    cluster = sim.cluster()
    disk = cluster.agents["agent-1"].disk
    disk.slow(2.0)
    disk.fail()
    disk.crash_at(3, stored=False)
    disk.mend()
    sim.observe(PingAgent)
    sim.forget(sim.drop(PingAgent, receiver="agent-1", times=2))
    sim.delay(1.5, [PingAgent, RunTask], where=lambda message: True)
    sim.hold(StatusUpdate).release()
    sim.hold(sender="agent-1").drop()
    sim.duplicate()
    sim.partition("agent-1", "master-1", both_ways=False)
    sim.heal("agent-1")
    sim.expire_session("agent-1")
    sim.pause("agent-1")
    sim.resume("agent-1")
    sim.inject("agent-1", PingAgent(connected=True))

    assert [record.event.code for record in records(sim, Done)] == [
        "agent-1.disk.slow(2)",
        "agent-1.disk.fail('No space left on device')",
        "agent-1.disk.crash_at(3, stored=False)",
        "agent-1.disk.mend()",
        "sim.drop(PingAgent, receiver='agent-1', times=2)",
        "sim.forget(sim.drop(PingAgent, receiver='agent-1', times=2))",
        "sim.delay(1.5, [PingAgent, RunTask], where=...)",
        "sim.hold(StatusUpdate)",
        "sim.hold(StatusUpdate).release()",
        "sim.hold(sender='agent-1')",
        "sim.hold(sender='agent-1').drop()",
        "sim.duplicate()",
        "sim.partition('agent-1', 'master-1', both_ways=False)",
        "sim.heal('agent-1')",
        "sim.expire_session('agent-1')",
        "sim.pause('agent-1')",
        "sim.resume('agent-1')",
        "sim.inject('agent-1', PingAgent(...))",
    ]


def test_a_daemon_that_dies_of_its_disk_dies_of_what_was_done_to_it(sim: Simulation) -> None:
    """The crash is a record of its own, and comes of the order."""
    agent = sim.cluster().agents["agent-1"]
    agent.disk.crash_at(1)
    agent.restart(anew=True)
    sim.advance(10.0)

    order, crash = (record for record in records(sim, Done) if "crash" in record.event.verb)
    assert (crash.event.code, crash.cause) == ("agent-1.crash()", order.index)


@pytest.mark.parametrize(
    ("lose", "why"),
    [
        (lambda sim, cluster: sim.partition("agent-1", "master-1"), "cut"),
        (lambda sim, cluster: sim.drop(PingAgent), "dropped"),
        (lambda sim, cluster: cluster.agents["agent-1"].power_off(), "nobody there"),
    ],
)
def test_what_is_lost_says_by_what(
    sim: Simulation, lose: Callable[[Simulation, SimulatedCluster], object], why: str
) -> None:
    """The cut, the rule, the end of whoever it was for."""
    cluster = sim.cluster()
    lose(sim, cluster)
    sim.advance(20.0)

    known = by_index(sim)
    pings = [record for record in records(sim, Lost) if isinstance(record.event.message, PingAgent)]
    assert pings
    for ping in pings:
        by = known[ping.event.by]
        assert ping.event.why == why
        assert type(by.event) is (Ended if why == "nobody there" else Done)
        assert by.actor in ("", "agent-1")


def test_what_was_never_there_lost_it_by_nothing(sim: Simulation) -> None:
    """Nobody ever had that name."""
    cluster = sim.cluster()
    sim.inject("agent-1", PingAgent(connected=True), sender="ghost")
    sim.settle()

    lost = [record for record in records(sim, Lost) if record.actor == "ghost"]
    assert [record.event.by for record in lost] == [-1]
    assert cluster.leader is not None


@pytest.mark.parametrize(
    ("disturb", "how"),
    [
        (lambda sim: sim.delay(2.0, UnregisterAgent), ["delayed by 2 s"]),
        (lambda sim: sim.duplicate(UnregisterAgent), ["duplicated"]),
        (lambda sim: sim.hold(UnregisterAgent), ["held", "released"]),
    ],
)
def test_what_is_held_delayed_or_doubled_says_so(
    sim: Simulation, disturb: Callable[[Simulation], Any], how: list[str]
) -> None:
    """Between its saying and its delivery stands what was done to it, and by which rule."""
    cluster = sim.cluster()
    rule = disturb(sim)
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(3.0)
    if how[0] == "held":
        rule.release()
        sim.settle()

    known = by_index(sim)
    delivered = records(sim, UnregisterAgent)
    assert len(delivered) == (2 if how == ["duplicated"] else 1)
    record = delivered[-1]
    for each in reversed(how):
        record = known[record.cause]
        assert type(record.event) is Disturbed
        assert (record.event.how, record.event.message) == (each, delivered[-1].event)
        assert type(known[record.event.by].event) is Done
    assert type(known[record.cause].event) is SignalReceived


@pytest.mark.parametrize("seed", [1, 4])
def test_every_end_is_a_record_once(seed: int) -> None:
    """Whoever started has ended or is alive, in each of its lives; nothing of that life comes after it."""
    world = live(seed)
    alive = {(context.name, context.incarnation) for context in world.sim.runtime.directory}
    started = [(record.actor, record.life) for record in records(world.sim, Started)]
    ended = {(record.actor, record.life): record.index for record in records(world.sim, Ended)}

    assert len(ended) == len(records(world.sim, Ended))
    assert set(started) - set(ended) <= alive
    assert not set(ended) & alive
    for record in world.sim.trace:
        if not isinstance(record.event, Lost | Done | Disturbed | CallbackReturned):
            assert record.index <= ended.get((record.actor, record.life), record.index), record


def test_executors_and_their_work_come_of_what_started_and_ended_them(sim: Simulation) -> None:
    """`Started` of the launch, `WorkStarted` of the run, `WorkExited` of the signal, `PeerExited` of the end."""
    cluster = sim.cluster()
    driver = cluster.run(Launcher(command_task("t1"), executor_task("t2")), "ducks", executors=EXECUTORS)
    sim.advance(3.0)
    driver.kill_task("t1")
    sim.advance(5.0)
    known = by_index(sim)

    def came_of(kind: type) -> set[str]:
        return {type(known[record.cause].event).__name__ for record in records(sim, kind) if record.cause >= 0}

    assert came_of(Started) == {"RunTask"}
    assert came_of(WorkStarted) == {"RunTask"}
    assert came_of(WorkExited) == {"KillTask"}
    assert came_of(PeerExited) == {"Ended"}
