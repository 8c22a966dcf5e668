"""What a framework has asked for that our nouns have no fields for: labels, discovery and the like (HT-45, HT-273)."""

from __future__ import annotations

import json
from typing import Any

from mesolite.gateway.v1.writing import Plain

SHOWN = ("labels", "discovery", "container", "health_check", "kill_policy", "limits")
"""What is shown of a task just as it is in its TaskInfo."""


def of_task(v1_json: str) -> Plain:
    """What a Task has from its TaskInfo, as it was understood; `user` is that of whichever command runs it."""
    info = of(v1_json)
    shown = {name: info[name] for name in SHOWN if name in info}
    for command in (info.get("command", {}), info.get("executor", {}).get("command", {})):
        if "user" in command:
            return shown | {"user": command["user"]}
    return shown


def of(v1_json: str) -> Plain:
    """All of it; nothing if it did not come by HTTP."""
    known: dict[str, Any] = json.loads(v1_json) if v1_json else {}
    return known
