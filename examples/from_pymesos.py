"""A scheduler written for pymesos: on a real cluster, and under fifty seeds of faults, which find what it forgets.

Run it: python examples/from_pymesos.py
"""

from mesolite import Cluster
from mesolite.compat.pymesos import MesosSchedulerDriver, Scheduler, on  # was: from pymesos import ...
from mesolite.harness import explore

MASTER = "zk://zookeeper:2181/mesos"
SERVICES = ("web", "api")


class Services(Scheduler):
    """Keeps two services running, and believes that a task can be lost in three ways only."""

    def __init__(self):
        self.lost = ["TASK_FINISHED", "TASK_FAILED", "TASK_KILLED"]
        self.running = dict.fromkeys(SERVICES, "")
        self.launched = 0

    def resourceOffers(self, driver, offers):
        for offer in offers:
            missing = [name for name, task_id in self.running.items() if not task_id]
            if not missing:
                driver.declineOffer(offer["id"], {"refuse_seconds": 5})
                continue
            self.launched += 1
            task_id = self.running[missing[0]] = f"{missing[0]}.{self.launched}"
            task = {
                "task_id": {"value": task_id},
                "agent_id": offer["agent_id"],
                "name": missing[0],
                "command": {"value": "sleep 100000"},
                "resources": [
                    {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}},
                    {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}},
                ],
            }
            driver.launchTasks(offer["id"], [task])

    def statusUpdate(self, driver, update):
        if update["state"] in self.lost:
            self.ended(update["task_id"]["value"])

    def ended(self, task_id):
        """Whose task it was has none now."""
        name = task_id.partition(".")[0]
        if self.running[name] == task_id:
            self.running[name] = ""


class Mended(Services):
    """Knows all ways to lose a task, and asks now and then what became of those that it has."""

    def __init__(self):
        super().__init__()
        self.lost += ["TASK_LOST", "TASK_ERROR"]

    def processHeartBeat(self, driver):
        driver.reconcileTasks([{"task_id": {"value": task_id}} for task_id in self.running.values() if task_id])


def program(scheduler):
    """What its own program does; nothing in it knows of Mesolite."""
    driver = MesosSchedulerDriver(scheduler, {"user": "nobody", "name": "services"}, MASTER)
    driver.start()
    return driver


def under_faults(sim, kind=Services):
    """What is explored: within a quarter of an hour after the last fault both services have to run."""
    with on(sim.cluster(agents=3, masters=2)):
        program(kind())
    sim.eventually(lambda: len(sim.view.running("services")) >= len(SERVICES), within=900)
    sim.advance(60)


def mended_under_faults(sim):
    """The same, of the other one."""
    under_faults(sim, Mended)


def states(cluster):
    """In which states its tasks are, as the master has it."""
    return [task["state"] for framework in cluster.operator.state()["frameworks"] for task in framework["tasks"]]


def main():
    """Run it for real; then look for an order of events that it does not survive."""
    services = Services()
    with Cluster(agents=2) as cluster, on(cluster):
        driver = program(services)
        cluster.wait_until(lambda: states(cluster) == ["TASK_RUNNING", "TASK_RUNNING"], timeout=30)
        driver.stop()
    print(f"for real: {', '.join(services.running.values())}")
    found = explore(under_faults, seeds=50)
    print(f"seed {found.failure.seed}: a service stays away after this:\n{found.failure.code}")
    found = explore(mended_under_faults, seeds=50)
    found.check()
    print(f"mended: {found.runs} seeds, nothing found")


if __name__ == "__main__":
    main()
