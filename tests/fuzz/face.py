"""What there is to call: every public constructor and every verb of what people hold, found by looking."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from attrs import frozen

import mesolite
from mesolite import Executor, Filters, Launch, MachineId, TaskInfo, TaskState, Unavailability, Window
from mesolite.messages.agent import PongAgent

FITTING: Mapping[str, Callable[[], Any]] = {
    "action": lambda: lambda: None,
    "agent": lambda: "agent-2",
    "agent_id": lambda: "m1-S1",
    "agents": lambda: 1,
    "check": lambda: lambda: True,
    "endings": lambda: {"none": lambda sim: None},
    "data": lambda: "x",
    "delay": lambda: 0.5,
    "done": lambda: lambda: True,
    "executor_id": lambda: "e",
    "framework": lambda: "nobody",
    "function": lambda: lambda: None,
    "hostname": lambda: "host",
    "inverse_offer_ids": lambda: ["m1-O9999"],
    "kind": lambda: PongAgent,
    "machines": lambda: [MachineId(hostname="nobody")],
    "message": PongAgent,
    "name": lambda: "n",
    "offer_id": lambda: ["m1-O9999"],
    "offer_ids": lambda: ["m1-O9999"],
    "one": lambda: "nobody",
    "operations": lambda: [Launch(tasks=())],
    "other": lambda: "nobody",
    "actor": lambda: "nobody",
    "rate": lambda: 0.0,
    "receiver": lambda: "nobody",
    "resources": lambda: "cpus:0.1;mem:32",
    "scenario": lambda: lambda sim, ending=None: {},
    "scheduler": mesolite.Scheduler,
    "seconds": lambda: 0.1,
    "start": lambda: 1.0,
    "state": lambda: TaskState.TASK_RUNNING,
    "status": lambda: mesolite.TaskStatus(task_id="t", state=TaskState.TASK_RUNNING),
    "target": lambda: "agent-2",
    "task_id": lambda: "t",
    "time": lambda: 1e6,
    "tasks": lambda: [TaskInfo(task_id="t", resources="cpus:0.1", command="true")],
    "timeout": lambda: 0.1,
    "to": lambda: "agent-1",
    "unavailability": lambda: Unavailability(start=1e6),
    "value": lambda: "true",
    "windows": lambda: [Window(machines=["nobody"], unavailability=Unavailability(start=1e6))],
    "executor": lambda: None,
    "filters": Filters,
    "executors": lambda: {"e": Executor},
}
"""A value that fits, for each argument that has no default."""

NOT_VERBS = frozenset({"begin", "call", "framework_is", "prepare", "raised", "status_is", "user"})
"""What the actors behind them call, and nobody else."""


@frozen
class Target:
    """Something to call, by the name it has for people."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[inspect.Parameter, ...]


def _target(name: str, function: Any) -> Target:
    signature = inspect.signature(function)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return Target(name, function, tuple(one for one in signature.parameters.values() if one.kind in named))


def constructors() -> Iterator[Target]:
    """Every class of data that has a public name, and settings: what is checked when it is made."""
    for name in mesolite.__all__:
        kind = getattr(mesolite, name)
        if isinstance(kind, type) and attrs.has(kind) and hasattr(kind, "__mesolite_unchecked__"):
            target = _target(name, kind)
            if target.parameters:
                yield target


def functions() -> Iterator[Target]:
    """Every function that has a public name, such as `explore`."""
    for name in mesolite.__all__:
        function = getattr(mesolite, name)
        if inspect.isfunction(function):
            yield _target(name, function)


def verbs(*held: object) -> Iterator[Target]:
    """Every public method with an argument, of what people hold."""
    for thing in held:
        kind = type(thing)
        for name in dir(kind):
            function = getattr(kind, name)
            if name.startswith("_") or name in NOT_VERBS or not inspect.isfunction(function):
                continue
            target = _target(f"{kind.__name__}.{name}", getattr(thing, name))
            if target.parameters:
                yield target
