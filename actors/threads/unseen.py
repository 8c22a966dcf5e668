"""The last resort: a program ends, and what was raised in its cluster was never raised where somebody could see it.

Nobody has joined the driver, waited for anything or left a `with`. Python does the same for a thread of which nobody
knows how it ended: it prints the traceback. The program's exit status is beyond anybody's reach by then.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from collections.abc import Sequence

from mesolite.actors.user_errors import UserErrors, user_frames

TOLD = "mesolite: this came up and nothing raised it; driver.join() and leaving a `with` do that:"


class Unseen:
    """Says at the end of the program what nobody has seen, unless it is called off."""

    def __init__(self, user_errors: UserErrors, failures: Sequence[BaseException]) -> None:
        """Watch these; both grow."""
        self._user_errors = user_errors
        self._failures = failures
        self._pid = os.getpid()
        atexit.register(self._say)

    def closed(self) -> None:
        """Nothing more will come; if nothing has, there is nothing to remember."""
        if not self._failures and not self._user_errors.unraised:
            self.call_off()

    def call_off(self) -> None:
        """Somebody has seen it."""
        atexit.unregister(self._say)

    def _say(self) -> None:
        if os.getpid() != self._pid:
            return
        try:
            self._user_errors.leave(None, self._failures)
        except BaseException as unseen:  # noqa: BLE001  # whatever it is, it is told and not raised
            sys.stderr.write(f"{TOLD}\n")
            traceback.print_exception(unseen.with_traceback(user_frames(unseen.__traceback__)))
