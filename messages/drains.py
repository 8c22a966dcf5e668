"""Nouns about drains: an agent whose tasks are killed because an operator needs its machine (drain.md 4.3 to 4.6).

Vocabulary trap: a machine's maintenance mode DRAINING (maintenance.py) is another thing.
"""

from __future__ import annotations

import enum

from attrs import frozen

from mesolite.messages.ids import AgentId, DrainId, FrameworkId, TaskId
from mesolite.messages.tasks import TaskState


class DrainState(enum.Enum):
    """Where a drain stands. The last two end it too, without the agent having become DRAINED.

    DRAINING --nothing is left, every last update acknowledged--> DRAINED, or GONE if the agent was to be marked gone
    DRAINING --the agent unregistered, was removed or its machine taken down--> LEFT
    """

    DRAINING = "DRAINING"
    DRAINED = "DRAINED"
    GONE = "GONE"
    LEFT = "LEFT"

    def __str__(self) -> str:
        """Print the bare name."""
        return self.name


@frozen(kw_only=True)
class DrainConfig:
    """How to drain: what `max_grace_period_s` does to each task is drain.md 4.4.5; `mark_gone`: the agent goes too."""

    max_grace_period_s: float | None = None
    mark_gone: bool = False


@frozen(kw_only=True)
class DrainInfo:
    """One drain of one agent. Times are seconds on the cluster's clock; `ended_at` None while it is under way.

    `message` and `initiator` are the operator's own words: why, and who.
    """

    id: DrainId
    agent_id: AgentId
    state: DrainState
    config: DrainConfig
    started_at: float
    ended_at: float | None = None
    message: str = ""
    initiator: str = ""


class Party(enum.Enum):
    """Who has to act."""

    EXECUTOR = "EXECUTOR"
    FRAMEWORK = "FRAMEWORK"
    AGENT = "AGENT"
    MASTER = "MASTER"

    def __str__(self) -> str:
        """Print the bare name."""
        return self.name


@frozen(kw_only=True)
class Blocker:
    """One thing a drain or a reclaim waits for: this actor has to act, about this task if there is one.

    `since`: when it was asked to, on the cluster's clock, None if that is not known. `grace_s`: at most so long after
    that its task, or the executor that does not end it, goes the hard way; None if that is not known, or never.
    """

    party: Party
    name: str
    why: str
    since: float | None = None
    task_id: TaskId | None = None
    framework_id: FrameworkId | None = None
    framework: str = ""
    state: TaskState | None = None
    grace_s: float | None = None

    def __str__(self) -> str:
        """Print it as a sentence."""
        task = f"task {self.task_id} of framework {self.framework} ({self.state}) waits for " if self.task_id else ""
        since = f" (asked at {self.since:.3f} s)" if self.since is not None else ""
        grace = f" (after at most {self.grace_s:g} s the hard way)" if self.grace_s is not None else ""
        return f"{task}{str(self.party).lower()} {self.name}: {self.why}{since}{grace}"
