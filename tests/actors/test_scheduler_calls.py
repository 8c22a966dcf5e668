"""What a scheduler asks of its driver, to its end, as lists of events with their exact effects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite.actors.decisions.contract import Callback, Exit, Send, SetTimer, TimerFired
from mesolite.actors.decisions.driver_calls import (
    AbortCall,
    AcceptCall,
    CallLater,
    CallLaterCall,
    DeclineCall,
    DriverStatus,
    FrameworkMessageCall,
    KillCall,
    ReconcileCall,
    ReviveCall,
    StopCall,
    SuppressCall,
)
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.offers import Filters, Launch
from mesolite.messages.relayed import ExecutorToFramework, FrameworkToExecutor, KillTask
from mesolite.messages.scheduler import (
    AcceptOffers,
    AgentLost,
    DeclineOffers,
    FrameworkError,
    FrameworkReregistered,
    ReconcileTasks,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.tasks import Cause, ExecutorInfo, KillPolicy, Reason, Source, TaskInfo, TaskState, TaskStatus
from tests.actors.drivers import (
    DEACTIVATED,
    DRIVER,
    INFO,
    KNOWN,
    MASTER,
    NEWS,
    NO_SUBSCRIBE_RETRY,
    OFFER,
    OTHER,
    REGISTERED,
    RUNNING,
    SETTINGS,
    SUBSCRIBE,
    TASK,
    UPDATE,
    ask,
    connected,
    detect,
    hear,
    parted,
    rescinded,
    returned,
    started,
)

FILTERS = Filters()


# --- what the scheduler asks for -----------------------------------------------------------------------

REQUESTS = [
    (
        DeclineCall(("m1-O1",), FILTERS),
        DeclineOffers(framework_id="m1-F1", offer_ids=("m1-O1",), filters=FILTERS),
    ),
    (
        KillCall("t1", KillPolicy(grace_period_s=1.0)),
        KillTask(framework_id="m1-F1", task_id="t1", kill_policy=KillPolicy(grace_period_s=1.0)),
    ),
    (ReconcileCall((RUNNING,)), ReconcileTasks(framework_id="m1-F1", statuses=(RUNNING,))),
    (
        FrameworkMessageCall("e1", "m1-S1", "hi"),
        FrameworkToExecutor(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi"),
    ),
    (SuppressCall(), SuppressOffers(framework_id="m1-F1")),
    (ReviveCall(), ReviveOffers(framework_id="m1-F1")),
]
CALLS = [type(call).__name__ for call, _ in REQUESTS]


@pytest.mark.parametrize(("call", "message"), REQUESTS, ids=CALLS)
def test_what_is_asked_for_is_said_to_the_master(call: object, message: object) -> None:
    """Each call has its message."""
    assert ask(connected(), call) == [Send("master-1", message)]


@pytest.mark.parametrize("call", [call for call, _ in REQUESTS], ids=CALLS)
def test_without_a_master_nothing_is_said(call: object) -> None:
    """Such calls are dropped; suppressing and reviving is remembered (FW-43)."""
    assert ask(parted(), call) == []


@pytest.mark.parametrize("call", [call for call, _ in REQUESTS], ids=CALLS)
def test_after_an_abort_nothing_is_said(call: object) -> None:
    """A driver that is not running does nothing (FW-40)."""
    core = connected()
    ask(core, AbortCall())

    assert ask(core, call) == []
    assert ask(core, AcceptCall(("m1-O1",), (Launch(tasks=(TASK,)),), FILTERS)) == []
    assert ask(core, CallLaterCall(1, 1.0)) == []


def test_an_accept_fills_in_what_the_scheduler_left_out() -> None:
    """The agent is that of the offer, the executor's framework is this one; what is given stays."""
    core = connected()
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    bare = TaskInfo(task_id="t1", executor=ExecutorInfo(executor_id="e1"))
    elsewhere = TaskInfo(
        task_id="t2", agent_id="m1-S9", executor=ExecutorInfo(executor_id="e2", framework_id="m1-F9")
    )

    effects = ask(core, AcceptCall(("m1-O1",), (Launch(tasks=(bare, elsewhere)),), FILTERS))

    filled = TaskInfo(
        task_id="t1", agent_id="m1-S1", executor=ExecutorInfo(executor_id="e1", framework_id="m1-F1")
    )
    accept = AcceptOffers(
        framework_id="m1-F1",
        offer_ids=("m1-O1",),
        operations=(Launch(tasks=(filled, elsewhere)),),
        filters=FILTERS,
    )
    assert effects == [Send("master-1", accept)]


