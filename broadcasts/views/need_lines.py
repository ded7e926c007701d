"""One line of what needs a person, and all of them together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_OF_A_KIND: Final = 3
"""Lines of any kind but causes; causes that are left out are a number and a link."""


@dataclass(frozen=True, slots=True)
class Step:
    """The one next step: where it leads, or what it posts to, or which dialog."""

    label: str
    url: str
    is_dialog: bool = False
    is_posted: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """One line. ``key`` is unique on the page; ``url`` is where the title leads.

    ``other_step`` stands under the first for whoever may choose between the two.
    """

    key: str
    tone: str
    icon: str
    title: str
    text: str
    step: Step | None = None
    url: str = ""
    other_step: Step | None = None

    @property
    def steps(self) -> list[tuple[str, Step]]:
        """The steps, each with the id of its button."""
        both = (("step", self.step), ("other-step", self.other_step))
        return [(f"{name}-{self.key}", step) for name, step in both if step]


@dataclass(frozen=True, slots=True)
class Needs:
    """``more`` is how many causes are left out."""

    lines: Sequence[Need]
    more: int = 0

    @property
    def mark(self) -> str:
        """Changes whenever a line does; for polling."""
        text = repr((self.lines, self.more)).encode()
        return hashlib.blake2b(text, digest_size=6).hexdigest()
