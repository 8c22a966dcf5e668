"""The allocator: what is refused, suppressed or withheld, and how long (core.md OF-44 to OF-52, docs/reclaim.md)."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.resources import Resources
from tests.rules.allocators import A1, A2, DAY_S, F1, F2, F3, WHOLE, allocator, held_by, join, run

# --- refusing ---


@pytest.mark.parametrize(
    ("refuse_s", "again_at"),
    [
        pytest.param(None, 1.0, id="returned-without-a-filter"),
        pytest.param(0.0, 1.0, id="zero-is-no-filter"),
        pytest.param(0.1, 2.0, id="the-shortest-filter-outlasts-one-run"),
        pytest.param(1.0, 2.0, id="and-so-does-a-filter-of-one-interval"),
        pytest.param(1.5, 2.0, id="the-first-run-after-the-filter-has-gone"),
        pytest.param(2.0, 2.0, id="a-filter-that-goes-when-a-run-is-due"),
        pytest.param(5.0, 5.0, id="the-default"),
        pytest.param(-1.0, 5.0, id="negative-is-the-default"),
        pytest.param(400 * DAY_S, 365 * DAY_S, id="at-most-a-year"),
    ],
)
def test_when_a_sole_framework_is_granted_again_what_it_declined(refuse_s: float | None, again_at: float) -> None:
    """The filter decides how long; nothing is due in between, once the others have been asked (OF-46, OF-47)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s)

    first = mesos.next_run(0.0)
    granted_first = run(mesos, 1.0)
    then = mesos.next_run(1.0)

    assert first == 1.0
    assert (1.0 if granted_first else then) == again_at
    assert granted_first or run(mesos, again_at) == ["framework1 agent1 cpus:2;mem:1024"]


def test_a_declined_agent_is_offered_to_the_next_in_line() -> None:
    """A filter concerns one framework; the others are asked at the next run."""
    mesos = held_by(F1)
    mesos.add_framework(F2, "other", 0.0)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=5.0)

    # role: 0, one grant; other: 0, none.
    assert run(mesos, 1.0) == ["framework2 agent1 cpus:2;mem:1024"]

    # Both refuse until 5.0 and 6.0; the first whose filter goes gets it, though both had one grant and are at 0.
    mesos.recover(F2, "other", A1, WHOLE, 1.0, refuse_s=5.0)
    assert run(mesos, 2.0) == []
    assert mesos.next_run(2.0) == 5.0
    assert run(mesos, 5.0) == ["framework1 agent1 cpus:2;mem:1024"]


def test_a_filter_that_expires_is_heeded_by_a_run_for_another_cause() -> None:
    """Whatever causes a run, filters whose time is over do not count in it."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=1.2)
    assert run(mesos, 1.0) == []

    join(mesos, A2, "cpus:1;mem:32", now=1.3)

    # framework1 is at 0 and alone.
    assert run(mesos, 1.3) == ["framework1 agent1 cpus:2;mem:1024", "framework1 agent2 cpus:1;mem:32"]


def test_more_than_was_refused_is_granted_at_the_next_run() -> None:
    """The filter of an accepted offer's rest does not hold back that rest and what a task gives back (OF-48)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 0.0, refuse_s=DAY_S)
    assert run(mesos, 1.0) == []

    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 1.5)

    assert run(mesos, 2.0) == ["framework1 agent1 cpus:2;mem:1024"]


def test_two_runs_within_a_filter_of_two_intervals() -> None:
    """Nothing after one interval, the whole agent after two: Mesos's OfferFilter, without its gauge."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=2.0)

    assert run(mesos, 1.0) == []
    assert run(mesos, 2.0) == ["framework1 agent1 cpus:2;mem:1024"]


@pytest.mark.scenario("HierarchicalAllocatorTest.ReviveOffers")
def test_reviving_forgets_filters_and_runs_at_once() -> None:
    """A framework that changed its mind need not wait for its filters (OF-50, OF-52)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=1000.0)
    assert run(mesos, 1.0) == []

    mesos.revive(F1, 1.2)

    assert mesos.next_run(1.2) == 1.2
    assert run(mesos, 1.2) == ["framework1 agent1 cpus:2;mem:1024"]
    assert mesos.next_run(1.2) is None


