"""One class of pymesos for three ways to run it: what is killed on an agent that is drained it starts on the other.

As a program it runs on the real pymesos, given master ("host:port"), and tells of each callback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.clients.programs.lines import task

FOR_EVER = {"command": {"value": "sleep 100000"}}
FRAMEWORK = {"user": "", "name": "story"}

Tell = Callable[..., None]


class DrainStory:
    """Callbacks of a scheduler: one task on each of two agents, `a` where it is offered first."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.waiting = ["a", "b"]
        self.places: dict[str, str] = {}

    def registered(self, driver: Any, framework_id: Any, master: Any) -> None:
        self.tell("registered")

    def reregistered(self, driver: Any, master: Any) -> None:
        self.tell("reregistered")

    def disconnected(self, driver: Any) -> None:
        self.tell("disconnected")

    def resourceOffers(self, driver: Any, offers: list[Any]) -> None:
        for offer in offers:
            agent_id = offer["agent_id"]["value"]
            fits = [name for name in self.waiting if name == "a.2" or agent_id not in self.places.values()][:1]
            for name in fits:
                self.waiting.remove(name)
                self.places[name] = agent_id
            tasks = [{**task(name, **FOR_EVER), "agent_id": offer["agent_id"]} for name in fits]
            driver.launchTasks(offer["id"], tasks)  # none: it declines

    def statusUpdate(self, driver: Any, update: Any) -> None:
        name, state = update["task_id"]["value"], update["state"]
        if state == "TASK_KILLED":
            self.waiting.append("a.2")
            driver.reviveOffers()
        self.tell("update", task_id=name, state=state, agent_id=self.places[name])

    def slaveLost(self, driver: Any, agent_id: Any) -> None:
        self.tell("agent lost")

    def error(self, driver: Any, message: Any) -> None:
        self.tell("error", message=str(message))


def main() -> None:
    """Run it on the real pymesos until it is told to stop."""
    from pymesos import MesosSchedulerDriver, Scheduler  # noqa: PLC0415  only where it is installed

    from tests.clients.programs.lines import given, orders, tell  # noqa: PLC0415  where a program is run

    class Story(DrainStory, Scheduler):
        """The same, as pymesos wants it."""

    driver = MesosSchedulerDriver(Story(tell), dict(FRAMEWORK), given()["master"])
    driver.start()
    for _ in orders():
        driver.stop()
    driver.join()


if __name__ == "__main__":
    main()
