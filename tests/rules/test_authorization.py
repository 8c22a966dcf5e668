"""Who may do what: the first entry of the list that matches decides (core.md SEC-13 to SEC-18)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.decisions.contract import Send
from mesolite.actors.decisions.master.core import LEADER_DECISIONS, MasterCore
from mesolite.actors.decisions.master.state import Leadership
from mesolite.actors.decisions.rules.authorization import (
    ACTIONS,
    ANY,
    EVERYTHING,
    NONE,
    Acl,
    Entry,
    may,
    refusal,
)
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.base import Message, OperatorCall
from mesolite.messages.checking import evolve
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ActorName, AgentId, FrameworkId, OfferId
from mesolite.messages.infos import MasterInfo
from mesolite.messages.offers import Launch
from mesolite.messages.operator import OPERATOR, CallAnswered, DrainAgentCall, MarkAgentGoneCall, TeardownFrameworkCall
from mesolite.messages.scheduler import AcceptOffers, FrameworkError, FrameworkRegistered, Subscribe

DRAINS = "drain_agents"
ANNA = "anna"


def leader(acl: Acl = EVERYTHING) -> MasterCore:
    """A core that leads, under that list."""
    core = MasterCore(Settings.mesos(), "registrar")
    core.state.info = MasterInfo(name=ActorName("master-1"), term=1)
    core.state.become(Leadership.RECOVERING)
    core.state.become(Leadership.LEADING)
    core.state.acl = acl
    return core


def said(core: MasterCore, message: object, sender: str) -> list[Message]:
    """What the core says to whoever said that to it."""
    effects = core.handle(message, sender, 1.0)
    return [effect.message for effect in effects if isinstance(effect, Send) and effect.to == sender]


def subscribe(info: FrameworkInfo) -> Subscribe:
    return Subscribe(framework_info=info, force=info.id is not None)


def drain(principal: str = "operator") -> DrainAgentCall:
    return DrainAgentCall(call_id=7, agent_id=AgentId("a"), principal=principal)


@pytest.mark.parametrize(
    ("entry", "principal", "target", "allowed"),
    [
        pytest.param(Entry(action=DRAINS, principals=ANY, objects=ANY), "", "", True, id="any-and-nobody"),
        pytest.param(Entry(action=DRAINS, principals=(ANNA,), objects=ANY), ANNA, "a", True, id="named"),
        pytest.param(Entry(action=DRAINS, principals=(ANNA,), objects=ANY), "ben", "a", False, id="not-named"),
        pytest.param(Entry(action=DRAINS, principals=(ANNA,), objects=("a",)), ANNA, "a", True, id="that-object"),
        pytest.param(Entry(action=DRAINS, principals=(ANNA,), objects=("a",)), ANNA, "b", False, id="another-object"),
        pytest.param(Entry(action=DRAINS, principals=NONE, objects=ANY), ANNA, "a", False, id="nobody-may"),
        pytest.param(Entry(action=DRAINS, principals=ANY, objects=NONE), ANNA, "a", False, id="to-nothing"),
    ],
)
def test_an_entry_allows_what_its_principals_and_objects_include(
    entry: Entry, principal: str, target: str, allowed: bool
) -> None:
    """With NONE it matches whoever has a name, and refuses him (SEC-14)."""
    assert may(principal, DRAINS, target, Acl(entries=(entry,), permissive=False)) is allowed


def test_the_first_entry_that_matches_decides() -> None:
    """Those of other actions, and those that do not match, are passed over (SEC-13)."""
    acl = Acl(
        entries=(
            Entry(action="mark_agents_gone", principals=NONE, objects=ANY),
            Entry(action=DRAINS, principals=("ben",), objects=ANY),
            Entry(action=DRAINS, principals=(ANNA,), objects=NONE),
            Entry(action=DRAINS, principals=ANY, objects=ANY),
        ),
        permissive=False,
    )

    assert [may(who, DRAINS, "a", acl) for who in ("ben", ANNA, "carl")] == [True, False, True]


@pytest.mark.parametrize("permissive", [True, False])
def test_what_no_entry_matches_is_allowed_if_the_list_is_permissive(permissive: bool) -> None:
    """And without a list everything is allowed (SEC-13, SEC-15)."""
    assert may(ANNA, DRAINS, "a", Acl(permissive=permissive)) is permissive
    assert may("", DRAINS, "", EVERYTHING)


def test_every_call_of_an_operator_has_an_action() -> None:
    """So a new one cannot be made by everybody because somebody forgot it."""
    calls = {kind for kind in LEADER_DECISIONS if issubclass(kind, OperatorCall)}

    assert calls <= ACTIONS.keys()


def test_what_a_subscribed_framework_says_needs_no_permission() -> None:
    """To accept, decline, kill, acknowledge is not authorised separately (SEC-18)."""
    nothing = Acl(permissive=False)

    assert refusal(AcceptOffers, "driver", "", "", nothing) == ""


@pytest.mark.parametrize("acl", [EVERYTHING, Acl(permissive=False)])
def test_an_operators_call_is_believed_from_the_operators_actor_only(acl: Acl) -> None:
    """Whatever principal it names."""
    (answer,) = said(leader(acl), drain(), "driver-1")

    assert answer == CallAnswered(
        call_id=7,
        code=403,
        refusal="DrainAgentCall is an operator's to make, and driver-1 is none; use cluster.operator",
    )


def test_an_operators_call_that_is_not_permitted_is_answered_with_403() -> None:
    """By the principal that the call names (SEC-41); what another may is carried out."""
    core = leader(Acl(entries=(Entry(action=DRAINS, principals=(ANNA,), objects=ANY),), permissive=False))

    (refused,) = said(core, drain("ben"), OPERATOR)
    (unknown,) = said(core, drain(ANNA), OPERATOR)

    assert refused == CallAnswered(
        call_id=7,
        code=403,
        refusal="the principal 'ben' may not drain_agents: the access control list does not let him",
    )
    assert isinstance(unknown, CallAnswered)
    assert (unknown.code, "no agent 'a'" in unknown.refusal) == (400, True)


def test_the_object_of_a_teardown_is_the_principal_of_the_framework() -> None:
    """Whoever may end one framework may not end all (SEC-16)."""
    core, ids = leader(), []
    for name in (ANNA, "ben"):
        (answer,) = said(core, subscribe(FrameworkInfo(name=name, principal=name)), name)
        assert isinstance(answer, FrameworkRegistered)
        ids.append(answer.framework_id)
    entry = Entry(action="teardown_frameworks", principals=ANY, objects=(ANNA,))
    core.state.acl = Acl(entries=(entry,), permissive=False)

    answers: list[Any] = [
        said(core, TeardownFrameworkCall(call_id=1, framework_id=framework_id), OPERATOR)[-1] for framework_id in ids
    ]

    assert [answer.code for answer in answers] == [200, 403]


def test_a_framework_that_may_not_register_gets_a_framework_error() -> None:
    """The object is its role (SEC-16, SEC-18)."""
    entry = Entry(action="register_frameworks", principals=(ANNA,), objects=("web",))
    core = leader(Acl(entries=(entry,), permissive=False))

    (registered,) = said(core, subscribe(FrameworkInfo(name="one", principal=ANNA, role="web")), "one")
    (refused,) = said(core, subscribe(FrameworkInfo(name="two", principal=ANNA, role="etl")), "two")
    (nobody,) = said(core, subscribe(FrameworkInfo(name="three", role="web")), "three")

    assert isinstance(registered, FrameworkRegistered)
    assert [refused, nobody] == [
        FrameworkError(
            message="the principal 'anna' may not register_frameworks for 'etl': "
            "the access control list does not let him"
        ),
        FrameworkError(
            message="a caller without a principal may not register_frameworks for 'web': "
            "the access control list does not let him"
        ),
    ]


@pytest.mark.parametrize(("first", "then"), [(ANNA, "ben"), ("", ANNA), (ANNA, "")])
def test_a_framework_keeps_its_principal_for_life(first: str, then: str) -> None:
    """A subscription with another, or with none any more, is an error (FW-24)."""
    core = leader()
    info = FrameworkInfo(name="one", principal=first)
    (registered,) = said(core, subscribe(info), "one")
    assert isinstance(registered, FrameworkRegistered)

    later = evolve(info, id=registered.framework_id, principal=then)
    (refused,) = said(core, subscribe(later), "successor")

    assert isinstance(refused, FrameworkError)
    assert f"with the principal {first!r}" in refused.message
    assert core.state.frameworks[registered.framework_id].pid == "one"


def test_an_unknown_operation_ends_the_framework_that_asked_for_it_with_a_sentence() -> None:
    """Nothing of that accept is carried out, and the leader lives on."""
    core = leader()
    (registered,) = said(core, subscribe(FrameworkInfo(name="one")), "one")
    assert isinstance(registered, FrameworkRegistered)
    wanted: Any = (Launch(tasks=()), MarkAgentGoneCall(call_id=1, agent_id=AgentId("a")))
    accept = AcceptOffers(
        framework_id=FrameworkId(registered.framework_id), offer_ids=(OfferId("o"),), operations=wanted
    )

    (refused,) = said(core, accept, "one")

    assert isinstance(refused, FrameworkError)
    assert "AcceptOffers.operations[1] cannot be MarkAgentGoneCall" in refused.message
    assert refused.message.endswith("it must be a Launch")
