"""What may have changed about an agent that starts again under its old id (core.md AG-7)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite import InvalidValue, ReconfigurationPolicy, Settings
from mesolite.actors.decisions.rules.reconfiguration import objections
from mesolite.messages.infos import AgentInfo

EQUAL, ADDITIVE = ReconfigurationPolicy.EQUAL, ReconfigurationPolicy.ADDITIVE
OLD = AgentInfo(
    hostname="rack1",
    resources="cpus:4;mem:1024;ports:[10-20];disks:{a,b}",
    attributes=(("zone", "north"), ("level", "1")),
)
WAS = "its resources were cpus:4;mem:1024;disks:{a,b};ports:[10-20] and are"

ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    # What is new; what EQUAL says to it, and ADDITIVE.
    "nothing": ({}, "", ""),
    "an id means nothing": ({"id": "m1-S1"}, "", ""),
    "the same, written otherwise": ({"resources": "disks:{b,a};ports:[10-14,15-20];mem:1024;cpus:4.0"}, "", ""),
    "the same attributes in another order": ({"attributes": (("level", "1"), ("zone", "north"))}, "", ""),
    "more of a scalar": (
        {"resources": "cpus:8;mem:1024;ports:[10-20];disks:{a,b}"},
        f"{WAS} cpus:8;mem:1024;disks:{{a,b}};ports:[10-20]",
        "",
    ),
    "a wider range": (
        {"resources": "cpus:4;mem:1024;ports:[5-20];disks:{a,b}"},
        f"{WAS} cpus:4;mem:1024;disks:{{a,b}};ports:[5-20]",
        "",
    ),
    "a larger set": (
        {"resources": "cpus:4;mem:1024;ports:[10-20];disks:{a,b,c}"},
        f"{WAS} cpus:4;mem:1024;disks:{{a,b,c}};ports:[10-20]",
        "",
    ),
    "a resource more": (
        {"resources": "cpus:4;mem:1024;ports:[10-20];disks:{a,b};gpus:1"},
        f"{WAS} cpus:4;mem:1024;gpus:1;disks:{{a,b}};ports:[10-20]",
        "",
    ),
    "less of a scalar": (
        {"resources": "cpus:3.999;mem:2048;ports:[10-20];disks:{a,b}"},
        f"{WAS} cpus:3.999;mem:2048;disks:{{a,b}};ports:[10-20]",
        f"{WAS} cpus:3.999;mem:2048;disks:{{a,b}};ports:[10-20]",
    ),
    "a hole in a range": (
        {"resources": "cpus:4;mem:1024;ports:[10-14,16-30];disks:{a,b}"},
        f"{WAS} cpus:4;mem:1024;disks:{{a,b}};ports:[10-14,16-30]",
        f"{WAS} cpus:4;mem:1024;disks:{{a,b}};ports:[10-14,16-30]",
    ),
    "an item less": (
        {"resources": "cpus:4;mem:1024;ports:[10-20];disks:{a,c}"},
        f"{WAS} cpus:4;mem:1024;disks:{{a,c}};ports:[10-20]",
        f"{WAS} cpus:4;mem:1024;disks:{{a,c}};ports:[10-20]",
    ),
    "a resource less": (
        {"resources": "cpus:4;ports:[10-20];disks:{a,b}"},
        f"{WAS} cpus:4;disks:{{a,b}};ports:[10-20]",
        f"{WAS} cpus:4;disks:{{a,b}};ports:[10-20]",
    ),
    "a scalar that was a set": (
        {"resources": "cpus:4;mem:1024;ports:[10-20];disks:2"},
        f"{WAS} cpus:4;mem:1024;disks:2;ports:[10-20]",
        f"{WAS} cpus:4;mem:1024;disks:2;ports:[10-20]",
    ),
    "an attribute more": (
        {"attributes": (*OLD.attributes, ("ssd", "yes"))},
        "its attributes were level:1;zone:north and are level:1;ssd:yes;zone:north",
        "",
    ),
    "another value of an attribute": (
        {"attributes": (("zone", "south"), ("level", "1"))},
        "its attributes were level:1;zone:north and are level:1;zone:south",
        "its attributes were level:1;zone:north and are level:1;zone:south",
    ),
    "no attributes": (
        {"attributes": ()},
        "its attributes were level:1;zone:north and are none",
        "its attributes were level:1;zone:north and are none",
    ),
    "another host name": (
        {"hostname": "rack2"}, "its host name was rack1 and is rack2", "its host name was rack1 and is rack2"
    ),
    "an address": ({"ip": "10.0.0.1"}, "its address was none and is 10.0.0.1", "its address was none and is 10.0.0.1"),
    "several things": (
        {"hostname": "rack2", "attributes": ()},
        "its host name was rack1 and is rack2; its attributes were level:1;zone:north and are none",
        "its host name was rack1 and is rack2; its attributes were level:1;zone:north and are none",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "equal", "additive"), ROWS.values(), ids=ROWS)
def test_what_is_new_is_allowed_or_named(changes: dict[str, Any], equal: str, additive: str) -> None:
    """Each change with how it was and is; what EQUAL allows ADDITIVE allows, too."""
    new = attrs.evolve(OLD, **changes)

    assert "; ".join(objections(EQUAL, OLD, new)) == equal
    assert "; ".join(objections(ADDITIVE, OLD, new)) == additive


def test_what_had_nothing_may_get_something() -> None:
    """Nothing is held back for an agent that offered nothing."""
    bare = AgentInfo(hostname="h", resources="")

    assert objections(ADDITIVE, bare, attrs.evolve(bare, resources="cpus:1", attributes=(("a", "b"),))) == []


def test_the_policy_is_a_setting() -> None:
    """Equal by default, as in Mesos; a name of a member will do, nothing else."""
    assert Settings().reconfiguration_policy is Settings.local().reconfiguration_policy is EQUAL
    assert Settings.local().but(reconfiguration_policy="ADDITIVE").reconfiguration_policy is ADDITIVE
    with pytest.raises(InvalidValue, match=r"reconfiguration_policy cannot be .* or the name of one: EQUAL, ADDITIVE"):
        Settings(reconfiguration_policy="subtractive")  # type: ignore[arg-type]
