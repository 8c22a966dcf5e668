"""Requests, one after the other, and what must hold of each and afterwards. The same seed makes the same requests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from attrs import define, field, frozen

from mesolite import Simulation
from mesolite.machines import AgentMachine, Machine
from mesolite.simulation.http_client import HttpAnswer
from tests.fuzz.http.callers import Call, Process, Scheduler, operators_call
from tests.fuzz.http.changes import METHODS, changed, other_headers, other_path, text_of
from tests.gateway.calling import Framework, World
from tests.logs import logged

PER_CLUSTER = 400
SHOWN = 3000
"""So much of a request's body is shown."""


@frozen(kw_only=True)
class Sent:
    """A request as it was sent."""

    to: Machine
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __str__(self) -> str:
        """As a person could send it again."""
        lines = "".join(f"\n  {name}: {value[:200]!r}" for name, value in self.headers)
        return f"{self.method} {self.path[:300]!r} to {self.to.name}{lines}\n  {self.body[:SHOWN]!r}"


@define(eq=False)
class Stage:
    """A cluster, those who call it, and a bystander whose task on agent-1 must go on as if nobody did."""

    dice: Random
    world: World = field(factory=lambda: World(agents=3, masters=2))
    schedulers: list[Scheduler] = field(factory=lambda: [Scheduler(number) for number in range(3)])
    processes: dict[tuple[str, str, str], Process] = field(factory=dict)
    waiting: list[tuple[Sent, HttpAnswer]] = field(factory=list)
    bystander: Framework = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let the bystander begin."""
        self.bystander = self.scheduled("bystander")

    @property
    def sim(self) -> Simulation:
        return self.world.sim

    @property
    def victims(self) -> list[AgentMachine]:
        """The agents that an operator may do something to."""
        return [self.world.agent(2), self.world.agent(3)]

    def scheduled(self, task_id: str) -> Framework:
        """A framework whose task runs on agent-1."""
        framework = self.world.subscribe(name=task_id)
        self.sim.advance(12.0)
        here = next(offer for offer in framework.offers if offer["agent_id"]["value"] == self.world.agent(1).id)
        framework.launch(task_id, here)
        framework.acknowledge_all()
        assert framework.states(task_id)[-1] == "TASK_RUNNING"
        framework.call("SUPPRESS")
        others = [offer["id"] for offer in framework.offers if offer is not here]
        framework.call("DECLINE", {"offer_ids": others, "filters": {"refuse_seconds": 0}})
        return framework

    def next(self) -> Call:
        """A call that could be made, by somebody."""
        leader = self.world.cluster.leader or self.world.cluster.masters["master-1"]
        who = self.dice.random()
        if who < 0.5:
            return self.dice.choice(self.schedulers).call(self.dice, self.world.cluster, leader)
        if who < 0.75 and (process := self._process()) is not None:
            return process.call(self.dice)
        machines: list[Machine] = [leader, leader, leader, self.world.standby, *self.world.cluster.agents.values()]
        frameworks = [scheduler.id for scheduler in self.schedulers if scheduler.id]
        return operators_call(self.dice, self.victims, frameworks, self.dice.choice(machines))

    def _process(self) -> Process | None:
        """One of those that frameworks have launched, and not heard the end of."""
        by_id = {str(agent.id): agent for agent in self.world.cluster.agents.values()}
        there = [
            (scheduler.id, executor_id, agent_id)
            for scheduler in self.schedulers
            for agent_id, executor_id in scheduler.executors[-3:]
            if agent_id in by_id and scheduler.subscribed
        ]
        self.processes = {key: self.processes.get(key) or Process(key[0], key[1], by_id[key[2]]) for key in there}
        return self.dice.choice(list(self.processes.values())) if self.processes else None

    def _forget(self, process: Process) -> None:
        """It has probably never been launched."""
        key = (str(process.agent.id), process.executor_id)
        for scheduler in self.schedulers:
            if scheduler.id == process.framework_id:
                scheduler.executors = [one for one in scheduler.executors if one != key]

    def changed(self, call: Call) -> Sent:
        """That call, as it is or with something wrong."""
        dice, body, headers, path, method = self.dice, call.body, list(call.headers), call.path, "POST"
        broken = False
        if dice.random() < 0.6:
            match dice.randrange(10):
                case 0:
                    method = dice.choice(METHODS)
                case 1:
                    headers = other_headers(dice, headers)
                case 2:
                    path = other_path(dice, path)
                case 3:
                    broken = True
                case 4:
                    method, path = dice.choice(("GET", "GET", "POST", "HEAD")), other_path(dice, path)
                case _:
                    body = changed(dice, body, self._meaningful())
        text = text_of(dice, body, broken=broken)
        return Sent(to=call.to, method=method, path=path, headers=tuple(headers), body=text)

    def _meaningful(self) -> list[Any]:
        ids = [scheduler.id for scheduler in self.schedulers] + [str(agent.id) for agent in self.victims]
        ids += [task for scheduler in self.schedulers for task in scheduler.tasks[-2:]]
        return [*ids, *({"value": one} for one in ids)]

    def send(self, call: Call, sent: Sent) -> HttpAnswer:
        """Send it, and let whoever called hear what comes."""
        on_record = None if call.by is None else call.by.hear
        answer = self.world.cluster.client.send(
            sent.to, sent.method, sent.path, headers=sent.headers, body=sent.body, on_record=on_record
        )
        self.sim.settle()
        opened = "mesos-stream-id" in answer.headers or (isinstance(call.by, Process) and answer.records)
        if call.by is not None and opened:
            call.by.stream = answer
        elif isinstance(call.by, Process) and call.by.stream is None and answer.status == 400:
            self._forget(call.by)
        self.waiting.append((sent, answer))
        return answer

    def disturb(self) -> None:
        """Let time pass, and now and then hang up, or have a daemon crash and start again."""
        self.sim.advance(self.dice.choice((0.1, 1.0, 1.0, 6.0)))
        if self.dice.random() < 0.2:
            streams = [answer for _, answer in self.waiting if not answer.ended]
            callers: list[Scheduler | Process] = [*self.schedulers, *self.processes.values()]
            streams += [one.stream for one in callers if one.stream is not None]
            if streams:
                self.world.cluster.client.hang_up(self.dice.choice(streams))
        if self.dice.random() < 0.03:
            victim = self.dice.choice(self.victims)
            if victim.alive:
                victim.crash()
            else:
                victim.restart()

    def unanswered(self) -> list[str]:
        """Those who have waited long enough in vain; what has been answered, or is a stream, waits no more."""
        self.sim.advance(3.0)
        found = [str(sent) for sent, answer in self.waiting if answer.status is None and not answer.broken]
        self.waiting.clear()
        return found

    def aftermath(self) -> list[str]:
        """What does not hold when all has been said: the bystander must not have noticed, and others can be served."""
        found = []
        for scheduler in self.schedulers:
            if scheduler.id:
                self.world.operate("TEARDOWN", {"framework_id": {"value": scheduler.id}})
        self.sim.advance(10.0)
        if self.bystander.stream.ended:
            found.append("the bystander's stream has ended")
        self.bystander.call("RECONCILE", {"tasks": []})
        if self.bystander.states("bystander")[-1] != "TASK_RUNNING":
            found.append(f"the bystander's task is {self.bystander.states('bystander')[-1]}")
        for framework in self.world.read("GET_FRAMEWORKS")["frameworks"]:
            if framework["framework_info"]["id"] != self.bystander.id:
                self.world.operate("TEARDOWN", {"framework_id": framework["framework_info"]["id"]})
        self.sim.advance(10.0)
        self.scheduled("newcomer")
        return found


def wrong_with(stage: Stage, sent: Sent, answer: HttpAnswer) -> str:
    """What must not be of an answer; '' if there is nothing."""
    if answer.broken and sent.to.alive:
        return "it was dropped, and its daemon is alive"
    if answer.status == 500:
        return f"500: {answer.body.decode()}"
    if answer.status == 200 and answer.body and answer.headers.get("content-type") == "application/json":
        return _wrong_in(answer.body)
    if answer.status is not None and answer.status >= 400 and not answer.body:
        return f"{answer.status} without a word"
    return ""


def _wrong_in(body: bytes) -> str:
    """HT-43, HT-47, HT-48, HT-54: of JSON that a strict client must be able to read."""
    if not body.isascii() or b"\n" in body:
        return "the JSON is not ASCII on one line"

    def refuse(name: str) -> None:
        raise ValueError(f"the JSON holds {name}")

    try:
        value = json.loads(body, parse_constant=refuse)
    except ValueError as why:
        return str(why)
    return "the JSON holds null" if any(inner is None for inner in _inside(value)) else ""


def _inside(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _inside(inner)


@define
class Found:
    """What has come of a round: how often which status, and the complaints."""

    statuses: Counter[int | None] = field(factory=Counter)
    complaints: list[str] = field(factory=list)


def fuzz(seed: int, count: int) -> Found:
    """Send so many requests, some hundreds to each cluster, and judge what comes of them."""
    found = Found()
    for first in range(0, count, PER_CLUSTER):
        _round(f"{seed}/{first}", min(PER_CLUSTER, count - first), found)
    return found


def _round(seed: str, count: int, found: Found) -> None:
    with logged("ERROR") as faults:
        found.complaints += _complaints(seed, count, found.statuses)
    found.complaints += [f"seed {seed}: logged: {fault}" for fault in faults]


def _complaints(seed: str, count: int, statuses: Counter[int | None]) -> list[str]:
    stage, complaints = Stage(Random(seed)), []
    where, sent = "", None
    try:
        for number in range(count):
            call = stage.next()
            sent = stage.changed(call)
            where = f"seed {seed}, request {number}"
            answer = stage.send(call, sent)
            statuses[answer.status] += 1
            if wrong := wrong_with(stage, sent, answer):
                complaints.append(f"{where}: {wrong}: {sent}")
            if number % 10 == 9:
                stage.disturb()
            if number % 100 == 99:
                complaints += [f"{where}: never answered: {one}" for one in stage.unanswered()]
        complaints += [f"after {where}: {one}" for one in stage.aftermath()]
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        complaints.append(f"{where}: {type(error).__name__}: {error}: {sent}")
    return complaints
