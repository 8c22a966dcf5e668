"""Nouns about maintenance: machines, when they will be unavailable, and the schedule (drain.md 5.1)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Protocol

from attrs import field, frozen

from mesolite.messages.checking import ITEMS_MAX, Seconds, checked, listed, optional_seconds


@checked
@frozen(kw_only=True)
class MachineId:
    """A machine: host names match in any case, addresses exactly; both must match (5.1.1).

    An agent's machine is exactly what the agent says of itself, so a schedule that leaves out the address of an agent
    that has one does not mean that agent.
    """

    hostname: str = ""
    ip: str = ""

    def __str__(self) -> str:
        """Print what is known of it."""
        return f"{self.hostname} ({self.ip})" if self.hostname and self.ip else self.hostname or self.ip


class MachineMode(enum.Enum):
    """A machine's maintenance mode; only operators change it, time never does (5.3.1).

    UP <--schedule--> DRAINING --machine down--> DOWN --machine up--> UP
    """

    UP = "UP"
    DRAINING = "DRAINING"
    DOWN = "DOWN"

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


@checked
@frozen(kw_only=True)
class Unavailability:
    """From when, in seconds on the cluster's clock, and for how long; None: for ever (5.1.2).

    `v1_json`: if it came by HTTP, as it came: in nanoseconds of the world, of which a float holds not all (HT-280).
    """

    start: float
    duration_s: Seconds | None = field(default=None, converter=optional_seconds)
    v1_json: str = ""


class OnMachine(Protocol):
    """Anything that is on a machine and says which it is, as an agent's handle does."""

    @property
    def machine_id(self) -> MachineId:
        """Its machine."""


AnyMachine = MachineId | OnMachine | str
"""Ways to name a machine: its id, the handle of an agent on it, or its host name."""


def machine_id(machine: AnyMachine) -> MachineId:
    """Understand all ways to name a machine; anything else is left to the check."""
    if isinstance(machine, str):
        return MachineId(hostname=machine)
    if isinstance(machine, MachineId) or not hasattr(machine, "machine_id"):
        return machine  # type: ignore[return-value]
    return machine.machine_id


def machine_ids(machines: AnyMachine | Iterable[AnyMachine]) -> tuple[MachineId, ...]:
    """Understand one machine, or several; too many, and what is no machine, are left to the check."""
    one = isinstance(machines, str | bytes | Mapping | MachineId) or hasattr(machines, "machine_id")
    if one or not isinstance(machines, Iterable):
        return (machine_id(machines),)  # type: ignore[arg-type]
    several = listed(machines)
    return tuple(map(machine_id, several)) if len(several) <= ITEMS_MAX else several


@checked
@frozen(kw_only=True)
class Window:
    """These machines are unavailable together (5.1.3); a string is a host name.

    `enforce` is ours: what frameworks still hold there when the window starts is revoked. Mesos stops at advice.
    """

    machines: tuple[MachineId, ...] = field(converter=machine_ids)
    unavailability: Unavailability
    enforce: bool = False


@frozen(kw_only=True)
class Maintenance:
    """The whole schedule, and which of its machines are DOWN; the others are DRAINING, all not listed UP."""

    windows: tuple[Window, ...] = ()
    down: tuple[MachineId, ...] = ()
