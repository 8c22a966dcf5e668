"""What a leader's books hold that somebody may wait for, in a few words."""

from __future__ import annotations

from mesolite.actors.decisions.master import deactivation, draining
from mesolite.actors.decisions.master.records import FrameworkRecord
from mesolite.actors.decisions.master.state import MasterState

SHOWN = 3


def standing(m: MasterState) -> str:
    """Which frameworks have tasks and offers, and what drains wait for; it only reads."""
    if not m.leading:
        return ""
    drains = [
        f"drain {drain.id} of agent {drain.agent_id}: {draining.blocked_by(m, drain)[0]}"
        for drain in deactivation.open_drains(m)[:SHOWN]
    ]
    return "; ".join([f"leads {len(m.agents)} agents", *map(_framework, list(m.frameworks.values())[:SHOWN]), *drains])


def _framework(framework: FrameworkRecord) -> str:
    tasks = [f"{task_id} {task.state}" for task_id, task in framework.tasks.items()]
    more = f" and {len(tasks) - SHOWN} more" if len(tasks) > SHOWN else ""
    has = f"{len(tasks)} tasks ({', '.join(tasks[:SHOWN])}{more})" if tasks else "no task"
    return f"{framework.info.name} has {has} and {len(framework.offers)} offers"
