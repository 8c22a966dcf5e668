"""What agents keep in their stores, for whoever comes after them."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.agent.state import Phase
from mesolite.actors.decisions.contract import Saved
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, hears

EVERY = 3
"""So many writes there are for each that is looked at; the first one is."""


class AgentsStoreWhatTheyAre(Checker):
    """A new life of an agent is to go on where this one ends (core.md AG-1, TK-18, drain.md 4.4.3)."""

    name = "agents_store_what_they_are"
    statement = "When an agent writes nothing, its store has its drain, its checkpointed tasks and their updates."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Look at the first write."""
        self._writes: dict[Any, int] = {}

    @hears(ActorRole.AGENT, Saved)
    def saved(self, record: Record, core: Any) -> None:
        """A write is durable: is anything still to be written? What is wrong stays so, so not all are looked at."""
        a = core.state
        if a.writes.in_flight or a.writes.changes or a.phase is Phase.TERMINATING:
            return
        self._writes[core] = number = self._writes.get(core, 0) + 1
        if number % EVERY > 1:
            return
        expected = {"drain": a.drain} | dict(_tasks(a)) | dict(_updates(a))
        stored = self.watch.sim.runtime.store.look(record.actor, expected)
        for key, wanted in expected.items():
            kept = stored.get(key)
            if key.startswith("task/"):
                kept = kept and (kept.state, kept.delivered, kept.kill_cause)
            elif key.startswith("update/"):
                kept = kept and kept.status.uuid
            if kept != wanted:
                self.violated(f"{record.actor} has stored {kept} as {key}, and is {wanted}", record.actor)


def _tasks(a: Any) -> list[tuple[str, object]]:
    """What is to be stored of tasks: how they are, whether they were handed over, and why they are killed."""
    return [
        (f"task/{framework.id}/{task_id}", (task.state, task.delivered, task.kill_cause))
        for framework in a.frameworks.values()
        if framework.info.checkpoint and not framework.terminating
        for executor in framework.executors.values()
        for task_id, task in executor.tasks.items()
    ]


def _updates(a: Any) -> list[tuple[str, object]]:
    """Which updates are to be stored under which number; the one before the first was acknowledged."""
    found: list[tuple[str, object]] = []
    for (framework_id, task_id), stream in a.streams.items():
        if a.frameworks[framework_id].info.checkpoint and not a.frameworks[framework_id].terminating:
            uuids = [None, *(update.status.uuid for update in stream.updates)]
            pairs = enumerate(uuids, start=stream.first - 1)
            found += [(f"update/{framework_id}/{task_id}/{number:06}", uuid) for number, uuid in pairs]
    return found
