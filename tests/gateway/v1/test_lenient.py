"""What clients send is understood as Mesos does, or refused with the place (docs/spec/http.md section 2.2)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.gateway.v1.framing import to_json
from mesolite.gateway.v1.lenient import Unreadable, convert, decoded, read, read_list
from mesolite.gateway.v1.schema.agent import AGENT_CALL
from mesolite.gateway.v1.schema.executor import EXECUTOR_CALL
from mesolite.gateway.v1.schema.frameworks import FRAMEWORK_INFO
from mesolite.gateway.v1.schema.identifiers import CONTAINER_ID, DURATION_INFO, LABELS, MACHINE_ID, TASK_ID
from mesolite.gateway.v1.schema.kinds import MessageType
from mesolite.gateway.v1.schema.master import MASTER_CALL
from mesolite.gateway.v1.schema.offers import FILTERS
from mesolite.gateway.v1.schema.operations import QUOTA_CONFIG
from mesolite.gateway.v1.schema.resources import RANGE, RESOURCE, SCALAR
from mesolite.gateway.v1.schema.scheduler import SCHEDULER_CALL
from mesolite.gateway.v1.schema.tasks import TASK_INFO, TASK_STATUS
from tests.effort import examples

QUICK = settings(deadline=None, max_examples=examples(100))

CALLS = [SCHEDULER_CALL, EXECUTOR_CALL, MASTER_CALL, AGENT_CALL]

TASK = {"name": "n", "task_id": {"value": "t"}, "agent_id": {"value": "a"}}
STATUS = {"task_id": {"value": "t"}, "state": "TASK_RUNNING"}


def refused(message: MessageType, value: Any) -> str:
    """The text of the error with which a value is refused."""
    with pytest.raises(Unreadable) as error:
        convert(message, value)
    return str(error.value)


# --- what is forgiven -----------------------------------------------------------------------------


def test_a_call_that_fits_stays_as_it_is() -> None:
    """HT-45, HT-173, HT-174: only set fields, an explicit empty object among them."""
    call = {
        "type": "ACCEPT",
        "framework_id": {"value": "f"},
        "accept": {
            "offer_ids": [{"value": "o"}],
            "operations": [{"type": "LAUNCH", "launch": {"task_infos": [{**TASK, "kill_policy": {}}]}}],
            "filters": {},
        },
    }

    assert read(SCHEDULER_CALL, json.dumps(call).encode()) == call


def test_fields_that_are_not_known_are_dropped_at_any_depth() -> None:
    """HT-29."""
    given = {**TASK, "slave_id": {"value": "a"}, "task_id": {"value": "t", "more": [1]}, "x": None}

    assert convert(TASK_INFO, given) == TASK


def test_null_means_unset_and_is_skipped_in_lists() -> None:
    """HT-30."""
    given = {**TASK, "command": None, "resources": None, "labels": {"labels": [None, {"key": "k", "value": None}]}}

    assert convert(TASK_INFO, given) == {**TASK, "labels": {"labels": [{"key": "k"}]}}
    assert convert(QUOTA_CONFIG, {"role": "r", "limits": {"cpus": None}}) == {"role": "r", "limits": {}}


def test_a_single_value_where_a_list_belongs_is_a_list_of_one() -> None:
    """HT-31."""
    assert convert(LABELS, {"labels": {"key": "k"}}) == {"labels": [{"key": "k"}]}
    assert convert(FRAMEWORK_INFO, {"user": "u", "name": "n", "roles": "r"})["roles"] == ["r"]


def test_a_list_within_a_list_is_read_as_if_its_brackets_were_not_there() -> None:
    """HT-31, as PB:627-644 does it."""
    assert convert(LABELS, {"labels": [[{"key": "k"}], [], {"key": "l"}]}) == {"labels": [{"key": "k"}, {"key": "l"}]}


@pytest.mark.parametrize(
    ("came", "understood"),
    [(1, 1.0), ("1.5", 1.5), ("-2e3", -2000.0), ("Infinity", math.inf), ("-Infinity", -math.inf), (2**70, 2.0**70)],
)
def test_floating_point_fields_take_numbers_and_text(came: object, understood: float) -> None:
    """HT-32, HT-139."""
    value = convert(FILTERS, {"refuse_seconds": came})["refuse_seconds"]

    assert value == understood
    assert type(value) is float


@pytest.mark.parametrize(
    ("came", "understood"),
    [
        (5, 5),
        ("5", 5),
        (5.9, 5),
        (-5.9, -5),
        ("-5.9", -5),
        ("1e3", 1000),
        (2**63 - 1, 2**63 - 1),
        (str(-(2**63)), -(2**63)),
    ],
)
def test_integer_fields_take_text_and_cut_floating_point(came: object, understood: int) -> None:
    """HT-32: and text of 64 bits loses none of them."""
    value = convert(DURATION_INFO, {"nanoseconds": came})["nanoseconds"]

    assert value == understood
    assert type(value) is int


@pytest.mark.parametrize(("came", "understood"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_booleans_may_come_as_text(came: object, understood: bool) -> None:
    """HT-33."""
    assert convert(TASK_STATUS, {**STATUS, "healthy": came})["healthy"] is understood


def test_the_name_of_no_enum_leaves_an_optional_field_unset_and_is_skipped_in_a_list() -> None:
    """HT-35, HT-94: new reasons, capabilities and types of calls do no harm."""
    capabilities = {"linux_info": {"capability_info": {"capabilities": ["CHOWN", "FLY", "KILL"]}}, "type": "MESOS"}

    assert convert(TASK_STATUS, {**STATUS, "reason": "REASON_NEW"}) == STATUS
    assert convert(SCHEDULER_CALL, {"type": "NEW"}) == {}
    assert convert(TASK_INFO, {**TASK, "container": capabilities})["container"]["linux_info"] == {
        "capability_info": {"capabilities": ["CHOWN", "KILL"]}
    }


def test_bytes_stay_the_text_that_they_came_as() -> None:
    """HT-36, HT-46: and mean what was encoded."""
    understood = convert(TASK_INFO, {**TASK, "data": "AP/+aGk="})["data"]

    assert understood == "AP/+aGk="
    assert decoded(understood) == b"\x00\xff\xfehi"
    assert convert(TASK_INFO, {**TASK, "data": ""})["data"] == ""


def test_line_ends_that_an_encoder_put_into_bytes_mean_nothing() -> None:
    """HT-36, as 3rdparty/stout/include/stout/base64.hpp has it."""
    assert convert(TASK_INFO, {**TASK, "data": "aGVs\r\nbG8=\n"})["data"] == "aGVsbG8="


def test_maps_are_objects_whose_values_are_bent_like_others() -> None:
    """HT-37."""
    given = {"role": "r", "guarantees": {"cpus": {"value": "2"}, "mem": {"value": 64, "unit": "MB"}}}

    assert convert(QUOTA_CONFIG, given) == {"role": "r", "guarantees": {"cpus": {"value": 2.0}, "mem": {"value": 64.0}}}


def test_of_a_key_given_twice_the_last_counts() -> None:
    """HT-40."""
    assert read(TASK_ID, b'{"value": 1, "value": "a", "value": "b"}') == {"value": "b"}


def test_our_own_fields_are_read() -> None:
    """HT-156, HT-292."""
    returning = {"inverse_offer_ids": [{"value": "i"}], "x_mesolite_returning": [{"value": "t"}]}
    declining = {"inverse_offer_ids": [{"value": "i"}], "x_mesolite_reason": "busy"}
    reclaim = {
        "type": "X_MESOLITE_RECLAIM",
        "x_mesolite_reclaim": {"agent_id": {"value": "a"}, "within": {"seconds": 5}},
    }

    assert convert(SCHEDULER_CALL, {"accept_inverse_offers": returning}) == {"accept_inverse_offers": returning}
    assert convert(SCHEDULER_CALL, {"decline_inverse_offers": declining}) == {"decline_inverse_offers": declining}
    assert convert(MASTER_CALL, reclaim) == reclaim


# --- what is not ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "value", "error"),
    [
        (TASK_ID, {"value": 5}, "value: the number 5 came, a text was expected"),
        (TASK_ID, {"value": True}, "value: true came, a text was expected"),
        (TASK_ID, {"value": ["a"]}, "value: a list came, a text was expected"),
        (TASK_ID, {"value": {}}, "value: an object came, a text was expected"),
        (TASK_INFO, {**TASK, "task_id": "t"}, 'task_id: the text "t" came, an object (TaskID) was expected'),
        (TASK_INFO, {**TASK, "task_id": [{}]}, "task_id: a list came, an object (TaskID) was expected"),
        (TASK_INFO, {**TASK, "limits": [{}]}, "limits: a list came, an object from names to values was expected"),
        (LABELS, {"labels": ["k"]}, 'labels[0]: the text "k" came, an object (Label) was expected'),
        (TASK_STATUS, {**STATUS, "reason": 3}, "reason: the number 3 came, a name (Reason) was expected"),
        (TASK_STATUS, {**STATUS, "reason": {}}, "reason: an object came, a name (Reason) was expected"),
    ],
)
def test_a_value_of_another_sort_is_an_error(message: MessageType, value: object, error: str) -> None:
    """HT-34, HT-42: the path, what came, what was expected."""
    assert refused(message, value) == error


@pytest.mark.parametrize("came", ["True", "yes", "1", "", " true", 1, 0, 1.0, [True], {}])
def test_nothing_else_is_a_boolean(came: object) -> None:
    """HT-33."""
    assert "true or false was expected" in refused(TASK_STATUS, {**STATUS, "healthy": came})


@pytest.mark.parametrize(
    "came", ["", "five", "0x5", "1_000", "+5", ".5", "5.", "05", "NaN", "inf", "infinity", True, [1]]
)
def test_nothing_else_is_a_number(came: object) -> None:
    """HT-32, HT-40."""
    assert refused(SCALAR, {"value": came}).endswith("a number was expected")
    assert "a whole number" in refused(DURATION_INFO, {"nanoseconds": came})


@pytest.mark.parametrize(
    "came", [2**63, -(2**63) - 1, str(2**63), 1e19, "1e19", 10**400, "1e400", "Infinity", "9" * 5000]
)
def test_integers_of_more_than_64_bits_are_refused(came: object) -> None:
    """HT-40."""
    expected = "a whole number from -9223372036854775808 to 9223372036854775807 was expected"

    assert refused(DURATION_INFO, {"nanoseconds": came}).endswith(expected)


def test_what_no_floating_point_can_hold_is_refused() -> None:
    """HT-40: also of values that were parsed elsewhere."""
    assert "a number below 1.8e308 was expected" in refused(SCALAR, {"value": 10**400})
    assert "the number NaN came, a number was expected" in refused(SCALAR, {"value": math.nan})


def test_each_integer_field_has_its_own_range() -> None:
    """HT-40: those of 32 bits and those without sign as well."""
    assert convert(RANGE, {"begin": 0, "end": 2**64 - 1}) == {"begin": 0, "end": 2**64 - 1}
    assert "from 0 to 18446744073709551615" in refused(RANGE, {"begin": -1, "end": 2})
    signal = {"container_id": {"value": "c"}, "signal": 2**31}
    assert "from -2147483648 to 2147483647" in refused(AGENT_CALL, {"kill_container": signal})


def test_a_required_enum_must_have_a_name_that_is_known() -> None:
    """HT-35."""
    error = refused(RESOURCE, {"name": "cpus", "type": "SCALER"})

    assert error == 'type: the text "SCALER" came, one of RANGES, SCALAR, SET, TEXT was expected'


@pytest.mark.parametrize("came", ["aGk", "aGk==", "a", "=", "aGk=aGk=", "-_8=", "a*k=", "é", 5, ["aGk="]])
def test_bad_base64_is_an_error(came: object) -> None:
    """HT-36: without padding, with the URL-safe alphabet, or none at all."""
    assert "standard base64 with padding was expected" in refused(TASK_INFO, {**TASK, "data": came})


def test_half_a_character_is_an_error_in_values_and_in_keys() -> None:
    """HT-39: no UTF-8 could hold it."""
    for body in (rb'{"role": "\ud800"}', rb'{"role": "r", "limits": {"\udc00x": {"value": 1}}}'):
        with pytest.raises(Unreadable, match="a text of whole characters was expected"):
            read(QUOTA_CONFIG, body)
    assert read(TASK_ID, rb'{"value": "\ud83d\ude00"}') == {"value": "\U0001f600"}


def test_all_required_fields_that_are_missing_are_listed_with_their_paths() -> None:
    """HT-38: at whatever depth; null counts as missing."""
    tasks = [{"name": "n", "task_id": {}, "limits": {"cpus": {}}}, {**TASK, "name": None}]
    call = {"accept": {"operations": [{"launch": {"task_infos": tasks}}]}, "kill": {}}

    infos = "accept.operations[0].launch.task_infos"
    assert refused(SCHEDULER_CALL, call) == (
        f"required fields are missing: {infos}[0].task_id.value, {infos}[0].agent_id, "
        f'{infos}[0].limits["cpus"].value, {infos}[1].name, kill.task_id'
    )


def test_what_does_not_fit_is_told_before_what_is_missing() -> None:
    """HT-38: required fields count after the conversion."""
    assert refused(SCHEDULER_CALL, {"kill": {}, "shutdown": 5}).startswith("shutdown: the number 5 came")


def test_the_path_of_an_error_leads_to_the_field() -> None:
    """HT-42: through lists, with the places that the client knows, and through maps."""
    call = {"accept": {"operations": [None, {"launch": {"task_infos": [TASK, {**TASK, "task_id": 7}]}}]}}

    assert refused(SCHEDULER_CALL, call).startswith(
        "accept.operations[1].launch.task_infos[1].task_id: the number 7 came"
    )
    assert refused(TASK_INFO, {**TASK, "limits": {"c.p": 1}}).startswith('limits["c.p"]: the number 1 came')
    with pytest.raises(Unreadable, match=r"^process\.io\.value: the number 1 came"):
        convert(TASK_ID, {"value": 1}, "process.io")


def test_an_error_shows_only_the_beginning_of_what_came() -> None:
    """HT-42: it is for people."""
    assert len(refused(TASK_INFO, {**TASK, "task_id": "x" * 1_000_000})) < 200


# --- whole bodies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b'{"type": "TEARDOWN"} x', "the body is not one JSON document: Extra data"),
        (b"{}{}", "the body is not one JSON document: Extra data"),
        (b'{"type": ', "the body is not one JSON document"),
        (b"\xef\xbb\xbf{}", "the body is not one JSON document"),
        (b'{"type": "\xff"}', "the body is not UTF-8: byte 10 is 0xff"),
        (b"[]", "the body: a list came, an object"),
        (b"null", "the body: null came, an object"),
        (b'"x"', 'the body: the text "x" came, an object'),
        (b'{"x": NaN}', "NaN is no JSON number"),
        (b'{"x": -Infinity}', "-Infinity is no JSON number"),
        (b'{"x": ' + b"9" * 5000 + b"}", "be read: it has a number of thousands of digits, and no field"),
    ],
)
def test_a_body_must_be_one_json_object(body: bytes, error: str) -> None:
    """HT-39, HT-40."""
    with pytest.raises(Unreadable) as refusal:
        read(SCHEDULER_CALL, body)

    assert error in str(refusal.value)


@pytest.mark.parametrize(("opening", "closing"), [(b'{"x":', b"}"), (b"[", b"]")])
def test_a_hundred_levels_may_be_nested_and_no_more(opening: bytes, closing: bytes) -> None:
    """HT-40: also in what is not known, and however deep."""

    def body(levels: int) -> bytes:
        return b'{"x":' + opening * (levels - 1) + b"1" + closing * (levels - 1) + b"}"

    assert read(SCHEDULER_CALL, body(100)) == {}
    for levels in (101, 1_000, 100_000):
        with pytest.raises(Unreadable, match="deeper than 100 levels"):
            read(SCHEDULER_CALL, body(levels))


@pytest.mark.parametrize("value", [b'{"b":1}', b"[]", b"1"], ids=["objects", "lists", "numbers"])
def test_a_body_has_so_many_values_and_no_more(value: bytes) -> None:
    """HT-380: a few megabytes of them would hold up the process for longer than a leader's session lasts."""

    def body(values: int) -> bytes:
        return b'{"x":[' + b",".join([value] * values) + b"]}"

    assert read(SCHEDULER_CALL, body(100_000)) == {}
    with pytest.raises(Unreadable, match="more than 250000 values"):
        read(SCHEDULER_CALL, body(300_000))


