"""The registry: what is confirmed is stored, what is stored is recovered, and leaders believe what is stored.

The store is looked at, not the registrar's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolite.actors.decisions.contract import Save
from mesolite.actors.decisions.rules.registry import changes_of, registry_of
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, afterwards, does, hears, says
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import Operation, OperationApplied, PruneAgents, RecoverRegistry, RegistryRecovered

OWNER = "registry"
"""Whose records they are in the store."""


class ConfirmedIsStored(Checker):
    """An answer of the registrar means that it is durable (drain.md 0.2.4), and that no later leader missed it."""

    name = "confirmed_is_stored"
    statement = "An operation is confirmed when the registry holds it, not before; a deposed leader changes nothing."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with nothing read."""
        self._read: list[tuple[int, Mapping[str, Any]]] = []

    @says(ActorRole.REGISTRAR, RegistryRecovered)
    def recovered(self, record: Record, core: Any, message: RegistryRecovered, to: str) -> None:
        """What a leader has read is what there was, whatever older ones are told later."""
        store = self.watch.sim.runtime.store
        if store.term(OWNER) == core.term:
            self._read = [*self._read[-3:], (core.term, store.load(OWNER, core.term))]

    @says(ActorRole.REGISTRAR, OperationApplied)
    def confirmed(self, record: Record, core: Any, message: OperationApplied, to: str) -> None:
        """An operation is said to be durable; the last of a batch that is about a record counts."""
        batch = [each.message.operation for each in record.effects if _confirms(each)]
        if message.operation is not batch[0]:
            return
        store = self.watch.sim.runtime.store
        expected = {key: value for operation in batch for key, value in changes_of(operation)}
        if store.term(OWNER) == core.term:
            stored = store.look(OWNER, expected)
        else:
            later = [records for term, records in self._read if term > core.term]
            if not later:
                return  # whoever has claimed it has not been told yet
            stored = later[0]
        wrong = [key for key, value in expected.items() if stored.get(key) != value]
        if wrong:
            self.violated(f"{record.actor} confirms {wrong}, which the store has otherwise", record.actor)


def _confirms(effect: Any) -> bool:
    return isinstance(getattr(effect, "message", None), OperationApplied)


