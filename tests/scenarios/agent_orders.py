"""What tests of the agent's part in draining and revoking share: orders injected as if the leader had given them."""

from __future__ import annotations

from mesolite import Capability, FrameworkInfo, Simulation, TaskStatus
from mesolite.messages import Cause, DrainAgent, DrainConfig
from tests.inside import store_of
from tests.scenarios.schedulers import about

DRAINED = ("KILLED", "EXECUTOR", "AGENT_DRAINING", Cause.DRAINED)
DRAINED_UNSTARTED = ("KILLED", "AGENT", "AGENT_DRAINING", Cause.DRAINED)
"""What a framework hears of a task that a drain has killed: one that ran, one that had not reached its executor."""

WORDY = FrameworkInfo(name="wordy", capabilities=(Capability.PARTITION_AWARE, Capability.TASK_KILLING_STATE))
"""It hears of everything there is to hear of."""


def drain(sim: Simulation, limit_s: float | None = None, *, mark_gone: bool = False) -> None:
    """Tell the agent to drain; what follows at once follows at once."""
    config = DrainConfig(max_grace_period_s=limit_s, mark_gone=mark_gone)
    sim.inject("agent-1", DrainAgent(config=config), sender="master-1")
    sim.settle()


def stored(sim: Simulation) -> DrainConfig | None:
    """What the agent has stored about it."""
    config: DrainConfig | None = store_of(sim, "agent-1").get("drain")
    return config


def told(status: TaskStatus) -> tuple[str, str | None, str | None, Cause | None]:
    """State, source, reason and cause."""
    return (*about(status), status.cause)
