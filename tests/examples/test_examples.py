"""The programs of examples/ that people copy run by themselves, and show what their first lines say."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.project.house_checks import ROOT


def run(name: str) -> list[str]:
    """Run an example as a program of its own, as anybody would; returns the lines it has printed."""
    command = [sys.executable, f"examples/{name}.py"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_hello_prints_what_three_commands_wrote() -> None:
    """Each task has ended well, and each was a process of its own."""
    found = [re.fullmatch(r"hello-\d TASK_FINISHED: Hello from process (\d+)", line) for line in run("hello")]

    assert len({each[1] for each in found if each}) == 3


def test_drain_now_moves_the_service() -> None:
    """The first copy is lost by the goodbye, and the second runs."""
    told = [line.split() for line in run("drain_now")]

    assert [line[2:] for line in told] == [
        ["web.1", "TASK_STARTING"],
        ["web.1", "TASK_RUNNING"],
        ["web.1", "TASK_LOST", "UNREGISTERED"],
        ["web.2", "TASK_STARTING"],
        ["web.2", "TASK_RUNNING"],
    ]


def test_drain_with_grace_names_whom_it_waits_for_and_ends() -> None:
    """One service obeys, the other, which does not, has the half second that the drain allows and not its own 30."""
    *waits_for, how, ignores, obeys = run("drain_with_grace")

    assert [line.split()[1] for line in waits_for] == ["obeys", "ignores"]
    assert (ignores, obeys) == ("ignores: TASK_KILLED, DRAINED", "obeys: TASK_KILLED, DRAINED")
    assert how.startswith("DRAINED after ")


def test_pymesos_both_ways_moves_the_copy_that_is_killed() -> None:
    """On virtual time, where it needs nothing but Mesolite."""
    *_, last = run("pymesos_both_ways")

    assert last.endswith(": copy-1 on agent-2 copy-3 on agent-2")


@pytest.mark.long
def test_from_pymesos_finds_what_the_scheduler_forgets() -> None:
    """It runs for real, is found out, and found out no more when it is mended."""
    for_real, seed, *_, mended = run("from_pymesos")

    assert for_real == "for real: web.1, api.2"
    assert re.fullmatch(r"seed \d+: a service stays away after this:", seed)
    assert mended == "mended: 50 seeds, nothing found"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "maintenance",
            [
                "0.6 s  web.1 TASK_STARTING",
                "0.6 s  web.1 TASK_RUNNING",
                "0.6 s  web.1 TASK_KILLED",
                "0.6 s  web.2 TASK_STARTING",
                "0.6 s  web.2 TASK_RUNNING",
                "3660.6 s  agent-2 is down, web.2 runs elsewhere",
            ],
        ),
        (
            "reclaim",
            [
                "599.6 s  ASKED, running: batch-1, batch-2, batch-3, batch-4",
                "600.6 s  batch-4 TASK_KILLED, REVOKED",
                "600.6 s  batch-3 TASK_KILLED, REVOKED",
                "601.6 s  DONE, running: batch-1, batch-2",
            ],
        ),
        ("in_asyncio", ["TASK_FINISHED TASK_FINISHED TASK_FAILED", "DRAINED"]),
    ],
)
def test_example_prints_exactly_this(name: str, says: list[str]) -> None:
    """On virtual time the same seed prints the same lines; the coroutines get the ends of their own commands."""
    assert run(name) == says
