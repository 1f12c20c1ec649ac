"""The fields that OpenRouter's chat has beside the common ones, and those of `image_config`.

Strategy: `image_config` is open: a key that is not known, or that the model does not have, is ignored when
its value is a string, a number or an array. What the model has is read strictly.

Source: https://openrouter.ai/docs/api-reference/parameters and
https://openrouter.ai/docs/features/multimodal/image-generation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .chat_request import one_of
from .openai_errors import invalid_value
from .openai_readers import (
    Reader,
    any_array,
    any_object,
    boolean,
    choice,
    listed,
    number,
    record,
    shown,
    text,
    whole,
)
from .openai_sizes import parse_size
from .openrouter_models import Model

SMALLEST_TIER = "0.5K"

_LONGEST_SESSION = 256
_LARGEST = 2**31 - 1
_MOST_FONTS, _MOST_RESOLUTION_REFERENCES, _MOST_RUBRICS = 2, 4, 8
_CORNERS = 4
_CHANNELS = 3
_EFFORTS = ("max", "xhigh", "high", "medium", "low", "minimal", "none")


def _exactly(count: int, entry: Reader) -> Reader:
    entries = listed(entry, at_most=count)

    def read(value: Any, name: str) -> list[Any]:
        found: list[Any] = entries(value, name)
        if len(found) != count:
            raise invalid_value(name, f"holds {len(found)} entries; it takes {count}.")
        return found

    return read


_names = listed(text())
PROVIDER_FIELDS: Mapping[str, Reader] = {
    "order": _names,
    "only": _names,
    "ignore": _names,
    "allow_fallbacks": boolean,
    "require_parameters": boolean,
    "data_collection": choice(("allow", "deny")),
    "zdr": boolean,
    "enforce_distillable_text": boolean,
    "sort": one_of(any_object, choice(("price", "throughput", "latency"))),
    "max_price": any_object,
    "quantizations": _names,
}
session_id = text(_LONGEST_SESSION)

CHAT_FIELDS: Mapping[str, Reader] = {
    "modalities": listed(choice(("text", "image", "audio"))),
    # Read by `read_picture_config` as soon as the model is known.
    "image_config": any_object,
    "models": _names,
    "provider": record(PROVIDER_FIELDS),
    "usage": record({"include": boolean}),
    "reasoning": record(
        {
            "effort": choice(_EFFORTS),
            "max_tokens": whole(1, _LARGEST),
            "exclude": boolean,
            "enabled": boolean,
            "summary": text(),
        }
    ),
    "reasoning_effort": choice(_EFFORTS),
    "session_id": session_id,
    "plugins": any_array,
    "transforms": _names,
    "route": text(),
    "metadata": any_object,
    "trace": any_object,
    "response_format": any_object,
    "tools": listed(any_object),
    "tool_choice": one_of(text(), any_object),
    "parallel_tool_calls": boolean,
    "repetition_penalty": number(0, 2),
    "min_p": number(0, 1),
    "top_a": number(0, 1),
    "logit_bias": any_object,
    "verbosity": text(),
}

_colour = _exactly(_CHANNELS, whole(0, 255))
_OF_RECRAFT: Mapping[str, Reader] = {
    "strength": number(0, 1),
    "style": text(),
    "text_layout": listed(
        record({"text": text(), "bbox": _exactly(_CORNERS, _exactly(2, number(0, 1)))}, required=("text",))
    ),
    "rgb_colors": listed(_colour),
    "background_rgb_color": _colour,
}
_OF_SOURCEFUL: Mapping[str, Reader] = {
    "font_inputs": listed(
        record({"font_url": text(), "text": text()}, required=("font_url", "text")), at_most=_MOST_FONTS
    ),
    "super_resolution_references": listed(text(), at_most=_MOST_RESOLUTION_REFERENCES),
    "scoring_prompt": text(),
    "scoring_rubric": listed(any_object, at_most=_MOST_RUBRICS),
    "background_mode": choice(("original", "transparent", "solid")),
    "background_hex_color": text(),
}
_OF_VENDOR = {"recraft": _OF_RECRAFT, "sourceful": _OF_SOURCEFUL}


def read_picture_config(value: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Read `image_config` for this model. Raises OpenAIError at the first fault."""
    readers = _config_readers(model)
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = f"image_config.{key[:80]}"
        if isinstance(item, bool | dict):
            raise invalid_value(name, f"needs a string, a number or an array, got {shown(item)}.")
        if key in readers and item is not None:
            found[key] = readers[key](item, name)
    return found


def tier_of(size: str | None) -> str | None:
    """The tier that chat's `image_size` names."""
    return "512" if size == SMALLEST_TIER else size


def _config_readers(model: Model) -> dict[str, Reader]:
    tiers = tuple(SMALLEST_TIER if tier == "512" else tier for tier in model.tiers)
    readers: dict[str, Reader] = {"aspect_ratio": choice(model.ratios), "image_size": choice(tiers)}
    if model.qualities:
        readers["quality"] = choice(("auto", *model.qualities))
    if model.openai:
        readers |= {
            "size": _size,
            "background": choice(("auto", "opaque")),
            "output_format": choice(model.output_formats),
            "output_compression": whole(0, 100),
            "moderation": choice(("auto", "low")),
        }
    return readers | dict(_OF_VENDOR.get(model.id.partition("/")[0], {}))


def _size(value: Any, name: str) -> tuple[int, int] | None:
    """Width and height, None for "auto"."""
    if value == "auto":
        return None
    size = parse_size(value) if isinstance(value, str) else None
    if size is None:
        raise invalid_value(name, f"{shown(value)}; it takes auto or a size like 1024x1024.")
    return size
