"""Resources: reading, printing, fixed-point arithmetic, ranges, sets, and refusals that say what would work.

Ids such as RS-4 are statements of docs/spec/core.md. Of Mesos's ResourcesTest.RangesSubtraction5 only the
splitting of ranges is reproduced: there, taking what is absent does nothing; here it raises.
"""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest

from mesolite.messages.resources import NOTHING, ResourceError, Resources

# --- reading and printing ---


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param(
            "zones:{b,a};ports:[31000-32000];bananas:1;gpus:2;disk:1000;mem:4096;cpus:4",
            "cpus:4;mem:4096;disk:1000;gpus:2;bananas:1;ports:[31000-32000];zones:{a,b}",
            id="well-known-names-come-first-the-others-by-alphabet",
        ),
        pytest.param(
            " cpus : 4 ; ports : [ 1 - 2 , 9 - 9 ] ;; ", "cpus:4;ports:[1-2,9-9]", id="blanks-do-not-count"
        ),
        pytest.param("cpus:1;cpus:0.5", "cpus:1.5", id="a-name-given-twice-adds-up"),
        pytest.param(
            "ports:[7-9,1-2,3-4]", "ports:[1-4,7-9]", id="ranges-are-sorted-and-adjacent-ones-merged"
        ),
        pytest.param("ports:[1-5];ports:[3-8]", "ports:[1-8]", id="ranges-of-two-entries-unite"),
        pytest.param("zones:{a};zones:{a,b}", "zones:{a,b}", id="sets-of-two-entries-unite"),
        pytest.param("cpus:1e3;mem:.5;disk:2.;gpus:+1", "cpus:1000;mem:0.5;disk:2;gpus:1", id="numbers"),
        pytest.param("ports:[0-18446744073709551615]", "ports:[0-18446744073709551615]", id="all-64-bits"),
        pytest.param(
            "x.com/a-b_1:{rack/1,ümlaut}", "x.com/a-b_1:{rack/1,ümlaut}", id="words-may-have-other-signs"
        ),
        pytest.param("", "", id="nothing-is-the-empty-text"),
        pytest.param("cpus:0;mem:-0;ports:[];zones:{}", "", id="zeros-and-empties-are-not-held"),
    ],
)
def test_text_is_read_and_printed_in_canonical_form(text: str, canonical: str) -> None:
    """What is valid is read, and printed in one form, which reads as the same (RS-9, RS-14, RS-21)."""
    resources = Resources.parse(text)

    assert str(resources) == canonical
    assert Resources.parse(canonical) == resources
    assert repr(resources) == f"Resources.parse({canonical!r})"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(
            "cpus:-1", "cpus:-1: a scalar cannot be negative; write for example cpus:1", id="negative"
        ),
        pytest.param("cpus:nan", "must be a finite number; write for example cpus:1", id="not-a-number"),
        pytest.param("cpus:-inf", "must be a finite number", id="infinite"),
        pytest.param("cpus:1e400", "must be a finite number", id="beyond-any-float"),
        pytest.param("cpus:1e999999999", "neither a number, ranges nor a set", id="a-huge-exponent"),
        pytest.param(
            "cpus:0.0004999", "rounds to zero; the least that can be had is cpus:0.001", id="too-small"
        ),
        pytest.param("cpus:1e-999", "rounds to zero", id="too-small-for-any-float"),
        pytest.param("cpus:" + "0." + "0" * 5000 + "1", "rounds to zero", id="too-small-at-length"),
        pytest.param("cpus:four", "neither a number, ranges nor a set; write for example cpus:1", id="text"),
        pytest.param("cpus:1_000", "neither a number", id="digits-grouped-as-in-python"),
        pytest.param("cpus:٤", "neither a number", id="digits-of-another-script"),
        pytest.param("cpus:1,mem:2", "neither a number", id="entries-split-by-commas"),
        pytest.param("cpus:", "neither a number", id="no-value"),
        pytest.param("cpus=1", "cpus=1: a name and a value need ':' between them", id="no-colon"),
        pytest.param(":1", "'' is not a name", id="no-name"),
        pytest.param("my cpus:1", "'my cpus' is not a name", id="a-blank-within-a-name"),
        pytest.param("cpus(web):1", "roles are not reserved here", id="a-reservation-to-a-role"),
        pytest.param("cpus:1;cpus:[1-2]", "cpus: one name cannot be of two types", id="scalar-and-ranges"),
        pytest.param("a:[1-2];a:{b}", "a: one name cannot be of two types", id="ranges-and-set"),
        pytest.param("a:{};a:0", "a: one name cannot be of two types", id="two-types-though-both-are-empty"),
        pytest.param(
            "ports:[1-2", "mismatched brackets; write for example ports:[31000-32000]", id="unclosed"
        ),
        pytest.param("ports:1-2]", "mismatched brackets", id="unopened"),
        pytest.param("ports:[1-2}", "mismatched brackets", id="closed-by-the-other-kind"),
        pytest.param("ports:[[1-2]", "mismatched brackets", id="brackets-within-brackets"),
        pytest.param("ports:[5-1]", "5-1 ends before it begins; write ports:[1-5]", id="inverted-range"),
        pytest.param(
            "ports:[80]", "'80' is not a begin-end pair of whole numbers", id="a-single-number-as-range"
        ),
        pytest.param("ports:[1.5-2]", "'1.5-2' is not a begin-end pair", id="a-fraction-in-a-range"),
        pytest.param("ports:[-1-2]", "'-1-2' is not a begin-end pair", id="a-negative-begin"),
        pytest.param("ports:[1-2,]", "'' is not a begin-end pair", id="an-empty-range-among-others"),
        pytest.param("ports:[0-18446744073709551616]", "more than 64 bits hold", id="beyond-64-bits"),
        pytest.param("ports:[1-7,5-10]", "5 lies in two of the ranges", id="overlapping-ranges"),
        pytest.param("ports:[5-10,1-7]", "5 lies in two of the ranges", id="overlapping-the-other-way"),
        pytest.param("zones:{a,a}", "'a' is not a word or stands there twice", id="an-item-twice"),
        pytest.param("zones:{a,,b}", "'' is not a word", id="an-empty-item"),
        pytest.param("zones:{a:b}", "'a:b' is not a word", id="a-colon-in-an-item"),
    ],
)
def test_text_that_is_not_wholly_valid_is_refused(text: str, why: str) -> None:
    """Nothing invalid vanishes: the error repeats the entry and says why (RS-3, RS-12, RS-21)."""
    with pytest.raises(ResourceError) as refusal:
        Resources.parse(f"mem:32;{text}")

    assert why in str(refusal.value)
    assert "; " in str(refusal.value), "says what would work"


