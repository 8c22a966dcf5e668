"""Who calls: schedulers, executors' processes, an operator. What they are told is what their next call is about."""

from __future__ import annotations

from random import Random
from typing import Any

from attrs import define, field, frozen

from mesolite.machines import AgentMachine, Machine
from mesolite.simulation import SimulatedCluster
from mesolite.simulation.http_client import HttpAnswer

JSON = ("Content-Type", "application/json")
SCHEDULER, OPERATOR, EXECUTOR = "/api/v1/scheduler", "/api/v1", "/api/v1/executor"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

CALLS = [
    "ACCEPT", "ACCEPT", "ACCEPT", "DECLINE", "ACKNOWLEDGE", "ACKNOWLEDGE", "KILL", "REVIVE", "SUPPRESS",
    "RECONCILE", "MESSAGE", "REQUEST", "SHUTDOWN",
]  # fmt: skip
RARE_CALLS = [
    "ACCEPT_INVERSE_OFFERS", "DECLINE_INVERSE_OFFERS", "UPDATE_FRAMEWORK", "RECONCILE_OPERATIONS", "TEARDOWN",
]  # fmt: skip
READS = [
    "GET_HEALTH", "GET_VERSION", "GET_FLAGS", "GET_METRICS", "GET_LOGGING_LEVEL", "SET_LOGGING_LEVEL",
    "LIST_FILES", "READ_FILE", "GET_STATE", "GET_AGENTS", "GET_FRAMEWORKS", "GET_EXECUTORS", "GET_TASKS",
    "GET_OPERATIONS", "GET_ROLES", "GET_WEIGHTS", "GET_QUOTA", "GET_MASTER", "GET_AGENT", "GET_CONTAINERS",
    "GET_MAINTENANCE_SCHEDULE", "GET_MAINTENANCE_STATUS", "GET_RESOURCE_PROVIDERS", "SUBSCRIBE", "UPDATE_WEIGHTS",
    "KILL_CONTAINER", "UNKNOWN",
]  # fmt: skip
CHANGES = [
    "DRAIN_AGENT", "DEACTIVATE_AGENT", "REACTIVATE_AGENT", "MARK_AGENT_GONE", "UPDATE_MAINTENANCE_SCHEDULE",
    "START_MAINTENANCE", "STOP_MAINTENANCE", "TEARDOWN", "X_MESOLITE_RECLAIM",
]  # fmt: skip


@frozen(kw_only=True)
class Call:
    """A call that may be made as it is: by whom, of which machine, what."""

    by: Scheduler | Process | None
    to: Machine
    path: str
    body: Any
    headers: tuple[tuple[str, str], ...] = (JSON,)


def an_id(value: str) -> dict[str, str]:
    return {"value": value}


def a_uuid(dice: Random) -> str:
    """Sixteen bytes in base64."""
    return "".join(dice.choice(BASE64) for _ in range(21)) + "A=="


