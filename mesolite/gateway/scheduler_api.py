"""The scheduler API of a master's endpoint: who is subscribed, and whose calls are let in (http.md section 7).

The checks are in Mesos's order (HT-69), and what they let in goes to the actor that writes the framework's stream.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import attrs
from attrs import frozen

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.rules.validation import framework_error
from mesolite.actors.errors import InvalidValue
from mesolite.gateway import scheduler_calls
from mesolite.gateway.content import require_json, require_readable
from mesolite.gateway.effects import OpenStream
from mesolite.gateway.endpoint import EndpointCore, read_call
from mesolite.gateway.exchange import Record, Request, Response, StreamBegun, StreamEnded
from mesolite.gateway.refusals import ACCEPTED, JSON, OK, HttpRefusal
from mesolite.gateway.routing import require_method
from mesolite.gateway.v1 import reading
from mesolite.gateway.v1.framing import framed
from mesolite.gateway.v1.reading import Unsupported
from mesolite.gateway.v1.schema.scheduler import SCHEDULER_CALL
from mesolite.gateway.v1.writing import Plain
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import FrameworkId
from mesolite.messages.queries import GetSnapshot
from mesolite.messages.remote import FrameworkSubscribed, SchedulerCalled, StreamLost
from mesolite.messages.resources import ResourceError
from mesolite.messages.scheduler import Subscribe
from mesolite.messages.snapshot import ClusterSnapshot

NAME_MAX = 40
"""Characters of a framework's name in that of its actor."""

_HARMFUL = re.compile(r"[^A-Za-z0-9._-]+")


@frozen
class Subscription:
    """A framework's stream: the actor that writes it, and what its calls must carry (HT-135)."""

    actor: str
    stream_id: str
    principal: str


class SchedulerApi:
    """Whose streams there are, and what their schedulers call."""

    def __init__(self, endpoint: EndpointCore) -> None:
        """Belong to that endpoint; nobody is subscribed."""
        self._endpoint = endpoint
        self._frameworks: dict[FrameworkId, Subscription] = {}
        self._unconfirmed: dict[str, Subscription] = {}
        """Streams of which the master has not been heard to have taken the framework, by their ids."""
        self._actors: dict[int, str] = {}
        """Of streams, by the request that each answers."""
        self._roles: dict[str, str] = {}
        """In which role each actor's framework is."""

    def serve(self, number: int, request: Request, principal: str) -> None:
        """One call; whether this master leads has been looked at."""
        require_method(request, "POST")
        require_json(request)
        call = read_call(SCHEDULER_CALL, request)
        kind = scheduler_calls.check(call)
        if kind in ("SUBSCRIBE", "RECONCILE_OPERATIONS"):
            require_readable(request)
        if kind == "SUBSCRIBE":
            self._subscribe(number, request, call, principal)
            return
        framework_id = FrameworkId(reading.value(call, "framework_id"))
        subscription = self._frameworks.get(framework_id) or self._opening(request)
        if subscription is None:
            # Unknown, gone for now, or in process: its master knows.
            self._endpoint.ask(
                number,
                lambda call_id: GetSnapshot(call_id=call_id),
                lambda answer: _not_subscribed(answer.snapshot, framework_id, principal),
            )
            return
        _require_stream(request, subscription, principal)
        self._carry_out(number, kind, call, subscription)

    # --- streams ---------------------------------------------------------------------------------------

    def _subscribe(self, number: int, request: Request, call: Plain, principal: str) -> None:
        endpoint = self._endpoint
        if request.header("Mesos-Stream-Id") is not None:
            raise HttpRefusal(400, "SUBSCRIBE must not carry Mesos-Stream-Id: its answer says which it is")
        stated = call["subscribe"]["framework_info"].get("principal")
        if principal and stated not in (None, "", principal):
            raise HttpRefusal(400, f"framework_info.principal is {stated!r}, and {principal!r} has authenticated")
        stream_id = self._stream_id(number)
        try:
            subscribe = scheduler_calls.subscribe(call, principal)
        except (InvalidValue, Unsupported) as why:
            # As Mesos says it: an event, not a status (HT-127). Clients look for the id before they read that (HT-125).
            endpoint.answer_with(number, StreamBegun(headers=(*JSON, ("Mesos-Stream-Id", stream_id))))
            endpoint.answer_with(number, Record(framed({"type": "ERROR", "error": {"message": str(why)}})))
            endpoint.answer_with(number, StreamEnded())
            return
        # A name that shows whose it is, and that nobody else has: numbers do not come twice.
        actor = f"{_HARMFUL.sub('_', subscribe.framework_info.name)[:NAME_MAX]}@{number}"
        self._actors[number], self._roles[actor] = actor, subscribe.framework_info.role
        self._unconfirmed[stream_id] = Subscription(actor, stream_id, subscribe.framework_info.principal)
        opened = OpenStream(number=number, actor=actor, subscribe=subscribe, stream_id=stream_id)
        endpoint.effects += [opened, Link(actor)]

    def _opening(self, request: Request) -> Subscription | None:
        """The subscription that a call is made for before its actor has told us: its client knew of it sooner."""
        return self._unconfirmed.get(request.header("Mesos-Stream-Id") or "")

    def _stream_id(self, number: int) -> str:
        """A text like a UUID, never the same twice (HT-125)."""
        endpoint = self._endpoint
        told_apart_by = f"{endpoint.name}.{endpoint.life}.{number}".encode()
        digest = hashlib.blake2b(told_apart_by, digest_size=16).hexdigest()
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))

    def subscribed(self, event: FrameworkSubscribed, actor: str) -> None:
        """The master has taken a framework; an earlier subscription of it is void (HT-130)."""
        self._unconfirmed.pop(event.stream_id, None)
        if actor in self._actors.values():
            self._frameworks[event.framework_id] = Subscription(actor, event.stream_id, event.principal)

    def client_gone(self, number: int) -> None:
        """The client of a stream has gone: that is the disconnection (HT-181)."""
        actor = self._actors.pop(number, None)
        if actor is not None:
            self._endpoint.send(actor, StreamLost(number=number))
            self.ended(actor)

    def ended(self, actor: str) -> None:
        """A stream is over; calls for it are let in no more. If its actor could not end it, it is ended now."""
        for number in [number for number, known in self._actors.items() if known == actor]:
            del self._actors[number]
            self._endpoint.answer_with(number, StreamEnded())
        self._frameworks = {known: each for known, each in self._frameworks.items() if each.actor != actor}
        self._unconfirmed = {known: each for known, each in self._unconfirmed.items() if each.actor != actor}

    # --- calls -----------------------------------------------------------------------------------------

    def _carry_out(self, number: int, kind: str, call: Plain, subscription: Subscription) -> None:
        if kind == "UPDATE_FRAMEWORK":
            self._update_framework(number, call, subscription)
            return
        try:
            called = scheduler_calls.of_framework(call, kind, self._roles[subscription.actor])
        except (InvalidValue, Unsupported, ResourceError) as why:
            raise HttpRefusal(400, f"{kind.lower()}: {why}") from None
        if called.call is not None:
            self._endpoint.send(subscription.actor, SchedulerCalled(call=called.call, refused=called.refused))
        # Before the final chunk of what is torn down, and of nothing else (HT-137, HT-150).
        self._endpoint.answer_with(number, ACCEPTED)

    def _update_framework(self, number: int, call: Plain, subscription: Subscription) -> None:
        """The framework says who it is now; what may not change is compared with what its master knows (HT-151)."""
        try:
            updated = scheduler_calls.subscribe({"subscribe": call["update_framework"]}, subscription.principal)
        except (InvalidValue, Unsupported) as why:
            raise HttpRefusal(400, f"update_framework: {why}") from None
        if wrong := framework_error(updated.framework_info):
            raise HttpRefusal(400, f"update_framework: {wrong}")

        def finish(answer: Any) -> Response:
            _require_same(answer.snapshot, updated)
            self._roles[subscription.actor] = updated.framework_info.role
            self._endpoint.send(subscription.actor, SchedulerCalled(call=attrs.evolve(updated, force=False)))
            return OK

        self._endpoint.ask(number, lambda call_id: GetSnapshot(call_id=call_id), finish)


