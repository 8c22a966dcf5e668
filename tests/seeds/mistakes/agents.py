"""Mistakes of agents."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.agent import causes, checkpoints, draining, executors, registration, reports, updates
from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.agent.state import AgentState, Phase
from mesolite.actors.decisions.agent.timers import UpdateRetry
from mesolite.actors.decisions.agent.writes import Writes
from mesolite.actors.decisions.contract import Effect, Save, StoreRefused
from mesolite.messages import DrainAgent, KillTask, RevokeTask, StatusUpdate, StatusUpdateAcknowledgement
from tests.seeds.mistakes.mistake import AGENTS_DISKS, NOBODY_FAILS, Mistake, nothing


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


def _do_not_drain(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, DrainAgent, nothing)


def _do_not_revoke(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, RevokeTask, nothing)


def _do_not_kill(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, KillTask, nothing)


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
    patch.setattr(executors, "tell_exited", nothing)


def _trust_executors_with_graces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(draining, "_limit", nothing)


def _keep_executors_off_the_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkpoints, "executor", nothing)


def _resume_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(updates, "resume", nothing)


def _say_updates_once(patch: pytest.MonkeyPatch) -> None:
    once = AgentState.set_timer

    def set_timer(a: AgentState, key: Any, *arguments: Any, **more: Any) -> None:
        if type(key) is not UpdateRetry:
            once(a, key, *arguments, **more)

    patch.setattr(AgentState, "set_timer", set_timer)


def _take_any_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    once = reports.acknowledged

    def acknowledged(a: Any, message: StatusUpdateAcknowledgement, sender: str, now: float) -> None:
        stream = a.streams.get((message.framework_id, message.task_id))
        if stream is not None and stream.updates:
            message = evolve(message, uuid=stream.updates[0].status.uuid)
        once(a, message, sender, now)

    patch.setitem(DECISIONS, StatusUpdateAcknowledgement, acknowledged)


def _do_not_acknowledge_again(patch: pytest.MonkeyPatch) -> None:
    once = reports.received

    def received(a: Any, message: StatusUpdate, sender: str, now: float) -> None:
        stream = a.streams.get((message.framework_id, message.status.task_id))
        if stream is None or message.status.uuid not in stream.seen:
            once(a, message, sender, now)

    patch.setitem(DECISIONS, StatusUpdate, received)
    patch.setattr(reports, "received", received)


def _report_no_running_tasks(patch: pytest.MonkeyPatch) -> None:
    once = registration._reregistration  # noqa: SLF001

    def without_the_last(a: Any) -> Any:
        message = once(a)
        return evolve(message, tasks=message.tasks[:-1])

    patch.setattr(registration, "_reregistration", without_the_last)


MISTAKES = [
    Mistake("the end of a task is told twice", ("one_end_per_task",), _say_ends_twice),
    Mistake("kills are not explained", ("ends_carry_causes",), _say_no_cause),
    Mistake("agents do not drain", ("drains_end", "graces_are_kept"), _do_not_drain),
    Mistake("agents do not revoke", ("reclaims_are_in_time",), _do_not_revoke),
    Mistake("agents do not kill", ("kills_take_effect",), _do_not_kill),
    Mistake("an agent speaks before it has written", ("stored_before_said",), _speak_before_writing),
    Mistake("what belongs together is written one by one", (NOBODY_FAILS,), _write_one_by_one, AGENTS_DISKS),
    Mistake(
        "an agent goes on without a store",
        ("tasks_accounted_for", "updates_are_said_again", "executors_are_acknowledged"),
        _go_on_without_a_store,
        AGENTS_DISKS,
    ),
    Mistake("executors go without a word", ("executors_accounted_for",), _do_not_tell_of_exits),
    Mistake("a drain leaves graces to executors", ("graces_are_kept",), _trust_executors_with_graces),
    Mistake("executors are not on record", (NOBODY_FAILS,), _keep_executors_off_the_record),
    Mistake("updates wait when an agent is back", ("updates_are_said_again",), _resume_nothing),
    Mistake("updates are said once", ("updates_are_said_again",), _say_updates_once),
    Mistake("any acknowledgement will do", ("acknowledged_by_uuid",), _take_any_acknowledgement),
    Mistake(
        "what an executor repeats is not acknowledged",
        ("executors_are_acknowledged",),
        _do_not_acknowledge_again,
        AGENTS_DISKS,
    ),
    Mistake(
        "an agent that is back forgets a task",
        ("living_tasks_are_known", "kills_take_effect"),
        _report_no_running_tasks,
    ),
]
