"""The pytest plugin, as somebody else's tests see it: each test here runs pytest on a small file of theirs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap

import pytest

from tests.project.house_checks import ROOT
from tests.pytest_plugin.user_file import run, text_of, theirs

FAILS_WITH_SOME_SEEDS = """
    import pytest

    def lucky(sim):
        cluster = sim.cluster(agents=2)
        return cluster.agents["agent-1"].id == "m1-S1"  # which agent is first is for the seed to choose

    def test_luck(sim):
        assert lucky(sim)

    @pytest.mark.parametrize("reason", ["it's a [b] - c"])
    def test_luck_in_many_ways(sim, reason):
        assert lucky(sim)
"""


def test_sim_is_a_simulation_with_seed_zero(pytester: pytest.Pytester) -> None:
    """Without an option every run is the same run."""
    result = theirs(pytester, "def test_it(sim): assert (sim.seed, sim.now) == (0, 0.0)")

    result.assert_outcomes(passed=1)


def test_a_seed_can_be_chosen(pytester: pytest.Pytester) -> None:
    """`--mesolite-seed` is the seed of every `sim`."""
    result = theirs(pytester, "def test_it(sim): assert sim.seed == 42", "--mesolite-seed", "42")

    result.assert_outcomes(passed=1)


def test_many_seeds_are_one_test(pytester: pytest.Pytester) -> None:
    """The body runs once per seed, with a fresh instance and fresh fixtures; tests without `sim` run once."""
    text = """
        import pytest
        seeds, modules = [], []
        @pytest.fixture(scope="module")
        def shared(): modules.append(1)
        @pytest.fixture
        def fresh(): return []
        @pytest.mark.mesolite(allow_fixtures=True)
        class TestIt:
            def test_with(self, sim, fresh, shared, tmp_path):
                seeds.append(sim.seed)
                assert not fresh and not hasattr(self, "seen") and not list(tmp_path.iterdir())
                fresh.append(1); self.seen = 1; (tmp_path / "file").touch()
        def test_without(shared): assert (seeds, modules) == ([0, 1, 2, 3, 4], [1])
    """

    theirs(pytester, text, "--mesolite-seeds", "5").assert_outcomes(passed=2)


def test_a_failure_says_how_to_repeat_it_and_that_fails_again(pytester: pytest.Pytester) -> None:
    """The lowest seed that fails is told in full, with a command that fails in the same way."""
    result = theirs(pytester, FAILS_WITH_SOME_SEEDS, "--mesolite-seeds", "6")
    commands = re.findall(r"^seed 1; to repeat: pytest (.*)$", text_of(result), re.MULTILINE)

    result.assert_outcomes(failed=2)
    assert len(commands) == len(set(commands)) == 2
    assert text_of(result).count("found in the 2nd run") == 2
    assert text_of(result).count("in a fresh process: it fails in the same way") == 2
    assert "the last that was said:" in text_of(result)
    assert "LeaderDetected master-1" in text_of(result)
    for command in commands:
        again = run(pytester, *shlex.split(command))
        again.assert_outcomes(failed=1)
        assert f"to repeat: pytest {command}" in text_of(again)


@pytest.mark.parametrize(
    ("mark", "body", "outcome"),
    [
        ("xfail", "assert sim.seed != 2", {"xfailed": 1}),
        ("xfail(strict=True)", "assert sim.seed != 2", {"xfailed": 1}),
        ("xfail(strict=True)", "pass", {"failed": 1}),
        ("xfail", "pass", {"xpassed": 1}),
        ("xfail(raises=KeyError)", "assert sim.seed != 2", {"failed": 1}),
        ("usefixtures('sim')", "sim.seed == 1 or pytest.skip()", {"passed": 1}),
        ("skip", "assert False", {"skipped": 1}),
        ("usefixtures('sim')", "assert sim.seed != 2", {"failed": 1}),
    ],
)
def test_of_many_seeds_the_outcome_is_one(
    pytester: pytest.Pytester, mark: str, body: str, outcome: dict[str, int]
) -> None:
    """A test fails if it fails with any seed, and fails as expected likewise."""
    text = f"import pytest\n@pytest.mark.{mark}\ndef test_it(sim): {body}\ndef test_other(): pass"
    expected = {**outcome, "passed": outcome.get("passed", 0) + 1}

    theirs(pytester, text, "--mesolite-seeds", "4").assert_outcomes(**expected)


def test_many_seeds_keep_the_rest_of_pytest(pytester: pytest.Pytester) -> None:
    """A failure counts once for --maxfail and in junitxml, with what its own seed printed and no other's."""
    text = """
        import pytest
        @pytest.mark.mesolite(allow_fixtures=True)
        def test_it(sim, record_property):
            record_property("seed", sim.seed)
            print("printed by", sim.seed)
            assert sim.seed < 3
        def test_second(sim): pass
        def test_third(sim): assert False
        def test_fourth(sim): pass
    """

    options = ("--mesolite-seeds", "9", "--maxfail=2", "--junitxml=out.xml", "-ojunit_family=legacy")
    result = theirs(pytester, text, *options)
    xml = (pytester.path / "out.xml").read_text()

    result.assert_outcomes(failed=2, passed=1)
    assert "seed 3; to repeat: " in text_of(result)
    assert re.findall(r"^printed by (.*)$", text_of(result), re.MULTILINE) == ["3"]
    assert 'failures="2"' in xml
    assert 'tests="3"' in xml
    assert xml.count('name="seed"') == 1


