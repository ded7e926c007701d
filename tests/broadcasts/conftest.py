"""What the tests of broadcasts share."""

from __future__ import annotations

import pytest

from broadcasts import freezing


@pytest.fixture
def two_to_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two members are few; more of them become rows in the background, two by two."""
    monkeypatch.setattr(freezing, "PAGE", 2)
    monkeypatch.setattr(freezing, "AT_ONCE", 2)


@pytest.fixture(params=["planned before", "made at the start"])
def each_way_of_making(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of a retry are there before it starts, or follow when it does."""
    if request.param == "made at the start":
        monkeypatch.setattr(freezing, "PAGE", 2)
        monkeypatch.setattr(freezing, "AT_ONCE", 0)
