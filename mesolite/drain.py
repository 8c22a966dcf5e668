"""A drain one can look at: where it stands, what is left, what it waits for (drain.md 4.3 to 4.6)."""

from __future__ import annotations

from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import Runtime
from mesolite.messages.checking import Timeout, checked_arguments, optional_seconds
from mesolite.messages.drains import Blocker, DrainConfig, DrainInfo, DrainState
from mesolite.messages.ids import AgentId, DrainId
from mesolite.messages.queries import GetDrain
from mesolite.operation_handle import Ask, OperationHandle


class Drain(OperationHandle):
    """One drain. Where it stands is what a leader last made known; what it waits for, the present one is asked.

    Attributes:
        id: the drain's own id.
        agent_id: the agent that is drained.
    """

    def __init__(self, runtime: Runtime, ask: Ask, drain_id: DrainId, agent_id: AgentId) -> None:
        """Refer to that drain of that agent."""
        super().__init__(runtime, ask, f"drain {drain_id}", f"agent {agent_id}")
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
        """Everything it waits for: each has the actor that has to act, and the task it is about, if it is about one.

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
        """
        answer = self._ask(lambda number: GetDrain(call_id=number, drain_id=self.id, agent_id=self.agent_id))
        return list(answer.blocked_by)

    @property
    def remaining_tasks(self) -> list[Blocker]:
        """The tasks that are left, each with its framework, its state, and whom it waits for.

        Raises:
            Refused: nobody leads at the moment.
            OutcomeUnknown: the leader did not answer.
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
        info = self._known()
        if info is None:
            raise self._forgotten()
        if info.ended_at is None:
            self._runtime.check_open()  # nobody goes on with it in a cluster that is closed
        return info

    def _known(self) -> DrainInfo | None:
        """What was last made known of it; its end stays known. It only reads, and may be called on any thread."""
        if self._end is not None:
            return self._end
        info = self._runtime.events.newest(DrainInfo, self.id)
        if info is not None and info.ended_at is not None:
            self._end = info
        return info

    def _is_over(self) -> bool:
        """Whether nothing is left to wait for: it has ended, or is forgotten."""
        info = self._known()
        return info is None or info.ended_at is not None
