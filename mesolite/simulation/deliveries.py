"""How what is in flight is delivered: at once, late, twice, later, or not at all; and how an actor handles it.

A message that arrives is judged by the network (network.py), found its actor, and handled, one at a time.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, TypeVar

from mesolite.actors.decisions.contract import LinkBroken
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.port import ActorContext, Delivery, Timer
from mesolite.actors.runtime.pykka_inside import Failed, run_loop, tear_down
from mesolite.actors.runtime.timeline import Timeline
from mesolite.actors.trace import RELEASED, Disturbed, Lost, Trace
from mesolite.actors.user_errors import UserErrors
from mesolite.simulation.choices import Order, draw, stream
from mesolite.simulation.in_flight import NOT_BEGUN, Channel, Directed, Entry, InFlight
from mesolite.simulation.inbox import Idle
from mesolite.simulation.messages_in_flight import MessageInFlight, messages_in_flight
from mesolite.simulation.network import Envelope, Network, Verdict
from mesolite.simulation.scheduled_actions import Arrival, ScheduledAction
from mesolite.simulation.standstill import Standstill

_new_tuple: Any = tuple.__new__

M = TypeVar("M", bound=ScheduledAction)


class Deliveries(ABC):
    """What is to come, and what becomes of it when it has come."""

    def __init__(
        self, seed: int, trace: Trace, latency_s: tuple[float, float], standstill_s: float, order: Order
    ) -> None:
        """Start at time 0 with nothing to come."""
        self._standstill = Standstill(standstill_s)
        self.trace = trace
        self.network = Network()
        self.directory = Directory()
        self.user_errors = UserErrors(seed)
        self.runnable: deque[ActorContext] = deque()
        self.in_flight = InFlight(order)
        self._seed = seed
        self._put_in_flight = self.in_flight.put
        self._latency_s = latency_s
        self._takes_time = latency_s[1] > 0.0
        self._now = 0.0
        self._find = self.directory.find
        self._timeline: Timeline[Timer | ScheduledAction] = Timeline()
        self._running: ActorContext | None = None
        self._failure: BaseException | None = None

    @abstractmethod
    def end(
        self, context: ActorContext, status: int, *, silent: bool = False, reason: str = "", cause: int = -1
    ) -> None:
        """End an actor whose loop has come to its end."""

    def now(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def post(self, context: ActorContext, event: object, sender: str = "", cause: int = -1) -> None:
        """Put a system event before one particular context; if that life is over, nothing happens."""
        if context.alive:
            context.ref.tell(Delivery(event, sender, cause))

    def messages_in_flight(self) -> tuple[MessageInFlight, ...]:
        """What is in flight, in order of arrival."""
        return messages_in_flight(self.in_flight, self._timeline, self._now)

    def release(self, parcels: list[Envelope], by: int = -1) -> None:
        """Put held parcels back in flight, ahead of what came later, past the rules. `by`, here and below: the record
        of whoever does so.
        """
        kept: dict[tuple[str, str], list[Entry]] = {}
        for parcel in parcels:
            sender, to, event, _, entry = parcel
            assert entry is not None, "only what was in flight can be released"
            delivery = Delivery(Directed(event, judged=True), sender, self._disturbed(parcel, RELEASED, by))
            kept.setdefault((sender, to), []).append((self._channel(sender, to), entry[1], delivery))
        for entries in kept.values():
            self.in_flight.put_first(entries)

    def heal(self, one: str | None, other: str | None, by: int) -> None:
        """Undo cuts, and let those at both ends learn what a broken connection tells (network.py)."""
        broken: dict[tuple[str, ...], None] = {}
        for way, cut in self.network.heal(one, other).items():
            for parcel, context in cut.exits:
                self._put(parcel.sender, parcel.to, Directed(parcel.event, context), parcel.cause)
            if cut.matters:
                broken[tuple(sorted(way))] = None
        for first, second in broken:
            self._tell_broken(first, second, by)
            self._tell_broken(second, first, by)

    def lose(self, parcels: list[Envelope], by: int) -> None:
        """Let parcels never arrive."""
        for parcel in parcels:
            self._lose(parcel, "dropped", by)

    def break_link(self, one: str, other: str, *, both_ways: bool, by: int) -> None:
        """Let the connection of two actors break: what is in flight between them is lost, and they hear of it.

        Not `both_ways`: only the first hears of it, as its peer has not noticed yet, unless something of it was lost.
        """
        for sender, to in ((one, other), (other, one)):
            lost = [delivery for _, _, delivery in self.in_flight.clear(self._channel(sender, to))]
            for _, moment in list(self._timeline):
                if type(moment) is Arrival and (moment.channel.key.sender, moment.channel.to) == (sender, to):
                    self.call_off(moment)
                    lost.append(moment.delivery)
            for event, _, cause in lost:
                said = event.event if type(event) is Directed else event
                self._lose(Envelope(sender, to, said, cause), "link broken", by)
        self._tell_broken(one, other, by)
        if both_ways or lost:  # the last that was lost is what the other has said
            self._tell_broken(other, one, by)

    def _tell_broken(self, name: str, peer: str, by: int) -> None:
        """Let one end of a connection learn that it has broken, if both are alive."""
        context = self._find(name)
        if context is not None and self._find(peer) is not None:
            self._put(peer, name, Directed(LinkBroken(peer), context), by)

    def pause(self, context: ActorContext) -> None:
        """Let an actor handle nothing until it is resumed, as SIGSTOP does: what comes waits, no link breaks."""
        context.inbox.paused = True

    def resume(self, context: ActorContext) -> None:
        """Let a paused actor go on with what has come meanwhile, in order."""
        context.inbox.paused = False
        self.runnable.extend([context] * len(context.inbox))

    # ------------------------------------------------------------------------------------------------ inside

    def _channel(self, sender: str, to: str) -> Channel:
        """The channel from whoever has that name, or had it."""
        context = self._find(sender)
        if context is None:
            return self.in_flight.of_nobody(sender, to)
        channel: Channel | None = context.outgoing.get(to)
        return self.in_flight.open(context, to) if channel is None else channel

    def _put(self, sender: str, to: str, event: object, cause: int) -> None:
        channel = self._channel(sender, to)
        self._post(channel, Delivery(event, sender, cause))

    def _post(self, channel: Channel, delivery: Delivery) -> None:
        """Put it at the end of its channel, on which it takes its time."""
        channel.sent = serial = channel.sent + 1
        if self._takes_time and delivery.sender != channel.to:
            shortest, longest = self._latency_s
            if channel.begin_latency == NOT_BEGUN:
                channel.begin_latency = stream(self._seed, "latency", *channel.key)
            takes = shortest + (longest - shortest) * draw(channel.begin_latency, serial)
            # Nothing overtakes on one channel: arrive no earlier than what was sent before (core.md LP-13).
            channel.arrives = max(self._now + takes, channel.arrives)
            self.at(channel.arrives, Arrival(channel, serial, delivery), routine=self._standstill.routine)
        else:
            self.in_flight.put(channel, serial, delivery)

    def _deliver(self, to: str, delivery: Delivery) -> None:
        """Let whoever has the name, or whose life it belongs to, handle what was sent.

        If its inbox is empty, Pykka's loop would take just this out, at once: then it is handled without a way through
        both, which would cost a fifth of a message. All else, and every failure, goes Pykka's way.
        """
        event, sender, cause = delivery
        kind = type(event)
        # Some things belong to one life, a name to many (core.md LP-11).
        if kind is Timer:
            context: Any = event.context  # type: ignore[attr-defined]
        elif kind is Directed:
            context, event = event.context or self._find(to), event.event  # type: ignore[attr-defined]
        else:
            context = self._find(to)
        if context is None:
            self._lose(Envelope(sender, to, event, cause), "nobody there", self.directory.ends.get(to, -1))
        elif not context.alive:
            return
        elif context.inbox.waiting or context.inbox.paused:
            self._tell(context, Delivery(event, sender, cause))
        else:
            self._running = context
            try:
                context.handle(event, sender, cause)
            except Exception as error:  # noqa: BLE001  # Pykka's failure path takes it from here
                context.inbox.put_first(Failed(error))
                self._run(context)
            except BaseException as interruption:  # noqa: BLE001  # Ctrl-C is for whoever drives us, not for Pykka
                self._failure = interruption
            self._running = None
            if not context.alive:
                self._run(context)  # it has ended itself, and its loop takes leave

    def _tell(self, context: ActorContext, delivery: Delivery) -> None:
        """Let an actor have it by its inbox, and handle the oldest that is there."""
        context.ref.tell(delivery)
        self._run(self.runnable.pop())

    def _judge(self, entry: Entry) -> None:
        """Ask the network what becomes of it."""
        channel, serial, delivery = entry
        event, context, judged = delivery.event if type(delivery.event) is Directed else Directed(delivery.event)
        parcel = Envelope(delivery.sender, channel.to, event, delivery.cause, entry)
        verdict, rule = (Verdict.DELIVER, None) if judged else self.network.judge(parcel)
        match verdict:
            case Verdict.DROP:
                by = self.network.swallow(parcel, context) if rule is None else rule.by
                self._lose(parcel, "dropped" if rule else "cut", by)
            case Verdict.DELAY:
                assert rule is not None
                cause = self._disturbed(parcel, f"delayed by {rule.delay_s:g} s", rule.by)
                late = Delivery(Directed(event, context, judged=True), delivery.sender, cause)
                arrival = Arrival(self._channel(delivery.sender, channel.to), serial, late)
                self.at(self._now + rule.delay_s, arrival, routine=self._standstill.routine)
            case Verdict.DELIVER:
                self.network.observe(parcel)
                self._deliver(channel.to, delivery)
            case Verdict.DUPLICATE:
                assert rule is not None
                twice = delivery._replace(cause=self._disturbed(parcel, "duplicated", rule.by))
                for _ in range(2):
                    self.network.observe(parcel)
                    self._deliver(channel.to, twice)
            case Verdict.HOLD:
                assert rule is not None
                rule.matched[-1] = parcel._replace(cause=self._disturbed(parcel, "held", rule.by))

    def _lose(self, parcel: Envelope, why: str, by: int) -> None:
        self.trace.record(self._now, parcel.to, parcel.sender, Lost(parcel.event, why, by), (), parcel.cause)

    def _disturbed(self, parcel: Envelope, how: str, by: int) -> int:
        """Record what a fault did to it; of that record comes its delivery."""
        event = Disturbed(parcel.event, how, by)
        return self.trace.record(self._now, parcel.to, parcel.sender, event, (), parcel.cause)

    def _run(self, context: ActorContext) -> None:
        """Let Pykka's loop handle the oldest envelope of an inbox, or take leave of an actor that was stopped."""
        if context.detached:
            return  # it had several envelopes when it ended, and all were refused at the first
        self._running = context
        context.inbox.turns = 1
        with contextlib.suppress(Idle):
            run_loop(context.actor)
            context.inbox.turns = len(
                context.inbox
            )  # it was stopped, by us or through its ref: refuse all that is left
            tear_down(context.actor)
            self.end(context, 0)
        if not context.alive:
            self.detach(context)
        self._running = None

    def detach(self, context: ActorContext) -> None:
        """Let go of an actor that has ended and will not be run any more."""
        context.inbox.close()
        context.detach()

    def at(self, deadline: float, moment: M, *, routine: bool = False) -> M:
        """Let this happen at that virtual time, unless it is called off; for the simulation itself, not for actors."""
        moment.routine = routine
        self._timeline.add(deadline, moment)
        if not routine:
            self._standstill.to_come.add(moment)
        return moment

    def call_off(self, moment: ScheduledAction) -> None:
        """Let it not come to that; doing so late or twice is harmless."""
        if moment.live:
            moment.live = False
            self._standstill.to_come.discard(moment)
            self._timeline.called_off()

    def _fire(self) -> bool:
        """Put what is due now in flight; the order then says which of all that goes first."""
        fired, standstill, in_flight = False, self._standstill, self.in_flight
        while (entry := self._timeline.take_due(self._now)) is not None:
            fired = True
            if type(entry) is Timer:
                context = entry.context
                if not entry.period_s:
                    standstill.routine = False
                    standstill.to_come.discard(entry)
                channel = context.outgoing.get(context.name) or in_flight.open(context, context.name)
                channel.sent = serial = channel.sent + 1
                in_flight.put(channel, serial, _new_tuple(Delivery, (entry, context.name, entry.cause)))
            elif isinstance(entry, ScheduledAction):
                entry.live = False
                if not entry.routine:
                    standstill.routine = False
                    standstill.to_come.discard(entry)
                entry.occur(self)
        return fired
