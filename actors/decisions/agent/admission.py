"""What an agent decides on of what executors say: what is made of what it should be.

User code stands behind an executor. What arrives wrong past all checks on the way is refused here, before it can do
harm: it may end the executor that said it, never its agent, nor a master that would have been told.
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.agent import executors
from mesolite.actors.decisions.agent.state import AgentState
from mesolite.messages.base import ExecutorCall
from mesolite.messages.checking import misfit


def admits(a: AgentState, message: Any, sender: str) -> bool:
    """Whether the agent may decide on this; if not, the executor that said it has to go."""
    if not isinstance(message, ExecutorCall) or not (why_not := misfit(message)):
        return True
    framework, executor = a.executor_of_pid.get(sender, (None, None))
    if framework is not None and executor is not None:
        executors.expel(a, framework, executor, f"its {type(message).__name__} was refused: {why_not}")
    return False
