"""The browser of the page tests; as a program, it makes sure there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
ADVICE = (
    "The page tests need a browser, and none could be installed: install Chromium"
    " or Chrome, or name one in the variable CHROMIUM."
)


def find_browser() -> str | None:
    """Return the program to run, or None for the one that Playwright manages.

    Raises:
        FileNotFoundError: CHROMIUM names a program that does not exist.
    """
    if named := os.environ.get("CHROMIUM"):
        program = shutil.which(named)
        if program is None:
            raise FileNotFoundError(f"CHROMIUM names {named}, which is no program.")
        return program
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def playwright_has_one() -> bool:
    """Return whether Playwright's own browser is installed already."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def install_browser() -> bool:
    """Install a browser by Playwright, else as root by Debian's packages."""
    playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
    if run(playwright):
        return True
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    package = ["apt-get", "install", "--yes", "chromium-headless-shell"]
    return run(["apt-get", "update"]) and run(package)


def run(command: list[str]) -> bool:
    # A package that asks a question would wait for ever.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, check=False, env=environment).returncode == 0


def main() -> str | None:
    """Return a sentence when there is no browser and none can be installed."""
    try:
        ready = find_browser() or playwright_has_one() or install_browser()
    except FileNotFoundError as error:
        return str(error)
    return None if ready else ADVICE


if __name__ == "__main__":
    sys.exit(main())
