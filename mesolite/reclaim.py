"""A reclaim one can look at: who was asked and said what, what came back, what was revoked (docs/reclaim.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.decisions.master import reclaim_view
from mesolite.actors.decisions.master.reclaim_view import AskedFramework, ReclaimView
from mesolite.actors.decisions.rules.drain import Blocker
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Runtime
from mesolite.messages.checking import Timeout, checked_arguments, optional_seconds
from mesolite.messages.ids import ExecutorId, ReclaimId, TaskId
from mesolite.messages.operator import CallAnswered, ReleaseReclaimCall
from mesolite.messages.reclaims import ReclaimInfo, ReclaimState
from mesolite.messages.resources import Resources
from mesolite.undertaking import AskLeader, Books, Undertaking

Place = Callable[[Callable[[int], Any]], CallAnswered]
"""Put a call before the leading master and wait for the answer."""


class Reclaim(Undertaking):
    """One reclaim, as the leading master knows it. Its end, once seen, stays known when no master leads.

    Everything that is looked at raises `Refused` when nobody leads, or when it ended so long ago that it was forgotten.

    Attributes:
        id: the reclaim's own id.
        target: the agent or framework of which something is reclaimed, as text.
    """

    def __init__(
        self, runtime: Runtime, ask: AskLeader, books: Books, place: Place, reclaim_id: ReclaimId, target: str
    ) -> None:
        """Refer to that reclaim of that agent or framework."""
        super().__init__(runtime, ask, books, f"reclaim {reclaim_id}", target)
        self._place = place
        self._info: ReclaimInfo | None = None
        self._end: ReclaimState | None = None
        self.id = reclaim_id
        self.target = target

    def __repr__(self) -> str:
        """Show what is reclaimed of whom, by when, and where that stands."""
        try:
            what = "everything" if self.resources is None else str(self.resources)
            stands = f"{what} by {self.deadline:.3f} s: {self.state}"
        except Refused as why_not:
            stands = str(why_not)
        return f"<Reclaim {self.id} of {self.target}: {stands}>"

    # ----------------------------------------------------------------------------------------------------- looking

    @property
    def state(self) -> ReclaimState:
        """ASKED, REVOKING, DONE, LEFT or RELEASED (RV-4)."""
        if self._end is not None:
            return self._end
        known = next((state for state in self._look() if state is not None), None)
        if known is None:
            raise self._unknown()
        return known

    @property
    def resources(self) -> Resources | None:
        """What is wanted; None: everything."""
        return self._wanted.resources

    @property
    def asked_at(self) -> float:
        """When it was asked for, in seconds on the cluster's clock."""
        return self._wanted.asked_at

    @property
    def deadline(self) -> float:
        """From when on what is missing is revoked, in seconds on the cluster's clock."""
        return self._wanted.deadline

    @property
    def message(self) -> str:
        """Why, in the operator's words."""
        return self._wanted.message

    @property
    def initiator(self) -> str:
        """Who wanted it, in the operator's words."""
        return self._wanted.initiator

    @property
    def asked(self) -> tuple[AskedFramework, ...]:
        """The frameworks that were asked, each with its share and its answer (RV-10, RV-22)."""
        return self._view.asked

    @property
    def missing(self) -> Resources:
        """What is not there yet (RV-2)."""
        return self._view.missing

    @property
    def returned(self) -> Resources:
        """What was missing once and is there, whether it was given back or taken."""
        return self._view.returned

    @property
    def revoked_tasks(self) -> tuple[TaskId, ...]:
        """The tasks that the present leader has had revoked (RV-36)."""
        return self._view.revoked_tasks

    @property
    def revoked_executors(self) -> tuple[ExecutorId, ...]:
        """The executors that the present leader has had revoked (RV-36)."""
        return self._view.revoked_executors

    @property
    def ended_at(self) -> float | None:
        """When it ended, None while it is open, as it is while its resources are withheld."""
        return self._view.ended_at

    @property
    def blocked_by(self) -> tuple[Blocker, ...]:
        """Everything it waits for before it is DONE: each has the party that has to act."""
        return self._view.blocked_by

    # ------------------------------------------------------------------------------------------ waiting, releasing

    @checked_arguments
    def wait(self, timeout: Timeout | None = None) -> ReclaimState:
        """Wait until nothing is missing, or it has ended otherwise, and return how: DONE, LEFT or RELEASED (RV-46).

        A master may fail meanwhile; its successor goes on. Without a time-out this waits as long as it takes, and says
        so once, after 10 min, in the log.

        Raises:
            TimeoutError: it is not done within so many seconds; the text names what it waits for.
            Refused: it ended so long ago that it was forgotten, or the cluster was closed.
            WouldBlock: in a simulation, inside a callback; elsewhere it blocks that callback, and what waits for it.
            NothingToWaitFor: in a simulation, without a time-out: nobody has anything left to do but to repeat itself.
            Exception: user code raised it, here or elsewhere, and nobody has seen it yet (`raise_user_errors`).
        """
        self._wait("come to its end", optional_seconds(timeout))
        return self.state

    def release(self) -> None:
        """Give it up, or give back what it has kept: the resources may be offered again (RV-43). Safe to repeat.

        Raises:
            Refused: nobody leads at the moment, or it ended so long ago that it was forgotten.
            OutcomeUnknown: the master died, or did not answer.
        """
        self._place(lambda number: ReleaseReclaimCall(call_id=number, reclaim_id=self.id))

    # ------------------------------------------------------------------------------------------------------ inside

    @property
    def _wanted(self) -> ReclaimInfo:
        """What was wanted, which never changes."""
        if self._info is None:
            self._look()
        if self._info is None:
            raise self._unknown()
        return self._info

    @property
    def _view(self) -> ReclaimView:
        found: ReclaimView | None = self._ask(self._in)
        if found is None:
            raise self._unknown()
        return found

    def _in(self, books: Any) -> ReclaimView | None:
        record = reclaim_view.find(books, self.id)
        return reclaim_view.view(books, record) if record is not None else None

    def _look(self) -> list[ReclaimState | None]:
        """Where each leader says it stands; after a partition an old one may still think that it leads."""
        records = [reclaim_view.find(books, self.id) for books in self._books()]
        for record in records:
            if record is not None:
                self._info = record.info
                self._end = record.state if record.info.ended_at is not None else self._end
        return [None if record is None else record.state for record in records]

    def _is_over(self) -> bool:
        """Whether nothing is left to wait for; nobody leading is not an end."""
        known = [self._end] if self._end is not None else self._look()
        over = (ReclaimState.DONE, ReclaimState.LEFT, ReclaimState.RELEASED)
        forgotten = bool(known) and not any(known)
        return forgotten or any(state in over for state in known)
