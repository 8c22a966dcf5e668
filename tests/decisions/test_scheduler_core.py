"""The scheduler driver's core, as lists of events with the exact effects each must have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    CancelTimer,
    Effect,
    ExecutorStart,
    Exit,
    Link,
    LinkBroken,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from mesolite.actors.decisions.detector import DetectRetry, LeaderDetector, SessionHeartbeat
from mesolite.actors.decisions.driver_calls import (
    IMPLICIT_ACKNOWLEDGEMENTS,
    AbortCall,
    AcceptCall,
    AcknowledgeCall,
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
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.scheduler.subscribing import SubscribeRetry
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.election import (
    ELECTOR,
    DetectLeader,
    KeepSession,
    LeaderDetected,
    SessionExpired,
    SessionKept,
)
from mesolite.messages.executor import ExecutorRegistered
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.offers import Filters, Launch, Offer
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import (
    AcceptOffers,
    AgentLost,
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
from mesolite.messages.tasks import (
    Cause,
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    Reason,
    Source,
    TaskInfo,
    TaskState,
    TaskStatus,
)

SETTINGS = Settings.mesos()
DRIVER = "web"
MASTER = MasterInfo(name="master-1", term=1)
OTHER = MasterInfo(name="master-2", term=2)
INFO = FrameworkInfo(name="web")
KNOWN = FrameworkInfo(name="web", id="m1-F1")
REGISTERED = FrameworkRegistered(framework_id="m1-F1", master=MASTER)
SUBSCRIBE = TimerFired(SubscribeRetry())
NO_DETECT_RETRY = CancelTimer(DetectRetry())
NO_SUBSCRIBE_RETRY = CancelTimer(SubscribeRetry())
OFFER = Offer(
    id="m1-O1", framework_id="m1-F1", agent_id="m1-S1", hostname="h1", resources=Resources.parse("cpus:4")
)
RUNNING = TaskStatus(task_id="t1", state=TaskState.TASK_RUNNING, agent_id="m1-S1", uuid="x:1")
UPDATE = StatusUpdate(framework_id="m1-F1", status=RUNNING, latest_state=TaskState.TASK_RUNNING)
ACKNOWLEDGED = StatusUpdateAcknowledgement(
    framework_id="m1-F1", agent_id="m1-S1", task_id="t1", uuid="x:1"
)
TASK = TaskInfo(task_id="t1", command=CommandInfo(value="true"))
FILTERS = Filters()
DEACTIVATED = Send("master-1", DeactivateFramework(framework_id="m1-F1"))


def hear(core: SchedulerCore, event: object, sender: str = "master-1", now: float = 0.0) -> list[Effect]:
    effects = core.handle(event, sender, now)
    core.check()
    return effects


def ask(core: SchedulerCore, call: object, now: float = 0.0) -> list[Effect]:
    return hear(core, call, DRIVER, now)


def started(info: FrameworkInfo = INFO, implicit_acknowledgements: bool = True) -> SchedulerCore:
    """A driver that has started and knows no master."""
    core = SchedulerCore(SETTINGS, info, implicit_acknowledgements)
    hear(core, Started(DRIVER, 1), DRIVER)
    return core


def detect(core: SchedulerCore, leader: MasterInfo | None = MASTER) -> list[Effect]:
    return hear(core, LeaderDetected(leader=leader), ELECTOR)


def returned(
    core: SchedulerCore, callback: Effect, error: str | None = None, still_running: bool = True
) -> list[Effect]:
    """The user's code has returned from this callback."""
    assert isinstance(callback, Callback)
    event = CallbackReturned(callback.callback, callback.serial, error, still_running)
    return hear(core, event, DRIVER)


def connected(info: FrameworkInfo = INFO, implicit_acknowledgements: bool = True) -> SchedulerCore:
    """A driver whose scheduler has returned from `registered`, its first callback."""
    core = started(info, implicit_acknowledgements)
    detect(core)
    returned(core, hear(core, REGISTERED)[-1])
    return core


def parted(info: FrameworkInfo = INFO) -> SchedulerCore:
    """A driver that held an offer and lost its master; its scheduler has returned from `disconnected`."""
    core = connected(info)
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    returned(core, detect(core, None)[-1])
    return core


