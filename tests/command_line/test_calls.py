"""Whoever calls the command wrongly is told so in a sentence, with status 2 and no traceback."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tests.command_line.calling import file_in, mesolite, process
from tests.project.house_checks import ROOT


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("explore scenaros.py::fragile", "there is no file scenaros.py; did you mean scenarios.py?"),
        ("explore scenarios.py::fragil", "there is no fragil in scenarios.py; did you mean fragile?"),
        ("explore scenarios.py::Group::it", "there is no Group::it in scenarios.py"),
        ("explore scenarios.py", "names no place: give FILE::NAME of a scenario, such as scenarios.py::two_run"),
        ("explore .::fragile", ". is a folder: name the file in it"),
        ("explore scenarios.py::takes_nothing", "takes no sim: a scenario is a function of a simulation, as in"),
        ("explore scenarios.py::takes_more", "wants tmp_path besides sim: a scenario is given a simulation and not"),
        ("explore scenarios.py::Group", "is no function: a scenario is one that takes a simulation"),
        ("explore scenarios.py::NUMBER", "is no function"),
        ("explore broken.py::it", "broken.py cannot be loaded: expected ':', "),
        ("explore raises.py::it", "raises.py cannot be loaded: ZeroDivisionError: division by zero, "),
        ("explore waits.py::it", "waits.py::it would run nothing when it is called: give a function without async"),
        ("explore ends.py::it", "ends.py cannot be loaded: SystemExit: 5, "),
        ("explore wants.py::it", "wants.py cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("explore no_such_module:it", "there is no module no_such_module to be found from here; FILE::NAME names it"),
        ("explore scenarios.py::fragile --seeds 0", "0 is not in the range x>=1"),
        ("explore scenarios.py::fragile --order lifo", "'lifo' is not one of 'random', 'pct', 'fifo'"),
        ("explore scenarios.py::fragile --faults crsh=1", "did you mean crash?"),
        ("explore scenarios.py::fragile --without offers_answered", "did you mean offers_are_answered?"),
        ("explore", "Missing argument 'FILE::FUNCTION'"),
        ("replay nothing.json", "there is no file nothing.json: give a script that was kept"),
        ("replay scenarios.py", "scenarios.py is no script that was kept"),
        ("trace nothing.json", "there is no file nothing.json"),
        ("exlpore", "No such command 'exlpore'"),
    ],
)
def test_a_mistake_in_the_call_is_a_sentence(
    call: str, says: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what was asked, why not, and what would work."""
    file_in(tmp_path)
    file_in(tmp_path, "def it(sim)\n    pass\n", name="broken.py")
    file_in(tmp_path, "raise SystemExit(5)\n", name="ends.py")
    file_in(tmp_path, "async def it(sim):\n    pass\n", name="waits.py")
    file_in(tmp_path, "1 / 0\n", name="raises.py")
    file_in(tmp_path, "import nowhere_at_all\n", name="wants.py")
    monkeypatch.chdir(tmp_path)

    called = mesolite(*call.split())

    assert called.exit_code == 2
    assert says in called.stderr
    assert called.stdout == ""
    assert "Traceback" not in called.stderr


def test_an_error_names_the_line_of_the_file(tmp_path: pathlib.Path) -> None:
    """The one that the user can mend."""
    file = file_in(tmp_path, "import json\n\njson.loads('')\n")

    called = mesolite("explore", f"{file}::it")

    assert f"JSONDecodeError: Expecting value: line 1 column 1 (char 0), {file}:3" in called.stderr


def test_a_mistake_as_a_process_has_no_traceback(tmp_path: pathlib.Path) -> None:
    """As anybody would see it."""
    called = process("explore", "x.py::it", folder=tmp_path)

    assert (called.returncode, called.stdout) == (2, "")
    assert called.stderr == "Error: there is no file x.py\n"


def test_help_loads_no_harness() -> None:
    """It is there at once; and the statuses are in it."""
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom mesolite.command_line.main import cli\n"
        "for call in (['--help'], ['explore', '--help'], ['--version']):\n"
        "    print(CliRunner().invoke(cli, call).output)\n"
        "assert not {'attrs', 'mesolite.harness', 'mesolite.simulation', 'rich'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Exit status: 0 nothing was found, 1 something was found, 2 it was called wrongly" in done.stdout
    assert "--time-limit SECONDS" in done.stdout


def test_it_is_installed_under_its_name() -> None:
    """`mesolite` is `python -m mesolite`."""
    text = (ROOT / "setup.cfg").read_text(encoding="utf-8")

    assert "\n    mesolite = mesolite.command_line.main:main\n" in text
    assert process("--version", folder=ROOT).stdout.startswith("mesolite 0.")
