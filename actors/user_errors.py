"""What user code has raised: kept as data, logged in one line, and raised where somebody can see it.

Rule: an exception of user code never stays silent. The fence (user_code.py) writes it down here; whoever drives the
runtime, joins a driver or leaves a `with` raises it, once, as the very object that user code raised.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType

from attrs import define, field, frozen

from mesolite.actors.errors import Refused, UserCodeFailed
from mesolite.actors.logs import logger

KEPT = 1_000
"""How many errors are remembered, each with the user's frames; an executor that fails every second for days must not
fill the memory."""

OURS = ("mesolite", "pykka")
LOGGED_FRAMES = 6


@frozen(eq=False)
class UserError:
    """One exception of user code: raised in which `callback` of which `actor`, `at` how many seconds of the clock.

    `allowed`: somebody said with `allow_error` that it may come; it is not raised. `traceback` has the user's frames.
    The callback is `__init__` for an executor's constructor, `call_later` for a function that was to be called later.
    """

    actor: str
    callback: str
    exception: BaseException
    at: float
    allowed: bool
    traceback: TracebackType | None = field(repr=False)

    @property
    def text(self) -> str:
        """What happened, without the actor: `launch_task raised ValueError: oops`."""
        return f"{self.callback} raised {type(self.exception).__name__}: {_words(self.exception)}"

    def __str__(self) -> str:
        """Who, what and when."""
        return f"{self.actor}: {self.text} (at {self.at:.3f} s)"


@define(eq=False)
class AllowedErrors:
    """Errors that may come, and those that have: how many in `count`, the `first`, and `all`, as `UserError`s."""

    kinds: tuple[type[BaseException], ...]
    actor: str | None
    count: int = field(default=0, init=False)
    _seen: list[UserError] = field(factory=list, init=False, repr=False)

    @property
    def all(self) -> list[UserError]:
        """Those that have come, oldest first; of very many, the first."""
        return list(self._seen)

    @property
    def first(self) -> UserError:
        """The first that has come.

        Raises:
            LookupError: none has.
        """
        if not self._seen:
            names = "|".join(kind.__name__ for kind in self.kinds)
            raise LookupError(f"no {names} of {self.actor or 'any user code'} has come")
        return self._seen[0]

    def covers(self, actor: str, exception: BaseException) -> bool:
        """Whether it is of that kind, and of that actor or of an executor on that machine."""
        there = self.actor is None or actor == self.actor or actor.startswith(f"{self.actor}/")
        return there and isinstance(exception, self.kinds)

    def saw(self, error: UserError) -> None:
        """Count one that has come, and keep it while there is room."""
        self.count += 1
        if len(self._seen) < KEPT:
            self._seen.append(error)


class UserErrors:
    """The errors of one runtime's user code; written and read from any thread."""

    def __init__(self, seed: int | None = None) -> None:
        """Start with none. A simulation has a seed, which every error then names."""
        self.unraised: list[UserError] = []
        """Those that are not allowed and were not raised yet, oldest first; to be read only."""
        self._seed = seed
        self._all: deque[UserError] = deque(maxlen=KEPT)
        self._allowed: list[AllowedErrors] = []
        self._lock = threading.Lock()

    @property
    def all(self) -> tuple[UserError, ...]:
        """Every error so far, oldest first; of very many, the newest."""
        with self._lock:
            return tuple(self._all)

    def allow(self, kind: type[BaseException] | tuple[type[BaseException], ...], actor: str | None) -> AllowedErrors:
        """Let errors of that kind come from now on, of that actor only if one is named.

        Raises:
            Refused: that is no kind of exception.
        """
        kinds: tuple[object, ...] = kind if isinstance(kind, tuple) else (kind,)
        classes = tuple(each for each in kinds if isinstance(each, type) and issubclass(each, BaseException))
        if not classes or len(classes) < len(kinds):
            raise Refused(
                f"errors of kind {kind!r} cannot be allowed, for that is no exception class; give a class or a tuple "
                "of classes, as in allow_error(ValueError)"
            )
        allowed = AllowedErrors(classes, actor)
        with self._lock:
            self._allowed.append(allowed)
        return allowed

    def note(self, actor: str, callback: str, exception: BaseException, at: float) -> UserError:
        """Write down what user code has just raised, and say so in the log."""
        traceback = user_frames(exception.__traceback__)
        with self._lock:
            covering = [allowed for allowed in self._allowed if allowed.covers(actor, exception)]
            error = UserError(actor, callback, exception, at, bool(covering), traceback)
            self._all.append(error)
            for allowed in covering:
                allowed.saw(error)
            if not covering and len(self.unraised) < KEPT:
                self.unraised.append(error)
        exception.with_traceback(traceback)
        _add_note(exception, self._said(error))
        level = "INFO" if error.allowed else "ERROR"
        logger.log(level, "{}: {}, in {}", actor, " ".join(error.text.splitlines()), _frames(traceback))
        return error

    def of(self, actor: str) -> bool:
        """Whether that actor's user code has raised."""
        return any(error.actor == actor for error in self.all)

    def raise_first(self) -> None:
        """Raise the first error that is not allowed and was not raised before, if there is one."""
        if not self.unraised:
            return
        with self._lock:
            error = self.unraised.pop(0) if self.unraised else None
        if error is not None:
            raise self._raisable(error)

    def raising(self, done: Callable[[], object]) -> Callable[[], bool]:
        """A condition to wait for that user code's errors end: while there are some, looking at it raises the first."""

        def look() -> bool:
            self.raise_first()
            return bool(done())

        return look

    def raise_again(self, error: UserError) -> None:
        """Raise this error, raised before or not, unless it is allowed."""
        with self._lock:
            if error in self.unraised:
                self.unraised.remove(error)
        if not error.allowed:
            raise self._raisable(error)

    def leave(self, body: BaseException | None, failures: Sequence[BaseException] = ()) -> None:
        """Raise, at the end of a `with`, a failure of ours or what was not raised yet; the others are named in a note.

        What the body of the `with` has raised comes first: then nothing is raised here, and it gets the note.
        """
        with self._lock:
            unraised = [error for error in self.unraised if error.exception is not body]
            failures = [failure for failure in failures if failure is not body]
            if body is None and not failures:
                del self.unraised[:1]  # it is raised now
        told = [str(failure).partition("\n")[0] for failure in failures] + [str(error) for error in unraised]
        if body is not None:
            _add_others(body, told)
        elif failures:
            _add_others(failures[0], told[1:])
            raise failures[0]
        elif unraised:
            first = self._raisable(unraised[0])
            _add_others(first, told[1:])
            raise first

    def _raisable(self, error: UserError) -> BaseException:
        """The error itself, unless it would end the program."""
        exception = error.exception.with_traceback(error.traceback)
        if isinstance(exception, Exception):
            return exception
        failed = UserCodeFailed(f"{error}; it is the cause of this error, and not let out lest it end the program")
        failed.__cause__ = exception
        _add_note(failed, self._said(error))
        return failed

    def _said(self, error: UserError) -> str:
        seed = "" if self._seed is None else f", seed {self._seed}"
        return f"raised by user code of {error.actor}, in {error.callback}, at {error.at:.3f} s{seed}"


