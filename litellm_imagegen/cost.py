"""Usage and a price make dollars. Facts about prices stand in profiles/."""

from litellm_imagegen.canonical import Usage
from litellm_imagegen.profiles import Price

_MILLION = 1_000_000


def cost_of(usage: Usage | None, price: Price | None) -> float | None:
    """USD for `usage`, or None where usage or price is unknown. The provider's own figure goes first.

    Output tokens that are not image tokens, thoughts included, cost the text rate.
    """
    if usage is None:
        return None
    if usage.cost is not None:
        return usage.cost
    if price is None:
        return None
    if price.input is None or price.text_output is None or price.image_output is None:
        return None
    image = usage.completion_image_tokens or 0
    words = max(usage.completion_tokens - image, 0)
    cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
    prompt = usage.prompt_tokens - cached + cached * price.cached_input_share
    total = prompt * price.input + words * price.text_output + image * price.image_output
    return total / _MILLION
