"""What registry operations write, and what the records tell a new leader (drain.md 0.2.4, core.md EL-36).

One record per agent and list, so that an operation writes a record or three however many agents there are.

    admitted/<agent id>       AdmittedAgent
    unreachable/<agent id>    UnreachableAgent
    gone/<agent id>           GoneAgent
    deactivated/<agent id>    DeactivatedAgent: stays where it is while the agent goes to and fro (4.6.3)
    drain/<drain id>          DrainInfo of a drain that has ended
    maintenance               Maintenance: schedule and modes
    reclaim/<reclaim id>      ReclaimInfo, also of past reclaims
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolite.messages.drains import DrainInfo, DrainState
from mesolite.messages.ids import AgentId, DrainId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import Maintenance
from mesolite.messages.reclaims import ReclaimInfo
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    DeactivateAgent,
    DeactivatedAgent,
    EndDrain,
    EndReclaim,
    GoneAgent,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Operation,
    PruneAgents,
    ReactivateAgent,
    Registry,
    RemoveAgent,
    StartDrain,
    StartReclaim,
    UnreachableAgent,
    UpdateMaintenance,
)

Record = AdmittedAgent | UnreachableAgent | GoneAgent | DeactivatedAgent | DrainInfo | Maintenance | ReclaimInfo
Change = tuple[str, Record | None]
"""A key and what is to stand there; None deletes, and deleting what is not there is harmless."""


def changes_of(operation: Operation) -> tuple[Change, ...]:
    """The records that an operation writes and deletes."""
    match operation:
        case AdmitAgent(agent=agent):
            return (_admitted(agent),)
        case MarkAgentReachable(agent=agent):
            # It need not be on the unreachable list: one nobody remembers is admitted too (1.3.7).
            return ((f"unreachable/{_id_of(agent)}", None), _admitted(agent))
        case MarkAgentUnreachable(agent_id=agent_id, unreachable_time=time):
            record = UnreachableAgent(agent_id=agent_id, unreachable_time=time)
            return ((f"admitted/{agent_id}", None), (f"unreachable/{agent_id}", record))
        case RemoveAgent(agent_id=agent_id, drain=drain, forget=forget):
            # Deleted outright, and what operators had decided about it too: it goes to no other list (2.3.4, 4.6.8).
            return ((f"admitted/{agent_id}", None), (f"deactivated/{agent_id}", None), *_past(drain, forget))
        case MarkAgentGone(agent_id=agent_id, gone_time=time, drain=drain, forget=forget):
            lists = ((f"{name}/{agent_id}", None) for name in ("admitted", "unreachable", "deactivated"))
            gone = GoneAgent(agent_id=agent_id, gone_time=time)
            return (*lists, (f"gone/{agent_id}", gone), *_past(drain, forget))
        case PruneAgents(unreachable=unreachable, gone=gone_ids, drains=drains, forget=forget):
            lost = [f"{name}/{agent_id}" for agent_id in unreachable for name in ("unreachable", "deactivated")]
            lost += [f"gone/{agent_id}" for agent_id in gone_ids]
            return (*((key, None) for key in lost), *(change for drain in drains for change in _past(drain, forget)))
        case DeactivateAgent(agent_id=agent_id):
            return (_deactivated(agent_id, None),)
        case StartDrain(drain=drain):
            return (_deactivated(drain.agent_id, drain),)
        case EndDrain(drain=drain, forget=forget):
            return (_deactivated(drain.agent_id, drain), *_past(drain, forget))
        case ReactivateAgent(agent_id=agent_id):
            return ((f"deactivated/{agent_id}", None),)
        case UpdateMaintenance(maintenance=maintenance):
            return (("maintenance", maintenance),)
        case StartReclaim(reclaim=reclaim):
            return ((f"reclaim/{reclaim.id}", reclaim),)
        case EndReclaim(reclaim=reclaim, forget=forgotten):
            return ((f"reclaim/{reclaim.id}", reclaim), *((f"reclaim/{each}", None) for each in forgotten))


def registry_of(records: Mapping[str, Any]) -> Registry:
    """What these records say, each list in the order of its keys.

    Raises:
        ValueError: a record is of a kind that no operation writes.
    """
    lists: dict[type, list[Any]] = {kind: [] for kind in _KINDS}
    for key in sorted(records):
        record = records[key]
        if type(record) not in lists:
            known = ", ".join(kind.__name__ for kind in _KINDS)
            raise ValueError(f"registry record {key!r} is none of {known}: {record!r}")
        lists[type(record)].append(record)
    return Registry(
        admitted=tuple(lists[AdmittedAgent]),
        unreachable=tuple(lists[UnreachableAgent]),
        gone=tuple(lists[GoneAgent]),
        deactivated=tuple(lists[DeactivatedAgent]),
        past_drains=tuple(lists[DrainInfo]),
        maintenance=next(iter(lists[Maintenance]), Maintenance()),
        reclaims=tuple(lists[ReclaimInfo]),
    )


_KINDS = (AdmittedAgent, UnreachableAgent, GoneAgent, DeactivatedAgent, DrainInfo, Maintenance, ReclaimInfo)


def _admitted(agent: AgentInfo) -> Change:
    return (f"admitted/{_id_of(agent)}", AdmittedAgent(agent=agent))


def _deactivated(agent_id: AgentId, drain: DrainInfo | None) -> Change:
    return (f"deactivated/{agent_id}", DeactivatedAgent(agent_id=agent_id, drain=drain))


def _past(drain: DrainInfo | None, forget: tuple[DrainId, ...] = ()) -> tuple[Change, ...]:
    old = tuple((f"drain/{drain_id}", None) for drain_id in forget)
    if drain is None:
        return old
    assert drain.state is not DrainState.DRAINING, f"a drain under way is no history: {drain}"
    return ((f"drain/{drain.id}", drain), *old)


def _id_of(agent: AgentInfo) -> AgentId:
    assert agent.id is not None, f"the agent on {agent.hostname} must be given an id before it is stored"
    return agent.id
