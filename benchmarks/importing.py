"""What it costs to import us, in processor time of an interpreter of its own; beside nothing, and beside attrs."""

from __future__ import annotations

import os
import subprocess
import sys


def cpu_ms(code: str) -> float:
    """How much processor time an interpreter takes that does this and ends."""
    process = subprocess.Popen([sys.executable, "-c", code])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{code!r} failed"
    return 1_000.0 * (usage.ru_utime + usage.ru_stime)


def nothing_ms() -> float:
    """An interpreter that does nothing."""
    return cpu_ms("pass")


def attrs_ms() -> float:
    """One that imports attrs, on which every message is built."""
    return cpu_ms("import attrs")


def package_ms() -> float:
    """One that imports the package, which loads nothing."""
    return cpu_ms("import mesolite")


def first_use_ms() -> float:
    """One that imports what a real cluster needs, which is nearly everything."""
    return cpu_ms("from mesolite import Cluster")
