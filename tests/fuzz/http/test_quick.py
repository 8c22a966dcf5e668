"""A small round of the fuzz over HTTP; `make fuzz` has a large one."""

from __future__ import annotations

from random import Random

from tests.fuzz.http.run import Stage, fuzz

REQUESTS = 3000


def test_nobody_but_the_caller_is_hurt_by_a_request() -> None:
    """HT-89, HT-381, HT-39, HT-40: all are answered, none with 500; no actor fails, and others are served as before."""
    found = fuzz(seed=1, count=REQUESTS)

    assert found.complaints == []
    assert min(found.statuses[status] for status in (200, 202, 400)) > REQUESTS / 20


def test_the_same_seed_sends_the_same_requests() -> None:
    """A complaint can be looked into."""
    sent: list[list[str]] = []
    for _ in range(2):
        stage = Stage(Random("7"))
        sent.append([])
        for _ in range(100):
            call = stage.next()
            request = stage.changed(call)
            answer = stage.send(call, request)
            sent[-1].append(f"{request} {answer.status} {answer.body!r} {answer.records}")

    assert sent[0] == sent[1]
