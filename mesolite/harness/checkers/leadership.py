"""Leaders: one per term, and when all is mended, one with whom everybody is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.agent.state import Phase
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, hears
from mesolite.harness.checkers.models import machine_of
from mesolite.messages.ids import ExecutorId, FrameworkId
from mesolite.messages.registrar import RegistryRecovered
from mesolite.messages.relayed import RunTask

GUARDS = (
    "pending_writes", "registering", "ending_drains", "starting_reclaims", "ending_reclaims", "maintenance_calls",
)  # fmt: skip
"""What a leader is just having written."""


class OneLeaderPerTerm(Checker):
    """Terms are given out once (core.md EL-35)."""

    name = "one_leader_per_term"
    statement = "Nobody leads in a term in which somebody else led, nor in an earlier one than somebody before."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with no leader."""
        self._terms: dict[int, Any] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A master has read the registry, and leads."""
        if not core.state.leading:
            return
        term = core.state.info.term
        if self._terms.get(term, core) is not core:
            self.violated(f"{record.actor} leads in term {term}, in which somebody else did", record.actor)
        if term < max(self._terms, default=0):
            self.violated(f"{record.actor} leads in term {term} after term {max(self._terms)}", record.actor)
        self._terms[term] = core


class EverybodyIsRegistered(Checker):
    """Nobody is left waiting."""

    name = "everybody_is_registered"
    statement = "Once all is mended there is a leader, every running agent is registered, and no write is awaited."

    def calm(self) -> Iterator[Finding]:
        """Compare the leader's books with who is there."""
        m = self.watch.leader()
        if m is None:
            yield "nobody leads", ()
            return
        for context, core in self.watch.reader.all_of(ActorRole.AGENT):
            state = core.state
            known = m.agents.get(state.id)
            if state.phase is Phase.TERMINATING:
                yield f"{context.name} ({state.id}) is still on its way out", (state.id, context.name)
            elif known is None or not known.connected or state.phase is not Phase.RUNNING:
                yield f"{context.name} ({state.id}) runs and is not registered", (state.id, context.name)
        for guard in GUARDS:
            if in_flight := getattr(m, guard):
                yield f"a registry write never came back: {guard} is {in_flight}", ()
        if m.recovered:
            yield f"{list(m.recovered)} neither came back nor were given up", tuple(m.recovered)
        for agent in m.agents.values():
            if machine_of(agent) in self.watch.decided.down:
                yield f"{agent.id} is registered, and its machine is down", (agent.id,)


class LivingTasksAreKnown(Checker):
    """What lives counts."""

    name = "living_tasks_are_known"
    statement = "Once all is mended the leader knows every task that lives on a registered agent, or has said its end."

    def calm(self) -> Iterator[Finding]:
        """Compare the leader's books with what lives."""
        m = self.watch.leader()
        if m is None:
            return
        frameworks = m.frameworks.values()
        over = [task_id for each in frameworks for task_id in (*each.completed_tasks, *each.strays)]
        for agent in m.agents.values():
            known = [*over, *(task_id for _, task_id in agent.tasks)]
            for task_id in self.watch.life.alive_on(agent.pid) if agent.connected else ():
                if task_id not in known:
                    yield f"{task_id} lives on {agent.id} ({agent.pid}), and the leader does not know it", (task_id,)


class ExecutorsAccountedFor(Checker):
    """Resources of executors are held as long as these live."""

    name = "executors_accounted_for"
    statement = "Once all is mended the leader counts the executors that live, and no others."

    def __init__(self) -> None:
        """Start with every launch known."""
        self._uncounted: dict[tuple[str, FrameworkId, ExecutorId], None] = {}

    @hears(ActorRole.AGENT, RunTask)
    def launched(self, record: Record, core: Any) -> None:
        """A launch that was on its way while its agent was given up and came back runs without being counted, and so
        does its executor, as in Mesos; later tasks of it are.
        """
        m, task = self.watch.leader(), record.event.task
        if m is None or task.executor is None:
            return
        framework = m.frameworks.get(record.event.framework_id)
        if framework is None or task.task_id not in framework.tasks:
            self._uncounted[record.actor, record.event.framework_id, task.executor.executor_id] = None

    def calm(self) -> Iterator[Finding]:
        """Compare the leader's books with the agents'."""
        m = self.watch.leader()
        for agent in m.agents.values() if m is not None else ():
            core = self.watch.reader.core(agent.pid)
            if core is None:
                continue
            living = {
                (framework.id, executor.id)
                for framework in core.state.frameworks.values()
                for executor in framework.executors.values()
                if executor.info is not None and executor.phase.name in ("REGISTERING", "RUNNING")
            }
            differ = living ^ agent.executors.keys()
            differ = {each for each in differ if (agent.pid, *each) not in self._uncounted}
            if differ:
                text = f"on {agent.id} ({agent.pid}) live {sorted(living)}, and the master counts "
                yield text + f"{list(agent.executors)}", (agent.id, agent.pid)
