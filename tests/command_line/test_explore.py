"""`mesolite explore`: what is found is told and kept, what is not is counted, and Ctrl-C loses nothing."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess

import pytest

from mesolite.command_line.ending import Unusable
from mesolite.command_line.explore import faults_of
from mesolite.harness import Fault, Faults
from tests.command_line.calling import command, file_in, kept_by, mesolite, process

CRASHES = ("--faults", "crash=2", "--seeds", "20")


def test_what_is_found_is_told_and_kept_and_can_be_repeated(tmp_path: pathlib.Path) -> None:
    """The script made small, as code; another process; and the command that repeats it."""
    file = file_in(tmp_path)

    found = mesolite("explore", f"{file}::fragile", *CRASHES)
    again = mesolite("replay", kept_by(found.output))

    assert (found.exit_code, again.exit_code) == (1, 1)
    assert "seeds tried, the last of which fails" in found.output
    assert "kinds of faults: crash\n" in found.output
    assert ".crash()" in found.output
    assert "in a fresh process: it fails in the same way" in found.output
    assert "AssertionError at" in again.output
    assert "somebody is down" in again.output
    assert ".crash()" in again.output
    assert (tmp_path / ".mesolite" / ".gitignore").exists()


def test_what_holds_is_counted(tmp_path: pathlib.Path) -> None:
    """How many seeds, what was reached, which faults."""
    found = mesolite("explore", f"{file_in(tmp_path)}::sound", "--seeds", 3, "--first-seed", 5, "--faults", "drop=60")

    assert found.exit_code == 0
    assert found.stdout.startswith("3 seeds, ")
    assert "reached in 3 runs: a while" in found.stdout
    assert "nothing found" in found.stdout
    assert not (tmp_path / ".mesolite").exists()


def test_a_place_that_no_run_has_reached_is_found_out(tmp_path: pathlib.Path) -> None:
    """Green runs that tried nothing mean nothing."""
    found = mesolite("explore", f"{file_in(tmp_path)}::never", "--seeds", 2)

    assert found.exit_code == 1
    assert "in 2 runs this was never reached: the past" in found.stdout


def test_a_limit_of_time_ends_it(tmp_path: pathlib.Path) -> None:
    """No seed is begun after it; where none was at all, nothing was tried, and that is no success."""
    found = mesolite("explore", f"{file_in(tmp_path)}::sound", "--time-limit", 0)

    assert found.exit_code == 1
    assert found.stdout.startswith("0 seeds, ")
    assert "no seed was run: the time was over before the first" in found.stdout


def test_a_checker_may_be_left_out(tmp_path: pathlib.Path) -> None:
    """Here one of a scheduler that does not answer when it is asked to leave."""
    text = """
        from examples.naive import Naive

        def deaf(sim):
            cluster = sim.cluster(agents=1)
            cluster.run(Naive(), framework="deaf")
            sim.advance(5)
            cluster.operator.reclaim("agent-1", within=500)
            sim.advance(200)
    """
    call = ("explore", f"{file_in(tmp_path, text)}::deaf", "--seeds", 1, "--faults", "none", "--order", "fifo")

    found, left_out = mesolite(*call), mesolite(*call, "--without", "inverse_offers_are_answered")

    assert "checker inverse_offers_are_answered" in found.output
    assert (found.exit_code, left_out.exit_code) == (1, 0)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("usual", Faults()),
        ("none", Faults.none()),
        ("mild", Faults.mild()),
        ("crash=2, drain=0.5", Faults.none().but(crash=2, drain=0.5)),
        ("harsh,reclaim=0", Faults.harsh().but(reclaim=0)),
    ],
)
def test_faults_are_a_level_or_kinds_or_both(text: str, faults: Faults) -> None:
    """Kinds alone are all there is."""
    assert faults_of(text) == faults


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mlid", "'mlid' is none of none, mild, usual, harsh, and no kind=number; did you mean mild?"),
        ("crsh=2", "no kind of fault 'crsh'; did you mean crash?"),
        ("lightning=2", "there are crash, power_off, "),
        ("crash=often", "'often' is no number; give how many there are in a virtual minute, as in crash=2"),
        ("crash=-1", "0 or more"),
    ],
)
def test_faults_that_are_none_say_what_would_be(text: str, says: str) -> None:
    """And what was meant, if something is near."""
    with pytest.raises(Unusable) as raised:
        faults_of(text)
    assert says in str(raised.value)


def test_a_rate_is_a_fault() -> None:
    """As `Faults` understands it."""
    assert faults_of("crash=2").crash == Fault(2.0)


# --- Ctrl-C -----------------------------------------------------------------------------------------------


def test_ctrl_c_prints_what_was_found_so_far(tmp_path: pathlib.Path) -> None:
    """Here nothing: how much was tried, and a status that says so."""
    text = """
        def stops(sim):
            sim.cluster(agents=1)
            if sim.seed == 2:
                raise KeyboardInterrupt
    """
    found = mesolite("explore", f"{file_in(tmp_path, text)}::stops")

    assert found.exit_code == 130
    assert found.stdout.startswith("2 seeds, ")
    assert "interrupted after 2 of 500 seeds" in found.stderr


def test_ctrl_c_while_a_script_is_made_small_keeps_the_smallest_so_far(tmp_path: pathlib.Path) -> None:
    """It is a failure, after all: told, kept, and with the status of one."""
    text = """
        runs = []
        def fails(sim):
            cluster = sim.cluster(agents=3)
            sim.advance(60)
            runs.append(sim.seed)
            if len(runs) - len(dict.fromkeys(runs)) == 3:
                raise KeyboardInterrupt
            assert all(agent.alive for agent in cluster.agents.values()), "somebody is down"
    """
    found = mesolite("explore", f"{file_in(tmp_path, text)}::fails", *CRASHES)

    assert found.exit_code == 1
    assert "what was done (shrunk in 2 runs):" in found.output
    assert "no other process has tried it\n" in found.output
    assert (tmp_path / kept_by(found.output)).exists()


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_process_and_those_that_help_it(tmp_path: pathlib.Path, processes: int) -> None:
    """On a terminal it goes to all of them; only one speaks, and with no traceback."""
    text = """
        import os

        def endless(sim):
            os.write(1, b"begun\\n")
            while True:
                sim.cluster(agents=1) if sim.started is None else sim.advance(100)
    """
    line = command("explore", f"{file_in(tmp_path, text)}::endless", "--processes", processes, "--faults", "none")
    running = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n"

    os.killpg(running.pid, signal.SIGINT)
    shown, errors = running.communicate(timeout=60)

    assert running.returncode == 130
    assert "0 seeds, " in shown
    assert errors == "interrupted after 0 of 500 seeds\n"


# --- as a process -----------------------------------------------------------------------------------------


def test_the_command_as_a_process(tmp_path: pathlib.Path) -> None:
    """What lies beside the file and what is to be imported from the folder one is in is found; nothing else is said."""
    file_in(tmp_path, "AGENTS = 3\n", name="beside.py")
    file_in(tmp_path, "SECONDS = 60\n", name="from_here.py")
    (tmp_path / "inside").mkdir()
    text = """
        from beside import AGENTS
        from from_here import SECONDS

        def fragile(sim):
            cluster = sim.cluster(agents=AGENTS)
            sim.advance(SECONDS)
            assert all(agent.alive for agent in cluster.agents.values())
    """
    file_in(tmp_path / "inside", text)
    (tmp_path / "beside.py").rename(tmp_path / "inside" / "beside.py")

    found = process("explore", "inside/scenarios.py::fragile", *CRASHES, "--processes", 2, folder=tmp_path)
    again = process("replay", kept_by(found.stdout), folder=tmp_path)

    assert (found.returncode, found.stderr) == (1, "")
    assert "in a fresh process: it fails in the same way" in found.stdout
    assert kept_by(found.stdout).startswith("inside/.mesolite/fragile-")
    assert (again.returncode, again.stderr) == (1, "")
    assert "AssertionError at" in again.stdout


def test_progress_is_shown_on_a_terminal_and_taken_away(tmp_path: pathlib.Path) -> None:
    """What was found so far, and which script is being made small."""
    reads, writes = os.openpty()
    line = command("explore", f"{file_in(tmp_path)}::fragile", *CRASHES)
    with open(reads, "rb", buffering=0) as terminal:
        running = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=writes, start_new_session=True)
        os.close(writes)
        shown = b""
        try:
            while more := terminal.read(1000):
                shown += more
        except OSError:
            pass  # this is how a terminal says that everybody has left it
        running.wait(timeout=60)

    assert b" of 20 seeds, " in shown
    assert shown.endswith(b"\r\x1b[K")
