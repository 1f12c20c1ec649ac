"""Which shape OpenRouter's models give a picture: a ratio and a tier become pixels, pixels the nearest two.

Strategy: Google's and Recraft's models have tables, OpenAI's the sizes of their own wire. For all others a
tier is an area (1K is 1024x1024) and the edges are the multiples of 16 nearest to it.

Source: https://openrouter.ai/docs/features/multimodal/image-generation
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .gemini_models import Pixels, nearest_ratio
from .input_pictures import InputPicture
from .openai_sizes import fault_of_free_size, nearest_size
from .openrouter_models import Model

_EDGES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
_BLOCK = 16
_FIXED: dict[str, Pixels] = {"1:1": (1024, 1024), "2:3": (1024, 1536), "3:2": (1536, 1024)}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of a picture: width and height in pixels, and the ratio and tier they stand for."""

    width: int
    height: int
    ratio: str
    tier: str


def shape_of(model: Model, ratio: str | None, tier: str | None, inputs: Sequence[InputPicture]) -> Shape:
    """The shape for a ratio and a tier that the model has.

    Without a ratio the shape of a given picture is followed, by Google's models the last one's.
    """
    tier = tier or model.tiers[0]
    if ratio is None or ratio == "auto":
        ratio = _followed(model, inputs)
    width, height = _pixels(model, ratio, tier)
    return Shape(width=width, height=height, ratio=ratio, tier=tier)


def shape_of_pixels(model: Model, size: Pixels) -> Shape | str:
    """The shape for a size in pixels, or why the model refuses it, as a sentence.

    OpenAI's models draw what was asked; all others their nearest ratio and tier.
    """
    ratio, tier = ratio_near(size, model.ratios), tier_near(size, model.tiers)
    if not model.openai:
        return shape_of(model, ratio, tier, ())
    if model.free_size:
        fault = fault_of_free_size(size)
    else:
        fault = None if size in _FIXED.values() else "The model does not draw this size."
    return fault or Shape(width=size[0], height=size[1], ratio=ratio, tier=tier)


def ratio_near(size: Pixels, ratios: Sequence[str]) -> str:
    """The ratio nearest to a size."""
    return min(ratios, key=lambda ratio: abs(math.log(_quotient(ratio) * size[1] / size[0])))


def tier_near(size: Pixels, tiers: Sequence[str]) -> str:
    """The tier whose area is nearest to that of a size."""
    area = math.sqrt(size[0] * size[1])
    return min(tiers, key=lambda tier: abs(math.log(_EDGES[tier] / area)))


def _followed(model: Model, inputs: Sequence[InputPicture]) -> str:
    measured = [picture for picture in inputs if picture.width and picture.height]
    if not measured:
        return "1:1"
    if model.gemini is not None:
        return nearest_ratio(model.gemini, measured[-1].width, measured[-1].height)
    return ratio_near((measured[0].width, measured[0].height), model.ratios)


def _pixels(model: Model, ratio: str, tier: str) -> Pixels:
    if model.gemini is not None:
        return model.gemini.pixels(ratio, tier)
    if model.pixels is not None:
        return model.pixels[ratio]
    if model.openai and not model.free_size:
        return _FIXED[ratio]
    quotient = _quotient(ratio)
    width, height = _EDGES[tier] * math.sqrt(quotient), _EDGES[tier] / math.sqrt(quotient)
    size = round(width / _BLOCK) * _BLOCK, round(height / _BLOCK) * _BLOCK
    return nearest_size(size, free=True) if model.openai else size


def _quotient(ratio: str) -> float:
    width, height = ratio.split(":")
    return float(width) / float(height)
