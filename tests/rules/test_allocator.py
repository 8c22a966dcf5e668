"""The allocator: who is granted what, and when. The numbers above each expectation recompute the shares."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import ResourceError, Resources

F1, F2, F3, F4 = (FrameworkId(f"framework{n}") for n in (1, 2, 3, 4))
A1, A2, A3, A4, A5 = (AgentId(f"agent{n}") for n in (1, 2, 3, 4, 5))
WHOLE = Resources.of("cpus:2;mem:1024")
DAY_S = 24 * 3600.0


def allocator(*frameworks: FrameworkId) -> Allocator:
    """An allocator with Mesos's settings (a run each second), at time 0, with these frameworks in one role."""
    made = Allocator(Settings.mesos())
    for framework_id in frameworks:
        made.add_framework(framework_id, "role", 0.0)
    return made


def join(allocator: Allocator, agent_id: AgentId, resources: str, now: float = 0.0) -> None:
    allocator.add_agent(agent_id, Resources.of(resources), {}, now)


def run(allocator: Allocator, now: float) -> list[str]:
    """What a run grants, as `framework agent resources`."""
    grants = allocator.run(now)
    allocator.check()
    return [f"{grant.framework_id} {grant.agent_id} {grant.resources}" for grant in grants]


def held_by(framework_id: FrameworkId) -> Allocator:
    """At time 0 a framework has just been granted agent1, which is WHOLE."""
    made = allocator(framework_id)
    join(made, A1, "cpus:2;mem:1024")
    assert run(made, 0.0) == [f"{framework_id} agent1 cpus:2;mem:1024"]
    return made


# --- who is granted what ---


@pytest.mark.scenario("HierarchicalAllocatorTest.UnreservedDRF")
def test_each_agent_goes_to_the_poorest_framework_of_the_poorest_role() -> None:
    """Shares are compared between roles first, then within the role."""
    mesos = allocator()
    mesos.add_framework(F1, "role1", 0.0)

    # The only framework gets the first agent.
    join(mesos, A1, "cpus:2;mem:1024")
    assert run(mesos, 0.0) == ["framework1 agent1 cpus:2;mem:1024"]

    # Total cpus:3;mem:1536. role1: max(2/3, 1024/1536) = .67; role2: 0.
    mesos.add_framework(F2, "role2", 0.0)
    join(mesos, A2, "cpus:1;mem:512")
    assert run(mesos, 0.0) == ["framework2 agent2 cpus:1;mem:512"]

    # Total cpus:6;mem:3584. role1: max(2/6, 1024/3584) = .33; role2: max(1/6, 512/3584) = .17.
    join(mesos, A3, "cpus:3;mem:2048")
    assert run(mesos, 0.0) == ["framework2 agent3 cpus:3;mem:2048"]

    # Total cpus:10;mem:7680. role1: max(2/10, 1024/7680) = .20, in it framework1: .20, framework3: 0;
    # role2: max(4/10, 2560/7680) = .40.
    mesos.add_framework(F3, "role1", 0.0)
    join(mesos, A4, "cpus:4;mem:4096")
    assert run(mesos, 0.0) == ["framework3 agent4 cpus:4;mem:4096"]

    # Total cpus:11;mem:8192. role1: max(6/11, 5120/8192) = .63; role2: max(4/11, 2560/8192) = .36.
    # So framework4, which has nothing, waits behind framework2, which has .36, for its role has more.
    mesos.add_framework(F4, "role1", 0.0)
    join(mesos, A5, "cpus:1;mem:512")
    assert run(mesos, 0.0) == ["framework2 agent5 cpus:1;mem:512"]

    # framework1: max(2/11, 1024/8192); framework2: max(5/11, 3072/8192); framework3: max(4/11, 4096/8192).
    assert mesos.shares() == {F1: 2 / 11, F2: 5 / 11, F3: 1 / 2, F4: 0.0}


