"""The operator's actor passes calls and queries on, and every answer back to whoever waits, once."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.decisions.contract import Effect, Link, PeerExited, Reply, Send
from mesolite.actors.decisions.operator import MASTER_DIED, OperatorCore, PlaceCall, PlaceQuery
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import CallAnswered, DeactivateAgentCall
from mesolite.messages.queries import GetState, QueryAnswered

CALL = DeactivateAgentCall(call_id=1, agent_id=AgentId("m1-S1"))
QUERY = GetState(call_id=2)

BOTH = pytest.mark.parametrize(
    ("placed", "said", "answer"),
    [
        (PlaceCall("master-1", CALL), CALL, CallAnswered(call_id=1, code=200)),
        (PlaceQuery("master-1", QUERY), QUERY, QueryAnswered(call_id=2)),
    ],
    ids=["call", "query"],
)


def ask(core: OperatorCore, event: Any, sender: str = "operator") -> list[Effect]:
    """What it wants done about that."""
    return core.handle(event, sender, 1.0)


@BOTH
def test_what_is_placed_is_sent_and_its_answer_replied(placed: Any, said: Any, answer: Any) -> None:
    """With a link, so that the master's end is heard of; an answer that comes twice is replied once."""
    core = OperatorCore()

    assert ask(core, placed) == [Link("master-1"), Send("master-1", said)]
    assert ask(core, answer, "master-1") == [Reply(answer)]
    assert ask(core, answer, "master-1") == []


@BOTH
def test_a_master_that_dies_answers_by_that(placed: Any, said: Any, answer: Any) -> None:
    """Each in its kind; another master's end is nobody's answer."""
    core = OperatorCore()
    ask(core, placed)

    assert ask(core, PeerExited("master-2", 1)) == []
    (reply,) = ask(core, PeerExited("master-1", 1))

    assert isinstance(reply, Reply)
    assert type(reply.answer) is type(answer)
    assert (reply.answer.call_id, reply.answer.code) == (said.call_id, MASTER_DIED)
    assert reply.answer.refusal == "master-1 died before it answered"
    assert ask(core, answer, "master-1") == []


@BOTH
def test_only_who_was_asked_can_answer(placed: Any, said: Any, answer: Any) -> None:
    """A former leader, or anybody else, is not heard."""
    core = OperatorCore()
    ask(core, placed)

    assert ask(core, answer, "master-2") == []
    assert ask(core, answer, "master-1") == [Reply(answer)]
