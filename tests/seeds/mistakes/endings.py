"""Mistakes about how tasks and executors end: timers that go off late, graces, causes."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.agent import checkpoints, draining, executors, tasks
from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.agent.state import AgentState, ExecutorPhase
from mesolite.actors.decisions.agent.timers import ExecutorRegistrationTimeout
from mesolite.actors.decisions.contract import CancelTimer, Effect, SetTimer
from mesolite.actors.decisions.executor import command
from mesolite.actors.decisions.executor.command import CommandExecutorCore, Escalation
from mesolite.actors.decisions.executor.registration import ExecutorRegistration
from mesolite.actors.decisions.master.membership import removal
from mesolite.actors.decisions.rules import grace
from mesolite.actors.decisions.rules.work_outcome import SIGKILL
from mesolite.actors.decisions.settings import Settings
from mesolite.messages import KillPolicy
from mesolite.messages.executor import RegisterExecutor
from mesolite.messages.tasks import Cause
from tests.seeds.mistakes.mistake import Mistake


def _keep_the_registration_timer(patch: pytest.MonkeyPatch) -> None:
    once = executors.register

    def register(a: AgentState, message: RegisterExecutor, sender: str, now: float) -> None:
        once(a, message, sender, now)
        executor = a.executor_of(message.framework_id, message.executor_id, sender)
        if executor is not None and executor.phase is ExecutorPhase.RUNNING:
            key = ExecutorRegistrationTimeout(message.framework_id, executor.id, executor.run)
            a.set_timer(key, a.settings.executor_registration_timeout_s)

    patch.setitem(DECISIONS, RegisterExecutor, register)


def _keep_the_reconnect_timer(patch: pytest.MonkeyPatch) -> None:
    once = ExecutorRegistration.confirm

    def confirm(registration: ExecutorRegistration) -> list[Effect]:
        return [effect for effect in once(registration) if type(effect) is not CancelTimer]

    patch.setattr(ExecutorRegistration, "confirm", confirm)


def _escalate_at_once(patch: pytest.MonkeyPatch) -> None:
    once = CommandExecutorCore._kill  # noqa: SLF001

    def kill(core: CommandExecutorCore, grace_s: float, now: float) -> None:
        once(core, grace_s, now)
        core.effects[:] = [
            SetTimer(effect.key, 0.0) if type(effect) is SetTimer and type(effect.key) is Escalation else effect
            for effect in core.effects
        ]

    patch.setattr(CommandExecutorCore, "_kill", kill)


def _take_zero_for_none(patch: pytest.MonkeyPatch) -> None:
    def kill_grace_s(settings: Settings, *wishes: float | None) -> float:
        return next((wish for wish in wishes if wish), settings.task_kill_grace_s)

    patch.setattr(command, "kill_grace_s", kill_grace_s)


def _let_drains_lengthen(patch: pytest.MonkeyPatch) -> None:
    def drain_policy(longest_s: float | None, own_s: float | None) -> KillPolicy | None:
        return None if longest_s is None else KillPolicy(grace_period_s=longest_s)

    patch.setattr(draining, "drain_policy", drain_policy)


def _ignore_own_shutdown_graces(patch: pytest.MonkeyPatch) -> None:
    once = grace.shutdown_grace_s

    def shutdown_grace_s(settings: Settings, info: Any, own_s: float | None) -> float:
        return once(settings, None if info is None else evolve(info, shutdown_grace_period_s=None), own_s)

    patch.setattr(executors, "shutdown_grace_s", shutdown_grace_s)


def _lengthen_by_a_second_kill(patch: pytest.MonkeyPatch) -> None:
    once = CommandExecutorCore._kill  # noqa: SLF001

    def kill(core: CommandExecutorCore, grace_s: float, now: float) -> None:
        again = core._wanted_signal not in (None, SIGKILL)  # noqa: SLF001
        if again and core._kill_began + grace_s > core._deadline:  # noqa: SLF001
            core._deadline = core._kill_began + grace_s  # noqa: SLF001
            core.effects.append(SetTimer(Escalation(), core._deadline - now))  # noqa: SLF001
            return
        once(core, grace_s, now)

    patch.setattr(CommandExecutorCore, "_kill", kill)


def _take_the_last_cause(patch: pytest.MonkeyPatch) -> None:
    def record_kill_cause(a: AgentState, framework: Any, executor: Any, task: Any, cause: Cause) -> None:
        if task.kill_cause is not cause:
            task.kill_cause = cause
            checkpoints.task(a, framework, executor.id, task)

    patch.setattr(tasks, "record_kill_cause", record_kill_cause)


def _call_all_that_are_removed_unregistered(patch: pytest.MonkeyPatch) -> None:
    once = removal.remove

    def remove(m: Any, agent_id: Any, cause: Cause, now: float) -> None:
        once(m, agent_id, Cause.UNREGISTERED if cause is Cause.MACHINE_DOWN else cause, now)

    patch.setattr(removal, "remove", remove)


MISTAKES = [
    Mistake("who has registered may still be late", ("registered_stay",), _keep_the_registration_timer),
    Mistake("who is back with its agent may still be lost", ("executors_end_for_a_reason",), _keep_the_reconnect_timer),
    Mistake("a killed command has no grace", ("commands_have_their_graces",), _escalate_at_once),
    Mistake("a grace of zero is none", ("commands_have_their_graces",), _take_zero_for_none),
    Mistake("a drain lengthens graces", ("graces_are_told",), _let_drains_lengthen),
    Mistake("an executor's own grace is ignored", ("graces_are_told",), _ignore_own_shutdown_graces),
    Mistake("a second kill lengthens a grace", ("commands_have_their_graces",), _lengthen_by_a_second_kill),
    Mistake("the last cause of a kill counts", ("first_cause_of_a_kill",), _take_the_last_cause),
    Mistake(
        "who is taken down is called unregistered",
        ("losses_have_their_cause",),
        _call_all_that_are_removed_unregistered,
    ),
]
