"""What became of a scheduler in all situations: as data, as a table, as Markdown for an issue."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from mesolite.harness.conformance.verdict import Verdict

WIDTH = 36


@frozen(kw_only=True)
class Report:
    """What became of a scheduler.

    Attributes:
        scheduler: what it is called.
        verdicts: one for each situation, in the order in which they were tried.
    """

    scheduler: str
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether it has handled everything."""
        return all(verdict.handled for verdict in self.verdicts)

    @property
    def not_handled(self) -> tuple[Verdict, ...]:
        """The verdicts on what it has not handled."""
        return tuple(verdict for verdict in self.verdicts if not verdict.handled)

    def __getitem__(self, situation: str) -> Verdict:
        """Return the verdict on a situation.

        Raises:
            KeyError: there is no such situation.
        """
        for verdict in self.verdicts:
            if verdict.situation == situation:
                return verdict
        raise KeyError(f"no situation {situation!r}; there are {', '.join(each.situation for each in self.verdicts)}")

    def check(self) -> None:
        """Raise the first failure, with a note that has the whole table.

        Raises:
            Exception: what the first run that fails has raised.
        """
        for verdict in self.not_handled:
            assert verdict.failure is not None
            verdict.failure.error.add_note(self.text())
            verdict.check()

    def __str__(self) -> str:
        """Return the table."""
        return self.text()

    def text(self) -> str:
        """Return a table for a terminal, with what was found below what was not handled."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        handled = len(self.verdicts) - len(self.not_handled)
        yield f"{self.scheduler}: {handled} of {len(self.verdicts)} situations handled"
        for verdict in self.verdicts:
            yield f"  {verdict.situation:{WIDTH}}{verdict.summary}"
            yield from (f"      {found}" for found in verdict.found)

    def markdown(self) -> str:
        """Return it for an issue: a table, and of each failure what was found, its seed and what happened."""
        return "\n".join(self._markdown())

    def _markdown(self) -> Iterator[str]:
        handled = len(self.verdicts) - len(self.not_handled)
        yield f"**{self.scheduler}**: {handled} of {len(self.verdicts)} situations handled"
        yield ""
        yield "| Situation | Verdict | What was found |"
        yield "|---|---|---|"
        for verdict in self.verdicts:
            yield f"| {_cell(verdict.situation)} | {_cell(verdict.summary)} | {_cell('; '.join(verdict.found))} |"
        for verdict in self.not_handled:
            failure = verdict.failure
            assert failure is not None
            yield ""
            yield f"<details><summary>{_cell(verdict.situation)}, seed {failure.seed}</summary>"
            yield ""
            yield from _fenced(str(failure))
            yield ""
            yield "</details>"


def _cell(text: str) -> str:
    """A cell of a table, whatever is in the text."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(plain.split())


def _fenced(text: str) -> Iterator[str]:
    """A block of text as it is, even if it has fences of its own."""
    fence = "```"
    while fence in text:
        fence += "`"
    return iter((f"{fence}text", text, fence))
