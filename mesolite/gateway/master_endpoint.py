"""The HTTP endpoint of a master: where its requests go, and what it does itself (http.md sections 5, 9, 11).

Of leading it knows what its master says: who leads, and whether that is the master itself, recovered. The scheduler API
is in scheduler_api.py, the streams of operators in operator_streams.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs

from mesolite.actors.decisions.contract import LinkBroken, PeerExited, Started, Table, on, on_each
from mesolite.gateway import operator_changes
from mesolite.gateway.content import require_json, require_readable
from mesolite.gateway.endpoint import (
    EndpointCore,
    EndpointFacts,
    Route,
    done,
    enveloped,
    file_call,
    plain_json,
    prometheus,
    read_call,
)
from mesolite.gateway.events import ClientGone
from mesolite.gateway.exchange import Request, Response
from mesolite.gateway.operator_streams import OperatorHeartbeat, OperatorStreams
from mesolite.gateway.reading import legacy, legacy_tasks, metrics, operator_reads
from mesolite.gateway.reading.addresses import Addresses
from mesolite.gateway.refusals import OK, HttpRefusal
from mesolite.gateway.routing import parameters, require_duration, require_method
from mesolite.gateway.scheduler_api import SchedulerApi
from mesolite.gateway.v1 import lenient
from mesolite.gateway.v1.schema.identifiers import MACHINE_ID
from mesolite.gateway.v1.schema.master import MASTER_CALL
from mesolite.gateway.v1.schema.operations import SCHEDULE
from mesolite.gateway.v1.writing import Plain
from mesolite.messages.queries import GetSnapshot
from mesolite.messages.remote import FrameworkSubscribed
from mesolite.messages.snapshot import ClusterSnapshot
from mesolite.messages.watching import (
    AgentAdded,
    AgentRemoved,
    ClusterWatched,
    FrameworkAdded,
    FrameworkRemoved,
    FrameworkUpdated,
    MasterStanding,
    TaskAdded,
    TaskUpdated,
    WatchStanding,
)

PLAIN = ("state", "state-summary", "slaves", "frameworks", "tasks", "roles")
"""What old clients read of a leader (section 11)."""

NOT_SERVED = ("quota", "weights", "reserve", "unreserve", "create-volumes", "destroy-volumes")
"""Endpoints about what does not exist here; a standby leads to the leader all the same (HT-95, HT-344)."""

SCHEDULER, READ_WRITE, READ_ONLY = "mesos-master-scheduler", "mesos-master-readwrite", "mesos-master-readonly"


class MasterEndpointCore(EndpointCore):
    """Decides what becomes of each request to one master."""

    PROCESS = "master"

    def __init__(self, facts: EndpointFacts, masters: Addresses) -> None:
        """Serve for that master; `masters`: where each of them listens."""
        super().__init__(facts)
        self._masters = masters
        self._standing = MasterStanding(serving=False, leader=None)
        self._schedulers = SchedulerApi(self)
        self._operators = OperatorStreams(self)
        self.routes |= {
            "redirect": Route(self._serve_redirect),
            "api/v1/scheduler": Route(self._serve_scheduler, SCHEDULER),
            "api/v1": Route(self._serve_operator, READ_WRITE),
            "teardown": Route(self._serve_teardown, READ_WRITE),
            "maintenance/schedule": Route(self._serve_schedule, READ_WRITE),
            "maintenance/status": Route(partial(self._serve_plain, "maintenance/status"), READ_WRITE),
            "machine/down": Route(partial(self._serve_machines, "START_MAINTENANCE"), READ_WRITE),
            "machine/up": Route(partial(self._serve_machines, "STOP_MAINTENANCE"), READ_WRITE),
            **{name: Route(partial(self._serve_plain, name), READ_ONLY) for name in PLAIN},
            **{name: Route(self._serve_nothing, READ_WRITE) for name in NOT_SERVED},
            "metrics/snapshot": Route(partial(self._serve_metrics, plain_json), READ_ONLY),
            "metrics": Route(partial(self._serve_metrics, prometheus), READ_ONLY),
            "files/debug": Route(self._serve_attached, READ_ONLY),
            **self.common_routes(READ_ONLY),
        }

    def _started(self, event: Started, sender: str, now: float) -> None:
        self._begin(event, sender, now)
        self.send(self.facts.daemon, WatchStanding())

    # --- who leads -------------------------------------------------------------------------------------

    def _stands(self, event: MasterStanding, sender: str, now: float) -> None:
        if sender == self.facts.daemon:
            self._standing = event

    def _link_broke(self, event: LinkBroken, sender: str, now: float) -> None:
        super()._link_broke(event, sender, now)
        if event.name == self.facts.daemon:
            self.send(self.facts.daemon, WatchStanding())  # the news may have been lost

    def _require_leading(self, request: Request) -> None:
        """Go on only if this master leads and has recovered (HT-95 to HT-103).

        Raises:
            HttpRefusal: 307 to the leader; 503 if there is none, or it is this one and not ready.
        """
        if not self._standing.serving:
            query = f"?{request.query}" if request.query else ""
            raise self._redirect(f"{request.path}{query}")

    def _redirect(self, where: str) -> HttpRefusal:
        leader = self._standing.leader
        if leader is None or leader.name not in self._masters:
            return HttpRefusal(503, "no master leads at the moment; try again")
        if leader.name == self.facts.daemon and where:
            return HttpRefusal(503, "this master has been elected, and has not read its registry yet; try again")
        at = self._masters[leader.name]
        return HttpRefusal(307, "", (("Location", f"//{at.hostname}:{at.port}{where}"),))

    def _serve_redirect(self, number: int, request: Request, principal: str) -> None:
        if not request.path.rstrip("/").endswith("redirect"):
            raise HttpRefusal(404, f"there is nothing at {request.path}; /redirect leads to the leader")
        raise self._redirect("")

    # --- streams ---------------------------------------------------------------------------------------

    def _serve_scheduler(self, number: int, request: Request, principal: str) -> None:
        self._require_leading(request)
        self._schedulers.serve(number, request, principal)

    def _framework_subscribed(self, event: FrameworkSubscribed, sender: str, now: float) -> None:
        self._schedulers.subscribed(event, sender)

    def _client_gone(self, event: ClientGone, sender: str, now: float) -> None:
        self._schedulers.client_gone(event.number)
        self._operators.client_gone(event.number)

    def _peer_gone(self, event: PeerExited, sender: str, now: float) -> None:
        self._schedulers.ended(event.name)
        super()._peer_gone(event, sender, now)

    def end_streams(self) -> None:
        """Of operators; those of schedulers are written, and ended, by actors of their own."""
        self._operators.end()

    def _watched(self, event: ClusterWatched, sender: str, now: float) -> None:
        if sender == self.facts.daemon:
            self._operators.begin(event.snapshot)

    def _changed(self, event: Any, sender: str, now: float) -> None:
        if sender == self.facts.daemon:
            self._operators.tell(event)

    def _beat(self, key: OperatorHeartbeat, sender: str, now: float) -> None:
        self._operators.beat(key)

    # --- the operator API ------------------------------------------------------------------------------

    def _serve_operator(self, number: int, request: Request, principal: str) -> None:
        self._require_leading(request)
        require_method(request, "POST")
        require_json(request)
        call = read_call(MASTER_CALL, request)
        kind: str | None = call.get("type")
        if kind is None:
            raise HttpRefusal(400, "the call has no type, or one that is not known; GET_STATE or DRAIN_AGENT are, say")
        field = kind.lower()
        if field in MASTER_CALL.fields and field not in call:
            raise HttpRefusal(400, f"a call of type {kind} needs the field {field!r}")
        require_readable(request)
        body: Plain = call.get(field, {})
        if kind == "UNKNOWN":
            raise HttpRefusal(501, "a call of type UNKNOWN cannot be carried out")
        if kind == "SUBSCRIBE":
            self._operators.subscribe(number)
        elif (change := operator_changes.of_call(kind, body, principal, self.facts.epoch)) is not None:
            self.ask(number, change, done)
        else:
            self._serve_reading(number, request, kind, body)

    def _serve_reading(self, number: int, request: Request, kind: str, body: Plain) -> None:
        if kind in ("LIST_FILES", "READ_FILE"):
            self.read_files(number, request, *file_call(kind, body))
        elif kind == "SET_LOGGING_LEVEL":
            self.answer_with(number, OK)  # what is logged, the program that holds the cluster decides
        else:
            self.ask(
                number,
                lambda call_id: GetSnapshot(call_id=call_id),
                lambda answer: enveloped(kind, self._read(kind, answer.snapshot)),
            )

    def _read(self, kind: str, snapshot: ClusterSnapshot) -> Plain:
        """The result of a call that only reads (section 9.1)."""
        epoch = self.facts.epoch
        readers: dict[str, Callable[[], Plain]] = {
            "GET_HEALTH": operator_reads.get_health,
            "GET_VERSION": operator_reads.get_version,
            "GET_FLAGS": lambda: operator_reads.get_flags(self.facts.flags),
            "GET_METRICS": lambda: operator_reads.get_metrics(metrics.of_master(snapshot, self.now)),
            "GET_LOGGING_LEVEL": lambda: {"level": 0},
            "GET_STATE": lambda: operator_reads.get_state(snapshot, epoch, secure=self.facts.address.secure),
            "GET_AGENTS": lambda: operator_reads.get_agents(snapshot, epoch),
            "GET_FRAMEWORKS": lambda: operator_reads.get_frameworks(snapshot, epoch, secure=self.facts.address.secure),
            "GET_EXECUTORS": lambda: operator_reads.get_executors(snapshot),
            "GET_OPERATIONS": operator_reads.get_operations,
            "GET_TASKS": lambda: operator_reads.get_tasks(snapshot, epoch),
            "GET_ROLES": lambda: operator_reads.get_roles(snapshot),
            "GET_WEIGHTS": operator_reads.get_weights,
            "GET_QUOTA": operator_reads.get_quota,
            "GET_MASTER": lambda: operator_reads.get_master(snapshot, epoch, self._masters),
            "GET_MAINTENANCE_SCHEDULE": lambda: operator_reads.get_maintenance_schedule(snapshot, epoch),
            "GET_MAINTENANCE_STATUS": lambda: operator_reads.get_maintenance_status(snapshot, epoch),
        }
        return readers[kind]()

    # --- what old clients change -----------------------------------------------------------------------

    def _change(self, number: int, kind: str, body: Plain, principal: str) -> None:
        change = operator_changes.of_call(kind, body, principal, self.facts.epoch)
        assert change is not None, kind
        self.ask(number, change, done)

    def _serve_teardown(self, number: int, request: Request, principal: str) -> None:
        """A form with the framework's id (HT-342)."""
        self._require_leading(request)
        require_method(request, "POST")
        framework_id = parse_qs(request.body.decode("utf-8", "replace")).get("frameworkId", [""])[-1]
        if not framework_id:
            raise HttpRefusal(400, "the form has no frameworkId")
        self._change(number, "TEARDOWN", {"framework_id": {"value": framework_id}}, principal)

    def _serve_machines(self, kind: str, number: int, request: Request, principal: str) -> None:
        """A list of machines (HT-341)."""
        self._require_leading(request)
        require_method(request, "POST")
        machines = lenient.read_list(MACHINE_ID, request.body)
        self._change(number, kind, {"machines": machines}, principal)

    # --- what old clients read -------------------------------------------------------------------------

    def _serve_plain(self, name: str, number: int, request: Request, principal: str) -> None:
        """A snapshot without an envelope (section 11)."""
        self._require_leading(request)
        require_method(request, "GET")
        query = parameters(request)
        self._ask_plain(number, request, lambda snapshot: self._plain(name, snapshot, query))

    def _ask_plain(self, number: int, request: Request, tell: Callable[[ClusterSnapshot], Any]) -> None:
        self.ask(
            number,
            lambda call_id: GetSnapshot(call_id=call_id),
            lambda answer: plain_json(request, tell(answer.snapshot)),
        )

    def _plain(self, name: str, snapshot: ClusterSnapshot, query: Mapping[str, str]) -> Any:
        epoch, masters, flags = self.facts.epoch, self._masters, self.facts.flags
        match name:
            case "state":
                return legacy.state(snapshot, epoch, masters, flags)
            case "state-summary":
                return legacy.state_summary(snapshot, epoch, masters, flags)
            case "slaves":
                return legacy.slaves(snapshot, epoch, query.get("slave_id"))
            case "frameworks":
                return legacy.frameworks(snapshot, epoch, query.get("framework_id"))
            case "tasks":
                return legacy_tasks.tasks(snapshot, epoch, query)
            case "roles":
                return legacy.roles(snapshot)
            case _:
                return legacy.maintenance_status(snapshot, epoch)

    def _serve_nothing(self, number: int, request: Request, principal: str) -> None:
        self._require_leading(request)
        raise HttpRefusal(404, f"{request.path}: there are no quotas, weights, reservations and volumes here")

    def _serve_metrics(
        self, answer: Callable[[Request, metrics.Metrics], Response], number: int, request: Request, principal: str
    ) -> None:
        """What can be measured; a master that does not lead knows of no cluster (HT-96, HT-330)."""
        require_method(request, "GET")
        require_duration(parameters(request).get("timeout"))
        if self._standing.serving:
            self.ask(
                number,
                lambda call_id: GetSnapshot(call_id=call_id),
                lambda told: answer(request, metrics.of_master(told.snapshot, self.now)),
            )
        else:
            self.answer_with(number, answer(request, {"master/elected": 0.0}))

    def _serve_attached(self, number: int, request: Request, principal: str) -> None:
        """Where what can be read is: on agents, all of it."""
        require_method(request, "GET")
        self.answer_with(number, plain_json(request, {}))

    def _serve_schedule(self, number: int, request: Request, principal: str) -> None:
        """The maintenance schedule without an envelope (HT-339)."""
        self._require_leading(request)
        require_method(request, "GET", "POST")
        if request.method == "POST":
            schedule = lenient.read(SCHEDULE, request.body)
            self._change(number, "UPDATE_MAINTENANCE_SCHEDULE", {"schedule": schedule}, principal)
        else:
            self._ask_plain(number, request, lambda snapshot: legacy.maintenance_schedule(snapshot, self.facts.epoch))

    HANDLERS: ClassVar[Table] = {
        **EndpointCore.HANDLERS,
        **dict(
            [
                on(Started, _started),
                on(PeerExited, _peer_gone),
                on(LinkBroken, _link_broke),
                on(MasterStanding, _stands),
                on(ClientGone, _client_gone),
                on(FrameworkSubscribed, _framework_subscribed),
                on(ClusterWatched, _watched),
                *on_each(
                    TaskAdded,
                    TaskUpdated,
                    AgentAdded,
                    AgentRemoved,
                    FrameworkAdded,
                    FrameworkUpdated,
                    FrameworkRemoved,
                    decide=_changed,
                ),
            ]
        ),
    }
    TIMERS: ClassVar[Table] = dict([on(OperatorHeartbeat, _beat)])
