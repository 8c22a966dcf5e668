"""What the master must never forget: the pure part of the registrar (drain.md 0.2.4, core.md EL-36 to EL-38).

It serves one master. Operations are stored in batches, in order, one `Save` at a time: what arrives while one
is in flight goes into the next together (EL-38). An operation is answered when it is durable, and not before.

    not recovered --RecoverRegistry--> recovering --Loaded--> recovered
                                           |                      |
                                           +---- StoreRefused ----+--> refused: every operation from then on
                                           +-- no answer in time -+

A store that does not answer in time counts as one that refuses: a leader must not hang in silence (EL-38).

Rule: the store knows the records, the registrar does not; its work does not grow with the number of agents.
Whether an operation makes sense is the master's business.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Core,
    LinkBroken,
    Load,
    Loaded,
    Save,
    Saved,
    SetTimer,
    Started,
    StoreRefused,
    Table,
    TimerKey,
    on,
)
from mesolite.actors.decisions.rules.registry import Record, changes_of, registry_of
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.registrar import (
    ApplyOperation,
    OperationApplied,
    RecoverRegistry,
    RegistryRecovered,
    RegistryRefused,
)

_NOT_RECOVERED = "an operation came before the registry was recovered; send RecoverRegistry first"


@frozen
class StoreTimeout(TimerKey):
    """The store has not answered in time; this runs while it owes an answer."""



class RegistrarCore(Core):
    """Operations on their way to the store, in the order they came: `saving` now, or `waiting` for the next.

    `refusal` is why operations are not taken, None while they are.
    """

    def __init__(self, master: str, settings: Settings) -> None:
        """Serve this master, and nobody else."""
        super().__init__()
        self.master = master
        self.settings = settings
        self.term = 0
        self.recovered = False
        self.refusal: str | None = _NOT_RECOVERED
        self.waiting: list[ApplyOperation] = []
        self.saving: tuple[ApplyOperation, ...] = ()
        self.saves = 0

    def _recover(self, message: RecoverRegistry, sender: str, now: float) -> None:
        """Claim the store for this term: from then on it takes nothing of an older leader (EL-37).

        A new claim starts anew. What an earlier one had under way may be stored or not; nobody will be told.
        """
        if sender != self.master:
            return
        self.term = message.term
        self.recovered = False
        self.refusal = None
        self.waiting = []
        self.saving = ()
        self.effects.append(Load(self.term))
        self.effects.append(SetTimer(StoreTimeout(), self.settings.registry_fetch_timeout_s))

    def _loaded(self, event: Loaded, sender: str, now: float) -> None:
        """The store is ours. What was asked for meanwhile is not in these records; it is stored now."""
        if self.recovered or self.refusal is not None:
            return
        self.recovered = True
        self.effects.append(CancelTimer(StoreTimeout()))
        self.send(self.master, RegistryRecovered(registry=registry_of(event.records)))
        self._save_waiting()

    def _apply(self, message: ApplyOperation, sender: str, now: float) -> None:
        """Queue an operation. Before recovery it is the master's mistake, after a refusal it is too late."""
        if sender != self.master:
            return
        if self.refusal is not None:
            self.send(self.master, RegistryRefused(reason=self.refusal))
            return
        self.waiting.append(message)
        self._save_waiting()

    def _save_waiting(self) -> None:
        """Store all that waits in one write, unless one is in flight."""
        if not self.recovered or self.saving or not self.waiting:
            return
        self.saving, self.waiting = tuple(self.waiting), []
        self.saves += 1
        changes: dict[str, Record | None] = {}
        for write in self.saving:
            # Of two changes to one record the later counts.
            changes.update(changes_of(write.operation))
        self.effects.append(Save(tuple(changes.items()), self.term, self._tag()))
        self.effects.append(SetTimer(StoreTimeout(), self.settings.registry_store_timeout_s))

    def _saved(self, event: Saved, sender: str, now: float) -> None:
        if not self.saving or event.tag != self._tag():
            # It was under way when a new claim was made, or when patience ended.
            return
        self.effects.append(CancelTimer(StoreTimeout()))
        durable, self.saving = self.saving, ()
        for write in durable:
            self.send(self.master, OperationApplied(operation=write.operation, write_id=write.write_id))
        self._save_waiting()

    def _store_refused(self, event: StoreRefused, sender: str, now: float) -> None:
        """Somebody of a later term owns the store, or it failed."""
        self._refuse(event.reason)

    def _not_in_time(self, key: StoreTimeout, sender: str, now: float) -> None:
        """What was asked of the store may be done or not, or may yet be; this master will not learn it (EL-38)."""
        settings = self.settings
        if self.recovered:
            self._refuse(f"the store has not taken what was to be saved within {settings.registry_store_timeout_s:g} s")
        else:
            self._refuse(f"the store has not been read within {settings.registry_fetch_timeout_s:g} s")

    def _refuse(self, reason: str) -> None:
        """Nothing more is taken, even if the store would: the master has to exit (drain.md 0.2.6)."""
        if self.refusal is not None:
            return
        self.refusal = reason
        self.recovered = False
        self.waiting = []
        self.saving = ()
        self.effects.append(CancelTimer(StoreTimeout()))
        self.send(self.master, RegistryRefused(reason=reason))

    def _tag(self) -> str:
        return f"save-{self.saves}"

    def check(self) -> None:
        """Assert that nothing waits without cause, and nothing is under way that nobody may be told of."""
        assert self.recovered or not self.saving, "a Save is in flight before recovery"
        assert self.refusal is None or not (self.recovered or self.waiting), "refused, but operations wait"
        assert self.saving or not (self.recovered and self.waiting), "operations wait for no Save"

    HANDLERS: ClassVar[Table] = dict(
        [
            on(RecoverRegistry, _recover),
            on(ApplyOperation, _apply),
            on(Loaded, _loaded),
            on(Saved, _saved),
            on(StoreRefused, _store_refused),
        ]
    )
    TIMERS: ClassVar[Table] = dict([on(StoreTimeout, _not_in_time)])
    IGNORED = frozenset({Started, LinkBroken})
