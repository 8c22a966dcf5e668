"""Mistakes of drivers, and what an independent tester planted that no checker had noticed."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.agent import executors, updates
from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.allocator.filters import OfferFilters
from mesolite.actors.decisions.allocator.shares import Shares
from mesolite.actors.decisions.driver_calls import DRIVER_MOVES, DriverStatus, StopCall
from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.offers.inverse_offer_queue import InverseOfferQueue
from mesolite.actors.decisions.master.reclaim import asking
from mesolite.actors.decisions.moves import moved
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.scheduler.subscribing import Subscription
from tests.seeds.mistakes.mistake import Mistake, nothing


def _tear_down_for_a_successor(patch: pytest.MonkeyPatch) -> None:
    once = SchedulerCore._stop  # noqa: SLF001

    def stop(core: SchedulerCore, event: StopCall, *more: Any) -> None:
        once(core, evolve(event, failover=False), *more)

    patch.setitem(SchedulerCore.HANDLERS, StopCall, stop)


def _abort_in_silence(patch: pytest.MonkeyPatch) -> None:
    def abort(core: SchedulerCore) -> None:
        core.status = moved(core.status, DriverStatus.DRIVER_ABORTED, DRIVER_MOVES)
        core._stop_callbacks()  # noqa: SLF001

    patch.setattr(SchedulerCore, "_abort", abort)


def _part_in_silence(patch: pytest.MonkeyPatch) -> None:
    def part(core: SchedulerCore) -> None:
        core._now_is(Subscription.PARTING)  # noqa: SLF001
        core._meet_leader()  # noqa: SLF001

    patch.setattr(SchedulerCore, "_part", part)


def _keep_filters_of_the_revived(patch: pytest.MonkeyPatch) -> None:
    once = Allocator.revive

    def revive(allocator: Any, framework_id: Any, now: float) -> None:
        filters, allocator._filters = allocator._filters, OfferFilters()  # noqa: SLF001
        once(allocator, framework_id, now)
        allocator._filters = filters  # noqa: SLF001

    patch.setattr(Allocator, "revive", revive)


def _refuse_everything(patch: pytest.MonkeyPatch) -> None:
    def refuses(filters: Any, framework_id: Any, agent_id: Any, _offered: Any) -> bool:
        return bool(filters._filters.get(agent_id, {}).get(framework_id))  # noqa: SLF001

    patch.setattr(OfferFilters, "refuses", refuses)


def _take_zero_for_a_filter(patch: pytest.MonkeyPatch) -> None:
    once: Any = Allocator.recover

    def recover(allocator: Any, *what: Any) -> None:
        once(allocator, *(-1.0 if each == 0.0 and place == 5 else each for place, each in enumerate(what)))

    patch.setattr(Allocator, "recover", recover)


def _serve_the_richest_first(patch: pytest.MonkeyPatch) -> None:
    def in_order(shares: Any) -> Any:
        for role in shares._roles.in_order():  # noqa: SLF001
            yield from reversed(list(shares._members[role].in_order()))  # noqa: SLF001

    patch.setattr(Shares, "in_order", in_order)


def _forget_promises(patch: pytest.MonkeyPatch) -> None:
    once = asking.answered

    def answered(m: Any, inverse_offer: Any, framework: Any, status: Any, _returning: Any, *more: Any) -> None:
        once(m, inverse_offer, framework, status, (), *more)

    patch.setattr(asking, "answered", answered)


def _say_only_what_the_head_says(patch: pytest.MonkeyPatch) -> None:
    once = updates.forward

    def forward(a: Any, key: Any, stream: Any, retry_s: float) -> None:
        known = list(stream.updates)
        for _ in known[1:]:
            stream.updates.pop()
        once(a, key, stream, retry_s)
        stream.updates.extend(known[1:])

    patch.setattr(updates, "forward", forward)


def _hand_over_without_storing(patch: pytest.MonkeyPatch) -> None:
    once = executors.deliver

    def deliver(a: Any, *what: Any) -> None:
        changes = dict(a.writes.changes)
        once(a, *what)
        a.writes.changes = changes

    patch.setattr(executors, "deliver", deliver)


def _ask_again_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(InverseOfferQueue, "refuse", nothing)


def _forget_the_newest_drains(patch: pytest.MonkeyPatch) -> None:
    once = decisions.drains_to_forget

    def drains_to_forget(m: Any) -> Any:
        count = len(once(m))
        return tuple(m.past_drains)[-count:] if count else ()

    patch.setattr(decisions, "drains_to_forget", drains_to_forget)


_IDLE = ("free_is_offered", "lowest_share_first")
"""Who is passed over gets nothing, or somebody else gets it."""

MISTAKES = [
    Mistake("a driver that fails over ends its framework", ("only_stops_tear_down",), _tear_down_for_a_successor),
    Mistake("a driver aborts in silence", ("aborts_deactivate",), _abort_in_silence),
    Mistake("user code is not told that it is disconnected", ("disconnected_is_said",), _part_in_silence),
    Mistake("filters outlive a revive", _IDLE, _keep_filters_of_the_revived),
    Mistake("filters hold more than was refused", _IDLE, _refuse_everything),
    Mistake("to refuse for 0 s is a filter", _IDLE, _take_zero_for_a_filter),
    Mistake("who has most is served first", ("lowest_share_first",), _serve_the_richest_first),
    Mistake("promises to return are forgotten", ("newest_are_revoked_first",), _forget_promises),
    Mistake("the latest state is that of the head", ("latest_state_is_said",), _say_only_what_the_head_says),
    Mistake("tasks are handed over before that is stored", ("stored_before_said",), _hand_over_without_storing),
    Mistake("who has answered is asked again at once", ("refused_inverse_offers_wait",), _ask_again_at_once),
    Mistake("the newest drains are forgotten", ("oldest_drains_are_forgotten",), _forget_the_newest_drains),
]
