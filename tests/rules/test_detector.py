"""The client's side of the elector, one event at a time."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.contract import CancelTimer, LinkBroken, Send, SetTimer, TimerFired
from mesolite.actors.decisions.detector import (
    DetectRetry,
    LeaderDetector,
    SessionExpiry,
    SessionHeartbeat,
    Step,
)
from mesolite.actors.decisions.master.timers import PingBatch
from mesolite.messages.election import (
    ELECTOR,
    DetectLeader,
    ElectionJoined,
    ElectionLeft,
    JoinElection,
    KeepSession,
    LeaderDetected,
    LeaveElection,
    SessionExpired,
    SessionKept,
)
from mesolite.messages.infos import MasterInfo

TIMEOUT_S = 9.0
RETRY_S = 5.0

HEARTBEAT = TimerFired(SessionHeartbeat())
EXPIRY = TimerFired(SessionExpiry())
DETECT_RETRY = TimerFired(DetectRetry())

NEXT_HEARTBEAT = SetTimer(SessionHeartbeat(), 3.0)
NEXT_RETRY = SetTimer(DetectRetry(), RETRY_S)
NO_RETRY = CancelTimer(DetectRetry())
NO_EXPIRY = CancelTimer(SessionExpiry())


def keep(session: int | None, sent_at: float) -> Send:
    return Send(ELECTOR, KeepSession(session=session, timeout_s=TIMEOUT_S, sent_at=sent_at))


def join(session: int) -> Send:
    return Send(ELECTOR, JoinElection(session=session))


def leave(sequence: int) -> Send:
    return Send(ELECTOR, LeaveElection(sequence=sequence))


def ask(known_term: int | None) -> Send:
    return Send(ELECTOR, DetectLeader(known_term=known_term))


def leads(name: str, term: int) -> LeaderDetected:
    return LeaderDetected(leader=MasterInfo(name=name, term=term))


NOBODY_LEADS = LeaderDetected(leader=None)


def candidate(sequence: int = 4) -> LeaderDetector:
    """A master since time 0, in session 1, who was told its place in the election."""
    watch = LeaderDetector(TIMEOUT_S, RETRY_S, contend=True)
    watch.start(0.0)
    watch.handle(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.0)
    watch.handle(ElectionJoined(sequence=sequence), ELECTOR, 0.0)
    return watch


def test_a_master_opens_a_session_joins_in_it_and_sees_itself_lead() -> None:
    """Contending and detecting begin together; a place in the election is not yet the lead (EL-13, EL-29)."""
    watch = LeaderDetector(TIMEOUT_S, RETRY_S, contend=True)

    assert watch.start(0.0) == Step((keep(None, 0.0), NEXT_HEARTBEAT, ask(None), NEXT_RETRY))
    # The deadline counts from when the heartbeat was sent, so a second of it has passed (EL-8).
    assert watch.handle(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 1.0) == Step(
        (SetTimer(SessionExpiry(), 8.0), join(1))
    )
    assert watch.handle(ElectionJoined(sequence=4), ELECTOR, 2.0) == Step()
    assert (watch.session, watch.candidacy, watch.leading) == (1, 4, False)
    assert watch.handle(leads("master-1", 4), ELECTOR, 2.0) == Step((NO_RETRY,), detected=True)
    assert watch.leading


def test_an_agent_only_asks_and_asks_again_while_nobody_is_known_to_lead() -> None:
    """Without a session there are no heartbeats; the question may be lost, and so may the answer."""
    watch = LeaderDetector(None, RETRY_S)

    assert watch.start(0.0) == Step((ask(None), NEXT_RETRY))
    assert watch.handle(DETECT_RETRY, "agent-1", 5.0) == Step((ask(None), NEXT_RETRY))
    assert watch.handle(leads("master-1", 1), ELECTOR, 6.0) == Step((NO_RETRY,), detected=True)
    # Told the same again, it has heard nothing new.
    assert watch.handle(leads("master-1", 1), ELECTOR, 7.0) == Step()
    # Nobody leads: that is news, and a reason to ask (EL-22).
    assert watch.handle(NOBODY_LEADS, ELECTOR, 8.0) == Step((NEXT_RETRY,), detected=True)
    assert watch.leader is None


def test_the_same_master_in_another_term_is_another_leader() -> None:
    """It crashed and was elected again: whoever follows it must register with its new life."""
    watch = LeaderDetector(None, RETRY_S)
    watch.handle(leads("master-1", 1), ELECTOR, 0.0)

    assert watch.handle(leads("master-1", 2), ELECTOR, 1.0) == Step((NO_RETRY,), detected=True)


def test_a_heartbeat_says_again_whatever_is_still_wanted() -> None:
    """Any message may be lost: an unanswered join is repeated, a leader that may be old is asked about."""
    watch = LeaderDetector(TIMEOUT_S, RETRY_S, contend=True)
    watch.start(0.0)

    # No answer to the first heartbeat.
    assert watch.handle(HEARTBEAT, "master-1", 3.0) == Step((keep(None, 3.0), NEXT_HEARTBEAT))
    watch.handle(SessionKept(session=2, sent_at=3.0, opened=True), ELECTOR, 3.0)
    # No answer to the join.
    assert watch.handle(HEARTBEAT, "master-1", 6.0) == Step((keep(2, 6.0), NEXT_HEARTBEAT, join(2)))
    watch.handle(ElectionJoined(sequence=4), ELECTOR, 6.0)
    watch.handle(leads("master-1", 4), ELECTOR, 6.0)
    # Nothing to be wanted but to hear of a change.
    assert watch.handle(HEARTBEAT, "master-1", 9.0) == Step((keep(2, 9.0), NEXT_HEARTBEAT, ask(4)))


def test_the_expiry_timer_is_armed_again_by_the_deadline_that_answers_have_moved() -> None:
    """One timer per time-out, not one per heartbeat; the deadline is that of the last answered one (EL-8)."""
    watch = candidate()

    # Heartbeats at 3 and 6, of which only the first is answered.
    watch.handle(HEARTBEAT, "master-1", 3.0)
    assert watch.handle(SessionKept(session=1, sent_at=3.0), ELECTOR, 3.5) == Step()
    watch.handle(HEARTBEAT, "master-1", 6.0)
    assert watch.handle(EXPIRY, "master-1", 9.0) == Step((SetTimer(SessionExpiry(), 3.0),))
    # An answer that was overtaken does not bring the deadline back.
    watch.handle(SessionKept(session=1, sent_at=6.0), ELECTOR, 10.0)
    watch.handle(SessionKept(session=1, sent_at=3.0), ELECTOR, 10.0)
    assert watch.handle(EXPIRY, "master-1", 12.0) == Step((SetTimer(SessionExpiry(), 3.0),))


def test_a_client_that_hears_nothing_gives_up_by_itself_and_starts_again() -> None:
    """It knows no leader and has lost its place, without a word from the elector (EL-8, EL-9)."""
    watch = candidate(sequence=4)
    watch.handle(leads("master-1", 4), ELECTOR, 0.0)

    assert watch.handle(EXPIRY, "master-1", 9.0) == Step(
        (NO_EXPIRY, keep(None, 9.0), NEXT_HEARTBEAT, ask(None), NEXT_RETRY),
        detected=True,
        candidacy_lost=True,
    )
    assert (watch.session, watch.candidacy, watch.leader) == (None, None, None)
    # A new session, and no place in the election: the core has to want one again (EL-30).
    assert watch.handle(SessionKept(session=2, sent_at=9.0, opened=True), ELECTOR, 9.0) == Step(
        (SetTimer(SessionExpiry(), 9.0),)
    )
    assert watch.contend(9.5) == Step((join(2),))


def test_the_elector_can_end_a_session_only_by_its_number() -> None:
    """The end of a session of an earlier life, told to the name they share, means nothing (LP-11)."""
    watch = candidate()

    assert watch.handle(SessionExpired(session=7), ELECTOR, 1.0) == Step()
    assert watch.handle(SessionExpired(session=1), ELECTOR, 1.0) == Step(
        (NO_EXPIRY, keep(None, 1.0), NEXT_HEARTBEAT, ask(None), NEXT_RETRY), candidacy_lost=True
    )


def test_a_place_that_was_wanted_but_not_obtained_is_still_wanted_in_the_next_session() -> None:
    """Joining waits for a connection; nothing was lost, so the core need not ask again (EL-6)."""
    watch = LeaderDetector(TIMEOUT_S, RETRY_S, contend=True)
    watch.start(0.0)
    watch.handle(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.0)

    assert not watch.handle(EXPIRY, "master-1", 9.0).candidacy_lost
    assert watch.handle(SessionKept(session=2, sent_at=9.0, opened=True), ELECTOR, 9.0) == Step(
        (SetTimer(SessionExpiry(), 9.0), join(2))
    )


def test_answers_to_an_earlier_life_or_an_earlier_session_open_nothing() -> None:
    """A restarted master under an old name must not take over its predecessor's session or place (LP-11)."""
    watch = LeaderDetector(TIMEOUT_S, RETRY_S, contend=True)
    watch.start(20.0)

    # The answer to a heartbeat of the life before.
    assert watch.handle(SessionKept(session=1, sent_at=19.0, opened=True), ELECTOR, 20.5) == Step()
    # The same at the very instant at which this life began: it prolonged a session, and opened none.
    assert watch.handle(SessionKept(session=1, sent_at=20.0), ELECTOR, 20.0) == Step()
    # The place of the life before.
    assert watch.handle(ElectionJoined(sequence=1), ELECTOR, 20.5) == Step()
    # An answer that took longer than the session lives.
    assert watch.handle(SessionKept(session=2, sent_at=20.0, opened=True), ELECTOR, 29.0) == Step()
    assert (watch.session, watch.candidacy) == (None, None)
    # The first good answer opens the session; a second one, to a repeated heartbeat, is left to its time-out.
    watch.handle(SessionKept(session=3, sent_at=26.0, opened=True), ELECTOR, 29.0)
    assert watch.handle(SessionKept(session=4, sent_at=26.0, opened=True), ELECTOR, 29.0) == Step()
    assert watch.session == 3


