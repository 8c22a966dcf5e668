"""A scheduler in pymesos's shape that runs commands as fast as it is offered room, and tells how many a second.

With the real pymesos it is a program of its own: python -P benchmarks/pymesos_commands.py HOST:PORT COUNT
"""

from __future__ import annotations

import sys
import time
from typing import Any

NEED = {"cpus": 0.1, "mem": 32.0}


def needed() -> list[dict[str, Any]]:
    """What a command is given."""
    return [{"name": name, "type": "SCALAR", "scalar": {"value": value}} for name, value in NEED.items()]


class Many:
    """Runs so many commands, and stops when all have ended."""

    def __init__(self, count: int) -> None:
        """Launch `count`."""
        self.count = count
        self.launched = self.ended = 0
        self.began = self.took_s = 0.0

    def registered(self, driver: Any, framework_id: Any, master: Any) -> None:
        """The time runs from now on."""
        self.began = time.perf_counter()

    def resourceOffers(self, driver: Any, offers: list[Any]) -> None:
        """Launch as many as have room."""
        for offer in offers:
            held = {each["name"]: each["scalar"]["value"] for each in offer["resources"] if each["type"] == "SCALAR"}
            room = int(min(held.get(name, 0.0) / value for name, value in NEED.items()) + 1e-9)
            tasks = [self.task(offer) for _ in range(min(room, self.count - self.launched))]
            driver.launchTasks(offer["id"], tasks, {"refuse_seconds": 0})

    def task(self, offer: Any) -> dict[str, Any]:
        """The next command."""
        self.launched += 1
        name = f"t{self.launched}"
        return {
            "task_id": {"value": name},
            "name": name,
            "agent_id": offer["agent_id"],
            "resources": needed(),
            "command": {"shell": False, "value": "/bin/true", "arguments": ["true"]},
        }

    def statusUpdate(self, driver: Any, status: Any) -> None:
        """Count those that have ended well."""
        if status["state"] == "TASK_FINISHED":
            self.ended += 1
            if self.ended == self.count:
                self.took_s = time.perf_counter() - self.began
                driver.stop()


def run(pymesos: Any, master: str, count: int) -> float:
    """Commands per second, with this module as pymesos."""
    scheduler = type("Commands", (Many, pymesos.Scheduler), {})(count)
    pymesos.MesosSchedulerDriver(scheduler, {"user": "", "name": "bench"}, master).run()
    return float(count / scheduler.took_s)


if __name__ == "__main__":
    import pymesos

    print(run(pymesos, sys.argv[1], int(sys.argv[2])))
