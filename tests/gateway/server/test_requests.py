"""Requests as they come, and answers of known length (docs/spec/http.md section 1)."""

from __future__ import annotations

import gzip
import re

import pytest

from mesolite.gateway.exchange import Response
from tests.gateway.server.peers import get, place, post
from tests.logs import logged

JSON = (("Content-Type", "application/json"),)


def test_a_request_arrives_as_it_was_sent() -> None:
    """HT-4, HT-5, HT-97: the path and query keep their percent signs, headers their order, the body its bytes."""
    with place() as here:
        client = here.client()
        client.send(post(b"\x00{}", "X-A: 1", "x-a: 2", path="/slave(1)%2F//a/../b?x=%20+&&y"))
        _, request = here.desk.next()
        assert (request.method, request.path, request.query) == ("POST", "/slave(1)%2F//a/../b", "x=%20+&&y")
        assert request.body == b"\x00{}"
        assert request.header("X-a") == "1"
        assert request.headers_named("x-A") == ["1", "2"]


def test_a_request_for_a_whole_url_is_one_for_its_path() -> None:
    """As proxies send them; the host in it is of no interest."""
    with place() as here:
        here.client().send(b"GET http://elsewhere:1/a%2Fb?c=%20 HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
        _, request = here.desk.next()
        assert (request.path, request.query) == ("/a%2Fb", "c=%20")


def test_a_body_may_come_in_chunks() -> None:
    """HT-4."""
    with place() as here:
        here.client().send(
            b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert here.desk.next()[1].body == b"abcde"


def test_numbers_are_never_used_twice() -> None:
    """A part for one request can never reach another, on whatever connection or port."""
    with place() as here:
        here.echo()
        client, other = here.client(), here.client()
        for sender in (client, client, other):
            sender.send(post(b"x"))
            sender.answer()
        numbers = [here.desk.next()[0] for _ in range(3)]
        assert len(set(numbers)) == 3


def test_an_answer_states_its_length_and_its_date() -> None:
    """HT-6, HT-8."""
    with place() as here:
        client = here.client()
        client.send(get())
        here.server.write(
            here.desk.next()[0], Response(status=404, headers=(*JSON, ("X", "1"), ("X", "2")), body=b"{}")
        )
        status, headers, body = client.answer()
        assert (status, headers["content-type"], body) == (404, "application/json", b"{}")
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])


@pytest.mark.parametrize("status", [200, 202, 307, 403])
def test_an_empty_answer_has_length_zero_and_no_content_type(status: int) -> None:
    """HT-6: mesos-go takes an answer with a Content-Type for one with a body."""
    with place() as here:
        client = here.client()
        client.send(post(b"{}"))
        here.server.write(here.desk.next()[0], Response(status=status, headers=JSON))
        answered, headers, body = client.answer()
        assert (answered, headers["content-length"], body) == (status, "0", b"")
        assert "content-type" not in headers


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 5000])
def test_head_is_answered_like_get_without_the_body(body: bytes) -> None:
    """HT-14: with the length of the body that there would be; the next answer follows at once."""
    with place() as here:
        client = here.client()
        for _ in range(2):
            client.send(get(method="HEAD"))
            here.server.write(here.desk.next()[0], Response(status=200, headers=JSON, body=body))
            status, headers = client.head()
            assert (status, headers["content-length"]) == (200, str(len(body)))
        assert client.unread == b""


@pytest.mark.parametrize("offer", ["gzip", "deflate, GZIP;q=0.5", "br, gzip ; q=1.0"])
@pytest.mark.parametrize("size", [1024, 300_000])
def test_a_long_answer_is_compressed_for_whoever_reads_gzip(offer: str, size: int) -> None:
    """HT-9; the length is that of what is sent (HT-6)."""
    with place() as here:
        client = here.client()
        client.send(get(f"Accept-Encoding: {offer}"))
        here.server.write(here.desk.next()[0], Response(status=200, headers=JSON, body=b"x" * size))
        _, headers, body = client.answer()
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(body) == b"x" * size


