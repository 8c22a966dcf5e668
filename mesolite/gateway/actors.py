"""The Pykka faces of the gateway's cores: an endpoint beside each master and agent, and an actor for each stream.

In Mesos all of them are parts of `Master::Http` and `Slave::Http` (src/master/http.cpp, src/slave/http.cpp).
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Core, ExecutorStart
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import Refused
from mesolite.actors.logs import logger, told
from mesolite.actors.runtime.port import ActorContext, Placement
from mesolite.gateway import usage
from mesolite.gateway.effects import Measure, OpenStream, ReadFiles, Write
from mesolite.gateway.endpoint import EndpointCore
from mesolite.gateway.events import ClientGone, Measured, RequestCame
from mesolite.gateway.exchange import Outlet
from mesolite.gateway.file_answers import answer_from_files
from mesolite.gateway.process_executor import ProcessExecutorCore
from mesolite.gateway.refusals import refusal
from mesolite.gateway.scheduler_stream import SchedulerStreamCore


class StreamActor(MesosActor):
    """An actor that writes to clients."""

    def __init__(self, context: ActorContext, core: Core, outlet: Outlet) -> None:
        """What it writes goes to that outlet."""
        super().__init__(context, core)
        self._outlet = outlet

    def _perform(self, effect: Any, index: int) -> None:
        if type(effect) is Write:
            self._outlet(effect.number, effect.part)
        else:
            super()._perform(effect, index)


class ProcessExecutor(StreamActor):
    """An executor that is a process; it speaks HTTP with its agent."""

    def __init__(self, context: ActorContext, start: ExecutorStart, settings: Settings, outlet: Outlet) -> None:
        """Start the process."""
        super().__init__(context, ProcessExecutorCore(start, settings), outlet)


class Endpoint(StreamActor):
    """Hears the requests to one master or agent. They leave no records: what comes of them does, where it arrives."""

    core: EndpointCore

    def handle(self, event: object, sender: str, cause: int) -> None:
        """Handle it; a request that we fail at ends with an answer that says so, and no other with it (HT-89)."""
        if type(event) not in (RequestCame, ClientGone, Measured):
            super().handle(event, sender, cause)
            return
        try:
            self._handle_unseen(event, sender)
        except Exception as error:  # noqa: BLE001  # whatever is in a request, the others must go on
            assert isinstance(event, RequestCame | ClientGone | Measured)
            self._failed(event.number, error)

    def _failed(self, number: int, error: Exception) -> None:
        logger.error("{} failed at request {}: {}", self.context.name, number, told(error))
        self._outlet(number, refusal(500, f"this is a fault of Mesolite, and in its log: request {number}"))

    def _perform(self, effect: Any, index: int) -> None:
        match effect:
            case OpenStream():
                self._open(effect)
            case ReadFiles() | Measure():
                try:
                    self._look(effect)
                except Exception as error:  # noqa: BLE001  # nor may what there is on a disk end it
                    self._failed(effect.number, error)
            case _:
                super()._perform(effect, index)

    def _look(self, effect: ReadFiles | Measure) -> None:
        """Look something up on this machine, for a request."""
        if isinstance(effect, ReadFiles):
            self._outlet(effect.number, answer_from_files(effect))
        else:
            found = usage.of(self._runtime, self.core.facts.epoch, effect.actors)
            self._runtime.post(self.context, Measured(number=effect.number, statistics=found))

    def _open(self, opened: OpenStream) -> None:
        """Start the actor of a stream, on the machine of this endpoint: the connection is its master's."""
        facts, outlet = self.core.facts, self._outlet
        core = SchedulerStreamCore(
            facts.daemon, self.context.name, facts.address, facts.epoch, facts.heartbeat_s, opened
        )
        try:
            self._runtime.start(
                opened.actor, Placement(self.context.host), lambda context: StreamActor(context, core, outlet)
            )
        except Refused as why:
            outlet(opened.number, refusal(503, str(why)))


