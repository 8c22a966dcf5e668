"""How an agent gets in, and back in: attempts, answers, refusals, and what each side does first.

drain.md 1.1 to 1.3, 2.2, 2.3.10.
"""

from __future__ import annotations

import itertools
import signal

import attrs
import pytest

from mesolite import KillPolicy, Simulation
from mesolite.messages import (
    AgentRegistered,
    AgentReregistered,
    ApplyOperation,
    ExitedExecutor,
    KillTask,
    LeaderDetected,
    OperationApplied,
    PingAgent,
    RegisterAgent,
    ReregisterAgent,
    RunTask,
    ShutdownAgent,
    ShutdownExecutor,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    UnregisterAgent,
    UpdateFramework,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.registrar import AdmitAgent, MarkAgentReachable, RemoveAgent
from tests.inside import executors_on
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    command_task,
    counters,
    executor_task,
    lose_session,
    only,
    tell_executor,
    writes,
)


def test_attempts_spread_further_and_further_apart(sim: Simulation) -> None:
    """First within 1 s, then each within a bound of 2 s that doubles up to 60 s (1.1.1, 1.1.2, EL-50)."""
    cluster = sim.cluster(agents=0)
    lost = sim.drop(RegisterAgent)
    started_at = sim.now
    cluster.add_agent()

    times = []
    for _ in range(12):
        seen = lost.count
        sim.run_until(lambda seen=seen: lost.count > seen, timeout=61.0)
        times.append(sim.now)

    assert times[0] - started_at <= 1.0
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    for number, gap in enumerate(gaps):
        assert gap <= min(60.0, 2.0 * 2**number) + 1e-6, (number, gap)


def test_an_agent_is_admitted_to_the_registry_then_pinged_then_answered(sim: Simulation) -> None:
    """Nothing is said to it, and nothing is offered, before it is durable (1.2.5, 0.2.4)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    applied = sim.hold(OperationApplied, where=writes(AdmitAgent))
    said = sim.expect((PingAgent, AgentRegistered), sender="master-1")
    agent = cluster.add_agent()
    sim.advance(5.0)
    assert (applied.count, said.count, framework.offers) == (1, 0, [])

    applied.release()
    sim.settle()

    assert [type(message) for message in said.all] == [PingAgent, AgentRegistered]
    assert said.all[1].total_ping_timeout_s == 75.0
    assert [offer.agent_id for offer in framework.offers] == [agent.id]


def test_a_registered_agent_that_hears_another_id_ends(sim: Simulation) -> None:
    """The same id is a harmless repeat (1.2.7, AG-19)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    again = AgentRegistered(agent_id=AgentId(str(agent.id)), total_ping_timeout_s=75.0)
    sim.inject("agent-1", again, sender="master-1")
    sim.settle()
    assert agent.registered

    sim.inject("agent-1", attrs.evolve(again, agent_id=AgentId("another")), sender="master-1")
    sim.settle()

    assert not agent.alive


@pytest.mark.parametrize("answer", [AgentRegistered, AgentReregistered])
def test_answers_of_anybody_but_the_leader_are_ignored(sim: Simulation, answer: type) -> None:
    """Another id would otherwise be fatal (AG-20)."""
    cluster = sim.cluster(agents=1)

    sim.inject("agent-1", answer(agent_id=AgentId("another"), total_ping_timeout_s=75.0), sender="outside")
    sim.settle()

    assert cluster.agents["agent-1"].registered


@pytest.mark.parametrize("changed", ["hostname", "sender"])
def test_an_id_that_comes_back_from_elsewhere_is_sent_away(sim: Simulation, changed: str) -> None:
    """Same id, other host name or address: ShutdownAgent, and the books stay as they are (1.3.4, RC-17)."""
    cluster = sim.cluster(agents=1)
    asked = sim.hold(ReregisterAgent)
    lose_session(sim, "agent-1")
    sim.run_until(lambda: asked.count, timeout=20.0)
    genuine = asked.all[0]
    sender = "agent-9" if changed == "sender" else "agent-1"
    wrong = attrs.evolve(genuine, agent=attrs.evolve(genuine.agent, hostname="elsewhere"))
    answers = sim.expect((ShutdownAgent, AgentReregistered))

    sim.inject("master-1", genuine if changed == "sender" else wrong, sender=sender)
    sim.settle()

    assert [type(message) for message in answers.all] == [ShutdownAgent]
    assert [agent["hostname"] for agent in cluster.operator.state()["agents"]] == ["agent-1"]


