"""The same run with one thing changed, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import InvalidValue
from mesolite.messages.checking import Duration, checked_arguments, in_seconds
from mesolite.simulation.actions import Action, bound
from mesolite.simulation.simulation import Simulation


@frozen
class Comparison:
    """What came of each ending: a row each, a column for each key of what the scenario returned.

    With several seeds a cell is what all of them gave, or the range from the least to the greatest.

    Attributes:
        rows: for each ending, by its name, the cells by column.
    """

    rows: dict[str, dict[str, Any]]

    @property
    def columns(self) -> list[str]:
        """The keys that the scenario returned, in its order."""
        return list(dict.fromkeys(key for row in self.rows.values() for key in row))

    def __str__(self) -> str:
        """Print it as a table."""
        lines = [["", *self.columns]]
        lines += [[name, *(_said(row.get(column)) for column in self.columns)] for name, row in self.rows.items()]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


@checked_arguments
def compare(
    scenario: Callable[[Simulation, Action], dict[str, Any]],
    endings: Mapping[str, Action],
    seeds: int | Iterable[int] = 0,
    *,
    settings: Settings | None = None,
    latency: tuple[Duration, Duration] = (0.0, 0.0),
) -> Comparison:
    """Run a scenario once with each of several endings, all else being the same, and put the results side by side.

    `scenario(sim, ending)` calls `ending()` where they differ, and returns a dict, whose keys are the columns. An
    ending is called with the simulation if it takes an argument, or with what the scenario gives it. `seeds` is one
    seed, or several: then each cell says what all of them gave, or from what to what.

    Raises:
        InvalidValue: the scenario returned no dict, or there is no seed.
    """
    several = [seeds] if isinstance(seeds, int) else list(seeds)
    if not several:
        raise InvalidValue("seeds=[]: give one seed at least")
    rows: dict[str, dict[str, Any]] = {}
    for name, ending in endings.items():
        results = [_run(scenario, ending, seed, settings, latency) for seed in several]
        columns = dict.fromkeys(key for result in results for key in result)
        rows[name] = {key: _together([result.get(key) for result in results]) for key in columns}
    return Comparison(rows)


def _run(
    scenario: Callable[[Simulation, Action], dict[str, Any]],
    ending: Action,
    seed: int,
    settings: Settings | None,
    latency: tuple[Duration, Duration],
) -> dict[str, Any]:
    with Simulation(seed, settings=settings, latency=(in_seconds(latency[0]), in_seconds(latency[1]))) as sim:
        result: Any = scenario(sim, bound(ending, sim))
    if not isinstance(result, Mapping):
        raise InvalidValue(f"a scenario that is compared returns a dict, whose keys are columns, and not {result!r}")
    return dict(result)


def _together(values: list[Any]) -> Any:
    if all(value == values[0] for value in values):
        return values[0]
    numbers = [value for value in values if isinstance(value, int | float)]
    return (min(numbers), max(numbers)) if len(numbers) == len(values) else tuple(dict.fromkeys(map(str, values)))


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        is_range = len(value) == 2 and not any(isinstance(each, str) for each in value)
        return (" to " if is_range else ", ").join(map(_said, value))
    return f"{value:.1f}" if isinstance(value, float) else str(value)
