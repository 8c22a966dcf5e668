"""What registry operations write, and what the records tell a new leader (drain.md 0.2.4, core.md EL-36).

One record per agent and list, so that an operation writes one or two records however many agents there are.

    admitted/<agent id>      AdmittedAgent
    unreachable/<agent id>   UnreachableAgent
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolite.messages.agents import AgentInfo
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Operation,
    Registry,
    RemoveAgent,
    UnreachableAgent,
)

Record = AdmittedAgent | UnreachableAgent
Change = tuple[str, Record | None]
"""A key and what is to stand there; None deletes, and deleting what is not there is harmless."""


def changes_of(operation: Operation) -> tuple[Change, ...]:
    """The records that an operation writes and deletes."""
    match operation:
        case AdmitAgent(agent=agent):
            return (_admitted(agent),)
        case RemoveAgent(agent_id=agent_id):
            # Deleted outright: it goes to no other list (drain.md 2.3.4).
            return ((_admitted_key(agent_id), None),)
        case MarkAgentUnreachable(agent_id=agent_id, unreachable_time=time):
            record = UnreachableAgent(agent_id=agent_id, unreachable_time=time)
            return ((_admitted_key(agent_id), None), (_unreachable_key(agent_id), record))
        case MarkAgentReachable(agent=agent):
            # It need not be on the unreachable list: one nobody remembers is admitted too (drain.md 1.3.7).
            return ((_unreachable_key(_id_of(agent)), None), _admitted(agent))


def registry_of(records: Mapping[str, Any]) -> Registry:
    """What these records say, each list in the order of the agents' ids.

    Raises:
        ValueError: a record is of a kind that no operation writes.
    """
    admitted: list[AdmittedAgent] = []
    unreachable: list[UnreachableAgent] = []
    for key in sorted(records):
        match records[key]:
            case AdmittedAgent() as record:
                admitted.append(record)
            case UnreachableAgent() as record:
                unreachable.append(record)
            case other:
                raise ValueError(f"registry record {key!r} is no admitted or unreachable agent: {other!r}")
    return Registry(admitted=tuple(admitted), unreachable=tuple(unreachable))


def _admitted(agent: AgentInfo) -> Change:
    return (_admitted_key(_id_of(agent)), AdmittedAgent(agent=agent))


def _id_of(agent: AgentInfo) -> AgentId:
    assert agent.id is not None, f"the agent on {agent.hostname} must be given an id before it is stored"
    return agent.id


def _admitted_key(agent_id: AgentId) -> str:
    return f"admitted/{agent_id}"


def _unreachable_key(agent_id: AgentId) -> str:
    return f"unreachable/{agent_id}"