def test_a_leader_that_hears_of_its_lead_before_its_place_sees_it_in_the_end() -> None:
    """The answer to the join was lost, and comes with the next heartbeat: that is a detection as well."""
    watch = LeaderDetector(TIMEOUT_S, RETRY_S, contend=True)
    watch.start(0.0)
    watch.handle(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.0)

    watch.handle(leads("master-1", 4), ELECTOR, 0.0)
    assert not watch.leading
    assert watch.handle(ElectionJoined(sequence=4), ELECTOR, 3.0) == Step(detected=True)
    assert watch.leading
    # The same answer again changes nothing.
    assert watch.handle(ElectionJoined(sequence=4), ELECTOR, 3.0) == Step()


def test_withdrawing_gives_up_the_place_when_the_elector_has_answered() -> None:
    """Until then it is held, for the elector may not have heard; repeated calls share one answer (EL-15)."""
    watch = candidate(sequence=4)

    assert watch.withdraw(1.0) == Step((leave(4),))
    assert watch.withdraw(1.0) == Step()
    assert watch.candidacy == 4
    # The message or its answer was lost.
    assert watch.handle(HEARTBEAT, "master-1", 3.0) == Step((keep(1, 3.0), NEXT_HEARTBEAT, leave(4)))
    assert watch.handle(ElectionLeft(sequence=4, held=False), ELECTOR, 3.0) == Step(candidacy_lost=True)
    assert watch.handle(ElectionLeft(sequence=4, held=False), ELECTOR, 3.0) == Step()
    assert watch.handle(HEARTBEAT, "master-1", 6.0) == Step((keep(1, 6.0), NEXT_HEARTBEAT))


