"""What is documented is where `help()` looks: every public attribute of what people hold in their hands."""

from __future__ import annotations

import pydoc
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from mesolite import Cluster, Scheduler, Settings, Simulation, TaskState, harness

BELOW = {"runtime"}
"""What everything runs on: not for users, and with a page of its own (docs/architecture.md)."""


def help_of(thing: object) -> str:
    return re.sub(r".\x08", "", pydoc.render_doc(thing))


def things() -> Iterator[object]:
    sim = Simulation()
    cluster = sim.cluster(agents=2)
    yield sim
    yield cluster
    yield cluster.operator
    yield cluster.trace
    yield from (cluster.agents["agent-1"], cluster.masters["master-1"])
    yield cluster.operator.drain("agent-1")
    yield cluster.operator.reclaim("agent-2", "cpus:1", within=10)
    yield sim.hold()
    yield cluster.run(Scheduler(), framework="mine")


def undocumented(thing: object) -> list[str]:
    """Its public instance attributes that its help does not describe."""
    text = help_of(type(thing))
    names = [name for name in vars(thing) if not name.startswith("_") and name not in BELOW]
    return [name for name in names if not re.search(rf"^[ |]+{name}: \w", text, re.MULTILINE)]


def bare_properties(thing: object) -> list[str]:
    """Its public properties and methods without a docstring."""
    kind = type(thing)
    return [name for name in dir(kind) if not name.startswith("_") and not getattr(getattr(kind, name), "__doc__", "")]


@pytest.mark.parametrize("thing", list(things()), ids=lambda thing: type(thing).__name__)
def test_help_describes_every_public_attribute(thing: object) -> None:
    """Those set in `__init__` are named in the class's docstring; properties and methods have one of their own."""
    assert undocumented(thing) == []
    assert [name for name in bare_properties(thing) if name not in BELOW] == []


def answers() -> list[type]:
    """What the harness answers, and what that consists of; the kinds of `Faults` have a table on a page."""
    kinds = [getattr(harness, name) for name in harness.__all__]
    return [kind for kind in kinds if isinstance(kind, type) and attrs.has(kind) and kind is not harness.Faults]


@pytest.mark.parametrize("kind", answers(), ids=lambda kind: kind.__name__)
def test_help_describes_every_field_of_what_the_harness_answers(kind: type) -> None:
    """In the docstring of its class."""
    names = [field.name for field in attrs.fields(kind) if not field.name.startswith("_")]
    text = help_of(kind)

    assert [name for name in names if not re.search(rf"\b{name}: \w|`{name}`", text)] == []


def test_help_describes_a_real_cluster(tmp_path: Path) -> None:
    """What it shares with a simulated one, and what only it has."""
    with Cluster(work_dir=tmp_path) as cluster:
        assert undocumented(cluster) == []
    text = help_of(Cluster)
    for name in ("agents", "masters", "operator", "settings", "trace", "leader"):
        described = re.search(rf"^ \|  {name}\n \|      \S.*", text, re.MULTILINE)
        assert described, name


@pytest.mark.parametrize("name", ["is_terminal", "holds_resources"])
def test_help_describes_what_is_asked_of_a_task_state(name: str) -> None:
    """Also where it may surprise: TASK_UNKNOWN holds nothing, and yet is not the end."""
    text = help_of(TaskState)
    described = re.search(rf"{name}: .*?(?=\n \|      [a-z_]+: |\n \| *\n)", text, re.DOTALL)

    assert described, text
    assert re.search(r"TASK_UNKNOWN|no other", described[0])


def test_help_tells_the_two_presets_apart() -> None:
    """Who reads only the help learns which one is for what."""
    assert "for a `Simulation`" in help_of(Settings.mesos)
    assert "For a `Cluster`" in help_of(Settings.local)
