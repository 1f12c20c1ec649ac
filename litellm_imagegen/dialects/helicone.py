"""Helicone: `image_generation`. Source: https://docs.helicone.ai/gateway/concepts/image-generation."""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, ratio
from litellm_imagegen.errors import RequestError

_REQUIRED = ("aspect_ratio", "image_size")


def read(fields: Fields) -> Iterator[Asked]:
    """The picture's geometry; whoever gives the object must give both fields of it."""
    for config in fields.nested("image_generation"):
        for key in _REQUIRED:
            if key not in config:
                spelling = config.spelling(key)
                raise RequestError(
                    f"{spelling} is missing: image_generation requires {' and '.join(_REQUIRED)}", spelling
                )
        yield from config.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
        yield from config.read_shape("image_size")
