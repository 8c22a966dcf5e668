"""The pace at which agents are given up: who gets a permit, and when (drain.md 1.8.2)."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.actors.decisions.master.membership.removal_limiter import Absence, PendingRemoval, RemovalLimiter
from mesolite.messages.ids import AgentId
from tests.effort import examples

INTERVAL_S = 1200.0


def agent(number: int, why: Absence = Absence.UNHEALTHY) -> PendingRemoval:
    return (why, AgentId(f"m1-S{number}"))


def asked(*numbers: int, interval_s: float = INTERVAL_S) -> RemovalLimiter:
    """A queue in which these wait, in this order."""
    rate = RemovalLimiter(interval_s)
    for number in numbers:
        rate.ask(agent(number))
    return rate


def test_the_first_permit_is_given_at_once_and_later_ones_an_interval_apart() -> None:
    """First come, first served; not a moment earlier."""
    rate = asked(1, 2, 3)

    assert (rate.permit(50.0), rate.permit(50.0)) == (agent(1), None)
    assert rate.due(50.0) == INTERVAL_S
    assert rate.permit(50.0 + INTERVAL_S - 0.001) is None
    assert rate.permit(50.0 + INTERVAL_S) == agent(2)
    # The third comes late for its permit: the pace is counted from when one was given.
    assert rate.permit(5000.0) == agent(3)
    rate.ask(agent(4))
    assert rate.due(5000.0) == INTERVAL_S


def test_who_comes_after_a_quiet_time_waits_for_nothing() -> None:
    """Permits that nobody wanted are not saved up either: one is given, the next has to wait."""
    rate = asked(1)
    rate.permit(0.0)
    rate.ask(agent(2))
    rate.ask(agent(3))

    assert (rate.permit(1e6), rate.permit(1e6)) == (agent(2), None)


def test_who_leaves_the_queue_takes_no_permit() -> None:
    """The next in line gets it, at the time it would have been given."""
    rate = asked(1, 2, 3)
    rate.permit(0.0)

    assert rate.cancel(agent(2))
    assert not rate.cancel(agent(2))
    assert rate.permit(INTERVAL_S) == agent(3)


def test_nobody_is_woken_for_an_empty_queue() -> None:
    """There is no next permit while nobody wants one."""
    rate = asked(1, 2)
    rate.permit(0.0)
    rate.cancel(agent(2))

    assert rate.due(0.0) is None
    assert rate.permit(INTERVAL_S) is None


def test_asking_again_does_not_lose_ones_place() -> None:
    """An agent that goes on failing its checks has asked; for another reason it asks for itself."""
    rate = asked(1, 2, 3)
    rate.permit(0.0)
    rate.ask(agent(2))
    rate.ask(agent(2, Absence.DISCONNECTED))

    permits = [rate.permit(INTERVAL_S * n) for n in range(1, 5)]

    assert permits == [agent(2), agent(3), agent(2, Absence.DISCONNECTED), None]


def test_without_a_limit_all_go_at_once() -> None:
    """That is the default (1.8.1)."""
    rate = asked(1, 2, 3, interval_s=0.0)

    assert [rate.permit(7.0) for _ in range(4)] == [agent(1), agent(2), agent(3), None]


@settings(deadline=None, derandomize=True, max_examples=examples(200))
@given(
    steps=st.lists(
        st.tuples(st.floats(0.0, 3000.0), st.sampled_from(["ask", "cancel", "permit"]), st.integers(1, 4)), max_size=40
    )
)
def test_no_two_permits_are_closer_than_the_interval(steps: list[tuple[float, str, int]]) -> None:
    """Whatever happens; each is given to the one who has waited longest, and none to one who does not wait."""
    rate, queue, given_at, now = RemovalLimiter(INTERVAL_S), [], [], 0.0
    for after_s, step, number in steps:
        now += after_s
        if step == "ask":
            rate.ask(agent(number))
            queue += [agent(number)] if agent(number) not in queue else []
        elif step == "cancel":
            assert rate.cancel(agent(number)) == (agent(number) in queue)
            queue = [waiting for waiting in queue if waiting != agent(number)]
        elif (permitted := rate.permit(now)) is not None:
            assert permitted == queue.pop(0)
            given_at.append(now)
        assert [(rate.due(now) is None), agent(number) in rate] == [not queue, agent(number) in queue]

    assert all(later - earlier >= INTERVAL_S for earlier, later in itertools.pairwise(given_at))
