"""What a test does with messages: observe them, wait for them, lose them, keep them back, say one itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mesolite.actors.actor import OUTSIDE
from mesolite.actors.decisions.contract import PeerExited
from mesolite.actors.errors import InvalidValue
from mesolite.actors.runtime.port import Delivery
from mesolite.actors.trace import Code
from mesolite.messages.base import Message
from mesolite.messages.checking import Count, Duration, Timeout, checked_arguments, in_seconds, misfit
from mesolite.simulation.hold import Hold
from mesolite.simulation.named import AnyActor, Named
from mesolite.simulation.network import Rule, Verdict, made

Kind = type[Message] | type[PeerExited] | Iterable[type[Message] | type[PeerExited]] | None


class Observing(Named):
    """The verbs of a simulation that are about messages."""

    seed: int

    @checked_arguments
    def observe(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
    ) -> Rule:
        """Observe messages from now on: `.count`, `.first`, `.all`. Seen means about to be handled (core.md LP-53).

        Sender and receiver, here and in the faults below, may be actors that are yet to come: agents to be added,
        frameworks, executors. So any name is taken, `agent-9` too, but one that nobody ever had and that is nearly that
        of somebody: `agnet-1` is a slip of the pen.

        Raises:
            Refused: there never was anybody of that name, but somebody of nearly the same.
        """
        return self._rule(kind, sender, receiver, where, Verdict.DELIVER)

    expect = observe
    """The same, where a test means to look whether it came."""

    @checked_arguments
    def wait_for(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        *,
        timeout: Timeout,
    ) -> Any:
        """Let things happen and time pass until such a message is about to be handled, and return it.

        Raises:
            TimeoutError: none was, within so many virtual seconds.
            NothingToWaitFor: `timeout` is infinite, and nothing is to come but pings, heartbeats and retries.
        """
        seen = self.observe(kind, sender, receiver, where)
        try:
            if not self.runtime.wait(lambda: seen.count > 0, in_seconds(timeout)):
                waited, now = in_seconds(timeout), self.runtime.now()
                raise TimeoutError(
                    f"there was no {seen.describe()} within {waited:g} virtual seconds (it is {now:.3f} now, seed "
                    f"{self.seed})"
                )
        finally:
            self.forget(seen)
        return seen.first

    @checked_arguments
    def drop(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Rule:
        """Lose messages: the first so many, or all from now on.

        Nobody learns of it, which no real connection does: TCP loses nothing without breaking. It is for messages that
        are said again, or for seeing what would be if one were not; where that matters, use `partition` and `heal`.
        """
        return self._rule(kind, sender, receiver, where, Verdict.DROP, times)

    @checked_arguments
    def hold(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Hold:
        """Keep messages back, the first so many or all, until `release()` or `drop()`."""
        return Hold(self.runtime, self._rule(kind, sender, receiver, where, Verdict.HOLD, times))

    @checked_arguments
    def delay(
        self,
        seconds: Duration,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Rule:
        """Let messages take so much longer; others of the same pair may overtake them."""
        return self._rule(kind, sender, receiver, where, Verdict.DELAY, times, in_seconds(seconds))

    @checked_arguments
    def duplicate(
        self,
        kind: Kind = None,
        sender: AnyActor = None,
        receiver: AnyActor = None,
        where: Callable[[Any], bool] | None = None,
        times: Count | None = None,
    ) -> Rule:
        """Deliver messages twice."""
        return self._rule(kind, sender, receiver, where, Verdict.DUPLICATE, times)

    @checked_arguments
    def forget(self, rule: Rule) -> None:
        """End an observation or a fault; what it has seen stays readable."""
        if rule.code:
            self._did("forget", (rule.sender, rule.receiver), Code(rule.code), cause=rule.by)
        self.runtime.network.remove(rule)

    @checked_arguments
    def inject(self, to: AnyActor, message: Message | PeerExited, sender: AnyActor = OUTSIDE) -> None:
        """Deliver a message as if `sender` had said it.

        Raises:
            Refused: there is nobody of that name.
        """
        if why_not := misfit(message):
            raise InvalidValue(why_not)
        context = self._alive(to, f"inject {type(message).__name__} to")
        by, said = self._name(sender) or OUTSIDE, Code(f"{type(message).__name__}(...)")
        done = self._did("inject", (context.name,), context.name, said, sender=None if by == OUTSIDE else by)
        context.ref.tell(Delivery(message, by, done))

    # ------------------------------------------------------------------------------------------------------ inside

    def _rule(
        self,
        kind: Kind,
        sender: AnyActor,
        receiver: AnyActor,
        where: Callable[[Any], bool] | None,
        verdict: Verdict,
        times: Count | None = None,
        delay_s: float = 0.0,
    ) -> Rule:
        rule = self._rule_for(kind, sender, receiver, where)
        rule.verdict, rule.times, rule.delay_s = verdict, times, delay_s
        if verdict is not Verdict.DELIVER:  # who only looks does nothing
            done = made(rule)
            rule.by, rule.code = self._record(done), done.code
        return self.runtime.network.add(rule)

    def _rule_for(
        self, kind: Kind, sender: AnyActor, receiver: AnyActor, where: Callable[[Any], bool] | None
    ) -> Rule:
        kinds = kind if isinstance(kind, type | None) else tuple(kind)
        return Rule(kinds, self._known(sender), self._known(receiver), where, Verdict.DELIVER)
