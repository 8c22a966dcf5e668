"""Draw the pictures of the README, from a run and from the import contracts: make pictures."""

from __future__ import annotations

from pathlib import Path

from pages import drain, house
from pages.svg import DARK, LIGHT

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"


def pictures() -> dict[str, str]:
    """The text of every picture, by the name of its file."""
    story, storeys = drain.happen(), house.storeys()
    return {
        f"{name}-{palette.name}.svg": str(drawing)
        for palette in (LIGHT, DARK)
        for name, drawing in (("drain", drain.draw(story, palette)), ("house", house.draw(storeys, palette)))
    }


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pictures().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