def _require_stream(request: Request, subscription: Subscription, principal: str) -> None:
    """Let in only who has the present subscription (HT-115, HT-135).

    Raises:
        HttpRefusal: 400.
    """
    _require_principal(principal, subscription.principal)
    stated = request.header("Mesos-Stream-Id")
    if stated is None:
        raise HttpRefusal(400, "the call has no Mesos-Stream-Id; send that of the answer to SUBSCRIBE")
    if stated != subscription.stream_id:
        raise HttpRefusal(400, "Mesos-Stream-Id is not that of the framework's present subscription")


def _require_principal(principal: str, known: str) -> None:
    """Let in only who the framework belongs to (HT-115)."""
    if principal and principal != known:
        raise HttpRefusal(400, f"{principal!r} is not the principal of this framework")


def _not_subscribed(snapshot: ClusterSnapshot, framework_id: FrameworkId, principal: str) -> Response:
    """The framework has no stream here; if the master knows it, it may subscribe (HT-135, HT-155, HT-394)."""
    _require_principal(principal, _known(snapshot, framework_id).principal)
    raise HttpRefusal(403, "the framework is not subscribed over HTTP; send SUBSCRIBE with its id")


def _known(snapshot: ClusterSnapshot, framework_id: FrameworkId | None) -> FrameworkInfo:
    known = next((each.info for each in snapshot.frameworks if each.info.id == framework_id), None)
    if known is None:
        raise HttpRefusal(400, f"there is no framework {framework_id!r}; send SUBSCRIBE without an id for a new one")
    return known


def _require_same(snapshot: ClusterSnapshot, updated: Subscribe) -> None:
    info = updated.framework_info
    known = _known(snapshot, info.id)
    for what, before, now in (
        ("principal", known.principal, info.principal),
        ("user", known.user, info.user),
        ("checkpoint", known.checkpoint, info.checkpoint),
    ):
        if before != now:
            raise HttpRefusal(400, f"update_framework: {what} is {before!r} for the framework's life, not {now!r}")
