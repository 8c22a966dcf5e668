"""What every message is: a frozen, slotted, keyword-only attrs record that says one thing.

Rule: a message holds names and values only. No references to actors, no futures, no callables: what is said must be
sayable over a wire (core.md LP-16), and the codec is the only place that knows the wire.
"""

from __future__ import annotations

from attrs import frozen


class Message:
    """Marks what one actor says to another. Its class name is its kind on the wire, unique across conversations."""

    __slots__ = ()


class FrameworkCall(Message):
    """Marks what a framework's driver says to the leading master; a leader checks it before it decides on it."""

    __slots__ = ()


OPERATOR_PRINCIPAL = "operator"


@frozen(kw_only=True)
class OperatorCall(Message):
    """Marks what an operator asks of the leading master, and nobody else may; it is answered by `CallAnswered`.

    `principal` is who makes the call: what he may is looked up under it (core.md SEC-13).
    """

    principal: str = OPERATOR_PRINCIPAL


class Query(Message):
    """Marks what is asked of the leading master only to be told; answered by `QueryAnswered`, and changes nothing.

    It and its answer leave no trace records: who looks again and again must not push out what happened.
    """

    __slots__ = ()


class ExecutorCall(Message):
    """Marks what an executor says to its agent, which checks it before it decides on it."""

    __slots__ = ()
