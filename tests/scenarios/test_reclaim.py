"""Resources an operator wants back by a deadline: asked for, returned or revoked (docs/reclaim.md)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Executor, ExecutorDriver, KillPolicy, Simulation, TaskInfo, TaskState
from mesolite.actors.decisions.settings import Settings
from mesolite.messages import Cause, ReclaimState, RevokeTask
from tests.scenarios.reclaims import AGENT, Owner, accepts, declines, kills, offered, stage
from tests.scenarios.schedulers import STUBBORN, about, check_books, command_task, executor_task, id_of, only

DONE, ASKED, REVOKING, RELEASED = (
    ReclaimState.DONE,
    ReclaimState.ASKED,
    ReclaimState.REVOKING,
    ReclaimState.RELEASED,
)


# --------------------------------------------------------------------------------------------------- the whole of it


def test_a_whole_reclaim(sim: Simulation) -> None:
    """As drawn: web promises t3 and returns it, etl says no and loses t2, t1 is spared, the operator has cpus:3."""
    there = stage(sim, web=Owner(command_task("t3"), reply=accepts("t3")))
    there.etl.reply = declines("in the middle of it")

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=60.0, message="new gpu", initiator="ada")
    sim.settle()

    assert (there.web.amounts_asked, there.etl.amounts_asked) == (["cpus:1"], ["cpus:1"])
    asked = only(there.web.asked)
    assert (asked.agent_id, asked.hostname, asked.enforced) == (id_of(there.cluster), "agent-1", True)
    assert (asked.unavailability.start, asked.unavailability.duration_s) == (reclaim.deadline, None)
    said = {each.framework: (str(each.answer), each.returning, each.reason) for each in reclaim.asked}
    assert said == {"web": ("ACCEPT", ("t3",), ""), "etl": ("DECLINE", (), "in the middle of it")}

    there.web_driver.kill_task("t3")
    sim.advance(59.0)
    assert (reclaim.state, str(reclaim.missing), str(reclaim.returned)) == (ASKED, "cpus:1", "cpus:1")
    assert there.living == ["t1", "t2"]

    sim.advance(2.0)
    assert about(there.etl.updates("t2")[-1]) == ("KILLED", "EXECUTOR", "RESOURCES_REVOKED")
    assert there.etl.updates("t2")[-1].cause is Cause.REVOKED
    assert (reclaim.wait(timeout=1000.0), there.living, reclaim.revoked_tasks) == (DONE, ["t1"], ("t2",))
    assert (str(reclaim.missing), str(reclaim.returned)) == ("", "cpus:2")
    assert offered(sim, there) == "mem:3968"

    reclaim.release()
    assert offered(sim, there) == "cpus:3;mem:3968"
    assert (reclaim.state, reclaim.wait(timeout=1.0)) == (RELEASED, RELEASED)
    assert (reclaim.message, reclaim.initiator) == ("new gpu", "ada")
    check_books(sim)


# ------------------------------------------------------------------------------------------- withheld, who is asked


def test_what_is_wanted_is_offered_to_nobody_and_the_rest_is(sim: Simulation) -> None:
    """Outstanding offers are rescinded; what the reclaim does not name, or does not need, is offered (RV-6)."""
    there = stage(sim)
    assert offered(sim, there) == "cpus:1;mem:3712"
    outstanding = [offer["id"] for offer in there.cluster.operator.state()["offers"]]

    there.cluster.operator.reclaim("agent-1", "cpus:2;mem:1000")
    sim.settle()

    assert there.web.rescinded + there.etl.rescinded == outstanding
    assert offered(sim, there) == "mem:2712"


def test_of_an_agent_that_is_wanted_whole_nothing_is_offered(sim: Simulation) -> None:
    """Everything is every resource, free or held; who is asked for it is asked for '' (RV-6, RV-20)."""
    there = stage(sim)

    reclaim = there.cluster.operator.reclaim("agent-1", within=10.0)
    sim.settle()

    assert (there.web.amounts_asked, there.etl.amounts_asked) == ([""], [""])
    assert {each.framework: str(each.share) for each in reclaim.asked} == {
        "web": "cpus:1;mem:128",
        "etl": "cpus:2;mem:256",
    }
    assert offered(sim, there) == ""
    assert reclaim.wait(timeout=1000.0) is DONE
    sim.settle()
    assert there.living == []
    assert offered(sim, there) == ""
    reclaim.release()
    assert offered(sim, there) == AGENT


def test_who_would_lose_nothing_is_not_asked_and_never_touched(sim: Simulation) -> None:
    """cpus:1 is free and t3 is the newest: web is asked for it, etl hears nothing (RV-10, RV-11)."""
    there = stage(sim)
    notices = len(there.etl.calls)

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.advance(30.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])
    assert [each.framework for each in reclaim.asked] == ["web"]
    assert len(there.etl.calls) == notices


def test_nobody_is_asked_for_what_is_free(sim: Simulation) -> None:
    """It is DONE at once, and kept until it is released (RV-14, RV-41)."""
    there = stage(sim)

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:1;mem:3712")
    sim.settle()

    assert (reclaim.state, reclaim.asked, reclaim.blocked_by) == (DONE, (), ())
    assert (there.web.asked, there.etl.asked) == ([], [])
    assert offered(sim, there) == ""
    sim.advance(1000.0)
    assert there.living == ["t1", "t2", "t3"]


# ------------------------------------------------------------------------------------------------- until the deadline


def test_returned_in_time_nobody_is_revoked(sim: Simulation) -> None:
    """The reclaim is DONE long before its deadline, which then means nothing (RV-42); it asks no more (RV-23)."""
    there = stage(sim)
    revoked = sim.expect(RevokeTask)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    sim.settle()

    there.web_driver.kill_task("t3")
    sim.advance(1.0)
    assert reclaim.state is DONE
    assert there.web.asked_no_more == [only(there.web.asked).id]
    sim.advance(600.0)

    assert (reclaim.state, there.living, revoked.count) == (DONE, ["t1", "t2"], 0)


def test_returned_by_others_nobody_is_revoked_either(sim: Simulation) -> None:
    """It does not matter who gives it back: etl was not asked, and its t1 ends (RV-30)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)

    there.etl_driver.kill_task("t1")
    sim.advance(100.0)

    assert (reclaim.state, there.living, reclaim.revoked_tasks) == (DONE, ["t2", "t3"], ())


