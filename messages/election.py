"""What masters, agents and schedulers say to the elector, and what it answers (core.md section 2).

The elector plays ZooKeeper: a session ends when nothing was heard from its owner for the session's time-out,
and the candidacy in it ends with it. The candidate with the lowest sequence number leads. Agents only watch:
the leader's pings are their heartbeat, so they hold no session (docs/differences-from-mesos.md).
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.base import Message
from mesolite.messages.ids import ActorName
from mesolite.messages.infos import MasterInfo

ELECTOR = ActorName("elector")
"""The one name everybody knows from the start, as ZooKeeper's address is known in Mesos."""


@frozen(kw_only=True)
class KeepSession(Message):
    """Client to elector: I am here; open or prolong my session. `sent_at` comes back in the answer (EL-8)."""

    session: int | None
    timeout_s: float
    sent_at: float


@frozen(kw_only=True)
class SessionKept(Message):
    """Elector to client: the session's number, and when the heartbeat that prolonged it was sent.

    `opened`: that heartbeat opened it. Only such an answer gives a client without a session one: any other may have
    been meant for an earlier life of it (EL-11).
    """

    session: int
    sent_at: float
    opened: bool = False


@frozen(kw_only=True)
class SessionExpired(Message):
    """Elector to client: that session is over; whatever was held in it is gone (EL-9)."""

    session: int


@frozen(kw_only=True)
class JoinElection(Message):
    """Master to elector: take me as a candidate, in this session (EL-1, EL-17)."""

    session: int


@frozen(kw_only=True)
class ElectionJoined(Message):
    """Elector to master: you are a candidate; the sequence number says in which order (EL-13)."""

    sequence: int


@frozen(kw_only=True)
class LeaveElection(Message):
    """Master to elector: I withdraw (EL-15)."""

    sequence: int


@frozen(kw_only=True)
class ElectionLeft(Message):
    """Elector to master: `held` says whether there was a candidacy to withdraw (EL-10)."""

    sequence: int
    held: bool


@frozen(kw_only=True)
class DetectLeader(Message):
    """Anybody to elector: tell me when the leader differs from the term I know; None: I know of none (EL-21).

    One question is good for every later change; a repeated question replaces the earlier one.
    """

    known_term: int | None


@frozen(kw_only=True)
class LeaderDetected(Message):
    """Elector to watcher: who leads now; None is a value, not a failure (EL-22)."""

    leader: MasterInfo | None


@frozen(kw_only=True)
class ExpireSession(Message):
    """Operator to elector: end that actor's session now, as when ZooKeeper loses it (EL-9).

    An actor that only watches is told that nobody leads, and is forgotten until it asks again.
    """

    actor: ActorName
