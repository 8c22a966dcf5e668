"""Reclaims are released, refused and looked at (docs/reclaim.md RV-43, RV-70)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Refused, Simulation
from mesolite.messages import ApplyOperation, CallAnswered, Cause, ReclaimState
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.messages.operator import ReclaimResourcesCall
from mesolite.messages.resources import Resources
from tests.scenarios.reclaims import AGENT, Owner, accepts, declines, offered, stage
from tests.scenarios.schedulers import STUBBORN, Recorder, command_task, id_of, only

DONE, ASKED, REVOKING, RELEASED = (
    ReclaimState.DONE,
    ReclaimState.ASKED,
    ReclaimState.REVOKING,
    ReclaimState.RELEASED,
)


# ---------------------------------------------------------------------------------------------------------- releasing


def test_released_before_the_deadline_nobody_is_revoked(sim: Simulation) -> None:
    """The frameworks hear that nothing is asked any more, and what was withheld is offered (RV-43, RV-23)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    sim.advance(30.0)

    reclaim.release()
    sim.settle()
    assert there.web.asked_no_more == [only(there.web.asked).id]
    sim.advance(600.0)

    assert (reclaim.state, there.living) == (RELEASED, ["t1", "t2", "t3"])
    assert offered(sim, there) == "cpus:1;mem:3712"


def test_released_after_the_deadline_what_was_revoked_is_not_brought_back(sim: Simulation) -> None:
    """The stubborn t3 has been told to end and ends (RV-43)."""
    there = stage(sim, web=Owner(command_task("t3", STUBBORN)))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.advance(11.0)
    assert reclaim.state is REVOKING

    reclaim.release()
    sim.advance(60.0)

    assert (reclaim.state, there.living, there.web.updates("t3")[-1].cause) == (RELEASED, ["t1", "t2"], Cause.REVOKED)


def test_a_framework_that_is_released_is_offered_again(sim: Simulation) -> None:
    """It keeps what it has not given back (RV-43)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:2", within=60.0)
    assert offered(sim, there, to=there.etl_driver) == ""

    reclaim.release()
    sim.advance(100.0)

    assert there.living == ["t1", "t2", "t3"]
    assert offered(sim, there, to=there.etl_driver) == "cpus:1;mem:3712"


def test_releasing_is_safe_to_repeat(sim: Simulation) -> None:
    """What has ended stays as it ended, and nothing is written for it (RV-43)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2")
    reclaim.release()
    ended_at, written = reclaim.ended_at, sim.expect(ApplyOperation)
    sim.advance(5.0)

    reclaim.release()

    assert (reclaim.state, reclaim.ended_at, written.count) == (RELEASED, ended_at, 0)


def test_a_released_agent_can_be_reclaimed_again(sim: Simulation) -> None:
    """One open reclaim at a time (RV-5)."""
    there = stage(sim)
    first = there.cluster.operator.reclaim("agent-1", "cpus:1")
    first.release()

    second = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.advance(20.0)

    assert (first.state, second.state, first.id != second.id) == (RELEASED, DONE, True)
    assert [each.id for each in there.cluster.operator.reclaims()] == [first.id, second.id]


# ----------------------------------------------------------------------------------------------------------- refusals

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown agent": ("m9-S9", {}, "there is no agent 'm9-S9'; the state lists the agents by id"),
    "nothing": ("agent-1", {"resources": ""}, "name an amount such as cpus:1, or none for everything"),
    "no scalar": ("agent-1", {"resources": "cpus:1;ports:[1-2]"}, "only scalars such as cpus and mem"),
    "more than there is": ("agent-1", {"resources": "cpus:5"}, "which has only cpus:4; ask for that at most"),
    "the past": ("agent-1", {"resources": "cpus:1", "within": -1.0}, "within cannot be"),
    "never": ("agent-1", {"within": float("inf")}, "within cannot be"),
    "no time": ("agent-1", {"within": float("nan")}, "within cannot be"),
    "more than it holds": ("etl", {"resources": "cpus:2.5"}, "which holds only cpus:2; ask for that at most"),
}


