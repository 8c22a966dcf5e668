"""A few seeds with every `make test`, and proof that the checkers see: each finds a mistake planted for it."""

from __future__ import annotations

import re

import pytest

from mesolite.actors.decisions.agent import causes
from tests.seeds.__main__ import main
from tests.seeds.mistakes import MISTAKES, Mistake
from tests.seeds.scenario import PLAN
from tests.seeds.teeth import search

SEEDS = 16
PLANTED_SEEDS = 300
"""Within so many seeds every planted mistake is found."""

WAITED_FOR = MISTAKES[::8]
"""Those that a public change waits for."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_holds(seed: int) -> None:
    """Every statement holds at every step, and what was begun has ended when all is mended."""
    outcome = PLAN.run(seed)

    assert outcome.error is None, f"{outcome.error}\n\nto repeat: .venv/bin/python -m tests.seeds --seed {seed}"


def test_a_seed_repeats_itself() -> None:
    """A seed is the whole story: it sees exactly the same twice."""
    assert PLAN.run(3).hash == PLAN.run(3).hash


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(each, marks=pytest.mark.slow if each in WAITED_FOR else pytest.mark.long, id=each.name)
        for each in MISTAKES
    ],
)
def test_a_planted_mistake_is_found(mistake: Mistake) -> None:
    """Within a few hundred seeds a checker that should notice does."""
    assert search(mistake, PLANTED_SEEDS).after is not None


@pytest.mark.slow
def test_what_is_found_can_be_repeated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names the seed, the statement, whom it is about, and the command that repeats it."""
    monkeypatch.setattr(causes, "explained", lambda _a, _framework, _task, status: status)
    broken = next(seed for seed in range(PLANTED_SEEDS) if PLAN.run(seed).error is not None)

    assert main(["--seed", str(broken)]) == 1
    said = capsys.readouterr().out
    assert f"seed {broken}: checker ends_carry_causes" in said
    assert f"python -m tests.seeds --seed {broken}" in said
    assert re.search(r"(\S+) is TASK_\w+ \(.*, no cause\n.*what was said about \1:", said, re.DOTALL)
