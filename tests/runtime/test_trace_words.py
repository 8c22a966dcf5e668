"""A trace can be read whatever its messages hold: it is read when something is wrong already."""

from __future__ import annotations

from types import SimpleNamespace

from mesolite.actors.trace import Lost, Trace
from mesolite.messages import StatusUpdate


class Speechless:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def update_of(status: object) -> StatusUpdate:
    """An update that no constructor would make."""
    update = object.__new__(StatusUpdate)
    for name, value in {"framework_id": "f", "status": status, "latest_state": None}.items():
        object.__setattr__(update, name, value)
    return update


def test_what_cannot_be_put_into_words_is_a_line_that_says_so() -> None:
    """In the text, the end, a party's tail and a story."""
    trace = Trace()
    trace.record(0.0, "a", "b", update_of(Speechless()), (), -1)
    trace.record(1.0, "a", "b", Lost(update_of(Speechless()), "cut"), (), -1)

    said = "StatusUpdate (cannot be put into words: RuntimeError)"
    assert trace.text().count(said) == trace.tail("a").count(said) == trace.story("a").count(said) == 2
    assert trace.last(1) == trace.text().splitlines()[1:]


def test_a_state_that_is_no_state_is_shown_as_it_is() -> None:
    """User code hands over strings for states."""
    trace = Trace()
    trace.record(0.0, "a", "b", update_of(SimpleNamespace(task_id="t", state="LOST", reason="why")), (), -1)

    assert "status=t:LOST(why)" in trace.text()


def test_the_last_lines_are_the_end_of_the_text() -> None:
    """So many at most, without what the text leaves out."""
    trace = Trace()
    for n in range(9):
        trace.record(n, "a", "b", update_of(SimpleNamespace(task_id=str(n), state="s")), (), -1)
        trace.record(n, "a", "b", "no message", (), -1)

    assert trace.last(4) == trace.text().splitlines()[-4:]
    assert trace.last(100) == trace.text().splitlines()
