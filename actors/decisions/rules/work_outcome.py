"""How the end of a command is put into words."""

from __future__ import annotations

SIGTERM = 15
SIGKILL = 9

# Linux numbers, whatever machine decides: the standard module would give those of this one.
_SIGNAL_NAMES = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    SIGKILL: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    SIGTERM: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
}


def outcome(exit_status: int | None, signum: int | None) -> str:
    """One sentence on how a command ended; exactly one of the two is given."""
    if signum is None:
        assert exit_status is not None, "a command that ended has an exit status or a signal"
        return f"Command exited with status {exit_status}"
    return f"Command was killed by {_SIGNAL_NAMES.get(signum, 'signal')} ({signum})"
