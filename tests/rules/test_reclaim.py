"""Who is asked for how much, who is revoked: tables, and what must hold of any plan (docs/reclaim.md RV-10, RV-30)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.actors.decisions.master.reclaim.rule import (
    Amounts,
    Asked,
    Holder,
    amount_error,
    is_within,
    plan,
    resources_of,
    shares,
    shortfall,
    time_error,
    total,
)
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.resources import Resources
from tests.effort import examples

A1 = AgentId("m1-S1")
F1, F2, F3 = (FrameworkId(f"m1-F{n}") for n in (1, 2, 3))


def amounts(text: str) -> dict[str, int]:
    return dict(Resources.of(text).scalars)


def task(
    name: str, resources: str, *, of: FrameworkId = F1, at: float = 0.0, on: str = "", ending: bool = False
) -> Holder:
    return Holder(
        framework_id=of,
        agent_id=A1,
        task_id=TaskId(name),
        executor_id=ExecutorId(on) if on else None,
        amounts=amounts(resources),
        launched_at=at,
        ending=ending,
    )


def executor(name: str, resources: str, *, of: FrameworkId = F1) -> Holder:
    return Holder(framework_id=of, agent_id=A1, executor_id=ExecutorId(name), amounts=amounts(resources))


def names(holders: list[Holder]) -> list[str]:
    """Tasks by id, executors in brackets."""
    return [str(holder.task_id) if holder.task_id is not None else f"[{holder.executor_id}]" for holder in holders]


def asked(**excess: str) -> dict[FrameworkId, Asked]:
    """For `F1="cpus:1"`, in the order of the shares."""
    ids = {"F1": F1, "F2": F2, "F3": F3}
    return {ids[name]: Asked(excess=amounts(text)) for name, text in excess.items()}


ONES = [task("t1", "cpus:1", at=1.0), task("t2", "cpus:1", at=2.0), task("t3", "cpus:1", at=3.0)]

PLANS: dict[str, tuple[list[Holder], str, dict[FrameworkId, Asked], list[str]]] = {
    "the newest goes first": (ONES, "cpus:1", asked(F1="cpus:3"), ["t3"]),
    "as many as are needed": (ONES, "cpus:1.5", asked(F1="cpus:3"), ["t3", "t2"]),
    "of one launch the later in the books goes first": (
        [task("t1", "cpus:1"), task("t2", "cpus:1")],
        "cpus:1",
        asked(F1="cpus:2"),
        ["t2"],
    ),
    "what is being killed goes first, however old": (
        [evolve(ONES[0], ending=True), *ONES[1:]],
        "cpus:2",
        asked(F1="cpus:3"),
        ["t1", "t3"],
    ),
    "even beyond what its framework has to give": (
        [task("a1", "cpus:1", ending=True), task("a2", "cpus:1", ending=True), task("b", "cpus:1", of=F2)],
        "cpus:2",
        asked(F1="cpus:1", F2="cpus:1"),
        ["a2", "a1"],
    ),
    "the promised ones go next, in the order of the promise": (
        ONES,
        "cpus:2",
        {F1: Asked(excess=amounts("cpus:3"), returning=(TaskId("t1"), TaskId("t2")))},
        ["t1", "t2"],
    ),
    "a promise of what is not there counts for nothing": (
        ONES,
        "cpus:1",
        {F1: Asked(excess=amounts("cpus:3"), returning=(TaskId("t9"),))},
        ["t3"],
    ),
    "frameworks come in the order of their shares, not of their tasks": (
        [task("a", "cpus:1", at=9.0), task("b", "cpus:1", of=F2, at=1.0)],
        "cpus:1",
        asked(F2="cpus:1", F1="cpus:1"),
        ["b"],
    ),
    "nobody is taken below what it may keep if another can give": (
        [task("a1", "cpus:1"), task("a2", "cpus:1"), task("b", "cpus:1", of=F2)],
        "cpus:2",
        asked(F1="cpus:1", F2="cpus:1"),
        ["a2", "b"],
    ),
    "no more is needed than the asked ones hold beyond what they may keep": (
        ONES,
        "cpus:3",
        asked(F1="cpus:1"),
        ["t3"],
    ),
    "what contributes nothing is passed over": (
        [task("t1", "cpus:1"), task("t2", "mem:64", at=2.0)],
        "cpus:1",
        asked(F1="cpus:1;mem:64"),
        ["t1"],
    ),
    "what turns out needless is spared": (
        [task("t1", "cpus:4", at=1.0), task("t2", "cpus:1", at=2.0)],
        "cpus:3",
        asked(F1="cpus:5"),
        ["t1"],
    ),
    "each resource has to be covered": (
        [task("t1", "mem:64", at=1.0), task("t2", "cpus:1", at=2.0), task("t3", "cpus:1", at=3.0)],
        "cpus:1;mem:10",
        asked(F1="cpus:2;mem:64"),
        ["t3", "t1"],
    ),
    "an idle executor goes before any task": (
        [executor("e", "cpus:1"), *ONES],
        "cpus:1",
        asked(F1="cpus:4"),
        ["[e]"],
    ),
    "but not if the tasks cover the need without it": (
        [executor("e", "cpus:0.1"), *ONES],
        "cpus:1",
        asked(F1="cpus:3.1"),
        ["t3"],
    ),
    "an executor stays with one of its tasks": (
        [executor("e", "cpus:1"), task("t1", "cpus:1", at=1.0, on="e"), task("t2", "cpus:1", at=2.0, on="e")],
        "cpus:2",
        asked(F1="cpus:3"),
        ["t2", "t1"],
    ),
    "and goes with the last of them": (
        [executor("e", "cpus:1"), task("t1", "cpus:1", at=1.0, on="e"), task("t2", "cpus:1", at=2.0)],
        "cpus:3",
        asked(F1="cpus:3"),
        ["t2", "t1", "[e]"],
    ),
    "if need be with tasks that hold nothing that is needed": (
        [
            executor("e1", "cpus:1"),
            executor("e2", "cpus:1"),
            task("t1", "mem:64", at=1.0, on="e1"),
            task("t2", "mem:64", at=2.0, on="e2"),
            task("t3", "mem:64", at=3.0, on="e2"),
        ],
        "cpus:1",
        asked(F1="cpus:2;mem:192"),
        ["t3", "t2", "[e2]"],
    ),
    "a task that is being killed does not hold its executor": (
        [executor("e", "cpus:1"), task("t1", "mem:64", on="e", ending=True), *ONES],
        "cpus:1",
        asked(F1="cpus:4"),
        ["[e]"],
    ),
    "everything is every task and every executor, even those that hold nothing": (
        [executor("e", ""), task("t1", "cpus:1", on="e"), task("t2", "cpus:1", of=F2)],
        "everything",
        asked(F1=""),
        ["t1", "[e]"],
    ),
    "nobody asked, nobody revoked": (ONES, "cpus:1", {}, []),
}


@pytest.mark.parametrize(("holders", "missing", "of", "revoked"), PLANS.values(), ids=PLANS)
def test_what_is_revoked(
    holders: list[Holder], missing: str, of: dict[FrameworkId, Asked], revoked: list[str]
) -> None:
    """The plan of the deadline (RV-31 to RV-35)."""
    assert names(plan(holders, None if missing == "everything" else amounts(missing), of)) == revoked


SHARES: dict[str, tuple[list[Holder], str, dict[FrameworkId, str]]] = {
    "whoever has the newest task is asked": (
        [*ONES, task("b", "cpus:1", of=F2, at=2.5)],
        "cpus:2",
        {F1: "cpus:1", F2: "cpus:1"},
    ),
    "whoever would lose nothing is not asked": ([*ONES, task("b", "cpus:1", of=F2)], "cpus:1", {F1: "cpus:1"}),
    "nobody is asked for more than is missing": ([task("t1", "cpus:4;mem:64")], "cpus:1", {F1: "cpus:1"}),
    "an executor is part of its framework's share": (
        [executor("e", "cpus:1"), task("t1", "cpus:1", on="e")],
        "cpus:2",
        {F1: "cpus:2"},
    ),
    "for everything each is asked for all it holds": (
        [executor("e", "cpus:1"), task("t1", "cpus:1;mem:64", on="e"), task("b", "mem:32", of=F2)],
        "everything",
        {F1: "cpus:2;mem:64", F2: "mem:32"},
    ),
    "even for nothing": ([executor("e", "")], "everything", {F1: ""}),
    "nothing missing, nobody asked": (ONES, "", {}),
}


@pytest.mark.parametrize(("holders", "missing", "expected"), SHARES.values(), ids=SHARES)
def test_who_is_asked(holders: list[Holder], missing: str, expected: dict[FrameworkId, str]) -> None:
    """Each framework's part of what would be revoked now (RV-10, RV-11)."""
    made = shares(holders, None if missing == "everything" else amounts(missing))

    assert {framework_id: str(resources_of(share)) for framework_id, share in made.items()} == expected


