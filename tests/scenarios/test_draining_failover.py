"""Masters die while an agent drains, and calls, launches and acknowledgements cross it (drain.md 4.3, 4.5, 4.6)."""

from __future__ import annotations

import pytest

from mesolite import DrainState, Refused, Simulation
from mesolite.messages import (
    AgentReregistered,
    ApplyOperation,
    CallAnswered,
    DrainAgent,
    OperationApplied,
    ReactivateAgentCall,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.registrar import EndDrain, StartDrain
from tests.scenarios.drains import call, drain_shown
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    PLAIN,
    STUBBORN,
    Launcher,
    Recorder,
    check_books,
    command_task,
    fail_over,
    leader_of,
    operations,
    shown,
    writes,
)

# --------------------------------------------------------------------------------------------------------- failover


def test_a_drain_goes_on_with_a_new_leader(sim: Simulation) -> None:
    """The agent is told again before the reply, and whoever waits for the drain goes on waiting (4.6.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 60.0)
    sim.advance(1.0)
    said = sim.expect((AgentReregistered, DrainAgent))

    leader_of(cluster).crash()
    assert drain.wait(100.0) is DrainState.DRAINED

    assert [type(message) for message in said.all[:2]] == [DrainAgent, AgentReregistered]
    assert (drain_shown(cluster), shown(cluster)["active"]) == ("DRAINED", False)
    assert framework.states("t1")[-1] == "KILLED"


def test_nobody_leading_is_not_an_end(sim: Simulation) -> None:
    """Where the drain stood when somebody led is still shown; what it waits for nobody can say. A later leader can."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    master = leader_of(cluster)
    master.crash()

    with pytest.raises(TimeoutError, match="has not ended within 30 s: nobody leads at the moment"):
        drain.wait(30.0)
    with pytest.raises(Refused, match="nobody leads at the moment"):
        drain.blocked_by  # noqa: B018  # asking is what is refused
    assert drain.state is DrainState.DRAINING
    master.restart()

    assert drain.wait(700.0) is DrainState.DRAINED
    assert repr(drain) == f"<Drain {drain.id} of {drain.agent_id}: DRAINED>"


def test_an_end_that_was_seen_is_known_without_a_leader(sim: Simulation) -> None:
    """The handle of an ended drain asks nobody."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)

    leader_of(cluster).crash()

    assert (drain.state, drain.wait()) == (DrainState.DRAINED, DrainState.DRAINED)


def test_a_drain_whose_start_was_written_when_the_master_died_goes_on(sim: Simulation) -> None:
    """The caller does not know what became of it; the new leader does (4.6.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = sim.hold(OperationApplied, where=writes(StartDrain))
    call(sim, cluster)
    assert applied.count == 1

    fail_over(sim, cluster)
    (drain,) = cluster.operator.drains()

    assert drain.wait(60.0) is DrainState.DRAINED


def test_a_drain_whose_start_was_not_written_when_the_master_died_never_was(sim: Simulation) -> None:
    """The other order: the write never came to the registrar."""
    cluster = sim.cluster(agents=1, masters=2)
    sim.drop(ApplyOperation, where=writes(StartDrain))
    call(sim, cluster)

    fail_over(sim, cluster)
    sim.advance(60.0)

    assert (cluster.operator.drains(), shown(cluster)["active"]) == ([], True)


def test_a_drain_whose_end_was_written_when_the_master_died_has_ended(sim: Simulation) -> None:
    """Nothing is written again for it; the agent stays drained (4.5.5)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = sim.hold(OperationApplied, where=writes(EndDrain))
    drain = cluster.operator.drain("agent-1")
    sim.settle()
    assert (applied.count, drain.state) == (1, DrainState.DRAINING)
    written = sim.expect(ApplyOperation)

    fail_over(sim, cluster)
    assert drain.wait(1.0) is DrainState.DRAINED
    sim.advance(30.0)

    assert (operations(written), drain_shown(cluster)) == ([], "DRAINED")


def test_a_drain_whose_end_was_not_written_when_the_master_died_ends_again(sim: Simulation) -> None:
    """The other order: the new leader asks the agent, which confirms again."""
    cluster = sim.cluster(agents=1, masters=2)
    sim.drop(ApplyOperation, where=writes(EndDrain), times=1)
    drain = cluster.operator.drain("agent-1")
    sim.settle()

    fail_over(sim, cluster)

    assert drain.wait(60.0) is DrainState.DRAINED


# ------------------------------------------------------------------------------------------------------------ races


def test_reactivating_while_the_end_is_written_is_refused(sim: Simulation) -> None:
    """Until it is written the agent is DRAINING (4.2.1); the drain ends as it would have."""
    cluster = sim.cluster(agents=1)
    applied, answers = sim.hold(OperationApplied, where=writes(EndDrain)), sim.expect(CallAnswered)
    drain = cluster.operator.drain("agent-1")
    sim.settle()
    sim.inject("master-1", ReactivateAgentCall(call_id=9, agent_id=drain.agent_id), sender="operator")
    sim.settle()

    applied.release()
    sim.settle()

    assert [answer.code for answer in answers.all] == [200, 400]
    assert (drain.state, shown(cluster)["active"]) == (DrainState.DRAINED, False)


def test_reactivating_after_the_end_was_written_is_done(sim: Simulation) -> None:
    """The other order."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)

    cluster.operator.reactivate("agent-1")

    assert (drain.state, shown(cluster)["active"]) == (DrainState.DRAINED, True)


def test_a_launch_that_was_under_way_is_told_before_the_drain_and_killed(sim: Simulation) -> None:
    """What the master sent before the order comes before it: the task is there and is killed (4.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    under_way = sim.hold((RunTask, DrainAgent), receiver="agent-1")
    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()
    drain = cluster.operator.drain("agent-1")
    under_way.release()

    assert drain.wait(60.0) is DrainState.DRAINED
    sim.settle()  # a launch that the drain overtook is answered after it has ended
    assert framework.states("t1")[-1] in ("KILLED", "DROPPED")
    check_books(sim)


def test_an_acknowledgement_that_is_lost_holds_the_drain_until_it_is_repeated(sim: Simulation) -> None:
    """The agent's stream repeats the update, the framework acknowledges again (0.2.13)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    lost = sim.drop(StatusUpdateAcknowledgement, receiver="agent-1", times=1)
    updates = sim.expect(StatusUpdate, sender="agent-1", receiver="master-1")

    drain = cluster.operator.drain("agent-1")
    assert drain.wait(60.0) is DrainState.DRAINED

    assert lost.count == 1
    assert [update.status.state.name for update in updates.all] == ["TASK_KILLED", "TASK_KILLED"]
