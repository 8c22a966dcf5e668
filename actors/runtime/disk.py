"""What can go wrong with what a machine writes: it fails, it takes its time, it is the last before the daemon dies.

One disk per machine, on both runtimes; a machine whose disk nobody has touched has none here, and its writes cost
nothing more.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from mesolite.messages.checking import Duration, SomeCount, checked_arguments, in_seconds


@frozen
class Fate:
    """What becomes of one write: when it is durable, or why it is `refused`; `last`: the daemon dies of it.

    `mended`: how often the disk had been mended when this was decided.
    """

    due: float
    refused: str = ""
    stored: bool = True
    last: bool = False
    mended: int = 0


SOUND = Fate(0.0)
"""Of a write on a machine whose disk nobody has touched."""


def unrecorded(verb: str, *arguments: object, **named: object) -> int:
    """Of a disk without a trace nothing is recorded."""
    return -1


class Disk:
    """The disk of one machine: it takes every write at once, until it is told otherwise.

    Attributes:
        writes: how many writes it was given while something was wrong with it.
    """

    def __init__(self, crash: Callable[[int], None], did: Callable[..., int] = unrecorded) -> None:
        """Be sound; `crash` lets the daemon on this machine die, `did` records what is done to the disk."""
        self._crash = crash
        self._did = did
        self._crash_record = -1
        self.writes = 0
        self._delay_s = 0.0
        self._refusal = ""
        self._left: int | None = None
        self._last_is_stored = True
        self._busy_until = 0.0
        self._mended = 0

    def __repr__(self) -> str:
        """Show what is wrong with it."""
        return f"<Disk: {', '.join(self.faults) or 'sound'}>"

    @checked_arguments
    def slow(self, seconds: Duration) -> None:
        """Let every write from now on take so long. What is being written when its daemon dies is lost."""
        self._did("slow", in_seconds(seconds))
        self._delay_s = in_seconds(seconds)

    @checked_arguments
    def fail(self, reason: str = "No space left on device") -> None:
        """Refuse every write from now on. An agent or a master that cannot write ends, and says why (AG-3)."""
        self._did("fail", reason)
        self._refusal = reason

    @checked_arguments
    def crash_at(self, write: SomeCount = 1, *, stored: bool = True) -> None:
        """Let the daemon die at the so-many-th write from now on: 1 is the next.

        `stored`: that write is durable, and nobody was told so; otherwise nothing of it is.
        """
        self._crash_record = self._did("crash_at", write, stored=stored)
        self._left, self._last_is_stored = write, stored

    def mend(self) -> None:
        """Let it be sound again; what is being written takes as long as it would have, and is stored."""
        self._did("mend")
        self._mended += 1
        self._delay_s, self._refusal, self._left = 0.0, "", None

    def crash(self) -> None:
        """Let the daemon die, as `crash_at` has asked; for runtimes."""
        self._crash(self._crash_record)

    @property
    def faults(self) -> list[str]:
        """What is wrong with it, in words."""
        found = [f"writes take {self._delay_s:g} s"] if self._delay_s else []
        found += [f"writes fail: {self._refusal}"] if self._refusal else []
        if self._left is not None:
            kept = "which is stored" if self._last_is_stored else "which is lost"
            found.append(f"its daemon dies at write {self._left} from now, {kept}")
        return found

    def take(self, now: float) -> Fate:
        """Decide what becomes of a write; for runtimes."""
        sound = not (self._delay_s or self._refusal) and self._left is None
        if sound and now >= self._busy_until:
            return Fate(now)
        self.writes += 1
        # None overtakes another, however soon the disk was mended.
        self._busy_until = due = max(now + self._delay_s, self._busy_until)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._left = None
                return Fate(due, stored=self._last_is_stored, last=True, mended=self._mended)
        return Fate(due, self._refusal, mended=self._mended)

    def outcome(self, fate: Fate) -> Fate:
        """What becomes of that write now that it is due: on a mended disk nobody dies of it; for runtimes."""
        return fate if fate.mended == self._mended else Fate(fate.due)
