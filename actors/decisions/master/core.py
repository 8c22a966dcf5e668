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
    Exit,
    Link,
    LinkBroken,
    PeerExited,
    SetTimer,
    Started,
    TimerFired,
    on,
)
from mesolite.actors.decisions.detector import LeaderDetector, Step
from mesolite.actors.decisions.interval import earlier
from mesolite.actors.decisions.master import admission, frameworks, queries, tasks, timers
from mesolite.actors.decisions.master.drain import deactivation, draining
from mesolite.actors.decisions.master.maintenance import enforcement, machines, schedules
from mesolite.actors.decisions.master.maintenance.rule import Schedule
from mesolite.actors.decisions.master.membership import gone, health, pruning, registration, removal, reregistration
from mesolite.actors.decisions.master.membership.table import MemberState
from mesolite.actors.decisions.master.offers import inverse_offer_responses, inverse_offers, offers
from mesolite.actors.decisions.master.reclaim import reclaims
from mesolite.actors.decisions.master.standing import standing
from mesolite.actors.decisions.master.state import MasterState
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
from mesolite.messages.facts import MasterStatus
from mesolite.messages.ids import ActorName, AgentId
from mesolite.messages.infos import MasterInfo
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
    RecoverRegistry,
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

Decision = Callable[[MasterState, Any, str, float], None]

LEADER_DECISIONS: dict[type, Decision] = dict(
    [
        on(RegisterAgent, registration.register),
        on(ReregisterAgent, reregistration.reregister),
        on(UnregisterAgent, removal.unregister),
        on(PongAgent, health.pong),
        on(StatusUpdate, tasks.update),
        on(ExitedExecutor, tasks.exited_executor),
        on(ExecutorToFramework, tasks.to_framework),
        on(Subscribe, frameworks.subscribe),
        on(DeactivateFramework, frameworks.deactivate),
        on(Teardown, frameworks.teardown),
        on(TeardownFrameworkCall, frameworks.end),
        on(AcceptOffers, offers.accept),
        on(DeclineOffers, offers.decline),
        on(SuppressOffers, offers.suppress),
        on(ReviveOffers, offers.revive),
        on(AcceptInverseOffers, inverse_offer_responses.accept),
        on(DeclineInverseOffers, inverse_offer_responses.decline),
        on(KillTask, tasks.kill),
        on(StatusUpdateAcknowledgement, tasks.acknowledge),
        on(ReconcileTasks, tasks.reconcile),
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
    ]
)
"""What a leader decides on. Anybody else, and a leader that has not read the registry, discards these (0.2.1)."""

EXAMINED = frozenset(kind for kind in LEADER_DECISIONS if issubclass(kind, admission.EXAMINED))
"""Those that must be admitted first. They are looked up, as nearly all that a leader hears are pongs."""

TIMERS: dict[type, Decision] = dict(
    [
        on(timers.PingBatch, health.ping),
        on(timers.ReregisterTimeout, health.reregistration_timed_out),
        on(timers.RecoveryTimeout, health.recovery_timed_out),
        on(timers.Permit, health.permit_due),
        on(timers.Pruning, pruning.prune),
        on(timers.FailoverTimeout, frameworks.failover_timed_out),
        on(timers.Allocation, offers.allocate),
        on(timers.OfferTimeout, offers.timed_out),
        on(timers.InverseOfferTimeout, inverse_offers.timed_out),
        on(timers.ReclaimDue, reclaims.timed_out),
        on(timers.ReclaimReminder, reclaims.timed_out),
        on(timers.WindowBound, enforcement.bound_reached),
        on(timers.Enforcement, enforcement.repeat),
    ]
)


