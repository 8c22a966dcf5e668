"""JSON that strict clients understand, and records of a stream (docs/spec/http.md sections 2.3 and 3)."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.gateway.v1.framing import Malformed, Unframer, framed, to_json
from tests.effort import examples

QUICK = settings(deadline=None, max_examples=examples(100))

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(QUICK)
@given(VALUES)
def test_json_is_ascii_on_one_line_and_means_what_it_was(value: object) -> None:
    """HT-47, HT-48: whatever characters and line ends stand in it."""
    spelt = to_json(value)

    assert spelt.isascii()
    assert b"\n" not in spelt
    assert b"\r" not in spelt
    assert json.loads(spelt) == value


def test_json_has_no_needless_spaces() -> None:
    """HT-63 shows how a heartbeat is spelt."""
    assert to_json({"type": "HEARTBEAT"}) == b'{"type":"HEARTBEAT"}'
    assert to_json({"a": [1, 2.5, True]}) == b'{"a":[1,2.5,true]}'


def test_infinity_is_text_at_any_depth() -> None:
    """HT-54."""
    value = {"seconds": math.inf, "more": [{"least": -math.inf}, 1.0]}

    assert to_json(value) == b'{"seconds":"Infinity","more":[{"least":"-Infinity"},1.0]}'


def test_nan_is_never_written() -> None:
    """HT-54: it is a defect of whoever wanted to write it, beside infinity as well."""
    for value in ({"seconds": math.nan}, [math.inf, math.nan]):
        with pytest.raises(ValueError, match="JSON compliant"):
            to_json(value)


def test_a_record_is_its_length_a_newline_and_nothing_more() -> None:
    """HT-55: the length counts bytes, after other characters have become escapes."""
    assert framed({"type": "HEARTBEAT"}) == b'20\n{"type":"HEARTBEAT"}'
    assert framed("é") == b'8\n"\\u00e9"'


@settings(QUICK)
@given(st.lists(VALUES, max_size=5), st.lists(st.integers(min_value=0), max_size=10))
def test_records_are_found_however_the_stream_is_cut(values: list[object], cuts: list[int]) -> None:
    """HT-55, from the reader's side: pieces need not begin or end with a record."""
    stream = b"".join(framed(value) for value in values)
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    unframer = Unframer(limit=1_000_000)

    found = [record for begin, end in pairwise(places) for record in unframer.feed(stream[begin:end])]

    assert [json.loads(record) for record in found] == values


def test_a_record_comes_out_with_its_last_byte_and_not_before() -> None:
    """HT-55: nothing follows a record for which one would have to wait."""
    unframer = Unframer(limit=10)

    assert unframer.feed(b"5\nhell") == []
    assert unframer.feed(b"o") == [b"hello"]
    assert unframer.feed(b"0\n1\nx") == [b"", b"x"]


@pytest.mark.parametrize(
    "stream", [b"x\nhello", b"-1\n", b"\n", b" 5\nhello", b"5 \nhello", b"5\r\nhello", b"1.5\n", b'{"type"', b"9" * 21]
)
def test_what_is_no_length_is_an_error_that_says_so(stream: bytes) -> None:
    """HT-55: at once, so that who sends no records at all is not waited for."""
    with pytest.raises(Malformed, match="came where the length of a record was expected"):
        Unframer(limit=100).feed(stream)


def test_a_record_above_the_limit_is_an_error_before_it_has_come() -> None:
    """HT-41 for streams: nobody can make us keep more than the limit."""
    assert Unframer(limit=5).feed(b"5\nhello") == [b"hello"]
    with pytest.raises(Malformed, match="a record of 6 bytes was announced; at most 5 are taken"):
        Unframer(limit=5).feed(b"6\n")
