"""What changes in a cluster, as the events that operators are told (docs/spec/http.md HT-295 to HT-298)."""

from __future__ import annotations

from mesolite.gateway.reading import operator_reads
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.watching import (
    AgentAdded,
    AgentRemoved,
    ClusterEvent,
    FrameworkAdded,
    FrameworkRemoved,
    FrameworkUpdated,
    TaskAdded,
    TaskUpdated,
)


def said(event: ClusterEvent, epoch: Epoch) -> tuple[str, Plain]:
    """The type of the event, and its body."""
    match event:
        case TaskAdded(task=task):
            return "TASK_ADDED", {"task": operator_reads.task(task, epoch)}
        case TaskUpdated(framework_id=framework_id, status=status, state=state):
            body = {"framework_id": writing.identifier(framework_id), "status": writing.status(status, epoch)}
            return "TASK_UPDATED", {**body, "state": state.name}
        case AgentAdded(agent=agent):
            return "AGENT_ADDED", {"agent": operator_reads.agent(agent, epoch)}
        case AgentRemoved(agent_id=agent_id):
            return "AGENT_REMOVED", {"agent_id": writing.identifier(agent_id)}
        case FrameworkAdded(framework=framework):
            return "FRAMEWORK_ADDED", {"framework": operator_reads.framework(framework, epoch)}
        case FrameworkUpdated(framework=framework):
            return "FRAMEWORK_UPDATED", {"framework": operator_reads.framework(framework, epoch)}
        case FrameworkRemoved(framework_info=info):
            return "FRAMEWORK_REMOVED", {"framework_info": writing.framework_info(info)}