# --- finding a master, and being subscribed with it ----------------------------------------------------


def test_a_driver_starts_by_asking_who_leads() -> None:
    """Nothing is said to any master before one is detected (EL-56)."""
    core = SchedulerCore(SETTINGS, INFO)
    assert core.status is DriverStatus.DRIVER_NOT_STARTED

    effects = hear(core, Started(DRIVER, 1), DRIVER)

    assert effects == list(LeaderDetector(10.0, 10.0).start(0.0).effects)
    assert Send(ELECTOR, DetectLeader(known_term=None)) in effects
    assert core.status is DriverStatus.DRIVER_RUNNING


def test_a_leader_is_asked_at_once() -> None:
    """There is no initial back-off; only retries wait, within 2 s at first (EL-56, EL-57)."""
    assert detect(started()) == [
        NO_DETECT_RETRY,
        Link("master-1"),
        Send("master-1", Subscribe(framework_info=INFO)),
        SetTimer(SubscribeRetry(), 0.0, 2.0),
    ]


def test_no_leader_is_waited_for_without_a_word() -> None:
    """The subscription that was under way is not repeated to a master that no longer leads (EL-56)."""
    core = started()
    detect(core)

    assert detect(core, None) == [SetTimer(DetectRetry(), 10.0), NO_SUBSCRIBE_RETRY]


@pytest.mark.parametrize(
    ("failover_timeout_s", "bounds"),
    [
        pytest.param(0.0, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0], id="doubling-up-to-a-minute"),
        pytest.param(100.0, [2.0, 4.0, 8.0, 10.0, 10.0], id="or-up-to-a-tenth-of-the-failover-timeout"),
        pytest.param(10.0, [1.0, 1.0], id="which-may-be-less-than-the-first-bound"),
    ],
)
def test_an_unanswered_subscription_is_repeated(failover_timeout_s: float, bounds: list[float]) -> None:
    """Each retry waits a random time below a bound that doubles up to its cap (EL-57)."""
    info = FrameworkInfo(name="web", failover_timeout_s=failover_timeout_s)
    core = started(info)
    effects = detect(core)

    for bound in bounds:
        subscribe = Send("master-1", Subscribe(framework_info=info))
        assert effects[-2:] == [subscribe, SetTimer(SubscribeRetry(), 0.0, bound)]
        effects = hear(core, SUBSCRIBE)


def test_each_leader_is_met_with_the_first_bound_again() -> None:
    """The retries of an earlier leader do not slow down the next one (EL-57)."""
    core = started()
    detect(core)
    hear(core, SUBSCRIBE)

    assert detect(core, OTHER)[-1] == SetTimer(SubscribeRetry(), 0.0, 2.0)


@pytest.mark.scenario("FaultToleranceTest.FrameworkReliableRegistration")
def test_a_lost_answer_costs_a_retry_and_gives_one_callback() -> None:
    """However many answers come in the end, `registered` is called once (EL-57, EL-59)."""
    core = started()
    detect(core)

    # The first answer is lost on the way; within 2 s the driver asks again.
    assert hear(core, SUBSCRIBE, now=2.0)[0] == Send("master-1", Subscribe(framework_info=INFO))
    # This time the answer arrives.
    callback = Callback("registered", ("m1-F1", MASTER), 1)
    assert hear(core, REGISTERED) == [NO_SUBSCRIBE_RETRY, callback]
    assert returned(core, callback) == []
    # So does a second one; it is news to nobody.
    assert hear(core, REGISTERED) == []


def test_a_registration_counts_only_if_it_is_the_leaders_and_the_driver_runs() -> None:
    """An old leader cannot connect a driver (EL-58), and neither can anybody an aborted one (FW-42)."""
    core = started()
    detect(core)

    assert hear(core, REGISTERED, "master-2") == []
    ask(core, AbortCall())
    assert hear(core, REGISTERED) == []


def test_a_driver_keeps_its_session_with_the_elector() -> None:
    """Its watch is handed the timers that are its own (EL-8)."""
    core = connected()

    keep = Send(ELECTOR, KeepSession(session=None, timeout_s=10.0, sent_at=3.0))
    assert keep in hear(core, TimerFired(SessionHeartbeat()), DRIVER, now=3.0)


