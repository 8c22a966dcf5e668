"""Announce that a machine will be away: its framework is asked to leave, and does. Virtual time.

Run it: python examples/maintenance.py
"""

from mesolite import Scheduler, Simulation, TaskInfo, Unavailability, Window


class Polite(Scheduler):
    """Runs one service, never on a machine that will be away, and moves it when asked."""

    count, running, wanted = 0, None, True

    def resource_offers(self, driver, offers):
        for offer in offers:
            if self.wanted and not offer.unavailability:
                self.count, self.wanted = self.count + 1, False
                task = TaskInfo(task_id=f"web.{self.count}", resources="cpus:1", command="sleep infinity")
                driver.launch_tasks(offer, task)
            else:
                driver.decline_offer(offer)

    def inverse_offers(self, driver, inverse_offers):
        driver.accept_inverse_offers(inverse_offers)
        if self.running and self.running.agent_id in {asked.agent_id for asked in inverse_offers}:
            driver.kill_task(self.running.task_id)

    def status_update(self, driver, status):
        print(f"{driver.now():.1f} s  {status.task_id} {status.state}")
        self.running = status if status.state.holds_resources else None
        if self.running is None:
            self.wanted = True
            driver.revive_offers()


def main():
    """Schedule one hour, an hour from now, for the machine that the service runs on; then take it down."""
    with Simulation(seed=7) as sim:
        cluster = sim.cluster(agents=2)
        cluster.run(polite := Polite(), framework="polite")
        sim.run_until(lambda: polite.running, timeout=60)
        (machine,) = [agent for agent in cluster.agents.values() if agent.id == polite.running.agent_id]
        hour = Unavailability(start=sim.now + 3600, duration_s=3600)
        cluster.operator.update_maintenance_schedule(Window(machines=machine, unavailability=hour))
        sim.advance(3600)
        cluster.operator.machine_down(machine)  # the service has left, so nothing is lost
        sim.advance(60)
        print(f"{sim.now:.1f} s  {machine.name} is down, {polite.running.task_id} runs elsewhere")


if __name__ == "__main__":
    main()