@pytest.mark.parametrize(("offer", "size"), [("gzip", 1023), ("deflate", 2000), ("gzip;q=0, br", 2000), ("", 2000)])
def test_other_answers_are_sent_as_they_are(offer: str, size: int) -> None:
    """HT-9."""
    with place() as here:
        client = here.client()
        client.send(get(f"Accept-Encoding: {offer}"))
        here.server.write(here.desk.next()[0], Response(status=200, headers=JSON, body=b"x" * size))
        _, headers, body = client.answer()
        assert "content-encoding" not in headers
        assert body == b"x" * size


def test_a_connection_is_kept_unless_the_client_wants_it_closed() -> None:
    """HT-3."""
    with place() as here:
        here.echo()
        client = here.client()
        for body in (b"1", b"2"):
            client.send(post(body))
            assert client.answer()[2] == body
        client.send(post(b"3", "Connection: close"))
        _, headers, body = client.answer()
        assert (headers["connection"], body) == ("close", b"3")
        assert client.ended()


def test_http_1_0_is_answered_and_closed() -> None:
    """HT-3."""
    with place() as here:
        here.echo()
        client = here.client()
        client.send(get(version="1.0"))
        assert client.answer()[0] == 200
        assert client.ended()


def test_pipelined_requests_are_answered_in_order() -> None:
    """HT-7: more of them than are read ahead, and the later ones are not asked before the first is answered."""
    with place() as here:
        client = here.client()
        client.send(b"".join(post(b"%d" % index) for index in range(100)))
        first, _ = here.desk.next()
        assert here.desk.heard_nothing_more()
        here.echo()
        here.server.write(first, Response(status=200, body=b"0"))
        assert [client.answer()[2] for _ in range(100)] == [b"%d" % index for index in range(100)]


def test_a_client_that_waits_for_it_is_asked_for_its_body() -> None:
    """HT-7: `Expect: 100-continue`."""
    with place() as here:
        here.echo()
        client = here.client()
        client.send(b"POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        assert client.head() == (100, {})
        client.send(b"hi")
        assert client.answer()[2] == b"hi"


def test_a_body_sent_gzipped_is_unpacked() -> None:
    """As libprocess does."""
    with place() as here:
        here.client().send(post(gzip.compress(b"{}"), "Content-Encoding: gzip"))
        assert here.desk.next()[1].body == b"{}"


def test_where_nobody_is_the_connection_is_dropped_without_an_answer() -> None:
    """As on a machine whose daemon is down; the number that nobody took is not taken back either."""
    with place(there=False) as here:
        client = here.client()
        client.send(get())
        assert client.ended()
    here.desk.next()
    assert here.desk.heard_nothing_more()


def test_a_defect_is_answered_with_a_reference_that_the_log_has() -> None:
    """HT-89; and the server goes on."""
    with logged("ERROR") as lines, place() as here:

        def fail(number: int, _: object) -> None:
            raise ZeroDivisionError(f"request {number}")

        here.desk.answer = fail
        client = here.client()
        client.send(get())
        status, _, body = client.answer()
        reference = body.decode().split()[-1]
        assert status == 500
        here.echo()
        other = here.client()
        other.send(post(b"on"))
        assert other.answer()[2] == b"on"
    (line,) = lines
    assert reference in line
    assert "ZeroDivisionError" in line


def test_parts_for_nobody_are_dropped() -> None:
    """A number nobody has, one that was answered, and any number after the end."""
    with place() as here:
        client = here.client()
        here.server.write(77, Response(status=200))
        client.send(get())
        number, _ = here.desk.next()
        for status in (200, 500, 501):
            here.server.write(number, Response(status=status))
        assert client.answer()[0] == 200
        client.send(get())
        here.server.write(here.desk.next()[0], Response(status=204))
        assert client.head()[0] == 204
    here.server.write(number, Response(status=200))
