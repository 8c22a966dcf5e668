"""What a cluster consists of, by name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import NoReturn, TypeVar

from mesolite.actors.errors import UnknownName

SHOWN = 10
"""How many names an error shows, of machines in their thousands."""

Named = TypeVar("Named")


class ByName(dict[str, Named]):
    """A dictionary that says who is there, where somebody is looked up who is not."""

    def __init__(self, what: str) -> None:
        """Start empty; errors call an entry a `what`."""
        super().__init__()
        self._what = what

    def __missing__(self, name: object) -> NoReturn:
        """There is nobody of that name.

        Raises:
            UnknownName: always; it is a `KeyError`, as of any dictionary.
        """
        known = list(self)
        near = get_close_matches(name, known, SHOWN) if isinstance(name, str) and len(known) > SHOWN else []
        shown = near or known[:SHOWN]
        more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
        there = f"only {', '.join(shown)}{more}" if known else "nor any other"
        raise UnknownName(f"there is no {self._what} named {name!r}, {there}")
