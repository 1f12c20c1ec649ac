"""Stability AI's models on the vendor's own API.

Sources: https://platform.stability.ai/docs/api-reference (fields), https://platform.stability.ai/pricing
(prices), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "stability"
STARTS = ("core", "ultra", "sd3", "stable-image")

ASPECT_RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
MAXIMUM_SEED = 4_294_967_294
FORMATS = ("png", "jpeg", "webp")
_NAMES = frozenset(
    {Name.ASPECT_RATIO, Name.SEED, Name.OUTPUT_FORMAT, Name.NEGATIVE_PROMPT, Name.PROVIDER_OPTIONS}
)
_EDITING_NAMES = _NAMES | {Name.STRENGTH}


def _row(
    model_id: str,
    price: float,
    *,
    names: frozenset[Name] = _EDITING_NAMES | {Name.GUIDANCE},
    maximum_reference_images: int = 1,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=names,
        aspect_ratios=ASPECT_RATIOS,
        choices={Name.OUTPUT_FORMAT: FORMATS},
        ranges={Name.STRENGTH: (0, 1)} if Name.STRENGTH in names else {},
        maximum_reference_images=maximum_reference_images,
        maximum_seed=MAXIMUM_SEED,
        price=Price(picture=price),
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row("core", 0.03, names=_NAMES | {Name.STYLE}, maximum_reference_images=0),
    _row("ultra", 0.08, names=_EDITING_NAMES),
    _row("sd3.5-medium", 0.035),
    _row("sd3.5-large-turbo", 0.04),
    _row("sd3.5-large", 0.065),
)
