"""An agent's core, brought to where a test begins, and what is said to it and by it.

The agent is `agent-1` on host-1 and has the id m1-S1; its master is `master-1`. Of the framework m1-F1, whose scheduler
is `web`, its executors are command executors, each at `agent-1/m1-F1/` and the id of its task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolite.actors.decisions.agent.core import AgentCore
from mesolite.actors.decisions.contract import (
    Effect,
    Loaded,
    PeerExited,
    Save,
    Saved,
    Started,
    TimerFired,
)
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import AgentRegistered
from mesolite.messages.election import ELECTOR, LeaderDetected
from mesolite.messages.executor import RegisterExecutor
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.relayed import RunTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.tasks import Cause, Reason, Source, TaskInfo, TaskState, TaskStatus

SETTINGS = Settings.mesos()
LEADER = MasterInfo(name="master-1", term=1)
NEWCOMER = AgentInfo(hostname="host-1", resources="cpus:4;mem:4096")
ADMITTED = AgentInfo(id="m1-S1", hostname="host-1", resources="cpus:4;mem:4096")
REGISTERED = AgentRegistered(agent_id="m1-S1", total_ping_timeout_s=75.0)
PLAIN = FrameworkInfo(name="web", id="m1-F1")
DURABLE = FrameworkInfo(name="web", id="m1-F1", checkpoint=True, capabilities=(Capability.PARTITION_AWARE,))


class Agent:
    """A core to be told what happens, event by event. After each its books are compared with each other."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.core = AgentCore(settings, NEWCOMER, "/sandboxes")
        self._tag = ""

    def hear(self, event: Any, sender: str, now: float) -> list[Effect]:
        effects = self.core.handle(event, sender, now)
        self.core.check()
        self._tag = next((effect.tag for effect in effects if isinstance(effect, Save)), self._tag)
        return effects

    def fire(self, event: TimerFired, now: float) -> list[Effect]:
        return self.hear(event, "agent-1", now)

    def saved(self, now: float) -> list[Effect]:
        """Hear that the write it asked for last is durable."""
        return self.hear(Saved(self._tag), "agent-1", now)

    def exit_of(self, name: str, now: float, status: int = -1) -> list[Effect]:
        """Hear that the actor of that name has gone."""
        return self.hear(PeerExited(name, 1, status), name, now)


def started(records: Mapping[str, Any] | None = None, *, life: int = 1, settings: Settings = SETTINGS) -> Agent:
    """An agent that has found these in its store and asked who leads."""
    agent = Agent(settings)
    agent.hear(Started("agent-1", life), "agent-1", 0.0)
    agent.hear(Loaded(records or {}), "agent-1", 0.0)
    return agent


def registered(settings: Settings = SETTINGS) -> Agent:
    """An agent that its master has admitted at second 1."""
    agent = started(settings=settings)
    agent.hear(LeaderDetected(leader=LEADER), ELECTOR, 0.0)
    agent.hear(REGISTERED, "master-1", 1.0)
    agent.saved(1.0)
    return agent


def running(*tasks: TaskInfo, framework: FrameworkInfo = PLAIN) -> Agent:
    """An agent on which these run, each with a command executor of its own; that they do has been acknowledged."""
    agent = registered()
    for info in tasks:
        executor = executor_of(info.task_id)
        agent.hear(run(info, framework), "master-1", 2.0)
        settle(agent)
        agent.hear(RegisterExecutor(framework_id="m1-F1", executor_id=info.task_id), executor, 3.0)
        settle(agent)
        agent.hear(update(info.task_id, TaskState.TASK_RUNNING), executor, 4.0)
        settle(agent)
        agent.hear(acknowledgement(info.task_id), "master-1", 5.0)
        settle(agent)
    return agent


def settle(agent: Agent) -> None:
    """Let what is being written be durable."""
    while agent.core.state.writes.in_flight:
        agent.saved(5.0)


def task(task_id: str, **more: Any) -> TaskInfo:
    return TaskInfo(task_id=task_id, agent_id="m1-S1", resources="cpus:1;mem:100", command="true", **more)


def executor_of(task_id: str) -> str:
    return f"agent-1/m1-F1/{task_id}"


def run(info: TaskInfo, framework: FrameworkInfo = PLAIN) -> RunTask:
    """The master's order to run it; to its executor it goes without what only the agent has to know."""
    return RunTask(
        framework_id="m1-F1",
        framework_info=framework,
        scheduler="web",
        task=info,
        launch_executor=True,
        launched_at=2.0,
    )


def handed(info: TaskInfo, framework: FrameworkInfo = PLAIN) -> RunTask:
    """The task, as it is handed to its executor."""
    return RunTask(framework_id="m1-F1", framework_info=framework, scheduler="web", task=info)


def update(
    task_id: str, state: TaskState, number: int = 1, latest: TaskState | None = None, **more: Any
) -> StatusUpdate:
    """What its command executor says of a task; `number` makes its uuid. To the master it goes with what is added."""
    status = TaskStatus(task_id=task_id, agent_id="m1-S1", state=state, uuid=f"{task_id}:{number}", **more)
    return StatusUpdate(framework_id="m1-F1", status=status, latest_state=latest or state)


def passed_on(
    task_id: str, state: TaskState, number: int = 1, latest: TaskState | None = None, **more: Any
) -> StatusUpdate:
    """An executor's update, as the agent passes it on: it says whose it is."""
    return update(task_id, state, number, latest, source=Source.SOURCE_EXECUTOR, executor_id=task_id, **more)


def own(
    task_id: str,
    state: TaskState,
    reason: Reason,
    message: str,
    cause: Cause,
    at: float,
    number: int = 1,
    *,
    life: int = 1,
) -> StatusUpdate:
    """An update that the agent has made itself: the number-th of that life."""
    status = TaskStatus(
        task_id=task_id,
        agent_id="m1-S1",
        executor_id=task_id,
        state=state,
        source=Source.SOURCE_AGENT,
        reason=reason,
        message=message,
        timestamp=at,
        uuid=f"agent-1.{life}:{number}",
        cause=cause,
    )
    return StatusUpdate(framework_id="m1-F1", status=status, latest_state=state)


def acknowledgement(task_id: str, number: int = 1, *, uuid: str | None = None) -> StatusUpdateAcknowledgement:
    return StatusUpdateAcknowledgement(
        framework_id="m1-F1", agent_id="m1-S1", task_id=task_id, uuid=uuid or f"{task_id}:{number}"
    )
