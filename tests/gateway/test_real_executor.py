"""An executor that is a process: started with its environment, told what to do over HTTP, ended (HT-211 to HT-235)."""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesolite import Cluster, Refused
from mesolite.http import Http
from tests.gateway.raw_client import Connection, Framework

PROGRAM = Path(__file__).with_name("executor_program.py")
NEEDED = [
    {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}},
    {"name": "mem", "type": "SCALAR", "scalar": {"value": 64}},
]
EXECUTOR = {
    "executor_id": {"value": "worker"},
    "name": "worker",
    "type": "CUSTOM",
    "command": {
        "value": f"exec {shlex.join([sys.executable, str(PROGRAM)])}",
        "environment": {"variables": [{"name": "OWN", "value": "mine"}]},
    },
    "labels": {"labels": [{"key": "made", "value": "by a test"}]},
    "shutdown_grace_period": {"nanoseconds": 3_000_000_000},
}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(agents=1, http=True) as cluster:
        yield cluster


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def launch(framework: Framework, executor: Any = EXECUTOR, /, **tasks: str) -> Any:
    """Launch these tasks, with their data, by one executor; returns the agent's id."""
    offer = framework.next("OFFERS")["offers"][0]
    infos = [
        {
            "name": name,
            "task_id": {"value": name},
            "agent_id": offer["agent_id"],
            "resources": NEEDED,
            "executor": executor,
            "data": encoded(data),
        }
        for name, data in tasks.items()
    ]
    operations = [{"type": "LAUNCH", "launch": {"task_infos": infos}}]
    assert framework.call("ACCEPT", offer_ids=[offer["id"]], operations=operations) == 202
    return offer["agent_id"]


def next_update(framework: Framework) -> Any:
    """The next update, acknowledged."""
    status = framework.next("UPDATE")["status"]
    if "uuid" in status:
        taken = {name: status[name] for name in ("agent_id", "task_id", "uuid")}
        assert framework.call("ACKNOWLEDGE", **taken) == 202
    return status


def until(framework: Framework, state: str) -> list[Any]:
    """Updates up to one of that state."""
    seen = [next_update(framework)]
    while seen[-1]["state"] != state:
        seen.append(next_update(framework))
    return seen


def test_tasks_run_in_one_process_and_what_it_says_arrives_untouched(cluster: Cluster) -> None:
    """Labels and data of updates are the executor's own; two tasks share one process (HT-178, HT-200, HT-211)."""
    with Framework(cluster.url) as framework:
        launch(framework, one="first", two="second")
        seen = [next_update(framework) for _ in range(6)]

    by_task = {name: [each for each in seen if each["task_id"]["value"] == name] for name in ("one", "two")}
    for name, data in (("one", "first"), ("two", "second")):
        assert [each["state"] for each in by_task[name]] == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
        assert by_task[name][-1]["data"] == encoded(data)
        assert by_task[name][-1]["executor_id"] == {"value": "worker"}
    assert len({each["labels"]["labels"][0]["value"] for each in seen}) == 1


def test_its_environment_is_that_of_mesos(cluster: Cluster) -> None:
    """HT-220 to HT-235: every variable as Mesos spells it; the command's own win."""
    with Framework(cluster.url) as framework:
        agent_id = launch(framework, one="first")
        until(framework, "TASK_FINISHED")
        agent = cluster.agents["agent-1"]
        sandbox = f"/frameworks/{framework.id}/executors/worker/runs/latest"
        with Connection(agent.url) as connection:
            assert connection.send("GET", f"/files/read?path={sandbox}/stdout&offset=0") == 200
            told = json.loads(connection.body()["data"].splitlines()[0])

    endpoint = agent.url.removeprefix("http://")
    expected = {
        "MESOS_FRAMEWORK_ID": framework.id,
        "MESOS_EXECUTOR_ID": "worker",
        "MESOS_SLAVE_ID": agent_id["value"],
        "MESOS_AGENT_ID": agent_id["value"],
        "MESOS_SLAVE_PID": f"slave(1)@{endpoint}",
        "MESOS_AGENT_ENDPOINT": endpoint,
        "MESOS_CHECKPOINT": "0",
        "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "3secs",
        "LIBPROCESS_PORT": "0",
        "OWN": "mine",
    }
    assert {name: told[name] for name in expected} == expected
    assert told["MESOS_DIRECTORY"] == told["MESOS_SANDBOX"]
    assert os.stat(told["MESOS_SANDBOX"]).st_mode & 0o777 == 0o700  # HT-214
    assert "MESOS_RECOVERY_TIMEOUT" not in told


