"""A simulated cluster that speaks HTTP, and short words for calling it as clients of other languages do."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from attrs import define

from mesolite import Settings, Simulation
from mesolite.http import Http
from mesolite.machines import AgentMachine, Machine
from mesolite.simulation.http_client import HttpAnswer

SCHEDULER, OPERATOR, EXECUTOR = "/api/v1/scheduler", "/api/v1", "/api/v1/executor"
JSON = {"Content-Type": "application/json"}
FRAMEWORK = {"user": "me", "name": "web"}
UUID = "AAECAwQFBgcICQoLDA0ODw=="
"""Sixteen bytes."""


def an_id(value: str) -> dict[str, str]:
    """An id as v1 has it."""
    return {"value": value}


def scalar(name: str, value: float) -> dict[str, Any]:
    """A resource."""
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}}


def base64_of(text: str) -> str:
    """What a Basic header has behind its scheme."""
    return base64.b64encode(text.encode()).decode()


def basic(principal: str, secret: str) -> dict[str, str]:
    """The header of who authenticates."""
    return {"Authorization": f"Basic {base64_of(f'{principal}:{secret}')}"}


class World:
    """A cluster on virtual time, and who calls it; every call lets happen what is due at once."""

    def __init__(
        self, agents: int = 1, masters: int = 1, http: bool | Http = True, settings: Settings | None = None
    ) -> None:
        self.sim = Simulation(settings=settings)
        self.cluster = self.sim.cluster(agents=agents, masters=masters, http=http)

    @property
    def leader(self) -> Machine:
        assert self.cluster.leader is not None, "nobody leads"
        return self.cluster.leader

    @property
    def standby(self) -> Machine:
        return next(master for master in self.cluster.masters.values() if master is not self.cluster.leader)

    def agent(self, number: int = 1) -> AgentMachine:
        return self.cluster.agents[f"agent-{number}"]

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        to: Machine | None = None,
    ) -> HttpAnswer:
        """Any request; the query is part of the path."""
        answer = self.cluster.client.send(to or self.leader, method, path, headers=headers, body=body)
        self.sim.settle()
        return answer

    def get(self, path: str, to: Machine | None = None, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        return self.send("GET", path, headers=headers or {}, to=to)

    def post(
        self, path: str, body: Any, to: Machine | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """A call in JSON, or bytes as they are."""
        answer = self.cluster.client.post(to or self.leader, path, body, headers=headers)
        self.sim.settle()
        return answer

    def operate(self, kind: str, body: Any = None, to: Machine | None = None) -> HttpAnswer:
        """An operator's call."""
        given = {} if body is None else {kind.lower(): body}
        return self.post(OPERATOR, {"type": kind, **given}, to=to)

    def read(self, kind: str, body: Any = None, to: Machine | None = None) -> Any:
        """The result of an operator's call that only reads."""
        answer = self.operate(kind, body, to=to)
        assert answer.status == 200, answer.body
        assert answer.json["type"] == kind
        return answer.json[kind.lower()]

    def subscribe(self, headers: Mapping[str, str] | None = None, **info: Any) -> Framework:
        """A scheduler that has asked for a stream."""
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": {**FRAMEWORK, **info}}}
        if "id" in info:
            call["framework_id"] = info["id"]
        return Framework(self, self.post(SCHEDULER, call, headers=headers))

    def offered(self, **info: Any) -> Framework:
        """A scheduler that has its first offers."""
        framework = self.subscribe(**info)
        self.sim.advance(2.0)
        assert framework.offers
        return framework


