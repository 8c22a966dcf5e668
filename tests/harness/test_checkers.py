"""Checkers: attached to a simulation they see every record, report what does not hold, and can be switched off."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest

from mesolite import Refused, SimulatedWork, Simulation, TaskStatus
from mesolite.actors.decisions.agent import causes
from mesolite.actors.decisions.contract import PeerExited
from mesolite.harness.checkers import OPTIONAL, STANDARD, Assumption, Checker, Checkers, Family
from mesolite.messages import (
    AgentDrained,
    CallAnswered,
    DeactivateAgentCall,
    PongAgent,
    RegisterAgent,
    RunTask,
)
from mesolite.messages.ids import AgentId
from tests.scenarios.schedulers import PLAIN, Launcher, command_task

PAGE = Path("docs/checkers.md")

WORDS = {
    Assumption.RELIABLE: "a dropped message that nobody says again",
    Assumption.COMPLETE: "any dropped message",
    Assumption.HONEST: "an injected message",
}


def ours(sim: Simulation, **more: Any) -> Checkers:
    """All that judge Mesolite."""
    return Checkers(sim, [checker() for checker in STANDARD if checker.family is Family.OURS], **more)


def table(checkers: Iterable[type[Checker]]) -> str:
    """The checkers as docs/checkers.md shows them."""
    lines = ["| Checker | What must hold | Switched off by |", "|---|---|---|"]
    for checker in checkers:
        off = [WORDS[assumption] for assumption in Assumption if assumption in checker.assumes]
        if Assumption.COMPLETE in checker.assumes:
            off = [words for words in off if words != WORDS[Assumption.RELIABLE]]
        lines.append(f"| `{checker.name}` | {checker.statement} | {', '.join(off) or 'nothing'} |")
    return "\n".join(lines)


def run_a_task(sim: Simulation) -> None:
    """A task is launched and killed, and its agent drained."""
    cluster = sim.cluster(agents=2, masters=3)
    driver = cluster.run(Launcher(command_task("t1")), framework=PLAIN)
    sim.advance(10.0)
    driver.kill_task("t1")
    sim.advance(10.0)
    cluster.operator.drain("agent-1")
    sim.advance(30.0)


def test_the_page_has_every_checker() -> None:
    """docs/checkers.md says of each what must hold, and what switches it off."""
    page = PAGE.read_text(encoding="utf-8")

    for family in Family:
        assert table(checker for checker in STANDARD if checker.family is family) in page
    assert table(OPTIONAL) in page


def test_names_are_unique() -> None:
    """A checker is switched off by its name."""
    names = [checker.name for checker in (*STANDARD, *OPTIONAL)]

    assert len(dict.fromkeys(names)) == len(names)


def test_nothing_is_found_where_nothing_is_wrong(sim: Simulation) -> None:
    """A calm run breaks no statement, neither on the way nor in the end."""
    checkers = ours(sim)

    run_a_task(sim)

    assert (checkers.first, checkers.unfinished(), list(checkers.broken)) == (None, [], [])


def test_looking_changes_nothing() -> None:
    """A run under checkers has the trace it has without."""
    traces = []
    for watched in (False, True):
        sim = Simulation(seed=7, latency=(0.01, 0.1))
        if watched:
            ours(sim)
        run_a_task(sim)
        traces.append(sim.trace.hash())

    assert traces[0] == traces[1]


def test_a_violation_says_whose_fault_it_is(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the checker, the statement, the time and whom it is about; the first is what counts."""
    monkeypatch.setattr(causes, "explained", lambda _a, _framework, _task, status: status)
    checkers = ours(sim)

    run_a_task(sim)

    assert checkers.first is not None
    assert (checkers.first.checker, checkers.first.family) == ("ends_carry_causes", Family.OURS)
    assert "this is a fault of Mesolite" in str(checkers.first)
    assert checkers.first.about == ("t1",)


def test_a_checker_is_switched_off_by_name(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the beginning or later; a name that there is not is refused, and the names are said."""
    monkeypatch.setattr(causes, "explained", lambda _a, _framework, _task, status: status)
    checkers = ours(sim, without=["ends_carry_causes"])
    with pytest.raises(Refused, match=r"no checker 'kindness' to switch off; there are resources_conserved, "):
        checkers.switch_off("kindness")

    run_a_task(sim)

    assert checkers.first is None


def test_they_can_be_attached_later(sim: Simulation) -> None:
    """What happened before is learned from the books, and held against nobody."""
    cluster = sim.cluster(agents=2)
    driver = cluster.run(Launcher(command_task("t1")), framework=PLAIN)
    cluster.operator.deactivate("agent-2")
    sim.advance(5.0)

    checkers = ours(sim)
    driver.kill_task("t1")
    cluster.operator.reactivate("agent-2")
    cluster.masters["master-1"].restart()
    sim.advance(60.0)

    assert (checkers.first, checkers.unfinished()) == (None, [])


def test_they_can_be_detached(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on nothing is seen."""
    monkeypatch.setattr(causes, "explained", lambda _a, _framework, _task, status: status)
    checkers = ours(sim)
    checkers.detach()

    run_a_task(sim)

    assert checkers.first is None


def test_what_is_injected_ends_honesty(sim: Simulation) -> None:
    """Nobody is blamed for what nobody said: those that rely on it judge no more."""
    checkers = ours(sim)
    sim.cluster(agents=1)

    sim.inject("master-1", AgentDrained(agent_id="m1-S1"), sender="agent-1")
    sim.settle()

    assert list(checkers.broken) == [Assumption.HONEST]
    assert all(Assumption.HONEST not in checker.assumes for checker in checkers.checkers.values())


@pytest.mark.parametrize("sender", ["plain", "agent-1", "outside"])
def test_a_call_that_is_not_an_operators_ends_honesty(sim: Simulation, sender: str) -> None:
    """And nobody judges by the very record that has ended it."""
    checkers = ours(sim)
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(), framework=PLAIN)
    sim.advance(1.0)

    sim.inject("master-1", DeactivateAgentCall(call_id=7, agent_id=AgentId("m1-S1")), sender=sender)
    sim.settle()

    assert list(checkers.broken) == [Assumption.HONEST]
    assert checkers.first is None


