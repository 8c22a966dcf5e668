"""The operator's actor: puts calls and queries before the master that leads, and passes the answers on.

Rule: it repeats nothing. A call whose master died before it answered may or may not have been carried out; every
call is safe to make again, and only the person who made it knows whether it is still wanted.

    PlaceCall, PlaceQuery --> sent, master linked --CallAnswered, QueryAnswered--> replied
                                                  --PeerExited--> replied: the master died
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import Core, Link, LinkBroken, PeerExited, Reply, Started, Table, on
from mesolite.messages.base import Query
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QueryAnswered

MASTER_DIED = 0
"""The code of an answer that no master gave."""


@frozen
class PlaceCall:
    """Put this call before that master."""

    master: str
    call: Any


@frozen
class PlaceQuery:
    """Put this query before that master."""

    master: str
    query: Any


class OperatorCore(Core):
    """What was asked and is not answered, by number: of which master, and whether it was only a query."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        super().__init__()
        self.asked: dict[int, tuple[str, bool]] = {}

    def _place(self, event: PlaceCall, sender: str, now: float) -> None:
        self._put(event.master, event.call)

    def _place_query(self, event: PlaceQuery, sender: str, now: float) -> None:
        self._put(event.master, event.query)

    def _put(self, master: str, call: Any) -> None:
        self.asked[call.call_id] = master, isinstance(call, Query)
        self.effects.append(Link(master))
        self.send(master, call)

    def _answered(self, event: CallAnswered | QueryAnswered, sender: str, now: float) -> None:
        master, _ = self.asked.get(event.call_id, ("", False))
        if master == sender:
            del self.asked[event.call_id]
            self.effects.append(Reply(event))

    def _exited(self, event: PeerExited, sender: str, now: float) -> None:
        died = f"{event.name} died before it answered"
        for call_id, (master, only_a_query) in list(self.asked.items()):
            if master == event.name:
                del self.asked[call_id]
                answer = QueryAnswered if only_a_query else CallAnswered
                self.effects.append(Reply(answer(call_id=call_id, code=MASTER_DIED, refusal=died)))

    HANDLERS: ClassVar[Table] = dict(
        [
            on(PlaceCall, _place),
            on(PlaceQuery, _place_query),
            on(CallAnswered, _answered),
            on(QueryAnswered, _answered),
            on(PeerExited, _exited),
        ]
    )
    IGNORED = frozenset({Started, LinkBroken})
