"""How an operator's calls and queries come before the leading master, and the answers back to the thread that waits.

verb --call--> operator's actor --message--> leader --answer--> operator's actor --Reply--> Answers --> verb
look --query--> the same on threads; on virtual time the leader's answer is looked up (Runtime.answer)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from mesolite.actors.decisions.operator import MASTER_DIED, PlaceCall, PlaceQuery
from mesolite.actors.errors import OutcomeUnknown, Refused
from mesolite.actors.operator import OperatorActor
from mesolite.actors.runtime.port import ActorContext, Delivery, Placement, Runtime
from mesolite.machines import MasterMachine, leader_among
from mesolite.messages.base import Query
from mesolite.messages.operator import OPERATOR, CallAnswered
from mesolite.messages.queries import QueryAnswered

DONE, UNKNOWN, NOT_LEADING = 200, 404, 503
"""Codes of answers, as over HTTP."""

NOT_SENT = 0
"""The number of a query that is answered without being sent."""

ANSWER_S = 30.0
"""How long a verb waits for the master's answer, in seconds on the cluster's clock."""


class Answers:
    """Where those who wait find what the operator's actor was answered; what nobody waits for is dropped."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        # By number, what has come: a list of its own for each, which goes with whoever waits.
        self._waiting: dict[int, list[CallAnswered | QueryAnswered]] = {}

    def expect(self, call_id: int) -> None:
        """Somebody is about to ask, and to wait."""
        self._waiting[call_id] = []

    def answered(self, answer: CallAnswered | QueryAnswered) -> None:
        """Take an answer, on the actor's thread."""
        self._waiting.get(answer.call_id, []).append(answer)

    def has(self, call_id: int) -> bool:
        """Whether it is answered."""
        return bool(self._waiting.get(call_id))

    def take(self, call_id: int) -> Any:
        """The answer, None if there is none; nobody waits for it any more."""
        return next(iter(self._waiting.pop(call_id, ())), None)


class Calls:
    """Puts one call or query after another before whoever leads; any thread may."""

    def __init__(self, runtime: Runtime, masters: Mapping[str, MasterMachine]) -> None:
        """Start the operator's actor, to speak to whichever of these masters leads."""
        self._runtime = runtime
        self._masters = masters
        self._call_ids = itertools.count(1)  # drawn from any thread
        self._answers = Answers()
        self._context: ActorContext = runtime.start(
            OPERATOR, Placement(OPERATOR), lambda context: OperatorActor(context, self._answers)
        )

    def leader(self) -> str:
        """The name of the master that leads.

        Raises:
            Refused: nobody does.
        """
        leader = leader_among(list(self._masters.values()))
        if leader is None:
            reasons = self._runtime.directory.reasons.copy()
            if all(name in reasons for name in self._masters):
                ended = "; ".join(f"{name} has ended: {reasons[name]}" for name in self._masters)
                raise Refused(f"nobody leads, nor will: {ended}; when that is mended, restart() a master")
            raise Refused("nobody leads at the moment; wait until a master has been elected")
        return leader.name

    def ask(self, make: Callable[[int], Query]) -> QueryAnswered:
        """Put a query before the leader and wait for the answer; that there is no such thing is one, too.

        Raises:
            Refused: nobody leads, or the query makes no sense.
            OutcomeUnknown: the leader did not answer.
        """
        self._runtime.check_open()
        leader = self.leader()
        # What is not sent takes no number: calls have the same ones whether or not somebody looks in between.
        answer: Any = self._runtime.answer(leader, make(NOT_SENT))
        if answer is None:
            query = make(next(self._call_ids))
            answer = self._wait_for(leader, query, PlaceQuery(leader, query))
        if answer.code in (MASTER_DIED, NOT_LEADING):
            raise Refused(f"the leader has just gone: {answer.refusal}; wait until another has been elected")
        if answer.code not in (DONE, UNKNOWN):
            raise Refused(answer.refusal)
        return answer  # type: ignore[no-any-return]

    def call(self, make: Callable[[int], Any]) -> CallAnswered:
        """Put a call before the leader and wait for the answer.

        Raises:
            Refused: nobody leads, or the leader said no.
            OutcomeUnknown: the master died, or did not answer.
        """
        self._runtime.check_open()
        call = make(next(self._call_ids))
        leader = self.leader()
        answer = self._wait_for(leader, call, PlaceCall(leader, call))
        if answer.code == MASTER_DIED:
            asked = f"{type(call).__name__} was sent to {leader}"
            raise OutcomeUnknown(f"{asked}: {answer.refusal}; look at state(), then repeat")
        if answer.code != DONE:
            raise Refused(answer.refusal)
        return answer  # type: ignore[no-any-return]

    def _wait_for(self, leader: str, call: Any, placed: PlaceCall | PlaceQuery) -> Any:
        answers, number, began = self._answers, call.call_id, self._runtime.now()
        answers.expect(number)
        try:
            self._context.ref.tell(Delivery(placed, OPERATOR, -1))
            self._runtime.wait(lambda: answers.has(number), ANSWER_S)
        finally:
            answer = answers.take(number)
        asked = f"{type(call).__name__} was sent to {leader}"
        if answer is None and self._runtime.now() < began + ANSWER_S:
            raise OutcomeUnknown(f"{asked}, and the cluster was closed before it answered")
        if answer is None:
            repeat = "ask again" if isinstance(call, Query) else "look at state(), then repeat"
            raise OutcomeUnknown(f"{asked}, which has not answered within {ANSWER_S:g} s; {repeat}")
        return answer
