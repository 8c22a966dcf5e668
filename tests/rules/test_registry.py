"""The rules for the registry's records: what each operation writes, and what the records tell a new leader."""

from __future__ import annotations

from typing import Any, get_args

import attrs
import pytest

from mesolite.actors.decisions.rules.registry import changes_of, registry_of
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.ids import AgentId, DrainId, ReclaimId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineId, Maintenance, Unavailability, Window
from mesolite.messages.reclaims import ReclaimInfo, ReclaimState
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    DeactivateAgent,
    DeactivatedAgent,
    EndDrain,
    EndReclaim,
    GoneAgent,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Operation,
    PruneAgents,
    ReactivateAgent,
    Registry,
    RemoveAgent,
    StartDrain,
    StartReclaim,
    UnreachableAgent,
    UpdateMaintenance,
)

A1, A2, A3 = (AgentId(f"m1-S{number}") for number in (1, 2, 3))


def info(agent_id: AgentId) -> AgentInfo:
    return AgentInfo(id=agent_id, hostname="host", resources="cpus:4;mem:4096")


def admitted(agent_id: AgentId) -> AdmittedAgent:
    return AdmittedAgent(agent=info(agent_id))


def unreachable(agent_id: AgentId, at: float = 75.0) -> UnreachableAgent:
    return UnreachableAgent(agent_id=agent_id, unreachable_time=at)


def deactivated(agent_id: AgentId, drain: DrainInfo | None = None) -> DeactivatedAgent:
    return DeactivatedAgent(agent_id=agent_id, drain=drain)


DRAINING = DrainInfo(id=DrainId("m1-D1"), agent_id=A1, state=DrainState.DRAINING, config=DrainConfig(), started_at=5.0)
DRAINED = attrs.evolve(DRAINING, state=DrainState.DRAINED, ended_at=9.0)
LEFT = attrs.evolve(DRAINING, state=DrainState.LEFT, ended_at=9.0)
GONE = attrs.evolve(DRAINING, state=DrainState.GONE, ended_at=9.0)
MAINTENANCE = Maintenance(
    windows=(Window(machines=("host",), unavailability=Unavailability(start=60.0)),), down=(MachineId(hostname="host"),)
)
RECLAIM = ReclaimInfo(id=ReclaimId("m1-R1"), agent_id=A1, asked_at=5.0, deadline=60.0)
RELEASED = attrs.evolve(RECLAIM, state=ReclaimState.RELEASED, ended_at=9.0)

WRITES: dict[str, tuple[Operation, tuple[tuple[str, Any], ...]]] = {
    "admitting writes one record": (AdmitAgent(agent=info(A1)), (("admitted/m1-S1", admitted(A1)),)),
    "removing takes what operators decided with it, and moves it to no other list": (
        RemoveAgent(agent_id=A1),
        (("admitted/m1-S1", None), ("deactivated/m1-S1", None)),
    ),
    "removing ends a drain": (
        RemoveAgent(agent_id=A1, drain=LEFT),
        (("admitted/m1-S1", None), ("deactivated/m1-S1", None), ("drain/m1-D1", LEFT)),
    ),
    "marking unreachable moves it with the time, and leaves what operators decided": (
        MarkAgentUnreachable(agent_id=A1, unreachable_time=75.0),
        (("admitted/m1-S1", None), ("unreachable/m1-S1", unreachable(A1))),
    ),
    "marking reachable moves it back with its facts, and leaves what operators decided": (
        MarkAgentReachable(agent=info(A1)),
        (("unreachable/m1-S1", None), ("admitted/m1-S1", admitted(A1))),
    ),
    "marking gone takes it from wherever it is": (
        MarkAgentGone(agent_id=A1, gone_time=75.0),
        (
            ("admitted/m1-S1", None),
            ("unreachable/m1-S1", None),
            ("deactivated/m1-S1", None),
            ("gone/m1-S1", GoneAgent(agent_id=A1, gone_time=75.0)),
        ),
    ),
    "marking gone ends a drain": (
        MarkAgentGone(agent_id=A1, gone_time=75.0, drain=GONE),
        (
            ("admitted/m1-S1", None),
            ("unreachable/m1-S1", None),
            ("deactivated/m1-S1", None),
            ("gone/m1-S1", GoneAgent(agent_id=A1, gone_time=75.0)),
            ("drain/m1-D1", GONE),
        ),
    ),
    "pruning takes each from its own list, and what operators decided about the unreachable": (
        PruneAgents(unreachable=(A1, A2), gone=(A3,), drains=(LEFT,), forget=(DrainId("m1-D0"),)),
        (
            ("unreachable/m1-S1", None),
            ("deactivated/m1-S1", None),
            ("unreachable/m1-S2", None),
            ("deactivated/m1-S2", None),
            ("gone/m1-S3", None),
            ("drain/m1-D1", LEFT),
            ("drain/m1-D0", None),
        ),
    ),
    "deactivating writes one record": (
        DeactivateAgent(agent_id=A1),
        (("deactivated/m1-S1", deactivated(A1)),),
    ),
    "a drain deactivates": (StartDrain(drain=DRAINING), (("deactivated/m1-S1", deactivated(A1, DRAINING)),)),
    "an ended drain stays with its agent and goes into the history, which forgets": (
        EndDrain(drain=DRAINED, forget=(DrainId("m1-D0"),)),
        (("deactivated/m1-S1", deactivated(A1, DRAINED)), ("drain/m1-D1", DRAINED), ("drain/m1-D0", None)),
    ),
    "reactivating deletes one record": (ReactivateAgent(agent_id=A1), (("deactivated/m1-S1", None),)),
    "maintenance is one record": (UpdateMaintenance(maintenance=MAINTENANCE), (("maintenance", MAINTENANCE),)),
    "a reclaim is a record while it is open": (StartReclaim(reclaim=RECLAIM), (("reclaim/m1-R1", RECLAIM),)),
    "and stays as history, which forgets": (
        EndReclaim(reclaim=RELEASED, forget=(ReclaimId("m1-R0"),)),
        (("reclaim/m1-R1", RELEASED), ("reclaim/m1-R0", None)),
    ),
}


