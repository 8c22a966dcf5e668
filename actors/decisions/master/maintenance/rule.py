"""The maintenance schedule: which machine is unavailable when, in which mode, and may this call change it (drain.md 5).

    UP --scheduled--> DRAINING --machine down--> DOWN --machine up--> UP
     ^                   |
     +---unscheduled-----+

Each refusal is a sentence saying what was asked, why not, and what would work; '' means that nothing stands in the
way. Checks run in the order of the lists, and the first that fails answers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from attrs import evolve

from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineId, MachineMode, Maintenance, Unavailability, Window

Machine = tuple[str, str]
"""A machine as it is compared: its host name in one case, and its address (5.1.1)."""


def machine_of(what: MachineId | AgentInfo) -> Machine:
    """The machine of that name, or the one that agent is on."""
    return (what.hostname.casefold(), what.ip)


class Schedule:
    """The schedule as a lookup by machine. It is never changed: every change makes another one."""

    def __init__(self, maintenance: Maintenance | None = None) -> None:
        """Look things up in this; start with nothing scheduled."""
        self.maintenance = maintenance or Maintenance()
        self._windows = {
            machine_of(machine): window for window in self.maintenance.windows for machine in window.machines
        }
        self._down = {machine_of(machine): machine for machine in self.maintenance.down}

    def window_of(self, machine: Machine) -> Window | None:
        """The window that machine is in; None if it is not scheduled."""
        return self._windows.get(machine)

    def mode_of(self, machine: Machine) -> MachineMode:
        """UP, unless operators have said otherwise (5.3.1)."""
        if machine in self._down:
            return MachineMode.DOWN
        return MachineMode.DRAINING if machine in self._windows else MachineMode.UP

    def unavailability_of(self, machine: Machine) -> Unavailability | None:
        """When that machine is unavailable; None if it is not scheduled (5.4.1)."""
        window = self._windows.get(machine)
        return None if window is None else window.unavailability

    def draining(self) -> list[MachineId]:
        """The machines in mode DRAINING, in the order of the schedule."""
        listed = [machine for window in self.maintenance.windows for machine in window.machines]
        return [machine for machine in listed if machine_of(machine) not in self._down]

    def changed(self, after: Schedule) -> list[Machine]:
        """The machines that another schedule says something else about: when, or with what force."""
        machines = dict.fromkeys([*self._windows, *after._windows])
        return [machine for machine in machines if self._promise(machine) != after._promise(machine)]

    def _promise(self, machine: Machine) -> tuple[Unavailability, bool] | None:
        window = self._windows.get(machine)
        return None if window is None else (window.unavailability, window.enforce)

    # --- what would be, and why not -----------------------------------------------------------------------

    def with_windows(self, windows: tuple[Window, ...]) -> Maintenance:
        """These windows in place of all others; machines that are DOWN stay so (5.2.4, 5.2.5)."""
        return evolve(self.maintenance, windows=windows)

    def windows_error(self, windows: tuple[Window, ...]) -> str:
        """May this be the whole schedule (5.2.1)?"""
        listed: dict[Machine, None] = {}
        for number, window in enumerate(windows, start=1):
            if not window.machines:
                return f"window {number} of the schedule lists no machine; name some, or leave the window out"
            for machine in window.machines:
                if error := machine_error(machine):
                    return f"window {number} of the schedule: {error}"
                if machine_of(machine) in listed:
                    return f"machine {machine} is in the schedule twice; give it one window"
                listed[machine_of(machine)] = None
        for key, machine in self._down.items():
            if key not in listed:
                return f"machine {machine} is DOWN and not in the schedule; bring it up first, or leave it in"
        return ""

    def with_down(self, machines: tuple[MachineId, ...]) -> Maintenance:
        """These machines are DOWN; the windows stay as they are (5.5.2)."""
        return evolve(self.maintenance, down=(*self.maintenance.down, *machines))

    def down_error(self, machines: tuple[MachineId, ...]) -> str:
        """May these machines be taken down (5.5.1)?"""
        return self._machines_error(
            machines,
            MachineMode.DRAINING,
            {
                MachineMode.UP: "it is not in the schedule; schedule it first",
                MachineMode.DOWN: "it is down already",
            },
        )

    def with_up(self, machines: tuple[MachineId, ...]) -> Maintenance:
        """These machines are UP and not scheduled any more; windows that have become empty vanish (5.5.5)."""
        gone = {machine_of(machine) for machine in machines}
        windows = (evolve(window, machines=_without(window.machines, gone)) for window in self.maintenance.windows)
        return Maintenance(
            windows=tuple(window for window in windows if window.machines),
            down=_without(self.maintenance.down, gone),
        )

    def up_error(self, machines: tuple[MachineId, ...]) -> str:
        """May these machines be brought up (5.5.5)?"""
        return self._machines_error(
            machines,
            MachineMode.DOWN,
            {
                MachineMode.UP: "it is not down",
                MachineMode.DRAINING: "it is only scheduled; to cancel that, post a schedule without it",
            },
        )

    def _machines_error(
        self, machines: tuple[MachineId, ...], wanted: MachineMode, why_not: dict[MachineMode, str]
    ) -> str:
        if not machines:
            return f"no machine was named; name machines in mode {wanted}"
        listed: dict[Machine, None] = {}
        for machine in machines:
            if error := machine_error(machine):
                return error
            key = machine_of(machine)
            if key in listed:
                return f"machine {machine} is listed twice; list it once"
            listed[key] = None
            mode = self.mode_of(key)
            if mode is not wanted:
                return f"machine {machine} is {mode}: {why_not[mode]}"
        return ""


def _without(machines: tuple[MachineId, ...], gone: Iterable[Machine]) -> tuple[MachineId, ...]:
    return tuple(machine for machine in machines if machine_of(machine) not in gone)


def machine_error(machine: MachineId) -> str:
    """Is this a machine (5.2.1)?"""
    if not machine.hostname and not machine.ip:
        return "a machine has neither a hostname nor an ip; give it what its agents say of themselves"
    if machine.ip:
        try:
            ipaddress.IPv4Address(machine.ip)
        except ValueError:
            return f"machine {machine} has the ip {machine.ip!r}, which is no IPv4 address; one looks like 10.0.0.7"
    return ""
