"""What led to a failure, as text: what happened, what became of the tasks, and what was said about whom it is about."""

from __future__ import annotations

from mesolite.actors.decisions.driver_calls import AbortCall, AcceptCall, KillCall, StopCall
from mesolite.failure_report import last_of_tasks
from mesolite.harness.run import CheckerViolated, Outcome
from mesolite.simulation.simulation import Simulation

MOMENTS = 40
"""So many of what happened are shown, the first and the last ones."""

DEEDS = 24
"""So many of what schedulers did are shown, the first and the last ones."""

SAID = 40
"""So many lines of what was said about whom it is about."""


ROUTINE = (" KeepSession ", " SessionKept ", " DetectLeader", " PingAgent", " PongAgent", "(timer ", " returned)")
"""What is left out of what was said."""


def story_of(outcome: Outcome) -> str:
    """Tell what led to it."""
    return story(outcome.sim, outcome.error)


def story(sim: Simulation, error: BaseException | None) -> str:
    """Tell what led to that error of this simulation."""
    sections = [
        ("what happened:", _moments(sim)),
        ("what schedulers did:", _shortened(_deeds(sim), DEEDS)),
        ("the last state of each task:", last_of_tasks(sim)),
    ]
    if isinstance(error, CheckerViolated) and error.violation.about:
        about = _whom(sim, error.violation.about)
        said = [line for line in sim.trace.story(*about).splitlines() if not _is_routine(line)]
        sections.append((f"what was said about {', '.join(about)}:", _shortened(said, SAID)))
    return "\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in sections if lines)


def _is_routine(line: str) -> bool:
    """Whether a line tells what goes on all the time, as heartbeats do, unless it was lost."""
    return "-x" not in line and any(word in line for word in ROUTINE)


def _moments(sim: Simulation) -> list[str]:
    return _shortened([str(moment) for moment in sim.trace.moments()], MOMENTS)


def _deeds(sim: Simulation) -> list[str]:
    """What schedulers launched, killed, and did to their own frameworks."""
    return [
        f"{record.time:10.3f}  {record.actor} {said}"
        for record in sim.trace
        if (said := _deed(record.event)) is not None
    ]


def _deed(event: object) -> str | None:
    match event:
        case AcceptCall(operations=operations) if tasks := [task for each in operations for task in each.tasks]:
            return f"launches {', '.join(task.task_id for task in tasks)}"
        case KillCall(task_id=task_id):
            return f"kills {task_id}"
        case AbortCall():
            return "aborts"
        case StopCall(failover=failover):
            return "stops, for a successor" if failover else "stops, and ends its framework"
    return None


def _whom(sim: Simulation, about: tuple[str, ...]) -> tuple[str, ...]:
    """Whom to tell of: the tasks and offers that it is about, and actors, of whom there is much to tell, only if it is
    about nothing else.
    """
    things = tuple(name for name in about if not sim.runtime.directory.incarnation(name))
    return things or about


def _shortened(lines: list[str], most: int) -> list[str]:
    """The first of them and the last."""
    if len(lines) <= most:
        return lines
    half = most // 2
    return [*lines[:half], f"... and {len(lines) - most} more ...", *lines[-half:]]
