"""How agents come: registration and re-registration (drain.md 1.2, 1.3; core.md RC-12 to RC-29)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.master import (
    draining,
    frameworks,
    gone,
    health,
    maintenance,
    reclaims,
    removal,
    schedules,
    tasks,
)
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState, PendingReregistration
from mesolite.actors.decisions.rules.maintenance import machine_of
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    RegisterAgent,
    ReregisterAgent,
    ShutdownAgent,
    ShutdownFramework,
    UpdateFramework,
)
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import AdmitAgent, MarkAgentReachable
from mesolite.messages.relayed import KillTask
from mesolite.messages.resources import NOTHING
from mesolite.messages.tasks import Cause, Reason, Source, Task, TaskStatus


def register(m: MasterState, message: RegisterAgent, sender: str, now: float) -> None:
    """An agent without an id wants in (1.2)."""
    if sender in m.registering:
        return  # its admission is being written (RC-13)
    if maintenance.is_down(m, message.agent):
        m.send(sender, schedules.turned_away(message.agent))  # 1.2.2
        return
    known = m.agent_of_party.get(sender)
    if known is not None:
        agent = m.agents[known]
        if agent.connected:
            m.send(sender, _registered(m, agent.id))  # it had not heard our answer (1.2.3)
            return
        # Somebody new at the address of an agent that had gone: the old one is removed (1.2.4, RC-14).
        removal.remove(m, agent.id, Cause.CRASHED, now)
    agent_id = AgentId(m.id_for("S", m.next_agent))
    m.next_agent += 1
    m.registering[sender] = agent_id
    m.write(AdmitAgent(agent=attrs.evolve(message.agent, id=agent_id)))


def admitted(m: MasterState, operation: AdmitAgent, now: float) -> None:
    """The registry holds the agent now: a new one (1.2.5), or an old one with new facts (1.3.5, 1.3.6)."""
    agent_id = operation.agent.id
    assert agent_id is not None
    if agent_id in m.reregistering:
        complete_reregistration(m, agent_id, now)
        return
    party = next((party for party, registering in m.registering.items() if registering == agent_id), None)
    if party is None:
        return  # said twice
    del m.registering[party]
    add(m, AgentRecord(id=agent_id, info=operation.agent, party=party), now)
    m.counters.slave_registrations += 1
    m.send(party, _registered(m, agent_id))
    reclaims.agent_came(m, m.agents[agent_id], now)


def reachable(m: MasterState, operation: MarkAgentReachable, now: float) -> None:
    """The registry holds an agent again that was unreachable or unknown (1.3.7)."""
    assert operation.agent.id is not None
    complete_reregistration(m, operation.agent.id, now)


def add(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Take an agent into memory: link, first ping, allocator (1.2.5)."""
    m.agents[agent.id] = agent
    m.agent_of_party[agent.party] = agent.id
    m.removed.pop(agent.id, None)
    m.effects.append(Link(agent.party))
    health.watch(m, agent, now)
    m.allocator.add_agent(agent.id, agent.info.resources, agent.used(), now, active=agent.active)
    maintenance.joined(m, agent, now)
    if maintenance.is_down(m, agent.info):
        schedules.shut_down(m, agent, now)  # the machine went down while the agent was being admitted


def _registered(m: MasterState, agent_id: AgentId) -> AgentRegistered:
    return AgentRegistered(agent_id=agent_id, total_ping_timeout_s=m.settings.total_ping_timeout_s)


def reregister(m: MasterState, message: ReregisterAgent, sender: str, now: float) -> None:
    """An agent with an id is back, with everything it holds (1.3)."""
    agent_id = message.agent.id
    under_way = (m.reregistering, m.marking_unreachable, m.marking_gone)
    if agent_id is None or any(agent_id in guard for guard in under_way):
        return  # 1.3.1
    if agent_id in m.gone:
        gone.refuse(m, agent_id, sender)
        return
    if not _is_consistent(message):
        return  # RC-15
    if maintenance.is_down(m, message.agent):
        m.send(sender, schedules.turned_away(message.agent))  # 1.3.3
        return
    if agent_id in m.removing:
        return  # ours: Mesos would take it in and delete it a moment later (drain.md 10.6)
    known = m.agents.get(agent_id)
    if known is not None and (machine_of(known.info), known.party) != (machine_of(message.agent), sender):
        m.send(sender, ShutdownAgent(reason=f"agent {agent_id} was registered as {known.info.hostname}"))  # 1.3.4
        return
    m.reregistering[agent_id] = PendingReregistration(message=message, sender=sender)
    on_record = known.info if known is not None else m.recovered.get(agent_id)
    if on_record is None:
        m.write(MarkAgentReachable(agent=message.agent))  # unreachable, or unknown to this master (1.3.7)
    elif on_record != message.agent:
        m.write(AdmitAgent(agent=message.agent))
    else:
        complete_reregistration(m, agent_id, now)


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


