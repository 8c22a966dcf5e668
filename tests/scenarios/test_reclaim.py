"""Resources an operator wants back by a deadline: asked for, returned or revoked (docs/reclaim.md)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Executor, ExecutorDriver, ExecutorInfo, KillPolicy, Refused, Simulation, TaskInfo, TaskState
from mesolite.actors.decisions.settings import Settings
from mesolite.messages import (
    ApplyOperation,
    CallAnswered,
    Cause,
    ReclaimState,
    RevokeExecutor,
    RevokeTask,
)
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.operator import ReclaimResourcesCall
from mesolite.messages.resources import Resources
from tests.scenarios.reclaim_stage import (
    AGENT,
    Owner,
    accepts,
    declines,
    kills,
    offered,
    stage,
)
from tests.scenarios.schedulers import (
    EXECUTORS,
    STUBBORN,
    Recorder,
    about,
    check_books,
    command_task,
    executor_task,
    id_of,
    only,
    tell_executor,
)

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


# ---------------------------------------------------------------------------------------------------------- executors


def test_an_executor_goes_with_its_last_task(sim: Simulation) -> None:
    """What it holds itself is wanted too: it is shut down when its tasks have ended (RV-34, RV-36)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(executor_task("t1"), executor_task("t2"))
    cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)

    reclaim = cluster.operator.reclaim("agent-1", "cpus:4", within=10.0)
    sim.settle()
    assert framework.amounts_asked == ["cpus:2.1"]
    orders = sim.expect(RevokeTask)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks, reclaim.revoked_executors) == (DONE, ("t2", "t1"), ("e1",))
    assert (framework.count("executor_lost"), orders.count) == (1, 0), "one order ends the executor and its tasks"
    assert [framework.updates(task)[-1].cause for task in ("t1", "t2")] == [Cause.REVOKED] * 2


def test_an_executor_stays_with_a_task_that_stays(sim: Simulation) -> None:
    """Its resources are not to be had while one of its tasks need not go (RV-34)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(executor_task("t1"), executor_task("t2"))
    cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    orders = sim.expect(RevokeExecutor)

    reclaim = cluster.operator.reclaim("agent-1", "cpus:2.5", within=10.0)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks, orders.count) == (DONE, ("t2",), 0)
    assert framework.states("t1")[-1] == "RUNNING"


def test_an_idle_executor_goes_before_any_task(sim: Simulation) -> None:
    """Nobody loses work with it (RV-32)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    idle, busy = executor_task("t1", resources="cpus:0.1;mem:32"), command_task("t2", resources="cpus:3;mem:32")
    framework = Owner(idle, busy)
    driver = cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    reclaim = cluster.operator.reclaim("agent-1", "cpus:1", within=10.0)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks, reclaim.revoked_executors) == (DONE, (), ("e1",))
    assert framework.states("t2")[-1] == "RUNNING"


