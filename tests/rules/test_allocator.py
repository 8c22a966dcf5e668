"""The allocator: who is granted what, and when. The numbers above each expectation recompute the shares."""

from __future__ import annotations

import copy

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import FrameworkId
from mesolite.messages.resources import ResourceError, Resources
from tests.rules.allocators import A1, A2, A3, A4, A5, DAY_S, F1, F2, F3, F4, WHOLE, allocator, held_by, join, run

# --- who is granted what ---


@pytest.mark.scenario("HierarchicalAllocatorTest.UnreservedDRF")
def test_each_agent_goes_to_the_poorest_framework_of_the_poorest_role() -> None:
    """Shares are compared between roles first, then within the role (OF-8)."""
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
    """An agent is granted, whole, when it has enough cpus or enough memory free (OF-9, OF-13)."""
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
