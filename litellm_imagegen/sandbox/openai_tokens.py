"""How many tokens OpenAI's image models bill for a picture, in and out.

Strategy: the published numbers by quality and size. What is not published lies between its neighbours:
other sizes are interpolated by their pixels, `xhigh` is twice `high` (half-way to `max`, in steps of a
factor), and the low qualities of 2.6 are known only as three to four times those of 2.5. Tokens of
pictures that come in are an order of magnitude, no price.

Source: https://platform.openai.com/docs/guides/image-generation#cost-and-latency
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from .openai_sizes import Pixels

TokensBySize = Mapping[Pixels, int]

PARTIAL_PICTURE_TOKENS = 100

_SIGNS_PER_TOKEN = 4
_INPUT_PICTURE_TOKENS = 323
_HIGH_FIDELITY_TOKENS = 4160
_FACTOR_OF_2_6 = 3.5

FIRST_GENERATION: dict[str, TokensBySize] = {
    "low": {(1024, 1024): 272, (1024, 1536): 408, (1536, 1024): 400},
    "medium": {(1024, 1024): 1056, (1024, 1536): 1584, (1536, 1024): 1568},
    "high": {(1024, 1024): 4160, (1024, 1536): 6240, (1536, 1024): 6208},
}

_LOW = {
    (1024, 1024): 196,
    (1536, 1024): 158,
    (1920, 1080): 147,
    (2048, 2048): 397,
    (2560, 1440): 205,
    (3840, 2160): 371,
}
_MEDIUM = {(1024, 1024): 439, (1536, 1024): 343, (1920, 1080): 343}
_HIGH = {
    (1024, 1024): 1756,
    (1536, 1024): 1372,
    (1920, 1080): 1320,
    (2048, 2048): 3568,
    (2560, 1440): 1843,
    (3840, 2160): 3336,
}
_MAX = {
    (1024, 1024): 7024,
    (1536, 1024): 5488,
    (1792, 1024): 5063,
    (1920, 1080): 5280,
    (2048, 2048): 14272,
    (2560, 1440): 7370,
    (3840, 2160): 13342,
}


def _times(tokens: TokensBySize, factor: float) -> dict[Pixels, int]:
    return {size: round(count * factor) for size, count in tokens.items()}


# Generation 2 bills for `medium` and `high` what its followers bill for `high` and `max`.
GENERATION_2: dict[str, TokensBySize] = {"low": _LOW, "medium": _HIGH, "high": _MAX}
GENERATION_2_5: dict[str, TokensBySize] = {
    "low": _LOW,
    "medium": _MEDIUM,
    "high": _HIGH,
    "xhigh": _times(_HIGH, 2),
    "max": _MAX,
}
GENERATION_2_6: dict[str, TokensBySize] = {
    **GENERATION_2_5,
    "low": _times(_LOW, _FACTOR_OF_2_6),
    "medium": _times(_MEDIUM, _FACTOR_OF_2_6),
}


def output_tokens(tokens: TokensBySize, size: Pixels) -> int:
    """The tokens of a picture of this size: from the table, upright or lying, else by its pixels."""
    known = tokens.get(size) or tokens.get(size[::-1])
    return known or _by_area(tokens, size[0] * size[1])


def text_tokens(text: str) -> int:
    """About as many tokens as a prompt has."""
    return max(1, -(-len(text) // _SIGNS_PER_TOKEN))


def input_picture_tokens(*, high_fidelity: bool) -> int:
    """About as many tokens as a picture of a request is billed."""
    return _INPUT_PICTURE_TOKENS + (_HIGH_FIDELITY_TOKENS if high_fidelity else 0)


def _by_area(tokens: TokensBySize, area: int) -> int:
    points = sorted((width * height, count) for (width, height), count in tokens.items())
    for (smaller, fewer), (larger, more) in itertools.pairwise(points):
        if smaller <= area <= larger:
            return round(fewer + (more - fewer) * (area - smaller) / (larger - smaller))
    nearest_area, count = points[0] if area < points[0][0] else points[-1]
    return round(count * area / nearest_area)