@define(eq=False)
class Scheduler:
    """A framework, as far as it knows; `stream`: the answer to its last SUBSCRIBE."""

    number: int
    stream: HttpAnswer | None = None
    id: str = ""
    offers: list[Any] = field(factory=list)
    inverse_offers: list[str] = field(factory=list)
    updates: list[Any] = field(factory=list)
    tasks: list[str] = field(factory=list)
    executors: list[tuple[str, str]] = field(factory=list)

    def hear(self, record: Any) -> None:
        """Keep what may be of use."""
        body = record.get(record["type"].lower(), {})
        match record["type"]:
            case "SUBSCRIBED" if "framework_id" in body:  # not so, if it came to be an operator
                if body["framework_id"]["value"] != self.id:
                    self.executors.clear()
                self.id = body["framework_id"]["value"]
                self.offers.clear()
            case "OFFERS":
                self.offers += body["offers"]
            case "INVERSE_OFFERS":
                self.inverse_offers += [each["id"]["value"] for each in body["inverse_offers"]]
            case "UPDATE" if "uuid" in body["status"]:
                self.updates.append(body["status"])
            case "FAILURE":
                gone = body["agent_id"]["value"], body.get("executor_id", {}).get("value")
                self.executors = [one for one in self.executors if one != gone]
            case "ERROR" if "removed" in body["message"]:
                self.id = ""
                self.executors.clear()
            case _:
                pass

    @property
    def subscribed(self) -> bool:
        return self.stream is not None and self.stream.status == 200 and not self.stream.ended and bool(self.id)

    def call(self, dice: Random, cluster: SimulatedCluster, leader: Machine) -> Call:
        """Subscribe if it is not, else whatever comes to its mind."""
        if not self.subscribed or dice.random() < 0.03:
            return self._made(leader, self._subscribe(dice))
        kind = dice.choice(RARE_CALLS if dice.random() < 0.15 else CALLS)
        body = self._body(dice, kind)
        call = {"type": kind, "framework_id": an_id(self.id)}
        assert self.stream is not None
        stream_id = ("Mesos-Stream-Id", self.stream.headers.get("mesos-stream-id", ""))
        return self._made(leader, call if body is None else {**call, kind.lower(): body}, stream_id)

    def _made(self, leader: Machine, body: Any, *more: tuple[str, str]) -> Call:
        return Call(by=self, to=leader, path=SCHEDULER, body=body, headers=(JSON, *more))

    def _info(self, dice: Random) -> Any:
        info: dict[str, Any] = {
            "user": "me",
            "name": f"fuzz-{self.number}",
            "failover_timeout": dice.choice((0, 5, 1e6)),
        }
        info["capabilities"] = [{"type": "PARTITION_AWARE"}, {"type": "TASK_KILLING_STATE"}][: self.number % 3]
        info["checkpoint"] = bool(self.number % 2)
        return {**info, "id": an_id(self.id)} if self.id else info

    def _subscribe(self, dice: Random) -> Any:
        if dice.random() < 0.1:
            self.id = ""
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self._info(dice)}}
        return {**call, "framework_id": an_id(self.id)} if self.id else call

    def _body(self, dice: Random, kind: str) -> Any:
        task_id = dice.choice(self.tasks or ["none"])
        agent_id, executor_id = dice.choice(self.executors or [("m1-S9", "none")])
        match kind:
            case "ACCEPT":
                return self._accept(dice)
            case "DECLINE":
                offers = [self.offers.pop() for _ in range(min(len(self.offers), dice.randrange(3)))]
                filters = {"refuse_seconds": dice.choice((0, 1, 1e9))}
                return {"offer_ids": [offer["id"] for offer in offers], "filters": filters}
            case "ACKNOWLEDGE":
                known = self.updates.pop(0) if self.updates else {}
                usual = {"agent_id": an_id(agent_id), "task_id": an_id(task_id), "uuid": a_uuid(dice)}
                return {name: known.get(name, value) for name, value in usual.items()}
            case "KILL":
                policy = {"kill_policy": {"grace_period": {"nanoseconds": dice.choice((0, 10**9))}}}
                return {"task_id": an_id(task_id), **(policy if dice.random() < 0.3 else {})}
            case "RECONCILE":
                return {"tasks": [{"task_id": an_id(task_id)}] * dice.randrange(3)}
            case "MESSAGE":
                return {"agent_id": an_id(agent_id), "executor_id": an_id(executor_id), "data": "AP8="}
            case "SHUTDOWN":
                return {"agent_id": an_id(agent_id), "executor_id": an_id(executor_id)}
            case "ACCEPT_INVERSE_OFFERS" | "DECLINE_INVERSE_OFFERS":
                some = [self.inverse_offers.pop()] if self.inverse_offers else ["m1-O9"]
                return {"inverse_offer_ids": [an_id(one) for one in some], "x_mesolite_returning": [an_id(task_id)]}
            case "UPDATE_FRAMEWORK":
                return {"framework_info": self._info(dice), "suppressed_roles": []}
            case "REQUEST":
                return {"requests": [{"resources": []}]}
            case "RECONCILE_OPERATIONS":
                return {"operations": []}
            case _:
                return None

    def _accept(self, dice: Random) -> Any:
        if not self.offers:
            return {"offer_ids": [an_id("m1-O9")], "operations": []}
        offer = self.offers.pop(0)
        tasks = []
        for _ in range(dice.choice((1, 1, 2))):
            task_id = f"t{self.number}-{len(self.tasks)}"
            self.tasks.append(task_id)
            resources = [{"name": name, "type": "SCALAR", "scalar": {"value": 0.1}} for name in ("cpus", "mem")]
            task = {"name": "t", "task_id": an_id(task_id), "agent_id": offer["agent_id"], "resources": resources}
            if dice.random() < 0.5:
                executor_id = f"e{dice.randrange(3)}"
                self.executors.append((offer["agent_id"]["value"], executor_id))
                task["executor"] = {"executor_id": an_id(executor_id), "command": {"value": "./executor"}}
            else:
                task["command"] = {"value": dice.choice(("sleep 5", "sleep 100000", "exit 3"))}
            tasks.append(task)
        operations = [{"type": "LAUNCH", "launch": {"task_infos": tasks}}]
        return {"offer_ids": [offer["id"]], "operations": operations, "filters": {"refuse_seconds": 0}}


