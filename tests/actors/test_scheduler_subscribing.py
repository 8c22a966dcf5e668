"""How a scheduler driver finds its master and is subscribed with it, as lists of events with their exact effects."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.contract import (
    Callback,
    CancelTimer,
    Link,
    LinkBroken,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from mesolite.actors.decisions.detector import DetectRetry, LeaderDetector, SessionHeartbeat
from mesolite.actors.decisions.driver_calls import AbortCall, DriverStatus
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.scheduler.subscribing import SubscribeRetry
from mesolite.messages.election import ELECTOR, DetectLeader, KeepSession, SessionExpired, SessionKept
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import MasterInfo
from mesolite.messages.scheduler import FrameworkReregistered, Subscribe
from tests.actors.drivers import (
    DEACTIVATED,
    DRIVER,
    INFO,
    KNOWN,
    MASTER,
    NO_SUBSCRIBE_RETRY,
    OTHER,
    REGISTERED,
    SETTINGS,
    SUBSCRIBE,
    ask,
    connected,
    detect,
    hear,
    parted,
    returned,
    started,
)

NO_DETECT_RETRY = CancelTimer(DetectRetry())


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
