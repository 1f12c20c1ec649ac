"""Reads a request to OpenRouter's Image API and says what it asks for.

Strategy: the fields first, then what the model takes of them. The shape may be told as a tier and a ratio, or
by `size` as a tier or as pixels; where two of them say different things the request is refused.

Source: https://openrouter.ai/docs/api-reference/images
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import openrouter_errors
from .chat_drawing import Canvas
from .chat_pictures import PictureRules, picture_part
from .input_pictures import InputPicture
from .openai_errors import bad_request, invalid_value
from .openai_readers import Reader, any_object, boolean, choice, listed, record, shown, text, variants, whole
from .openai_sizes import Pixels, parse_size
from .openrouter_chat import canvas_of
from .openrouter_fields import PROVIDER_FIELDS, session_id
from .openrouter_models import RATIOS, TIERS, Model, find_model
from .openrouter_shapes import Shape, ratio_near, shape_of, shape_of_pixels, tier_near

_QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")
_AUTO = "auto"
_MOST_PICTURES = 10
_MOST_REFERENCES = 16
_INT32 = 2**31 - 1

_reference = variants({"image_url": picture_part(PictureRules())})
_FIELDS: Mapping[str, Reader] = {
    "model": text(shortest=1),
    "prompt": text(shortest=1),
    "n": whole(1, _MOST_PICTURES),
    "resolution": choice(TIERS),
    "aspect_ratio": choice((*RATIOS, _AUTO)),
    "size": text(shortest=1),
    "quality": choice(_QUALITIES),
    "output_format": choice(("png", "jpeg", "webp", "svg")),
    "background": choice((_AUTO, "transparent", "opaque")),
    "output_compression": whole(0, 100),
    "seed": whole(-_INT32 - 1, _INT32),
    "stream": boolean,
    "input_references": listed(_reference, at_most=_MOST_REFERENCES),
    "user": text(),
    "session_id": session_id,
    "trace": any_object,
    "provider": record({**PROVIDER_FIELDS, "options": any_object}),
}


@dataclass(frozen=True, kw_only=True)
class AskedPictures:
    """What a request asks for."""

    model: Model
    prompt: str
    count: int
    stream: bool
    shape: Shape
    canvas: Canvas
    inputs: tuple[InputPicture, ...]


def read_request(values: Mapping[str, Any]) -> AskedPictures:
    """Read a request. Raises OpenAIError or GatewayError at the first fault. Decodes pictures."""
    fields = record(_FIELDS, required=("model", "prompt"))(values, "")
    model = find_model(fields["model"])
    if model is None:
        raise openrouter_errors.model_not_found(fields["model"])
    if not model.on_images:
        raise openrouter_errors.no_endpoint(
            f"{model.id} is served by chat completions only.", code="wrong_endpoint"
        )
    _check_settings(fields, model)
    found: list[tuple[str, tuple[InputPicture, ...]]] = fields.get("input_references", [])
    inputs = tuple(picture for _, pictures in found for picture in pictures)
    if len(inputs) > model.maximum_references:
        raise invalid_value(
            "input_references", f"holds {len(inputs)} pictures; it takes {model.maximum_references}."
        )
    shape = _shape(fields, model, inputs)
    return AskedPictures(
        model=model,
        prompt=fields["prompt"],
        count=fields.get("n", 1),
        stream=fields.get("stream", False),
        shape=shape,
        inputs=inputs,
        canvas=canvas_of(
            model,
            shape,
            prompt=fields["prompt"],
            seed=fields.get("seed"),
            inputs=inputs,
            quality=fields.get("quality"),
            output_format=fields.get("output_format"),
            compression=fields.get("output_compression"),
        ),
    )


def _check_settings(fields: Mapping[str, Any], model: Model) -> None:
    """What is a legal value but not one of this model. Raises OpenAIError."""
    taken: dict[str, tuple[str, ...]] = {
        "resolution": model.tiers,
        "aspect_ratio": (*model.ratios, _AUTO),
        "quality": (_AUTO, *model.qualities),
        "output_format": model.output_formats,
        "background": (_AUTO, "opaque"),
    }
    for name, values in taken.items():
        if name in fields and fields[name] not in values:
            raise invalid_value(name, f"{shown(fields[name])}; {model.id} takes {', '.join(values)}.")
    if fields.get("n", 1) > model.maximum_n:
        raise invalid_value("n", f"{fields['n']}; {model.id} takes at most {model.maximum_n}.")


def _shape(fields: Mapping[str, Any], model: Model, inputs: tuple[InputPicture, ...]) -> Shape:
    ratio, tier, size = fields.get("aspect_ratio"), fields.get("resolution"), fields.get("size")
    if size is None or size == _AUTO:
        return shape_of(model, ratio, tier, inputs)
    if size in TIERS:
        if size not in model.tiers:
            raise invalid_value("size", f"'{size}'; {model.id} takes {', '.join(model.tiers)}.")
        if tier not in (None, size):
            raise _contradiction("resolution", tier, size)
        return shape_of(model, ratio, size, inputs)
    pixels = parse_size(size)
    if pixels is None:
        raise invalid_value("size", f"'{size[:80]}'; it takes {', '.join(TIERS)} or a size like 1024x1024.")
    _check_agreement(pixels, size, ratio=ratio, tier=tier)
    shape = shape_of_pixels(model, pixels)
    if isinstance(shape, str):
        raise invalid_value("size", shape)
    return shape


def _check_agreement(pixels: Pixels, size: str, *, ratio: str | None, tier: str | None) -> None:
    if ratio not in (None, _AUTO, ratio_near(pixels, RATIOS)):
        raise _contradiction("aspect_ratio", ratio, size)
    if tier not in (None, tier_near(pixels, TIERS)):
        raise _contradiction("resolution", tier, size)


def _contradiction(name: str, value: str | None, size: str) -> Exception:
    return bad_request(f"size '{size}' and {name} '{value}' contradict each other.", param="size")
