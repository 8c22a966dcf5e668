"""What is said is stored: agents about checkpointed tasks, registrars about operations (core.md AG-1, TK-9, EL-38)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesolite.actors.decisions.contract import Send
from mesolite.actors.decisions.rules.registry import changes_of
from mesolite.messages import OperationApplied, StatusUpdate, StatusUpdateAcknowledgement

if TYPE_CHECKING:
    from tests.seeds.checkers import Watch

STORED = "(k) an agent says nothing of a checkpointed task that it has not stored"
REGISTERED = "(n) an operation is confirmed when the registry holds it, and not before"


class Storage:
    """Compares what is said with what is stored at that moment."""

    def __init__(self, watch: Watch) -> None:
        """Start with nothing acknowledged."""
        self.watch = watch
        self._acknowledged: dict[str, None] = {}

    def agent(self, now: float, name: str, event: Any, effects: Any) -> None:
        """(k) Look at every update that an agent sends."""
        seat = self.watch.sim.runtime.directory.find(name)
        if seat is None:
            return  # a record of what was lost on its way there
        core: Any = seat.actor.performer.core
        if type(event) is StatusUpdateAcknowledgement:
            self._acknowledged[event.uuid] = None
        for effect in effects:
            if type(effect) is Send and type(effect.message) is StatusUpdate:
                framework = core.state.frameworks.get(effect.message.framework_id)
                if framework is not None and framework.info.checkpoint and not framework.terminating:
                    self._check_stored(name, effect.message)

    def _check_stored(self, name: str, update: StatusUpdate) -> None:
        status = update.status
        if status.uuid in self._acknowledged:
            return  # repeated, while the acknowledgement was on its way
        stored = self.watch.sim.runtime.store.load(name, 0).values()
        if not any(isinstance(record, StatusUpdate) and record.status.uuid == status.uuid for record in stored):
            self.watch.violated(STORED, f"{name} says {status.state} of {status.task_id}", status.task_id, name)

    def registrar(self, now: float, name: str, event: Any, effects: Any) -> None:
        """(n) Look at every operation that a registrar confirms, unless somebody of a later term owns the registry."""
        confirmed = [effect.message for effect in effects if type(effect) is Send]
        applied = [message.operation for message in confirmed if type(message) is OperationApplied]
        seat, store = self.watch.sim.runtime.directory.find(name), self.watch.sim.runtime.store
        core: Any = seat.actor.performer.core if seat is not None else None
        if not applied or core is None or store.term("registry") != core.term:
            return
        stored = store.load("registry", store.term("registry"))
        expected = {key: record for operation in applied for key, record in changes_of(operation)}
        missing = [key for key, record in expected.items() if stored.get(key) != record]
        if missing:
            self.watch.violated(REGISTERED, f"{name} confirms {missing}, which the store has otherwise", name)