def test_a_returning_unreachable_agent_is_announced_before_it_is_answered(sim: Simulation) -> None:
    """Registry, then the framework hears of its task, then the ping, then the answer (1.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    applied = sim.hold(OperationApplied, where=writes(MarkAgentReachable))
    sim.heal()
    sim.run_until(lambda: applied.count, timeout=100.0)
    sim.settle()
    assert framework.states("t1")[-1] == "UNREACHABLE"
    before = len(sim.trace)

    applied.release()
    sim.settle()

    done = next(
        record
        for record in sim.trace
        if record.index >= before and isinstance(record.event, OperationApplied) and record.actor == "master-1"
    )
    sent = [effect.message for effect in done.effects if hasattr(effect, "message")]
    assert [type(message) for message in sent] == [StatusUpdate, PingAgent, AgentReregistered, UpdateFramework]
    assert about(sent[0].status) == ("RUNNING", "MASTER", "AGENT_REREGISTERED")


@pytest.mark.scenario("SlaveRecoveryTest.ReconcileKillTask")
def test_a_kill_asked_for_while_the_agent_was_away_is_carried_out_later(sim: Simulation) -> None:
    """The master remembers it, and repeats it when the agent reports the task alive (1.3.5 step 4, TK-42)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.settle()
    kills = sim.expect(KillTask, receiver="agent-1")
    driver.kill_task("t1")
    sim.advance(5.0)
    assert kills.count == 0

    agent.restart()
    sim.advance(15.0)

    assert framework.states("t1")[-1] == "KILLED"
    assert kills.count == 1
    assert str(framework.offers[-1].resources).startswith("cpus:4")


