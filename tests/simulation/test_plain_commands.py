"""What a simulated task does that has a command and no `work`: as much as the command itself says."""

from __future__ import annotations

import pytest

from mesolite import CommandInfo, SimulatedWork, Simulation, TaskInfo
from mesolite.simulation.plain_commands import work_of
from tests.scenarios.schedulers import Launcher, about, only

SECOND = (1.0, 0)
FOR_EVER = (None, 0)


@pytest.mark.parametrize(
    ("text", "does"),
    [
        # Each by itself.
        ("sleep 30", (30.0, 0)),
        ("  sleep\t0.05 ", (0.05, 0)),
        ("sleep .5", (0.5, 0)),
        ("sleep 2m", (120.0, 0)),
        ("sleep infinity", FOR_EVER),
        ("/bin/sleep 3", (3.0, 0)),
        ("exec sleep 3", (3.0, 0)),
        ("sleep 1" + 400 * "0", FOR_EVER),
        ("exit 3", (0.0, 3)),
        ("exit 256", (0.0, 0)),
        ("exit", (0.0, 0)),
        ("true", (0.0, 0)),
        ("false", (0.0, 1)),
        ("", (0.0, 0)),
        # Joined.
        ("sleep 2; exit 3", (2.0, 3)),
        ("sleep 2\nexit 3\n", (2.0, 3)),
        ("sleep 1 && sleep 2 && exit 4", (3.0, 4)),
        ("sleep 2;", (2.0, 0)),
        ("false && sleep 5", (0.0, 1)),
        ("false; sleep 5", (5.0, 0)),
        ("true && false", (0.0, 1)),
        ("false || sleep 2", (2.0, 0)),
        ("true || sleep 2", (0.0, 0)),
        ("false && exit 2 || exit 3", (0.0, 3)),
        ("true || exit 2 && exit 3", (0.0, 3)),
        ("false; exit", (0.0, 1)),
        ("exit 3; sleep 5", (0.0, 3)),
        ("exec sleep 1; exit 3", (1.0, 0)),
        ("sleep infinity; exit 3", (None, 3)),
        ("sleep infinity && exit 3", (None, 3)),
        ("sleep 1 &&\n sleep 2", (3.0, 0)),
        ("sleep '2'; exit \"3\"", (2.0, 3)),
        # Another command is a second that ends well, and so is each among those that are understood.
        ("./serve --port 80", SECOND),
        ("echo done; exit 3", (1.0, 3)),
        ("echo 'a; exit 4'; exit 3", (1.0, 3)),
        ('echo "a \\" && b" && sleep 2', (3.0, 0)),
        ("true > file", SECOND),
        ("yes | false", SECOND),
        ("sleep", SECOND),
        ("sleep soon", SECOND),
        ("sleep -1", SECOND),
        ("exit code", SECOND),
        ("mysleep 30", SECOND),
        ("TIME=3 sleep 30", SECOND),
        # More than a list, or no command at all: one other command as a whole.
        ("while true; do sleep 3; done", SECOND),
        ("if false; then exit 3; fi", SECOND),
        ("(exit 3)", SECOND),
        ("{ exit 3; }", SECOND),
        ("! true", SECOND),
        ("sleep 30 & wait", SECOND),
        ("trap 'exit 0' TERM; sleep 30 & wait", SECOND),
        ("exit 3 &&", SECOND),
        ("; exit 3", SECOND),
        ("exit 3; echo 'no end", SECOND),
    ],
)
def test_a_text_does_what_a_shell_would_make_of_it(text: str, does: tuple[float | None, int]) -> None:
    """Seconds, None for ever, and the exit status."""
    for command in (
        CommandInfo(value=text),
        CommandInfo(value="/bin/sh", arguments=("-c", text), shell=False),
        CommandInfo(value=text, arguments=("not", "looked", "at")),
    ):
        work = work_of(command)
        assert work == SimulatedWork(duration=does[0], exit_status=does[1])


