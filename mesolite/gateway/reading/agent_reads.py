"""What `api/v1` of an agent tells of what it holds: one function per call that reads (http.md HT-304 to HT-311).

GET_HEALTH, GET_VERSION, GET_FLAGS and GET_METRICS are as on a master: operator_reads.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mesolite.gateway.reading import allocations, asked, operator_reads
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import Epoch, Plain, identifier
from mesolite.messages.ids import AgentId
from mesolite.messages.snapshot import AgentHoldings, HeldExecutor, HeldFramework, HeldTask, TaskSnapshot
from mesolite.messages.tasks import ContainerStatus

Statistics = Mapping[str, Plain]
"""What was measured of containers, by their id; of those that could not be measured there is nothing (HT-358)."""


def get_agent(holdings: AgentHoldings) -> Plain:
    """What the agent says of itself, and how it is being drained (HT-305)."""
    written: Plain = {"agent_info": writing.agent_info(holdings.info)}
    if holdings.drain is not None:
        written["drain_config"] = operator_reads.drain_config(holdings.drain)
    return written


def get_state(holdings: AgentHoldings, epoch: Epoch) -> Plain:
    """All of it (HT-306)."""
    return {
        "get_tasks": get_tasks(holdings, epoch),
        "get_executors": get_executors(holdings),
        "get_frameworks": get_frameworks(holdings),
    }


def get_frameworks(holdings: AgentHoldings) -> Plain:
    """Frameworks with something here, and those that had (HT-307)."""

    def told(frameworks: Iterable[HeldFramework]) -> list[Plain]:
        return [{"framework_info": writing.framework_info(framework.info)} for framework in frameworks]

    return {"frameworks": told(holdings.frameworks), "completed_frameworks": told(completed_frameworks(holdings))}


def completed_frameworks(holdings: AgentHoldings) -> list[HeldFramework]:
    """Frameworks that had something here and have nothing any more, without what they had."""
    here = [framework.info.id for framework in holdings.frameworks]
    gone = {framework.info.id: framework.info for framework in holdings.completed if framework.info.id not in here}
    return [HeldFramework(info=info) for info in gone.values()]


def completed_executors(holdings: AgentHoldings, framework: HeldFramework) -> list[HeldExecutor]:
    """The executors of that framework that have ended here, the oldest first."""
    ended = (each for each in holdings.completed if each.info.id == framework.info.id)
    return [executor for each in ended for executor in each.executors]


def get_executors(holdings: AgentHoldings) -> Plain:
    """Executors here, those of command tasks among them (HT-308)."""
    told = [{"executor_info": _executor_info(framework, executor)} for framework, executor in executors(holdings)]
    ended = [
        {"executor_info": _executor_info(framework, executor)}
        for framework in holdings.completed
        for executor in framework.executors
    ]
    return {"executors": told, "completed_executors": ended}


def executors(holdings: AgentHoldings) -> Iterator[tuple[HeldFramework, HeldExecutor]]:
    """Every executor here, with its framework."""
    for framework in holdings.frameworks:
        for executor in framework.executors:
            yield framework, executor


def _executor_info(framework: HeldFramework, executor: HeldExecutor) -> Plain:
    framework_id = allocations.id_of(framework.info)
    if executor.info is None:
        return writing.command_executor_info(executor.executor_id, framework_id)
    return writing.executor_info(executor.info, framework_id)


def get_tasks(holdings: AgentHoldings, epoch: Epoch) -> Plain:
    """Tasks by how far they have come (HT-309). None wait before they have an executor."""
    by_list: dict[str, list[Plain]] = {"queued_tasks": [], "launched_tasks": [], "terminated_tasks": []}
    for framework, executor in executors(holdings):
        for held in executor.tasks:
            snapshot = task(holdings, framework, executor, held)
            by_list[list_of(held)].append(operator_reads.task(snapshot, epoch))
    completed = [
        operator_reads.task(task(holdings, framework, executor, held), epoch)
        for framework in (*holdings.completed, *holdings.frameworks)
        for executor in framework.executors
        for held in executor.completed_tasks
    ]
    return {"pending_tasks": [], **by_list, "completed_tasks": completed}


def list_of(held: HeldTask) -> str:
    """Where a task belongs: it is with its executor, or waits for it, or for the acknowledgement of its end."""
    if held.state.is_terminal:
        return "terminated_tasks"
    return "launched_tasks" if held.delivered else "queued_tasks"


def task(holdings: AgentHoldings, framework: HeldFramework, executor: HeldExecutor, held: HeldTask) -> TaskSnapshot:
    """A task here, as a master would know it."""
    return TaskSnapshot(
        task_id=held.info.task_id,
        name=held.info.name,
        framework_id=allocations.id_of(framework.info),
        agent_id=held.info.agent_id or holdings.info.id or AgentId(""),
        executor_id=None if executor.info is None else executor.executor_id,
        state=held.state,
        resources=held.info.resources,
        statuses=held.statuses,
        v1_json=held.info.v1_json,
    )


def get_containers(holdings: AgentHoldings, statistics: Statistics) -> Plain:
    """Executors as what runs them (HT-310)."""
    return {"containers": [_container(holdings, *each, statistics) for each in executors(holdings)]}


def _container(holdings: AgentHoldings, framework: HeldFramework, one: HeldExecutor, statistics: Statistics) -> Plain:
    written: Plain = {
        "framework_id": identifier(allocations.id_of(framework.info)),
        "executor_id": identifier(one.executor_id),
        "executor_name": executor_name(one),
        "container_id": identifier(one.container_id),
        "container_status": container_status(holdings, one),
    }
    if one.container_id in statistics:
        written["resource_statistics"] = statistics[one.container_id]
    return written


def container_status(holdings: AgentHoldings, executor: HeldExecutor) -> Plain:
    """Which container it is, and how its network is reached."""
    return writing.container_status(ContainerStatus(container_id=executor.container_id, ip=holdings.info.ip))


def executor_name(executor: HeldExecutor) -> str:
    """An executor's name; those of command tasks are called as Mesos calls them."""
    return f"Command Executor (Task: {executor.executor_id})" if executor.info is None else executor.info.name


def executor_source(executor: HeldExecutor) -> str:
    """What its framework calls whatever it serves; of a command task's it is the task."""
    if executor.info is None:
        return executor.executor_id
    source: str = asked.of(executor.info.v1_json).get("source", "")
    return source


def get_operations() -> Plain:
    """There are none that take time here (HT-311)."""
    return operator_reads.get_operations()


def get_resource_providers() -> Plain:
    """There are none here (HT-311)."""
    return {"resource_providers": []}