@pytest.mark.parametrize(("target", "wish", "refusal"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_reclaimed_changes_nothing(
    sim: Simulation, target: str, wish: dict[str, Any], refusal: str
) -> None:
    """The refusal says what was asked, why not, and what would work; nothing is written (RV-70)."""
    there = stage(sim)
    written = sim.expect(ApplyOperation)

    with pytest.raises(Refused) as refused:
        there.cluster.operator.reclaim(there.etl_driver if target == "etl" else target, **wish)

    assert refusal in str(refused.value)
    assert (written.count, there.cluster.operator.state()["reclaims"]) == (0, [])


def test_one_target_has_to_be_named(sim: Simulation) -> None:
    """Neither nobody nor two; what cannot be is 400, what cannot be now is 409 (RV-70)."""
    there = stage(sim)
    agent_id, framework_id = id_of(there.cluster), there.etl_driver.framework_id
    answers = sim.expect(CallAnswered)
    wishes: list[dict[str, Any]] = [
        {},
        {"agent_id": agent_id, "framework_id": framework_id},
        {"agent_id": agent_id},
        {"agent_id": agent_id},
        {"framework_id": FrameworkId("m1-F9")},
    ]

    for call_id, wish in enumerate(wishes, start=1):
        call = ReclaimResourcesCall(call_id=call_id, within_s=60.0, **wish)
        sim.inject("master-1", call, sender="operator")
        sim.settle()

    assert [answer.code for answer in answers.all] == [400, 400, 200, 409, 400]
    both = f"resources of agent {agent_id} and framework {framework_id} at once were to be reclaimed"
    assert answers.all[0].refusal == "resources of nobody were to be reclaimed; name one agent, or one framework"
    assert answers.all[1].refusal == f"{both}; name one agent, or one framework"
    assert answers.all[4].refusal == "there is no framework 'm1-F9'; the state lists the frameworks by id"


def test_a_target_is_reclaimed_once_at_a_time(sim: Simulation) -> None:
    """Also while it is DONE, for its resources are kept (RV-5, RV-70)."""
    there = stage(sim)
    known = there.cluster.operator.reclaim("agent-1", "cpus:1")
    of_framework = there.cluster.operator.reclaim(there.etl_driver, "cpus:1")

    for target, reclaim in (("agent-1", known), (there.etl_driver, of_framework)):
        with pytest.raises(Refused, match=rf"is being reclaimed already, by {reclaim.id}; wait for its end"):
            there.cluster.operator.reclaim(target, "cpus:2")


def test_a_framework_that_was_removed_has_nothing_to_reclaim(sim: Simulation) -> None:
    """The refusal knows the difference between gone and never seen (RV-70)."""
    there = stage(sim)
    removed = str(there.web_driver.framework_id)
    there.cluster.operator.teardown(there.web_driver)

    with pytest.raises(Refused, match="has been removed and holds nothing"):
        there.cluster.operator.reclaim(there.web_driver)
    with pytest.raises(Refused, match=r"the state lists the agents by id"):
        there.cluster.operator.reclaim(removed.replace("F2", "F9"))


def test_to_release_what_never_was_is_refused(sim: Simulation) -> None:
    """The handle of another cluster's reclaim, say (RV-70)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:1")
    reclaim.id = type(reclaim.id)("m7-R7")

    with pytest.raises(Refused, match=r"there is no reclaim 'm7-R7'; the state lists the reclaims by id"):
        reclaim.release()


# --------------------------------------------------------------------------------------------------------- looking


def test_a_reclaim_says_what_it_waits_for(sim: Simulation) -> None:
    """Whom, and why; who waits for it in vain is told that, too (RV-46)."""
    there = stage(sim, web=Owner(command_task("t3"), reply=declines("busy")))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=60.0)
    sim.settle()

    web, etl = reclaim.blocked_by
    assert (str(web.party), web.name, web.since) == ("FRAMEWORK", "web", reclaim.asked_at)
    assert web.why == f"it has cpus:1 to return before {reclaim.deadline:.3f} s; it has answered DECLINE, busy"
    assert etl.why == f"it has cpus:1 to return before {reclaim.deadline:.3f} s; it has not answered"
    with pytest.raises(TimeoutError) as late:
        reclaim.wait(timeout=1.0)
    begun = f"reclaim {reclaim.id} of {reclaim.target} has not come to its end within 1 s: "
    assert f"{begun}framework web: it has cpus:1" in str(late.value)
    assert repr(reclaim) == (
        f"<Reclaim {reclaim.id} of {reclaim.target}: cpus:3 by {reclaim.deadline:.3f} s: ASKED>"
    )


def test_the_books_show_reclaims_as_plain_data(sim: Simulation) -> None:
    """Open ones and past ones, with everything that their handles say."""
    there = stage(sim, web=Owner(command_task("t3"), reply=accepts("t3")))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0, message="why", initiator="who")
    sim.settle()

    shown = only(there.cluster.operator.state()["reclaims"])
    assert {name: shown[name] for name in ("id", "agent_id", "framework_id", "resources", "state", "missing")} == {
        "id": reclaim.id,
        "agent_id": id_of(there.cluster),
        "framework_id": None,
        "resources": "cpus:2",
        "state": "ASKED",
        "missing": "cpus:1",
    }
    asked = only(shown["asked"])
    assert (asked["framework"], asked["share"], asked["answer"]) == ("web", "cpus:1", "ACCEPT")
    assert (asked["returning"], asked["reason"]) == (["t3"], "")
    assert only(shown["blocked_by"])["party"] == "FRAMEWORK"
    reclaim.release()

    state = there.cluster.operator.state()
    assert (state["reclaims"], [past["state"] for past in state["past_reclaims"]]) == ([], ["RELEASED"])


def test_a_task_launched_meanwhile_without_what_is_wanted_is_not_touched(sim: Simulation) -> None:
    """What the reclaim does not name is offered and used; only holders of what it names are revoked (RV-2, RV-33)."""
    there = stage(sim, web=Owner(command_task("t3")))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=30.0)
    sim.settle()

    there.web.waiting = [command_task("t4", resources="mem:64")]
    there.web_driver.revive_offers()
    sim.advance(2.0)
    assert there.web.states("t4")[-1] == "RUNNING"
    sim.advance(60.0)

    assert (reclaim.state, there.living, there.web.states("t4")[-1]) == (DONE, ["t1", "t2"], "RUNNING")


def test_reclaims_of_an_agent_and_of_a_framework_may_overlap(sim: Simulation) -> None:
    """One task can serve both; each keeps to its own rules (RV-5)."""
    there = stage(sim)
    of_agent = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    of_web = there.cluster.operator.reclaim(there.web_driver, "cpus:1", within=10.0)
    sim.settle()
    assert len(there.web.asked) == 2
    sim.advance(20.0)

    assert (of_agent.state, of_web.state, there.living) == (DONE, DONE, ["t1", "t2"])
    assert there.web.updates("t3")[-1].task_id == TaskId("t3")


def test_an_idle_framework_has_everything_returned(sim: Simulation) -> None:
    """Everything of nothing is nothing: DONE at once (RV-14)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Recorder()
    driver = cluster.run(framework, framework="idle")
    sim.advance(1.0)
    assert Resources.sum(offer.resources for offer in framework.offers) == Resources.of(AGENT)

    reclaim = cluster.operator.reclaim(driver)
    sim.settle()

    assert (reclaim.state, framework.asked) == (DONE, [])