@pytest.mark.scenario("HierarchicalAllocatorTest.SameShareFairness")
def test_equal_shares_take_turns() -> None:
    """Two frameworks that give back all they get are served five times each in ten rounds."""
    mesos = allocator(F1, F2)
    join(mesos, A1, "cpus:2;mem:1024")

    served: list[FrameworkId] = []
    for second in range(10):
        (grant,) = mesos.run(float(second))
        mesos.recover(grant.framework_id, grant.role, A1, grant.resources, float(second))
        served.append(grant.framework_id)

    # Both shares are 0 at every run; the number of grants decides.
    assert served == [F1, F2] * 5


@pytest.mark.scenario("HierarchicalAllocatorTest.RemoveSlaveRecoverResources")
def test_what_was_held_on_a_removed_agent_no_longer_counts() -> None:
    """Removing an agent is enough; nothing has to be recovered first, and what comes late is ignored."""
    mesos = allocator(F1, F2)
    join(mesos, A1, "cpus:4;mem:4096")
    join(mesos, A2, "cpus:1;mem:512")
    assert run(mesos, 0.0) == ["framework1 agent1 cpus:4;mem:4096", "framework2 agent2 cpus:1;mem:512"]

    mesos.remove_agent(A1)
    join(mesos, A3, "cpus:1;mem:512")
    mesos.recover(F1, "role", A1, Resources.of("cpus:4;mem:4096"), 0.0)

    # Total cpus:2;mem:1024. framework1: 0; framework2: max(1/2, 512/1024) = .50.
    assert run(mesos, 0.0) == ["framework1 agent3 cpus:1;mem:512"]


@pytest.mark.scenario("HierarchicalAllocatorTest.DominantShareMetrics")
def test_shares_follow_grants_declines_and_removals() -> None:
    """The share of a framework is seen as soon as it changes, and is gone with the framework."""
    mesos = Allocator(Settings.mesos())
    mesos.add_framework(F1, "role1", 0.0)
    join(mesos, A1, "cpus:1;mem:1024")

    # 1/1, then 0/1
    assert run(mesos, 0.0) == ["framework1 agent1 cpus:1;mem:1024"]
    assert mesos.shares() == {F1: 1.0}
    mesos.recover(F1, "role1", A1, Resources.of("cpus:1;mem:1024"), 0.0, refuse_s=0.0)
    assert mesos.shares() == {F1: 0.0}

    # Both roles are at 0/1, and role2 has had fewer grants.
    mesos.add_framework(F2, "role2", 0.0)
    assert run(mesos, 0.0) == ["framework2 agent1 cpus:1;mem:1024"]
    assert mesos.shares() == {F1: 0.0, F2: 1.0}

    # 1/2 each
    join(mesos, A2, "cpus:1;mem:1024")
    assert run(mesos, 0.0) == ["framework1 agent2 cpus:1;mem:1024"]
    assert mesos.shares() == {F1: 0.5, F2: 0.5}

    mesos.recover(F1, "role1", A2, Resources.of("cpus:1;mem:1024"), 0.0)
    mesos.remove_framework(F1)
    assert mesos.shares() == {F2: 0.5}


@pytest.mark.scenario("CommonSorterTest.MultipleSlaves")
def test_what_is_held_stays_apart_by_agent_and_its_scalars_add_up() -> None:
    """Identical resources on two agents, ports included, do not melt into one."""
    mesos = allocator(F1)
    join(mesos, A1, "cpus:2;mem:512;ports:[31000-32000]")
    join(mesos, A2, "cpus:2;mem:512;ports:[31000-32000]")
    join(mesos, A3, "cpus:4;mem:1024;ports:[31000-32000]")

    assert len(run(mesos, 0.0)) == 3
    mesos.recover(F1, "role", A3, Resources.of("cpus:4;mem:1024;ports:[31000-32000]"), 0.0)

    assert mesos.allocated(F1, A1) == Resources.of("cpus:2;mem:512;ports:[31000-32000]")
    assert mesos.allocated(F1, A2) == Resources.of("cpus:2;mem:512;ports:[31000-32000]")
    assert mesos.allocated(F1, A3) == Resources()
    # cpus: (2 + 2)/8, mem: (512 + 512)/2048
    assert mesos.shares() == {F1: 0.5}


