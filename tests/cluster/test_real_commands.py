"""Commands as real processes: how they end, what they get, what they leave (core.md 5.11, drain.md 3.2)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesolite import Cluster, KillPolicy, Settings
from tests.cluster.real_commands import SHORT, Launching, Pipes, command, pipes_in, run_to_the_end, until

LIMIT = 1 << 16


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """One cluster for all tests that only start a command and look at its end; nothing is ever killed in it."""
    with Cluster(agents=1, settings=Settings.local().but(max_file_size_bytes=LIMIT)) as cluster:
        yield cluster


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


@pytest.mark.parametrize(
    ("value", "state", "message"),
    [
        ("exit 0", "FINISHED", "Command exited with status 0"),
        ("exit 3", "FAILED", "Command exited with status 3"),
        ("kill -SEGV $$", "FAILED", "Command was killed by SIGSEGV (11)"),
        ("kill -KILL $$", "FAILED", "Command was killed by SIGKILL (9)"),
        ("no-such-command-anywhere", "FAILED", "Command exited with status 127"),
        ("cat", "FINISHED", "Command exited with status 0"),
    ],
    ids=["returns zero", "returns three", "crashes", "is killed", "is unknown to its shell", "reads empty input"],
)
def test_how_a_command_ends_is_how_its_task_ends(shared: Cluster, value: str, state: str, message: str) -> None:
    """Started, running, then finished or failed, with words that say how (TK-79)."""
    scheduler, _ = run_to_the_end(shared, command("t", value))

    assert ["STARTING", "RUNNING", state] == scheduler.states("t")
    assert message == scheduler.updates("t")[-1].message


def test_a_program_that_does_not_exist_never_runs(shared: Cluster) -> None:
    """Without a shell the launcher itself finds out; the message has what was to be started and where."""
    scheduler, _ = run_to_the_end(shared, command("t", "/no/such/program", shell=False))

    assert scheduler.states("t") == ["STARTING", "FAILED"]
    last = scheduler.updates("t")[-1].message
    assert last.startswith("cannot start '/no/such/program' in ")
    assert last.endswith("No such file or directory: '/no/such/program'")


def test_arguments_are_passed_as_they_are(shared: Cluster) -> None:
    """Without a shell nothing is interpreted."""
    run_to_the_end(shared, command("t", "printf", "%s|", "$HOME", "a b", "*", shell=False))

    assert (shared.sandbox("t") / "stdout").read_text() == "$HOME|a b|*|"


def test_what_a_command_prints_is_in_its_sandbox(shared: Cluster) -> None:
    """`stdout`, `stderr`, and whatever it writes where it was started."""
    run_to_the_end(shared, command("t", "echo out; echo err >&2; pwd > where; umask > /dev/null"))

    sandbox = shared.sandbox("t")
    assert (sandbox / "stdout").read_text() == "out\n"
    assert (sandbox / "stderr").read_text() == "err\n"
    assert f"{sandbox}\n" == (sandbox / "where").read_text()


def test_each_run_has_a_sandbox_of_its_own(shared: Cluster) -> None:
    """Also under the same task id, for another framework."""
    run_to_the_end(shared, command("t", "touch first"))
    first = shared.sandbox("t")
    run_to_the_end(shared, command("t", "touch second"))

    assert (first / "first").exists()
    assert not (first / "second").exists()
    assert (shared.sandbox("t") / "second").exists()


def test_a_command_finds_the_mesos_environment(shared: Cluster) -> None:
    """What Mesos tells an executor's process, and the command's own variables, which win (drain.md 3.1.4)."""
    scheduler, driver = run_to_the_end(shared, command("t", "env", COLOUR="red", MESOS_CHECKPOINT="mine"))

    lines = (shared.sandbox("t") / "stdout").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert scheduler.updates("t")[0].agent_id == environment["MESOS_AGENT_ID"]
    assert driver.framework_id == environment["MESOS_FRAMEWORK_ID"]
    assert environment["MESOS_EXECUTOR_ID"] == "t"
    assert str(shared.sandbox("t")) == environment["MESOS_SANDBOX"] == environment["MESOS_DIRECTORY"]
    assert environment["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"] == "5secs"
    assert (environment["COLOUR"], environment["MESOS_CHECKPOINT"]) == ("red", "mine")


def test_a_command_that_writes_without_end_is_stopped(shared: Cluster) -> None:
    """At the limit for one file, by SIGXFSZ: a full disk would hurt everybody."""
    scheduler, _ = run_to_the_end(shared, command("t", "exec yes", shell=True))

    assert scheduler.states("t") == ["STARTING", "RUNNING", "FAILED"]
    assert scheduler.updates("t")[-1].message == "Command was killed by SIGXFSZ (25)"
    assert (shared.sandbox("t") / "stdout").stat().st_size == LIMIT


def test_many_commands_at_once_end_each_in_its_own_way(shared: Cluster) -> None:
    """Nothing is mixed up: every task has its own status, its own output, its own order of updates."""
    tasks = [command(f"t{number}", f"echo {number}; exit {number}") for number in range(24)]

    scheduler, _ = run_to_the_end(shared, *tasks)

    for number in range(24):
        task_id = f"t{number}"
        assert ["STARTING", "RUNNING", "FAILED" if number else "FINISHED"] == scheduler.states(task_id)
        assert f"Command exited with status {number}" == scheduler.updates(task_id)[-1].message
        assert f"{number}\n" == (shared.sandbox(task_id) / "stdout").read_text()


# ------------------------------------------------------------------------------------------------------------ killing

STUBBORN = """exec 9>"$LIFE"; trap '' TERM; echo ready > "$TOLD"; while :; do sleep 1000 & wait; done"""
OBEDIENT = """exec 9>"$LIFE"; echo ready > "$TOLD"; exec sleep 1000"""
TIDY = """exec 9>"$LIFE"; trap 'echo bye > "$TOLD"; exit 0' TERM; echo ready > "$TOLD"; sleep 1000 & wait"""


@pytest.mark.parametrize(
    ("value", "words", "message"),
    [
        (OBEDIENT, [], "Command was killed by SIGTERM (15)"),
        (STUBBORN, [], "Command was killed by SIGKILL (9)"),
        (TIDY, ["bye"], "Command exited with status 0"),
    ],
    ids=["obeys", "ignores SIGTERM", "tidies up"],
)
def test_a_killed_command_ends_as_killed(pipes: Pipes, value: str, words: list[str], message: str) -> None:
    """SIGTERM, the grace, SIGKILL; killed is killed, however it ends (TK-80)."""
    with Cluster(settings=SHORT) as cluster:
        scheduler = Launching(command("t", value, grace_s=0.05 if value is STUBBORN else 60.0, **pipes.environment))
        driver = cluster.run(scheduler, "mine")
        assert pipes.hear() == ["ready"]
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))

        driver.kill_task("t")
        until(cluster, lambda: scheduler.ended("t"))

        assert scheduler.states("t") == ["STARTING", "RUNNING", "KILLED"]
        assert message == scheduler.updates("t")[-1].message
        assert words == (pipes.hear() if words else [])
        pipes.all_gone()


def test_a_kill_may_bring_its_own_policy(pipes: Pipes) -> None:
    """The request's grace wins over the task's (3.2.1)."""
    with Cluster(settings=SHORT) as cluster:
        scheduler = Launching(command("t", STUBBORN, grace_s=3600.0, **pipes.environment))
        driver = cluster.run(scheduler, "mine")
        pipes.hear()

        driver.kill_task("t", KillPolicy(grace_period_s=0.0))
        until(cluster, lambda: scheduler.ended("t"))

        assert scheduler.states("t")[-1] == "KILLED"


TREE = """
exec 9>"$LIFE"
(trap '' TERM; echo child > "$TOLD"; exec sleep 1000) &
setsid sh -c 'trap "" TERM; echo session > "$TOLD"; exec sleep 1000' &
(setsid sh -c '(echo daemon > "$TOLD"; exec sleep 1000) & ' &)
"""


@pytest.mark.parametrize("how", ["kill", "drain", "stop the driver", "exit"])
def test_everything_a_command_started_goes_with_it(pipes: Pipes, how: str) -> None:
    """Children, other sessions, daemons: when it is killed, its agent drained, its framework ended, or it just ends."""
    with Cluster(settings=SHORT) as cluster:
        scheduler = Launching(command("t", f'{TREE}\nread go < "$GO"', grace_s=0.05, **pipes.environment))
        driver = cluster.run(scheduler, "mine")
        assert pipes.hear(3) == ["child", "daemon", "session"]

        match how:
            case "kill":
                driver.kill_task("t")
            case "drain":
                cluster.agents["agent-1"].signal(signal.SIGUSR1)
            case "stop the driver":
                driver.stop()
            case "exit":
                pipes.go()
        pipes.all_gone()
