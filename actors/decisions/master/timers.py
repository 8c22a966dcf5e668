"""What a master sets timers for. A timer is set, cancelled and handled under one declaration, and this is it.

Which decision each leads to is the table `TIMERS` in core.py.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import TimerKey
from mesolite.messages.ids import AgentId, FrameworkId, OfferId, ReclaimId


@frozen
class PingBatch(TimerKey):
    """The agents of that round are to be pinged again (drain.md 1.4.2)."""

    PERIODIC: ClassVar[bool] = True
    number: int


@frozen
class ReregisterTimeout(TimerKey):
    """A disconnected agent has not come back in time (1.5.3)."""

    agent_id: AgentId


@frozen
class RecoveryTimeout(TimerKey):
    """Agents have not come back to a new leader in time (1.7.3)."""


@frozen
class Permit(TimerKey):
    """Another agent may be given up (1.8.2)."""


@frozen
class Pruning(TimerKey):
    """The registry's lists of absent agents are to be looked at (1.9.1)."""

    PERIODIC: ClassVar[bool] = True


@frozen
class FailoverTimeout(TimerKey):
    """Nobody has come for a disconnected framework in time (core.md FW-29)."""

    framework_id: FrameworkId


@frozen
class Allocation(TimerKey):
    """Offers and inverse offers are to be made (core.md OF-2)."""


@frozen
class OfferTimeout(TimerKey):
    """Nobody has answered an offer in time (5.6.6)."""

    offer_id: OfferId


@frozen
class InverseOfferTimeout(TimerKey):
    """Nobody has answered an inverse offer in time (5.6.6)."""

    inverse_offer_id: OfferId


@frozen
class ReclaimDue(TimerKey):
    """A reclaim has come to its deadline (docs/reclaim.md RV-30)."""

    reclaim_id: ReclaimId


@frozen
class ReclaimReminder(TimerKey):
    """What a reclaim still lacks after its deadline is to be revoked again (docs/reclaim.md RV-37)."""

    PERIODIC: ClassVar[bool] = True
    reclaim_id: ReclaimId


@frozen
class WindowBound(TimerKey):
    """An enforced maintenance window begins or ends (docs/reclaim.md RV-61)."""


@frozen
class Enforcement(TimerKey):
    """What lives on in an enforced window is to be told again to end (docs/reclaim.md RV-37)."""

    PERIODIC: ClassVar[bool] = True
