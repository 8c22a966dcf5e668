"""One run of a scheduler in a situation, as a scenario: it can be replayed, saved and found again like any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from typing import Any

from attrs import define, field

from mesolite.actors.decisions.contract import TimerFired
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.trace import HEARTBEATS, Record
from mesolite.harness.checkers import STANDARD
from mesolite.harness.conformance.jobs import Job
from mesolite.harness.conformance.situations import CALM, Situation, situation_named
from mesolite.harness.conformance.stage import Stage
from mesolite.harness.conformance.subject import Subject
from mesolite.harness.conformance.verdict import CannotBeTried, NotHandled
from mesolite.harness.run import Outcome, Setting, replayed, running
from mesolite.harness.script import Injection, Script
from mesolite.simulation.simulation import Simulation

LATENCY_S = (0.001, 0.01)
"""Between which times a message takes, drawn by the seed."""

CALM_S = 600.0
"""How long the calm run goes on after the first launch."""

LAUNCHES_S = 300.0
"""By then a scheduler must have launched something in the calm run."""

LOOKED_AT_S = 20
"""In so many seconds after the first launch it is seen when most tasks run."""

SOON_S = 90.0
"""So long after a situation it is looked whether all is well."""

STEP_S = 15.0

PATIENCE_S = 1500.0
"""So long after a situation all must be well: a master gives up after 600 s who has not come back to it."""

STEPS_MAX = 120
"""At so many steps a partition is tried, evenly spread if there are more: it has to be a matter of seconds."""

CUT_S = 100.0
"""How long a partition lasts, that comes at a step."""

STEADY_S = 0.5
"""So long after its cluster is ready a scheduler is run, and half of that before, steps begin to count."""


@define
class Learned:
    """What a calm run has shown.

    Attributes:
        jobs: which there are.
        begins_at: when most tasks run: then a situation begins.
        counted_from: since when steps count.
        steps: after how many events each begins, and at whom there was something new then, until a situation begins.
        leader, agent, scheduler: who leads, who has most tasks then, and the name of the scheduler's actor.
        alive: how many tasks run then.
    """

    jobs: tuple[Job, ...] = ()
    begins_at: float = 0.0
    counted_from: float = 0.0
    steps: tuple[tuple[int, tuple[str, ...]], ...] = ()
    leader: str = ""
    agent: str = ""
    scheduler: str = ""
    alive: int = 0


@define(eq=False)
class Trial:
    """A scheduler in a situation.

    Attributes:
        learned: what the calm run of the same scheduler and seed has shown; in the calm situation it is filled.
        overlaps: the jobs of which two tasks were alive at a time, and their scheduler could not know better.
    """

    subject: Subject
    situation: Situation
    seed: int
    learned: Learned
    overlaps: dict[Hashable, None] = field(factory=dict)

    @property
    def does(self) -> str:
        """What is done, for who reads a failure."""
        return f"{self.situation.name}: {self.situation.does}"

    @property
    def kept_as(self) -> str:
        """Its name in a saved failure."""
        plain = {"situation": self.situation.name, "seed": self.seed, **self.subject.to_plain()}
        return f"{__name__}:trial_of?{json.dumps(plain)}"

    @property
    def is_calm(self) -> bool:
        """Whether it is the run from which it is learned which jobs there are."""
        return self.situation.name == CALM.name

    def __call__(self, sim: Simulation) -> None:
        """Run it.

        Raises:
            NotHandled: something was found.
            CannotBeTried: it is no scheduler, launches nothing, or what says the job of a task does not.
        """
        stage = Stage.set(sim, self.subject, None if self.is_calm else self.learned.jobs)
        sim.advance(STEADY_S)
        if self.is_calm:
            _learn(stage, self.learned)
            since = sim.now
        else:
            since = self._disturb(stage)
        findings = stage.findings(since)
        self.overlaps |= stage.seen.overlaps
        if stage.seen.error is not None:
            raise stage.seen.error
        going_on = running()
        if going_on is not None:
            going_on.leave()  # who never returns is lost for ever, and what is open is found
        if findings:
            raise NotHandled(findings)

    def _disturb(self, stage: Stage) -> float:
        """Let it happen, and wait until all is well again; returns when it was over."""
        sim, situation = stage.sim, self.situation
        sim.advance(STEADY_S)
        if situation.from_start:
            situation.act(stage)
        stage.begin()
        sim.advance(max(0.0, self.learned.begins_at - sim.now))
        if not situation.from_start:
            situation.act(stage)
        if situation.at_each_step:
            sim.advance(CUT_S)
        since = sim.now
        sim.advance(SOON_S)
        while sim.now < since + PATIENCE_S and any(stage.open_findings(since)):
            sim.advance(STEP_S)
        return since

    def run(self, script: Script) -> Outcome:
        """Run it with the faults of a script."""
        return replayed(self, self.seed, script, self.setting)

    @property
    def setting(self) -> Setting:
        """The settings that are other than in Mesos. Those who judge are its own; no others are needed."""
        changes = dict(self.situation.settings)
        return Setting(settings=Settings.mesos().but(**changes) if changes else None, without=OTHERS)

    @property
    def scripts(self) -> tuple[Script, ...]:
        """What is done besides, in one run or in several."""
        plain, learned = Script(order=(), latency=LATENCY_S), self.learned
        if not self.situation.at_each_step:
            return (plain,)
        # Where nothing is new at either of two, a partition between them is the same as one that comes later.
        partitions = [
            _partition(learned, events, other)
            for events, at in learned.steps
            for other in (learned.scheduler, learned.agent)
            if learned.leader in at or other in at
        ]
        tried = min(len(partitions), STEPS_MAX)
        chosen = [partitions[number * len(partitions) // tried] for number in range(tried)]
        return tuple(plain.but(faults=(partition,)) for partition in chosen)


OTHERS = tuple(checker.name for checker in STANDARD)


def _partition(learned: Learned, events: int, other: str) -> Injection:
    arguments = (("one", learned.leader), ("other", other), ("both_ways", True))
    return Injection(kind="partition", at=learned.counted_from, events=events, lasts=CUT_S, arguments=arguments)


def _learn(stage: Stage, learned: Learned) -> None:
    """Run it for long, and see what there is.

    Raises:
        CannotBeTried: it launches nothing.
    """
    sim, seen = stage.sim, stage.seen
    learned.counted_from, learned.leader = sim.now, stage.leader.name
    stop_counting, steps = _count_steps(sim)
    sim.advance(STEADY_S)
    stage.begin()
    learned.scheduler = stage.scheduler
    _wait_for_a_launch(stage)
    first = sim.now
    most: list[tuple[float, int, str]] = []
    for _ in range(LOOKED_AT_S):
        most.append((sim.now, seen.alive(), stage.agent.name))
        sim.advance(1)
    peak = max(alive for _, alive, _ in most)
    best = [(at, agent) for at, alive, agent in most if alive == peak]
    learned.begins_at, learned.agent = best[len(best) // 2] if peak else (first, stage.agent.name)
    learned.alive = peak
    stop_counting()
    learned.steps = tuple((number, at) for number, now, at in steps if now <= learned.begins_at)
    sim.advance(CALM_S / 2)
    half = sim.now
    sim.advance(CALM_S / 2)
    if seen.error is None:
        learned.jobs = seen.learned(half)


def _wait_for_a_launch(stage: Stage) -> None:
    seen, sim, subject = stage.seen, stage.sim, stage.subject
    until = sim.now + LAUNCHES_S
    while not seen.counted and seen.error is None and sim.now < until:
        sim.advance(0.25)
    if seen.counted or seen.error is not None:
        return
    if seen.launches:
        raise CannotBeTried(f"job_of says None of all {seen.launches} tasks, so there is nothing to judge")
    if seen.offered:
        why = f"it was made {seen.offered} offers; if its tasks need more than {subject.resources}, say resources=..."
    else:
        why = "it was offered nothing: does it suppress offers, or stop at once?"
    if subject.takes_store:
        why += f"; as {subject.name} takes an argument, it was given an empty dict, which outlives it: is that meant?"
    raise CannotBeTried(
        f"nothing was launched within {LAUNCHES_S:g} s, though nothing goes wrong, so there is nothing to judge; {why}"
    )


def _count_steps(sim: Simulation) -> tuple[Callable[[], None], list[tuple[int, float, tuple[str, ...]]]]:
    """Count events from now on as a script does, and note after which, when and at whom something was new."""
    events, news = 0, dict[str, None]()
    steps: list[tuple[int, float, tuple[str, ...]]] = []

    def note(record: Record) -> None:
        event = record.event
        routine = isinstance(event, TimerFired) and event.key.PERIODIC
        if not routine and not isinstance(event, HEARTBEATS):
            news[record.actor] = None

    def look() -> None:
        nonlocal events
        events += 1
        if news:
            steps.append((events, sim.now, tuple(news)))
            news.clear()

    unsubscribe = sim.trace.subscribe(note)
    sim.runtime.looks.append(look)

    def stop() -> None:
        unsubscribe()
        sim.runtime.looks.remove(look)

    return stop, steps


def trial_of(kept: str) -> Trial:
    """Find what `kept_as` names.

    Raises:
        LookupError: the scheduler is not found, or there is no such situation.
    """
    plain: dict[str, Any] = json.loads(kept)
    situation, seed = situation_named(plain.pop("situation")), plain.pop("seed")
    return trial(Subject.from_plain(plain), situation, seed)


def trial(subject: Subject, situation: Situation, seed: int) -> Trial:
    """Make a trial: first it is learned from a calm run what there should be.

    Raises:
        Exception: the calm run fails by an error of the subject's.
    """
    calm = Trial(subject, CALM, seed, Learned())
    if situation.name == CALM.name:
        return calm
    learn(calm)
    return Trial(subject, situation, seed, calm.learned)


def learn(calm: Trial) -> Outcome:
    """Run the calm run.

    Raises:
        CannotBeTried: there is nothing to judge.
    """
    outcome = calm.run(calm.scripts[0])
    if isinstance(outcome.error, CannotBeTried):
        raise outcome.error
    return outcome