def test_a_kill_said_again_leaves_the_task_the_grace_it_was_given(sim: Simulation) -> None:
    """The policy of the request is remembered with it; Mesos forgets it, which can only shorten the grace (10.14)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    driver.kill_task("t1", KillPolicy(grace_period_s=60.0))
    sim.advance(5.0)
    kills = sim.expect(KillTask, sender="master-1", receiver="agent-1")

    lose_session(sim, "agent-1")
    sim.advance(20.0)
    early = framework.states("t1")
    sim.advance(60.0)

    assert [message.kill_policy for message in kills.all] == [KillPolicy(grace_period_s=60.0)]
    assert "KILLED" not in early
    assert framework.states("t1")[-1] == "KILLED"


def test_an_executor_that_a_returning_agent_does_not_report_is_asked_about(sim: Simulation) -> None:
    """Its launch may have overtaken the report: what runs must not be offered again (1.3.5 step 3, RC-26)."""
    cluster = sim.cluster(agents=1, resources="cpus:1.1;mem:160")
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    asked = sim.hold(ReregisterAgent)
    lose_session(sim, "agent-1")
    sim.run_until(lambda: asked.count, timeout=20.0)
    empty = attrs.evolve(asked.all[0], frameworks=(), tasks=(), executors=())
    answers, lost = sim.expect(AgentReregistered), sim.expect(ExitedExecutor)

    sim.inject("master-1", empty, sender="agent-1")
    sim.advance(2.0)

    # The agent has the task and the executor, so it says nothing of either.
    [listed] = answers.first.reconciliations
    assert (listed.task_ids, listed.executor_ids) == (("t1",), ("e1",))
    assert framework.states("t1") == ["RUNNING"]
    assert len(framework.offers) == 1
    assert lost.count == 0


def test_an_executor_that_did_not_come_back_with_its_agent_is_given_up(sim: Simulation) -> None:
    """The restarted agent says that it is gone: its resources are free again, its scheduler is told (TK-57, TK-59)."""
    cluster = sim.cluster(agents=1, resources="cpus:1.1;mem:160")
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    answers = sim.expect(AgentReregistered)

    cluster.agents["agent-1"].crash()
    (executor,) = executors_on(sim, "agent-1")
    sim.kill(executor)
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert [listed.executor_ids for listed in answers.first.reconciliations] == [("e1",)]
    assert [call.arguments[0] for call in framework.named("executor_lost")] == ["e1"]
    assert str(framework.offers[-1].resources) == "cpus:1.1;mem:160"


def test_an_agent_that_the_master_sends_away_does_not_unregister(sim: Simulation) -> None:
    """On ShutdownAgent it ends its executors and itself, and says nothing of it (2.2.1, 2.2.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    said = sim.expect((UnregisterAgent, ShutdownExecutor), sender="agent-1")

    sim.inject("agent-1", ShutdownAgent(reason="a test"), sender="master-1")
    sim.advance(10.0)

    assert [type(message) for message in said.all] == [ShutdownExecutor]
    assert not cluster.agents["agent-1"].alive
    # For the master it is a broken link.
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_DISCONNECTED")


def test_an_agent_that_dies_before_its_removal_is_written_loses_its_tasks_by_its_link(sim: Simulation) -> None:
    """The broken link is handled first; the removal then completes, with no task left to speak of (2.3.10)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    cluster.agents["agent-1"].crash()
    sim.settle()
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_DISCONNECTED")
    assert framework.lost_agents == []

    applied.release()
    sim.settle()

    assert framework.states("t1").count("LOST") == 1
    assert framework.count("agent_lost") == 1
    assert counters(cluster)["slave_removals_reason_unregistered"] == 1


def test_a_repeated_reregistration_is_answered_once_per_write(sim: Simulation) -> None:
    """While the registry is being written further ones are ignored (1.3.1)."""
    cluster = sim.cluster(agents=1)
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    applied = sim.hold(OperationApplied, where=writes(MarkAgentReachable))
    written = sim.expect(ApplyOperation)
    answers = sim.expect(AgentReregistered)
    cluster.agents["agent-1"].restart()
    sim.advance(60.0)
    assert (written.count, answers.count) == (1, 0)

    applied.release()
    sim.advance(60.0)

    assert (written.count, answers.count) == (1, 1)
    assert only(cluster.operator.state()["agents"])["connected"]


def test_news_of_a_leader_that_reaches_a_recovering_agent_does_not_stop_it_from_registering(sim: Simulation) -> None:
    """It was meant for the agent's earlier life; the agent asks by itself when it has recovered (LP-11, AG-12)."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1")), framework=CHECKPOINTED)
    sim.advance(1.0)
    news = next(
        record.event
        for record in sim.trace
        if isinstance(record.event, LeaderDetected) and record.actor == "agent-1" and record.event.leader
    )
    agent = cluster.agents["agent-1"]
    agent.restart()
    sim.settle()

    sim.inject("agent-1", news, sender="elector")
    sim.advance(10.0)

    assert agent.registered


def test_what_the_registrar_says_twice_counts_once(sim: Simulation) -> None:
    """Admitted, removed, reachable again, unreachable: each answer comes twice, and the master stands it."""
    sim.duplicate(OperationApplied)
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    agent = cluster.agents["agent-1"]
    agent.signal(signal.SIGUSR1)
    sim.settle()
    agent.restart()
    sim.advance(5.0)
    agent.power_off()
    sim.advance(100.0)

    counted = counters(cluster)
    assert (counted["slave_registrations"], counted["slave_reregistrations"], counted["slave_removals"]) == (1, 1, 2)
    assert cluster.masters["master-1"].alive


def test_an_answer_of_the_registrar_that_is_meant_for_an_earlier_life_is_dropped(sim: Simulation) -> None:
    """A restarted master knows nothing of what its predecessor had under way (LP-11)."""
    cluster = sim.cluster(agents=1, masters=1)
    agent = cluster.agents["agent-1"]
    agent.signal(signal.SIGUSR1)
    sim.settle()
    applied = sim.hold(OperationApplied, where=writes(MarkAgentReachable))
    agent.restart()
    sim.run_until(lambda: applied.count, timeout=10.0)
    cluster.masters["master-1"].restart()
    sim.settle()

    applied.release()
    sim.advance(60.0)

    assert cluster.masters["master-1"].leading
    assert agent.registered
    assert counters(cluster)["outstanding_registry_writes"] == 0


def test_what_was_launched_before_an_agent_heard_that_it_is_registered_comes_out(sim: Simulation) -> None:
    """It could not take the task without its id; when it asks again it is asked about it (1.2.3, 1.3.9)."""
    cluster = sim.cluster(agents=0)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    lost = sim.drop(AgentRegistered, times=1)

    cluster.add_agent()
    sim.advance(10.0)

    assert lost.count == 1
    assert about(framework.updates("t1")[-1]) == ("LOST", "AGENT", "RECONCILIATION")
    assert framework.offers[-1].resources == framework.offers[0].resources


def test_an_agent_that_only_asks_twice_keeps_what_it_got(sim: Simulation) -> None:
    """It is asked about what it has, and says nothing."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    asked = sim.observe(AgentReregistered)

    sim.inject("master-1", RegisterAgent(agent=attrs.evolve(cluster_agent_info(sim), id=None)), sender="agent-1")
    sim.advance(10.0)

    assert asked.count == 1
    assert framework.states("t1") == ["RUNNING"]


def test_an_agent_that_asks_twice_may_have_ends_that_nobody_acknowledged(sim: Simulation) -> None:
    """The master says those itself, and they leave the books while these are gone through."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), executor_task("t2"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    sim.drop(StatusUpdateAcknowledgement, receiver="master-1")
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    sim.inject("master-1", RegisterAgent(agent=attrs.evolve(cluster_agent_info(sim), id=None)), sender="agent-1")
    sim.settle()

    assert framework.states("t1")[-1] == "FINISHED"
    assert framework.states("t2") == ["RUNNING"]


def cluster_agent_info(sim: Simulation) -> AgentInfo:
    """What agent-1 says of itself."""
    context = sim.runtime.directory.find("agent-1")
    assert context is not None
    info: AgentInfo = context.actor.core.state.info  # type: ignore[attr-defined]
    return info


def test_an_answer_to_an_earlier_life_is_not_taken_for_one_s_own(sim: Simulation) -> None:
    """Or what was launched in between, and died with that life, would be waited for for ever. Ours (core.md RC-13)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    answers = sim.hold(AgentRegistered, sender="master-1")
    agent = cluster.add_agent()
    sim.run_until(lambda: bool(framework.offers), timeout=10.0)
    sim.drop(RunTask, times=1)
    driver.launch_tasks(framework.offers, [command_task("t1")])
    sim.settle()

    agent.power_off()
    found = sim.expect(LeaderDetected, receiver="agent-1")
    agent.restart()
    sim.run_until(lambda: found.count > 0, timeout=1.0)
    answers.release()
    sim.advance(20.0)

    assert agent.registered
    assert framework.states("t1") == ["LOST"]
