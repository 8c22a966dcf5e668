"""What a master and its registrar say to each other, and what the registry holds (drain.md 0.2.4, 1.6.2, 2.3.4).

Every durable change is an operation, named in the imperative; the answer comes after it was stored.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.agents import AgentInfo
from mesolite.messages.base import Message
from mesolite.messages.ids import AgentId


@frozen(kw_only=True)
class AdmittedAgent:
    """A registry record: this agent belongs to the cluster."""

    agent: AgentInfo


@frozen(kw_only=True)
class UnreachableAgent:
    """A registry record: this agent was cut off at that time (seconds on the cluster's clock)."""

    agent_id: AgentId
    unreachable_time: float


@frozen(kw_only=True)
class Registry:
    """Everything a new leader learns from its predecessor (core.md EL-36)."""

    admitted: tuple[AdmittedAgent, ...] = ()
    unreachable: tuple[UnreachableAgent, ...] = ()


@frozen(kw_only=True)
class AdmitAgent:
    """Operation: a new agent, or new facts about an admitted one."""

    agent: AgentInfo


@frozen(kw_only=True)
class RemoveAgent:
    """Operation: the agent is deleted outright; it goes to no other list (2.3.4)."""

    agent_id: AgentId


@frozen(kw_only=True)
class MarkAgentUnreachable:
    """Operation: from admitted to unreachable, with a timestamp (1.6.2)."""

    agent_id: AgentId
    unreachable_time: float


@frozen(kw_only=True)
class MarkAgentReachable:
    """Operation: admitted (again), whether it was unreachable or unknown (1.3.7)."""

    agent: AgentInfo


Operation = AdmitAgent | RemoveAgent | MarkAgentUnreachable | MarkAgentReachable


@frozen(kw_only=True)
class RecoverRegistry(Message):
    """Master to registrar: I lead in this term; claim the store for it and read what is there (EL-37)."""

    term: int


@frozen(kw_only=True)
class RegistryRecovered(Message):
    """Registrar to master: the store is yours, and this is what it holds."""

    registry: Registry


@frozen(kw_only=True)
class ApplyOperation(Message):
    """Master to registrar: make this durable."""

    operation: Operation


@frozen(kw_only=True)
class OperationApplied(Message):
    """Registrar to master: it is durable; now act on it."""

    operation: Operation


@frozen(kw_only=True)
class RegistryRefused(Message):
    """Registrar to master: the store did not take it; for a master this is fatal (0.2.6, EL-38)."""

    reason: str
