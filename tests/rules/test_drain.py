"""The rule that says whether a drain is done, and what it waits for if not (drain.md 4.5.1)."""

from __future__ import annotations

import attrs
import pytest

from mesolite.actors.decisions.master.drain.rule import DrainingAgent, TaskLeft, blockers, is_done
from mesolite.messages.drains import Blocker, Party
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.tasks import TaskState

CONFIRMED = DrainingAgent(name="agent-1", told_at=7.0, confirmed=True)
TOLD = attrs.evolve(CONFIRMED, confirmed=False)
AWAY = attrs.evolve(CONFIRMED, away="disconnected")


def task(state: TaskState = TaskState.TASK_RUNNING, **more: object) -> TaskLeft:
    known = TaskLeft(task_id=TaskId("t1"), framework_id=FrameworkId("m1-F1"), framework="mine", state=state)
    return attrs.evolve(known, **more)


def only_blocker(agent: DrainingAgent, *tasks: TaskLeft) -> Blocker:
    (blocker,) = blockers(agent, tasks)
    return blocker


def test_nothing_left_and_confirmed_is_done() -> None:
    """No task in the books, and the agent, connected, has said that nothing is left."""
    assert is_done(CONFIRMED, [])


def test_nothing_left_but_not_confirmed_waits_for_the_agent() -> None:
    """The books alone are not enough: executors may be within their grace (ours, 4.5.3)."""
    blocker = only_blocker(TOLD)

    assert (blocker.party, blocker.name, blocker.since, blocker.task_id) == (Party.AGENT, "agent-1", 7.0, None)
    assert not is_done(TOLD, [])


def test_an_agent_that_is_away_is_waited_for_though_it_has_confirmed() -> None:
    """Ours: Mesos calls an agent drained that is not there (4.5.4)."""
    blocker = only_blocker(AWAY)

    assert (blocker.party, blocker.task_id) == (Party.AGENT, None)
    assert "disconnected" in blocker.why


def test_tasks_of_an_agent_that_is_away_wait_for_the_agent() -> None:
    """Nobody else can do anything about them; the agent itself is waited for, too."""
    found = list(blockers(AWAY, [task(), task(TaskState.TASK_KILLED, task_id=TaskId("t2"))]))

    assert [(blocker.party, blocker.task_id) for blocker in found] == [
        (Party.AGENT, None),
        (Party.AGENT, "t1"),
        (Party.AGENT, "t2"),
    ]


@pytest.mark.parametrize("state", [state for state in TaskState if not state.is_terminal])
def test_a_task_that_lives_waits_for_its_executor(state: TaskState) -> None:
    """Whatever it is in the middle of; since when it was to die is said."""
    blocker = only_blocker(TOLD, task(state, executor_id=ExecutorId("e1")))

    assert (blocker.party, blocker.name, blocker.task_id, blocker.state) == (Party.EXECUTOR, "e1", "t1", state)
    assert (blocker.since, blocker.framework_id, blocker.framework) == (7.0, "m1-F1", "mine")


def test_the_executor_of_a_command_is_named_after_its_task() -> None:
    """It has the same id (core.md TK-77)."""
    assert only_blocker(TOLD, task()).name == "t1"


@pytest.mark.parametrize("state", [state for state in TaskState if state.is_terminal])
def test_a_task_that_has_ended_waits_for_its_framework(state: TaskState) -> None:
    """A terminal but unacknowledged task counts (4.5.1), even if the agent has said that nothing is left."""
    for agent in (TOLD, CONFIRMED):
        blocker = only_blocker(agent, task(state))

        assert (blocker.party, blocker.name, blocker.since, blocker.grace_s) == (Party.FRAMEWORK, "mine", None, None)


def test_a_task_whose_last_update_was_not_acknowledged_waits_for_its_framework() -> None:
    """It may be dead: the update that says so waits at the agent for that acknowledgement (0.2.12)."""
    assert only_blocker(TOLD, task(unacknowledged=True)).party is Party.FRAMEWORK


def test_a_framework_that_is_away_is_said_to_be() -> None:
    """Whoever looks must see that nobody will acknowledge until it is back."""
    assert "it is disconnected" in only_blocker(TOLD, task(TaskState.TASK_KILLED, framework_away="disconnected")).why


@pytest.mark.parametrize(
    ("longest_s", "own_s", "grace_s"),
    [(None, None, None), (5.0, None, 5.0), (None, 8.0, 8.0), (5.0, 8.0, 5.0), (5.0, 2.0, 2.0), (0.0, 2.0, 0.0)],
)
def test_the_grace_is_that_of_the_drain_or_a_shorter_one_of_the_task(
    longest_s: float | None, own_s: float | None, grace_s: float | None
) -> None:
    """As the agent chooses it (4.4.5); what is not known is not made up."""
    agent = attrs.evolve(TOLD, max_grace_period_s=longest_s)

    assert only_blocker(agent, task(grace_period_s=own_s)).grace_s == grace_s


@pytest.mark.parametrize(
    ("longest_s", "own_s", "grace_s"), [(None, None, None), (None, 8.0, None), (5.0, None, 6.0), (5.0, 2.0, 3.0)]
)
def test_another_executor_goes_the_hard_way_only_if_the_drain_says_when(
    longest_s: float | None, own_s: float | None, grace_s: float | None
) -> None:
    """Nobody makes an executor of the framework's own honour the task's grace; the drain's, the agent does."""
    agent = attrs.evolve(TOLD, max_grace_period_s=longest_s, executor_margin_s=1.0)

    assert only_blocker(agent, task(grace_period_s=own_s, executor_id=ExecutorId("e1"))).grace_s == grace_s


def test_one_task_is_enough_to_know_that_it_is_not_done() -> None:
    """The rule is asked after every acknowledgement, so it must not look at ten thousand tasks to say no."""
    tasks = iter([task(), task(task_id=TaskId("t2"))])

    assert not is_done(CONFIRMED, tasks)
    assert [left.task_id for left in tasks] == ["t2"]


def test_a_blocker_reads_as_a_sentence() -> None:
    """The text of a time-out is made of these."""
    agent = attrs.evolve(TOLD, max_grace_period_s=5.0)

    assert str(only_blocker(agent, task())) == (
        "task t1 of framework mine (TASK_RUNNING) waits for executor t1: it has to kill the task, which lives "
        "(asked at 7.000 s) (after at most 5 s the hard way)"
    )
    assert str(only_blocker(AWAY)) == "agent agent-1: it is disconnected and has to come back"