def test_a_broken_link_to_the_leader_makes_a_driver_subscribe_again() -> None:
    """What was said may be lost (LP-28): disconnected first, then the subscription, by the same instance (FW-19)."""
    core = connected()

    callback = Callback("disconnected", (), 2)
    assert hear(core, LinkBroken("master-1"), "master-1") == [callback]
    # News of the leader it knows, and a second broken link, change nothing meanwhile.
    assert hear(core, LinkBroken("master-1"), "master-1") == []
    assert Send("master-1", Subscribe(framework_info=KNOWN)) in returned(core, callback)
    assert not core.connected


def test_a_broken_link_to_anybody_else_is_nothing_to_a_driver() -> None:
    """Nor is one to the leader, while it is subscribing anyway (EL-57)."""
    assert hear(connected(), LinkBroken("agent-1"), "agent-1") == []
    core = started()
    detect(core)
    assert hear(core, LinkBroken("master-1"), "master-1") == []


def test_a_driver_that_has_aborted_says_so_again_over_a_mended_link() -> None:
    """It may have been lost (FW-35); no callback begins (FW-42)."""
    core = connected()
    ask(core, AbortCall())

    assert hear(core, LinkBroken("master-1"), "master-1") == [DEACTIVATED]


def test_the_id_a_master_gave_is_presented_ever_after() -> None:
    """The next master is told the same identity, and is not forced: this is the same instance (FW-1, FW-6)."""
    core = parted()

    assert Send("master-2", Subscribe(framework_info=KNOWN)) in detect(core, OTHER)
    callback = Callback("reregistered", (OTHER,), 4)
    again = FrameworkReregistered(framework_id="m1-F1", master=OTHER)
    assert hear(core, again, "master-2") == [NO_SUBSCRIBE_RETRY, callback]


def test_only_a_framework_that_came_with_an_id_forces_and_only_until_it_is_acknowledged() -> None:
    """A successor wins over its predecessor, once; a reconnection of its own forces nobody out (FW-6)."""
    core = started(KNOWN)
    forced = Send("master-1", Subscribe(framework_info=KNOWN, force=True))

    # It is forced as often as it has to be repeated.
    assert forced in detect(core)
    assert forced in hear(core, SUBSCRIBE)
    # Once acknowledged it never is again.
    returned(core, hear(core, REGISTERED)[-1])
    returned(core, detect(core, None)[-1])
    assert Send("master-1", Subscribe(framework_info=KNOWN)) in detect(core)


def test_any_detection_result_disconnects_once() -> None:
    """Losing the master is told once, however often nobody leads before somebody does (EL-55)."""
    core = connected()

    # The elector falls silent; the session is over, and with it what was known of the leader (EL-8).
    hear(core, SessionKept(session=5, sent_at=0.0, opened=True), ELECTOR)
    effects = hear(core, SessionExpired(session=5), ELECTOR)
    assert effects[-1] == Callback("disconnected", (), 2)
    assert returned(core, effects[-1]) == [NO_SUBSCRIBE_RETRY]
    # There is a master again, and then none; nobody was connected, so nobody is told.
    assert Link("master-2") in detect(core, OTHER)
    assert detect(core, None) == [SetTimer(DetectRetry(), 10.0), NO_SUBSCRIBE_RETRY]


def test_the_next_leader_is_asked_when_disconnected_has_returned() -> None:
    """However many leaders come while the callback runs, one is asked: the last (EL-55, EL-56)."""
    core = connected()

    # A new leader: the old connection is over, and the scheduler is told first.
    callback = detect(core, OTHER)[-1]
    assert callback == Callback("disconnected", (), 2)
    # Yet another one while user code is still thinking about that.
    third = MasterInfo(name="master-3", term=3)
    assert detect(core, third) == [NO_DETECT_RETRY]
    # It returns.
    assert returned(core, callback) == [
        Link("master-3"),
        Send("master-3", Subscribe(framework_info=KNOWN)),
        SetTimer(SubscribeRetry(), 0.0, 2.0),
    ]


