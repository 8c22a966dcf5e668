"""See whether a failure is one in another process, too: with another hash seed, and nothing left over from before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from mesolite.harness.failure import Failure, check_name
from mesolite.harness.run import replayed

PATIENCE_S = 120.0
HASH_SEED = "4242"
CONFIRMING = "MESOLITE_CONFIRMING"
"""Set in the other process: the scenario's file, which it loads, may explore again, and what that finds is left."""


def confirm(failure: Failure) -> str | None:
    """Run it in a fresh process with another PYTHONHASHSEED; "" if it fails there in the same way, else what differs.

    None: its scenario cannot be found by another process, as one that was made inside a function cannot.
    """
    if CONFIRMING in os.environ or check_name(failure.scenario):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = failure.save(os.path.join(folder, "failure.json"))
        process = subprocess.run(
            [sys.executable, "-m", "mesolite.harness.confirm", str(path)],
            env={
                **os.environ,
                CONFIRMING: "1",
                "PYTHONHASHSEED": HASH_SEED,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    if process.returncode != 0:
        return f"it could not be run there: {process.stderr.strip().splitlines()[-1:]}"
    seen: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    if seen["hash"] == failure.trace_hash:
        return ""
    if seen["identity"] is None:
        return "it does not fail there: it depends on what earlier runs have left in modules, on hashes, or on a clock"
    return f"it fails there in the same way, but not in the same run: {seen['identity']}"


def main() -> None:
    """Run the failure in the file that is named, and print what became of it."""
    failure = Failure.load(sys.argv[1])
    outcome = replayed(failure.scenario, failure.seed, failure.script, failure.setting)
    identity = None if outcome.identity is None else str(outcome.identity)
    sys.stdout.write(json.dumps({"identity": identity, "hash": outcome.hash}) + "\n")


if __name__ == "__main__":
    main()
