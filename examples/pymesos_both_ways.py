"""One scheduler written for pymesos, both ways: on virtual time, where an agent is drained, and over HTTP.

Run it: python examples/pymesos_both_ways.py                     on virtual time, with Mesolite alone
        python examples/pymesos_both_ways.py 127.0.0.1:5050      on that master, Mesolite's or Mesos's, with pymesos
"""

import sys

COPIES = 2
OVER = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR")


class KeepsCopies:
    """Keeps some copies of a command running, wherever there is room; written as for pymesos."""

    def __init__(self, tell=print):
        self.tell = tell
        self.copies = {}
        self.launched = 0

    def resourceOffers(self, driver, offers):
        for offer in offers:
            tasks = [self.task(offer)] if len(self.copies) < COPIES else []
            driver.launchTasks(offer["id"], tasks)  # none: it declines

    def task(self, offer):
        self.launched += 1
        name = f"copy-{self.launched}"
        self.copies[name] = "TASK_STAGING"
        return {
            "task_id": {"value": name},
            "name": name,
            "agent_id": offer["agent_id"],
            "command": {"value": "sleep 100000"},
            "resources": [
                {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}},
                {"name": "mem", "type": "SCALAR", "scalar": {"value": 64}},
            ],
        }

    def statusUpdate(self, driver, update):
        name, state = update["task_id"]["value"], update["state"]
        self.tell(name, state, update.get("reason", ""))
        if state in OVER:
            self.copies.pop(name, None)
            driver.reviveOffers()
        else:
            self.copies[name] = state


def on_virtual_time():
    """Two agents, one of which is drained: its copy is killed, and another runs beside the one that is left."""
    from mesolite import Simulation  # noqa: PLC0415  each way needs its own
    from mesolite.compat.pymesos import MesosSchedulerDriver, Scheduler  # noqa: PLC0415  as above

    class Copies(KeepsCopies, Scheduler):
        """The same class, on Mesolite's own pymesos."""

    with Simulation(seed=7) as sim:
        cluster = sim.cluster(agents=2)
        copies = Copies()
        MesosSchedulerDriver(copies, {"user": "me", "name": "copies"}, cluster).start()
        sim.advance(10)
        print(f"at {sim.now:g} s agent-1 is drained")
        cluster.operator.drain("agent-1")
        sim.advance(10)
        print(f"at {sim.now:g} s:", *sorted(f"{task.task_id} on {task.agent}" for task in sim.view.running()))


def over_http(master):
    """Run until somebody stops it."""
    try:
        from pymesos import MesosSchedulerDriver, Scheduler  # noqa: PLC0415  as above
    except ImportError:
        sys.exit("This needs pymesos, and there is none here; docs/clients.md says how to install it.")

    class Copies(KeepsCopies, Scheduler):
        """The same class, on pymesos."""

    def tell(*what):
        print(*what, flush=True)

    MesosSchedulerDriver(Copies(tell), {"user": "me", "name": "copies"}, master).run()


if __name__ == "__main__":
    over_http(sys.argv[1]) if sys.argv[1:] else on_virtual_time()
