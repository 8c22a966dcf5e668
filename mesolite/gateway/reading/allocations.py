"""What frameworks and roles hold and are offered, summed over agents."""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import FrameworkId
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.snapshot import AgentSnapshot, ClusterSnapshot, FrameworkSnapshot, HeldExecutor

Used = dict[FrameworkId, Resources]

WEIGHT = 1.0
"""That of every role."""


@frozen
class Role:
    """A role that a framework has subscribed with; none has a quota here."""

    name: str
    framework_ids: tuple[FrameworkId, ...]
    allocated: Resources
    offered: Resources


def used(snapshot: ClusterSnapshot) -> Used:
    """What each framework's tasks and executors hold, on all agents together."""
    parts: dict[FrameworkId, list[Resources]] = {}
    for agent in snapshot.agents:
        for framework_id, resources in agent.used:
            parts.setdefault(framework_id, []).append(resources)
    return {framework_id: Resources.sum(each) for framework_id, each in parts.items()}


def offered(framework: FrameworkSnapshot) -> Resources:
    """What is offered to a framework."""
    return Resources.sum(offer.resources for offer in framework.offers)


def used_on(agent: AgentSnapshot) -> Resources:
    """What is in use on an agent."""
    return Resources.sum(resources for _, resources in agent.used)


def offered_on(agent: AgentSnapshot) -> Resources:
    """What of an agent is offered to anybody."""
    return Resources.sum(resources for _, resources in agent.offered)


def held(executor: HeldExecutor) -> Resources:
    """What an executor and its live tasks hold on their agent."""
    own = NOTHING if executor.info is None else executor.info.resources
    return Resources.sum([own, *(task.info.resources for task in executor.tasks if not task.state.is_terminal)])


def id_of(info: FrameworkInfo) -> FrameworkId:
    """The id of a framework that a master has admitted."""
    assert info.id is not None, info
    return info.id


def roles(snapshot: ClusterSnapshot) -> list[Role]:
    """The roles of the frameworks that have not ended, by name."""
    members: dict[str, list[FrameworkSnapshot]] = {}
    for framework in snapshot.frameworks:
        members.setdefault(framework.info.role, []).append(framework)
    holds = used(snapshot)
    return [
        Role(
            name=name,
            framework_ids=tuple(id_of(framework.info) for framework in frameworks),
            allocated=Resources.sum(holds.get(id_of(framework.info), NOTHING) for framework in frameworks),
            offered=Resources.sum(map(offered, frameworks)),
        )
        for name, frameworks in sorted(members.items())
    ]