@pytest.mark.scenario("HierarchicalAllocatorTest.SuppressAndReviveOffers")
def test_a_suppressed_framework_is_granted_nothing_until_it_revives() -> None:
    """Suppressing is about new grants only; reviving when nothing is suppressed does no harm."""
    mesos = held_by(F1)
    mesos.revive(F1, 0.0)
    assert run(mesos, 0.0) == []

    mesos.recover(F1, "role", A1, WHOLE, 0.0)
    mesos.suppress(F1)
    assert mesos.next_run(0.0) is None
    assert run(mesos, 1.0) == []

    mesos.revive(F1, 1.0)
    assert run(mesos, 1.0) == ["framework1 agent1 cpus:2;mem:1024"]


def test_a_suppressed_framework_keeps_its_place_and_its_filters() -> None:
    """What it holds counts against its role meanwhile (OF-22)."""
    mesos = Allocator(Settings.mesos())
    mesos.add_framework(F1, "role1", 0.0)
    join(mesos, A1, "cpus:2;mem:64")
    assert run(mesos, 0.0) == ["framework1 agent1 cpus:2;mem:64"]
    mesos.suppress(F1)
    mesos.add_framework(F2, "role1", 0.0)
    mesos.add_framework(F3, "role2", 0.0)

    join(mesos, A2, "cpus:1;mem:32")

    # Total cpus:3;mem:96. role1: max(2/3, 64/96) = .67, framework2 in it: 0; role2: 0.
    assert run(mesos, 0.0) == ["framework3 agent2 cpus:1;mem:32"]


def test_a_deactivated_framework_is_granted_nothing_and_loses_its_filters() -> None:
    """When it is back it is asked anew, whatever it had refused (OF-50)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=DAY_S)
    mesos.deactivate_framework(F1)
    assert mesos.next_run(0.0) is None
    assert run(mesos, 1.0) == []

    mesos.activate_framework(F1, "role", 3.5)

    assert mesos.next_run(3.5) == 3.5
    assert run(mesos, 3.5) == ["framework1 agent1 cpus:2;mem:1024"]


def test_a_framework_may_come_back_suppressed() -> None:
    """The driver presents the suppressed roles whenever it subscribes (OF-53)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0)
    mesos.deactivate_framework(F1)

    mesos.activate_framework(F1, "role", 3.0, suppressed=True)

    assert mesos.next_run(3.0) is None


