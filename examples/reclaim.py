"""Ask for two cpus back within ten minutes: the framework does not answer, so they are taken. Virtual time.

Run it: python examples/reclaim.py
"""

from mesolite import Scheduler, Simulation, TaskInfo


class Deaf(Scheduler):
    """Fills an agent with four tasks of one cpu each, and never answers an inverse offer."""

    def __init__(self):
        self.running = set()

    def resource_offers(self, driver, offers):
        names = [f"batch-{number}" for number in range(1, 5)]
        tasks = [TaskInfo(task_id=name, resources="cpus:1;mem:64", command="sleep infinity") for name in names]
        driver.launch_tasks(offers[0], tasks)
        driver.suppress_offers()

    def status_update(self, driver, status):
        if status.state.name == "TASK_RUNNING":
            self.running.add(status.task_id)
        elif status.state.is_terminal:
            self.running.remove(status.task_id)
            print(f"{driver.now():.1f} s  {status.task_id} {status.state}, {status.cause}")


def main():
    """Reclaim two of the four cpus: at the deadline the two newest tasks are revoked, and the others run on."""
    deaf = Deaf()
    with Simulation(seed=7) as sim:
        cluster = sim.cluster(agents=1)
        cluster.run(deaf, framework="deaf")
        sim.run_until(lambda: len(deaf.running) == 4, timeout=60)
        reclaim = cluster.operator.reclaim("agent-1", "cpus:2", within=600, message="a licence server")
        sim.advance(599)
        print(f"{sim.now:.1f} s  {reclaim.state}, running: {', '.join(sorted(deaf.running))}")
        sim.advance(2)
        print(f"{sim.now:.1f} s  {reclaim.state}, running: {', '.join(sorted(deaf.running))}")
        reclaim.release()  # until now the two cpus were offered to nobody


if __name__ == "__main__":
    main()
