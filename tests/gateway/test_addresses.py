"""Where a cluster listens, as its user says it, and where it says that it can be reached (HT-1, HT-97)."""

from __future__ import annotations

import ipaddress
from socket import AF_INET
from urllib.parse import urlsplit

import psutil
import pytest

from mesolite import Cluster, InvalidValue
from mesolite.http import LOOPBACK, Http
from tests.gateway.raw_client import Connection, Framework


@pytest.mark.parametrize(
    ("address", "understood"),
    [
        ("127.0.0.1:5050", ("127.0.0.1", 5050)),
        ("http://127.0.0.1:5050", ("127.0.0.1", 5050)),
        (":0", ("127.0.0.1", 0)),
        ("localhost:65535", ("127.0.0.1", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(address: str, understood: tuple[str, int]) -> None:
    """HT-1."""
    assert Http.of(address).host_and_port == understood


def test_an_address_may_say_https_where_there_is_a_certificate() -> None:
    """HT-18."""
    assert Http(address="https://127.0.0.1:0", certificate="c").host_and_port == ("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nonsense", "is no address; give '127.0.0.1:5050', or ':0' for any free port"),
        ("127.0.0.1: 80", "is no address"),
        (":+80", "is no address"),
        (":\u0668\u0660", "is no address"),
        (":1_0", "is no address"),
        (":65536", "is no address"),
        (":" + "1" * 5000, "is no address"),
        (":", "is no address"),
        ("ftp://127.0.0.1:21", "is no address"),
        ("[::1]:0", "is an address of IPv6, and only IPv4 is served"),
        ("::1", "is an address of IPv6, and only IPv4 is served"),
        ("https://127.0.0.1:0", "wants TLS, for which a certificate and its key are needed"),
    ],
)
def test_what_is_no_address_is_refused(address: str, why: str) -> None:
    """Ports are written in digits, hosts as IPv4 (HT-53)."""
    with pytest.raises(InvalidValue) as refused:
        Http.of(address)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("principal", "why"),
    [("a:b", "the principal 'a:b' of the credentials could never authenticate"), ("", "a principal .* is empty")],
)
def test_a_principal_who_could_never_authenticate_is_refused(principal: str, why: str) -> None:
    """HT-112, HT-113: a header is split at the first colon, and an empty principal is as none."""
    with pytest.raises(InvalidValue, match=why):
        Cluster(http=Http(credentials={"ann": "x", principal: "x"}))


def test_who_listens_everywhere_says_where_others_reach_him() -> None:
    """HT-1, HT-97: in urls, offers and redirects; not on loopback if this machine has another address, nor 0.0.0.0."""
    own = {each.address for several in psutil.net_if_addrs().values() for each in several if each.family == AF_INET}
    others = {each for each in own if not ipaddress.ip_address(each).is_loopback}
    with Cluster(agents=1, masters=2, http=Http(address="0.0.0.0:0", open_to_all=True)) as cluster:
        standby = next(master for master in cluster.masters.values() if master is not cluster.leader)
        with Framework(cluster.url) as framework, Connection(standby.url) as redirected:
            offered = framework.next("OFFERS")["offers"][0]["url"]["address"]["ip"]
            assert redirected.send("GET", "/state") == 307
            leads_to = f"http:{redirected.headers['location']}"
        advertised = {urlsplit(url).hostname for url in (cluster.url, cluster.agents["agent-1"].url, leads_to)}
        assert advertised == {offered}
        assert offered in (others or own)
        with Connection(f"http://{LOOPBACK}:{urlsplit(cluster.url).port}") as by_loopback:
            assert by_loopback.send("GET", "/health") == 200
