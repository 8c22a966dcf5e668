"""An operator at a terminal: curl, with no more than Mesos itself documents (HT-252 to HT-300, HT-324 to HT-345)."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest

from mesolite import Cluster
from tests.clients import curl
from tests.clients.operating import address, agent_of
from tests.clients.running import PATIENCE_S
from tests.project.house_checks import ROOT

LATER = {"start": {"nanoseconds": 4_000_000_000 * 10**9}, "duration": {"nanoseconds": 3600 * 10**9}}


def machine(cluster: Cluster, name: str) -> dict[str, str]:
    """The machine of an agent, as a maintenance schedule names it (HT-291)."""
    agent = agent_of(cluster.url, str(cluster.agents[name].id))
    return {"hostname": agent["agent_info"]["hostname"], "ip": agent["pid"].partition("@")[2].partition(":")[0]}


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("GET_HEALTH", "healthy"),
        ("GET_VERSION", "version_info"),
        ("GET_AGENTS", "agents"),
        ("GET_STATE", "get_agents"),
        ("GET_MAINTENANCE_SCHEDULE", "schedule"),
        ("GET_MAINTENANCE_STATUS", "status"),
    ],
)
def test_a_reading_call_answers_with_its_own_name(cluster: Cluster, kind: str, holds: str) -> None:
    """The type, and beside it an object of that name, as JSON without a charset (HT-26, HT-74, HT-252)."""
    answer = curl.call(cluster.url, kind)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["type"] == kind
    assert holds in answer.json[kind.lower()]


def test_an_agent_is_drained_and_comes_back(cluster: Cluster) -> None:
    """Changes have empty answers without a type, and a drain ends when it is reactivated (HT-93, HT-276, HT-278)."""
    agent_id = {"value": cluster.agents["agent-1"].id}

    def known() -> Any:
        return agent_of(cluster.url, agent_id["value"])

    drained = curl.call(cluster.url, "DRAIN_AGENT", agent_id=agent_id, max_grace_period={"seconds": 60})
    cluster.wait_until(lambda: known()["drain_info"]["state"] == "DRAINED", PATIENCE_S)
    meanwhile = known()
    again = curl.call(cluster.url, "REACTIVATE_AGENT", agent_id=agent_id)
    twice = curl.call(cluster.url, "REACTIVATE_AGENT", agent_id=agent_id)

    for answer in (drained, again):
        assert (answer.status, answer.body) == (200, "")
        assert "content-type" not in answer.headers
    assert meanwhile["drain_info"]["config"]["max_grace_period"] == {"nanoseconds": 60 * 10**9}  # HT-289
    assert "drain_info" not in known()
    assert twice.status == 400
    assert twice.headers["content-type"] == "text/plain; charset=utf-8"  # HT-27


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--data", '{"type": "GET_HEALTH"}'), 415),  # HT-21: curl says that it is a form
        ((*curl.JSON, "--data", "{"), 400),  # HT-39
        ((*curl.JSON, "--data", '{"type": "NO_SUCH"}'), 400),  # HT-94
        ((*curl.JSON, "--data", '{"type": "DRAIN_AGENT", "drain_agent": {"agent_id": {"value": "none"}}}'), 400),
        (
            (*curl.JSON, "--data", '{"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": "none"}}}'),
            404,
        ),
        (("--request", "PUT", *curl.JSON, "--data", "{}"), 405),  # HT-81
    ],
)
def test_what_is_wrong_is_said_in_words(cluster: Cluster, arguments: tuple[str, ...], status: int) -> None:
    """The status that Mesos has for it, and a text (HT-27, HT-90)."""
    answer = curl.curl(*arguments, f"{cluster.url}/api/v1")

    assert answer.status == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.body


def test_a_machine_goes_through_maintenance(cluster: Cluster) -> None:
    """Scheduled, down, up again, by calls; the plain endpoints say the same (HT-280 to HT-282, HT-339, HT-340)."""
    here = machine(cluster, "agent-1")
    schedule = {"windows": [{"machine_ids": [here], "unavailability": LATER}]}

    assert curl.call(cluster.url, "UPDATE_MAINTENANCE_SCHEDULE", schedule=schedule).status == 200
    assert curl.curl(f"{cluster.url}/maintenance/schedule").json == schedule
    assert [each["id"] for each in curl.curl(f"{cluster.url}/maintenance/status").json["draining_machines"]] == [here]
    assert curl.call(cluster.url, "START_MAINTENANCE", machines=[here]).status == 200
    assert curl.curl(f"{cluster.url}/maintenance/status").json["down_machines"] == [here]
    assert curl.call(cluster.url, "STOP_MAINTENANCE", machines=[here]).status == 200
    assert curl.curl(f"{cluster.url}/maintenance/schedule").json == {}


def test_maintenance_by_the_plain_endpoints(cluster: Cluster) -> None:
    """They do not look at the content type, and machines are a list (HT-28, HT-339, HT-341)."""
    here = machine(cluster, "agent-1")
    schedule = {"windows": [{"machine_ids": [here], "unavailability": LATER}]}

    assert curl.curl("--data", json.dumps(schedule), f"{cluster.url}/maintenance/schedule").status == 200
    assert curl.curl("--data", json.dumps([here]), f"{cluster.url}/machine/down").status == 200
    assert curl.curl("--data", json.dumps([here]), f"{cluster.url}/machine/up").status == 200


def test_events_follow_the_snapshot(cluster: Cluster) -> None:
    """SUBSCRIBED with the state, HEARTBEAT at once, and an agent that says goodbye (HT-293, HT-297)."""
    agent_id = {"value": cluster.agents["agent-1"].id}
    with curl.stream(cluster.url) as records:
        first, second = records.next(), records.next()
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        removed = records.until("AGENT_REMOVED")

    snapshot = first["subscribed"]
    assert first["type"] == "SUBSCRIBED"
    assert len(snapshot["get_state"]["get_agents"]["agents"]) == 2
    assert snapshot["heartbeat_interval_seconds"] > 0
    assert second == {"type": "HEARTBEAT"}  # HT-63
    assert removed == {"agent_id": agent_id}


@pytest.mark.parametrize("prefix", ["", "master/"])
def test_plain_endpoints_of_a_master(cluster: Cluster, prefix: str) -> None:
    """With or without the name of the process before them (HT-12, HT-327 to HT-334)."""
    ids = {agent.id for agent in cluster.agents.values()}
    state = curl.curl(f"{cluster.url}/{prefix}state").json
    redirect = curl.curl(f"{cluster.url}/{prefix}redirect")

    assert {agent["id"] for agent in state["slaves"]} == ids
    assert {agent["id"] for agent in curl.curl(f"{cluster.url}/{prefix}slaves").json["slaves"]} == ids
    assert curl.curl(f"{cluster.url}/{prefix}version").json["version"] == state["version"]
    assert curl.curl(f"{cluster.url}/{prefix}health").status == 200
    assert (redirect.status, redirect.headers["location"]) == (307, f"//{address(cluster.url)}")  # HT-98
    assert state["leader"] == f"master@{address(cluster.url)}"  # HT-348


def test_plain_endpoints_of_an_agent(cluster: Cluster) -> None:
    """Its id, its address and its health (HT-352, HT-355)."""
    agent = cluster.agents["agent-1"]
    state = curl.curl(f"{agent.url}/state").json

    assert (state["id"], state["pid"]) == (agent.id, f"slave(1)@{address(agent.url)}")
    assert curl.curl(f"{agent.url}/slave(1)/health").status == 200


def test_a_standby_sends_on() -> None:
    """To the same path and query on the leader, which --location-trusted follows with the body (HT-95, HT-97)."""
    with Cluster(agents=1, masters=2, http=True) as cluster:
        (standby,) = [master for master in cluster.masters.values() if not master.leading]
        sent_on = curl.curl(f"{standby.url}/state?_ts=1")
        followed = subprocess.run(
            [
                "curl",
                "--silent",
                "--location-trusted",
                *curl.JSON,
                "--data",
                '{"type": "GET_HEALTH"}',
                f"{standby.url}/api/v1",
            ],
            capture_output=True,
            check=True,
        )

        assert (sent_on.status, sent_on.headers["location"]) == (307, f"//{address(cluster.url)}/state?_ts=1")
        assert json.loads(followed.stdout)["get_health"] == {"healthy": True}


def test_the_session_of_the_examples(cluster: Cluster) -> None:
    """examples/curl_session.sh drains an agent and takes it back, and says so."""
    command = ["sh", "examples/curl_session.sh", cluster.url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert done.returncode == 0, done.stderr
    assert "state of the drain: DRAINED" in done.stdout
    assert done.stdout.endswith("back in the offers\n")
