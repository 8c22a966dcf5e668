"""Ports that are opened and closed, and what becomes of whoever is connected then (HT-1, HT-17, HT-18, HT-379)."""

from __future__ import annotations

import os
import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from mesolite.actors.errors import Refused
from mesolite.gateway.exchange import Record, Response, StreamBegun, StreamEnded
from mesolite.gateway.server import HttpServer, Tls
from tests.gateway.certificates import self_signed
from tests.gateway.server.peers import Client, Desk, Place, get, place, post
from tests.logs import logged


def test_one_server_serves_many_ports_each_with_its_own_inlet() -> None:
    """HT-1: port 0 is any free one, and the one that was found is told."""
    with place() as here:
        desk = Desk()
        port = here.server.listen("127.0.0.1", 0, desk)
        assert port not in (0, here.port)
        client = Client(socket.create_connection(("127.0.0.1", port)))
        client.send(get())
        here.server.write(desk.next()[0], Response(status=204))
        assert client.head()[0] == 204
        client.close()
        assert here.desk.heard_nothing_more()


def test_a_port_in_use_is_refused_with_the_reason() -> None:
    """HT-1; the server goes on."""
    with place() as here:
        with pytest.raises(Refused, match=rf"127\.0\.0\.1:{here.port}: .*in use.*or 0 for any free port"):
            here.server.listen("127.0.0.1", here.port, Desk())
        here.echo()
        client = here.client()
        client.send(post(b"x"))
        assert client.answer()[2] == b"x"


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("no.such.host.invalid", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_cannot_be_had_is_refused(host: str, port: int) -> None:
    """HT-1."""
    with place() as here, pytest.raises(Refused, match=f"cannot listen at {host}:{port}: "):
        here.server.listen(host, port, Desk())


def test_closing_gives_streams_their_final_chunk() -> None:
    """HT-17, HT-59: after all that was written before; whoever answers learns that it need not go on."""
    with place() as here:
        client = here.client()
        client.send(post(b"{}"))
        number, _ = here.desk.next()
        here.server.write(number, StreamBegun())
        here.server.write(number, Record(b"1\nx"))
        client.head()
        here.server.close()
        assert (client.chunk(), client.chunk()) == (b"1\nx", b"")
        assert client.ended()
        assert here.desk.next_gone() == number


def test_closing_waits_for_a_request_that_is_answered_within_a_second() -> None:
    """HT-17: but takes no more requests, not even those that were sent behind that one."""
    with place() as here:
        client, idle = here.client(), here.client()
        client.send(post(b"{}") + post(b"{}"))
        number, _ = here.desk.next()
        closing = threading.Thread(target=here.server.close)
        closing.start()
        assert idle.ended()  # closing has begun
        here.server.write(number, Response(status=200, body=b"just so"))
        assert client.answer()[2] == b"just so"
        assert client.ended()
        closing.join()
    assert here.desk.heard_nothing_more()


def test_closing_drops_whoever_takes_longer() -> None:
    """HT-17: a request that nobody answers, a client that does not read, one that has not ended its request."""
    with place() as here:
        unanswered, deaf, late = here.client(), here.client(buffer=4096), here.client()
        late.send(post(b"abc")[:-1])
        unanswered.send(post(b"{}"))
        first, _ = here.desk.next()
        deaf.send(post(b"{}"))
        second, _ = here.desk.next()
        here.server.write(second, StreamBegun())
        for _ in range(20):
            here.server.write(second, Record(bytes(1_000_000)))
        here.server.close()
        assert unanswered.ended()
        assert late.ended()
        assert {here.desk.next_gone(), here.desk.next_gone()} == {first, second}
    assert here.desk.heard_nothing_more()


def test_closing_frees_the_port_at_once() -> None:
    """HT-17: for the next server, which says what it wants with a number."""
    with place() as here:
        client = here.client()
        client.send(get())
        here.desk.next()
        here.server.close()
        again = HttpServer()
        assert again.listen("127.0.0.1", here.port, Desk()) == here.port
        again.close()


def test_a_port_is_free_although_a_child_has_a_copy_of_it() -> None:
    """HT-17: a process that was forked while the server was there has all its sockets."""
    with place() as here:
        (listening,) = [
            each.fd
            for each in psutil.Process().net_connections("tcp4")
            if each.status == psutil.CONN_LISTEN and each.laddr.port == here.port
        ]
        copy = os.dup(listening)
        try:
            here.server.close()
            again = HttpServer()
            assert again.listen("127.0.0.1", here.port, Desk()) == here.port
            again.close()
        finally:
            os.close(copy)


def test_closing_twice_does_nothing_and_a_closed_server_listens_no_more() -> None:
    """HT-17."""
    with place() as here:
        here.server.close()
        here.server.close()
        with pytest.raises(Refused, match="has been closed"):
            here.server.listen("127.0.0.1", 0, Desk())
        here.server.write(1, StreamEnded())


def test_a_server_that_never_listened_can_be_closed() -> None:
    """HT-17."""
    HttpServer().close()
    assert "mesolite-http" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return self_signed(tmp_path_factory.mktemp("tls"))


def encrypted(here: Place, tls: Tls) -> Client:
    """A client that trusts that certificate."""
    context = ssl.create_default_context(cafile=tls.certificate)
    plain = socket.create_connection(("127.0.0.1", here.port))
    return Client(context.wrap_socket(plain, server_hostname="localhost"))


def test_with_a_certificate_everything_is_encrypted(tls: Tls) -> None:
    """HT-18: answers, streams a chunk at a time, departures."""
    with place(tls=tls) as here, ExitStack() as left:
        client = encrypted(here, tls)
        left.callback(client.close)
        client.send(post(b"{}"))
        here.server.write(here.desk.next()[0], Response(status=200, body=b"secret"))
        assert client.answer()[2] == b"secret"
        client.send(post(b"{}"))
        number, _ = here.desk.next()
        here.server.write(number, StreamBegun())
        here.server.write(number, Record(b"1\nx"))
        client.head()
        assert client.chunk() == b"1\nx"
        client.close()
        assert here.desk.next_gone() == number


def test_closing_ends_encrypted_connections_too(tls: Tls) -> None:
    """HT-17, HT-18: with the final chunk, and also if a client is silent in the middle of its greeting."""
    with place(tls=tls) as here, ExitStack() as left:
        silent, client = here.client(), encrypted(here, tls)
        left.callback(client.close)
        client.send(post(b"{}"))
        number, _ = here.desk.next()
        here.server.write(number, StreamBegun())
        client.head()
        here.server.close()
        assert client.chunk() == b""
        assert silent.ended()


def test_a_port_with_a_certificate_does_not_speak_plainly(tls: Tls) -> None:
    """HT-18."""
    with place(tls=tls) as here:
        client = here.client()
        client.send(get())
        assert not client.socket.recv(100).startswith(b"HTTP")
        assert here.desk.heard_nothing_more()


def test_a_certificate_that_cannot_be_used_is_refused(tls: Tls, tmp_path: Path) -> None:
    """HT-18: the text names both files; no thread has been started."""
    with pytest.raises(Refused, match=r"nowhere with the key .*No such file"):
        HttpServer(Tls(str(tmp_path / "nowhere"), tls.key))
    with pytest.raises(Refused, match="PEM that belong together"):
        HttpServer(Tls(tls.key, tls.key))
    with pytest.raises(Refused, match="comes without a key; give the path of its key, too"):
        HttpServer(Tls(tls.certificate))
    with pytest.raises(Refused, match=r"nowhere with the key in the same file: No such file"):
        HttpServer(Tls(str(tmp_path / "nowhere")))
    with pytest.raises(Refused, match="or of one that holds both"):
        HttpServer(Tls(tls.key))
    assert "mesolite-http" not in {thread.name for thread in threading.enumerate()}


def test_one_file_may_hold_the_certificate_and_its_key(tls: Tls, tmp_path: Path) -> None:
    """HT-18."""
    both = tmp_path / "both"
    both.write_bytes(Path(tls.key).read_bytes() + Path(tls.certificate).read_bytes())
    with place(tls=Tls(str(both))) as here, ExitStack() as left:
        client = encrypted(here, tls)
        left.callback(client.close)
        here.echo()
        client.send(post(b"{}"))
        assert client.answer()[2] == b"{}"


@contextmanager
def file_limit(soft: int) -> Iterator[None]:
    """For a while, as many files as that and no more may be open, where the hard limit allows to raise it."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_listening_raises_the_limit_of_open_files_as_far_as_it_may() -> None:
    """HT-379."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with file_limit(512):
        with place():
            soft, unchanged = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert unchanged == hard
        assert soft >= 10_000 or soft == hard


def test_too_many_connections_are_a_warning_that_names_the_limit() -> None:
    """HT-379: those that there are go on, and once there is room the others are accepted."""
    with logged() as lines, place() as here:
        here.echo()
        client = here.client()
        client.send(post(b"1"))
        assert client.answer()[2] == b"1"
        outside = socket.socket()
        highest = outside.fileno()
        with file_limit(highest + 1):
            outside.connect(("127.0.0.1", here.port))
            client.send(post(b"2"))
            assert client.answer()[2] == b"2"
            client.send(post(b"3"))
            assert client.answer()[2] == b"3"
        late = Client(outside)
        late.send(post(b"4"))
        assert late.answer()[2] == b"4"
        late.close()
    assert any(f"may open {highest + 1} files" in line and "ulimit -n" in line for line in lines)
