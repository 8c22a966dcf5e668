"""The allocator in rows of Mesos's own tests: the order of branches, the even split, who is asked after a refusal."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources

A, B, C, D = (FrameworkId(name) for name in "abcd")
A1, A2, A3, A4, A5, A6, REST = (AgentId(name) for name in ("a1", "a2", "a3", "a4", "a5", "a6", "rest"))
DAY_S = 24 * 3600.0


def allocator(roles: dict[FrameworkId, str]) -> Allocator:
    """An allocator with Mesos's settings (a run each second), at time 0, with these frameworks in these roles."""
    made = Allocator(Settings.mesos())
    for framework_id, role in roles.items():
        made.add_framework(framework_id, role, 0.0)
    return made


def join(mesos: Allocator, agent_id: AgentId, resources: str, holder: FrameworkId | None = None) -> None:
    """An agent comes; all of it is in use by `holder`, if there is one."""
    total = Resources.of(resources)
    mesos.add_agent(agent_id, total, {} if holder is None else {holder: total}, 0.0)


def join_unseen(mesos: Allocator, agent_id: AgentId, resources: str) -> None:
    """An agent comes of which nothing is granted: it makes the cluster larger."""
    mesos.add_agent(agent_id, Resources.of(resources), {}, 0.0, active=False)


def give_back(mesos: Allocator, framework_id: FrameworkId, agent_id: AgentId) -> None:
    """It gives back all it holds there, and nobody else is granted it."""
    mesos.deactivate_agent(agent_id)
    mesos.recover(framework_id, mesos.role(framework_id), agent_id, mesos.allocated(framework_id, agent_id), 0.0)


def run(mesos: Allocator, now: float) -> list[str]:
    """What a run grants, as `framework agent`."""
    grants = mesos.run(now)
    mesos.check()
    return [f"{grant.framework_id} {grant.agent_id}" for grant in grants]


def order(mesos: Allocator) -> str:
    """Who would be served first, who next, and so on: in a copy, each gets a crumb and then wants no more."""
    mesos.check()
    twin = copy.deepcopy(mesos)
    served: list[str] = []
    for _ in mesos.shares():
        join(twin, AgentId(f"crumb{len(served)}"), "cpus:0.01")
        for grant in twin.run(0.0):
            served.append(grant.framework_id)
            twin.suppress(grant.framework_id)
    return " ".join(served)


@pytest.mark.scenario("DRFSorterTest.ShallowHierarchy")
@pytest.mark.parametrize(
    "role_of",
    [
        pytest.param(lambda _: "role", id="all-in-one-role"),
        pytest.param(lambda name: f"{name}/{name}", id="each-in-a-branch-of-its-own"),
        pytest.param(lambda name: "/".join(name * ("abcd".index(name) + 3)), id="in-branches-of-depth-3-to-6"),
    ],
)
def test_a_branch_with_one_child_changes_nothing(role_of: Callable[[FrameworkId], str]) -> None:
    """Alone in their roles, frameworks stand in the order they would have in one role: by their shares (OF-17)."""
    mesos = allocator({A: role_of(A), B: role_of(B)})
    join_unseen(mesos, REST, "cpus:89;mem:89")

    # Of cpus:100;mem:100. a: 5/100 = .05, b: 6/100 = .06
    join(mesos, A2, "cpus:6;mem:6", B)
    join(mesos, A1, "cpus:5;mem:5", A)
    assert order(mesos) == "a b"

    # Of cpus:101. c: 1/101 = .01, d: 0
    mesos.add_framework(C, role_of(C), 0.0)
    mesos.add_framework(D, role_of(D), 0.0)
    join(mesos, A3, "cpus:1", C)
    assert order(mesos) == "d c a b"

    # Of cpus:101;mem:160. a: 45/160 = .28, b: 6/101 = .06, c: 20/160 = .125
    join(mesos, A4, "mem:40", A)
    join(mesos, A5, "mem:20", C)
    assert order(mesos) == "d b c a"

    # a: 5/101 = .05 again
    give_back(mesos, A, A4)
    assert order(mesos) == "d a b c"

    # b holds what it held, and stands by that when it is back (OF-22).
    mesos.deactivate_framework(B)
    assert order(mesos) == "d a c"
    mesos.activate_framework(B, role_of(B), 0.0)
    assert order(mesos) == "d a b c"

    # Of cpus:108;mem:160. a: 5/108 = .046, b: 6/108 = .056, c: 20/160 = .125, d: 7/108 = .065
    join(mesos, A6, "cpus:7", D)
    assert order(mesos) == "a b d c"

    # Of mem:500. c: 20/500 = .04
    more = AgentId("more")
    join_unseen(mesos, more, "mem:340")
    assert order(mesos) == "c a b d"
    mesos.remove_agent(more)
    assert order(mesos) == "a b d c"

    give_back(mesos, D, A6)
    mesos.remove_framework(D)
    assert order(mesos) == "a b c"


