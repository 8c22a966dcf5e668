"""The marker of the pytest plugin, and the names of its fixtures, as somebody else's tests see them."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.user_file import text_of, theirs


def test_the_marker_sets_up_the_simulation_and_the_cluster(pytester: pytest.Pytester) -> None:
    """Settings for both, latency for `sim`; the closest marker counts, argument by argument."""
    text = """
        import pytest
        from mesolite import Settings
        ours, other = Settings.local(), Settings(agent_ping_timeout_s=3.0)
        pytestmark = pytest.mark.mesolite(settings=ours, latency=(0.1, 0.2))
        def test_sim(sim):
            sim.cluster()
            assert sim.settings is ours and sim.now >= 0.2
        @pytest.mark.mesolite(settings=other)
        def test_closest(sim):
            sim.cluster()
            assert sim.settings is other and sim.now >= 0.2
        def test_cluster(cluster): assert cluster.settings is ours
        @pytest.mark.mesolite(seeds=2, order="fifo", without=("offers_are_answered",))
        def test_explored(sim):
            sim.cluster()
            assert sim.settings is ours and sim.now >= 0.2
    """

    theirs(pytester, text, "--strict-markers").assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("setings=None", "has no argument setings"),
        ("1", "takes no argument without a name"),
        ("settings=3", "settings=3"),
        ("latency=1", "latency=1"),
        ("latency=(2, 1)", "latency=(2, 1)"),
        ("latency=(-1, 1)", "latency=(-1, 1)"),
        ("latency=(0, float('nan'))", "latency=(0, nan)"),
        ("latency=('0', 1)", "latency=('0', 1)"),
        ("seeds=0", "seeds=0"),
        ("seeds=True", "seeds=True"),
        ("faults=2", "faults=2"),
        ("order='lifo'", "order='lifo'"),
        ("order='pct'", "that order is learned over several runs; give seeds, too"),
        ("replay=3", "replay=3"),
        ("without='offers_are_answered'", "without='offers_are_answered'"),
        ("without=('no_such_checker',)", "as docs/checkers.md has them"),
        ("allow_fixtures='tmp_path'", "give True or False"),
    ],
)
def test_a_wrong_marker_is_an_error_at_that_test(pytester: pytest.Pytester, arguments: str, said: str) -> None:
    """It says what is wrong, and other tests are not concerned."""
    text = f"import pytest\n@pytest.mark.mesolite({arguments})\ndef test_it(sim): pass\ndef test_other(sim): pass"

    result = theirs(pytester, text)

    result.assert_outcomes(errors=1, passed=1)
    assert "@pytest.mark.mesolite" in text_of(result)
    assert said in text_of(result)


@pytest.mark.parametrize("order", [["-p", "other"], []])
def test_another_plugin_may_have_the_name(pytester: pytest.Pytester, order: list[str]) -> None:
    """Ours are there under names of their own, with seeds and all, and a conftest says whose `sim` counts."""
    pytester.makepyfile(other="import pytest\n@pytest.fixture\ndef sim(): return 'theirs'")
    pytester.makeconftest("from other import sim" if not order else "")
    pytester.syspathinsert()
    text = "def test_it(sim, mesolite_sim): assert (sim, mesolite_sim.seed < 3) == ('theirs', True)"

    theirs(pytester, text, *order, "--mesolite-seeds", "3").assert_outcomes(passed=1)
