"""The library logs nothing uninvited; invited, it logs in Loguru or in `logging`, and never the values of variables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mesolite.actors.threads.unseen import TOLD
from tests.pages.snippets import ROOT, blocks_of

BROKEN = """
class Broken(Scheduler):
    def registered(self, driver, framework_id, master):
        secret = "hunter2"
        raise ValueError("mine" + secret[:0])
"""
LIFE = (
    BROKEN
    + """
with Cluster() as cluster:
    cluster.allow_error(ValueError)
    cluster.run(Broken(), "broken").join(30)
    driver = cluster.run(Scheduler(), "failing")
    cluster.wait_until(lambda: driver.framework_id, 30)

    def fail(*arguments):
        secret = "hunter2"
        raise ZeroDivisionError("our bug" + secret[:0])

    cluster.runtime.directory.find("failing").actor.core.handle = fail
    driver.revive_offers()
    cluster.runtime.wait(lambda: cluster.runtime.failures, 30)
    cluster.runtime.failures.clear()
"""
)
SAID = ["broken: registered raised ValueError: mine, in ", "failing failed: ZeroDivisionError: our bug"]


Output = Callable[..., str]


@pytest.fixture
def output(tmp_path: Path) -> Output:
    """What a program of these parts prints on stderr; it ends well."""

    def run(*parts: str) -> str:
        file = tmp_path / "program.py"  # tracebacks show, and sinks diagnose, only what is in a file
        file.write_text("\n".join(parts))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(file)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    return run


IMPORT, ENABLE = "from mesolite import Cluster, Scheduler", 'from loguru import logger; logger.enable("mesolite")'


@pytest.mark.parametrize("before", ["", "import loguru", "import mesolite; from loguru import logger"])
def test_nothing_is_logged_uninvited(output: Output, before: str) -> None:
    """Neither what user code raises nor that an actor of ours has failed."""
    assert output(before, IMPORT, LIFE) == ""


@pytest.mark.parametrize(
    "program",
    [(IMPORT, ENABLE), ("import mesolite", ENABLE, IMPORT), (ENABLE, "import mesolite", IMPORT)],
    ids=["after the first use", "after the import", "before the import"],
)
def test_it_can_be_enabled_at_any_time(output: Output, program: tuple[str, ...]) -> None:
    """Also before the first module that logs is loaded, which happens late."""
    told = output(*program, LIFE)

    assert all(one in told for one in SAID)


def test_no_value_of_a_variable_is_logged(output: Output) -> None:
    """Not even in a sink that diagnoses, as Loguru's own does: neither of the user's frames nor of ours."""
    sink = "logger.remove(); logger.add(sys.stderr, diagnose=True, backtrace=True)"
    told = output("import sys", IMPORT, ENABLE, sink, LIFE)

    assert all(one in told for one in SAID)
    assert 'raise ZeroDivisionError("our bug" + secret[:0])' in told
    assert "hunter2" not in told


def test_the_bridge_to_logging_does_what_the_page_says(output: Output) -> None:
    """Records come under our modules' names, with level and text, and go where `logging` is told."""
    (bridge,) = [block.text for block in blocks_of(ROOT / "docs" / "architecture.md") if "ToLogging" in block.text]
    config = "logging.basicConfig(format='%(levelname)s %(name)s: %(message)s', level=logging.INFO)"
    debug = "logger.patch(lambda record: record.update(name='mesolite.x')).debug('not wanted')"

    told = output(bridge, config, debug, IMPORT, LIFE)

    assert "not wanted" not in told
    assert told.startswith("INFO mesolite.actors.user_errors: broken: registered raised ValueError: mine, in ")
    assert "\nERROR mesolite.actors.threads.runtime: " in told
    assert SAID[1] in told


UNSEEN = (
    BROKEN
    + """
cluster = Cluster()
cluster.run(Broken(), "broken")
cluster.runtime.wait(lambda: cluster.user_errors, 30)
"""
)


@pytest.mark.parametrize("end", ["", "cluster.close()"])
def test_a_program_that_looks_at_nothing_is_told_at_its_end(output: Output, end: str) -> None:
    """With the user's frames only. Its exit status cannot be changed any more."""
    told = output(IMPORT, UNSEEN, end)

    first, *frames, error, note = told.removeprefix(f"{TOLD}\n").splitlines()
    assert first == "Traceback (most recent call last):"
    assert [line.partition("program.py")[2] for line in frames if "File" in line] == ['", line 6, in registered']
    assert error == "ValueError: mine"
    assert note.startswith("raised by user code of broken, in registered, at ")


@pytest.mark.parametrize(
    "end",
    [
        "try:\n    cluster.raise_user_errors()\nexcept ValueError:\n    pass",
        "try:\n    with cluster:\n        pass\nexcept ValueError:\n    pass",
        "import os\nif os.fork():\n    os.wait()\n    os._exit(0)",
    ],
    ids=["raised", "left", "forked"],
)
def test_what_somebody_has_seen_is_not_told_again(output: Output, end: str) -> None:
    """Nor in a process that was forked, whose cluster it is not."""
    assert output(IMPORT, UNSEEN, end) == ""
