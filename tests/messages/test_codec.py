"""The wire: every message and noun has its place, and comes back equal.

A new class is covered as soon as its name stands in `mesolite.messages.__all__`; a test here says so when it
does not.
"""

from __future__ import annotations

import importlib
import pkgutil
import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite import messages
from mesolite.messages import conversations
from mesolite.messages.agent import PongAgent, RegisterAgent
from mesolite.messages.base import ExecutorCall, FrameworkCall, Message, OperatorCall, Query
from mesolite.messages.codec import KINDS, NOUNS, decode, decode_record, encode, encode_record
from mesolite.messages.executor import ShutdownExecutor
from mesolite.messages.ids import AgentId, FrameworkId, TaskId, UpdateId, WriteId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.registrar import AdmittedAgent, ApplyOperation, RemoveAgent
from mesolite.messages.relayed import KillTask, StatusUpdate
from mesolite.messages.tasks import Source, TaskInfo, TaskState, TaskStatus
from tests.effort import examples
from tests.messages.strategies import RECORDS, WIRE, values

MODULES = [
    importlib.import_module(f"mesolite.messages.{found.name}")
    for found in pkgutil.iter_modules(messages.__path__)
    if found.name not in ("checking", "codec", "errors")
]
DEFINED = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
}
"""What the modules define themselves, under public names."""

MARKS = {Message, FrameworkCall, OperatorCall, Query, ExecutorCall}
"""What messages are, and none of them."""

# --- everything has its place ---


def test_every_message_class_is_a_kind_and_no_two_share_a_name() -> None:
    """A message that is defined but not in KINDS could be sent between threads and not over a wire."""
    classes = [value for value in DEFINED.values() if isinstance(value, type)]

    assert set(KINDS) == {cls for cls in classes if issubclass(cls, Message)} - MARKS
    assert len({kind.__name__ for kind in [*KINDS, *NOUNS]}) == len(KINDS) + len(NOUNS)


def test_every_noun_can_be_recorded() -> None:
    """Whatever is spoken of can be stored, without the codec being told."""
    defined = {value for value in DEFINED.values() if attrs.has(value) and not issubclass(value, Message)}

    assert set(NOUNS) == defined


def test_every_public_name_of_the_storey_can_be_had_from_the_package() -> None:
    """`from mesolite.messages import X` works for every X, and for nothing that is not there."""
    internal = {"NOTHING", "Items", "Ranges", "as_data", "OnMachine", "machine_id", "machine_ids", "OfferOperation"}
    internal |= {mark.__name__ for mark in MARKS - {Message}}

    assert DEFINED.keys() - internal <= set(messages.__all__)
    assert len(messages.__all__) == len(set(messages.__all__))
    assert all(hasattr(messages, name) for name in messages.__all__)


def test_the_map_has_one_line_for_each_message() -> None:
    """The table in messages/conversations.py is complete, and speaks of nothing that does not exist."""
    rows = re.findall(r"^ {6}(\w+) +\w+(?: -> \w+)+ {2,}\S", conversations.__doc__ or "", re.MULTILINE)

    assert sorted(rows) == sorted(kind.__name__ for kind in KINDS)


def test_no_field_is_called_kind() -> None:
    """A field of that name would overwrite the tag."""
    assert [cls for cls in [*KINDS, *NOUNS] if "kind" in attrs.fields_dict(cls)] == []


# --- there and back ---


@pytest.mark.parametrize("kind", KINDS)
@settings(WIRE)
@given(data=st.data())
def test_every_message_comes_back_equal(kind: type[Message], data: st.DataObject) -> None:
    """Decoding gives an equal message of the same class, by way of text that UTF-8 can carry (LP-16)."""
    message = data.draw(values(kind))

    text = encode(message)
    back = decode(text)

    assert type(back) is kind
    assert back == message
    assert text.encode().decode() == text


@settings(WIRE, max_examples=examples(300))
@given(record=RECORDS)
def test_every_record_comes_back_equal(record: object) -> None:
    """What a store was given it gives back: same type, equal value."""
    back = decode_record(encode_record(record))

    assert type(back) is type(record)
    assert back == record


