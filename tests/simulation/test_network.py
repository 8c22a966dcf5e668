"""What a test may do to the network: watch, lose, keep back, delay, repeat and forge. Cutting: test_partitions.py.

Agents' pings and their answers are the traffic: one of each every 15 s, and an agent that leaves five pings
unanswered is unreachable (drain.md 1.4.2).
"""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Refused, Scheduler, Simulation
from mesolite.messages.agent import PingAgent, PongAgent
from mesolite.messages.ids import TaskId
from mesolite.messages.relayed import KillTask
from mesolite.messages.scheduler import FrameworkError, ResourceOffers
from mesolite.simulation.simulation import SimulatedCluster
from tests.simulation.listening import Listener, lost


@pytest.fixture
def cluster(sim: Simulation) -> SimulatedCluster:
    return sim.cluster(agents=2)


# --------------------------------------------------------------------------------------------------------- observing


def test_an_expectation_sees_what_comes_after_it(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Every message of its kind between those actors, and nothing of the past."""
    seen = sim.expect(PingAgent, sender="master-1", receiver="agent-1")
    everybody = sim.expect(PingAgent)
    either = sim.expect((PingAgent, PongAgent), receiver="master-1")

    sim.advance(46.0)

    assert (seen.count, everybody.count, either.count) == (3, 6, 6)
    assert [PingAgent] * 3 == [type(message) for message in seen.all]
    assert seen.first == seen.all[0]


def test_an_expectation_may_look_into_messages(sim: Simulation, cluster: SimulatedCluster) -> None:
    """`where` decides about each."""
    offers = sim.expect(ResourceOffers, where=lambda message: len(message.offers) == 2)
    none = sim.expect(ResourceOffers, where=lambda message: not message.offers)

    cluster.run(Listener(), "listener")
    sim.advance(1.0)

    assert (offers.count, none.count) == (1, 0)


def test_an_expectation_that_saw_nothing_says_what_it_waited_for(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The error names the kind and the actors."""
    seen = sim.expect(PongAgent, sender="agent-2")

    with pytest.raises(LookupError, match="no PongAgent from agent-2 to anybody was seen"):
        _ = seen.first


def test_what_is_forgotten_sees_nothing_more(sim: Simulation, cluster: SimulatedCluster) -> None:
    """What it has seen stays readable."""
    seen = sim.expect(PingAgent)
    sim.advance(15.0)

    sim.forget(seen)
    sim.advance(15.0)

    assert seen.count == 2


def test_what_is_dropped_is_not_seen(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Seen means about to be handled (core.md LP-53)."""
    seen = sim.expect(PongAgent)
    sim.drop(PongAgent, sender="agent-1")

    sim.advance(15.0)

    assert [parcel.sender for parcel in seen.matched] == ["agent-2"]


# ------------------------------------------------------------------------------------------------- losing, keeping back


def test_dropped_messages_never_arrive(sim: Simulation, cluster: SimulatedCluster) -> None:
    """An agent whose pongs are lost is unreachable after five of them; the trace says why."""
    sim.drop(PongAgent, receiver="master-1", sender=cluster.agents["agent-1"])

    sim.advance(100.0)

    states = {agent["hostname"]: agent for agent in cluster.operator.state()["agents"]}
    assert list(states) == ["agent-2"]
    assert ("agent-1", "master-1", "PongAgent", "dropped") in lost(sim)


def test_a_fault_is_looked_at_when_a_message_is_about_to_be_handled(sim: Simulation, cluster: SimulatedCluster) -> None:
    """One that was sent before there was a fault is lost by it, too, in its turn (core.md LP-50)."""
    driver = cluster.run(Listener(), "listener")
    sim.settle()
    driver.kill_task("t1")
    driver.kill_task("t2")
    sim.run_until(lambda: [type(each.message) for each in sim.in_flight] == [KillTask, KillTask], timeout=1.0)

    dropped, passed = sim.drop(KillTask, times=1), sim.observe(KillTask)
    sim.settle()

    assert ([kill.task_id for kill in dropped.all], [kill.task_id for kill in passed.all]) == (["t1"], ["t2"])


def test_a_drop_may_be_for_the_first_so_many(sim: Simulation, cluster: SimulatedCluster) -> None:
    """After that it is as if it had never been."""
    dropped = sim.drop(PongAgent, sender="agent-1", times=2)
    seen = sim.expect(PongAgent, sender="agent-1")

    sim.advance(45.0)

    assert (dropped.count, seen.count) == (2, 1)


def test_a_forgotten_drop_lets_pass(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Faults end when the test says so."""
    drop = sim.drop(PongAgent)
    sim.advance(15.0)
    sim.forget(drop)
    seen = sim.expect(PongAgent)

    sim.advance(15.0)

    assert (drop.count, seen.count) == (2, 2)


def test_of_two_faults_the_later_decides(sim: Simulation, cluster: SimulatedCluster) -> None:
    """So that a special case can be put before a general one (core.md LP-55)."""
    general = sim.drop(PongAgent)
    hold = sim.hold(PongAgent, sender="agent-1")

    sim.advance(15.0)

    assert (general.count, hold.count) == (1, 1)


@pytest.mark.parametrize("number", [1, 5, 250])
def test_held_messages_arrive_in_order_when_they_are_released(
    sim: Simulation, cluster: SimulatedCluster, number: int
) -> None:
    """In the order they were sent, before anything of that pair that was sent later, however many they are."""
    tasks = [f"t{task}" for task in range(number)]
    driver = cluster.run(Listener(), "listener")
    sim.settle()
    hold = sim.hold(KillTask, sender="listener")
    seen = sim.expect(KillTask, receiver="master-1")
    for task in tasks:
        driver.kill_task(task)
    sim.settle()
    assert (hold.count, seen.count) == (number, 0)

    hold.release()
    driver.kill_task("last")
    sim.settle()

    assert [message.task_id for message in hold.all] == tasks
    assert [message.task_id for message in seen.all] == [*tasks, "last"]


def test_what_is_released_is_handled_once_it_is_settled(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Releasing twice delivers once."""
    hold = sim.hold(PingAgent, receiver="agent-1")
    sim.advance(15.0)
    answers = sim.expect(PongAgent, sender="agent-1")

    hold.release()
    hold.release()
    sim.settle()

    assert answers.count == 1


def test_user_code_may_release(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Nothing is handled inside a handler: what is released there is handled after it."""
    hold = sim.hold(PingAgent, receiver="agent-1")
    sim.advance(15.0)
    inside: list[bool] = []
    pings = sim.expect(PingAgent, receiver="agent-1")
    answers = sim.expect(PongAgent, sender="agent-1")

    def release() -> None:
        hold.release()
        inside.append(bool(pings.count))

    driver = cluster.run(Listener(), "listener")
    driver.call_later(1.0, release)
    sim.advance(2.0)

    assert inside == [False]
    assert (answers.count, driver.error) == (1, None)


def test_delayed_messages_arrive_later(sim: Simulation, cluster: SimulatedCluster) -> None:
    """By so many seconds, once each."""
    pings = sim.expect(PingAgent, receiver="agent-1")
    sim.delay(4.0, PongAgent, sender="agent-1")
    seen = sim.expect(PongAgent, sender="agent-1")

    sim.run_until(lambda: pings.count, timeout=20.0)
    sim.advance(3.9)
    assert seen.count == 0
    sim.advance(0.2)
    assert seen.count == 1
    sim.advance(15.0)
    assert seen.count == 2


def test_duplicated_messages_arrive_twice(sim: Simulation, cluster: SimulatedCluster) -> None:
    """For as often as was said."""
    sim.duplicate(PongAgent, sender="agent-1", times=1)
    seen = sim.expect(PongAgent, sender="agent-1")

    sim.advance(31.0)

    assert seen.count == 3


# ----------------------------------------------------------------------------------------------------------- forging


def test_an_injected_message_is_handled_as_if_it_had_been_sent(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The receiver believes the sender that is named, and only that one."""
    listener = Listener()
    driver = cluster.run(listener, "listener")
    sim.settle()

    sim.inject("listener", FrameworkError(message="forged by nobody"), sender="agent-1")
    sim.settle()
    assert listener.errors == []

    sim.inject("listener", FrameworkError(message="forged"), sender="master-1")
    sim.settle()
    assert listener.errors == ["forged"]
    assert driver.status.name == "DRIVER_ABORTED"


def test_injecting_to_nobody_is_refused(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The error names who is there."""
    with pytest.raises(Refused, match=r"nobody named agent-7 to inject FrameworkError to; there are .*agent-2"):
        sim.inject("agent-7", FrameworkError(message="hello"))


VERBS = ["expect", "drop", "hold", "duplicate", "delay"]


def watch(sim: Simulation, verb: str, **who: Any) -> Any:
    """Watch or spoil all messages of somebody."""
    return sim.delay(1.0, **who) if verb == "delay" else getattr(sim, verb)(**who)


@pytest.mark.parametrize(
    "name", ["agent-9", "master-2", "agent-", "not yet", "keeper", "agent-1/m1-F1/e1", "agnet-1/e1"]
)
@pytest.mark.parametrize("verb", VERBS)
def test_whom_nobody_knows_yet_may_be_watched(sim: Simulation, cluster: SimulatedCluster, verb: str, name: str) -> None:
    """Agents are added, executors and frameworks come later than the wish to watch them."""
    for side in ("sender", "receiver"):
        watched = watch(sim, verb, **{side: name})
        assert watched.count == 0


@pytest.mark.parametrize("verb", VERBS)
def test_who_comes_later_is_seen_from_the_start(sim: Simulation, cluster: SimulatedCluster, verb: str) -> None:
    """By the name that was given before anybody had it."""
    watched = watch(sim, verb, receiver="agent-3")

    cluster.add_agent()
    sim.advance(2.0)

    assert watched.count > 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("agnet-1", "agent-[12]"),
        ("agent1", "agent-1"),
        ("Agent-2", "agent-2"),
        ("mastr-1", "master-1"),
        ("electro", "elector"),
    ],
)
@pytest.mark.parametrize("verb", VERBS)
def test_a_name_that_is_nearly_that_of_somebody_is_refused(
    sim: Simulation, cluster: SimulatedCluster, verb: str, name: str, meant: str
) -> None:
    """It would be a test that tests nothing; one that has gone is somebody, too."""
    cluster.agents["agent-1"].crash()
    cluster.agents["agent-2"].crash()
    sim.settle()

    why = f"there never was anybody named {name}; perhaps {meant} is meant, or start it first"
    for side in ("sender", "receiver"):
        with pytest.raises(Refused, match=why):
            watch(sim, verb, **{side: name})


@pytest.mark.parametrize("verb", VERBS)
def test_who_was_there_may_be_watched(sim: Simulation, cluster: SimulatedCluster, verb: str) -> None:
    """It may come back under its name, however much that is like another's."""
    driver = cluster.run(Listener(), "agent_1")
    sim.advance(2.0)
    driver.stop()
    sim.settle()

    assert watch(sim, verb, sender="agent_1").count == 0


# ----------------------------------------------------------------------------------------------------------- latency


def test_latency_keeps_the_order_of_a_pair() -> None:
    """A message takes a random time, and none overtakes another of the same pair (core.md LP-13)."""
    with Simulation(seed=3, latency=(0.001, 0.5)) as sim:
        driver = sim.cluster(agents=1).run(Scheduler(), "mine")
        sim.advance(2.0)
        messages = [TaskId(str(number)) for number in range(20)]
        seen = sim.expect(KillTask, sender="mine", receiver="master-1")

        for task_id in messages:
            driver.kill_task(task_id)
        sim.settle()
        assert seen.all == []
        sim.advance(10.0)

        assert messages == [message.task_id for message in seen.all]
