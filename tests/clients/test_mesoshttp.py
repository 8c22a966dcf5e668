"""mesoshttp 0.4.2 and its descendant avmesos 0.4.2, unmodified: both read streams by lines (HT-48, HT-67, HT-385).

They deliver a record when the next one begins, so here most things wait for a heartbeat, of which there are many.
"""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Cluster
from tests.clients.conftest import OFTEN, Start
from tests.clients.operating import get
from tests.clients.running import PATIENCE_S, Program

FOR_EVER = {"command": {"value": "sleep 100000"}}
CLIENTS = ["mesoshttp", "avmesos"]


def scheduler(start: Start, client: str, *masters: str, **given: Any) -> Program:
    return start("mesoshttp_scheduler", client, client=client, masters=masters, **given)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_command_runs_and_is_killed(cluster: Cluster, start: Start, client: str) -> None:
    """Subscribed, offered, launched (with a field of old beside agent_id), acknowledged, killed, and torn down."""
    program = scheduler(start, client, cluster.url)
    subscribed = program.hears("subscribed")
    program.order(launch="web", what=FOR_EVER)
    running = program.hears("update", task_id="web", state="TASK_RUNNING")
    program.order(kill="web", agent_id=running["status"]["agent_id"]["value"])
    program.hears("update", task_id="web", state="TASK_KILLED")
    program.order(stop=True)
    program.no_more_orders()
    state = get(cluster.url, "state")

    assert subscribed["stream_id"]  # HT-125
    assert subscribed["master"]["port"] == int(cluster.url.rpartition(":")[2])  # HT-126
    assert program.states("web") == ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLED"]
    assert "heartbeat" in {line["event"] for line in program.told}  # HT-64
    assert state["frameworks"] == []
    assert [framework["id"] for framework in state["completed_frameworks"]] == [subscribed["framework_id"]]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_framework_without_a_timeout_is_gone_with_its_stream(cluster: Cluster, start: Start, client: str) -> None:
    """Neither client states a failover timeout unless told, so what it ran ends with its process (HT-60, HT-183)."""
    program = scheduler(start, client, cluster.url)
    program.hears("subscribed")
    program.process.kill()
    cluster.wait_until(lambda: not get(cluster.url, "frameworks")["frameworks"], PATIENCE_S)

    assert len(get(cluster.url, "frameworks")["completed_frameworks"]) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_it_comes_back_with_its_id(cluster: Cluster, start: Start, client: str) -> None:
    """With a failover timeout its task goes on, and its next process may reconcile and kill it (HT-129, HT-186)."""
    first = scheduler(start, client, cluster.url, failover_timeout_s=600)
    framework_id = first.hears("subscribed")["framework_id"]
    first.order(launch="web", what=FOR_EVER)
    first.hears("update", task_id="web", state="TASK_RUNNING")
    first.order(leave=True)
    first.no_more_orders()

    second = scheduler(start, client, cluster.url, failover_timeout_s=600, framework_id=framework_id)
    again = second.hears("subscribed")["framework_id"]
    second.order(reconcile=["web"])
    status = second.hears("update", task_id="web", state="TASK_RUNNING")["status"]
    second.order(kill="web", agent_id=status["agent_id"]["value"])
    second.hears("update", task_id="web", state="TASK_KILLED")

    assert again == framework_id


@pytest.mark.parametrize("client", CLIENTS)
def test_a_refusal_is_told_before_the_stream_ends(cluster: Cluster, start: Start, client: str) -> None:
    """An id that was torn down gets an ERROR, which only the proper end of the stream delivers (HT-59, HT-128)."""
    first = scheduler(start, client, cluster.url)
    framework_id = first.hears("subscribed")["framework_id"]
    first.order(stop=True)
    first.no_more_orders()

    second = scheduler(start, client, cluster.url, framework_id=framework_id)
    error = second.hears("error")

    assert "removed" in error["message"].lower()


@pytest.mark.parametrize("client", CLIENTS)
def test_it_works_through_a_standby(start: Start, client: str) -> None:
    """It follows redirects, for each call anew: it goes on to talk to the master that it was given (HT-97)."""
    with Cluster(agents=1, masters=2, http=True, settings=OFTEN) as cluster:
        (standby,) = [master for master in cluster.masters.values() if not master.leading]
        program = scheduler(start, client, standby.url)
        program.hears("subscribed")
        program.order(launch="good", what={"command": {"value": "exit 0"}})
        program.hears("update", task_id="good", state="TASK_FINISHED")
        program.order(stop=True)
        program.no_more_orders()

        assert program.states("good") == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
