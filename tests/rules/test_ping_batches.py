"""Who is pinged together (drain.md 1.4.1): every agent at its interval, and few timers for many agents."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.actors.decisions.master.membership.ping_batches import BATCH_SIZE, MOMENTS_PER_INTERVAL, PingBatches
from mesolite.messages.ids import AgentId
from tests.effort import examples

INTERVAL_S = 15.0
MOMENT_S = INTERVAL_S / MOMENTS_PER_INTERVAL


def agent(number: int) -> AgentId:
    return AgentId(f"m1-S{number}")


def test_who_comes_within_a_moment_joins_and_who_comes_later_begins_a_round() -> None:
    """The moment counts from when the round was last pinged, not from the last who joined."""
    rounds = PingBatches(INTERVAL_S)

    assert rounds.join(agent(1), 0.0) == 1
    assert rounds.join(agent(2), 0.9 * MOMENT_S) is None
    assert rounds.join(agent(3), 1.1 * MOMENT_S) == 2
    assert rounds.due(1, INTERVAL_S) == (agent(1), agent(2))
    assert rounds.join(agent(4), INTERVAL_S) is None
    assert rounds.due(1, 2 * INTERVAL_S) == (agent(1), agent(2), agent(4))
    assert rounds.due(2, 2 * INTERVAL_S + 1.1 * MOMENT_S) == (agent(3),)


def test_a_full_round_takes_nobody_in() -> None:
    """So that not everybody is spoken to at once."""
    rounds = PingBatches(INTERVAL_S)
    began = [rounds.join(agent(number), 0.0) for number in range(2 * BATCH_SIZE + 1)]

    assert [number for number in began if number is not None] == [1, 2, 3]
    assert len(rounds.due(1, INTERVAL_S)) == len(rounds.due(2, INTERVAL_S)) == BATCH_SIZE


def test_a_round_is_over_when_its_last_agent_leaves() -> None:
    """Its timer is needed no more, and nobody joins it."""
    rounds = PingBatches(INTERVAL_S)
    rounds.join(agent(1), 0.0)
    rounds.join(agent(2), 0.0)

    assert rounds.leave(agent(1)) is None
    assert rounds.leave(agent(2)) == 1
    assert rounds.join(agent(1), 0.0) == 2
    with pytest.raises(KeyError):
        rounds.due(1, INTERVAL_S)


Steps = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "wait"]), st.integers(0, 200), st.floats(0.0, INTERVAL_S)),
    max_size=300,
)


@settings(max_examples=examples(150), deadline=None)
@given(steps=Steps)
def test_everybody_is_pinged_at_its_interval_whoever_comes_and_goes(steps: list[tuple[str, int, float]]) -> None:
    """The first interval may be shorter by a moment, never longer; all others are whole."""
    rounds = PingBatches(INTERVAL_S)
    timers: dict[int, float] = {}
    pinged: dict[AgentId, list[float]] = {}
    now = 0.0
    for verb, number, seconds in steps:
        if verb == "join" and agent(number) not in pinged:
            begun = rounds.join(agent(number), now)
            pinged[agent(number)] = [now]
            if begun is not None:
                timers[begun] = now + INTERVAL_S
        elif verb == "leave" and agent(number) in pinged:
            ended = rounds.leave(agent(number))
            del pinged[agent(number)]
            if ended is not None:
                del timers[ended]
        elif verb == "wait":
            until = now + seconds
            while timers and min(timers.values()) <= until:
                due = min(timers, key=timers.__getitem__)
                now = timers[due]
                for member in rounds.due(due, now):
                    pinged[member].append(now)
                timers[due] = now + INTERVAL_S
            now = until
        rounds.check()
    for times in pinged.values():
        assert now - times[-1] <= INTERVAL_S + 1e-6
        for place, (earlier, later) in enumerate(itertools.pairwise(times)):
            shorter_by = INTERVAL_S - (later - earlier)
            assert -1e-6 <= shorter_by <= (MOMENT_S if place == 0 else 0.0) + 1e-6
