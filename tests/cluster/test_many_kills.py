"""A few of the kills in a row that `make kills` does a hundred of (tests/cluster/kills.py)."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mesolite import Cluster, FrameworkInfo, TaskState, TaskStatus
from mesolite.messages.checkpoints import FrameworkCheckpoint
from mesolite.messages.codec import encode_record
from mesolite.messages.ids import AgentId, FrameworkId, TaskId, UpdateId
from mesolite.messages.relayed import StatusUpdate
from tests.cluster import kills
from tests.cluster.killed import AGENTS, FRAMEWORKS, MASTERS, QUICK, Busy, Operating, stores_that_tell
from tests.cluster.real_commands import PATIENCE_S

pytestmark = pytest.mark.slow


def test_what_was_said_before_a_kill_stands_after_it() -> None:
    """Answered decisions, stored updates, ends of tasks, ids; and nothing lives on."""
    assert kills.many(4, seed=1) == [[]] * 4


@pytest.fixture
def life(tmp_path: Path) -> tuple[Path, kills.Ledger]:
    """A folder in which a cluster has lived and ended in peace, with one decision of each kind; and what it said."""
    ledger, draw = kills.Ledger(), random.Random(0)
    ledger.note("opening")
    lifeline = str(tmp_path / "life")
    Path(lifeline).touch()
    work = tmp_path / "work"
    with stores_that_tell(ledger.note), Cluster(AGENTS, MASTERS, work_dir=work, settings=QUICK) as cluster:
        for name in FRAMEWORKS:
            busy = Busy(name, ledger.note, draw, "1", lifeline)
            cluster.run(busy, busy.info({}), implicit_acknowledgements=False)
        cluster.wait_until(lambda: len(ledger.ended) > 4 and len(ledger.settled) > 4, PATIENCE_S)
        one, two, three = cluster.agents.values()
        operating = Operating(cluster, draw, ledger.note)
        operating.deactivate(one)
        operating.mark_gone(two)
        operating.drain(three)
        operating.reclaim(three)
        while not ledger.schedule:
            operating.schedule(three)
    return tmp_path, ledger


def test_a_life_that_ended_in_peace_is_as_it_was_said(life: tuple[Path, kills.Ledger]) -> None:
    """Nothing to complain of."""
    folder, ledger = life

    kills.second_life(folder, ledger)

    assert ledger.complaints == []


def told_again(db: sqlite3.Connection, ledger: kills.Ledger) -> None:
    """Put an update back whose acknowledgement was stored."""
    update = next(iter(ledger.history | ledger.settled))
    task, uuid = str(update).split()
    framework = FrameworkId(ledger.frameworks[ledger.launched[task]["framework"]])
    info = FrameworkInfo(name=task.partition("-")[0], id=framework, checkpoint=True)
    agent_id = AgentId(str(ledger.ids["agent-1"]))
    running = TaskState.TASK_RUNNING
    status = TaskStatus(task_id=TaskId(task), state=running, uuid=UpdateId(uuid), agent_id=agent_id)
    again = StatusUpdate(framework_id=framework, status=status, latest_state=running)
    for key, record in (
        (f"framework/{framework}", FrameworkCheckpoint(framework_info=info, scheduler=info.name)),
        (f"update/{framework}/{task}/000000", again),
    ):
        db.execute("INSERT OR REPLACE INTO records VALUES ('agent-1', ?, ?)", (key, encode_record(record)))


TaskEnd = Callable[[sqlite3.Connection, kills.Ledger], object]


def without(*patterns: str) -> TaskEnd:
    """Delete the records whose owner and key are like one of these."""

    def do(db: sqlite3.Connection, ledger: kills.Ledger) -> None:
        for pattern in patterns:
            db.execute("DELETE FROM records WHERE owner || '/' || key LIKE ?", (pattern,))

    return do


LOSSES: dict[str, tuple[TaskEnd, str]] = {
    "a mark": (without("registry/deactivated/%"), "agent m1-S. was deactivated"),
    "that an agent is gone": (without("registry/gone/%"), "agent m1-S. was marked gone"),
    "a drain": (without("registry/deactivated/%", "registry/drain/%"), "drain m1-D1 was begun and is None"),
    "a reclaim": (without("registry/reclaim/%"), "reclaim m1-R1 was begun"),
    "the schedule": (without("registry/maintenance"), "the maintenance schedule was .* and is"),
    "an id": (without("agent-1/agent"), "agent-1 was m1-S. and is"),
    "an acknowledgement": (told_again, "was told again after its acknowledgement in another life"),
}


@pytest.mark.parametrize(("lose", "complaint"), LOSSES.values(), ids=LOSSES)
def test_a_loss_would_be_seen(
    life: tuple[Path, kills.Ledger], lose: TaskEnd, complaint: str
) -> None:
    """The check can fail: each of these, taken from the store between two lives, is complained of."""
    folder, ledger = life
    with closing(sqlite3.connect(folder / "work" / "store.sqlite", isolation_level=None)) as db:
        lose(db, ledger)

    kills.second_life(folder, ledger, patience_s=2.0)

    assert any(re.search(complaint, each) for each in ledger.complaints), ledger.complaints


def test_two_ends_and_a_lost_update_would_be_seen() -> None:
    """The ledger complains of what cannot be, whoever says it."""
    ledger = kills.Ledger()
    ledger.note("told", task="t", update="t 1", words="finished", ends=True)
    ledger.note("told", task="t", update="t 1", words="finished", ends=True)
    assert ledger.complaints == []
    ledger.note("told", task="t", update="t 2", words="failed", ends=True)
    assert ledger.complaints == ["t has two ends: t 1 and t 2 (failed)"]
