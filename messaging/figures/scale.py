"""The scale on which times to recovery are counted; the database's own, in Python.

``messaging_recovery_bucket`` puts a duration into bucket 0 below a tenth of a second,
and then each bucket is a tenth longer than the one before. A quantile read from the
buckets is the geometric middle of the one it falls into, so it is never more than 5 %
away from the true one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

SHORTEST: Final = 0.1
"""Seconds; whatever is shorter is in bucket 0."""
STEP: Final = 1.1

EDGES: Final = (
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    900.0,
    1_800.0,
    3_600.0,
    3 * 3_600.0,
    6 * 3_600.0,
    12 * 3_600.0,
    24 * 3_600.0,
    48 * 3_600.0,
)
"""Seconds at which the spans of a distribution end: as people count time."""


def bounds(bucket: int) -> tuple[float, float]:
    """Return the seconds from which and up to which a bucket counts."""
    if bucket <= 0:
        return 0.0, SHORTEST
    return SHORTEST * STEP ** (bucket - 1), SHORTEST * STEP**bucket


def middle(bucket: int) -> float:
    """Return the seconds that stand for a bucket: at most 5 % off on either side."""
    lower, upper = bounds(bucket)
    return math.sqrt(lower * upper) if lower else upper / 2


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the seconds within which that share of them recovered; None of nothing."""
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(1, math.ceil(share * total))
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return middle(bucket)
    raise AssertionError
