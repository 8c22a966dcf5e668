"""A real SIGUSR1 to this process drains the agents it hosts (drain.md 2.1).

Python runs signal handlers between two instructions of the main thread, where hardly anything is safe to do;
`SimpleQueue.put` is. A thread of ours takes it from there.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from types import FrameType
from typing import Any

from mesolite.actors.errors import Refused
from mesolite.actors.runtime.thread import Thread
from mesolite.machines import AgentMachine


class SignalWatch:
    """Listens for SIGUSR1 on behalf of one cluster; what listened before goes on listening."""

    def __init__(self, agents: Mapping[str, AgentMachine]) -> None:
        """Install the handler; the agents are those of one cluster, now and later.

        Raises:
            Refused: called outside the main thread, where Python lets nobody handle signals.
        """
        if threading.current_thread() is not threading.main_thread():
            raise Refused("handle_signals=True needs the main thread; make the cluster there, or signal its agents")
        self._agents = agents
        self.closed = False
        self._received: SimpleQueue[int | None] = SimpleQueue()
        self._thread = Thread(self._pass_on, "mesolite signals")
        self._thread.start()
        self.previous = signal.signal(signal.SIGUSR1, self._handle)

    def close(self) -> None:
        """Listen no more; the handler that was there before is back.

        Outside the main thread, where no handler can be changed, ours stays and only passes on to the one before.
        """
        self.closed = True
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGUSR1) == self._handle:
            signal.signal(signal.SIGUSR1, self._before())
        self._received.put(None)
        self._thread.wait()

    def _before(self) -> Any:
        """The handler that was there before, past those of clusters that have closed since."""
        before = self.previous
        while isinstance(watch := getattr(before, "__self__", None), SignalWatch) and watch.closed:
            before = watch.previous
        return before

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self.closed:
            self._received.put(signum)
        if callable(self.previous):
            self.previous(signum, frame)

    def _pass_on(self) -> None:
        while (signum := self._received.get()) is not None:
            for agent in list(self._agents.values()):
                with contextlib.suppress(Refused):  # it has gone already
                    agent.signal(signal.Signals(signum))
