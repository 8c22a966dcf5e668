"""Run one shell command on each of three agents, and read what it wrote. Real processes, real time.

Run it: python examples/hello.py
"""

from mesolite import Cluster, Scheduler, TaskInfo

AGENTS = 3


class Hello(Scheduler):
    """Launches one task on every agent, once, and stops when all of them have ended."""

    def __init__(self):
        self.placed = {}
        self.ended = {}

    def resource_offers(self, driver, offers):
        for offer in offers:
            if offer.agent_id in self.placed:
                driver.decline_offer(offer)
                continue
            task_id = f"hello-{len(self.placed) + 1}"
            self.placed[offer.agent_id] = task_id
            task = TaskInfo(task_id=task_id, resources="cpus:1;mem:32", command="echo Hello from process $$")
            driver.launch_tasks(offer, task)

    def status_update(self, driver, status):
        if status.state.is_terminal:
            self.ended[status.task_id] = status.state.name
        if len(self.ended) == AGENTS:
            driver.stop()


def main():
    """Start a cluster, run the scheduler to its end, and print what each task wrote to its standard output."""
    hello = Hello()
    with Cluster(agents=AGENTS) as cluster:
        cluster.run(hello, framework="hello").join()
        for task_id, state in sorted(hello.ended.items()):
            output = (cluster.sandbox(task_id) / "stdout").read_text()
            print(f"{task_id} {state}: {output.strip()}")


if __name__ == "__main__":
    main()
