"""A cluster that works in a folder until it is killed, and says each thing that has to outlive it. For kills.py.

    python -m tests.cluster.killed FOLDER SEED LIFE      a JSON object a line; the frameworks' ids are read from stdin

Rule: a line is written when what it says is true for good, and an operator's wish before it is asked, too:

    launching, told         what the frameworks did and heard
    stored, settled         an update is in the store; it is there no more, so its acknowledgement is history
    is                      an agent's id as stored
    asks, answered, ended   a verb of the operator; the end of a drain
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from loguru import logger

import mesolite.cluster
from mesolite import Cluster, Filters, FrameworkInfo, Offer, Refused, Scheduler, SchedulerDriver, Settings, TaskStatus
from mesolite.actors.threads.sqlite_store import SqliteStore
from mesolite.messages.ids import FrameworkId
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.relayed import StatusUpdate
from tests.cluster.real_commands import PATIENCE_S, command

Tell = Callable[..., None]

AGENTS, MASTERS = 3, 2
FRAMEWORKS = ("one", "two")
ALIVE_MAX = 6
QUICK = Settings.local().but(
    session_timeout_s=0.3,
    status_update_retry_s=0.1,
    status_update_retry_max_s=0.2,
    executor_reregistration_timeout_s=0.1,
    executor_shutdown_grace_s=0.2,
    command_executor_margin_s=0.1,
    task_kill_grace_s=0.05,
)
HERE = 'exec 9>"$LIFE"; '
KINDS = (
    "exit 0", "exit 3", "sleep 0.02", "exec sleep 1000", "trap '' TERM; sleep 1000", "(setsid sleep 1000 &) ; exit 0",
)  # fmt: skip
"""All that descend from a command hold the lifeline open."""


@contextmanager
def stores_that_tell(tell: Tell) -> Iterator[None]:
    """Let the stores of clusters say what they have stored, when it is stored."""

    class Telling(SqliteStore):
        """Says what is in the file."""

        def __init__(self, path: str) -> None:
            super().__init__(path)
            self._updates: dict[tuple[str, str], str | None] = {}

        def load(self, owner: str, term: int) -> Mapping[str, Any]:
            records = super().load(owner, term)
            for key, record in records.items():
                if isinstance(record, StatusUpdate):
                    self._updates[owner, key] = update_of(record.status)
            return records

        def save(self, owner: str, changes: Any, term: int) -> None:
            changes = list(changes)
            super().save(owner, changes, term)
            for key, kept in changes:
                self._tell(owner, key, None if kept is None else kept.record)

        def _tell(self, owner: str, key: str, record: object) -> None:
            if isinstance(record, StatusUpdate):
                update = self._updates[owner, key] = update_of(record.status)
                tell("stored", update=update, agent=owner)
            elif key.startswith("update/") and (settled := self._updates.pop((owner, key), None)):
                tell("settled", update=settled)
            elif key == "agent":
                tell("is", agent=owner, id=record.id if isinstance(record, AgentInfo) else None)

    making: Any = mesolite.cluster
    genuine, making.SqliteStore = making.SqliteStore, Telling
    try:
        yield
    finally:
        making.SqliteStore = genuine


def update_of(status: TaskStatus) -> str | None:
    """What tells an update from all others, of other tasks and lives, too; None if nobody acknowledges it."""
    return None if status.uuid is None else f"{status.task_id} {status.uuid}"


class Hearing(Scheduler):
    """Says what it hears, and acknowledges it."""

    def __init__(self, name: str, tell: Tell) -> None:
        self.name = name
        self.tell = tell
        self.connected = False

    def info(self, known: Mapping[str, str]) -> FrameworkInfo:
        """Who it is, in this life as in the earlier ones."""
        framework_id = FrameworkId(known[self.name]) if self.name in known else None
        return FrameworkInfo(name=self.name, id=framework_id, checkpoint=True, failover_timeout_s=36_000.0)

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        self.tell("framework", name=self.name, id=framework_id)
        self.connected = True

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        driver.decline_offer(offers, Filters(refuse_seconds=3600.0))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        ends = status.state.is_terminal
        words = f"{status.state}, {status.reason}: {status.message}"
        self.tell("told", task=status.task_id, update=update_of(status), words=words, ends=ends)
        if status.uuid is not None:
            driver.acknowledge(status)


class Busy(Hearing):
    """Always has a few tasks: short ones, and long ones that it kills after a while."""

    def __init__(self, name: str, tell: Tell, draw: random.Random, life: str, lifeline: str) -> None:
        super().__init__(name, tell)
        self._draw, self._life, self._lifeline = draw, life, lifeline
        self._alive: dict[str, None] = {}
        self._count = 0

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            tasks: list[Any] = []
            while len(self._alive) < ALIVE_MAX and len(tasks) < 2:
                self._count += 1
                task_id = f"{self.name}-{self._life}-{self._count}"
                self._alive[task_id] = None
                self.tell("launching", task=task_id, framework=self.name, agent=offer.agent_id)
                tasks.append(command(task_id, HERE + self._draw.choice(KINDS), LIFE=self._lifeline))
            driver.launch_tasks(offer, tasks, Filters(refuse_seconds=0.02))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        super().status_update(driver, status)
        if status.state.is_terminal:
            self._alive.pop(status.task_id, None)
        elif status.state.name == "TASK_RUNNING":
            driver.call_later(self._draw.uniform(0.0, 0.2), lambda: driver.kill_task(status.task_id))


class Operating:
    """One verb after another, drawn at random."""

    def __init__(self, cluster: Cluster, draw: random.Random, tell: Tell) -> None:
        self.cluster, self.draw, self.tell = cluster, draw, tell
        self._verbs = (
            [self.deactivate, self.reactivate] * 3
            + [self.drain, self.drain_to_the_end, self.schedule, self.reclaim, self.let_an_agent_crash] * 2
            + [self.mark_gone, self.let_the_leader_crash]
        )

    def go_on(self) -> None:
        """Do one more."""
        agent = self.draw.choice(list(self.cluster.agents.values()))
        self.cluster.wait_until(lambda: agent.registered and self.cluster.leader is not None, PATIENCE_S)
        self.draw.choice(self._verbs)(agent)

    def ask(self, verb: str, about: Any, do: Callable[[], Any]) -> Any:
        """Ask for something; what is refused has not been decided."""
        self.tell("asks", verb=verb, about=about)
        try:
            answer = do()
        except Refused:
            self.tell("answered", verb="nothing", about=about, id=None)
            return None
        self.tell("answered", verb=verb, about=about, id=getattr(answer, "id", None))
        return answer

    def deactivate(self, agent: Any) -> None:
        self.ask("deactivate", agent.id, lambda: self.cluster.operator.deactivate(agent))

    def reactivate(self, agent: Any) -> None:
        self.ask("reactivate", agent.id, lambda: self.cluster.operator.reactivate(agent))

    def drain(self, agent: Any) -> Any:
        return self.ask("drain", agent.id, lambda: self.cluster.operator.drain(agent, max_grace_period=0.05))

    def drain_to_the_end(self, agent: Any) -> None:
        drain = self.drain(agent)
        if drain is not None:
            self.tell("ended", id=drain.id, state=str(drain.wait(PATIENCE_S)))
            self.reactivate(agent)

    def schedule(self, agent: Any) -> None:
        later = Unavailability(start=self.cluster.now + self.draw.randint(1000, 9000))
        windows = [Window(machines=[agent.machine_id], unavailability=later)][: self.draw.randint(0, 1)]
        names = [agent.name for _ in windows]
        self.ask("schedule", names, lambda: self.cluster.operator.update_maintenance_schedule(windows))

    def reclaim(self, agent: Any) -> None:
        self.ask("reclaim", agent.id, lambda: self.cluster.operator.reclaim(agent, "cpus:0.1", within=1000.0))

    def mark_gone(self, agent: Any) -> None:
        def mark() -> Any:
            self.cluster.operator.mark_gone(agent)
            return agent

        if self.ask("gone", agent.id, mark) is not None:
            self.cluster.wait_until(lambda: not agent.alive, PATIENCE_S)
            agent.restart()

    def let_an_agent_crash(self, agent: Any) -> None:
        agent.crash()
        agent.restart()

    def let_the_leader_crash(self, agent: Any) -> None:
        leader = self.cluster.leader
        if leader is not None:
            leader.crash()
            leader.restart()


def main() -> None:
    """Work until killed: a few verbs, then the same in another cluster in the same folder."""
    folder, seed, life = sys.argv[1:]
    known = json.loads(sys.stdin.readline())
    lifeline = os.open(f"{folder}/life", os.O_WRONLY)  # it ends with this process, too
    logger.remove()

    def tell(what: str, **facts: Any) -> None:
        os.write(1, json.dumps({"what": what, **facts}).encode() + b"\n")
        if what == "framework":
            known[facts["name"]] = facts["id"]

    draw = random.Random(int(seed))
    with stores_that_tell(tell):
        for number in range(1000):
            tell("opening")
            with Cluster(AGENTS, MASTERS, work_dir=f"{folder}/work", settings=QUICK) as cluster:
                for name in FRAMEWORKS:
                    busy = Busy(name, tell, draw, f"{life}.{number}", f"{folder}/life")
                    cluster.run(busy, busy.info(known), implicit_acknowledgements=False)
                operating = Operating(cluster, draw, tell)
                for _ in range(draw.randint(1, 20)):
                    operating.go_on()
                tell("closing")
    os.close(lifeline)


if __name__ == "__main__":
    main()
