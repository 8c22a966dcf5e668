"""What a master sets timers for. A timer is set, cancelled and handled under one declaration, and this is it.

Which decision each leads to is the table `TIMERS` in core.py.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.actors.decisions.contract import TypedTimerKey
from mesolite.messages.ids import AgentId, FrameworkId, OfferId, ReclaimId


@frozen
class PingRound(TypedTimerKey):
    """The agents of that round are to be pinged again (drain.md 1.4.2)."""

    number: int


@frozen
class ReregisterTimeout(TypedTimerKey):
    """A disconnected agent has not come back in time (1.5.3)."""

    agent_id: AgentId


@frozen
class RecoveryTimeout(TypedTimerKey):
    """Agents have not come back to a new leader in time (1.7.3)."""


@frozen
class Permit(TypedTimerKey):
    """Another agent may be given up (1.8.2)."""


@frozen
class Pruning(TypedTimerKey):
    """The registry's lists of absent agents are to be looked at (1.9.1)."""


@frozen
class FailoverTimeout(TypedTimerKey):
    """Nobody has come for a disconnected framework in time (core.md FW-29)."""

    framework_id: FrameworkId


@frozen
class Allocation(TypedTimerKey):
    """Offers and inverse offers are to be made (core.md OF-2)."""


@frozen
class OfferTimeout(TypedTimerKey):
    """Nobody has answered an offer in time (5.6.6)."""

    offer_id: OfferId


@frozen
class InverseOfferTimeout(TypedTimerKey):
    """Nobody has answered an inverse offer in time (5.6.6)."""

    inverse_offer_id: OfferId


@frozen
class ReclaimDue(TypedTimerKey):
    """A reclaim has come to its deadline, or is to be looked at again after it (docs/reclaim.md RV-30, RV-37)."""

    reclaim_id: ReclaimId


@frozen
class WindowBound(TypedTimerKey):
    """An enforced maintenance window begins or ends (docs/reclaim.md RV-61)."""


@frozen
class Enforcement(TypedTimerKey):
    """What lives on in an enforced window is to be told again to end (docs/reclaim.md RV-37)."""
