"""OpenRouter: `modalities` and `image_config` on chat, and the body of its own Image API.

Sources: https://openrouter.ai/docs/features/multimodal/image-generation and
https://openrouter.ai/docs/api-reference/images.
"""

from collections.abc import Iterator

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
_VENDOR = "openrouter"


def read(fields: Fields) -> Iterator[Asked]:
    """What to answer with, and the picture's shape and looks."""
    yield from fields.read(Name.MODALITIES, modalities, "modalities")
    yield from fields.read_shape("resolution")
    for config in fields.nested("image_config"):
        yield from config.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
        yield from config.read_shape("image_size", "size")
        yield from picture_fields(config)
        yield from config.read(Name.STRENGTH, number(0, 1), "strength")
        yield from config.read(Name.STYLE, words, "style")
        for key in (*_RECRAFT, *_SOURCEFUL):
            yield from config.read(Name.PROVIDER_OPTIONS, _passed_on(key), key)


def _passed_on(key: str) -> Reader:
    return lambda spelling, value: {_VENDOR: {"image_config": {key: value}}}
