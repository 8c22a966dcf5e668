"""`import mesolite`: every public name is there, and nothing is loaded before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

import mesolite
from tests.house_checks import ROOT


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


def test_what_type_checkers_see_is_what_is_there() -> None:
    """`__all__`, the imports for type checkers and the names that are loaded when used are the same."""
    tree = ast.parse((ROOT / "mesolite/__init__.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "typing"]
    seen = {alias.name: node.module for node in imports for alias in node.names}

    assert sorted(seen) == sorted(mesolite.__all__)
    for name, module in seen.items():
        assert getattr(mesolite, name) is getattr(sys.modules[str(module)], name)
        assert name in dir(mesolite)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="module 'mesolite' has no attribute 'Clutser'"):
        _ = mesolite.Clutser


def test_importing_it_loads_nothing() -> None:
    """Neither storeys nor dependencies; a name or a module is loaded when it is used, and a star loads all."""
    code = """
import sys, mesolite
assert not {"attrs", "pykka", "loguru", "mesolite.messages"} & set(sys.modules)
assert mesolite.messages.StatusUpdate and mesolite.Cluster and mesolite.simulation.Simulation
from mesolite import *
assert Cluster is mesolite.Cluster and DriverStatus
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