def test_withdrawing_while_the_join_is_under_way_leaves_as_soon_as_the_place_is_known() -> None:
    """The membership is cancelled once obtained (EL-15); without a session there is nothing to cancel."""
    early, late = (LeaderDetector(TIMEOUT_S, RETRY_S, contend=True) for _ in range(2))
    early.start(0.0)
    late.start(0.0)
    late.handle(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.0)

    assert early.withdraw(0.0) == Step()
    assert early.handle(SessionKept(session=2, sent_at=0.0, opened=True), ELECTOR, 0.0) == Step(
        (SetTimer(SessionExpiry(), 9.0),)
    )
    assert late.withdraw(0.0) == Step()
    assert late.handle(ElectionJoined(sequence=4), ELECTOR, 0.0) == Step((leave(4),))


def test_contending_again_while_withdrawing_joins_anew_after_the_answer() -> None:
    """With a higher sequence number: the earlier place was given up (EL-17)."""
    watch = candidate(sequence=4)

    watch.withdraw(1.0)
    assert watch.contend(1.0) == Step()
    assert watch.handle(ElectionLeft(sequence=4, held=True), ELECTOR, 1.0) == Step((join(1),), candidacy_lost=True)


def test_after_a_redetection_the_same_leader_is_news() -> None:
    """That is how an agent makes itself register again (drain.md 0.2.3)."""
    watch = LeaderDetector(None, RETRY_S)
    watch.handle(leads("master-1", 1), ELECTOR, 0.0)

    assert watch.redetect(1.0) == Step((ask(None), NEXT_RETRY))
    assert watch.leader is None
    assert watch.handle(leads("master-1", 1), ELECTOR, 1.0) == Step((NO_RETRY,), detected=True)