@define(eq=False)
class Process:
    """An executor's process; which one, its framework knows."""

    framework_id: str
    executor_id: str
    agent: AgentMachine
    stream: HttpAnswer | None = None
    tasks: list[Any] = field(factory=list)
    said: list[Any] = field(factory=list)

    def hear(self, record: Any) -> None:
        """Keep what may be of use."""
        match record["type"]:
            case "LAUNCH":
                self.tasks.append(record["launch"]["task"])
            case "ACKNOWLEDGED":
                self.said = [each for each in self.said if each["status"]["uuid"] != record["acknowledged"]["uuid"]]
            case _:
                pass

    def call(self, dice: Random) -> Call:
        """Subscribe if it is not, else say something."""
        call: dict[str, Any] = {"framework_id": an_id(self.framework_id), "executor_id": an_id(self.executor_id)}
        if self.stream is None or self.stream.ended or dice.random() < 0.05:
            asked = {"unacknowledged_tasks": self.tasks[-2:], "unacknowledged_updates": self.said[-2:]}
            call |= {"type": "SUBSCRIBE", "subscribe": asked}
        elif dice.random() < 0.7:
            task_id = dice.choice(self.tasks)["task_id"] if self.tasks else an_id("none")
            state = dice.choice(("TASK_STARTING", "TASK_RUNNING", "TASK_RUNNING", "TASK_FINISHED", "TASK_FAILED"))
            status = {"task_id": task_id, "state": state, "source": "SOURCE_EXECUTOR", "uuid": a_uuid(dice)}
            update = {"status": {**status, "message": "m", "data": "AA==", "healthy": True}}
            self.said.append(update)
            call |= {"type": "UPDATE", "update": update}
        else:
            call |= dice.choice(({"type": "MESSAGE", "message": {"data": "AP8="}}, {"type": "HEARTBEAT"}))
        return Call(by=self, to=self.agent, path=EXECUTOR, body=call)


def operators_call(dice: Random, agents: list[AgentMachine], frameworks: list[str], to: Machine) -> Call:
    """What an operator may do to these agents and frameworks."""
    kind = dice.choice(CHANGES if dice.random() < 0.4 else READS)
    agent = dice.choice(agents)
    host = agent.url.removeprefix("http://").partition(":")[0]
    machine = {"hostname": host, "ip": host}
    agent_id = an_id(agent.id or "m1-S9")
    start = {"nanoseconds": 1_400_000_000 * 10**9 + dice.randrange(200) * 10**9}
    window = {"machine_ids": [machine], "unavailability": {"start": start, "duration": {"nanoseconds": 10**10}}}
    bodies: dict[str, Any] = {
        "DRAIN_AGENT": {"agent_id": agent_id, "max_grace_period": {"seconds": dice.randrange(10)}},
        "DEACTIVATE_AGENT": {"agent_id": agent_id},
        "REACTIVATE_AGENT": {"agent_id": agent_id},
        "MARK_AGENT_GONE": {"agent_id": agent_id if dice.random() < 0.1 else an_id("m1-S9")},
        "UPDATE_MAINTENANCE_SCHEDULE": {"schedule": {"windows": [window][: dice.randrange(2)]}},
        "START_MAINTENANCE": {"machines": [machine]},
        "STOP_MAINTENANCE": {"machines": [machine]},
        "TEARDOWN": {"framework_id": an_id(dice.choice(frameworks or ["none"]))},
        "X_MESOLITE_RECLAIM": {"agent_id": agent_id, "within": {"seconds": dice.randrange(20)}},
        "GET_METRICS": {"timeout": {"nanoseconds": 10**9}},
        "SET_LOGGING_LEVEL": {"level": 1, "duration": {"nanoseconds": 10**9}},
        "LIST_FILES": {"path": dice.choice(("/", "/slave/log", "/etc"))},
        "READ_FILE": {"path": "/slave/log", "offset": 0, "length": 10},
        "UPDATE_WEIGHTS": {"weight_infos": [{"role": "*", "weight": 2.0}]},
        "KILL_CONTAINER": {"container_id": an_id("c")},
    }
    body = {"type": kind, **({kind.lower(): bodies[kind]} if kind in bodies else {})}
    return Call(by=None, to=to, path=OPERATOR, body=body)
