"""Four schedulers and an executor in the shapes that people write for pymesos: one line was changed, the import.

They know nothing of clusters and simulations: each is made and run with a URL, by `main` of its own.
"""

from __future__ import annotations

import json
from typing import Any

from mesolite.compat.pymesos import (
    Dict,
    Executor,
    MesosExecutorDriver,
    MesosSchedulerDriver,
    Scheduler,
    decode_data,
    encode_data,
)

MASTER = "zk://zookeeper-1:2181/mesos"
ENDS = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR", "TASK_DROPPED", "TASK_GONE")


def resources(cpus: float, mem: float) -> list[dict[str, Any]]:
    """What a task asks for."""
    return [
        dict(name="cpus", type="SCALAR", scalar=dict(value=cpus)),
        dict(name="mem", type="SCALAR", scalar=dict(value=mem)),
    ]


def amount(offer: Any, name: str) -> float:
    """How much of it an offer has."""
    return float(sum(one["scalar"]["value"] for one in offer["resources"] if one["name"] == name))


# --- one: runs commands, to their ends ---------------------------------------------------------------------


class CommandRunner(Scheduler):
    """Plain dictionaries; each command once, wherever there is room."""

    def __init__(self, commands: list[str]) -> None:
        self.waiting = list(enumerate(commands, start=1))
        self.total = len(commands)
        self.ended: dict[str, str] = {}

    def resourceOffers(self, driver: Any, offers: Any) -> None:
        for offer in offers:
            tasks = []
            cpus, mem = amount(offer, "cpus"), amount(offer, "mem")
            while self.waiting and cpus >= 1 and mem >= 32:
                number, command = self.waiting.pop(0)
                cpus, mem = cpus - 1, mem - 32
                tasks.append(
                    dict(
                        name=f"command {number}",
                        task_id=dict(value=str(number)),
                        agent_id=offer["agent_id"],
                        resources=resources(1, 32),
                        command=dict(value=command, shell=True),
                    )
                )
            if tasks:
                driver.launchTasks(offer["id"], tasks)
            else:
                driver.declineOffer(offer["id"], dict(refuse_seconds=60))

    def statusUpdate(self, driver: Any, update: Any) -> None:
        if update["state"] in ENDS:
            self.ended[update["task_id"]["value"]] = update["state"]
        if len(self.ended) == self.total:
            driver.stop()


def run_commands(commands: list[str]) -> CommandRunner:
    """What its program does."""
    scheduler = CommandRunner(commands)
    driver = MesosSchedulerDriver(scheduler, dict(user="nobody", name="commands"), MASTER)
    driver.run()
    return scheduler


# --- two: an executor of its own ---------------------------------------------------------------------------


class Squarer(Executor):
    """Squares the number in a task's data; the answer is in the data of its last update, and the task's labels, too."""

    def registered(self, driver: Any, executorInfo: Any, frameworkInfo: Any, slaveInfo: Any) -> None:
        self.unit = decode_data(executorInfo.data).decode()
        driver.sendFrameworkMessage(encode_data(f"ready on {slaveInfo.hostname}".encode()))

    def launchTask(self, driver: Any, task: Any) -> None:
        number = json.loads(decode_data(task.data))
        self._say(driver, task, "TASK_RUNNING", b"")
        self._say(driver, task, "TASK_FINISHED", f"{number * number} {self.unit}".encode())

    def _say(self, driver: Any, task: Any, state: str, data: bytes) -> None:
        update = Dict()
        update.task_id.value = task.task_id.value
        update.state = state
        update.labels = task.labels
        update.data = encode_data(data)
        driver.sendStatusUpdate(update)


def squarer_program() -> None:
    """What the executor's program does where it is a process of its own."""
    driver = MesosExecutorDriver(Squarer(), use_addict=True)
    driver.run()


class Squares(Scheduler):
    """Has numbers squared, all by one executor on each agent; addict's dictionaries."""

    def __init__(self, numbers: list[int]) -> None:
        self.waiting = list(numbers)
        self.total = len(numbers)
        self.answers: dict[str, str] = {}
        self.labels: list[str] = []
        self.messages: list[str] = []

    def resourceOffers(self, driver: Any, offers: Any) -> None:
        for offer in offers:
            if not self.waiting:
                driver.declineOffer(offer.id)
                continue
            number = self.waiting.pop()
            task = Dict()
            task.task_id.value = f"square-{number}"
            task.agent_id.value = offer.agent_id.value
            task.name = f"square {number}"
            task.executor.executor_id.value = "squarer"
            task.executor.name = "Squarer"
            task.executor.command.value = "python squarer.py"
            task.executor.resources = resources(0.1, 32)
            task.executor.data = encode_data(b"units")
            task.resources = resources(1, 32)
            task.labels.labels = [Dict(key="number", value=str(number))]
            task.data = encode_data(json.dumps(number).encode())
            driver.launchTasks(offer.id, [task], dict(refuse_seconds=0))

    def statusUpdate(self, driver: Any, update: Any) -> None:
        if update.state == "TASK_FINISHED":
            self.answers[update.task_id.value] = decode_data(update.data).decode()
            self.labels += [label.value for label in update.labels.labels]
        if len(self.answers) == self.total and self.messages:
            driver.stop()

    def frameworkMessage(self, driver: Any, executorId: Any, slaveId: Any, message: str) -> None:
        self.messages.append(f"{executorId.value}: {decode_data(message).decode()}")
        if len(self.answers) == self.total:
            driver.stop()


