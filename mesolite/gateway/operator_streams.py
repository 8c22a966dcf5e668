"""The streams of operators: all of a cluster, and what changes from then on (docs/spec/http.md section 9.3)."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import SetTimer, TimerKey
from mesolite.gateway.endpoint import EndpointCore
from mesolite.gateway.exchange import Record, StreamBegun, StreamEnded
from mesolite.gateway.reading import cluster_events, operator_reads
from mesolite.gateway.refusals import JSON
from mesolite.gateway.scheduler_stream import HEARTBEAT
from mesolite.gateway.v1.framing import framed
from mesolite.messages.snapshot import ClusterSnapshot
from mesolite.messages.watching import WatchCluster

SUBSCRIBERS_MAX = 1000
"""One more, and the oldest is ended (HT-294)."""


@frozen
class OperatorHeartbeat(TimerKey):
    """An operator's stream is to be kept alive (HT-66)."""

    PERIODIC: ClassVar[bool] = True
    number: int


class OperatorStreams:
    """Who has subscribed, the oldest first, and whether what he is told has begun."""

    def __init__(self, endpoint: EndpointCore) -> None:
        """Belong to that endpoint; nobody has subscribed."""
        self._endpoint = endpoint
        self._begun: dict[int, bool] = {}

    def subscribe(self, number: int) -> None:
        """One more."""
        self._begun[number] = False
        self._endpoint.send(self._endpoint.facts.daemon, WatchCluster())
        if len(self._begun) > SUBSCRIBERS_MAX:
            oldest = next(iter(self._begun))
            self._endpoint.answer_with(oldest, StreamEnded())
            self.client_gone(oldest)

    def client_gone(self, number: int) -> None:
        """He does not listen any more; with the last of them the master need not tell."""
        if self._begun.pop(number, None) is not None and not self._begun:
            self._endpoint.send(self._endpoint.facts.daemon, WatchCluster(on=False))

    def begin(self, snapshot: ClusterSnapshot) -> None:
        """Whoever waits for it begins with this; who has begun has been told all of it already (HT-293)."""
        facts = self._endpoint.facts
        waiting = [number for number, begun in self._begun.items() if not begun]
        if not waiting:
            return
        state = operator_reads.get_state(snapshot, facts.epoch)
        subscribed = {"get_state": state, "heartbeat_interval_seconds": facts.heartbeat_s}
        first = Record(framed({"type": "SUBSCRIBED", "subscribed": subscribed}))
        for number in waiting:
            self._begun[number] = True
            self._endpoint.answer_with(number, StreamBegun(headers=JSON))
            self._endpoint.answer_with(number, first)
            self.beat(OperatorHeartbeat(number))

    def beat(self, key: OperatorHeartbeat) -> None:
        """A heartbeat, and the next one in time; whose client has gone, or whose stream has ended, beats no more."""
        if key.number not in self._begun:
            return
        self._endpoint.answer_with(key.number, Record(HEARTBEAT))
        self._endpoint.effects.append(SetTimer(key, self._endpoint.facts.heartbeat_s))

    def tell(self, event: Any) -> None:
        """Something has changed: every one of them hears it."""
        kind, body = cluster_events.said(event, self._endpoint.facts.epoch)
        record = Record(framed({"type": kind, kind.lower(): body}))
        for number, begun in self._begun.items():
            if begun:
                self._endpoint.answer_with(number, record)

    def end(self) -> None:
        """The master has ended, or leads no more (HT-101)."""
        for number in self._begun:
            self._endpoint.answer_with(number, StreamEnded())
        self._begun.clear()