def test_a_refresh_asks_with_the_leader_that_is_known() -> None:
    """So it costs one message and is answered only if a notification was lost."""
    watch = LeaderDetector(None, RETRY_S)

    assert watch.refresh() == Step((ask(None),))
    watch.handle(leads("master-1", 1), ELECTOR, 0.0)
    assert watch.refresh() == Step((ask(1),))


def test_what_does_not_come_from_the_elector_is_not_believed() -> None:
    """Nobody else can appoint a leader, end a session or take a place away."""
    watch = candidate()

    assert watch.handle(leads("master-2", 9), "master-2", 1.0) == Step()
    assert watch.handle(SessionExpired(session=1), "master-2", 1.0) == Step()
    assert watch.handle(ElectionLeft(sequence=4, held=True), "master-2", 1.0) == Step()
    assert (watch.leader, watch.session, watch.candidacy) == (None, 1, 4)


def test_a_session_that_an_agent_never_asked_for_is_not_taken() -> None:
    """Its name may have belonged to an actor that held one (LP-11)."""
    watch = LeaderDetector(None, RETRY_S)
    watch.start(0.0)

    assert watch.handle(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.0) == Step()
    assert watch.session is None


def test_a_watch_handles_the_electors_messages_and_its_own_timers_only() -> None:
    """What a core gives it, and what it keeps for itself."""
    watch = LeaderDetector(None, RETRY_S)

    assert all(watch.handles(event) for event in (NOBODY_LEADS, HEARTBEAT, EXPIRY, DETECT_RETRY))
    assert not watch.handles(TimerFired(PingBatch(1)))
    assert not watch.handles(LinkBroken("master-1"))
    assert not watch.handles(DetectLeader(known_term=None))


def test_a_broken_link_to_the_elector_is_a_reason_to_ask() -> None:
    """News of another leader may have been lost with it (LP-28); no answer means that there is none."""
    watch = LeaderDetector(None, RETRY_S)
    watch.start(0.0)
    watch.handle(leads("master-1", 1), ELECTOR, 0.0)
    broken = LinkBroken(ELECTOR)

    assert watch.handles(broken)
    assert watch.handle(broken, ELECTOR, 5.0) == Step((ask(1),))
    assert watch.leader is not None


def test_a_candidacy_needs_a_session() -> None:
    """Without one it would never end when its owner does; to want it is a programming error."""
    with pytest.raises(AssertionError, match="a candidacy needs a session"):
        LeaderDetector(None, RETRY_S).contend(0.0)
