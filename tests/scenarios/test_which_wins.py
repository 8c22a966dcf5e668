"""Which mechanism wins when two meet on one agent: docs/which-wins.md has the table, every cell is run here.

Row: what is under way on agent-1, with a task that dies hard; column: what comes then. A cell says what the framework
was told of its task, where the agent stood in the end, and how drain and reclaim ended. After a change that is meant
to show, look at the difference this makes: MESOLITE_REWRITE=1 pytest tests/scenarios/test_which_wins.py
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesolite import Capability, FrameworkInfo, KillPolicy, Refused, SimulatedWork, Simulation, Unavailability, Window
from mesolite.actors.decisions.master.membership.table import (
    BEGINS_IN,
    MOVES,
    NOT_WHILE,
    Change,
    Membership,
    MemberState,
)
from mesolite.messages import OperationApplied, PongAgent, ReregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import OPERATOR, CallAnswered, MarkAgentGoneCall
from mesolite.messages.registrar import MarkAgentGone, MarkAgentUnreachable, RemoveAgent
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import Launcher, check_books, command_task, fail_over, leader_of, writes

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "which-wins.md"
GRACE_S = 300.0
LONG_S = 3000.0
UNASKED = 1_000_000
HARD_TO_KILL = SimulatedWork(duration=None, on_sigterm=None)
FRAMEWORK = FrameworkInfo(
    name="web", checkpoint=True, failover_timeout_s=3600.0, capabilities=(Capability.PARTITION_AWARE,)
)


class Stage:
    """A cluster whose agent-1 runs one task that dies after its grace, and the handles of what was begun."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.cluster: SimulatedCluster = sim.cluster(agents=1, masters=3)
        self.agent = self.cluster.agents["agent-1"]
        grace = KillPolicy(grace_period_s=GRACE_S)
        self.framework = Launcher(command_task("t1", HARD_TO_KILL, resources="cpus:2;mem:256", kill_policy=grace))
        self.cluster.run(self.framework, framework=FRAMEWORK)
        sim.advance(1.0)
        assert self.framework.states("t1")[-1] == "RUNNING"
        self.undo: list[Callable[[], None]] = []
        self.ends: dict[str, Callable[[], str]] = {}
        self.refused: list[str] = []

    def hold(self, operation: type) -> None:
        """Keep the registry's answer about that operation until the end."""
        held = self.sim.hold(OperationApplied, where=writes(operation))
        self.undo.append(held.release)

    def operate(self, what: str, call: Callable[[], object]) -> object:
        """Make an operator's call; a refusal is part of the outcome."""
        try:
            return call()
        except Refused:
            self.refused.append(what)
            return None

    def finish(self) -> str:
        """Undo every hold, let all of it come to its end, and say what it was."""
        for undo in reversed(self.undo):
            undo()
        self.sim.advance(LONG_S)
        check_books(self.sim)
        said = [f"{s.state.name.removeprefix('TASK_')} ({s.cause})" for s in self.framework.updates("t1") if s.cause]
        told = [text for text in dict.fromkeys(said) if not text.startswith("KILLING")]
        parts = [", then ".join(told) or "nothing", f"agent {self._place()}"]
        parts += [f"{name} {end()}" for name, end in self.ends.items()]
        parts += [f"{name} refused" for name in self.refused]
        return "; ".join(parts)

    def _place(self) -> str:
        books: Any = self.cluster.operator.state()
        for agent in books["agents"]:
            if agent["id"] == self.agent.id:
                return "active" if agent["active"] else "deactivated"
        for place in ("unreachable", "gone", "recovered"):
            listed = books[f"{place}_agents"]
            if self.agent.id in [entry["id"] if isinstance(entry, dict) else entry for entry in listed]:
                return place
        return "removed"


def signalled(stage: Stage) -> None:
    """SIGUSR1; the removal stays unrecorded until the end."""
    stage.hold(RemoveAgent)
    if stage.agent.alive:
        stage.agent.signal(signal.SIGUSR1)
    stage.sim.settle()


def drained(stage: Stage) -> None:
    """A drain whose task is within its grace."""
    drain = stage.operate("drain", lambda: stage.cluster.operator.drain(stage.agent))
    if drain is not None:
        stage.ends["drain"] = lambda: str(drain.state)  # type: ignore[attr-defined]
    stage.sim.settle()


def reclaimed(stage: Stage) -> None:
    """A reclaim of everything whose deadline has passed, with the task within its grace."""
    reclaim = stage.operate("reclaim", lambda: stage.cluster.operator.reclaim(stage.agent, within=0.0))
    if reclaim is not None:
        stage.ends["reclaim"] = lambda: str(reclaim.state)  # type: ignore[attr-defined]
    stage.sim.settle()


