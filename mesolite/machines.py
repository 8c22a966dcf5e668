"""Handles for what an operator's hands can do to a machine: signal, stop, crash, cut the power, start again."""

from __future__ import annotations

import contextlib
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from mesolite.actors.actor import OUTSIDE
from mesolite.actors.decisions.contract import SignalReceived
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.disk import Disk
from mesolite.actors.runtime.port import ActorContext, Runtime
from mesolite.actors.trace import Done
from mesolite.messages.checking import checked_arguments
from mesolite.messages.facts import AgentStatus, MasterStatus
from mesolite.messages.maintenance import MachineId
from mesolite.messages.resources import Resources

AnyResources = Resources | str | Mapping[str, float]
"""Resources as people write them: text, a mapping of scalars, or resources as they are."""

S = TypeVar("S", AgentStatus, MasterStatus)


class Machine(ABC):
    """A host with one daemon of ours on it, by the daemon's name."""

    def __init__(
        self, runtime: Runtime, name: str, start: Callable[..., None], url_of: Callable[[str], str]
    ) -> None:
        """Refer to that machine; `start` starts its daemon. Whether that is alive shows when it is asked."""
        self._runtime = runtime
        self._start = start
        self._url_of = url_of
        self._name = name
        self._history: list[tuple[float, str]] = []

    def __str__(self) -> str:
        """Print its name."""
        return self.name

    def __repr__(self) -> str:
        """Show its name and whether its daemon is alive."""
        return f"<{type(self).__name__} {self.name} {'up' if self.alive else 'down'}>"

    @property
    def name(self) -> str:
        """The daemon's name, as faults, traces and stories know it, and the machine's own unless it has another."""
        return self._name

    @property
    def url(self) -> str:
        """Where the daemon listens for HTTP, running or not: `http://127.0.0.1:5050`.

        Raises:
            Refused: this cluster does not speak HTTP.
        """
        return self._url_of(self.name)

    @property
    def history(self) -> tuple[tuple[float, str], ...]:
        """What was done to it, and when: crash, power_off, stop, restart, or a signal's name."""
        return tuple(self._history)

    @property
    def alive(self) -> bool:
        """Whether the daemon is running."""
        return self._runtime.directory.find(self.name) is not None

    @property
    def disk(self) -> Disk:
        """Its disk, to let writes fail, take time, or be the last: `agent.disk.slow(2.0)`."""
        self._runtime.check_open()

        def crash(cause: int) -> None:
            with contextlib.suppress(Refused):  # it may have ended meanwhile, by itself or with everything else
                self._end(-9, "crash", cause=cause)

        def did(verb: str, *arguments: object, **named: object) -> int:
            return self._record(Done.to(f"{self.name}.disk", verb, *arguments, **named))

        disks = self._runtime.disks
        if self.name not in disks:
            disks[self.name] = Disk(crash, did)
        return disks[self.name]

    @abstractmethod
    def restart(self) -> None:
        """Start the daemon (again), with what it had stored."""

    def crash(self) -> None:
        """The daemon dies without a word; its links break, what it had started lives on."""
        self._end(-9, "crash")

    def power_off(self) -> None:
        """The whole machine goes silent: nothing is said, no link breaks, everything on it is gone."""
        self._runtime.check_open()
        done = self._did("power_off")
        for context in self._runtime.directory.on_host(self.name):
            self._runtime.end(context, -1, silent=True, cause=done)

    def _end(self, status: int, what: str, *arguments: object, cause: int = -1) -> int:
        """End the daemon; returns the trace record of that."""
        self._runtime.check_open()
        context = self._context()
        done = self._did(what, *arguments, cause=cause)
        self._runtime.end(context, status, cause=done)
        return done

    def _did(self, verb: str, *arguments: object, cause: int = -1, **named: object) -> int:
        """Note what is done to it, here and in the trace; returns the record, of which comes what follows."""
        done = self._record(Done.to(self.name, verb, *arguments, **named), cause)
        what = arguments[0] if verb == "signal" and isinstance(arguments[0], signal.Signals) else verb
        self._history.append((self._runtime.now(), what.name if isinstance(what, signal.Signals) else what))
        return done

    def _record(self, done: Done, cause: int = -1) -> int:
        self._runtime.check_may_act()
        life = self._runtime.directory.incarnation(self.name)
        return self._runtime.trace.record(self._runtime.now(), self.name, OUTSIDE, done, (), cause, life)

    def _context(self) -> ActorContext:
        context = self._runtime.directory.find(self.name)
        if context is None:
            raise Refused(f"{self.name} is not running; start it again with restart()")
        return context

    def _pushed(self, kind: type[S]) -> S | None:
        """What its daemon's present life has last made known of itself."""
        context = self._runtime.directory.find(self.name)
        return self._runtime.events.of_life(kind, self.name, context.incarnation) if context is not None else None


