"""What an agent makes of what executors say: what arrives wrong ends only the executor that said it.

The driver checks what user code gives it, so these messages come by a way that nobody checks (core.md TK-5, TK-63).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from mesolite import Simulation, TaskInfo, TaskState, TaskStatus
from mesolite.messages import (
    ExecutorToFramework,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
    StatusUpdate,
)
from mesolite.messages.base import ExecutorCall
from mesolite.messages.checking import misfit
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId, UpdateId
from tests.inside import say
from tests.scenarios.schedulers import AWARE, CHECKPOINTED, EXECUTORS, Launcher, about, check_books, executor_task
from tests.scenarios.unstorable import broken

WRONG = (["list"], {"a": 1}, 5, 2.5, True, "TASK_RUNNING", "\udc80", None, object(), TaskState)
"""What no field of these messages holds, or only some do."""

WHOLE_UPDATE = StatusUpdate(
    framework_id=FrameworkId("F"),
    status=TaskStatus(task_id=TaskId("t1"), state=TaskState.TASK_RUNNING, uuid=UpdateId("u"), agent_id=AgentId("S")),
    latest_state=TaskState.TASK_RUNNING,
)
WHOLE = (
    WHOLE_UPDATE,
    RegisterExecutor(framework_id=FrameworkId("F"), executor_id=ExecutorId("e1")),
    ReregisterExecutor(
        framework_id=FrameworkId("F"),
        executor_id=ExecutorId("e1"),
        tasks=(TaskInfo(task_id="t1"),),
        updates=(WHOLE_UPDATE,),
    ),
    ExecutorToFramework(
        framework_id=FrameworkId("F"), agent_id=AgentId("S"), executor_id=ExecutorId("e1"), data="hello"
    ),
)


def spoilt(whole: Any) -> Iterator[tuple[str, Any]]:
    """The object with each part of it, at any depth, replaced by what does not belong there; and the path to it."""
    for field in attrs.fields(type(whole)):
        part = getattr(whole, field.name)
        inner, many = (part[0], True) if type(part) is tuple and part else (part, False)
        if attrs.has(type(inner)):
            for path, worse in spoilt(inner):
                yield f".{field.name}{'[0]' if many else ''}{path}", broken(
                    whole, **{field.name: (worse,) if many else worse}
                )
        for value in WRONG:
            yield f".{field.name}", broken(whole, **{field.name: value})


SPOILT = [
    pytest.param(message, id=f"{number} {type(whole).__name__}{path}")
    for whole in WHOLE
    for number, (path, message) in enumerate(spoilt(whole))
    if misfit(message)
]


def test_every_message_of_executors_is_marked_and_tried() -> None:
    """An agent checks what is marked, and only that."""
    assert {kind.__name__ for kind in ExecutorCall.__subclasses__()} == {type(whole).__name__ for whole in WHOLE}


class Fleet:
    """An agent with two executors of one framework, e1 with t1 and e2 with t2."""

    def __init__(self, sim: Simulation, checkpoint: bool = False) -> None:
        self.sim = sim
        self.cluster = sim.cluster(agents=1)
        self.framework = Launcher(executor_task("t1"), executor_task("t2", executor_id="e2"), refuse_s=0.0)
        info = CHECKPOINTED if checkpoint else AWARE
        driver = self.cluster.run(self.framework, framework=info, executors=EXECUTORS)
        sim.advance(2.0)
        self.e1 = f"agent-1/{driver.framework_id}/e1"

    def say(self, message: Any, sender: str) -> None:
        """Let that actor say it to agent-1, past all checks."""
        say(self.cluster, sender, "agent-1", message)

    def unharmed(self) -> None:
        """Assert that the agent, the leader and the other executor go on."""
        assert self.cluster.agents["agent-1"].registered
        assert self.cluster.leader is not None
        assert self.framework.states("t2") == ["RUNNING"]
        check_books(self.sim)


@pytest.mark.parametrize("message", SPOILT)
def test_a_malformed_message_ends_the_executor_that_said_it(message: Any) -> None:
    """Its tasks fail with the reason, which names the field; nobody else is concerned, and the trace can be read."""
    sim = Simulation(seed=1)
    fleet = Fleet(sim)

    fleet.say(message, fleet.e1)
    sim.advance(1.0)

    ended = fleet.framework.updates("t1")[-1]
    assert about(ended) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
    kind = type(message).__name__
    assert ended.message.startswith(f"executor e1 was shut down: its {kind} was refused: {kind}.")
    assert "cannot be" in ended.message
    assert [call.arguments[0] for call in fleet.framework.named("executor_lost")] == ["e1"]
    fleet.unharmed()
    assert kind in sim.trace.text()


@pytest.mark.parametrize("sender", ["aware", "master-1"])
def test_a_malformed_message_of_somebody_else_is_dropped(sim: Simulation, sender: str) -> None:
    """Whoever is no executor here has none to lose."""
    fleet = Fleet(sim)

    for case in SPOILT:
        fleet.say(case.values[0], sender)
    sim.advance(1.0)

    assert fleet.framework.states("t1") == ["RUNNING"]
    fleet.unharmed()


def test_one_that_goes_on_talking_nonsense_is_shut_down_once(sim: Simulation) -> None:
    """The first word counts; a restarted agent knows nothing of it any more than of its tasks."""
    fleet = Fleet(sim, checkpoint=True)
    orders = sim.expect(ShutdownExecutor, receiver=fleet.e1)
    for case in SPOILT:
        fleet.say(case.values[0], fleet.e1)
    sim.advance(10.0)

    assert orders.count == 1
    assert fleet.framework.states("t1") == ["RUNNING", "FAILED"]
    assert "its StatusUpdate was refused" in fleet.framework.updates("t1")[-1].message
    fleet.cluster.agents["agent-1"].restart()
    sim.advance(10.0)
    assert fleet.framework.states("t1") == ["RUNNING", "FAILED"]
    fleet.unharmed()


def test_a_restarted_agent_refuses_what_comes_back_wrong(sim: Simulation) -> None:
    """While it waits for its executors, too."""
    fleet = Fleet(sim, checkpoint=True)
    agent = fleet.cluster.agents["agent-1"]
    sim.drop(ReregisterExecutor, sender=fleet.e1)
    agent.crash()
    agent.restart()
    sim.settle()

    wrong = next(case.values[0] for case in SPOILT if type(case.values[0]) is ReregisterExecutor)
    context = fleet.cluster.runtime.directory.find("agent-1")
    assert context is not None
    fleet.cluster.runtime.post(context, wrong, fleet.e1)
    sim.advance(30.0)

    ended = fleet.framework.updates("t1")[-1]
    assert about(ended) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
    assert "its ReregisterExecutor was refused" in ended.message
    fleet.unharmed()
