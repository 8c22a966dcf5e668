"""What operators see, and how they end a framework (core.md OP-2 to OP-7, FW-36)."""

from __future__ import annotations

import json
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from mesolite import Books, FrameworkInfo, MesoliteSchedulerDriver, NameTaken, Refused, SchedulerDriver, Simulation
from mesolite.messages import CallAnswered, ReregisterAgent, ShutdownFramework, StatusUpdate, TeardownFrameworkCall
from mesolite.messages.ids import FrameworkId
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.resources import Resources
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    Recorder,
    Spreader,
    command_task,
    executor_task,
    fail_over,
    framework_of,
    only,
)

LASTING = FrameworkInfo(name="lasting", failover_timeout_s=1e6)

# --- ending a framework ---


@pytest.mark.scenario("TeardownTest.GoodACLs")
def test_an_operator_ends_a_framework_and_all_it_runs(sim: Simulation) -> None:
    """Its agents are told, its tasks are recorded as KILLED, its driver is aborted and says why (FW-36).

    Mesos's sibling BadACLs has no counterpart: there is no authorisation here, whoever has the cluster is its operator.
    """
    cluster = sim.cluster(agents=2)
    framework, bystander = Launcher(command_task("t1"), command_task("t2")), Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    cluster.run(bystander, framework="bystander")
    sim.advance(5.0)
    told = sim.expect(ShutdownFramework)
    updated = sim.expect(StatusUpdate, sender="master-1")

    cluster.operator.teardown(driver)

    completed = only(cluster.operator.state()["completed_frameworks"])
    assert completed["id"] == driver.framework_id
    assert [(task["state"], task["cause"]) for task in completed["completed_tasks"]] == [
        ("TASK_KILLED", "FRAMEWORK_REMOVED")
    ] * 2
    assert framework_of(cluster)["name"] == "bystander"
    sim.advance(30.0)
    assert told.count == 2
    assert updated.count == 0
    assert framework.errors == [f"framework {driver.framework_id} was ended by an operator"]
    assert [agent["tasks"] for agent in cluster.operator.state()["agents"]] == [[], []]
    assert bystander.errors == []


@pytest.mark.scenario("TeardownTest.RecoveredFrameworkAfterMasterFailover")
def test_an_operator_ends_a_framework_whose_scheduler_has_not_come_back(sim: Simulation) -> None:
    """The new leader knows it from its agent only; once ended, it is completed and cannot come back (FW-11, FW-36)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=LASTING)
    sim.advance(5.0)
    for master in cluster.masters.values():
        sim.partition(driver.name, master)
    fail_over(sim, cluster)
    sim.run_until(lambda: cluster.operator.state()["frameworks"], timeout=60.0)
    assert framework_of(cluster)["recovered"]

    cluster.operator.teardown(str(driver.framework_id))

    assert cluster.operator.state()["frameworks"] == []
    completed = only(cluster.operator.state()["completed_frameworks"])
    assert (completed["id"], completed["tasks"]) == (driver.framework_id, [])
    assert [task["task_id"] for task in completed["completed_tasks"]] == ["t1"]
    sim.heal()
    sim.advance(60.0)
    assert framework.errors == [
        f"framework {driver.framework_id} has been removed; subscribe without an id to start a new one"
    ]
    assert only(cluster.operator.state()["agents"])["tasks"] == []


def test_an_operator_ends_a_framework_whose_scheduler_has_gone(sim: Simulation) -> None:
    """It would have been kept for its failover time-out; an agent that was away ends it when it returns (FW-39)."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Launcher(command_task("t1")), framework=LASTING)
    sim.advance(5.0)
    driver.stop(failover=True)
    sim.partition("agent-1", "master-1")
    sim.advance(100.0)
    assert not framework_of(cluster)["connected"]
    told = sim.expect(ShutdownFramework)

    cluster.operator.teardown(driver)
    assert cluster.operator.state()["frameworks"] == []
    assert told.count == 0
    sim.heal()
    sim.advance(60.0)

    assert told.first.framework_id == driver.framework_id
    assert only(cluster.operator.state()["agents"])["tasks"] == []


