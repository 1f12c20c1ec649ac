"""What OpenRouter bills: tokens and dollars of an answer, as its `usage` tells them.

Strategy: Google's models are billed by tokens at the list price, all others a price for each picture. A
picture of the others counts a token for each block of 16 by 16 pixels.

Source: https://openrouter.ai/docs/use-cases/usage-accounting
"""

from __future__ import annotations

from typing import Any

from .chat_usage import TokenUsage
from .openrouter_models import Model

_PER_MILLION = 1_000_000
_BLOCK_PIXELS = 16 * 16
_SIGNS_PER_TOKEN = 4
_DIGITS = 8


def drawn_tokens(
    *, text_signs: int, inputs: int, pictures: int, pixels: tuple[int, int], said: int = 0
) -> TokenUsage:
    """The tokens of a model that is billed by the picture; `said` are the signs of its words."""
    return TokenUsage(
        text_in=max(1, -(-text_signs // _SIGNS_PER_TOKEN)),
        pictures_in=inputs * 256,
        text_out=-(-said // _SIGNS_PER_TOKEN),
        pictures_out=pictures * (pixels[0] * pixels[1] // _BLOCK_PIXELS),
        thoughts=0,
    )


def usage(model: Model, tokens: TokenUsage, *, pictures: int) -> dict[str, Any]:
    """The `usage` of a reply with so many pictures."""
    for_prompt, for_answer = _dollars(model, tokens, pictures)
    cost = round(for_prompt + for_answer, _DIGITS)
    return {
        "prompt_tokens": tokens.prompt_tokens,
        "completion_tokens": tokens.completion_tokens,
        "total_tokens": tokens.total_tokens,
        "cost": cost,
        "is_byok": False,
        "prompt_tokens_details": {
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            "audio_tokens": 0,
            "video_tokens": 0,
        },
        "cost_details": {
            "upstream_inference_cost": cost,
            "upstream_inference_prompt_cost": for_prompt,
            "upstream_inference_completions_cost": for_answer,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.thoughts,
            "image_tokens": tokens.pictures_out,
            "audio_tokens": 0,
        },
    }


def _dollars(model: Model, tokens: TokenUsage, pictures: int) -> tuple[float, float]:
    prices = model.prices
    if prices is None:
        return 0.0, round(pictures * model.price, _DIGITS)
    for_prompt = tokens.prompt_tokens * prices.tokens_in / _PER_MILLION
    words = (tokens.text_out + tokens.thoughts) * prices.text_out / _PER_MILLION
    drawn = tokens.pictures_out * prices.pictures_out / _PER_MILLION
    return round(for_prompt, _DIGITS), round(words + drawn, _DIGITS)
