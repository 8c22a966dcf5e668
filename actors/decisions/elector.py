"""Who leads: the pure part of the elector, which plays ZooKeeper (core.md section 2).

An actor opens a session and keeps it alive; in it, it may hold one candidacy. The candidate with the lowest
sequence number leads (EL-20), and that number is its term. Anybody may watch, with or without a session.

    KeepSession(None) --> session open --JoinElection--> candidate --lowest sequence--> leader
                              |                              |
                              |                              +-- LeaveElection: candidacy gone, session stays
                              +-- nothing heard for its time-out, or ExpireSession: candidacy gone with it

Rule: every watcher has been told of the leader held here. The session of an actor that dies goes on until its
time-out, as in ZooKeeper (EL-11): the candidacy of an actor that crashed, even of one that came back, counts
until then. So a leader is known by its term; its name is not enough.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import define, frozen

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Core,
    Link,
    LinkBroken,
    PeerExited,
    SetTimer,
    Started,
    Table,
    TimerKey,
    on,
)
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
from mesolite.messages.ids import ActorName
from mesolite.messages.infos import MasterInfo

_OPERATOR = ActorName("operator")


@frozen
class SessionEnd(TimerKey):
    """The timer of a session: it may have ended."""

    PERIODIC: ClassVar[bool] = True
    session: int


@define
class Session:
    """One actor's presence, until `deadline` unless prolonged; `sequence` None: no candidacy in it."""

    number: int
    owner: ActorName
    deadline: float
    sequence: int | None = None


