"""Many processes with a cluster, each killed with SIGKILL at some moment; then a second life in the same folder.

    python -m tests.cluster.kills --kills 100        `make kills`; test_many_kills.py does a few of them

Rule: nothing that was said to be done is undone. Every decision that was answered to an operator stands; every update
that was stored is delivered until its acknowledgement is history, and not once more after that; no task has two ends,
or none. Nothing the process had started outlives its launchers' clearing up, and the store opens, whole.

The process says what must outlive it (killed.py); a `Ledger` keeps that over several lives in one folder.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from attrs import define, field

from mesolite import Cluster, MesoliteError, TaskState, TaskStatus
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.codec import DecodeError, decode_record
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.relayed import StatusUpdate
from tests.cluster.killed import AGENTS, FRAMEWORKS, MASTERS, QUICK, Hearing, stores_that_tell, update_of
from tests.cluster.real_commands import PATIENCE_S

LINES_MAX = 300
"""A process is killed after at most so many lines."""
LATER_S = 0.01
"""And at most so much later."""
SECOND = QUICK.but(agent_reregister_timeout_s=3.0)
"""An agent that was killed before it had stored its id is another one now, and the first is given up after this."""
ASK_AGAIN_S = 0.5
LIVES = 5
"""How often a process is killed in one folder."""


@define
class Ledger:
    """What has been said so far, by all lives in one folder.

    `deactivated`: whether an agent is, by its id. `asked`: what was asked and not answered; it may be so or not.
    `ended`: tasks, with the update that said so. `owed`: updates in the store. `settled`: those that are there no more;
    `history`: those that were so when this life began, and must not be told in it. `heard`: all that were told.
    """

    frameworks: dict[str, str] = field(factory=dict)
    ids: dict[str, str | None] = field(factory=dict)
    deactivated: dict[str, bool] = field(factory=dict)
    gone: list[str] = field(factory=list)
    drains: dict[str, str | None] = field(factory=dict)
    reclaims: list[str] = field(factory=list)
    schedule: list[str] = field(factory=list)
    asked: list[tuple[str, Any]] = field(factory=list)
    launched: dict[str, dict[str, str]] = field(factory=dict)
    ended: dict[str, str] = field(factory=dict)
    owed: dict[str, str] = field(factory=dict)
    settled: dict[str, None] = field(factory=dict)
    history: dict[str | None, None] = field(factory=dict)
    heard: dict[str | None, None] = field(factory=dict)
    complaints: list[str] = field(factory=list)

    def note(self, what: str, **facts: Any) -> None:
        """Somebody has said so."""
        getattr(self, f"_{what}")(**facts)

    def _opening(self) -> None:
        self.history |= self.settled

    def _closing(self) -> None:
        pass

    def _framework(self, name: str, id: str) -> None:
        if self.frameworks.setdefault(name, id) != id:
            self.complaints.append(f"framework {name} was {self.frameworks[name]} and is {id}")

    def _is(self, agent: str, id: str | None) -> None:
        self.ids[agent] = id

    def _launching(self, task: str, framework: str, agent: str) -> None:
        self.launched[task] = {"framework": framework, "agent": agent}

    def _stored(self, update: str, agent: str) -> None:
        self.owed[update] = agent

    def _settled(self, update: str) -> None:
        self.owed.pop(update, None)
        self.settled[update] = None

    def _told(self, task: str, update: str | None, words: str, ends: bool) -> None:
        self.heard[update] = None
        if update in self.history:
            self.complaints.append(f"{update} ({words}) was told again after its acknowledgement in another life")
        if not ends or update is None:
            self.ended.update({task: self.ended.get(task, "")} if ends else {})
        elif self.ended.setdefault(task, update) not in ("", update):
            self.complaints.append(f"{task} has two ends: {self.ended[task]} and {update} ({words})")

    def _asks(self, verb: str, about: Any) -> None:
        self.asked.append((verb, about))

    def _answered(self, verb: str, about: Any, id: str | None) -> None:
        self.asked.pop()
        if verb in ("deactivate", "reactivate", "drain"):
            self.deactivated[about] = verb != "reactivate"
        if verb == "drain":
            assert id is not None
            self.drains.setdefault(id, None)
        elif verb == "reclaim":
            assert id is not None
            self.reclaims.append(id)
        elif verb == "schedule":
            self.schedule = about
        elif verb == "gone":
            self.gone.append(about)
            self.deactivated.pop(about, None)

    def _ended(self, id: str, state: str) -> None:
        self.drains[id] = state

    @property
    def unheard(self) -> dict[str, dict[str, str]]:
        """The tasks of whose end nobody has heard."""
        return {task: where for task, where in self.launched.items() if task not in self.ended}


def run_and_kill(folder: Path, ledger: Ledger, life: int, draw: random.Random) -> None:
    """Start a process in that folder, hear what it says, and kill it at some moment."""
    arguments = [str(folder), str(draw.randrange(1 << 30)), str(life)]
    # A folder's first lifeline has no end that hangs up before somebody has held it.
    lifeline = os.open(folder / "life", os.O_RDONLY | os.O_NONBLOCK)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.killed", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as host:  # fmt: skip
        assert host.stdin is not None
        assert host.stdout is not None
        assert host.stderr is not None
        host.stdin.write(json.dumps(ledger.frameworks) + "\n")
        host.stdin.flush()
        for _ in range(draw.randint(1, LINES_MAX)):
            if not (line := host.stdout.readline()):
                ledger.complaints.append(f"the process ended by itself: {host.stderr.read()[-2000:]}")
                break
            ledger.note(**json.loads(line))
        with suppress(subprocess.TimeoutExpired):
            host.wait(draw.uniform(0.0, LATER_S))
        host.kill()
        for line in host.stdout:
            ledger.note(**json.loads(line))
    poll = select.poll()
    poll.register(lifeline, 0)  # hanging up is always reported
    if not poll.poll(PATIENCE_S * 1000):
        ledger.complaints.append("something that it had started lives on")
    os.close(lifeline)


def second_life(folder: Path, ledger: Ledger, patience_s: float = PATIENCE_S) -> None:
    """Open the folder again, and hold what is there against what was said."""
    _look_into(folder / "work" / "store.sqlite", ledger)
    ledger.note("opening")
    ids = dict(ledger.ids)
    with stores_that_tell(ledger.note), Cluster(AGENTS, MASTERS, work_dir=folder / "work", settings=SECOND) as cluster:
        cluster.ready(PATIENCE_S)
        _compare(cluster, ledger, ids)
        hearing = [Hearing(name, ledger.note) for name in FRAMEWORKS]
        drivers = {
            each.name: cluster.run(each, each.info(ledger.frameworks), implicit_acknowledgements=False)
            for each in hearing
        }
        cluster.wait_until(lambda: all(each.connected for each in hearing), PATIENCE_S)
        for driver in drivers.values():
            _ask(driver, ledger)
        try:
            cluster.wait_until(lambda: not (ledger.unheard or ledger.owed), patience_s)
        except TimeoutError:
            now = {name: agent.id for name, agent in cluster.agents.items()}
            ledger.complaints += [f"{task} has no end, {where}; now {now}" for task, where in ledger.unheard.items()]
            ledger.complaints += [f"{update} is not delivered and acknowledged" for update in ledger.owed]
        ledger.complaints += [str(failure) for failure in cluster.runtime.failures]


def _ask(driver: MesoliteSchedulerDriver, ledger: Ledger) -> None:
    """Ask about every task whose end nobody has heard of, and again in a while: an agent may be waited for (RC-10)."""
    for task, where in ledger.unheard.items():
        if where["framework"] == driver.name:
            agent_id = AgentId(where["agent"])
            driver.reconcile_tasks([TaskStatus(task_id=TaskId(task), state=TaskState.TASK_STAGING, agent_id=agent_id)])
    driver.call_later(ASK_AGAIN_S, lambda: _ask(driver, ledger))


def _uncertain(ledger: Ledger) -> list[str]:
    """The agents that are gone, or may be."""
    return [*ledger.gone, *(about for verb, about in ledger.asked if verb == "gone")]


def _look_into(file: Path, ledger: Ledger) -> None:
    """The file is whole, if it is there; and what was stored in it is there, or somebody was told of it."""
    stored = {}
    if file.exists():
        with closing(sqlite3.connect(file)) as db:
            ledger.complaints += [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            for owner, key, text in db.execute("SELECT owner, key, record FROM records"):
                try:
                    record = decode_record(text)
                except DecodeError as error:
                    ledger.complaints.append(f"{owner} {key}: {error}")
                else:
                    if isinstance(record, StatusUpdate):
                        stored[str(update_of(record.status))] = owner
    for update in [update for update in ledger.owed if update not in stored]:
        # It may have been killed between storing the acknowledgement and saying so.
        if update not in ledger.heard and ledger.ids.get(ledger.owed[update]) not in (None, *_uncertain(ledger)):
            ledger.complaints.append(f"{update} was stored, is not, and nobody was told")
        ledger.note("settled", update=update)
    ledger.owed = stored


def _compare(cluster: Cluster, ledger: Ledger, ids: dict[str, str | None]) -> None:
    """Complain of decisions that are not there."""
    state = cluster.operator.state()
    unsure = [about for _, about in ledger.asked]
    complain = ledger.complaints.append
    for name, agent_id in ids.items():
        if agent_id not in (None, *_uncertain(ledger)) and cluster.agents[name].id != agent_id:
            complain(f"{name} was {agent_id} and is {cluster.agents[name].id}")
    for agent_id, deactivated in ledger.deactivated.items():
        if agent_id not in unsure and (agent_id in state["deactivated_agents"]) is not deactivated:
            complain(f"agent {agent_id} was {'' if deactivated else 'not '}deactivated")
    for agent_id in ledger.gone:
        if agent_id not in state["gone_agents"]:
            complain(f"agent {agent_id} was marked gone")
    drains = {drain["id"]: drain["state"] for drain in state["drains"] + state["past_drains"]}
    drains |= {agent["drain"]["id"]: agent["drain"]["state"] for agent in state["agents"] if agent["drain"]}
    for drain_id, ended in ledger.drains.items():
        if drain_id not in drains or (ended is not None and drains[drain_id] != ended):
            complain(f"drain {drain_id} was {ended or 'begun'} and is {drains.get(drain_id)}")
    reclaims = [each["id"] for each in state["reclaims"] + state["past_reclaims"]]
    for reclaim_id in ledger.reclaims:
        if reclaim_id not in reclaims:
            complain(f"reclaim {reclaim_id} was begun")
    schedule = [machine["hostname"] for window in state["maintenance"]["schedule"] for machine in window["machines"]]
    allowed = [ledger.schedule, *(about for verb, about in ledger.asked if verb == "schedule")]
    if schedule not in allowed:
        complain(f"the maintenance schedule was {ledger.schedule} and is {schedule}")
    _take(ledger, state, schedule)


def _take(ledger: Ledger, state: dict[str, Any], schedule: list[str]) -> None:
    """What was not certain is now."""
    for verb, about in ledger.asked:
        if verb in ("deactivate", "reactivate", "drain", "gone"):
            ledger.deactivated[about] = about in state["deactivated_agents"]
        if verb == "gone" and about in state["gone_agents"]:
            ledger.gone.append(about)
    ledger.schedule, ledger.asked = schedule, []


def many(kills: int, seed: int = 0, progress: bool = False) -> list[list[str]]:
    """Kill so many processes, a few in each folder; what there was to complain of, kill by kill."""
    rounds: list[list[str]] = []
    while len(rounds) < kills:
        with tempfile.TemporaryDirectory() as name:
            folder, ledger = Path(name), Ledger()
            os.mkfifo(folder / "life")
            for life in range(1, min(LIVES, kills - len(rounds)) + 1):
                draw = random.Random(f"{seed} {len(rounds)}")
                try:
                    run_and_kill(folder, ledger, life, draw)
                    second_life(folder, ledger)
                except (MesoliteError, TimeoutError) as error:
                    ledger.complaints.append(f"{type(error).__name__}: {error}")
                rounds.append(ledger.complaints)
                ledger.complaints = []
        if progress:
            bad = sum(1 for complaints in rounds if complaints)
            sys.stdout.write(f"{len(rounds)} of {kills} kills, {bad} of them with complaints\n")
            sys.stdout.flush()
    return rounds


def main() -> int:
    """Kill, and say what was seen; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Kill processes with a cluster again and again.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    began = time.monotonic()
    rounds = many(wanted.kills, wanted.seed, progress=True)
    for number, complaints in enumerate(rounds):
        for complaint in complaints:
            sys.stdout.write(f"kill {number}: {complaint}\n")
    bad = sum(1 for complaints in rounds if complaints)
    sys.stdout.write(f"{len(rounds)} kills in {time.monotonic() - began:.1f} s: {bad} with complaints\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
