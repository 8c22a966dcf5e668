"""Send SIGUSR1 to an agent: it says goodbye, its tasks are lost at once, and they run again on another machine.

Run it: python examples/drain_now.py
"""

import signal

from mesolite import Cluster, Scheduler, TaskInfo


class KeepOne(Scheduler):
    """Keeps one service running: when a copy of it is lost, the next is launched with the next offer."""

    def __init__(self):
        self.copies = 0
        self.wanted = True
        self.told = []

    def resource_offers(self, driver, offers):
        for offer in offers:
            task_id = f"web.{self.copies + 1}"
            tasks = [TaskInfo(task_id=task_id, resources="cpus:1;mem:64", command="sleep 1000")] if self.wanted else []
            self.copies += len(tasks)
            self.wanted = False
            driver.launch_tasks(offer, tasks)  # an empty list declines the offer

    def status_update(self, driver, status):
        self.told.append((driver.now(), status))
        if not status.state.holds_resources:
            self.wanted = True
            driver.revive_offers()


def main():
    """Take away the machine that the service runs on, and print what the scheduler was told, and when."""
    service = KeepOne()
    with Cluster(agents=2) as cluster:
        cluster.run(service, framework="web")
        cluster.wait_until(lambda: service.told and service.told[-1][1].state.name == "TASK_RUNNING", timeout=10)
        (agent,) = [agent for agent in cluster.agents.values() if agent.id == service.told[-1][1].agent_id]
        began = cluster.now
        agent.signal(signal.SIGUSR1)
        cluster.wait_until(lambda: service.told[-1][1].state.name == "TASK_RUNNING" and service.copies == 2, timeout=10)
    for at, status in service.told:
        print(f"{at - began:+.3f} s  {status.task_id}  {status.state}  {status.cause or ''}".rstrip())


if __name__ == "__main__":
    main()
