"""Answers that stay open (docs/spec/http.md section 3): chunks, departures, and clients that do not read."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time

import pytest

from mesolite.gateway.exchange import Cut, Record, Response, StreamBegun, StreamEnded
from mesolite.gateway.limits import Limits
from tests.gateway.server.peers import PATIENCE_S, Client, Place, get, place, post

HEAD = StreamBegun(headers=(("Content-Type", "application/json"), ("Mesos-Stream-Id", "abc")))


def subscribed(here: Place, *headers: str, buffer: int = 0) -> tuple[Client, int]:
    """A client whose stream has begun, and the number of its request."""
    client = here.client(buffer=buffer)
    client.send(post(b"{}", *headers))
    number, _ = here.desk.next()
    here.server.write(number, HEAD)
    assert client.head()[0] == 200
    return client, number


def fill(here: Place, number: int) -> None:
    """Send more than the systems of both ends keep for a client with a small buffer that does not read."""
    for _ in range(20):
        here.server.write(number, Record(b"1000000\n" + bytes(1_000_000)))


def leave(client: Client, how: str) -> None:
    """Go, in one of the ways in which clients do."""
    if how == "half-closes":
        client.socket.shutdown(socket.SHUT_WR)
        return
    if how == "resets":
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_the_head_of_a_stream_is_sent_before_any_record() -> None:
    """HT-56, HT-58: and is never compressed, whatever the client offers (HT-9)."""
    with place() as here:
        client = here.client()
        client.send(post(b"{}", "Accept-Encoding: gzip, deflate"))
        here.server.write(here.desk.next()[0], HEAD)
        status, headers = client.head()
        assert status == 200
        assert headers.pop("date")
        headers.pop("server", None)
        assert headers == {
            "content-type": "application/json",
            "mesos-stream-id": "abc",
            "transfer-encoding": "chunked",
        }


def test_each_record_is_one_chunk_in_one_send() -> None:
    """HT-57: mesos-framework and mentos lose records otherwise. What is sent at once arrives here at once."""
    with place() as here:
        client, number = subscribed(here)
        for size in (1, 15, 16, 1000, 5000):
            framed = b"%d\n" % size + b"x" * size
            here.server.write(number, Record(framed))
            assert client.unread == b""
            assert client.socket.recv(65536) == b"%x\r\n" % len(framed) + framed + b"\r\n"


def test_records_that_wait_together_are_still_one_chunk_each() -> None:
    """HT-57, HT-61: in order, whatever their size and number."""
    with place() as here:
        client = here.client()
        client.send(post(b"{}"))
        number, _ = here.desk.next()
        records = [b"%d\n" % index + b"x" * (index * index % 70_000) for index in range(300)]
        for part in (HEAD, *map(Record, records), StreamEnded()):
            here.server.write(number, part)
        client.head()
        assert [client.chunk() for _ in records] == records
        assert client.chunk() == b""


def test_nagle_is_off() -> None:
    """HT-58: a small record does not wait until the one before it has been acknowledged."""
    with place() as here:
        subscribed(here)
        (descriptor,) = here.descriptors()
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_ended_stream_has_a_final_chunk_and_the_connection_is_usable_again() -> None:
    """HT-59, HT-3."""
    with place() as here:
        client, number = subscribed(here)
        here.server.write(number, Record(b"1\nx"))
        here.server.write(number, StreamEnded())
        assert (client.chunk(), client.chunk()) == (b"1\nx", b"")
        here.echo()
        client.send(post(b"again"))
        assert client.answer()[2] == b"again"
        here.desk.next()
        assert here.desk.heard_nothing_more()


def test_a_stream_on_a_connection_that_is_to_be_closed_stays_open_until_its_end() -> None:
    """HT-3."""
    with place() as here:
        client, number = subscribed(here, "Connection: close")
        for record in (b"1\na", b"1\nb"):
            here.server.write(number, Record(record))
            assert client.chunk() == record
        here.server.write(number, StreamEnded())
        assert client.chunk() == b""
        assert client.ended()


def test_for_http_1_0_a_stream_is_what_comes_until_the_end() -> None:
    """HT-3: that version knows no chunks."""
    with place() as here:
        client = here.client()
        client.send(get(version="1.0"))
        number, _ = here.desk.next()
        for part in (HEAD, Record(b"1\na"), Record(b"1\nb"), StreamEnded()):
            here.server.write(number, part)
        assert "transfer-encoding" not in client.head()[1]
        assert client.exactly(6) == b"1\na1\nb"
        assert client.ended()


@pytest.mark.parametrize("begun", [True, False])
def test_an_answer_is_cut_when_whoever_was_to_give_it_is_gone(*, begun: bool) -> None:
    """As when a daemon dies: no final chunk, and nobody is there to be told that the client has gone."""
    with place() as here:
        client = here.client()
        client.send(post(b"{}"))
        number, _ = here.desk.next()
        if begun:
            here.server.write(number, HEAD)
            client.head()
        here.server.write(number, Cut())
        assert client.ended()
    assert here.desk.heard_nothing_more()


@pytest.mark.parametrize("how", ["closes", "half-closes", "resets"])
@pytest.mark.parametrize("begun", [True, False])
def test_a_client_that_goes_is_noticed_without_a_write(how: str, *, begun: bool) -> None:
    """HT-60: once, in a stream and before any answer."""
    with place() as here:
        if begun:
            client, number = subscribed(here)
        else:
            client = here.client()
            client.send(post(b"{}"))
            number, _ = here.desk.next()
        leave(client, how)
        assert here.desk.next_gone() == number
        here.server.write(number, Record(b"1\nx") if begun else Response(status=200))
        if how == "half-closes":
            assert client.ended()
    assert here.desk.heard_nothing_more()


def test_a_client_that_half_closes_with_much_unread_is_gone_at_once() -> None:
    """HT-60: not only when all that it does not read has been written."""
    with place() as here:
        client, number = subscribed(here, buffer=4096)
        fill(here, number)
        client.socket.shutdown(socket.SHUT_WR)
        assert here.desk.next_gone() == number


def test_whoever_goes_after_the_answer_was_given_is_not_missed() -> None:
    """HT-60: of a departure is told only while somebody answers; the last one tells that the others were noticed."""
    with place() as here:
        stream, number = subscribed(here)
        here.server.write(number, StreamEnded())
        assert stream.chunk() == b""
        client = here.client()
        client.send(post(b"x"))
        here.server.write(here.desk.next()[0], Response(status=200))
        client.answer()
        running, last = subscribed(here)
        for leaving in (stream, client, running):
            leaving.close()
        assert here.desk.next_gone() == last
    assert here.desk.heard_nothing_more()


@pytest.mark.parametrize("limits", [Limits(waiting=1_000_000), Limits(waiting_records=500)], ids=["bytes", "records"])
def test_a_client_that_does_not_read_is_cut_off_and_the_others_are_not_slowed(limits: Limits) -> None:
    """HT-62, HT-380."""
    with place(limits) as here:
        slow, slow_number = subscribed(here, buffer=4096)
        quick, quick_number = subscribed(here)
        record = b"20000\n" + b"x" * 20_000
        sent = 0
        while here.desk.heard_nothing_more():
            assert sent < 5000
            here.server.write(slow_number, Record(record))
            here.server.write(quick_number, Record(record))
            assert quick.chunk() == record
            sent += 1
        assert here.desk.next_gone() == slow_number
        here.server.write(quick_number, StreamEnded())
        assert quick.chunk() == b""
        assert slow.ends_before(sent * len(record))
    assert here.desk.heard_nothing_more()


def test_a_client_that_reads_slowly_gets_everything() -> None:
    """HT-62: below the limits nothing is lost, however long it takes."""
    with place() as here:
        client, number = subscribed(here, buffer=4096)
        records = [b"%d\n" % index + b"x" * 10_000 for index in range(1000)]
        for record in records:
            here.server.write(number, Record(record))
        here.server.write(number, StreamEnded())
        assert [client.chunk() for _ in records] == records
        assert client.chunk() == b""


def test_a_write_that_is_not_taken_ends_the_stream() -> None:
    """HT-188: long before too much waits."""
    with place(Limits(write_s=0.1)) as here:
        _, number = subscribed(here, buffer=4096)
        fill(here, number)
        assert here.desk.next_gone() == number
    assert here.desk.heard_nothing_more()


def test_a_stream_whose_writes_were_taken_at_last_may_be_silent() -> None:
    """HT-188: the patience ends with the write. That it would be over, a connection shows that may idle longer."""
    with place(Limits(write_s=0.5, idle_s=0.8)) as here:
        client, number = subscribed(here, buffer=4096)
        fill(here, number)
        for _ in range(20):
            client.chunk()
        assert here.client().ended()
        here.server.write(number, Record(b"5\nstill"))
        assert client.chunk() == b"5\nstill"
    assert here.desk.next_gone() == number


def test_a_whole_answer_that_is_not_taken_is_given_up() -> None:
    """HT-188, HT-380: and nobody is told, as it had been given."""
    with place(Limits(write_s=0.1)) as here:
        other = here.client()
        other.send(post(b"x"))
        here.server.write(here.desk.next()[0], Response(status=200))
        other.answer()
        client = here.client(buffer=4096)
        client.send(get())
        here.server.write(here.desk.next()[0], Response(status=200, body=bytes(50_000_000)))
        here.echo()
        until = time.monotonic() + PATIENCE_S
        while len(here.descriptors()) > 1:
            assert time.monotonic() < until
            other.send(post(b"x"))
            assert other.answer()[2] == b"x"
        assert client.ends_before(50_000_000)


def test_a_thousand_streams_are_served_by_one_thread() -> None:
    """HT-379, HT-380: records come from another thread, to all at a time."""
    with place() as here:
        before = threading.active_count()
        streams = [subscribed(here) for _ in range(1000)]
        assert threading.active_count() == before
        for index in range(5):
            for _, number in streams:
                here.server.write(number, Record(b"1\n%d" % index))
        for client, _ in streams:
            assert [client.chunk() for _ in range(5)] == [b"1\n%d" % index for index in range(5)]
        for client, _ in streams:
            client.close()
        assert {here.desk.next_gone() for _ in streams} == {number for _, number in streams}


def test_records_of_many_threads_arrive_whole_and_each_thread_s_in_order() -> None:
    """HT-61, LP-13."""
    with place() as here:
        client, number = subscribed(here)

        def send(name: int) -> None:
            for index in range(500):
                here.server.write(number, Record(b"%d %d" % (name, index)))

        senders = [threading.Thread(target=send, args=(name,)) for name in range(4)]
        for sender in senders:
            sender.start()
        came = [tuple(map(int, client.chunk().split())) for _ in range(2000)]
        for sender in senders:
            sender.join()
        for name in range(4):
            assert [index for who, index in came if who == name] == list(range(500))
