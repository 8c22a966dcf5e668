"""Mistakes in what is said: too much, too little, in another order, with other contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.agent import checkpoints, draining, executors, leaving, recovery, updates
from mesolite.actors.decisions.agent import registration as agents
from mesolite.actors.decisions.agent import tasks as agents_tasks
from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.agent.state import ExecutorPhase, Phase
from mesolite.actors.decisions.allocator.shares import Shares
from mesolite.actors.decisions.contract import CancelTimer, Loaded, Send, SignalReceived
from mesolite.actors.decisions.master import frameworks, reconciliation, tasks
from mesolite.actors.decisions.master.core import APPLIED, LEADER_DECISIONS
from mesolite.actors.decisions.master.maintenance import machines, rule
from mesolite.actors.decisions.master.membership import gone, pings, registration, reregistration, unreachable
from mesolite.actors.decisions.master.offers import inverse_offers, launches, offers
from mesolite.actors.decisions.master.state import MasterState, in_order
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.scheduler.subscribing import SubscribeRetry
from mesolite.harness import Faults
from mesolite.messages import (
    AgentReregistered,
    DrainAgent,
    PingAgent,
    RegisterAgent,
    ResourceOffers,
    RunTask,
    ShutdownFramework,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    SuppressOffers,
    UnregisterAgent,
    UpdateFramework,
)
from mesolite.messages.executor import ExecutorRegistered, RegisterExecutor
from mesolite.messages.maintenance import Maintenance
from mesolite.messages.registrar import MarkAgentUnreachable
from tests.seeds.mistakes.mistake import Mistake, nothing, subscribed

CALM = Faults.none()
"""Who is never disturbed has to be in time."""

Effects = list[Any]


def _said(effect: Any) -> Any:
    """What of that kind is said, None if it is another effect."""
    return effect.message if isinstance(effect, Send) else None


def _leading_to(once: Callable[..., None], change: Callable[[Effects], Effects]) -> Callable[..., None]:
    """The same decision, and something else comes of it."""

    def decide(state: Any, *more: Any) -> None:
        before = len(state.effects)
        once(state, *more)
        state.effects[before:] = change(state.effects[before:])

    return decide


def _without(kind: type) -> Callable[[Effects], Effects]:
    return lambda effects: [effect for effect in effects if not isinstance(_said(effect), kind)]


def _last(kind: type) -> Callable[[Effects], Effects]:
    def change(effects: Effects) -> Effects:
        return [*_without(kind)(effects), *(effect for effect in effects if isinstance(_said(effect), kind))]

    return change


def _rebound(patch: pytest.MonkeyPatch, table: Any, once: Any, other: Any) -> None:
    """Let whoever decided so decide otherwise, whatever for."""
    for key in [key for key, decide in table.items() if decide is once]:
        patch.setitem(table, key, other)


# ------------------------------------------------------------------------------------------------------------ leaders


def _offer_without_unavailability(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.send

    def send(m: MasterState, to: str, message: Any) -> None:
        if type(message) is ResourceOffers:
            message = evolve(message, offers=tuple(evolve(offer, unavailability=None) for offer in message.offers))
        once(m, to, message)

    patch.setattr(MasterState, "send", send)


def _rescind_for_suppression(patch: pytest.MonkeyPatch) -> None:
    def suppress(m: MasterState, message: Any, sender: str, now: float) -> None:
        framework = m.caller(message.framework_id, sender)
        if framework is not None:
            m.allocator.suppress(framework.id)
            offers.rescind_all(m, framework.offers, now)

    patch.setitem(LEADER_DECISIONS, SuppressOffers, suppress)


def _rescind_before_losses(patch: pytest.MonkeyPatch) -> None:
    def left(m: MasterState, agent: Any, end: Any, now: float) -> None:
        offers.agent_left(m, agent, end, now)

    subscribed(patch, agent_left=in_order(offers.agent_leaves, left, tasks.agent_left, machines.left, pings.stop))


def _forget_inverse_offers_of_who_reconnects(patch: pytest.MonkeyPatch) -> None:
    once = frameworks._subscribe_known  # noqa: SLF001

    def subscribe(m: MasterState, framework: Any, message: Any, sender: str, now: float) -> None:
        if framework.pid == sender and not message.force:
            inverse_offers.discard_all(m, framework.inverse_offers)
        once(m, framework, message, sender, now)

    patch.setattr(frameworks, "_subscribe_known", subscribe)


def _serve_roles_by_name(patch: pytest.MonkeyPatch) -> None:
    def in_order(shares: Any) -> Any:
        for role in sorted(shares._roles.in_order()):  # noqa: SLF001
            yield from shares._members[role].in_order()  # noqa: SLF001

    patch.setattr(Shares, "in_order", in_order)


def _blame_operators_before_old_frameworks(patch: pytest.MonkeyPatch) -> None:
    once = gone._loss  # noqa: SLF001
    patch.setattr(gone, "_loss", lambda name: evolve(once(name), reason_if_lost=None))


def _go_by_the_state_of_the_update(patch: pytest.MonkeyPatch) -> None:
    once = tasks.update

    def update(m: MasterState, message: StatusUpdate, sender: str, now: float) -> None:
        once(m, evolve(message, latest_state=message.status.state), sender, now)

    patch.setitem(LEADER_DECISIONS, StatusUpdate, update)


def _announce_the_recovered(patch: pytest.MonkeyPatch) -> None:
    once = reregistration._return_absent  # noqa: SLF001

    def returned(m: MasterState, *more: Any) -> None:
        kept, m.recovered = m.recovered, {}
        try:
            once(m, *more)
        finally:
            m.recovered = kept

    patch.setattr(reregistration, "_return_absent", returned)


def _keep_schedulers_to_itself(patch: pytest.MonkeyPatch) -> None:
    once = reregistration._exchange_frameworks  # noqa: SLF001
    patch.setattr(reregistration, "_exchange_frameworks", _leading_to(once, _without(UpdateFramework)))


def _drain_after_the_reply(patch: pytest.MonkeyPatch) -> None:
    once = reregistration._return_absent  # noqa: SLF001
    patch.setattr(reregistration, "_return_absent", _leading_to(once, _last(DrainAgent)))


def _ask_nothing_when_registration_is_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LEADER_DECISIONS, RegisterAgent, _leading_to(registration.register, _without(AgentReregistered)))


def _end_frameworks_where_they_are_known(patch: pytest.MonkeyPatch) -> None:
    once = frameworks.remove

    def remove(m: MasterState, framework: Any, now: float) -> None:
        there = [
            agent.pid
            for agent in m.agents.values()
            if any(owner == framework.id for owner, _ in (*agent.tasks, *agent.executors))
        ]

        def known(effects: Effects) -> Effects:
            return [each for each in effects if not isinstance(_said(each), ShutdownFramework) or each.to in there]

        _leading_to(once, known)(m, framework, now)

    patch.setattr(frameworks, "remove", remove)
    _rebound(patch, LEADER_DECISIONS, once, remove)


def _say_the_time_of_the_news(patch: pytest.MonkeyPatch) -> None:
    once = unreachable.marked_unreachable

    def marked(m: MasterState, operation: Any, now: float) -> None:
        _leading_to(once, lambda effects: [_told_now(effect, now) for effect in effects])(m, operation, now)

    patch.setitem(APPLIED, MarkAgentUnreachable, marked)


def _told_now(effect: Any, now: float) -> Any:
    message = _said(effect)
    if not isinstance(message, StatusUpdate) or message.status.unreachable_time is None:
        return effect
    return Send(effect.to, evolve(message, status=evolve(message.status, unreachable_time=now)))


def _start_executors_for_each_task(patch: pytest.MonkeyPatch) -> None:
    once = launches._launch_one  # noqa: SLF001

    def launch(m: MasterState, framework: Any, agent: Any, task: Any, new: bool, now: float) -> None:
        once(m, framework, agent, task, True, now)

    patch.setattr(launches, "_launch_one", launch)


def _answer_with_the_newest_state(patch: pytest.MonkeyPatch) -> None:
    once = reconciliation._answer_known  # noqa: SLF001

    def answer(m: MasterState, framework: Any, task: Any, now: float) -> None:
        said, task.status_update_state = task.status_update_state, None
        once(m, framework, task, now)
        task.status_update_state = said

    patch.setattr(reconciliation, "_answer_known", answer)


def _complete_for_any_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    once = tasks.acknowledge

    def acknowledge(m: MasterState, message: Any, sender: str, now: float) -> None:
        agent = m.agents.get(message.agent_id)
        task = agent.tasks.get((message.framework_id, message.task_id)) if agent is not None else None
        ended = task is not None and task.status_update_state is not None and task.status_update_state.is_terminal
        once(m, evolve(message, uuid=task.status_update_uuid) if ended and task is not None else message, sender, now)

    patch.setitem(LEADER_DECISIONS, StatusUpdateAcknowledgement, acknowledge)


def _keep_machines_scheduled(patch: pytest.MonkeyPatch) -> None:
    def with_up(schedule: Any, up: Any) -> Any:
        names = {rule.machine_of(machine) for machine in up}
        down = tuple(each for each in schedule.maintenance.down if rule.machine_of(each) not in names)
        return evolve(schedule.maintenance, down=down)

    patch.setattr(rule.Schedule, "with_up", with_up)


# ------------------------------------------------------------------------------------------------------------- agents


def _bring_machines_up_with_a_schedule(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule.Schedule, "with_windows", lambda schedule, windows: Maintenance(windows=windows))


def _remind_of_no_drain(patch: pytest.MonkeyPatch) -> None:
    subscribed(patch, deactivated_agent_pinged=in_order(nothing))


def _let_idle_executors_in(patch: pytest.MonkeyPatch) -> None:
    once = executors.shut_down

    def shut_down(a: Any, framework: Any, executor: Any) -> None:
        if executor.phase is ExecutorPhase.REGISTERING and executor.info is not None and not framework.terminating:
            executor.become(ExecutorPhase.RUNNING)
            info = ExecutorRegistered(executor_info=executor.info, framework_info=framework.info, agent_info=a.info)
            a.send(executor.pid, info)
        else:
            once(a, framework, executor)

    patch.setattr(executors, "shut_down", shut_down)


def _unregister_last(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(DECISIONS, SignalReceived, _leading_to(leaving.signalled, _last(UnregisterAgent)))


def _forward_before_registration(patch: pytest.MonkeyPatch) -> None:
    once = updates.forward

    def forward(a: Any, *more: Any) -> None:
        phase = a.phase
        if phase is Phase.DISCONNECTED and a.leader is not None:
            a.phase = Phase.RUNNING
        once(a, *more)
        a.phase = phase

    patch.setattr(updates, "forward", forward)


def _go_on_with_the_interval(patch: pytest.MonkeyPatch) -> None:
    def resume(a: Any) -> None:
        for key, stream in a.streams.items():
            updates.forward(a, key, stream, max(a.settings.status_update_retry_s, stream.retry_s))

    patch.setattr(updates, "resume", resume)


def _hand_over_the_newest_first(patch: pytest.MonkeyPatch) -> None:
    def reverse(effects: Effects) -> Effects:
        handed = [effect for effect in effects if isinstance(_said(effect), RunTask)]
        return [handed.pop() if isinstance(_said(effect), RunTask) else effect for effect in effects]

    patch.setitem(DECISIONS, RegisterExecutor, _leading_to(executors.register, reverse))


def _drain_with_the_first_wish(patch: pytest.MonkeyPatch) -> None:
    once = draining.told

    def told(a: Any, message: Any, sender: str, now: float) -> None:
        if agents_tasks.listens(a, sender) and a.drain not in (None, message.config):
            a.drain = message.config
            checkpoints.drain(a)
        else:
            once(a, message, sender, now)

    patch.setitem(DECISIONS, DrainAgent, told)


def _store_no_drain(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkpoints, "drain", nothing)


def _store_no_cause(patch: pytest.MonkeyPatch) -> None:
    once = checkpoints.task

    def task(a: Any, owner: Any, executor_id: Any, known: Any) -> None:
        cause, known.kill_cause = known.kill_cause, None
        once(a, owner, executor_id, known)
        known.kill_cause = cause

    patch.setattr(checkpoints, "task", task)


def _number_updates_anew(patch: pytest.MonkeyPatch) -> None:
    def loaded(a: Any, *more: Any) -> None:
        recovery.loaded(a, *more)
        for stream in a.streams.values():
            stream.first = 0

    patch.setitem(DECISIONS, Loaded, loaded)


def _answer_no_ping_when_it_goes(patch: pytest.MonkeyPatch) -> None:
    def pinged(a: Any, *more: Any) -> None:
        if a.phase is not Phase.TERMINATING:
            agents.pinged(a, *more)

    patch.setitem(DECISIONS, PingAgent, pinged)


# ------------------------------------------------------------------------------------------------------------ drivers


def _hear_any_master(patch: pytest.MonkeyPatch) -> None:
    once = SchedulerCore._on_master_message  # noqa: SLF001

    def heard(core: Any, event: Any, sender: str, now: float) -> None:
        once(core, event, core._master if core.connected else sender, now)  # noqa: SLF001

    _rebound(patch, SchedulerCore.HANDLERS, once, heard)


def _hear_before_being_connected(patch: pytest.MonkeyPatch) -> None:
    once = SchedulerCore._on_master_message  # noqa: SLF001

    def heard(core: Any, event: Any, sender: str, now: float) -> None:
        if isinstance(event, StatusUpdate) and not core.connected and core._is_leader(sender):  # noqa: SLF001
            core._callback("status_update", event.status)  # noqa: SLF001
        else:
            once(core, event, sender, now)

    _rebound(patch, SchedulerCore.HANDLERS, once, heard)


def _subscribe_for_ever(patch: pytest.MonkeyPatch) -> None:
    def goes_on(effects: Effects) -> Effects:
        return [each for each in effects if each != CancelTimer(SubscribeRetry())]

    once = SchedulerCore._subscribed  # noqa: SLF001
    _rebound(patch, SchedulerCore.HANDLERS, once, _leading_to(once, goes_on))


def _launch_into_nothing_in_silence(patch: pytest.MonkeyPatch) -> None:
    once = SchedulerCore._accept  # noqa: SLF001

    def accept(core: Any, event: Any, now: float) -> None:
        once(core, event if core.connected else evolve(event, operations=()), now)

    patch.setattr(SchedulerCore, "_accept", accept)


def _acknowledge_at_once(patch: pytest.MonkeyPatch) -> None:
    once = SchedulerCore._on_master_message  # noqa: SLF001

    def heard(core: Any, event: Any, sender: str, now: float) -> None:
        if isinstance(event, StatusUpdate) and core.connected and core.implicit_acknowledgements:
            core._acknowledge(event.status)  # noqa: SLF001
        once(core, event, sender, now)

    _rebound(patch, SchedulerCore.HANDLERS, once, heard)


MISTAKES = [
    Mistake("offers do not say when their machine goes", ("offers_say_when",), _offer_without_unavailability),
    Mistake("offers are taken back for suppression", ("offers_rescinded",), _rescind_for_suppression),
    Mistake("offers are taken back before losses are told", ("losses_before_rescinds",), _rescind_before_losses),
    Mistake(
        "inverse offers are forgotten when a driver reconnects",
        ("inverse_offers_rescinded",),
        _forget_inverse_offers_of_who_reconnects,
    ),
    Mistake("roles are served by name", ("lowest_share_first",), _serve_roles_by_name),
    Mistake(
        "old frameworks are told of operators", ("states_are_understood",), _blame_operators_before_old_frameworks
    ),
    Mistake("the latest state does not count", ("latest_state_counts",), _go_by_the_state_of_the_update),
    Mistake("a failover is announced as a return", ("returns_are_announced",), _announce_the_recovered),
    Mistake("agents are not told of schedulers", ("schedulers_are_said_at_return",), _keep_schedulers_to_itself),
    Mistake("a drain comes after the reply", ("drains_are_said_before_replies",), _drain_after_the_reply),
    Mistake(
        "a repeated registration asks nothing",
        ("repeated_registrations_are_asked",),
        _ask_nothing_when_registration_is_repeated,
    ),
    Mistake("a framework ends where it is known", ("removed_everywhere",), _end_frameworks_where_they_are_known),
    Mistake("unreachable since the news", ("unreachable_times_are_true",), _say_the_time_of_the_news),
    Mistake("an executor for every task", ("executors_are_started_once",), _start_executors_for_each_task),
    Mistake("answers run ahead of updates", ("answers_are_true",), _answer_with_the_newest_state),
    Mistake("any acknowledgement ends a task", ("ends_are_acknowledged",), _complete_for_any_acknowledgement),
    Mistake("a machine that is up stays scheduled", ("answered_is_stored",), _keep_machines_scheduled),
    Mistake("a schedule brings machines up", ("machines_stay_down",), _bring_machines_up_with_a_schedule),
    Mistake("nobody is reminded of a drain", ("drains_are_asked_again",), _remind_of_no_drain, CALM),
    Mistake("idle executors are let in", ("idle_executors_are_turned_away",), _let_idle_executors_in),
    Mistake("an agent unregisters last", ("unregisters_first",), _unregister_last),
    Mistake("updates before registration", ("updates_wait_for_registration",), _forward_before_registration),
    Mistake("retries go on with their interval", ("intervals_start_over",), _go_on_with_the_interval),
    Mistake("the newest task comes first", ("tasks_keep_their_order",), _hand_over_the_newest_first),
    Mistake(
        "the first wish of a drain stays", ("new_wishes_kill_again", "graces_are_kept"), _drain_with_the_first_wish
    ),
    Mistake("a drain is not stored by its agent", ("agents_store_what_they_are",), _store_no_drain),
    Mistake("the cause of a kill is not stored", ("agents_store_what_they_are",), _store_no_cause),
    Mistake("updates are numbered anew", ("agents_store_what_they_are",), _number_updates_anew),
    Mistake("who goes answers no ping", ("pings_are_answered",), _answer_no_ping_when_it_goes),
    Mistake("a driver hears any master", ("drivers_hear_their_leader",), _hear_any_master),
    Mistake("a driver hears before it is connected", ("drivers_hear_their_leader",), _hear_before_being_connected),
    Mistake("a connected driver subscribes", ("connected_drivers_ask_no_more",), _subscribe_for_ever),
    Mistake(
        "launches into nothing in silence", ("launches_into_nothing_are_said",), _launch_into_nothing_in_silence
    ),
    Mistake("updates are acknowledged at once", ("acknowledged_when_taken",), _acknowledge_at_once),
]
"""What is said."""