@pytest.mark.scenario("ResourcesTest.ParseError")
@pytest.mark.parametrize(
    "text",
    ["cpus 1", "cpus(role:1", "cpus:1;cpus:[1-2]", "cpus:0.00001"],
    ids=["no-colon", "brace", "types", "tiny"],
)
def test_malformed_text_is_an_error_and_a_zero_is_merely_absent(text: str) -> None:
    """No colon, an unclosed role, one name with two types, a tiny scalar are errors; gpus:0 is not."""
    with pytest.raises(ResourceError):
        Resources.parse(text)

    assert Resources.parse("cpus:1;gpus:0") == Resources.parse("cpus:1")


@pytest.mark.scenario("ResourcesTest.PrintingScalarPrecision")
@pytest.mark.parametrize(
    ("number", "printed"),
    [
        ("1.234", "1.234"),
        ("1.2345", "1.235"),
        ("1.2344", "1.234"),
        ("1.1", "1.1"),
        ("1000001", "1000001"),
        ("99999999999.9994", "99999999999.999"),
    ],
)
def test_scalars_print_three_decimals_and_all_integral_digits(number: str, printed: str) -> None:
    """Rounded to thousandths, no trailing zeros, no exponent."""
    assert str(Resources.parse(f"cpus:{number}")) == f"cpus:{printed}"


