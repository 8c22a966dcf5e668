"""Frameworks with a task on each of their agents, whose machines are scheduled: for the tests of inverse offers."""

from __future__ import annotations

from mesolite import AnswerEntry, Filters, FrameworkInfo, Simulation
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages import Subscribe
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import Spreader, command_task

LASTING = FrameworkInfo(name="lasting", failover_timeout_s=1e6)
ALL, SOME = "cpus:4;mem:4096", "cpus:1;mem:128"
NOT_AGAIN = Filters(refuse_seconds=1e6)
AGAIN = Filters(refuse_seconds=0)


def window(cluster: SimulatedCluster, *machines: str, enforce: bool = False) -> Window:
    """These machines, or all agents' machines, are unavailable in a minute."""
    unavailability = Unavailability(start=cluster.now + 60.0)
    return Window(machines=machines or tuple(cluster.agents), unavailability=unavailability, enforce=enforce)


def staffed(
    sim: Simulation, agents: int = 1, resources: str = ALL
) -> tuple[SimulatedCluster, Spreader, MesoliteSchedulerDriver]:
    """A cluster with a task `t1`, `t2`, ... on each agent; what they leave, if anything, is offered and stays so."""
    cluster = sim.cluster(agents=agents)
    framework = Spreader(*(command_task(f"t{number}", resources=resources) for number in range(1, agents + 1)))
    driver = cluster.run(framework, framework=LASTING)
    sim.advance(10.0)
    return cluster, framework, driver


def answers(cluster: SimulatedCluster) -> list[AnswerEntry]:
    """Every answer that operators are shown."""
    machines = cluster.operator.maintenance_status()["draining_machines"]
    return [answer for machine in machines for agent in machine["agents"] for answer in agent["answers"]]


def hold_nothing(framework: Spreader, driver: MesoliteSchedulerDriver) -> None:
    """Let the framework give back all it holds on agent-1, and take nothing new."""
    driver.suppress_offers()
    driver.decline_offer(framework.offers)
    driver.kill_task("t1")


def subscription_of(driver: MesoliteSchedulerDriver) -> Subscribe:
    """What that driver would say to subscribe again."""
    return Subscribe(framework_info=FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6))
