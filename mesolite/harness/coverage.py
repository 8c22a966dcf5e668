"""What an exploration has reached: which events reached which kind of actor, and which callbacks were called."""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import define, field

from mesolite.actors.decisions.agent import AgentCore
from mesolite.actors.decisions.command_executor import CommandExecutorCore
from mesolite.actors.decisions.contract import Callback
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.executor import ExecutorCore
from mesolite.actors.decisions.master import MasterCore
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.scheduler import SchedulerCore
from mesolite.simulation.simulation import Simulation

CORES = (AgentCore, CommandExecutorCore, ElectorCore, ExecutorCore, MasterCore, RegistrarCore, SchedulerCore)


@define
class Coverage:
    """How often each (actor, event) pair was reached, and each callback called."""

    pairs: Counter[tuple[str, str]] = field(factory=Counter)
    callbacks: Counter[str] = field(factory=Counter)

    def add(self, sim: Simulation) -> None:
        """Count what is in the trace of a run."""
        for record in sim.trace:
            self.pairs[_actor(record.party), type(record.event).__name__] += 1
            for effect in record.effects:
                if type(effect) is Callback:
                    self.callbacks[effect.callback] += 1

    def merge(self, other: Coverage) -> None:
        """Count what another process has reached."""
        self.pairs.update(other.pairs)
        self.callbacks.update(other.callbacks)


def _actor(name: str) -> str:
    if name.endswith("/registrar"):
        return "registrar"
    if "/" in name:
        return "executor"
    for kind in ("agent", "master"):
        if name.startswith(f"{kind}-"):
            return kind
    return name if name in ("elector", "operator") else "scheduler"


_: Any = CORES
