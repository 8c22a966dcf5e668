"""Pictures made of a few shapes, in two palettes: what is drawn once comes out light and dark."""

from __future__ import annotations

from xml.sax.saxutils import escape

from attrs import frozen

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@frozen
class Palette:
    """The colours of one picture, by what they mean."""

    name: str
    paper: str
    edge: str
    ink: str
    faint: str
    line: str
    calm: str
    calm_paper: str
    warm: str
    warm_paper: str
    good: str
    good_paper: str
    alarm: str


LIGHT = Palette(
    name="light",
    paper="#ffffff",
    edge="#d0d7de",
    ink="#1f2328",
    faint="#59636e",
    line="#c3cad2",
    calm="#0550ae",
    calm_paper="#ddf4ff",
    warm="#953800",
    warm_paper="#fff1d6",
    good="#116329",
    good_paper="#dafbe1",
    alarm="#b3201f",
)
DARK = Palette(
    name="dark",
    paper="#0d1117",
    edge="#3d444d",
    ink="#e6edf3",
    faint="#9198a1",
    line="#3d444d",
    calm="#79c0ff",
    calm_paper="#12304f",
    warm="#ffa657",
    warm_paper="#42280f",
    good="#7ee787",
    good_paper="#12381f",
    alarm="#ff7b72",
)


class Drawing:
    """Shapes on paper, in the order they were drawn. Lengths are in pixels, from the left and from the top."""

    def __init__(self, width: float, height: float, palette: Palette, title: str, description: str) -> None:
        """Start with an empty card; title and description are for those who do not see it."""
        self.palette = palette
        size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description" '
            f'font-family="{FONT}" font-size="13">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
        ]
        self.box(0.5, 0.5, width - 1, height - 1, fill=palette.paper, stroke=palette.edge, radius=8)

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "none", radius: float = 3
    ) -> None:
        """Draw a rectangle with rounded corners."""
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
        self._parts.append(f'<rect {place} fill="{fill}" stroke="{stroke}"/>')

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float = 1, dashes: str = "none"
    ) -> None:
        """Draw a straight line."""
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self._parts.append(f'<line {ends} stroke="{stroke}" stroke-width="{width:g}" stroke-dasharray="{dashes}"/>')

    def arrow(self, x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float = 1.4) -> None:
        """Draw a straight line with a head at its second end."""
        self.line(x1, y1, x2, y2, stroke=self.palette.paper, width=width + 2.5)
        self.line(x1, y1, x2, y2, stroke=stroke, width=width)
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        along_x, along_y = (x2 - x1) / length, (y2 - y1) / length
        left = (x2 - 7 * along_x - 3.2 * along_y, y2 - 7 * along_y + 3.2 * along_x)
        right = (x2 - 7 * along_x + 3.2 * along_y, y2 - 7 * along_y - 3.2 * along_x)
        self.polygon([(x2, y2), left, right], fill=stroke)

    def polygon(self, corners: list[tuple[float, float]], *, fill: str, stroke: str = "none") -> None:
        """Draw a shape with these corners."""
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        self._parts.append(f'<polygon points="{points}" fill="{fill}" stroke="{stroke}"/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        fill: str,
        size: float = 13,
        anchor: str = "start",
        bold: bool = False,
        mono: bool = False,
    ) -> None:
        """Write one line of text, its base line at `y`, on a halo of paper so that it can be read over lines."""
        style = f'font-size="{size:g}" text-anchor="{anchor}" fill="{fill}"'
        style += ' font-weight="600"' if bold else ""
        style += f' font-family="{MONO}"' if mono else ""
        halo = f'stroke="{self.palette.paper}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {style} {halo}>{escape(words)}</text>')

    def label(self, x: float, y: float, words: str, *, fill: str, anchor: str = "start") -> None:
        """Write one small line of text on a box, without a halo."""
        style = f'font-size="11" text-anchor="{anchor}" fill="{fill}" font-family="{MONO}"'
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>')

    def __str__(self) -> str:
        """Return the picture as the text of an SVG file."""
        return "\n".join([*self._parts, "</svg>", ""])
