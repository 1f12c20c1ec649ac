"""Google: `generationConfig`, `imageConfig` and `safetySettings` in Google's own spelling or in snake_case.

Source: https://ai.google.dev/api/generate-content. What generationConfig has beyond the common fields
goes to Google's wire as it stands and to no other.
"""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import (
    Fields,
    Reader,
    integer,
    modalities,
    number,
    objects,
    strings,
)
from litellm_imagegen.dialects.shared import image_config

_VENDOR = "google"
_INT32 = (-(2**31), 2**31 - 1)
# Keys of generationConfig that have no common name and mean something for pictures.
_GOOGLE_ONLY = ("thinking_config", "media_resolution")


def read(fields: Fields) -> Iterator[Asked]:
    """Geometry and sampling, wherever Google's clients put them."""
    yield from fields.read(Name.SAFETY_SETTINGS, objects, "safety_settings")
    yield from image_config(fields)
    for config in fields.nested("generation_config"):
        yield from image_config(config)
        yield from _generation_config(config)


def _generation_config(config: Fields) -> Iterator[Asked]:
    yield from config.read(Name.MODALITIES, modalities, "response_modalities")
    yield from config.read(Name.MAX_TOKENS, integer(1), "max_output_tokens")
    yield from config.read(Name.TEMPERATURE, number(0, 2), "temperature")
    yield from config.read(Name.TOP_P, number(0, 1), "top_p")
    yield from config.read(Name.TOP_K, integer(1), "top_k")
    yield from config.read(Name.SEED, integer(*_INT32), "seed")
    yield from config.read(Name.STOP, strings, "stop_sequences")
    yield from config.read(Name.N, integer(1), "candidate_count")
    for key in _GOOGLE_ONLY:
        yield from config.read(Name.PROVIDER_OPTIONS, _only_google(key), key)


def _only_google(key: str) -> Reader:
    first, _, second = key.partition("_")
    return lambda spelling, value: {_VENDOR: {"generationConfig": {first + second.capitalize(): value}}}
