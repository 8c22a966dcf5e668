"""Run all benchmarks, or those named: `python -m benchmarks [NAME ...]`.

A run of all writes benchmarks/results/latest.json; a run of some writes <names>.local.json, which Git ignores.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import pathlib
import platform
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Figure, Result, Stopwatch

NAMES = (
    "startup", "commands", "drain_now", "idle", "messages", "silence",
    "allocator", "scale", "growth", "flat", "harness", "compat", "http",
)  # fmt: skip
RESULTS = pathlib.Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Describe where and when it was measured."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu_count": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
    }


def number(value: float) -> str:
    """Three digits that count, thousands apart: 0.0123, 1.23, 123, 123,456."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 if value >= 10 else 3}g}" if value >= 1 else f"{value:.2g}"


def row(figure: Figure) -> list[str]:
    """Put one figure as the cells of a table."""
    return [
        figure.what,
        f"{number(figure.median)} {figure.unit}",
        figure.beside,
        f"{number(figure.median_beside)} {figure.unit}",
        number(figure.ratio),
        f"{number(min(figure.ratios))} to {number(max(figure.ratios))}",
        str(figure.goal or ""),
        {None: "", True: "met", False: "missed"}[figure.met],
    ]


def show(console: Console, result: Result, seconds: float) -> None:
    """Print one benchmark's table: with lines on a terminal, bare columns elsewhere."""
    plain: dict[str, Any] = {} if console.is_terminal else {"box": None, "pad_edge": False}
    caption = f"{result.settings}, {result.repeats} rounds, {seconds:.0f} s"
    table = Table(title=f"{result.title} ({caption})", title_justify="left", **plain)
    for heading in ("figure", "median", "beside", "its median", "ratio", "over rounds", "goal", ""):
        table.add_column(heading, justify="right" if heading in {"median", "its median", "ratio"} else "left")
    for figure in result.figures:
        table.add_row(*row(figure))
    console.print(table)
    for remark in result.remarks:
        console.print(remark, highlight=False)
    console.print()


def main(names: list[str]) -> None:
    """Run these benchmarks, one after the other, and keep what they say."""
    console = Console() if sys.stdout.isatty() else Console(width=160, force_terminal=False)
    record: dict[str, Any] = {"machine": machine(), "benchmarks": {}}
    for name in names:
        watch = Stopwatch()
        result: Result = importlib.import_module(f"benchmarks.{name}").measure()
        show(console, result, watch.s)
        record["benchmarks"][name] = result.as_record()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("latest.json" if set(names) == set(NAMES) else f"{'-'.join(names)}.local.json")
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {os.path.relpath(path)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Mesolite.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all if none is given")
    chosen = parser.parse_args().names or list(NAMES)
    if unknown := [name for name in chosen if name not in NAMES]:
        parser.error(f"there is no benchmark named {unknown[0]!r}; there are {', '.join(NAMES)}")
    main(chosen)
