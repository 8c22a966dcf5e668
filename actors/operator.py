"""An operator: puts calls and queries before the leading master, and gives out the answers (drain.md sections 4 and 5).

In Mesos there is no such process: operators speak HTTP to the master (`Master::Http`, src/master/http.cpp). Its core is
`decisions/operator.py: OperatorCore`.

    Hears
        its caller      PlaceCall PlaceQuery
        master          CallAnswered QueryAnswered
        the runtime     Started PeerExited LinkBroken
    Says
        master          DeactivateAgentCall ReactivateAgentCall DrainAgentCall MarkAgentGoneCall
                        UpdateMaintenanceScheduleCall StartMaintenanceCall StopMaintenanceCall
                        ReclaimResourcesCall ReleaseReclaimCall TeardownFrameworkCall
                        GetState GetMaintenanceSchedule GetMaintenanceStatus GetFramework
                        GetDrains GetDrain GetReclaims GetReclaim
        the runtime     Link Reply
"""

from __future__ import annotations

from typing import Protocol

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.operator import OperatorCore
from mesolite.actors.runtime.port import ActorContext
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QueryAnswered


class Answers(Protocol):
    """Where those who wait outside find what they asked for (mesolite/calls.py)."""

    def answered(self, answer: CallAnswered | QueryAnswered) -> None:
        """Take an answer, on the actor's thread."""


class OperatorActor(MesosActor):
    """Speaks for an operator; `Operator` is the class whose verbs users call."""

    def __init__(self, context: ActorContext, answers: Answers) -> None:
        """Give what is answered to whoever waits for it."""
        super().__init__(context, OperatorCore())
        self._answers = answers

    def reply(self, answer: CallAnswered | QueryAnswered) -> None:
        """Give it to whoever waits for it."""
        self._answers.answered(answer)
