"""`mesolite conformance MODULE:CLASS`: what a scheduler survives, situation by situation."""

from __future__ import annotations

import pathlib

import click

from mesolite.command_line.ending import FOUND, INTERRUPTED, NOTHING_FOUND, Unusable, not_written
from mesolite.command_line.progress import Progress

JOB_OF = "A function that says which job a TaskInfo belongs to; by default the job has the task's name."


@click.command(short_help="See what a scheduler survives.")
@click.argument("scheduler", metavar="MODULE:CLASS")
@click.option("--job-of", metavar="MODULE:FUNCTION", help=JOB_OF)
@click.option("--markdown", type=click.Path(dir_okay=False), metavar="OUT", help="Write a report for an issue, too.")
def conformance(scheduler: str, job_of: str | None, markdown: str | None) -> None:
    """Run a scheduler through named situations, and say of each whether it was handled.

    CLASS, or a function that makes a scheduler, is named as MODULE:CLASS or FILE::CLASS; it may be one that was written
    for pymesos.

    Ctrl-C ends it, and prints what was found so far.
    """
    from mesolite.actors.errors import InvalidValue
    from mesolite.command_line.places import place_of
    from mesolite.harness.conformance import check

    make = place_of(scheduler, "a scheduler class, such as schedulers:Shop").found
    jobs = {} if job_of is None else {"job_of": place_of(job_of, "a function, such as schedulers:job_of").found}
    verdicts: list[str] = []

    def tell(situation: str, verdict: object) -> None:
        verdicts.append(str(verdict))
        progress.say(f"{len(verdicts)} situations; {verdict}")

    with Progress() as progress:
        try:
            report = check(make, on_progress=tell, **jobs)
        except KeyboardInterrupt:
            report = None
        except InvalidValue as why:
            raise Unusable(str(why)) from None
    if report is None:
        click.echo("\n".join(verdicts))
        click.echo(f"interrupted after {len(verdicts)} situations", err=True)
        raise SystemExit(INTERRUPTED)
    click.echo(report.text())
    if markdown is not None:
        try:
            pathlib.Path(markdown).write_text(report.markdown() + "\n", encoding="utf-8")
        except OSError as why:
            raise not_written(markdown, why) from None
    raise SystemExit(NOTHING_FOUND if report.ok else FOUND)
