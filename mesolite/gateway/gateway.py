"""A cluster's HTTP interface: a port for each master and agent, and the endpoint behind it.

A port is had once and kept for the cluster's life: a daemon that is started again listens where it did (HT-250).
While a daemon is down, connections to it are dropped, as if nobody listened.
"""

from __future__ import annotations

import ipaddress
import itertools
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

import attrs

from mesolite.actors.decisions.contract import ExecutorStart
from mesolite.actors.decisions.rules import sandboxes
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext, Placement, Runtime
from mesolite.gateway import tokens
from mesolite.gateway.actors import Endpoint, ProcessExecutor
from mesolite.gateway.agent_endpoint import AgentEndpointCore
from mesolite.gateway.authentication import Authentication
from mesolite.gateway.endpoint import EndpointCore, EndpointFacts
from mesolite.gateway.events import ClientGone, RequestCame
from mesolite.gateway.exchange import Cut, Inlet, Outlet, Part, Request, Response, StreamBegun, StreamEnded
from mesolite.gateway.master_endpoint import MasterEndpointCore
from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.reading.flags import flags_of
from mesolite.gateway.refusals import refusal
from mesolite.gateway.tokens import Claims, Tokens
from mesolite.gateway.v1.writing import Epoch
from mesolite.http import LOOPBACK, Http

CALLS = ("/api/v1/scheduler", "/api/v1/executor")
"""Paths of calls of schedulers and executors."""

TLS_IS_SPOKEN = ("LIBPROCESS_SSL_ENABLED", "true")
"""Says to executors that their agent speaks TLS (HT-18). Mesos's inherit it; MESOS_AGENT_ENDPOINT has no scheme."""

EVERYWHERE = "0.0.0.0"  # noqa: S104  whoever gives it wants that
"""To listen there is to listen at all addresses of this machine; clients cannot be sent there."""