def test_of_everything_even_an_executor_goes_that_holds_nothing(sim: Simulation) -> None:
    """Nothing is left there that could want something again (RV-35)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    light = ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient")
    framework = Owner(TaskInfo(task_id="t1", resources="cpus:1;mem:32", executor=light))
    driver = cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    of_agent = cluster.operator.reclaim("agent-1", within=10.0)
    assert of_agent.state is ASKED
    sim.advance(20.0)

    assert (of_agent.state, framework.amounts_asked, framework.count("executor_lost")) == (DONE, [""], 1)
    check_books(sim)


# --------------------------------------------------------------------------------------------------------- frameworks


def test_a_framework_is_asked_wherever_it_holds_something(sim: Simulation) -> None:
    """It is blocked, asked without an agent, loses what is missing, and is offered again when it is DONE (RV-7)."""
    there = stage(sim)

    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=10.0)
    sim.settle()
    asked = only(there.etl.asked)
    assert (asked.agent_id, asked.hostname, str(asked.resources), asked.enforced) == (None, "", "cpus:1", True)
    assert there.web.asked == []
    assert offered(sim, there, to=there.etl_driver) == ""
    sim.advance(20.0)

    assert (reclaim.state, there.living, reclaim.revoked_tasks) == (DONE, ["t1", "t3"], ("t2",))
    assert offered(sim, there, to=there.etl_driver) == "cpus:2;mem:3840"
    assert there.cluster.operator.state()["reclaims"] == []
    assert there.etl.asked_no_more == [asked.id]


def test_others_are_offered_what_a_barred_framework_is_not(sim: Simulation) -> None:
    """The reclaim of a framework withholds nothing on any agent (RV-7)."""
    there = stage(sim)
    there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=60.0)

    assert offered(sim, there, to=there.etl_driver) == ""
    assert offered(sim, there, to=there.web_driver) == "cpus:1;mem:3712"


def test_a_framework_loses_the_newest_on_whichever_agent(sim: Simulation) -> None:
    """Its tasks of all agents are one list, by launch time (RV-12, RV-32)."""
    cluster = sim.cluster(agents=2, resources="cpus:2;mem:1024")
    framework = Owner(command_task("t1"), command_task("t2"))
    driver = cluster.run(framework, framework="etl")
    sim.advance(2.0)
    other = only(offer for offer in framework.offers if offer.agent_id != framework.updates("t1")[-1].agent_id)
    driver.launch_tasks(other, command_task("t3"))
    sim.advance(2.0)
    assert framework.states("t3")[-1] == "RUNNING"

    reclaim = cluster.operator.reclaim(driver, "cpus:2", within=10.0)
    sim.advance(20.0)

    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t3", "t2"))
    assert framework.states("t1")[-1] == "RUNNING"


def test_everything_of_a_framework_is_every_task_and_every_executor(sim: Simulation) -> None:
    """Others are not touched (RV-35, RV-11)."""
    there = stage(sim, etl=Owner(executor_task("t1"), command_task("t2")))

    reclaim = there.cluster.operator.reclaim(there.etl_driver, within=10.0)
    sim.settle()
    assert there.etl.amounts_asked == [""]
    sim.advance(20.0)

    assert (reclaim.state, there.living) == (DONE, ["t3"])
    assert (reclaim.revoked_tasks, reclaim.revoked_executors) == (("t2", "t1"), ("e1",))


def test_a_framework_that_returns_in_time_is_offered_again_at_once(sim: Simulation) -> None:
    """The end is written as soon as nothing is missing (RV-41, RV-42)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=600.0)
    sim.settle()

    there.etl_driver.kill_task("t1")
    sim.advance(2.0)

    assert (reclaim.state, there.living) == (DONE, ["t2", "t3"])
    assert offered(sim, there, to=there.etl_driver) == "cpus:2;mem:3840"


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
    "unknown agent": ("m9-S9", {}, "there is no agent 'm9-S9'; state() lists the agents by id"),
    "nothing": ("agent-1", {"resources": ""}, "name an amount such as cpus:1, or None for everything"),
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
    assert answers.all[4].refusal == "there is no framework 'm1-F9'; state() lists the frameworks by id"


def test_a_target_is_reclaimed_once_at_a_time(sim: Simulation) -> None:
    """Also while it is DONE, for its resources are kept (RV-5, RV-70)."""
    there = stage(sim)
    known = there.cluster.operator.reclaim("agent-1", "cpus:1")
    of_framework = there.cluster.operator.reclaim(there.etl_driver, "cpus:1")

    for target, reclaim in (("agent-1", known), (there.etl_driver, of_framework)):
        with pytest.raises(Refused, match=rf"is being reclaimed already, by {reclaim.id}; wait\(\) for it"):
            there.cluster.operator.reclaim(target, "cpus:2")


def test_a_framework_that_was_removed_has_nothing_to_reclaim(sim: Simulation) -> None:
    """The refusal knows the difference between gone and never seen (RV-70)."""
    there = stage(sim)
    removed = str(there.web_driver.framework_id)
    there.cluster.operator.teardown(there.web_driver)

    with pytest.raises(Refused, match="has been removed and holds nothing"):
        there.cluster.operator.reclaim(there.web_driver)
    with pytest.raises(Refused, match=r"state\(\) lists the agents by id"):
        there.cluster.operator.reclaim(removed.replace("F2", "F9"))


def test_to_release_what_never_was_is_refused(sim: Simulation) -> None:
    """The handle of another cluster's reclaim, say (RV-70)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:1")
    reclaim.id = type(reclaim.id)("m7-R7")

    with pytest.raises(Refused, match=r"there is no reclaim 'm7-R7'; state\(\) lists the reclaims by id"):
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
