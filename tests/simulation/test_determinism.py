"""The same seed gives the same trace: twice, in other processes, under any hash seed, on every Python.

After a change that is meant to change traces, record the new hashes: MESOLITE_REWRITE=1 pytest tests/simulation
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.project.house_checks import ROOT
from tests.simulation.workload import live_through

RECORDED = ROOT / "tests" / "recorded" / "busy-day.txt"
LATENCIES_S = pytest.mark.parametrize("latency_s", [0.0, 0.02], ids=["no latency", "latency"])


def _elsewhere(seed: int, latency_s: float, hash_seed: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.workload", str(seed), str(latency_s)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@LATENCIES_S
def test_the_same_seed_gives_the_same_trace_everywhere(latency_s: float) -> None:
    """Here, once more here, and in two processes that hash strings differently."""
    others = [_elsewhere(7, latency_s, hash_seed) for hash_seed in ("1", "4242")]
    here = [live_through(7, latency_s).trace for _ in range(2)]
    there = [other.communicate()[0] for other in others]

    assert here[0].text(system=True, heartbeats=True) == here[1].text(system=True, heartbeats=True)
    assert {here[0].hash()} == {here[1].hash(), *there}


def test_every_python_gives_the_recorded_trace() -> None:
    """One record, with which each interpreter compares its own: what differs from it differs between two of them."""
    lines = [f"seed 7, latency {late_s} s: {live_through(7, late_s).trace.hash()}\n" for late_s in (0.0, 0.02)]

    if "MESOLITE_REWRITE" in os.environ:
        RECORDED.write_text("".join(lines), encoding="utf-8")
    assert "".join(lines) == RECORDED.read_text(encoding="utf-8")


@LATENCIES_S
def test_another_seed_gives_another_trace(latency_s: float) -> None:
    """Otherwise the seed would choose nothing, and the test above would prove nothing."""
    hashes = [live_through(seed, latency_s).trace.hash() for seed in (8, 9)]

    assert len(dict.fromkeys(hashes)) == 2
