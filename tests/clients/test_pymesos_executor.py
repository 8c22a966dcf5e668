"""pymesos 0.3.15, unmodified, as an executor, in a process that the agent starts (HT-192, HT-211 to HT-249, HT-382)."""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesolite import Cluster
from tests.clients.conftest import Start
from tests.clients.environments import interpreter
from tests.clients.operating import address, get
from tests.clients.running import PATIENCE_S, Program, Teller, gone, named_pipe, python_path
from tests.clients.test_pymesos import scheduler
from tests.project.house_checks import ROOT

PICKLE = base64.b64encode(bytes(range(256))).decode()
LABELS = {"labels": [{"key": "owner", "value": '{"team": "blue"}'}]}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Teller]:
    """What the executor tells."""
    with named_pipe(tmp_path / "told") as teller:
        yield teller


@pytest.fixture
def executor(tmp_path: Path) -> dict[str, Any]:
    """An ExecutorInfo whose command is the client's own Python."""
    environment = {**python_path(), "TELL_TO": str(tmp_path / "told")}
    command = f"exec {shlex.quote(str(interpreter('pymesos')))} -m tests.clients.programs.pymesos_executor"
    return {
        "executor_id": {"value": "worker"},
        "name": "worker",
        "data": PICKLE,
        "labels": LABELS,
        "command": {
            "value": command,
            "environment": {"variables": [{"name": name, "value": value} for name, value in environment.items()]},
        },
    }


def launched(start: Start, cluster: Cluster, executor: dict[str, Any], told: Teller, *task_ids: str) -> Program:
    program = scheduler(start, cluster.url)
    program.hears("registered")
    for task_id in task_ids:
        program.order(launch=task_id, what={"executor": executor, "data": PICKLE, "labels": LABELS})
        program.hears("update", task_id=task_id, state="TASK_RUNNING")
        told.hears("launch")
    return program


def test_it_is_told_who_it_is(cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller) -> None:
    """SUBSCRIBED has all that was sent, and ids in exactly the form in which pymesos compares them (HT-192)."""
    program = launched(start, cluster, executor, told, "one")
    (registered,) = [line for line in told.told if line["event"] == "registered"]
    (launch,) = [line for line in told.told if line["event"] == "launch"]
    framework_id = program.told[0]["framework_id"]

    assert registered["framework"]["id"] == {"value": framework_id}
    assert registered["executor"]["executor_id"] == {"value": "worker"}
    assert registered["executor"]["framework_id"] == {"value": framework_id}
    assert (registered["executor"]["data"], registered["executor"]["labels"]) == (PICKLE, LABELS)
    assert (launch["task"]["data"], launch["task"]["labels"]) == (PICKLE, LABELS)  # HT-46
    assert launch["task"]["task_id"] == {"value": "one"}


def test_its_process_is_as_executors_expect_it(
    cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller
) -> None:
    """The agent's address, durations with units, the sandbox as the working directory, a group of its own."""
    program = launched(start, cluster, executor, told, "one")
    (registered,) = [line for line in told.told if line["event"] == "registered"]
    environment = registered["environment"]
    agent_id = program.told[-1]["agent_id"]
    (agent,) = [agent for agent in cluster.agents.values() if agent.id == agent_id]

    assert environment["MESOS_AGENT_ENDPOINT"] == address(agent.url)  # HT-229
    assert environment["MESOS_SLAVE_ID"] == agent_id  # HT-226
    assert environment["MESOS_EXECUTOR_ID"] == "worker"  # HT-223
    assert environment["MESOS_CHECKPOINT"] in ("0", "1")  # HT-230
    assert environment["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"].endswith(("ms", "secs"))  # HT-242
    assert registered["folder"] == os.path.realpath(environment["MESOS_DIRECTORY"])  # HT-214, HT-224
    assert registered["group"] not in (os.getpgid(0), os.getpgid(os.getppid()))  # HT-212


