"""The registrar: what reaches the store, when, and what the master is told. Records: rules/test_registry.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Effect,
    Load,
    Loaded,
    Save,
    Saved,
    Send,
    SetTimer,
    StoreRefused,
    TimerFired,
)
from mesolite.actors.decisions.registrar import RegistrarCore, StoreTimeout
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import WriteId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    ApplyOperation,
    GoneAgent,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Operation,
    OperationApplied,
    PruneAgents,
    RecoverRegistry,
    Registry,
    RegistryRecovered,
    RegistryRefused,
    RemoveAgent,
    UnreachableAgent,
)

MASTER = "master-1"


def agent(number: int, hostname: str = "host") -> AgentInfo:
    return AgentInfo(id=f"m1-S{number}", hostname=hostname, resources="cpus:4;mem:4096")


def admit(number: int, hostname: str = "host") -> AdmitAgent:
    return AdmitAgent(agent=agent(number, hostname))


def mark_unreachable(number: int, at: float = 75.0) -> MarkAgentUnreachable:
    return MarkAgentUnreachable(agent_id=f"m1-S{number}", unreachable_time=at)


def mark_reachable(number: int) -> MarkAgentReachable:
    return MarkAgentReachable(agent=agent(number))


def remove(number: int) -> RemoveAgent:
    return RemoveAgent(agent_id=f"m1-S{number}")


def admitted(number: int, hostname: str = "host") -> AdmittedAgent:
    return AdmittedAgent(agent=agent(number, hostname))


def unreachable(number: int, at: float = 75.0) -> UnreachableAgent:
    return UnreachableAgent(agent_id=f"m1-S{number}", unreachable_time=at)


def gone(number: int, at: float = 75.0) -> GoneAgent:
    return GoneAgent(agent_id=f"m1-S{number}", gone_time=at)


def mark_gone(number: int, at: float = 75.0) -> MarkAgentGone:
    return MarkAgentGone(agent_id=f"m1-S{number}", gone_time=at)


W = WriteId("m1-W1")
"""Which write it is makes no difference here; that it comes back is told below."""


def applied(operation: Operation) -> Send:
    return Send(MASTER, OperationApplied(write_id=W, operation=operation))


def handle(core: RegistrarCore, event: object, sender: str, now: float) -> list[Effect]:
    """What the registrar wants done; how long it waits for that is a matter of its own tests."""
    effects = core.handle(event, sender, now)
    return [effect for effect in effects if not isinstance(effect, SetTimer | CancelTimer)]


class Registered:
    """A registrar with a dictionary for a store, which answers at once. `told` is what the master hears."""

    def __init__(self, records: Mapping[str, Any] = {}) -> None:
        self.core = RegistrarCore(MASTER, Settings.mesos())
        self.store: dict[str, Any] = dict(records)
        self.told: list[object] = []

    def hear(self, *messages: object) -> list[object]:
        """Tell the registrar, and return what the master is told for it."""
        self.told = []
        for message in messages:
            self._happen(message, MASTER)
        return self.told

    def apply(self, *operations: Operation) -> list[object]:
        return self.hear(*(ApplyOperation(write_id=W, operation=operation) for operation in operations))

    def recovered_by_another(self) -> Registry:
        """What the next leader learns."""
        successor = Registered(self.store)
        (answer,) = successor.hear(RecoverRegistry(term=self.core.term + 1))
        assert isinstance(answer, RegistryRecovered)
        return answer.registry

    def _happen(self, event: object, sender: str) -> None:
        effects = self.core.handle(event, sender, 0.0)
        self.core.check()
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Send(message=message):
                self.told.append(message)
            case Load():
                self._happen(Loaded(dict(self.store)), "")
            case Save(changes=changes, tag=tag):
                self.store.update(changes)
                self.store = {key: record for key, record in self.store.items() if record is not None}
                self._happen(Saved(tag), "")
            case SetTimer() | CancelTimer():
                pass  # this store answers at once
            case _:
                raise AssertionError(f"a registrar does not want {effect}")


def recovered(term: int = 1) -> RegistrarCore:
    """A registrar whose store is empty and belongs to its master."""
    core = RegistrarCore(MASTER, Settings.mesos())
    core.handle(RecoverRegistry(term=term), MASTER, 0.0)
    core.handle(Loaded({}), "", 0.0)
    return core


def test_recovery_claims_the_store_for_the_term_and_tells_what_is_there() -> None:
    """The claim shuts an older leader out (EL-37); what a new leader learns is in the records (EL-36)."""
    core = RegistrarCore(MASTER, Settings.mesos())

    assert handle(core, RecoverRegistry(term=3), MASTER, 0.0) == [Load(3)]
    records = {"unreachable/m1-S2": unreachable(2), "admitted/m1-S1": admitted(1)}
    assert handle(core, Loaded(records), "", 0.1) == [
        Send(
            MASTER,
            RegistryRecovered(registry=Registry(admitted=(admitted(1),), unreachable=(unreachable(2),))),
        )
    ]


def test_an_operation_is_answered_when_it_is_stored_and_not_before() -> None:
    """Registry first (drain.md 0.2.4)."""
    core = recovered(term=3)

    assert handle(core, ApplyOperation(write_id=W, operation=admit(1)), MASTER, 1.0) == [
        Save((("admitted/m1-S1", admitted(1)),), 3, "save-1")
    ]
    assert handle(core, Saved("save-1"), "", 1.1) == [applied(admit(1))]


def test_what_arrives_during_a_save_goes_into_the_next_one_together() -> None:
    """One store at a time, in order, whatever its size; one answer per operation, in order (EL-38)."""
    core = recovered()

    core.handle(ApplyOperation(write_id=W, operation=admit(1)), MASTER, 1.0)
    # Three more while the first is on its way to the disk.
    assert handle(core, ApplyOperation(write_id=W, operation=admit(2)), MASTER, 1.0) == []
    assert handle(core, ApplyOperation(write_id=W, operation=mark_unreachable(3)), MASTER, 1.0) == []
    assert handle(core, ApplyOperation(write_id=W, operation=remove(4)), MASTER, 1.0) == []
    # The first is done: it is answered, and the three go together.
    assert handle(core, Saved("save-1"), "", 1.1) == [
        applied(admit(1)),
        Save(
            (
                ("admitted/m1-S2", admitted(2)),
                ("admitted/m1-S3", None),
                ("unreachable/m1-S3", unreachable(3)),
                ("admitted/m1-S4", None),
                ("deactivated/m1-S4", None),
            ),
            1,
            "save-2",
        ),
    ]
    assert handle(core, Saved("save-2"), "", 1.2) == [
        applied(admit(2)),
        applied(mark_unreachable(3)),
        applied(remove(4)),
    ]


def test_of_two_operations_on_one_agent_in_one_save_the_later_counts() -> None:
    """The store need not know in which order the changes of one write are meant."""
    core = recovered()
    core.handle(ApplyOperation(write_id=W, operation=admit(9)), MASTER, 1.0)
    core.handle(ApplyOperation(write_id=W, operation=mark_unreachable(1)), MASTER, 1.0)
    core.handle(ApplyOperation(write_id=W, operation=mark_reachable(1)), MASTER, 1.0)

    assert handle(core, Saved("save-1"), "", 1.1)[1:] == [
        Save((("admitted/m1-S1", admitted(1)), ("unreachable/m1-S1", None)), 1, "save-2")
    ]


def test_a_write_costs_the_same_whatever_the_number_of_agents() -> None:
    """An operation writes the records of its own agent, next to ten thousand others."""
    core = RegistrarCore(MASTER, Settings.mesos())
    core.handle(RecoverRegistry(term=1), MASTER, 0.0)
    core.handle(Loaded({f"admitted/m1-S{n}": admitted(n) for n in range(10_000)}), "", 0.0)

    assert handle(core, ApplyOperation(write_id=W, operation=remove(7)), MASTER, 1.0) == [
        Save((("admitted/m1-S7", None), ("deactivated/m1-S7", None)), 1, "save-1")
    ]


def test_nobody_but_the_master_is_heard() -> None:
    """A registrar belongs to one master; the messages of any other are dropped (LP-15)."""
    core = recovered()

    assert handle(core, RecoverRegistry(term=9), "master-2", 1.0) == []
    assert handle(core, ApplyOperation(write_id=W, operation=admit(1)), "master-2", 1.0) == []
    assert core.term == 1


def test_a_refused_claim_is_told_to_the_master() -> None:
    """Somebody with a later term owns the store: this master must not lead (EL-37)."""
    core = RegistrarCore(MASTER, Settings.mesos())
    core.handle(RecoverRegistry(term=1), MASTER, 0.0)

    assert handle(core, StoreRefused("owned by term 2"), "", 0.1) == [
        Send(MASTER, RegistryRefused(reason="owned by term 2"))
    ]
    # The records, should they come after all, are not for this master.
    assert handle(core, Loaded({}), "", 0.2) == []


def test_a_new_claim_starts_anew_and_outdates_what_was_under_way() -> None:
    """The answer to a Save of the claim before is no answer to this one's."""
    core = recovered(term=1)
    core.handle(ApplyOperation(write_id=W, operation=admit(1)), MASTER, 1.0)
    core.handle(ApplyOperation(write_id=W, operation=admit(2)), MASTER, 1.0)

    # One is being stored and one waits. Neither will be answered, and what comes now waits for the records.
    assert handle(core, RecoverRegistry(term=2), MASTER, 2.0) == [Load(2)]
    assert handle(core, ApplyOperation(write_id=W, operation=admit(3)), MASTER, 2.0) == []
    assert handle(core, Loaded({}), "", 2.1) == [
        Send(MASTER, RegistryRecovered(registry=Registry())),
        Save((("admitted/m1-S3", admitted(3)),), 2, "save-2"),
    ]
    assert handle(core, Saved("save-1"), "", 2.2) == []
    assert handle(core, Saved("save-2"), "", 2.3) == [applied(admit(3))]


