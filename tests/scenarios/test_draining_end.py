"""A drain ends when nothing is left, is never early, and does not hang (drain.md 4.5, 4.6.1)."""

from __future__ import annotations

import attrs
import pytest

from mesolite import DrainState, FrameworkInfo, KillPolicy, Simulation
from mesolite.messages import AgentDrained, ApplyOperation, DrainAgent, OperationApplied, RunTask
from mesolite.messages.drains import Party
from mesolite.messages.registrar import EndDrain
from tests.scenarios.drains import drain_shown
from tests.scenarios.schedulers import (
    AWARE,
    STUBBORN,
    Launcher,
    about,
    command_task,
    id_of,
    only,
    operations,
    shown,
    writes,
)

LASTING = FrameworkInfo(name="lasting", checkpoint=True, failover_timeout_s=1e6)


def test_the_end_is_written_once(sim: Simulation) -> None:
    """However often the agent confirms while it is being written."""
    cluster = sim.cluster(agents=1)
    applied = sim.hold(OperationApplied, where=writes(EndDrain))
    written = sim.expect(ApplyOperation)
    cluster.operator.drain("agent-1")
    sim.settle()

    for _ in range(3):
        sim.inject("master-1", AgentDrained(agent_id=id_of(cluster)), sender="agent-1")
        sim.settle()
    assert drain_shown(cluster) == "DRAINING"
    applied.release()
    sim.settle()

    assert operations(written) == ["StartDrain", "EndDrain"]
    assert drain_shown(cluster) == "DRAINED"


def test_only_the_agent_itself_confirms(sim: Simulation) -> None:
    """A trust boundary: another agent's word does not end a drain."""
    cluster = sim.cluster(agents=2)
    sim.drop(AgentDrained, sender="agent-1")
    drain = cluster.operator.drain("agent-1")

    sim.inject("master-1", AgentDrained(agent_id=id_of(cluster)), sender="agent-2")
    sim.settle()

    assert drain.state is DrainState.DRAINING


def test_a_lost_order_and_a_lost_confirmation_do_not_hang_a_drain(sim: Simulation) -> None:
    """The agent is told again with the next ping, until it has confirmed."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    orders, confirmations = sim.drop(DrainAgent, times=1), sim.drop(AgentDrained, times=2)

    drain = cluster.operator.drain("agent-1")
    assert drain.wait(100.0) is DrainState.DRAINED

    assert (orders.count, confirmations.count) == (1, 2)
    assert framework.states("t1")[-1] == "KILLED"


def test_an_agent_that_was_just_told_is_not_told_again(sim: Simulation) -> None:
    """It has a ping interval to react: told again, it kills again."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(10.0)
    told = sim.expect(DrainAgent)
    cluster.operator.drain("agent-1", 600.0)

    sim.advance(14.9)
    assert told.count == 1
    sim.advance(15.1)
    assert told.count == 2


def test_a_task_that_never_reached_the_agent_does_not_hang_a_drain(sim: Simulation) -> None:
    """The books have it, the agent has nothing: it is asked what became of it (1.3.9)."""
    cluster = sim.cluster(agents=1)
    sim.drop(RunTask)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)

    drain = cluster.operator.drain("agent-1")
    assert drain.wait(100.0) is DrainState.DRAINED

    status = only(framework.updates("t1"))
    assert about(status) == ("DROPPED", "AGENT", "RECONCILIATION")


