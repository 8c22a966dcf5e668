"""mesos-framework 0.5.3 on Node, unmodified: records by chunks, calls in chunks, and nulls for all unset (HT-384).

It gives up after 10 s without a record, so there are more heartbeats here (HT-67). It tells as an error any answer to a
call but 202, and any record that it cannot read: there is none.
"""

from __future__ import annotations

from typing import Any

from mesolite import Cluster
from tests.clients.conftest import OFTEN, Start
from tests.clients.operating import address, get
from tests.clients.running import Program

FOR_EVER = "sleep 100000"


def scheduler(start: Start, master: str, **given: Any) -> Program:
    return start("node_scheduler", "mesos-framework", master=address(master), **given)


def tasks_that_hear(program: Program, state: str, count: int) -> dict[str, str]:
    """So many tasks, by their ids, and where each is; the client makes up the ids."""
    agents: dict[str, str] = {}
    while len(agents) < count:
        status = program.hears("update", state=state)["status"]
        agents[status["task_id"]["value"]] = status["agent_id"]["value"]
    return agents


def running_tasks(url: str) -> set[str]:
    """The ids of those of the only framework that run, by the master's state."""
    (framework,) = get(url, "state")["frameworks"]
    return {task["id"] for task in framework["tasks"] if task["state"] == "TASK_RUNNING"}


def errors(program: Program) -> list[str]:
    return [line["message"] for line in program.told if line["event"] == "error"]


def test_two_instances_run_to_their_end(cluster: Cluster, start: Start) -> None:
    """Each has its agent's address (HT-170), and a name that is not ASCII, though records are (HT-47); torn down."""
    tasks = {"grüße": {"command": 'test -n "$HOST"', "instances": 2}}
    program = scheduler(start, cluster.url, tasks=tasks)
    subscribed = program.hears("subscribed")
    finished = tasks_that_hear(program, "TASK_FINISHED", 2)
    program.hears("heartbeat")  # HT-64
    before_the_end = errors(program)
    program.order(stop=True)
    program.no_more_orders()
    state = get(cluster.url, "state")

    assert subscribed["stream_id"]  # HT-125
    for task_id in finished:
        assert task_id.startswith("ordered.grüße-")
        assert program.states(task_id) == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
    assert before_the_end == []  # HT-30, HT-57
    assert state["frameworks"] == []
    assert [framework["id"] for framework in state["completed_frameworks"]] == [subscribed["framework_id"]]


def test_one_instance_is_killed_and_the_other_runs_on(cluster: Cluster, start: Start) -> None:
    """A kill is for one task (HT-142), a teardown for all that are left (HT-150)."""
    program = scheduler(start, cluster.url, tasks={"web": {"command": FOR_EVER, "instances": 2}})
    agents = tasks_that_hear(program, "TASK_RUNNING", 2)
    seen = running_tasks(cluster.url)
    killed, other = agents
    program.order(kill=killed, agent_id=agents[killed])
    program.hears("update", task_id=killed, state="TASK_KILLED")
    left = running_tasks(cluster.url)
    before_the_end = errors(program)
    program.order(stop=True)
    program.no_more_orders()
    (framework,) = get(cluster.url, "state")["completed_frameworks"]

    assert seen == {killed, other}
    assert left == {other}
    assert before_the_end == []
    assert {task["id"]: task["state"] for task in framework["completed_tasks"]} == dict.fromkeys(agents, "TASK_KILLED")


def test_it_comes_back_with_its_id(cluster: Cluster, start: Start) -> None:
    """It states a failover timeout of a week: its task goes on, and its next process hears of it (HT-145, HT-186)."""
    first = scheduler(start, cluster.url, tasks={"web": {"command": FOR_EVER, "instances": 1}})
    framework_id = first.hears("subscribed")["framework_id"]
    ((task_id, agent_id),) = tasks_that_hear(first, "TASK_RUNNING", 1).items()
    first.order(leave=True)
    first.no_more_orders()

    second = scheduler(start, cluster.url, framework_id=framework_id)
    again = second.hears("subscribed")["framework_id"]
    second.order(reconcile=True)
    second.hears("update", task_id=task_id, state="TASK_RUNNING")
    second.order(kill=task_id, agent_id=agent_id)
    second.hears("update", task_id=task_id, state="TASK_KILLED")

    assert again == framework_id
    assert errors(second) == []


def test_it_works_through_a_standby(start: Start) -> None:
    """It takes host and port from the redirect of its SUBSCRIBE, and from then on calls the leader (HT-97)."""
    with Cluster(agents=1, masters=2, http=True, settings=OFTEN) as cluster:
        (standby,) = [master for master in cluster.masters.values() if not master.leading]
        program = scheduler(start, standby.url, tasks={"good": {"command": "exit 0", "instances": 1}})
        subscribed = program.hears("subscribed")
        ((task_id, _),) = tasks_that_hear(program, "TASK_FINISHED", 1).items()
        before_the_end = errors(program)
        program.order(stop=True)
        program.no_more_orders()

        assert address(cluster.url).endswith(f":{subscribed['port']}")
        assert program.states(task_id) == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
        assert before_the_end == []