def test_a_claim_made_twice_is_answered_once() -> None:
    """The store answers both; the master has begun to work after the first."""
    core = RegistrarCore(MASTER, Settings.mesos())
    core.handle(RecoverRegistry(term=1), MASTER, 0.0)
    core.handle(RecoverRegistry(term=1), MASTER, 0.0)

    assert handle(core, Loaded({}), "", 0.1) == [Send(MASTER, RegistryRecovered(registry=Registry()))]
    assert handle(core, Loaded({}), "", 0.1) == []


@pytest.mark.scenario("RegistrarTest.Recover")
def test_operations_fail_before_recovery_and_wait_during_it() -> None:
    """Those that wait are stored in order; the store has been claimed for the new master's term."""
    core = RegistrarCore(MASTER, Settings.mesos())

    # Nobody has recovered: a mistake of the master, and its end.
    assert handle(core, ApplyOperation(write_id=W, operation=admit(1)), MASTER, 0.0) == [
        Send(
            MASTER,
            RegistryRefused(reason="an operation came before the registry was recovered; send RecoverRegistry first"),
        )
    ]
    assert handle(core, RecoverRegistry(term=5), MASTER, 1.0) == [Load(5)]
    operations: list[Operation] = [admit(1), mark_unreachable(1), mark_reachable(1), remove(1)]
    for operation in operations:
        assert handle(core, ApplyOperation(write_id=W, operation=operation), MASTER, 1.0) == []
    # What waits is not in what was recovered.
    assert handle(core, Loaded({}), "", 2.0) == [
        Send(MASTER, RegistryRecovered(registry=Registry())),
        Save((("admitted/m1-S1", None), ("unreachable/m1-S1", None), ("deactivated/m1-S1", None)), 5, "save-1"),
    ]
    assert handle(core, Saved("save-1"), "", 2.1) == [applied(operation) for operation in operations]


