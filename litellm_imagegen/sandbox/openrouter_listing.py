"""The addresses that tell which image models OpenRouter has, and what each takes.

Source: https://openrouter.ai/docs/api-reference/list-available-models
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from . import chat_reply, openrouter_errors
from .chat_exchange import GatewayError, failed, wishes_of
from .faults import Wishes
from .openai_errors import OpenAIError, bad_request
from .openrouter_models import MODELS, PICTURE, TEXT, Model, find_model
from .transport import Delivery, page

_CREATED = 1_775_260_800
_CONTEXT_LENGTH = 32_768
_PER_MILLION = 1_000_000
_LISTED = (TEXT, PICTURE, "all")


async def list_models(request: Request) -> Response:
    """GET /api/v1/models: models that answer in words, unless other modalities are asked for."""
    return _answer(request, _models)


async def list_image_models(request: Request) -> Response:
    """GET /api/v1/images/models: the models of the Image API."""
    return _answer(
        request, lambda _: {"data": [_of_images(model) for model in MODELS.values() if model.on_images]}
    )


async def get_image_endpoints(request: Request) -> Response:
    """GET /api/v1/images/models/{author}/{slug}/endpoints: where one of them is served."""
    return _answer(request, _endpoints)


def _answer(request: Request, body: Callable[[Request], Mapping[str, Any]]) -> Response:
    wishes = Wishes()
    try:
        wishes = wishes_of(request, "")
        error = openrouter_errors.wished_error(wishes)
        if error is not None:
            raise error
        outgoing = page(wishes) or chat_reply.as_body(body(request))
    except OpenAIError as error:
        outgoing = failed(openrouter_errors.of_request(error))
    except GatewayError as error:
        outgoing = failed(error)
    return Delivery(outgoing, wishes)


def _models(request: Request) -> dict[str, Any]:
    asked = request.query_params.get("output_modalities", TEXT).split(",")
    if not set(asked) <= set(_LISTED):
        raise bad_request(f"output_modalities takes {', '.join(_LISTED)}.", param="output_modalities")
    listed = [
        model for model in MODELS.values() if "all" in asked or set(asked) & set(model.output_modalities)
    ]
    return {"data": [_described(model) for model in listed]}


def _described(model: Model) -> dict[str, Any]:
    inputs, outputs = [TEXT, PICTURE], sorted(model.output_modalities, reverse=True)
    return {
        "id": model.id,
        "canonical_slug": model.id,
        "name": model.name,
        "created": _CREATED,
        "description": f"{model.name}, simulated by the sandbox.",
        "context_length": _CONTEXT_LENGTH,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
            "input_modalities": inputs,
            "output_modalities": outputs,
            "tokenizer": "Gemini" if model.gemini is not None else "Other",
        },
        "pricing": _pricing(model),
        "top_provider": {"context_length": _CONTEXT_LENGTH, "is_moderated": False},
        "supported_parameters": ["max_tokens", "seed", "temperature", "top_p"],
    }


def _pricing(model: Model) -> dict[str, str]:
    """Dollars as strings: a token for what is billed by tokens, a request for the others."""
    prices = model.prices
    if prices is None:
        return {"prompt": "0", "completion": "0", "request": "0", "image_output": f"{model.price:g}"}
    return {
        "prompt": f"{prices.tokens_in / _PER_MILLION:.10g}",
        "completion": f"{prices.text_out / _PER_MILLION:.10g}",
        "image_output": f"{prices.pictures_out / _PER_MILLION:.10g}",
        "request": "0",
    }


def _of_images(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "created": _CREATED,
        "supported_parameters": _parameters(model),
        "supports_streaming": True,
    }


def _parameters(model: Model) -> dict[str, Any]:
    choices: dict[str, tuple[str, ...]] = {
        "resolution": model.tiers,
        "aspect_ratio": model.ratios,
        "output_format": model.output_formats,
        "quality": model.qualities,
    }
    found: dict[str, Any] = {
        name: {"type": "enum", "values": list(values)} for name, values in choices.items() if values
    }
    found["n"] = {"type": "range", "min": 1, "max": model.maximum_n}
    found["input_references"] = {"type": "range", "min": 0, "max": model.maximum_references}
    found["seed"] = {"type": "boolean"}
    return found


def _endpoints(request: Request) -> dict[str, Any]:
    name = f"{request.path_params['author']}/{request.path_params['slug']}"
    model = find_model(name)
    if model is None or not model.on_images:
        raise openrouter_errors.model_not_found(name)
    prices = model.prices
    billed = (
        {"billable": "output_image", "unit": "image", "cost_usd": model.price}
        if prices is None
        else {
            "billable": "output_image",
            "unit": "token",
            "cost_usd": prices.pictures_out / _PER_MILLION,
        }
    )
    endpoint = {
        "provider_name": model.provider,
        "supported_parameters": _parameters(model),
        "allowed_passthrough_parameters": [],
        "pricing": [billed],
        "supports_streaming": True,
    }
    return {"data": {"id": model.id, "name": model.name, "endpoints": [endpoint]}}
