"""Drains: what their end means, that they come to one, and that graces are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.agent.state import ExecutorPhase
from mesolite.actors.decisions.contract import Loaded, StoreRefused
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, afterwards, hears, says
from mesolite.messages.agent import DrainAgent
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.ids import AgentId, DrainId, TaskId
from mesolite.messages.registrar import (
    ApplyOperation,
    DeactivateAgent,
    EndDrain,
    MarkAgentGone,
    OperationApplied,
    PruneAgents,
    ReactivateAgent,
    RegistryRecovered,
    RemoveAgent,
    StartDrain,
)
from mesolite.messages.relayed import KillTask, RunTask

REMINDED_INTERVALS = 2.0
"""A reminder comes with the ping after the one that is due; later it is late."""

MARGIN_S = 5.0
"""For what is not counted one by one: escalating, reporting, a second look."""


def _ended(core: Any, message: ApplyOperation) -> DrainInfo | None:
    """The drain that a master wants recorded as having come to its own end."""
    operation = message.operation
    drain = operation.drain if isinstance(operation, EndDrain | MarkAgentGone) else None
    return drain if drain is not None and drain.state in (DrainState.DRAINED, DrainState.GONE) else None


class NothingAliveWhenDrained(Checker):
    """A drain ends when all is over."""

    name = "nothing_alive_when_drained"
    statement = "Nothing is alive on an agent whose drain has ended."

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """The end of a drain is to be recorded."""
        drain = _ended(core, message)
        if drain is None or not self.watch.leads(core):
            return
        agent = core.state.agents.get(drain.agent_id)
        if agent is None:
            self.violated(f"{drain.id} ended, but {drain.agent_id} is not there", drain.agent_id)
            return
        for task_id in self.watch.life.alive_on(agent.pid):
            text = f"{drain.id} of {drain.agent_id} ended {drain.state} while {task_id} was alive on {agent.pid}"
            self.violated(text, task_id, drain.agent_id)


class AllAcknowledgedWhenDrained(Checker):
    """A drain ends when all is said."""

    name = "all_acknowledged_when_drained"
    statement = "No last update is unacknowledged on an agent whose drain has ended."

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """The end of a drain is to be recorded."""
        drain = _ended(core, message)
        agent = core.state.agents.get(drain.agent_id) if drain is not None else None
        there = self.watch.reader.core(agent.pid) if agent is not None else None
        if drain is None or there is None or not self.watch.leads(core):
            return
        for task_id in [key[1] for key, stream in there.state.streams.items() if stream.updates]:
            text = f"{drain.id} of {drain.agent_id} ended {drain.state} before the end of {task_id} was acknowledged"
            self.violated(text, task_id, drain.agent_id)


class DrainsEnd(Checker):
    """What was begun has an end, and it is known."""

    name = "drains_end"
    statement = "A drain that began ends as DRAINED, GONE or LEFT, and is not dropped without that."

    def __init__(self) -> None:
        """Start with no drain."""
        self._open: dict[AgentId, DrainInfo] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader goes on with those that are under way."""
        if self.watch.leads(core):
            known = [each.drain for each in record.event.registry.deactivated]
            drains = [drain for drain in known if drain is not None and drain.state is DrainState.DRAINING]
            self._open = {drain.agent_id: drain for drain in drains}

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """Something was recorded of an agent."""
        if not self.watch.leads(core):
            return
        match record.event.operation:
            case StartDrain(drain=drain):
                self._look(drain.agent_id, drain.id)
                self._open[drain.agent_id] = drain
            case EndDrain(drain=drain):
                self._end(drain.agent_id, drain)
            case RemoveAgent(agent_id=agent_id, drain=drain) | MarkAgentGone(agent_id=agent_id, drain=drain):
                self._end(agent_id, drain)
            case PruneAgents(unreachable=unreachable, drains=drains):
                ended = {drain.agent_id: drain for drain in drains}
                for agent_id in unreachable:
                    self._end(agent_id, ended.get(agent_id))
            case ReactivateAgent(agent_id=agent_id) | DeactivateAgent(agent_id=agent_id):
                self._end(agent_id, None)

    def _look(self, agent_id: AgentId, successor: DrainId) -> None:
        known = self._open.get(agent_id)
        if known is not None and known.id != successor:
            self.violated(f"{known.id} of {agent_id} is forgotten for {successor}", agent_id)

    def _end(self, agent_id: AgentId, drain: DrainInfo | None) -> None:
        known = self._open.pop(agent_id, None)
        if known is None:
            return
        if drain is None or drain.id != known.id or drain.state is DrainState.DRAINING or drain.ended_at is None:
            self.violated(f"{known.id} of {agent_id} is dropped without an end: there is {drain}", agent_id)
        elif known.config.mark_gone and drain.state is DrainState.DRAINED:
            self.violated(f"{known.id} of {agent_id} was to mark it gone, and has left it drained", agent_id)

    def calm(self) -> Iterator[Finding]:
        """Look for those that have not ended, and for what is alive all the same."""
        m, life = self.watch.leader(), self.watch.life
        for agent_id, drain in m.deactivated.items() if m is not None else ():
            agent = m.agents.get(agent_id)
            if drain is None or agent is None:
                continue
            if drain.state is DrainState.DRAINING:
                if not life.alive_on(agent.pid) and any(not _awaited(m, task) for task in agent.tasks.values()):
                    continue  # ends that nobody acknowledges, until the scheduler is back or its time-out has passed
                left = [task.task_id for task in agent.tasks.values()]
                text = f"{drain.id} of {agent_id} ({agent.pid}) has not ended; the master knows of {left}, alive are "
                text += f"{life.alive_on(agent.pid)}"
                yield text, (agent_id, *left[:2])
            elif alive := life.alive_on(agent.pid):
                text = f"{drain.id} of {agent_id} is {drain.state}, and {alive} are alive on {agent.pid}"
                yield text, (agent_id, *alive[:2])
        known = m.past_drains if m is not None else {}
        for agent_id, drain in self._open.items():
            if drain.id not in known and m is not None and agent_id not in m.deactivated:
                yield f"{drain.id} of {agent_id} began, and nobody knows what became of it", (agent_id,)


