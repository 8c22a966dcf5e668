"""What a leader decides on at all: what was said by somebody who may say it, and is made of what it should be.

Everything people construct and pass was checked there. What arrives wrong all the same is refused here, before it can
do harm: it may end the framework that said it, never the leader and whoever comes after it.
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import RegisterAgent, ShutdownAgent
from mesolite.messages.base import FrameworkCall, OperatorCall
from mesolite.messages.checking import misfit
from mesolite.messages.operator import OPERATOR
from mesolite.messages.scheduler import FrameworkError

FORBIDDEN, WRONG = 403, 400

EXAMINED = (FrameworkCall, OperatorCall, RegisterAgent)
"""What must be admitted; everything else may be decided on as it comes."""


def admits(m: MasterState, message: Any, sender: str) -> bool:
    """Whether the leader may decide on this; if not, whoever said it has been told why."""
    if isinstance(message, FrameworkCall):
        if why_not := misfit(message):
            m.send(sender, FrameworkError(message=f"{type(message).__name__} was refused: {why_not}"))
            return False
    elif isinstance(message, OperatorCall):
        return _admits_call(m, message, sender)
    elif isinstance(message, RegisterAgent) and (why_not := misfit(message)):
        m.send(sender, ShutdownAgent(reason=f"its registration was refused: {why_not}"))
        return False
    return True


def _admits_call(m: MasterState, call: Any, sender: str) -> bool:
    if why_not := misfit(call):
        number = call.call_id if type(call.call_id) is int else 0
        m.answer(sender, number, WRONG, f"{type(call).__name__} was refused: {why_not}")
    elif sender != OPERATOR:
        why_not = f"{type(call).__name__} is an operator's to make, and {sender} is none; use cluster.operator"
        m.answer(sender, call.call_id, FORBIDDEN, why_not)
    return not why_not