@pytest.mark.parametrize(
    ("words", "does"),
    [
        (("sleep", "30"), (30.0, 0)),
        (("/bin/sleep", "infinity"), FOR_EVER),
        (("true",), (0.0, 0)),
        (("false",), (0.0, 1)),
        (("sleep", "1;", "exit", "3"), SECOND),
        (("sleep 30",), SECOND),
        (("python", "-c", "exit(3)"), SECOND),
        (("sh", "script"), SECOND),
        (("sh", "-c"), SECOND),
    ],
)
def test_a_program_and_its_arguments_are_one_command(
    words: tuple[str, ...], does: tuple[float | None, int]
) -> None:
    """No shell looks at them."""
    work = work_of(CommandInfo(value=words[0], arguments=words[1:], shell=False))
    assert work == SimulatedWork(duration=does[0], exit_status=does[1])


def task(task_id: str, command: str | CommandInfo, work: SimulatedWork | None = None) -> TaskInfo:
    return TaskInfo(task_id=task_id, resources="cpus:0.1;mem:16", command=command, work=work)


@pytest.mark.long
def test_no_work_and_work_that_says_nothing_are_the_same(sim: Simulation) -> None:
    """One second, status 0; only what says so runs for ever."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(
        task("none", "serve"), task("nothing", "serve", SimulatedWork()),
        task("beats the command", "sleep infinity", SimulatedWork()),
        task("failing", "serve", SimulatedWork(exit_status=3)),
        task("endless", "exit 3", SimulatedWork(duration=None)),
    )  # fmt: skip
    cluster.run(framework, framework="mine")
    sim.run_until(lambda: framework.states("endless")[-1:] == ["RUNNING"], timeout=10.0)
    sim.advance(0.9)
    ids = ("none", "nothing", "beats the command", "failing", "endless")
    assert [framework.states(task_id)[-1] for task_id in ids] == ["RUNNING"] * 5

    sim.advance(0.2)

    assert [framework.states(task_id)[-1] for task_id in ids] == ["FINISHED"] * 3 + ["FAILED", "RUNNING"]
    assert framework.updates("failing")[-1].message == "Command exited with status 3"
    sim.advance(100_000.0)
    assert framework.states("endless")[-1] == "RUNNING"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (None, "Command was killed by SIGTERM (15)"),
        (0, "Command exited with status 0"),
        (7, "Command exited with status 7"),
    ],
)
def test_work_says_how_it_takes_sigterm(sim: Simulation, status: int | None, message: str) -> None:
    """It dies of it, or tidies up for as long as it says and exits by itself; killed it is all the same (TK-80)."""
    cluster = sim.cluster(agents=1)
    tidy = SimulatedWork(duration=None, exit_status=5, on_sigterm=2.0, sigterm_exit_status=status)
    framework = Launcher(task("t", "serve", tidy))
    driver = cluster.run(framework, framework="mine")
    sim.run_until(lambda: framework.states("t")[-1:] == ["RUNNING"], timeout=10.0)

    driver.kill_task("t")
    sim.advance(1.9)
    assert framework.states("t")[-1] == "RUNNING"
    sim.advance(0.2)

    ended = only(framework.updates("t")[2:])
    assert (about(ended)[0], ended.message) == ("KILLED", message)


def test_what_sigkill_ends_has_no_status(sim: Simulation) -> None:
    """Whatever it would have done about SIGTERM."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(task("t", "serve", SimulatedWork(duration=None, on_sigterm=None, sigterm_exit_status=0)))
    driver = cluster.run(framework, framework="mine")
    sim.run_until(lambda: framework.states("t")[-1:] == ["RUNNING"], timeout=10.0)

    driver.kill_task("t")
    sim.advance(10.0)

    assert framework.updates("t")[-1].message == "Command was killed by SIGKILL (9)"
