"""A page that nothing bad may happen on: no fault by axe, CSP or the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

COLLECT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REFUSAL = "Failed to load resource: the server responded with a status of 4"
"""Chromium calls every refused form an error; the refusal is what is tested."""


class Watched:
    """One tab; ``check`` it wherever a person would stop and look."""

    def __init__(self, page: Page, *, has_script: bool) -> None:
        self.page = page
        self.has_script = has_script
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REFUSAL):
            self.complaints.append(message.text)

    def check(self) -> None:
        """Hold the page, as it is now, against every rule."""
        if self.has_script:
            found = Axe().run(self.page, options={"runOnly": RULES})
            self.complaints += [
                f"{self.page.url}: {fault['id']}: {node['html']}"
                for fault in found.response["violations"]
                for node in fault["nodes"]
            ]
            self.complaints += self.page.evaluate("window.violations")
            wider = self.page.evaluate(
                "document.documentElement.scrollWidth > window.innerWidth"
            )
            if wider:
                self.complaints.append(f"{self.page.url} scrolls sideways")
        assert self.complaints == []


@contextmanager
def watched(
    browser: Browser, url: str, *, has_script: bool, width: int, scheme: str
) -> Iterator[Watched]:
    context = browser.new_context(
        base_url=url,
        java_script_enabled=has_script,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Amsterdam",
        locale="en-GB",
        reduced_motion="reduce",
    )
    if has_script:
        context.add_init_script(COLLECT_VIOLATIONS)
    try:
        tab = Watched(context.new_page(), has_script=has_script)
        yield tab
        assert tab.complaints == []
    finally:
        context.close()
