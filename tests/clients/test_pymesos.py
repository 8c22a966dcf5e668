"""pymesos 0.3.15, unmodified, as a scheduler: commands, kills, failover, standby masters, and a drain (HT-382)."""

from __future__ import annotations

import getpass
from typing import Any

import pytest

from mesolite import Cluster
from tests.clients.conftest import Start
from tests.clients.operating import address, agent_of, call, get
from tests.clients.running import PATIENCE_S, Program

FOR_EVER = {"command": {"value": "sleep 100000"}}
ENDED_WELL = ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]


def framework(name: str = "ordered", **more: Any) -> dict[str, Any]:
    return {"user": getpass.getuser(), "name": name, **more}


def scheduler(start: Start, master_url: str, environment: str = "pymesos", **given: Any) -> Program:
    given.setdefault("framework", framework())
    return start("pymesos_scheduler", environment, master=address(master_url), **given)


@pytest.mark.parametrize("environment", ["pymesos", "pymesos-compiled"])
def test_commands_run_to_their_ends(cluster: Cluster, start: Start, environment: str) -> None:
    """With either of its parsers: three callbacks for each task, each once, in order (HT-57, HT-161, HT-180)."""
    program = scheduler(start, cluster.url, environment)
    program.hears("registered")
    for task_id, value in (("good", "exit 0"), ("bad", "exit 3"), ("says", "echo hello")):
        program.order(launch=task_id, what={"command": {"value": value}})
    for _ in range(9):
        program.hears("update")
    program.order(stop=False)
    program.no_more_orders()

    assert program.states("good") == program.states("says") == ENDED_WELL
    assert program.states("bad") == ["TASK_STARTING", "TASK_RUNNING", "TASK_FAILED"]
    assert (cluster.sandbox("says") / "stdout").read_text() == "hello\n"


def test_what_it_registers_with(cluster: Cluster, start: Start) -> None:
    """The version, asked for beforehand, is numbers and dots, and the id is the master's own (HT-126, HT-327)."""
    program = scheduler(start, cluster.url)
    registered = program.hears("registered")
    offer = program.hears("offers")["offers"][0]

    version = registered["master"]["version"]
    (known,) = get(cluster.url, "frameworks")["frameworks"]

    assert tuple(map(int, version.split("."))) >= (1, 11, 0)
    assert known["id"] == registered["framework_id"]
    assert known["failover_timeout"] == 100  # HT-183: pymesos states it
    assert {agent["agent_info"]["id"]["value"] for agent in call(cluster.url, "GET_AGENTS")["agents"]} >= {
        offer["agent_id"]["value"]
    }
    assert all(resource["role"] == "*" for resource in offer["resources"])  # HT-171


def test_a_task_is_killed_when_it_says_so(cluster: Cluster, start: Start) -> None:
    """KILL without an agent id ends the process, and what is acknowledged is not sent again (HT-142, HT-168)."""
    program = scheduler(start, cluster.url)
    program.order(launch="web", what=FOR_EVER)
    program.hears("update", task_id="web", state="TASK_RUNNING")
    program.order(kill="web")
    program.hears("update", task_id="web", state="TASK_KILLED")
    program.order(stop=False)
    program.no_more_orders()

    assert program.states("web") == ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLED"]


def test_stopping_tears_the_framework_down(cluster: Cluster, start: Start) -> None:
    """TEARDOWN is answered before the stream ends, for pymesos waits for the answer (HT-150)."""
    program = scheduler(start, cluster.url)
    program.order(launch="web", what=FOR_EVER)
    program.hears("update", task_id="web", state="TASK_RUNNING")
    program.order(stop=False)
    program.no_more_orders()

    state = get(cluster.url, "state")
    (framework,) = state["completed_frameworks"]

    assert state["frameworks"] == []
    assert [task["state"] for task in framework["completed_tasks"]] == ["TASK_KILLED"]


def test_an_unknown_task_is_reconciled_as_lost(cluster: Cluster, start: Start) -> None:
    """The answer has no uuid, so pymesos must not try to acknowledge it (HT-145, HT-167)."""
    program = scheduler(start, cluster.url)
    program.hears("registered")
    program.order(reconcile=["never"])
    status = program.hears("update", task_id="never")["status"]

    assert (status["state"], status["reason"]) == ("TASK_LOST", "REASON_RECONCILIATION")
    assert "uuid" not in status