def test_what_a_module_shares_survives_the_seeds(pytester: pytest.Pytester) -> None:
    """It is set up once and torn down once; and where a fixture of the test itself fails, that is one error."""
    text = """
        import pytest
        @pytest.fixture(scope="module", autouse=True)
        def shared():
            with open("log", "a") as log: log.write("begin "); yield; log.write("end ")
        @pytest.fixture
        def broken(): raise KeyError("broken")
        def test_it(sim): pass
        def test_broken(sim, broken): pass
    """

    theirs(pytester, text, "--mesolite-seeds", "3").assert_outcomes(passed=1, errors=1)

    assert (pytester.path / "log").read_text() == "begin end "


def test_a_seed_beats_many_seeds(pytester: pytest.Pytester) -> None:
    """So that a command repeats one seed where the project's own options ask for many."""
    pytester.makeini("[pytest]\naddopts = --mesolite-seeds 5")

    theirs(pytester, "def test_it(sim): assert sim.seed == 7", "--mesolite-seed", "7").assert_outcomes(passed=1)


REPEATABLE = """
    import pytest
    def test_plain(sim): assert False
    @pytest.mark.parametrize("what", ["seed-1", "a b", "x-seed-2-y", "it's", "[z]", "tab\\there", "é", "$HOME;", "::"])
    def test_param(sim, what): assert False
    class TestC:
        @pytest.mark.parametrize("n", [1])
        def test_m(self, sim, n): assert False
"""


@pytest.mark.parametrize("folder", ["tests", "a b's", "odd [1]"])
def test_the_command_works_from_any_folder(pytester: pytest.Pytester, folder: str) -> None:
    """Exactly the one test is run again by a shell that stands elsewhere, whatever its parameters are."""
    place = pytester.mkdir(folder)
    (place / "test_theirs.py").write_text(textwrap.dedent(REPEATABLE), encoding="utf-8")
    pytester.makeini("[pytest]")
    elsewhere = pytester.mkdir("elsewhere")
    commands = re.findall(r"to repeat: (.*)$", text_of(run(pytester, "--mesolite-seed", "3")), re.MULTILINE)
    ids: list[str] = []
    for command in commands:
        before, _, arguments = command.rpartition("pytest --mesolite-seed 3 ")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(shlex.split(before)[1] if before else elsewhere)
            again = run(pytester, "--mesolite-seed", "3", *shlex.split(arguments), "-rf")
        again.assert_outcomes(failed=1)
        ids += re.findall(r"^FAILED .*?::(.*) - ", text_of(again), re.MULTILINE)

    assert len(commands) == len(set(ids)) == 11


