"""What `tasks` of a master answers: some of the tasks, in the order of their first status (http.md HT-336)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf

from mesolite.gateway.reading import legacy_nouns
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.snapshot import ClusterSnapshot, TaskSnapshot

LIMIT = 100
"""How many are shown if the client does not say (HT-369)."""

NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
INT32_MAX = 2**31 - 1


def tasks(snapshot: ClusterSnapshot, epoch: Epoch, query: Mapping[str, str]) -> Plain:
    """Tasks of all frameworks, or those that the query selects; the newest come first, with `order=asc` last."""
    chosen = [
        (task, framework.info.role)
        for framework in (*snapshot.frameworks, *snapshot.completed_frameworks)
        if query.get("framework_id") in (None, framework.info.id)
        for task in (*framework.tasks, *framework.unreachable_tasks, *framework.completed_tasks)
        if query.get("task_id") in (None, task.task_id)
    ]
    chosen.sort(key=lambda pair: _first_said(pair[0]), reverse=query.get("order") != "asc")
    limit, offset = _number(query, "limit", LIMIT), _number(query, "offset", 0)
    first = max(offset, 0)
    shown = chosen[first:] if limit < 0 else chosen[first : first + limit]
    return {"tasks": [legacy_nouns.task(task, role, epoch) for task, role in shown]}


def _first_said(task: TaskSnapshot) -> float:
    """What tasks are sorted by; one of which nothing was said yet counts as the oldest."""
    return (task.statuses[0].timestamp or 0.0) if task.statuses else -inf


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    """A number of the query; what is no number counts as not given."""
    text = query.get(name, "")
    if not NUMBER.fullmatch(text) or abs(int(text)) > INT32_MAX:
        return default
    return int(text)
