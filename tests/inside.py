"""What tests look at, and do, that no user can: who is alive, what is stored, and words past all checks.

Who else reaches into a runtime or a core, and why, is a table of the house rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolite import Simulation
from mesolite.messages.base import Message
from mesolite.wiring import Wiring


def alive(sim: Simulation, actor: str) -> bool:
    """Whether an actor of that name is alive."""
    return sim.runtime.directory.find(actor) is not None


def executors_on(world: Simulation | Wiring, agent: str) -> list[str]:
    """The executors that are alive on that agent's machine."""
    return [context.name for context in world.runtime.directory if context.host == agent and "/" in context.name]


def store_of(sim: Simulation, actor: str) -> Mapping[str, Any]:
    """What that actor's store holds."""
    return sim.runtime.store.load(actor, sim.runtime.store.term(actor))


def say(cluster: Wiring, sender: str, to: str, message: Message) -> None:
    """Let that actor say it, past all checks."""
    context = cluster.runtime.directory.find(sender)
    assert context is not None, f"{sender} is not alive"
    cluster.runtime.send(context, to, message, -1)