FAR_AWAY = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737), so it is reached over the default route."""


class Ports(Protocol):
    """Where clients come in: sockets (server.py), or the clients of a simulation."""

    def listen(self, host: str, port: int, inlet: Inlet) -> int:
        """Let clients in there, and say at which port; 0 means any free one."""

    def write(self, number: int, part: Part) -> None:
        """Send the next part of the answer to the request of that number."""

    def close(self) -> None:
        """Let nobody in any more, and send those home who are there."""


@attrs.define(eq=False)
class Unanswered:
    """A request whose answer has not ended: by which life of an endpoint, and whether that is a stream."""

    by: ActorContext
    streams: bool = False


class DaemonInlet:
    """Hands requests to the endpoint of one daemon, as long as it is there."""

    def __init__(self, runtime: Runtime, endpoint: str, outlet: Outlet, unanswered: dict[int, Unanswered]) -> None:
        """`endpoint`: the name of its actor, which is about to be started."""
        self._runtime = runtime
        self._endpoint = endpoint
        self._outlet = outlet
        self._unanswered = unanswered
        self.has_begun = False

    def request(self, number: int, request: Request) -> bool:
        """Take a request; before the daemon has ever been there, it is told to come again (HT-16)."""
        context = self._runtime.directory.find(self._endpoint)
        if context is None:
            if not self.has_begun:
                self._outlet(number, refusal(503, "this is just being started; try again"))
            return not self.has_begun
        self._unanswered[number] = Unanswered(context)
        # Calls are short; what reads may take its time, and others would have to wait for that.
        short = request.path.endswith(CALLS)
        post = self._runtime.post_here if short else self._runtime.post
        post(context, RequestCame(number, request), "http")
        return True

    def gone(self, number: int) -> None:
        """Learn that nobody waits for that answer any more."""
        known = self._unanswered.pop(number, None)
        if known is not None:
            self._runtime.post(known.by, ClientGone(number), "http")


class Gateway:
    """The endpoints of one cluster."""

    def __init__(
        self, runtime: Runtime, settings: Settings, http: Http, ports: Ports, *, epoch_s: float, secret: str
    ) -> None:
        """Let clients in through `ports`; `epoch_s`: what the world's clock read when the cluster's read 0.

        `secret` signs the tokens of executors, if clients need credentials.
        """
        self._runtime = runtime
        self._settings = settings
        self._http = http
        self._ports = ports
        self._epoch = Epoch(epoch_s)
        self._authentication = Authentication(http.credentials)
        self._tokens = None if http.credentials is None else Tokens(secret)
        self._host, self._first_port = http.host_and_port
        self._advertised = _address_of_this_machine() if self._host == EVERYWHERE else self._host
        self._masters: dict[str, Address] = {}
        self._agents: dict[str, Address] = {}
        self._inlets: dict[str, DaemonInlet] = {}
        self._unanswered: dict[int, Unanswered] = {}
        """Requests whose answers have not ended."""
        self._hosts = map(self._host_of_agent, itertools.count(1))

    @property
    def masters(self) -> Mapping[str, Address]:
        """Where each master listens."""
        return self._masters

    @property
    def agents(self) -> Mapping[str, Address]:
        """Where each agent listens."""
        return self._agents

    def serve_master(self, name: str) -> None:
        """A master was started: so is its endpoint."""
        if name not in self._masters:
            self._masters[name] = self._listen(name, self._host, len(self._masters))
        self._start(name, lambda: MasterEndpointCore(self._facts(name, self._masters[name]), self._masters))

    def address_of(self, agent: str) -> Address:
        """Where that agent listens, or will: on loopback at an address of its own, as if it were a machine (HT-291)."""
        if agent not in self._agents:
            host = next(self._hosts)
            place = len(self._masters) + (len(self._agents) if host == self._host else 0)
            self._agents[agent] = self._listen(agent, host, place)
        return self._agents[agent]

    def serve_agent(self, name: str) -> None:
        """An agent was started: so is its endpoint."""
        address = self.address_of(name)
        self._start(name, lambda: AgentEndpointCore(self._facts(name, address), self._masters))

    def executor(self, context: ActorContext, start: ExecutorStart) -> ProcessExecutor:
        """An executor that is a process."""
        more: list[tuple[str, str]] = []
        if self._tokens is not None:
            run = sandboxes.container_id(start.agent, start.sandbox)
            more.append((tokens.VARIABLE, self._tokens.issue(Claims(start.framework_id, start.executor_id, run))))
        if self._http.certificate:
            more.append(TLS_IS_SPOKEN)
        start = attrs.evolve(start, environment=(*start.environment, *more))
        return ProcessExecutor(context, start, self._settings, self._write)

    def close(self) -> None:
        """End all streams, and free the ports (HT-17)."""
        self._ports.close()

    def _facts(self, daemon: str, address: Address) -> EndpointFacts:
        return EndpointFacts(
            daemon=daemon,
            address=address,
            epoch=self._epoch,
            authentication=self._authentication,
            tokens=self._tokens,
            flags=flags_of(self._settings, address),
            heartbeat_s=self._settings.stream_heartbeat_s,
        )

    def _listen(self, daemon: str, host: str, place: int) -> Address:
        endpoint = f"{daemon}/http"
        inlet = self._inlets[daemon] = DaemonInlet(self._runtime, endpoint, self._write, self._unanswered)
        port = self._ports.listen(host, self._first_port + place if self._first_port else 0, inlet)
        ip = self._advertised if host == self._host else host
        return Address(ip, ip, port, secure=bool(self._http.certificate))

    def _start(self, daemon: str, make: Callable[[], EndpointCore]) -> None:
        endpoint, runtime = f"{daemon}/http", self._runtime
        former = runtime.directory.find(endpoint)
        if former is not None:  # its daemon was started again before it could hear of its end
            runtime.end(former, 0)
        runtime.start(endpoint, Placement(daemon), lambda context: Endpoint(context, make(), self._write))
        self._inlets[daemon].has_begun = True
        for number, known in list(self._unanswered.items()):
            if not known.by.alive:  # a former life of it was to answer; a stream is ended, not cut (HT-59)
                self._write(number, StreamEnded() if known.streams else Cut())

    def _write(self, number: int, part: Part) -> None:
        if type(part) is StreamBegun:
            known = self._unanswered.get(number)
            if known is not None:
                known.streams = True
        elif type(part) in (Response, StreamEnded, Cut):
            self._unanswered.pop(number, None)
        self._ports.write(number, part)

    def _host_of_agent(self, number: int) -> str:
        if self._host == LOOPBACK and sys.platform == "linux":  # where all of 127.0.0.0/8 is loopback
            return str(ipaddress.IPv4Address(LOOPBACK) + 255 + number)
        return self._host


def _address_of_this_machine() -> str:
    """Where other machines reach this one: what its name stands for, as in Mesos, or where its default route begins.

    Nothing is sent. On many machines the name stands for loopback, where others would find themselves.
    """
    with suppress(OSError):
        named = socket.gethostbyname(socket.gethostname())
        if not ipaddress.ip_address(named).is_loopback:
            return named
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as routed:
        routed.connect(FAR_AWAY)
        own: str = routed.getsockname()[0]
        return own
    return LOOPBACK  # no other machine can be reached