@pytest.mark.parametrize(
    ("resources", "granted"),
    [
        pytest.param("cpus:0.005;mem:16", False, id="half-of-both-is-too-little"),
        pytest.param("cpus:0.01;mem:16", True, id="enough-cpus"),
        pytest.param("cpus:0.005;mem:32", True, id="enough-memory"),
        pytest.param("disk:1000;ports:[1-9]", False, id="neither-cpus-nor-memory"),
    ],
)
def test_the_least_that_is_worth_an_offer(resources: str, granted: bool) -> None:
    """An agent is granted, whole, when it has enough cpus or enough memory free (OF-13)."""
    mesos = allocator(F1)
    join(mesos, A1, resources)

    assert (mesos.next_run(0.0) is not None) is granted
    assert run(mesos, 0.0) == [f"framework1 agent1 {Resources.of(resources)}"] * granted


def test_without_a_minimum_anything_but_nothing_is_granted() -> None:
    """A minimum of zero still needs something to offer."""
    mesos = Allocator(Settings.mesos().but(min_allocatable_cpus=0.0, min_allocatable_mem=0.0))
    mesos.add_framework(F1, "role", 0.0)
    join(mesos, A1, "disk:1")
    join(mesos, A2, "")

    assert run(mesos, 0.0) == ["framework1 agent1 disk:1"]


def test_small_returns_are_granted_once_they_add_up() -> None:
    """Two parts that are each too little are offered together (OF-13)."""
    mesos = held_by(F1)

    mesos.recover(F1, "role", A1, Resources.of("mem:16"), 0.1)
    assert mesos.next_run(0.1) is None
    mesos.recover(F1, "role", A1, Resources.of("mem:16"), 0.2)
    assert run(mesos, 1.0) == ["framework1 agent1 mem:32"]


def test_agents_are_visited_in_the_order_they_were_added_and_grants_stand_together() -> None:
    """One run's grants are grouped by framework, whoever comes first first (OF-10, OF-15)."""
    mesos = allocator(F2, F1)
    for agent_id in (A3, A1, A4, A2):
        join(mesos, agent_id, "cpus:1;mem:32")

    # All equal: by turns, framework1 first for its name. Each grant counts for the next agent.
    assert run(mesos, 0.0) == [
        "framework1 agent3 cpus:1;mem:32",
        "framework1 agent4 cpus:1;mem:32",
        "framework2 agent1 cpus:1;mem:32",
        "framework2 agent2 cpus:1;mem:32",
    ]


def test_what_an_unknown_framework_uses_is_neither_granted_nor_forgotten() -> None:
    """An agent may come back before its framework does, which is charged when it comes."""
    mesos = allocator(F1)
    mesos.add_agent(A1, Resources.of("cpus:4;mem:128"), {F2: Resources.of("cpus:3;mem:32")}, 0.0)

    assert run(mesos, 0.0) == ["framework1 agent1 cpus:1;mem:96"]
    assert mesos.shares() == {F1: 0.75}

    # Total cpus:8;mem:256. framework1: max(1/8, 96/256) = .375; framework2: max(3/8, 32/256) = .375, by name.
    # Then framework1: max(3/8, 160/256) = .625.
    mesos.add_framework(F2, "role", 0.0)
    assert mesos.shares() == {F1: 0.75, F2: 0.75}
    join(mesos, A2, "cpus:2;mem:64")
    join(mesos, A3, "cpus:2;mem:64")
    assert run(mesos, 0.0) == ["framework1 agent2 cpus:2;mem:64", "framework2 agent3 cpus:2;mem:64"]