@pytest.mark.parametrize("reply", [None, accepts(), accepts("t3"), declines("no")], ids=["silent", "yes", "t3", "no"])
def test_an_answer_changes_nothing_before_the_deadline(sim: Simulation, reply: Any) -> None:
    """Whatever is said, the tasks run until then, and not a moment longer (RV-22, RV-30)."""
    there = stage(sim, web=Owner(command_task("t3"), reply=reply))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)

    sim.advance(59.9)
    assert (reclaim.state, there.living) == (ASKED, ["t1", "t2", "t3"])
    sim.advance(0.2)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])


def test_the_last_answer_counts(sim: Simulation) -> None:
    """Who has answered is not asked again while it stays; an answered inverse offer is not outstanding (RV-22)."""
    there = stage(sim, web=Owner(command_task("t3"), reply=accepts("t3")))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    sim.settle()

    there.web_driver.decline_inverse_offers(only(there.web.asked).id, reason="too late")
    sim.advance(10.0)

    assert [str(each.answer) for each in reclaim.asked] == ["ACCEPT"]
    assert there.cluster.operator.state()["inverse_offers"] == []


def test_an_unanswered_request_stands_where_advice_would_time_out() -> None:
    """`offer_timeout_s` takes back offers and advice, but nothing that is wanted by a deadline (RV-23)."""
    with Simulation(settings=Settings.mesos().but(offer_timeout_s=5.0)) as sim:
        there = stage(sim)
        there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
        sim.advance(50.0)

        assert (there.web.amounts_asked, there.web.asked_no_more) == (["cpus:1"], [])


