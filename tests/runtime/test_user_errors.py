"""The books of what user code raised: bounded, whatever comes."""

from __future__ import annotations

from mesolite.actors.user_errors import KEPT, UserErrors


def test_very_many_errors_are_counted_and_not_all_kept() -> None:
    """An executor that fails for days fills no memory: the newest are kept, and the oldest are raised first."""
    errors = UserErrors()
    wanted = errors.allow(KeyError, None)
    for number in range(2 * KEPT):
        errors.note("a", "launch_task", ValueError(number), float(number))
        errors.note("b", "launch_task", KeyError(number), float(number))

    assert (len(errors.all), errors.all[-1].at) == (KEPT, 2 * KEPT - 1)
    assert (wanted.count, len(wanted.all), wanted.first.at) == (2 * KEPT, KEPT, 0.0)
    assert (len(errors.unraised), errors.unraised[0].at) == (KEPT, 0.0)
