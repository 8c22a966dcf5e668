"""What is read from a trace is what was: compared with the books, with what schedulers heard and with what ran."""

from __future__ import annotations

import contextlib
import functools
import random
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import define, field, frozen

from mesolite import (
    FrameworkInfo,
    Scheduler,
    SchedulerDriver,
    Settings,
    SimulatedCluster,
    Simulation,
    TaskState,
    TaskStatus,
)
from mesolite.actors.decisions.master.view import view
from mesolite.actors.errors import Refused
from mesolite.actors.trace import TraceState, states
from mesolite.callbacks import ExecutorDriver
from mesolite.messages import ExecutorInfo, KillPolicy, TaskInfo
from mesolite.messages.ids import ExecutorId, TaskId
from tests.simulation.workload import Busy, Worker


class Listens(Busy):
    """Notes what it is told."""

    def __init__(self, prefix: str, executor: ExecutorInfo | None) -> None:
        super().__init__(prefix, executor)
        self.told: dict[str, str] = {}

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        self.told[status.task_id] = status.state.name
        super().status_update(driver, status)


class Counts(Worker):
    """Notes what runs in it."""

    running: dict[tuple[str, str], None]

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        self.running[driver.name, task.task_id] = None  # type: ignore[attr-defined]
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)
        driver.call_later(2.0, lambda: self._over(driver, task.task_id, TaskState.TASK_FINISHED))

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        self._over(driver, task_id, TaskState.TASK_KILLED)

    def _over(self, driver: ExecutorDriver, task_id: TaskId, state: TaskState) -> None:
        if self.running.pop((driver.name, task_id), 0) is None:  # type: ignore[attr-defined]
            driver.send_status_update(task_id, state)


@frozen
class Seen:
    """The truth at one moment: before which record, and what was so."""

    index: int
    time: float
    leaders: list[str]
    agents: dict[str, str]
    offering: dict[str, str]
    drains: dict[str, str]
    reclaims: dict[str, str]
    told: dict[tuple[str, str], str]
    running: list[tuple[str, str]]


@define
class World:
    """A cluster with two frameworks, to which things happen while somebody writes down the truth."""

    sim: Simulation
    cluster: SimulatedCluster
    schedulers: dict[str, Listens]
    running: dict[tuple[str, str], None]
    dice: random.Random
    seen: list[Seen] = field(factory=list)

    def look(self) -> None:
        """Write down what is so now."""
        leader = self.cluster.leader
        context = None if leader is None else self.sim.runtime.directory.find(leader.name)
        core: Any = None if context is None else context.actor.core
        state: Any = None if core is None else core.state
        books: Any = None if state is None else view(state)
        of = self.sim.trace.names.of
        agents: dict[str, str] = {}
        offering: dict[str, str] = {}
        drains: dict[str, str] = {}
        reclaims: dict[str, str] = {}
        if books is not None:
            agents |= {of(agent): "RECOVERED" for agent in books["recovered_agents"]}
            agents |= {of(agent): "UNREACHABLE" for agent in books["unreachable_agents"]}
            agents |= {of(agent): "GONE" for agent in books["gone_agents"]}
            for agent in books["agents"]:
                agents[of(agent["id"])] = "CONNECTED" if agent["connected"] else "DISCONNECTED"
            for agent_id, drain in state.deactivated.items():
                offering[of(agent_id)] = "DEACTIVATED" if drain is None else str(drain.state)
            drains = {drain["id"]: drain["state"] for drain in (*books["drains"], *books["past_drains"])}
            reclaims = {each["id"]: each["state"] for each in (*books["reclaims"], *books["past_reclaims"])}
        self.seen.append(
            Seen(
                index=len(self.sim.trace),
                time=self.sim.now,
                leaders=[name for name, master in self.cluster.masters.items() if master.leading],
                agents=agents,
                offering=offering,
                drains=drains,
                reclaims=reclaims,
                told={
                    (framework, task): state
                    for framework, scheduler in self.schedulers.items()
                    for task, state in scheduler.told.items()
                },
                running=sorted(self._running()),
            )
        )

    def _running(self) -> Iterator[tuple[str, str]]:
        runtime = self.sim.runtime
        yield from ((context.name, task_id) for context, task_id in runtime.processes.tasks())
        yield from ((actor, task) for actor, task in self.running if runtime.directory.find(actor) is not None)

    def advance(self, seconds: float) -> None:
        """Let time pass, and look often."""
        for _ in range(max(1, round(seconds / 0.6))):
            self.sim.advance(0.6)
            self.look()


