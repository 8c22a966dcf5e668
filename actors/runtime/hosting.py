"""Actors that start and end other actors on their own machine: an agent and its executors, on any runtime."""

from __future__ import annotations

from mesolite.actors.decisions.contract import ExecutorStart, SpawnFailed
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import ActorContext, NewActor


def no_executors(host: str, start: ExecutorStart) -> NewActor:
    """Stand for the wiring where there is none.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"nothing was said about how executors such as {start.executor_id} start on {host}")


def spawn(context: ActorContext, name: str, start: ExecutorStart, cause: int) -> None:
    """Start an executor on the context's machine; if that cannot be, the context is told why."""
    runtime = context.runtime
    try:
        make, place = runtime.executor_factory(context.host, start)
        runtime.start(name, place, make, cause)
    except (LookupError, Refused) as why:
        runtime.post(context, SpawnFailed(name, str(why.args[0])), cause=cause)


def destroy(context: ActorContext, name: str, cause: int) -> None:
    """End an actor of the context's machine, with everything it runs."""
    victim = context.runtime.directory.find(name)
    if victim is not None and victim.host == context.host:
        context.runtime.end(victim, -1, cause=cause)
