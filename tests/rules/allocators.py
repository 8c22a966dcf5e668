"""An allocator, brought to where a test begins: frameworks and agents by number, at time 0."""

from __future__ import annotations

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources

F1, F2, F3, F4 = (FrameworkId(f"framework{n}") for n in (1, 2, 3, 4))
A1, A2, A3, A4, A5 = (AgentId(f"agent{n}") for n in (1, 2, 3, 4, 5))
WHOLE = Resources.of("cpus:2;mem:1024")
DAY_S = 24 * 3600.0


def allocator(*frameworks: FrameworkId) -> Allocator:
    """An allocator with Mesos's settings (a run each second), at time 0, with these frameworks in one role."""
    made = Allocator(Settings.mesos())
    for framework_id in frameworks:
        made.add_framework(framework_id, "role", 0.0)
    return made


def join(allocator: Allocator, agent_id: AgentId, resources: str, now: float = 0.0) -> None:
    allocator.add_agent(agent_id, Resources.of(resources), {}, now)


def run(allocator: Allocator, now: float) -> list[str]:
    """What a run grants, as `framework agent resources`."""
    grants = allocator.run(now)
    allocator.check()
    return [f"{grant.framework_id} {grant.agent_id} {grant.resources}" for grant in grants]


def held_by(framework_id: FrameworkId) -> Allocator:
    """At time 0 a framework has just been granted agent1, which is WHOLE."""
    made = allocator(framework_id)
    join(made, A1, "cpus:2;mem:1024")
    assert run(made, 0.0) == [f"{framework_id} agent1 cpus:2;mem:1024"]
    return made
