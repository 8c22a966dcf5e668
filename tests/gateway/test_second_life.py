"""A cluster that is stopped and started again in its folder is found by its clients as Mesos would be."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from mesolite import Cluster
from tests.gateway.raw_client import Connection, Framework


def free_ports() -> int:
    """A port with some free ones behind it."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_agents_and_frameworks_keep_their_ids_and_masters_their_ports(tmp_path: Path) -> None:
    """Agents recover, and a framework subscribes again with the id that it had (HT-1, HT-129, HT-250)."""
    port = free_ports()
    lives = []
    framework_id = None
    for _ in range(2):
        with Cluster(agents=2, http=f"127.0.0.1:{port}", work_dir=tmp_path) as cluster:
            with Framework(cluster.url, framework_id) as framework:
                framework_id = framework.id
                framework.next("OFFERS")
            urls = [cluster.url, *(agent.url for agent in cluster.agents.values())]
            lives.append((urls, [agent.id for agent in cluster.agents.values()], framework_id))

    assert lives[0] == lives[1]


def test_a_framework_that_was_torn_down_is_refused_within_one_life_and_new_in_the_next(tmp_path: Path) -> None:
    """HT-128 holds as long as the master remembers, which is its own life, as in Mesos."""
    with Cluster(http=True, work_dir=tmp_path) as cluster:
        with Framework(cluster.url) as framework:
            assert framework.call("TEARDOWN") == 202
            assert list(framework.records)[-1]["type"] != "ERROR"  # the stream ends by itself (HT-150)
        info = {"user": "me", "name": "raw", "id": {"value": framework.id}}
        call = {"type": "SUBSCRIBE", "framework_id": {"value": framework.id}, "subscribe": {"framework_info": info}}
        with Connection(cluster.url) as again:
            assert again.send("POST", "/api/v1/scheduler", call) == 200
            (refused,) = again.records()
        assert refused["type"] == "ERROR"
        assert "removed" in refused["error"]["message"]
    with Cluster(http=True, work_dir=tmp_path) as cluster, Framework(cluster.url, framework.id) as returned:
        assert returned.id == framework.id
