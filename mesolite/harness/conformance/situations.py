"""The situations that a scheduler is put into: what each does, and what a right scheduler does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from mesolite.harness.conformance import acts
from mesolite.harness.conformance.stage import Stage


@frozen
class Situation:
    """Something that may happen to a scheduler.

    Attributes:
        name: what it is called in reports.
        does: what is done, in a sentence.
        right: what a right scheduler does.
        act: does it, by default nothing; it may let time pass.
        from_start: whether it begins before the scheduler is run, instead of when most of its tasks run.
        settings: what of the settings is other than in Mesos.
        at_each_step: whether a partition comes besides, in a run of its own for each step of its beginning.
    """

    name: str
    does: str
    right: str
    act: Callable[[Stage], object] = lambda stage: None
    from_start: bool = False
    settings: tuple[tuple[str, Any], ...] = ()
    at_each_step: bool = False

    def __str__(self) -> str:
        """Print its name."""
        return self.name


CALM = Situation("nothing goes wrong", "Nothing: it is seen which jobs there are.", "It answers what it is told.")

SITUATIONS: tuple[Situation, ...] = (
    CALM,
    Situation(
        "registered again",
        "Its connection to the leader breaks, three times.",
        "It takes what runs for running, and launches nothing again.",
        acts.registered_again,
    ),
    Situation(
        "master failover",
        "The leader dies, and another leads.",
        "It asks what is there, and launches nothing again.",
        acts.master_failover,
    ),
    Situation(
        "scheduler failover",
        "It dies; its successor comes ten seconds later with the framework's id.",
        "It knows from its store, or asks, what runs.",
        acts.scheduler_failover,
    ),
    Situation(
        "failover while a machine dies",
        "While it is away a machine with its tasks loses power.",
        "Its successor asks about what its predecessor has launched.",
        acts.failover_while_a_machine_dies,
    ),
    Situation(
        "agent lost for ever",
        "A machine with its tasks loses power, and never returns.",
        "It launches again what ran there.",
        acts.lost_for_ever,
    ),
    Situation(
        "agent lost and back",
        "A machine is cut off until it is given up; then it is back with its tasks.",
        "It ends one of two, whether it has replaced the tasks or not.",
        acts.lost_and_back,
    ),
    Situation(
        "agent restarted",
        "The agent's daemon dies, and starts again.",
        "It leaves alone what runs on.",
        acts.restarted,
    ),
    Situation(
        "agent restarted without its disk",
        "The agent starts again as a new one; its tasks are killed.",
        "It launches them again.",
        acts.without_its_disk,
    ),
    Situation(
        "lost without a word",
        "An agent says goodbye to a leader that dies in the same moment.",
        "It asks about its tasks after each registration, and launches again what nobody knows.",
        acts.without_a_word,
    ),
    Situation(
        "late updates",
        "A machine is lost while every update takes half a minute.",
        "It waits for what it is told.",
        acts.late_updates,
    ),
    Situation(
        "duplicate updates",
        "Every update is said twice, in a drain, and again where its acknowledgement is lost.",
        "It launches one replacement for one end.",
        acts.duplicate_updates,
    ),
    Situation(
        "updates out of order",
        "The news that a task has ended overtakes the news that it runs, in three drains.",
        "It does not take an ended task for alive for ever.",
        acts.out_of_order,
    ),
    Situation(
        "offers rescinded in use",
        "The first offers are rescinded while its answer is on the way.",
        "It launches again with other offers what could not be launched.",
        acts.rescinded_in_use,
        from_start=True,
    ),
    Situation(
        "offers rescinded",
        "Every offer that is out is rescinded; then a machine with its tasks leaves.",
        "It does not use what was rescinded.",
        acts.rescinded,
    ),
    Situation(
        "offers expired",
        "An offer is good for ten seconds, and its first answer takes fifteen.",
        "It launches again with other offers what could not be launched.",
        acts.expired,
        from_start=True,
        settings=(("offer_timeout_s", 10.0),),
    ),
    Situation(
        "inverse offers",
        "All it holds on a machine is asked for, with much time; the wish is withdrawn later.",
        "It answers, and may move.",
        acts.inverse_offers,
    ),
    Situation(
        "drain with grace",
        "A machine is drained; its tasks have the grace that they ask for.",
        "It launches them elsewhere.",
        acts.drain,
    ),
    Situation(
        "drain without grace",
        "A machine is drained; its tasks are killed at once.",
        "It launches them elsewhere.",
        lambda stage: acts.drain(stage, 0.0),
    ),
    Situation(
        "revocation",
        "All it holds on a machine is asked for, and taken five seconds later.",
        "It answers, and launches elsewhere what was taken.",
        acts.revocation,
    ),
    Situation(
        "gone",
        "An operator says that a machine is gone for good.",
        "It launches again what ran there.",
        acts.gone,
    ),
    Situation(
        "maintenance",
        "A machine's maintenance is announced; it is taken down, and up again.",
        "It answers, and launches its tasks elsewhere.",
        acts.maintenance,
    ),
    Situation(
        "partition at each step",
        "At each step of its beginning, or at 120 of them, the leader is cut off from it, or from a machine, "
        "for 100 s.",
        "As above: it asks, and launches again what is lost.",
        at_each_step=True,
    ),
)
"""All of them, in the order in which they are tried."""


def situation_named(name: str) -> Situation:
    """Find one by its name.

    Raises:
        LookupError: there is none.
    """
    for situation in SITUATIONS:
        if situation.name == name:
            return situation
    raise LookupError(f"there is no situation {name!r}; there are {', '.join(map(str, SITUATIONS))}")
