"""The page about testing names every kind of fault there is: what it does, how long, and how it prints.

After a change of kinds: MESOLITE_REWRITE=1 pytest tests/harness/test_faults_page.py
"""

from __future__ import annotations

import inspect
import os
import re

from mesolite import Faults, Offer, Scheduler, SchedulerDriver, Simulation, TaskInfo
from mesolite.harness.faults import KINDS
from mesolite.harness.faults.kind import Draws, Kind, Scene
from tests.project.house_checks import ROOT

PAGE = ROOT / "docs" / "testing.md"
BEGIN, END = "<!-- faults: written by tests/harness/test_faults_page.py -->\n", "<!-- end of faults -->"
TABLE = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
HEAD = "| Kind | What it does | In a minute | Lasts | Prints as, for example |\n|---|---|---|---|---|\n"


class Busy(Scheduler):
    """Has a task everywhere, so that there are executors to be killed."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            task = TaskInfo(task_id=f"task-{offer.id}", resources="cpus:1", command="sleep infinity")
            driver.launch_tasks(offer, task)


def scene(name: str) -> Scene:
    """Somewhere everything can go wrong."""
    sim = Simulation(seed=1)
    cluster = sim.cluster(agents=3, masters=2, http=True)
    cluster.run(Busy(), framework="mine")
    cluster.client.post(cluster.url, "/api/v1", {"type": "SUBSCRIBE"})
    sim.advance(5)
    return Scene(sim, cluster, Draws(1, "page", name))


def row(kind: Kind, rate: float) -> str:
    """One kind, its code with arguments that were drawn for it."""
    arguments = kind.draw(scene(kind.name))
    assert arguments is not None, f"nobody could be hit by {kind.name}"
    code = kind.code(dict(arguments)).removeprefix("# ")
    what = inspect.getdoc(type(kind))
    assert what is not None
    lasts = "yes" if kind.lasts else ""
    return f"| `{kind.name}` | {what.splitlines()[0]} | {rate:g} | {lasts} | `{code}` |\n"


def test_the_page_has_every_kind() -> None:
    """In the order of `Faults`, with the rate of `Faults()`."""
    rows = [row(KINDS[name], fault.rate) for name, fault in Faults().each().items()]
    table, page = HEAD + "".join(rows), PAGE.read_text(encoding="utf-8")

    if "MESOLITE_REWRITE" in os.environ:
        PAGE.write_text(TABLE.sub(lambda _: table, page), encoding="utf-8")
    else:
        assert TABLE.findall(page) == [table]


def test_every_kind_has_a_rate() -> None:
    """Otherwise it would never happen."""
    assert list(Faults().each()) == list(KINDS)
    assert all(fault.rate > 0 for fault in Faults().each().values())
