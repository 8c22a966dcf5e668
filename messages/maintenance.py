"""Nouns about maintenance: machines, when they will be unavailable, and the schedule (drain.md 5.1)."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from attrs import field, frozen


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


@frozen(kw_only=True)
class Unavailability:
    """From when, in seconds on the cluster's clock, and for how long; None: for ever (5.1.2)."""

    start: float
    duration_s: float | None = None


def _machines(value: Iterable[MachineId | str]) -> tuple[MachineId, ...]:
    return tuple(MachineId(hostname=machine) if isinstance(machine, str) else machine for machine in value)


@frozen(kw_only=True)
class Window:
    """These machines are unavailable together (5.1.3); a string is a host name.

    `enforce` is ours: what frameworks still hold there when the window starts is revoked. Mesos stops at advice.
    """

    machines: tuple[MachineId, ...] = field(converter=_machines)
    unavailability: Unavailability
    enforce: bool = False


@frozen(kw_only=True)
class Maintenance:
    """The whole schedule, and which of its machines are DOWN; the others are DRAINING, all not listed UP."""

    windows: tuple[Window, ...] = ()
    down: tuple[MachineId, ...] = ()
