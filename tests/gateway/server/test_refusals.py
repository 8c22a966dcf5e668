"""Clients that send too much, too slowly, or no HTTP at all: each costs only its own connection (HT-375 to HT-381)."""

from __future__ import annotations

import gzip

import pytest

from mesolite.gateway.exchange import Response
from mesolite.gateway.limits import Limits
from tests.gateway.server.peers import Place, get, place, post
from tests.logs import logged

SMALL = Limits(body=1000, head=4000, line=1000)
HASTY = Limits(head_s=0.05, body_s=0.05)


def still_serves(here: Place) -> bool:
    """Whether others are answered as ever."""
    here.echo()
    client = here.client()
    client.send(post(b"fine"))
    return client.answer()[2] == b"fine"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
    ],
)
def test_malformed_http_gets_400_and_a_closed_connection(garbage: bytes) -> None:
    """HT-381."""
    with logged() as lines, place() as here:
        client = here.client()
        client.send(garbage)
        status, headers, _ = client.answer()
        assert (status, headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert "date" in headers
        assert client.ended()
        assert here.desk.heard_nothing_more()
        assert still_serves(here)
    assert lines == []


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("head", "rest"),
    [
        ("Transfer-Encoding: chunked", b"zz\r\nabc\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 4", b"\x00\x01\x02\x03"),
    ],
)
def test_a_malformed_body_gets_400(head: str, rest: bytes, *, together: bool) -> None:
    """HT-381: at once, also if its request has been begun to be read before."""
    with place() as here:
        client = here.client()
        begun = f"POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\n{head}\r\n\r\n".encode()
        if together:
            client.send(begun + rest)
        else:
            client.send(begun)
            assert client.head()[0] == 100
            client.send(rest)
        assert client.answer()[0] == 400
        assert client.ended()
        assert here.desk.heard_nothing_more()


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        ("gzip", b"\x00\x01\x02\x03", b"The body is not gzip, although its Content-Encoding says so"),
        ("gzip", b'{"type": "GET_STATE"}', b"The body is not gzip, although its Content-Encoding says so"),
        ("deflate", b"\x00\x01\x02\x03", b"The body is not "),
        ("br", b"\x00\x01\x02\x03", b"or that is not understood; send gzip, deflate or none"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_body_that_is_not_what_its_encoding_says_is_called_so(
    coding: str, body: bytes, text: bytes, *, together: bool
) -> None:
    """HT-381, HT-90: its HTTP is right, so nothing is said of that."""
    with place() as here:
        client = here.client()
        whole = post(body, f"Content-Encoding: {coding}")
        client.send(whole if together else whole[: -len(body)])
        if not together and coding != "br":  # which is refused by the head
            client.send(body)
        status, _, said = client.answer()
        assert status == 400
        assert text in said
        assert b"HTTP" not in said
        assert here.desk.heard_nothing_more()


def test_garbage_behind_a_request_does_not_spoil_its_answer() -> None:
    """HT-7, HT-381."""
    with place() as here:
        client, other = here.client(), here.client()
        client.send(post(b"good"))
        number, request = here.desk.next()
        client.send(b"garbage\r\n\r\n")
        other.send(post(b"later"))  # whose coming says that the garbage has been read
        here.desk.next()
        here.server.write(number, Response(status=200, body=request.body))
        assert client.answer()[2] == b"good"
        assert client.answer()[0] == 400
        assert client.ended()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 1001 + b" HTTP/1.1\r\n\r\n",
        get("X: " + "a" * 1001),
        get("X" * 1001 + ": a"),
        get(*(f"X{index}: {'a' * 900}" for index in range(5))),
        get(*["X: a"] * 300),
        b"GET /" + b"a" * 20_000_000,
    ],
    ids=["line", "value", "name", "all", "count", "endless"],
)
def test_a_head_that_is_too_long_gets_431(head: bytes) -> None:
    """HT-375: a line of it, or the whole; the answer can be read although not all was taken."""
    with place(SMALL) as here:
        client = here.client()
        client.send(head)
        assert client.answer()[0] == 431
        assert client.ended()
        assert here.desk.heard_nothing_more()
        assert still_serves(here)


