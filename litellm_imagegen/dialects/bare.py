"""Fields as fal, Replicate and Black Forest Labs have them, at the top level of the body.

Sources: https://docs.fal.ai/model-apis, https://replicate.com/docs/reference/http and https://docs.bfl.ai.
"""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, edge, integer
from litellm_imagegen.dialects.shared import drawing_fields


def read(fields: Fields) -> Iterator[Asked]:
    """The picture's edges, its number, and how it is drawn."""
    yield from fields.read(Name.WIDTH, edge, "width")
    yield from fields.read(Name.HEIGHT, edge, "height")
    yield from fields.read(
        Name.N, integer(1), "num_images", "num_outputs", "number_of_images", "sample_count"
    )
    yield from drawing_fields(fields)
