"""What we write as v1 JSON, and what of v1 has a name here."""

from __future__ import annotations

import pytest

from mesolite.gateway.v1.reading import status as read_status
from mesolite.gateway.v1.schema.tasks import TASK_STATUS_REASON
from mesolite.gateway.v1.writing import NOT_V1, Epoch, attributes
from mesolite.gateway.v1.writing import status as write_status
from mesolite.messages.ids import AgentId, ExecutorId
from mesolite.messages.tasks import Reason

EPOCH = Epoch(at_s=1_400_000_000.0)


@pytest.mark.parametrize(("text", "number"), [("7", 7.0), ("-1.5", -1.5), ("+2", 2.0), ("0010", 10.0)])
def test_an_attribute_that_is_a_number_is_a_scalar(text: str, number: float) -> None:
    """HT-172: as Mesos reads `--attributes=level:7`."""
    assert attributes([("level", text)]) == [{"name": "level", "type": "SCALAR", "scalar": {"value": number}}]


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1_000", "0x1", "1e3", ".5", "5.", " 5", "5\n", "٣", "", "r1", "9" * 400]
)
def test_an_attribute_that_only_python_takes_for_a_number_is_text(text: str) -> None:
    """HT-172: and so is what no JSON number could say, or what nobody would write for a number."""
    assert attributes([("rack", text)]) == [{"name": "rack", "type": "TEXT", "text": {"value": text}}]


def test_there_is_a_reason_for_each_that_v1_has() -> None:
    """HT-178: those that only a remote executor gives, too; one is ours, and is not written as a reason (HT-50)."""
    assert {reason.name for reason in set(Reason) - NOT_V1} == TASK_STATUS_REASON.values
    assert {Reason.REASON_RESOURCES_REVOKED} == NOT_V1


@pytest.mark.parametrize("reason", sorted(TASK_STATUS_REASON.values))
def test_the_reason_that_an_executor_gives_is_kept(reason: str) -> None:
    """HT-178: read and written again, it is the same."""
    said = {"task_id": {"value": "t1"}, "state": "TASK_FAILED", "reason": reason}

    read = read_status(said, AgentId("m1-S1"), ExecutorId("e1"), EPOCH, now=1.0)

    assert write_status(read, EPOCH)["reason"] == reason
