"""The maintenance schedule as a rule: what machines are, which schedules and lists are valid, what they lead to."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.decisions.master.maintenance.rule import Schedule, machine_of
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineId, MachineMode, Maintenance, Unavailability, Window

WHEN = Unavailability(start=60.0, duration_s=120.0)
LATER = Unavailability(start=600.0)

ONE, TWO, THREE = (MachineId(hostname=f"host-{number}", ip=f"10.0.0.{number}") for number in (1, 2, 3))


def window(*machines: Any, unavailability: Unavailability = WHEN, enforce: bool = False) -> Window:
    return Window(machines=machines, unavailability=unavailability, enforce=enforce)


def schedule(*windows: Window, down: tuple[MachineId, ...] = ()) -> Schedule:
    return Schedule(Maintenance(windows=windows, down=down))


def mode(of: Schedule, machine: MachineId) -> MachineMode:
    return of.mode_of(machine_of(machine))


# --- machines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "is_it"),
    [
        (MachineId(hostname="Rack-1", ip="10.0.0.1"), True),
        (MachineId(hostname="rack-1", ip="10.0.0.2"), False),
        (MachineId(hostname="rack-2", ip="10.0.0.1"), False),
        (MachineId(hostname="rack-1"), False),
        (MachineId(ip="10.0.0.1"), False),
    ],
)
def test_both_parts_of_a_machine_must_match(listed: MachineId, is_it: bool) -> None:
    """Host names match in any case, addresses exactly; one of the two does not mean a machine that has both (5.1.1)."""
    agent = AgentInfo(hostname="rack-1", ip="10.0.0.1", resources="cpus:1")

    found = schedule(window(listed)).unavailability_of(machine_of(agent))

    assert found == (WHEN if is_it else None)


def test_an_agent_without_an_address_is_found_by_its_host_name() -> None:
    """In process the address is optional, so a string is enough to mean a machine."""
    agent = AgentInfo(hostname="agent-1", resources="cpus:1")

    assert schedule(window("AGENT-1")).unavailability_of(machine_of(agent)) == WHEN


# --- schedules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("windows", "says"),
    [
        ([Window(machines=(), unavailability=WHEN)], "window 1 of the schedule lists no machine"),
        ([window(ONE), Window(machines=(), unavailability=WHEN)], "window 2"),
        ([window(MachineId())], "neither a hostname nor an ip"),
        ([window(MachineId(hostname="a", ip="10.0.0"))], "'10.0.0', which is no IPv4 address"),
        ([window(MachineId(hostname="a", ip="10.0.0.256"))], "no IPv4 address"),
        ([window(MachineId(hostname="a", ip="::1"))], "no IPv4 address"),
        ([window(ONE, ONE)], "machine host-1 (10.0.0.1) is in the schedule twice"),
        ([window(ONE), window(TWO, ONE)], "machine host-1 (10.0.0.1) is in the schedule twice"),
        ([window("a"), window("A")], "machine A is in the schedule twice"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(windows: list[Window], says: str) -> None:
    """Empty windows, machines that are none, and machines listed twice anywhere (5.2.1)."""
    assert says in schedule().windows_error(tuple(windows))


def test_a_schedule_may_not_leave_out_a_machine_that_is_down() -> None:
    """It must come up first (5.2.1); the modes of the others are free to change."""
    now = schedule(window(ONE, TWO), down=(ONE,))

    assert "machine host-1 (10.0.0.1) is DOWN" in now.windows_error((window(TWO),))
    assert "machine host-1 (10.0.0.1) is DOWN" in now.windows_error(())
    assert now.windows_error((window(MachineId(hostname="HOST-1", ip="10.0.0.1")),)) == ""


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [window(ONE, unavailability=Unavailability(start=-1e9))],
        [window(ONE, unavailability=Unavailability(start=0, duration_s=0))],
        [window(ONE, unavailability=Unavailability(start=0))],
        [window(ONE), window(TWO)],
        [window("nobody", MachineId(ip="10.0.0.1"))],
        [window(ONE, enforce=True)],
    ],
)
def test_a_schedule_is_taken_at_its_word(windows: list[Window]) -> None:
    """Not checked: a start in the past, overlapping windows, machines nobody knows (5.2.2, 5.2.3)."""
    assert schedule(window(THREE)).windows_error(tuple(windows)) == ""


def test_posting_replaces_the_whole_schedule_and_keeps_what_is_down() -> None:
    """Listed machines become DRAINING or stay DOWN with the new times, unlisted ones are UP (5.2.4, 5.2.5)."""
    before = schedule(window(ONE, TWO), down=(ONE,))

    after = Schedule(before.with_windows((window(ONE, THREE, unavailability=LATER),)))

    assert [mode(after, machine) for machine in (ONE, TWO, THREE)] == [
        MachineMode.DOWN,
        MachineMode.UP,
        MachineMode.DRAINING,
    ]
    assert [after.unavailability_of(machine_of(machine)) for machine in (ONE, TWO, THREE)] == [LATER, None, LATER]


def test_what_changed_is_what_a_machine_is_told() -> None:
    """Same times and same force is no change, in whatever window; our 10.2 depends on it."""
    before = schedule(window(ONE), window(TWO), window(THREE))

    after = schedule(window(MachineId(hostname="HOST-1", ip="10.0.0.1"), TWO), window("new"))

    assert before.changed(before) == []
    assert before.changed(after) == [machine_of(THREE), ("new", "")]
    assert before.changed(schedule(window(ONE, unavailability=LATER), window(TWO, enforce=True), window(THREE))) == [
        machine_of(ONE),
        machine_of(TWO),
    ]


# --- down and up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machines", "says"),
    [
        ([], "no machine was named; name machines in mode DRAINING"),
        ([THREE], "machine host-3 (10.0.0.3) is UP: it is not in the schedule; schedule it first"),
        ([MachineId(hostname="host-2")], "machine host-2 is UP"),
        ([ONE], "machine host-1 (10.0.0.1) is DOWN: it is down already"),
        ([TWO, ONE], "machine host-1 (10.0.0.1) is DOWN"),
        ([TWO, TWO], "machine host-2 (10.0.0.2) is listed twice"),
        ([MachineId()], "neither a hostname nor an ip"),
        ([MachineId(hostname="host-2", ip="ten")], "no IPv4 address"),
        ([THREE, MachineId()], "machine host-3 (10.0.0.3) is UP"),
        ([MachineId(), THREE], "neither a hostname nor an ip"),
    ],
)
def test_only_draining_machines_go_down(machines: list[MachineId], says: str) -> None:
    """In the order of the list, and the first that fails answers (5.5.1)."""
    assert says in schedule(window(ONE, TWO), down=(ONE,)).down_error(tuple(machines))


@pytest.mark.parametrize(
    ("machines", "says"),
    [
        ([], "no machine was named; name machines in mode DOWN"),
        ([THREE], "machine host-3 (10.0.0.3) is UP: it is not down"),
        ([TWO], "machine host-2 (10.0.0.2) is DRAINING: it is only scheduled; to cancel that, post"),
        ([ONE, TWO], "machine host-2 (10.0.0.2) is DRAINING"),
        ([ONE, ONE], "machine host-1 (10.0.0.1) is listed twice"),
        ([MachineId(hostname="host-1", ip="10.0.0.1.1")], "no IPv4 address"),
    ],
)
def test_only_machines_that_are_down_come_up(machines: list[MachineId], says: str) -> None:
    """In the order of the list, and the first that fails answers (5.5.5)."""
    assert says in schedule(window(ONE, TWO), down=(ONE,)).up_error(tuple(machines))


def test_down_leaves_the_schedule_as_it_is() -> None:
    """Only the modes change (5.5.2)."""
    before = schedule(window(ONE, TWO), window(THREE), down=(THREE,))
    assert before.down_error((ONE,)) == ""

    after = Schedule(before.with_down((ONE,)))

    assert after.maintenance.windows == before.maintenance.windows
    assert [mode(after, machine) for machine in (ONE, TWO, THREE)] == [
        MachineMode.DOWN,
        MachineMode.DRAINING,
        MachineMode.DOWN,
    ]
    assert after.draining() == [TWO]


def test_up_takes_machines_out_of_their_windows_and_empty_windows_out_of_the_schedule() -> None:
    """What is brought up is UP and not scheduled any more (5.5.5)."""
    before = schedule(window(ONE, TWO), window(THREE), down=(ONE, THREE))
    named_otherwise = MachineId(hostname="Host-1", ip="10.0.0.1")
    assert before.up_error((named_otherwise, THREE)) == ""

    after = Schedule(before.with_up((named_otherwise, THREE)))

    assert after.maintenance == Maintenance(windows=(window(TWO),))
    assert mode(after, ONE) is MachineMode.UP
    assert Schedule(Schedule(after.with_down((TWO,))).with_up((TWO,))).maintenance == Maintenance()
