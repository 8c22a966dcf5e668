"""What a scheduler believes, against what is so: a difference that stays is a fault of whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mesolite.harness.checkers.checker import Checker, Family, Finding
from mesolite.messages.tasks import TaskState

Belief = Callable[[Any], Mapping[str, TaskState]]
"""What a scheduler believes: of each task that it knows of, the state."""


class BeliefsAreTrue(Checker):
    """Whoever takes for alive what is dead waits for ever; whoever takes for dead what is alive starts it twice."""

    name = "beliefs_are_true"
    statement = "A scheduler believes of the tasks that are alive that they are, and of no others, once all is mended."
    family = Family.YOURS

    def __init__(self, belief: Belief, framework: str | None = None) -> None:
        """Ask `belief(scheduler)` of the schedulers of all frameworks, or of the one of that name."""
        self._belief = belief
        self._framework = framework

    def calm(self) -> Iterator[Finding]:
        """Compare both, for every driver that still runs."""
        cluster = self.watch.sim.started
        for driver in cluster.frameworks.values() if cluster is not None else ():
            if not driver.still_running or self._framework not in (None, driver.framework_name):
                continue
            alive = {task.task_id for task in self.watch.sim.view.running(driver)}
            believed = {task_id for task_id, state in self._belief(driver.user()).items() if state.holds_resources}
            for task_id in sorted(believed - alive):
                yield f"{driver.name} believes that {task_id} is alive, and it is not", (task_id,)
            for task_id in sorted(alive - believed):
                yield f"{driver.name} does not believe that {task_id} is alive, and it is", (task_id,)
