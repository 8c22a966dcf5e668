"""The maintenance schedule and how far it has come, which both interfaces of a master spell alike (HT-269, HT-270)."""

from __future__ import annotations

from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.writing import Epoch, Plain
from mesolite.messages.maintenance import MachineId
from mesolite.messages.snapshot import ClusterSnapshot
from mesolite.messages.state import DrainingMachineEntry


def schedule(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """The windows, as they were posted."""
    return {"windows": [writing.window(window, epoch) for window in snapshot.windows]}


def status(snapshot: ClusterSnapshot, epoch: Epoch) -> Plain:
    """Which machines are DRAINING, with what frameworks answered to inverse offers there, and which are DOWN."""
    draining = [] if snapshot.maintenance is None else snapshot.maintenance["draining_machines"]
    return {
        "draining_machines": [_draining_machine(machine, epoch) for machine in draining],
        "down_machines": [writing.machine_id(machine) for machine in snapshot.down_machines],
    }


def _draining_machine(machine: DrainingMachineEntry, epoch: Epoch) -> Plain:
    return {
        "id": writing.machine_id(MachineId(hostname=machine["hostname"], ip=machine["ip"])),
        "statuses": [
            {
                "status": answer["status"],
                "framework_id": writing.identifier(answer["framework_id"]),
                "timestamp": epoch.nanoseconds(answer["timestamp"]),
            }
            for agent in machine["agents"]
            for answer in agent["answers"]
        ],
    }
