"""The wire: what is no message is refused, in words that say where, what is wrong and what would do."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.messages import codec
from mesolite.messages.agent import PingAgent, ShutdownAgent, UnregisterAgent
from mesolite.messages.checking import unchecked
from mesolite.messages.codec import DecodeError, decode, decode_record, encode, encode_record
from mesolite.messages.executor import ShutdownExecutor
from mesolite.messages.ids import AgentId, ExecutorId, TaskId
from mesolite.messages.registrar import Operation, RemoveAgent, UnreachableAgent
from mesolite.messages.tasks import CommandInfo, ExecutorInfo, TaskInfo, TaskState, TaskStatus
from tests.effort import examples
from tests.messages.strategies import EVERY_CLASS, TREES, WIRE

# --- malformed ---

KILL = '"framework_id":"f","task_id":"t"'
TASK_STATES = (
    "TASK_STAGING, TASK_STARTING, TASK_RUNNING, TASK_KILLING, TASK_FINISHED, TASK_FAILED, TASK_KILLED, "
    "TASK_ERROR, TASK_LOST, TASK_DROPPED, TASK_UNREACHABLE, TASK_GONE, TASK_GONE_BY_OPERATOR or TASK_UNKNOWN"
)
BYTES = 'bytes such as {"kind":"bytes","base64":"aGk="}'
AN_OPERATION = " or ".join(f"an object ({operation.__name__})" for operation in get_args(Operation))
MALFORMED = {
    "not JSON": ("ping", "not readable as JSON: Expecting value: line 1 column 1 (char 0)"),
    "nothing": ("", "not readable as JSON: Expecting value: line 1 column 1 (char 0)"),
    "cut off": (
        '{"kind":"PingAgent","connected":tr',
        "not readable as JSON: Expecting value: line 1 column 33 (char 32)",
    ),
    "two texts": (
        '{"kind":"PongAgent"}{"kind":"PongAgent"}',
        "not readable as JSON: Extra data: line 1 column 21 (char 20)",
    ),
    "a key twice": (
        '{"kind":"PingAgent","connected":true,"connected":false}',
        'not readable as JSON: an object has the key "connected" 2 times',
    ),
    "a list": ("[]", 'expected an object with the key "kind", got a list of 0'),
    "null": ("null", 'expected an object with the key "kind", got null'),
    "no kind": ("{}", 'the key "kind" is missing: expected the name of a class of mesolite.messages'),
    "kind is a number": ('{"kind":7}', "unknown kind 7: expected the name of a class of mesolite.messages"),
    "kind is an object": (
        '{"kind":{}}',
        "unknown kind an object: expected the name of a class of mesolite.messages",
    ),
    "kind misspelt": (
        '{"kind":"UnregisterAgnet","agent_id":"a"}',
        'unknown kind "UnregisterAgnet": expected perhaps UnregisterAgent, ReregisterAgent or RegisterAgent',
    ),
    "kind never heard of": (
        '{"kind":"xyzzy"}',
        'unknown kind "xyzzy": expected the name of a class of mesolite.messages',
    ),
    "a noun is no message": (
        '{"kind":"KillPolicy","grace_period_s":1.0}',
        'unknown kind "KillPolicy": expected the name of a class of mesolite.messages',
    ),
    "missing key": (
        '{"kind":"KillTask","task_id":"t"}',
        "KillTask.framework_id: is missing, expected a string (FrameworkId)",
    ),
    "unknown key": (
        f'{{"kind":"KillTask",{KILL},"agent":"a"}}',
        'KillTask: unknown key "agent"; the keys are framework_id, task_id, agent_id, kill_policy',
    ),
    "unknown key where there are none": (
        '{"kind":"PongAgent","at":1}',
        'PongAgent: unknown key "at"; the keys are kind alone',
    ),
    "number for a string": (
        '{"kind":"KillTask","framework_id":1,"task_id":"t"}',
        "KillTask.framework_id: expected a string (FrameworkId), got 1",
    ),
    "null for a string": (
        '{"kind":"UnregisterAgent","agent_id":null}',
        "UnregisterAgent.agent_id: expected a string (AgentId), got null",
    ),
    "number for an optional string": (
        f'{{"kind":"KillTask",{KILL},"agent_id":false}}',
        "KillTask.agent_id: expected a string (AgentId) or null, got false",
    ),
    "half a surrogate pair": (
        '{"kind":"UnregisterAgent","agent_id":"a\\ud800"}',
        'UnregisterAgent.agent_id: "\\ud800" is half of a surrogate pair, which no UTF-8 text can hold',
    ),
    "true for an integer": (
        '{"kind":"RecoverRegistry","term":true}',
        "RecoverRegistry.term: expected an integer, got true",
    ),
    "float for an integer": (
        '{"kind":"RecoverRegistry","term":1.0}',
        "RecoverRegistry.term: expected an integer, got 1.0",
    ),
    "string for an integer": (
        '{"kind":"RecoverRegistry","term":"1"}',
        'RecoverRegistry.term: expected an integer, got "1"',
    ),
    "integer for a truth": (
        '{"kind":"PingAgent","connected":1}',
        "PingAgent.connected: expected true or false, got 1",
    ),
    "string for a float": (
        '{"kind":"ShutdownExecutor","grace_s":"5"}',
        'ShutdownExecutor.grace_s: expected a finite number, got "5"',
    ),
    "true for a float": (
        '{"kind":"ShutdownExecutor","grace_s":true}',
        "ShutdownExecutor.grace_s: expected a finite number, got true",
    ),
    "NaN": (
        '{"kind":"ShutdownExecutor","grace_s":NaN}',
        "ShutdownExecutor.grace_s: expected a finite number, got NaN",
    ),
    "Infinity": (
        '{"kind":"ShutdownExecutor","grace_s":-Infinity}',
        "ShutdownExecutor.grace_s: expected a finite number, got -Infinity",
    ),
    "more than a float can hold": (
        '{"kind":"ShutdownExecutor","grace_s":1e999}',
        "ShutdownExecutor.grace_s: expected a finite number, got Infinity",
    ),
    "an integer that no float equals": (
        '{"kind":"ShutdownExecutor","grace_s":9007199254740993}',
        "ShutdownExecutor.grace_s: expected a finite number, got 9007199254740993",
    ),
    "no such state": (
        '{"kind":"StatusUpdate","framework_id":"f","status":{"task_id":"t","state":"TASK_RUNING"},'
        '"latest_state":"TASK_RUNNING"}',
        f'StatusUpdate.status.state: expected {TASK_STATES}, got "TASK_RUNING"',
    ),
    "state in small letters": (
        '{"kind":"StatusUpdate","framework_id":"f","status":{"task_id":"t","state":"TASK_LOST"},'
        '"latest_state":"task_lost"}',
        f'StatusUpdate.latest_state: expected {TASK_STATES}, got "task_lost"',
    ),
    "a state that is a list": (
        '{"kind":"StatusUpdate","framework_id":"f","status":{"task_id":"t","state":[]},'
        '"latest_state":"TASK_LOST"}',
        f"StatusUpdate.status.state: expected {TASK_STATES}, got a list of 0",
    ),
    "no such optional source": (
        '{"kind":"ReconcileTasks","framework_id":"f","statuses":'
        '[{"task_id":"t","state":"TASK_LOST","source":"SOURCE_SLAVE"}]}',
        "ReconcileTasks.statuses[0].source: expected SOURCE_MASTER, SOURCE_AGENT or SOURCE_EXECUTOR or null, "
        'got "SOURCE_SLAVE"',
    ),
    "string for an object": (
        '{"kind":"RegisterAgent","agent":"a1"}',
        'RegisterAgent.agent: expected an object (AgentInfo), got "a1"',
    ),
    "list for an optional object": (
        f'{{"kind":"KillTask",{KILL},"kill_policy":[]}}',
        "KillTask.kill_policy: expected an object (KillPolicy) or null, got a list of 0",
    ),
    "missing inside": (
        '{"kind":"RegisterAgent","agent":{"resources":"cpus:1"}}',
        "RegisterAgent.agent.hostname: is missing, expected a string",
    ),
    "unknown inside": (
        '{"kind":"RegisterAgent","agent":{"hostname":"h","resources":"","host":2,"post":1}}',
        'RegisterAgent.agent: unknown key "host", "post"; the keys are hostname, resources, attributes, id, ip, port',
    ),
    "resources as an object": (
        '{"kind":"RegisterAgent","agent":{"hostname":"h","resources":{"cpus":1}}}',
        'RegisterAgent.agent.resources: expected resources such as "cpus:1;mem:32", got an object',
    ),
    "resources below zero": (
        '{"kind":"RegisterAgent","agent":{"hostname":"h","resources":"cpus:-1"}}',
        "RegisterAgent.agent.resources: cpus:-1: a scalar cannot be negative; write for example cpus:1",
    ),
    "string for a list": (
        '{"kind":"DeclineOffers","framework_id":"f","offer_ids":"o1"}',
        'DeclineOffers.offer_ids: expected a list, got "o1"',
    ),
    "object for a list": (
        '{"kind":"DeclineOffers","framework_id":"f","offer_ids":{"o1":1}}',
        "DeclineOffers.offer_ids: expected a list, got an object",
    ),
    "wrong part of a list": (
        '{"kind":"DeclineOffers","framework_id":"f","offer_ids":["o1",2,3]}',
        "DeclineOffers.offer_ids[1]: expected a string (OfferId), got 2",
    ),
    "three where two belong": (
        '{"kind":"RegisterAgent","agent":{"hostname":"h","resources":"","attributes":[["a","b","c"]]}}',
        "RegisterAgent.agent.attributes[0]: expected a list of 2, got a list of 3",
    ),
    "wrong second of two": (
        '{"kind":"RegisterAgent","agent":{"hostname":"h","resources":"","attributes":[["a","b"],["c",4]]}}',
        "RegisterAgent.agent.attributes[1][1]: expected a string, got 4",
    ),
    "deep inside": (
        '{"kind":"AcceptOffers","framework_id":"f","offer_ids":[],"operations":'
        '[{"tasks":[{"task_id":"t"},{"task_id":"u","executor":{"executor_id":"x","data":0}}]}]}',
        f"AcceptOffers.operations[0].tasks[1].executor.data: expected a string or {BYTES}, got 0",
    ),
    "operation missing": (
        '{"kind":"ApplyOperation","write_id":"w"}',
        f"ApplyOperation.operation: is missing, expected {AN_OPERATION}",
    ),
    "operation of an unknown kind": (
        '{"kind":"ApplyOperation","write_id":"w","operation":{"kind":"UnregisterAgent","agent_id":"a"}}',
        'ApplyOperation.operation: unknown kind "UnregisterAgent": '
        "expected perhaps ReactivateAgent or DeactivateAgent",
    ),
    "operation that is null": (
        '{"kind":"ApplyOperation","write_id":"w","operation":null}',
        'ApplyOperation.operation: expected an object with the key "kind", got null',
    ),
    "wrong inside the operation": (
        '{"kind":"ApplyOperation","write_id":"w","operation":{"kind":"RemoveAgent","agent_id":5}}',
        "ApplyOperation.operation.agent_id: expected a string (AgentId), got 5",
    ),
    "several mistakes": (
        '{"kind":"KillTask","framework_id":1,"agent":"a"}',
        "KillTask.framework_id: expected a string (FrameworkId), got 1\n"
        "KillTask.task_id: is missing, expected a string (TaskId)\n"
        'KillTask: unknown key "agent"; the keys are framework_id, task_id, agent_id, kill_policy',
    ),
}


@pytest.mark.parametrize(("text", "why"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_message_is_refused_with_the_path_and_what_would_do(text: str, why: str) -> None:
    """Each line says where, what is wrong there, and what would have been accepted."""
    with pytest.raises(DecodeError) as refused:
        decode(text)

    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("NaN", "record: expected a finite number, got NaN", id="NaN"),
        pytest.param('"\\udc80"', 'record: "\\udc80" is half of a surrogate', id="half a surrogate pair"),
        pytest.param("[1,[2,Infinity]]", "[1][1]: expected a finite number, got Infinity", id="in a tuple"),
        pytest.param('[{"kind":"RemoveAgent"}]', "[0].agent_id: is missing", id="missing in a tuple"),
        pytest.param('[{"kind":"Removal"}]', '[0]: unknown kind "Removal"', id="unknown kind in a tuple"),
        pytest.param('{"kind":"TaskInfo"}', "TaskInfo.task_id: is missing", id="missing key"),
        pytest.param('{"a":1}', 'the key "kind" is missing', id="a mapping is no record"),
        pytest.param("[" * 17 + "]" * 17, "[0]" * 16 + ": nested too deeply", id="too deep"),
    ],
)
def test_a_malformed_record_is_refused_with_its_path(text: str, why: str) -> None:
    """A store that was tampered with is found out where it was."""
    with pytest.raises(DecodeError) as refused:
        decode_record(text)

    assert str(refused.value).startswith(why)


DATA_IN_A_MESSAGE = '{"kind":"FrameworkToExecutor","framework_id":"f","agent_id":"a","executor_id":"e","data":%s}'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param("1", f"expected a string or {BYTES}, got 1", id="a number"),
        pytest.param("null", f"expected a string or {BYTES}, got null", id="null"),
        pytest.param("[104,105]", f"expected a string or {BYTES}, got a list of 2", id="a list of numbers"),
        pytest.param("{}", f"expected a string or {BYTES}, got an object with no keys", id="no keys"),
        pytest.param(
            '{"base64":"aGk="}', f'expected a string or {BYTES}, got an object with "base64": "aGk="', id="no tag"
        ),
        pytest.param(
            '{"kind":"Bytes","base64":"aGk="}',
            f'expected a string or {BYTES}, got an object with "kind": "Bytes", "base64": "aGk="',
            id="another tag",
        ),
        pytest.param(
            '{"kind":"bytes","base64":"aGk=","of":1}',
            f'expected a string or {BYTES}, got an object with "kind": "bytes", "base64": "aGk=", "of": 1',
            id="a key too many",
        ),
        pytest.param(
            '{"kind":"bytes","base64":[]}',
            f'expected a string or {BYTES}, got an object with "kind": "bytes", "base64": a list of 0',
            id="base64 that is no string",
        ),
        *(
            pytest.param(
                f'{{"kind":"bytes","base64":{json.dumps(text)}}}',
                f"{json.dumps(text)} is not base64 as it is written here: A-Z a-z 0-9 + / in fours, padded with =",
                id=name,
            )
            for text, name in [
                ("aGk", "no padding"),
                ("aGk==", "too much padding"),
                ("aG k=", "a blank in between"),
                ("aGk=\n", "a line's end"),
                ("aGl=", "bits that say nothing"),
                ("_-8=", "the alphabet for addresses"),
                ("äGk=", "another letter"),
                ("=aGk", "padding in front"),
            ]
        ),
        pytest.param('"\\ud800"', '"\\ud800" is half of a surrogate pair, which no UTF-8 text can hold', id="half"),
    ],
)
def test_bytes_have_one_way_to_be_written(data: str, why: str) -> None:
    """Wrong keys, wrong types, and text that is not the base64 of anything are refused at their path."""
    with pytest.raises(DecodeError) as refused:
        decode(DATA_IN_A_MESSAGE % data)

    assert str(refused.value) == f"FrameworkToExecutor.data: {why}"


# --- hostile input ---


@pytest.mark.parametrize("read", [decode, decode_record])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 200_000, id="lists without end"),
        pytest.param('{"kind":' * 200_000, id="objects without end"),
        pytest.param("[" * 900 + "]" * 900, id="deep and well formed"),
        pytest.param('{"kind":"PingAgent","connected":' + "[" * 900 + "]" * 900 + "}", id="deep in a field"),
        pytest.param('{"kind":"RecoverRegistry","term":' + "9" * 5000 + "}", id="too many digits"),
        pytest.param('{"kind":"' + "PingAgent" * 100_000 + '"}', id="a long kind"),
        pytest.param('{"kind":"RegistryRefused","reason":' + "9" * 4000 + "}", id="a long number"),
        pytest.param(
            json.dumps({"kind": "PongAgent", **dict.fromkeys(map(str, range(100_000)))}), id="many keys"
        ),
        pytest.param(
            json.dumps({"kind": "ResourceOffers", "offers": [0] * 1_000_000}), id="a million wrong parts"
        ),
        pytest.param(
            json.dumps({"kind": "AdmitAgent", "agent": {"hostname": "", "resources": "x" * 100_000}}),
            id="long resources",
        ),
    ],
)
def test_hostile_text_is_refused_in_few_words(read: Any, text: str) -> None:
    """Size and depth end in a DecodeError whose text is short, however long the text was."""
    with pytest.raises(DecodeError) as refused:
        read(text)

    assert len(str(refused.value)) < 1000


def test_a_message_that_is_too_long_is_not_even_parsed() -> None:
    """It comes from outside, and may be anything."""
    with pytest.raises(DecodeError, match=r"^16777218 characters: at most 16777216 are read$"):
        decode('"' + "x" * codec.MAX_TEXT + '"')


def test_records_have_a_limit_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds in both directions, and says what is to blame; nothing that a message may say comes near it."""
    assert codec.MAX_RECORD_TEXT > 10 * codec.MAX_TEXT
    monkeypatch.setattr(codec, "MAX_RECORD_TEXT", 1000)

    with pytest.raises(ValueError, match=r"^TaskInfo\.data: 1159 characters: at most 1000 are written$"):
        encode_record(TaskInfo(task_id=TaskId("t"), data="x" * 1000))
    with pytest.raises(DecodeError, match="1002 characters: at most 1000 are read"):
        decode_record('"' + "x" * 1000 + '"')


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON tree where something else could stand, as (container, key)."""
    keys = range(len(tree)) if isinstance(tree, list) else list(tree) if isinstance(tree, dict) else []
    return [place for key in keys for place in [(tree, key), *places(tree[key])]]


@settings(WIRE, max_examples=examples(300))
@given(message=EVERY_CLASS, other=TREES, data=st.data())
def test_whatever_stands_in_a_text_it_is_refused_or_says_what_it_said(
    message: object, other: Any, data: st.DataObject
) -> None:
    """Replace any part of a good text by anything: a DecodeError, or a record that comes back equal."""
    tree = [json.loads(encode_record(message))]
    container, key = data.draw(st.sampled_from(places(tree)))
    container[key] = other

    try:
        record = decode_record(json.dumps(tree))
    except DecodeError:
        return

    assert decode_record(encode_record(record)) == record


@settings(WIRE, max_examples=examples(300))
@given(text=st.text() | TREES.map(json.dumps))
def test_any_text_at_all_is_a_message_or_a_decode_error(text: str) -> None:
    """No other exception comes out, whatever goes in."""
    try:
        message = decode(text)
    except DecodeError:
        return

    assert decode(encode(message)) == message


# --- what cannot be said ---


@pytest.mark.parametrize(
    ("message", "error", "why"),
    [
        pytest.param(TaskInfo(task_id=TaskId("t")), TypeError, "is not a message", id="a noun"),
        pytest.param("PongAgent", TypeError, "is not a message", id="a text"),
        pytest.param(ShutdownExecutor(grace_s=float("inf")), ValueError, "Out of range float", id="infinity"),
        pytest.param(ShutdownAgent(reason="x" * codec.MAX_TEXT), ValueError, "at most", id="too long"),
        pytest.param(
            UnregisterAgent(agent_id=AgentId("a\udc80")),
            ValueError,
            "half of a surrogate pair",
            id="half a surrogate pair",
        ),
        pytest.param(PingAgent(connected=object()), TypeError, "not JSON serializable", id="an object"),  # type: ignore[arg-type]
    ],
)
def test_what_json_cannot_carry_is_not_written(message: Any, error: type[Exception], why: str) -> None:
    """The sender hears of it, not the receiver."""
    with pytest.raises(error, match=why):
        encode(message)


def tuples(depth: int) -> tuple[object, ...]:
    """So many tuples inside each other, the innermost empty."""
    return (tuples(depth - 1),) if depth > 1 else ()


@pytest.mark.parametrize(
    ("record", "error", "why"),
    [
        pytest.param([1], TypeError, "list cannot be stored: a record is", id="a list"),
        pytest.param({"a": 1}, TypeError, "dict cannot be stored: a record is", id="a mapping"),
        pytest.param((1, frozenset()), TypeError, "frozenset cannot be stored", id="a set in a tuple"),
        pytest.param(TaskState.TASK_LOST, TypeError, "TaskState cannot be stored", id="a bare enum member"),
        pytest.param(tuples(codec.MAX_NESTING + 1), TypeError, "tuple cannot be stored", id="too deep"),
        pytest.param(float("nan"), ValueError, "Out of range float", id="NaN"),
        pytest.param("\udc80", ValueError, "half of a surrogate pair", id="half a surrogate pair"),
        pytest.param(
            RemoveAgent(agent_id=5),  # type: ignore[arg-type]
            DecodeError,
            r"RemoveAgent\.agent_id: expected a string \(AgentId\), got 5",
            id="a number where an id belongs",
        ),
        pytest.param(
            UnreachableAgent(agent_id=AgentId("a"), unreachable_time=2**53 + 1),
            DecodeError,
            "expected a finite number",
            id="a time that no float equals",
        ),
        pytest.param(
            (1, TaskInfo(task_id="t", executor=unchecked(ExecutorInfo)(executor_id=ExecutorId("e"), data="\udc80"))),
            ValueError,
            r'^record\[1\]\.executor\.data: "\\udc80" is half of a surrogate pair',
            id="the path to text that UTF-8 cannot carry",
        ),
        pytest.param(
            unchecked(TaskInfo)(task_id=TaskId("t"), data=object()),  # type: ignore[arg-type]
            TypeError,
            r"^TaskInfo\.data: Object of type object is not JSON serializable",
            id="the path to an object",
        ),
        pytest.param(
            (1, unchecked(TaskStatus)(task_id=TaskId("t"), state="TASK_LOST")),  # type: ignore[arg-type]
            ValueError,
            r"^record\[1\]\.state: 'TASK_LOST' cannot be written there: 'str' object has no attribute",
            id="the path to what is not even asked for its text",
        ),
        pytest.param(
            unchecked(TaskInfo)(task_id=TaskId("t"), command=unchecked(CommandInfo)(value="x", arguments=["y"])),  # type: ignore[arg-type]
            ValueError,
            r"^TaskInfo\.command\.arguments: would be read back as ",
            id="the path to what would come back as something else",
        ),
    ],
)
def test_a_store_is_not_given_what_it_could_not_give_back(
    record: object, error: type[Exception], why: str
) -> None:
    """A value that would not come back equal is refused when it is written, not after the next restart."""
    with pytest.raises(error, match=why):
        encode_record(record)


def test_tuples_nest_as_deep_as_the_limit_says() -> None:
    """The limit itself is allowed, on both sides."""
    record = tuples(codec.MAX_NESTING)

    assert decode_record(encode_record(record)) == record
