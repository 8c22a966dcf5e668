"""Frameworks get the time they have, and living drivers are connected in the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.contract import LinkBroken, PeerExited, Started, TimerFired
from mesolite.actors.decisions.driver_calls import AbortedBy, DriverStatus, ReviveCall, SuppressCall
from mesolite.actors.decisions.master.timers import FailoverTimeout
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, hears, said, says
from mesolite.harness.checkers.models import EARLY_S
from mesolite.messages.agent import ShutdownFramework
from mesolite.messages.ids import FrameworkId
from mesolite.messages.operator import TeardownFrameworkCall
from mesolite.messages.registrar import RegistryRecovered
from mesolite.messages.scheduler import (
    FrameworkRegistered,
    FrameworkReregistered,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)

LATE_S = 1.0
"""A leader that is late with something for so long has forgotten it."""


class FrameworksHaveTheirTime(Checker):
    """A framework is not ended for being away before its time is over (core.md FW-29)."""

    name = "frameworks_have_their_time"
    statement = (
        "A framework ends because somebody ended it, or because it was away for its failover time-out since it last "
        "left; then it does end."
    )
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with nobody away."""
        self._away: dict[FrameworkId, float] = {}
        self._late: dict[FrameworkId, float] = {}
        self._left_before: dict[FrameworkId, None] = {}

    def catch_up(self) -> None:
        """Nobody knows when those left that are away."""
        m = self.watch.leader()
        away = [each.id for each in m.frameworks.values() if not each.connected] if m is not None else []
        self._left_before = dict.fromkeys(away)

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader knows of nobody who left."""
        if self.watch.leads(core):
            self._away.clear()
            self._late.clear()

    @hears(ActorRole.MASTER, PeerExited)
    def parted(self, record: Record, core: Any) -> None:
        """A framework may be away from now on."""
        framework_id = core.state.framework_of_pid.get(record.event.name)
        if framework_id is not None and self.watch.leads(core):
            self._away.setdefault(framework_id, record.time)

    @says(ActorRole.MASTER, FrameworkRegistered, FrameworkReregistered)
    def came(self, record: Record, core: Any, message: Any, to: str) -> None:
        """It is back."""
        if self.watch.leads(core):
            self._away.pop(message.framework_id, None)
            self._late.pop(message.framework_id, None)
            self._left_before.pop(message.framework_id, None)

    @says(ActorRole.MASTER, ShutdownFramework)
    def ended(self, record: Record, core: Any, message: ShutdownFramework, to: str) -> None:
        """It is ended on an agent: first of all, or again on one that comes back."""
        if type(record.event) is not TimerFired or not self.watch.leads(core):
            return
        framework = core.state.completed_frameworks.get(message.framework_id)
        left_at = self._away.get(message.framework_id)
        if framework is None:
            self.violated(f"{message.framework_id} is ended on {to}, and is not over", message.framework_id)
        elif left_at is None and message.framework_id in self._left_before:
            return
        elif left_at is None:
            self.violated(f"{message.framework_id} is ended for being away, and is there", message.framework_id)
        elif record.time - left_at < framework.info.failover_timeout_s - EARLY_S:
            text = f"{message.framework_id} left at {left_at:.3f} s, has {framework.info.failover_timeout_s:g} s, "
            self.violated(text + "and is ended", message.framework_id)

    @hears(ActorRole.MASTER, TimerFired)
    def went_on(self, record: Record, core: Any) -> None:
        """The leader's time goes on: nobody is waited for longer than that. It may have stood still for a while."""
        for framework_id, left_at in self._away.items() if self._away and self.watch.leads(core) else ():
            framework = core.state.frameworks.get(framework_id)
            if framework is None or framework.connected:
                continue
            if record.time <= left_at + framework.info.failover_timeout_s + EARLY_S:
                continue
            if record.time > self._late.setdefault(framework_id, record.time) + LATE_S:
                text = f"{framework_id} left at {left_at:.3f} s, has {framework.info.failover_timeout_s:g} s, "
                self.violated(text + "and is waited for", framework_id)


class DriversAreConnected(Checker):
    """Who lives is heard."""

    name = "drivers_are_connected"
    statement = (
        "Once all is mended, a running driver is connected, as the only one of its framework; a driver is aborted by a "
        "master only for a reason."
    )

    def __init__(self) -> None:
        """Start with nobody."""
        self._drivers: dict[FrameworkId, dict[str, None]] = {}
        self._parted: dict[str, None] = {}
        self._ended: dict[FrameworkId, None] = {}

    def catch_up(self) -> None:
        """Nobody knows why those were aborted that are."""
        for context, core in self.watch.reader.all_of(ActorRole.SCHEDULER):
            self._parted[context.name] = None
            if core.framework_info.id is not None:
                self._drivers.setdefault(core.framework_info.id, {})[context.name] = None

    @hears(ActorRole.SCHEDULER, Started, FrameworkRegistered, FrameworkReregistered)
    def began(self, record: Record, core: Any) -> None:
        """A driver speaks for its framework."""
        if core.framework_info.id is not None:
            self._drivers.setdefault(core.framework_info.id, {})[record.actor] = None

    @hears(ActorRole.SCHEDULER, LinkBroken)
    def parted(self, record: Record, core: Any) -> None:
        """A master may give it up."""
        self._parted[record.actor] = None

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def exited(self, record: Record, core: Any) -> None:
        """A master may give it up."""
        self._parted[record.event.name] = None

    @hears(ActorRole.MASTER, Teardown, TeardownFrameworkCall)
    def torn_down(self, record: Record, core: Any) -> None:
        """Somebody ends it."""
        self._ended[record.event.framework_id] = None

    def calm(self) -> Iterator[Finding]:
        """Look at those that are alive."""
        m, reader = self.watch.leader(), self.watch.reader
        for context, core in reader.all_of(ActorRole.SCHEDULER):
            framework_id = core.framework_info.id
            if core.status is DriverStatus.DRIVER_RUNNING:
                framework = m.frameworks.get(framework_id) if m is not None else None
                if not core.connected:
                    yield f"{context.name} runs and is not connected", (context.name, framework_id)
                elif framework is None or framework.pid != context.name or not framework.connected:
                    known = framework.pid if framework is not None else "nobody"
                    text = f"{context.name} believes to speak for {framework_id}, which the leader hears from {known}"
                    yield text, (context.name, framework_id)
            elif core.status is DriverStatus.DRIVER_ABORTED and core.aborted_by is AbortedBy.MASTER:
                alone = len(self._drivers.get(framework_id, {})) <= 1
                over = framework_id in self._ended or (m is not None and framework_id in m.completed_frameworks)
                if framework_id is not None and alone and not over and context.name not in self._parted:
                    yield (
                        f"{context.name} was aborted ({core.error}), and nobody had a reason",
                        (context.name, framework_id),
                    )


