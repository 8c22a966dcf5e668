"""What the cores of the gateway want done beside the effects of the contract (actors/decisions/contract.py)."""

from __future__ import annotations

from attrs import frozen

from mesolite.actors.decisions.contract import Extension
from mesolite.gateway.exchange import Part, Request
from mesolite.messages.scheduler import Subscribe


@frozen
class Write(Extension):
    """Send that part of the answer to the client of that request."""

    number: int
    part: Part


@frozen(kw_only=True)
class OpenStream(Extension):
    """Start a remote scheduler as an actor of that name, which answers that request with a stream."""

    number: int
    actor: str
    subscribe: Subscribe
    stream_id: str


@frozen(kw_only=True)
class ReadFiles(Extension):
    """Answer that request from files: `roots` are real paths by the virtual ones that clients name (HT-359).

    `what` is a method of `Files`: browse, read, download; or list_files or read_file, whose answer is enveloped.
    """

    number: int
    request: Request
    roots: tuple[tuple[str, str], ...]
    what: str
    arguments: tuple[str | int, ...]


@frozen(kw_only=True)
class Measure(Extension):
    """Find out what these containers use, by the actors that run them, and say so in a `Measured` of that number."""

    number: int
    actors: tuple[tuple[str, str], ...]
