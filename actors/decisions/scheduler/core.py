"""The scheduler driver: stands between a user's scheduler and whoever leads (core.md 2.7, 3 and 5.4).

Rule: it believes the leader it detected and nobody else, and calls user code one callback at a time.

    NOT_STARTED --Started--> RUNNING ---abort, error---> ABORTED
                                |                           |
                                +--------- stop ------------+---> STOPPED: the actor ends

    while RUNNING:   disconnected --leader detected--> subscribing --registered, reregistered--> connected
                          ^                                                                          |
                          +-------------------- any detection result (EL-55) ------------------------+
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
    IMPLICIT_ACKNOWLEDGEMENTS,
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
from mesolite.actors.decisions.scheduler.requests import accept, acknowledgement, never_started, request
from mesolite.actors.decisions.scheduler.subscribing import SubscribeBackoff, SubscribeRetry
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.checking import evolve
from mesolite.messages.election import LeaderDetected, SessionExpired, SessionKept
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ActorName, AgentId, FrameworkId, OfferId
from mesolite.messages.relayed import ExecutorToFramework, StatusUpdate
from mesolite.messages.scheduler import (
    AgentLost,
    DeactivateFramework,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    InverseOffers,
    RescindInverseOffer,
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
        self.connected = False
        self.suppressed = False
        self.callbacks = CallbackQueue()
        self.detector = LeaderDetector(settings.session_timeout_s, settings.session_timeout_s)
        # Off as soon as user code stopped or aborted the driver: perhaps before the call itself gets here.
        self._listening = False
        self._parting = False
        self._force = framework_info.id is not None
        self._suppression_is_news = False
        self.offers: dict[OfferId, AgentId] = {}
        self._backoff = SubscribeBackoff(settings, framework_info.failover_timeout_s)

    # --- the leader, and being subscribed with it ------------------------------------------------------

    def _started(self, event: Started, sender: str, now: float) -> None:
        assert self.status is DriverStatus.DRIVER_NOT_STARTED, "a driver starts once (FW-40)"
        self.status = DriverStatus.DRIVER_RUNNING
        self._listening = True
        self._step(self.detector.start(now))

    def _elector_spoke(self, event: object, sender: str, now: float) -> None:
        if self._listening:
            self._step(self.detector.handle(event, sender, now))

    def _watch_fired(self, key: TimerKey, sender: str, now: float) -> None:
        if self._listening:
            self._step(self.detector.fired(key, now))

    def _step(self, step: Step) -> None:
        self.effects.extend(step.effects)
        if not step.detected:
            return
        if self.connected:
            self._part()
        elif not self._parting:
            self._meet_leader()

    def _part(self) -> None:
        """Not connected any more. Whoever leads is met when user code has returned, for it may abort the driver."""
        self.connected = False
        self._parting = True
        self._callback("disconnected")

    def _link_broke(self, event: LinkBroken, sender: str, now: float) -> None:
        """What was said is lost (LP-28): subscribe again, to hear what there is. Ours: Mesos aborts it (FW-28)."""
        if self.detector.handles(event):
            self._elector_spoke(event, sender, now)
        elif self.connected and self._is_leader(event.name):
            if self._listening:
                self._part()
            else:  # it has aborted, and that may be what was lost
                self.send(self._master, DeactivateFramework(framework_id=self._framework_id))

    def _meet_leader(self) -> None:
        """Subscribe with whoever leads, without delay; wait if nobody does (EL-56)."""
        if self.detector.leader is None:
            self.effects.append(CancelTimer(SubscribeRetry()))
            return
        self._backoff.reset()
        self._suppression_is_news = False
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
        if self._listening:
            self._subscribe()

    def _subscribed(
        self, event: FrameworkRegistered | FrameworkReregistered, sender: str, now: float
    ) -> None:
        if not self._listening or self.connected or not self._is_leader(sender):
            return
        self.connected = True
        self._force = False
        self.offers.clear()
        self.framework_info = evolve(self.framework_info, id=event.framework_id)
        self.effects.append(CancelTimer(SubscribeRetry()))
        if self._suppression_is_news:
            self._say_suppression()
        if isinstance(event, FrameworkRegistered):
            self._callback("registered", event.framework_id, event.master)
        else:
            self._callback("reregistered", event.master)

    def _refused(self, event: FrameworkError, sender: str, now: float) -> None:
        if self._listening and self._is_leader(sender):
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

    def _master_spoke(self, event: object, sender: str, now: float) -> None:
        """Only the leader is heard, and only while connected (EL-58, drain.md 2.6.2)."""
        if not (self._listening and self.connected and self._is_leader(sender)):
            return
        match event:
            case ResourceOffers(offers=offers):
                self.offers.update((offer.id, offer.agent_id) for offer in offers)
                self._callback("resource_offers", offers)
            case RescindOffer(offer_id=offer_id):
                self.offers.pop(offer_id, None)
                self._callback("offer_rescinded", offer_id)
            case InverseOffers(inverse_offers=inverse_offers):
                self._callback("inverse_offers", inverse_offers)
            case RescindInverseOffer(inverse_offer_id=inverse_offer_id):
                self._callback("inverse_offer_rescinded", inverse_offer_id)
            case StatusUpdate(status=status):
                self._callback("status_update", status)
            case AgentLost(agent_id=agent_id):
                self._callback("agent_lost", agent_id)
            case ExitedExecutor(executor_id=executor_id, agent_id=agent_id, status=status):
                self._callback("executor_lost", executor_id, agent_id, status)

    def _executor_spoke(self, event: ExecutorToFramework, sender: str, now: float) -> None:
        # It comes straight from an agent, so it is heard from anybody, connected or not (EL-58, TK-72).
        if self._listening:
            self._callback("framework_message", event.executor_id, event.agent_id, event.data)

    # --- user code: calling it, and what it did --------------------------------------------------------

    def _callback(self, callback: str, *arguments: Any) -> None:
        self.effects.extend(self.callbacks.add(callback, *arguments))

    def _callback_returned(self, event: CallbackReturned, sender: str, now: float) -> None:
        finished = self.callbacks.returned(event)
        if not event.still_running:
            # Its call to stop or abort is still on its way; nothing may call user code again (FW-42).
            self._hush()
        if event.error is not None:
            self._user_code_raised(event.error)
        elif self._listening and finished.callback == "disconnected":
            self._parting = False
            self._meet_leader()
        elif self._listening and finished.callback == "status_update" and self.implicit_acknowledgements:
            self._acknowledge(*finished.arguments)
        if self.callbacks.running is None:
            self.effects.extend(self.callbacks.begin_next())

    def _user_code_raised(self, text: str) -> None:
        if self._listening:
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
        self.status = DriverStatus.DRIVER_ABORTED
        self._hush()

    def _hush(self) -> None:
        self._listening = False
        self.callbacks.forget()

    def _call_is_due(self, key: CallLater, sender: str, now: float) -> None:
        if self._listening:
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
                    self._say_suppression()
                else:
                    self._suppression_is_news = True
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

    def _say_suppression(self) -> None:
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
        self.status = DriverStatus.DRIVER_STOPPED
        self._hush()
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
            on(SessionKept, _elector_spoke),
            on(SessionExpired, _elector_spoke),
            on(LeaderDetected, _elector_spoke),
            on(FrameworkRegistered, _subscribed),
            on(FrameworkReregistered, _subscribed),
            on(FrameworkError, _refused),
            *on_each(ResourceOffers, RescindOffer, InverseOffers, RescindInverseOffer, decide=_master_spoke),
            *on_each(StatusUpdate, AgentLost, ExitedExecutor, decide=_master_spoke),
            on(ExecutorToFramework, _executor_spoke),
            *on_each(AcceptCall, DeclineCall, AcceptInverseCall, DeclineInverseCall, decide=_asked),
            *on_each(KillCall, ReviveCall, SuppressCall, ReconcileCall, AcknowledgeCall, decide=_asked),
            *on_each(FrameworkMessageCall, CallLaterCall, AbortCall, decide=_asked),
            on(StopCall, _stop),
        ]
    )
    TIMERS: ClassVar[Table] = dict(
        [
            on(SessionHeartbeat, _watch_fired),
            on(SessionExpiry, _watch_fired),
            on(DetectRetry, _watch_fired),
            on(SubscribeRetry, _subscribe_again),
            on(CallLater, _call_is_due),
        ]
    )
    IGNORED = frozenset({PeerExited})
