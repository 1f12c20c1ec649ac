"""Gemini image models on fal, under fal's own fields.

Sources: https://fal.ai/models/fal-ai/nano-banana-2/api (fields), https://fal.ai/pricing (prices),
read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.profiles import gemini
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "fal"
STARTS = ("fal-ai", "nano-banana")

_NAMES = frozenset(
    {
        Name.ASPECT_RATIO,
        Name.N,
        Name.SEED,
        Name.OUTPUT_FORMAT,
        Name.SAFETY_TOLERANCE,
        Name.PROVIDER_OPTIONS,
    }
)
_GEMINI = {row.id: row for row in gemini.ROWS}


def _row(
    model_id: str,
    *,
    like: str,
    price: Price,
    maximum_reference_images: int | None = 14,
) -> Profile:
    vendors = _GEMINI[like]
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=_NAMES if vendors.image_size_is_fixed else _NAMES | {Name.IMAGE_SIZE},
        aspect_ratios=vendors.aspect_ratios,
        image_sizes=vendors.image_sizes,
        image_size_is_fixed=vendors.image_size_is_fixed,
        pixels=vendors.pixels,
        maximum_n=4,
        maximum_reference_images=maximum_reference_images,
        price=price,
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row(
        "fal-ai/nano-banana",
        like="gemini-2.5-flash-image",
        price=Price(picture=0.039),
        maximum_reference_images=None,
    ),
    _row(
        "fal-ai/nano-banana-pro",
        like="gemini-3-pro-image",
        price=Price(pictures={"1K": 0.15, "2K": 0.15, "4K": 0.30}),
    ),
    _row(
        "fal-ai/nano-banana-2",
        like="gemini-3.1-flash-image",
        price=Price(pictures={"512": 0.06, "1K": 0.08, "2K": 0.12, "4K": 0.16}),
    ),
)