@pytest.mark.parametrize(("operation", "changes"), WRITES.values(), ids=WRITES)
def test_what_an_operation_writes(operation: Operation, changes: tuple[object, ...]) -> None:
    """Each operation touches the records it is about and no others."""
    assert changes_of(operation) == changes


def test_every_operation_is_in_the_table_above() -> None:
    """An operation that writes nothing anybody looked at could lose an agent."""
    assert {type(operation) for operation, _ in WRITES.values()} == set(get_args(Operation))


def test_what_is_written_can_be_read() -> None:
    """Every record that some operation writes is understood by the next leader."""
    for _, changes in WRITES.values():
        registry_of({key: record for key, record in changes if record is not None})


@pytest.mark.parametrize("operation", [EndDrain(drain=DRAINING), RemoveAgent(agent_id=A1, drain=DRAINING)])
def test_a_drain_under_way_is_no_history(operation: Operation) -> None:
    """What is kept for whoever asks later has ended: who writes it has to say how."""
    with pytest.raises(AssertionError, match="a drain under way is no history"):
        changes_of(operation)


def test_an_agent_without_an_id_cannot_be_stored() -> None:
    """The master gives the id before it asks for admission (RC-12)."""
    nameless = AgentInfo(hostname="host-9", resources="cpus:1")

    with pytest.raises(AssertionError, match="the agent on host-9 must be given an id"):
        changes_of(AdmitAgent(agent=nameless))


def test_a_registry_does_not_depend_on_the_order_of_the_records() -> None:
    """Two stores that hold the same tell the same story, each list in the order of its keys."""
    records = [
        ("admitted/m1-S2", admitted(A2)),
        ("unreachable/m1-S3", unreachable(A3)),
        ("reclaim/m1-R1", RECLAIM),
        ("gone/m1-S9", GoneAgent(agent_id=AgentId("m1-S9"), gone_time=1.0)),
        ("gone/m1-S8", GoneAgent(agent_id=AgentId("m1-S8"), gone_time=2.0)),
        ("deactivated/m1-S2", deactivated(A2)),
        ("deactivated/m1-S1", deactivated(A1, DRAINING)),
        ("drain/m1-D1", DRAINED),
        ("maintenance", MAINTENANCE),
        ("admitted/m1-S1", admitted(A1)),
    ]

    assert registry_of(dict(records)) == registry_of(dict(reversed(records)))
    assert registry_of(dict(records)) == Registry(
        admitted=(admitted(A1), admitted(A2)),
        unreachable=(unreachable(A3),),
        gone=(
            GoneAgent(agent_id=AgentId("m1-S8"), gone_time=2.0),
            GoneAgent(agent_id=AgentId("m1-S9"), gone_time=1.0),
        ),
        deactivated=(deactivated(A1, DRAINING), deactivated(A2)),
        past_drains=(DRAINED,),
        maintenance=MAINTENANCE,
        reclaims=(RECLAIM,),
    )


def test_an_empty_store_is_an_empty_registry() -> None:
    """The first leader of all finds nobody, and no machine in any schedule."""
    assert registry_of({}) == Registry(maintenance=Maintenance())


@pytest.mark.parametrize("record", [75.0, "m1-S1", None, info(A1), StartReclaim(reclaim=RECLAIM)])
def test_a_record_that_no_operation_writes_is_an_error(record: object) -> None:
    """A registry that is understood in part only must not be led from."""
    kinds = "AdmittedAgent, UnreachableAgent, GoneAgent, DeactivatedAgent, DrainInfo, Maintenance, ReclaimInfo"

    with pytest.raises(ValueError, match="is none of") as refused:
        registry_of({"gone/m1-S1": record})
    assert str(refused.value) == f"registry record 'gone/m1-S1' is none of {kinds}: {record!r}"
