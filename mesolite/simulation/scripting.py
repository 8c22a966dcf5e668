"""What a test wants done when its time has come, or its message: an order of events, by time or by event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.decisions.contract import PeerExited
from mesolite.actors.errors import InvalidValue
from mesolite.actors.trace import HEARTBEATS, Record, Trace
from mesolite.messages.base import Message
from mesolite.messages.checking import SomeCount, Time, checked_arguments
from mesolite.simulation.actions import Action, act
from mesolite.simulation.named import AnyActor
from mesolite.simulation.network import Envelope, Rule, Verdict
from mesolite.simulation.observing import Kind, Observing
from mesolite.simulation.scheduled_actions import Scheduled
from mesolite.simulation.virtual import VirtualRuntime


class When:
    """A moment that is still to come: the nth message of a kind, just handled. What is done then, `then` says."""

    def __init__(self, describe: str, sim: Any) -> None:
        """Wait for that in this simulation."""
        self._describe = describe
        self._sim = sim
        self._actions: list[Action] = []
        self.happened = False
        """Whether it has come."""

    def __repr__(self) -> str:
        """Show what it waits for."""
        return f"<When {self._describe}: {'happened' if self.happened else 'to come'}>"

    @checked_arguments
    def then(self, action: Action) -> When:
        """Do this as soon as that message was handled, before anything else happens."""
        self._actions.append(action)
        return self

    def come(self) -> None:
        """It has happened."""
        self.happened = True
        for action in self._actions:
            act(action, self._sim)


class Scripting(Observing):
    """The verbs of a simulation that do something later."""

    trace: Trace

    @checked_arguments
    def at(self, time: Time, action: Action) -> None:
        """Do this at that virtual time. It may use every verb, also those that wait, as an operator's do.

        Here and below an action is called with the simulation if it takes an argument.

        Raises:
            InvalidValue: that time has passed.
        """
        now = self.runtime.now()
        if time < now:
            raise InvalidValue(f"at {time:g} s nothing can be done any more: it is {now:.3f} s now")
        self.runtime.at(time, Scheduled(lambda: act(action, self)))

    @checked_arguments
    def when(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        *,
        nth: SomeCount = 1,
    ) -> When:
        """Wait for the nth such message from now on: `sim.when(UnregisterAgent, receiver="master-1").then(crash)`.

        What `then` is given is done as soon as that message was handled: what its receiver says to it is in flight.
        """
        wanted = self._rule_for(kind, sender, receiver, where)
        when = When(f"{wanted.describe()}, the {nth}. of them" if nth > 1 else wanted.describe(), self)
        left = nth

        failed: list[Exception] = []

        def look(record: Record) -> None:
            nonlocal left
            if not isinstance(record.event, Message | PeerExited):
                return
            try:
                left -= wanted.matches(Envelope(record.sender, record.actor, record.event, -1))
            except Exception as error:  # noqa: BLE001  # of the test's `where`, and not of the actor that is at work
                failed.append(error)
            if failed or left == 0:
                unsubscribe()
                self.runtime.looks.append(come)

        def come() -> None:
            self.runtime.looks.remove(come)
            if failed:
                raise failed[0]
            when.come()

        unsubscribe = self.trace.subscribe(look)
        return when

    @checked_arguments
    def first(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        *,
        nth: SomeCount = 1,
    ) -> When:
        """Let the nth such message be handled before those of all other senders to its receiver, which wait for it.

        It says an order by events, whatever the seed: `sim.first(UnregisterAgent, "agent-1", "master-1")`. What its own
        sender said before it still comes before it; heartbeats do not wait. If it never comes, the others wait until
        `sim.recover()`.

        Raises:
            InvalidValue: there is no receiver: it is there that the others have to wait.
        """
        if receiver is None:
            raise InvalidValue(f"first(receiver=None): give the receiver at which {kind} comes first")
        wanted = self._rule_for(kind, sender, receiver, where)
        others = _Others(wanted, self.runtime)
        others.by = self._did(
            "first",
            (wanted.receiver,),
            wanted.kind,
            sender=wanted.sender,
            receiver=wanted.receiver,
            where=where,
            nth=None if nth == 1 else nth,
        )
        self.runtime.network.add(others)
        return self.when(kind, sender, receiver, where, nth=nth).then(others.let_pass)


class _Others(Rule):
    """Keeps back what comes to a receiver before the message that is wanted first."""

    def __init__(self, wanted: Rule, runtime: VirtualRuntime) -> None:
        """Keep back what is not that."""
        super().__init__(None, None, wanted.receiver, None, Verdict.HOLD)
        self._wanted = wanted
        self._runtime = runtime
        self._overtaken = ""

    def matches(self, parcel: Envelope) -> bool:
        """Whether it has to wait: it is another, or comes after one of its own sender that does."""
        if parcel.to != self.receiver or isinstance(parcel.event, HEARTBEATS):
            return False
        if not self._wanted.matches(parcel):
            return True
        if all(other.sender != parcel.sender for other in self.matched):
            return False
        self._overtaken = parcel.sender
        self._runtime.looks.append(self._let_pass_of_one)
        return True

    def _let_pass_of_one(self) -> None:
        """Let everything of one sender pass, in order; on one channel nothing overtakes (core.md LP-13)."""
        self._runtime.looks.remove(self._let_pass_of_one)
        passing = [parcel for parcel in self.matched if parcel.sender == self._overtaken]
        self.matched = [parcel for parcel in self.matched if parcel.sender != self._overtaken]
        self._runtime.release(passing, self.by)

    def let_pass(self) -> None:
        """The message has come: keep back nothing more."""
        self._runtime.network.remove(self)
        self._runtime.release(self.take_matched(), self.by)
