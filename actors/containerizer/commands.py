"""Real work: each agent's commands, in sandboxes, through a launcher of its own (host.py)."""

from __future__ import annotations

import os
import pathlib
import pwd
import signal
import threading
import time
from collections.abc import Callable

from mesolite.actors.containerizer.accounts import account_of, give, switched
from mesolite.actors.containerizer.fetcher import CannotFetch, fetch
from mesolite.actors.containerizer.host import Launcher, WorkEvent
from mesolite.actors.decisions.contract import Run, WorkFailedToStart, WorkStarted
from mesolite.actors.logs import logger
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.runtime.thread import Thread
from mesolite.messages.tasks import CommandInfo

SANDBOXES_KNOWN = 10_000
"""How many sandboxes can be found by their task's id; older ones stay on disk."""

CLOSE_S = 5.0
"""How long the launchers have, all together, to kill everything and to end, before they are killed."""

PRIVATE = 0o700
"""The mode of a sandbox."""

REASON_MAX = 1000
"""How much of the reason why something did not start is told: it may quote a command of any length."""


def _text(what: str, value: object) -> str:
    """What can be handed to a process: text without NUL.

    Raises:
        TypeError: it is no text.
        ValueError: it holds NUL.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} is a {type(value).__name__}, {value!r}; it must be text")
    if "\0" in value:
        raise ValueError(f"{what} holds NUL, which ends a text for every process")
    return value


def _argv(command: CommandInfo) -> list[str]:
    """What is to be started. Raises TypeError and ValueError, saying what cannot be."""
    value = _text("the command's value", command.value)
    if command.shell:
        return ["/bin/sh", "-c", value]
    return [value, *(_text(f"argument {number}", word) for number, word in enumerate(command.arguments, start=1))]


def _environment(run: Run) -> dict[str, str]:
    """The variables of a command beside those all have. Raises TypeError and ValueError, saying what cannot be."""
    environment = {**dict(run.environment), **dict(run.command.environment)}
    for name, value in environment.items():
        if not _text("a variable's name", name) or "=" in name:
            raise ValueError(f"a variable cannot be named {name!r}: a name is not empty and holds no '='")
        _text(f"the variable {name}", value)
    return environment


def _of_the_host() -> dict[str, str]:
    """What of our own environment every command gets: all that says nothing of us as an agent (HT-220, HT-240)."""
    ours = ("MESOS_", "LIBPROCESS_")
    return {
        name: value for name, value in os.environ.items() if name == "LIBPROCESS_IP" or not name.startswith(ours)
    }


def _brief(reason: str) -> str:
    """As much of a reason as anybody reads: how it begins and how it ends."""
    return reason if len(reason) <= REASON_MAX else f"{reason[: REASON_MAX // 2]} ... {reason[-REASON_MAX // 2 :]}"


def _make_folder(path: str) -> None:
    """Make a sandbox, for nobody but its user (HT-214); nearly always the folder above it is there already."""
    try:
        os.mkdir(path, PRIVATE)
    except FileNotFoundError:
        os.makedirs(path, PRIVATE)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


class Commands:
    """What runs, by work id; told to the context that asked for it."""

    def __init__(self, max_file_size: int, post: Callable[[ActorContext, object, str, int], None]) -> None:
        """Stop files at `max_file_size` bytes; `post` puts news before a context."""
        self._max_file_size = max_file_size
        self._post = post
        self._lock = threading.Lock()
        # A process's environment is fixed when it starts, and so is that of our commands; copying it is slow.
        self._environment = _of_the_host()
        self._launchers: dict[str, Launcher] = {}
        self._contexts: dict[str, ActorContext] = {}
        self._causes: dict[str, int] = {}
        """The trace record that the next news of a work comes of: its start, then the last signal."""
        self._works: dict[ActorContext, dict[str, None]] = {}
        self._on_terminated: dict[ActorContext, Callable[[], None]] = {}
        self._sandboxes: dict[str, str] = {}  # by task id
        self._fetchers: list[Thread] = []
        self._unswitched: dict[str, None] = {}
        """Users of frameworks whose commands run as we do, which has been said (HT-245)."""
        self._closed = False

    def run(self, context: ActorContext, run: Run, cause: int) -> None:
        """Start a command in its sandbox, with stdout and stderr in files there.

        Whatever stands in the way, and whatever was asked for, the context is told: it waits for that.
        """
        with self._lock:
            if self._closed:
                return
            in_use = run.work_id in self._contexts
            if not in_use:
                self._begin(context, run)
                self._causes[run.work_id] = cause
        if in_use:
            why = f"what {run.work_id} ran before has not ended yet"
            self._post(context, WorkFailedToStart(run.work_id, why), "", cause)
            return
        if not run.command.uris:
            self._launch(context, run)
            return
        # Copies may take long, and a few workers run all actors: these files are fetched by a thread of their own.
        fetcher = Thread(self._launch, "mesolite-fetcher", (context, run))
        try:
            with self._lock:
                fetcher.start()
                self._fetchers = [*filter(Thread.is_alive, self._fetchers), fetcher]
        except RuntimeError as error:  # there can be no more threads
            self._failed(context, run, error)

    def _launch(self, context: ActorContext, run: Run) -> None:
        try:
            self._start(context, run)
        except Exception as error:  # noqa: BLE001  no room for the sandbox, no more processes, no text, whatever
            self._failed(context, run, error)

    def _failed(self, context: ActorContext, run: Run, error: Exception) -> None:
        """Tell why a command was not started."""
        why = str(error) or type(error).__name__
        if not isinstance(error, CannotFetch):
            what = "/bin/sh" if run.command.shell else run.command.value
            why = f"cannot start {what!r:.200}: {why}"
        self._over(context, run.work_id, WorkFailedToStart(run.work_id, _brief(why)))

    def _start(self, context: ActorContext, run: Run) -> None:
        """Prepare what a command needs, and have it started; whatever is raised fails it."""
        sandbox = run.sandbox
        argv, environment, account = _argv(run.command), _environment(run), self._account(run)
        _make_folder(sandbox)
        for uri in run.command.uris:
            if self._is_over(context):
                raise InterruptedError("its executor has ended")
            fetch(uri, sandbox, lambda: self._is_over(context))
        if account is not None:
            argv = switched(argv, account)
            give(sandbox, account)
        launcher = self._launcher(context.host)
        launcher.spawn(
            run.work_id, argv, environment, cwd=sandbox, stdout=f"{sandbox}/stdout", stderr=f"{sandbox}/stderr"
        )
        with self._lock:
            has_ended = context in self._on_terminated
        if has_ended:  # while files were fetched, when there was nothing to kill yet
            launcher.kill(run.work_id)

    def _account(self, run: Run) -> pwd.struct_passwd | None:
        """As whom a command runs, None: as we do. Raises PermissionError, if that is what it says and cannot be."""
        if run.command.user or not run.user:
            return account_of(run.command.user) if run.command.user else None
        try:
            return account_of(run.user)
        except PermissionError as why:
            with self._lock:
                is_news = run.user not in self._unswitched
                self._unswitched[run.user] = None
            if is_news:
                logger.warning("commands of frameworks of user {!r} run as we do: {}", run.user, why)
            return None

    def _is_over(self, context: ActorContext) -> bool:
        return self._closed or context in self._on_terminated

    def _begin(self, context: ActorContext, run: Run) -> None:
        """Note what is about to be started; the lock is held."""
        self._contexts[run.work_id] = context
        self._works.setdefault(context, {})[run.work_id] = None
        if not run.task_id:
            return  # it is an executor's, which runs any number of tasks
        self._sandboxes.pop(run.task_id, None)  # the newest last
        self._sandboxes[run.task_id] = run.sandbox
        if len(self._sandboxes) > SANDBOXES_KNOWN:
            del self._sandboxes[next(iter(self._sandboxes))]

    def signal(self, work_id: str, signum: int, cause: int) -> None:
        """Signal every process of a command; one that has ended is past it."""
        with self._lock:
            context = self._contexts.get(work_id)
            if context is not None:
                self._causes[work_id] = cause
        if context is None:
            return
        launcher = self._launcher(context.host)
        if signum == signal.SIGKILL:
            launcher.kill(work_id)
        else:
            launcher.signal(work_id, signum)

    def end(self, context: ActorContext, on_terminated: Callable[[], None]) -> None:
        """Kill everything of an actor that has ended; it takes its leave when nothing of it is left."""
        with self._lock:
            works = list(self._works.get(context, ()))
            if works:
                self._on_terminated[context] = on_terminated
        if not works:
            on_terminated()
        for work_id in works:
            self._launcher(context.host).kill(work_id)

    def processes(self, host: str) -> list[int]:
        """The pids alive on that machine."""
        with self._lock:
            launcher = self._launchers.get(host)
        return launcher.processes() if launcher is not None else []

    def main_processes(self, work_id: str) -> list[int]:
        """The pid of the main process of that work, if it lives."""
        with self._lock:
            context = self._contexts.get(work_id)
            launcher = None if context is None else self._launchers.get(context.host)
        return [] if launcher is None else launcher.main_processes(work_id)

    def sandbox(self, task_id: str) -> pathlib.Path | None:
        """The newest sandbox of a command task of that id."""
        with self._lock:
            path = self._sandboxes.get(task_id)
        return None if path is None else pathlib.Path(path)

    def close(self) -> None:
        """Kill everything everywhere; nothing is started any more. If it was interrupted it can be called again."""
        with self._lock:
            self._closed = True
            launchers = list(self._launchers.values())
        for launcher in launchers:
            launcher.hang_up()
        deadline = time.monotonic() + CLOSE_S
        for launcher in launchers:
            launcher.close(max(0.0, deadline - time.monotonic()))
        for fetcher in self._fetchers:  # each may be at its last file
            fetcher.wait(max(0.0, deadline - time.monotonic()))

    def _launcher(self, host: str) -> Launcher:
        with self._lock:
            launcher = self._launchers.get(host)
            if launcher is None:
                launcher = self._launchers[host] = Launcher(
                    self._report, self._max_file_size, self._environment
                )
                if self._closed:
                    launcher.hang_up()  # it never starts anything
            return launcher

    def _report(self, event: WorkEvent) -> None:
        """Pass on what a launcher says; called on its reader thread."""
        with self._lock:
            context, cause = self._contexts[event.work_id], self._causes[event.work_id]
        if isinstance(event, WorkStarted):
            self._post(context, event, "", cause)
        elif isinstance(event, WorkFailedToStart):
            self._over(context, event.work_id, WorkFailedToStart(event.work_id, _brief(event.error)))
        else:
            self._over(context, event.work_id, event)

    def _over(self, context: ActorContext, work_id: str, event: object) -> None:
        """Nothing of a work is left, or it never began: forget it, and tell."""
        with self._lock:
            del self._contexts[work_id]
            cause = self._causes.pop(work_id)
            works = self._works[context]
            del works[work_id]
            on_terminated = None
            if not works:
                del self._works[context]
                on_terminated = self._on_terminated.pop(context, None)
        self._post(context, event, "", cause)
        if on_terminated is not None:
            on_terminated()
