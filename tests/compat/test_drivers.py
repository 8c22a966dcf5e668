"""The drivers: to which cluster they belong, how they live and end, and what they say of misuse."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from mesolite import DriverAborted, InvalidValue, NothingToWaitFor, Refused, Simulation
from mesolite.compat.pymesos import (
    Dict,
    Executor,
    MesosSchedulerDriver,
    Scheduler,
    on,
)
from mesolite.messages import ReviveOffers, StatusUpdateAcknowledgement, SuppressOffers
from tests.compat.schedulers import resources
from tests.project.house_checks import ROOT

FRAMEWORK = {"user": "nobody", "name": "f"}


class Noting(Scheduler):
    """Notes what it is told, and keeps the offers."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.offers: list[Any] = []
        self.updates: list[Any] = []

    def registered(self, driver: Any, frameworkId: Any, masterInfo: Any) -> None:
        self.told.append("registered")

    def reregistered(self, driver: Any, masterInfo: Any) -> None:
        self.told.append("reregistered")

    def disconnected(self, driver: Any) -> None:
        self.told.append("disconnected")
        driver.reconcileTasks([])
        driver.launchTasks(self.offers[0]["id"], [task_for(self.offers[0])])

    def resourceOffers(self, driver: Any, offers: Any) -> None:
        self.offers += offers

    def statusUpdate(self, driver: Any, status: Any) -> None:
        self.updates.append(status)


def task_for(offer: Any, **fields: Any) -> dict[str, Any]:
    """A task on the agent of that offer."""
    start = {"task_id": {"value": "t1"}, "name": "t", "agent_id": offer["agent_id"], "resources": resources(1, 32)}
    return start | ({"command": {"value": "true"}} if "executor" not in fields else {}) | fields


def started(cluster: Any, scheduler: Any = None, **options: Any) -> MesosSchedulerDriver:
    """A driver of that cluster, running."""
    driver = MesosSchedulerDriver(scheduler or Noting(), dict(FRAMEWORK), cluster, **options)
    driver.start()
    return driver


# --- where it belongs --------------------------------------------------------------------------------------


def test_a_url_alone_belongs_to_no_cluster() -> None:
    """It says what to do."""
    with pytest.raises(Refused, match=r"with mesolite\.compat\.pymesos\.on\(cluster\)"):
        MesosSchedulerDriver(Noting(), dict(FRAMEWORK), "zk://nowhere")


def test_the_innermost_cluster_counts() -> None:
    """And none when the `with` is left."""
    with Simulation() as one, Simulation() as other:
        with on(one.cluster()), on(other.cluster()):
            driver = MesosSchedulerDriver(Noting(), dict(FRAMEWORK), "localhost:5050")
        driver.start()
        other.advance(2)
        assert driver.connected
        with pytest.raises(Refused):
            MesosSchedulerDriver(Noting(), dict(FRAMEWORK), "localhost:5050")


def test_a_cluster_may_be_given_itself(sim: Simulation) -> None:
    """Executors are those of the `with` around that is of the same cluster."""
    cluster = sim.cluster()
    with on(cluster, executors={"x": Executor}), Simulation() as other, on(other.cluster()):
        driver = started(cluster)
    sim.advance(2)

    assert driver.connected
    offer = driver.sched.offers[0]
    driver.launchTasks(offer["id"], [task_for(offer, executor={"executor_id": {"value": "x"}})])
    sim.advance(1)
    assert cluster.operator.state()["frameworks"][0]["tasks"]


@pytest.mark.parametrize(("cluster", "executors"), [("zk://", None), (None, None), ("", {"a": "python a.py"})])
def test_what_is_no_cluster_or_no_executor_is_refused(cluster: Any, executors: Any, sim: Simulation) -> None:
    """At the line that gives it."""
    with pytest.raises(InvalidValue), on(sim.cluster() if executors else cluster, executors):
        pass


def test_nothing_of_this_is_loaded_uninvited() -> None:
    """Neither by the package nor by clusters and simulations; and it needs no addict, and nothing of the harness."""
    program = (
        "import sys, mesolite; from mesolite import Cluster, Simulation; print('mesolite.compat' in sys.modules);"
        "import mesolite.compat.pymesos; print('addict' in sys.modules, 'mesolite.harness' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False", "False"]


# --- its life ----------------------------------------------------------------------------------------------