def _words(exception: BaseException) -> str:
    """Its text, fit for logs, messages and files, whatever the user's own `__str__` does."""
    try:
        text = str(exception)
    except BaseException:  # noqa: BLE001  # user code again, and what it raises now is not what is to be told
        return "<exception str() failed>"
    return text.encode("utf-8", "backslashreplace").decode()


def _add_note(exception: BaseException, note: str) -> None:
    # Exceptions may be frozen classes, or refuse notes in their own ways; the record has it all anyway.
    with contextlib.suppress(Exception):
        exception.add_note(note)


def _add_others(exception: BaseException, others: list[str]) -> None:
    if others:
        _add_note(exception, "\n  ".join(["besides this, not raised so far:", *others]))


def _is_ours(frame: FrameType) -> bool:
    # What attrs generates has the globals of the module whose class it is for.
    return str(frame.f_globals.get("__name__")).partition(".")[0] in OURS


def user_frames(traceback: TracebackType | None) -> TracebackType | None:
    """The user's part of a traceback; where we called what cannot be called so, the line of ours that did."""
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    users = [entry for entry in entries if not _is_ours(entry.tb_frame)]
    kept: TracebackType | None = None
    for entry in reversed(users or entries[-1:]):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept


def _frames(traceback: TracebackType | None) -> str:
    """The last frames in a line, the innermost last."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return " -> ".join(frames[-LOGGED_FRAMES:])
