"""Who may say what to a leader: an operator's calls are the operator's, and what arrives wrong ends only its sender."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite import MachineId, Simulation, Unavailability, Window
from mesolite.messages import AgentInfo, CallAnswered, FrameworkError, RegisterAgent, ShutdownAgent, SuppressOffers
from mesolite.messages import operator as calls
from mesolite.messages.base import Message
from mesolite.messages.ids import AgentId, FrameworkId
from tests.inside import say
from tests.scenarios.schedulers import PLAIN, Launcher, command_task
from tests.scenarios.unstorable import broken

CALLS = [
    kind
    for kind in vars(calls).values()
    if attrs.has(kind) and issubclass(kind, Message) and kind.__module__ == calls.__name__ and kind is not CallAnswered
]
"""Everything an operator may ask for, found by looking."""

FITTING: dict[str, Any] = {
    "call_id": 7,
    "agent_id": AgentId("m1-S1"),
    "within_s": 0.0,
    "windows": (Window(machines="agent-1", unavailability=Unavailability(start=0)),),
    "machines": (MachineId(hostname="agent-1"),),
    "reclaim_id": "m1-R1",
}


@pytest.mark.parametrize("sender", ["plain", "agent-1", "outside"])
@pytest.mark.parametrize("kind", CALLS, ids=lambda kind: kind.__name__)
def test_an_operators_call_is_obeyed_from_the_operator_only(sim: Simulation, kind: Any, sender: str) -> None:
    """Whoever else makes one is told so, and nothing is different from before."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(5.0)
    fitting = FITTING | {"framework_id": driver.framework_id}
    if "agent_id" in attrs.fields_dict(kind):
        del fitting["framework_id"]  # a reclaim names one of the two
    call = kind(**{field.name: fitting[field.name] for field in attrs.fields(kind) if field.name in fitting})
    before, answered = cluster.operator.state(), sim.expect(CallAnswered)

    sim.inject("master-1", call, sender=sender)
    sim.settle()

    assert [(answer.call_id, answer.code) for answer in answered.all] == [(7, 403)]
    assert f"{kind.__name__} is an operator's to make, and {sender} is none" in answered.first.refusal
    assert cluster.operator.state() == before
    assert framework.states("t1") == ["STARTING", "RUNNING"]


def test_what_a_framework_says_wrong_ends_that_framework_only(sim: Simulation) -> None:
    """It came past all checks on the way; the leader says why, its driver aborts, everybody else goes on (SEC-47)."""
    cluster = sim.cluster(agents=1)
    bystander, wrong = Launcher(command_task("t1")), Launcher(command_task("t2"))
    cluster.run(bystander, framework="bystander")
    driver = cluster.run(wrong, framework="wrong")
    sim.advance(5.0)
    refused = sim.expect(FrameworkError, receiver="wrong")
    message = broken(SuppressOffers(framework_id=FrameworkId(str(driver.framework_id))), framework_id={"value": "f"})

    say(cluster, "wrong", "master-1", message)
    sim.advance(5.0)

    assert "framework_id cannot be {'value': 'f'} (dict): it must be text" in refused.first.message
    assert driver.status.name == "DRIVER_ABORTED"
    assert cluster.leader is not None
    assert bystander.states("t1") == ["STARTING", "RUNNING"]


def test_an_agent_that_registers_as_nonsense_is_shut_down_alone(sim: Simulation) -> None:
    """The leader says what was wrong, and goes on with everybody else."""
    cluster = sim.cluster(agents=2)
    bystander = Launcher(command_task("t1"))
    cluster.run(bystander, framework="bystander")
    sim.advance(5.0)
    busy = bystander.updates("t1")[-1].agent_id
    (idle,) = (agent for agent in cluster.agents.values() if agent.id != busy)
    told = sim.expect(ShutdownAgent)

    nobody = broken(RegisterAgent(agent=AgentInfo(hostname="h", resources="cpus:1")), agent=None)
    say(cluster, idle.name, "master-1", nobody)
    sim.advance(5.0)

    assert told.first.reason.startswith("its registration was refused: RegisterAgent.agent cannot be None")
    assert [agent.id for agent in cluster.agents.values() if agent.registered] == [busy]
    assert bystander.states("t1") == ["STARTING", "RUNNING"]


@pytest.mark.parametrize(("call_id", "answered_as"), [(7, 7), ("seven", 0)])
def test_an_operators_call_that_is_nonsense_is_answered(sim: Simulation, call_id: Any, answered_as: int) -> None:
    """Even if its number is, and nothing is different from before."""
    cluster = sim.cluster(agents=1)
    before, answered = cluster.operator.state(), sim.expect(CallAnswered)
    call = calls.DeactivateAgentCall(call_id=7, agent_id=AgentId("m1-S1"))

    say(cluster, "operator", "master-1", broken(call, call_id=call_id, agent_id=None))
    sim.settle()

    assert [(answer.call_id, answer.code) for answer in answered.all] == [(answered_as, 400)]
    assert answered.first.refusal.startswith("DeactivateAgentCall was refused: DeactivateAgentCall.")
    assert cluster.operator.state() == before
