"""Our nouns become the dictionaries that their callbacks expect: v1 JSON as over HTTP, for whom is in process.

What differs from HTTP: times are those of the cluster's clock, which `driver.now()` tells; nobody listens, so an offer
has no url; and what an executor or a task was described with travels sealed in its data (sealed.py).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mesolite.compat.pymesos.dicts import encode_data
from mesolite.compat.pymesos.sealed import unsealed
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import VERSION, Epoch, agent_info, data, framework_info, identifier
from mesolite.messages.infos import MasterInfo
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.tasks import ExecutorInfo, TaskInfo, TaskStatus

__all__ = [
    "VERSION", "agent_info", "data", "executor_info", "framework_info", "identifier", "inverse_offer", "master_info",
    "offer", "status", "task_info",
]  # fmt: skip

MASTER_PORT = 5050

OWN_CLOCK = Epoch(0.0)


def offer(one: Offer, understood: Collection[str]) -> dict[str, Any]:
    """An offer, for a framework with these capabilities (HT-170)."""
    return writing.offer(one, OWN_CLOCK, understood)


def inverse_offer(one: InverseOffer) -> dict[str, Any]:
    """A request for resources back (HT-158)."""
    return writing.inverse_offer(one, OWN_CLOCK)


def status(one: TaskStatus) -> dict[str, Any]:
    """What is said of a task (HT-177); what its executor has sealed is as that has sent it (HT-178).

    The uuid is our own, in base64: what is acknowledged comes back as it was given.
    """
    written = writing.status(one, OWN_CLOCK)
    sent = unsealed(one.data)
    if sent is not None:
        del written["data"]
        written |= sent
    return written if one.uuid is None else written | {"uuid": encode_data(one.uuid.encode())}


def master_info(one: MasterInfo) -> dict[str, Any]:
    """Who leads, as pymesos tells it."""
    return {"hostname": str(one.name), "port": MASTER_PORT, "version": VERSION}


def executor_info(one: ExecutorInfo) -> dict[str, Any]:
    """What an executor is, as its framework has sent it, with the framework's id (HT-192)."""
    described = unsealed(one.data)
    if described is None:
        return writing.executor_info(one)
    return described | ({} if one.framework_id is None else {"framework_id": identifier(one.framework_id)})


def task_info(one: TaskInfo) -> dict[str, Any]:
    """What an executor is to do, as its framework has sent it."""
    described = unsealed(one.data)
    if described is None:
        return writing.task_info(one)
    return described if one.executor is None else described | {"executor": executor_info(one.executor)}
