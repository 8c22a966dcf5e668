"""Looking changes nothing: a run in which everything is read, everywhere and all the time, has the same trace."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from mesolite import (
    Drain,
    InverseOffer,
    Offer,
    Reclaim,
    Refused,
    SchedulerDriver,
    SimulatedWork,
    Simulation,
    TaskStatus,
)
from mesolite.messages.agent import AgentDrained
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    EXECUTORS,
    Spreader,
    command_task,
    executor_task,
    leader_of,
)

Look = Callable[[], object]


class Onlooker(Spreader):
    """Looks in every callback."""

    def __init__(self, look: Look, *tasks: Any) -> None:
        super().__init__(*tasks)
        self._look = look

    def note(self, driver: SchedulerDriver, name: str, *arguments: Any) -> None:
        super().note(driver, name, *arguments)
        self._look()

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        super().resource_offers(driver, offers)
        self._look()

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        super().inverse_offers(driver, inverse_offers)
        driver.accept_inverse_offers(inverse_offers)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        super().status_update(driver, status)
        if status.state.name == "TASK_RUNNING" and status.task_id.endswith("0"):
            driver.kill_task(status.task_id)


class Eyes:
    """Read everything that can be read of a simulation, if they are open."""

    def __init__(self, sim: Simulation, *, are_open: bool) -> None:
        self.sim = sim
        self.are_open = are_open
        self.handles: list[Drain | Reclaim] = []
        self.looks = 0
        self.refused = 0

    def look(self) -> None:
        if not self.are_open or self.sim.started is None:
            return
        self.looks += 1
        view, cluster = self.sim.view, self.sim.started
        seen: list[Any] = [view.running(), view.tasks(), view.agents, view.offers, view.leader, view.state]
        seen += [(agent.id, agent.registered, agent.alive, repr(agent)) for agent in cluster.agents.values()]
        seen += [(master.leading, master.term) for master in cluster.masters.values()]
        seen += [(driver.status, driver.framework_id, driver.error) for driver in cluster.frameworks.values()]
        seen.append(cluster.leader)
        operator = cluster.operator
        for ask in (operator.state, operator.drains, operator.reclaims, operator.maintenance_status):
            self._ask(ask)
        for handle in self.handles:
            seen.append((handle.state, handle.message, handle.ended_at, repr(handle)))
            self._ask(lambda handle=handle: handle.blocked_by)
            if isinstance(handle, Reclaim):
                self._ask(lambda handle=handle: (handle.missing, handle.asked, handle.returned, handle.revoked_tasks))
            else:
                self._ask(lambda handle=handle: handle.remaining_tasks)

    def _ask(self, ask: Callable[[], object]) -> None:
        try:
            ask()
        except Refused:
            self.refused += 1  # nobody leads

    def until(self, seconds: float) -> None:
        """Let so much time pass, with a predicate that looks at every event."""
        ends = self.sim.now + seconds

        def looks() -> bool:
            self.look()
            return False

        with contextlib.suppress(TimeoutError):
            self.sim.run_until(looks, ends - self.sim.now)


def live_through(seed: int, latency_s: float, *, are_open: bool) -> Eyes:
    """Tasks of both sorts, a drain, a reclaim, an agent that crashes, a leader that does."""
    with Simulation(seed=seed, latency_s=(latency_s / 2, latency_s)) as sim:
        eyes = Eyes(sim, are_open=are_open)
        sim.trace.subscribe(lambda record: eyes.look())
        cluster = sim.cluster(agents=3, masters=2, resources="cpus:4;mem:1024")
        work = SimulatedWork(duration=8.0, on_sigterm=1.0)
        cluster.run(Onlooker(eyes.look, *(command_task(f"t{n}", work) for n in range(8, 13))), CHECKPOINTED)
        cluster.run(Onlooker(eyes.look, executor_task("e0"), executor_task("e1")), "worker", executors=EXECUTORS)
        eyes.until(6.0)
        eyes.handles.append(cluster.operator.drain("agent-1", 2.0, message="looked at"))
        eyes.handles.append(cluster.operator.reclaim("agent-2", "cpus:3", within=4.0))
        eyes.until(6.0)
        cluster.agents["agent-3"].crash()
        leader_of(cluster).crash()
        eyes.until(2.0)
        cluster.agents["agent-3"].restart()
        eyes.until(20.0)
        cluster.operator.reactivate("agent-1")
        eyes.until(5.0)
        return eyes


@pytest.mark.parametrize("latency_s", [0.0, 0.02], ids=["no latency", "latency"])
def test_a_run_is_the_same_with_and_without_looking(latency_s: float) -> None:
    """In predicates, in callbacks, and at every record, also while nobody leads: no event, no draw, no record."""
    with_open, with_closed = (live_through(11, latency_s, are_open=are_open) for are_open in (True, False))

    assert with_open.sim.trace.text(system=True) == with_closed.sim.trace.text(system=True)
    assert with_open.sim.trace.hash() == with_closed.sim.trace.hash()
    assert with_open.looks > 1000
    assert with_open.refused > 0, "there was no moment at which nobody led"
    assert with_closed.looks == 0


def test_what_is_seen_is_what_came_of_it(sim: Simulation) -> None:
    """A handle that was only ever read in a predicate knows how its drain ended, and what it waited for."""
    cluster = sim.cluster(agents=1)
    sim.drop(AgentDrained, times=1)
    drain = cluster.operator.drain("agent-1")
    waited: list[str] = []

    def ended() -> bool:
        waited.extend(map(str, drain.blocked_by))
        return drain.ended_at is not None

    sim.run_until(ended, timeout=60.0)

    assert drain.state.name == "DRAINED"
    assert "agent agent-1: it has not confirmed yet that nothing is left on it" in waited[0]
