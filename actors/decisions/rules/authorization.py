"""Who may do what: one rule, asked once for each call, of one access control list (core.md SEC-13 to SEC-18).

Whether a principal is who he says he is, is another question: an operator's call is believed from the operator's actor
only, and a framework's principal is its own word, as it is in Mesos without authentication (SEC-5).
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from mesolite.messages.base import OperatorCall
from mesolite.messages.operator import (
    OPERATOR,
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    ReleaseReclaimCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    TeardownFrameworkCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.scheduler import Subscribe

ACTIONS: Mapping[type, str] = {
    Subscribe: "register_frameworks",
    TeardownFrameworkCall: "teardown_frameworks",
    DeactivateAgentCall: "deactivate_agents",
    ReactivateAgentCall: "reactivate_agents",
    DrainAgentCall: "drain_agents",
    MarkAgentGoneCall: "mark_agents_gone",
    UpdateMaintenanceScheduleCall: "update_maintenance_schedules",
    StartMaintenanceCall: "start_maintenances",
    StopMaintenanceCall: "stop_maintenances",
    ReclaimResourcesCall: "reclaim_resources",
    ReleaseReclaimCall: "release_reclaims",
}
"""The actions of calls, by Mesos's names; the last two are ours. What is not here needs no permission (SEC-18)."""

Some = tuple[str, ...] | None
"""Which principals, or which objects: these, ANY or NONE."""
ANY: Some = None
NONE: Some = ()


@frozen(kw_only=True)
class Entry:
    """These principals may do that to these objects; with NONE, nobody may, or to nothing (SEC-14)."""

    action: str
    principals: Some
    objects: Some


@frozen(kw_only=True)
class Acl:
    """The first entry that matches decides; if none does, `permissive` (SEC-13)."""

    entries: tuple[Entry, ...] = ()
    permissive: bool = True


EVERYTHING = Acl()
"""What holds unless somebody says otherwise: everybody may do everything (SEC-15)."""


def may(principal: str, action: str, target: str, acl: Acl) -> bool:
    """Whether that list lets this principal do this to that object; '' is no principal, or no object in particular."""
    for entry in acl.entries:
        if entry.action == action and _matches(entry.principals, principal) and _matches(entry.objects, target):
            return NONE not in (entry.principals, entry.objects)
    return acl.permissive


def _matches(some: Some, value: str) -> bool:
    if some == NONE:
        return bool(value)
    return some is None or value in some


def refusal(call: type, sender: str, principal: str, target: str, acl: Acl) -> str:
    """Why this call must not be made: '' if it may be, else a sentence."""
    if issubclass(call, OperatorCall) and sender != OPERATOR:
        return f"{call.__name__} is an operator's to make, and {sender} is none; use cluster.operator"
    action = ACTIONS.get(call)
    if action is None or may(principal, action, target, acl):
        return ""
    who = f"the principal {principal!r}" if principal else "a caller without a principal"
    return f"{who} may not {action}{f' for {target!r}' if target else ''}: the access control list does not let him"