def test_a_head_up_to_the_limit_is_taken() -> None:
    """HT-375."""
    with place() as here:
        here.client().send(get(*(f"X{index}: {'a' * 8000}" for index in range(8))))
        assert len(here.desk.next()[1].headers) == 9


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1001\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"a" * 1001,
        post(b"a" * 20_000_000),
    ],
    ids=["stated", "asked", "chunked", "sent"],
)
def test_a_body_that_is_too_large_gets_413(request_: bytes) -> None:
    """HT-41, HT-376: without waiting for it, and the answer can be read although it is still being sent."""
    with place(SMALL) as here:
        client = here.client()
        client.send(request_)
        assert client.answer()[0] == 413
        assert client.ended()
        assert here.desk.heard_nothing_more()
        assert still_serves(here)


def test_a_body_that_is_too_large_may_wait_behind_another_request() -> None:
    """HT-7, HT-376: so much of it has come that no more was read; yet what comes is read until its client has read."""
    with place(SMALL) as here:
        client, other = here.client(), here.client()
        client.send(post(b"first"))
        first, _ = here.desk.next()
        large = post(b"a" * 20_000_000)
        client.send(large[:1_000_000])
        other.send(post(b"later"))  # whose coming says that so much has come
        here.desk.next()
        here.server.write(first, Response(status=200))
        client.send(large[1_000_000:])
        assert client.answer()[0] == 200
        assert client.answer()[0] == 413
        assert client.ended()


def test_a_body_up_to_the_limit_is_taken() -> None:
    """HT-376."""
    with place(SMALL) as here:
        here.client().send(post(b"a" * 1000))
        assert len(here.desk.next()[1].body) == 1000


def test_a_bomb_is_not_unpacked_further_than_the_limit() -> None:
    """HT-376, HT-380: what counts is the size of the body that is to be held."""
    with place(Limits(body=100_000)) as here:
        client = here.client()
        client.send(post(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"))
        assert client.answer()[0] == 413
        assert client.ended()


def test_the_limits_are_those_of_the_contract() -> None:
    """HT-62, HT-188, HT-375 to HT-378."""
    assert Limits() == Limits(
        line=8192, head=65536, body=64 << 20, head_s=30, body_s=300, idle_s=300, write_s=75, waiting=64 << 20,
        waiting_records=100_000,
    )  # fmt: skip


@pytest.mark.parametrize("begun", [b"G", b"POST / HTTP/1.1\r\nHost: h", post(b"x")[:-2]])
def test_a_head_that_does_not_end_gets_408(begun: bytes) -> None:
    """HT-377."""
    with place(HASTY) as here:
        client = here.client()
        client.send(begun)
        status, headers, _ = client.answer()
        assert (status, headers["connection"]) == (408, "close")
        assert "date" in headers
        assert client.ended()
        assert here.desk.heard_nothing_more()


def test_a_body_that_does_not_come_gets_408() -> None:
    """HT-377."""
    with place(HASTY) as here:
        client = here.client()
        client.send(post(b"abc")[:-1])
        assert client.answer()[0] == 408
        assert client.ended()
        assert here.desk.heard_nothing_more()


def test_an_idle_connection_is_closed() -> None:
    """HT-378: one that never asked anything, and one that did."""
    with place(Limits(idle_s=0.05)) as here:
        here.echo()
        silent, client = here.client(), here.client()
        client.send(post(b"x"))
        assert client.answer()[2] == b"x"
        assert client.ended()
        assert silent.ended()


def test_a_connection_is_not_idle_while_a_request_runs() -> None:
    """HT-378, HT-377: it outlives one that is, and the time for a head is not for the answer."""
    with place(Limits(idle_s=0.05, head_s=0.05)) as here:
        client = here.client()
        client.send(post(b"x"))
        number, request = here.desk.next()
        for _ in range(3):
            assert here.client().ended()
        here.echo()
        assert here.desk.answer is not None
        here.desk.answer(number, request)
        assert client.answer()[2] == b"x"
        assert here.desk.heard_nothing_more()


def test_a_client_may_vanish_at_each_byte_of_a_request() -> None:
    """HT-381, HT-60: a request that is not whole is none; one that is, is taken back."""
    whole = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    with logged() as lines, place() as here:
        for sent in range(len(whole)):
            client = here.client()
            client.send(whole[:sent])
            client.close()
        client = here.client()
        client.send(whole)
        number, request = here.desk.next()
        assert request.body == b"ab"
        client.close()
        assert here.desk.next_gone() == number
        assert still_serves(here)
        here.desk.next()
        assert here.desk.heard_nothing_more()
    assert lines == []
