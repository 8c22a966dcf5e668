"""HTTP on virtual time: a client that a test scripts, and the ports it reaches, without a socket.

What is sent and answered is what sockets would carry (mesolite/gateway/exchange.py); only bytes on a wire are missing.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field

from mesolite.actors.errors import InvalidValue
from mesolite.gateway.exchange import Cut, Inlet, Part, Record, Request, Response, StreamBegun
from mesolite.gateway.v1.framing import Unframer
from mesolite.machines import Machine

FIRST_PORT = 5050
RECORD_MAX = 1 << 26

OnRecord = Callable[[Any], None]


@define(eq=False)
class HttpAnswer:
    """What has come of a request so far.

    Attributes:
        status: None until the answer has begun; it stays None if the connection was dropped.
        headers: by their names in lower case.
        body: of an answer that is no stream.
        records: of a stream, each parsed.
        ended: whether no more is to come.
        broken: whether the connection was dropped before the answer had ended.
    """

    number: int
    on_record: OnRecord | None = None
    status: int | None = None
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""
    is_stream: bool = False
    records: list[Any] = field(factory=list)
    ended: bool = False
    broken: bool = False
    _unframer: Unframer = field(init=False, factory=lambda: Unframer(RECORD_MAX))

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def of_type(self, kind: str) -> list[Any]:
        """The bodies of the records of that type, in order."""
        return [record.get(kind.lower()) for record in self.records if record["type"] == kind]

    def take(self, part: Part) -> None:
        """The next part has come."""
        match part:
            case Response(status=status, headers=headers, body=body):
                self.status, self.body, self.ended = status, body, True
                self.headers = {name.lower(): value for name, value in headers}
            case StreamBegun(headers=headers):
                self.status, self.headers = 200, {name.lower(): value for name, value in headers}
                self.is_stream = True
            case Record(framed=framed):
                for record in map(json.loads, self._unframer.feed(framed)):
                    self.records.append(record)
                    if self.on_record is not None:
                        self.on_record(record)
            case Cut():
                self.ended = self.broken = True
            case _:
                self.ended = True


class SimulatedPorts:
    """Where the clients of a simulation come in."""

    def __init__(self) -> None:
        """Nobody listens."""
        self._free = itertools.count(FIRST_PORT)
        self._inlets: dict[tuple[str, int], Inlet] = {}
        self._answers: dict[int, tuple[HttpAnswer, Inlet]] = {}
        self._numbers = itertools.count(1)

    def listen(self, host: str, port: int, inlet: Inlet) -> int:
        """Let clients in there."""
        port = port or next(self._free)
        self._inlets[host, port] = inlet
        return port

    def write(self, number: int, part: Part) -> None:
        """Give the client the next part of its answer."""
        known = self._answers.get(number)
        if known is not None:
            known[0].take(part)
            if known[0].ended:
                self._answers.pop(number, None)

    def close(self) -> None:
        """There is nothing to be closed."""

    def send(self, host: str, port: int, request: Request, on_record: OnRecord | None) -> HttpAnswer:
        """Send a request to whoever listens there."""
        inlet = self._inlets.get((host, port))
        answer = HttpAnswer(next(self._numbers), on_record)
        if inlet is not None:
            self._answers[answer.number] = (answer, inlet)
            if inlet.request(answer.number, request):
                return answer
            del self._answers[answer.number]
        answer.ended = answer.broken = True
        return answer

    def streams(self) -> list[HttpAnswer]:
        """Those that are open, the oldest first."""
        return [answer for answer, _ in self._answers.values() if answer.is_stream and not answer.ended]

    def hang_up(self, answer: HttpAnswer) -> None:
        """The client goes before its answer has ended."""
        known = self._answers.pop(answer.number, None)
        if known is not None:
            answer.ended = answer.broken = True
            known[1].gone(answer.number)


class HttpClient:
    """A client of a simulated cluster that speaks HTTP: `cluster.client`."""

    def __init__(self, ports: SimulatedPorts) -> None:
        """Come in through these ports."""
        self._ports = ports

    def get(self, to: Machine | str, path: str) -> HttpAnswer:
        """Ask a master or an agent, by its machine or its url; the answer comes when time is let pass."""
        return self.send(to, "GET", path)

    def post(
        self,
        to: Machine | str,
        path: str,
        body: Any,
        *,
        headers: Mapping[str, str] | None = None,
        on_record: OnRecord | None = None,
    ) -> HttpAnswer:
        """Send a call: JSON, or bytes as they are. `on_record` is called with each record of a stream as it comes."""
        given = {"Content-Type": "application/json", **(headers or {})}
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(to, "POST", path, headers=given, body=sent, on_record=on_record)

    def send(
        self,
        to: Machine | str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        on_record: OnRecord | None = None,
    ) -> HttpAnswer:
        """Send any request; `path` may end with a query.

        Raises:
            InvalidValue: `to` is no url, as those of machines are.
        """
        url = to.url if isinstance(to, Machine) else to
        host, _, port = url.partition("://")[2].partition(":")
        if not port.isdigit():
            raise InvalidValue(f"{to!r} is no url; give a machine, or such as 'http://127.0.0.1:5050'")
        bare, _, query = path.partition("?")
        named = headers.items() if isinstance(headers, Mapping) else headers
        request = Request(method=method, path=bare, query=query, headers=tuple(named), body=body)
        return self._ports.send(host, int(port), request, on_record)

    @property
    def streams(self) -> list[HttpAnswer]:
        """The streams that are open, of whomever, the oldest first."""
        return self._ports.streams()

    def hang_up(self, answer: HttpAnswer) -> None:
        """Go before the answer has ended, as a client does that dies."""
        self._ports.hang_up(answer)
