"""What tests of records that no store could keep share: values that no check has seen, and a way in for them."""

from __future__ import annotations

import copy
from typing import Any

from mesolite.actors.runtime.port import Delivery
from mesolite.messages import RunTask

LARGE = bytes(range(256)) * 78_125
"""20 MB."""

UNSTORABLE = r"agent-1 failed: InvalidValue: the record 'task/.*/t2' of agent-1 cannot be stored: TaskCheckpoint.task"
"""How an agent fails that was slipped in a task with wrong data."""


def broken(record: Any, **fields: Any) -> Any:
    """The record with these values in it, which no check has seen."""
    unlike = copy.copy(record)
    for name, value in fields.items():
        object.__setattr__(unlike, name, value)
    return unlike


def slip_in(cluster: Any, launch: RunTask, **fields: Any) -> None:
    """Tell agent-1 to run another task like that one, with these values in it, which no check has seen."""
    task = broken(launch.task, task_id="t2", **fields)
    context = cluster.runtime.directory.find("agent-1")
    context.ref.tell(Delivery(broken(launch, task=task), cluster.leader.name, -1))