def test_equal_agents_are_split_evenly_between_roles() -> None:
    """Three and three for two roles, two each for three; what one framework gets comes together (OF-15, OF-17)."""
    agents = (A1, A2, A3, A4, A5, A6)
    mesos = allocator({A: "role1", B: "role2"})
    for agent_id in agents:
        join(mesos, agent_id, "cpus:2;mem:1024")
    # Shares of 0, 1/6, 2/6 and so on, by turns
    assert run(mesos, 0.0) == ["a a1", "a a3", "a a5", "b a2", "b a4", "b a6"]

    mesos.add_framework(C, "role3", 0.0)
    for agent_id in agents:
        for framework_id in (A, B):
            held = mesos.allocated(framework_id, agent_id)
            mesos.recover(framework_id, mesos.role(framework_id), agent_id, held, 0.0)

    # Everybody is at 0; role3 has had no grant yet, the others three each: at equal shares it goes first.
    assert run(mesos, 1.0) == ["c a1", "c a4", "a a2", "a a5", "b a3", "b a6"]


def test_whoever_is_first_in_line_and_refuses_does_not_end_the_search() -> None:
    """The next in its role is asked, and then the roles that have more (OF-9, OF-17, OF-44)."""
    mesos = allocator({A: "poor", B: "poor", C: "rich"})
    join(mesos, A1, "cpus:4", C)
    join(mesos, A2, "cpus:1", B)
    join(mesos, A3, "cpus:1")

    # Of cpus:6. poor: 1/6, in it a: 0 and b: 1/6; rich: 4/6
    served: list[str] = []
    for second, (framework_id, refuse_s) in enumerate([(A, DAY_S), (B, DAY_S), (C, DAY_S)]):
        served += run(mesos, float(second))
        mesos.recover(framework_id, mesos.role(framework_id), A3, Resources.of("cpus:1"), float(second), refuse_s)

    assert served == ["a a3", "b a3", "c a3"]
    assert run(mesos, 3.0) == []


def test_who_has_given_back_everything_on_an_agent_is_no_longer_counted_there() -> None:
    """Nothing of an allocation is left once it is empty; elsewhere it stands as it did."""
    mesos = allocator({A: "role"})
    join(mesos, A1, "cpus:10;mem:10;disk:10", A)
    join(mesos, A2, "cpus:10;mem:10;disk:10", A)

    mesos.recover(A, mesos.role(A), A1, Resources.of("cpus:10;disk:10"), 0.0)
    assert mesos.holders(A1) == [A]
    mesos.recover(A, mesos.role(A), A1, Resources.of("mem:10"), 0.0)

    assert (mesos.holders(A1), mesos.holders(A2)) == ([], [A])
    assert mesos.scalars(A) == {"cpus": 10_000, "mem": 10_000, "disk": 10_000}
