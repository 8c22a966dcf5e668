"""Belief against truth: who believes what of a task, since when, because of which message, and what was lost."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

import pytest

from mesolite import Disagreement, FrameworkInfo, InvalidValue, MesoliteSchedulerDriver, Simulation, TaskState
from mesolite.compat.pymesos import on
from mesolite.harness.checkers import BeliefsAreTrue, Checkers
from mesolite.messages import RunTask, StatusUpdate
from mesolite.simulation import SimulatedCluster
from tests.compat.schedulers import Steadfast, steadfast_driver
from tests.harness.naive import Careful, Naive

RUNNING = TaskState.TASK_RUNNING


def started(sim: Simulation, agents: int = 2, masters: int = 1) -> tuple[SimulatedCluster, MesoliteSchedulerDriver]:
    """A cluster with two tasks of a scheduler called mine."""
    cluster = sim.cluster(agents=agents, masters=masters)
    driver = cluster.run(Naive(), FrameworkInfo(name="mine"))
    sim.advance(5.0)
    return cluster, driver


def only(found: tuple[Disagreement, ...]) -> Disagreement:
    """The one there is."""
    (one,) = found
    return one


def test_nobody_disagrees_about_what_all_know(sim: Simulation) -> None:
    """Tasks run, and one ends: whoever is asked says the same."""
    _, driver = started(sim)
    assert len(sim.view.running(driver)) == 2
    assert sim.disagreements(driver) == ()

    driver.kill_task("t1")
    sim.advance(10.0)
    assert sim.disagreements(driver) == sim.disagreements("mine") == ()


def test_an_end_that_its_scheduler_was_not_told(sim: Simulation) -> None:
    """Leader and agent know of it, and the message that was lost is named, with the time when."""
    _, driver = started(sim)
    sim.drop(StatusUpdate, receiver="mine", times=1)
    driver.kill_task("t1")
    killed_at = sim.now + 1.0
    sim.advance(4.0)

    found = only(sim.disagreements(driver))
    states = (found.scheduler.state, found.leader.state, found.agent.state)
    assert states == (RUNNING, TaskState.TASK_KILLED, TaskState.TASK_KILLED)
    assert (found.task_id, found.since, found.age) == ("t1", killed_at, 3.0)
    assert "master-1 => mine: StatusUpdate t1 TASK_RUNNING" in found.scheduler.message
    assert "-> master-1: StatusUpdate mine t1 TASK_KILLED" in found.leader.message
    assert "master-1 -x mine: StatusUpdate t1 TASK_KILLED" in found.lost
    assert found.lost.endswith(f"(dropped) at {killed_at:.3f}")
    assert re.match(r"t1, for 3.000 s: mine TASK_RUNNING since \d\.\d+ \(master-1 => mine: StatusUpdate", str(found))
    assert "\n" not in str(found)
    assert "t1 TASK_KILLED" in sim.trace.why(found.leader.index)


def test_it_is_over_when_the_update_is_said_again(sim: Simulation) -> None:
    """An agent says it again until it is acknowledged."""
    _, driver = started(sim)
    sim.drop(StatusUpdate, receiver="mine", times=1)
    driver.kill_task("t1")
    sim.advance(60.0)

    assert sim.disagreements(driver) == ()


def test_a_launch_that_was_lost(sim: Simulation) -> None:
    """Scheduler and leader take for alive what its agent never heard of."""
    sim.drop(RunTask, receiver="agent-1", times=1)
    _, driver = started(sim, agents=1)

    found = only(sim.disagreements(driver))
    assert (found.scheduler.is_alive, found.leader.is_alive, found.agent.state) == (True, True, None)
    assert found.leader.state is TaskState.TASK_STAGING
    assert "RunTask" in found.lost
    assert "agent-1 has nothing of it" in str(found)


def test_an_agent_out_of_reach_goes_on_with_what_it_has(sim: Simulation) -> None:
    """The leader gives it up after 75 to 90 s, and says so; its machine runs on, unless it is a crash."""
    cluster, driver = started(sim)
    sim.partition("agent-1", "master-1")
    sim.advance(100.0)

    found = only(sim.disagreements(driver))
    assert found.agent.believer == "agent-1"
    assert (found.agent.state, found.agent.since < 1.0) == (RUNNING, True)
    assert not found.leader.is_alive
    assert "MarkAgentUnreachable agent-1" in found.leader.message
    assert found.since == found.leader.since > 75.0

    sim.heal()
    sim.advance(30.0)
    assert sim.disagreements(driver) == ()

    cluster.agents["agent-1"].power_off()
    sim.advance(20.0)
    found = only(sim.disagreements(driver))
    assert (found.scheduler.is_alive, found.leader.is_alive, found.agent.is_alive) == (True, True, False)
    assert found.age == 20.0
    assert found.agent.message == "agent-1: (ends with -1, silently)"


def test_only_those_that_have_lasted(sim: Simulation) -> None:
    """So `assert not sim.disagreements(driver, older_than=30)` is a property."""
    cluster, driver = started(sim)
    cluster.agents["agent-1"].power_off()
    sim.advance(20.0)

    assert sim.disagreements(driver, older_than=30.0) == ()
    sim.advance(11.0)
    assert only(sim.disagreements(driver, older_than=30.0)).age == 31.0


@pytest.mark.parametrize("state", [RUNNING, "TASK_RUNNING"])
def test_a_belief_that_its_scheduler_says_itself(sim: Simulation, state: TaskState | str) -> None:
    """What it was told and does not believe is named."""
    _, driver = started(sim)
    sim.advance(1.0)
    believed = {"t1": state, "t2": state}

    def belief(scheduler: Naive) -> dict[str, TaskState | str]:
        assert isinstance(scheduler, Naive)
        return believed

    assert sim.disagreements(driver, belief) == ()
    driver.kill_task("t1")
    sim.advance(3.0)
    found = {str(each.task_id): each for each in sim.disagreements(driver, belief)}
    assert sorted(found) == ["t1", "t3"]
    assert "StatusUpdate t1 TASK_KILLED" in found["t1"].scheduler.unheeded
    assert "mine has nothing of it (unheeded: " in str(found["t3"])


def test_who_does_not_acknowledge_is_behind(sim: Simulation) -> None:
    """The end of a task waits behind an update that was not taken; the leader knows it, the scheduler does not."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Naive(), FrameworkInfo(name="mine"), implicit_acknowledgements=False)
    sim.advance(5.0)
    driver.kill_task("t1")
    sim.advance(5.0)

    found = only(sim.disagreements(driver))
    assert (found.scheduler.is_alive, found.leader.is_alive, found.agent.is_alive) == (True, False, False)