def test_the_text_is_compact_and_in_the_order_of_the_class() -> None:
    """The whole text of one message: kind first, every field once, defaults too, and no blank in between."""
    status = TaskStatus(
        task_id=TaskId("task-1"),
        state=TaskState.TASK_RUNNING,
        source=Source.SOURCE_EXECUTOR,
        message="läuft",
        timestamp=12.5,
        uuid=UpdateId("7"),
    )
    latest = TaskState.TASK_KILLING
    update = StatusUpdate(framework_id=FrameworkId("m1-0000"), status=status, latest_state=latest)

    assert encode(update) == (
        '{"kind":"StatusUpdate","framework_id":"m1-0000","status":{"task_id":"task-1","state":"TASK_RUNNING",'
        '"source":"SOURCE_EXECUTOR","reason":null,"message":"läuft","data":"","agent_id":null,"executor_id":null,'
        '"timestamp":12.5,"uuid":"7","unreachable_time":null,"cause":null,"container":null,"v1_json":""},"latest_state":"TASK_KILLING"}'
    )


def test_text_stays_text_and_bytes_stay_bytes() -> None:
    """Equal in letters, different in kind: what was given as text arrives as text, bytes as bytes, empty ones too."""
    texts = [encode_record(TaskInfo(task_id=TaskId("t"), data=data)) for data in ("hi", b"hi", b"")]
    back = [decode_record(text) for text in texts]

    assert [
        text[text.index('"data"') : text.index(',"work"')] for text in texts
    ] == ['"data":"hi"', '"data":{"kind":"bytes","base64":"aGk="}', '"data":{"kind":"bytes","base64":""}']
    assert [task.data for task in back if isinstance(task, TaskInfo)] == ["hi", b"hi", b""]


@pytest.mark.parametrize("like_bytes", [bytearray(b"\x00\xff"), memoryview(b"\x00\xff"), memoryview(b"\xff\x00")[::-1]])
def test_what_is_like_bytes_becomes_bytes(like_bytes: bytearray | memoryview) -> None:
    """Wherever data is given, and at once: what the giver does to it later changes nothing."""
    task = TaskInfo(task_id=TaskId("t"), data=like_bytes)

    assert (type(task.data), task.data) == (bytes, b"\x00\xff")


@pytest.mark.parametrize("megabytes", [5, 20])
@pytest.mark.parametrize("unit", ["x", "\x00", b"\x00"])
def test_a_task_may_carry_more_than_a_message_may(megabytes: int, unit: str | bytes) -> None:
    """A framework may put that much into a task, so a checkpoint must hold it, however it has to be written."""
    task = TaskInfo(task_id=TaskId("t"), data=unit * (megabytes << 20))

    assert decode_record(encode_record(task)) == task


def test_resources_are_text_and_the_operation_is_tagged() -> None:
    """Where a field may hold one of several classes, the class is named in the same way as a message's."""
    info = AgentInfo(hostname="h1", resources="mem:32;cpus:1", attributes=(("rack", "r1"),))

    assert encode(RegisterAgent(agent=info)) == (
        '{"kind":"RegisterAgent","agent":{"hostname":"h1","resources":"cpus:1;mem:32",'
        '"attributes":[["rack","r1"]],"id":null,"ip":"","port":0},"life":0}'
    )
    assert encode(ApplyOperation(write_id=WriteId("m1-W1"), operation=RemoveAgent(agent_id=AgentId("m1-S1")))) == (
        '{"kind":"ApplyOperation","operation":{"kind":"RemoveAgent","agent_id":"m1-S1","drain":null,"forget":[]},'
        '"write_id":"m1-W1"}'
    )


def test_what_has_a_default_may_be_missing() -> None:
    """Text from before a field was there is still understood."""
    expected = KillTask(framework_id=FrameworkId("f"), task_id=TaskId("t"))

    assert decode('{"kind":"KillTask","framework_id":"f","task_id":"t"}') == expected


def test_a_whole_number_of_seconds_becomes_a_float() -> None:
    """JSON has one sort of number, and people write 5 for 5.0."""
    message = decode('{"kind":"ShutdownExecutor","grace_s":5}')

    assert message == ShutdownExecutor(grace_s=5.0)
    assert isinstance(message, ShutdownExecutor)
    assert type(message.grace_s) is float


def test_messages_and_nouns_are_recorded_alike() -> None:
    """A store tells them apart by their kind alone."""
    info = AgentInfo(hostname="h1", resources="cpus:1")
    record = (AdmittedAgent(agent=info), PongAgent(), None, "text", 3)

    text = encode_record(record)

    assert text.startswith('[{"kind":"AdmittedAgent","agent":{"hostname":"h1",')
    assert text.endswith('{"kind":"PongAgent"},null,"text",3]')
    assert decode_record(text) == record
