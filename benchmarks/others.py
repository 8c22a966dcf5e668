"""The same commands on other people's local clusters, each in a process of its own: `python -m benchmarks.others NAME`.

Prints how many commands per second it ran, from the first submission to the last result, after a round that does not
count: workers are there by then. Each task is a function that runs the command with `subprocess.run`: no sandbox, no
limits, no kill by process tree.

    dask    LocalCluster, as many threads in this process as ours has room for commands; its dashboard off
    ray     a local cluster of 8 worker processes, as one per command at once would take gigabytes; dashboard off.
            Installed by `make bench-ray`, never otherwise
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable

from benchmarks.measuring import Stopwatch

COMMAND = "/bin/true"
COMMANDS = 1000
WORKERS, THREADS = 4, 16
RAY_WORKERS = 8


def work(number: int) -> int:
    """Run the command."""
    return subprocess.run([COMMAND], check=True).returncode


def timed(run_all: Callable[[int], list[int]]) -> float:
    """Commands per second, after a round that does not count."""
    run_all(WORKERS * THREADS)
    watch = Stopwatch()
    assert run_all(COMMANDS) == [0] * COMMANDS
    return COMMANDS / watch.s


def dask_per_s() -> float:
    """Through Dask's workers."""
    from distributed import Client, LocalCluster  # noqa: PLC0415  # each of the two without the other

    with (
        LocalCluster(
            n_workers=WORKERS, processes=False, threads_per_worker=THREADS, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        return timed(lambda count: list(client.gather(client.map(work, range(count), pure=False))))


def ray_per_s() -> float:
    """Through Ray's workers."""
    import ray  # noqa: PLC0415

    ray.init(num_cpus=RAY_WORKERS, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        remote = ray.remote(work)
        return timed(lambda count: list(ray.get([remote.remote(number) for number in range(count)])))
    finally:
        ray.shutdown()


def commands_per_s(name: str) -> float:
    """Let a process of its own measure it."""
    command = [sys.executable, "-m", "benchmarks.others", name]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
    return float(said.split()[-1])


def has_ray() -> bool:
    """Whether Ray is installed."""
    return importlib.util.find_spec("ray") is not None


if __name__ == "__main__":
    print({"dask": dask_per_s, "ray": ray_per_s}[sys.argv[1]]())
