"""Vercel AI Gateway: `providerOptions`, one object for each vendor. Source: https://vercel.com/docs/ai-gateway.

The keys are those of the AI SDK. What has a common meaning is read; the rest goes to that vendor alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import (
    Fields,
    carriable,
    edge,
    integer,
    modalities,
    objects,
    ratio,
    words,
)
from litellm_imagegen.dialects.shared import drawing_fields, image_config, picture_fields

_KEY = "provider_options"
_GOOGLE = "google"
# The AI SDK's names of vendors, by the name that the vendor has here.
_VENDORS = {
    "google": _GOOGLE,
    "vertex": _GOOGLE,
    "googleVertex": _GOOGLE,
    "google_vertex": _GOOGLE,
    "blackForestLabs": "bfl",
    "black_forest_labs": "bfl",
    "bfl": "bfl",
    "openai": "openai",
    "azure": "openai",
}
# Where on Google's wire a key of the AI SDK stands, if not at the top.
_GENERATION_CONFIG = ("thinkingConfig", "mediaResolution")


def read(fields: Fields) -> Iterator[Asked]:
    """What each vendor's object says; wishes keep the vendor that they are meant for."""
    for options in fields.nested(_KEY):
        for key in options.names:
            vendor = _VENDORS.get(key, key)
            section = options.section(key, vendor)
            if section is None:
                continue
            yield from _READERS.get(vendor, _common)(section)
            if rest := carriable(section.place, section.rest()):
                told = _on_googles_wire(rest) if vendor == _GOOGLE else rest
                yield fields.asked(Name.PROVIDER_OPTIONS, {vendor: told}, options.place)


def _common(section: Fields) -> Iterator[Asked]:
    yield from section.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
    yield from section.read_shape("size", "image_size", "resolution")
    yield from section.read(Name.WIDTH, edge, "width")
    yield from section.read(Name.HEIGHT, edge, "height")
    yield from section.read(Name.SEED, integer(-(2**63), 2**63 - 1), "seed")
    yield from section.read(Name.STYLE, words, "style")
    yield from picture_fields(section)
    yield from drawing_fields(section)
    for key in ("image_config", "image_generation"):
        for config in section.nested(key):
            yield from config.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
            yield from config.read_shape("image_size", "size")
            yield from picture_fields(config)


def _google(section: Fields) -> Iterator[Asked]:
    yield from section.read(Name.MODALITIES, modalities, "response_modalities")
    yield from section.read(Name.SAFETY_SETTINGS, objects, "safety_settings")
    yield from image_config(section)
    for config in section.nested("generation_config"):
        yield from image_config(config)
    yield from section.read_shape("sample_image_size")
    yield from _common(section)


_READERS: dict[str, Callable[[Fields], Iterator[Asked]]] = {_GOOGLE: _google}


def _on_googles_wire(rest: dict[str, Any]) -> dict[str, Any]:
    inner = {key: rest.pop(key) for key in _GENERATION_CONFIG if key in rest}
    return {**rest, "generationConfig": inner} if inner else rest