def _agent(world: World) -> Any:
    return world.dice.choice(list(world.cluster.agents.values()))


def _crash_leader(world: World) -> None:
    if world.cluster.leader is not None:
        world.cluster.leader.crash()


def _restart(world: World) -> None:
    for machine in [*world.cluster.masters.values(), *world.cluster.agents.values()]:
        if not machine.alive:
            machine.restart()  # type: ignore[attr-defined]


def _partition(world: World) -> None:
    if world.cluster.leader is not None:
        world.sim.partition(_agent(world), world.cluster.leader)
        world.advance(world.dice.choice((3.0, 110.0)))
        world.sim.heal()


def _reclaim(world: World) -> None:
    world.cluster.operator.reclaim(_agent(world), "cpus:2", within=world.dice.choice((5.0, 30.0)))


ACTS: tuple[Callable[[World], object], ...] = (
    lambda world: _agent(world).crash(),
    lambda world: _agent(world).power_off(),
    lambda world: _agent(world).signal(signal.SIGUSR1),
    lambda world: _agent(world).stop(),
    lambda world: world.cluster.operator.drain(_agent(world), max_grace_period=2.0),
    lambda world: world.cluster.operator.deactivate(_agent(world)),
    lambda world: world.cluster.operator.reactivate(_agent(world)),
    lambda world: world.cluster.operator.mark_gone(_agent(world)),
    _reclaim,
    _crash_leader,
    _partition,
    _restart,
    _restart,
)


@functools.cache
def live(seed: int) -> World:
    """Let things happen in an order that the seed draws."""
    sim = Simulation(seed, latency_s=(0.0, 0.02 * (seed % 2)), trace_records=400_000)
    cluster = sim.cluster(agents=4, masters=2)
    running: dict[tuple[str, str], None] = {}
    executor = ExecutorInfo(executor_id=ExecutorId("worker"), name="worker", resources="cpus:0.1;mem:32")
    worker: type[Worker] = type("Counting", (Counts,), {"running": running})
    schedulers: dict[str, Scheduler] = {}
    listeners = {"commands": Listens("command", None), "workers": Listens("worker", executor)}
    for name, scheduler in listeners.items():
        info = FrameworkInfo(name=name, checkpoint=name == "commands", failover_timeout_s=60.0)
        cluster.run(scheduler, info, executors={"worker": worker})
        schedulers[name] = scheduler
    world = World(sim, cluster, listeners, running, random.Random(seed))
    world.advance(6.0)
    for _ in range(16):
        with contextlib.suppress(Refused):  # not now: nobody leads, say, or the agent is away
            world.dice.choice(ACTS)(world)
        world.look()
        world.advance(world.dice.choice((0.6, 3.0, 12.0)))
    return world


