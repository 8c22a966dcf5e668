"""The states of actors, for checkers to look at. Nothing here changes anything, and nobody else reads cores so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.agent.core import AgentCore
from mesolite.actors.decisions.command_executor import CommandExecutorCore
from mesolite.actors.decisions.contract import Core
from mesolite.actors.decisions.executor import ExecutorCore
from mesolite.actors.decisions.master.core import MasterCore
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.scheduler import SchedulerCore
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.port import Seat
from mesolite.harness.checkers.checker import ActorRole

ROLES: dict[type[Core], ActorRole] = {
    MasterCore: ActorRole.MASTER,
    RegistrarCore: ActorRole.REGISTRAR,
    AgentCore: ActorRole.AGENT,
    ExecutorCore: ActorRole.EXECUTOR,
    CommandExecutorCore: ActorRole.EXECUTOR,
    SchedulerCore: ActorRole.SCHEDULER,
}


class Reader:
    """Who is there, and what they know."""

    def __init__(self, directory: Directory) -> None:
        """Read the actors of this directory."""
        self._directory = directory
        self.seat = directory.find
        """Whoever is alive under that name, None if nobody is."""

    @staticmethod
    def core_of(seat: Seat) -> Any:
        """The core of whoever sits there."""
        return seat.actor.performer.core

    def core(self, name: str) -> Any:
        """The core of whoever is alive under that name, None if nobody is."""
        seat = self.seat(name)
        return None if seat is None else self.core_of(seat)

    def all_of(self, role: ActorRole) -> Iterator[tuple[Seat, Any]]:
        """Everybody alive in that role, in order of arrival."""
        for seat in self._directory:
            core = self.core_of(seat)
            if ROLES.get(type(core)) is role:
                yield seat, core

    def leader(self) -> Any:
        """The state of the master that leads, by the newest term of several; None if none does."""
        leading = [core.state for _, core in self.all_of(ActorRole.MASTER) if core.state.leading]
        return max(leading, key=lambda state: state.info.term, default=None)
