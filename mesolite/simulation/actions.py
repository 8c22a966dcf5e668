"""What a test wants done: a function of nothing, or of the simulation."""

from __future__ import annotations

import inspect
from collections.abc import Callable

Action = Callable[..., object]
"""Called with the simulation if it has to be given something, and with nothing otherwise."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def act(action: Action, sim: object) -> object:
    """Do it.

    Raises:
        TypeError: it is a coroutine, which nobody would run.
    """
    result = action(sim) if _wants_something(action) else action()
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{action!r} is to be done, and is async: it has done nothing; give a plain function")
    return result


def _wants_something(action: Action) -> bool:
    try:
        parameters = inspect.signature(action).parameters.values()
    except (TypeError, ValueError):
        return False  # built in, and silent about what it takes
    return any(each.kind in _POSITIONAL and each.default is each.empty for each in parameters)


def bound(action: Action, sim: object) -> Callable[..., object]:
    """The action as somebody else may call it, with what it wants or with nothing."""

    def call(*given: object) -> object:
        return action(*given) if given else act(action, sim)

    return call
