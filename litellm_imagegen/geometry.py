"""Aspect ratios, size tiers and pixels: arithmetic only, no model and no provider.

An aspect ratio is written "W:H". A size tier names the length of a square picture's edge: "512", "1K"
(1024), "2K" (2048), "4K" (4096); other shapes of a tier have about as many pixels. Dimensions are
(width, height) in pixels.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

Dimensions = tuple[int, int]

_RATIO = re.compile(r"\s*(\d{1,5}(?:\.\d{1,4})?)\s*:\s*(\d{1,5}(?:\.\d{1,4})?)\s*")
_DIMENSIONS = re.compile(r"\s*(\d{1,6})\s*[xX*\u00d7]\s*(\d{1,6})\s*")
_TIER_EDGES = {"512": 512, "768": 768, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}
_TIER_SPELLINGS = {"512PX": "512", "0.5K": "512", "768SQ": "768"}
MAXIMUM_EDGE = 65_535
# Models keep their pixels to multiples: a shape of a tier has up to this much more than its square.
_ROUNDING = 1.05


@dataclass(frozen=True, kw_only=True)
class PixelRule:
    """Which dimensions a model draws, where it draws any that keep to these. All are in pixels."""

    multiple: int = 1
    minimum_edge: int = 1
    maximum_edge: int = MAXIMUM_EDGE
    minimum_area: int = 1
    maximum_area: int = MAXIMUM_EDGE**2
    maximum_ratio: float = math.inf  # of the longer edge to the shorter

    def allows(self, dimensions: Dimensions) -> bool:
        """Whether a model with this rule draws exactly these dimensions."""
        short, long = sorted(dimensions)
        return (
            all(edge % self.multiple == 0 for edge in dimensions)
            and self.minimum_edge <= short
            and long <= self.maximum_edge
            and self.minimum_area <= short * long <= self.maximum_area
            and long / short <= self.maximum_ratio
        )

    def nearest(self, width: float, height: float) -> Dimensions:
        """The dimensions that this rule allows with nearly this shape and size: these, if it allows them."""
        exact = (round(width), round(height))
        if exact[0] == width and exact[1] == height and self.allows(exact):
            return exact
        ratio = min(max(width / height, 1 / self.maximum_ratio), self.maximum_ratio)
        slimness = max(ratio, 1 / ratio)
        # What the edges allow of this shape: a smaller picture is nearer than one of another shape.
        least = max(self.minimum_area, self.minimum_edge**2 * slimness)
        most = min(self.maximum_area, self.maximum_edge**2 / slimness)
        area = min(max(width * height, least), most)
        edges = math.sqrt(area * ratio), math.sqrt(area / ratio)
        candidates = set(self._beside(ratio, self._around(edges[0]), self._around(edges[1])))
        if not candidates:
            every = range(self._first, self.maximum_edge + 1, self.multiple)
            candidates = set(self._beside(ratio, every, every))

        def distance(dimensions: Dimensions) -> tuple[float, ...]:
            """The same for a picture and for that picture on its side, so that both are drawn alike."""
            shape = abs(math.log(dimensions[0] / dimensions[1] / ratio))
            size = abs(math.log(dimensions[0] * dimensions[1] / area))
            return round(shape + size, 9), round(shape, 9), dimensions[0] * dimensions[1], max(dimensions)

        return min(candidates, key=distance)

    def _beside(self, ratio: float, widths: range, heights: range) -> Iterator[Dimensions]:
        """Allowed dimensions with one of these edges and about this shape."""
        for width in widths:
            for height in self._around(min(max(width / ratio, self.minimum_edge), self.maximum_edge)):
                if self.allows((width, height)):
                    yield width, height
        for height in heights:
            for width in self._around(min(max(height * ratio, self.minimum_edge), self.maximum_edge)):
                if self.allows((width, height)):
                    yield width, height

    def text(self) -> str:
        """The rule in words, for people."""
        told = [f"multiples of {self.multiple}"] if self.multiple > 1 else []
        told.append(f"edges of {self.minimum_edge} to {self.maximum_edge}")
        if self.maximum_area < MAXIMUM_EDGE**2 or self.minimum_area > 1:
            told.append(f"{self.minimum_area} to {self.maximum_area} pixels")
        if self.maximum_ratio < math.inf:
            told.append(f"ratio up to {self.maximum_ratio:g}:1")
        return ", ".join(told)

    @property
    def _first(self) -> int:
        return -(-self.minimum_edge // self.multiple) * self.multiple

    def _around(self, edge: float) -> range:
        """Legal edges around this one."""
        middle = round(edge / self.multiple)
        return range(max(middle - 2, 1) * self.multiple, (middle + 3) * self.multiple, self.multiple)


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


def ratio_of(dimensions: Dimensions) -> str:
    """The shape of dimensions in its lowest terms."""
    divisor = math.gcd(*dimensions)
    return f"{dimensions[0] // divisor}:{dimensions[1] // divisor}"


def resembles(dimensions: Dimensions, ratio: str) -> bool:
    """Whether dimensions are some vendor's pixels for a ratio: those are off by up to 3 in 100."""
    return abs(math.log(dimensions[0] / dimensions[1] / ratio_value(ratio))) < 0.035