def silent(stage: Stage) -> None:
    """No pong comes any more; that the agent is unreachable stays unrecorded until the end."""
    stage.hold(MarkAgentUnreachable)
    pongs = stage.sim.drop(PongAgent)
    stage.undo.insert(0, lambda: stage.sim.forget(pongs))
    stage.sim.advance(90.0)


def taken_down(stage: Stage) -> None:
    """The machine is scheduled and taken down; the removal stays unrecorded until the end."""
    stage.hold(RemoveAgent)
    later = Unavailability(start=stage.cluster.now + 3600.0)
    window = Window(machines=[stage.agent.machine_id], unavailability=later)
    stage.operate("machine down", lambda: stage.cluster.operator.update_maintenance_schedule([window]))
    stage.operate("machine down", lambda: stage.cluster.operator.machine_down([stage.agent.machine_id]))
    stage.sim.settle()


def gone(stage: Stage) -> None:
    """The agent is marked gone, which stays unrecorded until the end."""
    stage.hold(MarkAgentGone)
    answers = stage.sim.expect(CallAnswered, where=lambda answer: answer.call_id == UNASKED)
    call = MarkAgentGoneCall(call_id=UNASKED, agent_id=AgentId(str(stage.agent.id)))
    stage.sim.inject(leader_of(stage.cluster), call, sender=OPERATOR)
    stage.sim.settle()
    if answers.count and answers.first.code != 200:
        stage.refused.append("gone")


def failed_over(stage: Stage) -> None:
    """The leader dies; the agent is not back with the next one until the end."""
    held = stage.sim.hold(ReregisterAgent)
    stage.undo.append(held.release)
    fail_over(stage.sim, stage.cluster)


MECHANISMS: dict[str, Callable[[Stage], None]] = {
    "SIGUSR1": signalled,
    "drain": drained,
    "reclaim": reclaimed,
    "silence": silent,
    "machine down": taken_down,
    "mark gone": gone,
    "failover": failed_over,
}

CELL = re.compile(r"^\| (?P<first>[\w ]+?) +\| (?P<then>[\w ]+?) +\| (?P<outcome>[^|]+?) +\|$", re.MULTILINE)


def cells() -> dict[tuple[str, str], str]:
    """What the page says of each pair; the table's heading is none."""
    found = CELL.finditer(PAGE.read_text(encoding="utf-8"))
    return {(cell["first"], cell["then"]): cell["outcome"] for cell in found if cell["first"] in MECHANISMS}


def rewrite(first: str, then: str, outcome: str) -> None:
    """Put an outcome into the page."""

    def line(cell: re.Match[str]) -> str:
        if (cell["first"], cell["then"]) != (first, then):
            return cell[0]
        return f"| {first:12} | {then:12} | {outcome} |"

    PAGE.write_text(CELL.sub(line, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize("then", MECHANISMS)
@pytest.mark.parametrize("first", MECHANISMS)
def test_the_page_says_which_wins(sim: Simulation, first: str, then: str) -> None:
    """What comes while something is under way ends as the table says, whatever the seed."""
    stage = Stage(sim)

    MECHANISMS[first](stage)
    MECHANISMS[then](stage)
    outcome = stage.finish()

    if "MESOLITE_REWRITE" in os.environ:
        rewrite(first, then, outcome)
    assert cells()[first, then] == outcome


def test_the_page_shows_where_agents_stand_and_what_may_begin() -> None:
    """Line for line what the table of membership holds."""
    moves = [
        f"| {state.value} | {', '.join(each.value for each in MemberState if each in MOVES[state])} |"
        for state in MemberState
    ]
    changes = [
        f"| {change.value} | {', '.join(each.value for each in MemberState if each in BEGINS_IN[change])} "
        f"| {', '.join(each.value for each in Change if each in NOT_WHILE[change]) or '-'} |"
        for change in Change
    ]

    text = PAGE.read_text(encoding="utf-8")

    assert "\n".join(moves) in text
    assert "\n".join(changes) in text


def test_an_impossible_move_of_an_agent_is_an_error() -> None:
    """Nobody comes back who is gone for good (1.3.2), nor is an unknown agent disconnected."""
    membership = Membership()
    gone, unknown = AgentId("m1-S1"), AgentId("m1-S2")
    membership.move(gone, MemberState.GONE, 7.0)

    with pytest.raises(ValueError, match="agent m1-S1 is gone and cannot become registered"):
        membership.move(gone, MemberState.REGISTERED)
    with pytest.raises(ValueError, match="agent m1-S2 is unknown and cannot become disconnected"):
        membership.move(unknown, MemberState.DISCONNECTED)

    assert (membership.state(gone), membership.state(unknown)) == (MemberState.GONE, MemberState.UNKNOWN)
