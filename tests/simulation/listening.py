"""What tests of the network look at: the offers and errors that arrived, and the messages that did not."""

from __future__ import annotations

from typing import Any

from mesolite import Scheduler, SchedulerDriver, Simulation
from mesolite.actors.trace import Lost


class Listener(Scheduler):
    """Keeps the offers it hears of."""

    def __init__(self) -> None:
        self.offers: list[str] = []
        self.errors: list[str] = []

    def resource_offers(self, driver: SchedulerDriver, offers: Any) -> None:
        self.offers += [str(offer.id) for offer in offers]

    def error(self, driver: SchedulerDriver, message: str) -> None:
        self.errors.append(message)


def lost(sim: Simulation) -> list[tuple[str, str, str, str]]:
    """From whom, to whom, which kind, and why: what never arrived."""
    records = [record for record in sim.trace if isinstance(record.event, Lost)]
    return [(r.sender, r.actor, type(r.event.message).__name__, r.event.why) for r in records]
