"""Agents that are silent or away are given up when it is time: not earlier, not later, not too many at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.decisions.master.membership.ping_batches import MOMENTS_PER_INTERVAL
from mesolite.actors.decisions.master.membership.removal_limiter import Absence
from mesolite.actors.decisions.master.membership.table import Change
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, hears, said, says
from mesolite.harness.checkers.models import EARLY_S
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    PingAgent,
    PongAgent,
    ReregisterAgent,
    ShutdownAgent,
    UnregisterAgent,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import (
    AdmitAgent,
    ApplyOperation,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    OperationApplied,
    PruneAgents,
    RegistryRecovered,
    RemoveAgent,
)
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.scheduler import AgentLost


class GivenUpInTime(Checker):
    """From silence to unreachable it takes the pings it should (drain.md 1.4.2, 1.5.3, 1.7.3)."""

    name = "given_up_in_time"
    statement = (
        "An agent is given up when it has left so many pings in a row unanswered, or has not come back for so long, "
        "not earlier, and for its pings not later."
    )
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with nobody silent."""
        self._silent: dict[str, float] = {}
        self._unanswered: dict[str, int] = {}
        self._away: dict[str, float] = {}
        self._given_up_at = float("-inf")

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader has pinged nobody yet."""
        if self.watch.leads(core):
            self._silent.clear()
            self._unanswered.clear()
            self._away.clear()
            self._given_up_at = float("-inf")

    @says(ActorRole.MASTER, PingAgent)
    def pinged(self, record: Record, core: Any, message: PingAgent, to: str) -> None:
        """A ping; the first that stays unanswered counts. Whoever was silent too long should have been given up."""
        if not self.watch.leads(core):
            return  # of a leader that has not heard yet that it is none any more
        since = self._silent.setdefault(to, record.time)
        count = self._unanswered[to] = self._unanswered.get(to, 0) + 1
        if count > core.state.settings.max_agent_ping_timeouts:
            m = core.state
            agent_id = m.agent_of_pid.get(to)
            waits = (Absence.UNHEALTHY, agent_id) in m.removals
            if agent_id is not None and not waits and m.membership.may_begin(agent_id, Change.MARK_UNREACHABLE):
                self.violated(f"{to} has not answered since {since:.3f} s, and is not given up", agent_id, to)

    @hears(ActorRole.MASTER, PongAgent)
    def answered(self, record: Record, core: Any) -> None:
        """Any pong that the leader hears counts."""
        if self.watch.leads(core):
            self._silent.pop(record.sender, None)
            self._unanswered.pop(record.sender, None)

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def parted(self, record: Record, core: Any) -> None:
        """An agent is away from now on."""
        if self.watch.leads(core):
            self._away[record.event.name] = record.time

    @says(ActorRole.MASTER, AgentRegistered, AgentReregistered)
    def came(self, record: Record, core: Any, message: Any, to: str) -> None:
        """An agent is back."""
        if self.watch.leads(core):
            self._away.pop(to, None)

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """Who is not in the books is not pinged: if it comes back, it begins anew."""
        operation = record.event.operation
        # A master that was paused and is deposed may yet hear of what it had written.
        if self.watch.leads(core) and isinstance(operation, RemoveAgent | MarkAgentGone | MarkAgentUnreachable):
            for actor in [actor for actor in self._silent if actor not in core.state.agent_of_pid]:
                del self._silent[actor], self._unanswered[actor]

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """An agent is given up."""
        if not isinstance(message.operation, MarkAgentUnreachable) or not self.watch.leads(core):
            return
        m, now, settings = core.state, record.time, core.state.settings
        agent_id = message.operation.agent_id
        if now - self._given_up_at < settings.agent_removal_interval_s - EARLY_S:
            self.violated(f"{agent_id} is given up {now - self._given_up_at:.3f} s after another", agent_id)
        self._given_up_at = now
        agent = m.agents.get(agent_id)
        back_s = settings.agent_reregister_timeout_s - EARLY_S
        if agent is None:
            if now - m.leading_since < back_s:
                self.violated(f"{agent_id} had {now - m.leading_since:.3f} s to come back to a new leader", agent_id)
            return
        moment_s = settings.agent_ping_timeout_s / MOMENTS_PER_INTERVAL
        silent_s = now - self._silent.get(agent.pid, now)
        enough = self._unanswered.get(agent.pid, 0) >= settings.max_agent_ping_timeouts
        silent = enough and silent_s >= settings.total_ping_timeout_s - moment_s - EARLY_S
        away_s = 0.0 if agent.connected else now - self._away.get(agent.pid, m.leading_since)
        watched = now - self.watch.began_at > settings.silence_noticed_s or not self.watch.is_late
        if not silent and away_s < back_s and watched:
            text = f"{agent_id} is given up: silent for {silent_s:.3f} s, away for {away_s:.3f} s"
            self.violated(text, agent_id, agent.pid)


class GoneStaysGone(Checker):
    """An id that an operator gave up is refused (drain.md 1.3.2), until it is so old that nobody knows it (1.9)."""

    name = "gone_stays_gone"
    statement = (
        "An id that was marked gone is not admitted again, as long as the registry knows that it is gone; no other is "
        "told that it is gone."
    )

    def __init__(self) -> None:
        """Start with nobody gone."""
        self._gone: dict[AgentId, float] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """Old ones may have been pruned, and the leader that wanted it has gone before it heard so."""
        known = [each.agent_id for each in record.event.registry.gone]
        old = record.time - core.state.settings.registry_max_agent_age_s
        for agent_id in [each for each, at in self._gone.items() if each not in known and at <= old]:
            del self._gone[agent_id]

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """An agent was marked gone, or is admitted."""
        if not self.watch.leads(core):
            return
        match record.event.operation:
            case MarkAgentGone(agent_id=agent_id, gone_time=gone_time):
                self._gone[agent_id] = gone_time
            case PruneAgents(gone=gone):
                for agent_id in gone:
                    self._gone.pop(agent_id, None)

    @says(ActorRole.MASTER, AgentRegistered, AgentReregistered)
    def came(self, record: Record, core: Any, message: Any, to: str) -> None:
        """An agent is told that it is registered."""
        if message.agent_id in self._gone and self.watch.leads(core):
            self.violated(f"{to} is registered as {message.agent_id}, which is gone", message.agent_id, to)

    @says(ActorRole.MASTER, ShutdownAgent)
    def sent_away(self, record: Record, core: Any, message: ShutdownAgent, to: str) -> None:
        """An agent is told that it is gone: it forgets its id then."""
        event = record.event
        refused = message.gone and isinstance(event, ReregisterAgent) and self.watch.leads(core)
        if refused and event.agent.id not in self.watch.decided.gone:
            self.violated(f"{to} is told that {event.agent.id} is gone, and it is not", event.agent.id, to)

    def calm(self) -> Iterator[Finding]:
        """Nobody has such an id."""
        m = self.watch.leader()
        for agent_id in self._gone:
            if m is not None and agent_id in m.agents:
                yield f"{agent_id} is registered, and gone", (agent_id,)


class UnregisteredAreRemoved(Checker):
    """Who says that it leaves is not waited for (drain.md 2.3.1)."""

    name = "unregistered_are_removed"
    statement = (
        "An agent that unregisters is removed at once, and every connected framework hears of each agent that is "
        "removed or given up."
    )

    def __init__(self) -> None:
        """Start with nobody there."""
        self._there: dict[AgentId, None] = {}
        self._met: dict[AgentId, None] = {}

    def catch_up(self) -> None:
        """Who is admitted is there."""
        self._there = dict.fromkeys(self.watch.decided.admitted)

    @hears(ActorRole.MASTER, UnregisterAgent)
    def unregistered(self, record: Record, core: Any) -> None:
        """An agent leaves."""
        m, agent_id = core.state, record.event.agent_id
        agent = m.agents.get(agent_id)
        if not self.watch.leads(core) or agent is None or agent.pid != record.sender:
            return
        if m.membership.may_begin(agent_id, Change.REMOVE):
            self.violated(f"{record.sender} unregisters {agent_id}, and is kept", agent_id, record.sender)

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """Whoever is admitted may come back."""
        if self.watch.leads(core):
            self._there, self._met = dict.fromkeys(self.watch.decided.admitted), {}

    @says(ActorRole.MASTER, AgentRegistered, AgentReregistered)
    def came(self, record: Record, core: Any, message: Any, to: str) -> None:
        """An agent is registered with this leader."""
        self._met[message.agent_id] = None

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """An agent has come, or has left: is that said? Not of one that was marked gone before it had come back."""
        if not self.watch.leads(core):
            return
        operation = record.event.operation
        if isinstance(operation, AdmitAgent | MarkAgentReachable) and operation.agent.id is not None:
            self._there[operation.agent.id] = None
        if not isinstance(operation, RemoveAgent | MarkAgentUnreachable | MarkAgentGone):
            return
        agent_id = operation.agent_id
        was_there = agent_id in self._there
        self._there.pop(agent_id, None)
        if not was_there or (isinstance(operation, MarkAgentGone) and agent_id not in self._met):
            return
        told = [to for to, message in said(record, AgentLost) if message.agent_id == agent_id]
        for framework in core.state.frameworks.values():
            if framework.connected and framework.pid not in told:
                self.violated(f"{framework.pid} is not told that {agent_id} is lost", agent_id, framework.id)


class LostWithTheirAgent(Checker):
    """What is not checkpointed does not survive its agent's process (drain.md 1.5.2)."""

    name = "lost_with_their_agent"
    statement = "When an agent's process ends, the tasks there of frameworks that do not checkpoint are lost at once."

    @hears(ActorRole.MASTER, PeerExited)
    def parted(self, record: Record, core: Any) -> None:
        """An agent is away."""
        m = core.state
        agent = m.agents.get(m.agent_of_pid.get(record.event.name))
        if agent is None or not self.watch.leads(core):
            return
        for framework_id, what in (*agent.tasks, *agent.executors):
            if not m.frameworks[framework_id].info.checkpoint:
                self.violated(f"{what} is still counted on {agent.id}, whose process has ended", what, agent.id)