def reconnected() -> SchedulerCore:
    """A driver that held an offer, lost its master and has the same one back."""
    core = parted()
    detect(core)
    returned(core, hear(core, REGISTERED)[-1])
    return core


def declined() -> SchedulerCore:
    """A driver whose scheduler has declined the only offer."""
    core = connected()
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    ask(core, DeclineCall(("m1-O1",), FILTERS))
    return core


@pytest.mark.parametrize("driver", [reconnected, rescinded, declined])
def test_an_accept_of_an_offer_that_is_gone_still_reaches_the_master(
    driver: Callable[[], SchedulerCore],
) -> None:
    """It answers for each task (OF-57); the driver merely cannot name the agent (OF-43)."""
    core = driver()
    accept = AcceptCall(("m1-O1",), (Launch(tasks=(TASK,)),), FILTERS)

    message = AcceptOffers(framework_id="m1-F1", offer_ids=("m1-O1",), operations=accept.operations)
    assert ask(core, accept) == [Send("master-1", message)]


@pytest.mark.scenario("FaultToleranceTest.DisconnectedSchedulerLaunchDropped")
def test_a_launch_without_a_master_is_dropped_with_a_word_about_it() -> None:
    """The driver itself says that the task never started, without a uuid (OF-62, TK-21)."""
    core = parted(FrameworkInfo(name="web", capabilities=(Capability.PARTITION_AWARE,)))

    effects = ask(core, AcceptCall(("m1-O1",), (Launch(tasks=(TASK,)),), FILTERS), now=7.0)

    dropped = TaskStatus(
        task_id="t1",
        state=TaskState.TASK_DROPPED,
        source=Source.SOURCE_MASTER,
        reason=Reason.REASON_MASTER_DISCONNECTED,
        message="the driver was not connected to a master, so the task was never sent",
        agent_id="m1-S1",
        timestamp=7.0,
            cause=Cause.NEVER_STARTED,
    )
    assert effects == [Callback("status_update", (dropped,), 4)]
    # And there is nothing to acknowledge, not even to the next master.
    assert returned(core, effects[0]) == []


def test_a_framework_that_knows_nothing_of_partitions_is_told_lost_for_dropped() -> None:
    """TASK_LOST is the old word for it (OF-62, FW-47); an abort in between silences the rest (FW-42)."""
    core = parted()
    two = Launch(tasks=(TaskInfo(task_id="t1", agent_id="m1-S9"), TaskInfo(task_id="t2")))

    (callback,) = ask(core, AcceptCall(("m1-O1",), (two,), FILTERS))

    assert isinstance(callback, Callback)
    (status,) = callback.arguments
    assert (status.state, status.agent_id) == (TaskState.TASK_LOST, "m1-S9")
    # The scheduler has enough after the first: the second callback is never made.
    assert returned(core, callback, still_running=False) == []


def test_suppression_is_presented_at_the_next_subscription() -> None:
    """A suppression outlives the connection, and what is said while there is none (OF-53, FW-43)."""
    core = parted()
    ask(core, SuppressCall())

    # The subscription says it all, so nothing has to follow.
    assert Send("master-2", Subscribe(framework_info=KNOWN, suppressed=True)) in detect(core, OTHER)
    effects = hear(core, FrameworkReregistered(framework_id="m1-F1", master=OTHER), "master-2")
    assert effects == [NO_SUBSCRIBE_RETRY, Callback("reregistered", (OTHER,), 4)]


