"""Reclaims and enforced maintenance windows: nothing is taken from the wrong ones, in the right order, and in time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, hears, says
from mesolite.harness.checkers.models import EARLY_S
from mesolite.messages.agent import RevokeExecutor, RevokeTask
from mesolite.messages.ids import FrameworkId, OfferId, ReclaimId, TaskId
from mesolite.messages.reclaims import ReclaimInfo, ReclaimState
from mesolite.messages.registrar import ApplyOperation, EndReclaim, OperationApplied, RegistryRecovered
from mesolite.messages.relayed import RunTask
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    DeactivateFramework,
    DeclineInverseOffers,
    InverseOffers,
    RescindInverseOffer,
    Subscribe,
)
from mesolite.messages.tasks import TaskState

BITE_S = 11.0
"""The longest that teeth take beside a task's own grace and twice its executor's: margins, and a second look."""


class OnlyAskedAreRevoked(Checker):
    """Nobody is bitten unasked, nor before the deadline (docs/reclaim.md RV-31)."""

    name = "only_asked_are_revoked"
    statement = "Only what asked frameworks hold is revoked, and not before the deadline."

    @says(ActorRole.MASTER, RevokeTask)
    def task(self, record: Record, core: Any, message: RevokeTask, to: str) -> None:
        """A task is to be revoked."""
        self._revoked(record, core, to, message.framework_id, message.task_id)

    @says(ActorRole.MASTER, RevokeExecutor)
    def executor(self, record: Record, core: Any, message: RevokeExecutor, to: str) -> None:
        """An executor is to be revoked."""
        self._revoked(record, core, to, message.framework_id, message.executor_id)

    def _revoked(self, record: Record, core: Any, actor: str, framework_id: FrameworkId, what: str) -> None:
        if not self.watch.leads(core):
            return
        agent = core.state.agents.get(core.state.agent_of_pid.get(actor))
        if agent is None:
            self.violated(f"{what} is revoked on {actor}, which is not registered", what)
            return
        if self.watch.decided.in_force(agent, record.time) is not None:
            return
        for reclaim in self.watch.decided.reclaims.values():
            here = reclaim.agent_id == agent.id or reclaim.framework_id == framework_id
            asked = any(demand.framework_id == framework_id for demand in reclaim.demands)
            if here and asked and record.time >= reclaim.deadline - EARLY_S:
                return
        self.violated(f"{what} of {framework_id} is revoked on {agent.id}, and nobody asked", what)


class NewestAreRevokedFirst(Checker):
    """What was promised goes first, and what has run longest is spared longest (docs/reclaim.md RV-22, RV-32)."""

    name = "newest_are_revoked_first"
    statement = "Of two tasks that free the same, the one that was promised is revoked, else the newer one."

    def __init__(self) -> None:
        """Start with nothing promised."""
        self._asked: dict[OfferId, tuple[ReclaimId, FrameworkId]] = {}
        self._promised: dict[tuple[ReclaimId, FrameworkId], tuple[TaskId, ...]] = {}
        self._revoked: dict[tuple[FrameworkId, TaskId], None] = {}

    def catch_up(self) -> None:
        """Believe the leader whom it has asked, and what they promised."""
        m = self.watch.leader()
        if m is not None:
            self._asked = {
                each.id: (each.reclaim_id, each.framework_id)
                for each in m.inverse_offers.values()
                if each.reclaim_id is not None
            }
            for reclaim_id, reclaim in m.reclaims.items():
                for framework_id, answer in reclaim.answers.items():
                    self._promised[reclaim_id, framework_id] = answer.returning
            self._revoked = {key: None for agent in m.agents.values() for key in agent.revokes}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader knows of no promises."""
        if self.watch.leads(core):
            self._asked.clear()
            self._promised.clear()
            self._revoked.clear()

    @says(ActorRole.MASTER, InverseOffers)
    def asked(self, record: Record, core: Any, message: InverseOffers, to: str) -> None:
        """Somebody is asked, perhaps for a reclaim."""
        for each in message.inverse_offers if self.watch.leads(core) else ():
            made = core.state.inverse_offers.get(each.id)
            if made is not None and made.reclaim_id is not None:
                self._asked[each.id] = (made.reclaim_id, each.framework_id)

    @says(ActorRole.MASTER, RescindInverseOffer)
    def rescinded(self, record: Record, core: Any, message: RescindInverseOffer, to: str) -> None:
        """An answer to it means nothing any more."""
        self._asked.pop(message.inverse_offer_id, None)

    @hears(ActorRole.MASTER, Subscribe, PeerExited, LinkBroken, DeactivateFramework, OperationApplied)
    def let_go(self, record: Record, core: Any) -> None:
        """What is forgotten without a word cannot be answered either."""
        if self._asked and self.watch.leads(core):
            for each in [each for each in self._asked if each not in core.state.inverse_offers]:
                del self._asked[each]

    @hears(ActorRole.MASTER, AcceptInverseOffers, DeclineInverseOffers)
    def answered(self, record: Record, core: Any) -> None:
        """A framework promises tasks, or nothing; its last answer counts."""
        event, m = record.event, core.state
        framework = m.frameworks.get(event.framework_id)
        if framework is None or framework.pid != record.sender or not framework.connected or not self.watch.leads(core):
            return
        for each in event.inverse_offer_ids:
            if each in self._asked and self._asked[each][1] == framework.id:
                returning = event.returning if isinstance(event, AcceptInverseOffers) else ()
                self._promised[self._asked.pop(each)] = returning

    @says(ActorRole.MASTER, RevokeTask)
    def task(self, record: Record, core: Any, message: RevokeTask, to: str) -> None:
        """A task is to be revoked, for the first time: should one like it be instead?"""
        m, key = core.state, (message.framework_id, message.task_id)
        if not self.watch.leads(core) or key in self._revoked:
            return
        self._revoked[key] = None
        agent = m.agents.get(m.agent_of_pid.get(to))
        taken = agent.tasks.get(key) if agent is not None else None
        if taken is None or taken.executor_id is not None or self.watch.decided.in_force(agent, record.time):
            return
        targets = (agent.id, taken.framework_id)
        reclaims = [m.reclaims[m.reclaim_of[each]] for each in targets if each in m.reclaim_of]
        if len(reclaims) != 1 or taken.key in agent.kills or taken.state is TaskState.TASK_KILLING or taken.kill_cause:
            return
        promised = self._promised.get((reclaims[0].info.id, taken.framework_id), ())
        turns = {task_id: turn for turn, task_id in reversed(list(enumerate(promised)))}
        turn = (turns.get(taken.task_id, math.inf), -taken.launched_at)
        agents = [agent] if reclaims[0].info.agent_id is not None else m.agents.values()
        for other in [task for each in agents if each.connected for task in each.tasks.values()]:
            there = m.agents[other.agent_id]
            stays = other.key not in there.kills and other.key not in there.revokes and other.kill_cause is None
            like = (
                other.framework_id == taken.framework_id
                and other.executor_id is None
                and other.resources == taken.resources
                and other.state.holds_resources
                and other.state is not TaskState.TASK_KILLING
            )
            if stays and like and (turns.get(other.task_id, math.inf), -other.launched_at) < turn:
                text = f"{taken.task_id}, of {taken.launched_at:.3f} s, is revoked and {other.task_id} is not, "
                text += f"of {other.launched_at:.3f} s; promised are {list(promised)}"
                self.violated(text, taken.task_id, other.task_id)
                return


