"""The master's core: who leads, what was recovered, and a table from event to the function that decides.

This file routes. What is decided about agents, frameworks, offers and tasks is in the files beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.contract import (
    CancelTimer,
    Core,
    Effect,
    LinkBroken,
    PeerExited,
    SetTimer,
    Started,
    TimerFired,
    on,
)
from mesolite.actors.decisions.detector import LeaderDetector
from mesolite.actors.decisions.interval import earlier
from mesolite.actors.decisions.master import (
    admission,
    frameworks,
    leadership,
    queries,
    reconciliation,
    tasks,
    timers,
    watching,
)
from mesolite.actors.decisions.master.drain import deactivation, decisions, draining
from mesolite.actors.decisions.master.maintenance import advice, enforcement, machines, schedules
from mesolite.actors.decisions.master.membership import (
    disconnection,
    gone,
    pings,
    pruning,
    registration,
    removal,
    reregistration,
    unreachable,
)
from mesolite.actors.decisions.master.membership.table import Change, MemberState
from mesolite.actors.decisions.master.offers import acceptance, allocation, inverse_offer_responses, offers
from mesolite.actors.decisions.master.reclaim import reclaims
from mesolite.actors.decisions.master.standing import standing
from mesolite.actors.decisions.master.state import MasterState, Subscribers, in_order
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import (
    AgentDrained,
    ExitedExecutor,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    UnregisterAgent,
)
from mesolite.messages.base import Query
from mesolite.messages.operator import (
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    ReleaseReclaimCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    TeardownFrameworkCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.queries import QueryAnswered
from mesolite.messages.registrar import (
    AdmitAgent,
    DeactivateAgent,
    EndDrain,
    EndReclaim,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    OperationApplied,
    PruneAgents,
    ReactivateAgent,
    RegistryRecovered,
    RegistryRefused,
    RemoveAgent,
    StartDrain,
    StartReclaim,
    UpdateMaintenance,
)
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    ShutdownExecutorOf,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.resources import NOTHING
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AcceptOffers,
    DeactivateFramework,
    DeclineInverseOffers,
    DeclineOffers,
    ReconcileTasks,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.watching import WatchCluster, WatchStanding

Decision = Callable[[MasterState, Any, str, float], None]

LEADER_DECISIONS: dict[type, Decision] = dict(
    [
        on(RegisterAgent, registration.register),
        on(ReregisterAgent, reregistration.reregister),
        on(UnregisterAgent, removal.unregister),
        on(PongAgent, pings.pong),
        on(StatusUpdate, tasks.update),
        on(ExitedExecutor, tasks.exited_executor),
        on(ExecutorToFramework, tasks.to_framework),
        on(Subscribe, frameworks.subscribe),
        on(DeactivateFramework, frameworks.deactivate),
        on(Teardown, frameworks.teardown),
        on(TeardownFrameworkCall, frameworks.end),
        on(AcceptOffers, acceptance.accept),
        on(DeclineOffers, offers.decline),
        on(SuppressOffers, offers.suppress),
        on(ReviveOffers, offers.revive),
        on(AcceptInverseOffers, inverse_offer_responses.accept),
        on(DeclineInverseOffers, inverse_offer_responses.decline),
        on(KillTask, tasks.kill),
        on(ShutdownExecutorOf, tasks.to_executor),
        on(StatusUpdateAcknowledgement, tasks.acknowledge),
        on(ReconcileTasks, reconciliation.reconcile),
        on(FrameworkToExecutor, tasks.to_executor),
        on(AgentDrained, draining.confirmed),
        on(DrainAgentCall, draining.drain),
        on(MarkAgentGoneCall, gone.mark_gone),
        on(DeactivateAgentCall, deactivation.deactivate),
        on(ReactivateAgentCall, deactivation.reactivate),
        on(UpdateMaintenanceScheduleCall, schedules.change),
        on(StartMaintenanceCall, schedules.change),
        on(StopMaintenanceCall, schedules.change),
        on(ReclaimResourcesCall, reclaims.reclaim),
        on(ReleaseReclaimCall, reclaims.release),
        on(WatchCluster, watching.watch_cluster),
    ]
)
"""What a leader decides on. Anybody else, and a leader that has not read the registry, discards these (0.2.1)."""

EXAMINED = frozenset(kind for kind in LEADER_DECISIONS if issubclass(kind, admission.EXAMINED))
"""Those that must be admitted first. They are looked up, as nearly all that a leader hears are pongs."""

TIMERS: dict[type, Decision] = dict(
    [
        on(timers.PingBatch, pings.ping),
        on(timers.ReregisterTimeout, disconnection.reregistration_timed_out),
        on(timers.RecoveryTimeout, unreachable.recovery_timed_out),
        on(timers.Permit, unreachable.permit_due),
        on(timers.Pruning, pruning.prune),
        on(timers.FailoverTimeout, frameworks.failover_timed_out),
        on(timers.Allocation, allocation.allocate),
        on(timers.OfferTimeout, offers.timed_out),
        on(timers.InverseOfferTimeout, advice.timed_out),
        on(timers.ReclaimDue, reclaims.timed_out),
        on(timers.ReclaimReminder, reclaims.timed_out),
        on(timers.WindowBound, enforcement.bound_reached),
        on(timers.Enforcement, enforcement.repeat),
    ]
)


def _admitted(m: MasterState, operation: AdmitAgent, now: float) -> None:
    """The registry holds an agent: a new one (1.2.5), or an old one with new facts (1.3.5, 1.3.6)."""
    agent_id = operation.agent.id
    assert agent_id is not None
    if m.membership.is_pending(agent_id, Change.READMIT):
        reregistration.complete(m, operation.agent, now)
    else:
        registration.admitted(m, operation, now)


APPLIED: dict[type, Callable[[MasterState, Any, float], None]] = {
    AdmitAgent: _admitted,
    MarkAgentReachable: reregistration.reachable,
    MarkAgentUnreachable: unreachable.marked_unreachable,
    RemoveAgent: removal.removed,
    PruneAgents: pruning.pruned,
    MarkAgentGone: gone.marked_gone,
    StartDrain: draining.started,
    EndDrain: draining.ended,
    DeactivateAgent: deactivation.deactivated,
    ReactivateAgent: deactivation.reactivated,
    UpdateMaintenance: schedules.changed,
    StartReclaim: reclaims.started,
    EndReclaim: reclaims.ended,
}
"""What follows from a change of the registry, now that it is durable (0.2.4)."""

SUBSCRIBERS = Subscribers(
    agent_joined=in_order(pings.watch, offers.agent_joined, machines.joined, schedules.joined, watching.agent_added),
    agent_registered=in_order(reclaims.agent_registered),
    agent_back=in_order(draining.tell),
    agent_replaced=in_order(disconnection.replaced),
    agent_left=in_order(offers.agent_leaves, tasks.agent_left, offers.agent_left, machines.left, pings.stop),
    agent_lost=in_order(reclaims.agent_lost),
    deactivated_agent_pinged=in_order(draining.remind),
    registry_recovered=in_order(decisions.recovered, schedules.recovered, reclaims.recovered),
    framework_registered=in_order(reclaims.framework_registered),
    framework_removed=in_order(reclaims.framework_removed),
    released_on=in_order(draining.check_done, reclaims.released_on),
)
"""Who has to know of what, in this order."""


class MasterCore(Core):
    """One master process: contends, and decides while it leads."""

    TIMERS = TIMERS

    def __init__(self, settings: Settings, registrar: str) -> None:
        """Contend when started; `registrar` is the actor that keeps this master's registry."""
        super().__init__()
        self.state = MasterState(
            settings=settings,
            registrar=registrar,
            allocator=Allocator(settings),
            subscribers=SUBSCRIBERS,
            detector=LeaderDetector(settings.session_timeout_s, settings.session_timeout_s, contend=True),
        )
        self._allocation_at: float | None = None

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        """Decide what this event means now."""
        state = self.state
        self.effects = state.effects = []
        decide = LEADER_DECISIONS.get(type(event))
        if decide is not None:
            if state.leading and (type(event) not in EXAMINED or admission.admits(state, event, sender)):
                decide(state, event, sender, now)
        else:
            self._route(event, sender, now)
        if state.leading and (state.released_on or not _is_heartbeat(event)):
            self._tell_of_releases(now)
            self._keep_allocating(now)
            pruning.keep_due(state, now)
        if state.standing_watched:
            watching.tell_standing(state)
        return state.effects

    def answer(self, query: Query, now: float) -> QueryAnswered:
        """What it has to say to that query; it only reads."""
        return queries.answer(self.state, query, now)

    def standing(self) -> str:
        """What its state hold, if it leads."""
        return standing(self.state)

    def check(self) -> None:
        """Assert what must hold of the whole state together."""
        state, allocator = self.state, self.state.allocator
        allocator.check()
        for offer in state.offers.values():
            assert offer.id in state.agents[offer.agent_id].offers
            assert offer.id in state.frameworks[offer.framework_id].offers
        for framework_id, framework in state.frameworks.items():
            assert allocator.role(framework_id) == framework.info.role, framework.info
        for agent in state.agents.values():
            for (framework_id, task_id), task in agent.tasks.items():
                assert state.frameworks[framework_id].tasks[task_id] is task
            held = agent.used()
            for offer in map(state.offers.__getitem__, agent.offers):
                held[offer.framework_id] = held.get(offer.framework_id, NOTHING) + offer.resources
            held = {framework_id: resources for framework_id, resources in held.items() if resources}
            allocated = {each: allocator.allocated(each, agent.id) for each in allocator.holders(agent.id)}
            assert allocated == held, (agent.id, allocated, held)
        membership = state.membership
        registered = [*membership.all_in(MemberState.REGISTERED), *membership.all_in(MemberState.DISCONNECTED)]
        assert state.agents.keys() == set(registered), (list(state.agents), registered)
        membership.check()
        tasks.check(state)
        state.pings.check()
        machines.check(state)
        advice.check(state)
        reclaims.check(state)

    def _tell_of_releases(self, now: float) -> None:
        """Where something was let go, a drain or a reclaim may have ended."""
        released_on, self.state.released_on = self.state.released_on, {}
        for agent_id in released_on:
            self.state.subscribers.released_on(self.state, agent_id, now)

    # ------------------------------------------------------------------------------------------------------ routing

    def _route(self, event: object, sender: str, now: float) -> None:
        """Take what is not a leader's business: election, registry, timers, broken links."""
        state = self.state
        if state.detector.handles(event):
            leadership.follow(state, state.detector.handle(event, sender, now), now)
            return
        match event:
            case TimerFired(key):
                if type(key) is timers.Allocation:
                    self._allocation_at = None
                self.timer_handler(event)(state, key, sender, now)
            case PeerExited():
                self._peer_exited(event, now)
            case LinkBroken(name):
                self._link_broke(name, now)
            case OperationApplied():
                self._applied(event, sender, now)
            case RegistryRecovered():
                leadership.recovered(state, event, sender, now)
            case RegistryRefused() if sender == state.registrar:
                leadership.end(state, f"the registry refused: {event.reason}")  # 0.2.6
            case Started():
                leadership.start(state, event, now)
            case WatchStanding():
                watching.watch_standing(state, event, sender, now)
            case _:
                self.let_pass(event)

    def _peer_exited(self, event: PeerExited, now: float) -> None:
        state = self.state
        if event.name == state.registrar:
            leadership.end(state, "its registrar has ended")  # as one process, in Mesos, they end together
            return
        registration.link_broke(state, event.name)
        reregistration.link_broke(state, event.name)
        agent_id = state.agent_of_pid.get(event.name)
        if agent_id is not None:
            disconnection.disconnected(state, state.agents[agent_id], now)
        framework_id = state.framework_of_pid.get(event.name)
        if framework_id is not None and state.frameworks[framework_id].connected:
            frameworks.disconnected(state, state.frameworks[framework_id], now)

    def _link_broke(self, name: str, now: float) -> None:
        """Something was lost between us, and it lives, so nothing is given up but what nobody may know of."""
        disconnection.link_broke(self.state, name, now)
        frameworks.link_broke(self.state, name, now)

    def _applied(self, event: OperationApplied, sender: str, now: float) -> None:
        state = self.state
        if sender != state.registrar or not state.leading:
            return  # perhaps meant for an earlier life of this master (LP-11)
        write = state.pending_writes.pop(event.write_id, None)
        if write is None:
            return  # a duplicate confirmation
        state.counters.outstanding_registry_writes -= 1
        APPLIED[type(write.operation)](state, write.operation, now)
        if write.call is not None:
            state.answer(write.call.sender, write.call.call_id, made=write.call.made)

    # ---------------------------------------------------------------------------------------------------- allocation

    def _keep_allocating(self, now: float) -> None:
        """Keep exactly one timer for the next run of offers and inverse offers; none while there is nothing to do."""
        state, armed = self.state, self._allocation_at
        due = earlier(state.allocator.next_run(now), state.inverse_offer_queue.next_run(now))
        if due == armed or (due is not None and armed is not None and armed < due):
            return
        self._allocation_at = due
        if due is None:
            self.state.effects.append(CancelTimer(timers.Allocation()))
        else:
            self.state.effects.append(SetTimer(timers.Allocation(), max(0.0, due - now)))


def _is_heartbeat(event: object) -> bool:
    """Pings and pongs change nobody's share, and they are nine in ten of all events."""
    return type(event) is PongAgent or (type(event) is TimerFired and type(event.key) is timers.PingBatch)
