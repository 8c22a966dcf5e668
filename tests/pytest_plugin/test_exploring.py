"""Tests that are explored by the pytest plugin: each test here runs pytest on a small file of somebody's."""

from __future__ import annotations

import json
import pathlib
import re
import shlex
import textwrap

import pytest

from tests.pytest_plugin.user_file import run, text_of, theirs

FRAGILE = """
    import pytest
    from mesolite import Faults
    ONLY_CRASHES = Faults.none().but(crash=2.0, drain=1.0)
    def fragile(sim):
        cluster = sim.cluster(agents=3)
        sim.advance(60)
        assert all(agent.alive for agent in cluster.agents.values()), "somebody is down"
    @pytest.mark.mesolite(seeds=20, faults=ONLY_CRASHES)
    def test_it(sim):
        fragile(sim)
"""
"""It fails with the first crash that nobody has repaired."""


def kept(pytester: pytest.Pytester, folder: str = ".mesolite") -> list[pathlib.Path]:
    return sorted((pytester.path / folder).glob("*.json"))


# --- what is found, and how it is told --------------------------------------------------------------------


def test_what_is_found_is_told_in_full_and_can_be_repeated(pytester: pytest.Pytester) -> None:
    """One item: the script made small, as code; what the seed drew; the story; another process; a command."""
    result = theirs(pytester, FRAGILE)
    report = text_of(result)
    command = re.search(r"^seed \d+; to repeat: pytest (.*)$", report, re.MULTILINE)

    result.assert_outcomes(failed=1)
    assert "AssertionError: somebody is down" in report
    assert re.search(r"^  cluster: 3 agents, 1 masters, 0 frameworks$", report, re.MULTILINE)
    assert re.search(r"^  latency: ", report, re.MULTILINE)
    assert re.search(r"^  kinds of faults: (crash|drain|crash, drain)$", report, re.MULTILINE)
    assert re.search(r"what was done \(shrunk in \d+ runs\):\n  at \d+ s: .*crash\(\).*\n\n", report)
    assert "in a fresh process: it fails in the same way" in report
    assert command is not None
    again = run(pytester, *shlex.split(command[1]))
    again.assert_outcomes(failed=1)
    assert "AssertionError: somebody is down" in text_of(again)
    assert "crash()" in text_of(again)


def test_what_holds_passes_and_leaves_nothing(pytester: pytest.Pytester) -> None:
    """As one test, run with every seed; a class has a fresh instance each time."""
    text = """
        import pytest
        from mesolite import Faults
        seeds = []
        @pytest.mark.mesolite(seeds=4, faults=Faults.none())
        class TestIt:
            def test_it(self, sim, mesolite_seed):
                assert not hasattr(self, "seen") and sim.seed == mesolite_seed
                self.seen = seeds.append(sim.seed)
                sim.cluster()
        def test_other(): assert seeds == [0, 1, 2, 3]
    """

    theirs(pytester, text).assert_outcomes(passed=2)

    assert not (pytester.path / ".mesolite").exists()


def test_the_number_of_seeds_is_for_the_command_line_too(pytester: pytest.Pytester) -> None:
    """`--mesolite-seeds` beats the marker; `--mesolite-seed` runs that one of them."""
    text = """
        import pytest
        from mesolite import Faults
        @pytest.mark.mesolite(faults=Faults.none().but(crash=0.1))
        def test_it(sim): print("<", sim.seed, ">")
    """

    for options, seeds in [(["--mesolite-seeds=2"], ["0", "1"]), (["--mesolite-seed=7"], ["7"])]:
        report = text_of(theirs(pytester, text, "-s", *options))
        assert re.findall("< (.*) >", report) == seeds


def test_a_checker_of_ours_fails_a_test_that_is_explored(pytester: pytest.Pytester) -> None:
    """So does one of what schedulers owe, in a test whose author wants it explored; by name they can be left out."""
    text = """
        import pytest
        from mesolite import Faults, Scheduler
        class Keeper(Scheduler):
            def resource_offers(self, driver, offers): pass
        def keeps_offers(sim):
            sim.cluster().run(Keeper(), framework="keeper")
            sim.advance(100)
        @pytest.mark.mesolite(seeds=2, faults=Faults.none())
        def test_found(sim): keeps_offers(sim)
        @pytest.mark.mesolite(seeds=2, faults=Faults.none(), without=("offers_are_answered",))
        def test_left_out(sim): keeps_offers(sim)
    """

    result = theirs(pytester, text)

    result.assert_outcomes(failed=1, passed=1)
    assert "offers_are_answered: this is a fault of the scheduler" in text_of(result)