def test_several_tasks_share_one_process(
    cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller
) -> None:
    """The same executor id is the same process, and each of its tasks is launched once (HT-208, HT-211)."""
    launched(start, cluster, executor, told, "one", "two", "three")
    launches = [line["task"]["task_id"]["value"] for line in told.told if line["event"] == "launch"]

    assert len([line for line in told.told if line["event"] == "registered"]) == 1
    assert launches == ["one", "two", "three"]


@pytest.mark.parametrize("length", [1, 3000, 200_000])
def test_messages_go_both_ways(
    cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller, length: int
) -> None:
    """MESSAGE carries any bytes, from a few to more than any buffer (HT-146, HT-163, HT-204)."""
    said = os.urandom(length)
    program = launched(start, cluster, executor, told, "one")
    agent_id = program.told[-1]["agent_id"]
    program.order(say=base64.b64encode(said).decode(), executor_id="worker", agent_id=agent_id)
    answer = program.hears("message")

    assert base64.b64decode(answer["data"]) == said[::-1]
    assert (answer["executor_id"], answer["agent_id"]) == ("worker", agent_id)


def test_a_kill_reaches_it_and_its_last_words_the_scheduler(
    cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller
) -> None:
    """The executor says when a task is killed; labels and data of its update arrive as they are (HT-178, HT-202)."""
    program = launched(start, cluster, executor, told, "one", "two")
    program.order(kill="one")
    told.hears("kill", task_id="one")
    status = program.hears("update", task_id="one", state="TASK_KILLED")["status"]

    assert status["labels"] == {"labels": [{"key": "result", "value": '{"left": 7}'}]}
    assert base64.b64decode(status["data"]) == b"\0\xff"
    assert status["message"] == "as you like"
    assert status["executor_id"] == {"value": "worker"}  # pymesos sends none
    assert status["source"] == "SOURCE_EXECUTOR"
    assert program.states("two") == ["TASK_RUNNING"]


def test_a_teardown_shuts_it_down(cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller) -> None:
    """SHUTDOWN is an event that it hears, and then its process ends (HT-205, HT-218)."""
    program = launched(start, cluster, executor, told, "one")
    (registered,) = [line for line in told.told if line["event"] == "registered"]
    program.order(stop=False)
    program.no_more_orders()
    told.hears("shutdown")

    assert gone(registered["pid"])


def test_its_end_is_told_with_a_wait_status(
    cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller
) -> None:
    """FAILURE has the status, which pymesos requires, and its tasks are failed (HT-164, HT-217)."""
    program = launched(start, cluster, executor, told, "one")
    agent_id = program.told[-1]["agent_id"]
    program.order(say=base64.b64encode(b"exit 3").decode(), executor_id="worker", agent_id=agent_id)
    told.hears("message")
    ends = {line["event"]: line for line in (program.hears_any("update", "executor lost") for _ in range(2))}

    assert ends["update"]["state"] == "TASK_FAILED"
    assert ends["update"]["status"]["reason"] == "REASON_EXECUTOR_TERMINATED"
    assert os.waitstatus_to_exitcode(ends["executor lost"]["status"]) == 3


def test_what_it_prints_is_in_its_sandbox(
    cluster: Cluster, start: Start, executor: dict[str, Any], told: Teller
) -> None:
    """The agent lists the executor with a directory, whose `stderr` has what pymesos logs (HT-213, HT-352, HT-357)."""
    program = launched(start, cluster, executor, told, "one")
    agent_id = program.told[-1]["agent_id"]
    (agent,) = [agent for agent in cluster.agents.values() if agent.id == agent_id]
    (framework,) = get(agent.url, "state")["frameworks"]
    (known,) = framework["executors"]

    assert known["id"] == "worker"
    assert {path.name for path in Path(known["directory"]).iterdir()} >= {"stdout", "stderr"}


def test_the_example_prints_squares() -> None:
    """examples/pymesos_over_http.py, where both pymesos and Mesolite can be imported."""
    both = {**os.environ, "PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
    command = [interpreter("pymesos"), "examples/pymesos_over_http.py"]
    done = subprocess.run(command, cwd=ROOT, env=both, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        *(f"square-{number} TASK_FINISHED" for number in (1, 2, 3, 4)),
        "squares: 1 4 9 16",
    ]
