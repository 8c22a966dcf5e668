"""What gets installed, and under which name: one package, mesolite, with the two linked storeys inside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.project.house_checks import ROOT, sources

pytestmark = pytest.mark.slow

FOLDERS = ["actors", "messages", "mesolite", "tests"]
DESCRIPTION = "pages/package-index.md"
FILES = ["setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "NOTICE", DESCRIPTION]
NEED_AN_EXTRA = {
    "mesolite/harness/stateful.py": {"hypothesis"},
    "mesolite/gateway/server.py": {"aiohttp", "multidict"},
    "mesolite/gateway/connections.py": {"aiohttp"},
    "mesolite/gateway/tokens.py": {"jwt"},
}
"""Nothing imports these by itself, and who needs them is told what to install."""
OFFLINE = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]


def python(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in a folder and return what it said."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def copied(folder: Path) -> Path:
    """A copy of the sources, because a build leaves its traces beside them."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / DESCRIPTION).parent.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def built_wheel(sources: Path) -> zipfile.ZipFile:
    """Build a wheel from a folder, and put it into one beside that."""
    built = python(["-m", "pip", "wheel", *OFFLINE, "--wheel-dir", "../dist", "."], sources)
    assert built.returncode == 0, built.stderr
    (path,) = (sources.parent / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel built from the sources."""
    folder = tmp_path_factory.mktemp("wheel") / "sources"
    folder.mkdir()
    with built_wheel(copied(folder)) as opened:
        yield opened


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody has who unpacks a source archive."""
    folder = tmp_path_factory.mktemp("sdist")
    sources = folder / "sources"
    sources.mkdir()
    code = "from setuptools import build_meta; build_meta.build_sdist('../made')"
    built = python(["-c", code], copied(sources))
    assert built.returncode == 0, built.stderr
    (path,) = (folder / "made").iterdir()
    (folder / "unpacked").mkdir()
    # Not by tarfile: what it asks for differs between 3.11.3 and 3.12.
    subprocess.run(["tar", "--extract", "--file", str(path)], cwd=folder / "unpacked", check=True)
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


@pytest.fixture(scope="module", params=["as small text files, by Git", "not at all"])
def without_links(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose two links were written in that way."""
    folder = tmp_path_factory.mktemp("without_links")
    repository, checkout = folder / "repository", folder / "checkout"
    repository.mkdir()
    copied(repository)
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.invalid"]
    for arguments in (
        ["-C", str(repository), "init", "--quiet"],
        ["-C", str(repository), "add", "--all"],
        ["-C", str(repository), *identity, "commit", "--quiet", "--message", "All of it"],
        ["clone", "--quiet", "-c", "core.symlinks=false", str(repository), str(checkout)],
    ):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    for name in ("actors", "messages"):
        link = checkout / "mesolite" / name
        assert link.read_text() == f"../{name}"
        if request.param == "not at all":
            link.unlink()
    return checkout


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
    expected += [f"mesolite/{path.relative_to(ROOT)}" for path in (ROOT / "actors/trace/exports/page").iterdir()]

    absent = sorted(set(expected) - set(files))

    assert not absent, f"a folder without __init__.py is not packed: {absent}"
    assert sorted(files) == sorted([*expected, "mesolite/py.typed"])


def test_wheel_names_the_pytest_plugin_by_its_module(wheel: zipfile.ZipFile) -> None:
    """Another name would register the plugin a second time where a conftest names the module."""
    (path,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))

    assert "mesolite.pytest_plugin = mesolite.pytest_plugin" in wheel.read(path).decode()


def test_wheel_states_licence_and_python(wheel: zipfile.ZipFile) -> None:
    """The licence and the notice travel along, and pip on an older Python refuses."""
    (path,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    metadata = message_from_bytes(wheel.read(path))

    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in wheel.namelist()}


def test_wheel_brings_what_it_imports_and_nothing_for_the_demo(wheel: zipfile.ZipFile) -> None:
    """A package that only examples and measurements use is an extra."""
    (path,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    required = message_from_bytes(wheel.read(path)).get_all("Requires-Dist", [])
    imported = {
        name.partition(".")[0]
        for source in sources("mesolite", "actors", "messages")
        for _, name, _ in source.imports
        if name.partition(".")[0] not in NEED_AN_EXTRA.get(source.path, ())
    }

    always = {re.split(r"[^\w-]", line)[0] for line in required if "extra ==" not in line}

    assert always == imported - sys.stdlib_module_names - {"mesolite", "pytest", "_pytest"}


def test_every_python_that_the_wheel_names_is_tested(wheel: zipfile.ZipFile) -> None:
    """By the workflow of a public host, whole; no test here can know of other interpreters."""
    (path,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    classifiers = message_from_bytes(wheel.read(path)).get_all("Classifier", [])
    named = [line.rpartition(" ")[2] for line in classifiers if re.search(r":: Python :: 3\.\d+$", line)]
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    matrix = re.search(r"^ +python: (\[.*\])$", workflow, re.MULTILINE)

    assert matrix
    assert named
    assert set(named) <= set(json.loads(matrix[1]))


# --- the source archive ---


def test_source_archive_makes_the_same_wheel(sdist: Path, wheel: zipfile.ZipFile) -> None:
    """File by file: what a packager builds from the archive is what everybody has."""
    with built_wheel(sdist) as again:
        theirs = {name: again.read(name) for name in again.namelist() if not name.endswith("/RECORD")}

    assert theirs == {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/RECORD")}


def test_source_archive_holds_no_tests(sdist: Path) -> None:
    """They need what only a checkout has; some of them would be neither runnable nor all of them."""
    assert not (sdist / "tests").exists()
    assert (sdist / "LICENSE").exists()


def test_source_archive_can_be_imported_where_it_is(sdist: Path) -> None:
    """It holds folders where a checkout has links, and nobody complains of that."""
    outcome = python(["-c", "import mesolite; mesolite.Cluster, mesolite.Simulation; print(mesolite.__file__)"], sdist)

    assert outcome.stdout.strip() == str(sdist / "mesolite" / "__init__.py"), outcome.stderr


# --- a checkout without symbolic links ---

SAYS = "must be a symbolic link to ../actors and is none here"


@pytest.mark.parametrize("how", [["wheel"], ["install", "--dry-run", "--editable"]])
def test_without_links_nothing_is_built(without_links: Path, how: list[str]) -> None:
    """One sentence says why and what helps, and no traceback of ours stands above it."""
    outcome = python(["-m", "pip", *how[:1], *OFFLINE, *how[1:], "."], without_links)
    said = outcome.stdout + outcome.stderr

    assert outcome.returncode == 1
    assert f"mesolite/actors {SAYS}" in said
    assert "git clone -c core.symlinks=true" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "code", ["import mesolite", "from mesolite import Cluster", "import mesolite.messages", "import mesolite.signals"]
)
def test_without_links_nothing_is_imported(without_links: Path, code: str) -> None:
    """Whatever is imported first, the error is the same sentence, and no module is said to be missing."""
    outcome = python(["-c", code], without_links)
    last = outcome.stderr.splitlines()[-1]

    assert outcome.returncode == 1
    assert last.startswith("ImportError: ")
    assert SAYS in last
    assert "git clone -c core.symlinks=true" in last


def test_an_archive_with_modules_can_be_imported(wheel: zipfile.ZipFile) -> None:
    """Python imports from a wheel as it is; there are no folders to look for in it."""
    path = Path(str(wheel.filename))
    code = f"import sys; sys.path.insert(0, {path.name!r}); import mesolite; print(mesolite.Resources.parse('cpus:1'))"

    outcome = python(["-c", code], path.parent)

    assert outcome.stdout == "cpus:1\n", outcome.stderr
