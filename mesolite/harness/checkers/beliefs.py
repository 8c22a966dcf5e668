"""What a scheduler believes, against what is so: a difference that stays is a fault of whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator

from mesolite.harness.checkers.checker import Checker, Family, Finding
from mesolite.messages.checking import Duration, checked_arguments, in_seconds
from mesolite.simulation.beliefs import BeliefOf


class BeliefsAreTrue(Checker):
    """Whoever takes for alive what is dead waits for ever; whoever takes for dead what is alive starts it twice."""

    name = "beliefs_are_true"
    statement = "A scheduler believes of the tasks that are alive that they are, and of no others, once all is mended."
    family = Family.YOURS

    @checked_arguments
    def __init__(
        self, belief: BeliefOf | None = None, framework: str | None = None, older_than: Duration | None = None
    ) -> None:
        """Ask `belief(scheduler)` of the schedulers of all frameworks, or of the one of that name.

        By default what their callbacks were told is what they believe. `older_than`: it is an error, too, while nothing
        is disturbed, if belief and truth differ for so many seconds.
        """
        self._belief = belief
        self._framework = framework
        self._older_than_s = None if older_than is None else in_seconds(older_than)

    def calm(self) -> Iterator[Finding]:
        """Compare both, for every driver that still runs."""
        return self._differences(0.0)

    def overdue(self, now: float) -> Iterator[Finding]:
        """Compare both, if somebody has said how long they may differ."""
        return iter(()) if self._older_than_s is None else self._differences(self._older_than_s)

    def _differences(self, older_than_s: float) -> Iterator[Finding]:
        sim = self.watch.sim
        for driver in sim.started.frameworks.values() if sim.started is not None else ():
            if not driver.still_running or self._framework not in (None, driver.framework_name):
                continue
            for found in sim.disagreements(driver, self._belief, older_than=older_than_s):
                if found.scheduler.is_alive != found.agent.is_alive:
                    yield str(found), (found.task_id,)
