"""Which sizes OpenAI's image models draw, and which they choose by themselves.

Source: https://platform.openai.com/docs/api-reference/images/create
"""

from __future__ import annotations

import itertools
import math
import re

Pixels = tuple[int, int]

FIXED_SIZES: tuple[Pixels, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
DEFAULT_SIZE: Pixels = (1024, 1024)

_STEP = 16
_WIDEST_RATIO = 3
_LONGEST_EDGE = 3840
_FEWEST_PIXELS = 655_360
_MOST_PIXELS = 8_294_400


def parse_size(text: str) -> Pixels | None:
    """Width and height of "1024x1536"; None when it is not written like this."""
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)
    return (int(match[1]), int(match[2])) if match else None


def fault_of_free_size(size: Pixels) -> str | None:
    """Which rule a freely chosen size breaks, as a sentence; None when it breaks none."""
    width, height = size
    if width % _STEP or height % _STEP:
        return f"Width and height must both be multiples of {_STEP}."
    if max(size) > _WIDEST_RATIO * min(size):
        return f"The ratio must be between 1:{_WIDEST_RATIO} and {_WIDEST_RATIO}:1."
    if max(size) > _LONGEST_EDGE:
        return f"No edge may be longer than {_LONGEST_EDGE} pixels."
    if not _FEWEST_PIXELS <= width * height <= _MOST_PIXELS:
        return f"The picture must have {_FEWEST_PIXELS} to {_MOST_PIXELS} pixels, not {width * height}."
    return None


def nearest_size(size: Pixels, *, free: bool) -> Pixels:
    """The legal size nearest to a picture's own: by shape among the fixed ones, else by shape and pixels."""
    if not free:
        return min(FIXED_SIZES, key=lambda fixed: abs(math.log(fixed[0] * size[1] / (fixed[1] * size[0]))))
    width, height = _within_limits(size)
    candidates = itertools.product(_steps_around(width), _steps_around(height))
    legal = [candidate for candidate in candidates if fault_of_free_size(candidate) is None]
    return min(legal, key=lambda found: math.dist(found, (width, height)), default=DEFAULT_SIZE)


def _within_limits(size: Pixels) -> tuple[float, float]:
    """The size with its ratio, pixels and edges brought within the limits, not yet in steps."""
    ratio = min(_WIDEST_RATIO, max(1 / _WIDEST_RATIO, size[0] / size[1]))
    area = min(_MOST_PIXELS, max(_FEWEST_PIXELS, size[0] * size[1]))
    width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
    scale = min(1.0, _LONGEST_EDGE / max(width, height))
    return width * scale, height * scale


def _steps_around(edge: float) -> tuple[int, int]:
    return math.floor(edge / _STEP) * _STEP, math.ceil(edge / _STEP) * _STEP
