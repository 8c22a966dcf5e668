"""What an operator changes by HTTP, as calls to the master (docs/spec/http.md section 9.2): pure functions."""

from __future__ import annotations

from collections.abc import Callable

from mesolite.actors.errors import InvalidValue
from mesolite.gateway.refusals import HttpRefusal
from mesolite.gateway.v1 import reading
from mesolite.gateway.v1.reading import Unsupported, value
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.base import OperatorCall
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.operator import (
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    TeardownFrameworkCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.resources import ResourceError

NOT_HERE = {
    "UPDATE_WEIGHTS": "weights",
    "UPDATE_QUOTA": "quotas",
    "SET_QUOTA": "quotas",
    "REMOVE_QUOTA": "quotas",
    "RESERVE_RESOURCES": "reservations",
    "UNRESERVE_RESOURCES": "reservations",
    "CREATE_VOLUMES": "volumes",
    "DESTROY_VOLUMES": "volumes",
    "GROW_VOLUME": "volumes",
    "SHRINK_VOLUME": "volumes",
}
"""Calls about what does not exist here: 501, with a sentence that says so (HT-288)."""

Make = Callable[[int], OperatorCall]


def of_call(kind: str, body: Plain, principal: str, epoch: Epoch) -> Make | None:
    """What makes the master's call, by its id; None if a call of that type changes nothing.

    Raises:
        HttpRefusal: 400, something in it cannot be; 501, there is no such thing here.
    """
    if kind in NOT_HERE:
        raise HttpRefusal(501, f"{kind}: there are no such things here as {NOT_HERE[kind]}")
    try:
        return _of_call(kind, body, principal, epoch)
    except (InvalidValue, ResourceError, Unsupported) as why:
        raise HttpRefusal(400, f"{kind}: {why}") from None


def _of_call(kind: str, body: Plain, principal: str, epoch: Epoch) -> Make | None:
    match kind:
        case "DRAIN_AGENT":
            given = body.get("max_grace_period")
            grace = None if given is None else reading.duration(given, "max_grace_period")
            return lambda number: DrainAgentCall(
                call_id=number,
                principal=principal,
                agent_id=AgentId(value(body, "agent_id")),
                max_grace_period_s=grace,
                mark_gone=body.get("mark_gone", False),
                initiator=principal,
            )
        case "DEACTIVATE_AGENT":
            return lambda number: DeactivateAgentCall(
                call_id=number, principal=principal, agent_id=AgentId(value(body, "agent_id"))
            )
        case "REACTIVATE_AGENT":
            return lambda number: ReactivateAgentCall(
                call_id=number, principal=principal, agent_id=AgentId(value(body, "agent_id"))
            )
        case "MARK_AGENT_GONE":
            return lambda number: MarkAgentGoneCall(
                call_id=number, principal=principal, agent_id=AgentId(value(body, "agent_id"))
            )
        case "UPDATE_MAINTENANCE_SCHEDULE":
            windows = reading.windows(body["schedule"], epoch)
            return lambda number: UpdateMaintenanceScheduleCall(call_id=number, principal=principal, windows=windows)
        case "START_MAINTENANCE" | "STOP_MAINTENANCE":
            machines = tuple(map(reading.machine_id, body.get("machines", ())))
            make = StartMaintenanceCall if kind == "START_MAINTENANCE" else StopMaintenanceCall
            return lambda number: make(call_id=number, principal=principal, machines=machines)
        case "TEARDOWN":
            return lambda number: TeardownFrameworkCall(
                call_id=number, principal=principal, framework_id=FrameworkId(value(body, "framework_id"))
            )
        case "X_MESOLITE_RECLAIM":
            wanted = body.get("resources")
            resources = None if wanted is None else reading.resources(wanted, kind)
            within = reading.duration(body["within"], "within")
            return lambda number: ReclaimResourcesCall(
                call_id=number,
                principal=principal,
                agent_id=AgentId(value(body, "agent_id")),
                resources=resources,
                within_s=within,
                initiator=principal,
            )
        case _:
            return None
