"""The house: every module at its height. In `mesolite` and `actors` that is what the import contracts of pyproject.toml
say; `messages` has no order of its own but that of its imports. Nothing imports from above itself.
"""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from pathlib import Path

from attrs import frozen

from pages.svg import Drawing, Palette

ROOT = Path(__file__).resolve().parents[1]
MESSAGES = "mesolite.messages."

WIDTH, MARGIN, TITLE, BRICK, GAP = 900.0, 16.0, 168.0, 19.0, 3.0
ROOF = 68.0
SPARE = 8  # letters: how much wider a brick is than its name, before the row is stretched
STOREYS = {
    "mesolite/": ("What people use:", "clusters, drivers, handles,", "the pytest plugin"),
    "actors/": ("Who speaks,", "and what they decide"),
    "messages/": ("What is said:", "nouns, conversations,", "the codec"),
}
DESCRIPTION = (
    "Three storeys of bricks, a module each: mesolite above actors above messages. Imports never point up. "
    "Decisions and messages are pure: no clock, no dice, no threads, no files."
)


@frozen
class Row:
    """Modules at one height, whether they are pure, and the folder that begins with them, if one does."""

    modules: tuple[str, ...]
    pure: bool = False
    folder: str = ""


def storeys() -> dict[str, list[Row]]:
    """The rows of each storey, from the top."""
    layers = _layers()
    actors: list[Row] = []
    for modules in layers["mesolite.actors"]:
        if modules == ("decisions",):
            cores, *below = layers["mesolite.actors.decisions"]
            actors += [Row(cores, pure=True, folder="decisions/"), *(Row(inner, pure=True) for inner in below)]
        else:
            actors.append(Row(modules))
    others = [tuple(name for name in modules if name not in ("actors", "messages")) for modules in layers["mesolite"]]
    own = [Row(modules) for modules in others if modules]
    return {"mesolite/": own, "actors/": actors, "messages/": [Row(modules, pure=True) for modules in _ranks()]}


def _layers() -> dict[str, list[tuple[str, ...]]]:
    """The layers of each package that has a contract of that kind, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = [each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    return {
        contract["containers"][0]: [tuple(re.split(r"\s*[:|]\s*", layer)) for layer in contract["layers"]]
        for contract in contracts
    }


def _ranks() -> list[tuple[str, ...]]:
    """The modules of messages/ by the longest way down from each, along imports."""
    imports: dict[str, set[str]] = {}
    for path in sorted((ROOT / "messages").rglob("*.py")):
        name = path.relative_to(ROOT / "messages").parts[0].removesuffix(".py")
        if name != "__init__":
            imports.setdefault(name, set()).update(_imported(path) - {name})

    @functools.cache
    def rank(name: str) -> int:
        return 1 + max((rank(lower) for lower in imports[name]), default=-1)

    ranks = sorted(set(map(rank, imports)), reverse=True)
    return [tuple(name for name in imports if rank(name) == each) for each in ranks]


def _imported(path: Path) -> set[str]:
    """What a module of messages/ imports of it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.removeprefix(MESSAGES).partition(".")[0] for name in names if name.startswith(MESSAGES)}


# ------------------------------------------------------------------------------------------------------------ drawing


def draw(house: dict[str, list[Row]], palette: Palette) -> Drawing:
    """Draw it in these colours."""
    rows = sum(map(len, house.values()))
    height = ROOF + rows * (BRICK + GAP) + len(house) * (2 * MARGIN - GAP) + 2 * MARGIN + 10
    drawing = Drawing(WIDTH, height, palette, "The house", DESCRIPTION)
    _roof(drawing)
    top = ROOF + MARGIN
    for name, bricks in house.items():
        top = _storey(drawing, name, bricks, top)
    _legend(drawing, top + MARGIN / 2)
    return drawing


def _roof(drawing: Drawing) -> None:
    palette, middle = drawing.palette, WIDTH / 2
    corners = [(MARGIN, ROOF + MARGIN / 2), (middle, 6), (WIDTH - MARGIN, ROOF + MARGIN / 2)]
    drawing.polygon(corners, fill="none", stroke=palette.line)
    drawing.text(middle, 44, "your schedulers and tests", fill=palette.ink, anchor="middle", bold=True)
    drawing.text(middle, 63, "demo.py, examples/, tests/", fill=palette.faint, size=12, anchor="middle", mono=True)


def _storey(drawing: Drawing, name: str, rows: list[Row], top: float) -> float:
    """Draw one storey; returns where it ends."""
    palette = drawing.palette
    height = len(rows) * (BRICK + GAP) - GAP + MARGIN
    drawing.box(MARGIN, top, WIDTH - 2 * MARGIN, height, fill="none", stroke=palette.line)
    drawing.text(MARGIN + 14, top + 26, name, fill=palette.ink, size=15, bold=True, mono=True)
    for number, words in enumerate(STOREYS[name]):
        drawing.text(MARGIN + 14, top + 46 + 16 * number, words, fill=palette.faint, size=12)
    left, right = MARGIN + TITLE + 12, WIDTH - MARGIN - 10
    for number, row in enumerate(rows):
        y = top + MARGIN / 2 + number * (BRICK + GAP)
        ink, fill = (palette.good, palette.good_paper) if row.pure else (palette.calm, palette.calm_paper)
        x, letter = left, (right - left + GAP) / sum(len(module) + SPARE for module in row.modules)
        for module in row.modules:
            width = (len(module) + SPARE) * letter
            drawing.box(x, y, width - GAP, BRICK, fill=fill, stroke=ink)
            drawing.label(x + (width - GAP) / 2, y + 13.5, module, fill=ink, anchor="middle")
            x += width
        if row.folder:
            drawing.text(left - 12, y + 13.5, row.folder, fill=ink, size=12, anchor="end", mono=True)
    return top + height + MARGIN


def _legend(drawing: Drawing, y: float) -> None:
    palette = drawing.palette
    drawing.box(MARGIN, y - 11, 14, 14, fill=palette.good_paper, stroke=palette.good)
    drawing.text(MARGIN + 22, y + 1, "pure: no clock, no dice, no threads, no files", fill=palette.faint, size=12)
    words = "imports never point up: make check holds them to that"
    drawing.text(WIDTH - MARGIN, y + 1, words, fill=palette.faint, size=12, anchor="end")
