"""Dominant shares, and the order of clients by them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.actors.decisions.allocator.sorter import Ranking, Totals, dominant_share
from mesolite.messages.resources import Resources


def ranking(total: str, *names: str) -> Ranking[str]:
    """Competing clients that hold nothing yet, in a cluster of these resources."""
    totals = Totals()
    totals.add(Resources.of(total))
    clients: Ranking[str] = Ranking(totals)
    for name in names:
        clients.add(name)
        clients.enter(name)
    return clients


def order(clients: Ranking[str]) -> str:
    return " ".join(clients.in_order())


@pytest.mark.parametrize(
    ("allocated", "total", "share"),
    [
        # max(2/10, 1024/4096) = max(0.2, 0.25)
        pytest.param("cpus:2;mem:1024", "cpus:10;mem:4096", 0.25, id="the-largest-part-counts"),
        pytest.param("", "cpus:10", 0.0, id="who-holds-nothing-has-no-share"),
        # max(1/10), though all of the ports and of the zones are held
        pytest.param("cpus:1;ports:[1-9];zones:{a}", "cpus:10;ports:[1-9];zones:{a}", 0.1, id="only-scalars-count"),
        # max(1/10); there is no total to divide gpus by
        pytest.param("cpus:1;gpus:4", "cpus:10", 0.1, id="what-the-cluster-has-not-does-not-count"),
        # 0.1/0.3 in floats would be 0.33333333333333337, one rounding away from 1/3
        pytest.param("cpus:0.1", "cpus:0.3", 1 / 3, id="thousandths-divide-exactly"),
    ],
)
def test_dominant_share(allocated: str, total: str, share: float) -> None:
    """The share is the largest part held of any scalar the cluster has (OF-17, OF-19)."""
    assert dominant_share(Resources.of(allocated).scalars, Resources.of(total).scalars) == share


def test_clients_stand_in_order_of_their_shares_through_every_change() -> None:
    """Charges, refunds, changed totals, clients that withdraw, return and go: the order is always by share."""
    clients = ranking("cpus:100;mem:100", "a", "b")

    # a: max(5, 5)/100 = .05, b: max(6, 6)/100 = .06
    clients.charge("a", Resources.of("cpus:5;mem:5"))
    clients.charge("b", Resources.of("cpus:6;mem:6"))
    assert order(clients) == "a b"

    # c: max(1, 0)/100 = .01; d has nothing
    for name in ("c", "d"):
        clients.add(name)
        clients.enter(name)
    clients.charge("c", Resources.of("cpus:1"))
    assert order(clients) == "d c a b"

    # a has max(5, 45)/100 = .45, and c max(1, 20)/100 = .20
    clients.charge("a", Resources.of("mem:40"))
    clients.charge("c", Resources.of("mem:20"))
    assert order(clients) == "d b c a"

    # a: max(5, 5)/100 = .05 again
    clients.refund("a", Resources.of("mem:40"))
    assert order(clients) == "d a b c"

    # withdrawn, b still holds its .06 and stands by that when it returns (OF-22)
    clients.withdraw("b")
    assert order(clients) == "d a c"
    assert clients.share("b") == 0.06
    clients.enter("b")
    assert order(clients) == "d a b c"

    # twice the mem: a: max(5/100, 5/200) = .05, b: .06, c: max(1/100, 20/200) = .10
    # then four times the cpus: a: max(5/400, 5/200) = .025, b: .03, c: .10
    clients.charge("d", Resources.of("cpus:7"))
    clients.totals.add(Resources.of("mem:100"))
    assert order(clients) == "a b d c"  # d: 7/100 = .07
    clients.totals.add(Resources.of("cpus:300"))
    assert order(clients) == "d a b c"  # d: 7/400 = .0175
    clients.totals.remove(Resources.of("cpus:300"))
    assert order(clients) == "a b d c"  # d: 7/100 = .07
    clients.totals.add(Resources.of("cpus:300"))

    clients.refund("d", Resources.of("cpus:7"))
    clients.remove("d")
    assert order(clients) == "a b c"
    clients.check({"a": {"cpus": 5_000, "mem": 5_000}, "b": {"cpus": 6_000, "mem": 6_000}, "c": C_HOLDS})


C_HOLDS = {"cpus": 1_000, "mem": 20_000}


def test_ties_go_to_who_had_fewer_grants_and_then_to_the_smaller_name() -> None:
    """At equal shares the number of grants decides, and at equal numbers the name (OF-17)."""
    clients = ranking("cpus:10", "c", "b", "a")

    # all at 0/10, without a grant
    assert order(clients) == "a b c"

    # all at 2/10; a got it in two grants
    clients.charge("a", Resources.of("cpus:1"))
    clients.charge("a", Resources.of("cpus:1"))
    clients.charge("b", Resources.of("cpus:2"))
    clients.charge("c", Resources.of("cpus:2"))
    assert order(clients) == "b c a"

    # all at 0/10 again; grants are not forgotten when they are given back
    for name in ("a", "b", "c"):
        clients.refund(name, Resources.of("cpus:2"))
    assert order(clients) == "b c a"


@pytest.mark.scenario("DRFSorterTest.SplitResourceShares")
def test_what_is_held_in_several_parts_is_summed() -> None:
    """Two disks of 5 weigh more than one of 9."""
    clients = ranking("disk:100", "a", "b")

    clients.charge("a", Resources.of("disk:9"))
    clients.charge("b", Resources.of("disk:5"))
    clients.charge("b", Resources.of("disk:5"))

    # a: 9/100 = .09, b: (5 + 5)/100 = .10
    assert order(clients) == "a b"


def test_a_client_that_holds_something_cannot_be_removed() -> None:
    """Whoever removes a client without refunding it has a mistake in the accounts."""
    clients = ranking("cpus:10", "a")
    clients.charge("a", Resources.of("cpus:1"))

    with pytest.raises(AssertionError):
        clients.remove("a")


def test_more_than_was_charged_cannot_be_refunded() -> None:
    """Whoever refunds more than was charged has a mistake in the accounts."""
    clients = ranking("cpus:10", "a")
    clients.charge("a", Resources.of("cpus:1"))

    with pytest.raises(AssertionError):
        clients.refund("a", Resources.of("cpus:2"))


@settings(deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["charge", "refund", "enter", "withdraw", "grow", "look"]),
            st.sampled_from("abcde"),
            st.integers(min_value=1, max_value=7),
        )
    )
)
def test_the_order_is_that_of_sorting_everybody_anew(steps: list[tuple[str, str, int]]) -> None:
    """However it was kept up to date, the order equals one sorted from scratch."""
    clients = ranking("cpus:7;mem:7", *"abcde")
    held = dict.fromkeys("abcde", 0)
    grants = dict.fromkeys("abcde", 0)
    competing = set("abcde")
    total = 7

    for step, name, amount in steps:
        resources = Resources.of({"cpus": amount})
        if step == "charge":
            clients.charge(name, resources)
            held[name] += amount
            grants[name] += 1
        elif step == "refund" and held[name] >= amount:
            clients.refund(name, resources)
            held[name] -= amount
        elif step == "enter":
            clients.enter(name)
            competing.add(name)
        elif step == "withdraw":
            clients.withdraw(name)
            competing.discard(name)
        elif step == "grow":
            clients.totals.add(resources)
            total += amount
        elif step == "look":
            order(clients)

    anew = sorted(competing, key=lambda name: (held[name] / total, grants[name], name))
    assert list(clients.in_order()) == anew
    clients.check({name: {"cpus": 1000 * amount} if amount else {} for name, amount in held.items()})
