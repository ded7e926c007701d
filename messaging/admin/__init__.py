"""Django admin of messaging: a file per group of nouns."""

from __future__ import annotations
