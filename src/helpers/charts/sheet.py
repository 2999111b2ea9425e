"""A page laid out from the top down, as high as its parts need; all that is not data is placed in points.

Coordinates are points (1/72 inch) from the lower left corner. Figures are made without pyplot, so nothing
changes a notebook's own settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform
from numpy.typing import NDArray

from helpers.charts.theme import INK, PAPER, QUIET, Box, Size, extent, wrap

Line = Sequence[float] | NDArray[np.float64]


@dataclass
class Sheet:
    """A figure filled from the top down.

    Call `heading`, `skip`, `panel`, `note` and `keys` in reading order, then `finish`, then draw into the axes
    and beside them through `write`, `rule` and `badge`. At 72 dots an inch pixels are points, so that
    ``axes.transData`` speaks of the same coordinates.
    """

    size: Size
    figure: Figure = field(default_factory=lambda: Figure(figsize=(1, 1), dpi=72, facecolor=PAPER))
    _down: float = 0.0
    _later: list[tuple[float, Callable[[float], object]]] = field(default_factory=list)
    _last: list[Callable[[], object]] = field(default_factory=list)

    @property
    def points(self) -> Transform:
        """Points from the lower left corner to pixels, of any number to the inch."""
        return Affine2D().scale(1 / 72) + self.figure.dpi_scale_trans

    @property
    def inner(self) -> float:
        """Width between the margins."""
        return self.size.width - 2 * self.size.edge

    def skip(self, height: float) -> None:
        """Leave room."""
        self._down += height

    def later(self, draw: Callable[[float], object]) -> None:
        """Call ``draw(y)`` at the end, with the height above the lower edge that the cursor stands at now."""
        self._later.append((self._down, draw))

    def last(self, draw: Callable[[], object]) -> None:
        """Call ``draw()`` when everything else has its place."""
        self._last.append(draw)

    def heading(self, title: str, subtitle: str) -> None:
        """Set the finding in bold and the line below it, both wrapped to the width."""
        self.skip(self.size.edge)
        self.note(title, self.size.title, bold=True, colour=INK)
        self.skip(self.size.text * 0.6)
        self.note(subtitle, self.size.text)
        self.skip(self.size.text * 0.9)

    def note(self, text: str, size: float, left: float = 0, bold: bool = False, colour: str = QUIET) -> None:
        """Set a paragraph, ``left`` points from the margin."""
        if not text:
            return
        lines = wrap(text, self.inner - left, size, bold, even=bold)
        x = self.size.edge + left
        self.later(lambda y: self.write(x, y, lines, size, colour, va="top", bold=bold))
        self.skip(extent(lines, size, bold)[1])

    def keys(self, entries: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        """List what the lines of a narrow figure are, each after a stroke of itself: (text, colour, look)."""
        left, size = self.size.edge, self.size.small
        for text, colour, look in entries:

            def stroke(y: float, colour: str = colour, look: dict[str, Any] = look) -> None:
                self.rule((left, left + 22), (y - size / 2, y - size / 2), colour, **look)

            self.later(stroke)
            self.note(text, size, left=28, colour=colour)
            self.skip(3)

    def panel(self, left: float, right: float, height: float) -> Axes:
        """Add axes ``left`` and ``right`` points away from the sides."""
        axes = self.figure.add_axes((0, 0, 1, 1))
        axes.set_facecolor("none")
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.spines["bottom"].set_color(QUIET)
        axes.tick_params(length=0, labelsize=self.size.text, labelcolor=QUIET, pad=4)
        axes.set_axisbelow(True)

        def settle(y: float) -> None:
            wide, high = self.size.width, self.height
            axes.set_position((left / wide, (y - height) / high, (wide - left - right) / wide, height / high))

        self.later(settle)
        self.skip(height)
        return axes

    def edges(self, axes: Axes) -> Box:
        """Edges of axes that have their place."""
        # not axes.bbox: its way through inches and pixels would be off by a rounding error
        box, wide, high = axes.get_position(), self.size.width, self.height
        return box.x0 * wide, box.y0 * high, box.x1 * wide, box.y1 * high

    def finish(self) -> Figure:
        """Fix the height and put everything in its place."""
        self.skip(self.size.edge)
        self.height = self._down
        self.figure.set_size_inches(self.size.width / 72, self.height / 72)
        for top, place in self._later:
            place(self.height - top)
        for draw in self._last:
            draw()
        return self.figure

    def write(
        self, x: float, y: float, text: str, size: float, colour: str = INK, bold: bool = False, **where: Any
    ) -> Text:
        """Set text at a point; ``where`` takes ha and va."""
        return self.figure.text(
            x, y, text, fontsize=size, color=colour, weight="bold" if bold else "normal",
            transform=self.points, **{"ha": "left", "va": "bottom"} | where,
        )  # fmt: skip

    def rule(self, xs: Line, ys: Line, colour: str = INK, **look: Any) -> None:
        """Draw a line, or markers, through points."""
        self.figure.add_artist(Line2D(xs, ys, color=colour, transform=self.points, **{"lw": 0.8} | look))

    def badge(self, x: float, y: float, number: int) -> None:
        """Draw a numbered disc centred on a point."""
        self.rule((x,), (y,), marker="o", ms=13.5, mec=PAPER, mew=1.2, zorder=8)
        self.write(x, y - 0.3, str(number), 8.5, PAPER, bold=True, ha="center", va="center", zorder=9)
