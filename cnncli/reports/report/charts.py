"""Line charts as SVG, in the colours of the page."""

from collections.abc import Iterator, Sequence
from math import floor, log10
from xml.etree.ElementTree import Element

from cnncli.pages.markup import element

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 20, 10, 34  # margins around the axes

Point = tuple[float, float]


class Chart:
    """Axes from the smallest to the largest number, and what is drawn on them; `kind` names a colour of the page."""

    def __init__(
        self,
        x_label: str,
        x: Point,
        y: Point,
        *,
        percent_x: bool = False,
        percent_y: bool = False,
        whole_x: bool = False,
    ) -> None:
        self._x_label, self._x, self._y = x_label, _widen(x), _widen(y)
        self._percent_x, self._percent_y, self._whole_x = percent_x, percent_y, whole_x
        self._drawn: list[Element] = []

    def line(self, points: Sequence[Point], kind: str) -> None:
        """A line through some points."""
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(self._place, points))
        self._drawn.append(element("path", d=path, class_=f"line {kind}"))

    def dot(self, x: float, y: float, kind: str, told: str, radius: float = 3) -> None:
        """A point that tells its numbers when it is pointed at."""
        at_x, at_y = self._place((x, y))
        dot = element(
            "circle", element("title", told), cx=f"{at_x:.1f}", cy=f"{at_y:.1f}", r=f"{radius:.1f}", class_=kind
        )
        self._drawn.append(dot)

    def upright(self, x: float, text: str) -> None:
        """A line across the whole height."""
        at, _ = self._place((x, self._y[0]))
        self._drawn.append(
            element("path", element("title", text), d=f"M{at:.1f} {TOP}V{HEIGHT - BOTTOM}", class_="upright")
        )

    def draw(self, told: str) -> Element:
        """The chart; `told` is what a screen reader says of it."""
        return element(
            "svg", list(self._axes()), self._drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=told
        )

    def _axes(self) -> Iterator[Element]:
        for tick in ticks(*self._y):
            _, y = self._place((self._x[0], tick))
            yield element("path", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}", class_="grid")
            yield element("text", _write(tick, self._percent_y), x=LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end")
        for tick in ticks(*self._x, least=1.0 if self._whole_x else 0.0):
            x, _ = self._place((tick, self._y[0]))
            yield element(
                "text", _write(tick, self._percent_x), x=f"{x:.1f}", y=HEIGHT - BOTTOM + 16, text_anchor="middle"
            )
        yield element("text", self._x_label, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 4, text_anchor="middle")

    def _place(self, point: Point) -> Point:
        (x, y), (left, right), (low, high) = point, self._x, self._y
        return (
            LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM),
        )


def ticks(low: float, high: float, *, least: float = 0.0) -> list[float]:
    """Round numbers from low to high, four to eight of them, no closer than `least`."""
    rough = (high - low) / 5
    power = 10.0 ** floor(log10(rough))
    step = max(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.7), least)
    first = -(-low // step)
    return [number * step for number in range(int(first), floor(high / step + 1e-9) + 1)]


def _widen(ends: Point) -> Point:
    """The same, unless it is one number."""
    low, high = ends
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _write(number: float, percent: bool) -> str:
    return f"{number:.0%}" if percent else f"{number:.3g}"
