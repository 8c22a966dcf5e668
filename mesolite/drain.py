"""A drain one can look at: where it stands, what is left, what it waits for (drain.md 4.3 to 4.6)."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.master import draining
from mesolite.actors.decisions.rules.drain import Blocker
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Runtime
from mesolite.messages.checking import Timeout, checked_arguments, optional_seconds
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.ids import AgentId, DrainId
from mesolite.undertaking import AskLeader, Books, Undertaking


class Drain(Undertaking):
    """One drain, as the leading master knows it. Its end, once seen, stays known when no master leads.

    Attributes:
        id: the drain's own id.
        agent_id: the agent that is drained.
    """

    def __init__(self, runtime: Runtime, ask: AskLeader, books: Books, drain_id: DrainId, agent_id: AgentId) -> None:
        """Refer to that drain of that agent."""
        super().__init__(runtime, ask, books, f"drain {drain_id}", f"agent {agent_id}")
        self._end: DrainInfo | None = None
        self.id = drain_id
        self.agent_id = agent_id

    def __repr__(self) -> str:
        """Show which drain of which agent it is, and where it stands."""
        try:
            stands = str(self.state)
        except Refused as why_not:
            stands = str(why_not)
        return f"<Drain {self.id} of {self.agent_id}: {stands}>"

    # ----------------------------------------------------------------------------------------------------- looking

    @property
    def state(self) -> DrainState:
        """DRAINING, or how it has ended."""
        return self._info.state

    @property
    def config(self) -> DrainConfig:
        """With which longest grace period, and whether the agent is marked gone at the end."""
        return self._info.config

    @property
    def message(self) -> str:
        """Why, in the operator's words."""
        return self._info.message

    @property
    def initiator(self) -> str:
        """Who wanted it, in the operator's words."""
        return self._info.initiator

    @property
    def started_at(self) -> float:
        """When it was asked for, in seconds on the cluster's clock."""
        return self._info.started_at

    @property
    def ended_at(self) -> float | None:
        """When it ended, None while it is under way."""
        return self._info.ended_at

    @property
    def blocked_by(self) -> list[Blocker]:
        """Everything it waits for: each has the party that has to act, and the task it is about, if it is about one.

        Raises:
            Refused: nobody leads at the moment.
        """
        found: list[Blocker] = self._ask(self._blocked_by)
        return found

    @property
    def remaining_tasks(self) -> list[Blocker]:
        """The tasks that are left, each with its framework, its state, and whom it waits for.

        Raises:
            Refused: nobody leads at the moment.
        """
        return [blocker for blocker in self.blocked_by if blocker.task_id is not None]

    # ----------------------------------------------------------------------------------------------------- waiting

    @checked_arguments
    def wait(self, timeout: Timeout | None = None) -> DrainState:
        """Wait until it has ended, and return how: DRAINED, GONE, or LEFT if the agent left before it was drained.

        A master may fail meanwhile; its successor goes on with the drain. Without a time-out this waits as long as it
        takes, and says so once, after 10 min, in the log.

        Raises:
            TimeoutError: it has not ended within so many seconds; the text names what it waits for.
            Refused: it ended so long ago that it was forgotten, or the cluster was closed.
            WouldBlock: in a simulation, inside a callback; elsewhere it blocks that callback, and what waits for it.
            NothingToWaitFor: in a simulation, without a time-out: nobody has anything left to do but to repeat itself.
            Exception: user code raised it, here or elsewhere, and nobody has seen it yet (`raise_user_errors`).
        """
        self._wait("ended", optional_seconds(timeout))
        return self.state

    # ------------------------------------------------------------------------------------------------------ inside

    @property
    def _info(self) -> DrainInfo:
        if self._end is not None:
            return self._end
        known = next((info for info in self._look() if info is not None), None)
        if known is None:
            raise self._unknown()
        return known

    def _look(self) -> list[DrainInfo | None]:
        """What each leader knows of it; after a partition an old one may still think that it leads."""
        found = [draining.find(books, self.id, self.agent_id) for books in self._books()]
        self._end = next((info for info in found if info is not None and info.ended_at is not None), None)
        return found

    def _is_over(self) -> bool:
        """Whether nothing is left to wait for; nobody leading is not an end."""
        known = [self._end] if self._end is not None else self._look()
        ended = any(info is not None and info.ended_at is not None for info in known)
        forgotten = bool(known) and not any(known)
        return ended or forgotten

    def _blocked_by(self, books: Any) -> list[Blocker]:
        info = draining.find(books, self.id, self.agent_id)
        return draining.blocked_by(books, info) if info is not None and info.ended_at is None else []
