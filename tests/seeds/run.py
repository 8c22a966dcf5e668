"""One seed, from its number to its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import field, frozen

from mesolite import PartyFailed
from mesolite.actors.errors import EndlessLoop
from mesolite.harness.checkers import Family, Violation
from tests.seeds.faults import FAULTS, Fault
from tests.seeds.healing import demand, heal
from tests.seeds.workload import VERBS, Found, World

NOBODY_FAILS = "nobody_fails"
STORY_LINES = 60
NOISE = ("PingAgent", "PongAgent", "KeepSession", "SessionKept", "(timer session", "(timer ping", "(timer allocation")


@frozen
class Verdict:
    """What became of a seed: nothing, or the first statement that did not hold and the story of whom it is about."""

    seed: int
    violation: Violation | None
    story: str
    tally: Counter[str] = field(factory=Counter)

    def __str__(self) -> str:
        """Say everything that helps, and how to see it again."""
        return (
            f"seed {self.seed}: {self.violation}\n\n{self.story}\n\n"
            f"to repeat: .venv/bin/python -m tests.seeds --seed {self.seed}"
        )


def run(seed: int, faults: tuple[Fault, ...] = FAULTS) -> Verdict:
    """Live through one seed, in which these faults may happen."""
    world = World(seed)
    try:
        _live(world, faults)
        heal(world)
        demand(world)
    except Found:
        pass
    except (PartyFailed, EndlessLoop, AssertionError) as error:
        statement = "No core raises, and nobody keeps others busy for ever."
        world.checkers.report(Violation(NOBODY_FAILS, Family.OURS, statement, world.sim.now, str(error)))
    violation = world.checkers.first
    return Verdict(seed, violation, _story(world, violation), world.checkers.tally)


def _live(world: World, faults: tuple[Fault, ...]) -> None:
    """Ask and break, at random times."""
    draw = world.random
    world.advance(draw.uniform(0.5, 4.0))
    verbs = draw.choices(list(VERBS), list(VERBS.values()), k=draw.randint(2, 9))
    acts: list[Callable[[World], None]] = [*verbs, *draw.choices(faults, k=draw.choice((0, 0, 1, 2, 4, 8)))]
    draw.shuffle(acts)
    for act in acts:
        if act in faults:
            world.log.append(f"{world.sim.now:10.3f}  fault: {act.__name__}")
            world.checkers.tally[f"fault {act.__name__}"] += 1
        act(world)
        world.look()
        if draw.random() < 0.7:
            world.advance(min(draw.expovariate(0.4), 15.0))


def _story(world: World, violation: Violation | None) -> str:
    if violation is None:
        return ""
    lines = world.sim.trace.story(*violation.about).splitlines() if violation.about else []
    lines = [line for line in lines if not any(noise in line for noise in NOISE)]
    lines = lines or world.sim.trace.text().splitlines()
    cut = ["..."] if len(lines) > STORY_LINES else []
    return "\n".join(["what was done:", *world.log, "", "the story:", *cut, *lines[-STORY_LINES:]])
