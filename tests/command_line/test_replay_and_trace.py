"""`mesolite replay` and `mesolite trace`: of what explore has kept, and of what pytest has."""

from __future__ import annotations

import json
import pathlib

import pytest

from mesolite.harness import Failure, Faults, explore
from tests.command_line.calling import file_in, kept_by, mesolite, process

FRAGILE = """
    import pytest
    from mesolite import Faults

    @pytest.mark.mesolite(seeds=20, faults=Faults.none().but(crash=2.0))
    @pytest.mark.parametrize("seconds", [60])
    def test_it(sim, seconds):
        cluster = sim.cluster(agents=3)
        sim.advance(seconds)
        assert all(agent.alive for agent in cluster.agents.values()), "somebody is down"
"""
MENDED = """
    def fragile(sim):
        sim.cluster(agents=3)
        sim.advance(60)
"""


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A script that explore has kept."""
    file = file_in(tmp_path_factory.mktemp("explored"))
    found = mesolite("explore", f"{file}::fragile", "--faults", "crash=2", "--seeds", 20)
    return pathlib.Path(kept_by(found.output))


@pytest.fixture
def kept(explored: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """The same script in a folder of its own, of a file beside that folder."""
    text = explored.read_text(encoding="utf-8").replace(str(explored.parents[1]), str(tmp_path))
    file_in(tmp_path)
    (tmp_path / explored.parent.name).mkdir()
    copy = tmp_path / explored.parent.name / explored.name
    copy.write_text(text, encoding="utf-8")
    return copy


def with_script(path: pathlib.Path, **changes: object) -> pathlib.Path:
    """The same with something changed."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    changed = path.with_name("changed.json")
    changed.write_text(json.dumps(plain | changes), encoding="utf-8")
    return changed


# --- replay -----------------------------------------------------------------------------------------------


def test_what_was_mended_passes(kept: pathlib.Path) -> None:
    """With the status of it."""
    file_in(kept.parents[1], MENDED, name="mended.py")

    again = mesolite("replay", kept, "--scenario", f"{kept.parents[1]}/mended.py::fragile")

    assert again.exit_code == 0
    assert again.stdout.startswith("it does not fail any more: AssertionError at ")


def test_what_fails_otherwise_says_so(kept: pathlib.Path) -> None:
    """Another failure is not taken for the one that was kept."""
    file_in(kept.parents[1], MENDED + "        1 / 0\n", name="z.py")

    again = mesolite("replay", kept, "--scenario", f"{kept.parents[1]}/z.py::fragile")

    assert again.exit_code == 1
    assert again.stdout.startswith("it fails otherwise than when it was kept: AssertionError at ")
    assert "ZeroDivisionError at " in again.stdout


def test_a_script_that_does_not_fit_says_where(kept: pathlib.Path) -> None:
    """It answers nothing, unless it is to go on."""
    smaller = "def fragile(sim):\n    sim.cluster(agents=0)\n    sim.advance(60)\n"
    file_in(kept.parents[1], smaller, name="smaller.py")
    call = ("replay", kept, "--scenario", f"{kept.parents[1]}/smaller.py::fragile")

    again, going_on = mesolite(*call), mesolite(*call, "--go-on")

    assert again.exit_code == 2
    assert "nothing fails, and the script does not fit any more:\n  " in again.stderr
    assert "agent-" in again.stderr
    assert going_on.exit_code == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 9}, "it has format 9, and this version reads 1 only"),
        ({"scenario": "nowhere:it"}, "there is no scenario nowhere:it any more: No module named 'nowhere'; --scenario"),
        ({"scenario": "x:test.<locals>.it"}, "was made inside a function: give the scenario itself; --scenario FILE::"),
        ({"script": {}}, "holds no failure that can be replayed"),
    ],
)
def test_a_script_that_cannot_be_replayed_says_why(changes: dict[str, object], says: str, kept: pathlib.Path) -> None:
    """And what would help."""
    again = mesolite("replay", with_script(kept, **changes))

    assert again.exit_code == 2
    assert says in again.stderr


def test_a_file_that_raises_now_is_named(kept: pathlib.Path) -> None:
    """Not the harness that loads it."""
    file_in(kept.parents[1], "def fragile(sim)\n")

    again = process("replay", kept, folder=kept.parent)

    assert again.returncode == 2
    assert "its scenario cannot be loaded: expected ':', " in again.stderr
    assert "Traceback" not in again.stderr


def _closure() -> object:
    def inside(sim: object) -> None:
        raise ValueError("inside")

    return inside


