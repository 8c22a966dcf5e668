"""An executor on pymesos: its tasks run until they are killed, messages come back, and each callback is told of."""

from __future__ import annotations

import os
from typing import Any

from pymesos import Executor, MesosExecutorDriver, decode_data, encode_data

from tests.clients.programs.lines import tell

SHOWN = ("MESOS_", "LIBPROCESS_")


def update(driver: Any, task_id: dict[str, str], state: str, **more: Any) -> None:
    driver.sendStatusUpdate({"task_id": task_id, "state": state, **more})


class Telling(Executor):
    def registered(self, driver: Any, executor: Any, framework: Any, agent: Any) -> None:
        environment = {name: value for name, value in os.environ.items() if name.startswith(SHOWN)}
        where = {"pid": os.getpid(), "group": os.getpgid(0), "folder": os.getcwd(), "environment": environment}
        tell("registered", executor=executor, framework=framework, agent=agent, **where)

    def reregistered(self, driver: Any, agent: Any) -> None:
        tell("reregistered", agent=agent)

    def disconnected(self, driver: Any) -> None:
        tell("disconnected")

    def launchTask(self, driver: Any, task: Any) -> None:
        tell("launch", task=task)
        update(driver, task["task_id"], "TASK_RUNNING")

    def killTask(self, driver: Any, task_id: Any) -> None:
        tell("kill", task_id=task_id["value"])
        labels = {"labels": [{"key": "result", "value": '{"left": 7}'}]}
        update(driver, task_id, "TASK_KILLED", message="as you like", labels=labels, data=encode_data(b"\0\xff"))

    def frameworkMessage(self, driver: Any, message: str) -> None:
        said = decode_data(message)
        tell("message", length=len(said))
        if said.startswith(b"exit "):
            os._exit(int(said.removeprefix(b"exit ")))
        driver.sendFrameworkMessage(encode_data(said[::-1]))

    def shutdown(self, driver: Any) -> None:
        tell("shutdown")

    def error(self, driver: Any, message: str) -> None:
        tell("error", message=message)


if __name__ == "__main__":
    MesosExecutorDriver(Telling()).run()