class PrunedWhenOld(Checker):
    """The registry forgets what is old, and nothing else (drain.md 1.9.1)."""

    name = "pruned_when_old"
    statement = "An absent agent is forgotten when it is too old, or one of too many."

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """Agents are to be forgotten."""
        if not isinstance(message.operation, PruneAgents) or not self.watch.leads(core):
            return
        settings, decided = core.state.settings, self.watch.decided
        for agent_ids, absent in (
            (message.operation.unreachable, decided.unreachable),
            (message.operation.gone, decided.gone),
        ):
            for agent_id in agent_ids if len(absent) <= settings.registry_max_agent_count else ():
                age_s = record.time - absent.get(agent_id, record.time)
                if age_s < settings.registry_max_agent_age_s - EARLY_S:
                    self.violated(f"{agent_id} is forgotten when it is absent for {age_s:.3f} s", agent_id)


class UnreachableTimesAreTrue(Checker):
    """Whoever compares times needs the one that is recorded (drain.md 1.6.3)."""

    name = "unreachable_times_are_true"
    statement = "Since when an agent is unreachable is told as the registry has it."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.MASTER, StatusUpdate)
    def told(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """A framework is told of a task that is out of reach."""
        since, agent_id = message.status.unreachable_time, message.status.agent_id
        recorded = self.watch.decided.unreachable.get(agent_id) if agent_id is not None else None
        if since is not None and recorded is not None and since != recorded and self.watch.leads(core):
            text = f"{to} is told that {agent_id} is unreachable since {since:.3f} s, and {recorded:.3f} s is recorded"
            self.violated(text, message.status.task_id, agent_id)


class PingsAreAnswered(Checker):
    """Whoever lives says so, whatever it does (drain.md 1.4.4, 2.1.5)."""

    name = "pings_are_answered"
    statement = "An agent answers every ping."
    assumes = frozenset({Assumption.HONEST})

    @hears(ActorRole.AGENT, PingAgent)
    def pinged(self, record: Record, core: Any) -> None:
        """An agent is pinged; while it writes, its answer waits."""
        if not any(said(record, PongAgent)) and not core.state.writes.in_flight:
            self.violated(f"{record.actor} does not answer a ping of {record.sender}", record.actor)