def complete_reregistration(m: MasterState, agent_id: AgentId, now: float) -> None:
    """The registry knows all it has to: take the agent back."""
    pending = m.reregistering.pop(agent_id, None)
    if pending is None:
        return  # said twice
    if agent_id in m.gone:
        gone.refuse(m, agent_id, pending.sender)  # since the write began (1.3.2)
        return
    m.counters.slave_reregistrations += 1
    if agent_id in m.agents:
        _return_registered(m, m.agents[agent_id], pending, now)
    else:
        _return_absent(m, agent_id, pending, now)
    reclaims.agent_came(m, m.agents[agent_id], now)


def _return_registered(m: MasterState, agent: AgentRecord, pending: PendingReregistration, now: float) -> None:
    """The agent never left this master's books: compare them with what it reports (1.3.5)."""
    message = pending.message
    agent.info = message.agent
    m.effects.append(Link(agent.party))
    reported = {(task.framework_id, task.task_id) for task in message.tasks}
    missing = [task for key, task in agent.tasks.items() if key not in reported]
    running = {(executor.framework_id, executor.executor_id) for executor in message.executors}
    unreported = [key for key in agent.executors if key not in running]
    m.send(
        agent.party,
        AgentReregistered(
            agent_id=agent.id,
            total_ping_timeout_s=m.settings.total_ping_timeout_s,
            # The master decides nothing about these itself: a launch may have overtaken this message (RC-23, RC-25).
            # Mesos does about executors, and may offer again what the overtaking launch has taken (RC-26).
            reconciliations=tasks.reconciliations(m, missing, unreported),
        ),
    )
    for task in message.tasks:
        wanted = (task.framework_id, task.task_id)
        if wanted in agent.kills and not task.state.is_terminal:
            # With the policy it was last given, which Mesos forgets: the grace must not shrink (RC-27, 10.14).
            policy = agent.kills[wanted]
            m.send(agent.party, KillTask(framework_id=wanted[0], task_id=wanted[1], kill_policy=policy))
    if not agent.connected:
        agent.connected = True
        m.cancel_timer(("reregister", agent.id))
        if agent.id not in m.deactivated:
            agent.active = True
            m.allocator.activate_agent(agent.id, now)
            maintenance.look(m, agent, now)
    draining.tell(m, agent, now)  # 1.3.5 step 7
    _exchange_frameworks(m, agent.party, message, now)


def _return_absent(m: MasterState, agent_id: AgentId, pending: PendingReregistration, now: float) -> None:
    """The agent is recovered, unreachable or unknown: take over what it holds (1.3.6, 1.3.7, 1.3.8)."""
    message, info = pending.message, pending.message.agent
    announced = agent_id not in m.recovered
    m.recovered.pop(agent_id, None)
    m.unreachable.pop(agent_id, None)
    agent = AgentRecord(id=agent_id, info=info, party=pending.sender, active=agent_id not in m.deactivated)
    for framework_info in message.frameworks:
        frameworks.ensure_recovered(m, framework_info, now)
    room = info.resources
    for executor in message.executors:
        if executor.framework_id in m.frameworks and room.contains(executor.resources):
            agent.executors[(executor.framework_id, executor.executor_id)] = executor.resources
            room = room - executor.resources
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
        record = _take_over(framework, agent, task)
        if announced:
            _announce_return(m, framework, agent, record)
    add(m, agent, now)
    draining.tell(m, agent, now)  # before the reply (1.3.8 step 4)
    m.send(
        agent.party, AgentReregistered(agent_id=agent_id, total_ping_timeout_s=m.settings.total_ping_timeout_s)
    )
    for task in refused:
        # Ours: a task that was given up (1.5.2a), whose id or resources another has got since, ends. Mesos aborts.
        m.send(agent.party, KillTask(framework_id=task.framework_id, task_id=task.task_id))
    _exchange_frameworks(m, agent.party, message, now)


def _take_over(framework: FrameworkRecord, agent: AgentRecord, task: Task) -> TaskRecord:
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
    )
    framework.tasks[task.task_id] = agent.tasks[record.key] = record
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


def _exchange_frameworks(m: MasterState, party: str, message: ReregisterAgent, now: float) -> None:
    """Completed frameworks are ended there, known ones brought up to date, unknown ones recovered (1.3.5, 1.3.8)."""
    for info in message.frameworks:
        assert info.id is not None
        if info.id in m.completed_frameworks:
            m.send(party, ShutdownFramework(framework_id=info.id))
            continue
        framework = frameworks.ensure_recovered(m, info, now)
        if framework is not None and framework.party is not None:
            m.send(party, UpdateFramework(framework_info=framework.info, scheduler=framework.party))