@pytest.mark.scenario("RegistrarTest.Abort")
def test_after_one_failed_write_every_operation_fails() -> None:
    """Even though the store works again: the master is told so and exits (drain.md 0.2.6)."""
    core = recovered()

    core.handle(ApplyOperation(write_id=W, operation=admit(1)), MASTER, 1.0)
    core.handle(ApplyOperation(write_id=W, operation=admit(2)), MASTER, 1.0)
    refused = [Send(MASTER, RegistryRefused(reason="disk full"))]
    # The first fails, and takes the one that waits with it.
    assert handle(core, StoreRefused("disk full"), "", 1.1) == refused
    # The master does not know yet.
    assert handle(core, ApplyOperation(write_id=W, operation=admit(3)), MASTER, 1.1) == refused
    # Nothing is done twice.
    assert handle(core, StoreRefused("disk full"), "", 1.2) == []
    assert handle(core, Saved("save-1"), "", 1.2) == []


# --- patience ---


@pytest.mark.scenario("RegistrarTest.FetchTimeout")
def test_a_store_that_is_not_read_in_time_is_as_good_as_none() -> None:
    """After 60 s recovery fails, and every later operation too, even if the records come after all (EL-38)."""
    core = RegistrarCore(MASTER, Settings.mesos())
    assert core.handle(RecoverRegistry(term=1), MASTER, 0.0) == [Load(1), SetTimer(StoreTimeout(), 60.0)]
    assert handle(core, ApplyOperation(write_id=W, operation=admit(1)), MASTER, 0.0) == []

    refused = [Send(MASTER, RegistryRefused(reason="the store has not been read within 60 s"))]
    assert handle(core, TimerFired(StoreTimeout()), "", 60.0) == refused
    assert handle(core, ApplyOperation(write_id=W, operation=admit(2)), MASTER, 60.0) == refused
    assert core.handle(Loaded({}), "", 61.0) == []