def test_a_suppression_that_overtakes_its_subscription_follows_it() -> None:
    """The master may have taken the subscription that did not yet say so (FW-43)."""
    core = started()

    # The subscription is on its way when the scheduler suppresses.
    assert Send("master-1", Subscribe(framework_info=INFO)) in detect(core)
    assert ask(core, SuppressCall()) == []
    # Once connected, the master is told.
    assert hear(core, REGISTERED) == [
        NO_SUBSCRIBE_RETRY,
        Send("master-1", SuppressOffers(framework_id="m1-F1")),
        Callback("registered", ("m1-F1", MASTER), 1),
    ]


def test_a_function_can_be_called_later() -> None:
    """It is a callback like any other, whether a master is connected or not; the past is now."""
    core = parted()

    assert ask(core, CallLaterCall(3, 2.5)) == [SetTimer(CallLater(3), 2.5)]
    assert ask(core, CallLaterCall(4, -1.0)) == [SetTimer(CallLater(4), 0.0)]
    assert hear(core, TimerFired(CallLater(3)), DRIVER) == [Callback("call_later", (3,), 4)]


# --- the end -------------------------------------------------------------------------------------------


def test_stop_ends_the_framework_and_the_actor() -> None:
    """The master is asked to tear everything down (FW-40)."""
    core = connected()

    assert ask(core, StopCall(failover=False)) == [
        Send("master-1", Teardown(framework_id="m1-F1")),
        Exit("stopped"),
    ]
    assert core.status is DriverStatus.DRIVER_STOPPED


def test_stop_for_a_failover_says_nothing() -> None:
    """The framework stays for a successor to take over (FW-40)."""
    core = connected()

    assert ask(core, StopCall(failover=True)) == [Exit("stopped, to fail over")]
    assert core.status is DriverStatus.DRIVER_STOPPED


def test_stop_silences_callbacks_that_wait_for_their_turn() -> None:
    """A driver stopped by another thread while user code runs calls nothing after that (FW-42)."""
    core = connected()
    callback = hear(core, ResourceOffers(offers=(OFFER,)))[-1]
    hear(core, RescindOffer(offer_id="m1-O1"))
    ask(core, StopCall(failover=True))

    assert returned(core, callback) == []


def test_stop_without_a_master_just_ends() -> None:
    """There is nobody to tell (FW-40)."""
    assert ask(parted(), StopCall(failover=False)) == [Exit("stopped")]


def test_a_driver_that_never_started_cannot_be_stopped_or_aborted() -> None:
    """Calls on a driver that is not running do nothing (FW-40)."""
    core = SchedulerCore(SETTINGS, INFO)

    assert ask(core, StopCall(failover=False)) == []
    assert ask(core, AbortCall()) == []
    assert core.status is DriverStatus.DRIVER_NOT_STARTED


@pytest.mark.scenario("ExceptionTest.DeactivateFrameworkOnAbort")
def test_abort_deactivates_the_framework() -> None:
    """It is deactivated and not removed: its tasks go on (FW-35, FW-40)."""
    core = connected()

    assert ask(core, AbortCall()) == [DEACTIVATED]
    assert core.status is DriverStatus.DRIVER_ABORTED
    # Aborting twice is aborting once.
    assert ask(core, AbortCall()) == []


