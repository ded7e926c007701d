from __future__ import annotations

from pathlib import Path

import pytest

from tests.find_browser import find_browser, main


def test_the_named_browser_comes_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = folder / "mine"
    mine.touch(mode=0o755)
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert find_browser() == str(mine)


def test_then_come_those_of_the_path_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    assert find_browser() is None
    for name in ("google-chrome", "chromium", "chromium-headless-shell"):
        (folder / name).touch(mode=0o755)
        assert find_browser() == str(folder / name)


def test_a_named_browser_that_is_missing_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", str(folder / "gone"))
    assert main() == f"CHROMIUM names {folder / 'gone'}, which is no program."
