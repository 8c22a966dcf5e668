"""The HTTP endpoint of an agent: the executor API, and what can be read (docs/spec/http.md sections 8, 10, 12).

Which executors there are the agent knows; whose process has subscribed, and so may call, its actor says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from mesolite.actors.decisions.contract import Link, PeerExited, Started, Table, on
from mesolite.gateway import executor_calls
from mesolite.gateway.content import require_json, require_readable
from mesolite.gateway.effects import Measure, ReadFiles
from mesolite.gateway.endpoint import (
    EndpointCore,
    EndpointFacts,
    Route,
    enveloped,
    file_call,
    plain_json,
    prometheus,
    read_call,
)
from mesolite.gateway.events import ClientGone, Measured
from mesolite.gateway.exchange import Record, Request, Response, StreamBegun, StreamEnded
from mesolite.gateway.executor_stream import SHUTDOWN
from mesolite.gateway.reading import agent_legacy, agent_reads, metrics, operator_reads
from mesolite.gateway.reading.addresses import Addresses
from mesolite.gateway.refusals import ACCEPTED, JSON, OK, HttpRefusal
from mesolite.gateway.routing import parameters, require_duration, require_method
from mesolite.gateway.tokens import Claims
from mesolite.gateway.v1.framing import framed
from mesolite.gateway.v1.reading import value
from mesolite.gateway.v1.schema.agent import AGENT_CALL
from mesolite.gateway.v1.schema.executor import EXECUTOR_CALL
from mesolite.gateway.v1.writing import Plain
from mesolite.messages.ids import AgentId
from mesolite.messages.queries import GetHoldings
from mesolite.messages.remote import ExecutorCalled, ExecutorConnected, StreamLost
from mesolite.messages.snapshot import AgentHoldings, HeldExecutor

EXECUTOR, READ_WRITE, READ_ONLY = "mesos-agent-executor", "mesos-agent-readwrite", "mesos-agent-readonly"

RECOVERING = "this agent is recovering what it had before it was started again; try again"

NOT_HERE = {
    "ADD_RESOURCE_PROVIDER_CONFIG": "resource providers",
    "UPDATE_RESOURCE_PROVIDER_CONFIG": "resource providers",
    "REMOVE_RESOURCE_PROVIDER_CONFIG": "resource providers",
    "MARK_RESOURCE_PROVIDER_GONE": "resource providers",
    "PRUNE_IMAGES": "images",
}
"""Calls about what does not exist here: 501, with a sentence that says so (HT-319)."""

ExecutorKey = tuple[str, str]


class AgentEndpointCore(EndpointCore):
    """Decides what becomes of each request to one agent."""

    PROCESS = "slave(1)"

    def __init__(self, facts: EndpointFacts, masters: Addresses) -> None:
        """Serve for that agent; `masters`: where each of them listens."""
        super().__init__(facts)
        self._masters = masters
        self._agent_id: AgentId | None = None
        self._connected: dict[ExecutorKey, str] = {}
        """The actors of executors whose calls are taken, by framework and executor."""
        self._containers: dict[str, str] = {}
        """The run of each executor that has subscribed, by its actor."""
        self._streams: dict[int, str] = {}
        """The actors of executors, by the request that each answers with a stream."""
        self._unanswered: set[int] = set()
        """Those of these requests that have not been answered yet, as far as is known here."""
        self._measured: dict[int, Callable[[Any], Response]] = {}
        self.routes |= {
            "api/v1/executor": Route(self._serve_executor),
            "api/v1": Route(self._serve_operator, READ_WRITE),
            "state": Route(self._serve_state, READ_ONLY),
            "containers": Route(partial(self._serve_measured, agent_legacy.containers), READ_ONLY),
            "monitor/statistics": Route(partial(self._serve_measured, agent_legacy.monitor_statistics), READ_ONLY),
            "metrics/snapshot": Route(partial(self._serve_metrics, plain_json), READ_ONLY),
            "metrics": Route(partial(self._serve_metrics, prometheus), READ_ONLY),
            "files/debug": Route(self._serve_attached, READ_ONLY),
            **self.common_routes(READ_ONLY),
        }

    def _ask(self, number: int, finish: Callable[[AgentHoldings], Response | None]) -> None:
        """Ask the agent what it has."""
        self.ask(number, lambda call_id: GetHoldings(call_id=call_id), lambda answer: finish(answer.holdings))

    # --- executors -------------------------------------------------------------------------------------

    def _serve_executor(self, number: int, request: Request, principal: str) -> None:
        claims = None if self.facts.tokens is None else self.facts.tokens.claims(request)
        if self._connected and request.method == "POST" and request.header("Content-Type"):
            # The agent is not asked again for each call of an executor that it has taken.
            require_json(request)
            call = read_call(EXECUTOR_CALL, request)
            actor = self._connected.get((value(call, "framework_id"), value(call, "executor_id")))
            if actor is not None and call.get("type") != "SUBSCRIBE":
                kind = executor_calls.check(call)
                _require_own(claims, call, self._containers[actor])
                self.answer_with(number, self._called(kind, call, actor))
                return
        self._ask(number, lambda holdings: self._call(number, request, claims, holdings))

    def _call(self, number: int, request: Request, claims: Claims | None, holdings: AgentHoldings) -> Response | None:
        """A call that the agent's state is needed for, checked in Mesos's order (HT-72)."""
        self._agent_id = holdings.info.id
        if holdings.recovering and not holdings.frameworks:
            raise HttpRefusal(503, RECOVERING)  # HT-198
        require_method(request, "POST")
        require_json(request)
        call = read_call(EXECUTOR_CALL, request)
        kind = executor_calls.check(call)
        if kind == "SUBSCRIBE":
            require_readable(request)
        if holdings.recovering and kind in ("UPDATE", "MESSAGE"):
            raise HttpRefusal(503, RECOVERING)
        if kind == "HEARTBEAT":
            return ACCEPTED
        executor = _find(holdings, value(call, "framework_id"), value(call, "executor_id"))
        _require_own(claims, call, executor.container_id)
        if kind != "SUBSCRIBE":
            raise HttpRefusal(403, f"executor {executor.executor_id!r} is not subscribed; send SUBSCRIBE first")
        self._streams[number] = executor.actor
        self._unanswered.add(number)
        self._containers[executor.actor] = executor.container_id
        asked = executor_calls.subscribed(call, number, self._agent_id, self.facts.epoch, self.now)
        self.effects.append(Link(executor.actor))
        self.send(executor.actor, asked)
        return None

    def _called(self, kind: str, call: Plain, actor: str) -> Response:
        if kind != "HEARTBEAT":
            said = executor_calls.of_executor(call, kind, self._agent_id, self.facts.epoch, self.now)
            self.send(actor, ExecutorCalled(call=said))
        return ACCEPTED

    def _executor_connected(self, event: ExecutorConnected, sender: str, now: float) -> None:
        key = (event.framework_id, event.executor_id)
        if event.connected:
            self._connected[key] = sender
            self._unanswered -= {number for number, actor in self._streams.items() if actor == sender}
        elif self._connected.get(key) == sender:
            del self._connected[key]

    def _client_gone(self, event: ClientGone, sender: str, now: float) -> None:
        actor = self._streams.pop(event.number, None)
        self._unanswered.discard(event.number)
        if actor is not None:
            self.send(actor, StreamLost(number=event.number))

    def _peer_gone(self, event: PeerExited, sender: str, now: float) -> None:
        for number in [number for number, actor in self._streams.items() if actor == event.name]:
            # If it has not ended it itself; or if it had ended before it was asked (HT-196).
            self._end_stream(number, Record(framed(SHUTDOWN)))
        self._connected = {key: actor for key, actor in self._connected.items() if actor != event.name}
        self._containers.pop(event.name, None)
        super()._peer_gone(event, sender, now)

    def end_streams(self) -> None:
        """End the connections of executors, which may live on: those are its agent's (HT-59, HT-248)."""
        for number, actor in list(self._streams.items()):
            self._end_stream(number)
            self.send(actor, StreamLost(number=number))

    def _end_stream(self, number: int, *last: Record) -> None:
        """Write the last of a stream; `last`: what is said to who has not been answered yet."""
        del self._streams[number]
        if number in self._unanswered:
            self._unanswered.discard(number)
            self.answer_with(number, StreamBegun(headers=JSON))
            for record in last:
                self.answer_with(number, record)
        self.answer_with(number, StreamEnded())

    # --- operators -------------------------------------------------------------------------------------

    def _serve_operator(self, number: int, request: Request, principal: str) -> None:
        self._ask(number, lambda holdings: self._operate(number, request, holdings))

    def _operate(self, number: int, request: Request, holdings: AgentHoldings) -> Response | None:
        """An operator's call, checked in Mesos's order (HT-71)."""
        if holdings.recovering:
            raise HttpRefusal(503, RECOVERING)
        require_method(request, "POST")
        require_json(request)
        if request.header("Message-Content-Type") is not None:
            raise HttpRefusal(415, "Message-Content-Type is for requests in application/recordio")
        require_readable(request)
        if request.header("Message-Accept") is not None:
            raise HttpRefusal(406, "Message-Accept is for answers in application/recordio")
        call = read_call(AGENT_CALL, request)
        kind: str | None = call.get("type")
        if kind is None:
            raise HttpRefusal(400, "the call has no type, or one that is not known; GET_STATE or GET_AGENT are, say")
        field = kind.lower()
        if field in AGENT_CALL.fields and field not in call and kind != "GET_CONTAINERS":
            raise HttpRefusal(400, f"a call of type {kind} needs the field {field!r}")
        body: Plain = call.get(field, {})
        if kind == "SET_LOGGING_LEVEL":
            return OK  # what is logged, the program that holds the cluster decides
        if kind in ("LIST_FILES", "READ_FILE"):
            self._read_files(number, request, *file_call(kind, body), holdings)
            return None
        if kind == "GET_CONTAINERS":
            self._measure(number, holdings, lambda found: enveloped(kind, agent_reads.get_containers(holdings, found)))
            return None
        return enveloped(kind, self._read(kind, holdings))

    def _read(self, kind: str, holdings: AgentHoldings) -> Plain:
        """The result of a call that only reads (section 10)."""
        epoch = self.facts.epoch
        readers: dict[str, Callable[[], Plain]] = {
            "GET_HEALTH": operator_reads.get_health,
            "GET_VERSION": operator_reads.get_version,
            "GET_FLAGS": lambda: operator_reads.get_flags(self.facts.flags),
            "GET_METRICS": lambda: operator_reads.get_metrics(metrics.of_agent(holdings, self.now - self.started_at)),
            "GET_LOGGING_LEVEL": lambda: {"level": 0},
            "GET_STATE": lambda: agent_reads.get_state(holdings, epoch),
            "GET_AGENT": lambda: agent_reads.get_agent(holdings),
            "GET_FRAMEWORKS": lambda: agent_reads.get_frameworks(holdings),
            "GET_EXECUTORS": lambda: agent_reads.get_executors(holdings),
            "GET_TASKS": lambda: agent_reads.get_tasks(holdings, epoch),
            "GET_OPERATIONS": agent_reads.get_operations,
            "GET_RESOURCE_PROVIDERS": agent_reads.get_resource_providers,
        }
        if kind not in readers:
            what = NOT_HERE.get(kind, "containers inside containers")
            raise HttpRefusal(501, f"{kind}: there are no such things here as {what}")
        return readers[kind]()

    # --- what old clients read -------------------------------------------------------------------------

    def _serve_state(self, number: int, request: Request, principal: str) -> None:
        require_method(request, "GET")
        facts, started_at = self.facts, self.started_at
        self._ask(
            number,
            lambda holdings: plain_json(
                request, agent_legacy.state(holdings, facts.epoch, started_at, self._masters, facts.flags)
            ),
        )

    def _serve_attached(self, number: int, request: Request, principal: str) -> None:
        """Where sandboxes are, by the paths that clients name; tools find those of an executor's runs here."""
        require_method(request, "GET")
        self._ask(number, lambda holdings: plain_json(request, agent_legacy.sandboxes(holdings)))

    def _serve_metrics(
        self, answer: Callable[[Request, metrics.Metrics], Response], number: int, request: Request, principal: str
    ) -> None:
        require_method(request, "GET")
        require_duration(parameters(request).get("timeout"))
        uptime_s = self.now - self.started_at
        self._ask(number, lambda holdings: answer(request, metrics.of_agent(holdings, uptime_s)))

    def _serve_measured(self, tell: Callable[..., list[Plain]], number: int, request: Request, principal: str) -> None:
        require_method(request, "GET")
        chosen = parameters(request).get("container_id") if tell is agent_legacy.containers else None
        more = () if chosen is None else (chosen,)

        def finish(holdings: AgentHoldings) -> None:
            self._measure(number, holdings, lambda found: plain_json(request, tell(holdings, found, *more)))

        self._ask(number, finish)

    def _measure(self, number: int, holdings: AgentHoldings, finish: Callable[[Any], Response]) -> None:
        """What containers use has to be looked up."""
        self._measured[number] = finish
        actors = tuple((held.container_id, held.actor) for _, held in agent_reads.executors(holdings))
        self.effects.append(Measure(number=number, actors=actors))

    def _found(self, event: Measured, sender: str, now: float) -> None:
        finish = self._measured.pop(event.number)
        try:
            self.answer_with(event.number, finish(event.statistics))
        except HttpRefusal as refused:
            self.answer_with(event.number, refused.response)

    # --- files -----------------------------------------------------------------------------------------

    def read_files(self, number: int, request: Request, what: str, arguments: tuple[str | int, ...]) -> None:
        """Answer that request from the sandboxes here."""

        def finish(holdings: AgentHoldings) -> None:
            self._read_files(number, request, what, arguments, holdings)

        self._ask(number, finish)

    def _read_files(
        self, number: int, request: Request, what: str, arguments: tuple[str | int, ...], holdings: AgentHoldings
    ) -> None:
        roots = tuple(agent_legacy.sandboxes(holdings).items())
        self.effects.append(ReadFiles(number=number, request=request, roots=roots, what=what, arguments=arguments))

    HANDLERS: ClassVar[Table] = {
        **EndpointCore.HANDLERS,
        **dict(
            [
                on(Started, EndpointCore._begin),  # noqa: SLF001  the same
                on(PeerExited, _peer_gone),
                on(ClientGone, _client_gone),
                on(ExecutorConnected, _executor_connected),
                on(Measured, _found),
            ]
        ),
    }


def _require_own(claims: Claims | None, call: Plain, container_id: str) -> None:
    """Let in only whom the token is for (HT-117).

    Raises:
        HttpRefusal: 403.
    """
    own = Claims(value(call, "framework_id"), value(call, "executor_id"), container_id)
    if claims not in (None, own):
        raise HttpRefusal(403, "the token is for another executor, or for another run of it")


def _find(holdings: AgentHoldings, framework_id: str, executor_id: str) -> HeldExecutor:
    """The executor that makes a call (HT-194).

    Raises:
        HttpRefusal: 400, there is none, or none that is a process.
    """
    framework = next((each for each in holdings.frameworks if each.info.id == framework_id), None)
    if framework is None:
        raise HttpRefusal(400, f"there is no framework {framework_id!r} on this agent")
    executor = next((each for each in framework.executors if each.executor_id == executor_id), None)
    if executor is None:
        raise HttpRefusal(400, f"there is no executor {executor_id!r} of framework {framework_id!r} on this agent")
    if executor.info is None or executor.info.command is None:
        raise HttpRefusal(400, f"executor {executor_id!r} is no process that speaks HTTP")
    return executor
