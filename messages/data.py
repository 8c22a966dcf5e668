"""A framework's own bytes, which nobody on the way looks into: of tasks, executors, statuses and framework messages.

In Mesos they are always bytes. Here text may be given too, and arrives as text.
"""

from __future__ import annotations

Data = str | bytes
"""What was given as text arrives as text, what was given as bytes arrives as equal bytes."""


def as_data(value: Data | bytearray | memoryview) -> Data:
    """The value as it will arrive: whatever is like bytes is copied into bytes, which nobody can change any more."""
    if type(value) is str:  # nearly always, and this is asked of every task, status and framework message
        return value
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else value
