"""Reading a real cluster from other threads while a thousand tasks come and go: nothing torn, nothing blocked."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import mesolite.calls
from mesolite import (
    Cluster,
    ClusterState,
    Drain,
    DriverStatus,
    Executor,
    ExecutorDriver,
    ExecutorInfo,
    Offer,
    OutcomeUnknown,
    Reclaim,
    Resources,
    Scheduler,
    SchedulerDriver,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.actors.decisions.operator import PlaceQuery
from mesolite.messages.base import Query
from mesolite.messages.ids import ExecutorId
from mesolite.messages.queries import QueryAnswered
from tests.cluster.real_commands import PATIENCE_S, until

TASKS = 1_000


class AtOnce(Executor):
    """Runs every task and has done with it."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)
        driver.send_status_update(task.task_id, TaskState.TASK_FINISHED)


class Thousand(Scheduler):
    """Launches a thousand small tasks, some with each offer."""

    def __init__(self) -> None:
        self.launched = 0
        self.ended: dict[str, None] = {}

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            number = min(20, TASKS - self.launched)
            driver.launch_tasks(offer, [self._task() for _ in range(number)])

    def _task(self) -> TaskInfo:
        self.launched += 1
        executor = ExecutorInfo(executor_id=ExecutorId("e"), name="at once", resources="cpus:0.1;mem:32")
        return TaskInfo(task_id=f"t{self.launched}", resources="cpus:0.1;mem:8", executor=executor)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state.is_terminal:  # finished, or killed with the agent that is drained
            self.ended[status.task_id] = None


class Reader(threading.Thread):
    """Reads everything again and again until it is told to stop, and keeps what it found wrong."""

    def __init__(self, cluster: Cluster, driver: Any, handles: list[Drain | Reclaim]) -> None:
        super().__init__(daemon=True)
        self.rounds = 0
        self.error: BaseException | None = None
        self._cluster, self._driver, self._handles = cluster, driver, handles
        self._stop_reading = threading.Event()

    def run(self) -> None:
        try:
            while not self._stop_reading.is_set():
                self._read()
                self.rounds += 1
        except BaseException as error:  # noqa: BLE001  # for the test to raise
            self.error = error

    def stop(self) -> None:
        self._stop_reading.set()
        self.join(PATIENCE_S)
        assert not self.is_alive(), "it is blocked"
        if self.error is not None:
            raise self.error

    def _read(self) -> None:
        cluster = self._cluster
        assert wrong_in(cluster.operator.state()) == []
        assert [agent.id for agent in cluster.agents.values() if agent.registered and agent.id is None] == []
        leader = cluster.leader
        assert leader is not None
        assert self._driver.status is DriverStatus.DRIVER_RUNNING
        assert self._driver.framework_id is not None
        handles = list(self._handles)
        for handle in handles:
            ended = handle.ended_at
            state, waits_for = handle.state, handle.blocked_by
            assert ended is None or handle.ended_at == ended
            assert state.name in repr(handle) or handle.state is not state
            assert all(blocker.name for blocker in waits_for)
        known = [drain.id for drain in cluster.operator.drains()]
        assert [handle.id for handle in handles if isinstance(handle, Drain) and handle.id not in known] == []


def wrong_in(state: ClusterState) -> list[str]:
    """What does not add up in a state that was read: parts of it from before an event, and parts from after it."""
    tasks = [task for framework in state["frameworks"] for task in framework["tasks"]]
    wrong = []
    for agent in state["agents"]:
        its = [task for task in tasks if task["agent_id"] == agent["id"]]
        if sorted(agent["tasks"]) != sorted(task["task_id"] for task in its):
            wrong.append(f"{agent['name']} has the tasks {agent['tasks']}, its frameworks {its}")
        holding = [task["resources"] for task in its if TaskState[task["state"]].holds_resources]
        holding += [executor["resources"] for executor in agent["executors"]]
        if Resources.sum(map(Resources.parse, holding)) != Resources.parse(agent["used"]):
            wrong.append(f"{agent['name']} uses {agent['used']}, and has {holding}")
        out = [offer["resources"] for offer in state["offers"] if offer["agent"] == agent["name"]]
        if Resources.sum(map(Resources.parse, out)) != Resources.parse(agent["offered"]):
            wrong.append(f"{agent['name']} is offered {agent['offered']}, and there is {out}")
    return wrong


def test_two_threads_read_everything_while_a_thousand_tasks_come_and_go() -> None:
    """What is read is of one moment, every read comes back, and the tasks end as if nobody had read."""
    with Cluster(agents=3, masters=2) as cluster:
        framework = Thousand()
        handles: list[Drain | Reclaim] = []
        driver = cluster.run(framework, "thousand", executors={"at once": AtOnce})
        until(cluster, lambda: driver.framework_id)
        readers = [Reader(cluster, driver, handles) for _ in range(2)]
        for reader in readers:
            reader.start()
        until(cluster, lambda: len(framework.ended) > TASKS // 10)
        handles.append(cluster.operator.reclaim("agent-1", "cpus:0.5", within=1000.0))
        handles.append(cluster.operator.drain("agent-2", 0.0))
        until(cluster, lambda: len(framework.ended) == TASKS)
        for reader in readers:
            reader.stop()

        assert [reader.rounds > 0 for reader in readers] == [True, True]
        assert [record for record in cluster.trace if is_about_a_read(record.event)] == []


def is_about_a_read(event: object) -> bool:
    """Whether it comes of somebody looking."""
    return isinstance(event, Query | QueryAnswered | PlaceQuery)


def test_a_leader_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks waits its time-out, and is told who was asked what, and how to go on."""
    monkeypatch.setattr(mesolite.calls, "ANSWER_S", 0.05)
    with Cluster() as cluster:
        context: Any = cluster.runtime.directory.find("master-1")
        core = context.actor.core
        core.answer = lambda query, now: None

        with pytest.raises(OutcomeUnknown, match=r"GetState was sent to master-1, which has not answered .*ask again"):
            cluster.operator.state()


def test_a_leader_that_dies_before_it_answers_is_said_to_have_gone() -> None:
    """The answer comes through the broken link, not by a time-out."""
    with Cluster(masters=2) as cluster:
        leader = cluster.leader
        assert leader is not None
        context: Any = cluster.runtime.directory.find(leader.name)
        context.actor.core.answer = lambda query, now: cluster.runtime.end(context, -9)

        with pytest.raises(mesolite.Refused, match=f"the leader has just gone: {leader.name} died before it answered"):
            cluster.operator.state()
