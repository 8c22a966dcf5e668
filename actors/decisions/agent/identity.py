"""Who an agent is from one life to the next: its id, and the facts it was admitted with (core.md AG-7, drain.md 4.7.7).

    started --> what it has stored --> same facts, or more where that is allowed: it goes on under its id
                                   |-> others: it ends, and says what has changed
                                   +-> begun anew on purpose: all of it is dropped, a new agent registers
    told that its id is gone --> its executors are shut down --> the id is dropped --> it ends, or registers anew

What is stored under an id that nobody will use again is dropped, so that its machine can join as a new agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mesolite.actors.decisions.agent import checkpoints, registration
from mesolite.actors.decisions.agent.state import AgentState, Phase
from mesolite.actors.decisions.contract import Destroy, Exit, Loaded
from mesolite.actors.decisions.rules.reconfiguration import objections
from mesolite.actors.decisions.settings import ReconfigurationPolicy
from mesolite.messages.infos import AgentInfo


def recovered(a: AgentState, event: Loaded) -> Mapping[str, Any] | None:
    """What it goes on with, of what it has stored; None if it must not go on."""
    if a.begins_anew:
        a.writes.changes.update(dict.fromkeys(sorted(event.records)))
        a.effects.extend(Destroy(actor) for actor in event.alive)
        return {}
    stored = event.records.get("agent")
    if isinstance(stored, AgentInfo):
        a.info = attrs.evolve(a.info, id=stored.id)
        a.publish()
        if changed := objections(a.settings.reconfiguration_policy, stored, a.info):
            a.effects.append(Exit(f"agent {a.id} cannot go on: {_advice(a, changed)}", 1))
            return None
        if a.info != stored:
            checkpoints.agent(a)
    return event.records


def _advice(a: AgentState, changed: list[str]) -> str:
    equal = a.settings.reconfiguration_policy is ReconfigurationPolicy.EQUAL
    grow = ", let it grow with Settings.reconfiguration_policy=ADDITIVE" if equal else ""
    return (
        f"{'; '.join(changed)}; start it as it was{grow}, let it begin as a new agent with restart(anew=True), or give"
        " another work_dir"
    )


def forget(a: AgentState) -> None:
    """Its id is gone for ever: what is stored under it is of no use once nothing of it is left here.

    Ours: in Mesos its operator removes the link to it. One that was admitted in this life ends, as in Mesos. One that
    was just started cannot be meant to be what it was, so it registers as what its machine may join as: a new agent.
    """
    if a.phase is not Phase.TERMINATING or a.frameworks or any(isinstance(effect, Exit) for effect in a.effects):
        return
    checkpoints.drop_agent(a)
    a.id_is_gone = False
    if a.was_admitted:
        a.effects.append(Exit(f"{a.why_it_ends}; with restart() its machine joins as a new agent"))
        return
    a.info = attrs.evolve(a.info, id=None)
    a.become(Phase.DISCONNECTED)
    registration.begin(a)
