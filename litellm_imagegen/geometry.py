"""Aspect ratios and size tiers: arithmetic only, no model and no provider.

An aspect ratio is written "W:H". A size tier names the length of a square picture's edge: "512", "1K"
(1024), "2K" (2048), "4K" (4096).
"""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

_RATIO = re.compile(r"\s*(\d{1,5}(?:\.\d{1,4})?)\s*:\s*(\d{1,5}(?:\.\d{1,4})?)\s*")
_TIER_EDGES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
_TIER_SPELLINGS = {"512PX": "512", "0.5K": "512"}


def parse_ratio(text: str) -> str | None:
    """The ratio in its canonical spelling "W:H", or None if this is no ratio. The sides stay as given."""
    match = _RATIO.fullmatch(text)
    if match is None:
        return None
    sides = [Decimal(side) for side in match.groups()]
    return ":".join(f"{side.normalize():f}" for side in sides) if min(sides) > 0 else None


def ratio_value(ratio: str) -> float:
    """Width divided by height."""
    width, height = ratio.split(":")
    return float(width) / float(height)


def same_ratio(first: str, second: str) -> bool:
    """Whether both mean the same shape: 16:9 and 32:18 do."""
    return math.isclose(ratio_value(first), ratio_value(second), rel_tol=1e-9)


def parse_tier(text: str) -> str | None:
    """The tier in its canonical spelling (capital K), or None if this is no tier."""
    upper = text.strip().upper()
    tier = _TIER_SPELLINGS.get(upper, upper)
    return tier if tier in _TIER_EDGES else None


def tiers() -> tuple[str, ...]:
    """Every tier, smallest first."""
    return tuple(_TIER_EDGES)


def nearest_ratio(asked: str, legal: Sequence[str]) -> str:
    """The legal ratio with the smallest |log(asked / legal)|; of two equally near, the one nearer to 1:1."""

    def distance(ratio: str) -> tuple[float, float]:
        gap = abs(math.log(ratio_value(asked) / ratio_value(ratio)))
        return round(gap, 9), abs(math.log(ratio_value(ratio)))

    return min(legal, key=distance)


def covering_tier(asked: str, legal: Sequence[str]) -> str:
    """The smallest legal tier whose edge is at least the asked one's, else the largest."""
    by_edge = sorted(legal, key=_TIER_EDGES.__getitem__)
    return next((tier for tier in by_edge if _TIER_EDGES[tier] >= _TIER_EDGES[asked]), by_edge[-1])
