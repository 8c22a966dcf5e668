"""The client's side of the elector: who leads, am I a candidate, have I a session (core.md section 2).

Masters, agents and schedulers each hold a `LeaderDetector`, give it every event it `handles`, and act on the
`Step` it returns. Agents hold no session: the leader's pings are their heartbeat.

                 SessionKept                           ElectionJoined
    no session -------------> session ----contend----> candidate
        ^                        |                         |
        +--- SessionExpired, or nothing answered for the time-out: leader unknown, candidacy lost, start again

Rule: the client gives up no later than the elector does. Its deadline counts from when the last answered
heartbeat was *sent*, the elector's from when it arrived (EL-8). Messages get lost: what is still wanted is
said again with each heartbeat.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import define, field, frozen

from mesolite.actors.decisions.contract import CancelTimer, Effect, LinkBroken, Send, SetTimer, TimerFired, TimerKey
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


@frozen
class SessionHeartbeat(TimerKey):
    """The session is to be kept alive (EL-8)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class SessionExpiry(TimerKey):
    """The session may have ended: nothing was answered for its time-out (EL-8)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class DetectRetry(TimerKey):
    """Nobody is known to lead: ask again."""

    PERIODIC: ClassVar[bool] = True


TIMERS = (SessionHeartbeat, SessionExpiry, DetectRetry)
"""Whoever holds a `LeaderDetector` hands these to it."""

_MESSAGES = (SessionKept, SessionExpired, ElectionJoined, ElectionLeft, LeaderDetected)

_HEARTBEATS_PER_TIMEOUT = 3
"""So one heartbeat, or its answer, may be lost and the session goes on."""


@frozen
class Step:
    """What an event meant: the effects to carry out, in order, and what the core must now think about.

    `detected`: look at `leader` and `leading` again. `candidacy_lost`: the place that was held is gone, by
    withdrawal or otherwise (EL-13).
    """

    effects: tuple[Effect, ...] = ()
    detected: bool = False
    candidacy_lost: bool = False


@define
class LeaderDetector:
    """What one actor knows of the election. `session_timeout_s` None: it watches only, without a session.

    `leader` None: nobody leads, or it is not known who does. `candidacy`: the sequence number held.
    `session`: the number of the open session. `contend` says whether a candidacy is wanted from the start.
    """

    session_timeout_s: float | None
    detect_retry_s: float
    _contending: bool = field(default=False, alias="contend")
    leader: MasterInfo | None = field(default=None, init=False)
    candidacy: int | None = field(default=None, init=False)
    session: int | None = field(default=None, init=False)
    _opened_at: float = field(default=0.0, init=False)
    _deadline: float = field(default=0.0, init=False)

    @property
    def leading(self) -> bool:
        """Whether the leader is this very actor: by term, for an earlier life of it had the same name."""
        return self.leader is not None and self.leader.term == self.candidacy

    def is_safe(self, now: float) -> bool:
        """Whether the session goes on if the next heartbeat is answered: it does not end before that."""
        timeout_s = self.session_timeout_s
        return timeout_s is not None and self._deadline - now > timeout_s / _HEARTBEATS_PER_TIMEOUT

    # --- what the core wants ---------------------------------------------------------------------------

    def start(self, now: float) -> Step:
        """Open a session, if there is to be one, and ask who leads; contending follows once it is open."""
        return Step(self._begin(now))

    def contend(self, now: float) -> Step:
        """Want a candidacy, now or as soon as there is a session; wanting it twice is wanting it (EL-17)."""
        assert self.session_timeout_s is not None, "a candidacy needs a session: give a session_timeout_s"
        if self._contending:
            return Step()
        self._contending = True
        return Step(self._pursue())

    def withdraw(self, now: float) -> Step:
        """Want no candidacy any more; it is held until the elector answers or the session is over (EL-15)."""
        if not self._contending:
            return Step()
        self._contending = False
        return Step(self._pursue())

    def redetect(self, now: float) -> Step:
        """Forget the leader and ask as if for the first time: the same one is then news (drain.md 0.2.3)."""
        self.leader = None
        return Step((self._ask(), SetTimer(DetectRetry(), self.detect_retry_s)))

    def refresh(self) -> Step:
        """Ask whether the leader has changed, in case the notification was lost; no answer means no."""
        return Step((self._ask(),))

    # --- what happens ----------------------------------------------------------------------------------

    def handles(self, event: object) -> bool:
        """Whether an event belongs here: the elector's messages, its link, and the three timers."""
        if type(event) is TimerFired:
            return type(event.key) in TIMERS
        return isinstance(event, _MESSAGES) or (type(event) is LinkBroken and event.name == ELECTOR)

    def handle(self, event: object, sender: str, now: float) -> Step:
        """Take in an event that this watch `handles`; messages not from the elector change nothing."""
        if isinstance(event, TimerFired):
            return self.fired(event.key, now)
        if sender != ELECTOR:
            return Step()
        match event:
            case LinkBroken():
                return self.refresh()  # news may have been lost
            case SessionKept():
                return self._session_kept(event, now)
            case SessionExpired() if event.session == self.session:
                return self._session_over(now)
            case ElectionJoined():
                return self._joined(event.sequence)
            case ElectionLeft() if event.sequence == self.candidacy:
                self.candidacy = None
                return Step(self._pursue(), candidacy_lost=True)
            case LeaderDetected():
                return self._detected(event.leader)
        return Step()

    def fired(self, key: TimerKey, now: float) -> Step:
        """One of the timers came due."""
        if type(key) is SessionHeartbeat:
            asked = () if self.leader is None else (self._ask(),)
            return Step((*self._heartbeat(now), *self._pursue(), *asked))
        if type(key) is DetectRetry:
            return Step((self._ask(), SetTimer(DetectRetry(), self.detect_retry_s)))
        if now < self._deadline:
            # Heartbeats were answered since: they only moved the deadline.
            return Step((SetTimer(SessionExpiry(), self._deadline - now),))
        return self._session_over(now)

    def _session_kept(self, message: SessionKept, now: float) -> Step:
        """Count from when the heartbeat was sent; an answer to an earlier life or too late opens nothing."""
        if self.session_timeout_s is None:
            return Step()
        deadline = message.sent_at + self.session_timeout_s
        if message.session == self.session:
            self._deadline = max(self._deadline, deadline)
            return Step()
        meant_for_us = message.opened and message.sent_at >= self._opened_at
        if self.session is not None or not meant_for_us or deadline <= now:
            return Step()
        self.session = message.session
        self._deadline = deadline
        return Step((SetTimer(SessionExpiry(), deadline - now), *self._pursue()))

    def _session_over(self, now: float) -> Step:
        """The session has ended, by the elector's word or by its silence: forget all and start again (EL-9).

        A lost candidacy is not sought again unless the core says so: a leader has to exit instead (EL-30,
        EL-32). One that was wanted and never obtained is still wanted (EL-6).
        """
        detected, lost = self.leader is not None, self.candidacy is not None
        self.leader = self.candidacy = self.session = None
        self._contending = self._contending and not lost
        return Step((CancelTimer(SessionExpiry()), *self._begin(now)), detected=detected, candidacy_lost=lost)

    def _joined(self, sequence: int) -> Step:
        """A place in the election; without a session it was meant for one that is over, or an earlier life.

        If the news of who leads came first, it is only now that this actor can see itself in it.
        """
        if self.session is None:
            return Step()
        led = self.leading
        self.candidacy = sequence
        return Step(self._pursue(), detected=self.leading and not led)

    def _detected(self, leader: MasterInfo | None) -> Step:
        if leader == self.leader:
            return Step()
        self.leader = leader
        again = SetTimer(DetectRetry(), self.detect_retry_s)
        return Step((again if leader is None else CancelTimer(DetectRetry()),), detected=True)

    # --- what is said ----------------------------------------------------------------------------------

    def _begin(self, now: float) -> tuple[Effect, ...]:
        self._opened_at = now
        session = () if self.session_timeout_s is None else self._heartbeat(now)
        return (*session, self._ask(), SetTimer(DetectRetry(), self.detect_retry_s))

    def _heartbeat(self, now: float) -> tuple[Effect, ...]:
        assert self.session_timeout_s is not None, "a watch without a session has no heartbeat"
        alive = KeepSession(session=self.session, timeout_s=self.session_timeout_s, sent_at=now)
        again = SetTimer(SessionHeartbeat(), self.session_timeout_s / _HEARTBEATS_PER_TIMEOUT)
        return (Send(ELECTOR, alive), again)

    def _pursue(self) -> tuple[Effect, ...]:
        """Close the gap between the candidacy that is wanted and the one that is held."""
        if self.session is not None and self._contending and self.candidacy is None:
            return (Send(ELECTOR, JoinElection(session=self.session)),)
        if not self._contending and self.candidacy is not None:
            return (Send(ELECTOR, LeaveElection(sequence=self.candidacy)),)
        return ()

    def _ask(self) -> Send:
        return Send(ELECTOR, DetectLeader(known_term=None if self.leader is None else self.leader.term))
