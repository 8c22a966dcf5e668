"""What a seed has drawn for a run, in words."""

from __future__ import annotations

from collections.abc import Iterable

from mesolite.actors.decisions.settings import Settings
from mesolite.harness.failure import changed
from mesolite.harness.script import Script
from mesolite.simulation.simulation import Simulation


def expanded(sim: Simulation, script: Script, settings: Settings | None, kinds: Iterable[str]) -> str:
    """Say how large the cluster was, what is not as in Mesos, how long messages took, and what could go wrong."""
    lines = []
    if sim.started is not None:
        agents, masters, drivers = len(sim.started.agents), len(sim.started.masters), len(sim.started.frameworks)
        lines.append(f"cluster: {agents} agents, {masters} masters, {drivers} frameworks")
    differ = ", ".join(f"{name}={value}" for name, value in (changed(settings) or {}).items())
    lines.append(f"settings: {differ or 'those of Mesos'}")
    shortest, longest = script.latency
    lines.append(f"latency: {shortest:g} to {longest:g} s" if longest else "latency: none")
    lines.append(f"kinds of faults: {', '.join(kinds) or 'none'}")
    return "\n".join(lines)
