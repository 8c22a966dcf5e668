"""One thing or another changed in JSON, in its text, in headers, in paths."""

from __future__ import annotations

import copy
import json
import math
from random import Random
from typing import Any

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 7, 0.5, -0.0, 1e308, -1e308, 1e-320, 2**31, 2**32, 2**63 - 1, 2**63, -(2**63), 2**64,
    10**30, 10**400, math.nan, math.inf, -math.inf,
    "", " ", "x", "1", "1.5", "-1", "true", "false", "Infinity", "-Infinity", "NaN", "null", "*", ".", "..", "a/b",
    "a b", "-a", "\0", "\n", "é", "\u2028", "\ud800", "😀", "x" * 300, "x" * 70_000, "AAECAwQFBgcICQoLDA0ODw==", "AA==",
    "!", "TASK_RUNNING", "TASK_STAGING", "LAUNCH", "SOURCE_MASTER", "127.0.1.2", "999.0.0.1",
    [], {}, [[]], [None], [{}], {"value": None}, {"value": 1}, {"value": ""}, {"value": "x"}, {"value": ["x"]},
    {"nanoseconds": -1}, {"nanoseconds": 2**63 - 1}, {"nanoseconds": "5"}, {"seconds": 2**62}, {"seconds": -5},
    {"scalar": {"value": math.nan}}, {"a": {"b": [{"c": None}]}}, list(range(300)),
]  # fmt: skip

METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "post", "TRACE", "É", ""]

HEADERS = [
    ("Content-Type", ""), ("Content-Type", "text/plain"), ("Content-Type", "application/x-protobuf"),
    ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", "application/recordio"),
    ("Content-Type", "é"), ("content-type", "APPLICATION/JSON"),
    ("Accept", ""), ("Accept", "*/*"), ("Accept", "text/html"), ("Accept", "application/json;q=0"),
    ("Accept", "application/recordio"), ("Accept", ";;,,q=x"), ("Accept", "application/json;q=é"),
    ("Accept", "application/x-protobuf"), ("Message-Accept", "application/json"),
    ("Message-Content-Type", "application/json"),
    ("Mesos-Stream-Id", ""), ("Mesos-Stream-Id", "x"), ("Mesos-Stream-Id", "é" * 200),
    ("Authorization", "Basic !"), ("Authorization", "Bearer x"), ("Authorization", "x" * 9000), ("X", "y" * 5000),
]  # fmt: skip

QUERIES = [
    "_ts=1", "limit=-1", "limit=x", "limit=1e9", "limit=99999999999999999999", "offset=-5", "offset=x", "order=asc",
    "framework_id=x", "slave_id=%00", "task_id=%ff", "jsonp=f", "jsonp=f(", "jsonp=", "timeout=5secs", "timeout=x",
    "path=/", "path=", "path=../../etc/passwd", "path=%00", "path=%ff", "path=/slave/log", "offset=1&length=-1",
    "length=x", "offset=0", "container_id=x", "&&&==", "a", "%", "é=é", "x" * 3000,
]  # fmt: skip

PATHS = [
    "", "/", "//", "/%", "/%00", "/%2e%2e/%2e%2e", "/é", "/state", "/master/state", "/slave(1)/state", "/x" * 500,
    "/master/master/state", "/.json", "/state.json.json", "/redirect/", "/files", "/files/browse", "/files/read",
    "/files/download", "/tasks", "/slaves", "/frameworks", "/roles", "/state-summary", "/metrics/snapshot", "/flags",
    "/containers", "/monitor/statistics", "/maintenance/schedule", "/maintenance/status", "/machine/down",
    "/machine/up", "/teardown", "/health", "/version", "/api/v1", "/api/v1/scheduler", "/api/v1/executor",
]  # fmt: skip


def changed(dice: Random, value: Any, known: list[Any]) -> Any:
    """A copy of a JSON value with one to three things changed in it; `known`: values that mean something there."""
    whole = [copy.deepcopy(value)]
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        holder, key = dice.choice(_places(whole))
        _change(dice, holder, key, known)
    return whole[0] if whole else None


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in it where something stands, as what holds it and the key there."""
    found: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += _places(value[key])
    return found or [(value, 0)]


def _change(dice: Random, holder: Any, key: Any, known: list[Any]) -> None:
    if not isinstance(holder, list | dict) or not holder:
        return
    there = holder[key]
    match dice.randrange(8):
        case 0:
            del holder[key]
        case 1 | 2:
            holder[key] = copy.deepcopy(dice.choice(VALUES))
        case 3:
            holder[key] = copy.deepcopy(dice.choice(known)) if known else None
        case 4:
            holder[key] = [there, copy.deepcopy(there)] if dice.random() < 0.5 else [there]
        case 5 if isinstance(there, dict):
            there[dice.choice(["type", "value", "id", "x", ""])] = copy.deepcopy(dice.choice(VALUES))
        case 6 if isinstance(there, list):
            holder[key] = there[0] if there else {}
        case _:
            deep: Any = there
            for _ in range(dice.choice((1, 3, 150))):
                deep = [deep] if dice.random() < 0.5 else {"value": deep}
            holder[key] = deep


def text_of(dice: Random, value: Any, *, broken: bool) -> bytes:
    """A JSON value as text, which may be broken: cut, doubled, with a byte changed, a key given twice."""
    text = json.dumps(value, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    if not broken:
        return text
    at = dice.randrange(len(text) + 1)
    match dice.randrange(6):
        case 0:
            return text[:at]
        case 1:
            return text + text
        case 2:
            return text[:at] + bytes([dice.randrange(256)]) + text[at + 1 :]
        case 3:
            return text[:at] + dice.choice([b"\xff", b"\0", b"{", b'"', b"\xef\xbb\xbf", b"1e999999"]) + text[at:]
        case 4:
            return text.replace(b"{", b'{"type": "SUBSCRIBE", ', 1)
        case _:
            return dice.choice([b"", b" ", b"[" * 50_000, b'{"a":' * 3000, b"9" * 10_000, b"\xff\xfe{\0}\0"])


def other_path(dice: Random, path: str) -> str:
    """Another path, or the same in other words; perhaps with a query."""
    match dice.randrange(4):
        case 0:
            path = dice.choice(PATHS)
        case 1:
            path = f"/{dice.choice(['master', 'slave(1)', 'slave%281%29', 'x'])}{path}"
        case 2:
            path = f"{path}{dice.choice(['/', '///', '/x', '.json', '%2f', '%'])}"
        case _:
            pass
    queries = [dice.choice(QUERIES) for _ in range(dice.choice((0, 1, 1, 2)))]
    return f"{path}?{'&'.join(queries)}" if queries else path


def other_headers(dice: Random, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One header more, less, or twice."""
    some = list(headers)
    match dice.randrange(3):
        case 0 if some:
            some.pop(dice.randrange(len(some)))
        case 1 if some:
            some.append(dice.choice(some))
        case _:
            some.append(dice.choice(HEADERS))
    return some
