"""`import mesolite`: every public name is there, and nothing is loaded before it is used."""

from __future__ import annotations

import ast
import datetime
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import mesolite
from mesolite import harness, messages
from mesolite.drivers import MesoliteExecutorDriver
from mesolite.gateway.gateway import Gateway
from mesolite.messages.codec import DecodeError
from mesolite.simulation.http_client import SimulatedPorts
from tests.project.house_checks import ROOT


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


def test_what_type_checkers_see_is_what_is_there() -> None:
    """`__all__`, the imports for type checkers and the names that are loaded when used are the same."""
    tree = ast.parse((ROOT / "mesolite/__init__.py").read_text())
    loaded_at_once = ("typing", "mesolite.version")
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imports = [node for node in froms if node.module not in loaded_at_once]
    seen = {alias.name: node.module for node in imports for alias in node.names}

    assert sorted(seen) == sorted(mesolite.__all__)
    for name, module in seen.items():
        assert getattr(mesolite, name) is getattr(sys.modules[str(module)], name)
        assert name in dir(mesolite)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="module 'mesolite' has no attribute 'Clutser'"):
        _ = mesolite.Clutser  # type: ignore[attr-defined]


def test_importing_it_loads_nothing() -> None:
    """Neither storeys nor dependencies; a name or a module is loaded when it is used, and a star loads all."""
    code = """
import sys, mesolite
assert not {"attrs", "click", "pykka", "loguru", "mesolite.messages", "mesolite.harness"} & set(sys.modules)
assert mesolite.messages.StatusUpdate and mesolite.Cluster and mesolite.simulation.Simulation
from mesolite import *
assert Cluster is mesolite.Cluster and DriverStatus and explore is mesolite.harness.explore
"""
    outcome = _python("-c", code)

    assert outcome.returncode == 0, outcome.stderr


def test_what_is_heavy_is_loaded_where_it_is_used() -> None:
    """Nothing that only a log or a store needs, and none of what those load, such as asyncio, before there is one."""
    code = """
import sys
from mesolite import Cluster, Simulation
assert not {"loguru", "cattrs", "asyncio", "concurrent.futures", "multiprocessing"} & set(sys.modules)
with Simulation() as sim:
    sim.cluster()
    sim.settle()
    assert "cattrs" in sys.modules
assert "loguru" not in sys.modules
"""
    outcome = _python("-c", code)

    assert outcome.returncode == 0, outcome.stderr


def test_without_http_nothing_of_it_is_loaded() -> None:
    """Neither the gateway nor what it needs, by a cluster on threads, nor by one on virtual time."""
    code = """
import sys
from mesolite import Cluster, Simulation
with Cluster(agents=1) as cluster:
    cluster.operator.state()
with Simulation() as sim:
    sim.cluster(agents=1)
    sim.settle()
assert not [name for name in sys.modules if name.startswith(("aiohttp", "asyncio", "mesolite.gateway"))]
"""
    outcome = _python("-c", code)

    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize(
    "use",
    ["from mesolite import Cluster", "from mesolite import *", "import mesolite.actors", "import mesolite.signals"],
)
def test_without_assertions_it_can_be_imported_but_not_used(use: str) -> None:
    """Under `python -O` importing the package is harmless; using anything of it says why that cannot be."""
    outcome = _python("-O", "-c", f"import mesolite, mesolite.pytest_plugin; print('so far'); {use}")

    assert outcome.stdout == "so far\n"
    assert "ImportError: mesolite checks its own books with assertions, which python -O removes" in outcome.stderr


def test_modules_that_were_taken_away_do_not_come_back_by_halves() -> None:
    """`pytester` and its like put `sys.modules` back as it was: from then on all names belong to the new modules."""
    code = """
import sys, mesolite
before = dict(sys.modules)
mesolite.Simulation(1).cluster()
for name in [name for name in sys.modules if name.startswith("mesolite") and name not in before]:
    del sys.modules[name]
class Stops(mesolite.Scheduler):
    def resource_offers(self, driver, offers):
        driver.launch_tasks(offers, mesolite.TaskInfo(task_id="t", resources="cpus:1", command="true"))
        driver.call_later(2.0, driver.stop)
cluster = mesolite.Simulation(2).cluster()
print(cluster.run(Stops(), framework="stops").join(50))
"""
    done = _python("-c", code)

    assert done.stdout == "DRIVER_STOPPED\n", done.stderr


