"""Resources are asked back by a deadline, and revoked: events with the exact effects of each (docs/reclaim.md)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.contract import CancelTimer, Link, Publish, Send, SetTimer, TimerFired
from mesolite.actors.decisions.master.timers import (
    Allocation,
    FailoverTimeout,
    PingBatch,
    ReclaimDue,
    ReclaimReminder,
    ReregisterTimeout,
)
from mesolite.messages.agent import RevokeTask, UnregisterAgent, UpdateFramework
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.operator import OPERATOR, ReclaimResourcesCall, ReleaseReclaimCall
from mesolite.messages.reclaims import Demand, ReclaimInfo, ReclaimState
from mesolite.messages.registrar import EndReclaim, RemoveAgent, StartReclaim
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AgentLost,
    FrameworkReregistered,
    RescindInverseOffer,
    Subscribe,
)
from mesolite.messages.tasks import Cause, Reason, TaskState
from tests.actors.masters import (
    ALLOCATE,
    KNOWN,
    ME,
    NEVER_ALLOCATE,
    acknowledgement,
    asking_back,
    done,
    offering,
    refused,
    running,
    tell,
    update,
)

TWO_CPUS = Resources.parse("cpus:2")
ASKED = ReclaimInfo(
    id="m1-R1",
    agent_id="m1-S1",
    resources=TWO_CPUS,
    demands=(Demand(framework_id="m1-F1", keep=TWO_CPUS, share=TWO_CPUS),),
    asked_at=8.0,
    deadline=68.0,
    message="batch night",
)
REVOKING = attrs.evolve(ASKED, state=ReclaimState.REVOKING)
RETURNED = attrs.evolve(ASKED, state=ReclaimState.DONE)
LEFT = attrs.evolve(ASKED, state=ReclaimState.LEFT, ended_at=10.5)
RELEASED = attrs.evolve(ASKED, state=ReclaimState.RELEASED, ended_at=90.0)
OF_WEB = ReclaimInfo(
    id="m1-R1",
    framework_id="m1-F1",
    resources=TWO_CPUS,
    demands=(Demand(framework_id="m1-F1", keep=TWO_CPUS, share=TWO_CPUS),),
    asked_at=8.0,
    deadline=68.0,
)
OF_WEB_ENDED = attrs.evolve(OF_WEB, state=ReclaimState.DONE, ended_at=11.0)
BY_THEN = Unavailability(start=68.0)
CALL = ReclaimResourcesCall(call_id=1, agent_id="m1-S1", resources=TWO_CPUS, within_s=60.0, message="batch night")
DEADLINE = TimerFired(ReclaimDue("m1-R1"))
FOUR = ("t1", "t2", "t3", "t4")


def killed(task_id: str) -> StatusUpdate:
    return update(task_id, TaskState.TASK_KILLED, 2)


def test_a_reclaim_from_the_call_to_the_revocation_of_what_was_not_returned() -> None:
    """Recorded, asked for, and at the deadline as much is revoked as is missing, newest first (RV-1 to RV-41)."""
    master = running(*FOUR)

    # An operator wants two of the four cpus within a minute. All four are in use, so two are asked for (RV-10).
    assert master.hear(CALL, OPERATOR, 8.0) == [
        master.writes(StartReclaim(reclaim=ASKED)),
    ]
    # It is recorded: its framework is asked, and told that it is meant (RV-20).
    assert master.durable(StartReclaim(reclaim=ASKED), 8.5) == [
        Publish(ASKED),
        SetTimer(ReclaimDue("m1-R1"), 59.5),
        asking_back("m1-O2", BY_THEN, resources=TWO_CPUS, enforced=True),
        done(1, "m1-R1"),
    ]
    # One task is given back.
    assert master.hear(killed("t2"), "agent-1", 20.0) == [
        Send("web", update("t2", TaskState.TASK_KILLED, 2)),
    ]
    assert master.hear(acknowledgement("t2", 2), "web", 20.5) == [
        Send("agent-1", acknowledgement("t2", 2)),
    ]
    # The deadline: one cpu is missing, and one task is enough. Of tasks as old as each other it is the last (RV-31).
    assert master.fire(DEADLINE, 68.0) == [
        Publish(REVOKING),
        Send("agent-1", RevokeTask(framework_id="m1-F1", task_id="t4")),
        CancelTimer(ReclaimDue("m1-R1")),
        SetTimer(ReclaimReminder("m1-R1"), 15.0),
    ]
    # It lives on: said again (RV-37).
    assert master.fire(TimerFired(ReclaimReminder("m1-R1")), 83.0) == [
        Send("agent-1", RevokeTask(framework_id="m1-F1", task_id="t4")),
        CancelTimer(ReclaimDue("m1-R1")),
        SetTimer(ReclaimReminder("m1-R1"), 15.0),
    ]
    # It has ended: nothing is missing, and what was asked for is asked for no more (RV-23, RV-41).
    assert master.hear(killed("t4"), "agent-1", 84.0) == [
        Send("web", update("t4", TaskState.TASK_KILLED, 2)),
        Publish(RETURNED),
        Send("web", RescindInverseOffer(inverse_offer_id="m1-O2")),
    ]
    assert master.hear(acknowledgement("t4", 2), "web", 84.5) == [
        Send("agent-1", acknowledgement("t4", 2)),
    ]
    # What is reclaimed is not offered; it is kept until it is released (RV-6).
    assert master.fire(ALLOCATE, 85.0) == [
        offering("m1-O3", "mem:3896"),
    ]
    # It is not wanted any more (RV-43).
    assert master.hear(ReleaseReclaimCall(call_id=2, reclaim_id="m1-R1"), OPERATOR, 90.0) == [
        master.writes(EndReclaim(reclaim=RELEASED)),
    ]
    # That is recorded: the two cpus are offered again (RV-40).
    assert master.durable(EndReclaim(reclaim=RELEASED), 90.5) == [
        Publish(RELEASED),
        CancelTimer(ReclaimDue("m1-R1")),
        CancelTimer(ReclaimReminder("m1-R1")),
        done(2),
        SetTimer(Allocation(), 0.5),
    ]
    assert master.fire(ALLOCATE, 91.0) == [
        offering("m1-O4", "cpus:2"),
    ]
    # Said once more, that is nothing.
    assert master.durable(EndReclaim(reclaim=RELEASED), 91.5) == []


def test_what_is_returned_in_time_is_not_revoked() -> None:
    """The reclaim is done before its deadline, which then means nothing (RV-41)."""
    master = running(*FOUR)
    master.hear(CALL, OPERATOR, 8.0)
    master.durable(StartReclaim(reclaim=ASKED), 8.5)

    # The framework says which it will give back, and does.
    accepts = AcceptInverseOffers(framework_id="m1-F1", inverse_offer_ids=("m1-O2",), returning=("t1", "t3"))
    assert master.hear(accepts, "web", 9.0) == []
    assert master.hear(killed("t1"), "agent-1", 10.0) == [
        Send("web", update("t1", TaskState.TASK_KILLED, 2)),
    ]
    assert master.hear(killed("t3"), "agent-1", 11.0) == [
        Send("web", update("t3", TaskState.TASK_KILLED, 2)),
        Publish(RETURNED),
    ]
    # The deadline comes.
    assert master.fire(DEADLINE, 68.0) == []


def test_of_what_is_revoked_the_framework_says_what_goes_first() -> None:
    """Those it would have returned, in its order (RV-22, RV-31)."""
    master = running(*FOUR)
    master.hear(CALL, OPERATOR, 8.0)
    master.durable(StartReclaim(reclaim=ASKED), 8.5)

    # It names two, and gives neither back.
    accepts = AcceptInverseOffers(framework_id="m1-F1", inverse_offer_ids=("m1-O2",), returning=("t1", "t3"))
    assert master.hear(accepts, "web", 9.0) == []
    assert master.fire(DEADLINE, 68.0) == [
        Publish(REVOKING),
        Send("agent-1", RevokeTask(framework_id="m1-F1", task_id="t1")),
        Send("agent-1", RevokeTask(framework_id="m1-F1", task_id="t3")),
        CancelTimer(ReclaimDue("m1-R1")),
        SetTimer(ReclaimReminder("m1-R1"), 15.0),
    ]


def test_a_framework_that_subscribes_again_is_asked_again() -> None:
    """What its former instance was asked, it may not know (RV-21)."""
    master = running(*FOUR)
    master.hear(CALL, OPERATOR, 8.0)
    master.durable(StartReclaim(reclaim=ASKED), 8.5)

    assert master.hear(Subscribe(framework_info=KNOWN), "web", 10.0) == [
        Send("web", RescindInverseOffer(inverse_offer_id="m1-O2")),
        CancelTimer(FailoverTimeout("m1-F1")),
        Link("web"),
        Send("web", FrameworkReregistered(framework_id="m1-F1", master=ME)),
        asking_back("m1-O3", BY_THEN, resources=TWO_CPUS, enforced=True),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
    ]


def test_a_reclaim_ends_with_its_agent() -> None:
    """An agent that leaves for good takes with it what was wanted of it (RV-44)."""
    master = running(*FOUR)
    master.hear(CALL, OPERATOR, 8.0)
    master.durable(StartReclaim(reclaim=ASKED), 8.5)

    # It says goodbye.
    master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 10.0)
    # It is removed: the end of the reclaim is the last thing that follows.
    assert master.durable(RemoveAgent(agent_id="m1-S1"), 10.5) == [
        *(
            tell(
                task_id,
                TaskState.TASK_LOST,
                Reason.REASON_AGENT_REMOVED,
                message="agent m1-S1 (host-1) was removed: unregistered",
                timestamp=10.5,
                cause=Cause.UNREGISTERED,
            )
            for task_id in FOUR
        ),
        Send("web", RescindInverseOffer(inverse_offer_id="m1-O2")),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        master.writes(EndReclaim(reclaim=LEFT)),
        NEVER_ALLOCATE,
    ]
    # That is recorded.
    assert master.durable(EndReclaim(reclaim=LEFT), 11.0) == [
        Publish(LEFT),
        CancelTimer(ReclaimDue("m1-R1")),
        CancelTimer(ReclaimReminder("m1-R1")),
    ]


def test_a_reclaim_of_a_framework_blocks_it_until_it_has_ended() -> None:
    """It gets no offers until it holds no more than it may keep, and that is recorded (RV-2, RV-7)."""
    master = running(*FOUR)
    call = ReclaimResourcesCall(call_id=1, framework_id="m1-F1", resources=TWO_CPUS, within_s=60.0)

    # An operator wants two cpus of it, wherever it likes.
    assert master.hear(call, OPERATOR, 8.0) == [
        master.writes(StartReclaim(reclaim=OF_WEB)),
    ]
    # Recorded: it is asked.
    assert master.durable(StartReclaim(reclaim=OF_WEB), 8.5) == [
        Publish(OF_WEB),
        SetTimer(ReclaimDue("m1-R1"), 59.5),
        asking_back("m1-O2", BY_THEN, resources=TWO_CPUS, hostname="", agent_id=None, enforced=True),
        done(1, "m1-R1"),
        NEVER_ALLOCATE,
    ]
    # It returns two. The end is to be recorded.
    assert master.hear(killed("t1"), "agent-1", 10.0) == [
        Send("web", update("t1", TaskState.TASK_KILLED, 2)),
    ]
    assert master.hear(killed("t2"), "agent-1", 11.0) == [
        Send("web", update("t2", TaskState.TASK_KILLED, 2)),
        master.writes(EndReclaim(reclaim=OF_WEB_ENDED)),
    ]
    # What it returned is not offered to it before that.
    assert master.fire(ALLOCATE, 11.5) == []
    # Recorded: now it is.
    assert master.durable(EndReclaim(reclaim=OF_WEB_ENDED), 12.0) == [
        Publish(OF_WEB_ENDED),
        CancelTimer(ReclaimDue("m1-R1")),
        CancelTimer(ReclaimReminder("m1-R1")),
        Send("web", RescindInverseOffer(inverse_offer_id="m1-O2")),
        SetTimer(Allocation(), 0.0),
    ]
    assert master.fire(ALLOCATE, 12.0) == [
        offering("m1-O3", "cpus:2;mem:3896"),
    ]


def test_a_reclaim_that_cannot_be_is_refused_with_what_would_work() -> None:
    """Of nobody, of two at once, of more than there is, of what is being reclaimed already (RV-70)."""
    master = running("t1")

    assert master.hear(ReclaimResourcesCall(call_id=1, within_s=60.0), OPERATOR, 8.0) == [
        refused(1, 400, "resources of nobody were to be reclaimed; name one agent, or one framework"),
    ]
    assert master.hear(
        ReclaimResourcesCall(call_id=2, agent_id="m1-S1", framework_id="m1-F1", within_s=60.0), OPERATOR, 8.0
    ) == [
        refused(
            2,
            400,
            "resources of agent m1-S1 and framework m1-F1 at once were to be reclaimed; name one agent, or one "
            "framework",
        ),
    ]
    assert master.hear(
        ReclaimResourcesCall(call_id=3, agent_id="m1-S1", resources=Resources.parse("cpus:5"), within_s=60.0),
        OPERATOR,
        8.0,
    ) == [
        refused(
            3,
            400,
            "cpus:5 was to be reclaimed of agent m1-S1, which has only cpus:4; ask for that at most, or none for "
            "everything",
        ),
    ]
    assert master.hear(ReclaimResourcesCall(call_id=4, agent_id="m1-S7", within_s=60.0), OPERATOR, 8.0) == [
        refused(4, 400, "there is no agent 'm1-S7'; the state lists the agents by id"),
    ]
    assert master.hear(ReleaseReclaimCall(call_id=5, reclaim_id="m1-R7"), OPERATOR, 8.0) == [
        refused(5, 400, "there is no reclaim 'm1-R7'; the state lists the reclaims by id"),
    ]
    # One is being recorded.
    master.hear(CALL, OPERATOR, 8.0)
    assert master.hear(ReclaimResourcesCall(call_id=6, agent_id="m1-S1", within_s=60.0), OPERATOR, 8.0) == [
        refused(6, 409, "agent m1-S1 is being reclaimed already, by m1-R1; wait for its end, or release it first"),
    ]
