"""Looking at an audience before it is sent to."""

from __future__ import annotations

import pytest

from broadcasts.audience import Audience, choices, preview
from tests.factories import World


@pytest.mark.django_db
def test_a_preview_is_bounded(ours: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        ours.contact(tags=["vip"], country="GH", language="en")
    seen = preview(ours.organization, Audience(tags=("vip",)))
    assert (len(seen.sample), seen.count, seen.text) == (5, 6, "6")

    monkeypatch.setattr("broadcasts.audience.COUNTED", 5)
    seen = preview(ours.organization, Audience())
    assert (seen.count, seen.is_capped, seen.text) == (5, True, "5+")
    assert choices(ours.organization).tags == ["vip"]
    assert choices(ours.organization).countries == ["GH"]


def test_an_audience_reads_as_a_sentence() -> None:
    assert Audience().sentence == "everyone"
    audience = Audience(("vip", "gold"), ("GH",), ("en",))
    assert audience.sentence == "tagged vip or gold, in GH, speaking en"


def test_a_nul_is_no_part_of_any_value() -> None:
    read = Audience.from_json(
        {"tags": ["v\x00ip", "\x00"], "countries": ["g\x00h"], "languages": ["\x00en"]}
    )
    assert read == Audience(("vip",), ("GH",), ("en",))
