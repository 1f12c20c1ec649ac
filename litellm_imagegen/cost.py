"""Usage, pictures and a price make dollars. Facts about prices stand in profiles/."""

import math
from collections.abc import Sequence

from litellm_imagegen.canonical import ImageInput, Picture, Usage
from litellm_imagegen.geometry import tier_of
from litellm_imagegen.profiles import Price

_MILLION = 1_000_000
_MEGAPIXEL = 1024 * 1024


def cost_of(
    usage: Usage | None,
    price: Price | None,
    pictures: Sequence[Picture] = (),
    *,
    quality: str | None = None,
    references: Sequence[ImageInput] = (),
) -> float | None:
    """USD for an answer, or None where nobody knows.

    The provider's own figure goes first, then tokens, then the price of each picture, which may depend on
    the `quality` asked for and on the pictures that it was drawn by.
    """
    if usage is not None and usage.cost is not None:
        return usage.cost
    if price is None:
        return None
    by_tokens = (
        _of_tokens(_told_apart(usage, pictures), price) if usage is not None and usage.total_tokens else None
    )
    if by_tokens is not None:
        return by_tokens
    costs = [_of_picture(price, picture, quality, references) for picture in pictures]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def _told_apart(usage: Usage, pictures: Sequence[Picture]) -> Usage:
    """Where nobody tells a picture's tokens from those of words, all but thoughts are the picture's."""
    if usage.completion_image_tokens is not None or usage.completion_text_tokens is not None or not pictures:
        return usage
    image = max(usage.completion_tokens - (usage.reasoning_tokens or 0), 0)
    return usage.model_copy(update={"completion_image_tokens": image})


def _of_tokens(usage: Usage, price: Price) -> float | None:
    """Output tokens that are no image tokens, thoughts included, cost the text rate.

    Input tokens of pictures cost their own rate where there is one, cached ones a share of the text rate.
    """
    image = usage.completion_image_tokens or 0
    words = max(usage.completion_tokens - image, 0)
    if price.input is None or price.image_output is None or (words and price.text_output is None):
        return None
    cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
    prompt = usage.prompt_tokens - cached + cached * price.cached_input_share
    total = prompt * price.input + words * (price.text_output or 0) + image * price.image_output
    if price.image_input is not None:
        total += (usage.prompt_image_tokens or 0) * (price.image_input - price.input)
    return total / _MILLION


def _of_picture(
    price: Price, picture: Picture, quality: str | None, references: Sequence[ImageInput]
) -> float | None:
    width, height = picture.blob.facts["width"], picture.blob.facts["height"]
    if price.picture is not None:
        return price.picture
    if not width or not height:
        return None
    if price.pictures:
        by_size = price.pictures.get(f"{quality} {width}x{height}")
        return by_size if by_size is not None else price.pictures.get(tier_of((width, height)))
    if price.first_megapixel is not None:
        further = max(math.ceil(width * height / _MEGAPIXEL) - 1, 0) + _megapixels(references)
        return price.first_megapixel + further * (price.further_megapixel or 0)
    return None


def _megapixels(references: Sequence[ImageInput]) -> int:
    """The pictures to draw by, each rounded up to whole megapixels; one at an address counts as one."""
    facts = [picture.blob.facts if picture.blob is not None else None for picture in references]
    return sum(
        max(math.ceil((known["width"] or 0) * (known["height"] or 0) / _MEGAPIXEL), 1) if known else 1
        for known in facts
    )
