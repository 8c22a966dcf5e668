"""Small schedulers, the same on real machines and on virtual time: one says hello, the others keep services running."""

from __future__ import annotations

from collections.abc import Iterable
from queue import SimpleQueue

from attrs import evolve

from mesolite import (
    CommandInfo,
    Filters,
    InverseOffer,
    KillPolicy,
    Offer,
    Scheduler,
    SchedulerDriver,
    TaskInfo,
    TaskState,
    TaskStatus,
)

LONG = Filters(refuse_seconds=3600.0)


class Hello(Scheduler):
    """Says hello again and again, on whichever machine has room."""

    def __init__(self, times: int) -> None:
        hello = CommandInfo(value="echo Hello FOSDEM")
        names = [f"hello-{number}" for number in range(1, times + 1)]
        self.unsaid = [TaskInfo(task_id=name, resources="cpus:1;mem:32", command=hello) for name in names]
        self.said: SimpleQueue[TaskStatus] = SimpleQueue()

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            room = int(offer.resources.cpus)
            now, self.unsaid = self.unsaid[:room], self.unsaid[room:]
            driver.launch_tasks(offer, now)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state.is_terminal:
            self.said.put(status)


class Shop(Scheduler):
    """Keeps services running: what is lost is started again where there is room, a copy too many is ended.

    Service `web-1` runs as task `web-1`, its replacement as `web-1.2`. At most two tasks per offer, to spread them.
    """

    def __init__(self, services: Iterable[TaskInfo]) -> None:
        """Run these; their names are their task ids."""
        self.waiting = list(services)
        self.current = {service_of(task.task_id): task for task in self.waiting}
        self.status: dict[str, TaskStatus] = {}
        self.told: list[tuple[float, TaskStatus]] = []

    @property
    def complete(self) -> bool:
        """Whether every service runs in its current copy, or has finished."""
        latest = [self.status.get(task.task_id) for task in self.current.values()]
        return all(s is not None and s.state in (TaskState.TASK_RUNNING, TaskState.TASK_FINISHED) for s in latest)

    def want(self, *services: TaskInfo) -> None:
        """Run these, too, from the next offers on."""
        self.waiting += services
        self.current |= {service_of(task.task_id): task for task in services}

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            room = min(2, int(offer.resources.cpus))
            now, self.waiting = self.waiting[:room], self.waiting[room:]
            driver.launch_tasks(offer, now)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        self.told.append((driver.now(), status))
        self.status[status.task_id] = status
        service = service_of(status.task_id)
        task, held = self.current[service], status.state.holds_resources
        if status.task_id != task.task_id:
            if held:  # given up and replaced, and now it turns up again
                driver.kill_task(status.task_id)
        elif not held and status.state is not TaskState.TASK_FINISHED:
            copy = int(task.task_id.partition(".")[2] or 1) + 1
            again = self.current[service] = evolve(task, task_id=f"{service}.{copy}")
            self.waiting.append(again)
            driver.revive_offers()


class Mover(Shop):
    """A shop that leaves machines which will be unavailable, when it is asked to."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        leaving = [offer for offer in offers if offer.unavailability is not None]
        driver.decline_offer(leaving, LONG)
        super().resource_offers(driver, tuple(offer for offer in offers if offer not in leaving))

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        for inverse_offer in inverse_offers:
            driver.accept_inverse_offers(inverse_offer.id, LONG)
            for task_id, status in self.status.items():
                if status.agent_id == inverse_offer.agent_id and status.state.holds_resources:
                    driver.kill_task(task_id)


class Stayer(Shop):
    """A shop that does not leave, and says so."""

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        for inverse_offer in inverse_offers:
            driver.decline_inverse_offers(inverse_offer.id, LONG, reason="busy")


def task_of(party: str) -> str:
    """The task that an executor runs, by the executor's name."""
    return party.rpartition("/")[2]


def service_of(task_id: str) -> str:
    """The service that a task of `Shop` is a copy of."""
    return task_id.partition(".")[0]


def service(name: str, command: str, kill_policy: KillPolicy | None = None) -> TaskInfo:
    """Describe a service for `Shop`."""
    run = CommandInfo(value=command)
    return TaskInfo(task_id=name, name=name, resources="cpus:1;mem:64", command=run, kill_policy=kill_policy)
