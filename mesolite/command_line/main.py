"""The command, and what it consists of."""

from __future__ import annotations

import os
import sys

import click

from mesolite.command_line.conformance import conformance
from mesolite.command_line.explore import explore
from mesolite.command_line.replay import replay
from mesolite.command_line.trace import trace
from mesolite.command_line.up import up
from mesolite.version import __version__

STATUSES = """
\b
Exit status: 0 nothing was found, 1 something was found, 2 it was called wrongly, or what it was given cannot be used;
130 it was interrupted, and had found nothing so far.
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, epilog=STATUSES)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Find what breaks a Mesos scheduler, replay it, and look at it; or bring up a cluster for one."""
    # What lies in the folder one is in can be imported, as with `python -m`.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())


for each in (explore, replay, trace, conformance, up):
    cli.add_command(each)


def main() -> None:
    """Run the command; ends the process with its exit status."""
    cli(prog_name="mesolite")
