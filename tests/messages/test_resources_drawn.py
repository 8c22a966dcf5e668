"""Resources: what holds for any of them, drawn at random, against plain numbers and sets (core.md RS)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mesolite.messages.resources import NOTHING, ResourceError, Resources
from tests.effort import examples

QUICK = settings(deadline=None, max_examples=examples(50))
Model = tuple[dict[str, int], frozenset[int], frozenset[str]]
MODELS: st.SearchStrategy[Model] = st.tuples(
    st.dictionaries(st.sampled_from(["bananas", "gpus", "disk", "mem", "cpus"]), st.integers(1, 10**15)),
    st.frozensets(st.integers(0, 40), max_size=12),
    st.frozensets(st.sampled_from(["a", "b", "c", "d"])),
)


def made(model: Model) -> Resources:
    """Resources with these thousandths, ports and zones, written one by one."""
    thousandths, ports, zones = model
    text = [f"{name}:{amount // 1000}.{amount % 1000:03}" for name, amount in thousandths.items()]
    text += [f"ports:[{port}-{port}]" for port in sorted(ports)]
    text += [f"zones:{{{zone}}}" for zone in sorted(zones)]
    return Resources.parse(";".join(text))


def seen(resources: Resources) -> Model:
    """The model back from resources."""
    ports = frozenset(n for begin, end in resources.ranges("ports") for n in range(begin, end + 1))
    return dict(resources.scalars), ports, frozenset(resources.set("zones"))


@QUICK
@given(MODELS)
def test_what_is_printed_reads_as_the_same(model: Model) -> None:
    """parse(str(r)) == r, and nothing is lost on the way in."""
    resources = made(model)

    assert seen(resources) == model
    assert Resources.parse(str(resources)) == resources
    assert str(Resources.parse(str(resources))) == str(resources)


@QUICK
@given(MODELS, MODELS)
def test_adding_agrees_with_numbers_and_unions(one: Model, other: Model) -> None:
    """A sum holds the sum of each scalar and the union of the rest, either way, and contains both parts."""
    total = made(one) + made(other)
    names = [*one[0], *other[0]]

    expected = {name: one[0].get(name, 0) + other[0].get(name, 0) for name in names}
    assert seen(total) == (expected, one[1] | other[1], one[2] | other[2])
    assert total == made(other) + made(one) == Resources.sum([made(one), made(other)])
    assert str(total) == str(made(other) + made(one))
    assert list(total.scalars) == list((made(other) + made(one)).scalars)
    assert made(one) in total
    assert made(other) in total


@QUICK
@given(MODELS, MODELS)
def test_adding_then_taking_back_leaves_the_start(one: Model, other: Model) -> None:
    """Addition is undone exactly wherever the two share no port and no zone."""
    other = (other[0], other[1] - one[1], other[2] - one[2])

    assert made(one) + made(other) - made(other) == made(one)
    assert made(one) + made(other) - made(one) == made(other)


def can_take(held: Resources, wanted: Resources) -> bool:
    """Whether subtracting is allowed."""
    try:
        held - wanted
    except ResourceError:
        return False
    return True


@QUICK
@given(MODELS, MODELS)
def test_containing_is_at_most_as_much_of_everything(held: Model, wanted: Model) -> None:
    """contains() agrees with comparing numbers and subsets one by one; what it denies cannot be taken (RS-16)."""
    enough = all(amount <= held[0].get(name, 0) for name, amount in wanted[0].items())
    contained = enough and wanted[1] <= held[1] and wanted[2] <= held[2]

    assert made(held).contains(made(wanted)) is contained
    assert can_take(made(held), made(wanted)) is contained


@QUICK
@given(MODELS, MODELS)
def test_what_is_contained_can_be_taken_and_given_back(held: Model, other: Model) -> None:
    """Taking any part leaves the rest, and giving it back restores the whole."""
    common = {name: min(amount, other[0][name]) for name, amount in held[0].items() if name in other[0]}
    part = made((common, held[1] & other[1], held[2] & other[2]))

    left = made(held) - part

    rest = {name: amount - common.get(name, 0) for name, amount in held[0].items()}
    kept = {name: amount for name, amount in rest.items() if amount}
    assert seen(left) == (kept, held[1] - other[1], held[2] - other[2])
    assert left + part == made(held)
    assert list(left.scalars) == list(Resources.parse(str(left)).scalars)


@QUICK
@given(st.lists(MODELS, max_size=6))
def test_a_sum_is_repeated_addition(models: list[Model]) -> None:
    """Resources.sum gives what + gives, one after another."""
    total = NOTHING
    for model in models:
        total = total + made(model)

    assert Resources.sum(map(made, models)) == total


@QUICK
@given(st.floats(min_value=0.0005, max_value=1e12))
def test_a_float_is_read_as_it_is_written(number: float) -> None:
    """A mapping and its text agree, within half a thousandth of the number, and reading back is stable."""
    resources = Resources.of({"cpus": number})

    assert resources == Resources.parse(f"cpus:{number!r}")
    assert abs(resources.cpus - number) <= 0.0005 + number * 1e-15
    assert Resources.of({"cpus": resources.cpus}) == resources
