"""Mesos's HTTP interface under load, beside an aiohttp server that only echoes, in the same run.

The clients that load are processes of their own (http_load.py), and so is the server that echoes (http_echo.py).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil

from benchmarks import pymesos_commands
from benchmarks.measuring import Figure, Goal, Result, in_turn
from mesolite import Cluster
from mesolite.compat import pymesos
from mesolite.compat.pymesos import on
from tests.clients.environments import Unmade, interpreter
from tests.gateway.raw_client import Connection, Framework

ROUNDS = 5
CALLS = 4000
RECORDS = 10_000
STREAMS = 1000
COMMANDS = 60
MANY = 500
HERE = pathlib.Path(__file__).parent
SCHEDULER = "/api/v1/scheduler"
NEEDED = [
    {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}},
    {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}},
]


def load(what: str, url: str, path: str, body: str, count: int, *headers: str) -> float:
    """What a client has measured: so many per second."""
    command = [sys.executable, "-m", "benchmarks.http_load", what, url, path, body, str(count), *headers]
    told = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True, text=True)
    return float(json.loads(told.stdout))


@contextlib.contextmanager
def echoing() -> Iterator[str]:
    """Run the server that echoes, and give its url."""
    command = [sys.executable, "-m", "benchmarks.http_echo"]
    program = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        yield program.stdout.readline().strip()
    finally:
        program.communicate()


def call(framework: Framework, kind: str, **body: Any) -> tuple[str, str]:
    """A call and the header that it needs."""
    told = {"type": kind, "framework_id": {"value": framework.id}, kind.lower(): body}
    return json.dumps(told), f"Mesos-Stream-Id: {framework.stream_id}"


def calls(cluster: Cluster, echo: str) -> tuple[list[Any], list[Any]]:
    """Calls per second: a DECLINE of an offer that is gone, which its master hears, beside the same bytes echoed."""
    with Framework(cluster.url) as framework:
        reading = threading.Thread(target=lambda: list(framework.records))
        reading.start()
        body, header = call(framework, "DECLINE", offer_ids=[{"value": "m1-O999999"}])
        ours, theirs = in_turn(
            ROUNDS,
            lambda: load("calls", cluster.url, SCHEDULER, body, CALLS, header),
            lambda: load("calls", echo, "/", body, CALLS),
        )
        framework.call("TEARDOWN")
        reading.join()
    return ours, theirs


def updates(cluster: Cluster) -> float:
    """Updates per second on one stream: what its master answers to a question about tasks that nobody knows."""
    info = {"user": "bench", "name": "updates"}
    subscribe = json.dumps({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}})
    return load("updates", cluster.url, SCHEDULER, subscribe, RECORDS)


def chunks(echo: str) -> float:
    """Chunks of an update's size per second, from a server that sends back line by line what comes."""
    return load("records", echo, "/stream", '{"type":"UPDATE","update":{"status":' + "1" * 180 + "}}", RECORDS)


def memory_per_stream(cluster: Cluster) -> float:
    """KB that an open stream of an operator takes: of the server, the endpoint, and, as it is here, its client."""
    gc.collect()
    before, streams = psutil.Process(os.getpid()).memory_info().rss, []
    for _ in range(STREAMS - 1):
        streams.append(Connection(cluster.url))
        streams[-1].send("POST", "/api/v1", {"type": "SUBSCRIBE"})
        next(streams[-1].records())
    grown = psutil.Process(os.getpid()).memory_info().rss - before
    for stream in streams:
        stream.close()
    return float(grown / len(streams) / 1024)


