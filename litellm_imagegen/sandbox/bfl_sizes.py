"""How many pixels a picture of Black Forest Labs has: given, by ratio and area, or those of the input.

Strategy: one rule per family. An area stands for a ratio as the two multiples of 16 nearest to it, since
the models paint in blocks of 16 pixels.

Source: https://docs.bfl.ai (width, height, aspect_ratio and resolution of each model's page)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .bfl_fields import FLUX_3_RATIOS, TALLEST, WIDEST
from .bfl_models import MEGAPIXEL, Family, Model
from .bfl_pictures import GivenPicture

MOST_PIXELS_FLUX_2 = 4 * MEGAPIXEL

Size = tuple[int, int]
Request = Mapping[str, Any]
Inputs = Sequence[GivenPicture]

_BLOCK = 16
_SMALLEST = 64
_SIDE_BY_RESOLUTION = {"768sq": 768, "1k": 1024, "1.5k": 1536, "2k": 2048, "4k": 4096}
_UNKNOWN: Size = (1024, 1024)


def output_size(model: Model, request: Request, inputs: Inputs) -> Size:
    """Width and height in pixels of the picture that this request yields."""
    return _RULES[model.family](request, inputs)


def _quotient(ratio: str) -> float:
    width, height = ratio.split(":")
    return int(width) / int(height)


def _near(pixels: int, quotient: float) -> Size:
    """The multiples of 16 nearest to this area and this quotient of width and height."""
    width, height = math.sqrt(pixels * quotient), math.sqrt(pixels / quotient)
    return round(width / _BLOCK) * _BLOCK, round(height / _BLOCK) * _BLOCK


def _first_size(inputs: Inputs) -> Size | None:
    """The size of the first picture, which is the one an edit starts from; None when it is not known."""
    return (inputs[0].shown.width, inputs[0].shown.height) if inputs and inputs[0].measured else None


def _flux_3(request: Request, inputs: Inputs) -> Size:
    side = _SIDE_BY_RESOLUTION[request.get("resolution", "1k")]
    ratio = request.get("aspect_ratio", "auto")
    if ratio == "auto":
        # Without a picture the provider reads the ratio from the prompt; the sandbox paints a square.
        width, height = _first_size(inputs) or (1, 1)
        ratio = min(FLUX_3_RATIOS, key=lambda known: abs(math.log(_quotient(known) * height / width)))
    return _near(side * side, _quotient(ratio))


def _flux_2(request: Request, inputs: Inputs) -> Size:
    width, height = _matching(_first_size(inputs) or _UNKNOWN)
    return request.get("width") or width, request.get("height") or height


def _matching(size: Size) -> Size:
    """The size nearest to an input's which the model can paint: multiples of 16, within 4 megapixels."""
    width, height = size
    shrink = min(1.0, math.sqrt(MOST_PIXELS_FLUX_2 / (width * height)))
    rounding = math.floor if shrink < 1 else round
    return (
        max(_SMALLEST, rounding(width * shrink / _BLOCK) * _BLOCK),
        max(_SMALLEST, rounding(height * shrink / _BLOCK) * _BLOCK),
    )


def _kontext(request: Request, inputs: Inputs) -> Size:
    width, height = _first_size(inputs) or (1, 1)
    ratio = request.get("aspect_ratio")
    quotient = _quotient(ratio) if ratio else min(WIDEST, max(TALLEST, width / height))
    return _near(MEGAPIXEL, quotient)


def _flux_1(request: Request, _: Inputs) -> Size:
    return request.get("width", 1024), request.get("height", 768)


def _ultra(request: Request, _: Inputs) -> Size:
    return _near(4 * MEGAPIXEL, _quotient(request.get("aspect_ratio", "16:9")))


def _fill(_: Request, inputs: Inputs) -> Size:
    return _first_size(inputs) or _UNKNOWN


def _expand(request: Request, inputs: Inputs) -> Size:
    width, height = _first_size(inputs) or _UNKNOWN
    return (
        width + request.get("left", 0) + request.get("right", 0),
        height + request.get("top", 0) + request.get("bottom", 0),
    )


_RULES: Mapping[Family, Callable[[Request, Inputs], Size]] = {
    Family.FLUX_3: _flux_3,
    Family.FLUX_2: _flux_2,
    Family.KONTEXT: _kontext,
    Family.FLUX_1: _flux_1,
    Family.ULTRA: _ultra,
    Family.FILL: _fill,
    Family.EXPAND: _expand,
}