class AgentMachine(Machine):
    """A machine with an agent on it.

    Attributes:
        machine_id: what maintenance schedules know the machine by.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        start: Callable[..., None],
        url_of: Callable[[str], str],
        machine_id: MachineId,
    ) -> None:
        """Refer to that machine, which maintenance schedules know by `machine_id`."""
        super().__init__(runtime, name, start, url_of)
        self.machine_id = machine_id
        self._agent_id: str | None = None

    @property
    def id(self) -> str | None:
        """The id a master gave the agent, None if it has none yet; known also while the agent is not running."""
        known = self._runtime.events.newest(AgentStatus, self.name)
        if known is not None and known.agent_id is not None:
            self._agent_id = known.agent_id
        return self._agent_id

    @property
    def registered(self) -> bool:
        """Whether the agent is running and registered with a leader."""
        status = self._pushed(AgentStatus)
        return status is not None and status.registered

    @checked_arguments
    def signal(self, signum: signal.Signals) -> None:
        """Send the agent's process a signal: SIGUSR1 is "drain now" (drain.md 2.1), SIGTERM and SIGKILL just end it.

        Raises:
            Refused: the agent is not running.
        """
        if signum in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
            self._end(-signum, "signal", signum)
            return
        self._runtime.check_open()
        context = self._context()
        self._runtime.post(context, SignalReceived(signum.name), OUTSIDE, self._did("signal", signum))

    def stop(self) -> None:
        """Stop the agent's process politely, without unregistering: checkpointed executors live on (2.1.9)."""
        self._end(0, "stop")

    @checked_arguments
    def restart(
        self,
        *,
        resources: AnyResources | None = None,
        attributes: Mapping[str, str] | None = None,
        anew: bool = False,
    ) -> None:
        """Start the agent's process (again) on the same machine, with what it had stored.

        It may have other `resources` or `attributes` from now on; whether it goes on under its old id then is a matter
        of `Settings.reconfiguration_policy`. `anew`: what it had stored is dropped, and what it had started killed; it
        registers as a new agent, as in Mesos after `rm -f <work_dir>/meta/slaves/latest`.

        Raises:
            ResourceError: the resources are not resources.
        """
        self._runtime.check_open()
        facts: dict[str, object] = {}
        if resources is not None:
            facts["resources"] = Resources.of(resources)
        if attributes is not None:
            facts["attributes"] = tuple(attributes.items())
        given = None if resources is None else str(facts["resources"])
        done = self._did("restart", resources=given, attributes=attributes, anew=anew or None)
        if self.alive:
            self._runtime.end(self._context(), 0, cause=done)
        self._start(facts, anew=anew, cause=done)


class MasterMachine(Machine):
    """A machine with a master on it, leading or standing by."""

    @property
    def leading(self) -> bool:
        """Whether this master is the leader, and has read the registry."""
        return self.term is not None

    @property
    def term(self) -> int | None:
        """Of its election, while it leads: a later leader has a higher one; None while it does not lead."""
        status = self._pushed(MasterStatus)
        return status.term if status is not None and status.leading else None

    def restart(self) -> None:
        """Start the master's process again; it joins the election at the end of the queue."""
        self._runtime.check_open()
        done = self._did("restart")
        if self.alive:
            self._runtime.end(self._context(), 0, cause=done)
        self._end_registrar(0, done)
        self._start(cause=done)

    def _end(self, status: int, what: str, *arguments: object, cause: int = -1) -> int:
        done = super()._end(status, what, *arguments, cause=cause)
        self._end_registrar(status, done)
        return done

    def _end_registrar(self, status: int, cause: int) -> None:
        registrar = self._runtime.directory.find(f"{self.name}/registrar")
        if registrar is not None:
            self._runtime.end(registrar, status, cause=cause)


def leader_among(masters: Iterable[MasterMachine]) -> MasterMachine | None:
    """The master that leads; of several that believe it, as after a partition, the one that was elected last."""
    leading = [(term, master) for master in masters if (term := master.term) is not None]
    return max(leading, key=lambda known: known[0])[1] if leading else None
