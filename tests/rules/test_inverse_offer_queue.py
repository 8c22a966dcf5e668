"""Who is to be asked for resources back, and when: the rule below the master's inverse offers."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.master.offers.inverse_offer_queue import InverseOfferQueue
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources

A1, A2 = AgentId("a1"), AgentId("a2")
F1, F2, F3 = FrameworkId("f1"), FrameworkId("f2"), FrameworkId("f3")
DAY = 24 * 3600.0


def asking() -> InverseOfferQueue:
    return InverseOfferQueue(1.0)


def test_nothing_to_look_at_is_nothing_to_wait_for() -> None:
    """An idle cluster costs nothing: no run is due."""
    quiet = asking()

    assert quiet.next_run(5.0) is None
    assert quiet.run(5.0) == []


def test_what_happens_now_is_looked_at_now() -> None:
    """Agents that must be looked at are due at once, each once, in the order in which they came up."""
    due = asking()
    due.add(A2, 5.0)
    due.add(A1, 5.0)
    due.add(A2, 5.0)

    assert due.next_run(5.0) == 5.0
    assert due.run(5.0) == [A2, A1]
    assert due.next_run(5.0) is None


def test_what_can_wait_waits_for_the_grid() -> None:
    """The grid is the previous run plus whole intervals, so nobody is asked twice within one (5.6.2)."""
    due = asking()
    due.add(A1, 5.0)
    due.run(5.0)

    due.add_soon(A1, 5.0)
    assert due.next_run(5.0) == 6.0
    assert due.run(5.9) == []
    assert due.run(6.0) == [A1]
    due.add_soon(A1, 8.3)
    assert due.next_run(8.3) == 9.0
    due.add(A2, 8.3)
    assert due.run(8.3) == [A1, A2]


def test_only_those_are_asked_that_hold_something_and_are_not_asked_already() -> None:
    """One outstanding inverse offer per framework and agent, and none while a filter stands (5.6.1)."""
    due = asking()
    due.refuse(F2, A1, 10.0, now=0.0)

    assert due.to_ask(A1, [F1, F2, F3], asked=[F3]) == [F1]
    assert due.to_ask(A2, [F1, F2, F3], asked=[]) == [F1, F2, F3]
    assert due.to_ask(A2, [], asked=[]) == []


@pytest.mark.parametrize(
    ("refuse_s", "lasts_s"),
    [(5.0, 5.0), (7.25, 7.25), (-1.0, 5.0), (float("nan"), 5.0), (366 * DAY, 365 * DAY), (float("inf"), 365 * DAY)],
)
def test_a_filter_lasts_as_long_as_it_says_within_reason(refuse_s: float, lasts_s: float) -> None:
    """Negative means 5 s, above 365 days means 365 days; when it ends, its agent is looked at (5.7.4, 5.7.5)."""
    due = asking()
    due.refuse(F1, A1, refuse_s, now=100.0)

    assert due.refuses(F1, A1)
    assert due.next_run(100.0) == 100.0 + lasts_s
    assert due.run(100.0 + lasts_s - 0.01) == []
    assert due.run(100.0 + lasts_s) == [A1]
    assert not due.refuses(F1, A1)


def test_zero_is_no_filter() -> None:
    """A framework that refuses for 0 s is asked with the next run (5.7.4)."""
    due = asking()
    due.refuse(F1, A1, 0.0, now=0.0)

    assert not due.refuses(F1, A1)
    assert due.next_run(0.0) is None


def test_a_framework_that_revives_may_be_asked_about_every_agent_again() -> None:
    """Its filters go, for all agents, and where they stood is looked at; those of others stay (5.7.6)."""
    due = asking()
    for framework, agent in ((F1, A1), (F1, A2), (F2, A1)):
        due.refuse(framework, agent, 100.0, now=0.0)

    due.forget_framework(F1, 1.0)

    assert due.run(1.0) == [A1, A2]
    assert [due.refuses(F1, A1), due.refuses(F1, A2), due.refuses(F2, A1)] == [False, False, True]


def test_filters_on_an_agent_go_with_it() -> None:
    """They go when it leaves and when its unavailability changes; nothing is waited for any more (5.2.6)."""
    due = asking()
    due.refuse(F1, A1, 100.0, now=0.0)
    due.refuse(F1, A2, 200.0, now=0.0)

    due.forget_agent(A1)

    assert not due.refuses(F1, A1)
    assert due.next_run(0.0) == 200.0


@pytest.mark.scenario("HierarchicalAllocatorTest.AddAgentWithUnknownFrameworkAndMaintenance")
def test_an_agent_full_of_an_unknown_framework_does_no_harm() -> None:
    """Who holds what there is known; the other agent goes to the known framework, which is then asked about it."""
    allocator, due = Allocator(Settings()), asking()
    full, empty = Resources.of("cpus:2;mem:1024"), Resources.of("cpus:1;mem:512")
    allocator.add_agent(A1, full, {F1: full}, 0.0)
    due.add(A1, 0.0)
    allocator.add_framework(F2, "*", 0.0)
    allocator.add_agent(A2, empty, {}, 0.0)

    (grant,) = allocator.run(0.0)
    due.add(A2, 0.0)

    assert (grant.framework_id, grant.agent_id, grant.resources) == (F2, A2, empty)
    assert due.run(0.0) == [A1, A2]
    assert due.to_ask(A2, allocator.holders(A2), asked=[]) == [F2]
    assert due.to_ask(A1, allocator.holders(A1), asked=[]) == [F1]
