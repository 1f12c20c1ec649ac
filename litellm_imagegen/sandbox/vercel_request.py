"""Reads a request for pictures to the Vercel AI Gateway and says what it orders.

Strategy: the gateway reads its own fields, and those alone; then the model's kind says who reads the rest.

Source: https://vercel.com/docs/ai-gateway/capabilities/image-generation/openai
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import bfl_models, imagen_models, openai_models, vercel_bfl, vercel_imagen, vercel_openai, vercel_plain
from .openai_errors import invalid_value
from .openai_readers import any_object, choice, record, shown, text, whole
from .openai_sizes import Pixels, parse_size
from .vercel_errors import model_not_found, wrong_kind
from .vercel_models import MODELS, AnyModel, PlainModel, is_language_model
from .vercel_options import BFL, GOOGLE, OPENAI, Options, vendor_options
from .vercel_order import Order

# The gateway asks a provider as often as it takes; this is only the sandbox's own limit.
_MOST_PICTURES = 32


@dataclass(frozen=True, kw_only=True)
class AskedImages:
    """What a request asks for."""

    model: str
    prompt: str
    count: int
    order: Order


def read_request(values: Mapping[str, Any]) -> AskedImages:
    """Read a whole request. Raises OpenAIError or GatewayError. Decodes pictures: call it in a thread."""
    fields = _FIELDS(values, "")
    name: str = fields["model"]
    model = MODELS.get(name)
    if model is None:
        raise wrong_kind(name, "an image") if is_language_model(name) else model_not_found(name)
    options = vendor_options(fields.get("providerOptions"), _vendors(model))
    return AskedImages(
        model=name,
        prompt=fields["prompt"],
        count=fields.get("n", 1),
        order=_order(name, model, fields, options),
    )


def _order(name: str, model: AnyModel, fields: Mapping[str, Any], options: Options) -> Order:
    prompt, size = fields["prompt"], fields.get("size")
    if isinstance(model, bfl_models.Model):
        return vercel_bfl.read_order(model, prompt, size, options)
    if isinstance(model, imagen_models.Model):
        return vercel_imagen.read_order(model, prompt, options)
    if isinstance(model, PlainModel):
        return vercel_plain.read_order(name, model, prompt, size, options)
    own = {key: fields[key] for key in ("prompt", "quality", "user") if key in fields}
    sized = {} if size is None else {"size": f"{size[0]}x{size[1]}"}
    return vercel_openai.read_order(model, own | sized, options)


def _vendors(model: AnyModel) -> tuple[str, ...]:
    if isinstance(model, PlainModel):
        return (model.vendor,)
    if isinstance(model, bfl_models.Model):
        return (BFL,)
    return (OPENAI,) if isinstance(model, openai_models.Model) else GOOGLE


def _size(value: Any, name: str) -> Pixels | None:
    if value == "auto":
        return None
    size = parse_size(value) if isinstance(value, str) else None
    if size is None:
        raise invalid_value(name, f"{shown(value)}; it takes WIDTHxHEIGHT or auto.")
    return size


def _no_stream(value: Any, name: str) -> bool:
    if value is not False:
        raise invalid_value(name, "pictures are not streamed.")
    return False


_FIELDS = record(
    {
        "model": text(shortest=1),
        "prompt": text(shortest=1),
        "n": whole(1, _MOST_PICTURES),
        "size": _size,
        "quality": text(shortest=1),
        "response_format": choice(("b64_json",)),
        "user": text(),
        "stream": _no_stream,
        "providerOptions": any_object,
    },
    required=("model", "prompt"),
)
