"""A scheduler on mesoshttp, or on its descendant avmesos, that does what it is ordered to and tells of each callback.

Given: client (the package), masters (URLs), framework_id (or null), failover_timeout_s.
"""

from __future__ import annotations

import getpass
import importlib
import threading
from queue import Queue
from typing import Any

from tests.clients.programs.lines import given, orders, task, tell


class Ordered:
    """Both packages hand over offers and a driver as objects of their own, with the same methods."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.waiting: Queue[dict[str, Any]] = Queue()
        client.on(client.SUBSCRIBED, self.subscribed)
        client.on(client.OFFERS, self.offers)
        client.on(client.UPDATE, self.update)
        client.on(client.RESCIND, lambda about: tell("rescinded", about=about))
        client.on(client.FAILURE, lambda about: tell("failure", about=about))
        client.on(client.ERROR, lambda message: tell("error", message=message))
        client.on(client.HEARTBEAT, lambda _: tell("heartbeat"))
        client.on(client.DISCONNECTED, lambda _: tell("disconnected"))

    def subscribed(self, driver: Any) -> None:
        tell("subscribed", framework_id=driver.frameworkId, stream_id=driver.streamId, master=self.client.master_info)

    def offers(self, offers: list[Any]) -> None:
        tell("offers", offers=[offer.get_offer() for offer in offers])
        for offer in offers:
            agent_id = offer.get_offer()["agent_id"]
            launched = [{**self.waiting.get(), "agent_id": agent_id} for _ in range(self.waiting.qsize())]
            if launched:
                offer.accept(launched)
            else:
                offer.decline({"filters": {"refuse_seconds": 3600}})

    def update(self, update: dict[str, Any]) -> None:
        status = update["status"]
        tell("update", task_id=status["task_id"]["value"], state=status["state"], status=status)


def obey(order: dict[str, Any], scheduler: Ordered, client: Any) -> None:
    driver = client.get_driver()
    match order:
        case {"launch": task_id, "what": what}:
            scheduler.waiting.put(task(task_id, **what))
            driver.revive()
        case {"kill": task_id, "agent_id": agent_id}:
            driver.kill(agent_id, task_id)
        case {"reconcile": task_ids}:
            driver.reconcile([{"task_id": {"value": task_id}} for task_id in task_ids])
        case {"leave": True}:
            client.disconnect = True  # it stops at the next record
        case {"stop": True}:
            client.stop = True  # likewise, and does not connect anew when the stream has ended
            driver.tearDown()


def main() -> None:
    start = given()
    kind = importlib.import_module(f"{start['client']}.client").MesosClient
    client = kind(
        start["masters"],
        frameworkId=start.get("framework_id"),
        frameworkName="ordered",
        frameworkUser=getpass.getuser(),
        max_reconnect=1,
    )
    client.set_failover_timeout(start.get("failover_timeout_s", 0))
    scheduler = Ordered(client)
    stream = threading.Thread(target=client.register, daemon=True)
    stream.start()
    for order in orders():
        obey(order, scheduler, client)
    stream.join()
    tell("end")


if __name__ == "__main__":
    main()
