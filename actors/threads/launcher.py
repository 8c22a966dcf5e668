"""The launcher: a program of its own that starts, reaps and kills the commands of one agent.

Started as `python -I -S launcher.py HOST_PID NAME [MAX_FILE_SIZE]`, its standard input a socket to the host, its
standard output a file for the number of the latest start: a command may kill us before that is reported. Rule: standard
library only, one thread, never waits for the host, no request ends it, and nothing it started outlives it.

    host --requests, JSON lines-->  launcher  --posix_spawn, each in its own session-->  commands
    host <--reports, JSON lines---            <--SIGCHLD, and whatever they left behind--

It is a subreaper: what a command leaves behind becomes its child, not one of init. So one small file, the list of its
children, tells at each exit whether anything is left. To kill is to walk down from that list, stopping each process
before its children are looked up, until a walk meets no new one and all have stopped: nothing forks its way out.

To which work a process belongs is told by its ancestors, of orphans by their session or the mark in their environment.
A daemon without all three (setsid, double fork, `env -i`) is a *stray*: it goes when all that can have started it have.
The launcher leaves, killing everything first, when the host closes the socket or dies, and on SIGTERM or SIGHUP. Not on
Linux, a work is its process group; daemons that left it escape.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

MARK = "MESOLITE_WORK"
ON_LINUX = sys.platform == "linux"
LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")  # some kernels are built without

_STOP_ROUNDS = 50  # for what outruns a sweep or may not be stopped: it is killed unstopped, and swept again
_LOOKS = 20  # at children that cannot be told whose they are, before the end of a work is reported all the same
_RESWEEP_S = 0.25  # how long the killed get to die before they are looked for again
_RESET = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}  # what a command starts with as default
_LEAVE_ON = (signal.SIGTERM, signal.SIGHUP)
_IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)  # meant for the host, even when sent to every Python


def _read(path: str) -> bytes:
    """The whole of a small file; nothing when it is gone or forbidden."""
    with contextlib.suppress(OSError), open(path, "rb", buffering=0) as file:
        return file.readall()
    return b""


def all_processes() -> list[int]:
    """Every process of the machine, zombies included. Empty if this is not Linux."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if ON_LINUX else []


def stat_of(pid: int) -> list[bytes]:
    """The fields of /proc/<pid>/stat from the state and the parent on, past the name; empty when it is gone."""
    return _read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()


def _has_stopped(pid: int) -> bool:
    """Whether all threads of this process have stopped or ended: one that was told to may yet be forking."""
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task")
        return all(_read(f"/proc/{pid}/task/{tid}/stat").rpartition(b") ")[2][:1] in b"TtZX" for tid in threads)
    return True


def children_of(pid: int) -> list[int]:
    """The children of a process, zombies included. Complete if it is stopped, or is the launcher itself."""
    if not LISTS_CHILDREN:
        return [other for other in all_processes() if stat_of(other)[1:2] == [str(pid).encode()]]
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task")
        return [int(child) for tid in threads for child in _read(f"/proc/{pid}/task/{tid}/children").split()]
    return []


def with_descendants(roots: Iterable[int], visit: Callable[[int], object] = lambda _: None) -> list[int]:
    """The roots and everything below them. Each is visited before its children are looked up."""
    found = dict.fromkeys(roots)
    unseen = list(found)
    while unseen:
        pid = unseen.pop()
        visit(pid)
        fresh = [child for child in children_of(pid) if child not in found]
        found.update(dict.fromkeys(fresh))
        unseen += fresh
    return list(found)


def mark_of(pid: int) -> str:
    """The mark in the environment with which this process began; empty when absent or unreadable."""
    environment = b"\0" + _read(f"/proc/{pid}/environ")
    return os.fsdecode(environment.partition(f"\0{MARK}=".encode())[2].partition(b"\0")[0])


def send(pid: int, signum: int) -> bool:
    """Whether the signal could be sent. A negative pid means that process group."""
    with contextlib.suppress(OSError):  # it is gone, it is not ours, or there is no such signal
        os.kill(pid, signum)
        return True
    return False


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


class Work:
    """One command and all that descends from it; or a stray, which is a work of its own and has ended."""

    def __init__(self, work_id: str, mark: str, pid: int) -> None:
        self.work_id, self.mark, self.pid = work_id, mark, pid  # of the main process, which leads the session
        self.looks = 0  # since it ended, at what may be left of it
        self.ended = self.doomed = False  # the main process has been reaped; whatever is left is to be killed
        self.suspects: list[Work] = []  # of a stray: those that were alive when it was first seen


