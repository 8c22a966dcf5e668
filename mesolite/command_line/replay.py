"""`mesolite replay FILE`: run a failure again, as its script says."""

from __future__ import annotations

import click

from mesolite.command_line.ending import FOUND, INTERRUPTED, NOTHING_FOUND, Unusable

SCENARIO = "Where its scenario is now, if that is not where it was."
GO_ON = "Where the script does not fit any more, go on in the order of its seed."


@click.command(short_help="Run a failure again that was kept.")
@click.argument("file", metavar="FILE")
@click.option("--scenario", metavar="FILE::FUNCTION", help=SCENARIO)
@click.option("--go-on", is_flag=True, help=GO_ON)
def replay(file: str, scenario: str | None, go_on: bool) -> None:
    """Run a failure again from FILE, a script that explore or pytest has kept in .mesolite/.

    The script of a test is run by pytest.
    """
    from mesolite.command_line.by_pytest import replay_test
    from mesolite.command_line.kept import kept_in, test_of
    from mesolite.harness.run import misfits

    try:
        if (test := test_of(file)) is not None and scenario is None:
            raise SystemExit(replay_test(file, test, go_on=go_on))
        kept = kept_in(file, scenario)
        outcome = kept.replay(go_on=go_on)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise SystemExit(INTERRUPTED) from None
    failure = kept.failure
    unfit = misfits(failure.script, outcome)
    if outcome.error is None:
        if unfit and not go_on:
            raise Unusable(
                "nothing fails, and the script does not fit any more:\n  " + "\n  ".join(unfit) + "\n"
                "--go-on goes on from there in the order of its seed"
            )
        click.echo(f"it does not fail any more: {failure.identity}")
        raise SystemExit(NOTHING_FOUND)
    again = failure.of(failure.scenario, failure.setting, outcome, expanded=failure.expanded)
    if again.identity != failure.identity:
        click.echo(f"it fails otherwise than when it was kept: {failure.identity}\n")
    click.echo(again.told(f"what was done, as kept in {file}:"))
    for each in unfit:
        click.echo(f"does not fit any more: {each}")
    raise SystemExit(FOUND)