def test_amounts_become_resources_exactly() -> None:
    """Thousandths are not rounded on the way, and nothing at all is nothing."""
    assert resources_of({"cpus": 1, "mem": 1_000_000_007, "disk": 0}) == Resources.of("cpus:0.001;mem:1000000.007")
    assert resources_of({}) == Resources()


REFUSED = {
    "nothing": (
        "",
        "nothing was to be reclaimed of agent m1-S1; name an amount such as cpus:1, or none for everything",
    ),
    "no scalar": (
        "cpus:1;ports:[1-2];zones:{a}",
        "cpus:1;ports:[1-2];zones:{a} was to be reclaimed of agent m1-S1, but ports, zones is no amount; only scalars "
        "such as cpus and mem can be reclaimed",
    ),
    "more than is there": (
        "cpus:5;mem:1;gpus:1",
        "cpus:5;mem:1;gpus:1 was to be reclaimed of agent m1-S1, which has only cpus:4; gpus:0; ask for that at most, "
        "or none for everything",
    ),
}


@pytest.mark.parametrize(("wanted", "refusal"), REFUSED.values(), ids=REFUSED)
def test_amounts_that_cannot_be_reclaimed(wanted: str, refusal: str) -> None:
    """The refusal says what was asked, why not, and what would work (RV-70)."""
    assert amount_error(Resources.of(wanted), Resources.of("cpus:4;mem:64"), "agent m1-S1", "has") == refusal


