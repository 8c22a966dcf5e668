"""Exploring: what is found is the same with any number of processes, small, confirmed, and can be replayed and kept."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import types

import psutil
import pytest

from mesolite import InvalidValue, Settings, Simulation
from mesolite.actors.decisions.master.state import MasterState
from mesolite.harness import Exploration, Failure, Faults, NothingReached, NotReplayed, explore, reached
from mesolite.harness.coverage import Reached
from mesolite.harness.explore import Plan
from mesolite.harness.run import Setting, replayed
from mesolite.harness.script import from_plain, to_plain
from mesolite.simulation.properties import PropertyViolated
from tests.harness import naive
from tests.inside import alive

SEEDS = 30


@pytest.fixture(scope="module")
def found() -> Exploration:
    """What exploring the naive scheduler finds."""
    return explore(naive.naive, seeds=SEEDS)


def test_a_naive_scheduler_is_found_out(found: Exploration) -> None:
    """By its own property; the script is small, and another process agrees."""
    failure = found.failure
    assert failure is not None
    assert isinstance(failure.error, PropertyViolated)
    assert len(failure.script.faults) <= 3
    assert failure.script.order == ()
    assert failure.confirmed == ""
    assert found.runs <= SEEDS
    with pytest.raises(PropertyViolated) as raised:
        found.check()
    assert "what was done" in raised.value.__notes__[0]


def test_what_is_found_fails_again_when_replayed(found: Exploration) -> None:
    """With the same error, and the same trace."""
    assert found.failure is not None
    with pytest.raises(PropertyViolated, match="has not come true within 120"):
        found.failure.replay()


def test_a_failure_can_be_kept(found: Exploration, tmp_path: pathlib.Path) -> None:
    """In a file that finds its scenario by name; and as the source of a test."""
    assert found.failure is not None
    path = found.failure.save(tmp_path / "kept" / "failure.json")
    kept = Failure.load(path)

    assert (kept.seed, kept.script, kept.scenario) == (found.failure.seed, found.failure.script, naive.naive)
    with pytest.raises(PropertyViolated):
        kept.replay()
    names: dict[str, object] = {}
    exec(kept.as_test(), names)  # the source of a test is there to be run
    [test] = [value for name, value in names.items() if name.startswith("test_")]
    with pytest.raises(PropertyViolated):
        test()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "no failure that can be"), ("{}", "no failure"), ('{"format": 9}', "format 9"), ("[1]", "no failure")],
)
def test_a_file_that_is_none_is_refused(tmp_path: pathlib.Path, text: str, why: str) -> None:
    """It says which file, and why not."""
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotReplayed, match=why):
        Failure.load(path)


def test_a_scenario_that_is_gone_is_named(found: Exploration, tmp_path: pathlib.Path) -> None:
    """So that whoever renamed it knows what to do."""
    assert found.failure is not None
    plain = found.failure.to_plain() | {"scenario": "tests.harness.naive:renamed"}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(NotReplayed, match=r"tests\.harness\.naive:renamed"):
        Failure.load(path)


@pytest.mark.long
def test_several_processes_find_the_same(found: Exploration) -> None:
    """The lowest seed that fails, whoever runs it; also for a scenario that only this process knows."""

    def scenario(sim: Simulation) -> None:
        naive.naive(sim)

    alone, together = explore(scenario, seeds=SEEDS), explore(scenario, seeds=SEEDS, processes=2)
    assert alone.failure is not None
    assert together.failure is not None
    assert found.failure is not None
    assert alone.failure.seed == together.failure.seed == found.failure.seed
    assert alone.failure.script == together.failure.script
    assert together.failure.confirmed is None
    assert (alone.runs, alone.faults) == (together.runs, together.faults)


def test_a_scheduler_that_listens_is_not_found_out() -> None:
    """And what was tried is counted."""
    found = explore(naive.mended, seeds=SEEDS)

    found.check()
    assert (found.failure, found.runs) == (None, SEEDS)
    assert found.sometimes["all tasks run"] > SEEDS // 2
    assert sum(count["injected"] for count in found.faults.values()) > SEEDS
    assert found.coverage.reached[Reached("master", "leading", "RegisterAgent")] > 0
    assert ("master", "TeardownFrameworkCall") in found.coverage.never_reached
    assert found.coverage.never_called == []
    assert found.coverage.callbacks["status_update"] > 0
    assert "all tasks run" in str(found)


def test_what_was_never_reached_fails() -> None:
    """Said from outside or inside user code; where there is no run, `reached` says nothing."""
    reached("outside")

    def scenario(sim: Simulation) -> None:
        sim.cluster(agents=1)
        sim.sometimes(lambda: sim.now < 0, "the past")
        reached("inside")

    found = explore(scenario, seeds=3, faults=Faults.none())
    assert found.sometimes == {"the past": 0, "inside": 3}
    with pytest.raises(NothingReached, match="never reached: the past"):
        found.check()


def test_a_scenario_that_keeps_something_between_its_runs_is_told_so() -> None:
    """It failed, and did not when it was run again: what is kept has to be found first."""
    naive.counted.clear()
    with pytest.raises(NothingReached, match="keeps something between its runs"):
        explore(naive.keeps_something, seeds=5, faults=Faults.none())


@pytest.mark.long
@pytest.mark.parametrize("order", ["pct", "fifo"])
def test_every_order_finds_it(order: str) -> None:
    """It takes a fault, not an order."""
    found = explore(naive.naive, seeds=SEEDS, order=order)
    assert found.failure is not None


def test_orders_and_limits_are_checked() -> None:
    """An order that there is not is refused; no seed is begun after the time limit."""
    with pytest.raises(InvalidValue, match="'lifo'"):
        explore(naive.mended, order="lifo")
    assert explore(naive.mended, seeds=10_000, time_limit=0.0).runs == 0


@pytest.mark.slow
def test_our_own_faults_are_called_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a master is found by a checker that says whose fault it is."""
    monkeypatch.setattr(MasterState, "recover", lambda *arguments: None)
    found = explore(naive.mended, seeds=SEEDS)

    assert found.failure is not None
    assert "this is a fault of Mesolite" in str(found.failure.error)
    assert found.failure.confirmed not in (None, "")


