"""pymesos 0.3.15, unmodified, as an operator: it posts to api/v1/operator, which leads to api/v1 (HT-10, HT-293)."""

from __future__ import annotations

import signal

import pytest

from mesolite import Cluster
from tests.clients.conftest import Start
from tests.clients.operating import address, call
from tests.clients.running import Program
from tests.clients.test_pymesos import FOR_EVER, scheduler


@pytest.fixture
def operator(cluster: Cluster, start: Start) -> Program:
    """One that has subscribed."""
    program = start("pymesos_operator", "pymesos", master=address(cluster.url))
    program.hears("subscribed")
    return program


@pytest.mark.parametrize(
    ("ask", "result"),
    [
        ("getHealth", "get_health"),
        ("getFlags", "get_flags"),
        ("getVersion", "get_version"),
        ("getState", "get_state"),
        ("getFrameworks", "get_frameworks"),
        ("getExecutors", "get_executors"),
        ("getTasks", "get_tasks"),
        ("getAgents", "get_agents"),
        ("getRoles", "get_roles"),
        ("getMaster", "get_master"),
        ("getMaintenanceStatus", "get_maintenance_status"),
        ("getMaintenanceSchedule", "get_maintenance_schedule"),
    ],
)
def test_it_reads(operator: Program, ask: str, result: str) -> None:
    """Each answer is an object of that name, with the type beside it (HT-252 to HT-270)."""
    operator.order(ask=ask, **{"with": []})
    answer = operator.hears("answer", asked=ask)["answer"]

    assert answer["type"] == result.upper()
    assert isinstance(answer[result], dict)


def test_it_follows_a_framework_and_its_task(cluster: Cluster, operator: Program, start: Start) -> None:
    """Events, after the snapshot, in the order in which things happened (HT-61, HT-295 to HT-298)."""
    program = scheduler(start, cluster.url)
    framework_id = program.hears("registered")["framework_id"]
    added = operator.hears("framework added")["framework"]
    program.order(launch="web", what=FOR_EVER)
    task = operator.hears("task added")["task"]
    operator.hears("task updated", state="TASK_RUNNING")
    program.order(kill="web")
    operator.hears("task updated", state="TASK_KILLED")
    program.order(stop=False)
    removed = operator.hears("framework removed")["framework_info"]

    assert added["framework_info"]["id"] == removed["id"] == {"value": framework_id}
    assert task["task_id"] == {"value": "web"}


def test_it_marks_an_agent_gone(cluster: Cluster, operator: Program) -> None:
    """The answer is empty, and the agent is in the books no more (HT-93, HT-279)."""
    agent_id = cluster.agents["agent-1"].id
    operator.order(ask="markAgentGone", **{"with": [agent_id]})
    answer = operator.hears("answer", asked="markAgentGone")["answer"]
    left = [agent["agent_info"]["id"]["value"] for agent in call(cluster.url, "GET_AGENTS")["agents"]]

    assert answer is None
    assert left == [cluster.agents["agent-2"].id]


def test_it_hears_that_an_agent_has_left(cluster: Cluster, operator: Program) -> None:
    """An agent that says goodbye is removed; one that is gone or unreachable is not said to be (HT-297, OP-16)."""
    agent_id = cluster.agents["agent-1"].id
    cluster.agents["agent-1"].signal(signal.SIGUSR1)

    operator.hears("agent removed", agent_id=agent_id)