def test_ending_a_framework_twice_is_harmless_and_an_unknown_one_is_refused(sim: Simulation) -> None:
    """The second call finds it done (ours; Mesos answers 400); a name that nobody has is a mistake (SEC-42)."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Recorder(), framework=PLAIN)
    sim.settle()
    answered = sim.expect(CallAnswered)

    cluster.operator.teardown(driver)
    cluster.operator.teardown(driver)
    with pytest.raises(Refused, match=r"there is no framework 'nobody'; the state lists the frameworks by id"):
        cluster.operator.teardown("nobody")

    assert [answer.code for answer in answered.all] == [200, 200, 400]
    assert len(cluster.operator.state()["completed_frameworks"]) == 1


@pytest.mark.parametrize("first", ["operator", "scheduler"])
def test_operator_and_scheduler_may_end_it_at_once(sim: Simulation, first: str) -> None:
    """In either order it ends once, and both find it done (FW-33)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(5.0)
    call = TeardownFrameworkCall(call_id=1, framework_id=FrameworkId(str(driver.framework_id)))
    answered = sim.expect(CallAnswered)

    for who in ("operator", "scheduler") if first == "operator" else ("scheduler", "operator"):
        if who == "operator":
            sim.inject("master-1", call, sender="operator")
        else:
            driver.stop()
        sim.settle()

    assert answered.first.code == 200
    assert len(cluster.operator.state()["completed_frameworks"]) == 1
    assert cluster.operator.state()["frameworks"] == []


# --- looking ---