def test_an_abort_in_disconnected_leaves_the_next_leader_alone() -> None:
    """A driver that its scheduler has aborted subscribes nowhere (FW-42)."""
    core = connected()
    callback = detect(core, OTHER)[-1]

    assert returned(core, callback, still_running=False) == []
    assert ask(core, AbortCall()) == []
    assert core.status is DriverStatus.DRIVER_ABORTED


# --- what the leader says ------------------------------------------------------------------------------

NEWS = [
    (ResourceOffers(offers=(OFFER,)), "resource_offers", ((OFFER,),)),
    (RescindOffer(offer_id="m1-O1"), "offer_rescinded", ("m1-O1",)),
    (UPDATE, "status_update", (RUNNING,)),
    (AgentLost(agent_id="m1-S1"), "agent_lost", ("m1-S1",)),
    (
        ExitedExecutor(agent_id="m1-S1", framework_id="m1-F1", executor_id="e1", status=9),
        "executor_lost",
        ("e1", "m1-S1", 9),
    ),
]
MESSAGES = pytest.mark.parametrize("message", [pytest.param(row[0], id=row[1]) for row in NEWS])


@pytest.mark.parametrize(("message", "callback", "arguments"), [pytest.param(*row, id=row[1]) for row in NEWS])
def test_what_the_leader_says_is_a_callback(message: object, callback: str, arguments: tuple[object]) -> None:
    """Each message has its callback, with the arguments of the driver API (2.6.1)."""
    assert hear(connected(), message) == [Callback(callback, arguments, 2)]


@MESSAGES
def test_what_anybody_else_says_is_ignored(message: object) -> None:
    """Two leaders may overlap; a driver believes the one it detected (EL-58, EL-61, 2.6.2)."""
    assert hear(connected(), message, "master-2") == []


@MESSAGES
def test_what_the_leader_says_before_it_has_registered_the_framework_is_ignored(message: object) -> None:
    """Being detected is not enough: the driver must be connected (EL-58, 2.6.2)."""
    core = started()
    detect(core)

    assert hear(core, message) == []


