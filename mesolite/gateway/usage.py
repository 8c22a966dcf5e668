"""What containers use of their machine, as far as /proc tells (docs/spec/http.md HT-354, HT-358)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from mesolite.actors.containerizer.launcher import process_table
from mesolite.actors.runtime.port import Runtime
from mesolite.gateway.v1.writing import Epoch

UTIME, STIME, THREADS, RSS = 11, 12, 17, 21
"""Where these stand in what `process_table.stat_of` gives."""

Statistics = dict[str, Any]


def of(runtime: Runtime, epoch: Epoch, actors: Iterable[tuple[str, str]]) -> dict[str, Statistics]:
    """Statistics by container, with the world's time (HT-52); `actors`: the containers, with the actor that runs each.

    What has no process, as everything in a simulation, is left out.
    """
    found = {}
    for container_id, actor in actors:
        pids = runtime.processes_of(actor)
        if pids:
            found[container_id] = _summed_up(pids, epoch.seconds(runtime.now()))
    return found


def _summed_up(pids: Iterable[int], timestamp: float) -> Statistics:
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    known = [fields for pid in process_table.with_descendants(pids) if (fields := process_table.stat_of(pid))]
    return {
        "timestamp": timestamp,
        "cpus_user_time_secs": sum(int(fields[UTIME]) for fields in known) / ticks,
        "cpus_system_time_secs": sum(int(fields[STIME]) for fields in known) / ticks,
        "mem_rss_bytes": sum(int(fields[RSS]) for fields in known) * page,
        "processes": len(known),
        "threads": sum(int(fields[THREADS]) for fields in known),
    }
