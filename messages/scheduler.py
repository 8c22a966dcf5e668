"""What a scheduler's driver and the master say to each other (core.md sections 3 and 4)."""

from __future__ import annotations

from attrs import field, frozen

from mesolite.messages.base import FrameworkCall, Message
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, FrameworkId, OfferId, TaskId
from mesolite.messages.infos import MasterInfo
from mesolite.messages.offers import Filters, InverseOffer, Offer, OfferOperation
from mesolite.messages.tasks import TaskStatus


@frozen(kw_only=True)
class Subscribe(FrameworkCall):
    """Driver to master: take my framework. `force` wins over an earlier instance with the same id (FW-6, FW-18)."""

    framework_info: FrameworkInfo
    force: bool = False
    suppressed: bool = False


@frozen(kw_only=True)
class FrameworkRegistered(Message):
    """Master to driver: subscribed, new to this master or taken over from another instance (EL-59)."""

    framework_id: FrameworkId
    master: MasterInfo


@frozen(kw_only=True)
class FrameworkReregistered(Message):
    """Master to driver: the same instance is back with a master that remembers it (EL-59)."""

    framework_id: FrameworkId
    master: MasterInfo


@frozen(kw_only=True)
class FrameworkError(Message):
    """Master to driver: refused; the driver aborts (FW-9)."""

    message: str


@frozen(kw_only=True)
class ResourceOffers(Message):
    """Master to driver: these offers, each of one agent (OF-36)."""

    offers: tuple[Offer, ...]


@frozen(kw_only=True)
class RescindOffer(Message):
    """Master to driver: that offer no longer holds (OF-40)."""

    offer_id: OfferId


@frozen(kw_only=True)
class InverseOffers(Message):
    """Master to driver: please give these resources back (drain.md 5.6.4)."""

    inverse_offers: tuple[InverseOffer, ...]


@frozen(kw_only=True)
class RescindInverseOffer(Message):
    """Master to driver: that request no longer stands (drain.md 5.8.1)."""

    inverse_offer_id: OfferId


@frozen(kw_only=True)
class AcceptInverseOffers(FrameworkCall):
    """Driver to master: the resources will be returned in time (drain.md 5.7.1).

    `returning` is ours: the tasks that will be given back, in the order in which they may be revoked otherwise.
    """

    framework_id: FrameworkId
    inverse_offer_ids: tuple[OfferId, ...]
    filters: Filters = field(factory=Filters)
    returning: tuple[TaskId, ...] = ()


@frozen(kw_only=True)
class DeclineInverseOffers(FrameworkCall):
    """Driver to master: they will not be returned in time, and why (drain.md 5.7.1; the reason is ours)."""

    framework_id: FrameworkId
    inverse_offer_ids: tuple[OfferId, ...]
    filters: Filters = field(factory=Filters)
    reason: str = ""


@frozen(kw_only=True)
class AgentLost(Message):
    """Master to driver: that agent has left or is unreachable (drain.md 2.6.1)."""

    agent_id: AgentId


@frozen(kw_only=True)
class AcceptOffers(FrameworkCall):
    """Driver to master: use these offers of one agent for this; what is left over is declined (OF-54..61)."""

    framework_id: FrameworkId
    offer_ids: tuple[OfferId, ...]
    operations: tuple[OfferOperation, ...]
    filters: Filters = field(factory=Filters)


@frozen(kw_only=True)
class DeclineOffers(FrameworkCall):
    """Driver to master: no, thank you (OF-44)."""

    framework_id: FrameworkId
    offer_ids: tuple[OfferId, ...]
    filters: Filters = field(factory=Filters)


@frozen(kw_only=True)
class SuppressOffers(FrameworkCall):
    """Driver to master: no offers until I revive (OF-52)."""

    framework_id: FrameworkId


@frozen(kw_only=True)
class ReviveOffers(FrameworkCall):
    """Driver to master: forget my filters and offer again (OF-52)."""

    framework_id: FrameworkId


@frozen(kw_only=True)
class ReconcileTasks(FrameworkCall):
    """Driver to master: what do you know of these tasks? Empty means of all of mine (RC-1..4)."""

    framework_id: FrameworkId
    statuses: tuple[TaskStatus, ...] = ()


@frozen(kw_only=True)
class DeactivateFramework(FrameworkCall):
    """Driver to master: I am aborting; offer me nothing more, my tasks go on (FW-35)."""

    framework_id: FrameworkId


@frozen(kw_only=True)
class Teardown(FrameworkCall):
    """Driver to master: end this framework and everything it runs (FW-36)."""

    framework_id: FrameworkId
