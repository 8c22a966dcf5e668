"""What can go wrong with what a machine writes, the same on threads and on virtual time (core.md AG-3, EL-38)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.decisions.contract import Load, Save, Saved, StoreRefused
from mesolite.actors.runtime.disk import Disk
from mesolite.messages.infos import AgentInfo
from tests.runtime.puppets import StageActor

ONE = AgentInfo(hostname="one", resources="cpus:1")
TWO = AgentInfo(hostname="two", resources="cpus:2")


def keeper_on(stage: Any) -> tuple[StageActor, Disk]:
    """An actor that writes, and the disk of its machine; the disk's crash ends that actor."""
    keeper = stage.actor("keeper", host="machine")
    disk = stage.runtime.disks["machine"] = Disk(lambda _: keeper.end(-9))
    return keeper, disk


def what_is_stored(stage: Any) -> dict[str, Any]:
    """What the actor's next life, or an heir beside it, reads."""
    heir = stage.actor("heir", store="keeper")
    heir.do(Load())
    stage.until(lambda: heir.records)
    heir.end()
    stored: dict[str, Any] = heir.records[0]
    return stored


def test_a_sound_disk_changes_nothing(stage: Any) -> None:
    """Having been looked at is no fault."""
    keeper, disk = keeper_on(stage)

    keeper.do(Save((("a", ONE),), tag="first"))
    stage.until(lambda: keeper.kinds(Saved))

    assert what_is_stored(stage) == {"a": ONE}
    assert (disk.faults, disk.writes) == ([], 0)


def test_a_failing_disk_refuses_and_stores_nothing(stage: Any) -> None:
    """Whoever asked is told why, with or without a tag; mended, it takes the next."""
    keeper, disk = keeper_on(stage)
    disk.fail("Input/output error")

    keeper.do(Save((("a", ONE),), tag="tagged"), Save((("b", ONE),)))
    stage.until(lambda: len(keeper.kinds(StoreRefused)) == 2)
    disk.mend()
    keeper.do(Save((("c", TWO),), tag="mended"))
    stage.until(lambda: keeper.kinds(Saved))

    assert [event.reason for event in keeper.kinds(StoreRefused)] == ["Input/output error"] * 2
    assert what_is_stored(stage) == {"c": TWO}


def test_a_slow_disk_stores_in_order_and_only_then_says_so(stage: Any) -> None:
    """Also when it is mended in between: no write overtakes another."""
    keeper, disk = keeper_on(stage)
    bystander = stage.actor("bystander", host="elsewhere")
    disk.slow(0.2)

    keeper.do(Save((("a", ONE),), tag="slow"))
    bystander.do(Save((("x", ONE),), tag="at once"))
    stage.until(lambda: bystander.kinds(Saved))
    assert keeper.kinds(Saved) == []
    disk.mend()
    keeper.do(Save((("a", TWO),), tag="after it"))
    stage.until(lambda: len(keeper.kinds(Saved)) == 2)

    assert keeper.kinds(Saved) == [Saved("slow"), Saved("after it")]
    assert what_is_stored(stage) == {"a": TWO}


def test_a_write_that_is_under_way_when_the_disk_is_mended_is_stored(stage: Any) -> None:
    """Whatever was to become of it: nobody is refused, and nobody dies, on a disk that is sound."""
    keeper, disk = keeper_on(stage)
    disk.slow(0.2)
    disk.fail()
    keeper.do(Save((("a", ONE),), tag="to be refused"))
    stage.until(lambda: disk.writes == 1)
    disk.mend()
    disk.slow(0.2)
    disk.crash_at(stored=False)
    keeper.do(Save((("b", TWO),), tag="to be the last"))
    stage.until(lambda: disk.writes == 2)
    disk.mend()
    stage.until(lambda: len(keeper.kinds(Saved)) == 2)

    assert keeper.kinds(StoreRefused) == []
    assert what_is_stored(stage) == {"a": ONE, "b": TWO}


def test_what_a_slow_disk_has_not_written_dies_with_its_actor(stage: Any) -> None:
    """Half written is not written."""
    keeper, disk = keeper_on(stage)
    other = stage.actor("other", host="machine", store="other")
    disk.slow(0.1)

    keeper.do(Save((("a", ONE),), tag="never"))
    stage.until(lambda: disk.writes == 1)
    keeper.end(-9)
    other.do(Save((("b", ONE),), tag="later"))
    stage.until(lambda: other.kinds(Saved))

    assert what_is_stored(stage) == {}


@pytest.mark.parametrize("stored", [True, False])
def test_an_actor_can_die_at_a_write(stage: Any, stored: bool) -> None:
    """At exactly that one: the write before it is durable, and nobody hears of the last."""
    keeper, disk = keeper_on(stage)
    disk.crash_at(2, stored=stored)

    keeper.do(Save((("a", ONE),), tag="first"), Save((("b", TWO),), tag="last"), Save((("c", TWO),), tag="void"))
    stage.until(lambda: not keeper.context.alive)

    assert Saved("last") not in keeper.heard
    assert what_is_stored(stage) == ({"a": ONE, "b": TWO} if stored else {"a": ONE})
    assert disk.faults == []


def test_a_disk_says_what_is_wrong_with_it() -> None:
    """In words, for whoever reads the report of a failed test."""
    disk = Disk(lambda _: None)
    assert repr(disk) == "<Disk: sound>"

    disk.slow(2)
    disk.fail()
    disk.crash_at(3, stored=False)

    assert repr(disk) == (
        "<Disk: writes take 2 s, writes fail: No space left on device, "
        "its daemon dies at write 3 from now, which is lost>"
    )


@pytest.mark.parametrize("wrong", [lambda d: d.slow(-1), lambda d: d.crash_at(0), lambda d: d.fail(5)])
def test_a_disk_refuses_what_makes_no_sense(wrong: Any) -> None:
    """At the line that says it."""
    with pytest.raises(ValueError, match=r"Disk\."):
        wrong(Disk(lambda _: None))
