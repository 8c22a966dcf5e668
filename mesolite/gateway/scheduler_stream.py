"""A remote scheduler: the actor whose user code is a stream (docs/spec/http.md sections 3 and 7).

It speaks with its master as a driver does, but for one master only: as in Mesos, the connection is to that master, and
lasts as long as both do.

    Started --> SUBSCRIBING --registered--> SUBSCRIBED --the client or the master gone, an error, torn down--> Exit
                     |                                                                                          ^
                     +---- refused: an ERROR event (HT-127) ----------------------------------------------------+
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
from attrs import frozen

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Core,
    Exit,
    Link,
    LinkBroken,
    PeerExited,
    SetTimer,
    Started,
    Table,
    TimerKey,
    on,
    on_each,
)
from mesolite.gateway.effects import OpenStream, Write
from mesolite.gateway.exchange import Record, StreamBegun, StreamEnded
from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.refusals import JSON
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.framing import framed
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.checking import evolve
from mesolite.messages.ids import UpdateId
from mesolite.messages.relayed import ExecutorToFramework, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.remote import FrameworkSubscribed, SchedulerCalled, StreamLost
from mesolite.messages.scheduler import (
    AgentLost,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    InverseOffers,
    RescindInverseOffer,
    RescindOffer,
    ResourceOffers,
    Subscribe,
    Teardown,
)
from mesolite.messages.tasks import TaskStatus

HEARTBEAT = framed({"type": "HEARTBEAT"})


@frozen
class StreamHeartbeat(TimerKey):
    """The stream is to be kept alive (HT-64)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class SubscribeAgain(TimerKey):
    """The master has not answered: what was said may be lost, or came before it led."""

    PERIODIC: ClassVar[bool] = True


SUBSCRIBE_AGAIN_S = 2.0


