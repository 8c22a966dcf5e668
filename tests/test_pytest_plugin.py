"""The pytest plugin, as somebody else's tests see it: each test here runs pytest on a small file of theirs."""

from __future__ import annotations

import re
import shlex

import pytest

FAILS_WITH_SOME_SEEDS = """
    import pytest

    def lucky(sim):
        cluster = sim.cluster(agents=2)
        return cluster.agents["agent-1"].id == "m1-S1"  # which agent is first is for the seed to choose

    def test_luck(sim):
        assert lucky(sim)

    @pytest.mark.parametrize("reason", ["a [b] - c", "seed-of-doubt", "it's"])
    def test_luck_in_many_ways(sim, reason):
        assert lucky(sim)
"""


def theirs(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    """Run pytest on a file of theirs, in this process, with the plugin alone."""
    pytester.makepyfile(test_theirs=text)
    return _run(pytester, *arguments)


def _text(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    # Hypothesis would be imported anew for each run, which takes longer than all the rest.
    plugins = ["-p", "mesolite.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    return pytester.runpytest_inprocess(*plugins, *arguments)


def test_sim_is_a_simulation_with_seed_zero(pytester: pytest.Pytester) -> None:
    """Without an option every run is the same run."""
    result = theirs(pytester, "def test_it(sim): assert (sim.seed, sim.now) == (0, 0.0)")

    result.assert_outcomes(passed=1)


def test_a_seed_can_be_chosen(pytester: pytest.Pytester) -> None:
    """`--mesolite-seed` is the seed of every `sim`."""
    result = theirs(pytester, "def test_it(sim): assert sim.seed == 42", "--mesolite-seed", "42")

    result.assert_outcomes(passed=1)


def test_many_seeds_repeat_the_tests_that_use_sim(pytester: pytest.Pytester) -> None:
    """Once per seed; tests without `sim` run once."""
    text = """
        seeds = []
        def test_with(sim): seeds.append(sim.seed)
        def test_without(): assert seeds == [0, 1, 2, 3, 4]
    """

    result = theirs(pytester, text, "--mesolite-seeds", "5")

    result.assert_outcomes(passed=6)


def test_a_failure_says_how_to_repeat_it_and_that_fails_again(pytester: pytest.Pytester) -> None:
    """The report has the seed, the last that was said, and a command; the command fails with the same seed."""
    result = theirs(pytester, FAILS_WITH_SOME_SEEDS, "--mesolite-seeds", "6")
    failed = result.parseoutcomes()["failed"]
    commands = dict.fromkeys(re.findall(r"^seed (\d+); to repeat: pytest (.*)$", _text(result), re.MULTILINE))

    assert result.parseoutcomes()["passed"] > 0
    assert failed == len(commands)
    assert "the last that was said:" in _text(result)
    assert "LeaderDetected leader=master-1" in _text(result)
    for seed, command in list(commands)[:4]:  # of each kind of test one
        again = _run(pytester, *shlex.split(command))
        again.assert_outcomes(failed=1)
        assert f"seed {seed}; to repeat: pytest {command}" in _text(again)


def test_a_test_that_passes_says_nothing(pytester: pytest.Pytester) -> None:
    """The report is for failures."""
    result = theirs(pytester, "def test_it(sim): sim.cluster()", "-rA")

    assert "to repeat" not in _text(result)


def test_a_failure_without_a_simulation_says_nothing(pytester: pytest.Pytester) -> None:
    """There is no seed to tell."""
    result = theirs(pytester, "def test_it(): assert False")

    result.assert_outcomes(failed=1)
    assert "to repeat" not in _text(result)


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
