"""A drain as it happened, against time: lanes are actors and tasks, arrows are messages, from where and when they were
sent to where and when they arrived. Everything drawn is read from the trace of one simulation.
"""

from __future__ import annotations

import signal
from typing import Any

from attrs import evolve, frozen

from examples.schedulers import Shop, service
from mesolite import SimulatedWork, Simulation, TaskInfo, TaskState
from mesolite.actors.trace import Trace
from mesolite.messages import (
    AcceptOffers,
    AgentDrained,
    DrainAgent,
    DrainAgentCall,
    KillTask,
    RunTask,
    StatusUpdate,
)
from pages.svg import Drawing, Palette

SEED = 7
LATENCY_S = (0.03, 0.09)
STEADY_S = 10.0
GRACE_S = 5.0
WATCHED_S = 8.0
SHOWN_S = (-0.45, 7.1)

LANES = ("web", "operator", "master-1", "agent-1", "obeys", "ignores", "agent-2", "obeys.2", "ignores.2")
TITLES = {"web": "framework web", "obeys.2": "obeys, again", "ignores.2": "ignores, again"}
DRAINED_AGENT = "agent-1"
WIDTH, HEIGHT = 900.0, 470.0
LEFT, RIGHT, TOP, LANE = 128.0, 16.0, 62.0, 42.0
AGAIN = ("AcceptOffers", "RunTask")
DESCRIPTION = (
    "The operator asks the master, which tells agent-1; both tasks there get SIGTERM. One ends after two seconds, the "
    "other is killed when its five seconds of grace are over. The framework hears of each end and launches the task "
    "again on agent-2. Then agent-1 says that it is drained."
)


@frozen
class Arrow:
    """A message on its way: who sent it and when, who got it and when, and what to write beside it."""

    sender: str
    sent_s: float
    receiver: str
    arrived_s: float
    words: str


@frozen
class Life:
    """A task's process: from when to when, and the signals it was sent."""

    began_s: float
    ended_s: float | None = None
    signals: tuple[tuple[float, int], ...] = ()


@frozen
class Story:
    """What the picture shows, in seconds from the moment the operator asked."""

    arrows: list[Arrow]
    lives: dict[str, Life]
    draining_s: float
    drained_s: float


def happen() -> Story:
    """Run it: two services on agent-1, one of which ignores SIGTERM; agent-1 is drained, and agent-2 has room."""
    with Simulation(SEED, latency_s=LATENCY_S) as sim:
        cluster = sim.cluster(agents=1)
        cluster.run(Shop([_service("obeys", on_sigterm=2.0), _service("ignores", on_sigterm=None)]), framework="web")
        sim.advance(STEADY_S)
        cluster.add_agent()
        sim.advance(STEADY_S)
        asked_s = sim.now
        drain = cluster.operator.drain(DRAINED_AGENT, max_grace_period=GRACE_S)
        sim.advance(WATCHED_S)
        assert str(drain.state) == "DRAINED"
    return _read(sim.trace, asked_s)


def _service(name: str, on_sigterm: float | None) -> TaskInfo:
    return evolve(service(name, name), work=SimulatedWork(duration=None, on_sigterm=on_sigterm))


def _read(trace: Trace, asked_s: float) -> Story:
    """Collect what is drawn; a message was sent when the record that caused its arrival was written."""
    sent_s = {record.index: record.time - asked_s for record in trace}
    arrows = [
        Arrow(
            _lane(record.sender), sent_s[record.cause], _lane(record.actor), record.time - asked_s, _words(record.event)
        )
        for record in trace
        if record.time > asked_s and _is_drawn(record.event)
    ]
    states = trace.states()
    decided_s = {state.state: state.from_time - asked_s for state in states if state.kind == "offering"}
    lives: dict[str, Life] = {}
    for state in states:
        if state.kind == "process":
            life = lives.get(state.subject, Life(state.from_time - asked_s))
            if state.state == "SIGNALLED":
                signalled = (state.from_time - asked_s, signal.Signals[state.words])
                life = evolve(life, signals=(*life.signals, signalled))
            ended_s = state.to_time - asked_s if state.to_time is not None and state.ending else None
            lives[state.subject] = evolve(life, ended_s=ended_s)
    return Story(arrows, lives, decided_s["DRAINING"], decided_s["DRAINED"])


def _lane(actor: str) -> str:
    """An executor is known by its task, everybody else by name."""
    return actor.rpartition("/")[2]


def _is_drawn(event: Any) -> bool:
    """Orders of the drain and what becomes of the tasks; acknowledgements, offers and registrations are left out."""
    if isinstance(event, StatusUpdate):
        return event.status.state is TaskState.TASK_KILLED
    if isinstance(event, AcceptOffers):
        return any(launch.tasks for launch in event.operations)
    return isinstance(event, DrainAgentCall | DrainAgent | KillTask | RunTask | AgentDrained)


def _words(event: Any) -> str:
    """What to write at an arrow: the message's name, or the state that an update reports, with its cause."""
    if isinstance(event, StatusUpdate):
        return ", ".join(str(word) for word in (event.status.state, event.status.cause) if word)
    return type(event).__name__