def _awaited(m: Any, task: Any) -> bool:
    """Whether somebody is there to acknowledge its end."""
    framework = m.frameworks.get(task.framework_id)
    return framework is not None and framework.connected


class DrainsAreAskedAgain(Checker):
    """An agent that has not confirmed a drain may not have heard of it (ours, beside drain.md 4.6.1)."""

    name = "drains_are_asked_again"
    statement = "A connected agent that has not confirmed its drain is told to drain again, about as often as pinged."

    def __init__(self) -> None:
        """Start with nobody told."""
        self._told_at: dict[tuple[int, str], float] = {}

    @says(ActorRole.MASTER, DrainAgent)
    def told(self, record: Record, core: Any, message: DrainAgent, to: str) -> None:
        """An agent is told."""
        self._told_at[core.state.term, to] = record.time

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for those that nobody has told for long."""
        m = self.watch.leader() if self.watch.decided.deactivated else None
        if m is None:
            return
        for agent_id, drain in m.deactivated.items():
            agent = m.agents.get(agent_id)
            if agent is None or drain is None or drain.state is not DrainState.DRAINING:
                continue
            if agent.drained or not agent.connected:
                continue
            told_at = max(self._told_at.get((m.term, agent.pid), 0.0), agent.registered_at, self.watch.quiet_from)
            if now > told_at + REMINDED_INTERVALS * m.settings.agent_ping_timeout_s + MARGIN_S:
                yield f"{drain.id} goes on, and {agent.pid} was told so last at {told_at:.3f} s", (agent_id,)


class OldestDrainsAreForgotten(Checker):
    """What was is remembered, the newest longest (drain.md 4.6.8)."""

    name = "oldest_drains_are_forgotten"
    statement = "Of the drains that are past, the oldest are forgotten first."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """Something ends, and with it the memory of others."""
        operation, past = message.operation, core.state.past_drains
        if not isinstance(operation, EndDrain | RemoveAgent | MarkAgentGone | PruneAgents) or not operation.forget:
            return
        kept = [drain for drain_id, drain in past.items() if drain_id not in operation.forget]
        oldest = min(kept, key=lambda drain: drain.ended_at, default=None)
        for drain in [past[drain_id] for drain_id in operation.forget if drain_id in past]:
            if oldest is not None and drain.ended_at > oldest.ended_at:
                text = f"{drain.id}, of {drain.ended_at:.3f} s, is forgotten, and {oldest.id} is not, "
                self.violated(text + f"of {oldest.ended_at:.3f} s", drain.id, oldest.id)


class GracesAreKept(Checker):
    """An operator's grace is the longest (drain.md 4.4.5)."""

    name = "graces_are_kept"
    statement = "Nothing outlives the longest grace of a drain by more than its executor's own and a margin."
    assumes = frozenset(Assumption)

    def __init__(self) -> None:
        """Start with no executor."""
        self._executor_grace_s = 0.0

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """An executor may want longer to shut down than others."""
        executor = message.task.executor
        grace_s = executor.shutdown_grace_period_s if executor is not None else None
        self._executor_grace_s = max(self._executor_grace_s, grace_s or 0.0)

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for what lives too long."""
        watch = self.watch
        m = watch.leader() if watch.decided.deactivated else None
        if m is None:
            return
        for agent_id, drain in m.deactivated.items():
            agent = m.agents.get(agent_id)
            grace_s = drain.config.max_grace_period_s if drain is not None else None
            if agent is None or grace_s is None or drain.ended_at is not None or agent.drain_told_at is None:
                continue
            told_at = max(agent.drain_told_at, watch.decided.drained_at.get(agent_id, 0.0), watch.quiet_from)
            margin_s = MARGIN_S + self._executor_grace_s + 4 * watch.sim.latency_s[1]
            if agent.connected and now > told_at + grace_s + margin_s:
                for task_id in watch.life.alive_on(agent.pid):
                    text = f"{drain.id} of {agent_id} gave {grace_s:g} s at {told_at:.3f} s, and {task_id} lives"
                    yield text, (task_id, agent_id)


class NewWishesKillAgain(Checker):
    """Who is drained in another way is killed in that way (drain.md 4.3.7)."""

    name = "new_wishes_kill_again"
    statement = "An agent that is told to drain otherwise than before passes that on to all that it has handed over."

    def __init__(self) -> None:
        """Start with nobody told."""
        self._told: dict[Any, DrainConfig] = {}
        self._awaited: dict[Any, dict[tuple[str, TaskId], Any]] = {}

    @hears(ActorRole.AGENT, Loaded)
    def recovered(self, record: Record, core: Any) -> None:
        """A new life goes on with the drain that was stored (4.4.11)."""
        if core.state.drain is not None:
            self._told[core] = core.state.drain

    @hears(ActorRole.AGENT, DrainAgent)
    def told(self, record: Record, core: Any) -> None:
        """An agent is told to drain."""
        a, config = core.state, record.event.config
        if record.sender != a.leader or a.drain != config or self._told.get(core) == config:
            return
        self._told[core] = config
        self._awaited[core] = {
            (executor.pid, task.info.task_id): task
            for framework in a.frameworks.values()
            if not framework.terminating
            for executor in framework.executors.values()
            if executor.phase is ExecutorPhase.RUNNING
            for task in executor.live_tasks
            if task.delivered
        }

    @hears(ActorRole.AGENT, StoreRefused)
    def ends(self, record: Record, core: Any) -> None:
        """It cannot write that, so it ends, and says nothing."""
        self._awaited.pop(core, None)

    @says(ActorRole.AGENT, KillTask)
    def kills(self, record: Record, core: Any, message: KillTask, to: str) -> None:
        """It passes it on."""
        self._awaited.get(core, {}).pop((to, message.task_id), None)

    @afterwards(ActorRole.AGENT)
    def handled(self, record: Record, core: Any) -> None:
        """What it had to write first is written."""
        if core in self._awaited and not core.state.writes.in_flight and not core.state.writes.changes:
            for (executor, task_id), task in self._awaited.pop(core).items():
                if not task.state.is_terminal:
                    text = f"{record.actor} is to drain otherwise, and does not tell {executor} to kill {task_id}"
                    self.violated(text, task_id, record.actor)
