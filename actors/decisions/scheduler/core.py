"""The scheduler driver: stands between a user's scheduler and whoever leads (core.md 2.7, 3 and 5.4).

Rule: it believes the leader it detected and nobody else, and calls user code one callback at a time.

    NOT_STARTED --Started--> RUNNING ---abort, error---> ABORTED
                                |                           |
                                +--------- stop ------------+---> STOPPED: the actor ends

    while RUNNING:   WAITING --leader detected--> SUBSCRIBING --registered, reregistered--> CONNECTED
                        ^                              ^                                       |
                        +------------------------------+-- user code has returned -- PARTING <-+
                                                                    any detection result (EL-55), link broken
"""

from __future__ import annotations

from typing import Any, ClassVar

from mesolite.actors.decisions.callback_queue import CallbackQueue
from mesolite.actors.decisions.contract import (
    CallbackReturned,
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
from mesolite.actors.decisions.detector import DetectRetry, LeaderDetector, SessionExpiry, SessionHeartbeat, Step
from mesolite.actors.decisions.driver_calls import (
    DRIVER_MOVES,
    IMPLICIT_ACKNOWLEDGEMENTS,
    SCHEDULER_CALLS,
    AbortCall,
    AbortedBy,
    AcceptCall,
    AcceptInverseCall,
    AcknowledgeCall,
    CallLater,
    CallLaterCall,
    DeclineCall,
    DeclineInverseCall,
    DriverStatus,
    FrameworkMessageCall,
    KillCall,
    ReconcileCall,
    ReviveCall,
    StopCall,
    SuppressCall,
)
from mesolite.actors.decisions.moves import moved
from mesolite.actors.decisions.scheduler.callbacks import FROM_LEADER, callback_of
from mesolite.actors.decisions.scheduler.requests import accept, acknowledgement, never_started, request, unusable
from mesolite.actors.decisions.scheduler.subscribing import (
    SUBSCRIPTION_MOVES,
    SubscribeBackoff,
    SubscribeRetry,
    Subscription,
)
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.checking import evolve
from mesolite.messages.election import LeaderDetected, SessionExpired, SessionKept
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ActorName, AgentId, FrameworkId, OfferId
from mesolite.messages.relayed import ExecutorToFramework
from mesolite.messages.scheduler import (
    DeactivateFramework,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.tasks import TaskStatus


class SchedulerCore(Core):
    """Decides for one driver of one framework; every life of a scheduler has a driver of its own.

    `status` says where the driver is in its life. `aborted_by`: who aborted it, None if nobody did or its user.
    `error`: why, and what user code has raised after it had ended, None if nothing. `framework_info` has an id as soon
    as a master gave one: a successor needs it (FW-1).
    """

    def __init__(
        self, settings: Settings, framework_info: FrameworkInfo, implicit_acknowledgements: bool = True
    ) -> None:
        """Start knowing no master. A framework that comes with an id fails over to it (FW-6)."""
        super().__init__()
        self.framework_info = framework_info
        self.implicit_acknowledgements = implicit_acknowledgements
        self.status = DriverStatus.DRIVER_NOT_STARTED
        self.error: str | None = None
        self.aborted_by: AbortedBy | None = None
        self.subscription = Subscription.WAITING
        self.suppressed = False
        self.callbacks = CallbackQueue()
        self.detector = LeaderDetector(settings.session_timeout_s, settings.session_timeout_s)
        # Off as soon as user code stopped or aborted the driver: perhaps before the call itself gets here.
        self._calls_user = False
        self._force = framework_info.id is not None
        self._suppression_unsent = False
        self.offers: dict[OfferId, AgentId] = {}
        self._backoff = SubscribeBackoff(settings, framework_info.failover_timeout_s)

    # --- where it stands -------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether the leader has answered its subscription, and nothing has come between them since."""
        return self.subscription is Subscription.CONNECTED

    def _now_is(self, subscription: Subscription) -> None:
        self.subscription = moved(self.subscription, subscription, SUBSCRIPTION_MOVES)

    # --- the leader, and being subscribed with it ------------------------------------------------------

    def _started(self, event: Started, sender: str, now: float) -> None:
        self.status = moved(self.status, DriverStatus.DRIVER_RUNNING, DRIVER_MOVES)
        self._calls_user = True
        self._step(self.detector.start(now))

    def _on_elector_message(self, event: object, sender: str, now: float) -> None:
        if self._calls_user:
            self._step(self.detector.handle(event, sender, now))

    def _detector_timer_fired(self, key: TimerKey, sender: str, now: float) -> None:
        if self._calls_user:
            self._step(self.detector.fired(key, now))

    def _step(self, step: Step) -> None:
        self.effects.extend(step.effects)
        if not step.detected:
            return
        if self.connected:
            self._part()
        elif self.subscription is not Subscription.PARTING:
            self._meet_leader()

    def _part(self) -> None:
        """Not connected any more. Whoever leads is met when user code has returned, for it may abort the driver."""
        self._now_is(Subscription.PARTING)
        self._callback("disconnected")

    def _link_broke(self, event: LinkBroken, sender: str, now: float) -> None:
        """What was said is lost (LP-28): subscribe again, to hear what there is. Ours: Mesos aborts it (FW-28)."""
        if self.detector.handles(event):
            self._on_elector_message(event, sender, now)
        elif self.connected and self._is_leader(event.name):
            if self._calls_user:
                self._part()
            else:  # it has aborted, and that may be what was lost
                self.send(self._master, DeactivateFramework(framework_id=self._framework_id))

    def _meet_leader(self) -> None:
        """Subscribe with whoever leads, without delay; wait if nobody does (EL-56)."""
        if self.detector.leader is None:
            self._now_is(Subscription.WAITING)
            self.effects.append(CancelTimer(SubscribeRetry()))
            return
        self._now_is(Subscription.SUBSCRIBING)
        self._backoff.reset()
        self._suppression_unsent = False
        self.effects.append(Link(self._master))
        self._subscribe()

    def _subscribe(self) -> None:
        """Ask, and ask again after a random wait below a bound that doubles up to its cap (EL-57)."""
        self.send(
            self._master,
            Subscribe(framework_info=self.framework_info, force=self._force, suppressed=self.suppressed),
        )
        self.effects.append(self._backoff.next())

    def _subscribe_again(self, key: SubscribeRetry, sender: str, now: float) -> None:
        if self._calls_user:
            self._subscribe()

    def _subscribed(
        self, event: FrameworkRegistered | FrameworkReregistered, sender: str, now: float
    ) -> None:
        if not self._calls_user or self.subscription is not Subscription.SUBSCRIBING or not self._is_leader(sender):
            return
        self._now_is(Subscription.CONNECTED)
        self._force = False
        self.offers.clear()
        self.framework_info = evolve(self.framework_info, id=event.framework_id)
        self.effects.append(CancelTimer(SubscribeRetry()))
        if self._suppression_unsent:
            self._send_suppression()
        if isinstance(event, FrameworkRegistered):
            self._callback("registered", event.framework_id, event.master)
        else:
            self._callback("reregistered", event.master)

    def _refused(self, event: FrameworkError, sender: str, now: float) -> None:
        if self._calls_user and self._is_leader(sender):
            self._fail(event.message, AbortedBy.MASTER)

    def _is_leader(self, sender: str) -> bool:
        return self.detector.leader is not None and self.detector.leader.name == sender

    @property
    def _master(self) -> ActorName:
        """Where this driver sends to, if it sends."""
        assert self.detector.leader is not None, "there is no master to send to"
        return self.detector.leader.name

    @property
    def _framework_id(self) -> FrameworkId:
        assert self.framework_info.id is not None, "no master has given the framework an id yet"
        return self.framework_info.id

    # --- what the leader says --------------------------------------------------------------------------

    def _on_master_message(self, event: object, sender: str, now: float) -> None:
        """Only the leader is heard, and only while connected (EL-58, drain.md 2.6.2); else what it offers goes back."""
        if not (self._calls_user and self._is_leader(sender)):
            return
        if not self.connected:
            if isinstance(event, ResourceOffers):
                self.send(self._master, unusable(event.offers))
            return
        match event:
            case ResourceOffers(offers=offers):
                self.offers.update((offer.id, offer.agent_id) for offer in offers)
            case RescindOffer(offer_id=offer_id):
                self.offers.pop(offer_id, None)
        callback, arguments = callback_of(event)
        self._callback(callback, *arguments)

    def _on_executor_message(self, event: ExecutorToFramework, sender: str, now: float) -> None:
        # It comes straight from an agent, so it is heard from anybody, connected or not (EL-58, TK-72).
        if self._calls_user:
            self._callback("framework_message", event.executor_id, event.agent_id, event.data)

    # --- user code: calling it, and what it did --------------------------------------------------------

    def _callback(self, callback: str, *arguments: Any) -> None:
        self.effects.extend(self.callbacks.add(callback, *arguments))

    def _callback_returned(self, event: CallbackReturned, sender: str, now: float) -> None:
        finished = self.callbacks.returned(event)
        if not event.still_running:
            # Its call to stop or abort is still on its way; nothing may call user code again (FW-42).
            self._stop_callbacks()
        if event.error is not None:
            self._user_code_raised(event.error)
        elif self._calls_user and finished.callback == "disconnected":
            self._meet_leader()
        elif self._calls_user and finished.callback == "status_update" and self.implicit_acknowledgements:
            self._acknowledge(*finished.arguments)
        if self.callbacks.running is None:
            self.effects.extend(self.callbacks.begin_next())

    def _user_code_raised(self, text: str) -> None:
        if self._calls_user:
            self._fail(text, AbortedBy.USER_CODE)
        else:
            # From the error callback, or after an abort: nobody is left to be told, so it is only kept.
            self.error = text if self.error is None else f"{self.error}; then {text}"

    def _fail(self, text: str, by: AbortedBy) -> None:
        """Abort first, then say why (FW-9). Of all callbacks only this one comes after an abort."""
        self._abort()
        self.error, self.aborted_by = text, by
        self._callback("error", text)

    def _abort(self) -> None:
        """No offers, no callbacks any more; the tasks go on, `stop` still works (FW-35, FW-41, FW-42)."""
        if self.connected:
            self.send(self._master, DeactivateFramework(framework_id=self._framework_id))
        self.status = moved(self.status, DriverStatus.DRIVER_ABORTED, DRIVER_MOVES)
        self._stop_callbacks()

    def _stop_callbacks(self) -> None:
        self._calls_user = False
        self.callbacks.forget()

    def _call_is_due(self, key: CallLater, sender: str, now: float) -> None:
        if self._calls_user:
            self._callback("call_later", key.call_id)

    # --- what user code asks for -----------------------------------------------------------------------

    def _asked(self, event: object, sender: str, now: float) -> None:
        """A driver that is not running does nothing (FW-40); without a master most is dropped (FW-43)."""
        if self.status is not DriverStatus.DRIVER_RUNNING:
            return
        match event:
            case AbortCall():
                self._abort()
            case CallLaterCall(call_id=call_id, delay_s=delay_s):
                self.effects.append(SetTimer(CallLater(call_id), max(0.0, delay_s)))
            case SuppressCall() | ReviveCall():
                self.suppressed = isinstance(event, SuppressCall)
                if self.connected:
                    self._send_suppression()
                else:
                    self._suppression_unsent = True
            case AcceptCall():
                self._accept(event, now)
            case AcknowledgeCall() if self.implicit_acknowledgements:
                self._fail(IMPLICIT_ACKNOWLEDGEMENTS, AbortedBy.DRIVER)
            case AcknowledgeCall(status=status):
                self._acknowledge(status)
            case DeclineCall(offer_ids=offer_ids) if self.connected:
                self.send(self._master, request(event, self._framework_id))
                self._take_offers(offer_ids)
            case (
                KillCall()
                | ReconcileCall()
                | FrameworkMessageCall()
                | AcceptInverseCall()
                | DeclineInverseCall()
            ) if self.connected:
                self.send(self._master, request(event, self._framework_id))

    def _send_suppression(self) -> None:
        """What was changed before being connected goes out right after (FW-43, OF-53)."""
        order = SuppressOffers if self.suppressed else ReviveOffers
        self.send(self._master, order(framework_id=self._framework_id))

    def _accept(self, event: AcceptCall, now: float) -> None:
        """Send the accept, or, without a master, say of every task that it never started (OF-62)."""
        agent_id = self._take_offers(event.offer_ids)
        if self.connected:
            self.send(self._master, accept(event, self._framework_id, agent_id))
            return
        for task in (task for launch in event.operations for task in launch.tasks):
            self._callback("status_update", never_started(task, self.framework_info, agent_id, now))

    def _take_offers(self, offer_ids: tuple[OfferId, ...]) -> AgentId | None:
        """Offers are used once. The agent they are of, None if none of them is known any more."""
        agent_ids = [self.offers.pop(offer_id, None) for offer_id in offer_ids]
        return next((agent_id for agent_id in agent_ids if agent_id is not None), None)

    def _acknowledge(self, status: TaskStatus) -> None:
        if self.connected and (taken := acknowledgement(status, self._framework_id)):
            self.send(self._master, taken)

    def _stop(self, event: StopCall, sender: str, now: float) -> None:
        """Works after an abort too (FW-41); with `failover` the framework stays, for a successor (FW-40)."""
        if self.status not in (DriverStatus.DRIVER_RUNNING, DriverStatus.DRIVER_ABORTED):
            return
        if self.connected and not event.failover:
            self.send(self._master, Teardown(framework_id=self._framework_id))
        self.status = moved(self.status, DriverStatus.DRIVER_STOPPED, DRIVER_MOVES)
        self._stop_callbacks()
        self.effects.append(Exit("stopped, to fail over" if event.failover else "stopped"))

    def standing(self) -> str:
        """Where the driver is in its life, and what it could still use."""
        return f"{self.status}, {'' if self.connected else 'not '}connected, offers held: {len(self.offers)}"

    def check(self) -> None:
        """A connected driver has a leader, an id, and nothing left to force."""
        if self.connected:
            assert self.detector.leader is not None, "connected, but to nobody"
            assert self.framework_info.id is not None, "connected, but without an id"
            assert not self._force, "acknowledged, and would still force (FW-6)"

    HANDLERS: ClassVar[Table] = dict(
        [
            on(Started, _started),
            on(CallbackReturned, _callback_returned),
            on(LinkBroken, _link_broke),
            *on_each(SessionKept, SessionExpired, LeaderDetected, decide=_on_elector_message),
            on(FrameworkRegistered, _subscribed),
            on(FrameworkReregistered, _subscribed),
            on(FrameworkError, _refused),
            *on_each(*FROM_LEADER, decide=_on_master_message),
            on(ExecutorToFramework, _on_executor_message),
            *on_each(*SCHEDULER_CALLS, decide=_asked),
            on(StopCall, _stop),
        ]
    )
    TIMERS: ClassVar[Table] = dict(
        [
            on(SessionHeartbeat, _detector_timer_fired),
            on(SessionExpiry, _detector_timer_fired),
            on(DetectRetry, _detector_timer_fired),
            on(SubscribeRetry, _subscribe_again),
            on(CallLater, _call_is_due),
        ]
    )
    IGNORED = frozenset({PeerExited})
