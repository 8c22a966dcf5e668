"""A scheduler and an executor on the real pymesos, over HTTP: four squares, computed in a process of their own.

All but `main` runs against Mesos, too: nothing else knows that the master is Mesolite's.

Run it: python examples/pymesos_over_http.py
It needs pymesos, and Mesolite with its extra `http`; docs/clients.md says how to install pymesos on Python 3.11.
"""

import getpass
import shlex
import sys

from mesolite import Cluster

try:
    from pymesos import Executor, MesosExecutorDriver, MesosSchedulerDriver, Scheduler, decode_data, encode_data
except ImportError:
    sys.exit("This needs pymesos, and there is none here; docs/clients.md says how to install it.")

NUMBERS = (1, 2, 3, 4)


class Squares(Executor):
    """Each task has a number as its data, and sends back the square of it."""

    def launchTask(self, driver, task):
        square = int(decode_data(task["data"])) ** 2
        driver.sendFrameworkMessage(encode_data(str(square).encode()))
        driver.sendStatusUpdate({"task_id": task["task_id"], "state": "TASK_FINISHED"})


class Wanting(Scheduler):
    """Launches all tasks on the first offer, and stops when all have ended and all squares have arrived."""

    def __init__(self):
        self.waiting = list(NUMBERS)
        self.squares = []
        self.ended = {}

    def resourceOffers(self, driver, offers):
        for offer in offers:
            numbers, self.waiting = self.waiting, []
            driver.launchTasks(offer["id"], [self.task(offer, number) for number in numbers])  # none: it declines

    def task(self, offer, number):
        """One square, by an executor that all of them share."""
        return {
            "task_id": {"value": f"square-{number}"},
            "name": f"square-{number}",
            "agent_id": offer["agent_id"],
            "data": encode_data(str(number).encode()),
            "resources": [
                {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}},
                {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}},
            ],
            "executor": {
                "executor_id": {"value": "squares"},
                "name": "squares",
                "command": {"value": f"exec {shlex.join([sys.executable, __file__, 'executor'])}"},
            },
        }

    def frameworkMessage(self, driver, executor_id, agent_id, message):
        self.squares.append(int(decode_data(message)))
        self.stop_if_done(driver)

    def statusUpdate(self, driver, update):
        if update["state"] not in ("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING"):
            self.ended[update["task_id"]["value"]] = update["state"]
        self.stop_if_done(driver)

    def stop_if_done(self, driver):
        """A message and an update travel on ways of their own, so either may be the last."""
        if len(self.ended) == len(self.squares) == len(NUMBERS):
            driver.stop()


def run(master):
    """What a program on pymesos does: `master` is host:port."""
    wanting = Wanting()
    MesosSchedulerDriver(wanting, {"user": getpass.getuser(), "name": "squares"}, master).run()
    return wanting


def main():
    """Start a cluster that speaks HTTP, run the scheduler against it, and print what came back."""
    with Cluster(agents=1, http=True) as cluster:
        wanting = run(cluster.url.removeprefix("http://"))
    for task_id, state in sorted(wanting.ended.items()):
        print(task_id, state)
    print("squares:", *sorted(wanting.squares))


if __name__ == "__main__":
    if sys.argv[1:] == ["executor"]:
        MesosExecutorDriver(Squares()).run()
    else:
        main()
