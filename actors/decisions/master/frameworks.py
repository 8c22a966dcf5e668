"""Frameworks: subscribe, fail over, disconnect, leave (core.md section 3)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.master import tasks, watching
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.offers import inverse_offers, offers
from mesolite.actors.decisions.master.records import FrameworkRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import FailoverTimeout
from mesolite.actors.decisions.rules.validation import framework_error
from mesolite.messages.agent import ShutdownFramework, UpdateFramework
from mesolite.messages.checking import evolve
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import FrameworkId
from mesolite.messages.operator import TeardownFrameworkCall
from mesolite.messages.scheduler import (
    DeactivateFramework,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    Subscribe,
    Teardown,
)


def subscribe(m: MasterState, message: Subscribe, sender: str, now: float) -> None:
    """A scheduler wants to be one: refuse what is invalid, then decide who it is (FW-2 to FW-24)."""
    info = message.framework_info
    if info.id == "":
        info = evolve(info, id=None)  # no id, as on Mesos's wire (FW-10)
    why_not = framework_error(info)
    if not why_not and info.id in m.completed_frameworks:
        why_not = f"framework {info.id} has been removed; subscribe without an id to start a new one"  # FW-11
    if why_not:
        m.send(sender, FrameworkError(message=why_not))
        return
    owned = m.framework_of_pid.get(sender)
    if info.id is None:
        if owned is not None:
            _answer_again(m, m.frameworks[owned], now)
        else:
            _subscribe_new(m, message, sender, now)
        return
    if owned is not None and owned != info.id:
        return  # an error would reach that other framework (FW-15)
    framework = m.frameworks.get(info.id)
    if framework is None:
        framework = _add_recovered(m, info, now)  # whoever invented the id (FW-16)
    elif framework.info.principal != info.principal:
        m.send(sender, FrameworkError(message=_principal_changed(framework.info, info)))  # FW-24
        return
    elif framework.pid not in (None, sender) and not message.force:
        m.send(sender, FrameworkError(message=f"framework {info.id} failed over to another scheduler"))  # FW-17
        return
    _subscribe_known(m, framework, message, sender, now)


def _principal_changed(old: FrameworkInfo, new: FrameworkInfo) -> str:
    return (
        f"framework {new.id} subscribed with the principal {old.principal!r}, and keeps it for life; "
        f"subscribe with that one, not with {new.principal!r}"
    )


def _subscribe_new(m: MasterState, message: Subscribe, sender: str, now: float) -> None:
    framework_id = FrameworkId(m.id_for("F", m.next_framework))
    m.next_framework += 1
    framework = FrameworkRecord(
        id=framework_id, info=evolve(message.framework_info, id=framework_id), pid=sender, registered_at=now
    )
    m.frameworks[framework_id] = framework
    watching.framework_added(m, framework)
    m.framework_of_pid[sender] = framework_id
    m.effects.append(Link(sender))
    m.allocator.add_framework(framework_id, framework.info.role, now, suppressed=message.suppressed)
    _answer(m, framework, "registered")


def _subscribe_known(m: MasterState, framework: FrameworkRecord, message: Subscribe, sender: str, now: float) -> None:
    old, force = framework.pid, message.force
    was_recovered, reconnects = framework.recovered, old == sender and not force
    if old is not None and old != sender and framework.connected:
        m.send(old, FrameworkError(message=f"framework {framework.id} failed over to another scheduler"))  # FW-18
    if reconnects:
        offers.rescind_all(m, framework.offers, now)  # FW-19
        inverse_offers.rescind_all(m, framework.inverse_offers)
    else:
        for offer_id in list(framework.offers):
            offers.withdraw(m, m.offers[offer_id], now)  # discarded without a word (FW-18)
        inverse_offers.discard_all(m, framework.inverse_offers)
    if old is not None:
        m.framework_of_pid.pop(old, None)
    # User and checkpoint keep their old value for a framework's life (FW-24).
    info = evolve(message.framework_info, user=framework.info.user, checkpoint=framework.info.checkpoint)
    framework.info, framework.pid = info, sender
    framework.connected = framework.active = True
    framework.registered_at, framework.reregistered_at = framework.registered_at or now, now
    m.framework_of_pid[sender] = framework.id
    watching.framework_updated(m, framework)
    m.cancel_timer(FailoverTimeout(framework.id))
    m.effects.append(Link(sender))
    m.allocator.activate_framework(framework.id, info.role, now, suppressed=message.suppressed)
    machines.ask_again(m, framework, now)
    _answer(m, framework, "reregistered" if reconnects and not was_recovered else "registered")
    m.subscribers.framework_registered(m, framework, now)
    for agent in m.agents.values():
        m.send(agent.pid, UpdateFramework(framework_info=info, scheduler=sender))  # FW-22


def _answer(m: MasterState, framework: FrameworkRecord, how: str) -> None:
    assert m.info is not None
    assert framework.pid is not None
    kind = FrameworkReregistered if how == "reregistered" else FrameworkRegistered
    m.send(framework.pid, kind(framework_id=framework.id, master=m.info))


def _answer_again(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    """It repeats itself, as the answer was lost or has crossed the repeat (FW-2). If it was lost, no inverse offer has
    been heard, so it is asked anew; offers it gives back itself while it does not know that it is registered.
    """
    inverse_offers.rescind_all(m, framework.inverse_offers)
    machines.ask_again(m, framework, now)
    _answer(m, framework, "registered")


def _add_recovered(m: MasterState, info: FrameworkInfo, now: float) -> FrameworkRecord:
    assert info.id is not None
    framework = FrameworkRecord(id=info.id, info=info, pid=None, connected=False, active=False)
    m.frameworks[info.id] = framework
    watching.framework_added(m, framework)
    m.allocator.add_framework(info.id, info.role, now)
    m.allocator.deactivate_framework(info.id)
    return framework


def ensure_recovered(m: MasterState, info: FrameworkInfo, now: float) -> FrameworkRecord | None:
    """The framework an agent reports: known, or recovered now (EL-44); None if it was completed (RC-22)."""
    assert info.id is not None
    if info.id in m.completed_frameworks:
        return None
    return m.frameworks.get(info.id) or _add_recovered(m, info, now)


def disconnected(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    """Its scheduler is gone: take back its offers and give it time to come back (FW-28, FW-30)."""
    assert framework.pid is not None
    # In case it is alive and only its link broke.
    m.send(framework.pid, FrameworkError(message=f"framework {framework.id} disconnected; start a new driver"))
    framework.connected = False
    framework.unregistered_at = now
    _deactivate(m, framework, now)
    m.set_timer(FailoverTimeout(framework.id), framework.info.failover_timeout_s)


def link_broke(m: MasterState, name: str, now: float) -> None:
    """Something was lost between a driver and us. It subscribes again by itself, if it has noticed; perhaps it has not,
    and its answers to offers were lost: nobody else could have them.
    """
    framework_id = m.framework_of_pid.get(name)
    if framework_id is not None and m.frameworks[framework_id].connected:
        offers.rescind_all(m, m.frameworks[framework_id].offers, now)


def _deactivate(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    framework.active = False
    m.allocator.deactivate_framework(framework.id)
    m.inverse_offer_queue.forget_framework(framework.id, now)  # drain.md 5.7.6
    offers.rescind_all(m, framework.offers, now)
    inverse_offers.rescind_all(m, framework.inverse_offers)


def failover_timed_out(m: MasterState, key: FailoverTimeout, sender: str, now: float) -> None:
    """Nobody came for the framework (FW-29). The timer goes when somebody comes, so it is never an old one."""
    framework = m.frameworks[key.framework_id]
    assert not framework.connected, framework
    remove(m, framework, now)


def deactivate(m: MasterState, message: DeactivateFramework, sender: str, now: float) -> None:
    """Its driver aborted: no more offers, tasks go on (FW-35)."""
    framework = m.caller(message.framework_id, sender)
    if framework is not None:
        _deactivate(m, framework, now)


def teardown(m: MasterState, message: Teardown, sender: str, now: float) -> None:
    """Its scheduler ends it (FW-36)."""
    framework = m.caller(message.framework_id, sender)
    if framework is not None:
        remove(m, framework, now)


def end(m: MasterState, message: TeardownFrameworkCall, sender: str, now: float) -> None:
    """An operator ends it, whether or not its scheduler is there (FW-36); asked for again, that is done already."""
    framework_id = message.framework_id
    framework = m.frameworks.get(framework_id)
    if framework is not None:
        # Ours: in Mesos its driver would wait for offers for ever.
        m.send_to_framework(framework, FrameworkError(message=f"framework {framework_id} was ended by an operator"))
        remove(m, framework, now)
    elif framework_id not in m.completed_frameworks:
        why_not = f"there is no framework {framework_id!r}; the state lists the frameworks by id"
        m.answer(sender, message.call_id, 400, why_not)  # SEC-42
        return
    m.answer(sender, message.call_id)


def remove(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    """End a framework: its tasks are recorded as killed, nobody is told of each (FW-36)."""
    framework.connected = framework.active = False
    framework.unregistered_at = now
    m.cancel_timer(FailoverTimeout(framework.id))
    m.allocator.deactivate_framework(framework.id)
    for offer_id in list(framework.offers):
        offers.withdraw(m, m.offers[offer_id], now)
    m.inverse_offer_queue.forget_framework(framework.id, now)
    inverse_offers.discard_all(m, framework.inverse_offers)
    for agent in m.agents.values():
        m.send(agent.pid, ShutdownFramework(framework_id=framework.id))
        for key in [key for key in agent.executors if key[0] == framework.id]:
            agent.executor_infos.pop(key, None)
            m.recover(framework.id, framework.info.role, agent.id, agent.executors.pop(key), now)
    for task in framework.tasks.values():
        tasks.detach(m.agents[task.agent_id], task)
    for task in (*framework.tasks.values(), *framework.unreachable_tasks.values()):
        tasks.end_with_framework(m, task, now)
        tasks.remember(m, framework.completed_tasks, task.task_id, task)
    framework.tasks.clear()
    framework.unreachable_tasks.clear()
    m.allocator.remove_framework(framework.id)
    if framework.pid is not None:
        m.framework_of_pid.pop(framework.pid, None)
    del m.frameworks[framework.id]
    m.completed_frameworks[framework.id] = framework
    watching.framework_removed(m, framework)
    while len(m.completed_frameworks) > m.settings.completed_frameworks_max:
        del m.completed_frameworks[next(iter(m.completed_frameworks))]
    m.subscribers.framework_removed(m, framework.id, now)
