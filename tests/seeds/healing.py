"""Mending everything: what was begun then has to end, and nobody is left in the dark."""

from __future__ import annotations

from typing import Any

from tests.seeds.workload import World

ROUND_S = 15.0
"""How long frameworks wait before they ask again what became of their tasks."""

ROUNDS_MAX = 8
"""More than the longest chain takes: agents given up one after another, then a drain that needs all its graces."""


def heal(world: World) -> None:
    """End every fault, restart what is dead, let the frameworks rest, and give them time."""
    world.end_faults()
    world.sim.heal()
    checkers = world.checkers
    checkers.disturbed()
    for view in world.views:
        view.resting = True
    for number in range(ROUNDS_MAX):
        restart(world)
        world.advance(ROUND_S)
        for view in living(world):
            view.reconcile()
        world.advance(3.0)
        wanted = checkers.decided.reclaims or any(window.enforce for window in checkers.decided.windows)
        if number and not checkers.unfinished() and (not wanted or world.sim.now > checkers.quiet_from + ROUND_S):
            break


def restart(world: World) -> None:
    """Start every master that is dead, every agent that has not left for good, and a scheduler where none is left.

    What nobody acknowledges holds drains up; in life an operator would tear such a framework down. Of two successors
    that started at once each may have been told that the other has taken over.
    """
    for view in world.views:
        if not view.driver.still_running or world.checkers.reader.seat(view.driver.name) is None:
            world.succeed(view)
    for master in world.cluster.masters.values():
        if not master.alive:
            master.restart()
    for agent in world.cluster.agents.values():
        if not agent.alive and agent.name not in world.unregistered:
            agent.restart()


def living(world: World) -> list[Any]:
    """The frameworks whose scheduler runs and is known to the leader."""
    m = world.checkers.reader.leader()
    return [
        view
        for view in world.views
        if m is not None
        and view.driver.still_running
        and view.driver.framework_id in m.frameworks
        and m.frameworks[view.driver.framework_id].connected
        and world.checkers.reader.seat(view.driver.name) is not None
    ]


def demand(world: World) -> None:
    """What must hold when all is mended."""
    for violation in world.checkers.unfinished():
        world.checkers.report(violation)
    world.look()
