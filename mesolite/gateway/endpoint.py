"""An HTTP endpoint: the actor beside a master or an agent that hears requests and answers them.

It translates and routes, and decides nothing that its daemon decides: calls become messages, reads are queries.

    RequestCame --> answered at once, or asked of the daemon --QueryAnswered, CallAnswered--> answered
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import Core, Effect, Exit, Link, LinkBroken, PeerExited, Started, Table, on
from mesolite.gateway import routing
from mesolite.gateway.authentication import Authentication
from mesolite.gateway.effects import ReadFiles, Write
from mesolite.gateway.events import ClientGone, RequestCame
from mesolite.gateway.exchange import Part, Request, Response
from mesolite.gateway.reading import builds, metrics
from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.refusals import OK, TEXT, HttpRefusal, json_response, refusal
from mesolite.gateway.routing import parameters, require_method
from mesolite.gateway.tokens import Tokens
from mesolite.gateway.v1 import lenient
from mesolite.gateway.v1.framing import to_json
from mesolite.gateway.v1.lenient import Unreadable
from mesolite.gateway.v1.schema.kinds import MessageType
from mesolite.gateway.v1.writing import VERSION, Epoch, Plain
from mesolite.messages.base import OperatorCall, Query
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QueryAnswered

PROMETHEUS = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),)


@frozen(kw_only=True)
class EndpointFacts:
    """What an endpoint is started with. `flags`: what it was started with, by name, as text.

    `tokens`: by which executors are known; None if they need none.
    """

    daemon: str
    address: Address
    epoch: Epoch
    authentication: Authentication
    tokens: Tokens | None
    flags: Mapping[str, str]
    heartbeat_s: float


@frozen
class Route:
    """An endpoint of HTTP: who serves it, and under which realm (HT-105 to HT-111); without one it is open.

    It is served with the request's number, the request, and who has authenticated, '' if nobody had to.
    """

    serve: Callable[[int, Request, str], None]
    realm: str = ""


_FUNCTION = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.]*")

Finish = Callable[[Any], Response | None]
"""Makes the answer of what a daemon has said; None: somebody else answers that request."""


class EndpointCore(Core):
    """What the endpoints of masters and of agents have in common."""

    PROCESS: ClassVar[str]
    """What Mesos calls the process (HT-12)."""

    def __init__(self, facts: EndpointFacts) -> None:
        """Serve for that daemon."""
        super().__init__()
        self.facts = facts
        self.name, self.life, self.now, self.started_at = "", 0, 0.0, 0.0
        self.routes: dict[str, Route] = {
            "health": Route(lambda number, request, principal: self.answer_with(number, OK)),
            "version": Route(self._serve_version),
            "": Route(self._serve_root),
        }
        self._next_call = 1
        self._awaited: dict[int, tuple[int, Finish]] = {}
        """Requests that wait for an answer of the daemon: by the call's id, and what to make of it."""

    def common_routes(self, realm: str) -> dict[str, Route]:
        """What masters and agents both serve for whoever may read there."""
        kinds = ("browse", "read", "download")
        files = {f"files/{kind}": Route(partial(self._serve_files, kind), realm) for kind in kinds}
        return {"flags": Route(self._serve_flags, realm), **files}

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        """Decide what this event means now."""
        self.now = now
        return super().handle(event, sender, now)

    # --- requests --------------------------------------------------------------------------------------

    def _begin(self, event: Started, sender: str, now: float) -> None:
        self.name, self.life, self.started_at = event.name, event.incarnation, now
        self.effects.append(Link(self.facts.daemon))

    def _request(self, event: RequestCame, sender: str, now: float) -> None:
        request = event.request
        try:
            name = routing.find(request.path, self.PROCESS, self.routes)
            if name is None:
                raise HttpRefusal(404, f"there is nothing at {request.path}")
            route = self.routes[name]
            # Before anything else, a redirect, too (HT-69, HT-102).
            principal = self.facts.authentication.principal(request, route.realm) if route.realm else ""
            route.serve(event.number, request, principal)
        except HttpRefusal as refused:
            self.answer_with(event.number, refused.response)
        except Unreadable as why:
            self.answer_with(event.number, refusal(400, str(why)))

    def answer_with(self, number: int, part: Part) -> None:
        """Want this sent to the client of that request."""
        self.effects.append(Write(number, part))

    def ask(self, number: int, make: Callable[[int], Query | OperatorCall], finish: Finish) -> None:
        """Ask the daemon, and answer that request when it has answered."""
        call_id, self._next_call = self._next_call, self._next_call + 1
        self._awaited[call_id] = (number, finish)
        self.send(self.facts.daemon, make(call_id))

    def _answered(self, event: QueryAnswered | CallAnswered, sender: str, now: float) -> None:
        number, finish = self._awaited.pop(event.call_id, (0, None))
        if sender != self.facts.daemon or finish is None:
            return
        response: Response | None
        try:
            response = refusal(event.code, event.refusal) if event.code != 200 else finish(event)
        except HttpRefusal as refused:
            response = refused.response
        except Unreadable as why:
            response = refusal(400, str(why))
        if response is not None:
            self.answer_with(number, response)

    def _peer_gone(self, event: PeerExited, sender: str, now: float) -> None:
        """With its daemon it ends; whoever waits is told to try again."""
        if event.name != self.facts.daemon:
            return
        self._give_up(f"{self.facts.daemon} has just ended; try again")
        self.end_streams()
        self.effects.append(Exit("its daemon has ended"))

    def _give_up(self, why: str) -> None:
        """Nobody will answer what was asked."""
        for number, _ in self._awaited.values():
            self.answer_with(number, refusal(503, why))
        self._awaited.clear()

    def _link_broke(self, event: LinkBroken, sender: str, now: float) -> None:
        """Something that was said between its daemon and it is lost; who had subscribed has to begin anew."""
        if event.name == self.facts.daemon:
            self._give_up(f"what was said between this and {self.facts.daemon} is lost; look, then try again")
            self.end_streams()

    def end_streams(self) -> None:
        """Write the last of every stream that it writes itself."""

    # --- what both serve -------------------------------------------------------------------------------

    def _serve_version(self, number: int, request: Request, principal: str) -> None:
        require_method(request, "GET")
        self.answer_with(number, plain_json(request, builds.version_info()))

    def _serve_flags(self, number: int, request: Request, principal: str) -> None:
        require_method(request, "GET")
        self.answer_with(number, plain_json(request, {"flags": dict(self.facts.flags)}))

    def _serve_root(self, number: int, request: Request, principal: str) -> None:
        """Something to read for whoever comes by with a browser (HT-345)."""
        if request.path.strip("/") not in ("", self.PROCESS):
            raise HttpRefusal(404, f"there is nothing at {request.path}")
        require_method(request, "GET")
        known = "\n".join(f"/{name}" for name in self.routes if name)
        text = f"{self.facts.daemon} of a Mesolite cluster, which speaks as Mesos {VERSION} does:\n{known}\n"
        self.answer_with(number, Response(status=200, headers=TEXT, body=text.encode()))

    def _serve_files(self, kind: str, number: int, request: Request, principal: str) -> None:
        require_method(request, "GET")
        query = parameters(request)
        numbers = (query.get("offset", "-1"), query.get("length", "-1")) if kind == "read" else ()
        self.read_files(number, request, kind, (query.get("path", ""), *numbers))

    def read_files(self, number: int, request: Request, what: str, arguments: tuple[str | int, ...]) -> None:
        """Answer that request from files; a master has none."""
        self.effects.append(ReadFiles(number=number, request=request, roots=(), what=what, arguments=arguments))

    def _client_gone(self, event: ClientGone, sender: str, now: float) -> None:
        """Somebody does not wait any more; who has streams has more to do."""

    HANDLERS: ClassVar[Table] = dict(
        [
            on(Started, _begin),
            on(RequestCame, _request),
            on(ClientGone, _client_gone),
            on(QueryAnswered, _answered),
            on(CallAnswered, _answered),
            on(PeerExited, _peer_gone),
            on(LinkBroken, _link_broke),
        ]
    )


