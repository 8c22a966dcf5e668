"""Mistakes that one event shows: something does not follow from what was heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.agent import draining as draining_agents
from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.agent.state import AgentState
from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.contract import Send
from mesolite.actors.decisions.master import frameworks, reconciliation, tasks
from mesolite.actors.decisions.master.core import APPLIED, LEADER_DECISIONS
from mesolite.actors.decisions.master.drain import decisions, draining
from mesolite.actors.decisions.master.membership import gone, reregistration
from mesolite.actors.decisions.master.offers import operations
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages import (
    DrainAgent,
    DrainAgentCall,
    ExitedExecutor,
    KillTask,
    Launch,
    ReactivateAgent,
    TaskState,
    UpdateFramework,
)
from mesolite.messages.base import Message
from tests.seeds.mistakes.mistake import Mistake, nothing


def _reactivate_in_name_only(patch: pytest.MonkeyPatch) -> None:
    def reactivated(m: MasterState, operation: ReactivateAgent, now: float) -> None:
        m.deactivated.pop(operation.agent_id, None)

    patch.setitem(APPLIED, ReactivateAgent, reactivated)


def _keep_who_is_back_from_the_offers(patch: pytest.MonkeyPatch) -> None:
    once = reregistration._return_registered  # noqa: SLF001

    def returned(m: MasterState, agent: Any, pending: Any, now: float) -> None:
        was_active = agent.active
        once(m, agent, pending, now)
        if agent.active and not was_active:
            agent.active = False
            m.allocator.deactivate_agent(agent.id)

    patch.setattr(reregistration, "_return_registered", returned)


def _offer_but_do_not_grant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "activate_agent", nothing)


def _take_back_in_silence(patch: pytest.MonkeyPatch) -> None:
    once = reregistration._announce_return  # noqa: SLF001

    def announce(m: MasterState, framework: Any, agent: Any, task: Any) -> None:
        if task.state.is_terminal:
            once(m, framework, agent, task)

    patch.setattr(reregistration, "_announce_return", announce)


def _drop_launches_in_silence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(operations, "KINDS", {Launch: evolve(operations.KINDS[Launch], drop=nothing)})


def _answer_while_agents_are_awaited(patch: pytest.MonkeyPatch) -> None:
    once = reconciliation.answer

    def answer(m: MasterState, framework: Any, asked: Any, now: float) -> None:
        recovered, m.recovered = m.recovered, {}
        once(m, framework, asked, now)
        m.recovered = recovered

    patch.setattr(reconciliation, "answer", answer)


def _call_the_unreachable_gone(patch: pytest.MonkeyPatch) -> None:
    once = reconciliation._tell  # noqa: SLF001

    def tell(m: MasterState, framework: Any, status: Any, why: str, now: float) -> None:
        if status.state is TaskState.TASK_UNREACHABLE:
            status = evolve(status, state=TaskState.TASK_GONE)
        once(m, framework, status, why, now)

    patch.setattr(reconciliation, "_tell", tell)


def _do_not_say(patch: pytest.MonkeyPatch, flow: Any, name: str, kind: type[Message]) -> None:
    """Let that flow say nothing of that kind."""
    once: Callable[..., None] = getattr(flow, name)

    def without(m: MasterState, *arguments: Any) -> None:
        before = len(m.effects)
        once(m, *arguments)
        m.effects[before:] = [
            each for each in m.effects[before:] if not (isinstance(each, Send) and isinstance(each.message, kind))
        ]

    patch.setattr(flow, name, without)
    for kind_heard, decide in list(LEADER_DECISIONS.items()):
        if decide is once:
            patch.setitem(LEADER_DECISIONS, kind_heard, without)


def _keep_ends_of_executors_back(patch: pytest.MonkeyPatch) -> None:
    _do_not_say(patch, tasks, "exited_executor", ExitedExecutor)


def _let_the_gone_run_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gone, "_shut_down", nothing)


def _kill_the_unknown_in_silence(patch: pytest.MonkeyPatch) -> None:
    def kill(m: MasterState, message: KillTask, sender: str, now: float) -> None:
        framework = m.frameworks.get(message.framework_id)
        if framework is None or message.task_id in framework.tasks or message.task_id in framework.strays:
            tasks.kill(m, message, sender, now)

    patch.setitem(LEADER_DECISIONS, KillTask, kill)


def _keep_successors_from_agents(patch: pytest.MonkeyPatch) -> None:
    _do_not_say(patch, frameworks, "_subscribe_known", UpdateFramework)


def _register_all_anew(patch: pytest.MonkeyPatch) -> None:
    once = frameworks._answer  # noqa: SLF001
    patch.setattr(frameworks, "_answer", lambda m, framework, _how: once(m, framework, "registered"))


def _register_nobody_anew(patch: pytest.MonkeyPatch) -> None:
    once = frameworks._answer  # noqa: SLF001
    patch.setattr(frameworks, "_answer", lambda m, framework, _how: once(m, framework, "reregistered"))


def _drain_as_wished_first(patch: pytest.MonkeyPatch) -> None:
    def drain(m: MasterState, message: DrainAgentCall, sender: str, now: float) -> None:
        known = decisions.open_drain(m, message.agent_id)
        if known is not None:
            first = known.config
            message = evolve(message, max_grace_period_s=first.max_grace_period_s, mark_gone=first.mark_gone)
        draining.drain(m, message, sender, now)

    patch.setitem(LEADER_DECISIONS, DrainAgentCall, drain)


def _go_on_draining(patch: pytest.MonkeyPatch) -> None:
    def told(a: AgentState, message: DrainAgent, sender: str, now: float) -> None:
        draining_agents.told(a, message if a.drain is None else evolve(message, config=a.drain), sender, now)

    patch.setitem(DECISIONS, DrainAgent, told)


def _drain_the_scheduled(patch: pytest.MonkeyPatch) -> None:
    once = draining._refusal  # noqa: SLF001

    def refusal(m: MasterState, message: DrainAgentCall) -> tuple[int, str] | None:
        why_not = once(m, message)
        return None if why_not is not None and "maintenance schedule" in why_not[1] else why_not

    patch.setattr(draining, "_refusal", refusal)


def _block_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "block", nothing)


def _block_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "unblock", nothing)


MISTAKES = [
    Mistake("who is reactivated is not offered", ("available_agents_are_offered",), _reactivate_in_name_only),
    Mistake("who is back is not offered", ("available_agents_are_offered",), _keep_who_is_back_from_the_offers),
    Mistake("who is to be offered is not granted of", ("available_agents_are_offered",), _offer_but_do_not_grant),
    Mistake("tasks return in silence", ("returns_are_announced",), _take_back_in_silence),
    Mistake("launches are dropped in silence", ("launches_are_answered",), _drop_launches_in_silence),
    Mistake("awaited agents are left out of answers", ("answers_are_true",), _answer_while_agents_are_awaited),
    Mistake("the unreachable are called gone", ("answers_are_true",), _call_the_unreachable_gone),
    Mistake("kills of unknown tasks are not answered", ("answers_are_true",), _kill_the_unknown_in_silence),
    Mistake("ends of executors are not passed on", ("lost_executors_are_said",), _keep_ends_of_executors_back),
    Mistake("who is marked gone is not told", ("gone_agents_are_told",), _let_the_gone_run_on),
    Mistake("agents do not hear of successors", ("successors_are_made_known",), _keep_successors_from_agents),
    Mistake("all are registered anew", ("successors_are_made_known",), _register_all_anew),
    Mistake("nobody is registered anew", ("successors_are_made_known",), _register_nobody_anew),
    Mistake("a drain goes on as it began", ("drain_wishes_count",), _drain_as_wished_first),
    Mistake("an agent drains on as it began", ("drain_wishes_count",), _go_on_draining),
    Mistake("who is scheduled is drained", ("drain_wishes_count",), _drain_the_scheduled),
    Mistake("no framework is blocked", ("reclaimed_frameworks_are_blocked",), _block_nobody),
    Mistake("a framework is blocked for ever", ("reclaimed_frameworks_are_blocked",), _block_for_ever),
]
