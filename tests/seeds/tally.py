"""What the seeds have seen, counted: seeds that never reach a situation say nothing about it."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import Callback
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, does, hears, says
from mesolite.messages import (
    ApplyOperation,
    CallAnswered,
    EndDrain,
    EndReclaim,
    MarkAgentGone,
    OperationApplied,
)


class Tally(Checker):
    """Counts, and judges nothing."""

    name = "tally"
    statement = "Nothing is stated."
    assumes = frozenset()

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        operation, tally = record.event.operation, self.watch.tally
        tally[type(operation).__name__] += 1
        if isinstance(operation, EndReclaim):
            tally[f"reclaim ended {operation.reclaim.state}"] += 1

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        operation = message.operation
        if isinstance(operation, EndDrain | MarkAgentGone) and operation.drain is not None:
            self.watch.tally[f"drain ended {operation.drain.state}"] += 1

    @says(ActorRole.MASTER, CallAnswered)
    def answered(self, record: Record, core: Any, message: CallAnswered, to: str) -> None:
        self.watch.tally[f"answered {message.code}"] += 1

    @does(ActorRole.SCHEDULER, Callback)
    def told(self, record: Record, core: Any, effect: Callback) -> None:
        if effect.callback == "status_update":
            status = effect.arguments[0]
            self.watch.tally[f"told {status.state.name}"] += 1
            if status.cause is not None:
                self.watch.tally[f"cause {status.cause}"] += 1