def test_what_was_to_be_reached_and_never_was_fails(pytester: pytest.Pytester) -> None:
    """As it does when a scenario is explored."""
    text = """
        import pytest
        @pytest.mark.mesolite(seeds=3, order="fifo")
        def test_it(sim): sim.sometimes(lambda: False, "the impossible")
    """

    result = theirs(pytester, text)

    result.assert_outcomes(failed=1)
    assert "in 3 runs this was never reached: the impossible" in text_of(result)


def test_a_test_that_keeps_something_between_runs_is_told_so(pytester: pytest.Pytester) -> None:
    """What fails once and never again in the same process is no failure of a seed."""
    text = """
        import pytest
        runs = []
        @pytest.mark.mesolite(seeds=5, order="fifo")
        def test_it(sim):
            runs.append(1)
            assert len(runs) != 2
    """

    result = theirs(pytester, text)

    result.assert_outcomes(failed=1)
    assert "the scenario keeps something between its runs" in text_of(result)


def test_fixtures_that_fail_are_no_failure_of_a_seed(pytester: pytest.Pytester) -> None:
    """Nothing is explored: it is one error."""
    text = """
        import pytest
        @pytest.fixture
        def cluster_of_three(sim): raise KeyError("broken")
        @pytest.fixture
        def late(sim):
            yield
            raise KeyError("late")
        @pytest.mark.mesolite(seeds=5)
        def test_it(cluster_of_three): pass
        @pytest.mark.mesolite(seeds=5)
        def test_late(late): pass
    """

    theirs(pytester, text).assert_outcomes(errors=2, passed=1)

    assert not (pytester.path / ".mesolite").exists()


@pytest.mark.long
def test_what_another_process_runs_otherwise_is_told_with_its_cause(pytester: pytest.Pytester) -> None:
    """The first event that differs, here and there: a counter of the module has counted earlier runs."""
    text = """
        from mesolite import Scheduler
        count = 0
        def test_it(sim):
            global count
            count += 1
            sim.cluster().run(Scheduler(), framework=f"number-{count}")
            sim.advance(3)
            assert False
    """

    report = text_of(theirs(pytester, text, "--mesolite-seeds", "2"))

    assert "in a fresh process: it fails there in the same way, but not in the same run" in report
    assert re.search(r"event that differs is number \d+:\n  here: .*number-\d+.*\n  there: .*number-1", report)
    assert "the cause: what earlier runs have left in this process" in report


def test_a_test_that_is_expected_to_fail_does_so_with_any_seed(pytester: pytest.Pytester) -> None:
    """And nothing is made small or kept of it."""
    text = FRAGILE.replace("@pytest.mark.mesolite(", "@pytest.mark.xfail(strict=True)\n    @pytest.mark.mesolite(")

    theirs(pytester, text).assert_outcomes(xfailed=1)

    assert not (pytester.path / ".mesolite").exists()


# --- fixtures ---------------------------------------------------------------------------------------------

BESIDE = """
    import pytest
    @pytest.fixture
    def mine(): return []
    @pytest.fixture
    def through(mine): return mine
    @pytest.fixture(autouse=True)
    def always(): pass
    @pytest.fixture(scope="module")
    def shared(): return 1
    @pytest.fixture
    def cluster_of_three(sim, shared): return sim.cluster(agents=3)
    @pytest.fixture
    def both(sim, tmp_path): return sim
    @pytest.mark.mesolite(seeds=2, order="fifo", allow_fixtures=ALLOWED)
    @pytest.mark.parametrize("number", [1])
    def test_it(sim, number, FIXTURE): assert sim.seed < 2
"""


