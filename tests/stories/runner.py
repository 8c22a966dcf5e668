"""Reads a story and plays it in a simulation: verbs at the margin, and beneath each, indented, what it caused.

    # Comments and blank lines stay where they are.
    cluster agents=2
    framework web PARTITION_AWARE
    task web t1 agent-1 on_sigterm=2

    operator drain agent-1 max_grace_period=5
           20.000  operator -> master-1      DrainAgentCall agent-1 5
                   ...

Every verb lets happen what is due at its instant; `advance` lets time pass. Setting the stage (`cluster`, `agent`,
`framework`, `task`) is not told, and ends on a whole multiple of ten seconds.
The verbs are in stage.py, and how the exchange is put into lines in exchange.py.
"""

from __future__ import annotations

import inspect
import shlex
from typing import Any

from mesolite import ActorFailed, OutcomeUnknown, Refused, ResourceError
from mesolite.actors.trace.words import TIME_WIDTH
from tests.scenarios.schedulers import check_books
from tests.stories.transcript import wrapped
from tests.stories.verbs import Operating, StoryError

SEED = 1
CONVERSIONS: dict[str, Any] = {"str": str, "float": float, "int": int, "bool": {"yes": True, "no": False}.__getitem__}

VERBS = {
    name.replace("operator_", "operator ", 1): method
    for name, method in inspect.getmembers(Operating, inspect.isfunction)
    if not name.startswith("_")
}
INDENT = " " * (TIME_WIDTH + 2)


def tell(text: str, path: str, seed: int = SEED) -> str:
    """Play a story and return it with what it tells now; after each verb every actor's books must be in order.

    Raises:
        StoryError: a line cannot be played.
    """
    stage, told = Operating(seed), []
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1].isspace() and line.strip():
            continue  # what was told last time
        told.append(line.rstrip())
        if line.strip() and not line.startswith("#"):
            try:
                told += _play(stage, line)
            except (StoryError, Refused, ResourceError, ValueError, TimeoutError) as error:
                raise StoryError(f"{path}:{number}: {error}") from error
            except ActorFailed as error:
                error.add_note(f"{path}:{number}")
                raise
    return "\n".join(told) + "\n"


def _play(stage: Operating, line: str) -> list[str]:
    """Play one line; returns what it caused."""
    words = shlex.split(line)
    operating = words[0] == "operator"
    verb, rest = " ".join(words[: 1 + operating]), words[1 + operating :]
    if verb not in VERBS:
        raise StoryError(f"there is no verb {verb!r}; there are {', '.join(VERBS)}")
    arguments, options = _understood(verb, rest)
    try:
        rows = list(VERBS[verb](stage, *arguments, **options) or ())
    except (Refused, OutcomeUnknown) as error:
        if not operating:
            raise
        rows = [f"{type(error).__name__}: {error}"]
    stage.sim.settle()
    check_books(stage.sim)
    told, names = stage.exchange.tell(stage.sim.trace), stage.sim.trace.names
    return told + [part for row in rows for part in wrapped(INDENT + names.put_in(row), len(INDENT) + 4)]


def _understood(verb: str, words: list[str]) -> tuple[list[Any], dict[str, Any]]:
    """Tell a verb's words from its options, and make of each what the verb's method wants."""
    parameters = dict(list(inspect.signature(VERBS[verb]).parameters.items())[1:])
    options = {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}
    anything = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    found: dict[str, Any] = {}
    rest = []
    for word in words:
        name, equals, value = word.partition("=")
        if name in options and (equals or options[name].annotation == "bool"):
            found[name] = _made(verb, options[name], value if equals else "yes")
        elif equals and anything:
            found[name] = value
        elif equals:
            raise StoryError(f"`{verb}` has no option {name!r}; {_usage(verb, parameters)}")
        else:
            rest.append(word)
    named = [each for each in parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
    more = [each for each in parameters.values() if each.kind is each.VAR_POSITIONAL]
    missing = [each.name for each in [*named[len(rest) :], *options.values()] if each.default is each.empty]
    if (len(rest) > len(named) and not more) or [name for name in missing if name not in found]:
        raise StoryError(f"`{verb}` does not go with {' '.join(words) or 'nothing'}; {_usage(verb, parameters)}")
    wanted = named + more * (len(rest) - len(named))
    return [_made(verb, each, word) for each, word in zip(wanted, rest, strict=False)], found


def _made(verb: str, parameter: inspect.Parameter, word: str) -> Any:
    """A word as what that parameter is."""
    kind = str(parameter.annotation).partition(" ")[0]
    try:
        return CONVERSIONS[kind](word)
    except (ValueError, KeyError):
        raise StoryError(f"`{verb}` wants {parameter.name} as {kind}, not {word!r}") from None


def _usage(verb: str, parameters: dict[str, inspect.Parameter]) -> str:
    """How a verb is used."""
    shapes: dict[Any, str] = {
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "{}",
        inspect.Parameter.VAR_POSITIONAL: "{}...",
        inspect.Parameter.KEYWORD_ONLY: "[{}=]",
        inspect.Parameter.VAR_KEYWORD: "[any of Settings=]",
    }
    words = [
        f"[{each.name}]" if each.annotation == "bool" else shapes[each.kind].format(each.name)
        for each in parameters.values()
    ]
    return f"it is used so: {' '.join([verb, *words])}"
