"""What would pass without having tried anything is refused, and a mistake is shown where it was made."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from mesolite import InvalidValue, Settings, Simulation
from mesolite.harness import Fault, Faults, compare, explore, sweep
from mesolite.harness.checkers import Checker, NoJobTwice
from mesolite.harness.exploration import NothingReached
from mesolite.harness.failure import Failure, NotReplayed
from tests.harness import naive

CALM = Faults.none()


async def coroutine(sim: Simulation) -> None:
    """Is never run."""
    raise AssertionError


def generator(sim: Simulation) -> Iterator[int]:
    """Is never run."""
    yield 1
    raise AssertionError


async def both(sim: Simulation) -> AsyncIterator[int]:
    """Is never run."""
    yield 1


def one_machine(sim: Simulation) -> None:
    """Does nothing."""
    sim.cluster(agents=1)
    sim.advance(1.0)


def few_events(sim: Simulation) -> None:
    """Has some instants, when its cluster is ready."""
    sim.cluster(agents=1).add_agent()
    sim.advance(1.0)


@pytest.mark.parametrize("scenario", [coroutine, generator, both], ids=lambda scenario: str(scenario.__name__))
def test_a_scenario_that_runs_nothing_is_refused(scenario: Callable[[Simulation], object]) -> None:
    """By whoever would run it."""
    with pytest.raises(InvalidValue, match="the scenario has run nothing: it returned a"):
        explore(scenario, seeds=3, faults=CALM)
    with pytest.raises(InvalidValue, match="without async and yield"):
        sweep(scenario, lambda: None)


async def never() -> bool:
    """Is true if nobody waits for it."""
    return False


class Done:
    """Has a method that somebody forgets to call."""

    def is_done(self) -> bool:
        """It is not."""
        return False


@pytest.mark.parametrize("done", [never, lambda: Done().is_done], ids=["a coroutine", "a method that is not called"])
def test_what_is_true_by_being_there_is_refused(done: Callable[[], object]) -> None:
    """`eventually` and `sometimes` want to be told."""

    def in_the_end(sim: Simulation) -> None:
        sim.eventually(done, within=5.0)
        one_machine(sim)

    def at_some_moment(sim: Simulation) -> None:
        sim.sometimes(done, "done")
        one_machine(sim)

    for scenario in (in_the_end, at_some_moment):
        failure = explore(scenario, seeds=1, faults=CALM).failure
        assert failure is not None
        assert "must return whether it is so, and returned" in str(failure.error)


def test_an_action_that_is_async_is_refused() -> None:
    """It would have done nothing, at every instant."""

    async def crash(sim: Simulation) -> None:
        raise AssertionError

    swept = sweep(few_events, crash)
    assert len(swept.failures) == swept.runs > 0
    assert "is async: it has done nothing" in str(swept.failure)


def test_a_scenario_that_ends_the_program_has_failed() -> None:
    """And the program goes on."""

    def scenario(sim: Simulation) -> None:
        one_machine(sim)
        sys.exit("away")

    failure = explore(scenario, seeds=2, faults=CALM).failure
    assert failure is not None
    assert str(failure.error) == "it has ended its program, with SystemExit('away')"
    assert __file__ in str(failure.identity)


def test_a_mistake_in_a_call_is_shown_where_the_call_is() -> None:
    """Not where the library has noticed it; so two of them are two."""

    def scenario(sim: Simulation) -> None:
        sim.cluster(agents=1)
        sim.advance(-1.0)

    failure = explore(scenario, seeds=1, faults=CALM).failure
    assert failure is not None
    assert f"InvalidValue at {__file__}:" in str(failure.identity)


def test_an_assertion_without_a_word_is_quoted() -> None:
    """An empty line says nothing."""
    failure = explore(naive.bare, seeds=1, faults=CALM).failure
    assert failure is not None
    assert "\nassert sim.now > 1_000.0\n" in failure.told("done:")


def test_what_only_looks_cannot_let_time_pass() -> None:
    """It would be another run with the statement than without."""

    def scenario(sim: Simulation) -> None:
        sim.always(lambda: sim.advance(1.0) or True)  # type: ignore[func-returns-value]
        one_machine(sim)

    failure = explore(scenario, seeds=1, faults=CALM).failure
    assert failure is not None
    assert "no time can pass while it does" in str(failure.error)


# ---------------------------------------------------------------------------------------------- nothing was tried


def test_no_time_no_instant_and_nobody_of_that_name_are_no_success() -> None:
    """`check` says what was not tried."""
    with pytest.raises(NothingReached, match="no seed was run"):
        explore(one_machine, seeds=5, time_limit=0).check()
    with pytest.raises(NothingReached, match="there was no instant to try"):
        sweep(lambda sim: None, lambda: None).check()
    nobody = CALM.but(crash=Fault(5.0, targets=("agnet-1",)))
    with pytest.raises(NothingReached, match="never injected: crash, which may hit agnet-1"):
        explore(one_machine, seeds=60, faults=nobody).check()


def test_what_fails_without_the_action_says_so() -> None:
    """Then there is no instant of it."""

    def scenario(sim: Simulation) -> None:
        one_machine(sim)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        sweep(scenario, lambda: None).check()
    assert caught.value.__notes__ == ["it fails without the action, so nothing was tried"]


def test_what_is_asked_in_vain_is_refused() -> None:
    """With what would do."""

    def nothing(seed: int) -> Any:
        return {}

    with pytest.raises(InvalidValue, match="for seed 0: it must give Settings"):
        explore(one_machine, seeds=1, settings=nothing)
    with pytest.raises(InvalidValue, match="is a class: give Settings"):
        explore(one_machine, seeds=1, settings=Settings)
    with pytest.raises(InvalidValue, match="give one seed at least"):
        compare(lambda sim, ending: {"a": 1}, {"one": lambda: None}, seeds=[])
    with pytest.raises(InvalidValue, match="give the shorter time first"):
        Fault(1.0, lasts=(5, 1.0))


def test_columns_of_later_seeds_are_there_and_words_are_no_range() -> None:
    """A range is of numbers."""

    def scenario(sim: Simulation, ending: Callable[[], object]) -> dict[str, object]:
        return {"word": "one" if sim.seed else "other", **({"late": sim.seed} if sim.seed else {})}

    table = str(compare(scenario, {"ending": lambda: None}, seeds=range(2)))
    assert table.splitlines()[0].split() == ["word", "late"]
    assert "other, one" in table


# ----------------------------------------------------------------------------------------------------- what is kept


def twice(sim: Simulation) -> None:
    """A job that runs twice: only a checker that is asked for minds."""
    from mesolite import TaskInfo  # noqa: PLC0415  as a scenario of its own file would
    from tests.harness.naive import Careful  # noqa: PLC0415

    class Twice(Careful):
        def resource_offers(self, driver: Any, offers: Any) -> None:
            for offer in offers:
                self.launched += 1
                task_id = f"t{self.launched}"
                self.alive[task_id] = None
                task = TaskInfo(task_id=task_id, name="job", resources="cpus:1;mem:32", command="sleep 1000")
                driver.launch_tasks(offer, task)

    sim.cluster(agents=2).run(Twice(), framework="twice")
    sim.advance(30.0)


@pytest.fixture(scope="module")
def failure() -> Failure:
    """What that checker finds."""
    found = explore(twice, seeds=5, faults=CALM, checkers=[NoJobTwice]).failure
    assert found is not None
    return found


def test_a_checker_that_was_asked_for_is_kept_with_what_it_found(tmp_path: pathlib.Path, failure: Failure) -> None:
    """Or else the failure would not fail again."""
    assert failure.identity.what == "checker no_job_twice"
    assert failure.confirmed == ""

    kept = Failure.load(failure.save(tmp_path / "kept.json"))
    with pytest.raises(AssertionError, match="no_job_twice"):
        kept.replay()
    made: dict[str, Any] = {}
    exec(failure.as_test(), made)  # the test that is given out
    (test,) = (value for name, value in made.items() if name.startswith("test_"))
    with pytest.raises(AssertionError, match="no_job_twice"):
        test()


def test_a_checker_without_a_name_cannot_be_kept(tmp_path: pathlib.Path) -> None:
    """And that is said, and not found out when the failure does not fail any more."""

    def make() -> Checker:
        return NoJobTwice()

    failure = explore(twice, seeds=5, faults=CALM, checkers=[make]).failure
    assert failure is not None
    with pytest.raises(NotReplayed, match="was made inside a function"):
        failure.save(tmp_path / "kept.json")


@pytest.mark.parametrize(
    "damage",
    [{"seed": None}, {"scenario": None}, {"format": 99}, {"script": {}}, {"checkers": [None]}, {"checkers": ["x:y"]}],
    ids=str,
)
def test_a_damaged_file_is_no_failure(tmp_path: pathlib.Path, failure: Failure, damage: dict[str, Any]) -> None:
    """Whatever is wrong with it."""
    file = tmp_path / "kept.json"
    file.write_text(json.dumps({**failure.to_plain(), **damage}))
    with pytest.raises(NotReplayed, match="holds no failure that can be replayed"):
        Failure.load(file)
    file.write_text("[" * 100_000)
    with pytest.raises(NotReplayed):
        Failure.load(file)


def test_a_place_that_takes_no_file_is_left_as_it_was(tmp_path: pathlib.Path, failure: Failure) -> None:
    """Nothing half written stays behind."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="folder"):
        failure.save(folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_scenario_that_makes_no_cluster_has_tried_nothing() -> None:
    """It would pass whatever it is to test."""
    with pytest.raises(NothingReached, match="in 2 runs the scenario has made no cluster"):
        explore(lambda sim: None, seeds=2)


@pytest.mark.parametrize("scenario", [lambda: None, lambda sim, more: None])
def test_a_scenario_takes_a_simulation(scenario: Any) -> None:
    """And is not called, shrunk and reported if it does not."""
    with pytest.raises(InvalidValue, match="is called with the simulation, and nothing else"):
        explore(scenario, seeds=2)


@pytest.mark.parametrize("processes", [1, 2])
def test_who_gives_a_time_limit_may_ask_for_any_number_of_seeds(processes: int) -> None:
    """They are thought of one by one."""
    found = explore(one_machine, seeds=10**12, faults=CALM, time_limit=0.2, processes=processes)

    assert 0 < found.runs < 10**6
