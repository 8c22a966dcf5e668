"""State machines of Hypothesis: what they find, how it reads, what has its say at the end, what is missing without."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from mesolite import PropertyViolated
from mesolite.harness.run import CheckerViolated
from mesolite.harness.schedulers import Crashing, Deaf, Endless
from mesolite.harness.stateful import ClusterMachine
from tests.harness.machines import Keeping, KeepingBadly

WITHOUT_EXPLANATION = [phase for phase in Phase if phase is not Phase.explain]

TestKeeping = Keeping.TestCase
TestKeeping.settings = settings(TestKeeping.settings, max_examples=10, stateful_step_count=12, derandomize=True)


class Small(ClusterMachine):
    """One agent, one master, and a scheduler without a fault."""

    agents, masters = 1, 1

    def start(self) -> None:
        self.cluster.run(Endless(), framework="mine")


def begun(kind: type[ClusterMachine], seed: int = 0) -> Any:
    """A machine whose steps are called by hand, as a failing example prints them."""
    machine: Any = kind()
    machine.begin(seed=seed)
    return machine


@pytest.mark.long
def test_a_schedulers_fault_is_found_and_made_small() -> None:
    """It does not listen to one end of a task: that an agent dies is all that is left of the example."""
    wanted = settings(
        max_examples=100,
        stateful_step_count=12,
        phases=WITHOUT_EXPLANATION,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(AssertionError, match=r"mine TASK_RUNNING since .* unheeded: .* TASK_LOST") as caught:
        run_state_machine_as_test(KeepingBadly, settings=wanted)

    told = "\n".join(caught.value.__notes__)
    steps = [line for line in told.splitlines() if line.startswith("state.") and "it_believes" not in line]
    assert steps[0] == "state.begin(seed=0)"
    assert steps[-1] == "state.teardown()"
    assert len(steps) <= 6, told
    assert all(word not in told for word in ("drain", "reclaim", "partition", "master(")), told
    assert "agent='agent-" in told
    assert "what happened:" in told
    assert "its framework heard TASK_LOST last" in told


def test_every_rule_can_be_carried_out() -> None:
    """One after another; then all is mended, and nobody objects."""
    machine = begun(Keeping)
    machine.advance(seconds=5)
    for step in (
        lambda: machine.crash(agent="agent-1", wait=5),
        lambda: machine.restart(agent="agent-1", anew=False, wait=20),
        lambda: machine.deactivate(agent="agent-1", wait=1),
        lambda: machine.drain(agent="agent-2", grace=5, wait=20),
        lambda: machine.take_back(agent="agent-1", wait=1),
        lambda: machine.power_off(agent="agent-1"),
        lambda: machine.restart(agent="agent-1", anew=True, wait=20),
        lambda: machine.reclaim(agent="agent-1", within=5, wait=20),
        lambda: machine.crash_master(master="master-1", wait=1),
        lambda: machine.restart_master(master="master-1", wait=60),
        lambda: machine.partition(agent="agent-1", wait=20),
        lambda: machine.partition_framework(framework="mine", wait=5),
        lambda: machine.heal(wait=20),
        lambda: machine.unregister(agent="agent-1", wait=5),
        lambda: machine.mark_gone(agent="agent-2", wait=5),
    ):
        step()
    assert machine.running.injector.unfit == []
    machine.teardown()

    assert sorted(agent.name for agent in machine.sim.view.agents if agent.connected) == ["agent-1", "agent-2"]
    assert machine.sim.view.state["deactivated_agents"] == []
    assert len(machine.sim.view.running("mine")) == 2


def test_what_must_come_true_has_to_at_the_end() -> None:
    """As with `sim.recover()`."""

    class Never(Small):
        def start(self) -> None:
            self.sim.eventually(lambda: False, within=10)

    machine = begun(Never)
    machine.advance(seconds=5)
    with pytest.raises(PropertyViolated):
        machine.teardown()


def test_checkers_have_their_say_at_the_end() -> None:
    """The standard ones, but those that are left out, and those that are wanted besides."""

    class Sits(Small):
        def start(self) -> None:
            self.cluster.run(Deaf(wanted=0), framework="deaf")

    class MaySit(Sits):
        without = ("offers_are_answered",)

    for kind, expected in ((Sits, pytest.raises(CheckerViolated)), (MaySit, contextlib.nullcontext())):
        machine = begun(kind)
        machine.advance(seconds=120)
        with expected:
            machine.teardown()


def test_what_user_code_raises_is_a_failure() -> None:
    """At the step in which it does."""

    class Crashes(Small):
        def start(self) -> None:
            self.cluster.run(Crashing(), framework="crashing")

    with pytest.raises(RuntimeError, match="cannot bear"):
        begun(Crashes).advance(seconds=5)


def test_after_a_step_has_failed_the_end_says_nothing_more() -> None:
    """Or it would hide what failed."""

    class Never(Small):
        def start(self) -> None:
            self.sim.eventually(lambda: False, within=10)

    def fails() -> None:
        machine = begun(Never)
        try:
            raise ZeroDivisionError
        finally:
            machine.teardown()

    with pytest.raises(ZeroDivisionError):
        fails()


def test_the_same_steps_are_the_same_run() -> None:
    """The order of messages is the seed's alone; whether it is drawn is up to the user."""

    def traced(seed: int) -> str:
        machine = begun(Small, seed)
        machine.advance(seconds=5)
        machine.crash(agent="agent-1", wait=20)
        digest: str = machine.sim.trace.hash()
        return digest

    assert traced(3) == traced(3) != traced(4)


@pytest.mark.parametrize(("seed", "many"), [(7, False), (None, True)])
def test_the_seed_is_fixed_or_drawn_once_an_example(seed: int | None, many: bool) -> None:
    """By the class."""
    begun_with: list[int] = []

    class Noting(Small):
        def start(self) -> None:
            begun_with.append(self.sim.seed)

    Noting.seed = seed
    few = settings(Noting.TestCase.settings, max_examples=5, stateful_step_count=2, database=None, derandomize=True)
    run_state_machine_as_test(Noting, settings=few)

    assert (len(set(begun_with)) > 1) == many
    assert many or set(begun_with) == {7}


def test_without_hypothesis_it_says_what_to_install() -> None:
    """And nothing else of the harness needs it."""
    code = "import sys; sys.modules['hypothesis'] = None; import mesolite.harness; print('so far');"
    code += "import mesolite.harness.stateful"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout == "so far\n"
    assert "needs hypothesis, which is not installed: pip install 'mesolite[hypothesis]'" in done.stderr


@pytest.mark.parametrize(
    ("hides", "instead"), [("begin", r"start your schedulers in start\(\)"), ("teardown", r"call super\(\)\.teardown")]
)
def test_a_subclass_cannot_hide_what_every_example_needs(hides: str, instead: str) -> None:
    """Or there would be no cluster, in every rule, or no checker would have its say."""
    with pytest.raises(TypeError, match=rf"Mine\.{hides} hides what every example needs; {instead}"):
        type("Mine", (ClusterMachine,), {hides: lambda self: None})


def test_a_subclass_may_add_to_the_end_of_an_example() -> None:
    """With a word for what it stands before."""

    class Mine(ClusterMachine):
        def teardown(self) -> None:
            super().teardown()

    assert Mine.teardown is not ClusterMachine.teardown