def test_a_scenario_of_a_function_is_given_by_its_file(tmp_path: pathlib.Path) -> None:
    """What has no name in a fresh process has a file there."""
    found = explore(_closure(), seeds=1, faults=Faults.none())  # type: ignore[arg-type]
    assert found.failure is not None
    path = found.failure.save(tmp_path / "closure.json")
    file = file_in(tmp_path, "def inside(sim):\n    raise ValueError('inside')\n")

    assert mesolite("replay", path).exit_code == 2
    assert mesolite("replay", path, "--scenario", f"{file}::inside").exit_code == 1


def test_what_is_loaded_by_its_file_is_found_by_it_again(kept: pathlib.Path) -> None:
    """Also from the library, in any process."""
    name = json.loads(kept.read_text(encoding="utf-8"))["scenario"]

    assert name == f"{kept.parents[1] / 'scenarios.py'}:fragile"
    with pytest.raises(AssertionError, match="somebody is down"):
        Failure.load(kept).replay()


# --- trace ------------------------------------------------------------------------------------------------


def test_a_trace_is_written_in_every_form(kept: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The head of each says what repeats it."""
    outs = {form: tmp_path / f"run.{form}" for form in ("html", "text", "json-lines", "mermaid")}

    written = mesolite("trace", kept, *(word for form, out in outs.items() for word in (f"--{form}", out)))

    assert (written.exit_code, written.output) == (0, "")
    head = json.loads(outs["json-lines"].read_text(encoding="utf-8").splitlines()[0])["head"]
    assert head["repeat"] == f"mesolite replay {kept}"
    assert head["failure"]["words"].startswith("AssertionError: somebody is down")
    assert f"mesolite replay {kept}" in outs["html"].read_text(encoding="utf-8")
    assert ".crash()" in outs["text"].read_text(encoding="utf-8")
    assert outs["mermaid"].read_text(encoding="utf-8").startswith("sequenceDiagram\n")


def test_without_a_file_the_text_is_printed(kept: pathlib.Path) -> None:
    """Or what mentions somebody."""
    text, all_of_it, story = (
        mesolite("trace", kept, *options) for options in ((), ("--system", "--heartbeats"), ("--story", "agent-1"))
    )

    assert "agent-1 -> master-1       RegisterAgent\n" in text.stdout
    assert len(all_of_it.stdout) > len(text.stdout)
    assert "RegisterAgent" in story.stdout
    assert len(story.stdout) < len(all_of_it.stdout)


def test_a_trace_of_what_passes_says_so(kept: pathlib.Path) -> None:
    """It shows what happens now."""
    file_in(kept.parents[1], MENDED, name="mended.py")

    written = mesolite("trace", kept, "--scenario", f"{kept.parents[1]}/mended.py::fragile")

    assert written.exit_code == 0
    assert "it does not fail any more; this is what happens now" in written.stderr


@pytest.mark.parametrize("form", ["html", "text", "json-lines", "mermaid"])
def test_where_nothing_can_be_written_it_says_so(form: str, kept: pathlib.Path) -> None:
    """In a sentence."""
    written = mesolite("trace", kept, f"--{form}", kept.parent / "nowhere" / "out")

    assert written.exit_code == 2
    assert "out cannot be written: " in written.stderr
    assert "name a file in a folder that is there" in written.stderr


# --- scripts of tests -------------------------------------------------------------------------------------


@pytest.fixture
def of_a_test(pytester: pytest.Pytester) -> pathlib.Path:
    """A script that pytest has kept, of a test with a parameter."""
    pytester.makepyfile(test_theirs=FRAGILE)
    pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider").assert_outcomes(failed=1)
    (path,) = (pytester.path / ".mesolite").glob("*.json")
    return path


@pytest.mark.slow
def test_the_script_of_a_test_is_run_by_pytest(of_a_test: pathlib.Path) -> None:
    """From any folder: the test lies beside the folder of its script."""
    again = process("replay", of_a_test, folder=of_a_test.parent)
    (of_a_test.parents[1] / "test_theirs.py").unlink()
    gone = process("replay", of_a_test, folder=of_a_test.parent)

    assert again.returncode == 1
    assert "AssertionError: somebody is down" in again.stdout
    assert gone.returncode == 2
    assert "is the script of test_theirs.py::test_it[60], which is not to be found from here" in gone.stderr


@pytest.mark.long
def test_the_trace_of_a_test_is_taken_from_pytest(of_a_test: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """With its head, and without a word of pytest's."""
    written = process("trace", of_a_test, "--json-lines", tmp_path / "x", "--html", tmp_path / "y", folder=tmp_path)

    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    head = json.loads((tmp_path / "x").read_text(encoding="utf-8").splitlines()[0])["head"]
    assert head["repeat"].startswith("pytest --mesolite-replay ")
    assert "somebody is down" in head["failure"]["words"]