def test_a_kill_and_a_message_reach_it(cluster: Cluster) -> None:
    """HT-202, HT-204, HT-163."""
    with Framework(cluster.url) as framework:
        agent_id = launch(framework, waits="wait")
        until(framework, "TASK_RUNNING")
        body = {"agent_id": agent_id, "executor_id": {"value": "worker"}, "data": encoded("hello")}
        assert framework.call("MESSAGE", **body) == 202
        assert framework.next("MESSAGE") == body
        assert framework.call("KILL", task_id={"value": "waits"}) == 202
        killed = until(framework, "TASK_KILLED")[-1]

    assert killed["source"] == "SOURCE_EXECUTOR"


def test_shut_down_by_its_scheduler_it_ends_and_that_is_told(cluster: Cluster) -> None:
    """SHUTDOWN reaches it; its task has failed, and FAILURE has the wait status (HT-143, HT-164, HT-217, HT-218)."""
    with Framework(cluster.url) as framework:
        agent_id = launch(framework, waits="wait")
        until(framework, "TASK_RUNNING")
        assert framework.call("SHUTDOWN", agent_id=agent_id, executor_id={"value": "worker"}) == 202
        ended = next_update(framework)
        failure = framework.next("FAILURE")

    assert (ended["state"], ended["reason"]) == ("TASK_FAILED", "REASON_EXECUTOR_TERMINATED")
    assert failure == {"agent_id": agent_id, "executor_id": {"value": "worker"}, "status": 0}
    cluster.wait_until(lambda: not cluster.processes("agent-1"), timeout=30)


def test_a_program_that_dies_takes_its_task_with_it(cluster: Cluster) -> None:
    """HT-217: the exit status is told, and what it had running has failed."""
    with Framework(cluster.url) as framework:
        launch(framework, {**EXECUTOR, "command": {"value": "exit 3"}}, t="first")
        failed = next_update(framework)
        failure = framework.next("FAILURE")

    assert failed["state"] == "TASK_FAILED"
    assert "status 3" in failed["message"]
    assert failure["status"] == 3 * 256


DEAF = {
    **EXECUTOR,
    "command": {"value": "trap '' TERM; while true; do sleep 1; done"},
    "shutdown_grace_period": {"nanoseconds": 100_000_000},
}
"""An executor whose connection a test holds, and that does nothing by itself."""


def subscribe_as_executor(framework: Framework, cluster: Cluster) -> Connection:
    """Be the process of that executor, once it has been started, as far as its agent can tell."""
    cluster.wait_until(lambda: cluster.processes("agent-1"), timeout=30)
    of = {"framework_id": {"value": framework.id}, "executor_id": {"value": "worker"}}
    connection = Connection(cluster.agents["agent-1"].url)
    assert connection.send("POST", "/api/v1/executor", {"type": "SUBSCRIBE", **of, "subscribe": {}}) == 200
    return connection


@pytest.mark.parametrize("how", ["crash", "stop"])
def test_with_its_agent_the_stream_of_an_executor_ends(cluster: Cluster, how: str) -> None:
    """HT-59, HT-248, HT-249: with the chunk of length zero, without anybody starting the agent again."""
    agent = cluster.agents["agent-1"]
    with Framework(cluster.url, checkpoint=True) as framework:
        launch(framework, DEAF, waits="wait")
        with subscribe_as_executor(framework, cluster) as connection:
            records = connection.records()
            assert [next(records)["type"], next(records)["type"]] == ["SUBSCRIBED", "LAUNCH"]
            getattr(agent, how)()
            assert list(records) == []


