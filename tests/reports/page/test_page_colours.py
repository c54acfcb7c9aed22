"""The page's colours: text can be read on all of them, in light and in dark, and blue and orange are told apart."""

import re
from itertools import pairwise

import pytest

from cnncli.reports.trace.page.source import style

Colour = tuple[float, float, float]
LIGHT, DARK = (
    dict(re.findall(r"--([a-z]+): ([^;]+);", block)) for block in re.findall(r":root \{(.*?)\}", style(), re.DOTALL)
)
SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


def colour(text: str) -> Colour:
    numbers = [int(text[at : at + 2], 16) for at in (1, 3, 5)] if text.startswith("#") else map(int, text.split())
    red, green, blue = numbers
    return red, green, blue


def luminance(of: Colour) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [each / 255 / 12.92 if each <= 0.04045 * 255 else ((each / 255 + 0.055) / 1.055) ** 2.4 for each in of]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Colour, other: Colour) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(paper: Colour, ink: Colour, strength: float) -> Colour:
    red, green, blue = (p + (i - p) * strength for p, i in zip(paper, ink, strict=True))
    return red, green, blue


@SCHEMES
@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_numbers_are_readable_on_every_tint(scheme: dict[str, str], sign: str) -> None:
    paper, ink, number = (colour(scheme[name]) for name in ("cell", sign, "number"))
    tints = [mix(paper, ink, step / 20) for step in range(21)]
    assert min(contrast(number, tint) for tint in tints) >= 4.5
    away = [contrast(paper, tint) for tint in tints]
    assert all(weaker <= stronger for weaker, stronger in pairwise(away))


@SCHEMES
def test_words_are_readable_on_every_ground(scheme: dict[str, str]) -> None:
    for ground in ("paper", "card", "band", "cell"):
        for word in ("ink", "quiet", "accent"):
            assert contrast(colour(scheme[word]), colour(scheme[ground])) >= 4.5, (word, ground)
    for word in ("good", "bad"):
        assert contrast(colour(scheme[word]), colour(scheme["paper"])) >= 4.5, word
