"""Messages that a test keeps back, to let them go later, or never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.actor import OUTSIDE
from mesolite.actors.trace import Done
from mesolite.simulation.network import Envelope, Rule
from mesolite.simulation.virtual import VirtualRuntime


class Hold:
    """Messages kept back until they are released."""

    def __init__(self, runtime: VirtualRuntime, rule: Rule) -> None:
        """Hold what the rule matches."""
        self._runtime = runtime
        self._rule = rule

    @property
    def count(self) -> int:
        """How many messages are or were held."""
        return self._rule.count

    @property
    def all(self) -> list[Any]:
        """The messages that are or were held, oldest first."""
        return self._rule.all

    def release(self, only: Callable[[Any], bool] | None = None) -> None:
        """Hold nothing more, and deliver what was held, in order; with `only`, what that picks, and never the rest."""
        done = self._did("release")
        self._runtime.release([each for each in self._let_go() if only is None or only(each.event)], done)

    def drop(self) -> None:
        """Hold nothing more, and lose what was held: nobody learns of it, as with `sim.drop`."""
        done = self._did("drop")
        self._runtime.lose(self._let_go(), done)

    def _did(self, verb: str) -> int:
        rule, runtime = self._rule, self._runtime
        runtime.check_may_act()
        about = tuple(name for name in (rule.sender, rule.receiver) if name is not None)
        done = Done(verb, about, f"{rule.code}.{verb}()")
        return runtime.trace.record(runtime.now(), "", OUTSIDE, done, (), rule.by)

    def _let_go(self) -> list[Envelope]:
        self._runtime.network.remove(self._rule)
        return self._rule.take_matched()
