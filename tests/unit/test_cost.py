import io
from functools import lru_cache
from typing import Any

import pytest
from PIL import Image

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import ImageInput, Picture, Usage
from litellm_imagegen.cost import cost_of
from litellm_imagegen.profiles import Price, find

PRO = Price(input=2.0, text_output=12.0, image_output=120.0)
DRAWN = Usage(
    prompt_tokens=14,
    completion_tokens=1457,
    total_tokens=1471,
    reasoning_tokens=174,
    completion_text_tokens=163,
    completion_image_tokens=1120,
)


def test_output_that_is_no_picture_costs_the_text_rate_thoughts_included() -> None:
    assert cost_of(DRAWN, PRO) == pytest.approx((14 * 2 + (1457 - 1120) * 12 + 1120 * 120) / 1e6)


def test_one_1k_picture_of_the_pro_model_costs_what_google_says() -> None:
    usage = Usage(prompt_tokens=0, completion_tokens=1120, total_tokens=1120, completion_image_tokens=1120)
    assert cost_of(usage, find("gemini", "gemini-3-pro-image").price) == pytest.approx(0.134, abs=0.001)


def test_a_refused_prompt_costs_its_tokens_alone() -> None:
    assert cost_of(Usage(prompt_tokens=7, total_tokens=7), PRO) == pytest.approx(14 / 1e6)


def test_cached_input_costs_a_tenth() -> None:
    # https://ai.google.dev/gemini-api/docs/pricing: context caching at 10 % of the input price.
    usage = Usage(prompt_tokens=1_000, total_tokens=1_000, cached_tokens=800)
    assert cost_of(usage, PRO) == pytest.approx((200 * 2 + 800 * 0.2) / 1e6)


def test_the_providers_own_figure_goes_first() -> None:
    assert cost_of(DRAWN.model_copy(update={"cost": 0.5}), PRO) == 0.5
    assert cost_of(DRAWN.model_copy(update={"cost": 0.0}), PRO) == 0.0


def test_without_usage_or_price_the_cost_is_unknown_and_not_zero() -> None:
    assert cost_of(None, PRO) is None
    assert cost_of(DRAWN, None) is None


def test_odd_counts_never_make_a_negative_cost() -> None:
    usage = Usage(prompt_tokens=1, completion_tokens=10, total_tokens=11, completion_image_tokens=1120)
    assert (cost_of(usage, PRO) or 0) > 0


def test_the_usage_of_two_tries_adds_up_and_keeps_the_unknown_unknown() -> None:
    first = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3, reasoning_tokens=2, cost=0.1)
    second = Usage(prompt_tokens=1, completion_tokens=5, total_tokens=6, completion_image_tokens=4, cost=0.2)
    both = first + second
    assert (both.prompt_tokens, both.completion_tokens, both.total_tokens) == (2, 7, 9)
    assert (both.reasoning_tokens, both.completion_image_tokens, both.cached_tokens) == (2, 4, None)
    assert both.cost == pytest.approx(0.3)


@lru_cache
def blob_of(width: int, height: int) -> Blob:
    held = io.BytesIO()
    Image.new("1", (width, height)).save(held, "PNG")
    return Blob.from_raw(held.getvalue())


def pictures_of(*sizes: tuple[int, int]) -> list[Picture]:
    return [Picture(blob=blob_of(*size)) for size in sizes]


def given_of(*sizes: tuple[int, int]) -> list[ImageInput]:
    return [ImageInput(blob=blob_of(*size), spelling="image") for size in sizes]


AT_AN_ADDRESS = ImageInput(url="https://example.com/cat.png", spelling="image")
SQUARE, WIDE = (1024, 1024), (1536, 1024)
CREDITS = Usage(cost=0.045)  # 4.5 credits
GPT = {
    "prompt_tokens": 1_050,
    "completion_tokens": 4_160,
    "total_tokens": 5_210,
    "completion_image_tokens": 4_160,
}


def gpt(**more: int) -> Usage:
    return Usage(**{**GPT, **more})