def test_an_agent_that_has_not_confirmed_is_not_drained_though_the_books_are_empty(sim: Simulation) -> None:
    """Ours: a framework that is torn down leaves the books at once, and its executors live on (4.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    sim.advance(1.0)

    driver.stop()
    sim.settle()
    assert (shown(cluster)["tasks"], drain.state) == ([], DrainState.DRAINING)
    assert [blocker.party for blocker in drain.blocked_by] == [Party.AGENT]
    began = sim.now
    assert drain.wait(60.0) is DrainState.DRAINED

    assert sim.now - began == pytest.approx(3.0), "the executor was shut down within its grace: 3 s to kill the task"


def test_a_drain_of_a_disconnected_agent_waits_until_it_is_back(sim: Simulation) -> None:
    """It is told at once, in vain, and when it is back (4.6.2). Ours: in Mesos it is drained at once (4.5.4)."""
    cluster = sim.cluster(agents=1)
    cluster.agents["agent-1"].crash()
    sim.settle()
    told = sim.expect(DrainAgent)

    drain = cluster.operator.drain("agent-1")
    sim.advance(20.0)
    assert drain.state is DrainState.DRAINING
    assert [(blocker.party, blocker.name) for blocker in drain.blocked_by] == [(Party.AGENT, "agent-1")]
    assert "disconnected" in drain.blocked_by[0].why
    cluster.agents["agent-1"].restart()

    assert drain.wait(20.0) is DrainState.DRAINED
    assert told.count == 2


def test_what_an_agent_said_of_an_earlier_drain_does_not_end_a_later_one(sim: Simulation) -> None:
    """A confirmation that was under way for very long comes before what the agent says of the task launched since."""
    cluster = sim.cluster(agents=1)
    first = cluster.operator.drain("agent-1")
    assert first.wait(5.0) is DrainState.DRAINED
    slow_channel = sim.hold(sender="agent-1", receiver="master-1")
    sim.inject("agent-1", DrainAgent(config=first.config), sender="master-1")
    sim.settle()
    cluster.operator.reactivate("agent-1")
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=AWARE)
    sim.advance(2.0)

    second = cluster.operator.drain("agent-1", 600.0)
    slow_channel.release()
    sim.settle()
    assert isinstance(slow_channel.all[0], AgentDrained)
    driver.stop()
    sim.settle()

    assert second.state is DrainState.DRAINING
    assert second.wait(60.0) is DrainState.DRAINED


def test_the_parties_a_drain_waits_for_are_named(sim: Simulation) -> None:
    """Executor, framework, framework that is away, agent: by task, with the grace where it is known."""
    cluster = sim.cluster(agents=1)
    patient = KillPolicy(grace_period_s=30.0)
    slow = Launcher(command_task("slow", STUBBORN, kill_policy=patient), refuse_s=1e6)
    deaf, away = (Launcher(command_task(task_id), refuse_s=1e6) for task_id in ("unheard", "lonely"))
    cluster.run(slow, framework=FrameworkInfo(name="slow"))
    sim.advance(1.0)
    cluster.run(deaf, framework=FrameworkInfo(name="deaf"), implicit_acknowledgements=False)
    sim.advance(6.0)
    leaving = cluster.run(away, framework=attrs.evolve(LASTING, name="away"))
    sim.advance(6.0)
    leaving.stop(failover=True)
    sim.settle()

    drain = cluster.operator.drain("agent-1", 100.0)
    sim.advance(1.0)

    left = {blocker.task_id: (blocker.party, blocker.name, blocker.grace_s) for blocker in drain.remaining_tasks}
    assert left == {
        "slow": (Party.EXECUTOR, "slow", 30.0),
        "unheard": (Party.FRAMEWORK, "deaf", None),
        "lonely": (Party.FRAMEWORK, "away", None),
    }
    with pytest.raises(TimeoutError) as timed_out:
        drain.wait(5.0)
    for words in ("executor slow", "framework deaf", "framework away: it is disconnected", "at most 30 s"):
        assert words in str(timed_out.value)
    plain = only(cluster.operator.state()["drains"])
    assert [task["task_id"] for task in plain["remaining_tasks"]] == ["slow", "unheard", "lonely"]
    assert [blocker["party"] for blocker in plain["blocked_by"]] == ["EXECUTOR", "FRAMEWORK", "FRAMEWORK"]


def test_a_framework_that_is_gone_for_good_holds_up_no_drain(sim: Simulation) -> None:
    """Ours: when its failover timeout removes it the drain is looked at again (4.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=attrs.evolve(LASTING, failover_timeout_s=120.0))
    sim.advance(1.0)
    driver.stop(failover=True)
    sim.settle()
    drain = cluster.operator.drain("agent-1")
    sim.advance(60.0)
    assert drain.state is DrainState.DRAINING

    assert drain.wait(120.0) is DrainState.DRAINED
