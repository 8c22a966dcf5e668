"""A master's HTTP endpoint watches it: where it stands, and, while anybody has subscribed there, all that changes.

The endpoint is part of the master, so nobody else may watch. What is told is what Mesos tells operators (core.md OP-14
to OP-18, http.md section 9.3).
"""

from __future__ import annotations

from mesolite.actors.decisions.master import snapshot
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.checking import evolve
from mesolite.messages.ids import AgentId
from mesolite.messages.tasks import TaskStatus
from mesolite.messages.watching import (
    AgentAdded,
    AgentRemoved,
    ClusterEvent,
    ClusterWatched,
    FrameworkAdded,
    FrameworkRemoved,
    FrameworkUpdated,
    MasterStanding,
    TaskAdded,
    TaskUpdated,
    WatchCluster,
    WatchStanding,
)


def endpoint_of(m: MasterState) -> str:
    """The actor that speaks HTTP for this master, if there is one."""
    return f"{m.name}/http"


def watch_standing(m: MasterState, message: WatchStanding, sender: str, now: float) -> None:
    """Tell it where this master stands, and again whenever that has changed."""
    if sender == endpoint_of(m):
        m.standing_watched, m.standing_told = True, None
        tell_standing(m)


def tell_standing(m: MasterState) -> None:
    """Tell whoever watches, if it has changed."""
    told, leader = m.standing_told, m.detector.leader
    # Asked after every event, so nothing is made to be compared.
    if told is None or told.serving != m.leading or told.leader is not leader:
        m.standing_told = MasterStanding(serving=m.leading, leader=leader)
        m.send(endpoint_of(m), m.standing_told)


def watch_cluster(m: MasterState, message: WatchCluster, sender: str, now: float) -> None:
    """Tell it all, and from now on what changes: nothing is lost or told twice in between (HT-61)."""
    if sender != endpoint_of(m):
        return
    m.cluster_watched = message.on
    if message.on:
        m.send(sender, ClusterWatched(snapshot=snapshot.take(m)))


def _tell(m: MasterState, event: ClusterEvent) -> None:
    m.send(endpoint_of(m), event)


def task_added(m: MasterState, task: TaskRecord) -> None:
    """A task has entered the live list (OP-15)."""
    if m.cluster_watched:
        _tell(m, TaskAdded(task=snapshot.of_task(task)))


def task_said(m: MasterState, task: TaskRecord, status: TaskStatus) -> None:
    """Keep what was said of a task, one status for each run of equal states (HT-274); tell of a change (OP-15)."""
    kept = evolve(status, data="") if status.data else status
    known = task.statuses
    repeated = bool(known) and known[-1].state is status.state
    task.statuses = (*known[:-1], kept) if repeated else (*known, kept)
    if m.cluster_watched and not repeated:
        _tell(m, TaskUpdated(framework_id=task.framework_id, status=kept, state=task.state))


def agent_added(m: MasterState, agent: AgentRecord, now: float) -> None:
    """An agent was taken into memory, new or from wherever it was (OP-16)."""
    if m.cluster_watched:
        _tell(m, AgentAdded(agent=snapshot.of_agent(m, agent)))


def agent_removed(m: MasterState, agent_id: AgentId) -> None:
    """An agent was removed; not if it is unreachable or gone (OP-16)."""
    if m.cluster_watched:
        _tell(m, AgentRemoved(agent_id=agent_id))


def framework_added(m: MasterState, framework: FrameworkRecord) -> None:
    """A framework is there, new or recovered: before its tasks are (OP-17, OP-18)."""
    if m.cluster_watched:
        _tell(m, FrameworkAdded(framework=snapshot.of_framework(m, framework)))


def framework_updated(m: MasterState, framework: FrameworkRecord) -> None:
    """A framework has subscribed again (OP-17)."""
    if m.cluster_watched:
        _tell(m, FrameworkUpdated(framework=snapshot.of_framework(m, framework)))


def framework_removed(m: MasterState, framework: FrameworkRecord) -> None:
    """A framework has ended (OP-17)."""
    if m.cluster_watched:
        _tell(m, FrameworkRemoved(framework_info=framework.info))
