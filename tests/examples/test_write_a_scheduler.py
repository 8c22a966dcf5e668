"""Whoever has read docs/write-a-scheduler.md, and nothing else, writes schedulers that lose nothing.

Two are tried: the one that the page ends with, and one written from it by somebody who wanted it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from mesolite import (
    Capability,
    CommandInfo,
    Filters,
    FrameworkInfo,
    InverseOffer,
    Offer,
    Scheduler,
    SchedulerDriver,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from tests.examples.losses import ACCIDENTS, LATENCY_S, SERVICES, STEADY_S, WAYS, Way, alive, one_each
from tests.pages.snippets import ROOT, blocks_of

AWARE = (Capability.PARTITION_AWARE,)
LONG_S = 1500.0
"""Until then whatever was asked is answered, and whatever was lost is running again."""


@cache
def page() -> dict[str, Any]:
    """What the page defines."""
    defined: dict[str, Any] = {}
    for block in blocks_of(ROOT / "docs" / "write-a-scheduler.md"):
        if block.info == "python" and "with Cluster" not in block.text:
            exec(block.code, defined)
    return defined


class Journal(Scheduler):
    """Knows nothing but a journal, from which a successor can go on, and acknowledges what is written in it.

    An entry says on which agent a task was launched, or None: it is over, or was given up.
    """

    def __init__(self, journal: list[tuple[str, Any]]) -> None:
        self.journal = journal
        self.round = 0

    def counted_on(self) -> dict[str, Any]:
        latest = dict(self.journal)
        return {task_id: agent_id for task_id, agent_id in latest.items() if agent_id is not None}

    def missing(self) -> list[str]:
        there = {task_id.partition(".")[0] for task_id in self.counted_on()}
        return [service for service in SERVICES if service not in there]

    def registered(self, driver: SchedulerDriver, *arguments: object) -> None:
        self.round += 1
        self.ask(driver, self.round, 2.0)

    reregistered = registered  # type: ignore[assignment]  # it takes whatever it is given

    def ask(self, driver: SchedulerDriver, number: int, wait_s: float) -> None:
        if number != self.round:
            return
        driver.reconcile_tasks()
        known = self.counted_on().items()
        if known:
            staging = TaskState.TASK_STAGING
            driver.reconcile_tasks([TaskStatus(task_id=task, state=staging, agent_id=agent) for task, agent in known])
        driver.call_later(wait_s, lambda: self.ask(driver, number, min(2 * wait_s, 300.0)))

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if offer.unavailability is not None:
                driver.decline_offer(offer, Filters(refuse_seconds=600.0))
                continue
            tasks = []
            for service in self.missing()[: min(2, int(offer.resources.cpus))]:
                task_id, command = f"{service}.{len(self.journal)}", CommandInfo(value="sleep 1000000")
                self.journal.append((task_id, offer.agent_id))
                tasks.append(TaskInfo(task_id=task_id, resources="cpus:1;mem:32", command=command))
            driver.launch_tasks(offer, tasks)
        if not self.missing():
            driver.suppress_offers()

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        counted_on = status.task_id in self.counted_on()
        if status.state.holds_resources and not counted_on:
            driver.kill_task(status.task_id)
        if counted_on and not status.state.holds_resources:
            self.journal.append((status.task_id, None))
            driver.revive_offers()
        driver.acknowledge(status)

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        for asked in inverse_offers:
            there = [task for task, agent in self.counted_on().items() if asked.agent_id in (None, agent)]
            driver.accept_inverse_offers(asked, returning=there)
            for task_id in there:
                driver.kill_task(task_id)


SCHEDULERS: dict[str, Callable[[], Scheduler]] = {
    "of-the-page": lambda: page()["PoliteKeeper"](*SERVICES),
    "of-a-reader": lambda: Journal([]),
}


@pytest.mark.parametrize("scheduler", ["of-the-page", pytest.param("of-a-reader", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "leader_dies", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["", "while-the-leader-dies"]
)
@pytest.mark.parametrize("aware", [False, True], ids=["plain", "aware"])
@pytest.mark.parametrize("way", [*WAYS, *ACCIDENTS], ids=lambda way: way.name)
def test_no_way_of_losing_a_machine_takes_a_service(way: Way, aware: bool, leader_dies: bool, scheduler: str) -> None:
    """In the end each runs exactly once, and none where the machine was, unless it was to stay."""
    with Simulation(1, latency=LATENCY_S) as sim:
        cluster = sim.cluster(agents=3, masters=3)
        info = FrameworkInfo(name="mine", checkpoint=True, capabilities=AWARE if aware else ())
        cluster.run(SCHEDULERS[scheduler](), framework=info, implicit_acknowledgements=scheduler == "of-the-page")
        sim.advance(STEADY_S)
        assert one_each(sim)
        way.go(sim, cluster, cluster.agents["agent-1"])
        leader = cluster.leader
        if leader_dies and leader is not None:
            leader.crash()

        sim.advance(LONG_S)

        assert one_each(sim)
        assert way.stays == (alive(sim) != alive(sim, without="agent-1"))


def test_successor_goes_on_from_the_journal() -> None:
    """What it has not heard it asks; what ran on runs on, once."""
    with Simulation(2, latency=LATENCY_S) as sim:
        cluster = sim.cluster(agents=3)
        first = Journal([])
        info = FrameworkInfo(name="mine", checkpoint=True, failover_timeout_s=600.0)
        driver = cluster.run(first, framework=info, implicit_acknowledgements=False)
        sim.advance(STEADY_S)
        before = first.counted_on()
        driver.stop(failover=True)
        cluster.agents["agent-1"].power_off()
        sim.advance(200.0)

        info = FrameworkInfo(name="mine", id=driver.framework_id, checkpoint=True, failover_timeout_s=600.0)
        successor = Journal(list(first.journal))
        cluster.run(successor, framework=info, implicit_acknowledgements=False)
        sim.advance(100.0)

        assert one_each(sim)
        lost = {task_id for task_id, agent_id in before.items() if agent_id == cluster.agents["agent-1"].id}
        assert lost
        assert before.keys() - successor.counted_on().keys() == lost
