"""Parties that start and end other parties on their own machine: an agent and its executors, on any runtime."""

from __future__ import annotations

from mesolite.actors.decisions.contract import ExecutorStart, SpawnFailed
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Birth, Seat


def no_executors(host: str, start: ExecutorStart) -> Birth:
    """Stand for the wiring where there is none.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"nothing was said about how executors such as {start.executor_id} start on {host}")


def spawn(seat: Seat, name: str, start: ExecutorStart, cause: int) -> None:
    """Start an executor on the seat's machine; if that cannot be, the seat is told why."""
    runtime = seat.runtime
    try:
        make, place = runtime.give_birth(seat.host, start)
        runtime.start(name, place, make, cause)
    except (LookupError, Refused) as why:
        runtime.post(seat, SpawnFailed(name, str(why.args[0])), cause=cause)


def destroy(seat: Seat, name: str, cause: int) -> None:
    """End a party of the seat's machine, with everything it runs."""
    victim = seat.runtime.directory.find(name)
    if victim is not None and victim.host == seat.host:
        seat.runtime.end(victim, -1, cause=cause)
