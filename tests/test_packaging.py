"""What gets installed, and under which name: one package, mesolite, with the two linked storeys inside."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ["setup.cfg", "pyproject.toml", "README.md", "LICENSE", "actors", "messages", "mesolite"]
DESCRIPTION = "pages/package-index.md"


def python(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in a folder and return what it said."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel built from a copy of the sources, because a build leaves its traces beside them."""
    copy = tmp_path_factory.mktemp("sources")
    for path in (ROOT / name for name in SHIPPED if (ROOT / name).exists()):
        if path.is_dir():
            shutil.copytree(path, copy / path.name, symlinks=True)
        else:
            shutil.copy(path, copy)
    (copy / DESCRIPTION).parent.mkdir()
    shutil.copy(ROOT / DESCRIPTION, copy / DESCRIPTION)
    offline = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    built = python(["-m", "pip", "wheel", *offline, "--wheel-dir", "dist", "."], copy)
    assert built.returncode == 0, built.stderr
    (path,) = (copy / "dist").iterdir()
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.mark.parametrize("name", ["actors", "messages"])
def test_bare_import_is_refused_with_the_right_one(name: str) -> None:
    """From the top folder Python would find `actors`: the error says what to write instead."""
    outcome = python(["-c", f"import {name}"], ROOT)

    assert outcome.returncode == 1
    assert f"ImportError: this package is mesolite.{name}" in outcome.stderr
    assert f"from mesolite.{name} import" in outcome.stderr


@pytest.mark.parametrize("name", ["actors.decisions", "messages.ids"])
def test_bare_import_of_an_inner_module_is_refused_too(name: str) -> None:
    """No way in leads around the refusal."""
    outcome = python(["-c", f"import {name}"], ROOT)

    assert "ImportError: this package is mesolite." in outcome.stderr


def test_wheel_holds_every_module_under_the_one_name(wheel: zipfile.ZipFile) -> None:
    """What is in the three folders is in the wheel, each file once, and nothing stands beside mesolite."""
    files = [name for name in wheel.namelist() if ".dist-info/" not in name]
    inner = [path for name in ("actors", "messages") for path in (ROOT / name).rglob("*.py")]
    outer = [path for path in (ROOT / "mesolite").rglob("*.py") if path.resolve() == path]
    expected = [f"mesolite/{path.relative_to(ROOT)}" for path in inner]
    expected += [str(path.relative_to(ROOT)) for path in outer]

    absent = sorted(set(expected) - set(files))

    assert not absent, f"a folder without __init__.py is not packed: {absent}"
    assert sorted(files) == sorted([*expected, "mesolite/py.typed"])


def test_wheel_names_the_pytest_plugin_by_its_module(wheel: zipfile.ZipFile) -> None:
    """Another name would register the plugin a second time where a conftest names the module."""
    (path,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))

    assert "mesolite.pytest_plugin = mesolite.pytest_plugin" in wheel.read(path).decode()


def test_wheel_states_licence_and_python(wheel: zipfile.ZipFile) -> None:
    """The licence text travels along, and pip on an older Python refuses."""
    (path,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    metadata = message_from_bytes(wheel.read(path))

    assert metadata["Requires-Python"] == ">=3.11"
    assert "Apache-2.0" in (metadata["License"], metadata["License-Expression"])
    assert any(name.endswith("LICENSE") for name in wheel.namelist())
