"""What is done in each situation, with the verbs of a simulation, its operator and its machines.

Each is a function of a `Stage`: it does its worst, lets it last, and mends what it has done, but for what is lost for
ever: then there is another machine instead, so that there is room for what ran there.
"""

from __future__ import annotations

import signal
from typing import Any

from mesolite.harness.conformance.stage import Stage
from mesolite.machines import AgentMachine
from mesolite.messages.drains import DrainState
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import AcceptOffers, ResourceOffers
from mesolite.messages.tasks import TaskState

LONG_S = 120.0
"""Longer than a master waits for a silent agent before it gives it up."""


# --- who is connected ----------------------------------------------------------------------------------------------


def registered_again(stage: Stage) -> None:
    """Break the link between scheduler and leader, three times."""
    for _ in range(3):
        if stage.runs:
            stage.sim.break_link(stage.scheduler, stage.leader.name)
        stage.sim.advance(20)


def master_failover(stage: Stage) -> None:
    """Let the leader die; its machine comes back as a standby."""
    leader = stage.leader
    leader.crash()
    stage.sim.advance(30)
    leader.restart()


def scheduler_failover(stage: Stage) -> None:
    """Kill the scheduler; its successor comes ten seconds later, and presents the framework's id."""
    if stage.runs:
        stage.sim.kill(stage.scheduler)
        stage.sim.advance(10)
        stage.begin()


def failover_while_a_machine_dies(stage: Stage) -> None:
    """While the scheduler is away, a machine with tasks of it is lost, so nobody hears of their ends."""
    if stage.runs:
        agent = stage.agent
        stage.sim.kill(stage.scheduler)
        lost_for_ever(stage, agent)
        stage.sim.advance(LONG_S)
        stage.begin()


# --- who is lost ---------------------------------------------------------------------------------------------------


def lost_for_ever(stage: Stage, agent: AgentMachine | None = None) -> None:
    """Cut the power of the machine with most tasks; another machine joins."""
    (agent or stage.agent).power_off()
    stage.cluster.add_agent()


def lost_and_back(stage: Stage) -> None:
    """Cut that machine off until it is given up; then it comes back, and what ran there still runs."""
    stage.cut(stage.agent)
    stage.sim.advance(LONG_S)
    stage.sim.heal()


def restarted(stage: Stage) -> None:
    """Restart the agent there; what it has started lives on, if the framework checkpoints."""
    agent = stage.agent
    agent.crash()
    stage.sim.advance(5)
    agent.restart()


def without_its_disk(stage: Stage) -> None:
    """Restart the agent there without what it had stored: it is a new one, and its tasks are killed."""
    stage.agent.restart(anew=True)


def without_a_word(stage: Stage) -> None:
    """Let that agent say goodbye to a leader that dies in the same moment: the next one knows of nothing."""
    agent = stage.agent
    agent.signal(signal.SIGUSR1)
    stage.leader.crash()
    stage.cluster.add_agent()


# --- what is said --------------------------------------------------------------------------------------------------


def late_updates(stage: Stage) -> None:
    """Lose a machine, while every update takes half a minute."""
    rule = stage.sim.delay(30, StatusUpdate)
    stage.sim.advance(1)
    lost_for_ever(stage)
    stage.sim.advance(2 * LONG_S)
    stage.sim.forget(rule)


def duplicate_updates(stage: Stage) -> None:
    """Drain a machine; say every update twice, and for forty seconds lose what acknowledges them: they come again."""
    rules = [stage.sim.duplicate(StatusUpdate), stage.sim.drop(StatusUpdateAcknowledgement)]
    stage.sim.at(stage.sim.now + 40, lambda sim: [sim.forget(rule) for rule in rules])
    drain(stage, 0.0)


def out_of_order(stage: Stage) -> None:
    """Let what is said of running tasks be overtaken by the news of their ends, in three drains on end."""
    rule = stage.sim.delay(
        5, StatusUpdate, where=lambda update: update.status.state in (TaskState.TASK_RUNNING, TaskState.TASK_STARTING)
    )
    for _ in range(3):
        stage.sim.advance(1)
        drain(stage, 0.0, lasts=2)
    stage.sim.advance(15)
    stage.sim.forget(rule)


# --- what is offered, and asked back -------------------------------------------------------------------------------


def rescinded_in_use(stage: Stage) -> None:
    """Rescind the first offers while the answer is on its way: it arrives too late."""
    slow = stage.sim.delay(2, AcceptOffers, times=1)
    agents = list(stage.cluster.agents)

    def rescind(sim: Any) -> None:
        for name in agents:
            stage.cluster.operator.deactivate(name)
        sim.advance(5)
        sim.forget(slow)
        for name in agents:
            stage.cluster.operator.reactivate(name)

    stage.sim.when(ResourceOffers).then(lambda sim: sim.at(sim.now, rescind))


def rescinded(stage: Stage) -> None:
    """Rescind every offer that is out; while no machine may be used, one is lost with its tasks."""
    agent = stage.agent
    others = [name for name in stage.cluster.agents if name != agent.name]
    for name in others:
        stage.cluster.operator.deactivate(name)
    lost = stage.cluster.agents[agent.name]
    lost.signal(signal.SIGUSR1)
    stage.sim.advance(30)
    for name in others:
        stage.cluster.operator.reactivate(name)
    stage.cluster.add_agent()


def expired(stage: Stage) -> None:
    """Let the first use of an offer arrive after the offer has expired."""
    stage.sim.delay(15, AcceptOffers, times=1)


def inverse_offers(stage: Stage) -> None:
    """Ask for all that it holds on a machine, with ten minutes of time; after two the wish is withdrawn."""
    reclaim = stage.cluster.operator.reclaim(stage.agent, within=600)
    stage.sim.advance(LONG_S)
    reclaim.release()


def drain(stage: Stage, grace: float | None = None, lasts: float = 60) -> None:
    """Drain the machine with most tasks, and let it be used again a minute later."""
    agent = stage.agent
    drained = stage.cluster.operator.drain(agent, max_grace_period=grace)
    stage.sim.advance(lasts)
    for _ in range(5):
        if drained.state is DrainState.DRAINED:
            stage.cluster.operator.reactivate(agent)
            break
        stage.sim.advance(lasts)


def revocation(stage: Stage) -> None:
    """Ask for all that it holds on a machine within five seconds: what is not given back is taken."""
    reclaim = stage.cluster.operator.reclaim(stage.agent, within=5)
    stage.sim.advance(60)
    reclaim.release()


def gone(stage: Stage) -> None:
    """Say that a machine is gone for good; another joins."""
    agent = stage.agent
    stage.cluster.operator.mark_gone(agent)
    stage.cluster.add_agent()


def maintenance(stage: Stage) -> None:
    """Announce a machine's maintenance, take it down half a minute later, and up again after two minutes."""
    agent, operator = stage.agent, stage.cluster.operator
    window = Window(machines=[agent.machine_id], unavailability=Unavailability(start=stage.sim.now + 30))
    operator.update_maintenance_schedule([window])
    stage.sim.advance(LONG_S)
    operator.machine_down([agent])
    stage.sim.advance(LONG_S)
    operator.machine_up([agent])
    agent.restart()
