"""How long whoever is to end has time to do so: the one place where a grace comes from (drain.md 3.1.5, 3.2.1, 4.4.5).

Who waits until it is over, and what happens then, is with the executors (agent/executors.py, agent/graces.py,
executor/command.py).
"""

from __future__ import annotations

from mesolite.actors.decisions.settings import Settings
from mesolite.messages.checking import unchecked
from mesolite.messages.tasks import ExecutorInfo, KillPolicy


def wish_of(policy: KillPolicy | None) -> float | None:
    """The grace that a kill policy gives, None if it says nothing."""
    return None if policy is None else policy.grace_period_s


def kill_grace_s(settings: Settings, *wishes: float | None) -> float:
    """Of a kill: the first grace that is given, in the request or in the task, else the built-in one (3.2.1)."""
    given = next((wish for wish in wishes if wish is not None), settings.task_kill_grace_s)
    return max(0.0, given)


def drain_grace_s(longest_s: float, own_s: float | None) -> float:
    """Of a kill for a drain that says how long: it limits the task's own grace, and stands in for it (4.4.5)."""
    return longest_s if own_s is None else max(0.0, min(longest_s, own_s))


def drain_policy(longest_s: float | None, own_s: float | None) -> KillPolicy | None:
    """What goes with that kill: the limit, unless the task's own grace is no longer than that (4.4.5)."""
    if longest_s is None or (own_s is not None and own_s <= longest_s):
        return None
    return unchecked(KillPolicy)(grace_period_s=longest_s)


def shutdown_grace_s(settings: Settings, info: ExecutorInfo | None, own_s: float | None) -> float:
    """Of an executor that is shut down: what it says, or 5 s; a command's has its task's grace and a margin (3.1.5)."""
    if info is not None:
        asked = info.shutdown_grace_period_s
        return settings.executor_shutdown_grace_s if asked is None else asked
    return (settings.task_kill_grace_s if own_s is None else own_s) + settings.command_executor_margin_s


def longest_drain_s(longest_s: float | None, own_s: float | None, margin_s: float, *, command: bool) -> float | None:
    """After how long at most a task that is killed for a drain has ended, None if nobody knows (4.4.5).

    A command executor kills when the grace is over. Any other may take as long as it likes, unless the drain says how
    long: then the agent shuts it down.
    """
    given = [grace_s for grace_s in (longest_s, own_s) if grace_s is not None]
    if command:
        return min(given, default=None)
    return min(given) + margin_s if longest_s is not None else None
