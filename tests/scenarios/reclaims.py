"""What the scenarios of reclaims and enforced windows share (docs/reclaim.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from mesolite import Filters, FrameworkInfo, InverseOffer, SchedulerDriver, Simulation, TaskInfo
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.operator import ReclaimResourcesCall
from mesolite.messages.resources import Resources
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    EXECUTORS,
    Launcher,
    command_task,
    id_of,
    place,
)

AGENT = "cpus:4;mem:4096"
"""What an agent has here."""

Reply = Callable[[SchedulerDriver, InverseOffer], object]


class Owner(Launcher):
    """Launches its tasks with the first offer it gets, wants no more of that for long, and replies as it was told."""

    def __init__(self, *tasks: TaskInfo, reply: Reply | None = None) -> None:
        super().__init__(*tasks, refuse_s=100_000.0)
        self.reply = reply

    def inverse_offers(self, driver: SchedulerDriver, *arguments: Any) -> None:
        super().inverse_offers(driver, *arguments)
        for inverse_offer in arguments[0] if self.reply is not None else ():
            self.reply(driver, inverse_offer)

    @property
    def amounts_asked(self) -> list[str]:
        """What it was asked for, '' for everything, in order."""
        return [str(inverse_offer.resources) for inverse_offer in self.asked]


def accepts(*returning: str) -> Reply:
    """Accept, and promise these tasks."""
    return lambda driver, asked: driver.accept_inverse_offers(asked.id, returning=returning)


def declines(reason: str) -> Reply:
    return lambda driver, asked: driver.decline_inverse_offers(asked.id, reason=reason)


def kills(*task_ids: str) -> Reply:
    """Return these at once."""

    def reply(driver: SchedulerDriver, asked: InverseOffer) -> None:
        for task_id in task_ids:
            driver.kill_task(task_id)

    return reply


@frozen
class Stage:
    """agent-1 with two frameworks: etl runs t1, t2 and web t3, each cpus:1;mem:128, launched in that order."""

    cluster: SimulatedCluster
    etl: Owner
    web: Owner
    etl_driver: MesoliteSchedulerDriver
    web_driver: MesoliteSchedulerDriver

    @property
    def living(self) -> list[str]:
        """The tasks that run, as their frameworks know."""
        told = {"t1": self.etl, "t2": self.etl, "t3": self.web}
        return [task_id for task_id, framework in told.items() if framework.states(task_id)[-1] == "RUNNING"]


def stage(
    sim: Simulation,
    *,
    masters: int = 1,
    etl: Owner | None = None,
    web: Owner | None = None,
    checkpoint: bool = False,
    failover_timeout_s: float = 0.0,
) -> Stage:
    """A cluster of one agent on which all three tasks run."""
    cluster = sim.cluster(agents=1, masters=masters, resources=AGENT)
    first = etl or Owner(command_task("t1"), command_task("t2"))
    second = web or Owner(command_task("t3"))

    def info(name: str) -> FrameworkInfo:
        return FrameworkInfo(name=name, checkpoint=checkpoint, failover_timeout_s=failover_timeout_s)

    first_driver = cluster.run(first, framework=info("etl"), executors=EXECUTORS)
    sim.advance(2.0)
    second_driver = cluster.run(second, framework=info("web"), executors=EXECUTORS)
    sim.advance(2.0)
    staged = Stage(cluster, first, second, first_driver, second_driver)
    assert staged.living == ["t1", "t2", "t3"], "the stage could not be set"
    return staged


def call(sim: Simulation, cluster: SimulatedCluster, resources: str | None, *, within: float = 60.0) -> None:
    """Ask for a reclaim of agent-1 without waiting for the answer."""
    message = ReclaimResourcesCall(
        call_id=1,
        agent_id=id_of(cluster),
        resources=None if resources is None else Resources.of(resources),
        within_s=within,
    )
    place(sim, cluster, message)


def offered(sim: Simulation, there: Stage, to: MesoliteSchedulerDriver | None = None) -> str:
    """What is offered if both frameworks want all they can get, or only this one; empty for nothing."""
    drivers = {str(driver.framework_id): driver for driver in (there.etl_driver, there.web_driver)}
    for offer in there.cluster.operator.state()["offers"]:
        drivers[offer["framework_id"]].decline_offer(offer["id"], Filters(refuse_seconds=0.0))
    for driver in drivers.values():
        if to in (None, driver):
            driver.revive_offers()
        else:
            driver.suppress_offers()
    sim.advance(1.5)
    return str(Resources.sum(Resources.of(offer["resources"]) for offer in there.cluster.operator.state()["offers"]))
