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
    ratio,
    strings,
    tier,
)

_VENDOR = "google"
_INT32 = (-(2**31), 2**31 - 1)
# Keys of generationConfig that have no common name and mean something for pictures.
_GOOGLE_ONLY = ("thinkingConfig", "mediaResolution")


def read(fields: Fields) -> Iterator[Asked]:
    """Geometry and sampling, wherever Google's clients put them."""
    yield from fields.read(Name.SAFETY_SETTINGS, objects, "safetySettings", "safety_settings")
    yield from _image_config(fields)
    for key in ("generationConfig", "generation_config"):
        if (config := fields.nested(key)) is not None:
            yield from _image_config(config)
            yield from _generation_config(config)


def _image_config(fields: Fields) -> Iterator[Asked]:
    for key in ("imageConfig", "image_config"):
        if (config := fields.nested(key)) is not None:
            yield from config.read(Name.ASPECT_RATIO, ratio, "aspectRatio", "aspect_ratio")
            yield from config.read(Name.IMAGE_SIZE, tier, "imageSize", "image_size")


def _generation_config(config: Fields) -> Iterator[Asked]:
    yield from config.read(Name.MODALITIES, modalities, "responseModalities", "response_modalities")
    yield from config.read(Name.MAX_TOKENS, integer(1), "maxOutputTokens", "max_output_tokens")
    yield from config.read(Name.TEMPERATURE, number(0, 2), "temperature")
    yield from config.read(Name.TOP_P, number(0, 1), "topP", "top_p")
    yield from config.read(Name.TOP_K, integer(1), "topK", "top_k")
    yield from config.read(Name.SEED, integer(*_INT32), "seed")
    yield from config.read(Name.STOP, strings, "stopSequences", "stop_sequences")
    yield from config.read(Name.N, integer(1), "candidateCount", "candidate_count")
    for key in _GOOGLE_ONLY:
        yield from config.read(Name.PROVIDER_OPTIONS, _only_google(key), key)


def _only_google(key: str) -> Reader:
    return lambda spelling, value: {_VENDOR: {"generationConfig": {key: value}}}