@pytest.mark.parametrize(
    ("fixture", "named"),
    [
        ("mine", "mine"), ("through", "through, mine"), ("tmp_path", "tmp_path"), ("monkeypatch", "monkeypatch"),
        ("both", "tmp_path"), ("shared", ""), ("always", "always"), ("cluster_of_three", ""),
    ],
)  # fmt: skip
def test_a_fixture_beside_sim_is_an_error_by_name_unless_allowed(
    pytester: pytest.Pytester, fixture: str, named: str
) -> None:
    """What no run makes; what is made of `sim` or shared by a module is none of these, nor what every test has."""
    text = BESIDE.replace("FIXTURE", fixture)

    refused = theirs(pytester, text.replace("ALLOWED", "False"))
    allowed = theirs(pytester, text.replace("ALLOWED", "True"))

    refused.assert_outcomes(**{"errors" if named else "passed": 1})
    allowed.assert_outcomes(passed=1)
    assert not named or f"and {named} stands beside `sim`" in text_of(refused)


def test_a_plain_run_may_have_any_fixture(pytester: pytest.Pytester) -> None:
    """It is run once."""
    text = BESIDE.replace("seeds=2, ", "").replace("ALLOWED", "False").replace("FIXTURE", "mine, tmp_path")

    theirs(pytester, text).assert_outcomes(passed=1)


# --- plain runs -------------------------------------------------------------------------------------------


def test_a_plain_run_comes_to_its_end(pytester: pytest.Pytester) -> None:
    """What must come true eventually has to, in the call phase, unless the test has seen to that itself."""
    text = """
        import pytest
        def test_mended(sim):
            agent = sim.cluster(agents=1).agents["agent-1"]
            agent.crash()
            sim.eventually(lambda: agent.registered, within=100)
        @pytest.mark.xfail(strict=True)
        def test_never(sim):
            sim.cluster()
            sim.eventually(lambda: False, within=5)
        def test_itself(sim):
            sim.cluster()
            sim.eventually(lambda: True)
            sim.recover()
            sim.now, before = sim.now, sim.now
        def test_nothing_stated(sim):
            sim.cluster().agents["agent-1"].crash()
    """
    text = text.replace("            sim.now, before = sim.now, sim.now\n", "")

    theirs(pytester, text).assert_outcomes(passed=3, xfailed=1)


# --- explore, called inside of a test ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("look", "outcome"),
    [
        ("print(found)", {"failed": 1}),
        ("found.check()", {"failed": 1}),
        ("assert found.failure", {"passed": 1}),
        ("pytest.raises(AssertionError, found.check)", {"passed": 1}),
    ],
)
def test_a_failure_that_nobody_looked_at_fails_the_test(
    pytester: pytest.Pytester, look: str, outcome: dict[str, int]
) -> None:
    """Found and forgotten is worse than not explored."""
    text = textwrap.dedent(FRAGILE).partition("@pytest.mark")[0] + textwrap.dedent(f"""
        from mesolite import explore
        def test_it():
            found = explore(fragile, seeds=20, faults=ONLY_CRASHES)
            {look}
        def test_other(): pass
    """)

    result = theirs(pytester, text)

    result.assert_outcomes(**{**outcome, "passed": outcome.get("passed", 0) + 1})
    assert ("nor called found.check()" in text_of(result)) == look.startswith("print")


# --- kept scripts -----------------------------------------------------------------------------------------


def test_what_failed_is_run_first_and_removed_when_it_passes(pytester: pytest.Pytester) -> None:
    """One file per test and failure, which says what it is; when it passes again that is said."""
    theirs(pytester, FRAGILE).assert_outcomes(failed=1)
    [file] = kept(pytester)
    plain = json.loads(file.read_text())
    again = run(pytester)
    mended = theirs(pytester, FRAGILE.replace("all(agent", "sim or all(agent").replace("seeds=20", "seeds=1"))

    assert plain["scenario"] == "pytest:test_theirs.py::test_it"
    assert {"format", "mesolite", "seed", "script", "settings", "identity", "error", "trace_hash"} <= plain.keys()
    again.assert_outcomes(failed=1)
    assert f"replayed from {file}; to repeat: pytest --mesolite-replay {file}" in text_of(again)
    assert "what was done (shrunk" not in text_of(again)
    mended.assert_outcomes(passed=1)
    assert f"test_theirs.py::test_it: .mesolite/{file.name} passes again: removed" in text_of(mended)
    assert kept(pytester) == []
    assert (pytester.path / ".mesolite/.gitignore").read_text().endswith("*\n")