class SuppressionIsKept(Checker):
    """Who wants no offers gets none (core.md OF-52, OF-53)."""

    name = "suppression_is_kept"
    statement = "A driver that subscribes says whether its user wants offers; who wants none is made none."

    def __init__(self) -> None:
        """Start with everybody wanting offers."""
        self._wished: dict[str, bool] = {}
        self._said: dict[FrameworkId, bool] = {}

    @hears(ActorRole.SCHEDULER, SuppressCall, ReviveCall)
    def wished(self, record: Record, core: Any) -> None:
        """A user wants offers, or none."""
        if core.status is DriverStatus.DRIVER_RUNNING:
            self._wished[record.actor] = isinstance(record.event, SuppressCall)

    @says(ActorRole.SCHEDULER, Subscribe)
    def subscribes(self, record: Record, core: Any, message: Subscribe, to: str) -> None:
        """Its driver says so."""
        wished = self._wished.get(record.actor, False)
        if message.suppressed != wished and not self.watch.is_late:
            text = f"{record.actor} subscribes with suppressed={message.suppressed}, against its user"
            self.violated(text, record.actor)

    @hears(ActorRole.MASTER, Subscribe, SuppressOffers, ReviveOffers)
    def heard(self, record: Record, core: Any) -> None:
        """A leader hears of it."""
        event, m = record.event, core.state
        framework = m.frameworks.get(m.framework_of_pid.get(record.sender))
        if framework is None or not self.watch.leads(core) or not framework.connected:
            return
        if isinstance(event, Subscribe):
            if any(to == record.sender for to, _ in said(record, FrameworkRegistered, FrameworkReregistered)):
                self._said[framework.id] = event.suppressed
        elif event.framework_id == framework.id:
            self._said[framework.id] = isinstance(event, SuppressOffers)

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made."""
        framework_id = message.offers[0].framework_id
        if self._said.get(framework_id) and self.watch.leads(core):
            self.violated(f"{framework_id} wants no offers, and gets {message.offers[0].id}", framework_id)


class SubscribersAreAnswered(Checker):
    """A driver that is aborted was told why, and one that is heard is answered at once."""

    name = "subscribers_are_answered"
    statement = "A leader answers every driver that subscribes, or says why not, and knows whoever it answered."

    @hears(ActorRole.MASTER, Subscribe)
    def subscribed(self, record: Record, core: Any) -> None:
        """A driver wants to speak for a framework."""
        if not self.watch.leads(core):
            return
        info, m = record.event.framework_info, core.state
        said = [effect for effect in record.effects if getattr(effect, "to", None) == record.sender]
        owned = m.framework_of_pid.get(record.sender)
        if not said and (owned is None or owned == info.id):
            self.violated(f"{record.sender} subscribes, and is not answered", record.sender)
        answered = any(isinstance(each.message, FrameworkRegistered | FrameworkReregistered) for each in said)
        framework = m.frameworks.get(owned)
        if answered and (framework is None or framework.pid != record.sender or not framework.active):
            self.violated(f"{record.sender} is told that it is subscribed, and is not", record.sender)


class RemovedEverywhere(Checker):
    """An agent may have of a framework what the leader does not know (core.md FW-36)."""

    name = "removed_everywhere"
    statement = "Every registered agent is told of the end of a framework."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with none removed."""
        self._removed: dict[tuple[Any, FrameworkId], None] = {}

    @hears(ActorRole.MASTER, Teardown, TeardownFrameworkCall)
    def torn_down(self, record: Record, core: Any) -> None:
        """Somebody ends a framework."""
        self._check(record, core, record.event.framework_id)

    @hears(ActorRole.MASTER, TimerFired)
    def timed_out(self, record: Record, core: Any) -> None:
        """Nobody came for it."""
        if type(record.event.key) is FailoverTimeout:
            self._check(record, core, record.event.key.framework_id)

    def _check(self, record: Record, core: Any, framework_id: FrameworkId) -> None:
        m = core.state
        removed = m.completed_frameworks.get(framework_id)
        if removed is None or removed.unregistered_at != record.time or not self.watch.leads(core):
            return
        if (core, framework_id) in self._removed:
            return  # it was asked for twice
        self._removed[core, framework_id] = None
        told = [to for to, each in said(record, ShutdownFramework) if each.framework_id == framework_id]
        missed = [agent.pid for agent in m.agents.values() if agent.pid not in told]
        if missed:
            self.violated(f"{framework_id} has ended, and {', '.join(missed)} is not told", framework_id)
