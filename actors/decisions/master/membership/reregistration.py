"""How known agents come back: re-registration, with everything they hold (drain.md 1.3; core.md RC-17 to RC-29).

ReregisterAgent --registry knows all it has to, or it is written--> compared with what is in memory, or taken into them
                  meanwhile: said again --> the newest report counts, perhaps of another life
                             link broken, nobody said it again --> in memory, but disconnected
                             unregistered --> in memory, and removed at once
"""

from __future__ import annotations

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.master import frameworks, tasks, watching
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.membership import disconnection, gone, joining, removal
from mesolite.actors.decisions.master.membership.table import Change, MemberState, Reregistration
from mesolite.actors.decisions.master.offers import offers
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskKey, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import ReregisterTimeout
from mesolite.messages.agent import (
    ReregisterAgent,
    ShutdownAgent,
    ShutdownFramework,
    UpdateFramework,
)
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo, ExecutorSummary
from mesolite.messages.registrar import AdmitAgent, MarkAgentReachable
from mesolite.messages.relayed import KillTask
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.tasks import Cause, Reason, Source, Task, TaskStatus


def reregister(m: MasterState, message: ReregisterAgent, sender: str, now: float) -> None:
    """An agent with an id is back, with everything it holds (1.3)."""
    agent_id = message.agent.id
    if agent_id is None or m.membership.is_pending(agent_id, Change.MARK_UNREACHABLE, Change.MARK_GONE):
        return  # 1.3.1
    if agent_id in m.gone:
        gone.refuse(m, agent_id, sender)
        return
    if not _is_consistent(message):
        return  # RC-15
    if machines.is_down(m, message.agent):
        m.send(sender, machines.turned_away(message.agent))  # 1.3.3
        return
    if m.membership.is_pending(agent_id, Change.REMOVE):
        return  # ours: Mesos would take it in and delete it a moment later (drain.md 10.6)
    known = m.agents.get(agent_id)
    if known is not None and (machine_of(known.info), known.pid) != (machine_of(message.agent), sender):
        m.send(sender, ShutdownAgent(reason=f"agent {agent_id} was registered as {known.info.hostname}"))  # 1.3.4
        return
    if known is not None and _holds_too_little(m, known, message.agent):
        return
    under_way = m.membership.reregistration(agent_id)
    if under_way is not None and under_way.sender != sender and not under_way.link_broken:
        return  # of two that claim the same id the first is heard
    m.membership.begin(agent_id, Change.READMIT, Reregistration(message=message, sender=sender))
    recovered = m.recovered.get(agent_id)
    on_record = known.info if known is not None else recovered.info if recovered is not None else None
    if under_way is not None:
        m.effects.append(Link(sender))  # a registry write is under way already (1.3.1)
    elif on_record == message.agent:
        complete(m, message.agent, now)
    else:
        m.effects.append(Link(sender))
        # Unreachable, or unknown to this master (1.3.7); or known, with new facts.
        m.write((MarkAgentReachable if on_record is None else AdmitAgent)(agent=message.agent))


def _is_consistent(message: ReregisterAgent) -> bool:
    """Whether what it reports is its own, named once, and of frameworks that it names."""
    frameworks_named = [info.id for info in message.frameworks]
    tasks = [(task.framework_id, task.task_id) for task in message.tasks]
    executors = [(executor.framework_id, executor.executor_id) for executor in message.executors]
    return (
        None not in frameworks_named
        and all(task.agent_id == message.agent.id for task in message.tasks)
        and all(framework_id in frameworks_named for framework_id, _ in (*tasks, *executors))
        and all(len(dict.fromkeys(listed)) == len(listed) for listed in (frameworks_named, tasks, executors))
    )


def _reported(message: ReregisterAgent) -> frozenset[TaskKey]:
    """The tasks that it reports."""
    return frozenset((task.framework_id, task.task_id) for task in message.tasks)


def reachable(m: MasterState, operation: MarkAgentReachable, now: float) -> None:
    """The registry holds an agent again that was unreachable or unknown (1.3.7)."""
    complete(m, operation.agent, now)


def link_broke(m: MasterState, pid: str) -> None:
    """Whoever is coming back from there has gone again, unless it is heard of once more before that is written."""
    for agent_id in m.membership.all_pending(Change.READMIT):
        pending = m.membership.reregistration(agent_id)
        if pending is not None and pending.sender == pid:
            pending.link_broken = True


