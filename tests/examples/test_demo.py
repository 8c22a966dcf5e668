"""The demo as a test: what it shows on virtual time is recorded, what it shows of real commands is checked as facts.

After a change that is meant to show, look at the difference this makes:

    MESOLITE_REWRITE=1 pytest tests/examples/test_demo.py
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

import demo
from examples import operating
from examples.endings import CRASH, CUT, ENDINGS, GOODBYE, KNEW, PAST, POWER, RETURN, TWICE, outcomes
from examples.page import Page
from mesolite import Cause

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "recorded"
SEED = 7


def recorded(name: str, shown: str) -> str:
    """What a recording holds; if asked to by the environment, it is written first."""
    path = RECORDED / name
    if "MESOLITE_REWRITE" in os.environ:
        path.write_text(shown, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def run_demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a process of its own, from another folder, hashing as no other does."""
    return subprocess.Popen(
        [sys.executable, str(folder / "demo.py"), *arguments],
        cwd=folder.parent,
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def drain_ended_by_removal() -> list[str]:
    """The processes and threads that a cluster has forgotten to end."""
    processes = [str(process) for process in psutil.Process().children(recursive=True)]
    return processes + [thread.name for thread in threading.enumerate() if thread.name.startswith("mesolite")]


@pytest.mark.parametrize("number", [3, 4, 5, 7, 8, pytest.param(9, marks=pytest.mark.slow)])
def test_chapter_on_virtual_time_is_as_recorded(number: int) -> None:
    """The same seed shows the same page, byte for byte."""
    file = io.StringIO()

    demo.show(Page(file), number, SEED)

    assert recorded(f"chapter-{number}.txt", file.getvalue()) == file.getvalue()


def test_bare_checkout_shows_the_recorded_page(tmp_path: Path) -> None:
    """`python demo.py` needs the dependencies and nothing installed of ours, and shows plain text to a pipe."""
    for name in ("actors", "messages", "mesolite", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "demo.py", tmp_path)

    shown, errors = run_demo(tmp_path, "--chapter", "4", "--seed", str(SEED)).communicate()

    assert errors == ""
    assert shown == (RECORDED / "chapter-4.txt").read_text(encoding="utf-8")
    assert "\x1b" not in shown


def test_hello_reads_what_real_commands_wrote() -> None:
    """Every task's output is what echo writes, and nothing is left running."""
    outputs = demo.hello_fosdem(Page(io.StringIO()), SEED)

    assert set(outputs.values()) == {"Hello FOSDEM\n"}
    assert len(outputs) == demo.GREETINGS
    assert drain_ended_by_removal() == []


def test_drain_now_ends_every_process_of_the_machine_and_moves_its_tasks() -> None:
    """Also the task that ignores SIGTERM is gone with its machine, and runs again elsewhere."""
    drained = demo.drain_now(Page(io.StringIO()), SEED)

    assert drained.processes
    assert drained.left == []
    assert drained.moved["deaf"] == "deaf.2"
    assert drained.deaf_for_s >= demo.DEAF_FOR_S
    assert drain_ended_by_removal() == []


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_goodbye_is_known_at_once_and_silence_after_five_pings(seed: int, checkpoint: bool) -> None:
    """75 to 90 s (drain.md 1.4.2), but for a broken link under a framework without checkpointing (1.5.2)."""
    known_after_s = {ending: row[KNEW] for ending, row in outcomes(seed, checkpoint).items()}

    silent = {ending for ending, after_s in known_after_s.items() if 75 <= after_s <= 90.1}
    at_once = {ending for ending, after_s in known_after_s.items() if after_s < 0.1}

    assert at_once == ({GOODBYE} if checkpoint else {GOODBYE, CRASH})
    assert silent == set(ENDINGS) - at_once


def test_endings_share_their_past() -> None:
    """Runs from one seed differ only by how the machine goes: up to then their events have one hash."""
    assert len({row[PAST] for row in outcomes(SEED, checkpoint=True).values()}) == 1


@pytest.mark.parametrize(
    ("ending", "checkpoint", "twice"),
    [(GOODBYE, True, False), (CRASH, False, False), (CRASH, True, True), (POWER, True, False), (CUT, False, True)],
    ids=lambda value: re.sub(r"\s+", "-", str(value)),
)
def test_runs_twice_what_lives_on_unheard(ending: str, checkpoint: bool, twice: bool) -> None:
    """A task given up is restarted elsewhere; the first one is still there only if its machine and executor live on."""
    row = outcomes(SEED, checkpoint)[ending]

    assert bool(row[TWICE]) is twice
    assert ("AGENT_REREGISTERED" in row[RETURN] and "TASK_RUNNING" in row[RETURN]) is twice


@pytest.mark.parametrize("seed", range(5))
def test_death_of_the_leader_loses_nothing(seed: int) -> None:
    """The new leader has every task of the old one, none was started again, and an end in between is told."""
    failover = demo.leader_dies(Page(io.StringIO()), seed)

    assert failover.after == {**failover.before, "job": "TASK_FINISHED"}
    assert set(failover.before.values()) == {"TASK_RUNNING"}
    assert set(failover.starts.values()) == {1}


@pytest.mark.parametrize("seed", range(5))
def test_deactivated_agent_gets_nothing_new_and_loses_nothing(seed: int) -> None:
    """What ran there goes on; what is wanted meanwhile goes elsewhere, and comes again after the reactivation."""
    seen = operating.out_of_the_offers(Page(io.StringIO()), seed)

    place = seen.before["web-1"]
    assert {task: seen.after[task] for task in seen.before} == seen.before
    assert place not in (seen.meanwhile["web-3"], seen.meanwhile["web-4"])
    assert place in (seen.after["web-5"], seen.after["web-6"])


def test_drain_with_grace_waits_for_one_and_kills_the_other() -> None:
    """The obedient service ends by itself, the stubborn one at the longest grace; nothing is left of either."""
    seen = operating.drain_with_grace(Page(io.StringIO()), SEED)

    assert seen.state == "DRAINED"
    assert seen.killed == ["stubborn"]
    assert seen.died_after_s["polite"] >= operating.POLITE_S
    assert seen.died_after_s["stubborn"] >= operating.LONGEST_S
    assert seen.left == []
    assert drain_ended_by_removal() == []


@pytest.mark.parametrize("seed", range(5))
def test_maintenance_window_is_advice_until_the_machine_goes_down(seed: int) -> None:
    """Who leaves when asked has killed its own task; who stays loses it to the machine, and not before."""
    seen = operating.maintenance_window(Page(io.StringIO()), seed)

    assert seen.answers == {"mover": "ACCEPT", "stayer": "DECLINE busy"}
    assert [status.cause for status in seen.told["mover"] if status.cause] == [Cause.KILLED]
    assert [status.cause for status in seen.told["stayer"] if status.cause] == [Cause.MACHINE_DOWN]


@pytest.mark.parametrize("seed", range(5))
def test_deadline_takes_what_was_asked_for_and_no_more(seed: int) -> None:
    """Two of four services, the newest, at the deadline."""
    seen = operating.deadline_passes(Page(io.StringIO()), seed)

    assert sorted(seen.revoked) == ["batch-3", "batch-4"]
    assert sorted(seen.lived) == ["batch-1", "batch-2"]
    assert all(operating.WITHIN_S <= after_s < operating.WITHIN_S + 0.1 for after_s in seen.revoked.values())
    assert seen.state == "DONE"


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 100])
def test_a_naive_scheduler_is_found_out_and_a_mended_one_is_not(seed: int) -> None:
    """By crashes alone; what breaks it is a handful of them, in another process, too."""
    found, mended = demo.a_fault_is_found(Page(io.StringIO()), seed)

    assert found.failure is not None
    assert 2 <= len(found.failure.script.faults) <= 4
    assert found.failure.confirmed == ""
    assert mended.failure is None


def test_interrupt_leaves_nothing_running() -> None:
    """Ctrl-C amid real tasks ends them all, says so in one line, and exits with 130."""
    # Tests that run in the background begin with Ctrl-C ignored, and what they start inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = run_demo(ROOT, "--chapter", "2")
    signal.signal(signal.SIGINT, before)
    assert running.stdout is not None
    named = next(line for line in running.stdout if "these processes" in line)
    pids = [int(pid) for pid in re.findall(r"\b\d+\b", named.partition("processes:")[2])]

    running.send_signal(signal.SIGINT)
    shown, errors = running.communicate()

    assert running.returncode == 130
    assert errors == ""
    assert shown.splitlines()[-1].startswith("Interrupted")
    assert pids
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


def test_list_names_the_chapters(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` shows one line per chapter and runs none."""
    assert demo.main(["--list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list("123456789")
