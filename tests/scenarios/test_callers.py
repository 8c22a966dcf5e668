"""Who may say what to a leader: an operator's calls are the operator's, and what arrives wrong ends only its sender."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite import MachineId, Simulation, Unavailability, Window
from mesolite.messages import CallAnswered, FrameworkError, SuppressOffers
from mesolite.messages import operator as calls
from mesolite.messages.base import Message
from mesolite.messages.ids import AgentId, FrameworkId
from tests.scenarios.schedulers import PLAIN, Launcher, command_task

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
    """It came past all checks on the way; the leader refuses it and says why, and everybody else goes on."""
    cluster = sim.cluster(agents=1)
    bystander, wrong = Launcher(command_task("t1")), Launcher(command_task("t2"))
    cluster.run(bystander, framework="bystander")
    driver = cluster.run(wrong, framework="wrong")
    sim.advance(5.0)
    refused = sim.expect(FrameworkError, receiver="wrong")
    message = SuppressOffers(framework_id=FrameworkId(str(driver.framework_id)))
    object.__setattr__(message, "framework_id", {"value": "f"})

    seat = cluster.runtime.directory.find("wrong")
    assert seat is not None
    cluster.runtime.send(seat, "master-1", message, -1)
    sim.advance(5.0)

    assert "framework_id cannot be {'value': 'f'} (dict): it must be text" in refused.first.message
    assert driver.status.name == "DRIVER_ABORTED"
    assert cluster.leader is not None
    assert bystander.states("t1") == ["STARTING", "RUNNING"]
