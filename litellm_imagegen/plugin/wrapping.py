"""Plain dicts from the surfaces into LiteLLM's response types."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from litellm.types.utils import ImageResponse, ModelResponse, ModelResponseStream

from litellm_imagegen.canonical import ImageResult

_COST = "response_cost"


def new_id() -> str:
    """An id for one completion."""
    return f"chatcmpl-{uuid4()}"


def model_response(
    shown: Mapping[str, Any], result: ImageResult, response_id: str, model: str
) -> ModelResponse:
    """A whole completion. LiteLLM takes the cost from the hidden parameters."""
    messages = [choice["message"] for choice in shown["choices"]]
    plain = [{**choice, "message": {**choice["message"], "content": ""}} for choice in shown["choices"]]
    response = ModelResponse(
        id=response_id, model=model, choices=plain, usage=shown.get("usage"), stream=False
    )
    for choice, message in zip(response.choices, messages, strict=True):
        choice.message.content = message["content"]  # LiteLLM's constructors refuse parts
    response.provider_metadata = shown["provider_metadata"]  # type: ignore[attr-defined]  # extras are kept
    if result.usage is not None and result.usage.cost is not None:
        response._hidden_params[_COST] = result.usage.cost
    return response


def image_response(shown: Mapping[str, Any], result: ImageResult) -> ImageResponse:
    """Pictures as the Images API gives them. LiteLLM takes the cost from the hidden parameters."""
    response = ImageResponse(**shown)
    response.provider_metadata = shown["provider_metadata"]  # type: ignore[attr-defined]  # extras are kept
    if "usage" not in shown:  # LiteLLM counts nothing as zeros
        response.usage = None
    if result.usage is not None and result.usage.cost is not None:
        response._hidden_params[_COST] = result.usage.cost
    return response


def response_chunk(shown: Mapping[str, Any], completion_id: str, model: str) -> ModelResponseStream:
    """One chunk. LiteLLM's proxy keeps extra keys only on chunks that have provider-specific fields."""
    extras: dict[str, Any] = {"provider_specific_fields": {}} if "provider_metadata" in shown else {}
    return ModelResponseStream(id=completion_id, model=model, **shown, **extras)