class RecoveredIsApplied(Checker):
    """A new leader begins where the old one was (core.md EL-36)."""

    name = "recovered_is_applied"
    statement = "What a new leader reads is what was confirmed to those before it, and perhaps what was being written."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with an empty registry."""
        self._records: dict[str, Any] = {}
        self._term = 0
        self._writing: tuple[tuple[str, Any], ...] = ()
        self._knows = True

    def catch_up(self) -> None:
        """Nobody knows what was confirmed before: the next leader may read anything."""
        self._knows = False

    @does(ActorRole.REGISTRAR, Save)
    def writes(self, record: Record, core: Any, effect: Save) -> None:
        """Something is being written, in the order in which it was asked for."""
        expected: dict[str, Any] = {}
        for write in core.saving:
            expected.update(changes_of(write.operation))
        if dict(effect.changes) != expected:
            self.violated(f"{record.actor} writes {effect.changes} for {core.saving}", record.actor)
        if core.term == self._term:
            self._writing = effect.changes

    @says(ActorRole.REGISTRAR, OperationApplied)
    def confirmed(self, record: Record, core: Any, message: OperationApplied, to: str) -> None:
        """Something is written."""
        if core.term != self._term:
            return
        self._apply(changes_of(message.operation))
        self._writing = core.saving and self._writing

    def _apply(self, changes: Any) -> None:
        for key, value in changes:
            if value is None:
                self._records.pop(key, None)
            else:
                self._records[key] = value

    @says(ActorRole.REGISTRAR, RegistryRecovered)
    def recovered(self, record: Record, core: Any, message: RegistryRecovered, to: str) -> None:
        """A leader has read what there is."""
        if core.term <= self._term:
            return
        known = registry_of(self._records)
        if self._knows and message.registry != known:
            self._apply(self._writing)
            if message.registry != registry_of(self._records):
                text = f"{record.actor} reads {message.registry}, and {known} was confirmed"
                self.violated(text, record.actor)
        store = self.watch.sim.runtime.store
        if store.term(OWNER) == core.term:
            self._records = dict(store.load(OWNER, core.term))
            self._term, self._writing, self._knows = core.term, (), True


class LeadersBelieveTheStore(Checker):
    """Registry first (drain.md 0.2.4): nothing is so before it is stored, and what is stored is so."""

    name = "leaders_believe_the_store"
    statement = "A leader counts those agents as admitted, unreachable, gone and deactivated that the registry does."

    @afterwards(ActorRole.MASTER)
    def handled(self, record: Record, core: Any) -> None:
        """The leader has decided something: compare how many, and if that differs, or it was told something, whom."""
        m, decided = core.state, self.watch.decided
        if not m.leading or m.info.term != decided.term:
            return
        known, admitted = len(m.agents) + len(m.recovered), decided.admitted
        told = _about(record.event.operation) if type(record.event) is OperationApplied else ()
        as_many = len(m.unreachable) == len(decided.unreachable) and len(m.gone) == len(decided.gone)
        if as_many and len(m.deactivated) == len(decided.deactivated) and known <= len(admitted) and not told:
            return  # as nearly always
        for what, believed, stored in (
            ("unreachable", m.unreachable, decided.unreachable),
            ("gone", m.gone, decided.gone),
            ("deactivated", m.deactivated, decided.deactivated),
        ):
            if len(believed) != len(stored) or any((each in believed) != (each in stored) for each in told):
                text = f"{record.actor} holds {list(believed)} to be {what}, and {list(stored)} is stored"
                self.violated(text, record.actor)
        # One that is written as admitted may have gone again before it was taken in.
        too_early = [each for each in told if each in m.agents and each not in admitted]
        if too_early or known > len(admitted):
            text = f"{record.actor} has {[*m.agents, *m.recovered]}, and {list(admitted)} is admitted"
            self.violated(text, record.actor)


def _about(operation: Operation) -> tuple[AgentId, ...]:
    """The agents that an operation is about."""
    if isinstance(operation, PruneAgents):
        return (*operation.unreachable, *operation.gone)
    drain, agent = getattr(operation, "drain", None), getattr(operation, "agent", None)
    of = (getattr(operation, "agent_id", None), getattr(drain, "agent_id", None), getattr(agent, "id", None))
    return tuple(agent_id for agent_id in of if agent_id is not None)


class RegistryIsAskedInOrder(Checker):
    """Batches keep the order of what was asked for (core.md EL-38)."""

    name = "registry_keeps_the_order"
    statement = "A registrar confirms what its master asked for, each once, in the order in which it was asked."
    assumes = frozenset(Assumption)

    def __init__(self) -> None:
        """Start with nothing asked for."""
        self._asked: dict[Any, list[Operation]] = {}

    def catch_up(self) -> None:
        """Believe registrars what they were asked for."""
        for _, core in self.watch.reader.all_of(ActorRole.REGISTRAR):
            self._asked[core] = [*core.saving, *core.waiting]

    @hears(ActorRole.REGISTRAR, RecoverRegistry)
    def claimed(self, record: Record, core: Any) -> None:
        """It begins anew."""
        self._asked.pop(core, None)

    @afterwards(ActorRole.REGISTRAR)
    def handled(self, record: Record, core: Any) -> None:
        """Something was asked for, or confirmed."""
        operation = getattr(record.event, "operation", None)
        asked = self._asked.setdefault(core, [])
        if operation is not None and record.sender == core.master and core.refusal is None:
            asked.append(operation)
        for confirmed in [each.message.operation for each in record.effects if _confirms(each)]:
            if not asked or asked.pop(0) != confirmed:
                self.violated(f"{record.actor} confirms {confirmed} out of turn", record.actor)