def complete(m: MasterState, on_record: AgentInfo, now: float) -> None:
    """The registry knows all it has to: take the agent back."""
    agent_id = on_record.id
    assert agent_id is not None
    pending = m.membership.reregistration(agent_id)
    assert pending is not None, agent_id
    leaves = agent_id in m.gone or m.membership.is_pending(agent_id, Change.REMOVE, Change.MARK_GONE)
    if not leaves and pending.message.agent != on_record:
        m.write(AdmitAgent(agent=pending.message.agent))  # since the write began it has come again, with new facts
        return
    m.membership.end(agent_id, Change.READMIT)
    if agent_id in m.gone:
        gone.refuse(m, agent_id, pending.sender)  # since the write began (1.3.2)
        return
    if m.membership.is_pending(agent_id, Change.REMOVE):
        return  # that is written next, and counts
    m.counters.slave_reregistrations += 1
    reported = _reported(pending.message)
    for framework in m.frameworks.values():
        tasks.forget_strays(framework, agent_id, but=reported)
    if agent_id in m.agents:
        _return_registered(m, m.agents[agent_id], pending, now)
    else:
        _return_absent(m, agent_id, pending, now)
    m.subscribers.agent_registered(m, m.agents[agent_id], now)


def _return_registered(m: MasterState, agent: AgentRecord, pending: Reregistration, now: float) -> None:
    """The agent never left this master's memory: compare them with what it reports (1.3.5)."""
    message = pending.message
    if _holds_too_little(m, agent, message.agent):
        return
    if message.agent != agent.info:
        _renew(m, agent, message.agent, now)
    if pending.link_broken:
        return  # it has gone again, and what it reported with it
    m.effects.append(Link(agent.pid))
    agent.life = message.life
    reported = _reported(message)
    missing = [task for key, task in agent.tasks.items() if key not in reported]
    running = {(executor.framework_id, executor.executor_id) for executor in message.executors}
    unreported = [key for key in agent.executors if key not in running]
    # The master decides nothing about these itself: a launch may have overtaken this message (RC-23, RC-25).
    # Mesos does about executors, and may offer again what the overtaking launch has taken (RC-26).
    tasks.ask_about(m, agent, missing, now, unreported)
    _take_over_executors(m, agent, message, now)
    for task in message.tasks:
        wanted = (task.framework_id, task.task_id)
        if wanted in agent.kills and not task.state.is_terminal:
            # With the policy it was last given, which Mesos forgets: the grace must not shrink (RC-27, 10.14).
            policy = agent.kills[wanted]
            m.send(agent.pid, KillTask(framework_id=wanted[0], task_id=wanted[1], kill_policy=policy))
    if not agent.connected:
        m.membership.move(agent.id, MemberState.REGISTERED)
        m.cancel_timer(ReregisterTimeout(agent.id))
        if agent.id not in m.deactivated:
            agent.active = True
            m.allocator.activate_agent(agent.id, now)
            machines.consider_asking(m, agent, now)
    m.subscribers.agent_back(m, agent, now)  # 1.3.5 step 7
    _exchange_frameworks(m, agent.pid, message, now)


def _holds_too_little(m: MasterState, agent: AgentRecord, info: AgentInfo) -> bool:
    """Whether it has less now than is in use there. Then it has been sent away: in Mesos it does not even start."""
    used = Resources.sum(agent.used().values())
    too_little = not info.resources.contains(used)
    if too_little:
        why = f"agent {agent.id} came back with {info.resources or 'nothing'}, but {used} is in use there"
        m.send(agent.pid, ShutdownAgent(reason=why))
    return too_little


def _renew(m: MasterState, agent: AgentRecord, info: AgentInfo, now: float) -> None:
    """It has other facts than before: what was offered of it is not what there is (OF-3, OF-50)."""
    offers.rescind_all(m, agent.offers, now)
    agent.info = info
    m.allocator.update_agent(agent.id, info.resources, now)
    m.released_on[agent.id] = None


def _take_over_executors(m: MasterState, agent: AgentRecord, message: ReregisterAgent, now: float) -> None:
    """Executors that it has and the master gave up, or never knew of: what they hold is not to be offered. Ours."""
    for framework_info in message.frameworks:
        frameworks.ensure_recovered(m, framework_info, now)
    for executor in message.executors:
        key = (executor.framework_id, executor.executor_id)
        if key in agent.executors or executor.framework_id not in m.frameworks:
            continue
        if not m.allocator.free(agent.id).contains(executor.resources):
            offers.rescind_all(m, agent.offers, now)
        if m.allocator.free(agent.id).contains(executor.resources):  # or another has got it meanwhile
            agent.executors[key] = executor.resources
            _keep_info(agent, executor)
            m.allocator.charge(executor.framework_id, agent.id, executor.resources)