def test_it_is_aborted_before_it_starts_and_after_it_ends(sim: Simulation) -> None:
    """Before and after that its calls do nothing; the id is put into the framework, and kept."""
    cluster = sim.cluster()
    framework = Dict(FRAMEWORK)
    driver = MesosSchedulerDriver(Noting(), framework, cluster)
    driver.suppressOffers()
    driver.join()
    assert (driver.aborted, driver.connected, driver.master, driver.framework_id) == (True, False, None, None)
    driver.start()
    driver.start()
    sim.advance(2)
    assert (driver.aborted, driver.connected, driver.master, driver.version) == (
        False, True, "master-1:5050", "1.11.0"
    )  # fmt: skip
    assert driver.framework_id == framework["id"]["value"] == driver.framework["id"]["value"]
    driver.stop()
    driver.declineOffer(driver.sched.offers[0]["id"])
    driver.join()
    assert (driver.aborted, driver.connected) == (True, False)
    assert len(cluster.frameworks) == 1


def test_to_abort_is_to_stop(sim: Simulation) -> None:
    """As in pymesos, the framework goes with its tasks."""
    cluster = sim.cluster()
    driver = started(cluster)
    sim.advance(2)
    driver.abort()
    sim.settle()

    assert cluster.operator.state()["frameworks"] == []


def test_nothing_happens_while_no_master_is_connected(sim: Simulation) -> None:
    """What is launched in `disconnected` is not launched, and no update says so: as in pymesos."""
    cluster: Any = sim.cluster(masters=2)
    driver = started(cluster)
    sim.advance(2)
    cluster.leader.crash()
    sim.advance(60)

    assert driver.sched.told == ["registered", "disconnected", "reregistered"]
    assert driver.sched.updates == []


def test_another_master_does_not_know_of_a_suppression(sim: Simulation) -> None:
    """Offers come again, as pymesos does not tell it; our own driver would."""
    cluster: Any = sim.cluster(masters=2)
    driver = started(cluster)
    sim.advance(2)
    driver.declineOffer([offer["id"] for offer in driver.sched.offers], {"refuse_seconds": 0})
    said = sim.observe(SuppressOffers)
    driver.suppressOffers()
    sim.advance(30)
    before = len(driver.sched.offers)
    cluster.leader.crash()
    sim.advance(60)

    assert said.count == 1
    assert len(driver.sched.offers) > before


def test_a_suppression_is_not_revived_by_stopping(sim: Simulation) -> None:
    """Nothing is said but the end."""
    driver = started(sim.cluster())
    sim.advance(2)
    driver.suppressOffers()
    sim.settle()
    revived = sim.observe(ReviveOffers)
    driver.stop()
    sim.settle()

    assert revived.count == 0


def test_what_a_callback_raises_ends_the_driver_and_is_raised(sim: Simulation) -> None:
    """Where pymesos would log it and go on."""

    class Broken(Noting):
        def resourceOffers(self, driver: Any, offers: Any) -> None:
            raise KeyError("cpu")

    driver = started(sim.cluster(), Broken())
    with pytest.raises(KeyError, match="cpu"):
        sim.advance(2)
    assert driver.aborted


def test_a_refused_framework_is_raised_unless_it_listens(sim: Simulation) -> None:
    """With an `error` of its own a scheduler is told instead."""
    told: list[str] = []

    class Listening(Noting):
        def error(self, driver: Any, message: str) -> None:
            told.append(f"{driver.connected} {message}")

    cluster = sim.cluster()
    bad = FRAMEWORK | {"role": "a/../b"}
    for scheduler in (Noting(), Listening()):
        MesosSchedulerDriver(scheduler, dict(bad), cluster).start()
    with pytest.raises(DriverAborted):
        sim.advance(2)
    sim.advance(2)
    assert len(told) == 1
    assert told[0].startswith("False ")


def test_a_misspelt_callback_is_refused(sim: Simulation) -> None:
    """In snake case, too: nobody would ever call it."""

    class Misspelt(Scheduler):
        def resource_offers(self, driver: Any, offers: Any) -> None: ...

    class Misspeller(Executor):
        def launchtask(self, driver: Any, task: Any) -> None: ...

    cluster = sim.cluster()
    with pytest.raises(Refused, match="resourceOffers is meant"):
        started(cluster, Misspelt())
    with on(cluster, executors={"x": Misspeller}), pytest.raises(Refused, match="launchTask is meant"):
        started(cluster)


