"""The allocator is told that an agent has other facts, or that somebody holds something there already (OF-3, OF-50)."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import ResourceError, Resources

F1, F2 = FrameworkId("framework1"), FrameworkId("framework2")
A1, A2 = AgentId("agent1"), AgentId("agent2")
WHOLE = Resources.of("cpus:2;mem:1024")
DAY_S = 24 * 3600.0


def refused_by_f1(resources: str = "cpus:2;mem:1024") -> Allocator:
    """At time 0 framework1 was granted agent1, and refused it for a day."""
    made = Allocator(Settings.mesos())
    made.add_framework(F1, "role", 0.0)
    made.add_agent(A1, Resources.of(resources), {}, 0.0)
    assert run(made, 0.0) == [f"{F1} {A1} {resources}"]
    made.recover(F1, "role", A1, Resources.of(resources), 0.0, DAY_S)
    assert run(made, 1.0) == []
    return made


def run(allocator: Allocator, now: float) -> list[str]:
    """What a run grants, as `framework agent resources`."""
    grants = allocator.run(now)
    allocator.check()
    return [f"{grant.framework_id} {grant.agent_id} {grant.resources}" for grant in grants]


@pytest.mark.parametrize("resources", ["cpus:2;mem:1024", "cpus:1;mem:1024", "cpus:4;mem:1024", "cpus:2;gpus:1"])
def test_other_facts_end_the_filters_on_an_agent(resources: str) -> None:
    """Whether its resources changed or not, it is granted at once (OF-3, OF-50)."""
    mesos = refused_by_f1()

    mesos.update_agent(A1, Resources.of(resources), 10.5)

    assert mesos.next_run(10.5) == 10.5
    assert run(mesos, 10.5) == [f"{F1} {A1} {resources}"]


def test_filters_on_other_agents_stand() -> None:
    """Nobody else is concerned (OF-50)."""
    mesos = refused_by_f1()
    mesos.add_agent(A2, WHOLE, {}, 2.0)
    assert run(mesos, 2.0) == [f"{F1} {A2} {WHOLE}"]
    mesos.recover(F1, "role", A2, WHOLE, 2.0, DAY_S)
    run(mesos, 3.0)

    mesos.update_agent(A1, WHOLE, 10.0)

    assert run(mesos, 10.0) == [f"{F1} {A1} {WHOLE}"]


def test_what_is_held_is_taken_from_the_new_total() -> None:
    """The rest is granted; shares are of the new total."""
    mesos = Allocator(Settings.mesos())
    mesos.add_framework(F1, "role", 0.0)
    mesos.add_agent(A1, WHOLE, {F2: Resources.of("cpus:1;mem:512")}, 0.0)
    mesos.add_framework(F2, "role", 0.0)
    assert run(mesos, 0.0) == [f"{F1} {A1} cpus:1;mem:512"]
    assert mesos.shares() == {F1: 0.5, F2: 0.5}

    mesos.update_agent(A1, Resources.of("cpus:4;mem:2048"), 1.0)

    assert mesos.free(A1) == Resources.of("cpus:2;mem:1024")
    assert mesos.shares() == {F1: 0.25, F2: 0.25}
    assert run(mesos, 1.0) == [f"{F1} {A1} cpus:2;mem:1024"]


def test_less_than_is_held_is_refused_and_changes_nothing() -> None:
    """Nothing is ever missing in the books."""
    mesos = Allocator(Settings.mesos())
    mesos.add_agent(A1, WHOLE, {F2: WHOLE}, 0.0)

    with pytest.raises(ResourceError):
        mesos.update_agent(A1, Resources.of("cpus:1;mem:1024"), 1.0)

    mesos.check()
    assert mesos.allocated(F2, A1) == WHOLE


@pytest.mark.parametrize("active", [True, False])
def test_an_agent_that_has_nothing_worth_an_offer_is_not_visited(active: bool) -> None:
    """Nor is one that must not be offered (OF-13)."""
    mesos = refused_by_f1()
    if not active:
        mesos.deactivate_agent(A1)

    mesos.update_agent(A1, Resources.of("disk:1") if active else WHOLE, 10.0)

    assert run(mesos, 10.0) == []
    assert mesos.next_run(10.0) is None or active


def test_what_somebody_turns_out_to_hold_is_not_granted() -> None:
    """It counts for its share, too, and is recovered as anything else (OF-18)."""
    mesos = refused_by_f1()
    mesos.add_framework(F2, "role", 10.0)

    mesos.charge(F1, A1, Resources.of("cpus:1;mem:512"))

    assert run(mesos, 10.0) == [f"{F2} {A1} cpus:1;mem:512"]
    assert mesos.shares()[F1] == 0.5
    mesos.recover(F1, "role", A1, Resources.of("cpus:1;mem:512"), 11.0)
    mesos.check()


@pytest.mark.parametrize("resources", ["cpus:2;mem:1024", "cpus:3"])
def test_only_what_is_free_can_turn_out_to_be_held(resources: str) -> None:
    """All of it, too; then there is nothing to grant."""
    mesos = refused_by_f1()
    wanted = Resources.of(resources)
    if WHOLE.contains(wanted):
        mesos.charge(F2, A1, wanted)
        assert run(mesos, 2 * DAY_S) == []
    else:
        with pytest.raises(ResourceError):
            mesos.charge(F2, A1, wanted)
    mesos.check()
