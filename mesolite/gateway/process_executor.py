"""A remote executor: the actor behind an operating-system process that speaks HTTP with its agent (section 8).

To its agent it is an executor like any other; its user code is the process, which is told things on a stream and says
things by calls. Both come through the agent's endpoint. The process may open its stream again whenever it likes: only
its exit ends this actor (HT-246).

    Started --> process runs --SUBSCRIBE--> registering --registered--> connected <--SUBSCRIBE-- connected, no stream
                                                                         |     ^  --stream gone-->
                                                            agent exits  v     |  asked to reconnect, and SUBSCRIBE
                                                                      waiting for the agent (HT-248)
    any --told to shut down, or its agent gone for good--> SHUTDOWN, grace, SIGKILL        any --process exits--> Exit
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import attrs
from attrs import frozen

from mesolite.actors.decisions.agent.executors import NOT_LAUNCHED
from mesolite.actors.decisions.contract import (
    Core,
    Effect,
    ExecutorStart,
    Exit,
    Link,
    LinkBroken,
    PeerExited,
    Run,
    SetTimer,
    SignalWork,
    Started,
    Table,
    TimerKey,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
    on,
    on_each,
)
from mesolite.actors.decisions.executor.registration import ExecutorRegistration, ReconnectTimeout
from mesolite.actors.decisions.rules import sandboxes
from mesolite.actors.decisions.rules.work_outcome import SIGKILL, outcome
from mesolite.actors.decisions.settings import Settings
from mesolite.gateway import executor_stream
from mesolite.gateway.executor_stream import ExecutorHeartbeat, ExecutorStream
from mesolite.messages.checking import evolve
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    ShutdownExecutor,
)
from mesolite.messages.ids import TaskId, UpdateId
from mesolite.messages.relayed import (
    FrameworkToExecutor,
    KillTask,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.remote import ExecutorCalled, ExecutorConnected, ExecutorSubscribed, StreamLost
from mesolite.messages.tasks import SimulatedWork

ACKNOWLEDGED_KNOWN = 1000
"""So many of the last acknowledged updates are known, should the process not have heard (HT-199)."""

UNTIL_KILLED = SimulatedWork(duration=None)
"""In a simulation the process is whoever plays the client; it runs until it is killed."""


@frozen
class ProcessGrace(TimerKey):
    """The process was told to end, and has not (HT-218)."""


class ProcessExecutorCore(Core):
    """Decides for one executor process, from its start to its exit."""

    def __init__(self, start: ExecutorStart, settings: Settings) -> None:
        """Start with what the agent gave it; `start.info` has the command."""
        super().__init__()
        self.start = start
        self.registration = ExecutorRegistration(start, settings.executor_recovery_timeout_s)
        self.stream = ExecutorStream()
        self._register: Effect | None = None  # to be said when the process subscribes for the first time
        # What the agent said of it; None until it has registered.
        self._known_as: ExecutorRegistered | None = None
        # What the process said that it has, when it subscribed last.
        self._brought = ExecutorSubscribed(number=0)
        self._untold: list[StatusUpdate] = []  # while the agent does not listen
        self._acknowledged: deque[UpdateId] = deque(maxlen=ACKNOWLEDGED_KNOWN)
        self._kills: dict[TaskId, KillTask] = {}  # of tasks that the process may not have
        self._awaits_agent = self._agent_asks = False
        self._has_process = self._to_be_killed = self._ending = False

    # --- the process -----------------------------------------------------------------------------------

    def _started(self, event: Started, sender: str, now: float) -> None:
        """Start the process; that it is up is said when it subscribes."""
        start, info = self.start, self.start.info
        assert info is not None, f"executor {start.executor_id} is a command executor"
        assert info.command is not None, f"executor {start.executor_id} has no command"
        link, self._register = self.registration.begin(event)
        run = Run(
            event.name,
            info.command,
            start.environment,
            start.sandbox,
            UNTIL_KILLED,
            resources=info.resources,
            user=start.user,
        )
        self.effects += [link, run]

    def _work_started(self, event: WorkStarted, sender: str, now: float) -> None:
        self._has_process = True
        if self._to_be_killed:
            self._kill()

    def _work_failed_to_start(self, event: WorkFailedToStart, sender: str, now: float) -> None:
        self.effects.append(Exit(event.error, NOT_LAUNCHED))

    def _work_exited(self, event: WorkExited, sender: str, now: float) -> None:
        """Its exit is the executor's; the status is that of wait(2), as schedulers are told it (HT-164, HT-217)."""
        self.effects += self.stream.end()
        if self.registration.connected:
            self._tell_endpoint(connected=False)
        status = event.signal if event.exit_status is None else event.exit_status << 8
        assert status is not None, f"{event} says neither status nor signal"
        how = outcome(event.exit_status, event.signal)
        self.effects.append(Exit(f"executor {self.start.executor_id}: {how}", status))

    def _shut_down(self, grace_s: float) -> None:
        """Let it end by itself until the grace is over (HT-218); it is told once, be the grace another later."""
        self.effects.append(SetTimer(ProcessGrace(), grace_s))
        if not self._ending:
            self._ending = True
            self.effects += self.stream.say(executor_stream.SHUTDOWN)
            self._turn_away()

    def _turn_away(self) -> None:
        """Who waits for an answer while it is on its way out gets no other (HT-196)."""
        if self.stream.number is not None and not self.stream.is_open:
            if self.registration.connected:
                self._tell_endpoint(connected=True)  # its last updates are taken all the same
            self.effects += self.stream.begin(executor_stream.SHUTDOWN)
            self.effects += self.stream.end()

    def _grace_over(self, key: ProcessGrace, sender: str, now: float) -> None:
        self._kill()

    def _kill(self) -> None:
        self._to_be_killed = True
        if self._has_process:
            self.effects.append(SignalWork(self.registration.name, SIGKILL))

    # --- the agent -------------------------------------------------------------------------------------

    def _agent_spoke(self, event: object, sender: str, now: float) -> None:
        """Only its agent is heard; what finds nobody listening is lost (HT-247)."""
        registration, say = self.registration, self.stream.say
        if sender != registration.agent:
            return
        match event:
            case ExecutorRegistered():
                self._known_as = event
                self._connected()
            case ExecutorReregistered(agent_info=agent_info) if self._known_as is not None:
                self._known_as = attrs.evolve(self._known_as, agent_info=agent_info)
                self._connected()
            case RunTask(task=task) if registration.connected:
                registration.take(task)
                self.effects += say(executor_stream.launch(task))
            case KillTask(task_id=task_id):
                if task_id in registration.tasks:
                    self._kills[task_id] = event
                self.effects += say(executor_stream.kill(event))
            case StatusUpdateAcknowledgement(task_id=task_id, uuid=uuid) if uuid in registration.updates:
                registration.acknowledge(event)
                self._kills.pop(task_id, None)
                self._acknowledged.append(uuid)
                self.effects += say(executor_stream.acknowledged(task_id, uuid))
            case FrameworkToExecutor(data=data):
                self.effects += say(executor_stream.message(data))
            case ShutdownExecutor(grace_s=grace_s):
                self._shut_down(grace_s)

    def _connected(self) -> None:
        """The agent knows it, for the first time or again; the process may have left its stream by now."""
        self.effects += self.registration.confirm()
        self._awaits_agent = self._agent_asks = False
        if not self.stream.is_open:
            self._open_stream()
        self._pass_on()

    def _peer_exited(self, event: PeerExited, sender: str, now: float) -> None:
        """With the agent went its endpoint, and the stream (HT-248, HT-249)."""
        if event.name != self.registration.agent:
            return
        self.effects += self.stream.lost()
        self._agent_asks = False
        if self.registration.outlives_agent and not self._ending:
            self._awaits_agent = True
            self.effects += self.registration.await_agent()
        elif not (self._awaits_agent or self._ending):
            self._shut_down(self.start.shutdown_grace_s)

    def _reconnect(self, event: ReconnectExecutor, sender: str, now: float) -> None:
        """Whoever asks is the agent now, and is answered when the process has subscribed there (HT-248)."""
        if self._ending:
            return
        self.registration.agent = sender
        self._agent_asks = True
        if self.stream.number is None:
            self.effects.append(Link(sender))
        else:
            self._reregister()

    def _reregister(self) -> None:
        self._untold = []  # the agent is told of all that is not acknowledged
        self.effects += self.registration.reconnect(self.registration.agent)

    def _agent_is_lost(self, key: ReconnectTimeout, sender: str, now: float) -> None:
        self._shut_down(self.start.shutdown_grace_s)

    # --- the endpoint ----------------------------------------------------------------------------------

    @property
    def _endpoint(self) -> str:
        return f"{self.registration.agent}/http"

    def _subscribed(self, event: ExecutorSubscribed, sender: str, now: float) -> None:
        """The process wants a stream, instead of the one it had, if any."""
        if sender != self._endpoint:
            return
        self.effects += self.stream.asked(event.number)
        self._brought = event
        for update in event.updates:
            self._remember(update, now)
        if self._ending:
            self._turn_away()
        elif self.registration.connected:
            self._open_stream()
            self._pass_on()
        elif self._agent_asks:
            self._reregister()
        elif self._register is not None:
            self.effects.append(self._register)
            self._register = None

    def _open_stream(self) -> None:
        """Say what it is, and what its process has missed (HT-192, HT-199, HT-247)."""
        if self.stream.number is None or self._known_as is None:
            return
        registration, say = self.registration, self.stream.say
        self._tell_endpoint(connected=True)  # before the process can know that it may call
        self.effects += self.stream.begin(
            executor_stream.subscribed(
                self._known_as,
                registration.framework_id,
                sandboxes.container_id(self.start.agent, self.start.sandbox),
            )
        )
        self.effects += self.stream.keep_alive()
        for status in (update.status for update in self._brought.updates):
            if status.uuid is not None and status.uuid in self._acknowledged:
                self.effects += say(executor_stream.acknowledged(status.task_id, status.uuid))
        has = {*self._brought.task_ids, *(update.status.task_id for update in registration.updates.values())}
        for task_id, task in registration.tasks.items():
            if task_id not in has:
                self.effects += say(executor_stream.launch(task))
                if task_id in self._kills:
                    self.effects += say(executor_stream.kill(self._kills[task_id]))

    def _called(self, event: ExecutorCalled, sender: str, now: float) -> None:
        if sender != self._endpoint:
            return
        call = event.call
        if not isinstance(call, StatusUpdate):
            if self.registration.connected:
                self.send(self.registration.agent, call)
        elif call.status.uuid is not None and call.status.uuid in self._acknowledged:
            # It is said again, so the answer was not heard (TK-16).
            self.effects += self.stream.say(executor_stream.acknowledged(call.status.task_id, call.status.uuid))
        else:
            self._remember(call, now)
            self._pass_on()

    def _remember(self, update: StatusUpdate, now: float) -> None:
        """Take an update that is new, and fill in what the process has left out (HT-178)."""
        status, registration = update.status, self.registration
        uuid = status.uuid
        if uuid is None or uuid in registration.updates or uuid in self._acknowledged:
            return
        whole = evolve(
            status,
            agent_id=status.agent_id or registration.agent_id,
            executor_id=status.executor_id or registration.executor_id,
            timestamp=now if status.timestamp is None else status.timestamp,
        )
        registration.updates[uuid] = attrs.evolve(update, status=whole)
        self._untold.append(registration.updates[uuid])

    def _pass_on(self) -> None:
        if self.registration.connected:
            untold, self._untold = self._untold, []
            for update in untold:
                self.send(self.registration.agent, update)

    def _stream_lost(self, event: StreamLost, sender: str, now: float) -> None:
        """The executor lives on without it (HT-246); of one that was replaced it is no news."""
        if sender == self._endpoint and event.number == self.stream.number:
            if self.stream.is_open:
                self._tell_endpoint(connected=False)
            self.effects += self.stream.lost()

    def _tell_endpoint(self, *, connected: bool) -> None:
        framework_id, executor_id = self.registration.framework_id, self.registration.executor_id
        told = ExecutorConnected(framework_id=framework_id, executor_id=executor_id, connected=connected)
        self.send(self._endpoint, told)

    def _heartbeat(self, key: ExecutorHeartbeat, sender: str, now: float) -> None:
        self.effects += self.stream.say(executor_stream.HEARTBEAT)
        self.effects += self.stream.keep_alive()

    HANDLERS: ClassVar[Table] = dict(
        [
            on(Started, _started),
            on(PeerExited, _peer_exited),
            on(WorkStarted, _work_started),
            on(WorkFailedToStart, _work_failed_to_start),
            on(WorkExited, _work_exited),
            *on_each(
                ExecutorRegistered,
                ExecutorReregistered,
                RunTask,
                KillTask,
                StatusUpdateAcknowledgement,
                FrameworkToExecutor,
                ShutdownExecutor,
                decide=_agent_spoke,
            ),
            on(ReconnectExecutor, _reconnect),
            on(ExecutorSubscribed, _subscribed),
            on(ExecutorCalled, _called),
            on(StreamLost, _stream_lost),
        ]
    )
    TIMERS: ClassVar[Table] = dict(
        [
            on(ExecutorHeartbeat, _heartbeat),
            on(ProcessGrace, _grace_over),
            on(ReconnectTimeout, _agent_is_lost),
        ]
    )
    IGNORED = frozenset({LinkBroken})
