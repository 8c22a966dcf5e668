"""What a master's HTTP endpoint asks to be told from now on, and what it is told (http.md sections 5 and 9.3).

The endpoint lives on its master's machine, and ends with it; nobody else is told these.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.base import Message
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.infos import MasterInfo
from mesolite.messages.snapshot import AgentSnapshot, ClusterSnapshot, FrameworkSnapshot, TaskSnapshot
from mesolite.messages.tasks import TaskState, TaskStatus


@frozen(kw_only=True)
class WatchStanding(Message):
    """Endpoint to its master: tell me where you stand, now and whenever that changes."""


@frozen(kw_only=True)
class MasterStanding(Message):
    """Master to its endpoint: whether it leads and has read the registry, and who leads as far as it knows (HT-95)."""

    serving: bool
    leader: MasterInfo | None


@frozen(kw_only=True)
class WatchCluster(Message):
    """Endpoint to its master: tell me all, and from now on what changes (HT-293). Asked again, all is told again.

    Not `on`: nobody there wants to know any more.
    """

    on: bool = True


@frozen(kw_only=True)
class ClusterWatched(Message):
    """Master to its endpoint: all of it; what is told after that has happened after that (HT-61)."""

    snapshot: ClusterSnapshot


@frozen(kw_only=True)
class TaskAdded(Message):
    """Master to its endpoint: a task is there (HT-295)."""

    task: TaskSnapshot


@frozen(kw_only=True)
class TaskUpdated(Message):
    """Master to its endpoint: something was said of a task; `state` is its newest (HT-296)."""

    framework_id: FrameworkId
    status: TaskStatus
    state: TaskState


@frozen(kw_only=True)
class AgentAdded(Message):
    """Master to its endpoint: an agent is registered (HT-297)."""

    agent: AgentSnapshot


@frozen(kw_only=True)
class AgentRemoved(Message):
    """Master to its endpoint: an agent is registered no more (HT-297)."""

    agent_id: AgentId


@frozen(kw_only=True)
class FrameworkAdded(Message):
    """Master to its endpoint: a framework is there (HT-298)."""

    framework: FrameworkSnapshot


@frozen(kw_only=True)
class FrameworkUpdated(Message):
    """Master to its endpoint: a framework has subscribed again, or has gone away for now (HT-298)."""

    framework: FrameworkSnapshot


@frozen(kw_only=True)
class FrameworkRemoved(Message):
    """Master to its endpoint: a framework has ended (HT-298)."""

    framework_info: FrameworkInfo


ClusterEvent = (
    TaskAdded | TaskUpdated | AgentAdded | AgentRemoved | FrameworkAdded | FrameworkUpdated | FrameworkRemoved
)
"""What changes."""