@define(eq=False)
class Framework:
    """What is subscribed on one stream, and what it calls."""

    world: World
    stream: HttpAnswer

    @property
    def id(self) -> dict[str, str]:
        found: dict[str, str] = self.stream.of_type("SUBSCRIBED")[0]["framework_id"]
        return found

    @property
    def stream_id(self) -> str:
        return self.stream.headers["mesos-stream-id"]

    @property
    def kinds(self) -> list[str]:
        return [record["type"] for record in self.stream.records]

    @property
    def offers(self) -> list[Any]:
        """All that has ever been offered."""
        return [offer for told in self.stream.of_type("OFFERS") for offer in told["offers"]]

    @property
    def statuses(self) -> list[Any]:
        return [told["status"] for told in self.stream.of_type("UPDATE")]

    def states(self, task_id: str) -> list[str]:
        """What it was told of a task, in order."""
        return [status["state"] for status in self.statuses if status["task_id"] == an_id(task_id)]

    def call(self, kind: str, body: Any = None, headers: Mapping[str, str] | None = None, **more: Any) -> HttpAnswer:
        """A call of the present subscription."""
        given = {} if body is None else {kind.lower(): body}
        whole = {"type": kind, "framework_id": self.id, **given, **more}
        return self.world.post(SCHEDULER, whole, headers={"Mesos-Stream-Id": self.stream_id, **(headers or {})})

    def task(self, task_id: str, offer: Any, **more: Any) -> dict[str, Any]:
        """A task that runs until it is killed, if nothing else is said."""
        usual = {
            "name": task_id,
            "task_id": an_id(task_id),
            "agent_id": offer["agent_id"],
            "resources": [scalar("cpus", 0.5), scalar("mem", 64)],
        }
        return {**usual, **({} if "executor" in more else {"command": {"value": "sleep 100000"}}), **more}

    def launch(self, task_id: str, offer: Any | None = None, **more: Any) -> HttpAnswer:
        """Launch one task on the newest offer, and use nothing else of it."""
        offer = offer or self.offers[-1]
        operation = {"type": "LAUNCH", "launch": {"task_infos": [self.task(task_id, offer, **more)]}}
        return self.call("ACCEPT", {"offer_ids": [offer["id"]], "operations": [operation]})

    def acknowledge(self, status: Any) -> HttpAnswer:
        """Say that an update has come."""
        return self.call("ACKNOWLEDGE", {name: status[name] for name in ("agent_id", "task_id", "uuid")})

    def acknowledge_all(self, rounds: int = 5) -> None:
        """Say so of all that come, as long as others come."""
        done = 0
        for _ in range(rounds):
            for status in self.statuses[done:]:
                done += 1
                if "uuid" in status:
                    self.acknowledge(status)
            self.world.sim.advance(1.0)

    def hang_up(self) -> None:
        """Its connection breaks."""
        self.world.cluster.client.hang_up(self.stream)
        self.world.sim.settle()

    def again(self, **info: Any) -> Framework:
        """A new subscription with the same id."""
        return self.world.subscribe(id=self.id, **info)


EXECUTOR_INFO = {"executor_id": an_id("e1"), "type": "CUSTOM", "command": {"value": "./executor"}}


@define(eq=False)
class Process:
    """An executor's process, as its agent hears it."""

    world: World
    framework: Framework
    executor_id: str = "e1"
    stream: HttpAnswer | None = None

    @property
    def agent(self) -> AgentMachine:
        return self.world.agent()

    def call(self, kind: str, body: Any = None, **more: Any) -> HttpAnswer:
        """A call of this executor."""
        given = {} if body is None else {kind.lower(): body}
        whole = {"type": kind, "framework_id": self.framework.id, "executor_id": an_id(self.executor_id), **given}
        return self.world.post(EXECUTOR, {**whole, **more}, to=self.agent)

    def subscribe(self, tasks: Any = (), updates: Any = ()) -> HttpAnswer:
        """Ask for a stream."""
        asked = {"unacknowledged_tasks": list(tasks), "unacknowledged_updates": list(updates)}
        self.stream = self.call("SUBSCRIBE", asked)
        return self.stream

    def heard(self, kind: str) -> list[Any]:
        assert self.stream is not None
        return self.stream.of_type(kind)

    def status(self, task_id: str, state: str = "TASK_RUNNING", **more: Any) -> dict[str, Any]:
        """What it may say of a task."""
        return {"task_id": an_id(task_id), "state": state, "source": "SOURCE_EXECUTOR", "uuid": UUID, **more}

    def update(self, task_id: str, state: str = "TASK_RUNNING", **more: Any) -> HttpAnswer:
        """Say something of a task."""
        return self.call("UPDATE", {"status": self.status(task_id, state, **more)})


def with_process(world: World | None = None, **info: Any) -> Process:
    """A framework has launched task t1 for an executor that is a process, which has not subscribed yet."""
    world = world or World()
    framework = world.offered(**info)
    framework.launch("t1", executor=EXECUTOR_INFO)
    return Process(world, framework)
