"""Signals and kills reach every process of a work, and of no other."""

from __future__ import annotations

import os
import signal

import pytest

from mesolite.actors.decisions.contract import WorkExited
from tests.containerizer.launcher_bench import KINDS, PATIENCE_S, TREE, Bench, exited, pid_of


def test_a_command_may_obey_sigterm(bench: Bench) -> None:
    """The signal arrives as sent, and the command chooses its exit status."""
    bench.python("task", "on(signal.SIGTERM, lambda: os._exit(5)); stay('ready')")
    bench.told()

    bench.launcher.signal("task", signal.SIGTERM)

    assert bench.end_of("task") == exited(work_id="task", exit_status=5)


def test_a_command_that_ignores_sigterm_is_killed(bench: Bench) -> None:
    """SIGTERM may be ignored; the kill that follows may not."""
    bench.python("task", "on(signal.SIGTERM, lambda: say('ignored')); stay('ready')")
    bench.told()

    bench.launcher.signal("task", signal.SIGTERM)
    assert bench.told() == ["ignored"]
    bench.launcher.kill("task")

    assert bench.end_of("task") == exited(work_id="task", signal=signal.SIGKILL)


def test_a_signal_reaches_every_process_of_the_work(bench: Bench) -> None:
    """Children, those in other sessions, orphans known only by their session or only by their environment."""
    hear = "on(signal.SIGTERM, lambda: say('heard')); "
    hidden = f"{hear} stay('orphan')"
    orphan = f"child(lambda: child(lambda: hide({hidden!r})))"
    bench.python("task", f"{hear} {TREE}; {orphan}; stay('main')")
    bench.python("other", "on(signal.SIGTERM, lambda: say('astray')); stay('other')")
    assert bench.told(6) == sorted([*KINDS, "orphan", "main", "other"])

    bench.launcher.signal("task", signal.SIGTERM)

    assert bench.told(5) == ["heard"] * 5
    bench.launcher.signal("other", signal.SIGTERM)
    assert bench.told() == ["astray"]


def test_a_signal_does_not_reach_what_is_started_because_of_it(bench: Bench) -> None:
    """A command that is told to end may start another to tidy up: that one was not there when the signal was sent.

    The last of very many threads starts it, so that whoever signals while it still looks for children would find it.
    """
    bench.python(
        "task",
        """
import threading
main, asked = os.getpid(), threading.Event()
on(signal.SIGTERM, lambda: asked.set() if os.getpid() == main else say("hit"))
for _ in range(400):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
threading.Thread(target=lambda: (asked.wait(), child(lambda: stay("started")))).start()
stay("ready")
""",
    )
    bench.python("other", "on(signal.SIGTERM, lambda: say('signalled, too')); stay('other')")
    assert bench.told(2) == ["other", "ready"]

    bench.launcher.signal("task", signal.SIGTERM)
    bench.launcher.signal("other", signal.SIGTERM)

    assert bench.told(2) == ["signalled, too", "started"]


def test_requests_about_what_has_ended_or_never_was_do_nothing(bench: Bench) -> None:
    """They come too late, which nobody can prevent; the launcher goes on."""
    bench.launcher.kill("task")
    bench.launcher.kill_all()
    bench.shell("task", "exit 0")
    bench.end_of("task")

    bench.launcher.signal("task", signal.SIGTERM)
    bench.launcher.kill("task")
    bench.launcher.kill("never-was")

    bench.shell("next", "exit 0")
    assert bench.end_of("next") == exited(work_id="next", exit_status=0)


