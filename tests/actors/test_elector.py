"""The elector alone: sessions, candidacies and watches, one event at a time."""

from __future__ import annotations

from mesolite.actors.decisions.contract import CancelTimer, Link, PeerExited, Send, SetTimer, TimerFired
from mesolite.actors.decisions.elector import ElectorCore, SessionEnd
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.election import (
    DetectLeader,
    ElectionJoined,
    ElectionLeft,
    ExpireSession,
    JoinElection,
    KeepSession,
    LeaderDetected,
    LeaveElection,
    SessionExpired,
    SessionKept,
)
from mesolite.messages.infos import MasterInfo

TIMEOUT_S = 10.0


def elector(first_sequence: int = 1) -> ElectorCore:
    return ElectorCore(Settings.mesos(), first_sequence)


def keep(session: int | None = None, sent_at: float = 0.0, timeout_s: float = TIMEOUT_S) -> KeepSession:
    return KeepSession(session=session, timeout_s=timeout_s, sent_at=sent_at)


def leads(name: str, term: int) -> LeaderDetected:
    return LeaderDetected(leader=MasterInfo(name=name, term=term))


NOBODY_LEADS = LeaderDetected(leader=None)


def with_candidates(*masters: str) -> ElectorCore:
    """Master n has session n and sequence number n, since time 0."""
    core = elector()
    for number, master in enumerate(masters, start=1):
        core.handle(keep(), master, 0.0)
        core.handle(JoinElection(session=number), master, 0.0)
    core.check()
    return core


def test_a_session_is_opened_prolonged_and_ends_when_nothing_more_is_heard() -> None:
    """A session lives for its time-out after the last heartbeat, with one timer at a time (EL-8, EL-28)."""
    core = elector()

    # The first heartbeat opens it, and is answered with its number and the time it was sent.
    assert core.handle(keep(None, 0.0), "master-1", 0.5) == [
        SetTimer(SessionEnd(1), 10.0),
        Send("master-1", SessionKept(session=1, sent_at=0.0, opened=True)),
    ]
    # The next one, three seconds later, sets no timer.
    assert core.handle(keep(1, 3.5), "master-1", 3.5) == [Send("master-1", SessionKept(session=1, sent_at=3.5))]
    # The timer of the first finds that the second has moved the deadline to 13.5.
    assert core.handle(TimerFired(SessionEnd(1)), "elector", 10.5) == [SetTimer(SessionEnd(1), 3.0)]
    # Nothing more came.
    assert core.handle(TimerFired(SessionEnd(1)), "elector", 13.5) == [Send("master-1", SessionExpired(session=1))]
    # A heartbeat on its way at that time comes too late.
    assert core.handle(keep(1, 13.4), "master-1", 13.6) == [Send("master-1", SessionExpired(session=1))]


def test_a_client_may_ask_for_more_time_than_the_settings_give_but_gets_no_less() -> None:
    """As with ZooKeeper's smallest time-out: the client that gives up earlier only makes others wait."""
    core = elector()

    assert core.handle(keep(timeout_s=30.0), "a", 0.0)[0] == SetTimer(SessionEnd(1), 30.0)
    assert core.handle(keep(timeout_s=1.0), "b", 0.0)[0] == SetTimer(SessionEnd(2), 10.0)


def test_a_session_belongs_to_the_actor_that_opened_it() -> None:
    """Nobody can prolong, or join in, a session of somebody else."""
    core = elector()
    core.handle(keep(), "master-1", 0.0)

    assert core.handle(keep(1), "master-2", 1.0) == [Send("master-2", SessionExpired(session=1))]
    assert core.handle(JoinElection(session=1), "master-2", 1.0) == [Send("master-2", SessionExpired(session=1))]


