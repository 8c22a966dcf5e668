"""What a leader's state hold that somebody may wait for, in a few words."""

from __future__ import annotations

from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.drain import view as drain_view
from mesolite.actors.decisions.master.records import FrameworkRecord
from mesolite.actors.decisions.master.state import MasterState

SHOWN = 3


def standing(m: MasterState) -> str:
    """Which frameworks have tasks and offers, and what drains wait for; it only reads."""
    if not m.leading:
        return ""
    drains = [
        f"drain {drain.id} of agent {drain.agent_id}: {drain_view.blocked_by(m, drain)[0]}"
        for drain in decisions.open_drains(m)[:SHOWN]
    ]
    frameworks = [_framework(framework) for framework in list(m.frameworks.values())[:SHOWN]]
    return "; ".join([f"leads, agents: {len(m.agents)}", *frameworks, *drains])


def _framework(framework: FrameworkRecord) -> str:
    tasks = [f"{task_id} {task.state}" for task_id, task in framework.tasks.items()]
    more = f" and {len(tasks) - SHOWN} more" if len(tasks) > SHOWN else ""
    which = f" ({', '.join(tasks[:SHOWN])}{more})" if tasks else ""
    return f"{framework.info.name} has tasks: {len(tasks)}{which}, offers: {len(framework.offers)}"
