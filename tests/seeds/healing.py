"""Mending everything, and what must hold then: whatever was begun has ended, and nobody is left in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite import DrainState, TaskState
from tests.seeds.checkers import Violation
from tests.seeds.teeth import BITE_S, FREE
from tests.seeds.workload import RECOVERY_S, World

TOLD = "(c) every task a living framework launched runs, or the framework knows its end"
ENDED = "(c) when all is mended there is a leader, every agent is registered, and every drain has ended"
EXECUTORS = "(c) when all is mended the leader counts the executors that live, and no others"
ANSWERED = "(i) a call of an operator is answered once"

GUARDS = (
    "registering", "reregistering", "marking_unreachable", "marking_gone", "removing", "pruning",
    "ending_drains", "starting_reclaims", "ending_reclaims", "awaited_writes", "maintenance_calls",
)  # fmt: skip
"""What a leader is just having written."""

ROUND_S = 15.0
"""How long frameworks wait before they ask again what became of their tasks."""

ROUNDS_MAX = 8
"""More than the longest chain takes: agents given up one after another, then a drain that needs all its graces."""


def heal(world: World) -> None:
    """End every fault, restart what is dead, let the frameworks rest, and give them time."""
    world.end_faults()
    world.sim.heal()
    teeth = world.watch.teeth
    teeth.quiet_from = world.sim.now + RECOVERY_S
    for view in world.views:
        view.resting = True
    for number in range(ROUNDS_MAX):
        restart(world)
        world.advance(ROUND_S)
        for view in living(world):
            view.reconcile()
        world.advance(3.0)
        if number and not unfinished(world) and (not teeth.wanted or world.sim.now > teeth.quiet_from + BITE_S):
            break


def restart(world: World) -> None:
    """Start every master that is dead, every agent that has not left for good, and a scheduler where none is left.

    What nobody acknowledges holds drains up; in life an operator would tear such a framework down. Of two successors
    that started at once each may have been told that the other has taken over.
    """
    for view in world.views:
        if not view.driver.still_running or world.sim.runtime.directory.find(view.driver.name) is None:
            world.succeed(view)
    for master in world.cluster.masters.values():
        if not master.alive:
            master.restart()
    for agent in world.cluster.agents.values():
        if not agent.alive and agent.name not in world.unregistered:
            agent.restart()


def living(world: World) -> list[Any]:
    """The frameworks whose scheduler runs and is known to the leader."""
    m = state_of_leader(world)
    return [
        view
        for view in world.views
        if m is not None
        and view.driver.still_running
        and view.driver.framework_id in m.frameworks
        and m.frameworks[view.driver.framework_id].connected
        and world.sim.runtime.directory.find(view.driver.name) is not None
    ]


def state_of_leader(world: World) -> Any:
    """The books of the leader, None if nobody leads."""
    leader = world.cluster.leader
    seat = world.sim.runtime.directory.find(leader.name) if leader is not None else None
    if seat is None:
        return None
    core: Any = seat.actor.performer.core
    return core.state


def unfinished(world: World) -> list[Violation]:
    """What would be a violation if nothing more happened."""
    m = state_of_leader(world)
    if m is None:
        return [world.watch.violation(ENDED, "nobody leads")]
    return [
        *_agents_are_there(world, m),
        *_drains_have_ended(world, m),
        *_reclaims_have_ended(world, m),
        *_tasks_are_accounted_for(world, m),
        *_executors_are_accounted_for(world, m),
        *_calls_are_answered(world),
    ]


def demand(world: World) -> None:
    """What must hold when all is mended."""
    world.watch.violations += unfinished(world)
    world.look()


def _agents_are_there(world: World, m: Any) -> Iterator[Violation]:
    for agent in world.cluster.agents.values():
        known = m.agents.get(agent.id)
        if agent.alive and (known is None or not known.connected or not agent.registered):
            text = f"{agent.name} ({agent.id}) runs and is not registered"
            yield world.watch.violation(ENDED, text, agent.id, agent.name)
    for guard in GUARDS:
        if under_way := getattr(m, guard):
            yield world.watch.violation(ENDED, f"a registry write never came back: {guard} is {under_way}")
    if m.recovered:
        yield world.watch.violation(ENDED, f"{list(m.recovered)} neither came back nor were given up", *m.recovered)


def _drains_have_ended(world: World, m: Any) -> Iterator[Violation]:
    for agent_id, drain in m.deactivated.items():
        agent = m.agents.get(agent_id)
        if drain is None or agent is None:
            continue
        if drain.state is DrainState.DRAINING:
            left = [task.task_id for task in agent.tasks.values()]
            text = f"{drain.id} of {agent_id} ({agent.party}) has not ended; the master knows of {left}, alive are "
            text += f"{world.watch.alive_on(agent.party)}"
            yield world.watch.violation(ENDED, text, agent_id, *left[:2])
        elif alive := world.watch.alive_on(agent.party):
            text = f"{drain.id} of {agent_id} is {drain.state}, and {alive} are alive on {agent.party}"
            yield world.watch.violation(ENDED, text, agent_id, *alive[:2])


def _reclaims_have_ended(world: World, m: Any) -> Iterator[Violation]:
    for text, about in world.watch.teeth.late(m):
        yield world.watch.violation(FREE, text, *about)


def _tasks_are_accounted_for(world: World, m: Any) -> Iterator[Violation]:
    for view in living(world):
        for task_id in view.open_tasks:
            told = [status.state for status in view.told.get(task_id, ())]
            cut_off = told[-1:] == [TaskState.TASK_UNREACHABLE] and view.agents[task_id] in m.unreachable
            if not cut_off and not world.watch.is_alive(task_id):
                known = m.frameworks[view.driver.framework_id].tasks.get(task_id)
                text = f"{view.name} was told {[state.name for state in told]} of {task_id}, which is not alive; "
                text += f"the master has it as {known.state if known is not None else 'unknown'}"
                yield world.watch.violation(TOLD, text, task_id)


def _executors_are_accounted_for(world: World, m: Any) -> Iterator[Violation]:
    for agent in m.agents.values():
        seat = world.sim.runtime.directory.find(agent.party)
        if seat is None:
            continue
        core: Any = seat.actor.performer.core
        living = {
            (framework.id, executor.id)
            for framework in core.state.frameworks.values()
            for executor in framework.executors.values()
            if executor.info is not None and executor.phase.name in ("REGISTERING", "RUNNING")
        }
        if living != agent.executors.keys():
            text = f"on {agent.id} ({agent.party}) live {sorted(living)}, and the master counts {list(agent.executors)}"
            yield world.watch.violation(EXECUTORS, text, agent.id, agent.party)


def _calls_are_answered(world: World) -> Iterator[Violation]:
    for (name, call_id), seat in world.watch.calls.items():
        if seat.alive:
            yield world.watch.violation(ANSWERED, f"{name} has not answered call {call_id}", name)
