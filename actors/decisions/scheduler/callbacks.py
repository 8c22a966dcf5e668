"""What a leader says to a driver, as the callback that tells the user's scheduler."""

from __future__ import annotations

from typing import Any

from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.scheduler import AgentLost, InverseOffers, RescindInverseOffer, RescindOffer, ResourceOffers

FROM_LEADER = (
    ResourceOffers, RescindOffer, InverseOffers, RescindInverseOffer, StatusUpdate, AgentLost, ExitedExecutor
)  # fmt: skip
"""What only a leader says, and only to a driver that is connected (EL-58)."""


def callback_of(message: object) -> tuple[str, tuple[Any, ...]]:
    """The callback and its arguments, after the driver itself.

    Raises:
        TypeError: no callback tells of that message.
    """
    match message:
        case ResourceOffers(offers=offers):
            return "resource_offers", (offers,)
        case RescindOffer(offer_id=offer_id):
            return "offer_rescinded", (offer_id,)
        case InverseOffers(inverse_offers=inverse_offers):
            return "inverse_offers", (inverse_offers,)
        case RescindInverseOffer(inverse_offer_id=inverse_offer_id):
            return "inverse_offer_rescinded", (inverse_offer_id,)
        case StatusUpdate(status=status):
            return "status_update", (status,)
        case AgentLost(agent_id=agent_id):
            return "agent_lost", (agent_id,)
        case ExitedExecutor(executor_id=executor_id, agent_id=agent_id, status=status):
            return "executor_lost", (executor_id, agent_id, status)
        case _:
            raise TypeError(f"no callback tells of {type(message).__name__}: add it to FROM_LEADER and here")
