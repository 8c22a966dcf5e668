"""Starts commands, reaps them, kills what is to be killed, and reports how each work has ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from mesolite.actors.containerizer.launcher.process_table import ON_LINUX, has_memory, has_stopped, send
from mesolite.actors.containerizer.launcher.starting import Starter
from mesolite.actors.containerizer.launcher.works import Work, Works

_STOP_ROUNDS = 50  # for what outruns a sweep or may not be stopped: it is killed unstopped, and swept again
_LOOKS = 20  # at children that cannot be told whose they are, before the end of a work is reported all the same
_RESWEEP_S = 0.25  # how long the killed get to die before they are looked for again


class Supervisor:
    """Carries out what the host requests, and sees to everything below this process."""

    def __init__(self, name: str, report: Callable[[dict[str, object]], None]) -> None:
        """Marks of works begin with the name; `report` takes what the host is to hear."""
        self._report = report
        self._starter = Starter(name)
        self._works = Works(name)
        self._awaited: set[int] = set()  # killed by the last sweep and not reaped yet
        self._sweeping, self._resweep_at = False, 0.0  # something is marked for kill; when to look for it again
        self._unclear = False  # whose some children are
        self.purging = False
        """All are marked for kill, until there are no more."""

    def handle_request(self, request: dict[str, object]) -> None:
        """Carry out one request of the host. What concerns a work that has ended comes too late, silently."""
        if (verb := request.pop("do")) == "spawn":
            self._spawn(**request)  # type: ignore[arg-type]
        elif verb == "kill_all":
            self.kill_all()
        elif verb == "share":
            self._starter.shared_env = request["env"]  # type: ignore[assignment]
        elif work := self._works.live.get(str(request["work_id"])):
            if verb == "kill":
                self._mark_for_kill(work)
            else:
                signum = int(str(request["signum"]))
                # All are found first: what one of them starts because of the signal, to tidy up, is not to get it.
                for pid in self._works.processes(lambda other: other is work):
                    send(pid, signum)

    def _spawn(self, work_id: str, argv: list[str], env: dict[str, str], cwd: str, stdout: str, stderr: str) -> None:
        try:
            pid, mark = self._starter.start(argv, env, cwd, stdout, stderr)
        except Exception as error:  # noqa: BLE001  whatever was asked for, the host hears of it
            why = f"cannot start {argv[0]!r:.200} in {cwd!r}: {str(error).partition('] ')[2] or error}"
            self._report({"event": "failed", "work_id": work_id, "error": why})
        else:
            self._works.add(Work(work_id, mark, pid))
            self._report({"event": "started", "work_id": work_id, "pid": pid})

    # --- ends ---

    def reap(self) -> None:
        """Reap all that has died, kill what main processes left behind, report those of which nothing is left."""
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
            self._works.reaped(pid, status)
        if anything or self._unclear:
            self._settle_ends()

    def _settle_ends(self) -> None:
        """Mark what ended works left behind, report those of which nothing is left. Normally this is one small read."""
        alive, unclear, unreported = set(), False, self._works.unreported
        for pid in self._works.children():
            owner = self._works.owner(pid)
            alive.add(owner)
            # The dead and the dying have no memory, so they bear no mark; what they started is seen soon.
            unclear |= not owner.mark and not has_memory(pid)
            if owner.ended:
                owner.candidates = [candidate for candidate in owner.candidates if not candidate.ended]
                if not owner.candidates:
                    self._mark_for_kill(owner)
        for work in [work for work in unreported if work not in alive and not (work.marked_for_kill and self._awaited)]:
            work.looks += 1
            if unclear and work.looks < _LOOKS:
                continue
            if not ON_LINUX:  # no list of children there, but to kill an empty process group costs nothing
                self._mark_for_kill(work)
            if not (work.marked_for_kill and self._sweeping):
                self._works.sessions.pop(work.pid, None)
            code = unreported.pop(work)
            end = {"exit_status": code, "signal": None} if code >= 0 else {"exit_status": None, "signal": -code}
            self._report({"event": "exited", "work_id": work.work_id, **end})
        self._unclear = unclear and bool(unreported)

    # --- killing ---

    def kill_all(self) -> None:
        """Begin to kill everything; done when `purging` is over."""
        self.purging, self._resweep_at = True, 0.0

    def _mark_for_kill(self, work: Work) -> None:
        if not (work.marked_for_kill and self._sweeping):
            work.marked_for_kill, self._sweeping, self._resweep_at = True, True, 0.0

    def _is_to_die(self, work: Work) -> bool:
        return self.purging or work.marked_for_kill

    def patience_s(self) -> float | None:
        """How long no sweep is due; None: until something dies. It is when all that the last one killed is reaped."""
        if not (self.purging or self._sweeping):
            return 0.001 if self._unclear else None
        return max(0.0, self._resweep_at - time.monotonic()) if self._awaited else 0.0

    def sweep_if_due(self) -> None:
        """Stop all that is marked until a walk meets no new one and all stand still, then kill them."""
        if self.patience_s() != 0.0:
            return
        found: set[int] = set()
        for _ in range(_STOP_ROUNDS):
            known = found
            found = set(self._works.processes(self._is_to_die, lambda pid: send(pid, signal.SIGSTOP)))
            if found <= known:
                if all(map(has_stopped, found)):
                    break
                time.sleep(0.001)
        self._awaited = {pid for pid in found if send(pid, signal.SIGKILL)}
        self._resweep_at = time.monotonic() + _RESWEEP_S
        if not self._awaited:  # none is left, or only such as we may not signal
            self.purging = self._sweeping = False
            self._works.forget_ended()
            self._settle_ends()