def test_of_takes_text_mappings_and_resources() -> None:
    """The three ways a user may write resources mean the same, and resources pass through as they are."""
    resources = Resources.parse("cpus:1.5;mem:32")

    assert Resources.of("cpus:1.5;mem:32") == resources
    assert Resources.of({"mem": 32, "cpus": 1.5, "gpus": 0}) == resources
    assert Resources.of(resources) is resources
    assert Resources.of({"cpus": 1e22}).cpus == 1e22


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        pytest.param({"cpus": -1}, "cpus:-1: a scalar cannot be negative", id="negative"),
        pytest.param({"cpus": float("nan")}, "must be a finite number", id="not-a-number"),
        pytest.param({"cpus": float("inf")}, "must be a finite number", id="infinite"),
        pytest.param({"cpus": 0.0001}, "rounds to zero", id="too-small"),
        pytest.param(
            {"cpus": True}, "a mapping holds numbers only; write for example {'cpus': 1}", id="a-bool"
        ),
        pytest.param({"ports": "[1-2]"}, "a mapping holds numbers only", id="ranges-as-text"),
        pytest.param({"cpus;mem": 1}, "'cpus;mem' is not a name", id="a-bad-name"),
        pytest.param({1: 1}, "1 is not a name", id="a-name-that-is-no-text"),
        pytest.param(None, "None: neither text nor a mapping; write for example cpus:1", id="none"),
        pytest.param(["cpus:1"], "neither text nor a mapping", id="a-list"),
    ],
)
def test_of_refuses_what_is_not_resources(wanted: object, why: str) -> None:
    """A mapping is checked as text is, and nothing else is guessed at."""
    with pytest.raises(ResourceError) as refusal:
        Resources.of(wanted)  # type: ignore[arg-type]

    assert why in str(refusal.value)


# --- looking ---


def test_parts_can_be_looked_at_by_name_and_type() -> None:
    """Scalars are floats to the eye and thousandths underneath; what is absent is zero or empty."""
    resources = Resources.parse("zones:{b,a};ports:[5-6,1-2];mem:512;cpus:0.25;disk:10;apples:3")

    assert (resources.cpus, resources.mem, resources.disk, resources.scalar("apples")) == (0.25, 512, 10, 3)
    assert list(resources.scalars.items()) == [
        ("cpus", 250),
        ("mem", 512000),
        ("disk", 10000),
        ("apples", 3000),
    ]
    assert resources.ranges("ports") == ((1, 2), (5, 6))
    assert resources.set("zones") == ("a", "b")
    assert resources.names == ("cpus", "mem", "disk", "apples", "ports", "zones")
    assert (resources.scalar("ports"), resources.ranges("cpus"), resources.set("cpus")) == (0, (), ())


def test_nothing_is_empty_false_and_the_same_however_it_came_to_be() -> None:
    """One empty value: made, read, summed or left over (RS-14)."""
    some = Resources.parse("cpus:1;ports:[1-2];zones:{a}")

    for nothing in (
        NOTHING,
        Resources(),
        Resources.parse(""),
        Resources.of({}),
        Resources.sum([]),
        some - some,
    ):
        assert not nothing
        assert nothing == NOTHING
        assert hash(nothing) == hash(NOTHING)
        assert (str(nothing), nothing.names) == ("", ())
    for part in ("cpus:1", "ports:[1-2]", "zones:{a}"):
        assert Resources.parse(part)
    assert NOTHING + some == some + NOTHING == some - NOTHING == some
    assert NOTHING in some
    assert NOTHING in NOTHING
    assert some not in NOTHING


def test_nothing_can_be_assigned() -> None:
    """Resources are values: no attribute can be set or added, and the scalars are a read-only view."""
    resources = Resources.parse("cpus:1")

    with pytest.raises(AttributeError):
        resources.cpus = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        resources.note = "mine"  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        resources.scalars["cpus"] = 2000  # type: ignore[index]


@attrs.frozen(kw_only=True)
class Holder:
    """A message with resources in it."""

    resources: Resources = NOTHING


def test_resources_can_be_a_field_of_a_message_copied_and_pickled() -> None:
    """They compare and hash with the message; a deep copy shares them; a pickle gives equal ones back."""
    holder = Holder(resources=Resources.parse("cpus:1.5;ports:[1-2];zones:{a}"))

    assert holder == Holder(resources=Resources.parse("zones:{a};ports:[1-2];cpus:1.5"))
    assert hash(holder) == hash(Holder(resources=Resources.parse("zones:{a};ports:[1-2];cpus:1.5")))
    assert holder != Holder()
    assert copy.deepcopy(holder).resources is holder.resources
    assert pickle.loads(pickle.dumps(holder.resources)) == copy.copy(holder.resources) == holder.resources
    assert holder.resources != "cpus:1.5;ports:[1-2];zones:{a}"


