"""Whatever is asked for runs or is told to have failed, and what ran can be found under its id (core.md OF-70)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from mesolite import Cluster, CommandInfo
from mesolite.actors.errors import Refused
from tests.cluster.real_commands import Launching, Pipes, command, pipes_in, run_to_the_end, until


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """One cluster for all tests here; nothing is ever killed in it."""
    with Cluster(agents=1) as cluster:
        yield cluster


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


BAD = {
    "NUL in the value": ({"value": "tr\0ue"}, "value holds NUL"),
    "NUL in an argument": ({"value": "true", "arguments": ("a\0b",), "shell": False}, "argument 1 holds NUL"),
    "NUL in a variable": ({"environment": (("A", "a\0b"),)}, "variable A holds NUL"),
    "NUL in a name": ({"environment": (("A\0", "b"),)}, "name holds NUL"),
    "= in a name": ({"environment": (("A=B", "c"),)}, "cannot be named 'A=B'"),
    "= before a name": ({"environment": (("=A", "c"),)}, "cannot be named '=A'"),
    "an empty name": ({"environment": (("", "c"),)}, "cannot be named ''"),
    "a folder as program": ({"value": "/etc", "shell": False}, "Permission denied"),
    "a text as program": ({"value": "/etc/passwd", "shell": False}, "Permission denied"),
    "a program that is not there": ({"value": "/no/such", "shell": False}, "No such file"),
    "one long argument": ({"value": "x" * 3_000_000}, "Argument list too long"),
    "a long name of a program": ({"value": "/" + "x" * 3_000_000, "shell": False}, "name too long"),
    "many arguments": ({"value": "true", "arguments": ("x" * 1000,) * 9000, "shell": False}, "Argument list too long"),
    "a large environment": ({"environment": tuple((f"A{n}", "x" * 1000) for n in range(9000))}, "Argument list too"),
}


@pytest.mark.parametrize(("fields", "why"), BAD.values(), ids=list(BAD))
def test_what_cannot_start_has_failed(shared: Cluster, fields: dict[str, Any], why: str) -> None:
    """TASK_FAILED with the reason, in a text of bearable length; and the next command runs."""
    bad = CommandInfo(**({"value": "true"} | fields))
    scheduler, _ = run_to_the_end(shared, attrs.evolve(command("bad", "true"), command=bad))

    assert scheduler.states("bad") == ["STARTING", "FAILED"]
    assert why in scheduler.updates("bad")[-1].message
    assert len(scheduler.updates("bad")[-1].message) < 3000
    scheduler, _ = run_to_the_end(shared, command("good", "exit 0"))
    assert scheduler.states("good")[-1] == "FINISHED"
    assert not shared.runtime.failures


def test_an_agent_whose_commands_cannot_start_is_drained_all_the_same(tmp_path: Path) -> None:
    """Nothing is left that a drain would wait for, though the folder for sandboxes has become a file."""
    with Cluster(agents=1, work_dir=tmp_path / "work") as cluster:
        (tmp_path / "work" / "sandboxes").touch()
        scheduler, _ = run_to_the_end(cluster, command("t", "true"))

        cluster.operator.drain("agent-1").wait(30.0)

        assert "Not a directory" in scheduler.updates("t")[-1].message


IDS = {
    "250 letters": "a" * 250,
    "255 letters": "b" * 255,
    "255 letters of two bytes": "é" * 255,
    "255 letters of four bytes": "\U0001d538" * 255,
    "another of 255 letters": "b" * 254 + "c",
    "with a dot": "a.b",
    "with another dot": "a.c",
    "like a run": "t.1-2",
    "like a folder": "a~" + "0" * 32,
    "with a space": " a b ",
    "with quotes": "\"'$(x)`;*",
    "dots": "...",
    "a dash": "-rf",
    "a dot in front": ".hidden",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
}


def test_every_id_runs_and_is_found() -> None:
    """What each printed is in its own sandbox; whatever its id looks like, its path is of bearable length."""
    with Cluster(agents=1) as cluster:
        tasks = [command(task_id, f"echo {number}") for number, task_id in enumerate(IDS.values())]
        scheduler, _ = run_to_the_end(cluster, *tasks)

        for number, task_id in enumerate(IDS.values()):
            assert scheduler.states(task_id)[-1] == "FINISHED"
            sandbox = cluster.sandbox(task_id)
            assert (sandbox / "stdout").read_text() == f"{number}\n"
            assert max(len(os.fsencode(part)) for part in sandbox.parts) < 100


def test_frameworks_and_agents_may_have_long_names_too() -> None:
    """Their folders are above those of their tasks."""
    with Cluster(agents=0) as cluster:
        cluster.add_agent("g" * 255)
        cluster.ready()
        run_to_the_end(cluster, command("t", "echo $MESOS_EXECUTOR_ID"), framework="f" * 255)

        assert (cluster.sandbox("t") / "stdout").read_text() == "t\n"


def test_the_newest_sandbox_of_an_id_is_found(shared: Cluster) -> None:
    """Of several runs, of whichever framework, the one that was started last; others do not come in between."""
    for number in range(3):
        run_to_the_end(shared, command("t.1-1", f"echo {number}"), framework=f"f{number % 2}")
        run_to_the_end(shared, command("t", "echo other"))

    assert (shared.sandbox("t.1-1") / "stdout").read_text() == "2\n"
    with pytest.raises(Refused, match=r"no command task 't.1' was started"):
        shared.sandbox("t.1")


def test_processes_of_an_agent_by_name_and_by_handle(pipes: Pipes) -> None:
    """The same pids; an agent that does not exist is an error and not an idle agent."""
    with Cluster(agents=2) as cluster:
        scheduler = Launching(command("t", 'echo ready > "$TOLD"; exec sleep 1000', **pipes.environment), on="agent-1")
        cluster.run(scheduler, "mine")
        pipes.hear()
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))

        pids = cluster.processes("agent-1")

        assert scheduler.updates("t")[-1].message == f"pid {pids[0]}"
        assert cluster.processes(cluster.agents["agent-1"]) == pids
        assert cluster.processes("agent-2") == []
        with pytest.raises(Refused, match=r"no agent named 'agent-9', only agent-1, agent-2"):
            cluster.processes("agent-9")


def test_a_command_that_kills_its_launcher_did_start(shared: Cluster) -> None:
    """However fast it is; and the agent's next command gets a new launcher."""
    for number in range(5):
        scheduler, _ = run_to_the_end(shared, command(f"t{number}", "kill -KILL $PPID; touch was-here"))

        assert scheduler.states(f"t{number}") == ["STARTING", "RUNNING", "FAILED"]
        assert scheduler.updates(f"t{number}")[-1].message == "Command was killed by SIGKILL (9)"
    scheduler, _ = run_to_the_end(shared, command("after", "true"))
    assert scheduler.states("after")[-1] == "FINISHED"
