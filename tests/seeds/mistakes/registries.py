"""Mistakes about what is stored, confirmed and recovered, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.decisions.master import leadership
from mesolite.actors.decisions.master.core import LEADER_DECISIONS
from mesolite.actors.decisions.master.drain import deactivation, decisions
from mesolite.actors.decisions.master.maintenance import schedules
from mesolite.actors.decisions.master.state import MasterState, in_order
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.runtime.store import MemoryStore
from mesolite.messages import DeactivateAgentCall, OperationApplied
from tests.seeds.mistakes.mistake import Mistake, nothing, subscribed


def _confirm_before_storing(patch: pytest.MonkeyPatch) -> None:
    once = RegistrarCore._save_waiting  # noqa: SLF001

    def save(registrar: Any) -> None:
        for write in registrar.waiting if registrar.recovered and not registrar.saving else ():
            registrar.send(registrar.master, OperationApplied(operation=write.operation, write_id=write.write_id))
        once(registrar)

    patch.setattr(RegistrarCore, "_save_waiting", save)


def _write_backwards(patch: pytest.MonkeyPatch) -> None:
    once = RegistrarCore._save_waiting  # noqa: SLF001

    def save(registrar: Any) -> None:
        if not registrar.saving:
            registrar.waiting.reverse()
        once(registrar)

    patch.setattr(RegistrarCore, "_save_waiting", save)


def _fence_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryStore, "_check", nothing)


def _answer_before_storing(patch: pytest.MonkeyPatch) -> None:
    def write_for(m: MasterState, operation: Any, sender: str, call_id: int, made: str = "") -> None:
        m.answer(sender, call_id, made=made)
        m.write(operation)

    patch.setattr(MasterState, "write_for", write_for)


def _apply_before_storing(patch: pytest.MonkeyPatch) -> None:
    once = deactivation.deactivate

    def deactivate(m: MasterState, message: DeactivateAgentCall, sender: str, now: float) -> None:
        once(m, message, sender, now)
        if message.agent_id in m.agents:
            m.deactivated.setdefault(message.agent_id, None)

    patch.setitem(LEADER_DECISIONS, DeactivateAgentCall, deactivate)


def _recover_no_decisions(patch: pytest.MonkeyPatch) -> None:
    once = leadership.recovered

    def recovered(m: MasterState, event: Any, sender: str, now: float) -> None:
        once(m, event, sender, now)
        m.deactivated = {}

    patch.setattr(leadership, "recovered", recovered)


def _recover_no_reclaims(patch: pytest.MonkeyPatch) -> None:
    subscribed(patch, registry_recovered=in_order(decisions.recovered, schedules.recovered))


def _store_no_drains(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.write

    def write(m: MasterState, operation: Any, call: Any = None) -> None:
        if type(operation).__name__ != "EndDrain":
            once(m, operation, call)

    patch.setattr(MasterState, "write", write)


def _confirm_in_any_order(patch: pytest.MonkeyPatch) -> None:
    once = RegistrarCore._saved  # noqa: SLF001

    def saved(registrar: Any, event: Any, sender: str, now: float) -> None:
        registrar.saving = registrar.saving[::-1]
        once(registrar, event, sender, now)

    patch.setattr(RegistrarCore, "_saved", saved)
    patch.setattr(RegistrarCore, "HANDLERS", {**RegistrarCore.HANDLERS, _saved_event(): saved})


def _saved_event() -> type:
    return next(kind for kind in RegistrarCore.HANDLERS if kind.__name__ == "Saved")


MISTAKES = [
    Mistake("the registrar confirms what is not stored", ("confirmed_is_stored",), _confirm_before_storing),
    Mistake(
        "batches are written backwards",
        ("registry_keeps_the_order", "recovered_is_applied"),
        _write_backwards,
    ),
    Mistake(
        "batches are confirmed backwards",
        ("registry_keeps_the_order", "recovered_is_applied"),
        _confirm_in_any_order,
    ),
    Mistake(
        "a deposed leader may write",
        ("confirmed_is_stored", "recovered_is_applied"),
        _fence_nobody,
    ),
    Mistake("calls are answered before it is stored", ("answered_is_stored",), _answer_before_storing),
    Mistake("an agent is deactivated before it is stored", ("leaders_believe_the_store",), _apply_before_storing),
    Mistake(
        "a new leader forgets what operators decided",
        ("leaders_believe_the_store", "offers_of_available_agents"),
        _recover_no_decisions,
    ),
    Mistake(
        "a new leader forgets reclaims",
        ("withheld_is_not_offered", "reclaims_are_in_time"),
        _recover_no_reclaims,
    ),
    Mistake("the end of a drain is not stored", ("drains_end", "everybody_is_registered"), _store_no_drains),
]
