"""How a program is told what to do, and tells what has happened: a line of JSON each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

_TOLD = os.open(os.environ["TELL_TO"], os.O_WRONLY) if "TELL_TO" in os.environ else 1


def tell(event: str, **about: Any) -> None:
    """One line to whoever started this, or into the pipe that `TELL_TO` names: whole, even beside other threads."""
    os.write(_TOLD, json.dumps({"event": event, **about}).encode("ascii") + b"\n")


def orders() -> Iterator[dict[str, Any]]:
    """What is ordered, until standard input ends."""
    for line in iter(sys.stdin.readline, ""):
        yield json.loads(line)


def given() -> dict[str, Any]:
    """What was given to start with, as the only argument."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


def scalar(name: str, value: float) -> dict[str, Any]:
    """A resource."""
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}}


def task(task_id: str, **what: Any) -> dict[str, Any]:
    """A small task, all but the agent: what is launched, however the order came."""
    resources = [scalar("cpus", 0.1), scalar("mem", 32)]
    return {"task_id": {"value": task_id}, "name": task_id, "resources": resources, **what}
