"""Dictionaries with attributes behave as addict's, as far as schedulers use them; data are base64."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from mesolite.compat.pymesos import Dict, decode_data, encode_data


def test_entries_are_attributes_at_any_depth() -> None:
    """In lists and tuples, too; what was given is not changed."""
    plain = {"id": {"value": "o1"}, "resources": [{"scalar": {"value": 1.5}}], "pair": ({"a": 1}, 2)}
    made = Dict(plain, more=1)

    assert (made.id.value, made["resources"][0].scalar.value, made.pair[0].a, made.more) == ("o1", 1.5, 1, 1)
    assert type(plain["id"]) is dict
    assert isinstance(made, dict)


def test_what_is_not_there_is_empty_and_false() -> None:
    """At any depth; asking adds nothing, and `get` and `in` say that nothing is there."""
    made = Dict(a=1)

    assert made.b == {}
    assert not made.b.c["d"]
    assert made == {"a": 1}
    assert "b" not in made
    assert made.get("b") is None


def test_what_is_put_into_something_missing_brings_it_there() -> None:
    """All the way up, by attribute or by key."""
    task = Dict()
    task.task_id.value = "t1"
    task["executor"].command["value"] = "x"
    later = task.kill_policy.grace_period
    later.nanoseconds = 5

    assert task == {
        "task_id": {"value": "t1"},
        "executor": {"command": {"value": "x"}},
        "kill_policy": {"grace_period": {"nanoseconds": 5}},
    }


def test_entries_are_removed_as_attributes_too() -> None:
    """Of what is not there, it is said."""
    made = Dict(a=1)
    del made.a

    assert made == {}
    with pytest.raises(KeyError):
        del made.a


def test_updates_merge() -> None:
    """At any depth; what is no dictionary is replaced."""
    made = Dict(a={"b": 1, "c": {"d": 1}}, e=[1])
    made.update({"a": {"c": {"f": 2}}, "e": {"g": 3}}, h=4)

    assert made == {"a": {"b": 1, "c": {"d": 1, "f": 2}}, "e": {"g": 3}, "h": 4}
    assert made.e.g == 3


def test_an_entry_does_not_hide_behind_a_method() -> None:
    """It could not be read as an attribute; as a key it can be put in."""
    made: Any = Dict()
    with pytest.raises(AttributeError, match="items"):
        made.items = 1
    made["items"] = 1

    assert made == {"items": 1}


def test_what_was_taken_out_stays_out() -> None:
    """It has come to its parent once, and does not come back by itself."""
    task = Dict()
    child = task.child
    child.a = 1
    del task.child
    child.b = 2

    assert task == {}


def test_copies_share_nothing() -> None:
    """Whichever way they are made."""
    made = Dict(a=Dict(b=[1]))
    copies = [made.copy(), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), Dict(made)]
    for one in copies:
        assert one == made
        one.a.b = 2

    assert made.a.b == [1]


def test_it_becomes_plain_again() -> None:
    """As JSON, or as dictionaries."""
    made = Dict(a=Dict(b=1), c=[Dict(d=2)])

    assert json.loads(json.dumps(made)) == {"a": {"b": 1}, "c": [{"d": 2}]}
    assert type(made.to_dict()["c"][0]) is dict


def test_it_knows_no_protocol_that_it_does_not_have() -> None:
    """Python asks objects for such names, and must not be told that they are there."""
    with pytest.raises(AttributeError):
        _ = Dict().__array__


@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256))])
def test_data_come_back(data: bytes) -> None:
    """Text on the way."""
    assert isinstance(encode_data(data), str)
    assert decode_data(encode_data(data)) == data
