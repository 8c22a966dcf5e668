"""Values that something public may be given by mistake or on purpose: other types, other shapes, extremes."""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
import math
import pathlib
from typing import Any

from mesolite import Capability, CommandInfo, Executor, Filters, Resources, Scheduler, TaskInfo, TaskState


class Odd(enum.Enum):
    """An enum that is none of ours."""

    ODD = 1


class Unshowable:
    """Cannot be shown, compared or hashed."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]


def poisons() -> list[Any]:
    """Return fresh ones: an iterator can be used up."""
    return [
        None, True, False, 0, 1, -1, 5, 2**31, 2**63, 2**80, 10**400, -(2**70), 0.5, -0.5, 1e308, 1e-320,
        math.nan, math.inf, -math.inf, 1j, decimal.Decimal(1), decimal.Decimal("NaN"),
        "", "x", "agent-2", "agnet-1", "nobody", "TASK_RUNNING", "1", "nan", "a/b",
        ".", "..", "*", "\0", "\n", " ", "é",
        "\ud800", "caf\udce9", "x" * 300, "x" * 100_000, b"", b"x", b"\xff", bytearray(b"x"), memoryview(b"x"),
        {}, {"value": "t"}, {"value": 5}, {"a": 1}, {1: 2}, {"cpus": 1}, {"cpus": -1}, {"cpus": math.nan},
        {"cpus": "1"},
        [], [None], [1], ["x"], [b"x"], [[]], ["agent-2", 5], (), (1, 2), ("a", "b"), (("a", "b"),), (("a", 1),),
        {"x"}, frozenset({1}), range(3), iter(["x"]), itertools.repeat("x"), (n for n in (1, 2)),
        object(), Unshowable(), Odd.ODD, TaskState.TASK_LOST, Capability.PARTITION_AWARE,
        int, str, TaskInfo, Executor, Scheduler, Exception, KeyError("x"), len, lambda: None, lambda value: value,
        datetime.timedelta(seconds=1), datetime.timedelta(seconds=-1), datetime.timedelta.max,
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), pathlib.Path("/x"), NotImplemented, ...,
        Resources.parse("cpus:1"), Filters(), CommandInfo(value="x"), TaskInfo(task_id="poison"),
        Executor(), Scheduler(),
    ]  # fmt: skip