# ------------------------------------------------------------------------------------------------------------ drawing


def x_of(at_s: float) -> float:
    """Where a moment is."""
    first_s, last_s = SHOWN_S
    return LEFT + (at_s - first_s) / (last_s - first_s) * (WIDTH - LEFT - RIGHT)


def y_of(lane: str) -> float:
    """Where a lane is."""
    return TOP + LANE * LANES.index(lane) + LANE / 2


def draw(story: Story, palette: Palette) -> Drawing:
    """Draw it in these colours."""
    drawing = Drawing(WIDTH, HEIGHT, palette, "A drain, as it happened", DESCRIPTION)
    drawing.text(20, 32, "A drain with grace, as it happened", fill=palette.ink, size=16, bold=True)
    called = f'operator.drain("{DRAINED_AGENT}", max_grace_period={GRACE_S:g})'
    where = f"in a Simulation(seed={SEED}), against virtual time"
    drawing.text(20, 51, f"{called} {where}", fill=palette.faint, size=12)
    _axis(drawing)
    _lanes(drawing, story)
    for task, life in story.lives.items():
        _life(drawing, task, life)
    for arrow in sorted(story.arrows, key=lambda arrow: arrow.words not in AGAIN):
        ends = (x_of(arrow.sent_s), y_of(arrow.sender), x_of(arrow.arrived_s), y_of(arrow.receiver))
        drawing.arrow(*ends, stroke=palette.good if arrow.words in AGAIN else palette.calm)
    for arrow in story.arrows:
        _name(drawing, arrow)
    return drawing


def _axis(drawing: Drawing) -> None:
    bottom = TOP + LANE * len(LANES)
    for second in range(int(SHOWN_S[1]) + 1):
        drawing.line(x_of(second), TOP, x_of(second), bottom, stroke=drawing.palette.line, dashes="1 4")
        drawing.text(x_of(second), bottom + 16, f"{second} s", fill=drawing.palette.faint, size=11, anchor="middle")


def _lanes(drawing: Drawing, story: Story) -> None:
    """A line for each, and on that of the drained agent what an operator sees of the drain."""
    palette = drawing.palette
    for lane in LANES:
        ink = palette.faint if lane in story.lives else palette.ink
        drawing.line(LEFT, y_of(lane), WIDTH - RIGHT, y_of(lane), stroke=palette.line)
        drawing.text(LEFT - 12, y_of(lane) + 4, TITLES.get(lane, lane), fill=ink, anchor="end")
    states = (("DRAINING", story.draining_s, story.drained_s), ("DRAINED", story.drained_s, SHOWN_S[1]))
    for state, from_s, to_s in states:
        left, right, y = x_of(from_s), x_of(to_s), y_of(DRAINED_AGENT)
        drawing.box(left, y - 8, right - left, 16, fill=palette.calm_paper, stroke=palette.calm)
        drawing.label(left + 24, y + 4, state, fill=palette.calm)


def _life(drawing: Drawing, task: str, life: Life) -> None:
    """A bar from start to end, in another colour from the first signal on, with the signals that came."""
    palette, y = drawing.palette, y_of(task)
    began, ended = x_of(max(life.began_s, SHOWN_S[0])), x_of(SHOWN_S[1] if life.ended_s is None else life.ended_s)
    drawing.box(began, y - 8, ended - began, 16, fill=palette.good_paper, stroke=palette.good)
    if life.ended_s is None:
        drawing.label(began + 8, y + 4, "runs", fill=palette.good)
        return
    (first_s, first), *more = life.signals
    asked = x_of(first_s)
    drawing.box(asked, y - 8, ended - asked, 16, fill=palette.warm_paper, stroke=palette.warm)
    what = "ignored for" if more else "ends after"
    took = f"{signal.Signals(first).name}, {what} {life.ended_s - first_s:.1f} s"
    drawing.label(asked + 8, y + 4, took, fill=palette.warm)
    for _, signum in more:
        drawing.label(ended - 8, y + 4, signal.Signals(signum).name, fill=palette.alarm, anchor="end")


def _name(drawing: Drawing, arrow: Arrow) -> None:
    """Write what was said where the arrow arrives: news of tasks to its left, everything else to its right."""
    if arrow.words.startswith("TASK_") and arrow.receiver != "web":
        return  # said on its last way only
    up = y_of(arrow.receiver) < y_of(arrow.sender)
    news = up and arrow.sender != DRAINED_AGENT
    y = y_of(arrow.receiver) + (1 if up else -1) * LANE / 2
    steep = (x_of(arrow.arrived_s) - x_of(arrow.sent_s)) / abs(y_of(arrow.receiver) - y_of(arrow.sender))
    x = x_of(arrow.arrived_s) - steep * LANE / 2 + (-9 if news else 9)
    ink = drawing.palette.good if arrow.words in AGAIN else drawing.palette.calm
    drawing.text(x, y + 4, arrow.words, fill=ink, size=11, anchor="end" if news else "start", mono=True)