@pytest.mark.parametrize("wanted", [None, Resources.of("cpus:4;mem:64"), Resources.of("cpus:0.001")])
def test_amounts_that_can_be_reclaimed(wanted: Resources | None) -> None:
    """All there is, a part of it, and everything."""
    assert amount_error(wanted, Resources.of("cpus:4;mem:64"), "agent m1-S1", "has") == ""


@pytest.mark.parametrize("within_s", [-1, -0.001, math.nan, math.inf, -math.inf, None, "60"])
def test_times_that_cannot_be(within_s: object) -> None:
    """In the past, or no number of seconds (RV-70)."""
    assert "give seconds, 0 or more" in time_error(within_s)


@pytest.mark.parametrize("within_s", [0, 0.0, 60, 1e12])
def test_times_that_can_be(within_s: float) -> None:
    """At once, and as late as anybody likes."""
    assert time_error(within_s) == ""


WINDOWS = {
    "advice": (False, None, []),
    "for ever": (True, None, [5.0, 7.99, 8.0, 1e9]),
    "for a while": (True, 3.0, [5.0, 7.99]),
    "for no time": (True, 0.0, []),
}


@pytest.mark.parametrize(("enforce", "duration_s", "within"), WINDOWS.values(), ids=WINDOWS)
def test_when_a_window_is_enforced(enforce: bool, duration_s: float | None, within: list[float]) -> None:
    """From its start to its end; a timer that fires a rounding error early fires in time (RV-61)."""
    away = Unavailability(start=5.0, duration_s=duration_s)
    window = Window(machines=("a",), unavailability=away, enforce=enforce)

    assert [time for time in (0.0, 4.99, 5.0, 7.99, 8.0, 1e9) if is_within(window, time)] == within
    assert is_within(window, 5.0 - 1e-9) == (5.0 in within)
    assert is_within(window, 8.0 - 1e-9) == (8.0 in within)


# --- of any plan ---

FRAMEWORKS = (F1, F2, F3)
EXECUTORS = ("", "e1", "e2")
AMOUNT = st.dictionaries(st.sampled_from(["cpus", "mem"]), st.integers(1, 5), max_size=2)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Holder], dict[str, int], dict[FrameworkId, Asked]]:
    """Tasks and executors, what is missing, and who is asked for what of what it really holds."""
    holders: list[Holder] = []
    for number in range(draw(st.integers(0, 8))):
        owner, on = draw(st.sampled_from(FRAMEWORKS)), draw(st.sampled_from(EXECUTORS))
        at, ending = draw(st.sampled_from([0.0, 1.0, 2.0])), draw(st.booleans())
        one = task(f"t{number}", "", of=owner, at=at, on=on, ending=ending)
        holders.append(evolve(one, amounts=draw(AMOUNT)))
    used = {holder.executor: holder for holder in holders if holder.executor is not None}
    holders += [
        evolve(executor(str(holder.executor_id), "", of=holder.framework_id), amounts=draw(AMOUNT))
        for holder in used.values()
    ]
    if draw(st.booleans()):
        holders.append(evolve(executor("idle", ""), amounts=draw(AMOUNT)))
    missing = draw(st.dictionaries(st.sampled_from(["cpus", "mem", "gpus"]), st.integers(1, 30), min_size=1))
    of: dict[FrameworkId, Asked] = {}
    for framework_id in draw(st.permutations(FRAMEWORKS))[: draw(st.integers(0, 3))]:
        held = total(holder.amounts for holder in holders if holder.framework_id == framework_id)
        keep = {name: draw(st.integers(0, amount)) for name, amount in held.items()}
        ids = [f"t{number}" for number in range(8)]
        promised = draw(st.lists(st.sampled_from(ids), unique=True, max_size=3))
        of[framework_id] = Asked(excess=shortfall(held, keep), returning=tuple(map(TaskId, promised)))
    return holders, missing, of


