"""The environments of the clients, one each: `.venv-clients/<name>`, made once, and anew when a recipe changes.

Run it: python -m tests.clients.environments
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tarfile
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.project.house_checks import ROOT

FOLDER = ROOT / ".venv-clients"
HTTP_PARSER = "http-parser==0.9.0"


class Unmade(Exception):
    """An environment could not be made; the text says which command failed, and what it said."""


@frozen
class Recipe:
    """What pip installs, what is done beforehand with the environment, and what can be imported in the end."""

    packages: tuple[str, ...]
    imports: str
    before: Callable[[Path], None] | None = None

    def made_from(self) -> str:
        """What the environment's stamp says when it is this recipe's."""
        return f"{self.packages} {self.before and self.before.__name__}\n"

    def make(self, environment: Path) -> None:
        """A virtual environment with it all."""
        venv.create(environment, clear=True, with_pip=True)
        if self.before:
            self.before(environment)
        _pip(environment, "install", *self.packages)
        _run(python_of(environment), "-c", f"import {self.imports}")

    def interpreter(self, environment: Path) -> Path:
        """The environment's own Python."""
        return python_of(environment)


@frozen
class NodeRecipe:
    """What npm installs, under the name by which it is required; node and npm are this machine's."""

    package: str
    version: str

    def made_from(self) -> str:
        """What the environment's stamp says when it is this recipe's."""
        return f"{self.package}@{self.version}\n"

    def make(self, environment: Path) -> None:
        """A folder with the package and all that it depends on, under `node_modules`."""
        node, npm = _of_this_machine("node"), _of_this_machine("npm")
        shutil.rmtree(environment, ignore_errors=True)
        environment.mkdir()
        _run(npm, "install", "--no-audit", "--no-fund", "--prefix", environment, f"{self.package}@{self.version}")
        _run(node, "-e", "require(process.argv[1])", modules_of(environment) / self.package)

    def interpreter(self, environment: Path) -> Path:
        """This machine's Node, which finds the package if it is told the environment's modules."""
        return _of_this_machine("node")


def modules_of(environment: Path) -> Path:
    return environment / "node_modules"


def _of_this_machine(command: str) -> Path:
    found = shutil.which(command)
    if found is None:
        raise Unmade(f"{command} is not on the PATH, and a client needs it: install Node 20, which brings node and npm")
    return Path(found)


def python_of(environment: Path) -> Path:
    return environment / "bin" / "python"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Unmade(f"{' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}")


def _pip(environment: Path, *arguments: str | Path) -> None:
    _run(python_of(environment), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _http_parser_source(environment: Path) -> Path:
    """The unpacked source of http-parser. Its set-up imports `imp`, which Python 3.12 has no more: there, pip fails."""
    sources = environment / "sources"
    _pip(environment, "download", "--no-deps", "--no-binary", "http-parser", "--dest", sources, HTTP_PARSER)
    (archive,) = sources.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(sources, filter="data")
    (source,) = (each for each in sources.iterdir() if each.is_dir())
    return source


def _copy_python_parser(environment: Path) -> None:
    """http-parser without its C part: pymesos then finds the parser that is written in Python.

    pip cannot install it so: the C file in the package was generated for older Pythons, and 3.11 does not compile it.
    What it would have written is copied, and with it the record that satisfies pymesos's dependency.
    """
    source = _http_parser_source(environment)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "http_parser").mkdir()
    for file in (source / "http_parser").glob("*.py"):
        shutil.copy(file, site / "http_parser")
    record = site / "http_parser-0.9.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: http-parser\nVersion: 0.9.0\n")


def _compile_parser(environment: Path) -> None:
    """http-parser with its C part, generated anew by the last Cython that understands it. Needs a C compiler."""
    source = _http_parser_source(environment)
    _pip(environment, "install", "Cython<3")
    _run(environment / "bin" / "cython", "-3", source / "http_parser" / "parser.pyx")
    _pip(environment, "install", source)
    _run(python_of(environment), "-c", "import http_parser.parser")


RECIPES: dict[str, Recipe | NodeRecipe] = {
    "pymesos": Recipe(("pymesos==0.3.15",), "pymesos", _copy_python_parser),
    "pymesos-compiled": Recipe(("pymesos==0.3.15",), "pymesos", _compile_parser),
    "mesoshttp": Recipe(("mesoshttp==0.4.2",), "mesoshttp.client"),
    "avmesos": Recipe(("avmesos==0.4.2",), "avmesos.client"),
    "mesos-framework": NodeRecipe("mesos-framework", "0.5.3"),
}
"""mesoshttp calls what the logging of Python 3.13 has no more: with it, it never connects."""


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Several processes that test may want the same environment: one makes it, the others wait."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def interpreter(name: str) -> Path:
    """The Python or the Node for this client; makes its environment if there is none.

    Raises:
        Unmade: a command failed on the way, or is not on this machine.
    """
    recipe, environment = RECIPES[name], FOLDER / name
    stamp = environment / "made-from"
    with _alone(name):
        if not stamp.exists() or stamp.read_text() != recipe.made_from():
            recipe.make(environment)
            stamp.write_text(recipe.made_from())
    return recipe.interpreter(environment)


def main() -> None:
    for name in RECIPES:
        sys.stdout.write(f"{name}: {interpreter(name)}\n")


if __name__ == "__main__":
    main()
