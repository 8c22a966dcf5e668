"""How hard tests that draw examples try: as hard as they say, or a share of it when `make test` is to be quick."""

from __future__ import annotations

from hypothesis import settings

QUICK = 15
"""Examples of a hundred, under the profile `quick`; the profile is chosen with --hypothesis-profile."""

settings.register_profile("quick", max_examples=QUICK)


def examples(count: int) -> int:
    """So many examples, or the share of them that the profile in force leaves."""
    return max(5, count * min(settings().max_examples, 100) // 100)