class ElectorCore(Core):
    """Sessions by number, candidates by sequence number, watchers by name, each in order of arrival.

    Sequence numbers only grow and are never used again (EL-1). Terms outlive the elector in the registrars'
    stores, so an elector that follows another must be given a `first_sequence` above every term ever won.
    """

    def __init__(self, settings: Settings, first_sequence: int = 1) -> None:
        """Start with nobody there."""
        super().__init__()
        self.settings = settings
        self.next_sequence = first_sequence
        self.next_session = 1
        self.sessions: dict[int, Session] = {}
        self.candidates: dict[int, Session] = {}
        # A dict for its order: what a change sets off must not depend on hashes.
        self.watchers: dict[ActorName, None] = {}
        self.leader: MasterInfo | None = None

    # --- sessions --------------------------------------------------------------------------------------

    def _keep_session(self, message: KeepSession, sender: str, now: float) -> None:
        """Open or prolong. A client that asks for less time than the settings give everybody gets that.

        It is safe: a client that gives up before its session ends here only makes others wait (EL-8, EL-11).
        """
        timeout_s = max(message.timeout_s, self.settings.session_timeout_s)
        if message.session is None:
            number = self.next_session
            self.next_session += 1
            self.sessions[number] = Session(number, ActorName(sender), now + timeout_s)
            self.effects.append(SetTimer(SessionEnd(number), timeout_s))
            self.send(sender, SessionKept(session=number, sent_at=message.sent_at, opened=True))
        elif session := self._session_of(sender, message.session):
            session.deadline = now + timeout_s
            self.send(sender, SessionKept(session=session.number, sent_at=message.sent_at))

    def _session_of(self, owner: str, number: int) -> Session | None:
        """The owner's session of that number; if it has none, it is told so."""
        session = self.sessions.get(number)
        if session is None or session.owner != owner:
            self.send(owner, SessionExpired(session=number))
            return None
        return session

    def _session_may_be_over(self, key: SessionEnd, sender: str, now: float) -> None:
        """A session may have ended. Heartbeats only move its deadline; re-arming at each would cost more."""
        session = self.sessions[key.session]
        if now < session.deadline:
            self.effects.append(SetTimer(key, session.deadline - now))
            return
        self._end(session)
        self._tell_watchers()

    def _expire_session(self, message: ExpireSession, sender: str, now: float) -> None:
        """Do by order what silence does; all sessions of the actor go, those of its earlier lives too."""
        if sender != _OPERATOR:
            return
        owned = [session for session in self.sessions.values() if session.owner == message.actor]
        for session in owned:
            self.effects.append(CancelTimer(SessionEnd(session.number)))
            self._end(session)
        if not owned and message.actor in self.watchers:
            del self.watchers[message.actor]
            self.send(message.actor, LeaderDetected(leader=None))
        self._tell_watchers()

    def _end(self, session: Session) -> None:
        del self.sessions[session.number]
        if session.sequence is not None:
            del self.candidates[session.sequence]
        # The owner hears first that it has lost its place, and only then who has it now.
        self.send(session.owner, SessionExpired(session=session.number))

    # --- candidates ------------------------------------------------------------------------------------

    def _join(self, message: JoinElection, sender: str, now: float) -> None:
        """Join once per session: asked again, the answer is the place already held (EL-17)."""
        session = self._session_of(sender, message.session)
        if session is None:
            return
        if session.sequence is None:
            session.sequence = self.next_sequence
            self.next_sequence += 1
            self.candidates[session.sequence] = session
        self.send(sender, ElectionJoined(sequence=session.sequence))
        self._tell_watchers()

    def _leave(self, message: LeaveElection, sender: str, now: float) -> None:
        """Withdraw; what is gone already, or somebody else's, was not held (EL-10, EL-15)."""
        session = self.candidates.get(message.sequence)
        if session is None or session.owner != sender:
            self.send(sender, ElectionLeft(sequence=message.sequence, held=False))
            return
        session.sequence = None
        del self.candidates[message.sequence]
        self.send(sender, ElectionLeft(sequence=message.sequence, held=True))
        self._tell_watchers()

    # --- watchers --------------------------------------------------------------------------------------

    def _detect(self, message: DetectLeader, sender: str, now: float) -> None:
        """Answer at once if the leader differs from the one known; tell of every change from now (EL-21)."""
        watcher = ActorName(sender)
        if watcher not in self.watchers:
            self.watchers[watcher] = None
            self.effects.append(Link(watcher))
        if message.known_term != (None if self.leader is None else self.leader.term):
            self.send(watcher, LeaderDetected(leader=self.leader))

    def _tell_watchers(self) -> None:
        """Tell everybody who leads now, if that is news; who comes and goes behind the leader is not."""
        leader = self._lowest()
        if leader != self.leader:
            self.leader = leader
            for watcher in self.watchers:
                self.send(watcher, LeaderDetected(leader=leader))

    def _lowest(self) -> MasterInfo | None:
        """The candidate with the lowest sequence number, who came first."""
        for sequence, session in self.candidates.items():
            return MasterInfo(name=session.owner, term=sequence)
        return None

    def _peer_exited(self, event: PeerExited, sender: str, now: float) -> None:
        """Forget a watcher that is gone; its session is left to its time-out (EL-11)."""
        self.watchers.pop(ActorName(event.name), None)

    def standing(self) -> str:
        """Whether somebody leads."""
        return "nobody leads" if self.leader is None else ""

    def check(self) -> None:
        """Assert that the lowest sequence leads, and that each candidacy belongs to a living session."""
        assert list(self.candidates) == sorted(self.candidates), "candidates out of order"
        assert self.leader == self._lowest(), "watchers were told of another leader"
        held = sorted(s.sequence for s in self.sessions.values() if s.sequence is not None)
        assert held == list(self.candidates), "candidacies and sessions disagree"

    HANDLERS: ClassVar[Table] = dict(
        [
            on(KeepSession, _keep_session),
            on(JoinElection, _join),
            on(LeaveElection, _leave),
            on(DetectLeader, _detect),
            on(ExpireSession, _expire_session),
            on(PeerExited, _peer_exited),
        ]
    )
    TIMERS: ClassVar[Table] = dict([on(SessionEnd, _session_may_be_over)])
    IGNORED = frozenset({Started, LinkBroken})