def test_nobody_to_stop_it_is_said(sim: Simulation) -> None:
    """`run` of a scheduler that never stops would wait for ever."""
    with pytest.raises(NothingToWaitFor):
        MesosSchedulerDriver(Noting(), dict(FRAMEWORK), sim.cluster()).run()


# --- what it asks for --------------------------------------------------------------------------------------


def launched(sim: Simulation, **options: Any) -> MesosSchedulerDriver:
    """A driver that has run one task."""
    driver = started(sim.cluster(), **options)
    sim.advance(2)
    driver.launchTasks(driver.sched.offers[0]["id"], task_for(driver.sched.offers[0]))
    return driver


@pytest.mark.parametrize("use_addict", [False, True])
def test_dictionaries_are_as_asked_for(sim: Simulation, use_addict: bool) -> None:
    """Plain ones, of which nothing missing can be had, or such with attributes."""
    driver = launched(sim, use_addict=use_addict)
    sim.advance(5)

    assert [update["state"] for update in driver.sched.updates][-1] == "TASK_FINISHED"
    for one in (driver.sched.updates[0], driver.sched.offers[0]["resources"][0]):
        assert type(one) is (Dict if use_addict else dict)


def test_updates_are_acknowledged_by_whoever_should(sim: Simulation) -> None:
    """Explicitly, the same update comes again until then; implicitly, to do so as well is without effect."""
    driver = launched(sim, implicit_acknowledgements=False)
    sim.advance(5)
    acknowledged = sim.observe(StatusUpdateAcknowledgement)
    assert {update["state"] for update in driver.sched.updates} == {"TASK_STARTING"}
    for _ in range(3):
        driver.acknowledgeStatusUpdate(driver.sched.updates[-1])
        sim.advance(1)
    driver.acknowledgeStatusUpdate({"task_id": {"value": "t1"}})

    assert [update["state"] for update in driver.sched.updates] == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
    assert acknowledged.count >= 3


def test_acknowledging_what_is_acknowledged_is_without_effect(sim: Simulation) -> None:
    """Of a driver that does so by itself."""
    driver = launched(sim)
    sim.advance(5)
    driver.acknowledgeStatusUpdate(driver.sched.updates[0])
    sim.advance(5)

    assert driver.sched.updates[-1]["state"] == "TASK_FINISHED"
    assert driver.connected
    assert not driver.aborted


def test_heartbeats_come_while_connected(sim: Simulation) -> None:
    """One right away, then every 15 s, and one row of them after another master leads, too (HT-64)."""

    class Beating(Noting):
        def processHeartBeat(self, driver: Any) -> None:
            beats[driver.master] = [*beats.get(driver.master, []), driver.now()]

    beats: dict[str, list[float]] = {}
    cluster: Any = sim.cluster(masters=2)
    started(cluster, Beating())
    sim.advance(40)
    cluster.leader.crash()
    sim.advance(60)

    assert sorted(beats) == ["master-1:5050", "master-2:5050"]
    for times in beats.values():
        assert len(times) >= 3
        assert {round(later - earlier, 6) for earlier, later in pairwise(times)} == {15.0}


def test_functions_are_called_later(sim: Simulation) -> None:
    """On the cluster's clock; not before it has started."""
    driver = MesosSchedulerDriver(Noting(), dict(FRAMEWORK), sim.cluster())
    with pytest.raises(Refused, match="start"):
        driver.call_later(1, lambda: None)
    driver.start()
    called: list[float] = []
    began = driver.now()
    driver.call_later(5, lambda: called.append(driver.now() - began))
    sim.advance(10)

    assert called == [pytest.approx(5.0)]


def test_what_is_not_there_is_refused_and_what_does_nothing_does_nothing(sim: Simulation) -> None:
    """Operations with ids; other roles; requests, which Mesos ignores, too."""
    driver = started(sim.cluster())
    sim.advance(2)
    driver.requestResources([{}])
    driver.reviveOffers(["*"])
    for refused in (
        lambda: driver.reconcileOperations([]),
        lambda: driver.acknowledgeOperationStatusUpdate({}),
        lambda: driver.suppressOffers(["web"]),
        lambda: driver.reviveOffers(["web"]),
        lambda: driver.sendFrameworkMessage({"value": "e"}, {"value": "S1"}, b"raw"),
        lambda: driver.killTask("t1"),
    ):
        with pytest.raises(Refused):
            refused()
