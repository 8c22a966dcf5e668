"""A record that no store could keep: the actor that wants it saved fails, in a simulation as on a real cluster.

Everything people give is checked before it gets that far, so the broken record comes by a way that nobody checks.
"""

from __future__ import annotations

import pytest

from mesolite import ActorFailed, FrameworkInfo, Simulation, TaskInfo
from mesolite.actors.runtime.port import Delivery
from mesolite.messages import AdmitAgent, ApplyOperation, RunTask, TaskCheckpoint
from mesolite.messages.ids import WriteId
from mesolite.messages.infos import AgentInfo
from tests.inside import store_of
from tests.scenarios.schedulers import CHECKPOINTED, PLAIN, Launcher, check_books, command_task, leader_of
from tests.scenarios.unstorable import LARGE, UNSTORABLE, broken, slip_in

AGENT = AgentInfo(hostname="h", resources="cpus:1")


def stored_tasks(sim: Simulation) -> dict[str, TaskInfo]:
    """What agent-1 has stored of tasks, by their ids."""
    records = store_of(sim, "agent-1").values()
    return {record.task.task_id: record.task for record in records if type(record) is TaskCheckpoint}


def test_an_agent_that_cannot_checkpoint_a_task_fails_alone(sim: Simulation) -> None:
    """The error names the record and the field; everybody else lives on, and the agent can be started again."""
    cluster = sim.cluster(agents=1, masters=2)
    launches = sim.expect(RunTask)
    framework, other = Launcher(command_task("t1")), Launcher(command_task("o1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(2.0)
    cluster.add_agent()
    slip_in(cluster, launches.first, data={"not": "data"})

    with pytest.raises(ActorFailed, match=UNSTORABLE):
        sim.settle()

    assert [name for name, machine in {**cluster.agents, **cluster.masters}.items() if not machine.alive] == ["agent-1"]
    cluster.run(other, framework=PLAIN)
    sim.advance(2.0)
    assert other.states("o1") == ["STARTING", "RUNNING"]
    cluster.agents["agent-1"].restart()
    sim.advance(5.0)
    assert cluster.agents["agent-1"].registered
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    check_books(sim)


def test_a_leader_whose_registrar_has_failed_ends_and_another_leads(sim: Simulation) -> None:
    """It could decide on nothing any more; the next leader reads what was stored, and all is well (EL-37)."""
    cluster = sim.cluster(agents=1, masters=2)
    leader = leader_of(cluster)
    broken_agent = broken(AGENT, id="m1-S9", hostname=5)
    admitted = ApplyOperation(write_id=WriteId("m1-W9"), operation=AdmitAgent(agent=broken_agent))
    registrar = sim.runtime.directory.find(f"{leader.name}/registrar")
    assert registrar is not None
    registrar.ref.tell(Delivery(admitted, leader.name, -1))

    with pytest.raises(ActorFailed, match=r"registrar failed: .*'admitted/m1-S9' .* AdmittedAgent.agent\.hostname"):
        sim.settle()
    sim.advance(20.0)

    assert not leader.alive
    assert leader_of(cluster) is not leader
    assert cluster.agents["agent-1"].registered
    assert [agent["id"] for agent in cluster.operator.state()["agents"]] == [cluster.agents["agent-1"].id]
    check_books(sim)


def test_a_simulation_without_an_encoded_store_keeps_what_it_is_given(mesolite_seed: int) -> None:
    """It is for large simulations, which spare the encoding, and with it the check."""
    sim = Simulation(seed=mesolite_seed, encoded_store=False)
    cluster = sim.cluster(agents=1)
    launches = sim.expect(RunTask)
    cluster.run(Launcher(command_task("t1")), framework=CHECKPOINTED)
    sim.advance(2.0)
    kept = launches.first.task.work

    slip_in(cluster, launches.first, data={"not": "data"})
    sim.advance(2.0)

    assert stored_tasks(sim)["t1"].work is kept
    assert stored_tasks(sim)["t2"].data == {"not": "data"}


@pytest.mark.parametrize("encoded_store", [True, False])
def test_checkpoints_survive_a_restart_with_and_without_encoding(mesolite_seed: int, encoded_store: bool) -> None:
    """20 MB of a task's own bytes are nothing out of the way, and the two kinds of store make no difference."""
    sim = Simulation(seed=mesolite_seed, encoded_store=encoded_store)
    cluster = sim.cluster(agents=1)
    task = command_task("t1")
    framework = Launcher(TaskInfo(task_id="t1", resources=task.resources, command="work", work=task.work, data=LARGE))
    cluster.run(framework, framework=FrameworkInfo(name="large", checkpoint=True))
    sim.advance(2.0)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.advance(1.0)

    agent.restart()
    sim.advance(5.0)

    assert framework.states("t1") == ["STARTING", "RUNNING"]
    assert stored_tasks(sim)["t1"].data == LARGE
    check_books(sim)