def test_who_does_not_end_in_its_grace_was_killed(cluster: Cluster) -> None:
    """HT-164, HT-320: the status is that of SIGKILL, whoever has sent it."""
    with Framework(cluster.url) as framework:
        agent_id = launch(framework, DEAF, waits="wait")
        with subscribe_as_executor(framework, cluster) as connection:
            next(connection.records())
            assert framework.call("SHUTDOWN", agent_id=agent_id, executor_id={"value": "worker"}) == 202
            failure = framework.next("FAILURE")

    assert failure == {"agent_id": agent_id, "executor_id": {"value": "worker"}, "status": 9}


def test_measurements_say_when_they_were_taken(cluster: Cluster) -> None:
    """HT-354, HT-52: in seconds since 1970, as updates are."""
    with Framework(cluster.url) as framework:
        launch(framework, waits="wait")
        told = until(framework, "TASK_RUNNING")[-1]
        with Connection(cluster.agents["agent-1"].url) as connection:
            assert connection.send("GET", "/monitor/statistics") == 200
            (measured,) = connection.body()

    assert measured["statistics"]["timestamp"] >= told["timestamp"] > 1.4e9


def test_its_sandbox_is_found_where_it_is_said_to_be(cluster: Cluster) -> None:
    """HT-359: under the real path, that with `runs/latest`, and the virtual one; who asks the cluster is sent there."""
    with Framework(cluster.url) as framework:
        launch(framework, one="first")
        until(framework, "TASK_FINISHED")
        with pytest.raises(Refused, match="the `directory` of the executor in its agent's /state"):
            cluster.sandbox("one")
        with Connection(cluster.agents["agent-1"].url) as connection:
            assert connection.send("GET", "/state") == 200
            ((executor,),) = (each["executors"] for each in connection.body()["frameworks"])
            latest = f"{executor['directory'].rpartition('.')[0]}/runs/latest"
            virtual = f"/frameworks/{framework.id}/executors/worker/runs/latest"
            for path in (executor["directory"], latest, virtual):
                assert connection.send("GET", f"/files/browse?path={path}") == 200
                assert [entry["path"] for entry in connection.body()] == [f"{path}/stderr", f"{path}/stdout"]


def test_a_command_task_says_in_which_container_it_runs(cluster: Cluster) -> None:
    """HT-177, HT-350: in updates, and for those who look at the plain endpoints."""
    with Framework(cluster.url) as framework:
        offer = framework.next("OFFERS")["offers"][0]
        task = {"name": "t", "task_id": {"value": "t"}, "agent_id": offer["agent_id"], "resources": NEEDED}
        launch = {"type": "LAUNCH", "launch": {"task_infos": [{**task, "command": {"value": "sleep 100"}}]}}
        framework.call("ACCEPT", offer_ids=[offer["id"]], operations=[launch])
        told = until(framework, "TASK_RUNNING")[-1]["container_status"]
        with Connection(cluster.url) as connection:
            assert connection.send("GET", "/tasks") == 200
            (known,) = connection.body()["tasks"]
        with Connection(cluster.agents["agent-1"].url) as connection:
            assert connection.send("GET", "/containers") == 200
            (container,) = connection.body()

    assert known["statuses"][0]["container_status"] == told == container["status"]
    assert container["container_id"] == told["container_id"]["value"]


def test_where_credentials_are_needed_it_has_a_token() -> None:
    """HT-117, HT-235: the agent gives it one, and takes its calls with it and no others."""
    http = Http(credentials={"me": "secret"})
    authorization = f"Basic {encoded('me:secret')}"
    with Cluster(agents=1, http=http) as cluster:
        with Framework(cluster.url, authorization=authorization) as framework:
            launch(framework, one="first")
            until(framework, "TASK_FINISHED")
        call = {
            "type": "HEARTBEAT",
            "framework_id": {"value": framework.id},
            "executor_id": {"value": "worker"},
        }
        with Connection(cluster.agents["agent-1"].url) as connection:
            assert connection.send("POST", "/api/v1/executor", call) == 401
