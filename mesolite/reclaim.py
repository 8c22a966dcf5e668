"""A reclaim one can look at: who was asked and said what, what came back, what was revoked (docs/reclaim.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Runtime
from mesolite.messages.checking import Timeout, checked_arguments, optional_seconds
from mesolite.messages.drains import Blocker
from mesolite.messages.ids import ExecutorId, ReclaimId, TaskId
from mesolite.messages.operator import CallAnswered, ReleaseReclaimCall
from mesolite.messages.queries import GetReclaim
from mesolite.messages.reclaims import AskedFramework, ReclaimInfo, ReclaimState, ReclaimView
from mesolite.messages.resources import Resources
from mesolite.operation_handle import Ask, OperationHandle

Place = Callable[[Callable[[int], Any]], CallAnswered]
"""Put a call before the leading master and wait for the answer."""


class Reclaim(OperationHandle):
    """One reclaim. Where it stands is what a leader last made known; who gave what, the present one is asked.

    What is asked raises `Refused` when nobody leads. Everything does when it ended so long ago that it was forgotten.

    Attributes:
        id: the reclaim's own id.
        target: the agent or framework of which something is reclaimed, as text.
    """

    def __init__(
        self, runtime: Runtime, ask: Ask, place: Place, reclaim_id: ReclaimId, target: str
    ) -> None:
        """Refer to that reclaim of that agent or framework."""
        super().__init__(runtime, ask, f"reclaim {reclaim_id}", target)
        self._place = place
        self._end: ReclaimInfo | None = None
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
        return self._info.state

    @property
    def resources(self) -> Resources | None:
        """What is wanted; None: everything."""
        return self._info.resources

    @property
    def asked_at(self) -> float:
        """When it was asked for, in seconds on the cluster's clock."""
        return self._info.asked_at

    @property
    def deadline(self) -> float:
        """From when on what is missing is revoked, in seconds on the cluster's clock."""
        return self._info.deadline

    @property
    def message(self) -> str:
        """Why, in the operator's words."""
        return self._info.message

    @property
    def initiator(self) -> str:
        """Who wanted it, in the operator's words."""
        return self._info.initiator

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
        return self._info.ended_at

    @property
    def blocked_by(self) -> tuple[Blocker, ...]:
        """Everything it waits for before it is DONE: each has the actor that has to act."""
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
    def _info(self) -> ReclaimInfo:
        info = self._known()
        if info is None:
            raise self._forgotten()
        if info.ended_at is None:
            self._runtime.check_open()  # nobody goes on with it in a cluster that is closed
        return info

    @property
    def _view(self) -> ReclaimView:
        answer = self._ask(lambda number: GetReclaim(call_id=number, reclaim_id=self.id))
        if not answer.reclaims:
            raise self._forgotten()
        return answer.reclaims[0]

    def _known(self) -> ReclaimInfo | None:
        """What was last made known of it; its end stays known. It only reads, and may be called on any thread."""
        if self._end is not None:
            return self._end
        info = self._runtime.events.newest(ReclaimInfo, self.id)
        if info is not None and info.ended_at is not None:
            self._end = info
        return info

    def _is_over(self) -> bool:
        """Whether nothing is left to wait for: nothing is missing, or it has ended otherwise, or is forgotten."""
        info = self._known()
        return info is None or info.state in (ReclaimState.DONE, ReclaimState.LEFT, ReclaimState.RELEASED)
