"""What an accept may ask for with the resources of its offers: one kind of operation, one entry (core.md OF-60).

Operations are applied one after the other, each against what the former ones have left. What a kind needs is written
beside it, as for launches in launches.py; that it is one of these is checked before anything is decided (admission.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from mesolite.actors.decisions.master.offers import launches
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.offers import Launch, OfferOperation
from mesolite.messages.resources import Resources


@frozen
class Kind:
    """How a kind of operation is applied, returning what is left, and what is said of it if its offers are none."""

    apply: Callable[[MasterState, FrameworkRecord, AgentRecord, Any, Resources, float], Resources]
    drop: Callable[[MasterState, FrameworkRecord, Any, str, float], None]


KINDS: Mapping[type, Kind] = {
    Launch: Kind(launches.launch, launches.drop),
}


def apply(
    m: MasterState,
    framework: FrameworkRecord,
    agent: AgentRecord,
    operation: OfferOperation,
    balance: Resources,
    now: float,
) -> Resources:
    """Carry out what of it is valid; return what is left of the balance."""
    return KINDS[type(operation)].apply(m, framework, agent, operation, balance, now)


def drop(m: MasterState, framework: FrameworkRecord, operation: OfferOperation, why: str, now: float) -> None:
    """Say that it was not carried out (OF-56)."""
    KINDS[type(operation)].drop(m, framework, operation, why, now)
