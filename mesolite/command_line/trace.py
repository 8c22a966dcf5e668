"""`mesolite trace FILE`: replay a failure, and write what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mesolite.command_line.ending import INTERRUPTED, NOTHING_FOUND, Unusable, not_written
from mesolite.command_line.replay import GO_ON, SCENARIO

if TYPE_CHECKING:
    from mesolite.actors.trace import Trace

OUT = click.Path(dir_okay=False, allow_dash=True)


@click.command(short_help="Show what happened in a failure that was kept.")
@click.argument("file", metavar="FILE")
@click.option("--html", type=click.Path(dir_okay=False), metavar="OUT", help="A page that opens in any browser.")
@click.option("--text", type=OUT, metavar="OUT", help="A line per message.")
@click.option("--json-lines", type=OUT, metavar="OUT", help="The head, then a record a line, for programs.")
@click.option("--mermaid", type=OUT, metavar="OUT", help="A sequence diagram of what matters, for an issue or a wiki.")
@click.option("--story", metavar="NAME", multiple=True, help="Print all that mentions this task, agent or framework.")
@click.option("--system", is_flag=True, help="With timers, storage and callbacks, in --text.")
@click.option("--heartbeats", is_flag=True, help="With the pings that arrived, in --text.")
@click.option("--scenario", metavar="FILE::FUNCTION", help=SCENARIO)
@click.option("--go-on", is_flag=True, help=GO_ON)
def trace(
    file: str,
    html: str | None,
    text: str | None,
    json_lines: str | None,
    mermaid: str | None,
    story: tuple[str, ...],
    system: bool,
    heartbeats: bool,
    scenario: str | None,
    go_on: bool,
) -> None:
    """Replay FILE, a script that explore or pytest has kept in .mesolite/, and write what happened.

    OUT is a file, or - for standard output. Without any OUT, and without --story, the text is printed.
    """
    from mesolite.actors.errors import MesoliteError

    try:
        happened = _trace(file, scenario, go_on)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise SystemExit(INTERRUPTED) from None
    if text is None and not (html or json_lines or mermaid or story):
        text = "-"
    try:
        if html is not None:
            happened.html(html)
        if text is not None:
            _put(text, happened.text(system=system, heartbeats=heartbeats))
        if json_lines is not None:
            _put(json_lines, happened.json_lines())
        if mermaid is not None:
            _put(mermaid, happened.mermaid())
    except MesoliteError as why:
        raise Unusable(str(why)) from None
    for name in story:
        click.echo(happened.story(name) or f"nothing mentions {name}")
    raise SystemExit(NOTHING_FOUND)


def _trace(file: str, scenario: str | None, go_on: bool) -> Trace:
    """What happened in the run that FILE keeps."""
    from mesolite.command_line.by_pytest import trace_of_test
    from mesolite.command_line.kept import kept_in, test_of
    from mesolite.harness.run import misfits

    if (test := test_of(file)) is not None and scenario is None:
        happened = trace_of_test(file, test, go_on=go_on)
    else:
        kept = kept_in(file, scenario)
        outcome = kept.replay(go_on=go_on)
        happened = outcome.sim.trace
        for each in misfits(kept.failure.script, outcome):
            click.echo(f"does not fit any more: {each}", err=True)
    if happened.head.failure is None:
        click.echo("it does not fail any more; this is what happens now", err=True)
    return happened


def _put(out: str, text: str) -> None:
    try:
        with click.open_file(out, "w", encoding="utf-8") as file:
            click.echo(text, file=file, nl=not text.endswith("\n"))
    except OSError as why:
        raise not_written(out, why) from None
