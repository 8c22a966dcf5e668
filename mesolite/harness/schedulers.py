"""Bad schedulers, one fault each: to see what they do to a cluster, to an operator, and to yours beside them.

    Greedy    takes everything that it is offered, and gives nothing back
    Deaf      answers nothing: neither offers nor inverse offers
    Slow      answers so late that what it answers to is gone
    Lying     promises to give back, and does not
    Crashing  raises as soon as it is told anything of a task

Each is an `Endless`, which has no fault. docs/stand-ins.md says what comes of each.
"""

from __future__ import annotations

import itertools

from mesolite.callbacks import Scheduler, SchedulerDriver
from mesolite.messages.checking import Count, Duration, Name, checked_arguments, in_seconds
from mesolite.messages.ids import AgentId, ExecutorId
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import ExecutorInfo, SimulatedWork, TaskInfo, TaskStatus

SMALL = Resources.of("cpus:1;mem:32")


class Endless(Scheduler):
    """Runs so many small tasks that never end by themselves, gives back what it is asked for, and begins nothing anew.

    Nothing is wrong with it: the others are it, but for one fault.

    Attributes:
        told: the newest status of each task that it was told.
    """

    @checked_arguments
    def __init__(self, wanted: Count = 1, *, executor: Name | None = None) -> None:
        """Want `wanted` tasks, t1, t2 and so on: commands, or run by the executor class of that name."""
        self.told: dict[str, TaskStatus] = {}
        self._wanted = wanted
        self._executor = executor
        self._numbers = itertools.count(1)

    def task(self, resources: Resources = SMALL) -> TaskInfo:
        """The next task."""
        task_id, work = f"t{next(self._numbers)}", SimulatedWork(duration=None)
        if self._executor is None:
            return TaskInfo(task_id=task_id, resources=resources, command="sleep infinity", work=work)
        executor = ExecutorInfo(executor_id=ExecutorId(self._executor), name=self._executor)
        return TaskInfo(task_id=task_id, resources=resources, executor=executor)

    def alive_on(self, agent_id: AgentId | None) -> list[str]:
        """Its tasks on that agent, or on any, that are alive as far as it knows."""
        alive = [(task_id, status) for task_id, status in self.told.items() if status.state.holds_resources]
        return [task_id for task_id, status in alive if agent_id in (None, status.agent_id)]

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Begin a task on each of the first, and decline the others."""
        begun, others = offers[: self._wanted], offers[self._wanted :]
        self._wanted -= len(begun)
        for offer in begun:
            driver.launch_tasks(offer, self.task())
        if others:
            driver.decline_offer(others)

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        """Promise to give back all that is on those agents, and do so."""
        for asked in inverse_offers:
            driver.accept_inverse_offers(asked, returning=self.alive_on(asked.agent_id))
            for task_id in self.alive_on(asked.agent_id):
                driver.kill_task(task_id)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """Remember it."""
        self.told[status.task_id] = status


class Greedy(Endless):
    """Fills every offer to the brim with one task: nobody else gets anything."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Take it all."""
        for offer in offers:
            driver.launch_tasks(offer, self.task(offer.resources))


class Deaf(Endless):
    """Answers nothing once it has its tasks: it sits on offers, and an operator who asks for something gets no answer.

    A `reclaim` has to take by force what its deadline finds; who shares the cluster is not offered what it sits on.
    """

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Begin what is wanted, and do not answer the others."""
        begun = offers[: self._wanted]
        if begun:
            super().resource_offers(driver, begun)

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        """Do not answer."""


class Slow(Endless):
    """Thinks for a while before it answers an offer: by then its agent may be draining, or gone.

    What it launches then is lost (`TASK_LOST`, `REASON_INVALID_OFFERS`), which its author may never have seen.
    """

    @checked_arguments
    def __init__(self, wanted: Count = 1, *, thinks_for: Duration = 30.0, executor: Name | None = None) -> None:
        """Think for so many seconds; for the rest as `Endless`."""
        super().__init__(wanted, executor=executor)
        self._thinks_for_s = in_seconds(thinks_for)

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Answer later, whatever has become of them."""
        answer = super().resource_offers
        driver.call_later(self._thinks_for_s, lambda: answer(driver, offers))


class Lying(Endless):
    """Accepts every inverse offer, names all its tasks as those that will be given back, and ends none of them.

    Its operator reads that all is promised, and at the deadline nothing has been returned.
    """

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        """Promise everything."""
        for asked in inverse_offers:
            driver.accept_inverse_offers(asked, returning=self.alive_on(asked.agent_id))


class Crashing(Endless):
    """Raises as soon as it is told anything of a task: its driver aborts, and its tasks run on without anybody.

    In a test the error has to be allowed: `sim.allow_error(RuntimeError)`.
    """

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """Break down."""
        raise RuntimeError(f"this scheduler cannot bear to hear that {status.task_id} is {status.state}")
