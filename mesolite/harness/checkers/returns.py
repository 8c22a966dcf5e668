"""Agents that come back: what they are told, in which order, and what frameworks hear of it."""

from __future__ import annotations

from typing import Any

from mesolite.actors.trace import Record
from mesolite.harness.checkers.answers import Judge
from mesolite.harness.checkers.checker import ActorRole, hears, said, says
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    DrainAgent,
    RegisterAgent,
    ReregisterAgent,
    UpdateFramework,
)
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.registrar import MarkAgentReachable, OperationApplied
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.tasks import Reason


class ReturnsAreAnnounced(Judge):
    """A task that was out of reach is heard of again when it is back, and no other (drain.md 1.3.6, 1.3.8, 4.6.4)."""

    name = "returns_are_announced"
    statement = "When an unreachable agent is back, and only then, connected frameworks are told of their tasks there."

    @hears(ActorRole.MASTER, OperationApplied)
    def returned(self, record: Record, core: Any) -> None:
        """An agent is reachable again: whatever it has in memory now it has reported."""
        m = core.state
        if type(record.event.operation) is not MarkAgentReachable or self.applied(record, core) is None:
            return
        agent = m.agents.get(record.event.operation.agent.id)
        told = {(each.framework_id, each.status.task_id): None for _, each in said(record, StatusUpdate)}
        for framework_id, task_id in agent.tasks if agent is not None else ():
            if m.frameworks[framework_id].connected and (framework_id, task_id) not in told:
                self.violated(f"{task_id} is back with {agent.id}, and {framework_id} is not told", task_id)

    @hears(ActorRole.MASTER, ReregisterAgent)
    def known(self, record: Record, core: Any) -> None:
        """An agent that comes back without a write was never out of reach."""
        for _, message in said(record, StatusUpdate):
            if message.status.reason is Reason.REASON_AGENT_REREGISTERED:
                text = f"{message.status.task_id} is announced, and {record.sender} was not out of reach"
                self.violated(text, message.status.task_id)


class SchedulersAreSaidAtReturn(Judge):
    """An agent knows where to send what concerns a framework (drain.md 1.3.5 step 8, core.md FW-23)."""

    name = "schedulers_are_said_at_return"
    statement = "An agent that returns is told where the schedulers of its frameworks are."

    def __init__(self) -> None:
        """Start with nobody on the way back."""
        self._brings: dict[tuple[Any, str], tuple[FrameworkId | None, ...]] = {}

    @hears(ActorRole.MASTER, ReregisterAgent)
    def comes(self, record: Record, core: Any) -> None:
        """An agent says what it has; what it said last counts."""
        self._brings[core, record.sender] = tuple(info.id for info in record.event.frameworks)

    @hears(ActorRole.MASTER, RegisterAgent)
    def begins(self, record: Record, core: Any) -> None:
        """An agent begins anew: whatever it is told now, it brings nothing."""
        self._brings.pop((core, record.sender), None)

    @says(ActorRole.MASTER, AgentReregistered)
    def answered(self, record: Record, core: Any, message: AgentReregistered, to: str) -> None:
        """It is answered."""
        m, brings = core.state, self._brings.pop((core, to), ())
        told = [each.framework_info.id for actor, each in said(record, UpdateFramework) if actor == to]
        for framework_id in brings:
            framework = m.frameworks.get(framework_id)
            if framework is not None and framework.pid is not None and framework_id not in told:
                self.violated(f"{to} is back, and is not told where the scheduler of {framework_id} is", to)


class DrainsAreSaidBeforeReplies(Judge):
    """An agent that drains takes no task in between (drain.md 1.3.8 step 4)."""

    name = "drains_are_said_before_replies"
    statement = "An agent that was away is told to drain before it is told that it is registered."

    def __init__(self) -> None:
        """Start with nobody answered."""
        self._answered: dict[tuple[Any, AgentId], float] = {}

    @says(ActorRole.MASTER, AgentReregistered)
    def answered(self, record: Record, core: Any, message: AgentReregistered, to: str) -> None:
        """It is answered: what comes after that?"""
        agent = core.state.agents.get(message.agent_id)
        if agent is None or agent.registered_at != record.time:
            return  # one that was known all the time is told after it
        if self._answered.get((core, message.agent_id)) == record.time:
            return  # it was known when it came a second time
        self._answered[core, message.agent_id] = record.time
        kinds = [type(each) for actor, each in said(record, AgentReregistered, DrainAgent) if actor == to]
        if kinds[-1] is DrainAgent:
            self.violated(f"{message.agent_id} is told to drain after it was told that it is registered", to)


class RepeatedRegistrationsAreAsked(Judge):
    """What was launched while an agent did not know its id it has not taken (drain.md 1.2.3, core.md RC-23)."""

    name = "repeated_registrations_are_asked"
    statement = "An agent that registers anew, and has tasks in the leader's books, is asked about them."

    @hears(ActorRole.MASTER, RegisterAgent)
    def repeated(self, record: Record, core: Any) -> None:
        """An agent registers."""
        for to, message in said(record, AgentRegistered):
            agent = core.state.agents.get(message.agent_id)
            asked = [each for actor, each in said(record, AgentReregistered) if actor == to]
            if agent is not None and agent.tasks and not asked and self.watch.leads(core):
                self.violated(f"{message.agent_id} registers again, and is not asked about its tasks", to)
