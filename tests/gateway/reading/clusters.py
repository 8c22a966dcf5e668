"""A small cluster as a leader knows it, an agent as it knows itself, and what no answer may hold."""

from __future__ import annotations

import json
from typing import Any

from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.v1.framing import to_json
from mesolite.gateway.v1.writing import Epoch
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.maintenance import MachineId, Unavailability, Window
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.resources import Resources
from mesolite.messages.snapshot import (
    AgentHoldings,
    AgentSnapshot,
    ClusterSnapshot,
    ExecutorSnapshot,
    FrameworkSnapshot,
    HeldExecutor,
    HeldFramework,
    HeldTask,
    TaskSnapshot,
)
from mesolite.messages.tasks import CommandInfo, ExecutorInfo, Source, TaskInfo, TaskState, TaskStatus, Uri

EPOCH = Epoch(1000.0)
ADDRESSES = {"master-1": Address("m.example", "127.0.0.1", 5050), "master-2": Address("n.example", "127.0.0.2", 5051)}
SETTINGS = {"cluster": "small", "quorum": "1"}

LABELS = {"labels": [{"key": "tier", "value": "front"}]}
DISCOVERY = {"visibility": "CLUSTER", "name": "web"}
CONTAINER = {"type": "MESOS"}

TASK_JSON = json.dumps(
    {
        "name": "web",
        "task_id": {"value": "t1"},
        "agent_id": {"value": "S1"},
        "labels": LABELS,
        "discovery": DISCOVERY,
        "container": CONTAINER,
        "health_check": {"type": "COMMAND"},
        "kill_policy": {"grace_period": {"nanoseconds": 5}},
        "limits": {"mem": {"value": float("inf")}},
        "executor": {"executor_id": {"value": "e1"}, "command": {"value": "./run", "user": "carla"}},
        "max_completion_time": {"nanoseconds": 7},
    }
)
"""What the framework has sent of its task; the last field is none of a Task's."""

SAID_JSON = json.dumps(
    {
        "labels": LABELS,
        "healthy": True,
        "container_status": {
            "container_id": {"value": "c1"},
            "executor_pid": 7,
            "network_infos": [{"ip_addresses": [{"ip_address": "10.0.0.1"}], "labels": LABELS}],
        },
    }
)
"""What an executor has said beside a state."""

EXECUTOR = ExecutorInfo(
    executor_id="e1",
    name="runner",
    framework_id="F1",
    resources="cpus:0.5",
    command=CommandInfo(
        value="./run", shell=False, arguments=("-v",), environment={"A": "b"}, uris=(Uri(value="/x", executable=True),)
    ),
    v1_json=json.dumps(
        {"executor_id": {"value": "e1"}, "name": "runner", "type": "CUSTOM", "source": "there", "labels": LABELS}
    ),
)

AGENT = AgentInfo(
    hostname="a.example",
    ip="10.0.0.1",
    port=5051,
    id="S1",
    resources="cpus:4;mem:1024;ports:[31000-31999,32005-32005];zones:{b,a};licences:2",
    attributes=(("rack", "1"), ("os", "linux"), ("rack", "2")),
)

DRAIN = DrainInfo(
    id="d1",
    agent_id="S1",
    state=DrainState.DRAINING,
    config=DrainConfig(max_grace_period_s=30.0, mark_gone=True),
    started_at=9.0,
)


def status(state: TaskState, timestamp: float, **more: Any) -> TaskStatus:
    return TaskStatus(
        task_id="t1", state=state, source=Source.SOURCE_EXECUTOR, timestamp=timestamp, agent_id="S1", data=b"x", **more
    )


def task(task_id: str, state: TaskState = TaskState.TASK_RUNNING, **more: Any) -> TaskSnapshot:
    given = {
        "task_id": task_id,
        "name": "web",
        "framework_id": "F1",
        "agent_id": "S1",
        "executor_id": None,
        "resources": Resources.parse("cpus:1;mem:64;ports:[31000-31001]"),
    }
    return TaskSnapshot(**(given | {"state": state} | more))


RUNNING = task(
    "t1",
    executor_id="e1",
    statuses=(
        status(TaskState.TASK_STARTING, 4.0),
        status(TaskState.TASK_RUNNING, 5.0, uuid="u1", v1_json=SAID_JSON),
    ),
    status_update_state=TaskState.TASK_RUNNING,
    status_update_uuid="u1",
    v1_json=TASK_JSON,
)

OFFER = Offer(
    id="O1",
    framework_id="F1",
    agent_id="S1",
    hostname="a.example",
    resources=Resources.parse("cpus:2;mem:128"),
    role="web",
    ip="10.0.0.1",
    port=5051,
)

REMOTE = FrameworkInfo(
    name="remote",
    id="F1",
    user="carla",
    principal="p",
    role="web",
    failover_timeout_s=60.0,
    checkpoint=True,
    capabilities=(Capability.PARTITION_AWARE,),
    v1_json=json.dumps(
        {
            "name": "remote",
            "user": "carla",
            "role": "web",
            "hostname": "f.example",
            "webui_url": "http://f.example/",
            "labels": LABELS,
            "capabilities": [{"type": "PARTITION_AWARE"}, {"type": "REGION_AWARE"}],
        }
    ),
)
"""A framework that came by HTTP, with a capability that nothing here knows."""

LOCAL = FrameworkInfo(name="local", id="F2", user="", role="*")
ENDED = FrameworkInfo(name="ended", id="F0", user="", role="old")


