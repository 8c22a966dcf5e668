"""Nouns about work: what a task is, what runs it, and what can be said about its state.

Names are those of the Mesos v1 API in snake case; every duration is in seconds.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from mesolite.messages.checking import Count, PathLike, PathText, Seconds, checked, optional_seconds
from mesolite.messages.data import Data, as_data
from mesolite.messages.errors import InvalidValue
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId, UpdateId
from mesolite.messages.resources import NOTHING, Resources

_TERMINAL = (
    "TASK_FINISHED",
    "TASK_FAILED",
    "TASK_KILLED",
    "TASK_ERROR",
    "TASK_LOST",
    "TASK_DROPPED",
    "TASK_GONE",
    "TASK_GONE_BY_OPERATOR",
)


class TaskState(enum.Enum):
    """Every state a task can be reported in, with Mesos's names (core.md TK-1).

    Attributes:
        is_terminal: whether the task has ended and this state is its last (drain.md 0.2.9). TASK_UNREACHABLE is not, as
            the task may come back; nor is TASK_UNKNOWN, which says that nobody knows.
        holds_resources: whether a task in this state is known to occupy its agent's resources (drain.md 0.2.11, core.md
            TK-3): TASK_STAGING, TASK_STARTING, TASK_RUNNING and TASK_KILLING, and no other. For a scheduler: if it is
            False, the task does not run as far as anybody knows, and may be started again elsewhere.
    """

    TASK_STAGING = "TASK_STAGING"
    TASK_STARTING = "TASK_STARTING"
    TASK_RUNNING = "TASK_RUNNING"
    TASK_KILLING = "TASK_KILLING"
    TASK_FINISHED = "TASK_FINISHED"
    TASK_FAILED = "TASK_FAILED"
    TASK_KILLED = "TASK_KILLED"
    TASK_ERROR = "TASK_ERROR"
    TASK_LOST = "TASK_LOST"
    TASK_DROPPED = "TASK_DROPPED"
    TASK_UNREACHABLE = "TASK_UNREACHABLE"
    TASK_GONE = "TASK_GONE"
    TASK_GONE_BY_OPERATOR = "TASK_GONE_BY_OPERATOR"
    TASK_UNKNOWN = "TASK_UNKNOWN"

    def __init__(self, name: str) -> None:
        """Have ready what is asked of a state all the time."""
        self.is_terminal: bool = name in _TERMINAL
        self.holds_resources: bool = not self.is_terminal and name not in ("TASK_UNREACHABLE", "TASK_UNKNOWN")

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


class Source(enum.Enum):
    """Who made a status update (core.md TK-6)."""

    SOURCE_MASTER = "SOURCE_MASTER"
    SOURCE_AGENT = "SOURCE_AGENT"
    SOURCE_EXECUTOR = "SOURCE_EXECUTOR"

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


class Reason(enum.Enum):
    """Why a status update was made, with all of the v1 names: a remote executor may give any (HT-178).

    REASON_RESOURCES_REVOKED is ours (docs/reclaim.md).
    """

    REASON_AGENT_DISCONNECTED = "REASON_AGENT_DISCONNECTED"
    REASON_AGENT_DRAINING = "REASON_AGENT_DRAINING"
    REASON_AGENT_REMOVED = "REASON_AGENT_REMOVED"
    REASON_AGENT_REMOVED_BY_OPERATOR = "REASON_AGENT_REMOVED_BY_OPERATOR"
    REASON_AGENT_REREGISTERED = "REASON_AGENT_REREGISTERED"
    REASON_AGENT_RESTARTED = "REASON_AGENT_RESTARTED"
    REASON_AGENT_UNKNOWN = "REASON_AGENT_UNKNOWN"
    REASON_COMMAND_EXECUTOR_FAILED = "REASON_COMMAND_EXECUTOR_FAILED"
    REASON_CONTAINER_LAUNCH_FAILED = "REASON_CONTAINER_LAUNCH_FAILED"
    REASON_CONTAINER_LIMITATION = "REASON_CONTAINER_LIMITATION"
    REASON_CONTAINER_LIMITATION_DISK = "REASON_CONTAINER_LIMITATION_DISK"
    REASON_CONTAINER_LIMITATION_MEMORY = "REASON_CONTAINER_LIMITATION_MEMORY"
    REASON_CONTAINER_PREEMPTED = "REASON_CONTAINER_PREEMPTED"
    REASON_CONTAINER_UPDATE_FAILED = "REASON_CONTAINER_UPDATE_FAILED"
    REASON_EXECUTOR_REGISTRATION_TIMEOUT = "REASON_EXECUTOR_REGISTRATION_TIMEOUT"
    REASON_EXECUTOR_REREGISTRATION_TIMEOUT = "REASON_EXECUTOR_REREGISTRATION_TIMEOUT"
    REASON_EXECUTOR_TERMINATED = "REASON_EXECUTOR_TERMINATED"
    REASON_EXECUTOR_UNREGISTERED = "REASON_EXECUTOR_UNREGISTERED"
    REASON_FRAMEWORK_REMOVED = "REASON_FRAMEWORK_REMOVED"
    REASON_GC_ERROR = "REASON_GC_ERROR"
    REASON_INVALID_FRAMEWORKID = "REASON_INVALID_FRAMEWORKID"
    REASON_INVALID_OFFERS = "REASON_INVALID_OFFERS"
    REASON_IO_SWITCHBOARD_EXITED = "REASON_IO_SWITCHBOARD_EXITED"
    REASON_MASTER_DISCONNECTED = "REASON_MASTER_DISCONNECTED"
    REASON_MAX_COMPLETION_TIME_REACHED = "REASON_MAX_COMPLETION_TIME_REACHED"
    REASON_RECONCILIATION = "REASON_RECONCILIATION"
    REASON_RESOURCES_REVOKED = "REASON_RESOURCES_REVOKED"
    REASON_RESOURCES_UNKNOWN = "REASON_RESOURCES_UNKNOWN"
    REASON_TASK_CHECK_STATUS_UPDATED = "REASON_TASK_CHECK_STATUS_UPDATED"
    REASON_TASK_GROUP_INVALID = "REASON_TASK_GROUP_INVALID"
    REASON_TASK_GROUP_UNAUTHORIZED = "REASON_TASK_GROUP_UNAUTHORIZED"
    REASON_TASK_HEALTH_CHECK_STATUS_UPDATED = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
    REASON_TASK_INVALID = "REASON_TASK_INVALID"
    REASON_TASK_KILLED_DURING_LAUNCH = "REASON_TASK_KILLED_DURING_LAUNCH"
    REASON_TASK_UNAUTHORIZED = "REASON_TASK_UNAUTHORIZED"
    REASON_TASK_UNKNOWN = "REASON_TASK_UNKNOWN"

    def __str__(self) -> str:
        """Print the bare Mesos name."""
        return self.name


class Cause(enum.Enum):
    """What became of a task that was lost or killed, as data; Mesos leaves it to be guessed from reason and message.

    KILLED: its framework asked for it. NEVER_STARTED: it was refused or lost before it ran. CRASHED: its agent's
    process died, so its tasks are given up; the machine may be well.
    """

    KILLED = "KILLED"
    NEVER_STARTED = "NEVER_STARTED"
    DRAINED = "DRAINED"
    REVOKED = "REVOKED"
    UNREGISTERED = "UNREGISTERED"
    UNREACHABLE = "UNREACHABLE"
    GONE = "GONE"
    MACHINE_DOWN = "MACHINE_DOWN"
    CRASHED = "CRASHED"
    EXECUTOR_DIED = "EXECUTOR_DIED"
    FRAMEWORK_REMOVED = "FRAMEWORK_REMOVED"

    def __str__(self) -> str:
        """Print the bare name."""
        return self.name


def _resources(value: Resources | str | Mapping[str, float]) -> Resources:
    if type(value) is str:  # as nearly always, and much sooner told
        return Resources.of(value)
    return Resources.of(value) if isinstance(value, str | Mapping) else value


# These say to a type checker what else is understood, beside what the annotation says; the check makes it that.


def _path_text(value: str | PathLike) -> str:
    return value  # type: ignore[return-value]


def _path_texts(value: str | PathLike | Iterable[str | PathLike]) -> tuple[str, ...]:
    return value  # type: ignore[return-value]


def _pairs(
    value: Mapping[str, str | PathLike] | Iterable[tuple[str, str | PathLike]]
) -> tuple[tuple[str, str], ...]:
    return value  # type: ignore[return-value]


@checked
@frozen(kw_only=True)
class Uri:
    """A file that is to be in the sandbox before the command starts: a path or `file://` (core.md TK-37, HT-215).

    An archive is unpacked unless `extract` is false; `output_file` is its name in the sandbox, '' for its own.
    """

    value: PathText = field(converter=_path_text)
    executable: bool = False
    extract: bool = True
    output_file: str = ""


@checked
@frozen(kw_only=True)
class CommandInfo:
    """What to run: `value` for `/bin/sh -c`, or, without `shell`, the program `value` with these arguments.

    `environment` is a mapping, or pairs. Paths are understood as text. `user` '' is the framework's, and where nobody
    else may be, the agent's own.
    """

    value: PathText = field(converter=_path_text)
    arguments: tuple[PathText, ...] = field(default=(), converter=_path_texts)
    shell: bool = True
    environment: tuple[tuple[str, PathText], ...] = field(default=(), converter=_pairs)
    uris: tuple[Uri, ...] = ()
    user: str = ""


@checked
@frozen(kw_only=True)
class KillPolicy:
    """How a task wants to die: SIGTERM, then `grace_period_s` seconds, then SIGKILL (drain.md 3.2.1)."""

    grace_period_s: Seconds | None = field(default=None, converter=optional_seconds)


@checked
@frozen(kw_only=True)
class SimulatedWork:
    """What a task would do, for a `Simulation`, where no process is started. Durations in virtual seconds.

    `SimulatedWork()` is what a task without `work` does whose command says nothing else: it runs for a second and exits
    with status 0. `duration=None` is for ever; `exit_status` is that of the end it comes to by itself.

    On SIGTERM it ends after `on_sigterm` seconds; None: it ignores SIGTERM, and only SIGKILL ends it. It dies of the
    signal, or, if `sigterm_exit_status` is given, exits with that status, as a program does that tidies up.
    """

    duration: Seconds | None = field(default=1.0, converter=optional_seconds)
    exit_status: Count = 0
    on_sigterm: Seconds | None = field(default=0.0, converter=optional_seconds)
    sigterm_exit_status: Count | None = None


@checked
@frozen(kw_only=True)
class ExecutorInfo:
    """What runs tasks on an agent: a user-written `Executor` class, named by `name` in `executors={name: class}`.

    Or, with a `command`, a process of its own that speaks HTTP with its agent (docs/clients.md). `v1_json` is explained
    at `TaskInfo`. `shutdown_grace_period_s` None means the agent's default, 5 s in Mesos (drain.md 3.1.2).
    """

    executor_id: ExecutorId = field(converter=ExecutorId)
    name: str = ""
    framework_id: FrameworkId | None = None
    resources: Resources = field(default=NOTHING, converter=_resources)
    shutdown_grace_period_s: Seconds | None = field(default=None, converter=optional_seconds)
    data: Data = field(default="", converter=as_data)
    command: CommandInfo | None = None
    v1_json: str = ""


def _command(value: CommandInfo | str | None) -> CommandInfo | None:
    if isinstance(value, SimulatedWork):
        raise InvalidValue(
            f"TaskInfo.command cannot be {value!r}: what a task does in a simulation is its work: give it as "
            "work=SimulatedWork(...), beside a command such as './serve'"
        )
    return CommandInfo(value=value) if isinstance(value, str) else value


@checked
@frozen(kw_only=True)
class TaskInfo:
    """What a framework asks for: one of `command` and `executor`, on the agent of the offer (core.md OF-70..83).

    `agent_id` may be left out: the driver fills in the agent of the offer. `work` says what a command does in a
    simulation, and is used there only; without it `sleep 30`, `exit 3` and the like are taken at their word, alone or
    joined by `;`, `&&` and `||`, and any other command is a `SimulatedWork()`.
    `command="echo hi"` is short for `command=CommandInfo(value="echo hi")`. `v1_json`: if it came by HTTP, all of it
    but `data`, as it was understood: what has no field here is for its executor and for whoever looks (HT-45, HT-200).
    """

    task_id: TaskId = field(converter=TaskId)
    name: str = ""
    agent_id: AgentId | None = None
    resources: Resources = field(default=NOTHING, converter=_resources)
    command: CommandInfo | None = field(default=None, converter=_command)
    executor: ExecutorInfo | None = None
    kill_policy: KillPolicy | None = None
    data: Data = field(default="", converter=as_data)
    work: SimulatedWork | None = None
    v1_json: str = ""


@frozen(kw_only=True)
class ContainerStatus:
    """Where a task runs, as its agent says it: which run of its executor, and at which address (http.md HT-177)."""

    container_id: str
    ip: str


@checked
@frozen(kw_only=True)
class TaskStatus:
    """What is said of a task. `uuid` None: made by a master or driver, must not be acknowledged (drain.md 0.2.8).

    `cause` is set on every update that says a task was lost or killed, and is None on all others. What a master answers
    to `reconcile_tasks`, or to a kill, about a task that it does not know has none: nobody knows why. `container`: said
    by agents that speak HTTP. `v1_json`: what its executor has sent by HTTP and has no field here, labels, say, as JSON
    (HT-178).
    """

    task_id: TaskId
    state: TaskState
    source: Source | None = None
    reason: Reason | None = None
    message: str = ""
    data: Data = field(default="", converter=as_data)
    agent_id: AgentId | None = None
    executor_id: ExecutorId | None = None
    timestamp: float | None = None
    uuid: UpdateId | None = None
    unreachable_time: float | None = None
    cause: Cause | None = None
    container: ContainerStatus | None = None
    v1_json: str = ""


@frozen(kw_only=True)
class Task:
    """The record of a task that an agent reports when it re-registers (core.md RC-19, AG-18).

    `state` is the newest the agent knows; the `status_update_*` pair is the last one it has forwarded, None if none.
    `executor_id` None means a command task (core.md TK-77). `launched_at`: when a master launched it. `cause`: why, if
    `state` says that it was lost or killed. `kill_cause`: why it is being killed, None if it is not. `v1_json`: that of
    its `TaskInfo`.
    """

    task_id: TaskId
    framework_id: FrameworkId
    agent_id: AgentId
    state: TaskState
    resources: Resources
    name: str = ""
    executor_id: ExecutorId | None = None
    status_update_state: TaskState | None = None
    status_update_uuid: UpdateId | None = None
    launched_at: float = 0.0
    cause: Cause | None = None
    kill_cause: Cause | None = None
    v1_json: str = ""
