"""How long to wait at most, as both runtimes understand it."""

from __future__ import annotations

from mesolite.messages.errors import InvalidValue

FOREVER_S = 1e9
"""A time-out of 31 years or more is none. `threading` cannot wait for much longer anyway."""


def limit(timeout: float | None) -> float | None:
    """A time-out in seconds, None if there is no limit; 0 means to look once.

    Raises:
        InvalidValue: it is negative, or no number.
    """
    if timeout is None or timeout >= FOREVER_S:
        return None
    if not timeout >= 0:
        raise InvalidValue(
            f"a time-out of {timeout} s cannot be; give 0 or more seconds (0: look once), or None to wait for ever"
        )
    return timeout