# What it costs, computed by hand from the vendors' lists.
TABLE: dict[str, tuple[str, str, Usage | None, dict[str, Any], float | None]] = {
    # Credits: whatever else is known.
    "credits": ("flux", "flux-2-pro", CREDITS, {"pictures": pictures_of((2048, 2048))}, 0.045),
    "no credits at all": ("flux", "flux-2-pro", Usage(cost=0.0), {"pictures": pictures_of(SQUARE)}, 0.0),
    # 0.03 for the first megapixel, 0.015 for each further one, pictures that are given included.
    "flux-2-pro 1 MP": ("flux", "flux-2-pro", None, {"pictures": pictures_of(SQUARE)}, 0.03),
    "flux-2-pro below 1 MP": ("flux", "flux-2-pro", None, {"pictures": pictures_of((512, 512))}, 0.03),
    "flux-2-pro over 1 MP": ("flux", "flux-2-pro", None, {"pictures": pictures_of((1040, 1024))}, 0.045),
    "flux-2-pro 4 MP": ("flux", "flux-2-pro", None, {"pictures": pictures_of((2048, 2048))}, 0.075),
    "flux-2-pro with 1 MP": (
        *("flux", "flux-2-pro", None),
        {"pictures": pictures_of(SQUARE), "references": given_of(SQUARE)},
        0.045,
    ),
    "flux-2-pro with 1.5 MP, little and an address": (
        *("flux", "flux-2-pro", None),
        {"pictures": pictures_of(SQUARE), "references": [*given_of(WIDE, (8, 8)), AT_AN_ADDRESS]},
        0.03 + 4 * 0.015,
    ),
    "flux-2-klein-4b 2 MP": ("flux", "flux-2-klein-4b", None, {"pictures": pictures_of((2048, 1024))}, 0.015),
    "flux-2-flex 2 MP": ("flux", "flux-2-flex", None, {"pictures": pictures_of((2048, 1024))}, 0.10),
    "flux-2-max 4 MP": ("flux", "flux-2-max", None, {"pictures": pictures_of((2048, 2048))}, 0.16),
    # By tier: as many pixels as a square of that edge.
    "flux-3 768": ("flux", "flux-3-image", None, {"pictures": pictures_of((768, 768))}, 0.041),
    "flux-3 1K": ("flux", "flux-3-image", None, {"pictures": pictures_of((1344, 768))}, 0.048),
    "flux-3 1.5K": ("flux", "flux-3-image", None, {"pictures": pictures_of((1536, 1536))}, None),
    "flux-3 2K": ("flux", "flux-3-image", None, {"pictures": pictures_of((2048, 2048))}, 0.10),
    "flux-3 4K": ("flux", "flux-3-image", None, {"pictures": pictures_of((4096, 4096))}, 0.607),
    "flux-3-klein 4K": ("flux", "flux-3-image-klein", None, {"pictures": pictures_of((5456, 3072))}, 0.036),
    # One price whatever the size.
    "kontext": (
        *("flux", "flux-kontext-pro", None),
        {"pictures": pictures_of(WIDE), "references": given_of(SQUARE)},
        0.04,
    ),
    "kontext max": ("flux", "flux-kontext-max", None, {"pictures": pictures_of(SQUARE)}, 0.08),
    "ultra": ("flux", "flux-pro-1.1-ultra", None, {"pictures": pictures_of((2752, 1536))}, 0.06),
    # 5, 10 for input of pictures, 40 for output, a million.
    "gpt-image-1 by tokens": ("gpt_image", "gpt-image-1", gpt(), {}, (1_050 * 5 + 4_160 * 40) / 1e6),
    "gpt-image-1 with pictures": (
        *("gpt_image", "gpt-image-1", gpt(prompt_text_tokens=50, prompt_image_tokens=1_000), {}),
        (50 * 5 + 1_000 * 10 + 4_160 * 40) / 1e6,
    ),
    # A quarter for what is cached.
    "gpt-image-1.5 cached": (
        *("gpt_image", "gpt-image-1.5", gpt(cached_tokens=1_000), {}),
        (50 * 5 + 1_000 * 1.25 + 4_160 * 32) / 1e6,
    ),
    # And a tenth on the smallest model.
    "gpt-image-1-mini cached": (
        *("gpt_image", "gpt-image-1-mini", gpt(cached_tokens=1_000), {}),
        (50 * 2 + 1_000 * 0.2 + 4_160 * 8) / 1e6,
    ),
    "gpt-image-2 with pictures": (
        *("gpt_image", "gpt-image-2", gpt(prompt_text_tokens=50, prompt_image_tokens=1_000), {}),
        (50 * 5 + 1_000 * 8 + 4_160 * 30) / 1e6,
    ),
    "gpt-image-1.5 with words": (
        *("gpt_image", "gpt-image-1.5", gpt(completion_tokens=4_260, total_tokens=5_310), {}),
        (1_050 * 5 + 100 * 10 + 4_160 * 32) / 1e6,
    ),
    # Without usage by the list: quality and size.
    "gpt-image-1 low": (
        *("gpt_image", "gpt-image-1", None),
        {"pictures": pictures_of(SQUARE), "quality": "low"},
        0.011,
    ),
    "gpt-image-1.5 high wide, twice": (
        *("gpt_image", "gpt-image-1.5", None),
        {"pictures": pictures_of(WIDE, WIDE), "quality": "high"},
        0.40,
    ),
    "gpt-image-1.5 with a usage of nothing": (
        *("gpt_image", "gpt-image-1.5", Usage()),
        {"pictures": pictures_of(SQUARE), "quality": "medium"},
        0.034,
    ),
    "gpt-image-2 high 4K": (
        *("gpt_image", "gpt-image-2", None),
        {"pictures": pictures_of((3840, 2160)), "quality": "high"},
        0.40,
    ),
    "gpt-image-2.5 max": (
        *("gpt_image", "gpt-image-2.5-flare", None),
        {"pictures": pictures_of((1024, 1536)), "quality": "max"},
        0.16464,
    ),
    "gpt-image-2.5 at a price untold": (
        *("gpt_image", "gpt-image-2.5-flare", None),
        {"pictures": pictures_of((3840, 2160)), "quality": "medium"},
        None,
    ),
    "gpt-image-1 of an unknown quality": (
        *("gpt_image", "gpt-image-1", None),
        {"pictures": pictures_of(SQUARE)},
        None,
    ),
    "gpt-image-1 of an unknown size beside a known one": (
        *("gpt_image", "gpt-image-1", None),
        {"pictures": pictures_of(SQUARE, (640, 480)), "quality": "low"},
        None,
    ),
    "gpt-image-2.6 without usage": (
        *("gpt_image", "gpt-image-2.6-flare", None),
        {"pictures": pictures_of(SQUARE), "quality": "low"},
        None,
    ),
    # Two models made it, and nobody tells which one drew.
    "gpt-5": ("gpt_5", "gpt-5", gpt(), {"pictures": pictures_of(SQUARE), "quality": "low"}, None),
    # Each picture that came.
    "imagen": ("imagen", "imagen-4.0-generate-001", None, {"pictures": pictures_of(SQUARE)}, 0.04),
    "imagen x 4": ("imagen", "imagen-4.0-generate-001", None, {"pictures": pictures_of(*[SQUARE] * 4)}, 0.16),
    "imagen fast x 2": (
        "imagen",
        "imagen-4.0-fast-generate-001",
        None,
        {"pictures": pictures_of(SQUARE, WIDE)},
        0.04,
    ),
    "imagen ultra": (
        "imagen",
        "imagen-4.0-ultra-generate-001",
        None,
        {"pictures": pictures_of((2048, 2048))},
        0.06,
    ),
    "imagen, all refused": ("imagen", "imagen-4.0-generate-001", None, {}, None),
    "imagen without a price": (
        *("imagen", "imagen-3.0-fast-generate-001", None),
        {"pictures": pictures_of(SQUARE)},
        None,
    ),
    # 2 for input, 12 for words and thoughts, 120 for pictures, a million.
    "gemini": ("gemini", "gemini-3-pro-image", DRAWN, {}, (14 * 2 + 337 * 12 + 1_120 * 120) / 1e6),
    "gemini cached": (
        *("gemini", "gemini-3-pro-image", DRAWN.model_copy(update={"cached_tokens": 10}), {}),
        (4 * 2 + 10 * 0.2 + 337 * 12 + 1_120 * 120) / 1e6,
    ),
    "a retired model": (
        "gpt_image",
        "dall-e-3",
        None,
        {"pictures": pictures_of(SQUARE), "quality": "low"},
        None,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_cost_is_what_the_vendors_lists_say(case: str) -> None:
    family, model, usage, given, expected = TABLE[case]
    cost = cost_of(usage, find(family, model).price, **given)
    assert cost == (None if expected is None else pytest.approx(expected, rel=0, abs=1e-9))


def test_a_picture_whose_pixels_cannot_be_read_has_a_price_only_where_all_have_one() -> None:
    unreadable = [Picture(blob=Blob.from_raw(b"<svg/>", "image/svg+xml"))]
    assert cost_of(None, find("flux", "flux-2-pro").price, unreadable) is None
    assert cost_of(None, find("flux", "flux-kontext-pro").price, unreadable) == 0.04
