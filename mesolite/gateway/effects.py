"""What the cores of the gateway want done beside the effects of the contract (actors/decisions/contract.py)."""

from __future__ import annotations

from attrs import frozen

from mesolite.gateway.exchange import Part
from mesolite.messages.scheduler import Subscribe


@frozen
class Write:
    """Send that part of the answer to the client of that request."""

    number: int
    part: Part


@frozen(kw_only=True)
class OpenStream:
    """Start a remote scheduler, which answers that request with a stream."""

    number: int
    subscribe: Subscribe
    stream_id: str