def test_of_very_many_missing_fields_some_are_named() -> None:
    """HT-38, HT-42: an answer is not larger than what it answers."""
    text = refused(SCHEDULER_CALL, {"reconcile": {"tasks": [{}] * 1000}})

    assert text.endswith("reconcile.tasks[18].task_id, reconcile.tasks[19].task_id, and more")


def test_brackets_side_by_side_or_within_text_are_no_levels() -> None:
    """HT-40."""
    labels = [{"key": "[{" * 200}] * 200

    assert read(LABELS, json.dumps({"labels": labels}).encode()) == {"labels": labels}


def test_containers_within_containers_are_read_to_the_deepest_level() -> None:
    """HT-40, HT-322: the one message that holds itself."""

    def container(levels: int) -> dict[str, Any]:
        return {"value": "c"} if levels == 1 else {"value": "c", "parent": container(levels - 1)}

    assert convert(CONTAINER_ID, container(100)) == container(100)
    assert "deeper than 100 levels" in refused(CONTAINER_ID, container(101))
    assert refused(CONTAINER_ID, {"value": "c", "parent": {"value": "d", "parent": {}}}) == (
        "required fields are missing: parent.parent.value"
    )


def test_the_machine_endpoints_take_one_array() -> None:
    """HT-39, HT-341."""
    assert read_list(MACHINE_ID, b'[{"hostname": "h", "x": 1}, {"ip": "10.0.0.1"}]') == [
        {"hostname": "h"},
        {"ip": "10.0.0.1"},
    ]
    assert read_list(MACHINE_ID, b"[]") == []
    with pytest.raises(Unreadable, match=r"the body is an object; a JSON array of MachineID objects was expected"):
        read_list(MACHINE_ID, b"{}")
    with pytest.raises(Unreadable, match=r"^\[1\]\.ip: the number 5 came"):
        read_list(MACHINE_ID, b'[{}, {"ip": 5}]')