class Commands:
    """Every process below this one: starts them, reaps them, knows whose they are, kills them."""

    def __init__(self, name: str, report: Callable[[dict[str, object]], None]) -> None:
        self._name, self._report = name, report  # our marks begin with the name
        self._pid, self._spawned = os.getpid(), 0
        self._works: dict[str, Work] = {}  # live, by id
        self._sessions: dict[int, Work] = {}  # live, and ended but not swept yet, by session
        self._orphans: dict[int, Work] = {}  # whose they are: our children that are not main processes
        self._unreported: dict[Work, dict[str, int]] = {}  # ended like this, and some of it was alive still
        self._awaited: set[int] = set()  # killed by the last sweep and not reaped yet
        self._sweeping, self._resweep_at = False, 0.0  # something is doomed; when to look for it again
        self._shared: dict[str, str] = {}  # what every command gets beside its own environment
        self._unclear = self.purging = False  # whose some children are; all are doomed, until there are no more
        self._null = os.open(os.devnull, os.O_RDONLY)
        self._children = os.open(f"/proc/self/task/{self._pid}/children", os.O_RDONLY) if LISTS_CHILDREN else -1

    def obey(self, request: dict[str, object]) -> None:
        """Carry out one request of the host. What concerns a work that has ended comes too late, silently."""
        if (verb := request.pop("do")) == "spawn":
            self._spawn(**request)  # type: ignore[arg-type]
        elif verb == "kill_all":
            self.kill_all()
        elif verb == "share":
            self._shared = request["env"]  # type: ignore[assignment]
        elif work := self._works.get(str(request["work_id"])):
            if verb == "kill":
                self._doom(work)
            else:
                signum = int(str(request["signum"]))
                self._visit(lambda other: other is work, lambda pid: send(pid, signum))

    def _spawn(self, work_id: str, argv: list[str], env: dict[str, str], cwd: str, stdout: str, stderr: str) -> None:
        self._spawned += 1
        mark = f"{self._name}-{self._spawned}"
        try:
            pid = self._start(argv, {**self._shared, **env, MARK: mark}, cwd, stdout, stderr)
        except Exception as error:  # noqa: BLE001  whatever was asked for, the host hears of it
            why = f"cannot start {argv[0]!r:.200} in {cwd!r}: {str(error).partition('] ')[2] or error}"
            self._report({"event": "failed", "work_id": work_id, "error": why})
        else:
            self._works[work_id] = self._sessions[pid] = Work(work_id, mark, pid)
            self._report({"event": "started", "work_id": work_id, "pid": pid})

    def _start(self, argv: list[str], env: dict[str, str], cwd: str, stdout: str, stderr: str) -> int:
        """The pid of the new main process. Raises OSError, naming the file to blame, or ValueError."""
        os.chdir(cwd)  # posix_spawn has no such parameter; we have one thread, so nobody else sees it
        program = _program(argv[0], env)
        files = [(os.POSIX_SPAWN_DUP2, self._null, 0)]
        try:
            for target, path in ((1, stdout), (2, stderr)):
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                files.append((os.POSIX_SPAWN_DUP2, fd, target))
            with contextlib.suppress(OSError):  # a limit may forbid even that
                os.pwrite(1, b"%d" % self._spawned, 0)
            return os.posix_spawn(program, argv, env, file_actions=files, setsid=True, setsigmask=[], setsigdef=_RESET)
        finally:
            for _, fd, _ in files[1:]:
                os.close(fd)

    def reap(self) -> None:
        """Reap all that has died, doom what main processes left behind, report those of which nothing is left."""
        anything = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                pid, self.purging = 0, False
            if pid == 0:
                break
            anything = True
            self._awaited.discard(pid)
            self._orphans.pop(pid, None)
            work = self._sessions.get(pid)
            if work and not work.ended:
                work.ended = True
                del self._works[work.work_id]
                code = os.waitstatus_to_exitcode(status)
                self._unreported[work] = {"exit_status": code} if code >= 0 else {"signal": -code}
        if anything or self._unclear:
            self._settle_ends()

    def _settle_ends(self) -> None:
        """Doom what ended works left behind, report those of which nothing is left. Normally this is one small read."""
        alive, unclear = set(), False
        for pid in self._children_now():
            owner = self._owner(pid)
            alive.add(owner)
            # The dead and the dying have no memory, so they bear no mark; what they started is seen soon.
            unclear |= not owner.mark and not _read(f"/proc/{pid}/statm").strip(b"0 \n")
            if owner.ended:
                owner.suspects = [suspect for suspect in owner.suspects if not suspect.ended]
                if not owner.suspects:
                    self._doom(owner)
        for work in [work for work in self._unreported if work not in alive and not (work.doomed and self._awaited)]:
            work.looks += 1
            if unclear and work.looks < _LOOKS:
                continue
            if not ON_LINUX:  # no list of children there, but to kill an empty process group costs nothing
                self._doom(work)
            if not (work.doomed and self._sweeping):
                self._sessions.pop(work.pid, None)
            self._report({"event": "exited", "work_id": work.work_id, **self._unreported.pop(work)})
        self._unclear = unclear and bool(self._unreported)

    def _children_now(self) -> list[int]:
        """Our children, orphans included. It is reliable: they leave the list only by being reaped."""
        listed = b""
        if self._children < 0:
            return children_of(self._pid)
        while some := os.pread(self._children, 65536, len(listed)):
            listed += some
        return [int(pid) for pid in listed.split()]

    def _owner(self, pid: int) -> Work:
        """The work to which this child of ours belongs. That never changes, so it is looked up once."""
        owner = self._sessions.get(pid)
        if owner is None or owner.ended:
            owner = self._orphans.get(pid)
        if owner is None:
            mark = mark_of(pid)
            marked = (work for work in (*self._sessions.values(), *self._unreported) if work.mark == mark)
            owner = self._sessions.get(os.getsid(pid)) or next(marked, None)
            if owner is None:
                owner = Work("", mark, pid)
                owner.ended = True
                if not mark.startswith(f"{self._name}-"):  # with our mark it is a late birth of an ended work
                    owner.suspects = list(self._works.values())
            self._orphans[pid] = owner
        return owner

    def _visit(self, chosen: Callable[[Work], bool], visit: Callable[[int], object]) -> set[int]:
        """Visit every process of the chosen works, parents before their children."""
        roots = [-work.pid for work in self._sessions.values() if chosen(work)]
        if ON_LINUX:
            roots = [pid for pid in self._children_now() if chosen(self._owner(pid))]
        return set(with_descendants(roots, visit))

    def kill_all(self) -> None:
        """Begin to kill everything; done when `purging` is over."""
        self.purging, self._resweep_at = True, 0.0

    def _doom(self, work: Work) -> None:
        if not (work.doomed and self._sweeping):
            work.doomed, self._sweeping, self._resweep_at = True, True, 0.0

    def patience_s(self) -> float | None:
        """How long no sweep is due; None: until something dies. It is when all that the last one killed is reaped."""
        if not (self.purging or self._sweeping):
            return 0.001 if self._unclear else None
        return max(0.0, self._resweep_at - time.monotonic()) if self._awaited else 0.0

    def sweep_if_due(self) -> None:
        """Stop all the doomed until a walk meets no new one and all stand still, then kill them."""
        if self.patience_s() != 0.0:
            return
        found: set[int] = set()
        for _ in range(_STOP_ROUNDS):
            known = found
            found = self._visit(lambda work: self.purging or work.doomed, lambda pid: send(pid, signal.SIGSTOP))
            if found <= known:
                if all(map(_has_stopped, found)):
                    break
                time.sleep(0.001)
        self._awaited = {pid for pid in found if send(pid, signal.SIGKILL)}
        self._resweep_at = time.monotonic() + _RESWEEP_S
        if not self._awaited:  # none is left, or only such as we may not signal
            self.purging = self._sweeping = False
            self._sessions = {pid: work for pid, work in self._sessions.items() if not work.ended}
            self._settle_ends()