def test_a_driver_of_another_interface(sim: Simulation) -> None:
    """Its own driver is taken, and its belief is asked of the user's own object."""
    with on(sim.cluster(agents=2)):
        driver = steadfast_driver({})
    sim.advance(5.0)
    asked: list[object] = []

    def belief(given: Steadfast) -> dict[str, str]:
        asked.append(given)
        return dict(given.store["tasks"])

    assert sim.disagreements(driver) == sim.disagreements(driver, belief) == ()
    assert asked == [driver.sched]
    assert {task.task_id for task in sim.view.running()} == set(driver.sched.store["tasks"])
    driver.sched.store["tasks"].popitem()
    assert len(sim.disagreements(driver, belief)) == 1


def test_errors_say_what_would_work(sim: Simulation) -> None:
    """A driver that is none, and beliefs that are none."""
    with pytest.raises(InvalidValue, match="or its name; there are none yet"):
        sim.disagreements("mine")
    _, driver = started(sim)

    with pytest.raises(InvalidValue, match=r"driver cannot be 'yours' \(str\): it must be one.*there are mine"):
        sim.disagreements("yours")
    with pytest.raises(InvalidValue, match="belief returned 'RUNNING' of 't1': it must be a TaskState or its name"):
        sim.disagreements(driver, lambda scheduler: {"t1": "RUNNING"})
    with pytest.raises(InvalidValue, match="must return a dict"):
        sim.disagreements(driver, lambda scheduler: 5)  # type: ignore[return-value]
    driver.stop()
    sim.settle()
    assert sim.disagreements(driver) == ()


