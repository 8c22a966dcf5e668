"""The allocator: when a run is due, and what it costs (core.md OF-2 to OF-4)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId
from mesolite.messages.resources import Resources
from tests.rules.allocators import A1, A2, DAY_S, F1, F2, WHOLE, allocator, held_by, join, run


def test_what_was_returned_waits_for_the_grid() -> None:
    """Recovering causes no run; the next is whole intervals after the previous one (OF-2, OF-4)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.3)

    assert mesos.next_run(0.3) == 1.0
    assert run(mesos, 0.9) == []
    assert run(mesos, 1.0) == ["framework1 agent1 cpus:2;mem:1024"]
    assert mesos.next_run(1.0) is None

    mesos.recover(F1, "role", A1, WHOLE, 7.5)
    assert mesos.next_run(7.5) == 8.0


def test_a_run_that_is_late_stays_due() -> None:
    """Whoever asks again after the time has passed is told to run now, not an interval later."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.3)

    assert mesos.next_run(1.7) == 1.7
    assert run(mesos, 1.7) == ["framework1 agent1 cpus:2;mem:1024"]


def test_a_timer_that_fires_a_rounding_error_early_finds_the_run_due() -> None:
    """Otherwise a virtual clock would set that timer again for the same instant for ever."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=5.0)
    assert run(mesos, 1.0) == []

    due = mesos.next_run(1.0)

    assert due == 5.0
    assert run(mesos, 5.0 - 1e-9) == ["framework1 agent1 cpus:2;mem:1024"]


def test_a_time_on_the_grid_is_not_put_off_by_rounding() -> None:
    """(0.14 - 0.1) / 0.02 is more than 2 in floats, and still the second run after the one at 0.1 is meant."""
    mesos = Allocator(Settings.mesos().but(allocation_interval_s=0.02))
    mesos.add_framework(F1, "role", 0.1)
    join(mesos, A1, "cpus:2;mem:1024", now=0.1)
    assert run(mesos, 0.1) == ["framework1 agent1 cpus:2;mem:1024"]

    mesos.recover(F1, "role", A1, WHOLE, 0.14)

    assert mesos.next_run(0.14) == pytest.approx(0.14)


def test_a_return_does_not_put_off_a_run_that_is_due() -> None:
    """Several causes make one run, at the earliest of their times (OF-5)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 0.1)
    mesos.add_framework(F2, "role", 0.2)
    mesos.recover(F1, "role", A1, Resources.of("mem:256"), 0.2)

    # framework1 has max(1/2, 256/1024) = .50, framework2 nothing.
    assert mesos.next_run(0.2) == 0.2
    assert run(mesos, 0.2) == ["framework2 agent1 cpus:1;mem:768"]
    assert mesos.next_run(0.2) is None


@pytest.mark.scenario("MasterAllocatorTest.ResourcesUnused")
def test_a_new_framework_is_granted_what_another_left_unused_at_once() -> None:
    """Adding a framework runs over all that is free, without waiting for the interval (OF-3)."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 0.1, refuse_s=5.0)

    mesos.add_framework(F2, "role", 0.2)

    assert mesos.next_run(0.2) == 0.2
    assert run(mesos, 0.2) == ["framework2 agent1 cpus:1;mem:512"]


@pytest.mark.scenario("MasterAllocatorTest.FrameworkExited")
def test_what_a_framework_that_left_gives_back_goes_to_another_after_an_interval() -> None:
    """All of it, together with what was free before; the other's own task keeps its share."""
    mesos = held_by_two()

    # What framework1's task used comes back when framework1 stops.
    mesos.recover(F1, "role", A1, Resources.of("cpus:2;mem:512"), 0.5)
    mesos.remove_framework(F1)

    assert run(mesos, 1.0) == ["framework2 agent1 cpus:2;mem:768"]
    assert mesos.allocated(F2, A1) == Resources.of("cpus:3;mem:1024")