def cluster(**changed: Any) -> ClusterSnapshot:
    given: dict[str, Any] = {
        "master": MasterInfo(name="master-1", term=3),
        "started_at": 1.0,
        "elected_at": 2.0,
        "agents": (
            AgentSnapshot(
                info=AGENT,
                name="agent-1",
                connected=True,
                active=True,
                deactivated=False,
                registered_at=3.0,
                used=(("F1", Resources.parse("cpus:1.5;mem:64;ports:[31000-31001]")),),
                offered=(("F1", OFFER.resources),),
            ),
            AgentSnapshot(
                info=AgentInfo(hostname="b.example", ip="10.0.0.2", port=5051, id="S2", resources="cpus:4"),
                name="agent-2",
                connected=False,
                active=False,
                deactivated=True,
                registered_at=3.0,
                reregistered_at=8.0,
                drain=DRAIN,
            ),
        ),
        "recovered_agents": (AgentInfo(hostname="c.example", id="S3", resources="cpus:1"),),
        "unreachable_agents": (("S4", 6.0),),
        "frameworks": (
            FrameworkSnapshot(
                info=REMOTE,
                connected=True,
                active=True,
                recovered=False,
                registered_at=3.5,
                reregistered_at=4.5,
                tasks=(RUNNING, task("t2", TaskState.TASK_STAGING)),
                unreachable_tasks=(task("t3", TaskState.TASK_UNREACHABLE, agent_id="S4"),),
                completed_tasks=(task("t4", TaskState.TASK_FINISHED),),
                offers=(OFFER,),
                inverse_offers=(
                    InverseOffer(id="O2", framework_id="F1", agent_id="S2", unavailability=Unavailability(start=50.0)),
                ),
            ),
            FrameworkSnapshot(info=LOCAL, connected=False, active=False, recovered=True, registered_at=3.5),
        ),
        "completed_frameworks": (
            FrameworkSnapshot(
                info=ENDED,
                connected=False,
                active=False,
                recovered=False,
                registered_at=3.5,
                unregistered_at=7.0,
                completed_tasks=(task("t0", TaskState.TASK_KILLED, framework_id="F0"),),
            ),
        ),
        "executors": (ExecutorSnapshot(agent_id="S1", framework_id="F1", info=EXECUTOR),),
        "windows": (
            Window(
                machines=(MachineId(hostname="b.example", ip="10.0.0.2"), MachineId(hostname="d.example")),
                unavailability=Unavailability(start=50.0, duration_s=60.0),
            ),
        ),
        "down_machines": (MachineId(hostname="d.example"),),
        "maintenance": {
            "draining_machines": [
                {
                    "hostname": "b.example",
                    "ip": "10.0.0.2",
                    "agents": [
                        {
                            "id": "S2",
                            "answers": [
                                {
                                    "framework_id": "F1",
                                    "status": "ACCEPT",
                                    "timestamp": 10.0,
                                    "reason": "",
                                    "returning": [],
                                }
                            ],
                        }
                    ],
                }
            ],
            "down_machines": [{"hostname": "d.example", "ip": ""}],
        },
        "counters": {"tasks_lost": 2, "slave_removals_reason_unhealthy": 1, "outstanding_registry_writes": 1},
    }
    return ClusterSnapshot(**(given | changed))


EMPTY = ClusterSnapshot(master=MasterInfo(name="master-1", term=1), started_at=1.0, elected_at=2.0)


def held(task_id: str, state: TaskState, *, delivered: bool = True, **more: Any) -> HeldTask:
    given = {"task_id": task_id, "name": "web", "agent_id": "S1", "resources": "cpus:1"}
    return HeldTask(info=TaskInfo(**(given | more)), state=state, delivered=delivered)


HOLDINGS = AgentHoldings(
    info=AGENT,
    recovering=False,
    registered=True,
    leader="master-1",
    frameworks=(
        HeldFramework(
            info=REMOTE,
            executors=(
                HeldExecutor(
                    executor_id="e1",
                    info=EXECUTOR,
                    actor="executor-1",
                    container_id="c1",
                    sandbox="/work/S1/F1/e1.1-1",
                    running=True,
                    tasks=(
                        held("t1", TaskState.TASK_RUNNING, executor=EXECUTOR, v1_json=TASK_JSON),
                        held("t2", TaskState.TASK_STAGING, delivered=False, executor=EXECUTOR, v1_json=TASK_JSON),
                        held("t3", TaskState.TASK_FAILED, executor=EXECUTOR),
                    ),
                ),
                HeldExecutor(
                    executor_id="t9",
                    info=None,
                    actor="executor-2",
                    container_id="c2",
                    sandbox="/work/S1/F1/t9.1-2",
                    running=False,
                    tasks=(held("t9", TaskState.TASK_STAGING, delivered=False, command="sleep 9"),),
                ),
            ),
        ),
    ),
)

STATISTICS = {"c1": {"timestamp": 1.0, "mem_rss_bytes": 5}}


def check_strict(answer: Any, *, v1: bool = True) -> None:
    """No null, nothing but JSON's types, ASCII on one line; v1 has no empty messages and no slaves (HT-43 to HT-49)."""
    spelt = to_json(answer)
    assert spelt.isascii()
    assert b"\n" not in spelt
    assert json.loads(spelt) == json.loads(json.dumps(answer).replace("Infinity", '"Infinity"'))
    _check(answer, v1, "answer")
    assert not v1 or b"slave" not in spelt.replace(b"slave(1)", b"").lower()


def _check(value: Any, v1: bool, where: str) -> None:
    assert value is not None, f"null at {where}"
    if isinstance(value, dict):
        assert value or not v1, f"empty message at {where}"
        for name, inner in value.items():
            assert isinstance(name, str), f"{name!r} at {where}"
            _check(inner, v1, f"{where}.{name}")
    elif isinstance(value, list):
        for inner in value:
            _check(inner, v1, f"{where}[]")
    else:
        assert isinstance(value, str | int | float), f"{value!r} at {where}"