def test_the_first_to_join_leads_and_a_newcomer_does_not_displace_it() -> None:
    """The lowest sequence number leads, whoever comes later (EL-1, EL-20)."""
    core = elector(first_sequence=7)
    core.handle(keep(), "master-1", 0.0)
    core.handle(keep(), "master-2", 0.0)
    core.handle(DetectLeader(known_term=None), "agent-1", 0.0)

    # The answer to the candidate goes out before anybody hears that it leads.
    assert core.handle(JoinElection(session=1), "master-1", 1.0) == [
        Send("master-1", ElectionJoined(sequence=7)),
        Send("agent-1", leads("master-1", 7)),
    ]
    assert core.handle(JoinElection(session=2), "master-2", 1.0) == [Send("master-2", ElectionJoined(sequence=8))]


def test_joining_twice_in_a_session_gives_the_same_place() -> None:
    """A candidate that repeats itself, for an answer was lost, is not in the election twice (EL-17)."""
    core = with_candidates("master-1")

    assert core.handle(JoinElection(session=1), "master-1", 1.0) == [Send("master-1", ElectionJoined(sequence=1))]
    # One withdrawal and nothing is left; a place given up is never given again (EL-1).
    core.handle(LeaveElection(sequence=1), "master-1", 2.0)
    assert core.leader is None
    assert core.handle(JoinElection(session=1), "master-1", 3.0) == [Send("master-1", ElectionJoined(sequence=2))]


def test_leaving_is_answered_true_only_for_a_place_that_was_held() -> None:
    """Somebody else's place, or one already gone, cannot be given up: false, and no change (EL-10, EL-15)."""
    core = with_candidates("master-1", "master-2")

    assert core.handle(LeaveElection(sequence=1), "master-2", 1.0) == [
        Send("master-2", ElectionLeft(sequence=1, held=False))
    ]
    assert core.handle(LeaveElection(sequence=1), "master-1", 1.0) == [
        Send("master-1", ElectionLeft(sequence=1, held=True))
    ]
    assert core.handle(LeaveElection(sequence=1), "master-1", 1.0) == [
        Send("master-1", ElectionLeft(sequence=1, held=False))
    ]
    assert core.leader == MasterInfo(name="master-2", term=2)


def test_when_the_leaders_session_ends_it_hears_so_before_anybody_hears_of_the_next() -> None:
    """The place goes with the session; the loser is told first, then the watchers, in their order (EL-9)."""
    core = with_candidates("master-1", "master-2")
    for watcher in ("scheduler", "master-1", "agent-1"):
        core.handle(DetectLeader(known_term=1), watcher, 0.0)
    core.handle(keep(2, 5.0), "master-2", 5.0)

    assert core.handle(TimerFired(SessionEnd(1)), "elector", 10.0) == [
        Send("master-1", SessionExpired(session=1)),
        Send("scheduler", leads("master-2", 2)),
        Send("master-1", leads("master-2", 2)),
        Send("agent-1", leads("master-2", 2)),
    ]
    # Nobody is left.
    assert core.handle(TimerFired(SessionEnd(2)), "elector", 15.0) == [
        Send("master-2", SessionExpired(session=2)),
        Send("scheduler", NOBODY_LEADS),
        Send("master-1", NOBODY_LEADS),
        Send("agent-1", NOBODY_LEADS),
    ]


def test_the_place_of_a_crashed_master_counts_until_its_session_ends_even_if_it_came_back() -> None:
    """Its new life has a session and a sequence number of its own; only the term tells them apart (EL-2, EL-11)."""
    core = with_candidates("master-1")

    # It crashed and came back after 4 s: a newcomer under an old name.
    assert core.handle(keep(None, 4.0), "master-1", 4.0) == [
        SetTimer(SessionEnd(2), 10.0),
        Send("master-1", SessionKept(session=2, sent_at=4.0, opened=True)),
    ]
    assert core.handle(JoinElection(session=2), "master-1", 4.0) == [Send("master-1", ElectionJoined(sequence=2))]
    # It is told of a leader of its name, in a term that is not its own.
    assert core.handle(DetectLeader(known_term=None), "master-1", 4.0) == [
        Link("master-1"),
        Send("master-1", leads("master-1", 1)),
    ]
    # Only now the old session ends, and the new life leads.
    assert core.handle(TimerFired(SessionEnd(1)), "elector", 10.0) == [
        Send("master-1", SessionExpired(session=1)),
        Send("master-1", leads("master-1", 2)),
    ]


