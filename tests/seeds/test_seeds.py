"""A few seeds with every `make test`, and proof that the checkers see: each finds a mistake planted for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen

from mesolite.actors.decisions.agent import causes, draining, updates
from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.agent.state import Phase
from mesolite.actors.decisions.master import deactivation, demands, reclaims, revocation, tasks
from mesolite.actors.decisions.master import draining as drains
from mesolite.actors.decisions.master.core import LEADER_DECISIONS
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.rules.allocator import Allocator
from mesolite.messages import AgentDrained, DrainAgent, ReconcileTasks, RevokeTask
from tests.seeds import checkers, healing, teeth
from tests.seeds.__main__ import main
from tests.seeds.run import run

SEEDS = 16
PLANTED_SEEDS = 40
"""Within so many seeds every planted mistake is found."""

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_holds(seed: int) -> None:
    """Every statement holds at every step, and what was begun has ended when all is mended."""
    verdict = run(seed)

    assert verdict.violation is None, str(verdict)


def test_a_seed_repeats_itself() -> None:
    """A seed is the whole story: it sees exactly the same twice."""
    assert run(3).tally == run(3).tally


@frozen
class Mistake:
    """Something a decision could get wrong, and the statement that does not hold then."""

    name: str
    statement: str
    plant: Plant


def _nothing(*_: object, **__: object) -> None:
    """Decide nothing."""


def _forget_what_returns(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MasterState, "recover", _nothing)


def _offer_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deactivation, "withdraw", _nothing)


def _tell_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MasterState, "tell", _nothing)
    patch.setitem(LEADER_DECISIONS, ReconcileTasks, _nothing)


def _say_ends_twice(patch: pytest.MonkeyPatch) -> None:
    once = updates.forward

    def twice(a: Any, key: Any, stream: Any, retry_s: float) -> None:
        once(a, key, stream, retry_s)
        if a.phase is Phase.RUNNING and stream.updates and stream.updates[0].status.state.is_terminal:
            head = stream.updates[0]
            a.send_to_leader(evolve(head, status=evolve(head.status, uuid=f"{head.status.uuid} again")))

    patch.setattr(updates, "forward", twice)


def _say_no_cause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(causes, "explained", lambda _a, _framework, _task, status: status)


def _confirm_too_early(patch: pytest.MonkeyPatch) -> None:
    def all_is_said(a: Any) -> bool:
        return not any(stream.updates for stream in a.streams.values())

    patch.setattr(drains, "is_done", lambda agent, _tasks: agent.confirmed)
    patch.setattr(draining, "_nothing_left", all_is_said)


def _do_not_wait_for_acknowledgements(patch: pytest.MonkeyPatch) -> None:
    def all_have_ended(agent: Any, tasks: Any) -> bool:
        return bool(agent.confirmed) and all(task.state.is_terminal for task in tasks)

    def none_lives(a: Any) -> bool:
        return not any(e.live_tasks for framework in a.frameworks.values() for e in framework.executors.values())

    patch.setattr(drains, "is_done", all_have_ended)
    patch.setattr(draining, "_nothing_left", none_lives)


def _never_end_a_drain(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LEADER_DECISIONS, AgentDrained, _nothing)


def _do_not_drain(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, DrainAgent, _nothing)


def _withhold_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "withhold", _nothing)


def _do_not_revoke(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, RevokeTask, _nothing)


def _revoke_from_everybody(patch: pytest.MonkeyPatch) -> None:
    def all_of_them(m: Any, _record: Any) -> list[Any]:
        return [holder for agent in m.agents.values() for holder in revocation.holders_on(agent)]

    patch.setattr(demands, "planned", all_of_them)


def _revoke_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(demands, "is_due", lambda _info, _now: True)
    patch.setattr(demands, "ask_all", reclaims._bite)  # noqa: SLF001  # instead of asking


def _keep_tasks_out_of_reach(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tasks, "forget_out_of_reach", _nothing)


def _answer_twice(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.answer

    def twice(m: MasterState, *answer: Any, **more: Any) -> None:
        once(m, *answer, **more)
        once(m, *answer, **more)

    patch.setattr(MasterState, "answer", twice)


MISTAKES = [
    Mistake("what is let go is not given back", checkers.BOOKS, _forget_what_returns),
    Mistake("a deactivated agent is offered on", teeth.OFFERS, _offer_on),
    Mistake("nobody is told what became of tasks", healing.TOLD, _tell_nobody),
    Mistake("the end of a task is told twice", checkers.ENDS, _say_ends_twice),
    Mistake("kills are not explained", checkers.CAUSES, _say_no_cause),
    Mistake("a drain ends when all has been said", checkers.NOTHING_ALIVE, _confirm_too_early),
    Mistake("a drain ends unacknowledged", checkers.ALL_ACKNOWLEDGED, _do_not_wait_for_acknowledgements),
    Mistake("the end of a drain is not noticed", healing.ENDED, _never_end_a_drain),
    Mistake("agents do not drain", healing.ENDED, _do_not_drain),
    Mistake("what is reclaimed is offered", teeth.OFFERS, _withhold_nothing),
    Mistake("agents do not revoke", teeth.FREE, _do_not_revoke),
    Mistake("those are revoked who were not asked", teeth.ASKED, _revoke_from_everybody),
    Mistake("revoked before the deadline", teeth.ASKED, _revoke_at_once),
    Mistake("tasks stay out of reach when their agent is back", checkers.BOOKS, _keep_tasks_out_of_reach),
    Mistake("calls are answered twice", checkers.ANSWERED, _answer_twice),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_planted_mistake_is_found(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a few seeds the statement it breaks is reported as broken."""
    mistake.plant(monkeypatch)

    found = []
    for seed in range(PLANTED_SEEDS):
        violation = run(seed).violation
        found.append(violation.statement if violation is not None else None)
        if found[-1] == mistake.statement:
            break

    assert mistake.statement in found


def test_what_is_found_can_be_repeated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names the seed, the statement, whom it is about, and the command that repeats it."""
    _say_no_cause(monkeypatch)
    broken = next(seed for seed in range(PLANTED_SEEDS) if run(seed).violation is not None)

    assert main(["--seed", str(broken)]) == 1
    said = capsys.readouterr().out
    assert f"seed {broken}: {checkers.CAUSES}" in said
    assert f"python -m tests.seeds --seed {broken}" in said
    assert "TASK_KILLED" in said