def test_a_test_that_passes_says_nothing(pytester: pytest.Pytester) -> None:
    """The report is for failures."""
    result = theirs(pytester, "def test_it(sim): sim.cluster()", "-rA")

    assert "to repeat" not in text_of(result)


def test_a_failure_without_a_simulation_says_nothing(pytester: pytest.Pytester) -> None:
    """There is no seed to tell."""
    result = theirs(pytester, "def test_it(): assert False")

    result.assert_outcomes(failed=1)
    assert "to repeat" not in text_of(result)


def test_cluster_is_a_real_cluster_that_is_ready(pytester: pytest.Pytester) -> None:
    """Two agents, a leader, and nothing left behind when the test has ended."""
    text = """
        import threading
        before = threading.active_count()
        def test_ready(cluster):
            assert cluster.leader is not None
            assert [agent.registered for agent in cluster.agents.values()] == [True, True]
        def test_gone():
            assert threading.active_count() == before
    """

    theirs(pytester, text).assert_outcomes(passed=2)


def test_the_options_are_explained(pytester: pytest.Pytester) -> None:
    """`pytest --help` has a section of ours."""
    result = theirs(pytester, "", "--help")

    result.stdout.fnmatch_lines(["*simulated Mesos clusters*", "*--mesolite-seed=N*", "*--mesolite-seeds=COUNT*"])
    result.stdout.fnmatch_lines(["*--mesolite-lines=N*", "*--mesolite-report=DIR*"])


