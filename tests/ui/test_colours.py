"""Every colour pair is measured, and the data colours are told apart by people who see
no red, no green or no blue."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

import resend_admin.ui

CSS = (Path(resend_admin.ui.__file__).parent / "static/ui/app.css").read_text()
TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS
    )
}
THEMES = ("light", "dark")
GROUNDS = ("canvas", "surface", "sunken")
DATA = ("d1", "d2", "d3", "d4", "d5")
"""Delivered first time, after a retry, waiting, failed for good, unknown."""

TEXT_PAIRS = [
    *[(text, ground) for text in ("text", "muted") for ground in GROUNDS],
    *[("accent", ground) for ground in ("canvas", "surface", "accent-soft", "sunken")],
    ("on-solid", "accent-solid"),
    ("on-solid", "accent-solid-hover"),
    ("on-solid", "bad-solid"),
    ("on-solid", "bad-solid-hover"),
    *[(tone, f"{tone}-soft") for tone in ("ok", "warn", "bad", "info", "idle")],
    ("bad", "surface"),
    ("bad", "canvas"),
    ("surface", "text"),
    ("muted", "idle-soft"),
]
GRAPHIC_PAIRS = [
    *[("line-strong", ground) for ground in ("canvas", "surface")],
    *[(data, "surface") for data in DATA],
    ("accent", "surface"),
    ("accent", "canvas"),
    ("bad", "surface"),
    ("accent-solid", "surface"),
]

Rgb = tuple[float, float, float]


def linear(colour: str) -> Rgb:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """WCAG 2: relative luminances against each other."""

    def luminance(colour: str) -> float:
        red, green, blue = linear(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read(text: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("mark", "ground"), GRAPHIC_PAIRS)
def test_marks_and_edges_can_be_seen(mark: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[mark][theme], TOKENS[ground][theme]) >= 3


# Machado, Oliveira, Fernandes: "A Physiologically-based Model for Simulation of Color
# Vision Deficiency" (2009), matrices for severity 1.0, applied to linear RGB.
SIGHTS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def lab(colour: str, sight: tuple[Rgb, Rgb, Rgb]) -> Rgb:
    """CIE L*a*b* (D65) of the colour as it is seen."""
    rgb = linear(colour)
    red, green, blue = (
        min(max(sum(m * c for m, c in zip(row, rgb, strict=True)), 0), 1)
        for row in sight
    )
    xyz = (
        (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047,
        0.2126729 * red + 0.7151522 * green + 0.0721750 * blue,
        (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883,
    )
    x, y, z = (
        value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
        for value in xyz
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_data_colours_are_told_apart(sight: str, theme: str) -> None:
    colours = {name: lab(TOKENS[name][theme], SIGHTS[sight]) for name in DATA}
    for one, other in combinations(colours, 2):
        distance = sum(
            (a - b) ** 2 for a, b in zip(colours[one], colours[other], strict=True)
        )
        assert distance**0.5 >= 25, f"{one} and {other}"


def test_black_on_white_measures_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_style_sheet_reaches_for_nothing_outside() -> None:
    assert "http" not in CSS
    assert "@import" not in CSS
    assert "url(" not in CSS