class SchedulerStreamCore(Core):
    """Decides for one subscription of one framework."""

    def __init__(
        self, master: str, endpoint: str, address: Address, epoch: Epoch, heartbeat_s: float, opened: OpenStream
    ) -> None:
        """Subscribe with that master, which listens at `address`, when started; answer the request that opened it."""
        super().__init__()
        self._master = master
        self._endpoint = endpoint
        self._address = address
        self._epoch = epoch
        self._heartbeat_s = heartbeat_s
        self._opened = opened
        self._understood = writing.understood(opened.subscribe.framework_info)
        self.subscribed = False
        self._ended = False
        # What an update is called here, by the bytes it is known by over HTTP, until it is acknowledged.
        self._updates: dict[bytes, UpdateId] = {}

    # --- the master ------------------------------------------------------------------------------------

    def _started(self, event: Started, sender: str, now: float) -> None:
        self.effects += [Link(self._master), Link(self._endpoint)]
        self._subscribe(SubscribeAgain(), sender, now)
        self._write(StreamBegun(headers=(*JSON, ("Mesos-Stream-Id", self._opened.stream_id))))

    def _subscribe(self, key: SubscribeAgain, sender: str, now: float) -> None:
        self.send(self._master, self._opened.subscribe)
        self.effects.append(SetTimer(SubscribeAgain(), SUBSCRIBE_AGAIN_S))

    def _registered(self, event: FrameworkRegistered | FrameworkReregistered, sender: str, now: float) -> None:
        if sender != self._master or self.subscribed:
            return  # said again, as something may have been lost between master and us
        self.subscribed = True
        self.effects.append(CancelTimer(SubscribeAgain()))
        address = self._address
        # Before the client can know that it may call.
        self.send(
            self._endpoint,
            FrameworkSubscribed(
                framework_id=event.framework_id,
                stream_id=self._opened.stream_id,
                principal=self._opened.subscribe.framework_info.principal,
            ),
        )
        self._event(
            "SUBSCRIBED",
            {
                "framework_id": writing.identifier(event.framework_id),
                "heartbeat_interval_seconds": self._heartbeat_s,
                "master_info": writing.master_info(
                    event.master.name, event.master.term, address.hostname, address.ip, address.port
                ),
            },
        )
        self._heartbeat(StreamHeartbeat(), sender, now)

    def _heartbeat(self, key: StreamHeartbeat, sender: str, now: float) -> None:
        self._write(Record(HEARTBEAT))
        self.effects.append(SetTimer(StreamHeartbeat(), self._heartbeat_s))

    def _refused(self, event: FrameworkError, sender: str, now: float) -> None:
        if sender == self._master:
            self._event("ERROR", {"message": event.message})
            self._end(event.message)

    def _told(self, event: Any, sender: str, now: float) -> None:
        """What the master says to a scheduler, as v1 has it (section 7.3)."""
        if sender != self._master or not self.subscribed:
            return
        match event:
            case ResourceOffers(offers=offers):
                secure = self._address.secure
                made = [writing.offer(each, self._epoch, self._understood, secure=secure) for each in offers]
                self._event("OFFERS", {"offers": made})
            case RescindOffer(offer_id=offer_id):
                self._event("RESCIND", {"offer_id": writing.identifier(offer_id)})
            case InverseOffers(inverse_offers=asked):
                written = [writing.inverse_offer(each, self._epoch) for each in asked]
                self._event("INVERSE_OFFERS", {"inverse_offers": written})
            case RescindInverseOffer(inverse_offer_id=offer_id):
                self._event("RESCIND_INVERSE_OFFER", {"inverse_offer_id": writing.identifier(offer_id)})
            case StatusUpdate(status=status):
                self._update(status)
            case AgentLost(agent_id=agent_id):
                self._event("FAILURE", {"agent_id": writing.identifier(agent_id)})
            case ExitedExecutor(agent_id=agent_id, executor_id=executor_id, status=exit_status):
                self._event(
                    "FAILURE",
                    {
                        "agent_id": writing.identifier(agent_id),
                        "executor_id": writing.identifier(executor_id),
                        "status": exit_status,
                    },
                )
            case ExecutorToFramework(agent_id=agent_id, executor_id=executor_id, data=data):
                self._event(
                    "MESSAGE",
                    {
                        "agent_id": writing.identifier(agent_id),
                        "executor_id": writing.identifier(executor_id),
                        "data": writing.data(data),
                    },
                )

    def _update(self, status: TaskStatus) -> None:
        if status.uuid is not None:
            self._updates[writing.uuid(status.uuid)] = status.uuid
        self._event("UPDATE", {"status": writing.status(status, self._epoch)})

    def _peer_exited(self, event: PeerExited, sender: str, now: float) -> None:
        self._end("its master has ended")

    def _link_broke(self, event: LinkBroken, sender: str, now: float) -> None:
        """Something that was said between master, endpoint and us is lost: the client has to begin anew."""
        if event.name in (self._master, self._endpoint):
            self._end(f"what was said between it and {event.name} is lost")

    # --- the client ------------------------------------------------------------------------------------

    def _called(self, event: SchedulerCalled, sender: str, now: float) -> None:
        """The endpoint has seen that it is well-formed, and made for this subscription."""
        if sender != self._endpoint or not self.subscribed:
            return
        call = event.call
        if isinstance(call, StatusUpdateAcknowledgement):
            known = self._updates.pop(writing.uuid(call.uuid), None)
            if known is None:
                return  # acknowledged already, or never sent here
            call = attrs.evolve(call, uuid=known)
        elif isinstance(call, Subscribe):
            self._understood = writing.understood(call.framework_info)
        self.send(self._master, call)
        for status in event.refused:
            self._update(evolve(status, timestamp=now))
        if isinstance(call, Teardown):
            self._end("torn down by its scheduler")  # HT-150

    def _client_gone(self, event: StreamLost, sender: str, now: float) -> None:
        if sender == self._endpoint and not self._ended:
            self._ended = True
            self.effects.append(Exit("its client has gone"))  # HT-181

    # --- the stream ------------------------------------------------------------------------------------

    def _event(self, kind: str, body: Plain) -> None:
        self._write(Record(framed({"type": kind, kind.lower(): body})))

    def _write(self, part: StreamBegun | Record | StreamEnded) -> None:
        self.effects.append(Write(self._opened.number, part))

    def _end(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            self._write(StreamEnded())
            self.effects.append(Exit(why))

    HANDLERS: ClassVar[Table] = dict(
        [
            on(Started, _started),
            on(PeerExited, _peer_exited),
            on(LinkBroken, _link_broke),
            on(FrameworkRegistered, _registered),
            on(FrameworkReregistered, _registered),
            on(FrameworkError, _refused),
            *on_each(
                ResourceOffers,
                RescindOffer,
                InverseOffers,
                RescindInverseOffer,
                StatusUpdate,
                AgentLost,
                ExitedExecutor,
                ExecutorToFramework,
                decide=_told,
            ),
            on(SchedulerCalled, _called),
            on(StreamLost, _client_gone),
        ]
    )
    TIMERS: ClassVar[Table] = dict([on(StreamHeartbeat, _heartbeat), on(SubscribeAgain, _subscribe)])
