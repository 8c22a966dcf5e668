"""What a leader decides on at all: what was said by somebody who may say it, and is made of what it should be.

Everything people construct and pass was checked there. What arrives wrong all the same is refused here, before it can
do harm: it may end the framework that said it, never the leader and whoever comes after it.
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.watching import endpoint_of
from mesolite.actors.decisions.rules.authorization import refusal
from mesolite.messages.agent import RegisterAgent, ShutdownAgent
from mesolite.messages.base import FrameworkCall, OperatorCall
from mesolite.messages.checking import misfit
from mesolite.messages.operator import OPERATOR, TeardownFrameworkCall
from mesolite.messages.scheduler import FrameworkError, Subscribe

FORBIDDEN, WRONG = 403, 400

EXAMINED = (FrameworkCall, OperatorCall, RegisterAgent)
"""What must be admitted; everything else may be decided on as it comes."""


def admits(m: MasterState, message: Any, sender: str) -> bool:
    """Whether the leader may decide on this; if not, whoever said it has been told why."""
    wrong = misfit(message)
    why_not = f"{type(message).__name__} was refused: {wrong}" if wrong else _unauthorized(m, message, sender)
    if not why_not:
        return True
    if isinstance(message, FrameworkCall):
        m.send(sender, FrameworkError(message=why_not))
    elif isinstance(message, OperatorCall):
        number: Any = getattr(message, "call_id", 0)
        m.answer(sender, number if type(number) is int else 0, WRONG if wrong else FORBIDDEN, why_not)
    else:
        m.send(sender, ShutdownAgent(reason=f"its registration was refused: {wrong}"))
    return False


def _unauthorized(m: MasterState, message: Any, sender: str) -> str:
    """Why whoever makes this call may not make it, '' if he may; what a subscribed scheduler says is his to say."""
    principal = target = ""
    if isinstance(message, OperatorCall):
        principal = message.principal
        if sender == endpoint_of(m):
            sender = OPERATOR  # it speaks for whoever has authenticated there
        if isinstance(message, TeardownFrameworkCall) and message.framework_id in m.frameworks:
            target = m.frameworks[message.framework_id].info.principal
    elif isinstance(message, Subscribe):
        principal, target = message.framework_info.principal, message.framework_info.role
    return refusal(type(message), sender, principal, target, m.acl)
