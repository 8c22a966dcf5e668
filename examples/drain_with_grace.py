"""Drain an agent: every task gets SIGTERM, then its grace, then SIGKILL, and the drain says whom it waits for.

Run it: python examples/drain_with_grace.py
"""

from mesolite import Cluster, KillPolicy, Scheduler, TaskInfo

OBEYS = "trap 'sleep 0.1; exit 0' TERM; sleep 1000 & wait"
IGNORES = "trap '' TERM; sleep 1000"


class TwoServices(Scheduler):
    """Launches one service that ends when asked, and one that does not and would like 30 seconds."""

    def __init__(self):
        self.running = set()
        self.ended = {}

    def resource_offers(self, driver, offers):
        obeys = TaskInfo(task_id="obeys", resources="cpus:1;mem:64", command=OBEYS)
        ignores = TaskInfo(
            task_id="ignores", resources="cpus:1;mem:64", command=IGNORES, kill_policy=KillPolicy(grace_period_s=30)
        )
        driver.launch_tasks(offers[0], [obeys, ignores])
        driver.suppress_offers()

    def status_update(self, driver, status):
        if status.state.name == "TASK_RUNNING":
            self.running.add(status.task_id)
        if status.state.is_terminal:
            self.ended[status.task_id] = f"{status.state}, {status.cause}"


def main():
    """Drain the only agent, allowing half a second, and print what the drain waits for and how it ends."""
    services = TwoServices()
    with Cluster(agents=1) as cluster:
        cluster.run(services, framework="services")
        cluster.wait_until(lambda: len(services.running) == 2, timeout=10)
        drain = cluster.operator.drain("agent-1", max_grace_period=0.5, message="new disks")
        for blocker in drain.blocked_by:
            print(blocker)
        print(f"{drain.wait(timeout=10)} after {drain.ended_at - drain.started_at:.2f} s")
    for task_id, ending in sorted(services.ended.items()):
        print(f"{task_id}: {ending}")


if __name__ == "__main__":
    main()
