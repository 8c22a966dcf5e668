"""State machines of Hypothesis, as users write them: one whose scheduler has a fault, and one that is mended."""

from __future__ import annotations

from hypothesis import strategies as st

from mesolite import MesoliteSchedulerDriver, TaskState
from mesolite.harness.stateful import ClusterMachine, invariant, precondition, rule
from tests.harness.naive import LISTENS_TO, Careful, Naive


class Keeping(ClusterMachine):
    """A scheduler that keeps tasks running, its user who kills some, and what it must know."""

    agents, masters = 2, 1
    scheduler: Naive
    driver: MesoliteSchedulerDriver

    def scheduled(self) -> Naive:
        return Careful()

    def start(self) -> None:
        self.scheduler = self.scheduled()
        self.driver = self.cluster.run(self.scheduler, framework="mine")

    def belief(self, scheduler: Naive) -> dict[str, TaskState]:
        return dict.fromkeys(scheduler.alive, TaskState.TASK_RUNNING)

    @precondition(lambda self: self.scheduler.alive)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        """A user of the scheduler kills one of its tasks."""
        self.driver.kill_task(data.draw(st.sampled_from(list(self.scheduler.alive)), label="task"))

    @invariant()
    def it_believes_what_it_is_told(self) -> None:
        """Whatever happens to the cluster, and however late it is told."""
        found = self.sim.disagreements(self.driver, self.belief)
        deaf_to = [each for each in found if each.scheduler.is_alive and each.scheduler.unheeded]
        assert not deaf_to, str(deaf_to[0])


class KeepingBadly(Keeping):
    """The same, but the scheduler has not thought of tasks that get lost."""

    def scheduled(self) -> Naive:
        return Naive([state for state in LISTENS_TO if state is not TaskState.TASK_LOST])
