"""What people ask about the errors of their own code, of a cluster or of the simulation it is in."""

from __future__ import annotations

from mesolite.actors.runtime.port import Runtime
from mesolite.actors.user_errors import AllowedErrors, UserError
from mesolite.drivers import Driver
from mesolite.machines import Machine
from mesolite.messages.checking import checked_arguments

Actor = str | Driver | Machine
"""Whose error: an actor's name, a driver, or a machine, which stands for all executors on it."""


class KeepsUserErrors:
    """Errors of callbacks, executors and `call_later` functions, as data, to be raised or allowed."""

    runtime: Runtime

    @property
    def user_errors(self) -> tuple[UserError, ...]:
        """Everything user code has raised so far, allowed or not, oldest first."""
        return self.runtime.user_errors.all

    def raise_user_errors(self) -> None:
        """Raise the first error of user code that is not allowed and was not raised before, if there is one.

        It is the exception itself, with the user's part of its traceback, and a note of who raised it, where and when.

        Raises:
            UserCodeFailed: it is no `Exception` (`SystemExit`, say), and would end the program; it is the cause.
        """
        self.runtime.user_errors.raise_first()

    @checked_arguments
    def allow_error(
        self, kind: type[BaseException] | tuple[type[BaseException], ...], actor: Actor | None = None
    ) -> AllowedErrors:
        """Expect user code to raise errors of that kind from now on: they are recorded, but not raised.

        `actor` narrows it to one framework or executor, by name or driver, or to the executors on one machine. What
        comes is in `.count`, `.first` and `.all` of the answer.

        Raises:
            InvalidValue: that is no exception class, or no actor.
        """
        self.runtime.check_open()
        name = actor.name if isinstance(actor, Driver | Machine) else actor
        return self.runtime.user_errors.allow(kind, name)
