"""Mistakes of a leader: about agents, drains, frameworks and tasks."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.agent import draining
from mesolite.actors.decisions.contract import Send, TimerKey
from mesolite.actors.decisions.master import frameworks
from mesolite.actors.decisions.master import tasks as books
from mesolite.actors.decisions.master.core import APPLIED, LEADER_DECISIONS, TIMERS, MasterCore
from mesolite.actors.decisions.master.drain import deactivation, decisions
from mesolite.actors.decisions.master.drain import draining as drains
from mesolite.actors.decisions.master.maintenance import schedules
from mesolite.actors.decisions.master.membership import (
    disconnection,
    gone,
    leaving,
    pings,
    pruning,
    reregistration,
    unreachable,
)
from mesolite.actors.decisions.master.membership.removal_limiter import RemovalLimiter
from mesolite.actors.decisions.master.membership.table import MemberState
from mesolite.actors.decisions.master.reclaim import reclaims
from mesolite.actors.decisions.master.state import MasterState, in_order
from mesolite.actors.decisions.master.timers import FailoverTimeout, PingBatch, RecoveryTimeout, ReregisterTimeout
from mesolite.messages import (
    AgentDrained,
    ExitedExecutor,
    FrameworkInfo,
    PruneAgents,
    ReactivateAgent,
    ReactivateAgentCall,
    ReconcileTasks,
    ReregisterAgent,
    RunTask,
    Subscribe,
    UnregisterAgent,
)
from mesolite.messages.ids import AgentId
from tests.seeds.mistakes.mistake import SILENCE, Mistake, nothing, subscribed


def _forget_what_returns(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MasterState, "recover", nothing)


def _tell_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MasterState, "tell", nothing)
    patch.setitem(LEADER_DECISIONS, ReconcileTasks, nothing)


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
    patch.setitem(LEADER_DECISIONS, AgentDrained, nothing)


def _end_a_drain_by_reactivating(patch: pytest.MonkeyPatch) -> None:
    once = deactivation.reactivate

    def reactivate(m: MasterState, message: Any, sender: str, now: float) -> None:
        is_deactivated, drain = decisions.effective_decision(m, message.agent_id)
        if is_deactivated and drain is not None and decisions.refusal(m, message.agent_id) is None:
            operation = ReactivateAgent(agent_id=message.agent_id)
            m.write_for(operation, sender, message.call_id)
        else:
            once(m, message, sender, now)

    patch.setitem(LEADER_DECISIONS, ReactivateAgentCall, reactivate)


def _forget_to_mark_gone(patch: pytest.MonkeyPatch) -> None:
    once = drains.check_done

    def check_done(m: MasterState, agent_id: Any, now: float) -> None:
        drain = m.deactivated.get(agent_id)
        if drain is not None and drain.config.mark_gone:
            m.deactivated[agent_id] = evolve(drain, config=evolve(drain.config, mark_gone=False))
        once(m, agent_id, now)

    subscribed(patch, released_on=in_order(check_done, reclaims.released_on))


def _leave_drains_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decisions, "drain_ended_by_removal", nothing)


def _keep_tasks_out_of_reach(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(books, "forget_out_of_reach", nothing)


def _answer_twice(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.answer

    def twice(m: MasterState, *answer: Any, **more: Any) -> None:
        once(m, *answer, **more)
        once(m, *answer, **more)

    patch.setattr(MasterState, "answer", twice)


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


def _set(patch: pytest.MonkeyPatch, kind: type[TimerKey], times: float) -> None:
    """Let timers of that kind fire after another time; 0: never."""
    once = MasterState.set_timer

    def set_timer(m: MasterState, key: Any, after_s: float, **more: Any) -> None:
        if type(key) is not kind:
            once(m, key, after_s, **more)
        elif times:
            once(m, key, after_s * times, **more)

    patch.setattr(MasterState, "set_timer", set_timer)


def _time_frameworks_out_early(patch: pytest.MonkeyPatch) -> None:
    _set(patch, FailoverTimeout, 0.5)


def _wait_for_frameworks_for_ever(patch: pytest.MonkeyPatch) -> None:
    _set(patch, FailoverTimeout, 0)


def _time_agents_out_early(patch: pytest.MonkeyPatch) -> None:
    _set(patch, ReregisterTimeout, 0.3)


def _time_recovery_out_early(patch: pytest.MonkeyPatch) -> None:
    _set(patch, RecoveryTimeout, 0.3)


def _miscount(patch: pytest.MonkeyPatch, by: int) -> None:
    once = pings.ping

    def ping(m: MasterState, key: PingBatch, sender: str, now: float) -> None:
        settings = m.settings
        m.settings = settings.but(max_agent_ping_timeouts=settings.max_agent_ping_timeouts + by)
        once(m, key, sender, now)
        m.settings = settings

    patch.setitem(TIMERS, PingBatch, ping)


def _ping_once_less(patch: pytest.MonkeyPatch) -> None:
    _miscount(patch, -1)


def _ping_once_more(patch: pytest.MonkeyPatch) -> None:
    _miscount(patch, 1)


def _give_up_all_at_once(patch: pytest.MonkeyPatch) -> None:
    once = RemovalLimiter.__init__
    patch.setattr(RemovalLimiter, "__init__", lambda rate, _interval_s: once(rate, 0.0))


def _go_on_over_a_broken_link(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MasterCore, "_link_broke", nothing)


def _forget_kills(patch: pytest.MonkeyPatch) -> None:
    once = reregistration.reregister

    def reregister(m: MasterState, message: ReregisterAgent, sender: str, now: float) -> None:
        known = m.agents.get(message.agent.id or AgentId(""))
        if known is not None:
            known.kills.clear()
        once(m, message, sender, now)

    patch.setitem(LEADER_DECISIONS, ReregisterAgent, reregister)


def _let_the_gone_back(patch: pytest.MonkeyPatch) -> None:
    once = reregistration.reregister

    def reregister(m: MasterState, message: ReregisterAgent, sender: str, now: float) -> None:
        if message.agent.id in m.gone:
            m.membership.move(AgentId(message.agent.id or ""), MemberState.UNKNOWN)
        once(m, message, sender, now)

    patch.setitem(LEADER_DECISIONS, ReregisterAgent, reregister)


def _keep_the_old_connection(patch: pytest.MonkeyPatch) -> None:
    once = frameworks._subscribe_known  # noqa: SLF001

    def subscribe_known(m: MasterState, framework: Any, message: Subscribe, sender: str, now: float) -> None:
        old = framework.pid
        once(m, framework, message, sender, now)
        if old is not None and old != sender:
            m.framework_of_pid.pop(sender)
            framework.pid, m.framework_of_pid[old] = old, framework.id

    patch.setattr(frameworks, "_subscribe_known", subscribe_known)


def _launch_twice(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.send

    def send(m: MasterState, to: str, message: Any) -> None:
        once(m, to, message)
        if type(message) is RunTask:
            m.effects.append(Send(to, message))

    patch.setattr(MasterState, "send", send)


def _say_new_states_to_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FrameworkInfo, "or_lost", lambda _info, state: state)


def _keep_dead_executors(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LEADER_DECISIONS, ExitedExecutor, nothing)


def _keep_agents_of_machines_that_are_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(schedules, "shut_down", nothing)


def _forget_the_absent_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "_overdue", lambda _m, absent, _now: list(absent))


def _forget_decisions_about_the_unreachable(patch: pytest.MonkeyPatch) -> None:
    once = unreachable.marked_unreachable

    def marked(m: MasterState, operation: Any, now: float) -> None:
        once(m, operation, now)
        m.deactivated.pop(operation.agent_id, None)

    patch.setitem(APPLIED, next(kind for kind in APPLIED if kind.__name__ == "MarkAgentUnreachable"), marked)


def _keep_the_pruned(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(APPLIED, PruneAgents, nothing)


def _wait_for_who_unregisters(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LEADER_DECISIONS, UnregisterAgent, nothing)


def _do_not_say_who_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leaving, "announce_lost", nothing)


def _keep_tasks_of_dead_agents(patch: pytest.MonkeyPatch) -> None:
    def disconnected(m: MasterState, agent: Any, now: float) -> None:
        if agent.connected:
            disconnection.await_return(m, agent, now)

    patch.setattr(disconnection, "disconnected", disconnected)


def _refuse_to_reactivate(patch: pytest.MonkeyPatch) -> None:
    def reactivate(m: MasterState, message: Any, sender: str, now: float) -> None:
        m.answer(sender, message.call_id, 400, "no")

    patch.setitem(LEADER_DECISIONS, ReactivateAgentCall, reactivate)


def _take_all_for_gone(patch: pytest.MonkeyPatch) -> None:
    def reregister(m: MasterState, message: ReregisterAgent, sender: str, now: float) -> None:
        gone.refuse(m, message.agent.id or AgentId(""), sender)

    patch.setitem(LEADER_DECISIONS, ReregisterAgent, reregister)


def _drain_without_a_word(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(drains, "tell", nothing)
    subscribed(patch, agent_back=nothing)


MISTAKES = [
    Mistake("what is let go is not given back", ("resources_conserved",), _forget_what_returns),
    Mistake("nobody is told what became of tasks", ("tasks_accounted_for",), _tell_nobody),
    Mistake("a drain ends when all has been said", ("nothing_alive_when_drained",), _confirm_too_early),
    Mistake("a drain ends unacknowledged", ("all_acknowledged_when_drained",), _do_not_wait_for_acknowledgements),
    Mistake("the end of a drain is not noticed", ("drains_end",), _never_end_a_drain),
    Mistake("a drain is dropped by reactivating", ("drains_end",), _end_a_drain_by_reactivating),
    Mistake("a drained agent is not marked gone", ("drains_end",), _forget_to_mark_gone),
    Mistake("a drain does not end when its agent leaves", ("drains_end",), _leave_drains_behind),
    Mistake(
        "tasks stay out of reach when their agent is back",
        ("resources_conserved",),
        _keep_tasks_out_of_reach,
        SILENCE,
    ),
    Mistake("calls are answered twice", ("calls_are_answered",), _answer_twice),
    Mistake(
        "who is back is ended for being away",
        ("frameworks_have_their_time",),
        _time_out_who_is_back,
    ),
    Mistake("frameworks have half their time", ("frameworks_have_their_time",), _time_frameworks_out_early),
    Mistake("frameworks are waited for for ever", ("frameworks_have_their_time",), _wait_for_frameworks_for_ever),
    Mistake("agents have less time to come back", ("given_up_in_time",), _time_agents_out_early),
    Mistake("agents have less time to come to a new leader", ("given_up_in_time",), _time_recovery_out_early),
    Mistake("an agent is given up one ping early", ("given_up_in_time",), _ping_once_less),
    Mistake("an agent is given up one ping late", ("given_up_in_time",), _ping_once_more),
    Mistake("agents are given up all at once", ("given_up_in_time",), _give_up_all_at_once, SILENCE),
    Mistake(
        "a link that lost something is used on",
        ("tasks_accounted_for", "updates_are_said_again", "kills_take_effect"),
        _go_on_over_a_broken_link,
    ),
    Mistake("kills are forgotten when an agent is back", ("kills_take_effect",), _forget_kills),
    Mistake("who is gone comes back", ("gone_stays_gone", "leaders_believe_the_store"), _let_the_gone_back),
    Mistake(
        "a successor is not heard",
        ("subscribers_are_answered", "drivers_are_connected"),
        _keep_the_old_connection,
    ),
    Mistake("tasks are launched twice", ("launched_once",), _launch_twice),
    Mistake("old frameworks are told new states", ("states_are_understood",), _say_new_states_to_all),
    Mistake("executors that are dead are kept", ("executors_accounted_for",), _keep_dead_executors),
    Mistake(
        "machines go down without their agents",
        ("everybody_is_registered", "offers_of_available_agents"),
        _keep_agents_of_machines_that_are_down,
    ),
    Mistake("who is absent is forgotten early", ("pruned_when_old",), _forget_the_absent_early),
    Mistake(
        "who is unreachable is active again",
        ("leaders_believe_the_store",),
        _forget_decisions_about_the_unreachable,
    ),
    Mistake("who was forgotten is remembered", ("leaders_believe_the_store",), _keep_the_pruned),
    Mistake("who unregisters is waited for", ("unregistered_are_removed",), _wait_for_who_unregisters),
    Mistake("frameworks do not hear which agents are lost", ("unregistered_are_removed",), _do_not_say_who_is_lost),
    Mistake("tasks outlive their agent in the books", ("lost_with_their_agent",), _keep_tasks_of_dead_agents),
    Mistake("nobody is reactivated", ("refused_for_a_reason",), _refuse_to_reactivate),
    Mistake("whoever is back is taken for gone", ("gone_stays_gone",), _take_all_for_gone),
    Mistake("agents are not told to drain", ("drains_end", "drains_are_asked_again"), _drain_without_a_word),
]