# --- killing ---


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (TREE, KINDS),
        (f"child(lambda: ({TREE}, stay('parent')))", [*KINDS, "parent"]),
        ("child(comet)", ["comet"]),
        ("child(lambda: hide('breed()'), setsid=True)", ["breeder"]),
        ("[child(lambda: daemon(lambda: stay('many'))) for _ in range(40)]", ["many"] * 40),
    ],
    ids=[
        "a tree",
        "a deeper tree",
        "a comet: forks, leaves the session and exits, for ever",
        "a hidden breeder",
        "many daemons",
    ],
)
def test_kill_ends_every_process_of_the_work(bench: Bench, script: str, words: list[str]) -> None:
    """Whatever the work has become, all of it has ended when that is reported, and nothing of another work has."""
    bench.python("task", f"{script}; stay('main')")
    bench.python("other", "on(signal.SIGTERM, lambda: say('unharmed')); stay('other')")
    assert bench.told(len(words) + 2) == sorted([*words, "main", "other"])

    bench.launcher.kill("task")

    assert bench.end_of("task") == exited(work_id="task", signal=signal.SIGKILL)
    assert bench.is_gone("task")
    bench.launcher.signal("other", signal.SIGTERM)
    assert bench.told() == ["unharmed"]


@pytest.mark.parametrize(
    ("script", "words"),
    [(TREE, KINDS), ("child(comet)", ["comet"]), ("""daemon(lambda: hide("stay('escaped')"))""", ["escaped"])],
    ids=["a tree", "a comet", "escaped"],
)
def test_what_a_command_leaves_behind_is_killed(bench: Bench, script: str, words: list[str]) -> None:
    """The end of the main process is reported as it was, when all below it has ended; what has escaped follows."""
    bench.python("task", f"{script}; on(signal.SIGTERM, lambda: os._exit(6)); stay('main')")
    assert bench.told(len(words) + 1) == sorted([*words, "main"])

    os.kill(pid_of(bench.event()), signal.SIGTERM)

    assert bench.event() == exited(work_id="task", exit_status=6)
    assert bench.is_gone("task") or words == ["escaped"]
    bench.wait_until_gone("task")


def test_the_end_of_one_work_spares_the_daemons_of_another(bench: Bench) -> None:
    """Also those that hide whose they are: such have escaped, and end with the last work that can have started them."""
    hear = "on(signal.SIGUSR1, lambda: say('spared')); "
    escaped = f"daemon(lambda: hide({hear + 'stay(os.getpid())'!r}))"
    bench.python("keeper", f"{hear} daemon(lambda: stay('daemon')); {escaped}; stay('main')")
    escaped_pid = int(bench.told(3)[0])  # digits come before letters
    bench.python("passer-by", "daemon(lambda: stay('daemon')); on(signal.SIGUSR1, lambda: os._exit(0)); stay('main')")
    bench.told(2)

    bench.launcher.signal("passer-by", signal.SIGUSR1)
    bench.end_of("passer-by")
    bench.wait_until_gone("passer-by")

    bench.launcher.signal("keeper", signal.SIGUSR1)
    os.kill(escaped_pid, signal.SIGUSR1)
    assert bench.told(3) == ["spared"] * 3
    bench.launcher.kill("keeper")
    bench.wait_until_gone("keeper")


def test_kill_all_ends_everything_and_what_is_asked_next_starts_alone(bench: Bench) -> None:
    """However many there are; and nothing of them is alive when the next command starts."""
    works = [f"task-{number}" for number in range(12)]
    for work_id in works:
        bench.python(work_id, f"""{TREE}; daemon(lambda: hide("stay('escaped')")); stay('main')""")
    bench.told(5 * len(works))

    bench.launcher.kill_all()
    bench.python("next", "stay('next')")

    assert bench.told() == ["next"]
    assert len(bench.launcher.processes()) == 1
    ends = [event for event in (bench.event() for _ in range(2 * len(works) + 1)) if isinstance(event, WorkExited)]
    assert sorted(event.work_id for event in ends) == sorted(works)
    assert {event.signal for event in ends} == {signal.SIGKILL}


def test_close_ends_everything_and_has_reported_every_end(bench: Bench) -> None:
    """After close nothing is alive, nothing can be started, and closing again is harmless."""
    bench.python("task", f"{TREE}; stay('main')")
    bench.told(4)

    bench.launcher.close(PATIENCE_S)

    bench.wait_until_gone("task")
    assert bench.launcher.processes() == []
    bench.events.get_nowait()
    assert bench.events.get_nowait() == exited(work_id="task", signal=signal.SIGKILL)
    with pytest.raises(RuntimeError, match="cannot start work 'late': this launcher is closed"):
        bench.shell("late", "exit 0")
    bench.launcher.close()
