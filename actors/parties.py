"""The actors of a cluster as Pykka actors: which core each has. User code has its own file (user_code.py).

Elector          plays ZooKeeper: sessions, candidates, who leads
Master           leads or stands by; its Registrar keeps what must survive it
Agent            one per machine; starts executors there
CommandExecutor  runs one command
OperatorParty    puts an operator's calls before the leader
"""

from __future__ import annotations

from typing import Protocol

from mesolite.actors.decisions.agent import AgentCore
from mesolite.actors.decisions.contract import ExecutorStart
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.decisions.master import MasterCore
from mesolite.actors.decisions.operator import OperatorCore
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.role import Role
from mesolite.actors.runtime.port import ActorContext
from mesolite.messages.infos import AgentInfo
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QueryAnswered


class Elector(Role):
    """Who leads (core.md section 2)."""

    def __init__(self, context: ActorContext, settings: Settings, first_sequence: int = 1) -> None:
        """Number candidates from `first_sequence` on: higher than any term a store has seen."""
        super().__init__(context, ElectorCore(settings, first_sequence))


class Registrar(Role):
    """The keeper of one master's registry (core.md EL-36 to EL-38)."""

    def __init__(self, context: ActorContext, master: str, settings: Settings) -> None:
        """Serve that master only."""
        super().__init__(context, RegistrarCore(master, settings))


class Master(Role):
    """A master: contends, and decides while it leads (core.md 2.4)."""

    def __init__(self, context: ActorContext, settings: Settings, registrar: str) -> None:
        """Keep the registry with that registrar."""
        super().__init__(context, MasterCore(settings, registrar))


class Agent(Role):
    """An agent: offers its machine's resources, runs executors (drain.md 0.2.16)."""

    def __init__(
        self, context: ActorContext, settings: Settings, info: AgentInfo, work_dir: str, *, anew: bool = False
    ) -> None:
        """Sandboxes go under `work_dir`; `anew`: what an earlier life has stored is dropped."""
        super().__init__(context, AgentCore(settings, info, work_dir, anew=anew))


class CommandExecutor(Role):
    """The executor of one command (core.md TK-77)."""

    def __init__(self, context: ActorContext, start: ExecutorStart, settings: Settings) -> None:
        """Register with the agent that started it."""
        super().__init__(context, CommandExecutorCore(start, settings))


class Answers(Protocol):
    """Where those who wait outside find what they asked for (mesolite/operator.py)."""

    def answered(self, answer: CallAnswered | QueryAnswered) -> None:
        """Take an answer, on the actor's thread."""


class OperatorParty(Role):
    """Speaks for an operator (drain.md sections 4 and 5)."""

    def __init__(self, context: ActorContext, answers: Answers) -> None:
        """Give what is answered to whoever waits for it."""
        super().__init__(context, OperatorCore())
        self._answers = answers

    def reply(self, answer: CallAnswered | QueryAnswered) -> None:
        """Give it to whoever waits for it."""
        self._answers.answered(answer)
