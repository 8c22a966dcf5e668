"""A little real cluster in this process: threads, real time, real commands.

with Cluster(agents=3) as cluster:
driver = cluster.run(Hello(), framework="hello")
driver.join()
"""

from __future__ import annotations

import contextlib
import pathlib
import secrets
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mesolite.actors.containerizer.temporary_folder import TemporaryFolder
from mesolite.actors.containerizer.work_folder import WorkFolder
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import ActorEnded, Refused
from mesolite.actors.threads.runtime import ThreadsRuntime
from mesolite.actors.threads.sqlite_store import SqliteStore
from mesolite.actors.trace import DEFAULT_RECORDS, Trace
from mesolite.http import Http
from mesolite.machines import AgentMachine, AnyResources
from mesolite.messages.checking import Count, PathText, SomeCount, Timeout, checked_arguments, in_seconds
from mesolite.signals import SignalWatch
from mesolite.version import __version__
from mesolite.wiring import DEFAULT_RESOURCES, Wiring

if TYPE_CHECKING:
    from mesolite.gateway.gateway import Gateway

READY_S = 30.0


class Cluster(Wiring):
    """A cluster on threads. Several may live in one process; nothing is shared between them."""

    runtime: ThreadsRuntime

    @checked_arguments
    def __init__(
        self,
        agents: Count = 1,
        masters: SomeCount = 1,
        resources: AnyResources = DEFAULT_RESOURCES,
        *,
        settings: Settings | None = None,
        work_dir: PathText | pathlib.Path | None = None,
        handle_signals: bool = False,
        trace_records: Count = DEFAULT_RECORDS,
        http: bool | str | Http = False,
    ) -> None:
        """Start elector, masters and agents; `ready` says when all of them have found each other.

        `work_dir` keeps the registry, agent ids and sandboxes, and may be used again by a later cluster, whose clock
        goes on as if it had never stopped; by default a temporary folder that goes with the cluster. `handle_signals`:
        SIGUSR1 to this process drains all agents.

        `http`: masters and agents speak Mesos's v1 HTTP interface, each at a port of its own: True for free ones on
        loopback, `"127.0.0.1:5050"` for master-1's and the next, or `Http(...)`. It needs the extra `mesolite[http]`.

        Raises:
            Refused: the extra is not installed, or a port cannot be had.
            WorkDirInUse: another cluster lives in that folder, in this process or in another.
            WorkDirUnusable: nothing can be kept there, or what is kept there cannot be read.
        """
        settings = settings or Settings.local()
        self._temporary = None if work_dir else TemporaryFolder()
        self._folder = self._temporary or WorkFolder(str(work_dir))
        self.runtime, store = self._begin(settings, trace_records)
        self._closing, self._closed = threading.RLock(), False
        self._signals: SignalWatch | None = None
        self._gateway = None
        try:
            self._gateway = _gateway(self.runtime, settings, http)
            super().__init__(
                self.runtime,
                settings,
                agents=agents,
                masters=masters,
                resources=resources,
                work_dir=f"{self._folder.name}/sandboxes",
                first_sequence=store.term("registry") + 1,
                gateway=self._gateway,
            )
            if handle_signals:
                self._signals = SignalWatch(self.agents)
        except BaseException:
            self.close()
            raise

    def _begin(self, settings: Settings, trace_records: int) -> tuple[ThreadsRuntime, SqliteStore]:
        """Open what the folder keeps, and begin the threads; if that cannot be, the folder is left as it was."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._folder.leave)
            store = SqliteStore(f"{self._folder.name}/store.sqlite")
            undo.callback(store.close)
            # The registry holds times, so the clock goes on where it would be by now.
            reads_s, trace = store.clock_at(time.time()), _trace(trace_records, settings)
            runtime = ThreadsRuntime(trace, store, settings.max_file_size_bytes, clock_reads_s=reads_s)
            undo.pop_all()
        return runtime, store

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
        """End everything. What user code raised and nobody saw is raised now, as is any failure of an actor of ours.

        If the body has raised something, that goes on its way, with a note that names the rest. In a process forked
        from the one that made the cluster this does nothing, as `close`.
        """
        if self.runtime.forked:
            return
        self.close()
        self.runtime.unseen.call_off()
        self.runtime.user_errors.leave(value, self.runtime.failures)

    @checked_arguments
    def ready(self, timeout: Timeout = READY_S) -> None:
        """Wait until a master leads and all agents are registered.

        Raises:
            TimeoutError: they were not, within so many seconds; the text names who is missing.
            ActorEnded: an agent has ended itself, or every master; the text says why. Those can be restarted.
            ActorFailed: an actor failed, by our own fault.
            Refused: the cluster is closed.
        """
        self.runtime.check_open()
        in_time = self.runtime.wait(
            lambda: bool(self.runtime.failures or self._ended_themselves()) or self._is_ready(), in_seconds(timeout)
        )
        if self.runtime.failures:
            self.runtime.unseen.call_off()
            raise self.runtime.failures[0]
        if ended := self._ended_themselves():
            raise ActorEnded(f"the cluster cannot get ready: {'; '.join(ended)}")
        self.runtime.check_open()  # or it was closed meanwhile
        if not in_time:
            missing = [agent.name for agent in list(self.agents.values()) if not agent.registered]
            leader = self.leader.name if self.leader else "nobody"
            raise TimeoutError(f"not ready after {timeout} s: {leader} leads, not registered: {missing or 'none'}")

    @checked_arguments
    def sandbox(self, task_id: str) -> pathlib.Path:
        """The sandbox of the command task that last ran under that id: its `stdout`, `stderr`, and what it wrote.

        A task of an executor that is a process has that one's (docs/clients.md).

        Raises:
            Refused: no command task of that id was started here.
        """
        self.runtime.check_open()
        path = self.runtime.commands.sandbox(task_id)
        if path is None:
            raise Refused(
                f"no command task {task_id!r} was started in this cluster; check the task's id. A task with an executor"
                " that is a process uses that one's sandbox: the `directory` of the executor in its agent's /state"
            )
        return path

    @checked_arguments
    def processes(self, agent: AgentMachine | str) -> list[int]:
        """The pids of everything that runs under that agent now.

        Raises:
            UnknownName: there is no such agent.
        """
        self.runtime.check_open()
        return self.runtime.commands.processes(self.agents[str(agent)].name)

    def close(self) -> None:
        """End everything: actors, threads, processes, files; what cannot be removed is logged and left.

        Nothing is raised here: what user code raised and nobody has seen comes from `raise_user_errors()`, or is
        printed when the program ends. After that whatever is asked of the cluster, its operator, machines and drivers
        is refused. What was known can still be read: the trace, `user_errors`, ids, a driver's status, how a drain has
        ended if that was seen. Closing twice is harmless, and goes on where Ctrl-C came in between. In a process forked
        from the one that made the cluster it does nothing: the cluster lives in that one.
        """
        if self.runtime.forked:
            return
        with self._closing:
            if self._closed:
                return
            if self._signals is not None:
                self._signals.close()
            if self._gateway is not None:
                self._gateway.close()
            self.runtime.close()
            self._folder.leave()
            self._closed = True

    def _ended_themselves(self) -> list[str]:
        """Who has, and why, of those without whom the cluster does not get ready."""
        reasons = self.runtime.directory.reasons.copy()
        needed = [*self.agents]
        if all(name in reasons for name in self.masters):
            needed += self.masters
        return [f"{name} has ended: {reasons[name]}" for name in needed if name in reasons]

    def _is_ready(self) -> bool:
        return self.leader is not None and all(agent.registered for agent in list(self.agents.values()))


def _gateway(runtime: ThreadsRuntime, settings: Settings, wanted: bool | str | Http) -> Gateway | None:
    """What speaks HTTP, if that is wanted; only now is imported what it needs.

    Raises:
        Refused: that is not installed.
    """
    if wanted is False:
        return None
    http = Http.of(wanted)
    try:
        from mesolite.gateway.gateway import Gateway  # noqa: PLC0415  only who wants it pays for it
        from mesolite.gateway.server import HttpServer, Tls  # noqa: PLC0415  as above
    except ImportError as why:
        raise Refused(f"http= needs more than is installed: {why}; pip install 'mesolite[http]' installs it") from why
    tls = Tls(http.certificate, http.key) if http.certificate else None
    epoch_s, secret = time.time() - runtime.now(), secrets.token_hex()
    return Gateway(runtime, settings, http, HttpServer(tls), epoch_s=epoch_s, secret=secret)


def _trace(records: int, settings: Settings) -> Trace:
    """A trace whose head says what is known of a run on threads."""
    trace = Trace(records)
    trace.describe(version=__version__, virtual=False, settings=settings.changed())
    return trace
