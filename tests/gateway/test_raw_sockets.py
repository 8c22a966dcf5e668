"""A whole cluster behind its sockets, and clients that behave badly (docs/spec/http.md sections 1, 3 and 13).

What the server does by itself is tested beside it (tests/gateway/server); here it is masters, agents and frameworks
that must not be hurt.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from mesolite import Cluster
from tests.gateway.raw_client import PATIENCE_S, Connection, Framework


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(agents=1, http=True, work_dir=tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def framework(cluster: Cluster) -> Iterator[Framework]:
    with Framework(cluster.url) as framework:
        yield framework
        framework.call("TEARDOWN")


def connected(url: str, *, buffer: int = 0) -> socket.socket:
    """A connection that knows no HTTP; with a buffer, one whose system takes no more than about that for it."""
    where = urlsplit(url)
    opened = socket.socket()
    if buffer:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    opened.settimeout(PATIENCE_S)
    opened.connect((where.hostname, where.port))
    return opened


def all_of(opened: socket.socket) -> bytes:
    """What comes until the other end closes."""
    came = b""
    with contextlib.suppress(ConnectionResetError):
        while more := opened.recv(65536):
            came += more
    return came


def post(path: str, call: Any, **headers: str) -> bytes:
    body = json.dumps(call).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: here", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_of(url: str, path: str = "/state") -> int:
    with Connection(url) as connection:
        return connection.send("GET", path)


def accept(framework: Framework, offer: Any, task_id: str) -> bytes:
    """The bytes of a call that launches a task."""
    task = {
        "name": "t",
        "task_id": {"value": task_id},
        "agent_id": offer["agent_id"],
        "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}],
        "command": {"value": "true"},
    }
    launch = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
    body = {"offer_ids": [offer["id"]], "operations": [launch], "filters": {"refuse_seconds": 0}}
    call = {"type": "ACCEPT", "framework_id": {"value": framework.id}, "accept": body}
    return post("/api/v1/scheduler", call, Mesos_Stream_Id=framework.stream_id)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /state HTTP/9.9\r\n\r\n",
        b"GET /state HTTP/1.1\r\nNo colon here\r\n\r\n",
        b"GET /state HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /api/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0" * 1000,
        b"G" * 100_000,
    ],
)
def test_what_is_no_http_costs_only_its_own_connection(cluster: Cluster, nonsense: bytes) -> None:
    """HT-381, HT-380: 400 or a word like it, and the end; of a master and of an agent. Others are served."""
    for url in (cluster.url, cluster.agents["agent-1"].url):
        with contextlib.closing(connected(url)) as opened:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                opened.sendall(nonsense)
                opened.shutdown(socket.SHUT_WR)
            came = all_of(opened)
        assert not came or came.split()[1][:1] == b"4", came
        assert status_of(url) == 200


def test_a_client_that_goes_in_the_middle_of_a_call_has_not_made_it(cluster: Cluster, framework: Framework) -> None:
    """HT-2, HT-380: it vanishes at each byte of an ACCEPT; the offer is as it was, and the whole call launches."""
    offer = framework.next("OFFERS")["offers"][0]
    call = accept(framework, offer, "whole")
    for cut in range(len(call)):
        with contextlib.closing(connected(cluster.url)) as opened:
            opened.sendall(call[:cut])
    assert framework.call("REVIVE") == 202  # the stream, which is on another connection, is as it was
    with Connection(cluster.url) as reading:
        assert reading.send("GET", "/tasks") == 200
        assert reading.body()["tasks"] == []

    with contextlib.closing(connected(cluster.url)) as opened:
        opened.sendall(call)
        assert opened.recv(65536).startswith(b"HTTP/1.1 202 ")
    update = framework.next("UPDATE")["status"]
    assert (update["task_id"], update["state"]) == ({"value": "whole"}, "TASK_STARTING")


def test_a_call_counts_although_its_client_does_not_wait(cluster: Cluster, framework: Framework) -> None:
    """HT-91, HT-187: what was sent whole is carried out, whether anybody reads the answer or not."""
    offer = framework.next("OFFERS")["offers"][0]
    with contextlib.closing(connected(cluster.url)) as opened:
        opened.sendall(accept(framework, offer, "unread"))

    assert framework.next("UPDATE")["status"]["task_id"] == {"value": "unread"}


def test_half_requests_are_waited_for_and_others_are_served(cluster: Cluster, framework: Framework) -> None:
    """HT-380: many connections that never say all they want, and one that says it in pieces."""
    with contextlib.ExitStack() as stack:
        for half in [b"", b"G", b"GET /state HTTP/1.1\r\nHost: x\r\n", post("/api/v1", {})[:-1]] * 50:
            opened = stack.enter_context(contextlib.closing(connected(cluster.url)))
            opened.sendall(half)
        assert framework.call("REVIVE") == 202

        pieces = stack.enter_context(contextlib.closing(connected(cluster.url)))
        for byte in post("/api/v1", {"type": "GET_HEALTH"}):
            pieces.sendall(bytes([byte]))
        assert pieces.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_who_does_not_read_holds_up_nobody(cluster: Cluster) -> None:
    """HT-380, HT-61: one operator reads nothing, another hears all, in order; frameworks come and go meanwhile."""
    subscribe = {"type": "SUBSCRIBE"}
    with contextlib.closing(connected(cluster.url, buffer=4096)) as deaf, Connection(cluster.url) as listening:
        deaf.sendall(post("/api/v1", subscribe))
        assert listening.send("POST", "/api/v1", subscribe) == 200
        records = listening.records()
        assert next(records)["type"] == "SUBSCRIBED"
        names = [f"f{number}" for number in range(100)]
        for name in names:
            with Framework(cluster.url, name=name) as one:
                assert one.call("TEARDOWN") == 202
        heard: list[str] = []
        while len(heard) < len(names):
            record = next(records)
            if record["type"] == "FRAMEWORK_ADDED":
                heard.append(record["framework_added"]["framework"]["framework_info"]["name"])

    assert heard == names


def test_a_stream_outlives_the_connections_of_its_calls(cluster: Cluster, framework: Framework) -> None:
    """HT-2, HT-187: each call on its own connection, kept open or broken off; then one connection for many calls."""
    assert [framework.call("REVIVE") for _ in range(20)] == [202] * 20
    call = {"type": "REVIVE", "framework_id": {"value": framework.id}}
    with Connection(cluster.url) as kept:
        for _ in range(20):
            assert kept.send("POST", "/api/v1/scheduler", call, Mesos_Stream_Id=framework.stream_id) == 202
            assert kept.body() == ""
    assert framework.next("OFFERS")["offers"]


def test_a_request_that_comes_before_a_leader_is_told_to_come_again(tmp_path: Path) -> None:
    """HT-16, HT-99: from its first moment the port answers, 503 until there is a leader, and never refuses again."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    url, statuses, done = f"http://127.0.0.1:{port}", [], threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                statuses.append(status_of(url))
            except ConnectionRefusedError:
                statuses.append(0)

    asking = threading.Thread(target=ask, name="asking")
    asking.start()
    try:
        with Cluster(agents=1, http=f"127.0.0.1:{port}", work_dir=tmp_path) as cluster:
            assert status_of(cluster.url) == 200
            done.set()
            asking.join()
    finally:
        done.set()
        asking.join()

    answered = [status for status in statuses if status]
    assert statuses == [0] * (len(statuses) - len(answered)) + answered
    assert set(answered) <= {503, 200}
    assert answered == sorted(answered, reverse=True)