def test_a_deactivated_agent_is_not_granted_and_what_is_held_there_counts() -> None:
    """Deactivation stops grants at once; the agent is part of the cluster still (OF-7)."""
    mesos = held_by(F1)
    mesos.deactivate_agent(A1)
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 0.0)

    assert mesos.next_run(0.0) is None
    assert run(mesos, 5.0) == []
    # framework1 holds max(1/2, 512/1024) still.
    assert mesos.shares() == {F1: 0.5}

    # Coming back causes no run of its own (OF-4).
    mesos.activate_agent(A1, 5.5)
    assert mesos.next_run(5.5) == 6.0
    assert run(mesos, 6.0) == ["framework1 agent1 cpus:1;mem:512"]


def test_an_agent_added_inactive_is_not_granted() -> None:
    """An agent that is draining when it comes back gets no offers."""
    mesos = allocator(F1)
    mesos.add_agent(A1, WHOLE, {}, 0.0, active=False)

    assert mesos.next_run(0.0) is None
    assert run(mesos, 0.0) == []
    assert mesos.free(A1) == WHOLE


def test_a_role_is_forgotten_with_its_last_framework() -> None:
    """Whoever uses the name again starts without grants, as anybody new does (OF-23)."""
    mesos = allocator(F1)
    mesos.add_framework(F2, "other", 0.0)
    join(mesos, A1, "cpus:2;mem:1024")
    for second, taker in enumerate([F2, F1, F2, F1]):
        assert run(mesos, float(second)) == [f"{taker} agent1 cpus:2;mem:1024"]
        mesos.recover(taker, mesos.role(taker), A1, WHOLE, float(second))

    mesos.remove_framework(F1)
    mesos.add_framework(F3, "role", 4.0)

    # Both roles are at 0. Had the new one the old one's two grants, other would go first by its name.
    assert run(mesos, 4.0) == ["framework3 agent1 cpus:2;mem:1024"]


def test_what_a_framework_gives_back_before_it_is_known_leaves_no_filter() -> None:
    """Filters are for frameworks that are there; one that comes is asked about everything."""
    mesos = allocator()
    mesos.add_agent(A1, WHOLE, {F1: WHOLE}, 0.0)
    mesos.recover(F1, "role", A1, WHOLE, 0.0, refuse_s=DAY_S)

    mesos.add_framework(F1, "role", 0.1)

    assert run(mesos, 0.1) == ["framework1 agent1 cpus:2;mem:1024"]


# --- when ---


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


# --- mistakes in the accounts ---


def test_recovering_more_than_is_held_is_an_error_and_changes_nothing() -> None:
    """Nobody can give back twice, or what another holds."""
    mesos = held_by(F1)
    before = repr(vars(mesos))

    with pytest.raises(ResourceError):
        mesos.recover(F1, "role", A1, Resources.of("cpus:3"), 0.0)
    with pytest.raises(ResourceError):
        mesos.recover(F2, "role", A1, Resources.of("cpus:1"), 0.0)

    assert repr(vars(mesos)) == before


def test_an_agent_that_uses_more_than_it_has_is_an_error_and_is_not_added() -> None:
    """An agent cannot come back with more in use than there is."""
    mesos = allocator(F1)
    before = repr(vars(mesos))

    with pytest.raises(ResourceError):
        mesos.add_agent(A1, WHOLE, {F1: Resources.of("cpus:1"), F2: Resources.of("cpus:2")}, 0.0)

    assert repr(vars(mesos)) == before


def test_a_framework_that_holds_something_cannot_be_removed() -> None:
    """The master recovers all of it first."""
    mesos = held_by(F1)

    with pytest.raises(AssertionError):
        mesos.remove_framework(F1)

    mesos.recover(F1, "role", A1, WHOLE, 0.0)
    mesos.remove_framework(F1)
    mesos.check()


def test_a_copy_goes_its_own_way() -> None:
    """What-if: a deep copy decides like the original and leaves it untouched."""
    mesos = allocator(F1, F2)
    join(mesos, A1, "cpus:2;mem:1024")
    join(mesos, A2, "cpus:2;mem:1024")
    twin = copy.deepcopy(mesos)

    granted = run(twin, 0.0)
    twin.remove_agent(A1)
    twin.check()

    assert mesos.free(A1) == WHOLE
    assert run(mesos, 0.0) == granted


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
