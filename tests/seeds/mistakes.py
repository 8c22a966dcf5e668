"""Mistakes a decision could make, each planted on purpose, and the statement that does not hold then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen

from mesolite.actors.decisions.agent import causes, checkpoints, draining, executors, updates
from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.agent.state import Phase
from mesolite.actors.decisions.agent.writes import Writes
from mesolite.actors.decisions.contract import Effect, Save, StoreRefused
from mesolite.actors.decisions.master import deactivation, demands, frameworks, reclaims, revocation
from mesolite.actors.decisions.master import draining as drains
from mesolite.actors.decisions.master import tasks as books
from mesolite.actors.decisions.master.core import LEADER_DECISIONS, TIMERS, MasterCore
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import FailoverTimeout
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.rules.allocator import Allocator
from mesolite.messages import (
    AgentDrained,
    DrainAgent,
    OperationApplied,
    ReconcileTasks,
    RevokeTask,
)
from tests.seeds import checkers, healing, storage, teeth
from tests.seeds.faults import (
    FAULTS,
    Fault,
    agent_dies,
    bad_disk,
    cut,
    scheduler_returns_twice,
)
from tests.seeds.run import NOBODY_FAILS

Plant = Callable[[pytest.MonkeyPatch], None]


@frozen
class Mistake:
    """Something a decision could get wrong, and the statement that does not hold then.

    `faults`: those that bring it to light, if it takes many seeds with all the others among them.
    """

    name: str
    statement: str
    plant: Plant
    faults: tuple[Fault, ...] = FAULTS


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
    patch.setattr(books, "forget_out_of_reach", _nothing)


def _answer_twice(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.answer

    def twice(m: MasterState, *answer: Any, **more: Any) -> None:
        once(m, *answer, **more)
        once(m, *answer, **more)

    patch.setattr(MasterState, "answer", twice)


def _speak_before_writing(patch: pytest.MonkeyPatch) -> None:
    def commit(writes: Writes, effects: list[Effect]) -> list[Effect]:
        changes, writes.changes = writes.changes, {}
        return [*effects, Save(tuple(changes.items()))] if changes else effects

    patch.setattr(Writes, "commit", commit)


def _write_one_by_one(patch: pytest.MonkeyPatch) -> None:
    once = Writes.commit

    def commit(writes: Writes, effects: list[Effect]) -> list[Effect]:
        apart: list[Effect] = []
        for effect in once(writes, effects):
            first = effect.changes[:-1] if isinstance(effect, Save) else ()
            apart += [Save((change,)) for change in first]
            apart.append(evolve(effect, changes=effect.changes[-1:]) if isinstance(effect, Save) and first else effect)
        return apart

    patch.setattr(Writes, "commit", commit)


def _go_on_without_a_store(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, StoreRefused, lambda a, _event, _sender, _now: a.writes.refused())


def _do_not_tell_of_exits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(executors, "tell_exited", _nothing)


def _time_out_who_is_back(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.cancel_timer

    def cancel(m: MasterState, key: Any) -> None:
        if not isinstance(key, FailoverTimeout):
            once(m, key)

    def timed_out(m: MasterState, key: FailoverTimeout, sender: str, now: float) -> None:
        framework = m.frameworks.get(key.framework_id)
        if framework is not None:
            frameworks.remove(m, framework, now)

    patch.setattr(MasterState, "cancel_timer", cancel)
    patch.setitem(TIMERS, FailoverTimeout, timed_out)


def _go_on_over_a_broken_link(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MasterCore, "_link_broke", _nothing)


def _trust_executors_with_graces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(draining, "_limit", _nothing)


def _confirm_before_storing(patch: pytest.MonkeyPatch) -> None:
    once = RegistrarCore._save_waiting  # noqa: SLF001

    def save(registrar: Any) -> None:
        for operation in registrar.waiting if registrar.recovered and not registrar.saving else ():
            registrar.send(registrar.master, OperationApplied(operation=operation))
        once(registrar)

    patch.setattr(RegistrarCore, "_save_waiting", save)


def _keep_executors_off_the_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkpoints, "executor", _nothing)


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
    Mistake(
        "tasks stay out of reach when their agent is back", checkers.BOOKS, _keep_tasks_out_of_reach, (agent_dies, cut)
    ),
    Mistake("calls are answered twice", checkers.ANSWERED, _answer_twice),
    Mistake("an agent speaks before it has written", storage.STORED, _speak_before_writing),
    Mistake("what belongs together is written one by one", NOBODY_FAILS, _write_one_by_one, (bad_disk,)),
    Mistake("an agent goes on without a store", healing.TOLD, _go_on_without_a_store, (bad_disk,)),
    Mistake("executors go without a word", healing.EXECUTORS, _do_not_tell_of_exits),
    Mistake("who is back is ended for being away", checkers.IN_TIME, _time_out_who_is_back, (scheduler_returns_twice,)),
    Mistake("a link that lost something is used on", healing.TOLD, _go_on_over_a_broken_link, (cut,)),
    Mistake("a drain leaves graces to executors", teeth.GRACE, _trust_executors_with_graces),
    Mistake("the registrar confirms what is not stored", storage.REGISTERED, _confirm_before_storing),
    Mistake("executors are not on record", NOBODY_FAILS, _keep_executors_off_the_record, (agent_dies,)),
]
