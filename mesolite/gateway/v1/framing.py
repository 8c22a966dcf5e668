"""How answers are spelt: JSON that strict clients understand, and records of a stream."""

from __future__ import annotations

import json
import math
from typing import Any

LENGTH_DIGITS = 20
"""No length has more digits: those of 2**64."""


class Malformed(ValueError):
    """What came is not a sequence of records, or one of them is too large."""


def to_json(value: Any) -> bytes:
    """A value as JSON: on one line, ASCII only, without needless spaces (HT-47, HT-48).

    Raises:
        ValueError: NaN stands somewhere in it, which has no spelling (HT-54).
    """
    try:
        return _encoder.encode(value).encode("ascii")
    except ValueError:
        # Infinity is rare: only who has it pays for a search.
        return _encoder.encode(_spelt(value)).encode("ascii")


def framed(value: Any) -> bytes:
    """A value as one record: the length in bytes as decimal digits, one newline, the JSON (HT-55)."""
    record = to_json(value)
    return b"%d\n%b" % (len(record), record)


class Unframer:
    """Finds the records in a stream of bytes, however it is cut into pieces. After an error it is of no more use."""

    def __init__(self, limit: int) -> None:
        """No record may have more bytes than `limit`."""
        self._limit = limit
        self._buffer = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; gives the records that it completes, without their lengths.

        Raises:
            Malformed: a length is not a number, or above the limit.
        """
        self._buffer += data
        records = []
        start = 0
        while True:
            if self._length is None:
                end = self._buffer.find(b"\n", start)
                if end < 0:
                    self._check_unfinished(self._buffer[start : start + LENGTH_DIGITS + 1])
                    break
                self._length = self._length_of(self._buffer[start:end])
                start = end + 1
            if len(self._buffer) - start < self._length:
                break
            records.append(bytes(self._buffer[start : start + self._length]))
            start += self._length
            self._length = None
        del self._buffer[:start]
        return records

    def _check_unfinished(self, digits: bytearray) -> None:
        if len(digits) > LENGTH_DIGITS or (digits and not digits.isdigit()):
            raise _no_length(digits)

    def _length_of(self, digits: bytearray) -> int:
        if not digits.isdigit() or len(digits) > LENGTH_DIGITS:
            raise _no_length(digits)
        length = int(digits)
        if length > self._limit:
            raise Malformed(f"a record of {length} bytes was announced; at most {self._limit} are taken")
        return length


def _no_length(came: bytearray) -> Malformed:
    shown = bytes(came[:LENGTH_DIGITS]).decode("ascii", "backslashreplace")
    return Malformed(f'"{shown}" came where the length of a record was expected: decimal digits, then one newline')


def _spelt(value: Any) -> Any:
    """The value with infinity as text (HT-54)."""
    if isinstance(value, dict):
        return {key: _spelt(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt(inner) for inner in value]
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


_encoder = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