APPLIED: dict[type, Callable[[MasterState, Any, float], None]] = {
    AdmitAgent: registration.admitted,
    MarkAgentReachable: reregistration.reachable,
    MarkAgentUnreachable: health.marked_unreachable,
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

AFTER_RELEASE: tuple[Callable[[MasterState, AgentId, float], None], ...] = (draining.look, reclaims.released_on)
"""Who looks at an agent on which something was let go."""


class MasterCore(Core):
    """One master process: contends, and decides while it leads."""

    TIMERS = TIMERS

    def __init__(self, settings: Settings, registrar: str) -> None:
        """Contend when started; `registrar` is the actor that keeps this master's registry."""
        super().__init__()
        self.state = MasterState(settings=settings, registrar=registrar, allocator=Allocator(settings))
        self.detector = LeaderDetector(settings.session_timeout_s, settings.session_timeout_s, contend=True)
        self.name = ""
        self._recovering = False
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
            self._look_at_touched(now)
            self._keep_allocating(now)
            pruning.keep_due(state, now)
        return state.effects

    def answer(self, query: Query, now: float) -> QueryAnswered:
        """What it has to say to that query; it only reads."""
        return queries.answer(self.state, query, now)

    def standing(self) -> str:
        """What its books hold, if it leads."""
        return standing(self.state)

    def check(self) -> None:
        """Assert what must hold of all books together."""
        self.state.allocator.check()
        for offer in self.state.offers.values():
            assert offer.id in self.state.agents[offer.agent_id].offers
            assert offer.id in self.state.frameworks[offer.framework_id].offers
        for agent in self.state.agents.values():
            for key, task in agent.tasks.items():
                assert self.state.frameworks[key[0]].tasks[key[1]] is task
            held = agent.used()
            for offer in map(self.state.offers.__getitem__, agent.offers):
                held[offer.framework_id] = held.get(offer.framework_id, NOTHING) + offer.resources
            for framework_id, framework in self.state.frameworks.items():
                assert self.state.allocator.role(framework_id) == framework.info.role, framework.info
                allocated = self.state.allocator.allocated(framework_id, agent.id)
                assert allocated == held.get(framework_id, NOTHING), (agent.id, framework_id, allocated)
        membership = self.state.membership
        registered = [*membership.all_in(MemberState.REGISTERED), *membership.all_in(MemberState.DISCONNECTED)]
        assert sorted(self.state.agents) == sorted(registered), (list(self.state.agents), registered)
        membership.check()
        tasks.check(self.state)
        self.state.pings.check()
        machines.check(self.state)
        inverse_offers.check(self.state)
        reclaims.check(self.state)

    def _look_at_touched(self, now: float) -> None:
        """Where something was let go, a drain or a reclaim may have ended."""
        touched, self.state.released_on = self.state.released_on, {}
        for agent_id in touched:
            for look in AFTER_RELEASE:
                look(self.state, agent_id, now)

    # ------------------------------------------------------------------------------------------------------ routing

    def _route(self, event: object, sender: str, now: float) -> None:
        """Take what is not a leader's business: election, registry, timers, broken links."""
        state = self.state
        if self.detector.handles(event):
            self._follow(self.detector.handle(event, sender, now), now)
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
                self._recovered(event, sender, now)
            case RegistryRefused() if sender == state.registrar:
                self._exit(f"the registry refused: {event.reason}")  # 0.2.6
            case Started(name):
                self.name = name
                state.effects.append(Link(state.registrar))
                self._follow(self.detector.start(now), now)
            case _:
                self.let_pass(event)

    def _peer_exited(self, event: PeerExited, now: float) -> None:
        state = self.state
        if event.name == state.registrar:
            self._exit("its registrar has ended")  # as one process, in Mesos, they end together
            return
        registration.link_broke(state, event)
        agent_id = state.agent_of_pid.get(event.name)
        if agent_id is not None:
            health.disconnected(state, state.agents[agent_id], now)
        framework_id = state.framework_of_pid.get(event.name)
        if framework_id is not None and state.frameworks[framework_id].connected:
            frameworks.disconnected(state, state.frameworks[framework_id], now)

    def _link_broke(self, name: str, now: float) -> None:
        """Something was lost between us, and it lives, so nothing is given up but what nobody may know of."""
        health.link_broke(self.state, name, now)
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

    # ----------------------------------------------------------------------------------------------------- election

    def _follow(self, step: Step, now: float) -> None:
        state = self.state
        state.effects.extend(step.effects)
        leads = state.leading or self._recovering
        if step.candidacy_lost:
            if leads:
                self._exit("lost its candidacy while leading")  # EL-30
            else:
                state.effects.extend(self.detector.contend(now).effects)
        if not step.detected:
            return
        leader = self.detector.leader
        mine = leader is not None and leader.name == self.name and leader.term == self.detector.candidacy
        if mine and not leads:
            assert leader is not None
            self._elected(leader)
        elif leads and not mine:
            self._exit("was deposed")  # a leader never steps down within one process (EL-32)

    def _elected(self, leader: MasterInfo) -> None:
        """Leading begins with reading the registry, which fences whoever led before (EL-36, EL-37)."""
        self._recovering = True
        self.state.info = leader
        self.state.send(self.state.registrar, RecoverRegistry(term=leader.term))

    def _recovered(self, event: RegistryRecovered, sender: str, now: float) -> None:
        state = self.state
        if sender != state.registrar or not self._recovering:
            return
        registry = event.registry
        for admitted in registry.admitted:
            assert admitted.agent.id is not None
            state.membership.move(admitted.agent.id, MemberState.RECOVERED, info=admitted.agent)
        # Oldest first, as a master that was there has them: what grows too old or too many goes from the front.
        for unreachable in sorted(registry.unreachable, key=lambda record: record.unreachable_time):
            state.membership.move(unreachable.agent_id, MemberState.UNREACHABLE, unreachable.unreachable_time)
        for left in sorted(registry.gone, key=lambda record: record.gone_time):
            state.membership.move(left.agent_id, MemberState.GONE, left.gone_time)
        deactivation.recovered(state, registry)
        state.schedule = Schedule(registry.maintenance)
        reclaims.recovered(state, registry.reclaims, now)
        self._recovering = False
        state.leading, state.leading_since = True, now
        state.publish(MasterStatus(name=ActorName(self.name), leading=True, term=state.term))
        if state.recovered:
            state.set_timer(timers.RecoveryTimeout(), state.settings.agent_reregister_timeout_s)  # EL-40

    def _exit(self, reason: str) -> None:
        if self.state.leading:
            self.state.publish(MasterStatus(name=ActorName(self.name), term=self.state.term))
        self.state.leading = self._recovering = False
        self.state.effects.append(Exit(reason, 1))

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
