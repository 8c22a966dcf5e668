"""The states of actors, for checkers to look at. Nothing here changes anything, and nobody else reads cores so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.agent.core import AgentCore
from mesolite.actors.decisions.contract import Callback, Core
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.decisions.executor.core import ExecutorCore
from mesolite.actors.decisions.master.core import MasterCore
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.port import ActorContext
from mesolite.harness.checkers.checker import ActorRole
from mesolite.messages.ids import AgentId, FrameworkId

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
        self.context = directory.find
        """Whoever is alive under that name, None if nobody is."""

    @staticmethod
    def core_of(context: ActorContext) -> Any:
        """The core of whoever sits there."""
        return context.actor.core

    def core(self, name: str) -> Any:
        """The core of whoever is alive under that name, None if nobody is."""
        context = self.context(name)
        return None if context is None else self.core_of(context)

    def all_of(self, role: ActorRole) -> Iterator[tuple[ActorContext, Any]]:
        """Everybody alive in that role, in order of arrival."""
        for context in self._directory:
            core = self.core_of(context)
            if ROLES.get(type(core)) is role:
                yield context, core

    def leader(self) -> Any:
        """The state of the master that leads, by the newest term of several; None if none does."""
        leading = [core.state for _, core in self.all_of(ActorRole.MASTER) if core.state.leading]
        return max(leading, key=lambda state: state.info.term, default=None)


def is_granted_of(m: Any, agent_id: AgentId) -> bool:
    """Whether this master's allocator may grant of that agent, which it knows."""
    return bool(m.allocator._agents[agent_id].active)  # noqa: SLF001  # nobody else asks


def is_blocked(m: Any, framework_id: FrameworkId) -> bool:
    """Whether this master's allocator keeps everything from that framework, which it knows (docs/reclaim.md RV-7)."""
    return bool(m.allocator._frameworks[framework_id].blocked)  # noqa: SLF001  # nobody else asks


def waiting_callbacks(core: Any) -> list[Callback]:
    """What user code of this scheduler will be called with when it has returned."""
    return list(core.callbacks._waiting)  # noqa: SLF001  # nobody else asks
