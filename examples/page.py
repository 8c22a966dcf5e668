"""What demo.py writes on: in colours on a terminal, as plain text of a fixed width elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import IO, Any

from rich.box import ROUNDED
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from mesolite.actors.decisions.contract import PeerExited, Send, SignalReceived, WorkExited
from mesolite.actors.trace import Trace, say

PLAIN_WIDTH = 120
STYLES = {"agent": "yellow", "master": "cyan", "registrar": "cyan", "elector": "magenta", "shop": "green"}

Wanted = Callable[[str, str, Any], bool]


class Page:
    """Lines, tables, source code, and the exchange of messages."""

    def __init__(self, file: IO[str]) -> None:
        """Write there; plainly if that is not a terminal."""
        terminal = file.isatty()
        width = None if terminal else PLAIN_WIDTH
        self._console = Console(
            file=file,
            force_terminal=terminal,
            width=width,
            color_system="auto" if terminal else None,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def title(self, text: str, remark: str) -> None:
        """Begin a chapter."""
        self._console.print()
        heading = Text.assemble((text, "bold"), (f" ({remark})", "dim"))
        self._console.rule(heading, style="dim", characters="-", align="left")
        self._console.print()

    def say(self, text: str = "", style: str = "") -> None:
        """Write a paragraph."""
        self._console.print(Text(text, style=style))

    def line(self, *columns: tuple[str, int], rest: str = "") -> None:
        """Write one line of columns, each with its width, negative to set it right; what is too long is cut."""
        text = Text()
        for word, width in columns:
            text.append(f"{word:{'>' if width < 0 else '<'}{abs(width)}} ", style=_style(word))
        text.append(rest)
        if len(text) > self._console.width:
            text.right_crop(len(text) - self._console.width + 3)
            text.append("...")
        self._console.print(text, no_wrap=True)

    def code(self, thing: type | Callable[..., object]) -> None:
        """Show the source of a class or function."""
        source = inspect.getsource(thing)
        coloured = Syntax(source, "python", background_color="default")
        self._console.print(coloured if self._console.is_terminal else Text(source))

    def table(self, headings: Iterable[str], rows: Iterable[Iterable[str]], *, lines: bool = False) -> None:
        """Write a table, with lines between the rows if wanted."""
        table = Table(*headings, box=ROUNDED, header_style="bold", show_lines=lines)
        for row in rows:
            table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
        self._console.print(table)

    def exchange(self, trace: Trace, since_s: float, wanted: Wanted) -> None:
        """Write what was said since then, when it was said, and what the system told: signals and ends.

        What is said again word for word is written once.
        """
        lines: list[tuple[float, str, str, Any]] = []
        for record in trace:
            if record.time >= since_s:
                if isinstance(record.event, SignalReceived | WorkExited | PeerExited):
                    lines.append((record.time, record.sender, record.actor, record.event))
                sent = [effect for effect in record.effects if isinstance(effect, Send)]
                lines += [(record.time, record.actor, effect.to, effect.message) for effect in sent]
        written: set[tuple[str, str, Any]] = set()
        for time_s, *line in sorted(lines, key=lambda line: line[0]):
            sender, to, event = line
            if wanted(sender, to, event) and (sender, to, event) not in written:
                written.add((sender, to, event))
                at, what = f"{time_s - since_s:.4f} s", say(event, sender, to, names=trace.names)
                self.line((at, -10), (_short(sender), -10), ("->", 2), (_short(to), 10), rest=what)


def _short(actor: str) -> str:
    """An executor is known by its task, a registrar by what it is, the system by nothing."""
    return actor.rpartition("/")[2] or "system"


def _style(text: str) -> str:
    return next((style for prefix, style in STYLES.items() if text.startswith(prefix)), "")
