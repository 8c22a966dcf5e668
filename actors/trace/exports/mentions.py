"""Which records mention whom: what a page needs to say what happened meanwhile, and to show one story alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from mesolite.actors.trace.records import Done, Lost, Record
from mesolite.actors.trace.values import one_line
from mesolite.actors.trace.why import WORD
from mesolite.actors.trace.words import Names, said_of

_TOKEN = re.compile(r"[\w.-]+")


@frozen
class Mentions:
    """For each record, the place of a group of names in `groups`; the first group is empty."""

    groups: list[list[str]]
    column: list[int]


def mentions(records: list[Record], names: Names) -> Mentions:
    """Whom each record names, of those whom hands did something to, or who lost something.

    Of these it is asked whether a chain of causes names them, to say what happened meanwhile (why.py).
    """
    asked: dict[str, None] = {}
    for record in records:
        if isinstance(record.event, Done):
            asked |= dict.fromkeys(record.event.about)
        elif isinstance(record.event, Lost):
            asked |= dict.fromkeys(way for who in (record.actor, record.sender) for way in (who, names.put_in(who)))
    groups: dict[tuple[str, ...], int] = {(): 0}
    column = []
    for record in records if asked else ():
        text = names.put_in(f"{record.sender} {record.actor} {said_of(record.event)}")
        named = tuple(sorted(word for word in dict.fromkeys(WORD.findall(text)) if word in asked))
        column.append(groups.setdefault(named, len(groups)))
    return Mentions([list(group) for group in groups], column)


def stories(records: list[Record], ids: Iterable[str]) -> dict[str, list[int]]:
    """For each id the places of the records that `trace.story(id)` tells, as differences."""
    wanted = dict.fromkeys(ids)
    odd = [name for name in wanted if not _TOKEN.fullmatch(name)]
    pattern = re.compile("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in odd))
    places = {record.index: place for place, record in enumerate(records)}
    chosen: dict[str, dict[int, None]] = {name: {} for name in wanted}
    for place, record in enumerate(records):
        text = said_of(record.event)
        named = dict.fromkeys(word for word in _words(text) if word in wanted)
        if odd:
            named |= dict.fromkeys(pattern.findall(text))
        for name in named:
            chosen[name][place] = None
            if record.cause in places:
                chosen[name][places[record.cause]] = None
    return {one_line(name): _differences(sorted(found)) for name, found in chosen.items()}


def _words(text: str) -> Iterator[str]:
    """Where a name may stand: from the beginning of a word to its end, or to a dot in it."""
    for token in _TOKEN.findall(text):
        yield token
        at = token.find(".")
        while at > 0:
            yield token[:at]
            at = token.find(".", at + 1)


def _differences(places: list[int]) -> list[int]:
    return [place - before for before, place in zip([0, *places], places, strict=False)]