def test_a_call_of_an_operators_ends_nothing(sim: Simulation) -> None:
    """Even if another has the same number: each is answered."""
    checkers = ours(sim)
    sim.cluster(agents=2)
    answered = sim.expect(CallAnswered)

    for agent_id in (AgentId("m1-S1"), AgentId("m1-S2")):
        sim.inject("master-1", DeactivateAgentCall(call_id=7, agent_id=agent_id), sender="operator")
    sim.settle()

    assert [answer.code for answer in answered.all] == [200, 200]
    assert (checkers.first, checkers.unfinished(), list(checkers.broken)) == (None, [], [])


@pytest.mark.parametrize("end", ["crash", "link", "unregister"])
def test_an_id_is_free_when_its_task_is_taken_for_lost(sim: Simulation, end: str) -> None:
    """Its executor may take its time to die, and meanwhile a scheduler may use the id again; that is nobody's fault."""
    checkers = ours(sim)
    cluster = sim.cluster(agents=1)
    task = command_task("t1", SimulatedWork(duration=None, on_sigterm=None))
    scheduler = Launcher(task, refuse_s=0)
    cluster.run(scheduler, framework=PLAIN)
    sim.advance(1.0)

    if end == "link":
        sim.break_link("master-1", "agent-1")
    elif end == "crash":
        cluster.agents["agent-1"].crash()
    else:
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(0.5)
    scheduler.waiting = [task]
    if end != "link":
        cluster.agents["agent-1"].restart()
    sim.advance(30.0)

    assert scheduler.states("t1").count("RUNNING") == (1 if end == "link" else 2)
    assert (checkers.first, checkers.unfinished()) == (None, [])


def test_an_injected_end_ends_honesty(sim: Simulation) -> None:
    """News of an end that did not come from its link is made up, too."""
    checkers = ours(sim)
    sim.cluster(agents=1)

    sim.inject("master-1", PeerExited("agent-1", 1))
    sim.settle()

    assert list(checkers.broken) == [Assumption.HONEST]


@pytest.mark.parametrize(
    ("kind", "broken"),
    [(PongAgent, []), (RegisterAgent, [Assumption.COMPLETE]), (RunTask, [Assumption.COMPLETE, Assumption.RELIABLE])],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_dropped_ends_what_it_falsifies(sim: Simulation, kind: type, broken: list[Assumption]) -> None:
    """A heartbeat nothing, what is said again only that all is heard, a launch that messages arrive."""
    checkers = ours(sim)
    sim.drop(kind, times=1)
    cluster = sim.cluster(agents=1)

    cluster.run(Launcher(command_task("t1")), framework=PLAIN)
    sim.advance(40.0)

    assert list(checkers.broken) == broken


def test_a_cut_ends_nothing(sim: Simulation) -> None:
    """A partition breaks links when it heals, which everybody has to bear."""
    checkers = ours(sim)
    cluster = sim.cluster(agents=2)
    cluster.run(Launcher(command_task("t1")), framework=PLAIN)
    sim.partition("master-1", "agent-1")
    sim.advance(40.0)
    sim.heal()
    sim.advance(100.0)

    assert (checkers.first, checkers.unfinished(), list(checkers.broken)) == (None, [], [])


def test_an_agent_that_stands_still_need_not_be_in_time(sim: Simulation) -> None:
    """What it should have said again while it was paused it says when it goes on."""
    checkers = ours(sim)
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1")), framework=PLAIN, implicit_acknowledgements=False)
    sim.advance(2.0)

    sim.pause("agent-1")
    sim.advance(50.0)
    sim.resume("agent-1")
    sim.advance(50.0)

    assert checkers.violations == []


def test_who_writes_on_a_slow_disk_need_not_be_in_time(sim: Simulation) -> None:
    """An update that is not stored yet is not said; that is no fault of an agent."""
    checkers = ours(sim)
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.agents["agent-1"].disk.slow(30.0)
    cluster.run(framework, framework=attrs.evolve(PLAIN, checkpoint=True))
    sim.advance(200.0)

    assert framework.states("t1")[-1] == "RUNNING"
    assert checkers.violations == []


def test_of_two_successors_the_one_that_the_leader_takes_last_speaks_for_the_framework(sim: Simulation) -> None:
    """Though it began first: what it is told, its framework was told."""
    checkers = ours(sim)
    cluster = sim.cluster(agents=1)
    first = cluster.run(Launcher(command_task("t1")), framework=PLAIN)
    sim.advance(2.0)
    info = attrs.evolve(PLAIN, id=first.framework_id)
    sim.kill(first)
    second = cluster.run(Launcher(), framework=info)
    held = sim.hold(sender=second)
    third = cluster.run(Launcher(), framework=info)
    sim.advance(2.0)
    sim.kill(third)
    held.release()
    sim.advance(5.0)

    second.reconcile_tasks([TaskStatus(task_id="t1", state="TASK_STAGING")])
    second.kill_task("t1")
    sim.advance(30.0)

    assert checkers.unfinished() == []
