"""One class of pymesos sees the same callbacks of the drain story on virtual time, on threads, and over HTTP.

Until it is stopped: see docs/pymesos.md for what comes then.
"""

from __future__ import annotations

from typing import Any

from mesolite import Cluster, Simulation
from mesolite.compat.pymesos import MesosSchedulerDriver, Scheduler
from tests.clients.conftest import Start
from tests.clients.operating import address, call
from tests.clients.programs.drain_story import FRAMEWORK, DrainStory

STORY = {
    "a": ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLED"],
    "b": ["TASK_STARTING", "TASK_RUNNING"],
    "a.2": ["TASK_STARTING", "TASK_RUNNING"],
}
"""What it sees of each task. Those of two tasks may come in any order among each other, in Mesos, too."""


class Story(DrainStory, Scheduler):
    """The class, on our own pymesos."""


class Seen:
    """What a scheduler tells, in process."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def __call__(self, event: str, **about: Any) -> None:
        self.told.append({"event": event, **about})

    def has(self, task_id: str, state: str) -> bool:
        """Whether that was told."""
        return any(each.get("task_id") == task_id and each.get("state") == state for each in self.told)

    def place_of(self, task_id: str) -> str:
        """The agent that a task was on."""
        return next(str(each["agent_id"]) for each in self.told if each.get("task_id") == task_id)


def summed_up(told: list[dict[str, Any]]) -> tuple[list[str], dict[str, list[str]]]:
    """The callbacks that are not about tasks, and the states of each task."""
    states: dict[str, list[str]] = {}
    for each in told:
        if each["event"] == "update":
            states.setdefault(each["task_id"], []).append(each["state"])
    return [each["event"] for each in told if each["event"] != "update"], states


def on_virtual_time() -> list[dict[str, Any]]:
    seen = Seen()
    with Simulation(seed=1) as sim:
        cluster = sim.cluster(agents=2)
        driver = MesosSchedulerDriver(Story(seen), dict(FRAMEWORK), cluster)
        driver.start()
        sim.run_until(lambda: seen.has("a", "TASK_RUNNING") and seen.has("b", "TASK_RUNNING"), timeout=60)
        cluster.operator.drain(seen.place_of("a"))
        sim.run_until(lambda: seen.has("a.2", "TASK_RUNNING"), timeout=600)
        told = [*seen.told]
        driver.stop()
    return told


def on_threads() -> list[dict[str, Any]]:
    seen = Seen()
    with Cluster(agents=2) as cluster:
        driver = MesosSchedulerDriver(Story(seen), dict(FRAMEWORK), cluster)
        driver.start()
        cluster.wait_until(lambda: seen.has("a", "TASK_RUNNING") and seen.has("b", "TASK_RUNNING"), timeout=30)
        cluster.operator.drain(seen.place_of("a"))
        cluster.wait_until(lambda: seen.has("a.2", "TASK_RUNNING"), timeout=30)
        told = [*seen.told]
        driver.stop()
    return told


def over_http(cluster: Cluster, start: Start) -> list[dict[str, Any]]:
    program = start("drain_story", "pymesos", master=address(cluster.url))
    running: dict[str, Any] = {}
    while not {"a", "b"} <= running.keys():
        update = program.hears("update", state="TASK_RUNNING")
        running[update["task_id"]] = update
    call(cluster.url, "DRAIN_AGENT", agent_id={"value": running["a"]["agent_id"]})
    program.hears("update", task_id="a.2", state="TASK_RUNNING")
    told = [*program.told]  # when it stops, pymesos says that it is disconnected, and ours does not (docs/pymesos.md)
    program.order(stop=True)
    program.no_more_orders()
    return told


def test_the_same_callbacks_three_ways(cluster: Cluster, start: Start) -> None:
    """HT-382: nothing in the class knows on what it runs."""
    ways = {"virtual time": on_virtual_time(), "threads": on_threads(), "HTTP": over_http(cluster, start)}

    assert {way: summed_up(told) for way, told in ways.items()} == {way: (["registered"], STORY) for way in ways}