@pytest.mark.scenario("RegistrarTest.FetchTimeout")
def test_a_store_that_does_not_take_a_write_in_time_is_as_good_as_none() -> None:
    """The sibling StoreTimeout, after 20 s: what was to be stored and what waits fail, and so does what comes later."""
    core = recovered()
    effects = core.handle(ApplyOperation(write_id=W, operation=admit(1)), MASTER, 1.0)
    assert effects[1:] == [SetTimer(StoreTimeout(), 20.0)]
    assert handle(core, ApplyOperation(write_id=W, operation=admit(2)), MASTER, 1.0) == []

    reason = "the store has not taken what was to be saved within 20 s"
    refused = [Send(MASTER, RegistryRefused(reason=reason))]
    assert handle(core, TimerFired(StoreTimeout()), "", 21.0) == refused
    assert handle(core, ApplyOperation(write_id=W, operation=admit(3)), MASTER, 21.0) == refused
    # It has been stored after all, and nobody is told: the next leader reads it.
    assert core.handle(Saved("save-1"), "", 22.0) == []


def test_patience_ends_with_every_answer_and_begins_with_every_question() -> None:
    """One timer, which runs exactly while the store owes an answer: an idle registrar has none."""
    core = RegistrarCore(MASTER, Settings.mesos())
    armed = [
        [type(effect) for effect in core.handle(event, sender, 0.0) if isinstance(effect, SetTimer | CancelTimer)]
        for event, sender in [
            (RecoverRegistry(term=1), MASTER),
            (Loaded({}), ""),
            (ApplyOperation(write_id=W, operation=admit(1)), MASTER),
            (ApplyOperation(write_id=W, operation=admit(2)), MASTER),
            (Saved("save-1"), ""),
            (Saved("save-2"), ""),
            (ApplyOperation(write_id=W, operation=admit(3)), MASTER),
            (StoreRefused("disk full"), ""),
        ]
    ]

    assert armed == [
        [SetTimer],
        [CancelTimer],
        [SetTimer],
        [],
        [CancelTimer, SetTimer],
        [CancelTimer],
        [SetTimer],
        [CancelTimer],
    ]


# --- what the next leader finds ---


@pytest.mark.scenario("RegistrarTest.Bootstrap")
def test_an_agent_that_nobody_knew_can_be_marked_reachable() -> None:
    """That is how an agent gets into a registry that was lost (drain.md 1.3.7)."""
    registrar = Registered()
    registrar.hear(RecoverRegistry(term=1))

    assert registrar.apply(mark_reachable(1)) == [OperationApplied(write_id=W, operation=mark_reachable(1))]
    assert registrar.recovered_by_another() == Registry(admitted=(admitted(1),))


