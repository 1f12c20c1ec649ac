"""AIone: geometry at the top level of the body. Source: https://1jxizqf5ai.apifox.cn, page 14.

Its model names ending in -2k and -4k are read from the model's id, which the plan decides about.
"""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, ratio


def read(fields: Fields) -> Iterator[Asked]:
    """The picture's shape; others write dimensions where AIone has tiers."""
    yield from fields.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
    yield from fields.read_shape("image_size")
