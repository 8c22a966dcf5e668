"""What a trace says of the run it is of, so that a reader of one needs nothing else."""

from __future__ import annotations

from attrs import frozen

FORMAT = 1
"""Of records and their head; it grows when a reader has to know."""


@frozen(kw_only=True)
class TraceFailure:
    """What did not hold, if anything: which check, in which words, when, and at which record."""

    check: str
    words: str
    time: float
    index: int = -1


@frozen(kw_only=True)
class TraceHead:
    """What is known of a run. What nobody has said is None or empty; the last two say what the trace still holds.

    Attributes:
        format: of records and of this.
        version: of Mesolite.
        virtual: whether time is virtual; None if nobody has said.
        seed: what every choice was drawn from, None on real time.
        settings: those that are not as in `Settings.mesos()`, by name, as text.
        script: the faults and choices that were replayed, a line each; None if none were.
        failure: what did not hold.
        repeat: the command that repeats the run.
        first_index: the first record kept.
        fallen: how many records were written and are not kept any more.
    """

    format: int = FORMAT
    version: str = ""
    virtual: bool | None = None
    seed: int | None = None
    settings: tuple[tuple[str, str], ...] = ()
    script: tuple[str, ...] | None = None
    failure: TraceFailure | None = None
    repeat: str | None = None
    first_index: int = 0
    fallen: int = 0
