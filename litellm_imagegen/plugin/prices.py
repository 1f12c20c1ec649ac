"""LiteLLM's own prices, for what has none here: on the Images API LiteLLM itself counts no tokens."""

import litellm

from litellm_imagegen.canonical import ImageResult
from litellm_imagegen.plugin.records import Prepared


def priced_by_tokens(result: ImageResult, prepared: Prepared) -> ImageResult:
    """A result with what its tokens cost by LiteLLM's list, as LiteLLM books them on chat.

    It stays as it is where its cost is known, where the operator has set a price, and where LiteLLM has none.
    """
    usage, plan = result.usage, prepared.plan
    if usage is None or usage.cost is not None or not plan.tells_cost:
        return result
    known = prepared.adopted
    try:
        costs = litellm.cost_per_token(
            model=known.model_id if known else plan.model,
            custom_llm_provider=known.provider if known else plan.provider,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )
    except Exception:  # noqa: BLE001  # LiteLLM raises all kinds for a model that it does not know
        return result
    return result.model_copy(update={"usage": usage.model_copy(update={"cost": sum(costs)})})