@pytest.mark.parametrize("driver", [connected, parted])
def test_executors_are_heard_from_wherever_they_speak(driver: Callable[[], SchedulerCore]) -> None:
    """Framework messages come straight from agents, and do not need a master (EL-58, TK-72)."""
    message = ExecutorToFramework(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi")

    callback = hear(driver(), message, "agent-1")[-1]

    assert isinstance(callback, Callback)
    assert (callback.callback, callback.arguments) == ("framework_message", ("e1", "m1-S1", "hi"))


def test_callbacks_come_one_at_a_time_in_order() -> None:
    """What arrives while user code runs waits for its turn; serials grow."""
    core = connected()
    offers = Callback("resource_offers", ((OFFER,),), 2)
    rescinded = Callback("offer_rescinded", ("m1-O1",), 3)
    lost = Callback("agent_lost", ("m1-S1",), 4)

    assert hear(core, ResourceOffers(offers=(OFFER,))) == [offers]
    assert hear(core, RescindOffer(offer_id="m1-O1")) == []
    assert hear(core, AgentLost(agent_id="m1-S1")) == []
    assert returned(core, offers) == [rescinded]
    assert returned(core, rescinded) == [lost]
    assert returned(core, lost) == []


# --- acknowledgements ----------------------------------------------------------------------------------


def test_an_update_is_acknowledged_when_its_callback_has_returned() -> None:
    """Not before: what the scheduler has not seen is not taken (TK-31)."""
    core = connected()

    callback = hear(core, UPDATE)
    assert callback == [Callback("status_update", (RUNNING,), 2)]
    assert returned(core, callback[0]) == [Send("master-1", ACKNOWLEDGED)]


def test_an_update_is_not_acknowledged_if_its_callback_stopped_the_driver() -> None:
    """The agent will send it again, to the successor (TK-31)."""
    core = connected()
    callback = hear(core, UPDATE)[-1]

    assert returned(core, callback, still_running=False) == []


def test_an_update_is_not_acknowledged_to_a_master_that_is_gone() -> None:
    """While disconnected nothing is sent; the agent will send the update again (FW-43)."""
    core = connected()
    callback = hear(core, UPDATE)[-1]
    detect(core, None)

    assert returned(core, callback) == [Callback("disconnected", (), 3)]


def test_an_update_made_by_a_master_is_not_acknowledged() -> None:
    """It has no uuid, and nobody waits for an answer (TK-21, drain.md 0.2.8)."""
    core = connected()
    status = TaskStatus(task_id="t1", state=TaskState.TASK_LOST, source=Source.SOURCE_MASTER, agent_id="m1-S1")
    update = StatusUpdate(framework_id="m1-F1", status=status, latest_state=TaskState.TASK_LOST)

    assert returned(core, hear(core, update)[-1]) == []


@pytest.mark.scenario("MesosSchedulerDriverTest.ExplicitAcknowledgements")
def test_in_explicit_mode_only_the_scheduler_acknowledges() -> None:
    """Nothing is sent until it calls acknowledge, and then exactly one message (TK-32)."""
    core = connected(implicit_acknowledgements=False)

    # TASK_RUNNING arrives, and its callback returns.
    assert returned(core, hear(core, UPDATE)[-1]) == []
    # Later the scheduler acknowledges.
    assert ask(core, AcknowledgeCall(RUNNING)) == [Send("master-1", ACKNOWLEDGED)]


@pytest.mark.scenario("HTTPCommandExecutorTest.ExplicitAcknowledgements")
def test_the_first_update_of_a_command_task_can_be_acknowledged_explicitly() -> None:
    """TASK_STARTING names its agent, and is acknowledged only when the scheduler says so (TK-32)."""
    start = ExecutorStart(
        framework_id="m1-F1",
        executor_id="t1",
        agent="agent-1",
        agent_id="m1-S1",
        info=None,
        checkpoint=False,
        shutdown_grace_s=5.0,
        sandbox="/s",
    )
    executor = CommandExecutorCore(start, SETTINGS)
    executor.handle(Started("t1@agent-1", 1), "t1@agent-1", 0.0)
    agent = AgentInfo(hostname="h1", resources="cpus:1")
    about = ExecutorRegistered(
        executor_info=ExecutorInfo(executor_id="t1"), framework_info=KNOWN, agent_info=agent
    )
    executor.handle(about, "agent-1", 0.0)
    run = RunTask(framework_id="m1-F1", framework_info=KNOWN, scheduler=DRIVER, task=TASK)
    starting = executor.handle(run, "agent-1", 0.0)[0]
    assert isinstance(starting, Send)
    assert isinstance(starting.message, StatusUpdate)
    status = starting.message.status
    core = connected(implicit_acknowledgements=False)

    # The executor's TASK_STARTING reaches the driver, as it was sent.
    assert status.state is TaskState.TASK_STARTING
    assert returned(core, hear(core, starting.message)[-1]) == []
    # The scheduler acknowledges it.
    taken = StatusUpdateAcknowledgement(
        framework_id="m1-F1", agent_id="m1-S1", task_id="t1", uuid="t1@agent-1.1:1"
    )
    assert ask(core, AcknowledgeCall(status)) == [Send("master-1", taken)]


@pytest.mark.parametrize("missing", [{"uuid": None}, {"agent_id": None}], ids=["no-uuid", "no-agent"])
def test_what_cannot_be_acknowledged_is_not(missing: dict[str, None]) -> None:
    """An explicit acknowledgement needs the update's uuid and its agent (TK-32)."""
    core = connected(implicit_acknowledgements=False)
    parts = {"agent_id": "m1-S1", "uuid": "x:1", **missing}
    status = TaskStatus(task_id="t1", state=TaskState.TASK_ERROR, **parts)

    assert ask(core, AcknowledgeCall(status)) == []


def test_acknowledging_in_implicit_mode_aborts_the_driver_and_says_why() -> None:
    """In Mesos this mistake ends the whole process (TK-32); here it ends its own driver, with an explanation."""
    core = connected()

    assert ask(core, AcknowledgeCall(RUNNING)) == [
        DEACTIVATED,
        Callback("error", (IMPLICIT_ACKNOWLEDGEMENTS,), 2),
    ]
    assert core.error == IMPLICIT_ACKNOWLEDGEMENTS


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


def rescinded() -> SchedulerCore:
    """A driver whose only offer was rescinded."""
    core = connected()
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    returned(core, hear(core, RescindOffer(offer_id="m1-O1"))[-1])
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