def held_by_two() -> Allocator:
    """At time 0 an agent of 3 cpus runs a task of framework1, of 2 cpus, and one of framework2, of 1."""
    used = {F1: Resources.of("cpus:2;mem:512"), F2: Resources.of("cpus:1;mem:256")}
    mesos = allocator(F1, F2)
    mesos.add_agent(A1, Resources.of("cpus:3;mem:1024"), used, 0.0)
    # framework1: max(2/3, 512/1024) = .67; framework2: max(1/3, 256/1024) = .33, which refuses.
    assert run(mesos, 0.0) == ["framework2 agent1 mem:256"]
    mesos.recover(F2, "role", A1, Resources.of("mem:256"), 0.0, refuse_s=5.0)
    mesos.suppress(F1)
    return mesos


@pytest.mark.scenario("MasterAllocatorTest.SlaveAdded")
def test_one_run_grants_the_rest_of_one_agent_and_the_whole_of_another() -> None:
    """What was filtered for a moment comes in one batch with an agent that registered since."""
    mesos = allocator(F1)
    join(mesos, A1, "cpus:3;mem:1024")
    assert run(mesos, 0.0) == ["framework1 agent1 cpus:3;mem:1024"]

    # A task takes cpus:2;mem:512, the rest is refused for 0.1 s, which counts as one interval.
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 0.2, refuse_s=0.1)
    join(mesos, A2, "cpus:4;mem:2048", now=1.3)

    grants = mesos.run(1.3)
    assert [grant.agent_id for grant in grants] == [A1, A2]
    assert Resources.sum(grant.resources for grant in grants) == Resources.of("cpus:5;mem:2560")


def test_a_run_without_candidates_does_nothing_and_changes_nothing() -> None:
    """An idle cluster costs nothing: no run is wanted, and one that is made all the same leaves no mark."""
    mesos = held_by(F1)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=10 * DAY_S)
    assert run(mesos, 1.0) == []
    before = repr(vars(mesos))

    assert mesos.next_run(1.0) == 10 * DAY_S
    assert run(mesos, 9 * DAY_S) == []

    assert repr(vars(mesos)) == before


def test_a_run_visits_only_agents_for_which_something_changed() -> None:
    """Agents that everybody refused cost nothing when another one is offered, be they one or three hundred."""
    few, many = with_refused_agents(1), with_refused_agents(300)

    assert calls_made(lambda: few.run(2.5)) == calls_made(lambda: many.run(2.5))


def with_refused_agents(count: int) -> Allocator:
    """The sole framework refused that many agents; at 2.5 another one joined."""
    mesos = allocator(F1)
    for n in range(count):
        join(mesos, AgentId(f"refused{n}"), "cpus:2;mem:1024")
    for grant in mesos.run(0.0):
        mesos.recover(F1, "role", grant.agent_id, grant.resources, 0.0, refuse_s=DAY_S)
    assert run(mesos, 1.0) == []
    join(mesos, A1, "cpus:2;mem:1024", now=2.5)
    return mesos


def calls_made(action: Callable[[], object]) -> int:
    """How many calls our own code makes and gets: a measure of work that is the same on every machine."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call") and frame.f_globals["__name__"].startswith("mesolite."):
            calls.append(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(note)
    action()
    sys.setprofile(before)
    return len(calls)


def test_nobody_to_serve_means_no_run() -> None:
    """Free agents wait without any timer until somebody wants them."""
    mesos = allocator()
    join(mesos, A1, "cpus:2;mem:1024")
    assert mesos.next_run(0.0) is None
    mesos.add_framework(F1, "role", 3.0, suppressed=True)
    assert mesos.next_run(3.0) is None
    assert run(mesos, 3.0) == []

    mesos.revive(F1, 8.0)

    assert mesos.next_run(8.0) == 8.0
    assert run(mesos, 8.0) == ["framework1 agent1 cpus:2;mem:1024"]