def test_requests_stand_while_their_agent_is_deactivated(sim: Simulation) -> None:
    """Deactivating takes offers away and hinders no reclaim (RV-23, RV-55)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    sim.settle()

    there.cluster.operator.deactivate("agent-1")
    sim.advance(50.0)
    assert there.web.asked_no_more == []
    sim.advance(20.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])
    there.cluster.operator.reactivate("agent-1")
    assert offered(sim, there) == "mem:3840"


# ------------------------------------------------------------------------------------------------------ the deadline


def test_what_was_promised_goes_first(sim: Simulation) -> None:
    """Of one framework, in the order of the promise, before anything newer (RV-32)."""
    tasks = [command_task(f"t{n}") for n in (1, 2, 3, 4)]
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(*tasks, reply=accepts("t3", "t1"))
    cluster.run(framework, framework="etl")
    sim.advance(2.0)
    orders = sim.expect(RevokeTask)

    reclaim = cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.advance(20.0)

    assert [order.task_id for order in orders.all] == ["t3", "t1"]
    assert reclaim.revoked_tasks == ("t3", "t1")
    assert [framework.states(f"t{n}")[-1] for n in (1, 2, 3, 4)] == ["KILLED", "RUNNING", "KILLED", "RUNNING"]


def test_without_a_promise_the_newest_goes_first(sim: Simulation) -> None:
    """And of one launch the last in the list (RV-32)."""
    there = stage(sim)
    orders = sim.expect(RevokeTask)

    there.cluster.operator.reclaim("agent-1", "cpus:4", within=0.0)
    sim.settle()

    assert [order.task_id for order in orders.all] == ["t3", "t2", "t1"]


def test_a_deadline_may_be_now(sim: Simulation) -> None:
    """Then nobody is asked, and what is missing is revoked at once."""
    there = stage(sim)

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=0)
    sim.settle()

    assert (reclaim.state, there.living, there.web.asked) == (DONE, ["t1", "t2"], [])


def test_only_what_is_missing_is_revoked(sim: Simulation) -> None:
    """Web returned its share, and etl one of the two it was asked for: one task of etl goes (RV-30, RV-31)."""
    there = stage(sim)
    there.web.reply, there.etl.reply = kills("t3"), kills("t1")

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:4", within=10.0)
    sim.settle()
    assert {each.framework: str(each.share) for each in reclaim.asked} == {"web": "cpus:1", "etl": "cpus:2"}
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t2",))


def test_who_returned_more_than_its_share_spares_another(sim: Simulation) -> None:
    """Etl is asked for one task and returns both: web keeps t3, which it was asked for (RV-30)."""
    there = stage(sim)
    there.etl.reply = kills("t1", "t2")

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=10.0)
    sim.advance(20.0)

    assert there.web.amounts_asked == ["cpus:1"]
    assert (reclaim.state, there.living, reclaim.revoked_tasks) == (DONE, ["t3"], ())


def test_what_is_being_killed_goes_before_anything_else(sim: Simulation) -> None:
    """Web kills its stubborn t3 just before the deadline: nobody else has to go for it (RV-32, RV-36)."""
    patient = command_task("t3", STUBBORN, kill_policy=KillPolicy(grace_period_s=30.0))
    newer = command_task("t4")
    there = stage(sim, web=Owner(patient, newer))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:1", within=10.0)
    sim.advance(9.0)

    there.web_driver.kill_task("t3")
    sim.advance(1.5)
    assert (reclaim.state, reclaim.revoked_tasks) == (REVOKING, ("t3",))
    sim.advance(60.0)

    assert (reclaim.state, there.web.states("t4")[-1]) == (DONE, "RUNNING")
    assert there.web.updates("t3")[-1].cause is Cause.KILLED, "whoever asks first is the cause"


def test_a_stubborn_task_is_killed_the_hard_way_after_its_own_grace(sim: Simulation) -> None:
    """A revoked task gets all of its own grace and no more (RV-36)."""
    task = command_task("t3", STUBBORN, kill_policy=KillPolicy(grace_period_s=20.0))
    there = stage(sim, web=Owner(task))
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)

    sim.advance(29.0)
    assert (reclaim.state, there.living) == (REVOKING, ["t1", "t2", "t3"])
    waits_for = only(reclaim.blocked_by)
    assert (str(waits_for.party), waits_for.name, waits_for.task_id) == ("EXECUTOR", "t3", "t3")
    sim.advance(3.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])


class Deaf(Executor):
    """Starts tasks and ends none."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)


def test_an_executor_that_ignores_kills_does_not_keep_its_task(sim: Simulation) -> None:
    """When the task's grace is over, the executor has to go, and at the end of its own it is gone (RV-36)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(executor_task("t1"))
    cluster.run(framework, framework="deaf", executors={"obedient": Deaf})
    sim.advance(2.0)
    reclaim = cluster.operator.reclaim("agent-1", "cpus:4", within=10.0)

    sim.advance(10.0 + 3.0 + 2.0 + 5.0 + 0.1)

    assert reclaim.state is DONE
    assert (framework.updates("t1")[-1].cause, framework.count("executor_lost")) == (Cause.REVOKED, 1)
