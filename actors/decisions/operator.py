"""The operator's party: puts calls before the master that leads, and keeps the answers for whoever waits.

Rule: it repeats nothing. A call whose master died before it answered may or may not have been carried out; every
call is safe to make again, and only the person who made it knows whether it is still wanted.

    PlaceCall --> sent, master linked --CallAnswered--> answered
                                      --PeerExited--> answered: the master died
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import Core, Link, LinkBroken, PeerExited, Started, Table, on
from mesolite.messages.operator import CallAnswered

MASTER_DIED = 0
"""The code of an answer that no master gave."""


@frozen
class PlaceCall:
    """Put this call before that master."""

    master: str
    call: Any


class OperatorCore(Core):
    """Calls under way, by number: with which master; and the answers that have come."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        super().__init__()
        self.asked: dict[int, str] = {}
        self.answers: dict[int, CallAnswered] = {}

    def _place(self, event: PlaceCall, sender: str, now: float) -> None:
        self.asked[event.call.call_id] = event.master
        self.effects.append(Link(event.master))
        self.send(event.master, event.call)

    def _answered(self, event: CallAnswered, sender: str, now: float) -> None:
        if self.asked.get(event.call_id) == sender:
            del self.asked[event.call_id]
            self.answers[event.call_id] = event

    def _exited(self, event: PeerExited, sender: str, now: float) -> None:
        for call_id in [call_id for call_id, master in self.asked.items() if master == event.name]:
            del self.asked[call_id]
            self.answers[call_id] = CallAnswered(
                call_id=call_id, code=MASTER_DIED, refusal=f"{event.name} died before it answered"
            )

    HANDLERS: ClassVar[Table] = dict(
        [
            on(PlaceCall, _place),
            on(CallAnswered, _answered),
            on(PeerExited, _exited),
        ]
    )
    IGNORED = frozenset({Started, LinkBroken})
