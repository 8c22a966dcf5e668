"""Small schedulers, the same on real machines and on virtual time: one says hello, the others keep services running."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from queue import SimpleQueue

from attrs import evolve

from mesolite import (
    CommandInfo,
    Filters,
    InverseOffer,
    KillPolicy,
    Offer,
    Resources,
    Scheduler,
    SchedulerDriver,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.messages.ids import AgentId, FrameworkId, TaskId
from mesolite.messages.infos import MasterInfo

LONG = Filters(refuse_seconds=3600.0)
PER_OFFER = 2
ASK_AGAIN_S = 1.0
ASK_AGAIN_MAX_S = 60.0
LOOK_AGAIN_S = 600.0
LAUNCH_MAX_S = 120.0
"""How long a launch may stay without a word from its executor."""
RESTART_S = 5.0
"""How long a service that failed by itself waits: one that always does must not keep the cluster busy."""
TOLD_MAX = 1000
STAGING = TaskState.TASK_STAGING


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

    Service `web-1` runs as task `web-1`, its replacement as `web-1.2`: an id is never used again, because what was
    given up may turn up again. At most two tasks per offer, to spread them. It does not go to machines that will be
    unavailable, and gives back what it is asked for. docs/write-a-scheduler.md builds it step by step. A successor
    needs `current` and `launched`; keep them where they outlive the process.
    """

    def __init__(self, services: Iterable[TaskInfo]) -> None:
        """Run these; their names are their task ids."""
        self.current = {service_of(task.task_id): task for task in services}
        self.launched: dict[str, AgentId | None] = {}  # every task that may be alive, and its agent
        self.status: dict[str, TaskStatus] = {}
        self.told: deque[tuple[float, TaskStatus]] = deque(maxlen=TOLD_MAX)  # for the demo's pages
        self._resting: dict[str, None] = {}
        self._unheard: dict[str, AgentId | None] = {}

    @property
    def waiting(self) -> list[TaskInfo]:
        """What is to be launched with the next offers."""
        tasks = list(self.current.values())
        return [task for task in tasks if task.task_id not in self.launched and task.task_id not in self._resting]

    @property
    def complete(self) -> bool:
        """Whether every service runs in its current copy, or has finished."""
        latest = [self.status.get(task.task_id) for task in list(self.current.values())]
        return all(status is not None and status.state is TaskState.TASK_RUNNING for status in latest)

    def want(self, driver: SchedulerDriver, *services: TaskInfo) -> None:
        """Run these, too. From any thread: a driver's verbs may be called from everywhere, this object may not."""
        driver.call_later(0.0, lambda: self._add(driver, services))

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        self._resting.clear()  # functions that an earlier driver was to call are never called
        self._look(driver)

    def reregistered(self, driver: SchedulerDriver, master: MasterInfo) -> None:
        self._look(driver)

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        leaving = [offer for offer in offers if offer.unavailability is not None]
        if leaving:
            driver.decline_offer(leaving, LONG)
        for offer in [offer for offer in offers if offer not in leaving]:
            now: list[TaskInfo] = []
            room = offer.resources
            for task in self.waiting:
                if len(now) < PER_OFFER and room.contains(task.resources):
                    now.append(task)
                    room = room - task.resources
            # First noted, then said: whatever happens on the way, it will be asked about.
            self.launched |= {task.task_id: offer.agent_id for task in now}
            driver.launch_tasks(offer, now)
        if not self.waiting:
            driver.suppress_offers()

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        for inverse_offer in inverse_offers:
            going = self._to_return(inverse_offer)
            driver.accept_inverse_offers(inverse_offer.id, LONG, returning=going)
            for task_id in going:
                driver.kill_task(task_id)

    def _to_return(self, asked: InverseOffer) -> list[str]:
        """The newest tasks that hold what is asked for: there, or anywhere if no agent is named."""
        alive = [status for status in self.status.values() if status.state.holds_resources]
        held = Resources()
        going: list[str] = []
        for status in reversed([status for status in alive if asked.agent_id in (None, status.agent_id)]):
            task = self.current.get(service_of(status.task_id))
            if task is not None and not (asked.resources and held.contains(asked.resources)):
                held, going = held + task.resources, [*going, status.task_id]
        return going

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        self.told.append((driver.now(), status))
        self._unheard.pop(status.task_id, None)
        self.status[status.task_id] = status
        if status.state.is_terminal or status.state is TaskState.TASK_UNKNOWN:
            self.launched.pop(status.task_id, None)
        else:
            self.launched[status.task_id] = status.agent_id
        service = service_of(status.task_id)
        task = self.current.get(service)
        if task is None or task.task_id != status.task_id:
            self._another_copy(driver, status)
        elif status.state is TaskState.TASK_FINISHED:
            del self.current[service]
        elif status.state is TaskState.TASK_STAGING:  # only ever said by a master that was asked
            driver.call_later(LAUNCH_MAX_S, lambda: self._doubt(driver, status))
        elif not status.state.holds_resources:
            broken = status.state in (TaskState.TASK_FAILED, TaskState.TASK_ERROR)
            self._replace(driver, task, RESTART_S if broken else 0.0)

    def _another_copy(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """Given up and replaced, or of a service nobody wants: end it if it lives, forget it if not."""
        if status.state.holds_resources:
            driver.kill_task(status.task_id)
        elif status.task_id not in self.launched:
            del self.status[status.task_id]

    def _replace(self, driver: SchedulerDriver, task: TaskInfo, after_s: float = 0.0) -> None:
        """Give that copy up and want another, at once or later."""
        service, _, copy = task.task_id.partition(".")
        again = self.current[service] = evolve(task, task_id=f"{service}.{int(copy or 1) + 1}")
        if not after_s:
            driver.revive_offers()
            return
        self._resting[again.task_id] = None
        driver.call_later(after_s, lambda: self._rested(driver, again.task_id))

    def _rested(self, driver: SchedulerDriver, task_id: str) -> None:
        self._resting.pop(task_id, None)
        driver.revive_offers()

    def _add(self, driver: SchedulerDriver, services: Iterable[TaskInfo]) -> None:
        self.current |= {service_of(task.task_id): task for task in services}
        driver.revive_offers()

    def _look(self, driver: SchedulerDriver) -> None:
        """Ask what there is, and later about everything that was not mentioned; every now and then all again."""
        self._unheard = unheard = dict(self.launched)
        driver.reconcile_tasks()
        driver.call_later(ASK_AGAIN_S, lambda: self._ask(driver, unheard, ASK_AGAIN_S))
        driver.call_later(LOOK_AGAIN_S, lambda: self._look(driver) if unheard is self._unheard else None)

    def _ask(self, driver: SchedulerDriver, unheard: dict[str, AgentId | None], wait_s: float) -> None:
        """Ask about these until all are heard of, ever more seldom; a later look has a list of its own."""
        if unheard is self._unheard and unheard:
            asked = [TaskStatus(task_id=TaskId(i), state=STAGING, agent_id=agent) for i, agent in unheard.items()]
            driver.reconcile_tasks(asked)
            driver.call_later(wait_s, lambda: self._ask(driver, unheard, min(2 * wait_s, ASK_AGAIN_MAX_S)))

    def _doubt(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """The launch was lost between master and agent if nothing else has been said since."""
        task = self.current.get(service_of(status.task_id))
        if task is not None and task.task_id == status.task_id and self.status[task.task_id].state is STAGING:
            driver.kill_task(task.task_id)
            self._replace(driver, task)


class Stayer(Shop):
    """A shop that does not leave, and says so."""

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        for inverse_offer in inverse_offers:
            driver.decline_inverse_offers(inverse_offer.id, LONG, reason="busy")


def task_of(actor: str) -> str:
    """The task that an executor runs, by the executor's name."""
    return actor.rpartition("/")[2]


def service_of(task_id: str) -> str:
    """The service that a task of `Shop` is a copy of."""
    return task_id.partition(".")[0]


def service(name: str, command: str, kill_policy: KillPolicy | None = None) -> TaskInfo:
    """Describe a service for `Shop`."""
    run = CommandInfo(value=command)
    return TaskInfo(task_id=name, name=name, resources="cpus:1;mem:64", command=run, kill_policy=kill_policy)
