"""Six schedulers with one fault each: `Shop`, but for what the docstring says."""

from __future__ import annotations

from typing import Any

from examples.schedulers import Shop, service, service_of
from mesolite import Offer, SchedulerDriver, TaskInfo, TaskState, TaskStatus
from mesolite.messages.ids import FrameworkId, OfferId
from mesolite.messages.infos import MasterInfo

NAMES = ("web", "api", "mail")
LOST = (TaskState.TASK_LOST, TaskState.TASK_UNREACHABLE)


def opened(shop: Shop, store: dict[str, Any]) -> Shop:
    """A shop that goes on with what its predecessor has stored, and stores what its successor needs."""
    shop.current, shop.launched = store.setdefault("shop", (shop.current, shop.launched))
    return shop


def job_of(task: TaskInfo) -> str:
    """The service that a task is a copy of."""
    return service_of(task.task_id)


class OfThree(Shop):
    """Runs three services."""

    def __init__(self, store: dict[str, Any]) -> None:
        super().__init__(service(name, "sleep infinity") for name in NAMES)
        opened(self, store)


class Silent(OfThree):
    """Never acknowledges anything, though it is run with explicit acknowledgements."""


class Anew(OfThree):
    """Launches everything again whenever it is registered, as if nothing could run yet."""

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        for name in list(self.current):
            self._replace(driver, self.current[name])

    def reregistered(self, driver: SchedulerDriver, master: MasterInfo) -> None:
        for name in list(self.current):
            self._replace(driver, self.current[name])


class Hopeful(OfThree):
    """Takes no notice of TASK_LOST and TASK_UNREACHABLE."""

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state not in LOST:
            super().status_update(driver, status)


class Trusting(OfThree):
    """Keeps offers for later, uses those that were rescinded, too, and believes that what it launches runs."""

    def __init__(self, store: dict[str, Any]) -> None:
        super().__init__(store)
        self.kept: dict[OfferId, Offer] = {}

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.kept |= {offer.id: offer for offer in offers}
        self._use(driver)

    def _use(self, driver: SchedulerDriver) -> None:
        while self.waiting and self.kept:
            offer = self.kept.pop(next(iter(self.kept)))
            super().resource_offers(driver, (offer,))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if str(status.reason) != "REASON_INVALID_OFFERS":
            super().status_update(driver, status)
            self._use(driver)


class Hoarding(OfThree):
    """Answers no offer that it does not use."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if self.waiting:
                super().resource_offers(driver, (offer,))


class Hasty(OfThree):
    """Launches a replacement for every end that it is told, and so two for an end that is told twice."""

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        task = self.current.get(service_of(status.task_id))
        if task is not None and not status.state.holds_resources:
            self._replace(driver, task)
        elif status.state.holds_resources:
            self.status[status.task_id] = status