# --- arithmetic ---


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param("cpus:1", "cpus:1.0004", True, id="below-half-a-thousandth-is-the-same"),
        pytest.param("cpus:1", "cpus:1.0006", False, id="above-half-a-thousandth-differs"),
        pytest.param("cpus:1.001", "cpus:1.0005", True, id="half-a-thousandth-rounds-up"),
        pytest.param("cpus:0.001", "cpus:0.0005", True, id="half-of-the-least-rounds-up"),
        pytest.param("cpus:1.502", "cpus:1.5015", True, id="half-rounds-up-though-a-float-is-below-it"),
        pytest.param("cpus:1.501", "cpus:1.5011", True, id="the-fourth-decimal-rounds-down"),
        pytest.param("cpus:1;mem:2", "mem:2;cpus:1", True, id="order-does-not-matter"),
        pytest.param("zones:{a,b}", "zones:{b,a}", True, id="sets-are-equal-in-any-order"),
        pytest.param("zones:{a}", "zones:{b}", False, id="items-matter"),
        pytest.param("ports:[1-2,3-4]", "ports:[1-4]", True, id="adjacent-ranges-are-one"),
        pytest.param("ports:[1-2,4-4]", "ports:[1-4]", False, id="a-gap-is-a-gap"),
        pytest.param("cpus:1", "gpus:1", False, id="names-matter"),
        pytest.param("cpus:1", "cpus:1;ports:[1-1]", False, id="every-type-counts"),
    ],
)
def test_equality_is_of_thousandths_and_members(one: str, other: str, equal: bool) -> None:
    """Equal means the same thousandths, numbers and items (RS-2, RS-4), and equal things hash alike."""
    assert (Resources.parse(one) == Resources.parse(other)) is equal
    assert hash(Resources.parse(one)) == hash(Resources.parse(other)) or not equal


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [
        pytest.param("cpus:0.1;mem:1", "cpus:0.2", "cpus:0.3;mem:1", id="scalars-add-up"),
        pytest.param("gpus:1", "cpus:1", "cpus:1;gpus:1", id="a-new-name-finds-its-place"),
        pytest.param("cpus:1;ports:[1-2]", "cpus:1", "cpus:2;ports:[1-2]", id="what-is-not-added-to-stays"),
        pytest.param(
            "ports:[1-2]", "cpus:1;ports:[3-4]", "cpus:1;ports:[1-4]", id="adjacent-ranges-become-one"
        ),
        pytest.param(
            "ports:[1-20]", "ports:[5-6,30-30]", "ports:[1-20,30-30]", id="a-range-within-another-is-lost"
        ),
        pytest.param("zones:{a,c}", "zones:{b,c}", "zones:{a,b,c}", id="sets-unite"),
    ],
)
def test_adding(one: str, other: str, total: str) -> None:
    """Scalars add; ranges and sets unite (RS-4, RS-7)."""
    assert str(Resources.parse(one) + Resources.parse(other)) == total
    assert str(Resources.parse(other) + Resources.parse(one)) == total


@pytest.mark.parametrize(
    ("held", "taken", "left"),
    [
        pytest.param("cpus:0.3", "cpus:0.1", "cpus:0.2", id="scalars-subtract-exactly"),
        pytest.param("cpus:4;mem:64", "cpus:4", "mem:64", id="a-scalar-used-up-is-gone"),
        pytest.param("cpus:4;ports:[1-9]", "cpus:1", "cpus:3;ports:[1-9]", id="what-is-not-taken-stays"),
        pytest.param("ports:[1-9]", "ports:[4-6]", "ports:[1-3,7-9]", id="a-range-is-split"),
        pytest.param(
            "ports:[1-10,20-30,40-50]",
            "ports:[2-9,20-30,40-45,48-50]",
            "ports:[1-1,10-10,46-47]",
            id="several-ranges-are-cut-at-once",
        ),
        pytest.param("cpus:1;ports:[1-9]", "ports:[1-9]", "cpus:1", id="ranges-used-up-are-gone"),
        pytest.param("zones:{a,b,c}", "zones:{b}", "zones:{a,c}", id="items-are-taken-out-of-a-set"),
        pytest.param("cpus:1;zones:{a}", "zones:{a}", "cpus:1", id="a-set-used-up-is-gone"),
    ],
)
def test_subtracting_what_is_there(held: str, taken: str, left: str) -> None:
    """What is left is exact, without empties (RS-5, RS-7)."""
    assert Resources.parse(taken) in Resources.parse(held)
    assert str(Resources.parse(held) - Resources.parse(taken)) == left


