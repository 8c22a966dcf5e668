"""An operator on pymesos: tells of the master's answers to what it is ordered to ask, and of each event.

Given: master ("host:port"). Ordered: ask (a method of the driver), with (its arguments).
"""

from __future__ import annotations

from typing import Any

from pymesos import MesosOperatorMasterDriver, OperatorMaster

from tests.clients.programs.lines import given, orders, tell


class Watching(OperatorMaster):
    def taskAdded(self, task_info: Any) -> None:
        tell("task added", task=task_info)

    def taskUpdated(self, task_info: Any) -> None:
        tell("task updated", state=task_info["state"], about=task_info)

    def frameworkAdded(self, framework_info: Any) -> None:
        tell("framework added", framework=framework_info)

    def frameworkUpdated(self, framework_info: Any) -> None:
        tell("framework updated", framework=framework_info)

    def frameworkRemoved(self, framework_info: Any) -> None:
        tell("framework removed", framework_info=framework_info)

    def agentAdded(self, agent_info: Any) -> None:
        tell("agent added", agent=agent_info)

    def agentRemoved(self, agent_info: Any) -> None:
        tell("agent removed", agent_id=agent_info)


class Telling(MesosOperatorMasterDriver):
    """Its own answer to SUBSCRIBED is a line in the log, so this tells of it besides."""

    def on_subscribed(self, info: Any) -> None:
        super().on_subscribed(info)
        tell("subscribed", state=info["get_state"])


def main() -> None:
    driver = Telling(given()["master"], Watching())
    driver.start()
    for order in orders():
        answer = getattr(driver, order["ask"])(*order["with"])
        tell("answer", asked=order["ask"], answer=answer)
    driver.stop()
    driver.join()


if __name__ == "__main__":
    main()
