"""`stop()` and `abort()` have taken effect when they return, also when another thread says them (core.md FW-42)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pykka.messages import ProxyCall

from mesolite import Cluster
from tests.cluster.real_commands import PATIENCE_S, until
from tests.scenarios.schedulers import Recorder

ENDS = pytest.mark.parametrize(("end", "status"), [("stop", "DRIVER_STOPPED"), ("abort", "DRIVER_ABORTED")])


@ENDS
def test_nothing_begins_after_the_end(end: str, status: str) -> None:
    """Its thread is busy, offers wait in its inbox, and the end comes from another thread."""
    entered, go_on = threading.Event(), threading.Event()

    def busy() -> int:
        entered.set()
        assert go_on.wait(PATIENCE_S)
        return 1

    with Cluster(agents=1) as cluster:
        framework = Recorder()
        driver = cluster.run(framework, framework="framework")
        until(cluster, lambda: framework.offers)
        context: Any = cluster.runtime.directory.find("framework")
        context.actor.busy = busy
        answer = context.ref.ask(ProxyCall(attr_path=["busy"], args=(), kwargs={}), block=False)
        assert entered.wait(PATIENCE_S)
        calls = len(framework.calls)
        agent = cluster.add_agent()
        until(cluster, lambda: any(offer["agent"] == agent.name for offer in cluster.operator.state()["offers"]))

        assert getattr(driver, end)().name == status
        go_on.set()
        assert driver.join(PATIENCE_S).name == status

        assert answer.get(timeout=PATIENCE_S) == 1
        assert len(framework.calls) == calls