@pytest.mark.scenario("RegistrarTest.UpdateSlave")
def test_new_facts_about_an_agent_replace_the_old_ones() -> None:
    """There is one entry for each agent, however often the same is said."""
    registrar = Registered({"admitted/m1-S1": admitted(1, "old-name")})
    registrar.hear(RecoverRegistry(term=1))

    for _ in range(2):
        registrar.apply(admit(1, "new-name"))
        assert registrar.recovered_by_another() == Registry(admitted=(admitted(1, "new-name"),))


def test_an_agent_is_on_one_list_at_a_time_through_its_whole_life() -> None:
    """Admitted, twice unreachable and back, and removed outright (drain.md 1.3.7, 1.6.2, 2.3.4)."""
    registrar = Registered()
    registrar.hear(RecoverRegistry(term=1))
    seen = []

    for operation in (
        admit(1),
        mark_unreachable(1, at=75.0),
        mark_reachable(1),
        mark_unreachable(1, at=300.0),
        mark_reachable(1),
        remove(1),
    ):
        registrar.apply(operation)
        seen.append(registrar.recovered_by_another())

    assert seen == [
        Registry(admitted=(admitted(1),)),
        Registry(unreachable=(unreachable(1, at=75.0),)),
        Registry(admitted=(admitted(1),)),
        Registry(unreachable=(unreachable(1, at=300.0),)),
        Registry(admitted=(admitted(1),)),
        Registry(),
    ]


@pytest.mark.scenario("RegistrarTest.Prune")
def test_a_pruned_agent_is_forgotten_and_can_come_again() -> None:
    """Each is pruned from its own list, and admitted like any that nobody knows; twice over (drain.md 1.9.1)."""
    registrar = Registered()
    registrar.hear(RecoverRegistry(term=1))
    ids = [f"m1-S{number}" for number in (1, 2, 3)]

    for _ in range(2):
        registrar.apply(*(mark_reachable(number) for number in (1, 2, 3)))
        registrar.apply(mark_unreachable(1), mark_unreachable(2), mark_gone(3))
        assert registrar.recovered_by_another() == Registry(
            unreachable=(unreachable(1), unreachable(2)), gone=(gone(3),)
        )

        registrar.apply(PruneAgents(unreachable=(ids[0],)))
        assert registrar.recovered_by_another() == Registry(unreachable=(unreachable(2),), gone=(gone(3),))
        registrar.apply(PruneAgents(gone=(ids[2],)))
        registrar.apply(PruneAgents(unreachable=(ids[1],)))
        assert registrar.recovered_by_another() == Registry()


def test_pruning_takes_an_agent_from_no_other_list() -> None:
    """One that has come back meanwhile stays admitted (drain.md 1.9.1)."""
    registrar = Registered()
    registrar.hear(RecoverRegistry(term=1))

    registrar.apply(mark_unreachable(1), mark_reachable(1), PruneAgents(unreachable=("m1-S1",), gone=("m1-S1",)))

    assert registrar.recovered_by_another() == Registry(admitted=(admitted(1),))


def test_a_confirmation_says_which_write_it_is_of() -> None:
    """Two writes may be the same operation; whoever waits for the one must not take the other's confirmation for it."""
    core = recovered()
    first = ApplyOperation(write_id=WriteId("m1-W1"), operation=remove(1))
    second = ApplyOperation(write_id=WriteId("m1-W2"), operation=remove(1))

    core.handle(first, MASTER, 1.0)
    core.handle(second, MASTER, 1.0)
    after_first = core.handle(Saved("save-1"), "", 1.1)
    after_second = core.handle(Saved("save-2"), "", 1.1)

    assert Send(MASTER, OperationApplied(write_id=WriteId("m1-W1"), operation=remove(1))) in after_first
    assert Send(MASTER, OperationApplied(write_id=WriteId("m1-W2"), operation=remove(1))) in after_second
