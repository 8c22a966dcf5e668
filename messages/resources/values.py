"""Ranges and sets, the resources that are no numbers: the arithmetic on them (core.md RS-4 to RS-8)."""

from __future__ import annotations

Ranges = tuple[tuple[int, int], ...]
"""Inclusive (begin, end) pairs, sorted; neither overlapping nor adjacent."""

Items = tuple[str, ...]
"""Sorted, without duplicates."""


def union(mine: Ranges, more: Ranges) -> Ranges:
    """Overlapping and adjacent ranges become one (RS-4)."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(mine + more):
        if merged and begin <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


def cut(mine: Ranges, less: Ranges) -> Ranges:
    """The numbers of `mine` that are not in `less`."""
    left: list[tuple[int, int]] = []
    for begin, end in mine:
        rest = begin
        for cut_begin, cut_end in less:
            if rest <= cut_end and cut_begin <= end:
                left.append((rest, cut_begin - 1))
                rest = cut_end + 1
        left.append((rest, end))
    return tuple((begin, end) for begin, end in left if begin <= end)


def merge(mine: Items, more: Items) -> Items:
    """Every item of either, once."""
    return tuple(sorted(dict.fromkeys(mine + more)))


def without(mine: Items, less: Items) -> Items:
    """The items of `mine` that are not in `less`."""
    return tuple(item for item in mine if item not in less)