def latencies(cluster: Cluster) -> list[float]:
    """Milliseconds from a command's last act, to write the time, until its client has TASK_FINISHED."""
    measured: list[float] = []
    launched, runs = 0, False
    with Framework(cluster.url) as framework:
        for record in framework.records:
            came = time.time()
            if record["type"] == "OFFERS":
                for offer in record["offers"]["offers"]:
                    tasks = [] if runs else [_command(launched, offer["agent_id"])]
                    launched, runs = launched + len(tasks), True
                    launch = {"type": "LAUNCH", "launch": {"task_infos": tasks}}
                    wait = {"refuse_seconds": 0.01}
                    framework.call("ACCEPT", offer_ids=[offer["id"]], operations=[launch], filters=wait)
            elif record["type"] == "UPDATE":
                status = record["update"]["status"]
                framework.call("ACKNOWLEDGE", **{name: status[name] for name in ("agent_id", "task_id", "uuid")})
                if status["state"] == "TASK_FINISHED":
                    stdout = cluster.sandbox(status["task_id"]["value"]) / "stdout"
                    measured.append((came - float(stdout.read_text())) * 1000)
                    runs = False
            if len(measured) == COMMANDS:
                break
    return measured


def _command(number: int, agent_id: Any) -> Any:
    """A task that says when it ends, after a moment in which what was said before of it has been acknowledged."""
    task = {"name": "t", "task_id": {"value": f"latency-{number}"}, "agent_id": agent_id, "resources": NEEDED}
    return {**task, "command": {"value": "sleep 0.05; exec date +%s.%N"}}


def commands_of_pymesos(python: pathlib.Path) -> Figure:
    """Commands per second that one scheduler runs on the real pymesos, which `python` has."""
    # -P: beside that file there is one called http.py.
    program = [str(python), "-P", str(HERE / "pymesos_commands.py")]
    with Cluster(agents=4, http=True) as cluster:

        def real() -> float:
            master = cluster.url.removeprefix("http://")
            told = subprocess.run([*program, master, str(MANY)], check=True, capture_output=True, text=True)
            return float(told.stdout)

        def in_process() -> float:
            with on(cluster):
                return pymesos_commands.run(pymesos, "zk://", MANY)

        ours, theirs = in_turn(ROUNDS, real, in_process)
    return Figure(
        what="commands of a scheduler on pymesos",
        unit="per s",
        ours=ours,
        beside="the same class in this process",
        theirs=theirs,
    )


def measure() -> Result:
    """Measure all of it."""
    of_pymesos, unmeasured = [], []
    try:
        of_pymesos.append(commands_of_pymesos(interpreter("pymesos-compiled")))
    except Unmade as why:
        unmeasured.append(f"pymesos was not measured, as it cannot be had here: {why}")
    with Cluster(agents=2, http=True) as cluster, echoing() as echo:
        ours, theirs = calls(cluster, echo)
        our_records, their_records = in_turn(ROUNDS, lambda: updates(cluster), lambda: chunks(echo))
        late, each_kb = latencies(cluster), memory_per_stream(cluster)
    return Result(
        title=f"HTTP: {CALLS} calls over 8 connections, {RECORDS} records on one stream",
        settings="Settings.local()",
        figures=[
            Figure(
                what="calls of a scheduler",
                unit="per s",
                ours=ours,
                beside="aiohttp that echoes",
                theirs=theirs,
                goal=Goal("at least", 0.5, ratio=True),
            ),
            Figure(
                what="updates on a stream",
                unit="per s",
                ours=our_records,
                beside="aiohttp that echoes",
                theirs=their_records,
                goal=Goal("at least", 0.5, ratio=True),
            ),
            *of_pymesos,
            Figure(
                what="from a command's exit to its update at the client",
                unit="ms",
                ours=late,
                beside="goal",
                theirs=[5.0] * len(late),
                goal=Goal("under", 5.0),
            ),
        ],
        remarks=[
            *unmeasured,
            f"Of {COMMANDS} commands the slowest told of its exit took {max(late):.1f} ms, nine in ten at most "
            f"{statistics.quantiles(late, n=10)[-1]:.1f} ms.",
            f"One of {STREAMS} open streams takes {each_kb:.1f} KB, that of its client included.",
        ],
    )
