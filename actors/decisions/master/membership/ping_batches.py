"""Which agents are pinged together: those whose pings would come due at almost the same moment share a timer.

Rule: whoever comes joins the batch that was pinged last, if that was hardly a moment ago and it is not full;
otherwise it begins a batch of its own. So the first interval of an agent may be shorter by a moment; all others are
whole. Ours: in Mesos each agent has a timer, which is a third of all that happens in a large cluster at rest.
"""

from __future__ import annotations

from mesolite.messages.ids import AgentId

MOMENTS_PER_INTERVAL = 150
"""Mesos's 15 s between pings make a moment of 0.1 s."""

BATCH_SIZE = 32
"""So many agents have made the cost of the timer small; more would only all be spoken to at once."""


class PingBatches:
    """Who is in which batch. Batches are numbered; an empty one is over."""

    def __init__(self, interval_s: float) -> None:
        """Each batch is pinged that often."""
        self._moment_s = interval_s / MOMENTS_PER_INTERVAL
        self._members: dict[int, dict[AgentId, None]] = {}
        self._batch_of: dict[AgentId, int] = {}
        self._begun = 0
        self._newest = 0
        self._newest_at = float("-inf")

    def join(self, agent_id: AgentId, now: float) -> int | None:
        """Take in an agent that is pinged now; returns the batch if it begins with it, and needs a timer."""
        members = self._members.get(self._newest)
        if members is not None and len(members) < BATCH_SIZE and now - self._newest_at <= self._moment_s:
            members[agent_id] = None
            self._batch_of[agent_id] = self._newest
            return None
        self._begun += 1
        self._members[self._begun] = {agent_id: None}
        self._batch_of[agent_id] = self._newest = self._begun
        self._newest_at = now
        return self._begun

    def leave(self, agent_id: AgentId) -> int | None:
        """Let an agent go; returns its batch if that is over with it, and needs its timer no more."""
        number = self._batch_of.pop(agent_id)
        members = self._members[number]
        del members[agent_id]
        if members:
            return None
        del self._members[number]
        return number

    def due(self, number: int, now: float) -> tuple[AgentId, ...]:
        """Everybody in a batch whose time has come, first come first."""
        self._newest, self._newest_at = number, now
        return tuple(self._members[number])

    def check(self) -> None:
        """Assert that everybody is in one batch, and nobody in none."""
        found = {agent_id: number for number, members in self._members.items() for agent_id in members}
        assert found == self._batch_of, "batches and their members disagree"
        assert all(0 < len(members) <= BATCH_SIZE for members in self._members.values()), "an empty or a full batch"
