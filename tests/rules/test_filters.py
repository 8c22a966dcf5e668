"""Filters: what they block, and when they go."""

from __future__ import annotations

import math
import pickle

import pytest

from mesolite.actors.decisions.allocator.filters import OfferFilters, lasting_s
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources

F1, F2 = FrameworkId("f1"), FrameworkId("f2")
A1, A2 = AgentId("a1"), AgentId("a2")
SMALL, LARGE = Resources.of("cpus:2;mem:64"), Resources.of("cpus:4;mem:64")
DAY_S = 24 * 3600.0


@pytest.mark.parametrize(
    ("refuse_s", "lasts_s"),
    [
        pytest.param(0.1, 0.1, id="a-fraction"),
        pytest.param(365 * DAY_S, 365 * DAY_S, id="a-year"),
        pytest.param(366 * DAY_S, 365 * DAY_S, id="more-than-a-year-is-a-year"),
        pytest.param(math.inf, 365 * DAY_S, id="for-ever-is-a-year"),
        pytest.param(-1.0, 5.0, id="negative-is-the-default"),
        pytest.param(math.nan, 5.0, id="not-a-number-is-the-default"),
    ],
)
def test_how_long_a_refusal_lasts(refuse_s: float, lasts_s: float) -> None:
    """What schedulers may write is brought into range (OF-46)."""
    assert lasting_s(refuse_s) == lasts_s


@pytest.mark.parametrize(
    ("offered", "refused"),
    [
        pytest.param("cpus:2;mem:64", True, id="the-same-is-blocked"),
        pytest.param("cpus:1;mem:64", True, id="less-is-blocked"),
        pytest.param("cpus:2.001;mem:64", False, id="more-passes"),
        pytest.param("cpus:1;gpus:1", False, id="something-else-passes"),
    ],
)
def test_a_filter_blocks_what_it_contains(offered: str, refused: bool) -> None:
    """Only what is contained in the refused resources is blocked, for that framework on that agent (OF-48)."""
    refusals = OfferFilters()
    refusals.add(F1, A1, SMALL, until=5.0)

    assert refusals.refuses(F1, A1, Resources.of(offered)) is refused
    assert not refusals.refuses(F2, A1, Resources.of(offered))
    assert not refusals.refuses(F1, A2, Resources.of(offered))


def test_of_several_filters_any_one_blocks() -> None:
    """Filters of one framework on one agent stand side by side and expire one by one (OF-49)."""
    refusals = OfferFilters()
    refusals.add(F1, A1, SMALL, until=9.0)
    refusals.add(F1, A1, LARGE, until=5.0)

    assert refusals.refuses(F1, A1, LARGE)
    assert refusals.next_expiry() == 5.0
    assert refusals.expire(5.0) == [A1]
    assert not refusals.refuses(F1, A1, LARGE)
    assert refusals.refuses(F1, A1, SMALL)
    assert refusals.expire(9.0) == [A1]
    assert not refusals.refuses(F1, A1, SMALL)
    assert refusals.next_expiry() is None


def test_filters_go_with_the_framework_and_with_the_agent() -> None:
    """What is forgotten neither blocks nor expires; the others' filters stand (OF-50)."""
    refusals = OfferFilters()
    refusals.add(F1, A1, SMALL, until=1.0)
    refusals.add(F1, A2, SMALL, until=2.0)
    refusals.add(F2, A1, SMALL, until=3.0)
    refusals.add(F2, A2, SMALL, until=4.0)

    refusals.forget_framework(F1)
    refusals.forget_agent(A1)

    standing = [(f, a) for f in (F1, F2) for a in (A1, A2) if refusals.refuses(f, a, SMALL)]
    assert standing == [(F2, A2)]
    assert refusals.next_expiry() == 4.0
    assert refusals.expire(9.0) == [A2]


def test_filters_expire_in_order_however_many_went_before_their_time() -> None:
    """What is left after others were forgotten still goes exactly when it should."""
    refusals = OfferFilters()
    agents = [AgentId(f"a{n}") for n in range(3000)]
    for n, agent_id in enumerate(agents):
        # The expiries 0 to 2999, well mixed; two in three are forgotten half way.
        refusals.add(F1 if n % 3 == 0 else F2, agent_id, SMALL, until=n * 1237 % 3000)
        if n == 1500:
            refusals.forget_framework(F2)
    refusals.forget_framework(F2)

    expired = [agent_id for now in range(3000) for agent_id in refusals.expire(now)]

    kept = [n for n in range(3000) if n % 3 == 0]
    assert expired == [agents[n] for n in sorted(kept, key=lambda n: n * 1237 % 3000)]


def test_filters_that_went_early_do_not_pile_up() -> None:
    """A framework that refuses for a year and revives every second does not fill the memory in a year."""
    refusals = OfferFilters()
    refusals.add(F2, A2, SMALL, until=1.0)

    for _ in range(10_000):
        refusals.add(F1, A1, SMALL, until=365 * DAY_S)
        refusals.forget_framework(F1)

    assert len(pickle.dumps(refusals)) < 100_000
    assert refusals.expire(1.0) == [A2]