def _return_executors(m: MasterState, agent: AgentRecord, message: ReregisterAgent) -> Resources:
    """Those of an agent that was away, as far as they fit. Return what is left for tasks."""
    room = agent.info.resources
    for executor in message.executors:
        if executor.framework_id in m.frameworks and room.contains(executor.resources):
            agent.executors[(executor.framework_id, executor.executor_id)] = executor.resources
            _keep_info(agent, executor)
            room = room - executor.resources
    return room


def _keep_info(agent: AgentRecord, executor: ExecutorSummary) -> None:
    if executor.info is not None:
        agent.executor_infos[(executor.framework_id, executor.executor_id)] = executor.info


def _return_absent(m: MasterState, agent_id: AgentId, pending: Reregistration, now: float) -> None:
    """The agent is recovered, unreachable or unknown: take over what it holds (1.3.6, 1.3.7, 1.3.8)."""
    message, info = pending.message, pending.message.agent
    announced = agent_id not in m.recovered
    was_out_of_reach = agent_id in m.unreachable
    member = m.membership.move(agent_id, MemberState.REGISTERED)
    active = agent_id not in m.deactivated
    agent = AgentRecord(
        id=agent_id,
        info=info,
        pid=pending.sender,
        member=member,
        active=active,
        life=message.life,
        registered_at=now,
        reregistered_at=now,
    )
    for framework_info in message.frameworks:
        frameworks.ensure_recovered(m, framework_info, now)
    room = _return_executors(m, agent, message)
    refused: list[Task] = []
    for task in message.tasks:
        framework = m.frameworks.get(task.framework_id)
        if framework is None:
            continue  # of a completed framework: not taken over (RC-22)
        needed = task.resources if task.state.holds_resources else NOTHING
        if task.task_id in framework.tasks or not room.contains(needed):
            refused.append(task)
            continue
        room = room - needed
        record = _take_over(m, framework, agent, task)
        if announced:
            _announce_return(m, framework, agent, record)
    if was_out_of_reach:
        tasks.forget_out_of_reach(m, agent_id)  # those it does not report (1.3.8 step 1)
    joining.join(m, agent, now)
    if pending.leaving:
        removal.remove(m, agent_id, Cause.UNREGISTERED, now)
    if pending.link_broken:
        disconnection.disconnected(m, agent, now)  # another life of it must not take the answer for its own
        return
    m.subscribers.agent_back(m, agent, now)  # before the reply (1.3.8 step 4)
    tasks.ask_about(m, agent, (), now)
    for task in refused:
        # Ours: a task that was given up (1.5.2a), whose id or resources another has got since, ends. Mesos aborts.
        m.send(agent.pid, KillTask(framework_id=task.framework_id, task_id=task.task_id))
    _exchange_frameworks(m, agent.pid, message, now)


def _take_over(m: MasterState, framework: FrameworkRecord, agent: AgentRecord, task: Task) -> TaskRecord:
    """The task is live, whatever list it was on (RC-21)."""
    framework.unreachable_tasks.pop(task.task_id, None)
    framework.completed_tasks.pop(task.task_id, None)
    record = TaskRecord(
        task_id=task.task_id,
        name=task.name,
        framework_id=task.framework_id,
        agent_id=task.agent_id,
        executor_id=task.executor_id,
        resources=task.resources,
        state=task.state,
        launched_at=task.launched_at,
        status_update_state=task.status_update_state,
        status_update_uuid=task.status_update_uuid,
        cause=task.cause,
        kill_cause=task.kill_cause,
        v1_json=task.v1_json,
    )
    framework.tasks[task.task_id] = agent.tasks[record.key] = record
    watching.task_added(m, record)
    return record


def _announce_return(m: MasterState, framework: FrameworkRecord, agent: AgentRecord, task: TaskRecord) -> None:
    """Tell the framework the task's present state, partition aware or not (1.3.8 step 1, FW-48)."""
    m.tell(
        framework,
        unchecked(TaskStatus)(
            task_id=task.task_id,
            agent_id=agent.id,
            executor_id=task.executor_id,
            state=task.state,
            source=Source.SOURCE_MASTER,
            reason=Reason.REASON_AGENT_REREGISTERED,
            message=f"agent {agent.id} ({agent.info.hostname}) is back",
            cause=task.cause,
        ),
    )


def _exchange_frameworks(m: MasterState, actor: str, message: ReregisterAgent, now: float) -> None:
    """Completed frameworks are ended there, known ones brought up to date, unknown ones recovered (1.3.5, 1.3.8)."""
    for info in message.frameworks:
        assert info.id is not None
        if info.id in m.completed_frameworks:
            m.send(actor, ShutdownFramework(framework_id=info.id))
            continue
        framework = frameworks.ensure_recovered(m, info, now)
        if framework is not None and framework.pid is not None:
            m.send(actor, UpdateFramework(framework_info=framework.info, scheduler=framework.pid))