class ReclaimsAreInTime(Checker):
    """What is due is free."""

    name = "reclaims_are_in_time"
    statement = "What was reclaimed, or is in an enforced window, is free soon after it is due, at the latest."
    assumes = frozenset(Assumption)

    def __init__(self) -> None:
        """Start with no grace known."""
        self._grace_s = 0.0
        self._executor_grace_s = 0.0

    @property
    def bite_s(self) -> float:
        """The longest that teeth take."""
        return BITE_S + self._grace_s + 2 * self._executor_grace_s + 4 * self.watch.sim.latency_s[1]

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """A task may want longer to end than others, and its executor, too."""
        policy, executor = message.task.kill_policy, message.task.executor
        settings = core.state.settings
        grace_s = policy.grace_period_s if policy is not None else None
        own_s = executor.shutdown_grace_period_s if executor is not None else settings.executor_shutdown_grace_s
        self._grace_s = max(self._grace_s, settings.task_kill_grace_s if grace_s is None else grace_s)
        self._executor_grace_s = max(self._executor_grace_s, own_s or 0.0)

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """A reclaim that ends as DONE has what it wanted."""
        operation = message.operation
        if isinstance(operation, EndReclaim) and operation.reclaim.state is ReclaimState.DONE:
            held = _held(core.state, operation.reclaim) if self.watch.leads(core) else ""
            if held:
                self.violated(f"{operation.reclaim.id} ends as DONE, but {held}", operation.reclaim.id)

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for what is not free."""
        decided, quiet_from = self.watch.decided, self.watch.quiet_from
        m = self.watch.leader() if decided.reclaims or decided.windows else None
        if m is None:
            return
        for reclaim in decided.reclaims.values():
            held = _held(m, reclaim) if now > self._due(reclaim) else ""
            if held:
                yield f"{reclaim.id} was due at {reclaim.deadline:.3f} s, but {held}", (reclaim.id,)
        for agent in m.agents.values() if decided.windows else ():
            window = decided.in_force(agent, now)
            if window is None or not agent.connected:
                continue
            due = max(window.unavailability.start, decided.windows_since, quiet_from) + self.bite_s
            if now > due and (used := _used(agent)):
                text = f"the window of {agent.id} began at {window.unavailability.start:.3f} s, but {used} is held"
                yield text, (agent.id, *(task.task_id for task in agent.tasks.values()))

    def _due(self, reclaim: ReclaimInfo) -> float:
        """When it must have what it wanted, by force if need be."""
        return max(reclaim.deadline, reclaim.asked_at, self.watch.quiet_from) + self.bite_s

    def due(self) -> Iterator[float]:
        """What is held is taken in the end."""
        m = self.watch.leader() if self.watch.decided.reclaims else None
        reclaims = self.watch.decided.reclaims.values() if m is not None else ()
        return (self._due(reclaim) for reclaim in reclaims if _held(m, reclaim))

    def calm(self) -> Iterator[Finding]:
        """The same, when all is mended; and nothing goes on that has what it wanted, or whose target has left."""
        now, m = self.watch.sim.now, self.watch.leader()
        yield from self.overdue(now)
        for reclaim in self.watch.decided.reclaims.values() if m is not None else ():
            due = self._due(reclaim)
            known, agent = m.reclaims.get(reclaim.id), m.agents.get(reclaim.agent_id)
            elsewhere = (*m.unreachable, *m.recovered)
            agent_left = reclaim.agent_id is not None and agent is None and reclaim.agent_id not in elsewhere
            if known is None or agent_left or reclaim.framework_id in m.completed_frameworks:
                yield f"{reclaim.id} goes on, and what it is about has left", (reclaim.id,)
            elif agent is not None and not agent.connected:
                continue
            elif now > due and not elsewhere and known.state is not ReclaimState.DONE and not _held(m, reclaim):
                yield f"{reclaim.id} is {known.state}, and has what it wanted", (reclaim.id,)


def _held(m: Any, reclaim: ReclaimInfo) -> str:
    """What is still missing of a reclaim, in words; '' if nothing is, or nobody can know."""
    if reclaim.framework_id is not None:
        if reclaim.framework_id not in m.frameworks or m.recovered:
            return ""
        parts = [agent.used().get(reclaim.framework_id, NOTHING) for agent in m.agents.values()]
        held = Resources.sum(parts).scalars
        keep = reclaim.demands[0].keep.scalars if reclaim.demands else {}
        wanted = held if reclaim.resources is None else reclaim.resources.scalars
        over = {name: held[name] for name in wanted if held.get(name, 0) > keep.get(name, 0)}
        return f"{reclaim.framework_id} still holds {over} and may keep {keep}" if over else ""
    agent = m.agents.get(reclaim.agent_id)
    if agent is None or not agent.connected:
        return ""
    used = _used(agent)
    if reclaim.resources is None:
        return f"{used} is in use on {agent.id}" if used else ""
    left = {name: amount - used.scalars.get(name, 0) for name, amount in agent.info.resources.scalars.items()}
    short = {name: left.get(name, 0) for name, n in reclaim.resources.scalars.items() if left.get(name, 0) < n}
    return f"only {short} is free on {agent.id}, of {reclaim.resources}" if short else ""


def _used(agent: Any) -> Resources:
    return Resources.sum(agent.used().values())
