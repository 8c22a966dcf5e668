"""What an operator has begun and can wait for: the part that drains and reclaims share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from mesolite.actors.errors import NothingToWaitFor, OutcomeUnknown, Refused
from mesolite.actors.logs import logger
from mesolite.actors.runtime.port import Runtime
from mesolite.actors.runtime.timeout import limit
from mesolite.messages.base import Query
from mesolite.messages.drains import Blocker
from mesolite.messages.queries import QueryAnswered
from mesolite.waiting import unless_broken

SILENCE_S = 600.0
"""Whoever waits without a time-out is told once, after so long, what is being waited for."""

Ask = Callable[[Callable[[int], Query]], QueryAnswered]
"""Put a query before the leading master, and return what it answers."""


class OperationHandle(ABC):
    """Something under way in a cluster: where it stands is what a leader last made known, and stays while none leads.

    What it waits for is worked out by the leader when it is asked, as nearly every event changes it.
    """

    def __init__(self, runtime: Runtime, ask: Ask, name: str, of: str) -> None:
        """Show what leaders make known of it, and ask them for the rest; errors call it `name`, and say `of` whom."""
        self._runtime = runtime
        self._ask = ask
        self._name = name
        self._whole_name = f"{name} of {of}"

    @property
    @abstractmethod
    def blocked_by(self) -> Sequence[Blocker]:
        """Everything it waits for: each has the actor that has to act.

        Raises:
            Refused: nobody leads at the moment.
        """

    @abstractmethod
    def _is_over(self) -> bool:
        """Whether nothing is left to wait for. It only reads, and may be called on any thread."""

    def _wait(self, end: str, timeout: float | None) -> None:
        """Wait until it is over; which `end` is waited for stands in the errors.

        Raises:
            TimeoutError: it is not, within so many seconds; the text names what it waits for.
            Refused: there is no time-out, and the cluster was closed.
            Exception: user code raised it, and what is waited for may never come (`raise_user_errors`).
            ActorFailed: an actor failed, by our own fault; raised once.
            NothingToWaitFor: in a simulation, without a time-out: nobody has anything left to do but to repeat itself;
                the text names what is waited for.
        """
        timeout = limit(timeout)
        began, is_over = self._runtime.now(), unless_broken(self._runtime, self._is_over)
        silent = timeout is None and not self._runtime.wait(is_over, SILENCE_S)
        if silent and self._runtime.now() - began >= SILENCE_S / 2:  # otherwise the cluster was closed
            logger.warning("{!r} still waits: {}", self, self._waits_for())
        try:
            over = self._runtime.wait(is_over, timeout)
        except NothingToWaitFor as why:
            raise NothingToWaitFor(f"{self._whole_name} will never have {end}: {self._waits_for()}; {why}") from None
        if not over:
            if timeout is None or self._runtime.now() < began + timeout:
                raise Refused(f"the cluster was closed before {self._whole_name} had {end}")
            raise TimeoutError(f"{self._whole_name} has not {end} within {timeout:g} s: {self._waits_for()}")

    def _forgotten(self) -> Refused:
        """Why there is nothing to be seen of it: to be raised.

        Raises:
            Refused: the cluster is closed.
        """
        self._runtime.check_open()
        return Refused(f"{self._whole_name} ended so long ago that it was forgotten")

    def _waits_for(self) -> str:
        try:
            return "; ".join(map(str, self.blocked_by))
        except (Refused, OutcomeUnknown) as why_not:
            return str(why_not)
