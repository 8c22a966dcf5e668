"""What is asked of every task state: is it the last, and does the task still occupy its agent's resources?"""

from __future__ import annotations

from mesolite.messages.tasks import TaskState


def test_terminal_states_are_those_a_task_never_leaves() -> None:
    """drain.md 0.2.9, core.md TK-1."""
    assert [state.name for state in TaskState if state.is_terminal] == [
        "TASK_FINISHED",
        "TASK_FAILED",
        "TASK_KILLED",
        "TASK_ERROR",
        "TASK_LOST",
        "TASK_DROPPED",
        "TASK_GONE",
        "TASK_GONE_BY_OPERATOR",
    ]


def test_an_unreachable_or_unknown_task_holds_nothing_though_it_may_come_back() -> None:
    """drain.md 0.2.11, core.md TK-3. TASK_UNKNOWN is only ever an answer to a scheduler (TK-4); it ended nothing."""
    assert [state.name for state in TaskState if state.holds_resources] == [
        "TASK_STAGING",
        "TASK_STARTING",
        "TASK_RUNNING",
        "TASK_KILLING",
    ]
