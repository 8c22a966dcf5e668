"""Which cluster a driver belongs to: one given as `master_uri`, or, for a URL, that of the `with on(...)` around.

One rule: a driver belongs to the innermost `with on(cluster)` around the line that makes it, on that thread. Where the
cluster itself is given as `master_uri` no `with` is needed, but for executors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from attrs import frozen

from mesolite.actors.errors import Refused
from mesolite.messages.checking import checked_arguments
from mesolite.wiring import Wiring

Program = Callable[[], Any]
"""What stands for an executor's process: a class of executors, or a function that makes a `MesosExecutorDriver`."""


@frozen
class Place:
    """A cluster, and what runs there as which executor."""

    cluster: Wiring
    executors: Mapping[str, Program]


_AROUND: ContextVar[tuple[Place, ...]] = ContextVar("the clusters that drivers made here may belong to", default=())


@contextmanager
@checked_arguments
def on(cluster: Wiring, executors: Mapping[str, Program] | None = None) -> Iterator[None]:
    """Let drivers made inside, whatever URL they name, belong to this `Cluster` or cluster of a simulation.

    `executors`: what is run instead of an executor's process, by the `name`, the command's `value` or the `executor_id`
    that its ExecutorInfo has. Either a class, whose callbacks then get `Dict`s, or a function that makes a
    `MesosExecutorDriver` as the program's own `main` does.

    Raises:
        InvalidValue: that is no cluster, or something else than classes and functions stands for executors.
    """
    token = _AROUND.set((*_AROUND.get(), Place(cluster, dict(executors or {}))))
    try:
        yield
    finally:
        _AROUND.reset(token)


def place_of(master_uri: object) -> Place:
    """Where a driver with this master belongs.

    Raises:
        Refused: nothing says so.
    """
    around = _AROUND.get()
    if isinstance(master_uri, Wiring):
        mine = [place for place in around if place.cluster is master_uri]
        return mine[-1] if mine else Place(master_uri, {})
    if not around:
        raise Refused(
            f"no cluster is known under master_uri={master_uri!r}: make the driver inside of "
            "`with mesolite.compat.pymesos.on(cluster):`, or give the cluster itself"
        )
    return around[-1]
