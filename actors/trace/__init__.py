"""What happened, written once and read in several ways: as text, as states, as moments, as the reason of one of them.

records  what is written: events with their effects, what was lost or disturbed, what hands did, who ended
head     what a trace says of the run it is of
states   what state everything was in, and who believed so; moments, what happened; why, what led to it
words    how a record reads, the one wording of all texts; values, how a value does
trace    Trace: the rings that records are kept in, and every way to read them

A record is one event and the effects it had, with the number of the record that caused it. Records are kept as they
are (everything in them is immutable) and formatted only when somebody looks. No other module formats events.
"""

from mesolite.actors.trace.head import TraceFailure, TraceHead
from mesolite.actors.trace.moments import TraceMoment
from mesolite.actors.trace.records import (
    HEARTBEATS,
    RELEASED,
    Code,
    Disturbed,
    Done,
    Ended,
    Lost,
    Raised,
    Record,
    Routine,
    raised,
)
from mesolite.actors.trace.states import TraceState, states, told
from mesolite.actors.trace.trace import DEFAULT_RECORDS, Trace
from mesolite.actors.trace.words import Names, line, rows, say

__all__ = [
    "DEFAULT_RECORDS",
    "HEARTBEATS",
    "RELEASED",
    "Code",
    "Disturbed",
    "Done",
    "Ended",
    "TraceFailure",
    "TraceHead",
    "TraceState",
    "Lost",
    "TraceMoment",
    "Names",
    "Raised",
    "Record",
    "Routine",
    "Trace",
    "line",
    "raised",
    "rows",
    "say",
    "states",
    "told",
]