@pytest.mark.parametrize(
    ("held", "taken", "missing"),
    [
        pytest.param("cpus:2;mem:512", "cpus:3;mem:10", "cpus:1", id="more-of-a-scalar-than-there-is"),
        pytest.param("cpus:2", "cpus:2.001", "cpus:0.001", id="a-thousandth-more"),
        pytest.param("cpus:2", "mem:3;gpus:1", "mem:3;gpus:1", id="names-that-are-absent"),
        pytest.param("ports:[1-9]", "ports:[5-12]", "ports:[10-12]", id="numbers-beyond-a-range"),
        pytest.param("ports:[1-4,6-9]", "ports:[4-6]", "ports:[5-5]", id="a-number-in-a-gap"),
        pytest.param("zones:{a,b}", "zones:{b,c}", "zones:{c}", id="an-item-that-is-absent"),
        pytest.param("cpus:2", "cpus:1;ports:[1-1]", "ports:[1-1]", id="ranges-where-none-are"),
        pytest.param("ports:[1-9]", "ports:5", "ports:5", id="a-scalar-where-ranges-are"),
    ],
)
def test_taking_what_is_not_there_is_refused_by_name(held: str, taken: str, missing: str) -> None:
    """The error repeats what was asked and what is there, and names what is missing; unlike Mesos (RS-15)."""
    assert Resources.parse(taken) not in Resources.parse(held)
    with pytest.raises(ResourceError) as refusal:
        Resources.parse(held) - Resources.parse(taken)

    assert str(refusal.value) == (
        f"cannot take {taken} from {held}: {missing} is missing; ask contains() before taking"
    )


def test_taking_from_nothing_is_refused_in_words() -> None:
    """An empty holder is named, not left blank."""
    with pytest.raises(ResourceError, match="cannot take cpus:1 from nothing: cpus:1 is missing"):
        NOTHING - Resources.parse("cpus:1")


@pytest.mark.parametrize(
    ("one", "other"),
    [("a:1", "a:[1-2]"), ("a:[1-2]", "a:1"), ("a:{b}", "cpus:1;a:1"), ("a:[1-2]", "a:{b}")],
)
def test_adding_one_name_under_two_types_is_refused(one: str, other: str) -> None:
    """A name has one type in every collection, not only in one text (RS-21)."""
    with pytest.raises(ResourceError, match=r"^a: one name cannot be of two types"):
        Resources.parse(one) + Resources.parse(other)
    with pytest.raises(ResourceError, match=r"^a: one name cannot be of two types"):
        Resources.sum([Resources.parse(one), Resources.parse(other)])


def test_arithmetic_is_among_resources_only() -> None:
    """A number or text is not added in passing: `of` is the way in."""
    with pytest.raises(TypeError):
        Resources.parse("cpus:1") + "cpus:1"  # type: ignore[operator]
    with pytest.raises(TypeError):
        Resources.parse("cpus:1") - 1  # type: ignore[operator]


@pytest.mark.scenario("ResourcesTest.PrecisionManyConsecutiveOps")
def test_adding_and_taking_back_many_times_never_drifts() -> None:
    """1.001 added 100000 times and taken back 100000 times leaves exactly the start (RS-1)."""
    start = Resources.parse("cpus:1.001")
    total = start

    for _ in range(100_000):
        total += start
    assert str(total) == "cpus:100101.001"
    for _ in range(100_000):
        total -= start

    assert total == start
    assert str(Resources.parse("cpus:1.5015")) == "cpus:1.502"
    assert str(Resources.parse("cpus:1.5011")) == "cpus:1.501"
