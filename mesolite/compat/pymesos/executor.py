"""`MesosExecutorDriver`, and what runs somebody's executor in process where pymesos would start a program."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import WeakValueDictionary

from mesolite.actors.errors import Refused
from mesolite.callbacks import Executor as NativeExecutor
from mesolite.callbacks import ExecutorDriver
from mesolite.compat.pymesos import reading, writing
from mesolite.compat.pymesos.dicts import Dict
from mesolite.compat.pymesos.interface import Executor, Plain
from mesolite.compat.pymesos.place import Program
from mesolite.compat.pymesos.sealed import sealed
from mesolite.drivers import MesoliteExecutorDriver
from mesolite.messages.checking import Duration
from mesolite.messages.data import Data
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import ExecutorInfo, KillPolicy, TaskInfo
from mesolite.slips import check_callbacks

UNTOUCHED = ("data", "labels", "healthy", "check_status", "container_status", "reason")
"""What an executor says of a task and the scheduler gets as it was said (HT-178)."""

DAY = 86_400


class MesosExecutorDriver:
    """What an executor may ask for, with pymesos's names. It is made while the cluster starts the executor.

    Attributes:
        executor_id: once registered; None before, as the next two.
        executor_info: what the framework has said of this executor.
        framework_info: whose executor it is.
    """

    def __init__(self, executor: Any, use_addict: bool = False, timeout: float = DAY, http_timeout: float = 10) -> None:
        """Drive that executor, with `Dict`s for dictionaries if so wanted; there are no connections to time out.

        Raises:
            Refused: no cluster is just starting an executor.
        """
        hosted = _STARTING.get()
        if hosted is None:
            raise Refused(
                "an executor's driver is made when a cluster starts the executor: name its class, or the function that "
                "makes the driver, in `with on(cluster, executors={'its name': ...})`, and launch a task with it"
            )
        self.executor = executor
        self.timeout, self.http_timeout = timeout, http_timeout
        self.executor_id: Plain | None = None
        self.executor_info: Plain | None = None
        self.framework_id: Plain | None = None
        self.framework_info: Plain | None = None
        self.shape: Callable[[dict[str, Any]], Any] = Dict if use_addict else dict
        self._native: MesoliteExecutorDriver | None = None
        self._ended = False
        hosted.driver = self

    @property
    def connected(self) -> bool:
        """Whether the agent knows the executor."""
        return self._native is not None

    @property
    def aborted(self) -> bool:
        """Whether the driver has been ended."""
        return self._ended

    def start(self) -> None:
        """Begin; callbacks come as soon as the agent knows the executor."""

    def join(self) -> None:
        """Return at once: the executor lives on in its cluster, which needs nobody to wait."""

    def run(self) -> None:
        """Begin, and return at once."""

    def stop(self) -> None:
        """End the executor; what it has not said the end of has failed."""
        self._ended = True
        if self._native is not None:
            self._known.stop()

    def abort(self) -> None:
        """End the executor."""
        self.stop()

    def sendStatusUpdate(self, status: Plain) -> None:
        """Say what state a task is in; delivered at least once, as long as this executor lives."""
        status = reading.mapping(status, "status")
        extras = {name: status[name] for name in UNTOUCHED if status.get(name) is not None}
        task_id = reading.identifier(status.get("task_id"), "status.task_id")
        own_data = reading.data(extras.get("data"), "status.data")
        data: Data = own_data if list(extras) in ([], ["data"]) else sealed(extras, "status")
        self._known.send_status_update(TaskId(task_id), status.get("state"), status.get("message") or None, data)  # type: ignore[arg-type]  # it is checked there

    def sendFrameworkMessage(self, data: str) -> None:
        """Tell the scheduler something, in base64; best effort."""
        self._known.send_framework_message(reading.data(data, "data"))

    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual; pymesos has no such thing."""
        return self._known.now()

    def call_later(self, delay: Duration, function: Callable[[], object]) -> None:
        """Call a function as if it were a callback, in that many seconds; pymesos has no such thing."""
        self._known.call_later(delay, function)

    def begin(self, native: ExecutorDriver, executor: ExecutorInfo, framework: FrameworkInfo, agent: AgentInfo) -> None:
        """Pass on that the agent knows the executor."""
        assert isinstance(native, MesoliteExecutorDriver), "an executor is hosted by our own driver"
        self._native = native
        self.executor_info = writing.executor_info(executor)
        self.framework_info = writing.framework_info(framework)
        self.executor_id = writing.identifier(executor.executor_id)
        self.framework_id = self.framework_info["id"]
        infos = (self.executor_info, self.framework_info, writing.agent_info(agent))
        self.executor.registered(self, *(self.shape(dict(info)) for info in infos))

    @property
    def _known(self) -> MesoliteExecutorDriver:
        if self._native is None:
            raise Refused("this executor is not registered yet; send what is to be sent in registered(), or later")
        return self._native


class Hosted(NativeExecutor):
    """One life of an executor: it makes the user's, and passes on what is said to it."""

    program: Program
    driver: MesosExecutorDriver | None = None

    def __init__(self) -> None:
        """Run the user's class, or what stands for the program.

        Raises:
            Refused: that has neither made a driver nor returned an executor.
        """
        token = _STARTING.set(self)
        try:
            made = self.program()
            if self.driver is None and hasattr(made, "launchTask"):
                self.driver = MesosExecutorDriver(made, use_addict=True)
        finally:
            _STARTING.reset(token)
        if self.driver is None:
            raise Refused(f"{type(self).__name__} is no class of executors, and has made no MesosExecutorDriver")

    def registered(
        self, driver: ExecutorDriver, executor_info: ExecutorInfo, framework_info: FrameworkInfo, agent_info: AgentInfo
    ) -> None:
        """Pass it on."""
        self._theirs.begin(driver, executor_info, framework_info, agent_info)

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        """Pass it on."""
        theirs = self._theirs
        theirs.executor.launchTask(theirs, theirs.shape(writing.task_info(task)))

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        """Pass it on; of the policy pymesos tells nothing."""
        theirs = self._theirs
        theirs.executor.killTask(theirs, theirs.shape(writing.identifier(task_id)))

    def framework_message(self, driver: ExecutorDriver, data: Data) -> None:
        """Pass it on."""
        self._theirs.executor.frameworkMessage(self._theirs, writing.data(data))

    def shutdown(self, driver: ExecutorDriver) -> None:
        """Pass it on."""
        self._theirs.executor.shutdown(self._theirs)

    @property
    def _theirs(self) -> MesosExecutorDriver:
        assert self.driver is not None, "a driver is made before it is called"
        return self.driver


_STARTING: ContextVar[Hosted | None] = ContextVar("the executor that is being started on this thread", default=None)

_CLASSES: WeakValueDictionary[Program, type[Hosted]] = WeakValueDictionary()
"""A cluster wants the same class for the same name each time; it lives as long as a cluster has it."""


def hosted(program: Program) -> type[Hosted]:
    """The class that runs this program's executor in process.

    Raises:
        Refused: it has a method that must have been meant as a callback.
    """
    known = _CLASSES.get(program)
    if known is None:
        if isinstance(program, type) and issubclass(program, Executor):
            check_callbacks(program, Executor)
        name = getattr(program, "__name__", type(program).__name__)
        known = _CLASSES[program] = type(name, (Hosted,), {"program": staticmethod(program)})
    return known
