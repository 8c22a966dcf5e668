"""The socket to the host, and all else that can wake the launcher.

Requests and reports are dicts of plain values, as `marshal` writes them, each behind its length: both ends are the same
interpreter, nobody else can write here, and nothing has to be imported for it.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal

LENGTH_BYTES = 4
_AT_ONCE = 1 << 16  # bytes read: for more the allocator would ask the kernel for memory each time

_LEAVE_ON = (signal.SIGTERM, signal.SIGHUP)
_IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)  # meant for the host, even when sent to every Python


def framed(what: dict[str, object]) -> bytes:
    """One request or report, to be written to the socket."""
    written = marshal.dumps(what)
    return len(written).to_bytes(LENGTH_BYTES, "big") + written


class HostChannel:
    """Requests come in and reports go out. Nothing here blocks but `wait`."""

    def __init__(self, host_pid: int) -> None:
        """Our standard input is the socket to that process."""
        self._unread, self._unsent = bytearray(), bytearray()
        self._woken, wakeup = os.pipe()
        for fd in (self._woken, wakeup, 0):
            os.set_blocking(fd, False)
        for signum in (signal.SIGCHLD, *_LEAVE_ON):
            signal.signal(signum, lambda *_: None)  # one must exist; what counts is the byte in the pipe
        for signum in _IGNORED:
            signal.signal(signum, signal.SIG_IGN)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the thread that started us may have blocked some
        self._host: list[int] = []
        # The socket alone would not tell the host's end: what it forked may hold a copy and outlive it.
        with contextlib.suppress(AttributeError, OSError):  # not Linux, or an old one, or gone already
            self._host.append(os.pidfd_open(host_pid))
        self.over = os.getppid() != host_pid
        """The host closed the socket or died, or we were told to leave."""

    @property
    def has_request(self) -> bool:
        """Whether a whole request has come that was not taken yet."""
        return len(self._unread) >= LENGTH_BYTES + self._length()

    def take_request(self) -> dict[str, object]:
        """The next request, which has come. Raises whatever its bytes make `marshal` raise."""
        end = LENGTH_BYTES + self._length()
        written = bytes(self._unread[LENGTH_BYTES:end])
        del self._unread[:end]
        request: dict[str, object] = marshal.loads(written)  # noqa: S302  of the process that has started us
        return request

    def _length(self) -> int:
        """Of the next request, when so much of it has come."""
        return int.from_bytes(self._unread[:LENGTH_BYTES], "big")

    def report(self, what: dict[str, object]) -> None:
        """Keep a report for the next `flush`."""
        self._unsent += framed(what)

    def flush(self) -> None:
        """Send what the host takes now; the rest waits, so that a slow host never stops the reaping."""
        try:
            while self._unsent:
                del self._unsent[: os.write(0, self._unsent)]
        except BlockingIOError:
            pass
        except OSError:  # the host is gone
            self._unsent.clear()
            self.over = True

    def wait(self, timeout_s: float | None) -> None:
        """Wait for requests, deaths, signals, room for reports, or the end of the host."""
        watched = [self._woken] if self.over else [self._woken, 0, *self._host]
        ready, _, _ = select.select(watched, [0] if self._unsent and not self.over else [], [], timeout_s)
        self.over |= self._woken in ready and not set(os.read(self._woken, 65536)).isdisjoint(_LEAVE_ON)
        if 0 in ready:
            self._receive()
        self.over = self.over or not set(ready).isdisjoint(self._host)

    def _receive(self) -> None:
        try:
            data = os.read(0, _AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.over |= not data
        self._unread += data
