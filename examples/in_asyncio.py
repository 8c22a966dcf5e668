"""Use a cluster from an asyncio program: `await` the end of a task, while the event loop goes on.

- What waits (a cluster's start and end, an operator's verb, `drain.wait`, `join`) runs in `asyncio.to_thread`.
- Callbacks come on the scheduler's own thread; they hand results over with `loop.call_soon_threadsafe`.
- The verbs of a driver may be called from any thread, and do not wait.

Run it: python examples/in_asyncio.py
"""

import asyncio

from mesolite import Cluster, Scheduler, TaskInfo


class Commands(Scheduler):
    """Runs commands for coroutines, each of which awaits its task's end."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.ends = {}  # the event loop's: task id to future
        self.waiting = []  # the scheduler's: tasks to be launched

    async def run(self, driver, name, command):
        """Run a command on some agent; returns how it ended."""
        self.ends[name] = self.loop.create_future()
        task = TaskInfo(task_id=name, resources="cpus:1;mem:32", command=command)
        driver.call_later(0, lambda: self.want(driver, task))  # called on the scheduler's thread
        return await self.ends[name]

    def want(self, driver, task):
        self.waiting.append(task)
        driver.revive_offers()

    def resource_offers(self, driver, offers):
        for offer in offers:
            room = int(offer.resources.cpus)
            now, self.waiting = self.waiting[:room], self.waiting[room:]
            driver.launch_tasks(offer, now)

    def status_update(self, driver, status):
        if status.state.is_terminal:
            self.loop.call_soon_threadsafe(self.ended, status)

    def ended(self, status):
        if not self.ends[status.task_id].done():  # an update may come twice, and a coroutine be cancelled
            self.ends[status.task_id].set_result(status.state)


async def main():
    """Run three commands at the same time, then drain an agent, without ever holding up the event loop."""
    cluster = await asyncio.to_thread(Cluster, agents=2)
    try:
        await asyncio.to_thread(cluster.ready)
        commands = Commands()
        driver = cluster.run(commands, framework="commands")
        wanted = {"quick": "true", "slow": "sleep 0.2", "wrong": "exit 3"}
        print(*await asyncio.gather(*(commands.run(driver, *each) for each in wanted.items())))
        drain = await asyncio.to_thread(cluster.operator.drain, "agent-1")
        print(await asyncio.to_thread(drain.wait, timeout=10))
    finally:
        await asyncio.to_thread(cluster.close)


if __name__ == "__main__":
    asyncio.run(main())
