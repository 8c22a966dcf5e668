"""The operator's side of a test, by urllib: calls of the v1 API, the plain endpoints, and waiting until they say so."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit


def address(url: str) -> str:
    """host:port, as pymesos wants it."""
    return urlsplit(url).netloc


def call(url: str, kind: str, **body: Any) -> Any:
    """The answer to an operator call, without its envelope; None if it is empty."""
    data = json.dumps({"type": kind, **({kind.lower(): body} if body else {})}).encode()
    request = urllib.request.Request(f"{url}/api/v1", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text)[kind.lower()] if text else None


def get(url: str, path: str) -> Any:
    """What a plain endpoint answers."""
    with urllib.request.urlopen(f"{url}/{path}", timeout=30) as answer:
        return json.load(answer)


def agent_of(url: str, agent_id: str) -> Any:
    """What GET_AGENTS says of one agent."""
    agents = call(url, "GET_AGENTS")["agents"]
    (found,) = [agent for agent in agents if agent["agent_info"]["id"]["value"] == agent_id]
    return found
