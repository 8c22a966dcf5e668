"""What an operator asks of the leading master, and the one answer every call gets (drain.md sections 4 and 5).

`call_id` is the operator's own number for the call; the answer names it. Calls are safe to repeat.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.base import Message, OperatorCall
from mesolite.messages.ids import ActorName, AgentId, FrameworkId, ReclaimId
from mesolite.messages.maintenance import MachineId, Window
from mesolite.messages.resources import Resources

OPERATOR = ActorName("operator")
"""The name of the actor that speaks for the operator; a leader obeys an operator's calls from nobody else."""


@frozen(kw_only=True)
class CallAnswered(Message):
    """Master to operator: done, or why not.

    `code` is what Mesos answers over HTTP: 200 done, 400 wrong, 404 unknown, 409 not now, 503 try again. `refusal`
    is empty for 200; otherwise it says what was asked, why not, and what would work. `made` is the id of the drain or
    reclaim that the call made.
    """

    call_id: int
    code: int
    refusal: str = ""
    made: str = ""


@frozen(kw_only=True)
class DeactivateAgentCall(OperatorCall):
    """Operator to master: offer nothing more from this agent; its tasks go on (4.1)."""

    call_id: int
    agent_id: AgentId


@frozen(kw_only=True)
class ReactivateAgentCall(OperatorCall):
    """Operator to master: offer from this agent again; ends a drained agent's drain, too (4.2)."""

    call_id: int
    agent_id: AgentId


@frozen(kw_only=True)
class DrainAgentCall(OperatorCall):
    """Operator to master: kill what runs on this agent, with grace, and offer nothing more from it (4.3)."""

    call_id: int
    agent_id: AgentId
    max_grace_period_s: float | None = None
    mark_gone: bool = False
    message: str = ""
    initiator: str = ""


@frozen(kw_only=True)
class MarkAgentGoneCall(OperatorCall):
    """Operator to master: this agent will never come back (4.7)."""

    call_id: int
    agent_id: AgentId


@frozen(kw_only=True)
class UpdateMaintenanceScheduleCall(OperatorCall):
    """Operator to master: this is the whole schedule from now on (5.2)."""

    call_id: int
    windows: tuple[Window, ...] = ()


@frozen(kw_only=True)
class StartMaintenanceCall(OperatorCall):
    """Operator to master: these scheduled machines go down now (5.5.1)."""

    call_id: int
    machines: tuple[MachineId, ...]


@frozen(kw_only=True)
class StopMaintenanceCall(OperatorCall):
    """Operator to master: these machines are back; they leave the schedule (5.5.5)."""

    call_id: int
    machines: tuple[MachineId, ...]


@frozen(kw_only=True)
class ReclaimResourcesCall(OperatorCall):
    """Operator to master: get resources back within a time, by force if need be (docs/reclaim.md). Ours.

    Exactly one of agent and framework is given. `resources` None means everything.
    """

    call_id: int
    agent_id: AgentId | None = None
    framework_id: FrameworkId | None = None
    resources: Resources | None = None
    within_s: float
    message: str = ""
    initiator: str = ""


@frozen(kw_only=True)
class ReleaseReclaimCall(OperatorCall):
    """Operator to master: give up that reclaim; what it withheld may be offered again. Ours."""

    call_id: int
    reclaim_id: ReclaimId


@frozen(kw_only=True)
class TeardownFrameworkCall(OperatorCall):
    """Operator to master: end this framework and everything it runs (core.md FW-36)."""

    call_id: int
    framework_id: FrameworkId
