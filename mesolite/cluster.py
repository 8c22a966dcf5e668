"""A little real cluster in this process: threads, real time, real commands.

with Cluster(agents=3) as cluster:
driver = cluster.run(Hello(), framework="hello")
driver.join()
"""

from __future__ import annotations

import pathlib
import tempfile
import time
from types import TracebackType
from typing import Self

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.store import SqliteStore
from mesolite.actors.threads.runtime import ThreadsRuntime
from mesolite.actors.trace import DEFAULT_RECORDS, Trace
from mesolite.messages.resources import Resources
from mesolite.signals import SignalWatch
from mesolite.wiring import DEFAULT_RESOURCES, Wiring

READY_S = 30.0


class Cluster(Wiring):
    """A cluster on threads. Several may live in one process; nothing is shared between them."""

    runtime: ThreadsRuntime

    def __init__(
        self,
        agents: int = 1,
        masters: int = 1,
        resources: str | Resources = DEFAULT_RESOURCES,
        *,
        settings: Settings | None = None,
        work_dir: str | pathlib.Path | None = None,
        handle_signals: bool = False,
        trace_records: int = DEFAULT_RECORDS,
    ) -> None:
        """Start elector, masters and agents; `ready` says when all of them have found each other.

        `work_dir` keeps the registry, agent ids and sandboxes, and may be used again by a later cluster, whose clock
        goes on as if it had never stopped; by default a temporary folder that goes with the cluster. `handle_signals`:
        SIGUSR1 to this process drains all agents.
        """
        self._temporary = None if work_dir else tempfile.TemporaryDirectory(prefix="mesolite-")
        folder = pathlib.Path(self._temporary.name if self._temporary else str(work_dir)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        chosen = settings or Settings.local()
        store = SqliteStore(str(folder / "store.sqlite"))
        first_sequence = store.term("registry") + 1
        # The registry holds times, so the clock goes on where it would be by now.
        reads_s = store.clock_at(time.time())
        runtime = ThreadsRuntime(Trace(trace_records), store, chosen.max_file_size_bytes, clock_reads_s=reads_s)
        self._closed = False
        self._signals: SignalWatch | None = None
        try:
            super().__init__(
                runtime,
                chosen,
                agents=agents,
                masters=masters,
                resources=resources,
                work_dir=str(folder / "sandboxes"),
                first_sequence=first_sequence,
            )
            if handle_signals:
                self._signals = SignalWatch(self.agents)
        except BaseException:
            self.runtime = runtime
            self.close()
            raise

    def __enter__(self) -> Self:
        """Wait until a master leads and all agents are registered."""
        try:
            self.ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End everything. What user code raised and nobody saw is raised now, as is a party's failure by our own fault.

        If the body has raised something, that goes on its way, with a note that names the rest.
        """
        self.close()
        self.runtime.user_errors.leave(value, self.runtime.failures)

    def ready(self, timeout: float = READY_S) -> None:
        """Wait until a master leads and all agents are registered.

        Raises:
            TimeoutError: they were not, within so many seconds; the text names who is missing.
            PartyFailed: a party failed, by our own fault.
        """
        is_ready = self.runtime.wait(lambda: bool(self.runtime.failures) or self._is_ready(), timeout)
        if self.runtime.failures:
            raise self.runtime.failures[0]
        if not is_ready:
            missing = [agent.name for agent in list(self.agents.values()) if not agent.registered]
            leader = self.leader.name if self.leader else "nobody"
            raise TimeoutError(f"not ready after {timeout} s: {leader} leads, not registered: {missing or 'none'}")

    def sandbox(self, task_id: str) -> pathlib.Path:
        """The sandbox of the command task that last ran under that id: its `stdout`, `stderr`, and what it wrote.

        Raises:
            Refused: no command task of that id was started here.
        """
        path = self.runtime.commands.sandbox(task_id)
        if path is None:
            raise Refused(f"no command task {task_id!r} was started in this cluster; check the task's id")
        return path

    def processes(self, agent: str) -> list[int]:
        """The pids of everything that runs under that agent now."""
        return self.runtime.commands.processes(agent)

    def close(self) -> None:
        """End everything: actors, threads, processes, files. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        if self._signals is not None:
            self._signals.close()
        self.runtime.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _is_ready(self) -> bool:
        return self.leader is not None and all(agent.registered for agent in list(self.agents.values()))
