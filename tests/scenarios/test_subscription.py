"""A scheduler's driver subscribes: once, however often it has to say so (core.md 3.1)."""

from __future__ import annotations

from mesolite import Simulation
from mesolite.messages import FrameworkRegistered, Subscribe
from tests.scenarios.schedulers import PLAIN, Recorder, framework_of


def test_a_subscription_that_comes_twice_is_one_framework(sim: Simulation) -> None:
    """The master takes the second for a repeat, the driver hears one answer; no offer is taken back (FW-2, EL-59)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    sim.duplicate(Subscribe)
    answers = sim.expect(FrameworkRegistered, receiver="plain")

    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(20.0)

    assert answers.count == 2
    assert framework.names == ["registered", "resource_offers"]
    assert framework_of(cluster)["id"] == driver.framework_id


def test_a_subscription_whose_answer_is_lost_is_repeated_and_is_one_framework(sim: Simulation) -> None:
    """Within 2 s the driver asks again, gets the same id, and is registered once (EL-57, FW-2)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    lost = sim.drop(FrameworkRegistered, times=1)

    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    assert (lost.count, framework.names) == (1, [])
    sim.advance(2.0)

    assert framework.names.count("registered") == 1
    assert driver.framework_id == lost.first.framework_id == framework_of(cluster)["id"]


def test_a_subscription_that_crosses_its_answer_takes_no_offer_back() -> None:
    """It is repeated while the answer is on its way: the offers that follow the answer stay good (FW-2)."""
    with Simulation(latency_s=(1.5, 1.5)) as sim:
        cluster = sim.cluster(agents=1)
        framework = Recorder()
        asked = sim.expect(Subscribe)

        driver = cluster.run(framework, framework=PLAIN)
        sim.advance(20.0)

        assert asked.count > 1
        assert framework.names == ["registered", "resource_offers"]
        assert framework_of(cluster)["id"] == driver.framework_id
