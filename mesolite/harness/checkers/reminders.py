"""What leaders say again until it is done: it may have been lost on the way, more than once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Finding, says
from mesolite.messages.agent import DrainAgent, RevokeExecutor, RevokeTask
from mesolite.messages.drains import DrainState
from mesolite.messages.reclaims import ReclaimState

INTERVALS = 2.0
"""A reminder comes with the ping after the one that is due; later it is late."""

MARGIN_S = 2.0


class DrainsAreAskedAgain(Checker):
    """An agent that has not confirmed a drain may not have heard of it (ours, beside drain.md 4.6.1)."""

    name = "drains_are_asked_again"
    statement = "A connected agent that has not confirmed its drain is told to drain again, about as often as pinged."

    def __init__(self) -> None:
        """Start with nobody told."""
        self._told_at: dict[tuple[int, str], float] = {}

    @says(ActorRole.MASTER, DrainAgent)
    def told(self, record: Record, core: Any, message: DrainAgent, to: str) -> None:
        """An agent is told."""
        self._told_at[core.state.term, to] = record.time

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for those that nobody has told for long."""
        m = self.watch.leader() if self.watch.decided.deactivated else None
        if m is None:
            return
        for agent_id, drain in m.deactivated.items():
            agent = m.agents.get(agent_id)
            if agent is None or drain is None or drain.state is not DrainState.DRAINING:
                continue
            if agent.drained or not agent.connected:
                continue
            told_at = max(self._told_at.get((m.term, agent.pid), 0.0), agent.registered_at, self.watch.quiet_from)
            if now > told_at + INTERVALS * m.settings.agent_ping_timeout_s + MARGIN_S:
                yield f"{drain.id} goes on, and {agent.pid} was told so last at {told_at:.3f} s", (agent_id,)


class RevocationsAreRepeated(Checker):
    """What is to be revoked is revoked until it is (docs/reclaim.md RV-37)."""

    name = "revocations_are_repeated"
    statement = "As long as a reclaim revokes and something is missing, revocations are said again."

    def __init__(self) -> None:
        """Start with nothing revoked."""
        self._revoked_at: dict[int, float] = {}

    @says(ActorRole.MASTER, RevokeTask, RevokeExecutor)
    def revoked(self, record: Record, core: Any, message: RevokeTask | RevokeExecutor, to: str) -> None:
        """A leader revokes something."""
        self._revoked_at[core.state.term] = record.time

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for reclaims in which nothing was revoked for long, and something can be."""
        m = self.watch.leader() if self.watch.decided.reclaims else None
        if m is None:
            return
        for reclaim in m.reclaims.values():
            if reclaim.state is not ReclaimState.REVOKING or not self._holds(m, reclaim):
                continue
            at = max(self._revoked_at.get(m.term, 0.0), self.watch.quiet_from)
            if now > at + INTERVALS * m.settings.agent_ping_timeout_s + MARGIN_S:
                yield f"{reclaim.info.id} revokes, and said so last at {at:.3f} s", (reclaim.info.id,)

    def _holds(self, m: Any, reclaim: Any) -> bool:
        """Whether a task that it has revoked is there, on a connected agent."""
        for (framework_id, task_id), agent_id in reclaim.revoked_tasks.items():
            agent = m.agents.get(agent_id)
            task = agent.tasks.get((framework_id, task_id)) if agent is not None else None
            if task is not None and agent.connected and not task.state.is_terminal:
                return True
        return False
