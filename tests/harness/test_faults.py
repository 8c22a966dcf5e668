"""Which faults there are, and how many: what can be said, and what cannot."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Fault, Faults, InvalidValue


def test_a_number_is_a_rate() -> None:
    """A `Fault` is where more is to be said; the others stay as they are."""
    faults = Faults().but(crash=2, pause=Fault(1, lasts=(1, 2), targets=["agent-1"], at_most=3))  # type: ignore[arg-type]

    assert faults.crash == Fault(2.0)
    assert faults.pause == Fault(1.0, (1.0, 2.0), ("agent-1",), 3)
    assert faults.drain == Faults().drain


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"rate": -1}, "a number of faults in a virtual minute, 0 or more"),
        ({"rate": "often"}, "a number of faults in a virtual minute, 0 or more"),
        ({"rate": 1, "lasts": (3, 2)}, "give the shorter time first"),
        ({"rate": 1, "lasts": 3}, "a tuple of 2"),
        ({"rate": 1, "targets": [5]}, "text"),
        ({"rate": 1, "at_most": -1}, "a whole number, 0 or more"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(fields: dict[str, Any], complaint: str) -> None:
    """Where it is made, by name."""
    with pytest.raises(InvalidValue, match=complaint):
        Fault(**fields)


def test_no_kind_can_be_what_is_no_number() -> None:
    """Nor can all of them be multiplied with less than nothing."""
    with pytest.raises(InvalidValue, match="rate"):
        Faults(crash="often")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="factor"):
        Faults().times(-1)
    assert all(fault.rate == 0 for fault in Faults.none().each().values())


@pytest.mark.parametrize("seed", range(20))
def test_a_seed_has_some_kinds_and_never_none(seed: int) -> None:
    """Of those that happen at all: about a half."""
    drawn = Faults().drawn(seed)

    assert 0 < len(drawn) < len(Faults().each())
    assert list(Faults.none().but(crash=1).drawn(seed)) == ["crash"]
    assert Faults.none().drawn(seed) == {}