def test_a_second_driver_takes_over_after_a_failover(cluster: Cluster, start: Start) -> None:
    """Stopped for a failover, its tasks go on, and the next driver with that id has them (HT-185, HT-186)."""
    first = scheduler(start, cluster.url)
    framework_id = first.hears("registered")["framework_id"]
    first.order(launch="web", what=FOR_EVER)
    first.hears("update", task_id="web", state="TASK_RUNNING")
    first.order(stop=True)
    first.no_more_orders()

    second = scheduler(start, cluster.url, framework=framework(id={"value": framework_id}))
    second.hears("reregistered")
    second.order(reconcile=["web"])
    status = second.hears("update", task_id="web")["status"]
    second.order(kill="web")
    second.hears("update", task_id="web", state="TASK_KILLED")
    second.order(stop=False)
    second.no_more_orders()

    assert (status["state"], status["reason"]) == ("TASK_RUNNING", "REASON_RECONCILIATION")


def test_the_second_of_two_drivers_wins(cluster: Cluster, start: Start) -> None:
    """The first hears an error that says so, and its stream ends (HT-130)."""
    first = scheduler(start, cluster.url)
    framework_id = first.hears("registered")["framework_id"]
    second = scheduler(start, cluster.url, framework=framework(id={"value": framework_id}))
    second.hears("reregistered")
    error = first.hears("error")
    first.no_more_orders()

    assert "failed over" in error["message"].lower()
    assert not [line for line in second.told if line["event"] == "error"]


def test_a_standby_sends_it_to_the_leader(start: Start) -> None:
    """307, with host and port in Location, and it subscribes there (HT-97)."""
    with Cluster(agents=1, masters=2, http=True) as cluster:
        (standby,) = [master for master in cluster.masters.values() if not master.leading]
        program = scheduler(start, standby.url)
        master = program.hears("registered")["master"]
        program.order(launch="good", what={"command": {"value": "exit 0"}})
        program.hears("update", task_id="good", state="TASK_FINISHED")
        program.order(stop=False)
        program.no_more_orders()

        assert f"{master['hostname']}:{master['port']}" == address(cluster.url)


def test_a_drained_agent_loses_its_tasks_to_the_other(cluster: Cluster, start: Start) -> None:
    """What the operator drains comes back killed, and what is launched anew goes to the other agent (HT-276)."""
    program = scheduler(start, cluster.url, again=True)
    program.order(launch="web", what=FOR_EVER)
    drained = program.hears("update", state="TASK_RUNNING")
    program.order(launch="api", what=FOR_EVER, not_on=drained["agent_id"])
    kept = program.hears("update", state="TASK_RUNNING")
    call(cluster.url, "DRAIN_AGENT", agent_id={"value": drained["agent_id"]}, max_grace_period={"seconds": 1})
    killed = program.hears("update", task_id=drained["task_id"], state="TASK_KILLED")
    again = program.hears("update", task_id=f"{drained['task_id']}.2", state="TASK_RUNNING")
    cluster.wait_until(
        lambda: agent_of(cluster.url, drained["agent_id"])["drain_info"]["state"] == "DRAINED", PATIENCE_S
    )
    agent = agent_of(cluster.url, drained["agent_id"])
    call(cluster.url, "REACTIVATE_AGENT", agent_id={"value": drained["agent_id"]})

    assert drained["agent_id"] != kept["agent_id"]
    assert killed["agent_id"] == drained["agent_id"]
    assert again["agent_id"] == kept["agent_id"]
    assert agent["drain_info"]["config"]["max_grace_period"] == {"nanoseconds": 1_000_000_000}  # HT-289
    assert agent["deactivated"] is True
    assert "drain_info" not in agent_of(cluster.url, drained["agent_id"])
    assert program.states(kept["task_id"]) == ["TASK_STARTING", "TASK_RUNNING"]


def test_an_inverse_offer_comes_before_maintenance(cluster: Cluster, start: Start) -> None:
    """It is asked for both agents' time, and its acceptance is on the operator's record (HT-158, HT-148, HT-270)."""
    program = scheduler(start, cluster.url)
    program.order(launch="web", what=FOR_EVER)
    where = program.hears("update", task_id="web", state="TASK_RUNNING")["agent_id"]
    agent = agent_of(cluster.url, where)["agent_info"]
    ip = agent_address(agent_of(cluster.url, where)["pid"])
    window = {
        "machine_ids": [{"hostname": agent["hostname"], "ip": ip}],
        "unavailability": {"start": {"nanoseconds": 4_000_000_000 * 10**9}},
    }
    call(cluster.url, "UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": [window]})
    (asked,) = program.hears("inverse offers")["offers"]

    def answers() -> list[str]:
        status = call(cluster.url, "GET_MAINTENANCE_STATUS")["status"]
        return [each["status"] for machine in status["draining_machines"] for each in machine.get("statuses", [])]

    cluster.wait_until(lambda: answers() == ["ACCEPT"], PATIENCE_S)

    assert asked["agent_id"] == agent["id"]
    assert asked["unavailability"] == window["unavailability"]


def agent_address(pid: str) -> str:
    """The ip in slave(1)@ip:port (HT-347)."""
    return pid.partition("@")[2].partition(":")[0]
