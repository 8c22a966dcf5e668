"""Threads of ours: waiting for one can be interrupted, and repeated."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import pytest

from mesolite.actors.runtime.thread import Thread

PATIENCE_S = 60.0


def waits(ident: int) -> bool:
    """Whether that thread is inside `Thread.wait`, in Python's own code for waiting."""
    frame: FrameType | None = sys._current_frames()[ident]  # noqa: SLF001
    files = []
    while frame is not None and frame.f_code is not Thread.wait.__code__:
        files.append(frame.f_code.co_filename)
        frame = frame.f_back
    return frame is not None and files[:1] == [threading.__file__]


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_wait_does_not_take_a_thread_for_ended() -> None:
    """It is waited for again, until it has really ended."""
    may_end, here = threading.Event(), threading.get_ident()
    thread = Thread(may_end.wait, "under test")
    thread.start()

    def interrupt() -> None:
        while not waits(here):
            os.sched_yield()
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        thread.wait(PATIENCE_S)
    interrupter.join()

    assert not thread.wait(0.0)
    assert thread.is_alive()
    may_end.set()
    assert thread.wait(PATIENCE_S)
    assert not thread.is_alive()


def test_a_thread_that_was_never_started_has_ended() -> None:
    """It can have failed to start, or never come to that."""
    assert Thread(print, "never").wait()