def read_call(message: MessageType, request: Request) -> Plain:
    """The one JSON object of a call (HT-39).

    Raises:
        Unreadable: it is none, or does not fit.
    """
    return lenient.read(message, request.body)


def done(answer: CallAnswered) -> Response:
    """Carried out; there is nothing to say (HT-93)."""
    return OK


def enveloped(kind: str, body: Plain) -> Response:
    """The result of an operator's call: its type, and the body under the type in lower case (HT-252)."""
    return json_response({"type": kind, kind.lower(): body})


def plain_json(request: Request, value: Any) -> Response:
    """JSON for old clients, as an argument of a function if the query names one (HT-15).

    Raises:
        HttpRefusal: 400, that is no name of a function.
    """
    name = parameters(request).get("jsonp")
    if name is None:
        return json_response(value)
    if not _FUNCTION.fullmatch(name):
        raise HttpRefusal(400, f"jsonp is {name!r}; give the name of a function: letters, digits, '_', '$' and '.'")
    return Response(
        status=200, headers=(("Content-Type", "text/javascript"),), body=b"%s(%s);" % (name.encode(), to_json(value))
    )


def prometheus(request: Request, measured: metrics.Metrics) -> Response:
    """What was measured, for Prometheus (HT-331)."""
    return Response(status=200, headers=PROMETHEUS, body=metrics.exposition(measured).encode())


def file_call(kind: str, body: Plain) -> tuple[str, tuple[str | int, ...]]:
    """What of `Files` answers LIST_FILES and READ_FILE (HT-271, HT-272)."""
    if kind == "LIST_FILES":
        return "list_files", (body["path"],)
    return "read_file", (body["path"], body["offset"], *([body["length"]] if "length" in body else ()))
