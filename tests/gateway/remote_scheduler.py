"""A scheduler of another language, as a simulation sees it: it keeps some jobs running, over HTTP, and subscribes again
when its stream breaks.
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.errors import Refused
from mesolite.simulation import SimulatedCluster, Simulation
from mesolite.simulation.http_client import HttpAnswer

CALLS = "/api/v1/scheduler"
TERMINAL = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR", "TASK_GONE_BY_OPERATOR")
RECONCILE_EVERY = 10
"""Seconds between two questions what became of its jobs."""
NEEDED = [
    {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}},
    {"name": "mem", "type": "SCALAR", "scalar": {"value": 64}},
]


class RemoteScheduler:
    """Keeps `wanted` jobs running. What it is told is in `told`; `heard` has every record."""

    def __init__(self, sim: Simulation, cluster: SimulatedCluster, wanted: int = 2, **framework: Any) -> None:
        self.sim, self.cluster, self.wanted = sim, cluster, wanted
        self.framework = {"user": "me", "name": "remote", "failover_timeout": 600, "checkpoint": True, **framework}
        self.framework_id: dict[str, str] | None = None
        self.jobs: dict[str, str] = {}
        """The newest state of each task that it has launched and that has not ended."""
        self.ends: dict[str, str] = {}
        self.told: list[tuple[str, str, str | None]] = []
        """Of each update the task, the state and the uuid."""
        self.heard: list[Any] = []
        self.launched = 0
        self.looks = 0
        self.stream: HttpAnswer | None = None
        self.connected = False
        self.url = ""
        self.subscribe()

    @property
    def running(self) -> list[str]:
        """The jobs that run, as far as it knows."""
        return [task_id for task_id, state in self.jobs.items() if state == "TASK_RUNNING"]

    def subscribe(self) -> None:
        """Open a stream to whoever leads, or try again later."""
        leader = self.cluster.leader
        if leader is None:
            self.sim.at(self.sim.now + 1.0, self.subscribe)
            return
        self.url = leader.url
        info: dict[str, Any] = dict(self.framework)
        call: dict[str, Any] = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
        if self.framework_id is not None:
            call["framework_id"] = info["id"] = self.framework_id
        self.connected = False
        self.stream = self.cluster.client.post(leader, CALLS, call, on_record=self._on_record)
        self.sim.at(self.sim.now + 1.0, self._look)

    def break_off(self) -> None:
        """The connection breaks; it notices, and will subscribe again.

        Raises:
            Refused: there is none.
        """
        if self.stream is None or self.stream.ended:
            raise Refused("there is no stream to break")
        self.cluster.client.hang_up(self.stream)

    def call(self, kind: str, **body: Any) -> HttpAnswer:
        """Make a call for its present subscription."""
        assert self.stream is not None, "it has subscribed before anything else"
        call = {"type": kind, "framework_id": self.framework_id, kind.lower(): body}
        headers = {"Mesos-Stream-Id": self.stream.headers["mesos-stream-id"]}
        return self.cluster.client.post(self.url, CALLS, call, headers=headers)

    def _look(self) -> None:
        """Once a second: is the stream still there?"""
        if self.stream is None or self.stream.ended:
            self.subscribe()
            return
        self.looks += 1
        if self.looks % RECONCILE_EVERY == 0 and self.connected:
            self._reconcile()
        self.sim.at(self.sim.now + 1.0, self._look)

    def _reconcile(self) -> None:
        """Ask what became of the jobs, as a launch or an update may be lost; and of others, which may be back."""
        asked = [{"task_id": {"value": task_id}} for task_id in self.jobs]
        if asked:
            self.call("RECONCILE", tasks=asked)
        self.call("RECONCILE", tasks=[])

    def _on_record(self, record: Any) -> None:
        self.heard.append(record)
        body = record.get(record["type"].lower())
        match record["type"]:
            case "SUBSCRIBED":
                self.framework_id = body["framework_id"]
                self.connected = True
                self._reconcile()
            case "OFFERS":
                for offer in body["offers"]:
                    self._use(offer)
            case "UPDATE":
                self._take(body["status"])

    def _use(self, offer: Any) -> None:
        if len(self.jobs) >= self.wanted:
            self.call("DECLINE", offer_ids=[offer["id"]])
            return
        self.launched += 1
        task_id = f"job-{self.launched}"
        self.jobs[task_id] = "TASK_STAGING"
        task = {
            "name": task_id,
            "task_id": {"value": task_id},
            "agent_id": offer["agent_id"],
            "resources": NEEDED,
            "command": {"value": "sleep 100000"},
        }
        launch = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        self.call("ACCEPT", offer_ids=[offer["id"]], operations=[launch])

    def _take(self, status: Any) -> None:
        task_id, state, uuid = status["task_id"]["value"], status["state"], status.get("uuid")
        self.told.append((task_id, state, uuid))
        if uuid is not None:
            self.call("ACKNOWLEDGE", agent_id=status["agent_id"], task_id=status["task_id"], uuid=uuid)
        if task_id not in self.jobs:
            if state not in TERMINAL:  # given up, and back, when another has taken its place
                self.call("KILL", task_id=status["task_id"])
            return
        if state in TERMINAL:
            del self.jobs[task_id]
            self.ends[task_id] = state
        else:
            self.jobs[task_id] = state