def eventful(seed: int, look: Callable[[Simulation, MesoliteSchedulerDriver], None]) -> Simulation:
    """A careful scheduler on a cluster to which a lot happens; somebody looks every half second."""
    sim, dice = Simulation(seed, latency=(0.0, 0.02)), random.Random(seed)
    cluster = sim.cluster(agents=3, masters=2)
    driver = cluster.run(Careful(), FrameworkInfo(name="mine", checkpoint=bool(seed % 2)))

    def acts() -> Iterator[Callable[[], object]]:
        agent = cluster.agents[f"agent-{dice.randint(1, 3)}"]
        yield agent.crash if agent.alive else agent.restart
        yield agent.power_off if agent.alive else agent.restart
        yield lambda: [sim.partition(agent, master) for master in cluster.masters.values()]
        yield sim.heal
        leader = cluster.leader
        yield leader.crash if leader is not None else sim.settle
        yield lambda: [master.restart() for master in cluster.masters.values() if not master.alive]
        yield lambda: driver.kill_task(dice.choice(["t1", "t2", "t3"]))

    for _ in range(12):
        dice.choice(list(acts()))()
        for _ in range(dice.choice([4, 20, 100])):
            sim.advance(0.5)
            look(sim, driver)
    sim.recover()
    sim.advance(60.0)
    look(sim, driver)
    return sim


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 12))])
def test_since_is_when_it_began(seed: int) -> None:
    """At every look before there was no such disagreement, at every look after there was; at the end there is none."""
    looks: list[tuple[float, dict[str, Disagreement]]] = []
    eventful(seed, lambda sim, driver: looks.append((sim.now, {d.task_id: d for d in sim.disagreements(driver)})))

    assert looks[-1][1] == {}
    before: tuple[float, dict[str, Disagreement]] = (0.0, {})
    for now, found in looks:
        for task_id, each in found.items():
            assert each.since + each.age == pytest.approx(now)
            known = before[1].get(task_id)
            assert known is None or each.since == known.since or each.since > before[0], (now, str(each))
            assert known is not None or each.since >= before[0] - 1e-9, (now, str(each))
        before = (now, found)


def test_looking_changes_nothing() -> None:
    """The same run with somebody who looks at every event, and without: also in the middle of an instant."""

    def watched(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
        if not sim.stated.always:
            sim.always(lambda: sim.disagreements(driver, older_than=1e6) == ())

    hashes = [eventful(5, look).trace.hash() for look in (watched, lambda sim, driver: None)]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("older_than", [None, 20.0])
def test_as_a_checker_it_says_so_in_time(sim: Simulation, older_than: float | None) -> None:
    """With a time it is looked at while nothing is disturbed; without one, only when all is mended."""
    true = BeliefsAreTrue(lambda scheduler: dict.fromkeys(scheduler.alive, RUNNING), "mine", older_than=older_than)
    checkers = Checkers(sim, [true])
    cluster = sim.cluster(agents=1)
    forgetful = Naive(ends=())
    driver = cluster.run(forgetful, FrameworkInfo(name="mine"))
    sim.advance(5.0)
    assert checkers.unfinished() == []
    driver.kill_task("t1")
    sim.advance(30.0)

    assert (checkers.first is not None) == (older_than is not None)
    (unfinished,) = checkers.unfinished()
    assert unfinished.about == ("t1",)
    assert "for 29.000 s: mine TASK_RUNNING since" in unfinished.text
