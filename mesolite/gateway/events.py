"""What happens to an endpoint, beside messages and the system events of the contract (actors/decisions/contract.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from mesolite.gateway.exchange import Request


@frozen
class RequestCame:
    """A client has sent a request, and waits for the answer to that number."""

    number: int
    request: Request


@frozen
class ClientGone:
    """The client of that request has gone before its answer had ended."""

    number: int


@frozen(kw_only=True)
class Measured:
    """What containers use, by their ids, as far as it can be measured: what `Measure` with that number asked for."""

    number: int
    statistics: Mapping[str, Mapping[str, Any]]
