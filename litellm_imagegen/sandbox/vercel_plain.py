"""Image models behind the Vercel AI Gateway that are asked by size, or by ratio and resolution.

Strategy: a size goes first, then width and height or a ratio and a resolution among the vendor's options;
without any of them a picture has the model's own size. A ratio stands for the two multiples of 16 nearest
to its area, or for the nearest of the sizes that the model draws.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/xai#image-models,
https://www.recraft.ai/docs/api-reference/appendix and
https://docs.byteplus.com/en/docs/ModelArk/1541523
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .chat_drawing import Canvas, picture_base64
from .faults import Wishes
from .openai_errors import OpenAIError, invalid_value
from .openai_readers import choice, shown, whole
from .openai_sizes import Pixels
from .vercel_errors import refused_upstream
from .vercel_models import AUTO, PlainModel
from .vercel_options import Options
from .vercel_order import Drawn, Order

_BLOCK = 16
_RATIO = re.compile(r"(\d{1,4}(?:\.\d{1,3})?):(\d{1,4}(?:\.\d{1,3})?)")
_RESOLUTION = re.compile(r"(\d(?:\.\d)?)k", re.IGNORECASE)
_PIXELS_OF_1K = 1024


@dataclass(frozen=True, kw_only=True)
class PlainOrder(Order):
    """Pictures of one model."""

    model: PlainModel
    canvas: Canvas
    quality: str | None

    @property
    def vendor(self) -> str:
        """The name of the provider's options, under which it answers."""
        return self.model.vendor

    def draw(self, wishes: Wishes, count: int) -> Sequence[Drawn]:
        """So many pictures, in order."""
        return [
            Drawn(picture=picture_base64(self.canvas, wishes, number=number, of=count))
            for number in range(1, count + 1)
        ]

    def cost(self, count: int) -> float | None:
        """A price a picture, of the list."""
        prices: Mapping[str, float] = self.model.price_by_quality or {}
        price = prices.get(self.quality or "", self.model.price)
        return None if price is None else price * count

    def blocked_prompt(self) -> tuple[str, str | None]:
        """A provider's sentence."""
        return "The provider refused the prompt: it goes against its content policy. (sandbox)", None

    def blocked_picture(self) -> tuple[str, str | None]:
        """A provider's sentence."""
        return "The provider made no picture that its content policy lets pass. (sandbox)", None


def read_order(
    name: str, model: PlainModel, prompt: str, size: Pixels | None, options: Options
) -> PlainOrder:
    """Read what is asked of this model. Raises GatewayError with what its provider refuses first."""
    try:
        width, height = _pixels(model, size, options)
        quality = _quality(model, options)
        output_format = _output_format(model, options)
    except OpenAIError as error:
        raise refused_upstream(error) from None
    seed = options.get("seed")
    canvas = Canvas(
        model=name,
        prompt=prompt,
        width=width,
        height=height,
        settings=model.vendor if quality is None else quality,
        output_format=output_format,
        seed=seed if isinstance(seed, int) else None,
    )
    return PlainOrder(model=model, canvas=canvas, quality=quality)


def _quality(model: PlainModel, options: Options) -> str | None:
    if not model.qualities or "quality" not in options:
        return None
    quality: str = choice(model.qualities)(options["quality"], "quality")
    return quality


def _output_format(model: PlainModel, options: Options) -> str:
    wanted = options.get("output_format", options.get("outputFormat", model.output_format))
    taken: str = choice(("jpeg", "png", "webp"))(wanted, "output_format")
    return taken


def _pixels(model: PlainModel, size: Pixels | None, options: Options) -> Pixels:
    """Width and height of the picture. Raises OpenAIError for a shape that the model does not draw."""
    if size is not None and model.takes_size:
        return _checked(model, size, "size")
    if "width" in options and "height" in options:
        read = whole(*model.edges)
        return _checked(model, (read(options["width"], "width"), read(options["height"], "height")), "width")
    ratio = options.get("aspect_ratio", options.get("aspectRatio"))
    resolution = options.get("resolution")
    if ratio is None and resolution is None:
        return model.default
    quotient = _quotient(model, "1:1" if ratio in (None, AUTO) else ratio)
    if model.sizes:
        return min(model.sizes, key=lambda known: abs(math.log(known[0] / known[1] / quotient)))
    area = math.prod(model.default) if resolution is None else _side(resolution) ** 2
    return _within_edges(model, _near(area, quotient), "aspect_ratio")


def _checked(model: PlainModel, size: Pixels, name: str) -> Pixels:
    if model.sizes:
        taken = [f"{width}x{height}" for width, height in model.sizes]
        choice(taken)(f"{size[0]}x{size[1]}", name)
        return size
    _within_edges(model, size, name)
    fewest, most = model.areas
    if not fewest <= math.prod(size) <= most:
        raise invalid_value(name, f"the picture must have {fewest} to {most} pixels.")
    if max(size) > model.widest * min(size):
        raise invalid_value(name, f"the ratio must be between 1:{model.widest:g} and {model.widest:g}:1.")
    return size


def _within_edges(model: PlainModel, size: Pixels, name: str) -> Pixels:
    lowest, highest = model.edges
    if not lowest <= min(size) <= max(size) <= highest:
        raise invalid_value(name, f"each edge must have {lowest} to {highest} pixels.")
    return size


def _quotient(model: PlainModel, ratio: Any) -> float:
    if model.ratios:
        choice(model.ratios)(ratio, "aspect_ratio")
    match = _RATIO.fullmatch(ratio) if isinstance(ratio, str) else None
    if match is None or not float(match[1]) or not float(match[2]):
        raise invalid_value("aspect_ratio", f"{shown(ratio)}; it takes WIDTH:HEIGHT.")
    quotient = float(match[1]) / float(match[2])
    if max(quotient, 1 / quotient) > model.widest:
        raise invalid_value("aspect_ratio", f"{ratio} is wider or taller than this model draws.")
    return quotient


def _side(resolution: Any) -> int:
    match = _RESOLUTION.fullmatch(resolution) if isinstance(resolution, str) else None
    if match is None or not 0 < float(match[1]) <= 4:
        raise invalid_value("resolution", f"{shown(resolution)}; it takes 1k, 2k, 4k and what lies between.")
    return round(float(match[1]) * _PIXELS_OF_1K)


def _near(area: int, quotient: float) -> Pixels:
    width, height = math.sqrt(area * quotient), math.sqrt(area / quotient)
    return round(width / _BLOCK) * _BLOCK, round(height / _BLOCK) * _BLOCK