def test_an_agent_that_comes_back_under_its_id_is_not_refused_any_more() -> None:
    """Filters go with the agent (OF-50)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=DAY_S)
    mesos.remove_agent(A1)
    assert mesos.next_run(0.0) is None

    mesos.add_agent(A1, WHOLE, {}, 0.5)

    assert run(mesos, 0.5) == ["framework1 agent1 cpus:2;mem:1024"]


# --- what is withheld, and who is blocked (docs/reclaim.md) ---


def test_what_is_withheld_is_not_granted_and_the_rest_is() -> None:
    """Scalars are kept back as far as they are free; what the operator did not name goes with the rest (RV-6)."""
    mesos = allocator(F1)
    mesos.add_agent(A1, Resources.of("cpus:4;mem:1024;ports:[1-9]"), {}, 0.0)
    mesos.withhold(A1, Resources.of("cpus:3"), 0.0)

    assert run(mesos, 0.0) == ["framework1 agent1 cpus:1;mem:1024;ports:[1-9]"]
    assert mesos.free(A1) == Resources.of("cpus:3")


def test_of_an_agent_of_which_everything_is_withheld_nothing_is_granted() -> None:
    """Neither scalars nor ranges, and the agent is no reason for a run (RV-6)."""
    mesos = allocator(F1)
    mesos.add_agent(A1, Resources.of("cpus:4;ports:[1-9]"), {}, 0.0)
    mesos.withhold(A1, None, 0.0)

    assert mesos.next_run(0.0) is None
    assert run(mesos, 0.0) == []


def test_more_may_be_withheld_than_is_free_and_what_comes_back_is_kept() -> None:
    """Until the amount is there nothing of it is granted; what comes back beyond it is (RV-6)."""
    mesos = allocator(F1)
    mesos.add_agent(A1, Resources.of("cpus:4"), {F1: Resources.of("cpus:4")}, 0.0)
    mesos.withhold(A1, Resources.of("cpus:2"), 0.0)

    mesos.recover(F1, "role", A1, Resources.of("cpus:1"), 0.0)
    assert mesos.next_run(0.0) is None
    mesos.recover(F1, "role", A1, Resources.of("cpus:2"), 0.0)

    assert run(mesos, 1.0) == ["framework1 agent1 cpus:1"]
    assert mesos.free(A1) == Resources.of("cpus:2")


def test_what_is_no_longer_withheld_is_granted_with_the_next_run_on_the_grid() -> None:
    """Withholding nothing, or less, lets the rest go (RV-6, OF-4)."""
    mesos = allocator(F1)
    join(mesos, A1, "cpus:2;mem:1024")
    mesos.withhold(A1, Resources.of("cpus:2;mem:1024"), 0.0)
    assert run(mesos, 0.0) == []

    mesos.withhold(A1, Resources.of("cpus:1"), 0.0)
    assert run(mesos, 1.0) == ["framework1 agent1 cpus:1;mem:1024"]
    mesos.withhold(A1, Resources(), 1.5)
    assert mesos.next_run(1.5) == 2.0

    assert run(mesos, 2.0) == ["framework1 agent1 cpus:1"]


def test_what_is_withheld_stays_so_while_the_agent_is_not_active() -> None:
    """Deactivating and activating an agent change nothing about it (RV-6, RV-51)."""
    mesos = allocator(F1)
    join(mesos, A1, "cpus:2;mem:1024")
    mesos.withhold(A1, Resources.of("cpus:1"), 0.0)
    mesos.deactivate_agent(A1)
    mesos.activate_agent(A1, 0.0)

    assert run(mesos, 0.0) == ["framework1 agent1 cpus:1;mem:1024"]


def test_withholding_the_same_again_is_no_reason_for_a_run() -> None:
    """An agent that everybody refuses is not visited again for it."""
    mesos = allocator(F1)
    join(mesos, A1, "cpus:2;mem:1024")
    mesos.withhold(A1, Resources.of("cpus:1"), 0.0)
    assert run(mesos, 0.0) == ["framework1 agent1 cpus:1;mem:1024"]
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:1024"), 0.0, 100.0)
    assert run(mesos, 1.0) == []
    due = mesos.next_run(1.0)

    mesos.withhold(A1, Resources.of("cpus:1"), 1.0)

    assert mesos.next_run(1.0) == due


def test_a_framework_that_returns_in_another_role_competes_there_with_what_it_holds() -> None:
    """What it holds counts for the new role alone, its filters are gone; an empty role goes (differs from FW-25)."""
    mesos = held_by(F1)
    mesos.add_framework(F2, "other", 0.0)
    mesos.add_framework(F3, "role", 0.0)
    mesos.deactivate_framework(F1)
    mesos.activate_framework(F1, "other", 1.0)

    # role: 0, other: 2/3
    join(mesos, A2, "cpus:1;mem:64")
    assert run(mesos, 1.0) == ["framework3 agent2 cpus:1;mem:64"]
    mesos.remove_agent(A2)
    mesos.suppress(F2)
    mesos.suppress(F3)
    mesos.recover(F1, "other", A1, WHOLE, 1.0, refuse_s=DAY_S)
    mesos.activate_framework(F1, "alone", 2.0)

    assert run(mesos, 2.0) == ["framework1 agent1 cpus:2;mem:1024"]
    assert (mesos.role(F1), mesos.shares()[F1]) == ("alone", 1.0)
    mesos.recover(F1, "alone", A1, WHOLE, 2.0)
    mesos.remove_framework(F1)
    mesos.check()


def test_a_barred_framework_gets_nothing_until_it_is_unblocked() -> None:
    """Whatever it or its link does meanwhile; others get what is there, and its share still counts (RV-7)."""
    mesos = held_by(F1)
    mesos.block(F1)
    join(mesos, A2, "cpus:1;mem:64")
    mesos.revive(F1, 0.0)
    mesos.deactivate_framework(F1)
    mesos.activate_framework(F1, "role", 0.0)

    assert run(mesos, 0.0) == []
    assert mesos.next_run(0.0) is None
    assert mesos.scalars(F1) == {"cpus": 2000, "mem": 1024000}
    mesos.unblock(F1, 0.5)

    assert mesos.next_run(0.5) == 0.5
    assert run(mesos, 0.5) == ["framework1 agent2 cpus:1;mem:64"]
