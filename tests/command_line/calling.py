"""The command, called: in this process, or as a process of its own; and a file of somebody's for it."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import textwrap

from click.testing import CliRunner, Result

from mesolite.command_line.main import cli

SCENARIOS = """
    from mesolite.harness import reached

    def fragile(sim):
        cluster = sim.cluster(agents=3)
        sim.advance(60)
        assert all(agent.alive for agent in cluster.agents.values()), "somebody is down"

    def sound(sim):
        sim.cluster(agents=1)
        sim.sometimes(lambda: sim.now > 0.5, "a while")

    def never(sim):
        sim.cluster(agents=1)
        sim.sometimes(lambda: sim.now < 0, "the past")

    def takes_nothing():
        pass

    def takes_more(sim, tmp_path, times=3):
        pass

    class Group:
        pass

    NUMBER = 3
"""
"""`fragile` fails with the first crash that nobody has repaired."""


def file_in(folder: pathlib.Path, text: str = SCENARIOS, name: str = "scenarios.py") -> pathlib.Path:
    """Write somebody's file."""
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def mesolite(*arguments: object) -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(cli, [str(each) for each in arguments], prog_name="mesolite")


def command(*arguments: object) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-m", "mesolite", *map(str, arguments)]


def process(*arguments: object, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Call the command as a process of its own, in that folder."""
    given = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return subprocess.run(
        command(*arguments), cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120
    )


def kept_by(output: str) -> str:
    """The script that the command has kept, as it has printed."""
    found = re.search(r"^to repeat it:   mesolite replay (\S+)$", output, re.MULTILINE)
    assert found is not None, output
    return found[1]
