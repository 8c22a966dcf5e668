"""The launcher's life: serve until the host is gone, then kill everything."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys

from mesolite.actors.containerizer.launcher.host_channel import HostChannel
from mesolite.actors.containerizer.launcher.process_table import ON_LINUX
from mesolite.actors.containerizer.launcher.supervisor import Supervisor

_REQUESTS_AT_ONCE = 8  # before deaths are looked at again


def _serve(supervisor: Supervisor, channel: HostChannel) -> None:
    while not channel.over:
        channel.wait(0.0 if channel.has_request and not supervisor.purging else supervisor.patience_s())
        supervisor.reap()
        for _ in range(_REQUESTS_AT_ONCE):
            if supervisor.purging or not channel.has_request:  # what was asked after kill_all finds nothing alive
                break
            try:
                supervisor.handle_request(channel.take_request())
            except Exception:  # noqa: BLE001  all the other commands depend on us
                sys.excepthook(*sys.exc_info())
        channel.flush()
        supervisor.sweep_if_due()


def main(host_pid: int, name: str, max_file_size: int | None = None) -> None:
    """Serve until the host is gone or we are told to leave; then, or if we fail, kill everything first.

    Our standard input is a socket to the host, our standard output a file for the number of the latest start; marks of
    works begin with `name`. A command that writes a longer file than `max_file_size` bytes dies by SIGXFSZ.
    """
    if ON_LINUX:
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    if max_file_size is not None:
        with contextlib.suppress(ValueError):  # a stricter limit is in force already
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_size, max_file_size))
    channel = HostChannel(host_pid)
    supervisor = Supervisor(name, channel.report)
    try:
        _serve(supervisor, channel)
    finally:
        channel.over = True
        supervisor.kill_all()
        while supervisor.purging:
            channel.wait(supervisor.patience_s())
            supervisor.reap()
            supervisor.sweep_if_due()
        supervisor.reap()
        os.set_blocking(0, True)
        channel.flush()
    os._exit(0)  # nothing is left that the interpreter would have to tidy up
