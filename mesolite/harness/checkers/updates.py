"""Status updates of agents: stored before they are said, said until they are acknowledged, popped by their own uuid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define

from mesolite.actors.decisions.agent.state import Phase
from mesolite.actors.decisions.agent.timers import UpdateRetry
from mesolite.actors.decisions.contract import Saved, SetTimer
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import (
    ActorRole,
    Assumption,
    Checker,
    Finding,
    afterwards,
    hears,
    says,
)
from mesolite.messages.agent import AgentRegistered, AgentReregistered
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.messages.relayed import RunTask, StatusUpdate, StatusUpdateAcknowledgement

MARGIN_S = 2.0
"""For what is not counted: a disk that takes its time, a look that comes later."""

Key = tuple[FrameworkId, TaskId]


class StoredBeforeSaid(Checker):
    """What is said is stored (core.md AG-1, TK-9)."""

    name = "stored_before_said"
    statement = "An agent says nothing of a checkpointed task, and hands none over, that it has not stored."

    def __init__(self) -> None:
        """Start with nothing acknowledged."""
        self._acknowledged: dict[str, None] = {}
        self._stored: dict[str, None] = {}

    @hears(ActorRole.AGENT, StatusUpdateAcknowledgement)
    def acknowledged(self, record: Record, core: Any) -> None:
        """What is acknowledged is stored no more, and may be said once more meanwhile."""
        self._acknowledged[record.event.uuid] = None
        self._stored.pop(record.event.uuid, None)

    @says(ActorRole.AGENT, StatusUpdate)
    def said(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An agent reports."""
        framework = core.state.frameworks.get(message.framework_id)
        if framework is None or not framework.info.checkpoint or framework.terminating:
            return
        status = message.status
        if status.uuid is None or status.uuid in self._acknowledged or status.uuid in self._stored:
            return
        stream = core.state.streams.get((message.framework_id, status.task_id))
        numbers = range(stream.first, stream.first + len(stream.updates)) if stream is not None else ()
        keys = [f"update/{message.framework_id}/{status.task_id}/{number:06}" for number in numbers]
        stored = self.watch.sim.runtime.store.look(record.actor, keys).values()
        if not any(each.status.uuid == status.uuid for each in stored):
            self.violated(f"{record.actor} says {status.state} of {status.task_id}", status.task_id, record.actor)
        self._stored[status.uuid] = None

    @says(ActorRole.AGENT, RunTask)
    def handed_over(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """An executor gets a task: whoever recovers must know that it may have begun."""
        framework = core.state.frameworks.get(message.framework_id)
        task_id = message.task.task_id
        if framework is None or not framework.info.checkpoint or framework.terminating:
            return
        if core.state.find_task(framework, task_id) is None:
            return  # it has ended meanwhile
        key = f"task/{message.framework_id}/{task_id}"
        stored = self.watch.sim.runtime.store.look(record.actor, [key]).get(key)
        if stored is None or not stored.delivered:
            self.violated(f"{record.actor} hands {task_id} to {to}, and has not stored that", task_id, record.actor)


class LatestStateIsSaid(Checker):
    """Resources are free as soon as the agent knows (core.md TK-25, TK-26)."""

    name = "latest_state_is_said"
    statement = "Beside an update an agent says the newest state that it knows of the task."

    @says(ActorRole.AGENT, StatusUpdate)
    def said(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An agent reports. What had to wait for the disk may be older than what came meanwhile."""
        stream = core.state.streams.get((message.framework_id, message.status.task_id))
        waited = isinstance(record.event, Saved)
        if stream is None or len(stream.updates) < 2 or stream.updates[0].status.uuid != message.status.uuid or waited:
            return
        last = stream.updates[-1].status
        if message.latest_state is not last.state:
            text = f"{record.actor} says that {message.latest_state} is the latest of {last.task_id}, knowing "
            self.violated(text + f"{last.state}", last.task_id, record.actor)


class LatestStateCounts(Checker):
    """What has ended holds nothing any more (core.md TK-25, TK-26)."""

    name = "latest_state_counts"
    statement = "A leader takes a task for ended as soon as an agent says that its latest state is an end."
    assumes = frozenset({Assumption.HONEST})

    @hears(ActorRole.MASTER, StatusUpdate)
    def heard(self, record: Record, core: Any) -> None:
        """An agent reports."""
        m, event = core.state, record.event
        latest, agent = event.latest_state, m.agents.get(event.status.agent_id)
        if latest is None or not latest.is_terminal or agent is None or agent.pid != record.sender:
            return
        task = agent.tasks.get((event.framework_id, event.status.task_id))
        if task is not None and not task.state.is_terminal and self.watch.leads(core):
            text = f"{event.status.task_id} is {latest}, says {record.sender}, and {task.state} for {record.actor}"
            self.violated(text, event.status.task_id)


class UpdatesWaitForRegistration(Checker):
    """Who is not registered is not heard (drain.md 0.2.14)."""

    name = "updates_wait_for_registration"
    statement = "An agent that is not registered forwards no update."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.AGENT, StatusUpdate)
    def said(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An agent reports; what has waited for its disk it wanted to say before."""
        if core.state.phase in (Phase.RECOVERING, Phase.DISCONNECTED) and type(record.event) is not Saved:
            text = f"{record.actor} forwards {message.status.state} of {message.status.task_id}, and is not registered"
            self.violated(text, message.status.task_id, record.actor)


class IntervalsStartOver(Checker):
    """The way to the leader is new, and so is its patience (drain.md 0.2.13)."""

    name = "intervals_start_over"
    statement = "An agent that is registered says unacknowledged updates again after the shortest interval."
    assumes = frozenset({Assumption.HONEST})

    @hears(ActorRole.AGENT, AgentRegistered, AgentReregistered)
    def registered(self, record: Record, core: Any) -> None:
        """An agent is registered."""
        shortest_s = core.state.settings.status_update_retry_s
        timers = [(each.key, each.after_s) for each in record.effects if type(each) is SetTimer]
        for key, after_s in timers:
            if type(key) is UpdateRetry and after_s > shortest_s:
                text = f"{record.actor} is registered, and waits {after_s:g} s to repeat an update of {key.task_id}"
                self.violated(text, key.task_id, record.actor)


@define
class Said:
    """An update that an agent has said, how often since it was registered, and when last."""

    uuid: str | None
    times: int
    at: float


class UpdatesAreSaidAgain(Checker):
    """A scheduler may have missed it (drain.md 0.2.13, TK-12)."""

    name = "updates_are_said_again"
    statement = "An agent says what is unacknowledged at once when it is registered, and again in growing intervals."
    assumes = frozenset(Assumption)

    def __init__(self) -> None:
        """Start with nothing said."""
        self._said: dict[Any, dict[Key, Said]] = {}
        self._registered: dict[Any, float] = {}
        self._unsaid: dict[str | None, float] = {}
        self._phases: dict[Any, Phase] = {}
        self._busy: dict[Any, str] = {}

    @afterwards(ActorRole.AGENT)
    def handled(self, record: Record, core: Any) -> None:
        """Remember where an agent stands before the next event, and whether it has anything to say."""
        self._phases[core] = core.state.phase
        if core.state.streams:
            self._busy[core] = record.actor

    @hears(ActorRole.AGENT, AgentRegistered, AgentReregistered)
    def registered(self, record: Record, core: Any) -> None:
        """An agent is registered, perhaps again: intervals start over, and all heads go out, once all is stored."""
        state = core.state
        came = state.phase is Phase.RUNNING and self._phases.get(core) is Phase.DISCONNECTED
        if came and not state.writes.in_flight:
            messages = [getattr(effect, "message", None) for effect in record.effects]
            said = [each.status.uuid for each in messages if isinstance(each, StatusUpdate)]
            for (_, task_id), stream in state.streams.items():
                if stream.updates and stream.updates[0].status.uuid not in said:
                    text = f"{record.actor} is registered, and does not say {stream.updates[0].status.uuid}"
                    self.violated(f"{text} of {task_id}", task_id, record.actor)
        self._registered[core] = record.time
        for known in self._said.get(core, {}).values():
            known.times = 0

    @says(ActorRole.AGENT, StatusUpdate)
    def said(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An agent reports."""
        status = message.status
        there = self._said.setdefault(core, {})
        known = there.get((message.framework_id, status.task_id))
        times = known.times + 1 if known is not None and known.uuid == status.uuid else 0
        there[message.framework_id, status.task_id] = Said(status.uuid, times, record.time)

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for what has not been said for too long."""
        for core, name in list(self._busy.items()):
            state = core.state
            if not state.streams or self.watch.reader.core(name) is not core:
                del self._busy[core]
                continue
            if state.phase is not Phase.RUNNING:
                continue
            settings, there = state.settings, self._said.get(core, {})
            since = max(self._registered.get(core, now), self.watch.quiet_from)
            for key, stream in state.streams.items():
                said = there.get(key)
                if not stream.updates or state.frameworks[key[0]].terminating:
                    continue
                uuid = stream.updates[0].status.uuid
                if said is None or said.uuid != uuid:
                    known_at = max(self._unsaid.setdefault(uuid, now), since)
                    if now > known_at + settings.status_update_retry_s + MARGIN_S:
                        yield f"{name} has never said {uuid} of {key[1]}", (key[1], name)
                    continue
                self._unsaid.pop(uuid, None)
                wait_s = min(settings.status_update_retry_s * 2**said.times, settings.status_update_retry_max_s)
                if now > max(said.at, since) + wait_s + MARGIN_S:
                    text = f"{name} has said {uuid} of {key[1]} at {said.at:.3f} s, and not again"
                    yield text, (key[1], name)

    def calm(self) -> Iterator[Finding]:
        """Forget those that are dead; look as ever."""
        return self.overdue(self.watch.sim.now)
