import pytest

from litellm_imagegen.canonical import Usage
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