def test_a_master_that_is_started_again_answers_where_it_did(tmp_path: Path) -> None:
    """HT-16, HT-100: 503 until it leads again, then 200, at the same address."""
    with Cluster(agents=1, http=True, work_dir=tmp_path) as cluster:
        url, master = cluster.url, cluster.masters["master-1"]
        master.crash()
        master.restart()
        statuses = [status_of(url)]
        while statuses[-1] == 503:
            statuses.append(status_of(url))

    assert statuses[-1] == 200


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """HT-17: with streams open, half a request sent, and a client that does not read: no thread, no socket, no port."""
    threads = {thread.ident for thread in threading.enumerate()}
    with contextlib.ExitStack() as stack:
        with Cluster(agents=2, http=True, work_dir=tmp_path) as cluster:
            urls = [cluster.url, *(agent.url for agent in cluster.agents.values())]
            framework = stack.enter_context(Framework(cluster.url))
            operator = stack.enter_context(Connection(cluster.url))
            operator.send("POST", "/api/v1", {"type": "SUBSCRIBE"})
            half = stack.enter_context(Connection(cluster.url))
            half.send("GET", "/version")
            half.socket.sendall(b"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert "ERROR" not in [record["type"] for record in framework.records]  # to its last chunk (HT-59)
        assert {thread.ident for thread in threading.enumerate()} <= threads
        ports = {urlsplit(url).port for url in urls}
        left = [found for found in psutil.Process().net_connections("tcp") if found.laddr and found.laddr.port in ports]
        assert left == []
    for url in urls:
        where = urlsplit(url)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((where.hostname, where.port))
        with contextlib.closing(socket.create_server((where.hostname or "", where.port or 0))):
            pass
