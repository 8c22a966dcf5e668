"""A scheduler on pymesos that does what it is ordered to and tells of each callback.

Given: master ("host:port"), framework (a FrameworkInfo), again (launch what was killed once more, as "<name>.2").
"""

from __future__ import annotations

from queue import Queue
from typing import Any

from pymesos import MesosSchedulerDriver, Scheduler

from tests.clients.programs.lines import given, orders, task, tell

GONE = ("TASK_KILLED", "TASK_LOST")


class Ordered(Scheduler):
    def __init__(self, again: bool) -> None:
        self.waiting: Queue[tuple[dict[str, Any], str]] = Queue()
        self.known: dict[str, dict[str, Any]] = {}
        self.again = again

    def want(self, driver: Any, wanted: dict[str, Any], not_on: str = "") -> None:
        self.known[wanted["task_id"]["value"]] = wanted
        self.waiting.put((wanted, not_on))
        driver.reviveOffers()

    def registered(self, driver: Any, framework_id: Any, master: Any) -> None:
        tell("registered", framework_id=framework_id["value"], master=master)

    def reregistered(self, driver: Any, master: Any) -> None:
        tell("reregistered", master=master)

    def disconnected(self, driver: Any) -> None:
        tell("disconnected")

    def processHeartBeat(self, driver: Any) -> None:
        tell("heartbeat")

    def resourceOffers(self, driver: Any, offers: list[dict[str, Any]]) -> None:
        tell("offers", offers=offers)
        for offer in offers:
            launched = []
            for _ in range(self.waiting.qsize()):
                wanted, not_on = self.waiting.get()
                if offer["agent_id"]["value"] == not_on:
                    self.waiting.put((wanted, not_on))
                else:
                    launched.append({**wanted, "agent_id": offer["agent_id"]})
            driver.launchTasks(offer["id"], launched)  # none: it declines

    def offerRescinded(self, driver: Any, offer_id: Any) -> None:
        tell("rescinded", offer_id=offer_id["value"])

    def inverseOffers(self, driver: Any, offers: list[dict[str, Any]]) -> None:
        tell("inverse offers", offers=offers)
        driver.acceptInverseOffers([offer["id"] for offer in offers])

    def statusUpdate(self, driver: Any, status: dict[str, Any]) -> None:
        task_id = status["task_id"]["value"]
        tell(
            "update",
            task_id=task_id,
            state=status["state"],
            agent_id=status.get("agent_id", {}).get("value"),
            status=status,
        )
        if self.again and status["state"] in GONE:
            name, _, number = task_id.partition(".")
            again = {**self.known[task_id], "task_id": {"value": f"{name}.{int(number or 1) + 1}"}}
            self.want(driver, again)

    def frameworkMessage(self, driver: Any, executor_id: Any, agent_id: Any, message: str) -> None:
        tell("message", executor_id=executor_id["value"], agent_id=agent_id["value"], data=message)

    def slaveLost(self, driver: Any, agent_id: Any) -> None:
        tell("agent lost", agent_id=agent_id["value"])

    def executorLost(self, driver: Any, executor_id: Any, agent_id: Any, status: int) -> None:
        tell("executor lost", executor_id=executor_id["value"], agent_id=agent_id["value"], status=status)

    def error(self, driver: Any, message: str) -> None:
        tell("error", message=message)
        driver.stop(failover=True)  # or it subscribes anew at once, and takes the framework from whoever took it


def obey(order: dict[str, Any], scheduler: Ordered, driver: Any) -> None:
    match order:
        case {"launch": task_id, "what": what}:
            scheduler.want(driver, task(task_id, **what), order.get("not_on", ""))
        case {"kill": task_id}:
            driver.killTask({"value": task_id})
        case {"say": data, "executor_id": executor_id, "agent_id": agent_id}:
            driver.sendFrameworkMessage({"value": executor_id}, {"value": agent_id}, data)
        case {"reconcile": task_ids}:
            driver.reconcileTasks([{"task_id": {"value": task_id}} for task_id in task_ids])
        case {"suppress": True}:
            driver.suppressOffers()
        case {"stop": failover}:
            driver.stop(failover=failover)


def main() -> None:
    start = given()
    scheduler = Ordered(start.get("again", False))
    driver = MesosSchedulerDriver(scheduler, start["framework"], start["master"])
    driver.start()
    for order in orders():
        obey(order, scheduler, driver)
    driver.join()
    tell("end")


if __name__ == "__main__":
    main()
