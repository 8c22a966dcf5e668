"""How commands are started, what they find, and how their ends are reported."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path

import pytest

from mesolite.actors.decisions.contract import WorkFailedToStart, WorkStarted
from tests.containerizer.launcher_bench import Bench, exited


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("exit 0", {"exit_status": 0}),
        ("exit 3", {"exit_status": 3}),
        ("kill -KILL $$", {"signal": signal.SIGKILL}),
        ("kill -TERM $$", {"signal": signal.SIGTERM}),
        # The launcher ignores these: its commands must not.
        ("kill -PIPE $$", {"signal": signal.SIGPIPE}),
        ("kill -XFSZ $$", {"signal": signal.SIGXFSZ}),
        ("kill -INT $$", {"signal": signal.SIGINT}),
        ("kill -USR1 $$", {"signal": signal.SIGUSR1}),
    ],
)
def test_start_and_end_of_a_command_are_reported(bench: Bench, script: str, end: dict[str, int]) -> None:
    """First WorkStarted with the pid, then WorkExited with either the exit status or the signal."""
    bench.shell("task", script)

    assert isinstance(bench.event(), WorkStarted)
    assert bench.event() == exited(work_id="task", **end)


@pytest.mark.parametrize(
    ("argv", "places", "error"),
    [
        (["no-such"], {}, "cannot start 'no-such' in .*: no such command in its PATH, which is '.*'"),
        (["./no-such"], {}, r"cannot start './no-such' in .*: No such file or directory: './no-such'"),
        (["/etc"], {}, "cannot start '/etc' in .*: Permission denied: '/etc'"),
        (["true"], {"cwd": "/no-such"}, "cannot start 'true' in '/no-such': No such file or directory: '/no-such'"),
        (["true"], {"stdout": "/no-such/out"}, "cannot start 'true' in .*: No such file .*: '/no-such/out'"),
        (["true"], {"stderr": "/no-such/err"}, "cannot start 'true' in .*: No such file .*: '/no-such/err'"),
        (["true", "a\0b"], {}, "cannot start 'true' in .*: embedded null byte"),
    ],
)
def test_a_command_that_cannot_start_says_why(
    bench: Bench, argv: list[str], places: dict[str, str], error: str
) -> None:
    """WorkFailedToStart names the command and what is wrong, it is the only event, and the id is free again."""
    bench.run("task", argv, **places)

    failed = bench.event()
    bench.run("task", ["true"])

    assert isinstance(failed, WorkFailedToStart)
    assert re.fullmatch(error, failed.error)
    assert isinstance(bench.event(), WorkStarted)
    assert bench.event() == exited(work_id="task", exit_status=0)


def test_output_goes_to_files_and_input_is_empty(bench: Bench) -> None:
    """Standard output and error are appended to their files; reading standard input finds its end."""
    (bench.folder / "stdout").write_text("before\n")

    bench.shell("task", "cat; echo out; echo err >&2")

    assert bench.end_of("task") == exited(work_id="task", exit_status=0)
    assert (bench.folder / "stdout").read_text() == "before\nout\n"
    assert (bench.folder / "stderr").read_text() == "err\n"


def test_a_command_has_its_own_environment_folder_session_and_files(bench: Bench) -> None:
    """It sees the given environment and its mark, runs in its folder, leads its session, has no file of others."""
    bench.env |= {"GREETING": "héllo \udcff"}
    (bench.folder / "sandbox").mkdir()

    bench.run("task", ["sh", "-c", "pwd; env; ls /proc/self/fd"], cwd=str(bench.folder / "sandbox"))

    started = bench.event()
    assert isinstance(started, WorkStarted)
    assert bench.event() == exited(work_id="task", exit_status=0)
    told = (bench.folder / "stdout").read_bytes()
    assert told.startswith(os.fsencode(bench.folder / "sandbox"))
    assert b"\nGREETING=h\xc3\xa9llo \xff\n" in told
    assert re.search(rb"\nMESOLITE_WORK=.+\n", told)
    assert b"PYTEST_CURRENT_TEST" not in told
    assert told.endswith(b"\n0\n1\n2\n3\n")  # 3 is the folder that ls reads


def test_a_command_leads_its_session(bench: Bench) -> None:
    """Its session and its process group are its own, not those of the launcher or the host."""
    bench.python("task", "stay('ready')")
    bench.told()

    started = bench.event()

    assert isinstance(started, WorkStarted)
    assert os.getsid(started.pid) == os.getpgid(started.pid) == started.pid


def test_a_command_is_looked_up_in_the_path_it_runs_with(bench: Bench) -> None:
    """The PATH of the work counts, not that of the host."""
    (bench.folder / "only-here").write_text("#!/bin/sh\nexit 9\n")
    (bench.folder / "only-here").chmod(0o755)
    bench.env["PATH"] = str(bench.folder)

    bench.run("task", ["only-here"])

    assert bench.end_of("task") == exited(work_id="task", exit_status=9)


def test_an_id_is_in_use_until_its_end(bench: Bench) -> None:
    """A second start under a live id is refused; after the end the id is free."""
    bench.python("task", "stay('ready')")
    bench.told()

    with pytest.raises(ValueError, match="work 'task' has not ended yet"):
        bench.shell("task", "exit 0")

    bench.launcher.kill("task")
    bench.end_of("task")
    bench.shell("task", "exit 4")
    assert bench.end_of("task") == exited(work_id="task", exit_status=4)


def test_an_empty_command_is_refused(bench: Bench) -> None:
    """There is nothing that could be started."""
    with pytest.raises(ValueError, match="work 'task' names no command"):
        bench.run("task", [])


def test_writing_without_end_ends_by_sigxfsz(tmp_path: Path) -> None:
    """A file grows to max_file_size, then its writer dies."""
    with contextlib.closing(Bench(tmp_path, max_file_size=100_000)) as bench:
        bench.run("task", ["yes"])

        assert bench.end_of("task") == exited(work_id="task", signal=signal.SIGXFSZ)
    assert (tmp_path / "stdout").stat().st_size == 100_000