# --- anything at all ------------------------------------------------------------------------------


def names(message: MessageType, seen: set[MessageType]) -> Iterator[str]:
    """The names of all fields of a message, at any depth."""
    if message not in seen:
        seen.add(message)
        for name, field in message.fields.items():
            yield name
            if isinstance(field.kind, MessageType):
                yield from names(field.kind, seen)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(["true", "1.5", "Infinity", "aGk=", "SCALAR", "LAUNCH", "TASK_RUNNING", "\ud800"]),
)


def likely_values(message: MessageType, depth: int = 6) -> st.SearchStrategy[Any]:
    """Values that fit a message here and there: its own fields, which hold what belongs there or something else."""
    inner: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in message.fields.items():
        fits = likely_values(field.kind, depth - 1) if isinstance(field.kind, MessageType) and depth else SCALARS
        inner[name] = fits | st.lists(fits, max_size=2) | st.dictionaries(st.text(max_size=2), fits, max_size=2)
    return st.fixed_dictionaries({}, optional=inner)


FIELDS = sorted(set(names(SCHEDULER_CALL, set())))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
)


def check(message: MessageType, value: object) -> None:
    """A value is understood, and then as the same from whatever was made of it; or it is refused."""
    try:
        understood = convert(message, value)
    except Unreadable:
        return
    assert convert(message, understood) == understood
    assert read(message, to_json(understood)) == understood


@settings(QUICK)
@given(st.sampled_from(CALLS), ANYTHING)
def test_any_value_is_understood_or_refused(message: MessageType, value: object) -> None:
    """HT-40, HT-45: never a crash; what was understood is understood the same again."""
    check(message, value)


@settings(QUICK)
@given(ANYTHING)
def test_any_json_is_understood_or_refused(value: object) -> None:
    """HT-40: from the bytes on."""
    try:
        understood = read(SCHEDULER_CALL, json.dumps(value).encode())
    except Unreadable:
        return
    assert isinstance(understood, dict)


@settings(QUICK)
@given(
    st.sampled_from([TASK_STATUS, RESOURCE, LABELS, QUOTA_CONFIG, FRAMEWORK_INFO]).flatmap(
        lambda message: st.tuples(st.just(message), likely_values(message))
    )
)
def test_values_that_nearly_fit_are_understood_or_refused(both: tuple[MessageType, object]) -> None:
    """HT-29 to HT-40, with more that fits."""
    check(*both)


@settings(QUICK)
@given(st.binary(max_size=50))
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    """HT-39."""
    try:
        understood = read(SCHEDULER_CALL, body)
    except Unreadable:
        return
    assert isinstance(understood, dict)
