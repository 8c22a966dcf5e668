"""A few seeds with every `make test`, and proof that the checkers see: each finds a mistake planted for it."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.agent import causes
from tests.seeds.__main__ import main
from tests.seeds.mistakes import MISTAKES, Mistake
from tests.seeds.run import run
from tests.seeds.teeth import search

SEEDS = 16
PLANTED_SEEDS = 120
"""Within so many seeds every planted mistake is found, but for the rare."""

RARE = ("what an executor repeats is not acknowledged", "what belongs together is written one by one")
"""These take more."""

FREQUENT = [mistake for mistake in MISTAKES if mistake.name not in RARE]

@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_holds(seed: int) -> None:
    """Every statement holds at every step, and what was begun has ended when all is mended."""
    verdict = run(seed)

    assert verdict.violation is None, str(verdict)


def test_a_seed_repeats_itself() -> None:
    """A seed is the whole story: it sees exactly the same twice."""
    assert run(3).tally == run(3).tally


@pytest.mark.slow
@pytest.mark.parametrize("mistake", FREQUENT, ids=lambda mistake: mistake.name)
def test_a_planted_mistake_is_found(mistake: Mistake) -> None:
    """Within a few seeds a checker that should notice does; those that take many are left to `make teeth`."""
    assert search(mistake, PLANTED_SEEDS).after is not None


@pytest.mark.slow
def test_what_is_found_can_be_repeated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names the seed, the statement, whom it is about, and the command that repeats it."""
    monkeypatch.setattr(causes, "explained", lambda _a, _framework, _task, status: status)
    broken = next(seed for seed in range(PLANTED_SEEDS) if run(seed).violation is not None)

    assert main(["--seed", str(broken)]) == 1
    said = capsys.readouterr().out
    assert f"seed {broken}: ends_carry_causes" in said
    assert f"python -m tests.seeds --seed {broken}" in said
    assert "TASK_KILLED" in said
