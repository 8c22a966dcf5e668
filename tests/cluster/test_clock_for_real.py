"""The clock of a real cluster goes on where an earlier one in the same folder was, because the registry holds times.

Wall time is given, not waited for: the folder's clock is set to have begun earlier.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mesolite import Cluster
from mesolite.actors.threads.sqlite_store import SqliteStore
from mesolite.messages.maintenance import Unavailability, Window

DAY_S = 86_400.0


def pretend_it_began_earlier(folder: Path, by_s: float) -> None:
    """As if the folder's first cluster had begun so much earlier; negative: as if the wall clock had been set back."""
    with closing(sqlite3.connect(folder / "store.sqlite", isolation_level=None)) as db:
        db.execute("UPDATE clock SET began = began - ?", (by_s,))


def test_a_new_folder_begins_at_zero(tmp_path: Path) -> None:
    """And so does a cluster without one."""
    for work_dir in (tmp_path, None):
        with Cluster(agents=0, work_dir=work_dir) as cluster:
            assert 0.0 <= cluster.now < 30.0


def test_a_later_cluster_goes_on_in_time(tmp_path: Path) -> None:
    """Its clock reads what it would read had it never stopped, and its trace goes on from there."""
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        ended = cluster.now
    pretend_it_began_earlier(tmp_path, DAY_S)
    before = time.time()
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        slept = cluster.now
        assert DAY_S + ended <= slept <= DAY_S + ended + (time.time() - before) + 30.0
        assert next(iter(cluster.trace)).time >= DAY_S
        assert cluster.now >= slept


def test_the_clock_does_not_go_back_with_the_wall_clock(tmp_path: Path) -> None:
    """It stands where it stood when the earlier cluster ended, and runs on from there."""
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        pass
    pretend_it_began_earlier(tmp_path, DAY_S)
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        pass
    ended = cluster.now
    pretend_it_began_earlier(tmp_path, -DAY_S)

    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        assert cluster.now >= DAY_S
        assert abs(cluster.now - ended) < 60.0


def test_times_in_the_registry_mean_the_same_to_a_later_cluster(tmp_path: Path) -> None:
    """An agent that was marked gone yesterday has been gone for a day, and a window of tomorrow starts in a day."""
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        away = Unavailability(start=cluster.now + 2 * DAY_S)
        cluster.operator.update_maintenance_schedule([Window(machines=("other",), unavailability=away)])
        cluster.operator.mark_gone("agent-1")
        (gone_time,) = cluster.operator.state()["gone_agents"].values()
    pretend_it_began_earlier(tmp_path, DAY_S)

    with Cluster(agents=0, work_dir=tmp_path) as cluster:
        now = cluster.now
        assert list(cluster.operator.state()["gone_agents"].values()) == [gone_time]
        assert now - gone_time == pytest.approx(DAY_S, abs=60.0)
        (window,) = cluster.operator.maintenance_schedule()
        assert window["start"] - now == pytest.approx(DAY_S, abs=60.0)


def test_a_cluster_that_was_killed_has_noted_how_far_it_came(tmp_path: Path) -> None:
    """Without a word of good-bye: the time is noted with what is written, so what was written is not in the future."""
    program = (
        "import os, sys\n"
        "from mesolite import Cluster\n"
        "with Cluster(agents=1, work_dir=sys.argv[1]) as cluster:\n"
        "    cluster.wait_until(lambda: cluster.now > 86401.0, timeout=60.0)\n"
        "    cluster.operator.mark_gone('agent-1')\n"
        "    print(list(cluster.operator.state()['gone_agents'].values())[0], flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    with Cluster(agents=0, work_dir=tmp_path):
        pass
    pretend_it_began_earlier(tmp_path, DAY_S)
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, env=os.environ, check=False
    )
    assert ran.returncode == -9, ran.stderr
    pretend_it_began_earlier(tmp_path, -2 * DAY_S)

    with closing(SqliteStore(str(tmp_path / "store.sqlite"))) as store:
        assert store.clock_at(time.time()) > float(ran.stdout) - 1.0
