"""A cluster that speaks TLS says so wherever it says where it listens, and to its executors (HT-18)."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mesolite import Cluster, InvalidValue
from mesolite.http import Http
from mesolite.messages.ids import ExecutorId, TaskId
from mesolite.messages.tasks import CommandInfo, ExecutorInfo, TaskInfo
from tests.cluster.real_commands import run_to_the_end
from tests.gateway.calling import World
from tests.gateway.certificates import self_signed


def test_offers_say_https_where_tls_is_spoken_and_http_elsewhere() -> None:
    """HT-18, HT-170: to their framework, and to operators who look."""
    assert offered_scheme(True) == "http"
    assert offered_scheme(Http(certificate="certificate", key="key")) == "https"


def offered_scheme(http: bool | Http) -> str:
    world = World(http=http)
    scheme: str = world.offered().offers[0]["url"]["scheme"]
    (framework,) = world.read("GET_STATE")["get_frameworks"]["frameworks"]
    assert framework["offers"][0]["url"]["scheme"] == scheme
    return scheme


def test_a_redirect_keeps_to_the_scheme_of_who_follows_it() -> None:
    """HT-18, HT-97."""
    world = World(masters=2, http=Http(certificate="certificate", key="key"))
    answer = world.get("/state", to=world.standby)
    assert answer.headers["location"] == world.leader.url.removeprefix("https:") + "/state"


def test_where_the_url_of_a_cluster_says_https_tls_is_spoken(tmp_path: Path) -> None:
    """HT-18: of a master and of an agent."""
    tls = self_signed(tmp_path)
    context = ssl.create_default_context(cafile=tls.certificate)
    with Cluster(agents=1, http=Http(certificate=tls.certificate, key=tls.key)) as cluster:
        for url in (cluster.url, cluster.agents["agent-1"].url):
            at = urlsplit(url)
            assert at.scheme == "https"
            plain = socket.create_connection((at.hostname, at.port), timeout=20)
            with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
                encrypted.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert encrypted.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_executors_environment_says_whether_its_agent_speaks_tls(tmp_path: Path, *, encrypted: bool) -> None:
    """HT-18: MESOS_AGENT_ENDPOINT has no scheme, so Mesos's executors look at what they inherit from their agent."""
    tls = self_signed(tmp_path)
    http = Http(certificate=tls.certificate, key=tls.key) if encrypted else Http()
    told = tmp_path / "told"
    shows = CommandInfo(value=f"printenv LIBPROCESS_SSL_ENABLED > {told}; exit 1")
    task = TaskInfo(
        task_id=TaskId("t"),
        name="t",
        resources="cpus:0.1;mem:32",
        executor=ExecutorInfo(executor_id=ExecutorId("shows"), command=shows),
    )
    with Cluster(agents=1, http=http) as cluster:
        run_to_the_end(cluster, task)
    assert told.read_text() == ("true\n" if encrypted else "")


def test_a_key_without_a_certificate_is_refused() -> None:
    """HT-18: whoever gives it believes that TLS is spoken."""
    with pytest.raises(InvalidValue, match=r"Http\(key='k.pem'\) has no certificate=.*give both, or neither"):
        Cluster(http=Http(key="k.pem"))
