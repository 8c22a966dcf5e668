"""The registry's lists of absent agents do not grow for ever: events with the exact effects of each (drain.md 1.9)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import Link, SetTimer, TimerFired
from mesolite.actors.decisions.master.timers import Pruning
from mesolite.messages.agent import ReregisterAgent
from mesolite.messages.infos import AgentInfo
from mesolite.messages.operator import OPERATOR, MarkAgentGoneCall
from mesolite.messages.registrar import GoneAgent, MarkAgentReachable, PruneAgents, Registry, UnreachableAgent
from tests.actors.masters import A1, ALL, SETTINGS, leading, refused

BOTH = Registry(
    unreachable=(
        UnreachableAgent(agent_id="m1-S1", unreachable_time=-9.0),
        UnreachableAgent(agent_id="m1-S2", unreachable_time=-8.0),
    ),
    gone=(GoneAgent(agent_id="m1-S3", gone_time=-7.0),),
)
PRUNE = TimerFired(Pruning())
TOO_OLD = PruneAgents(unreachable=("m1-S1", "m1-S2"), gone=("m1-S3",))
ONE_TOO_MANY = PruneAgents(unreachable=("m1-S1",))


def test_agents_that_were_away_for_two_weeks_are_forgotten() -> None:
    """Every quarter of an hour the lists are looked at; that they are forgotten is written first (1.9.1)."""
    master = leading(BOTH)

    # They have not been away for long.
    assert master.fire(PRUNE, 900.0) == [
        SetTimer(Pruning(), 900.0),
    ]
    # Now they have.
    assert master.fire(PRUNE, 1_209_600.0) == [
        master.writes(TOO_OLD),
        SetTimer(Pruning(), 900.0),
    ]
    # An operator gives one of them up meanwhile: it is just leaving.
    assert master.hear(MarkAgentGoneCall(call_id=1, agent_id="m1-S1"), OPERATOR, 1_209_600.5) == [
        refused(1, 503, "agent m1-S1 is just leaving; ask again when that is done"),
    ]
    # It is written: nobody knows them any more, and there is nothing to look at.
    assert master.durable(TOO_OLD, 1_209_601.0) == []
    # Even the one that was marked gone may come again, like any that nobody knows (1.3.7).
    back = AgentInfo(id="m1-S3", hostname="host-3", resources="cpus:4;mem:4096")
    assert master.hear(ReregisterAgent(agent=back), "agent-3", 1_209_602.0) == [
        Link("agent-3"),
        master.writes(MarkAgentReachable(agent=AgentInfo(hostname="host-3", resources=ALL, id="m1-S3"))),
    ]


def test_of_too_many_agents_that_are_away_the_oldest_are_forgotten() -> None:
    """Each list by itself (1.9.1)."""
    master = leading(BOTH, SETTINGS.but(registry_max_agent_count=1))

    assert master.fire(PRUNE, 900.0) == [
        master.writes(ONE_TOO_MANY),
        SetTimer(Pruning(), 900.0),
    ]


def test_an_agent_that_is_coming_back_is_not_forgotten() -> None:
    """Its return is being written (1.9.1)."""
    master = leading(BOTH, SETTINGS.but(registry_max_agent_count=1))
    master.hear(ReregisterAgent(agent=A1), "agent-1", 899.0)

    assert master.fire(PRUNE, 900.0) == [
        SetTimer(Pruning(), 900.0),
    ]
