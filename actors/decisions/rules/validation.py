"""Is this description valid? Each answer is '' or a sentence saying what was asked, why not, and what would work.

The checks run in Mesos's order, and the first that fails answers (core.md FW-10, OF-70 to OF-81). That durations are
durations is checked where they are made, and again where a leader receives them (master/admission.py).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import combinations, product

from attrs import frozen

from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import ExecutorInfo, TaskInfo

ID_MAX = 255


def id_error(kind: str, value: str) -> str:
    """Is this an id (OF-70)?"""
    if not value:
        return f"the {kind} id is empty; give it a name"
    if len(value) > ID_MAX:
        return f"the {kind} id is {len(value)} characters long; {ID_MAX} are allowed"
    if value in (".", ".."):
        return f"the {kind} id is {value!r}, which is a folder's name; choose another"
    if any(character in "/\\" or ord(character) < 32 or ord(character) == 127 for character in value):
        return f"the {kind} id {value!r} holds a slash or a control character; use letters, digits, '-', '_' and '.'"
    return ""


@frozen(kw_only=True)
class TaskContext:
    """What a task is held against: its offers' agent, what is left of them, and the framework's other tasks.

    `running_executor`: what the executor of that id holds on that agent; None if there is none.
    """

    agent_id: AgentId
    framework_id: FrameworkId
    balance: Resources
    known_tasks: tuple[Container[str], ...]
    running_executor: Resources | None


def task_error(task: TaskInfo, context: TaskContext) -> str:
    """May this task be launched (OF-70 to OF-81)?"""
    return (
        id_error("task", task.task_id)
        or _known(task, context)
        or _elsewhere(task, context)
        or ("" if task.resources else "it asks for no resources; ask for some, for example cpus:0.1;mem:32")
        or _part_of_a_gpu("it", task.resources)
        or _command_or_executor(task, context)
        or _claimed_twice(task)
        or _too_much(task, context)
    )


def _known(task: TaskInfo, context: TaskContext) -> str:
    if any(task.task_id in known for known in context.known_tasks):
        return "a task of this framework with that id is alive; choose another id, or wait until it has ended"
    return ""


def _elsewhere(task: TaskInfo, context: TaskContext) -> str:
    if task.agent_id != context.agent_id:
        return f"it names agent {task.agent_id}, but the offers are of agent {context.agent_id}"
    return ""


def _command_or_executor(task: TaskInfo, context: TaskContext) -> str:
    if (task.command is None) == (task.executor is None):
        if task.command is not None:
            return "it has both a command and an executor; give exactly one"
        hint = ": work= says what a command does in a simulation, so give a command, too" if task.work else ""
        return f"it has neither a command nor an executor; give exactly one{hint}"
    if task.command is not None and not task.command.value:
        return "its command is empty; say what to run"
    executor = task.executor
    if executor is None:
        return ""
    if executor.framework_id not in (None, context.framework_id):
        return f"its executor belongs to framework {executor.framework_id}"
    return (
        id_error("executor", executor.executor_id)
        or _part_of_a_gpu("its executor", executor.resources)
        or _described_otherwise(executor, context.running_executor)
    )


def _part_of_a_gpu(who: str, resources: Resources) -> str:
    """Is a gpu asked for in part (OF-81)? Scalars are thousandths."""
    if resources.scalars.get("gpus", 0) % 1000 == 0:
        return ""
    return f"{who} asks for {resources}, and a gpu cannot be divided; ask for a whole number of gpus"


def _described_otherwise(executor: ExecutorInfo, running: Resources | None) -> str:
    # Of an executor that runs the master knows what it holds, and no more (OF-78).
    if running is None or running == executor.resources:
        return ""
    return (
        f"its executor {executor.executor_id!r} runs there already, with {running or 'no resources'}, not with "
        f"{executor.resources or 'none'}; describe it as at its start, or give it an id of its own"
    )


def overlap(groups: Sequence[Resources]) -> str:
    """The first name under which two of these hold the same number of a range or item of a set; '' if there is none."""
    for one, other in combinations(groups, 2):
        for name in one.names:
            pairs = product(one.ranges(name), other.ranges(name))
            if any(begin <= other_end and other_begin <= end for (begin, end), (other_begin, other_end) in pairs):
                return name
            if not frozenset(one.set(name)).isdisjoint(other.set(name)):
                return name
    return ""


def _claimed_twice(task: TaskInfo) -> str:
    # They would be charged once and given back twice: by the task, and by its executor (OF-75).
    name = overlap([task.resources, task.executor.resources]) if task.executor is not None else ""
    return f"it and its executor ask for some of the same {name}; ask for each once" if name else ""


def _too_much(task: TaskInfo, context: TaskContext) -> str:
    needed = [task.resources]
    if task.executor is not None and context.running_executor is None:
        needed.append(task.executor.resources)
    # Each by itself first: a name that they have under two types cannot be added up, but is not offered either.
    if not all(map(context.balance.contains, needed)) or not context.balance.contains(Resources.sum(needed)):
        wanted = " and ".join(str(part) for part in needed if part)
        return f"it needs {wanted}, but only {context.balance} is left of the offers"
    return ""


def framework_error(info: FrameworkInfo) -> str:
    """May this framework subscribe (FW-10, FW-53)?"""
    if info.id is not None and (error := id_error("framework", info.id)):
        return error
    return _role_error(info.role)


def _role_error(role: str) -> str:
    if role == "*":
        return ""
    for component in role.split("/"):
        unprintable = any(character.isspace() or character in "\b\x7f" for character in component)
        if component in ("", ".", "..", "*") or component.startswith("-") or unprintable:
            return f"{role!r} is not a role; a role is a name like 'web' or 'web/front', or '*'"
    return ""
