"""OpenRouter: `modalities` and `image_config` on chat, and the body of its own Image API.

Sources: https://openrouter.ai/docs/features/multimodal/image-generation and
https://openrouter.ai/docs/api-reference/images.
"""

from collections.abc import Iterator
from typing import Any

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, Reader, modalities, number, ratio, words
from litellm_imagegen.dialects.shared import picture_fields

_RECRAFT = ("text_layout", "rgb_colors", "background_rgb_color")
_SOURCEFUL = (
    "font_inputs",
    "super_resolution_references",
    "scoring_prompt",
    "scoring_rubric",
    "background_mode",
    "background_hex_color",
)
# Which providers may serve a request is the operator's to say: the plan sees to it.
_OF_THE_GATEWAY = ("provider", "plugins", "transforms", "session_id")
_VENDOR = "openrouter"


def read(fields: Fields) -> Iterator[Asked]:
    """What to answer with, the picture's shape and looks, and what OpenRouter itself is told."""
    yield from fields.read(Name.MODALITIES, modalities, "modalities")
    yield from fields.read_shape("resolution")
    for config in fields.nested("image_config"):
        yield from config.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
        yield from config.read_shape("image_size", "size")
        yield from picture_fields(config)
        yield from config.read(Name.STRENGTH, number(0, 1), "strength")
        yield from config.read(Name.STYLE, words, "style")
        for key in (*_RECRAFT, *_SOURCEFUL):
            yield from config.read(Name.PROVIDER_OPTIONS, _passed_on("image_config", key), key)
    for key in _OF_THE_GATEWAY:
        yield from fields.read(Name.PROVIDER_OPTIONS, _passed_on(key), key)


def _passed_on(*place: str) -> Reader:
    """A reader of what goes to OpenRouter as it stands, to this place of its body."""

    def read(spelling: str, value: Any) -> dict[str, Any]:
        for key in reversed(place):
            value = {key: value}
        return {_VENDOR: value}

    return read