# --- every type that somebody can get hold of has a public name ---

INSIDE = {
    ("Simulation", "runtime"), ("SimulatedCluster", "runtime"), ("Cluster", "runtime"),
    ("Rule", "verdict"), ("Rule", "matched"), ("Rule", "matches"), ("Rule", "take_matched"),
    ("Disk", "take"), ("Disk", "outcome"),
    ("Simulation", "stated"), ("Simulation", "faults"), ("When", "come"),
    ("SimulatedCluster", "with_http"), ("HttpAnswer", "take"),
    ("Failure", "setting"), ("Failure", "of"), ("Exploration", "add"), ("Exploration", "merge"),
}  # fmt: skip
"""What other parts of Mesolite read of people's handles: docs/stability.md promises nothing of it."""

FOR_PARTIES = {"begin", "prepare", "call", "user", "raised", "status_is", "framework_is"}
"""What the actors behind handles call, and nobody else."""

MADE_BY_US = (
    mesolite.Machine, mesolite.Driver, mesolite.Operator, mesolite.Drain, mesolite.Reclaim, mesolite.Hold,
    mesolite.Rule, mesolite.View, mesolite.Failure, mesolite.Probe, mesolite.SimulatedCluster, mesolite.HttpClient,
)  # fmt: skip
"""Nobody else constructs them, so what their constructors take is of no interest."""

FOR_HINTS = {
    "timedelta": datetime.timedelta,  # of converters, which attrs shows in the signatures it makes
    "Gateway": Gateway, "HttpClient": mesolite.HttpClient, "SimulatedPorts": SimulatedPorts,
}  # fmt: skip
"""What annotations name that is not loaded where they stand: who does not speak HTTP loads nothing of it."""


def _exported() -> dict[str, Any]:
    return {name: getattr(module, name) for module in (messages, harness, mesolite) for name in module.__all__}


def _ours_in(annotation: Any) -> Iterator[Any]:
    """The classes and ids of ours in an annotation, however deep."""
    parts = annotation if isinstance(annotation, list) else typing.get_args(annotation)
    for part in parts:
        yield from _ours_in(part)
    kind = typing.get_origin(annotation) or annotation
    if str(getattr(kind, "__module__", "")).startswith("mesolite") and isinstance(kind, type | typing.NewType):
        yield kind


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """What is public of a class: its fields by their annotations, properties and methods by theirs."""
    for name, annotation in typing.get_type_hints(kind, localns=FOR_HINTS).items():
        yield name, {name: annotation}
    for name, member in inspect.getmembers_static(kind):
        if isinstance(member, property):
            member = member.fget  # noqa: PLW2901
        function = inspect.unwrap(getattr(member, "__func__", member)) if callable(member) else None
        constructs = name == "__init__" and not issubclass(kind, MADE_BY_US)
        if inspect.isfunction(function) and (constructs or not name.startswith("_")):
            yield name, typing.get_type_hints(function, localns=FOR_HINTS)


def _held() -> Iterator[tuple[str, Any]]:
    """Every class and id that a public name leads to, with the place where it was met."""
    waiting, seen = list(_exported().items()), set()
    exported = {kind for _, kind in waiting}
    while waiting:
        where, kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        yield where, kind
        if kind not in exported or not isinstance(kind, type):
            continue
        for name, hints in _members(kind):
            if name.startswith("_") and name != "__init__":
                continue
            if (kind.__name__, name) not in INSIDE and name not in FOR_PARTIES:
                place = f"{kind.__name__}.{name}"
                waiting += [(place, found) for hint in hints.values() for found in _ours_in(hint)]


def test_every_type_that_people_can_hold_has_a_public_name() -> None:
    """Arguments and answers of every public verb, attributes of handles, fields of messages, and so on from there."""
    exported = set(_exported().values())
    held = {kind: where for where, kind in _held()}
    nameless = [
        f"{kind.__name__}, met at {where}"
        for kind, where in held.items()
        if kind not in exported and not getattr(kind, "_is_protocol", False)  # nobody holds one of these
    ]

    assert nameless == []
    assert {mesolite.Blocker, mesolite.Disk, mesolite.Books, messages.AgentId, messages.Demand} <= held.keys()