def need_of(missing: Mapping[str, int], of: Mapping[FrameworkId, Asked]) -> dict[str, int]:
    beyond = total(each.excess for each in of.values())
    return {name: min(amount, beyond.get(name, 0)) for name, amount in missing.items()}


def covers(chosen: list[Holder], need: Amounts) -> bool:
    return shortfall(need, total(holder.amounts for holder in chosen)) == {}


ANY = settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)


@ANY
@given(situations())
def test_any_plan_covers_the_need(situation: tuple[list[Holder], dict[str, int], dict[FrameworkId, Asked]]) -> None:
    """What is missing, as far as the asked ones hold it beyond what they may keep (RV-31)."""
    holders, missing, of = situation

    assert covers(plan(holders, missing, of), need_of(missing, of))


@ANY
@given(situations())
def test_nothing_in_a_plan_can_be_spared(
    situation: tuple[list[Holder], dict[str, int], dict[FrameworkId, Asked]],
) -> None:
    """Without any one of it, and the executor that would have to stay for it, the rest is not enough (RV-33)."""
    holders, missing, of = situation
    chosen = plan(holders, missing, of)

    for spared in chosen:
        its_executor = spared.executor if spared.task_id is not None else None
        rest = [
            holder
            for holder in chosen
            if holder is not spared and not (holder.task_id is None and holder.executor == its_executor)
        ]
        assert not covers(rest, need_of(missing, of)), (names(chosen), names([spared]))


@ANY
@given(situations())
def test_a_plan_is_of_those_asked_only_and_takes_executors_whole(
    situation: tuple[list[Holder], dict[str, int], dict[FrameworkId, Asked]],
) -> None:
    """Nobody else is touched, nobody goes twice, and no task stays on an executor that goes (RV-11, RV-34)."""
    holders, missing, of = situation
    chosen = plan(holders, missing, of)

    assert all(holder.framework_id in of for holder in chosen)
    assert len(dict.fromkeys(chosen)) == len(chosen)
    gone = [holder.executor for holder in chosen if holder.task_id is None]
    tasks = [holder for holder in holders if holder.task_id is not None]
    staying = [holder for holder in tasks if not holder.ending and holder not in chosen]
    assert [holder for holder in staying if holder.executor in gone] == []


@ANY
@given(situations())
def test_shares_are_together_what_is_missing(
    situation: tuple[list[Holder], dict[str, int], dict[FrameworkId, Asked]],
) -> None:
    """Nobody is asked for more than it holds, and nobody for nothing (RV-10)."""
    holders, missing, _ = situation
    held = total(holder.amounts for holder in holders)
    there = {name: min(amount, held[name]) for name, amount in missing.items() if name in held}
    made = shares(holders, there)

    assert total(made.values()) == there
    for framework_id, share in made.items():
        own = total(holder.amounts for holder in holders if holder.framework_id == framework_id)
        assert share
        assert shortfall(share, own) == {}


@ANY
@given(situations())
def test_what_was_revoked_covers_the_need_when_the_plan_is_made_anew(
    situation: tuple[list[Holder], dict[str, int], dict[FrameworkId, Asked]],
) -> None:
    """A task that was spared is not revoked only because time has passed, whatever has ended meanwhile (RV-37)."""
    holders, missing, of = situation
    chosen = plan(holders, missing, of)
    told = [evolve(holder, ending=holder.ending or holder in chosen) for holder in holders]

    again = plan(told, missing, of)

    at_first = {str(holder.task_id) for holder in chosen if holder.task_id is not None}
    living = [holder for holder in again if holder.task_id is not None and str(holder.task_id) not in at_first]
    assert [holder for holder in living if not holder.ending] == []


@ANY
@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=8), st.integers(1, 8), st.data())
def test_equal_tasks_go_strictly_in_order(launched: list[float], need: int, data: st.DataObject) -> None:
    """The promised ones as promised, then the newest, of one time the later in the books (RV-32)."""
    holders = [task(f"t{place}", "cpus:1", at=at) for place, at in enumerate(launched)]
    promised = data.draw(st.lists(st.sampled_from(holders), unique=True))
    returning = tuple(holder.task_id for holder in promised if holder.task_id is not None)
    others = [holder for holder in reversed(holders) if holder not in promised]
    newest_first = sorted(others, key=lambda holder: -holder.launched_at)

    chosen = plan(
        holders,
        {"cpus": need * 1000},
        {F1: Asked(excess={"cpus": len(holders) * 1000}, returning=returning)},
    )

    assert names(chosen) == names([*promised, *newest_first][:need])
