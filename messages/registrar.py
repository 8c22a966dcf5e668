"""What a master and its registrar say to each other, and what the registry holds (drain.md 0.2.4, 1.6.2, 2.3.4, 4, 5).

Every durable change is an operation, named in the imperative; the answer comes after it was stored.
"""

from __future__ import annotations

from attrs import field, frozen

from mesolite.messages.base import Message
from mesolite.messages.drains import DrainInfo
from mesolite.messages.ids import AgentId, DrainId, ReclaimId, WriteId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import Maintenance
from mesolite.messages.reclaims import ReclaimInfo


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
class GoneAgent:
    """A registry record: an operator said at that time that this agent will never come back (4.7.2)."""

    agent_id: AgentId
    gone_time: float


@frozen(kw_only=True)
class DeactivatedAgent:
    """A registry record: an operator wants nothing offered from this agent; `drain` if it is being or was drained.

    It stands beside the agent's admitted or unreachable record and does not move when the agent does (4.6.3).
    """

    agent_id: AgentId
    drain: DrainInfo | None = None


@frozen(kw_only=True)
class Registry:
    """Everything a new leader learns from its predecessor (core.md EL-36)."""

    admitted: tuple[AdmittedAgent, ...] = ()
    unreachable: tuple[UnreachableAgent, ...] = ()
    gone: tuple[GoneAgent, ...] = ()
    deactivated: tuple[DeactivatedAgent, ...] = ()
    past_drains: tuple[DrainInfo, ...] = ()
    maintenance: Maintenance = field(factory=Maintenance)
    reclaims: tuple[ReclaimInfo, ...] = ()


@frozen(kw_only=True)
class AdmitAgent:
    """Operation: a new agent, or new facts about an admitted one."""

    agent: AgentInfo


@frozen(kw_only=True)
class RemoveAgent:
    """Operation: the agent is deleted outright; it goes to no other list (2.3.4).

    `drain`: one that ends with it; `forget`: past drains too old to keep.
    """

    agent_id: AgentId
    drain: DrainInfo | None = None
    forget: tuple[DrainId, ...] = ()


@frozen(kw_only=True)
class MarkAgentUnreachable:
    """Operation: from admitted to unreachable, with a timestamp (1.6.2)."""

    agent_id: AgentId
    unreachable_time: float


@frozen(kw_only=True)
class MarkAgentReachable:
    """Operation: admitted (again), whether it was unreachable or unknown (1.3.7)."""

    agent: AgentInfo


@frozen(kw_only=True)
class MarkAgentGone:
    """Operation: from admitted or unreachable to gone, with a timestamp (4.7.2).

    `drain`: the one that ends with it; `forget`: past drains too old to keep.
    """

    agent_id: AgentId
    gone_time: float
    drain: DrainInfo | None = None
    forget: tuple[DrainId, ...] = ()


@frozen(kw_only=True)
class PruneAgents:
    """Operation: forget these unreachable and these gone agents (1.9.1).

    `drains`: those that end with them; `forget`: past drains too old to keep.
    """

    unreachable: tuple[AgentId, ...] = ()
    gone: tuple[AgentId, ...] = ()
    drains: tuple[DrainInfo, ...] = ()
    forget: tuple[DrainId, ...] = ()


@frozen(kw_only=True)
class DeactivateAgent:
    """Operation: nothing is offered from the agent any more (4.1.2)."""

    agent_id: AgentId


@frozen(kw_only=True)
class StartDrain:
    """Operation: the agent is being drained, and deactivated with that (4.3.4)."""

    drain: DrainInfo


@frozen(kw_only=True)
class EndDrain:
    """Operation: the agent is drained; it stays deactivated (4.5.5). `forget`: past drains too old to keep."""

    drain: DrainInfo
    forget: tuple[DrainId, ...] = ()


@frozen(kw_only=True)
class ReactivateAgent:
    """Operation: the agent is neither deactivated nor drained any more (4.2.2)."""

    agent_id: AgentId


@frozen(kw_only=True)
class UpdateMaintenance:
    """Operation: this is the whole schedule with all modes from now on (5.2.4, 5.5.2, 5.5.5)."""

    maintenance: Maintenance


@frozen(kw_only=True)
class StartReclaim:
    """Operation: these resources are wanted back; of an open reclaim: who is asked for how much has changed (RV-13)."""

    reclaim: ReclaimInfo


@frozen(kw_only=True)
class EndReclaim:
    """Operation: the reclaim has ended, in its state (RV-40). `forget`: past reclaims too old to keep."""

    reclaim: ReclaimInfo
    forget: tuple[ReclaimId, ...] = ()


Operation = (
    AdmitAgent
    | RemoveAgent
    | MarkAgentUnreachable
    | MarkAgentReachable
    | MarkAgentGone
    | PruneAgents
    | DeactivateAgent
    | StartDrain
    | EndDrain
    | ReactivateAgent
    | UpdateMaintenance
    | StartReclaim
    | EndReclaim
)


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
    """Master to registrar: make this durable. `write_id` comes back with the confirmation."""

    operation: Operation
    write_id: WriteId


@frozen(kw_only=True)
class OperationApplied(Message):
    """Registrar to master: that write is durable; now act on it."""

    operation: Operation
    write_id: WriteId


@frozen(kw_only=True)
class RegistryRefused(Message):
    """Registrar to master: the store did not take it; for a master this is fatal (0.2.6, EL-38)."""

    reason: str
