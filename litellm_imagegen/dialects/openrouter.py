"""OpenRouter: `modalities` and `image_config`. Source: https://openrouter.ai/docs/features/multimodal/image-generation."""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, modalities, ratio, tier


def read(fields: Fields) -> Iterator[Asked]:
    """What to answer with, and the picture's geometry."""
    yield from fields.read(Name.MODALITIES, modalities, "modalities")
    if (config := fields.nested("image_config")) is not None:
        yield from config.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
        yield from config.read(Name.IMAGE_SIZE, tier, "image_size")