@pytest.mark.parametrize("option", ["--mesolite-seeds=-1", "--mesolite-lines=x"])
def test_a_count_is_a_count(pytester: pytest.Pytester, option: str) -> None:
    """Anything else is an error of usage that says so."""
    result = theirs(pytester, "def test_it(sim): pass", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "is no count" in "\n".join(result.errlines)


# --- user code that raises --------------------------------------------------------------------------------

RAISES = """
    import pytest
    from mesolite import Scheduler
    class Sched(Scheduler):
        def resource_offers(self, driver, offers): assert len(offers) == 99, "wanted to be seen"
"""


@pytest.mark.parametrize(
    "body",
    [
        "def test_it(sim): c = sim.cluster(); c.run(Sched(), 'f'); sim.advance(5)",
        "def test_it(cluster):\n    d = cluster.run(Sched(), 'f')\n    cluster.wait_until(lambda: d.error, 9)",
        "def test_it(cluster):\n    d = cluster.run(Sched(), 'f')\n"
        "    cluster.runtime.wait(lambda: bool(cluster.user_errors), 9)",
    ],
)
def test_an_error_of_user_code_fails_the_test_itself(pytester: pytest.Pytester, body: str) -> None:
    """It is a failure of the test, once, and so of one that is expected to fail."""
    text = textwrap.dedent(RAISES) + textwrap.dedent(body) + "\n@pytest.mark.xfail(strict=True)\n"
    result = theirs(pytester, text + body.replace("test_it", "test_expected"))

    result.assert_outcomes(failed=1, xfailed=1)
    assert "AssertionError: wanted to be seen" in text_of(result)


def test_a_failure_of_the_body_is_the_only_one_and_names_the_errors(pytester: pytest.Pytester) -> None:
    """What user code raised before is in the report, and not raised again at closing."""
    body = "def test_it(cluster):\n    cluster.run(Sched(), 'f')\n"
    body += "    cluster.runtime.wait(lambda: bool(cluster.user_errors), 9)\n    raise KeyError('of the body')"

    result = theirs(pytester, textwrap.dedent(RAISES) + body)

    result.assert_outcomes(failed=1)
    assert "KeyError: 'of the body'" in text_of(result)
    assert re.search(r"f: resource_offers raised AssertionError: wanted to be seen.*test_theirs.py:4", text_of(result))


def test_an_error_that_is_allowed_fails_nothing(pytester: pytest.Pytester) -> None:
    """Somebody has said that it may come."""
    body = "def test_it(sim):\n    sim.allow_error(AssertionError)\n"
    body += "    sim.cluster().run(Sched(), 'f')\n    sim.advance(5)"

    theirs(pytester, textwrap.dedent(RAISES) + body).assert_outcomes(passed=1)


# --- the report -------------------------------------------------------------------------------------------

EVENTFUL = """
    from mesolite import Scheduler, TaskInfo, SimulatedWork
    from mesolite.messages import KillTask, StatusUpdate, Subscribe
    class One(Scheduler):
        def resource_offers(self, driver, offers):
            work = SimulatedWork(duration=None)
            driver.launch_tasks(offers[0], TaskInfo(task_id="t-1", resources="cpus:1", command="serve", work=work))
    def test_it(sim):
        cluster = sim.cluster(agents=2)
        sim.drop(StatusUpdate, receiver="hello")
        sim.hold(KillTask)
        sim.partition("agent-1", "agent-2")
        sim.expect(Subscribe)
        cluster.run(One(), "hello")
        sim.advance(5)
        cluster.agents["agent-1"].power_off()
        cluster.masters["master-1"].crash()
        sim.advance(1)
        cluster.masters["master-1"].restart()
        assert False
"""


def test_the_report_tells_what_the_simulation_went_through(pytester: pytest.Pytester) -> None:
    """Faults and how often each did something, machines, tasks, and so many lines of the trace as asked for."""
    result = theirs(pytester, EVENTFUL, "--mesolite-lines", "3")
    report = text_of(result).partition("--- mesolite ---")[2].partition("=====")[0]

    assert re.search(r"drop StatusUpdate from anybody to hello: \d+ times", report)
    assert "hold KillTask from anybody to anybody: never matched" in report
    assert "expect Subscribe from anybody to anybody: 1 times" in report
    assert "partition, agent-1 to agent-2: never matched" in report
    assert re.search(r"agent-1: power_off at \d+\.\d{3}; down now", report)
    assert re.search(r"master-1: crash at \d+\.\d{3}, restart at \d+\.\d{3}; up now", report)
    assert re.search(r"t-1: TASK_[A-Z]+, said to [a-z]+-1 at .*; its framework has heard nothing", report)
    assert len(re.findall(r"^ +\d+\.\d{3} ", report, re.MULTILINE)) == 3


def test_a_task_whose_launch_was_lost_is_in_the_report(pytester: pytest.Pytester) -> None:
    """Nobody has spoken of it since, and it is the one that is looked for."""
    text = """
        from mesolite import Scheduler, TaskInfo
        from mesolite.messages import RunTask
        class One(Scheduler):
            def resource_offers(self, driver, offers):
                driver.launch_tasks(offers[:1], TaskInfo(task_id="t1", resources="cpus:1", command="true"))
        def test_it(sim):
            sim.drop(RunTask, times=1)
            sim.cluster().run(One(), framework="one")
            sim.settle()
            assert False
    """

    report = text_of(theirs(pytester, text))

    assert re.search(r"t1: its launch was lost on the way to agent-1 at [\d.]+ \(dropped\); its framework has", report)


def test_the_whole_trace_can_be_had_as_a_file(pytester: pytest.Pytester) -> None:
    """One for each failure, under names that do not meet, and a page; a folder that cannot be is said, and no error."""
    text = """
        import pytest
        @pytest.mark.parametrize("what", ["a b", "a-b"])
        def test_it(sim, what): sim.cluster(); sim.advance(600); assert False
    """
    result = theirs(pytester, text, "--mesolite-report", "out")
    files = [path.read_text() for path in (pytester.path / "out").glob("*.txt")]
    pages = [path.as_uri() for path in (pytester.path / "out").glob("*.html")]
    (pytester.path / "file").touch()

    assert len(files) == 2
    assert all("to repeat:" in text and "PingAgent" in text and "(timer" in text for text in files)
    assert len(re.findall("the whole trace: /", text_of(result))) == 2
    assert sorted(re.findall("as a page, at the failure: (file:///.*)#failure", text_of(result))) == sorted(pages)
    assert len(pages) == 2
    failing = run(pytester, "--mesolite-report", "file/x")
    failing.assert_outcomes(failed=2)
    assert "the whole trace could not be written to" in text_of(failing)


def test_the_report_never_fails(pytester: pytest.Pytester) -> None:
    """Whatever messages hold: a state that is no state, things that cannot say what they are or end the program."""
    text = """
        import attrs, pytest
        from mesolite.messages import FrameworkError, StatusUpdate, FrameworkToExecutor
        from mesolite.simulation.network import Rule, Verdict
        from types import SimpleNamespace
        from mesolite.actors.trace import Lost
        class Bad:
            def __init__(self, kind): self.kind = kind
            def __repr__(self): raise self.kind("no words")
            __str__ = __repr__
        class Worse(Exception):
            __str__ = Bad.__repr__
            kind = ValueError
        @pytest.mark.parametrize("kind", [ValueError, SystemExit, Worse, pytest.fail.Exception])
        def test_it(sim, kind):
            sim.cluster()
            state = SimpleNamespace(task_id="t", state="TASK_LOST", reason=None, message="")
            update = object.__new__(StatusUpdate)
            object.__setattr__(update, "status", state)
            sim.trace.record(0.0, "x", "y", update, (), -1)
            error = object.__new__(FrameworkError)
            object.__setattr__(error, "message", Bad(kind))
            sim.trace.record(0.0, "x", "y", error, (), -1)
            sim.drop(where=lambda message: True).sender = Bad(kind)
            sim.trace.record(0.0, "x", "y", Lost(Bad(kind), "why"), (), -1)
            assert False, "of the body"
    """

    result = theirs(pytester, text)

    result.assert_outcomes(failed=4)
    assert text_of(result).count("AssertionError: of the body") >= 4
    assert text_of(result).count("t: TASK_LOST, said to x at 0.000") == 4
    assert text_of(result).count("(could not be made: ") >= 4


# --- people who do not use it -----------------------------------------------------------------------------


def test_nothing_is_loaded_until_it_is_used(pytester: pytest.Pytester) -> None:
    """A run that does not use a fixture of ours imports the plugin's module, and nothing else of Mesolite."""
    pytester.makepyfile(
        test_theirs="""
        import sys
        def test_it():
            ours = {"mesolite", "mesolite.pytest_plugin", "mesolite.version"}
            assert ours == {n for n in sys.modules if n.startswith("mesolite")}
            assert not {"attrs", "cattrs", "pykka", "loguru", "rich", "sqlite3"} & set(sys.modules)
        """
    )
    outcome = _python(pytester, "-m", "pytest", "-p", "mesolite.pytest_plugin", "-p", "no:hypothesispytest")

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_python_without_assertions_is_refused_to_users_only(pytester: pytest.Pytester) -> None:
    """Under `python -O` pytest runs, and a test that uses `sim` fails with a sentence that says why."""
    pytester.makepyfile(test_theirs="def test_without(): pass\ndef test_with(sim): pass")

    outcome = _python(pytester, "-O", "-m", "pytest", "-p", "mesolite.pytest_plugin", "-p", "no:hypothesispytest")

    assert "1 passed" in outcome.stdout
    assert "1 error" in outcome.stdout
    assert "assertions, which python -O removes" in outcome.stdout


def _python(pytester: pytest.Pytester, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=pytester.path, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