def test_a_script_can_be_kept_for_good(pytester: pytest.Pytester) -> None:
    """In a folder of the project's own, and the marker then replays it, before anything else."""
    result = theirs(pytester, FRAGILE, "--mesolite-keep", "found")
    [file] = kept(pytester, "found")
    marker = f"@pytest.mark.mesolite(replay='found/{file.name}')"
    mended = FRAGILE.replace("@pytest.mark.mesolite(seeds=20, faults=ONLY_CRASHES)", marker)
    first = file.read_text()
    file.unlink()
    run(pytester, "--mesolite-keep", "found").assert_outcomes(failed=1)

    assert f"kept for good; the test's marker replays it: {marker}" in text_of(result)
    assert file.read_text() == first  # what was kept beside the test is kept for good as it is
    again = theirs(pytester, mended)
    again.assert_outcomes(failed=1)
    assert "AssertionError: somebody is down" in text_of(again)
    theirs(pytester, mended.replace("all(agent", "sim or all(agent")).assert_outcomes(passed=1)


def test_a_script_that_does_not_fit_any_more_says_where(pytester: pytest.Pytester) -> None:
    """Which fault, and why; and goes on under the seed's own order if that is asked for."""
    theirs(pytester, FRAGILE)
    [file] = kept(pytester)
    plain = json.loads(file.read_text())
    plain["script"]["faults"] = [{**plain["script"]["faults"][0], "arguments": {"machine": "agent-9"}}]
    (pytester.path / "unfit.json").write_text(json.dumps(plain))
    plain["script"]["faults"][0]["kind"] = "flood"
    (pytester.path / "unknown.json").write_text(json.dumps(plain))

    strict = run(pytester, "--mesolite-replay", "unfit.json")
    loose = run(pytester, "--mesolite-replay", "unfit.json", "--mesolite-go-on")
    none = run(pytester, "--mesolite-replay", "nowhere.json")
    unknown = run(pytester, "--mesolite-replay", "unknown.json")

    strict.assert_outcomes(failed=1)
    assert re.search(r"the script does not fit any more:\n.*at \d+ s: .*agent-9.*there is no machine", text_of(strict))
    loose.assert_outcomes(passed=1)
    none.assert_outcomes(failed=1)
    assert "nowhere.json holds no failure that can be replayed" in text_of(none)
    unknown.assert_outcomes(failed=1)
    assert "a fault has a kind, or an argument, that is not known here: 'flood'" in text_of(unknown)


@pytest.mark.long
def test_a_folder_in_which_nothing_can_be_kept_is_no_error(pytester: pytest.Pytester) -> None:
    """The report then has another command, that finds it again."""
    (pytester.path / ".mesolite").touch()

    result = theirs(pytester, FRAGILE)
    command = re.search(r"to repeat: pytest (.*)$", text_of(result), re.MULTILINE)

    result.assert_outcomes(failed=1)
    assert "its script cannot be kept: " in text_of(result)
    assert command is not None
    run(pytester, *shlex.split(command[1])).assert_outcomes(failed=1)


def test_an_order_that_does_not_fit_any_more_says_so(pytester: pytest.Pytester) -> None:
    """A message of the script that is never sent, or overtaken by none."""
    theirs(pytester, FRAGILE)
    [file] = kept(pytester)
    plain = json.loads(file.read_text())
    plain["script"] = {**plain["script"], "faults": [], "order": [["agent-9", 1, "master-1", 3, 200]]}
    file.write_text(json.dumps(plain))

    result = run(pytester, "--mesolite-replay", str(file))

    result.assert_outcomes(failed=1)
    assert "message 3 from agent-9 to master-1 waits: there is no such message" in text_of(result)


@pytest.mark.long
def test_processes_that_run_tests_side_by_side_keep_their_scripts_apart(pytester: pytest.Pytester) -> None:
    """Under pytest-xdist each failing test has its file, and what is said of it arrives."""
    text = textwrap.dedent(FRAGILE) + "\n".join(
        f"@pytest.mark.mesolite(seeds=20, faults=ONLY_CRASHES)\ndef test_{n}(sim): fragile(sim)" for n in range(3)
    )

    result = theirs(pytester, text, "-n2", "--mesolite-keep", "found")

    result.assert_outcomes(failed=4)
    assert len(kept(pytester)) == len(kept(pytester, "found")) == 4
    assert text_of(result).count("kept for good") == 4
    assert not list((pytester.path / ".mesolite").glob(".test*"))