@pytest.mark.scenario("MasterAPITest.GetRecoveredAgents")
def test_an_agent_is_either_registered_or_recovered(sim: Simulation) -> None:
    """Before a failover it is one, after it the other, until it is back, with the same id (EL-40)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = cluster.agents["agent-1"].id

    def known() -> tuple[list[str], list[str]]:
        state = cluster.operator.state()
        return [agent["id"] for agent in state["agents"]], state["recovered_agents"]

    assert known() == ([agent_id], [])
    away = sim.hold(ReregisterAgent)
    fail_over(sim, cluster)
    sim.advance(5.0)
    assert known() == ([], [agent_id])
    away.release()
    sim.settle()
    assert known() == ([agent_id], [])


@pytest.mark.scenario("SlaveTest.StateEndpoint")
def test_an_agent_is_shown_with_what_it_is_and_what_it_runs(sim: Simulation) -> None:
    """Name, machine, resources, attributes; then one framework, one executor, one running task (OP-3, OP-4, OP-7).

    There is one state here, the leader's; a task's resources and those of its executor are shown each by itself.
    """
    cluster = sim.cluster(agents=0)
    resources = "cpus:4;mem:1024;disk:1024;ports:[31000-32000]"
    machine = cluster.add_agent("big", resources, {"rack": "r1", "disk": "ssd"}, hostname="host-1", ip="10.0.0.1")
    sim.run_until(lambda: machine.registered, timeout=30.0)
    agent = only(cluster.operator.state()["agents"])
    shown = [agent[key] for key in ("id", "name", "hostname", "ip", "attributes", "connected", "active", "deactivated")]
    rack = {"rack": "r1", "disk": "ssd"}
    assert shown == [machine.id, "big", "host-1", "10.0.0.1", rack, True, True, False]
    assert Resources.of(agent["resources"]) == Resources.of(resources)
    assert (agent["tasks"], agent["executors"]) == ([], [])

    driver = cluster.run(Launcher(executor_task("t1")), framework=PLAIN, executors=EXECUTORS)
    sim.advance(5.0)

    framework, agent = framework_of(cluster), only(cluster.operator.state()["agents"])
    assert (framework["id"], framework["name"], framework["role"]) == (driver.framework_id, "plain", "*")
    task = only(framework["tasks"])
    assert (task["task_id"], task["state"], task["resources"]) == ("t1", "TASK_RUNNING", "cpus:1;mem:128")
    assert (task["agent_id"], task["executor_id"]) == (machine.id, "e1")
    assert agent["tasks"] == ["t1"]
    executor = only(agent["executors"])
    assert (executor["executor_id"], executor["framework_id"]) == ("e1", driver.framework_id)
    assert executor["resources"] == "cpus:0.1;mem:32"


def busy(sim: Simulation) -> tuple[SimulatedCluster, MesoliteSchedulerDriver]:
    """A cluster with something of everything that state() shows, and the driver of the framework that runs there."""
    cluster = sim.cluster(agents=8, masters=2)
    # One task on each agent, which only SIGKILL ends.
    driver = cluster.run(Spreader(*(command_task(f"t{n}", STUBBORN) for n in range(8))), framework=AWARE)
    sim.settle()
    done = cluster.run(Recorder(), framework="done")
    cluster.run(Recorder(), framework="waiting")
    sim.advance(5.0)
    done.stop()
    operator = cluster.operator
    operator.update_maintenance_schedule(
        [
            Window(machines=("agent-5",), unavailability=Unavailability(start=1e4)),
            Window(machines=("agent-6",), unavailability=Unavailability(start=1e4, duration_s=60.0), enforce=True),
        ]
    )
    operator.machine_down(["agent-6"])
    operator.deactivate("agent-1")
    operator.drain("agent-2", 1e4, message="new disks", initiator="me")
    operator.drain("agent-3", 0.0)
    operator.mark_gone("agent-4")
    operator.reclaim("agent-8", "cpus:4", within=1e4, message="a bigger job")
    operator.reclaim("agent-1", "cpus:1", within=1e4).release()
    for master in cluster.masters.values():
        sim.partition("agent-7", master)
    sim.advance(100.0)
    return cluster, driver


def unlike(value: Any, kind: Any, where: str) -> list[str]:
    """Where data is not what a type of `Books` says, each with the path to it."""
    if is_typeddict(kind):
        keys = [] if isinstance(value, dict) and value.keys() == kind.__required_keys__ else [f"{where}: {value}"]
        hints = get_type_hints(kind).items()
        return keys or [one for key, hint in hints for one in unlike(value[key], hint, f"{where}.{key}")]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list and isinstance(value, list):
        return [one for number, item in enumerate(value) for one in unlike(item, arguments[0], f"{where}[{number}]")]
    if origin is dict and isinstance(value, dict):
        pairs = [pair for item in value.items() for pair in zip(item, arguments, strict=True)]
        return [one for held, hint in pairs for one in unlike(held, hint, where)]
    if origin is UnionType:
        return [] if any(unlike(value, one, where) == [] for one in arguments) else [f"{where}: {value!r} is no {kind}"]
    return [] if type(value) is kind else [f"{where}: {value!r} is no {kind}"]


def test_the_state_is_plain_data(sim: Simulation) -> None:
    """Whatever a cluster has been through, JSON takes its state as it is, and gives the same back (OP-2)."""
    cluster, _ = busy(sim)
    states = [cluster.operator.state()]
    fail_over(sim, cluster)
    states.append(cluster.operator.state())
    sim.advance(60.0)
    states.append(cluster.operator.state())

    assert [json.loads(json.dumps(state, allow_nan=False)) for state in states] == states
    assert [unlike(state, Books, "state()") for state in states] == [[], [], []]
    nothing = [[key for key, value in state.items() if value == [] or value == {}] for state in states]
    assert nothing[0] == ["recovered_agents"]
    assert "agents" in nothing[1]
    assert "recovered_agents" not in nothing[1]


class Leaving(Launcher):
    """Will give everything back."""

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: Any) -> None:
        driver.accept_inverse_offers(inverse_offers, returning=["t1"])


def test_the_state_names_executors_and_what_frameworks_answered(sim: Simulation) -> None:
    """Executors by the agent they are on, answers by the machine that is to go down (5.9.1)."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Leaving(executor_task("t1")), framework=AWARE, executors=EXECUTORS)
    sim.advance(5.0)
    cluster.operator.update_maintenance_schedule(Window(machines="agent-1", unavailability=Unavailability(start=1e4)))
    sim.advance(5.0)

    state = cluster.operator.state()

    assert unlike(state, Books, "state()") == []
    ids = {"executor_id": "e1", "framework_id": driver.framework_id}
    executor = ids | {"framework": "aware", "resources": "cpus:0.1;mem:32"}
    assert only(state["agents"])["executors"] == [executor]
    machine = only(cluster.operator.maintenance_status()["draining_machines"])
    answer = only(only(machine["agents"])["answers"])
    assert answer | {"timestamp": 0.0} == {
        "framework_id": driver.framework_id,
        "status": "ACCEPT",
        "timestamp": 0.0,
        "reason": "",
        "returning": ["t1"],
    }