def test_what_the_harness_and_the_package_both_name_is_the_same_thing() -> None:
    """And what finds something, with what says what goes wrong, can be had from the package itself."""
    both = set(mesolite.__all__) & set(harness.__all__)

    assert {"Faults", "Fault", "explore", "sweep", "compare", "Failure"} <= both
    assert [name for name in both if getattr(mesolite, name) is not getattr(harness, name)] == []


def test_of_two_public_names_that_are_alike_both_are_the_same_thing() -> None:
    """Whether it was imported from `mesolite` or from `mesolite.messages`."""
    for name in set(mesolite.__all__) & set(messages.__all__):
        assert getattr(mesolite, name) is getattr(messages, name)


def _answered(kind: type) -> Iterator[tuple[str, Any]]:
    """What verbs of that class return and its attributes are: of ours, each with the place."""
    for name, hints in _members(kind):
        if name.startswith("_") or (kind.__name__, name) in INSIDE or name in FOR_PARTIES:
            continue
        for found in _ours_in(hints.get("return", hints.get(name))):
            yield f"{kind.__name__}.{name}", found


def test_what_verbs_return_and_attributes_are_can_be_had_from_the_package_itself() -> None:
    """Whoever annotates what he was given needs no second import."""
    exported = {getattr(mesolite, name) for name in mesolite.__all__}
    answered = {found: where for kind in exported if isinstance(kind, type) for where, found in _answered(kind)}

    assert [f"{found.__name__}, from {where}" for found, where in answered.items() if found not in exported] == []
    assert {mesolite.DrainConfig, mesolite.Blocker, mesolite.AskedFramework} <= answered.keys()


@pytest.mark.parametrize(
    ("driver", "protocol"),
    [(mesolite.MesoliteSchedulerDriver, mesolite.SchedulerDriver), (MesoliteExecutorDriver, mesolite.ExecutorDriver)],
)
def test_a_drivers_protocol_has_all_that_the_driver_has(driver: type, protocol: type) -> None:
    """So callbacks, which are handed the protocol, may use it; all but what only the actor behind it calls."""
    has, says = ({name for name, _ in _members(kind) if not name.startswith("_")} for kind in (driver, protocol))

    assert has - FOR_PARTIES - {"still_running"} == says


def test_every_error_of_ours_is_a_mesolite_error() -> None:
    """One `except` catches them all; what was told in Python's own words can be caught by those, too."""
    errors = [getattr(mesolite, name) for name in mesolite.__all__]
    errors = [kind for kind in errors if isinstance(kind, type) and issubclass(kind, BaseException)]

    assert [kind for kind in [*errors, DecodeError] if not issubclass(kind, mesolite.MesoliteError)] == []
    assert issubclass(DecodeError, ValueError)
    assert issubclass(mesolite.ResourceError, ValueError)


def test_now_is_a_property_wherever_there_is_a_clock_but_of_drivers() -> None:
    """Simulation and cluster say it alike; a driver's is a verb, as Mesos has it for none."""
    assert isinstance(inspect.getattr_static(mesolite.Cluster, "now"), property)
    assert isinstance(inspect.getattr_static(mesolite.SimulatedCluster, "now"), property)
    assert isinstance(inspect.getattr_static(mesolite.Simulation, "now"), property)
    assert callable(mesolite.MesoliteSchedulerDriver.now)


def test_no_argument_of_a_public_verb_in_seconds_names_the_unit() -> None:
    """Fields of messages and settings do; the one former spelling that is left is an alias."""
    verbs = (*MADE_BY_US, mesolite.Cluster, mesolite.Simulation, mesolite.SimulatedCluster, mesolite.SchedulerDriver,
             mesolite.ExecutorDriver, mesolite.Disk, mesolite.Trace)  # fmt: skip
    named = {
        f"{kind.__name__}.{name}({argument})"
        for kind in verbs
        for name, hints in _members(kind)
        for argument in hints
        if name != argument and argument.endswith("_s") and not name.startswith("__init__")
    }

    assert named == set()
    assert list(inspect.signature(mesolite.Simulation).parameters)[-1] == "latency_s"


def test_a_latency_may_be_given_under_its_former_name() -> None:
    """And means the same."""
    def traced(**latency: Any) -> str:
        with mesolite.Simulation(seed=7, **latency) as sim:
            sim.cluster(agents=1)
            sim.advance(3)
            return sim.trace.hash()

    assert traced(latency=(0.01, 0.2)) == traced(latency_s=(0.01, 0.2)) != traced()
