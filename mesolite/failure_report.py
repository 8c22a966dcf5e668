"""What a failed test's simulation or cluster went through, as text for whoever has to find out why.

Rule: a report never fails. It is made when something is wrong already, of things that may be wrong, too; a section
that cannot be made says why.
"""

from __future__ import annotations

import itertools
import pathlib
import traceback
from collections.abc import Callable, Iterator

from mesolite.actors.trace import Lost, line
from mesolite.actors.trace.values import FAILED, brief
from mesolite.cluster import Cluster
from mesolite.machines import Machine
from mesolite.messages.relayed import RunTask, StatusUpdate
from mesolite.messages.scheduler import FrameworkError
from mesolite.simulation import Simulation
from mesolite.simulation.network import Verdict
from mesolite.wiring import Wiring

MOST_LINES = 30
"""How much of a section is shown; the trace has an option."""
LONGEST_LINE = 500

Run = Simulation | Cluster


def failure_report(run: Run, trace_lines: int, told: str = "") -> str:
    """Faults, machines, errors, tasks, and the last lines of the trace; what there is none of is left out, and the
    sections that are in what was told already.
    """
    sections: tuple[tuple[str, Callable[[Run], Iterator[str]]], ...] = (
        ("faults and expectations in force:", _rules),
        ("what was done to machines:", _machines),
        ("errors of user code, and drivers that masters refused:", _errors),
        ("the last state of each task:", _tasks),
    )
    lines = []
    for title, make in sections:
        if title in told:
            continue
        lines += _section(title, lambda make=make: _bounded(make(run)))  # type: ignore[misc]
    if trace_lines > 0:
        lines += _section("the last that was said:", lambda: run.trace.last(trace_lines))
    return "\n".join(lines)


def write_trace(run: Run, path: pathlib.Path, head: str) -> str:
    """Write `head` and the whole trace, with timers and pings, into a file, and a page of it beside that.

    Returns what to tell about the two.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{head}\n\n{run.trace.text(system=True, heartbeats=True)}\n"
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except Exception as error:  # noqa: BLE001  # the rule of this file
        return f"the whole trace could not be written to {path}: {_words(error)}"
    return f"the whole trace: {path}\n{_write_page(run, path.with_suffix('.html'))}"


def _write_page(run: Run, path: pathlib.Path) -> str:
    try:
        run.trace.html(path)
    except Exception as error:  # noqa: BLE001  # the rule of this file
        return f"its page could not be written to {path}: {_words(error)}"
    return f"as a page, at the failure: {path.absolute().as_uri()}#failure"


def _section(title: str, make: Callable[[], list[str]]) -> list[str]:
    try:
        lines = make()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the rule of this file; a repr may even exit
        lines = [f"(could not be made: {_words(error)})"]
    return [title, *(f"  {_short(each)}" for each in lines)] if lines else []


def _bounded(lines: Iterator[str]) -> list[str]:
    kept = list(itertools.islice(lines, MOST_LINES))
    more = sum(1 for _ in lines)
    return [*kept, f"... and {more} more"] if more else kept


def _short(text: str) -> str:
    # Surrogates cannot be printed, and a message may carry megabytes.
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}... ({len(text)} characters)"


def _words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # the rule of this file
        return type(error).__name__


def _wiring(run: Run) -> Wiring | None:
    return run if isinstance(run, Cluster) else run.started


def _rules(run: Run) -> Iterator[str]:
    if isinstance(run, Cluster):
        return
    network = run.runtime.network
    for rule in network.rules:
        wish = "expect" if rule.verdict is Verdict.DELIVER else rule.verdict.value
        often = f"{rule.count} times" if rule.count else "never matched"
        yield f"{wish} {rule.describe()}: {often}"
    for (sender, to), lost in network.cuts.items():
        yield f"partition, {sender} to {to}: " + (f"{lost} messages lost" if lost else "never matched")


def _machines(run: Run) -> Iterator[str]:
    wiring = _wiring(run)
    if wiring is None:
        return
    machines: list[Machine] = [*wiring.masters.values(), *wiring.agents.values()]
    for host, disk in run.runtime.disks.items():
        if disk.faults:
            yield f"{host}: {', '.join(disk.faults)}, of {disk.writes} so far"
    for machine in machines:
        if machine.history or not machine.alive:
            done = ", ".join(f"{what} at {at:.3f}" for at, what in machine.history) or "ended by itself"
            yield f"{machine.name}: {done}; {'up' if machine.alive else 'down'} now"


def _errors(run: Run) -> Iterator[str]:
    for error in run.user_errors:
        frames = traceback.extract_tb(error.traceback)
        where = f", {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        yield " ".join(f"{error}{where}{', allowed' if error.allowed else ''}".splitlines())
    for record in run.trace:
        if isinstance(record.event, FrameworkError):
            yield line(record).strip()


def last_of_tasks(run: Run) -> list[str]:
    """What was last said of each task, as many as fit."""
    return _bounded(_tasks(run))


def _tasks(run: Run) -> Iterator[str]:
    """What was last said of each task, and by then to its framework, who may know less."""
    said: dict[object, str] = {}
    known: dict[object, str] = {}
    for record in run.trace:
        event = record.event
        if isinstance(event, Lost) and isinstance(event.message, RunTask):
            lost = f"its launch was lost on the way to {record.actor} at {record.time:.3f} ({event.why})"
            said.setdefault(event.message.task.task_id, lost)
        elif isinstance(event, RunTask):
            said.setdefault(event.task.task_id, f"sent to {record.actor} at {record.time:.3f}")
        elif isinstance(event, StatusUpdate):
            status = event.status
            reason = f" ({status.reason})" if status.reason else ""
            reason += f" {brief(status.message)}" if status.message and status.state in FAILED else ""
            said[status.task_id] = f"{status.state}{reason}, said to {record.actor} at {record.time:.3f}"
            if not _is_daemon(run, record.actor):
                known[status.task_id] = str(status.state)
    for task_id, last in said.items():
        heard = known.get(task_id)
        yield f"{task_id}: {last}; its framework " + (f"heard {heard} last" if heard else "has heard nothing")


def _is_daemon(run: Run, actor: str) -> bool:
    wiring = _wiring(run)
    return wiring is not None and (actor in wiring.masters or actor in wiring.agents)