def test_the_state_has_everybody_and_everything_that_was_decided(sim: Simulation) -> None:
    """Agents by where they are, and since when; what was decided about each; what is offered and asked (OP-2)."""
    cluster, driver = busy(sim)
    state = cluster.operator.state()
    ids = {name: str(machine.id) for name, machine in cluster.agents.items()}

    assert sorted(agent["name"] for agent in state["agents"]) == [f"agent-{n}" for n in (1, 2, 3, 5, 8)]
    assert list(state["unreachable_agents"]) == [ids["agent-7"]]
    assert 75.0 < state["unreachable_agents"][ids["agent-7"]] < sim.now
    assert list(state["gone_agents"]) == [ids["agent-4"]]
    assert state["gone_agents"][ids["agent-4"]] < 75.0
    decided = [ids[name] for name in ("agent-1", "agent-2", "agent-3")]
    assert state["deactivated_agents"] == decided
    assert {agent["id"] for agent in state["agents"] if agent["deactivated"]} == set(decided)
    assert {agent["id"] for agent in state["agents"] if not agent["active"]} == set(decided)
    assert [drain["agent_id"] for drain in state["drains"]] == [ids["agent-2"]]
    assert [drain["agent_id"] for drain in state["past_drains"]] == [ids["agent-3"]]
    assert {offer["agent_id"] for offer in state["offers"]} == {ids["agent-5"], ids["agent-8"]}
    assert {asked["agent_id"] for asked in state["inverse_offers"]} == {ids["agent-5"], ids["agent-8"]}
    assert [(reclaim["agent_id"], reclaim["state"]) for reclaim in state["reclaims"]] == [(ids["agent-8"], "ASKED")]
    assert [(reclaim["agent_id"], reclaim["state"]) for reclaim in state["past_reclaims"]] == [
        (ids["agent-1"], "RELEASED")
    ]
    assert [framework["name"] for framework in state["completed_frameworks"]] == ["done"]
    running = next(framework for framework in state["frameworks"] if framework["id"] == driver.framework_id)
    assert sorted(task["agent_id"] for task in running["tasks"]) == sorted(ids[f"agent-{n}"] for n in (1, 2, 5, 8))
    assert [task["agent_id"] for task in running["unreachable_tasks"]] == [ids["agent-7"]]


@pytest.mark.parametrize("name", ["master-1", "elector", "operator", "mine"])
def test_an_agent_cannot_have_the_name_of_somebody_else(sim: Simulation, name: str) -> None:
    """It is refused, and leaves no agent behind that is none."""
    cluster = sim.cluster(agents=1)
    cluster.run(Recorder(), framework="mine")
    sim.settle()

    with pytest.raises(NameTaken, match=f"there is or was somebody else named '{name}'"):
        cluster.add_agent(name)

    assert list(cluster.agents) == ["agent-1"]
