"""What users named is shown as they named it, and runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesolite import FrameworkInfo, Simulation
from mesolite.actors.trace import Trace, TraceFailure
from tests.browser.page import Page
from tests.scenarios.schedulers import Launcher, command_task
from tests.trace.test_exports import HOSTILE


def trace_of(name: str) -> Trace:
    """A run in which a task and a reason have this name, as far as Mesos lets them."""
    sim = Simulation(seed=1)
    cluster = sim.cluster()
    cluster.run(Launcher(command_task(name.replace("/", "|")[:200])), FrameworkInfo(name=name))
    sim.advance(5.0)
    cluster.operator.drain("agent-1", message=name)
    sim.advance(10.0)
    sim.trace.describe(failure=TraceFailure(check=name, words=name, time=5.0, index=len(sim.trace) - 1), repeat=name)
    return sim.trace


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hostile_names_are_only_text(name: str, theme: str, page: Page, tmp_path: Path) -> None:
    """They stand there letter by letter, make no element, and start nothing: no window, no request, no message."""
    trace = trace_of(name)
    page.open(trace.html(tmp_path / "run.html"), theme=theme, unfolded=1)

    assert page.run("return document.querySelector('#failed b:nth-of-type(1)').textContent") == "✕ Failed"
    assert page.run("return document.querySelector('#failed p b').textContent") == name
    assert page.run("return document.querySelectorAll('img').length") == 0
    assert page.run("return document.scripts.length") == 2
    assert "; ".join(row["label"] for row in page.rows()) == "; ".join(trace.text().split("\n"))
    for key in "nfcs/":
        page.press(key)
    assert page.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_a_page_may_not_fetch_anything(page: Page, tmp_path: Path) -> None:
    """The policy in its head forbids it, whatever gets into it."""
    page.open(trace_of("plain").html(tmp_path / "run.html"))

    policy = page.run("return document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