@pytest.mark.scenario("ExceptionTest.DisallowSchedulerCallbacksOnAbort")
def test_after_an_abort_there_are_no_callbacks_but_stop_still_tears_down() -> None:
    """Whatever was under way when the driver was aborted is ignored (FW-41, FW-42)."""
    core = connected()
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    ask(core, AbortCall())

    # The master rescinds the offer, as it does for a framework that was deactivated; other news arrives too.
    for message, _, _ in NEWS:
        assert hear(core, message) == []
    from_executor = ExecutorToFramework(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi")
    assert hear(core, from_executor, "agent-1") == []
    assert hear(core, FrameworkError(message="no")) == []
    assert hear(core, TimerFired(CallLater(1)), DRIVER) == []
    assert detect(core, None) == []
    # And yet it can be stopped.
    assert ask(core, StopCall(failover=False)) == [
        Send("master-1", Teardown(framework_id="m1-F1")),
        Exit("stopped"),
    ]
    assert core.status is DriverStatus.DRIVER_STOPPED


def test_an_abort_silences_callbacks_that_wait_for_their_turn() -> None:
    """From the abort on none begins, even if its message had arrived before (FW-42)."""
    core = connected()
    callback = hear(core, ResourceOffers(offers=(OFFER,)))[-1]
    hear(core, RescindOffer(offer_id="m1-O1"))

    # While the first callback runs, another thread aborts.
    assert ask(core, AbortCall()) == [DEACTIVATED]
    assert returned(core, callback, still_running=False) == []


def test_what_was_asked_for_before_an_abort_still_goes_out() -> None:
    """A callback declines and aborts: the runtime knows of the abort before the calls arrive (FW-42)."""
    core = connected()
    callback = hear(core, ResourceOffers(offers=(OFFER,)))[-1]

    assert returned(core, callback, still_running=False) == []
    # News that was under way comes in between and is ignored.
    assert hear(core, RescindOffer(offer_id="m1-O1")) == []
    # Then the calls, in the order they were made.
    decline = DeclineOffers(framework_id="m1-F1", offer_ids=("m1-O1",), filters=FILTERS)
    assert ask(core, DeclineCall(("m1-O1",), FILTERS)) == [Send("master-1", decline)]
    assert ask(core, AbortCall()) == [DEACTIVATED]


def test_a_refusal_aborts_the_driver_and_says_why() -> None:
    """Abort first, then the callback; nothing is retried (FW-9)."""
    core = started()
    detect(core)

    assert hear(core, FrameworkError(message="role is bad")) == [Callback("error", ("role is bad",), 1)]
    assert core.status is DriverStatus.DRIVER_ABORTED
    assert core.error == "role is bad"
    # Not even the subscription that was waiting for an answer.
    assert hear(core, SUBSCRIBE) == []


def test_a_refusal_from_anybody_but_the_leader_is_ignored() -> None:
    """An old leader has no say any more, also while there is no new one (EL-58)."""
    assert hear(connected(), FrameworkError(message="failed over"), "master-2") == []
    assert hear(parted(), FrameworkError(message="failed over")) == []


def test_a_driver_that_another_instance_has_replaced_is_told() -> None:
    """The error comes while connected, so the abort is said as well (FW-9); the master knows better."""
    effects = hear(connected(), FrameworkError(message="Framework failed over"))

    assert effects == [DEACTIVATED, Callback("error", ("Framework failed over",), 2)]


def test_a_callback_that_raises_aborts_its_driver() -> None:
    """The scheduler hears of it once, through `error`; nothing of the update was taken (TK-31)."""
    core = connected()
    callback = hear(core, UPDATE)[-1]
    text = "status_update raised KeyError: 't1'"

    effects = returned(core, callback, error=text)

    assert effects == [DEACTIVATED, Callback("error", (text,), 3)]
    assert core.error == text
    assert core.status is DriverStatus.DRIVER_ABORTED
    # The error callback raises too: that is kept, and nobody is called again.
    assert returned(core, effects[-1], error="error raised ValueError: again") == []
    assert core.error == f"{text}; then error raised ValueError: again"


def test_a_callback_that_aborts_and_then_raises_is_not_told_about_it() -> None:
    """After an abort there are no callbacks (FW-42); what was raised is kept."""
    core = connected()
    callback = hear(core, UPDATE)[-1]

    assert returned(core, callback, error="status_update raised KeyError: 1", still_running=False) == []
    assert core.error == "status_update raised KeyError: 1"
    assert ask(core, AbortCall()) == [DEACTIVATED]


def test_a_refusal_while_user_code_runs_is_told_next() -> None:
    """The error callback waits for its turn like any other, and goes before what was waiting (FW-9)."""
    core = connected()
    callback = hear(core, ResourceOffers(offers=(OFFER,)))[-1]
    hear(core, AgentLost(agent_id="m1-S1"))

    assert hear(core, FrameworkError(message="no")) == [DEACTIVATED]
    assert returned(core, callback) == [Callback("error", ("no",), 4)]