def at(found: list[TraceState], index: int, kind: str, believer: str | None = None) -> dict[str, str]:
    """What was believed just before that record, by subject."""
    return {
        state.subject: state.state
        for state in found
        if state.kind == kind
        and state.believer == (believer or state.believer)
        and state.from_index < index
        and (state.to_index is None or state.to_index >= index)
    }


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))])
def test_states_are_what_was_so(seed: int) -> None:
    """At every moment looked at, whatever befell the cluster: leaders, agents, drains, reclaims, tasks, processes."""
    world = live(seed)
    found = world.sim.trace.states()

    for seen in world.seen:
        assert list(at(found, seen.index, "leader")) == seen.leaders, seen.time
        if len(seen.leaders) == 1:
            (leader,) = seen.leaders
            assert at(found, seen.index, "agent", leader) == seen.agents, seen.time
            assert at(found, seen.index, "offering", leader) == seen.offering, seen.time
            assert at(found, seen.index, "drain") == seen.drains, seen.time
            assert at(found, seen.index, "reclaim") == seen.reclaims, seen.time
        told = {
            (state.believer, state.subject): state.state
            for state in found
            if state.kind == "task"
            and state.from_index < seen.index
            and (state.to_index is None or state.to_index >= seen.index)
        }
        assert {key: told.get(key) for key in seen.told} == seen.told, seen.time
        running = sorted(
            (state.believer, state.subject)
            for state in found
            if state.kind == "process"
            and state.from_index < seen.index
            and (state.to_index is None or state.to_index >= seen.index)
        )
        assert running == seen.running, seen.time


@pytest.mark.slow
def test_these_runs_are_busy() -> None:
    """All kinds of states occur in them; otherwise the test above would prove little."""
    found = [state for seed in range(12) for state in live(seed).sim.trace.states()]
    kinds = {(state.kind, state.state) for state in found}

    assert {("agent", name) for name in ("RECOVERED", "CONNECTED", "DISCONNECTED", "UNREACHABLE", "GONE")} <= kinds
    assert {("offering", name) for name in ("DEACTIVATED", "DRAINING", "DRAINED")} <= kinds
    assert {("drain", name) for name in ("DRAINING", "DRAINED")} <= kinds
    assert {("reclaim", name) for name in ("ASKED", "REVOKING", "DONE", "LEFT")} <= kinds
    assert {("process", "SIGNALLED"), ("leader", "LEADS"), ("task", "TASK_LOST"), ("task", "TASK_KILLED")} <= kinds


def test_states_of_one_thing_follow_each_other() -> None:
    """For one believer none overlaps another, and none is empty of records."""
    found = live(3).sim.trace.states()
    last: dict[tuple[str, str, str], TraceState] = {}
    for state in found:
        key = (state.kind, state.subject, state.believer)
        before = last.get(key)
        assert before is None or (before.to_index is not None and before.to_index <= state.from_index)
        last[key] = state
    assert [state.from_index for state in found] == sorted(state.from_index for state in found)
    assert all(str(state).strip() for state in found)


def test_a_trace_that_has_lost_its_beginning_is_read_as_far_as_it_goes() -> None:
    """No state is wrong that is read; who leads is known as soon as a registrar has answered."""
    world = live(2)
    kept = [record for record in world.sim.trace if record.index > 2_000]
    found = states(kept, world.sim.trace.names)

    whole = {(state.kind, state.subject, state.believer, state.state) for state in world.sim.trace.states()}
    assert {(state.kind, state.subject, state.believer, state.state) for state in found} <= whole
    assert any(state.kind == "leader" for state in found)
    assert any(state.kind == "agent" for state in found)
    assert states([]) == []


def test_what_leaders_have_forgotten_is_in_no_state_any_more() -> None:
    """Of drains and reclaims that have ended only as many are kept as settings say."""
    settings = Settings.mesos().but(past_drains_max=1, past_reclaims_max=1)
    sim = Simulation(seed=1, settings=settings)
    cluster = sim.cluster(agents=2)
    for name in ("agent-1", "agent-2"):
        reclaim = cluster.operator.reclaim(name, "cpus:1", within=5)
        reclaim.release()
        sim.advance(10.0)
        cluster.operator.drain(name)
        sim.advance(10.0)

    ended = {state.subject: state.ending for state in sim.trace.states() if state.kind in ("drain", "reclaim")}
    assert ended == {"m1-R1": "forgotten", "m1-D1": "forgotten", "m1-R2": "", "m1-D2": ""}