class Line:
    """The socket to the host, and all else that can wake the launcher. Nothing here blocks but `wait`."""

    def __init__(self, host_pid: int) -> None:
        self.requests: deque[bytearray] = deque()
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
        self.over = os.getppid() != host_pid  # the host closed the socket or died, or we were told to leave

    def report(self, what: dict[str, object]) -> None:
        """Keep a report for the next `flush`."""
        self._unsent += json.dumps(what).encode() + b"\n"

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
            data = os.read(0, 1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.over |= not data
        self._unread += data
        if b"\n" in data:  # a long request comes in many pieces
            *lines, self._unread = self._unread.split(b"\n")
            self.requests.extend(lines)


def _serve(commands: Commands, line: Line) -> None:
    while not line.over:
        line.wait(0.0 if line.requests and not commands.purging else commands.patience_s())
        commands.reap()
        for _ in range(min(len(line.requests), 8)):  # before deaths are looked at again
            if not commands.purging:  # what was asked after kill_all finds nothing alive
                try:
                    commands.obey(json.loads(line.requests.popleft()))
                except Exception:  # noqa: BLE001  all the other commands depend on us
                    sys.excepthook(*sys.exc_info())
        line.flush()
        commands.sweep_if_due()


def main(host_pid: int, name: str, max_file_size: int | None = None) -> None:
    """Serve until the host is gone or we are told to leave; then, or if we fail, kill everything first."""
    if ON_LINUX:
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    if max_file_size is not None:
        with contextlib.suppress(ValueError):  # a stricter limit is in force already
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_size, max_file_size))
    line = Line(host_pid)
    commands = Commands(name, line.report)
    try:
        _serve(commands, line)
    finally:
        line.over = True
        commands.kill_all()
        while commands.purging:
            line.wait(commands.patience_s())
            commands.reap()
            commands.sweep_if_due()
        commands.reap()
        os.set_blocking(0, True)
        line.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))