def parse_dimensions(text: str) -> Dimensions | None:
    """(width, height) of "WxH", or None if this is no such text or a picture of no size."""
    match = _DIMENSIONS.fullmatch(text)
    if match is None:
        return None
    width, height = int(match[1]), int(match[2])
    return (width, height) if min(width, height) > 0 and max(width, height) <= MAXIMUM_EDGE else None


def parse_tier(text: str) -> str | None:
    """The tier in its canonical spelling (capital K), or None if this is no tier."""
    upper = text.strip().upper()
    tier = _TIER_SPELLINGS.get(upper, upper)
    return tier if tier in _TIER_EDGES else None


def tiers() -> tuple[str, ...]:
    """Every tier, smallest first."""
    return tuple(_TIER_EDGES)


def tier_area(tier: str) -> int:
    """Pixels of a square picture of this tier."""
    return _TIER_EDGES[tier] ** 2


def as_text(dimensions: Dimensions) -> str:
    """`WxH`"""
    return f"{dimensions[0]}x{dimensions[1]}"


def tier_of(dimensions: Dimensions, legal: Sequence[str] = tuple(_TIER_EDGES)) -> str:
    """The smallest tier that covers as many pixels, else the largest."""
    by_area = sorted(legal, key=tier_area)
    pixels = dimensions[0] * dimensions[1]
    return next((tier for tier in by_area if tier_area(tier) * _ROUNDING >= pixels), by_area[-1])


def dimensions_of(ratio: str, tier: str) -> tuple[float, float]:
    """Width and height of a shape with as many pixels as the tier's square, not rounded."""
    height = math.sqrt(tier_area(tier) / ratio_value(ratio))
    return height * ratio_value(ratio), height


def nearest_ratio(asked: str, legal: Iterable[str]) -> str:
    """The legal ratio with the smallest |log(asked / legal)|; of two equally near, the one nearer to 1:1."""

    def distance(ratio: str) -> tuple[float, float]:
        gap = abs(math.log(ratio_value(asked) / ratio_value(ratio)))
        return round(gap, 9), abs(math.log(ratio_value(ratio)))

    return min(legal, key=distance)


def nearest_dimensions(width: float, height: float, legal: Iterable[Dimensions]) -> Dimensions:
    """Of a few legal dimensions those of the nearest shape, and of those the nearest in size."""

    def distance(dimensions: Dimensions) -> tuple[float, float, float]:
        shape = abs(math.log(width / height / (dimensions[0] / dimensions[1])))
        return (
            round(shape, 9),
            abs(math.log(width * height / (dimensions[0] * dimensions[1]))),
            abs(math.log(dimensions[0] / dimensions[1])),
        )

    return min(legal, key=distance)


def covering_tier(asked: str, legal: Sequence[str]) -> str:
    """The smallest legal tier whose edge is at least the asked one's, else the largest."""
    by_edge = sorted(legal, key=_TIER_EDGES.__getitem__)
    return next((tier for tier in by_edge if _TIER_EDGES[tier] >= _TIER_EDGES[asked]), by_edge[-1])
