"""A scheduler with a fault that no test of its own would find, what must hold of it, and the mend.

    mesolite explore examples/naive.py::two_workers --faults crash=2
    mesolite explore examples/naive.py::two_workers_mended

It listens to every end that it is told of. What breaks it is an end that nobody can tell.
"""

from __future__ import annotations

from mesolite import Scheduler, TaskInfo, TaskState, TaskStatus

WANTED = 2


class Naive(Scheduler):
    """Keeps two workers running: for each that has ended it starts another."""

    def __init__(self):
        """Have none yet."""
        self.alive = {}
        self.launched = 0

    def resource_offers(self, driver, offers):
        for offer in offers:
            if len(self.alive) == WANTED:
                driver.decline_offer(offer)
                continue
            self.launched += 1
            name = f"worker-{self.launched}"
            self.alive[name] = offer.agent_id
            driver.launch_tasks(offer, TaskInfo(task_id=name, resources="cpus:1;mem:64", command="sleep infinity"))
        if len(self.alive) == WANTED:
            driver.suppress_offers()

    def status_update(self, driver, status):
        if not status.state.holds_resources:  # finished, failed, killed, lost, ...
            self.alive.pop(status.task_id, None)
            driver.revive_offers()


class Mended(Naive):
    """Asks once a minute about what it believes, and about all there is; what it did not want it kills."""

    asking = False

    def registered(self, driver, framework_id, master):
        if not self.asking:  # it is registered anew with every leader
            self.asking = True
            self.ask(driver)

    def ask(self, driver):
        """Ask, now and again."""
        driver.reconcile_tasks()
        driver.reconcile_tasks(TaskStatus(task_id=name, state=TaskState.TASK_STAGING) for name in self.alive)
        driver.call_later(60, lambda: self.ask(driver))

    def status_update(self, driver, status):
        if status.state.holds_resources and status.task_id not in self.alive:
            driver.kill_task(status.task_id)  # given up for lost, and back
        else:
            super().status_update(driver, status)

    def inverse_offers(self, driver, inverse_offers):
        driver.decline_inverse_offers([each.id for each in inverse_offers], reason="two workers are needed")


def two_workers(sim, scheduler=Naive):
    """Whatever has happened: when all is well again, both run within ten minutes."""
    cluster = sim.cluster(agents=2, masters=2)
    cluster.run(scheduler(), framework="pool")

    def both_run():
        return len(sim.view.running("pool")) == WANTED

    sim.eventually(both_run, within=600)
    sim.advance(60)


def two_workers_mended(sim):
    """The same with the scheduler that asks."""
    two_workers(sim, Mended)
