"""What an operator calls of an agent, and its plain endpoints (docs/spec/http.md sections 10 and 12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesolite.actors.decisions.contract import Exit, PeerExited, Send, Started
from mesolite.gateway.agent_endpoint import AgentEndpointCore
from mesolite.gateway.authentication import Authentication
from mesolite.gateway.effects import Write
from mesolite.gateway.endpoint import EndpointFacts
from mesolite.gateway.events import RequestCame
from mesolite.gateway.exchange import Request, StreamBegun, StreamEnded
from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.refusals import JSON as TYPED_JSON
from mesolite.gateway.v1.writing import Epoch
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from mesolite.messages.queries import QueryAnswered
from mesolite.messages.remote import StreamLost
from mesolite.messages.snapshot import AgentHoldings, HeldExecutor, HeldFramework
from mesolite.messages.tasks import CommandInfo, ExecutorInfo
from tests.gateway.calling import EXECUTOR, JSON, OPERATOR, Process, World, an_id, with_process

RECORDIO = "application/recordio"


@pytest.fixture
def process() -> Process:
    """A process that runs task t1, beside a command task t2."""
    process = with_process()
    process.subscribe()
    process.update("t1")
    process.world.sim.advance(10.0)
    process.framework.launch("t2")
    process.framework.acknowledge_all()
    return process


def test_an_agent_answers_what_a_master_answers(process: Process) -> None:
    """HT-304: its health, its version, its settings, what it counts, how it logs."""
    world, agent = process.world, process.agent

    assert world.read("GET_HEALTH", to=agent) == {"healthy": True}
    assert world.read("GET_VERSION", to=agent) == world.read("GET_VERSION")
    assert world.read("GET_FLAGS", to=agent)["flags"]
    metrics = world.read("GET_METRICS", {"timeout": {"nanoseconds": 1}}, to=agent)["metrics"]
    assert all(metric["name"].startswith(("slave/", "system/", "containerizer/")) for metric in metrics)
    assert world.read("GET_LOGGING_LEVEL", to=agent) == {"level": 0}
    assert world.operate("SET_LOGGING_LEVEL", {"level": 1, "duration": {"nanoseconds": 1}}, to=agent).status == 200
    assert world.operate("LIST_FILES", {"path": "/nowhere"}, to=agent).status == 404
    assert world.operate("READ_FILE", {"path": "/nowhere", "offset": 0}, to=agent).status == 404


def test_an_agent_tells_what_it_has(process: Process) -> None:
    """HT-305 to HT-310: itself, its frameworks, executors, tasks and containers."""
    world, agent, framework_id = process.world, process.agent, process.framework.id

    assert world.read("GET_AGENT", to=agent)["agent_info"]["id"] == an_id(str(agent.id))
    (framework,) = world.read("GET_FRAMEWORKS", to=agent)["frameworks"]
    assert framework["framework_info"]["id"] == framework_id
    executors = [one["executor_info"]["executor_id"] for one in world.read("GET_EXECUTORS", to=agent)["executors"]]
    assert an_id("e1") in executors
    tasks = world.read("GET_TASKS", to=agent)["launched_tasks"]
    assert sorted(task["task_id"]["value"] for task in tasks) == ["t1", "t2"]
    containers = world.read("GET_CONTAINERS", {"show_nested": True}, to=agent)["containers"]
    assert sorted(container["executor_id"]["value"] for container in containers) == ["e1", "t2"]
    state = world.read("GET_STATE", to=agent)
    assert state.keys() == {"get_tasks", "get_executors", "get_frameworks"}


@pytest.mark.parametrize("kind", ["GET_OPERATIONS", "GET_RESOURCE_PROVIDERS"])
def test_of_what_there_is_not_there_is_none(process: Process, kind: str) -> None:
    """HT-311."""
    assert all(held == [] for held in process.world.read(kind, to=process.agent).values())


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("PRUNE_IMAGES", {}),
        ("MARK_RESOURCE_PROVIDER_GONE", {"resource_provider_id": an_id("r")}),
        ("LAUNCH_NESTED_CONTAINER", {"container_id": an_id("c")}),
        ("ATTACH_CONTAINER_OUTPUT", {"container_id": an_id("c")}),
        ("WAIT_CONTAINER", {"container_id": an_id("c")}),
        ("KILL_CONTAINER", {"container_id": an_id("c")}),
        ("REMOVE_CONTAINER", {"container_id": an_id("c")}),
    ],
)
def test_containers_within_containers_are_said_not_to_be(process: Process, kind: str, body: Any) -> None:
    """HT-319: 501, with a word that says what does not exist here."""
    answer = process.world.operate(kind, body, to=process.agent)

    assert answer.status == 501
    assert b"there are no such things here" in answer.body


def test_who_asks_for_records_is_told_that_there_are_none() -> None:
    """HT-302: a streaming Accept on a call that does not stream is 406, as is Message-Accept without one."""
    world = World()
    call = json.dumps({"type": "GET_HEALTH"}).encode()

    for more in ({"Accept": RECORDIO}, {"Accept": RECORDIO, "Message-Accept": "application/json"}):
        assert world.send("POST", OPERATOR, call, {**JSON, **more}, to=world.agent()).status == 406
    assert world.send("POST", OPERATOR, call, {**JSON, "Message-Accept": "*/*"}, to=world.agent()).status == 406


def test_who_accepts_json_beside_records_gets_json() -> None:
    """HT-303."""
    world = World()
    call = json.dumps({"type": "GET_HEALTH"}).encode()
    answer = world.send("POST", OPERATOR, call, {**JSON, "Accept": f"{RECORDIO}, application/json"}, to=world.agent())

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


def test_records_are_not_sent_where_a_call_is_due() -> None:
    """HT-301: 415, as is Message-Content-Type beside JSON."""
    world = World()
    call = json.dumps({"type": "GET_HEALTH"}).encode()

    for headers in (
        {"Content-Type": RECORDIO},
        {"Content-Type": RECORDIO, "Message-Content-Type": "application/json"},
        {**JSON, "Message-Content-Type": "application/json"},
    ):
        assert world.send("POST", OPERATOR, call, headers, to=world.agent()).status == 415


@pytest.mark.parametrize("path", ["/state", "/containers", "/monitor/statistics", "/health", "/version", "/flags"])
def test_the_plain_endpoints_answer(process: Process, path: str) -> None:
    """HT-352 to HT-355: in JSON, but for `health`, which has nothing to say (HT-328)."""
    answer = process.world.get(path, to=process.agent)

    assert answer.status == 200
    if path == "/health":
        assert (answer.body, answer.headers) == (b"", {})
    else:
        assert answer.headers["content-type"] == "application/json"
        assert answer.json is not None


def test_the_old_state_has_frameworks_executors_and_tasks(process: Process) -> None:
    """HT-352: as old tools read it."""
    state = process.world.get("/slave(1)/state", to=process.agent).json
    (framework,) = state["frameworks"]

    assert (state["id"], framework["id"]) == (process.agent.id, process.framework.id["value"])
    tasks = {executor["id"]: [task["id"] for task in executor["tasks"]] for executor in framework["executors"]}
    assert tasks == {"e1": ["t1"], "t2": ["t2"]}


def test_a_container_is_called_the_same_everywhere(process: Process) -> None:
    """HT-192, HT-374: in SUBSCRIBED, updates and all that can be read; it may stand in paths, so without a slash."""
    world, agent = process.world, process.agent
    (subscribed,) = process.heard("SUBSCRIBED")
    told = subscribed["container_id"]["value"]
    (framework,) = world.get("/state", to=agent).json["frameworks"]

    assert "/" not in told
    assert {each["executor_id"]: each["container_id"] for each in world.get("/containers", to=agent).json}["e1"] == told
    assert {each["id"]: each["container"] for each in framework["executors"]}["e1"] == told
    said = [each for each in process.framework.statuses if each["task_id"] == an_id("t1")]
    assert said
    assert all(status["container_status"]["container_id"] == an_id(told) for status in said)


def test_an_agent_tells_what_was_said_of_its_tasks(process: Process) -> None:
    """HT-309, HT-350, HT-352: while they run and when they have ended, and in which container."""
    world, agent = process.world, process.agent
    running = world.read("GET_TASKS", to=agent)["launched_tasks"]
    process.update("t1", "TASK_FINISHED", uuid="/////////////////////w==", data="AAECAw==")
    process.framework.acknowledge_all()
    ended = world.read("GET_TASKS", to=agent)["completed_tasks"]
    (framework,) = world.get("/state", to=agent).json["frameworks"]
    old = {task["id"]: task for each in framework["executors"] for task in each["tasks"] + each["completed_tasks"]}

    said = {task["name"]: [status["state"] for status in task["statuses"]] for task in running}
    assert said == {"t1": ["TASK_RUNNING"], "t2": ["TASK_STARTING", "TASK_RUNNING"]}
    assert [status["state"] for status in ended[0]["statuses"]] == ["TASK_RUNNING", "TASK_FINISHED"]
    assert all("data" not in status for status in ended[0]["statuses"])
    for task in old.values():
        assert task["statuses"][0].keys() >= {"state", "timestamp", "container_status"}
    assert [status["state"] for status in old["t1"]["statuses"]] == ["TASK_RUNNING", "TASK_FINISHED"]


def test_what_was_said_and_is_not_acknowledged_is_known_to_a_restarted_agent() -> None:
    """HT-309, HT-251: it was stored."""
    process = with_process(failover_timeout=600, checkpoint=True)
    process.subscribe()
    process.update("t1")
    process.agent.crash()
    process.agent.restart()
    process.world.sim.settle()
    process.subscribe()
    process.world.sim.advance(5.0)

    (task,) = process.world.read("GET_TASKS", to=process.agent)["launched_tasks"]
    assert [status["state"] for status in task["statuses"]] == ["TASK_RUNNING"]


def test_a_container_can_be_chosen(process: Process) -> None:
    """HT-353: by its id; an unknown one is none."""
    world, agent = process.world, process.agent
    one, other = world.get("/containers", to=agent).json

    assert world.get(f"/containers?container_id={one['container_id']}", to=agent).json == [one]
    assert one["container_id"] != other["container_id"]
    assert world.get("/containers?container_id=x", to=agent).json == []


def test_tools_find_the_sandbox_of_a_run_by_its_ids(process: Process) -> None:
    """Toil and task-processing look through this for the path that names agent, framework, executor or container."""
    world, agent = process.world, process.agent
    (container, *_) = [one for one in world.get("/containers", to=agent).json if one["executor_id"] == "e1"]
    attached = world.get("/files/debug", to=agent).json

    named = (
        f"/slaves/{agent.id}/frameworks/{process.framework.id['value']}/executors/e1/runs/{container['container_id']}"
    )
    (executor,) = [
        one
        for framework in world.get("/state", to=agent).json["frameworks"]
        for one in framework["executors"]
        if one["id"] == "e1"
    ]
    assert attached[named] == executor["directory"]
    assert world.get("/files/debug").json == {}


@pytest.mark.parametrize("path", ["/files/browse", "/files/read", "/files/download"])
def test_files_need_a_path(process: Process, path: str) -> None:
    """HT-364: without one 400; one that is nowhere is 404."""
    world, agent = process.world, process.agent

    assert world.get(path, to=agent).status == 400
    assert world.get(f"{path}?path=", to=agent).status == 400
    assert world.get(f"{path}?path=/nowhere&offset=0", to=agent).status == 404
    assert world.get(f"{path}?path=/../../etc/passwd&offset=0", to=agent).status in (400, 404)


@pytest.mark.parametrize("query", ["offset=x", "offset=-2", "offset=0&length=x", "offset=0&length=-2"])
def test_a_place_in_a_file_is_a_number(process: Process, query: str) -> None:
    """HT-364: 400."""
    assert process.world.get(f"/files/read?path=/slave/log&{query}", to=process.agent).status == 400


def test_what_is_measured_may_take_its_time() -> None:
    """HT-355, HT-330: a timeout must be a duration. HT-331: for Prometheus, too."""
    world = World()
    assert b"mesos_slave_registered 1.0\n" in world.get("/metrics", to=world.agent()).body

    assert world.get("/metrics/snapshot?timeout=5secs", to=world.agent()).status == 200
    assert world.get("/metrics/snapshot?timeout=5", to=world.agent()).status == 400
    assert world.get("/metrics/snapshot?timeout=x").status == 400


def test_who_has_no_answer_when_the_agent_goes_gets_an_empty_stream() -> None:
    """HT-59: nobody waits for ever, and the executor does not take a stream for open that has ended."""
    core = AgentEndpointCore(
        EndpointFacts(
            daemon="agent-1",
            address=Address("127.0.0.1", "127.0.0.1", 5051),
            epoch=Epoch(0.0),
            authentication=Authentication(None),
            tokens=None,
            flags={},
            heartbeat_s=15.0,
        ),
        {},
    )
    info = ExecutorInfo(executor_id="e1", command=CommandInfo(value="./executor"))
    executor = HeldExecutor(
        executor_id="e1", info=info, actor="agent-1/F1/e1", container_id="c1", sandbox="/s", running=False
    )
    framework = HeldFramework(info=FrameworkInfo(name="web", id="F1"), executors=(executor,))
    agent = AgentInfo(hostname="h", resources="cpus:1", id="S1")
    holdings = AgentHoldings(info=agent, recovering=False, registered=True, leader="", frameworks=(framework,))
    call = {"type": "SUBSCRIBE", "framework_id": an_id("F1"), "executor_id": an_id("e1"), "subscribe": {}}
    request = Request(method="POST", path=EXECUTOR, headers=tuple(JSON.items()), body=json.dumps(call).encode())
    core.handle(Started("agent-1/http", 1), "", 0.0)
    core.handle(RequestCame(7, request), "http", 0.0)
    core.handle(QueryAnswered(call_id=1, holdings=holdings), "agent-1", 0.0)

    assert core.handle(PeerExited("agent-1", 1), "agent-1", 1.0) == [
        Write(7, StreamBegun(headers=TYPED_JSON)),
        Write(7, StreamEnded()),
        Send("agent-1/F1/e1", StreamLost(number=7)),
        Exit("its daemon has ended"),
    ]