def run_squares(numbers: list[int]) -> Squares:
    """What its program does."""
    scheduler = Squares(numbers)
    framework = Dict(user="nobody", name="squares")
    MesosSchedulerDriver(scheduler, framework, MASTER, use_addict=True).run()
    return scheduler


# --- three: declines, suppresses, revives ------------------------------------------------------------------


class Quiet(Scheduler):
    """Wants no offers while it has nothing to do; asks for them when there is work, as after a task has failed."""

    def __init__(self, jobs: list[tuple[str, str]], tries: int) -> None:
        self.waiting = list(jobs)
        self.jobs = dict(jobs)
        self.tries = dict.fromkeys(self.jobs, tries)
        self.offered = 0
        self.said: list[str] = []

    def resourceOffers(self, driver: Any, offers: Any) -> None:
        self.offered += len(offers)
        for offer in offers:
            if not self.waiting:
                driver.declineOffer(offer["id"], {"refuse_seconds": 3600})
                continue
            job, command = self.waiting.pop(0)
            task = {
                "task_id": {"value": f"{job}.{self.tries[job]}"},
                "agent_id": offer["agent_id"],
                "name": job,
                "resources": resources(1, 32),
                "command": {"value": command},
            }
            operation = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
            driver.acceptOffers([offer["id"]], [operation], {"refuse_seconds": 3600})
        if not self.waiting:
            driver.suppressOffers()
            self.said.append("suppress")

    def statusUpdate(self, driver: Any, update: Any) -> None:
        job, _, left = update["task_id"]["value"].partition(".")
        if job not in self.jobs or int(left) != self.tries[job]:
            return  # the end of a task may be told twice
        if update["state"] == "TASK_FINISHED":
            del self.jobs[job]
        elif update["state"] in ENDS:
            self.tries[job] -= 1
            if self.tries[job]:
                self.waiting.append((job, self.jobs[job]))
                driver.reviveOffers()
                self.said.append("revive")
            else:
                del self.jobs[job]
        if not self.jobs:
            driver.stop()


def run_quiet(jobs: list[tuple[str, str]], tries: int) -> Quiet:
    """What its program does."""
    scheduler = Quiet(jobs, tries)
    driver = MesosSchedulerDriver(scheduler, {"user": "nobody", "name": "quiet"}, MASTER)
    driver.start()
    driver.join()
    return scheduler


# --- four: survives failovers ------------------------------------------------------------------------------


class Steadfast(Scheduler):
    """Keeps services running, whoever fails over: what it must not forget is in `store`, its file.

    It acknowledges what it has written down, asks about its tasks when it subscribes and now and then, and kills what
    it does not know.
    """

    WANTED = 3
    ASK_EVERY = 4

    def __init__(self, store: dict[str, Any]) -> None:
        self.store = store
        self.beats = 0
        self.heard: list[str] = []

    def registered(self, driver: Any, frameworkId: Any, masterInfo: Any) -> None:
        self.heard.append("registered")
        self.store["framework_id"] = frameworkId.value
        driver.reconcileTasks([])

    def reregistered(self, driver: Any, masterInfo: Any) -> None:
        self.heard.append("reregistered")
        self.ask(driver)

    def disconnected(self, driver: Any) -> None:
        self.heard.append("disconnected")

    def processHeartBeat(self, driver: Any) -> None:
        self.beats += 1
        if self.beats % self.ASK_EVERY == 0:
            self.ask(driver)

    def ask(self, driver: Any) -> None:
        tasks = self.store["tasks"]
        driver.reconcileTasks([dict(task_id=dict(value=task_id)) for task_id in tasks])
        driver.reconcileTasks([])
        if len(tasks) < self.WANTED:
            driver.reviveOffers()

    def resourceOffers(self, driver: Any, offers: Any) -> None:
        tasks = self.store["tasks"]
        for offer in offers:
            if len(tasks) >= self.WANTED:
                driver.declineOffer(offer.id, Dict(refuse_seconds=600))
                continue
            self.store["launched"] += 1
            task_id = f"service-{self.store['launched']}"
            tasks[task_id] = "TASK_STAGING"
            task = Dict(task_id={"value": task_id}, agent_id=offer.agent_id, name="service")
            task.resources = resources(1, 32)
            task.command.value = "sleep 100000"
            driver.launchTasks(offer.id, [task], Dict(refuse_seconds=5))

    def statusUpdate(self, driver: Any, update: Any) -> None:
        task_id, tasks = update.task_id.value, self.store["tasks"]
        if update.state in (*ENDS, "TASK_UNREACHABLE", "TASK_UNKNOWN", "TASK_GONE_BY_OPERATOR"):
            tasks.pop(task_id, None)
        elif task_id in tasks:
            tasks[task_id] = update.state
        else:
            driver.killTask(update.task_id)
        driver.acknowledgeStatusUpdate(update)
        if len(tasks) < self.WANTED:
            driver.reviveOffers()


def steadfast_driver(store: dict[str, Any]) -> MesosSchedulerDriver:
    """What its program does, but to wait for ever. A successor is another life with the same store."""
    store.setdefault("tasks", {})
    store.setdefault("launched", 0)
    framework = Dict(user="nobody", name="steadfast", failover_timeout=3600, checkpoint=True)
    framework.capabilities = [dict(type="PARTITION_AWARE")]
    if "framework_id" in store:
        framework.id.value = store["framework_id"]
    scheduler = Steadfast(store)
    driver = MesosSchedulerDriver(scheduler, framework, MASTER, use_addict=True, implicit_acknowledgements=False)
    driver.start()
    return driver
