"""Who leads: this master contends, reads the registry when it is elected, leads, and ends when it is deposed.

    CONTENDING --elected--> RECOVERING --registry read--> LEADING
         +-----------------------+---------------------------+----> ENDED: deposed, refused, without its registrar

A leader never steps down within one process (core.md EL-32); its successor recovers what it has left in the registry.
"""

from __future__ import annotations

from mesolite.actors.decisions.contract import Exit, Link, Started
from mesolite.actors.decisions.detector import Step
from mesolite.actors.decisions.master.membership.table import MemberState
from mesolite.actors.decisions.master.state import Leadership, MasterState
from mesolite.actors.decisions.master.timers import RecoveryTimeout
from mesolite.messages.facts import MasterStatus
from mesolite.messages.ids import ActorName
from mesolite.messages.infos import MasterInfo
from mesolite.messages.registrar import RecoverRegistry, RegistryRecovered


def start(m: MasterState, event: Started, now: float) -> None:
    """Contend from the first moment on, bound to the registrar as if both were one process."""
    m.name, m.started_at = event.name, now
    m.effects.append(Link(m.registrar))
    follow(m, m.detector.start(now), now)


def follow(m: MasterState, step: Step, now: float) -> None:
    """The elector has spoken, or has been silent for too long."""
    m.effects.extend(step.effects)
    leads = m.leadership in (Leadership.RECOVERING, Leadership.LEADING)
    if step.candidacy_lost:
        if leads:
            end(m, "lost its candidacy while leading")  # EL-30
            return
        m.effects.extend(m.detector.contend(now).effects)
    if not step.detected:
        return
    leader = m.detector.leader
    mine = leader is not None and leader.name == m.name and leader.term == m.detector.candidacy
    if mine and not leads:
        assert leader is not None
        _elected(m, leader)
    elif leads and not mine:
        end(m, "was deposed")  # EL-32


def _elected(m: MasterState, leader: MasterInfo) -> None:
    """Leading begins with reading the registry, which fences whoever led before (EL-36, EL-37)."""
    m.become(Leadership.RECOVERING)
    m.info = leader
    m.send(m.registrar, RecoverRegistry(term=leader.term))


def recovered(m: MasterState, event: RegistryRecovered, sender: str, now: float) -> None:
    """The registry is read: what it says holds, and everybody who has to know of it takes it over (EL-40)."""
    if sender != m.registrar or m.leadership is not Leadership.RECOVERING:
        return
    registry = event.registry
    for admitted in registry.admitted:
        assert admitted.agent.id is not None
        m.membership.move(admitted.agent.id, MemberState.RECOVERED, info=admitted.agent)
    # Oldest first, as a master that was there has them: what grows too old or too many goes from the front.
    for lost in sorted(registry.unreachable, key=lambda record: record.unreachable_time):
        m.membership.move(lost.agent_id, MemberState.UNREACHABLE, lost.unreachable_time)
    for left in sorted(registry.gone, key=lambda record: record.gone_time):
        m.membership.move(left.agent_id, MemberState.GONE, left.gone_time)
    m.subscribers.registry_recovered(m, registry, now)
    m.become(Leadership.LEADING)
    m.leading_since = now
    m.publish(MasterStatus(name=ActorName(m.name), leading=True, term=m.term))
    if m.recovered:
        m.set_timer(RecoveryTimeout(), m.settings.agent_reregister_timeout_s)  # EL-40


def end(m: MasterState, reason: str) -> None:
    """This master ends; a new life of it begins anew."""
    if m.leading:
        m.publish(MasterStatus(name=ActorName(m.name), term=m.term))
    m.become(Leadership.ENDED)
    m.effects.append(Exit(reason, 1))