@pytest.mark.parametrize("seed", range(6))
def test_a_script_makes_the_run_again_record_for_record(seed: int) -> None:
    """With the exceptions that were noted, and with the seed's own order."""
    plan = Plan(scenario=naive.mended, faults=Faults.harsh())
    drawn = plan.run(seed, note=True)

    assert drawn.script.faults
    for script in (drawn.script, drawn.script.but(order=None), from_plain(to_plain(drawn.script))):
        again = replayed(naive.mended, seed, script, Setting())
        assert (again.hash, again.unfit) == (drawn.hash, [])


def test_a_scenario_of_no_module_is_found_and_not_confirmed() -> None:
    """Such as one that was typed in, or is on a page of the documents."""
    typed = types.ModuleType("typed_in")
    exec("def fails(sim):\n    sim.cluster()\n    assert False, 'typed in'\n", typed.__dict__)  # as a page does
    sys.modules["typed_in"] = typed
    try:
        found = explore(typed.fails, seeds=1)
    finally:
        del sys.modules["typed_in"]

    assert found.failure is not None
    assert found.failure.confirmed is None


def test_a_program_that_explores_when_it_is_loaded_is_confirmed_once(tmp_path: pathlib.Path) -> None:
    """The other process loads the file, and so explores; what it finds it does not confirm again, and so on."""
    program = tmp_path / "explores.py"
    program.write_text(
        "import os\nfrom mesolite import explore\n\n"
        "def fails(sim):\n    sim.cluster()\n    assert False\n\n"
        "with open(os.path.join(os.path.dirname(__file__), 'loaded'), 'a') as file:\n    file.write('x')\n"
        "print(repr(explore(fails, seeds=1).failure.confirmed))\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=100, check=True)

    assert done.stdout == "''\n"
    assert (tmp_path / "loaded").read_text() == "xx"


def _remembers(sim: Simulation) -> None:
    sim.cluster()
    assert sim.settings.agent_ping_timeout_s < 12.0


def test_settings_may_be_those_of_a_seed() -> None:
    """A failure keeps the settings of its own seed, and replays with them."""
    found = explore(_remembers, seeds=20, settings=lambda seed: Settings.mesos().but(agent_ping_timeout_s=10.0 + seed))

    assert found.failure is not None
    assert found.failure.seed == 2
    assert found.failure.setting.settings == Settings.mesos().but(agent_ping_timeout_s=12.0)
    assert found.failure.confirmed == ""


def test_who_recovers_by_itself_is_not_recovered_again() -> None:
    """What a scenario does after `recover()` it does on a cluster that nothing more is done to."""
    ended: list[bool] = []

    def recovers(sim: Simulation) -> None:
        cluster = sim.cluster(agents=2)
        sim.advance(60)
        sim.recover()
        cluster.agents["agent-1"].power_off()
        ended.append(True)

    run = Plan(scenario=recovers, faults=Faults.none().but(restart=20)).run(1)

    assert (run.error, ended) == (None, [True])
    assert run.script.faults
    assert not alive(run.sim, "agent-1")


def test_processes_that_help_end_with_whom_they_help(tmp_path: pathlib.Path) -> None:
    """However it ends: nobody would want what comes of their seeds, of which one may take for ever."""
    program = tmp_path / "endless.py"
    program.write_text(
        "import os, threading\n"
        "from mesolite import explore\n"
        "def scenario(sim):\n"
        "    os.write(1, b'begun\\n')  # both at once, and whole\n"
        "    threading.Event().wait()\n"
        "explore(scenario, seeds=100, processes=2)\n",
        encoding="utf-8",
    )
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as exploring:
        assert exploring.stdout is not None
        begun = [exploring.stdout.readline() for _ in range(2)]
        helping = psutil.Process(exploring.pid).children()
        exploring.kill()

    _, alive = psutil.wait_procs(helping, timeout=60)

    assert (begun, len(helping), alive) == (["begun\n"] * 2, 2, [])


@pytest.mark.parametrize("wrong", [str, lambda: None, lambda: 1 / 0])
def test_what_makes_no_checker_is_refused_before_any_seed(wrong: object) -> None:
    """With what it is, and what would work."""
    with pytest.raises(InvalidValue, match=r"checkers: .* makes no checker"):
        explore(naive.mended, seeds=1, checkers=[wrong])  # type: ignore[list-item]
