"""Frameworks subscribe, fail over, disconnect and leave: lists of events with the exact effects of each (core.md 3)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.contract import CancelTimer, Link, LinkBroken, Send, SetTimer, TimerFired
from mesolite.actors.decisions.master.timers import Allocation, FailoverTimeout, OfferTimeout
from mesolite.messages.agent import AgentReregistered, PingAgent, ShutdownFramework, UpdateFramework
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.offers import Filters, Offer
from mesolite.messages.operator import OPERATOR, TeardownFrameworkCall
from mesolite.messages.registrar import AdmittedAgent, Registry
from mesolite.messages.relayed import KillTask
from mesolite.messages.scheduler import (
    DeactivateFramework,
    DeclineOffers,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    ReconcileTasks,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.tasks import Reason, TaskState
from tests.actors.masters import (
    A1,
    A2,
    ALL,
    ALLOCATE,
    BACK,
    KNOWN,
    ME,
    NEVER_ALLOCATE,
    PING_AGAIN,
    SETTINGS,
    WEB,
    admit,
    done,
    leading,
    offered,
    offering,
    refused,
    running,
    subscribe,
    tell,
    update,
    working,
)

OTHER = FrameworkInfo(name="other")


# --- subscription ---


def test_a_framework_subscribes_and_is_offered_what_there_is() -> None:
    """It gets an id that no other leader can have made, and a run of the allocator at once (FW-2, EL-35, OF-3)."""
    master = admit(leading(), A1, A2)

    # It is new here.
    assert master.hear(Subscribe(framework_info=WEB), "web", 1.0) == [
        Link("web"),
        Send("web", FrameworkRegistered(framework_id="m1-F1", master=ME)),
        SetTimer(Allocation(), 0.0),
    ]
    # One message holds all that is offered to it (OF-15, OF-36).
    assert master.fire(ALLOCATE, 1.0) == [
        Send(
            "web",
            ResourceOffers(
                offers=(
                    Offer(id="m1-O1", framework_id="m1-F1", agent_id="m1-S1", hostname="host-1", resources=ALL),
                    Offer(id="m1-O2", framework_id="m1-F1", agent_id="m1-S2", hostname="host-2", resources=ALL),
                )
            ),
        ),
    ]
    # It asks again: the answer was lost or is still on its way, and then it may be using the offers (FW-2).
    assert master.hear(Subscribe(framework_info=WEB), "web", 2.0) == [
        Send("web", FrameworkRegistered(framework_id="m1-F1", master=ME)),
    ]


def test_what_is_no_framework_is_refused() -> None:
    """A role that cannot be, an id that is over, a principal that is another (FW-9, FW-11, FW-24)."""
    master = running("t1")

    assert master.hear(Subscribe(framework_info=FrameworkInfo(name="x", role="a b")), "x", 3.0) == [
        Send("x", FrameworkError(message="'a b' is not a role; a role is a name like 'web' or 'web/front', or '*'")),
    ]
    assert master.hear(
        Subscribe(framework_info=attrs.evolve(KNOWN, principal="somebody"), force=True), "web-2", 3.0
    ) == [
        Send(
            "web-2",
            FrameworkError(
                message="framework m1-F1 subscribed with the principal '', and keeps it for life; subscribe with "
                "that one, not with 'somebody'"
            ),
        ),
    ]
    # It has been ended.
    master.hear(Teardown(framework_id="m1-F1"), "web", 4.0)
    assert master.hear(Subscribe(framework_info=KNOWN), "web", 5.0) == [
        Send(
            "web",
            FrameworkError(message="framework m1-F1 has been removed; subscribe without an id to start a new one"),
        ),
    ]


def test_another_instance_takes_over_if_it_insists() -> None:
    """Without force it is told that somebody has the framework; with it, the former is (FW-17, FW-18)."""
    master = running("t1")
    offered(master, 7.0)

    # A second instance comes, and does not insist.
    assert master.hear(Subscribe(framework_info=KNOWN), "web-2", 8.0) == [
        Send("web-2", FrameworkError(message="framework m1-F1 failed over to another scheduler")),
    ]
    # It insists: the first is cut off, its offers are discarded without a word, agents learn where to (FW-18, FW-22).
    assert master.hear(Subscribe(framework_info=KNOWN, force=True), "web-2", 9.0) == [
        Send("web", FrameworkError(message="framework m1-F1 failed over to another scheduler")),
        CancelTimer(FailoverTimeout("m1-F1")),
        Link("web-2"),
        Send("web-2", FrameworkRegistered(framework_id="m1-F1", master=ME)),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web-2")),
        SetTimer(Allocation(), 0.0),
    ]
    # The first speaks on, and is not heard (FW-32).
    assert master.hear(KillTask(framework_id="m1-F1", task_id="t1"), "web", 9.5) == []
    # What was free is offered to the second.
    assert master.fire(ALLOCATE, 10.0) == [
        offering("m1-O3", "cpus:3;mem:3996", to="web-2"),
    ]


def test_an_instance_that_reconnects_is_told_so() -> None:
    """The same driver again: its offers are rescinded, as it may not have heard of them (FW-19)."""
    master = running("t1")
    offered(master, 7.0)

    assert master.hear(Subscribe(framework_info=KNOWN), "web", 8.0) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        CancelTimer(FailoverTimeout("m1-F1")),
        Link("web"),
        Send("web", FrameworkReregistered(framework_id="m1-F1", master=ME)),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
        SetTimer(Allocation(), 0.0),
    ]


def test_a_framework_that_a_new_leader_knows_from_agents_only_is_registered() -> None:
    """Until its scheduler comes, it is not offered anything (EL-44, EL-59)."""
    master = leading(Registry(admitted=(AdmittedAgent(agent=A1),)))

    # An agent is back, with a task of it.
    assert master.hear(BACK, "agent-1", 1.0) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
    ]
    # Its scheduler is.
    assert master.hear(Subscribe(framework_info=KNOWN), "web", 2.0) == [
        CancelTimer(FailoverTimeout("m1-F1")),
        Link("web"),
        Send("web", FrameworkRegistered(framework_id="m1-F1", master=ME)),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
        SetTimer(Allocation(), 0.0),
    ]
    # It asks after its tasks, and is told what the agent has said (RC-1).
    assert master.hear(ReconcileTasks(framework_id="m1-F1"), "web", 3.0) == [
        tell(
            "t1",
            TaskState.TASK_RUNNING,
            Reason.REASON_RECONCILIATION,
            message="the latest state the master knows",
            timestamp=3.0,
        ),
    ]


# --- goodbye ---


def test_a_framework_whose_scheduler_is_gone_has_its_failover_timeout() -> None:
    """Its offers are taken back and tasks go on; if nobody comes in time it is ended, with all it runs (FW-28..30)."""
    master = running("t1")
    offered(master, 7.0)

    # Its scheduler is gone.
    assert master.exit_of("web", 8.0) == [
        Send("web", FrameworkError(message="framework m1-F1 disconnected; start a new driver")),
        SetTimer(FailoverTimeout("m1-F1"), 100.0),
    ]
    # What is said to it is lost; the agent will say it again (0.2.7).
    assert master.hear(update("t1", TaskState.TASK_FINISHED, 2), "agent-1", 9.0) == []
    # Nobody has come: its agents are told to end what it runs.
    assert master.fire(TimerFired(FailoverTimeout("m1-F1")), 108.0) == [
        CancelTimer(FailoverTimeout("m1-F1")),
        Send("agent-1", ShutdownFramework(framework_id="m1-F1")),
    ]
    # A late one is turned away (FW-11).
    assert master.hear(Subscribe(framework_info=KNOWN), "web", 109.0) == [
        Send(
            "web",
            FrameworkError(message="framework m1-F1 has been removed; subscribe without an id to start a new one"),
        ),
    ]


def test_a_scheduler_that_is_back_in_time_goes_on() -> None:
    """The time-out is cancelled (FW-29)."""
    master = running("t1")
    master.exit_of("web", 8.0)

    assert master.hear(Subscribe(framework_info=KNOWN, force=True), "web-2", 50.0) == [
        CancelTimer(FailoverTimeout("m1-F1")),
        Link("web-2"),
        Send("web-2", FrameworkRegistered(framework_id="m1-F1", master=ME)),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web-2")),
        SetTimer(Allocation(), 0.0),
    ]


def test_a_link_that_breaks_without_an_end_takes_only_the_offers_back() -> None:
    """Something that was said is lost, perhaps an answer to an offer; the driver subscribes again by itself (LP-28)."""
    master = running("t1")
    offered(master, 7.0)

    assert master.hear(LinkBroken("web"), "web", 8.0) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        SetTimer(Allocation(), 0.0),
    ]


def test_a_framework_that_is_torn_down_ends_everywhere() -> None:
    """Its agents are told; nobody is told of each task (FW-36). An operator may do it, too."""
    own, asked = running("t1"), running("t1")

    # Its scheduler ends it.
    assert own.hear(Teardown(framework_id="m1-F1"), "web", 3.0) == [
        CancelTimer(FailoverTimeout("m1-F1")),
        Send("agent-1", ShutdownFramework(framework_id="m1-F1")),
        NEVER_ALLOCATE,
    ]
    # An operator does: its driver is told, or it would wait for offers for ever.
    assert asked.hear(TeardownFrameworkCall(call_id=1, framework_id="m1-F1"), OPERATOR, 3.0) == [
        Send("web", FrameworkError(message="framework m1-F1 was ended by an operator")),
        CancelTimer(FailoverTimeout("m1-F1")),
        Send("agent-1", ShutdownFramework(framework_id="m1-F1")),
        done(1),
        NEVER_ALLOCATE,
    ]
    # Asked again, it is so already; of one that never was, it is not (SEC-42).
    assert asked.hear(TeardownFrameworkCall(call_id=2, framework_id="m1-F1"), OPERATOR, 4.0) == [
        done(2),
    ]
    assert asked.hear(TeardownFrameworkCall(call_id=3, framework_id="m1-F7"), OPERATOR, 4.0) == [
        refused(3, 400, "there is no framework 'm1-F7'; the state lists the frameworks by id"),
    ]


def test_a_driver_that_aborts_gets_no_more_offers() -> None:
    """Its tasks go on (FW-35)."""
    master = running("t1")
    offered(master, 7.0)

    assert master.hear(DeactivateFramework(framework_id="m1-F1"), "web", 8.0) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
    ]


def test_only_who_is_active_is_offered_anything_and_only_who_is_connected_is_heard_and_told() -> None:
    """Known from its agents only, active, inactive, disconnected: the four states of a framework (FW-27)."""
    master = leading(Registry(admitted=(AdmittedAgent(agent=A1),)))
    updates = (update("t1", TaskState.TASK_RUNNING, number) for number in range(2, 6))
    kill = KillTask(framework_id="m1-F1", task_id="t1")

    # An agent tells of it: nothing is offered, nobody is told, and whoever calls for it is not heard.
    master.hear(BACK, "agent-1", 1.0)
    assert master.fire(ALLOCATE, 1.0) == []
    assert master.hear(next(updates), "agent-1", 1.0) == []
    assert master.hear(kill, "web", 1.0) == []
    # Its scheduler is there.
    master.hear(Subscribe(framework_info=KNOWN), "web", 2.0)
    assert master.fire(ALLOCATE, 2.0) == [offering("m1-O1", "cpus:3;mem:3996")]
    said = next(updates)
    assert master.hear(said, "agent-1", 2.0) == [Send("web", said)]
    assert master.hear(kill, "web", 2.0) == [Send("agent-1", kill)]
    # It is inactive: it is told and heard as before, and not offered what is free.
    master.hear(DeactivateFramework(framework_id="m1-F1"), "web", 3.0)
    assert master.fire(ALLOCATE, 4.0) == []
    said = next(updates)
    assert master.hear(said, "agent-1", 4.0) == [Send("web", said)]
    assert master.hear(kill, "web", 4.0) == [Send("agent-1", kill)]
    # It is disconnected.
    master.exit_of("web", 5.0)
    assert master.fire(ALLOCATE, 6.0) == []
    assert master.hear(next(updates), "agent-1", 6.0) == []
    assert master.hear(kill, "web", 6.0) == [
        Send("web", FrameworkError(message="framework m1-F1 disconnected; start a new driver")),
    ]


# --- offers ---


def test_offers_come_when_something_is_free_and_go_when_they_are_declined() -> None:
    """What is refused is not offered again for as long as that was said (OF-44, OF-46)."""
    master = working()

    # There is something to offer.
    assert master.fire(ALLOCATE, 1.0) == [
        offering("m1-O1", "cpus:4;mem:4096"),
    ]
    # Not for ten seconds, please.
    decline = DeclineOffers(framework_id="m1-F1", offer_ids=("m1-O1",), filters=Filters(refuse_seconds=10.0))
    assert master.hear(decline, "web", 2.0) == [
        SetTimer(Allocation(), 0.0),
    ]
    # The next run finds nobody else to offer it to, and waits for the end of that time.
    assert master.fire(ALLOCATE, 2.0) == [
        SetTimer(Allocation(), 10.0),
    ]
    # The run on which those are over.
    assert master.fire(ALLOCATE, 12.0) == [
        offering("m1-O2", "cpus:4;mem:4096"),
    ]


def test_an_offer_is_only_its_own_frameworks_to_decline() -> None:
    """Ours checks what Mesos does not (OF-45)."""
    master = subscribe(working(), OTHER)
    offered(master)

    assert master.hear(DeclineOffers(framework_id="m1-F2", offer_ids=("m1-O1",)), "other", 2.0) == []


def test_a_framework_that_wants_no_offers_gets_none_until_it_revives() -> None:
    """Outstanding ones stay valid (OF-52)."""
    master = working()
    offered(master)

    # Enough.
    assert master.hear(SuppressOffers(framework_id="m1-F1"), "web", 2.0) == []
    # What it has, it may still decline; that is offered to nobody.
    assert master.hear(DeclineOffers(framework_id="m1-F1", offer_ids=("m1-O1",)), "web", 3.0) == []
    # More, and what it refused, too.
    assert master.hear(ReviveOffers(framework_id="m1-F1"), "web", 4.0) == [
        SetTimer(Allocation(), 0.0),
    ]
    assert master.fire(ALLOCATE, 4.0) == [
        offering("m1-O2", "cpus:4;mem:4096"),
    ]


def test_an_offer_that_nobody_answers_is_rescinded_in_time() -> None:
    """If the settings say so (5.6.6)."""
    master = subscribe(admit(leading(settings=SETTINGS.but(offer_timeout_s=30.0)), A1))

    # It is offered.
    assert master.fire(ALLOCATE, 1.0) == [
        SetTimer(OfferTimeout("m1-O1"), 30.0),
        offering("m1-O1", "cpus:4;mem:4096"),
    ]
    # Nobody has answered; it is offered anew with the next run.
    assert master.fire(TimerFired(OfferTimeout("m1-O1")), 31.0) == [
        CancelTimer(OfferTimeout("m1-O1")),
        Send("web", RescindOffer(offer_id="m1-O1")),
        SetTimer(Allocation(), 0.0),
    ]
