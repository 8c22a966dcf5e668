"""What became of a scheduler in a situation: what was found, of which kind, and the failure to replay it with."""

from __future__ import annotations

import enum

from attrs import frozen

from mesolite.actors.errors import InvalidValue
from mesolite.harness.checkers import Family, Violation
from mesolite.harness.failure import Failure
from mesolite.harness.run import CheckerViolated


class Kind(enum.Enum):
    """What a verdict can be, the worst first; `value` is how it is printed."""

    RAISED = "raised"
    JOB_LOST = "job lost"
    RAN_TWICE = "ran twice"
    LEAKED = "leaked"
    NEVER_ANSWERED = "never answered"
    HANDLED = "handled"

    def __str__(self) -> str:
        """Print it."""
        return self.value


STATEMENTS = {
    Kind.RAISED: "No callback of a scheduler raises, and no master refuses it.",
    Kind.JOB_LOST: "A job that has not ended by itself runs again in the end.",
    Kind.RAN_TWICE: "No job runs twice at once for a reason of its scheduler's, nor again after its end was told.",
    Kind.LEAKED: "What a scheduler does not use it gives back.",
    Kind.NEVER_ANSWERED: "Every update is acknowledged, and every inverse offer is accepted or declined.",
}
"""What must hold, by what is found where it does not."""

WORST_FIRST = tuple(Kind)

SHOWN = 3
"""So many findings of one situation are printed."""


@frozen
class Finding:
    """One thing that a scheduler did wrong.

    Attributes:
        kind: what it is.
        text: how, with when and how long in virtual seconds.
        time: when it was found, in virtual seconds.
        about: the jobs' tasks, offers and actors that it is about.
    """

    kind: Kind
    text: str
    time: float
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it."""
        return f"{self.kind}: {self.text}"

    @property
    def violation(self) -> Violation:
        """The same as checkers say it."""
        return Violation(str(self.kind), Family.YOURS, STATEMENTS[self.kind], self.time, self.text, self.about)


class CannotBeTried(InvalidValue):
    """What `check` was given makes no scheduler, launches nothing, or says no job; the text says what would do."""


class NotHandled(CheckerViolated):
    """A scheduler has not handled a situation; the text says its worst finding, `findings` are all, the worst first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Say what was found."""
        super().__init__(findings[0].violation)
        self.findings = findings


@frozen(kw_only=True)
class Verdict:
    """What became of a scheduler in one situation.

    Attributes:
        situation: its name.
        kind: the worst of what was found; HANDLED if nothing was.
        findings: what was found in the first run that fails, the worst first.
        failure: that run, to be replayed, printed and saved; None if nothing was found.
        runs: in how many runs the situation was tried: one, or one for each step, until some have failed.
        failed: how many of them have failed.
        notes: what is no fault, and worth knowing.
    """

    situation: str
    kind: Kind
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    runs: int = 1
    failed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def handled(self) -> bool:
        """Whether nothing was found."""
        return self.kind is Kind.HANDLED

    def check(self) -> None:
        """Raise what was found, with a note that says how to see it again.

        Raises:
            Exception: what the failing run has raised: `NotHandled`, or what user code raised.
        """
        if self.failure is not None:
            self.failure.error.add_note(str(self.failure))
            raise self.failure.error

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.situation}: {self.summary}"

    @property
    def summary(self) -> str:
        """The kinds that were found, and at how many of the steps."""
        kinds = ", ".join(dict.fromkeys(str(finding.kind) for finding in self.findings)) or str(self.kind)
        return kinds if self.runs == 1 or not self.failed else f"{kinds} (at {self.failed} of {self.runs} steps tried)"

    @property
    def found(self) -> tuple[str, ...]:
        """What was found, and what is worth knowing, in words; of many findings the first."""
        shown = [finding.text for finding in self.findings[:SHOWN]]
        more = len(self.findings) - len(shown)
        return (*shown, *([f"and {more} more"] if more else []), *(f"({note})" for note in self.notes))
