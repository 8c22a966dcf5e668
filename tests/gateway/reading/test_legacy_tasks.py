"""What `tasks` of a master answers (docs/spec/http.md HT-336)."""

from __future__ import annotations

import attrs
import pytest

from mesolite.gateway.reading.legacy_tasks import tasks
from mesolite.messages.tasks import TaskState
from tests.gateway.reading.clusters import EPOCH, check_strict, cluster, status, task

MANY = 150


def shown(**query: str) -> list[str]:
    return [each["id"] for each in tasks(cluster(), EPOCH, query)["tasks"]]


def numbered() -> list[str]:
    return [f"n{number}" for number in range(MANY)]


def of_many(**query: str) -> list[str]:
    """Of 150 tasks, each a second younger than the one before; what comes first of one is not what came last."""
    framework = attrs.evolve(
        cluster().frameworks[1],
        tasks=tuple(
            task(
                name,
                statuses=(status(TaskState.TASK_STARTING, float(at)), status(TaskState.TASK_RUNNING, 500.0 - at)),
            )
            for at, name in enumerate(numbered())
        ),
    )
    snapshot = cluster(frameworks=(framework,), completed_frameworks=())
    return [each["id"] for each in tasks(snapshot, EPOCH, query)["tasks"]]


def test_all_kinds_of_tasks_of_all_frameworks_are_there() -> None:
    """HT-336: live, unreachable and completed ones, of frameworks that have ended, too."""
    assert sorted(shown()) == ["t0", "t1", "t2", "t3", "t4"]
    check_strict(tasks(cluster(), EPOCH, {}), v1=False)


def test_a_task_has_the_role_of_its_framework() -> None:
    """OP-7."""
    roles = {each["id"]: each["role"] for each in tasks(cluster(), EPOCH, {})["tasks"]}
    assert (roles["t1"], roles["t0"]) == ("web", "old")


@pytest.mark.parametrize(("order", "newest_first"), [("asc", False), ("des", True), ("", True), ("ASC", True)])
def test_order_is_that_of_first_statuses(order: str, newest_first: bool) -> None:
    """HT-336: descending unless `asc` is asked for."""
    assert of_many(order=order, limit="-1") == (numbered()[::-1] if newest_first else numbered())


def test_tasks_of_which_nothing_was_said_are_the_oldest() -> None:
    """HT-336: older than one of which something was said as soon as the clock ran."""
    early = task("early", statuses=(status(TaskState.TASK_STARTING, 0.0),))
    framework = attrs.evolve(cluster().frameworks[1], tasks=(task("a"), early, task("b")))
    snapshot = cluster(frameworks=(framework,), completed_frameworks=())
    newest_first = [each["id"] for each in tasks(snapshot, EPOCH, {})["tasks"]]
    oldest_first = [each["id"] for each in tasks(snapshot, EPOCH, {"order": "asc"})["tasks"]]
    assert (newest_first, oldest_first) == (["early", "a", "b"], ["a", "b", "early"])


@pytest.mark.parametrize(
    ("query", "begin", "end"),
    [
        ({}, 0, 100),
        ({"limit": "2"}, 0, 2),
        ({"limit": "0"}, 0, 0),
        ({"limit": "-1"}, 0, MANY),
        ({"limit": "2", "offset": "3"}, 3, 5),
        ({"offset": "149"}, 149, MANY),
        ({"offset": "1000"}, MANY, MANY),
        ({"limit": "-5", "offset": "10"}, 10, MANY),
        ({"limit": "many"}, 0, 100),
        ({"limit": "1.5", "offset": ""}, 0, 100),
        ({"limit": "99999999999999999999"}, 0, 100),
        ({"limit": "3000000000", "offset": "1e3"}, 0, 100),
        ({"limit": "²"}, 0, 100),
    ],
)
def test_limit_and_offset_cut(query: dict[str, str], begin: int, end: int) -> None:
    """HT-336, HT-369: 100 unless said otherwise; what is no number counts as not given."""
    assert of_many(order="asc", **query) == numbered()[begin:end]


def test_tasks_can_be_selected_by_task_and_framework() -> None:
    """HT-336."""
    assert shown(task_id="t3") == ["t3"]
    assert shown(framework_id="F0") == ["t0"]
    assert shown(framework_id="F0", task_id="t3") == []
    assert shown(framework_id="F2") == []