def test_a_question_is_answered_at_once_only_if_the_leader_is_another_than_the_one_known() -> None:
    """Otherwise it is remembered; asking again makes neither a link nor a second watcher (EL-21, EL-22)."""
    core = with_candidates("master-1")

    # The known leader leads.
    assert core.handle(DetectLeader(known_term=1), "agent-1", 1.0) == [Link("agent-1")]
    # An agent that wants to hear it again, to register again (drain.md 0.2.3).
    assert core.handle(DetectLeader(known_term=None), "agent-1", 2.0) == [Send("agent-1", leads("master-1", 1))]
    # One change, one message, however often it asked.
    core.handle(DetectLeader(known_term=1), "agent-1", 3.0)
    assert core.handle(LeaveElection(sequence=1), "master-1", 4.0) == [
        Send("master-1", ElectionLeft(sequence=1, held=True)),
        Send("agent-1", NOBODY_LEADS),
    ]
    # That nobody leads is an answer for somebody who believes in a leader, and no news for the others.
    assert core.handle(DetectLeader(known_term=1), "agent-1", 5.0) == [Send("agent-1", NOBODY_LEADS)]
    assert core.handle(DetectLeader(known_term=None), "agent-1", 6.0) == []


def test_a_watcher_that_has_gone_is_forgotten_but_its_session_is_not() -> None:
    """A broken link ends a watch; a session ends by its time-out only (EL-11)."""
    core = with_candidates("master-1", "master-2")
    core.handle(DetectLeader(known_term=1), "agent-1", 0.0)
    core.handle(DetectLeader(known_term=1), "master-2", 0.0)

    assert core.handle(PeerExited("agent-1", 0), "agent-1", 1.0) == []
    assert core.handle(PeerExited("master-2", 0), "master-2", 1.0) == []
    assert core.handle(LeaveElection(sequence=1), "master-1", 2.0) == [
        Send("master-1", ElectionLeft(sequence=1, held=True))
    ]
    # The master that exited leads: its session is still there. One that asks is linked anew.
    assert core.handle(DetectLeader(known_term=None), "agent-1", 3.0) == [
        Link("agent-1"),
        Send("agent-1", leads("master-2", 2)),
    ]


def test_the_operator_can_end_every_session_of_an_actor() -> None:
    """Those of its earlier lives too, and their timers; watchers hear of the outcome once."""
    core = with_candidates("master-1", "master-1", "master-2")
    core.handle(DetectLeader(known_term=1), "agent-1", 0.0)

    assert core.handle(ExpireSession(actor="master-1"), "operator", 1.0) == [
        CancelTimer(SessionEnd(1)),
        Send("master-1", SessionExpired(session=1)),
        CancelTimer(SessionEnd(2)),
        Send("master-1", SessionExpired(session=2)),
        Send("agent-1", leads("master-2", 3)),
    ]


def test_only_the_operator_can_end_sessions() -> None:
    """Anybody else who says so is not heard; an actor without session or watch has nothing to lose."""
    core = with_candidates("master-1")

    assert core.handle(ExpireSession(actor="master-1"), "master-2", 1.0) == []
    assert core.handle(ExpireSession(actor="nobody"), "operator", 1.0) == []
    assert core.leader == MasterInfo(name="master-1", term=1)


def test_a_mere_watcher_loses_its_watch_by_order_and_hears_nothing_until_it_asks_again() -> None:
    """It is told that nobody leads, as the watchers of an expired ZooKeeper session are (EL-9)."""
    core = with_candidates("master-1", "master-2")
    core.handle(DetectLeader(known_term=1), "agent-1", 0.0)

    assert core.handle(ExpireSession(actor="agent-1"), "operator", 1.0) == [Send("agent-1", NOBODY_LEADS)]
    assert core.handle(LeaveElection(sequence=1), "master-1", 2.0) == [
        Send("master-1", ElectionLeft(sequence=1, held=True))
    ]
    assert core.handle(DetectLeader(known_term=None), "agent-1", 3.0) == [
        Link("agent-1"),
        Send("agent-1", leads("master-2", 2)),
    ]
