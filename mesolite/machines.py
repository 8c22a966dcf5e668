"""Handles for what an operator's hands can do to a machine: signal, stop, crash, cut the power, start again."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from mesolite.actors.decisions.contract import SignalReceived
from mesolite.actors.errors import Refused

if TYPE_CHECKING:
    from mesolite.actors.runtime.port import Seat
    from mesolite.wiring import Wiring


class Machine:
    """A host with one daemon of ours on it, by the daemon's name."""

    def __init__(self, wiring: Wiring, name: str) -> None:
        """Refer to that machine; whether its daemon is alive shows when it is asked."""
        self._wiring = wiring
        self.name = name

    def __str__(self) -> str:
        """Print its name."""
        return self.name

    def __repr__(self) -> str:
        """Show its name and whether its daemon is alive."""
        return f"<{type(self).__name__} {self.name} {'up' if self.alive else 'down'}>"

    @property
    def alive(self) -> bool:
        """Whether the daemon is running."""
        return self._wiring.runtime.directory.find(self.name) is not None

    def crash(self) -> None:
        """The daemon dies without a word; its links break, what it had started lives on."""
        self._end(-9)

    def power_off(self) -> None:
        """The whole machine goes silent: nothing is said, no link breaks, everything on it is gone."""
        self._wiring.check()
        for seat in self._wiring.runtime.directory.on_host(self.name):
            self._wiring.runtime.end(seat, -1, silent=True)
        self._wiring.after()

    def _end(self, status: int) -> None:
        self._wiring.check()
        self._wiring.runtime.end(self._seat(), status)
        self._wiring.after()

    def _seat(self) -> Seat:
        seat = self._wiring.runtime.directory.find(self.name)
        if seat is None:
            raise Refused(f"{self.name} is not running; start it again with restart()")
        return seat

    def _core_state(self) -> Any:
        # Looked up once: on threads the daemon may go at any moment.
        seat = self._wiring.runtime.directory.find(self.name)
        core: Any = seat.actor.performer.core if seat is not None else None
        return core.state if core is not None else None


class AgentMachine(Machine):
    """A machine with an agent on it."""

    @property
    def id(self) -> str | None:
        """The id a master gave the agent, None if it has none yet.

        Raises:
            Refused: the agent is not running.
        """
        self._seat()
        state = self._core_state()
        agent_id: str | None = state.info.id if state is not None else None
        return agent_id

    @property
    def registered(self) -> bool:
        """Whether the agent is running and registered with a leader."""
        state = self._core_state()
        return state is not None and state.phase.name == "RUNNING"

    def signal(self, signum: int) -> None:
        """Send the agent's process a signal: SIGUSR1 is "drain now" (drain.md 2.1), SIGTERM and SIGKILL just end it.

        Raises:
            Refused: the agent is not running.
        """
        if signum in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
            self._end(-signum)
            return
        self._wiring.check()
        self._wiring.runtime.post(self._seat(), SignalReceived(int(signum)), sender="outside")
        self._wiring.after()

    def stop(self) -> None:
        """Stop the agent's process politely, without unregistering: checkpointed executors live on (2.1.9)."""
        self._end(0)

    def restart(self) -> None:
        """Start the agent's process (again) on the same machine, with what it had stored."""
        self._wiring.check()
        if self.alive:
            self._wiring.runtime.end(self._seat(), 0)
        self._wiring.start_agent(self.name)
        self._wiring.after()


class MasterMachine(Machine):
    """A machine with a master on it, leading or standing by."""

    @property
    def leading(self) -> bool:
        """Whether this master is the leader, and has read the registry."""
        state = self._core_state()
        return state is not None and bool(state.leading)

    def restart(self) -> None:
        """Start the master's process again; it joins the election at the end of the queue."""
        self._wiring.check()
        self._end_registrar(0)
        if self.alive:
            self._wiring.runtime.end(self._seat(), 0)
        self._wiring.start_master(self.name)
        self._wiring.after()

    def _end(self, status: int) -> None:
        self._end_registrar(status)
        super()._end(status)

    def _end_registrar(self, status: int) -> None:
        registrar = self._wiring.runtime.directory.find(f"{self.name}/registrar")
        if registrar is not None:
            self._wiring.runtime.end(registrar, status)
