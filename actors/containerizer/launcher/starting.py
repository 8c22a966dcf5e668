"""How one command is started: in a session of its own, in its folder, writing to its files, with its mark."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Mapping

from mesolite.actors.containerizer.launcher.process_table import MARK

_DEFAULT_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}  # what a command starts with as default


def _program(command: str, env: Mapping[str, str]) -> str:
    """Where the command is, looked up in the PATH it will run with. Raises FileNotFoundError."""
    if "/" in command:
        return command
    path = env.get("PATH", os.defpath)
    for folder in path.split(os.pathsep):
        program = os.path.join(folder, command)
        if os.access(program, os.X_OK) and os.path.isfile(program):
            return program
    raise FileNotFoundError(errno.ENOENT, f"no such command in its PATH, which is {path!r}")


class Starter:
    """Starts commands, and numbers them: the number is in the mark, and in the file that is our standard output.

    A command may kill us before its start is reported; the host then reads from that file how many were started.
    """

    def __init__(self, name: str) -> None:
        """Marks begin with this name."""
        self._name = name
        self._started = 0
        self._null = os.open(os.devnull, os.O_RDONLY)
        self.shared_env: dict[str, str] = {}
        """What every command gets beside its own environment."""

    def start(self, argv: list[str], env: dict[str, str], cwd: str, stdout: str, stderr: str) -> tuple[int, str]:
        """The pid of the new main process, and its mark. Raises OSError, naming the file to blame, or ValueError."""
        self._started += 1
        mark = f"{self._name}-{self._started}"
        env = {**self.shared_env, **env, MARK: mark}
        os.chdir(cwd)  # posix_spawn has no such parameter; we have one thread, so nobody else sees it
        program = _program(argv[0], env)
        files = [(os.POSIX_SPAWN_DUP2, self._null, 0)]
        try:
            for target, path in ((1, stdout), (2, stderr)):
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                files.append((os.POSIX_SPAWN_DUP2, fd, target))
            with contextlib.suppress(OSError):  # a limit may forbid even that
                os.pwrite(1, b"%d" % self._started, 0)
            pid = os.posix_spawn(
                program, argv, env, file_actions=files, setsid=True, setsigmask=[], setsigdef=_DEFAULT_SIGNALS
            )
        finally:
            for _, fd, _ in files[1:]:
                os.close(fd)
        return pid, mark
