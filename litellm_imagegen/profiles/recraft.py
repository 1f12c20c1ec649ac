"""Recraft's models.

Sources: https://www.recraft.ai/docs/api-reference/endpoints (fields),
https://www.recraft.ai/docs/api-reference/appendix (sizes),
https://www.recraft.ai/docs/api-reference/pricing (prices), read 2026-11.
"""

from collections.abc import Mapping

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import Dimensions
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "recraft"
STARTS = ("recraft",)

_NAMES = frozenset({Name.DIMENSIONS, Name.STRENGTH, Name.N, Name.RESPONSE_FORMAT, Name.PROVIDER_OPTIONS})
_STYLED_NAMES = _NAMES | {Name.STYLE, Name.NEGATIVE_PROMPT}
_OLD_PIXELS: Mapping[str, Dimensions] = {
    "1:1": (1024, 1024),
    "2:1": (2048, 1024),
    "1:2": (1024, 2048),
    "3:2": (1536, 1024),
    "2:3": (1024, 1536),
    "4:3": (1365, 1024),
    "3:4": (1024, 1365),
    "5:4": (1280, 1024),
    "4:5": (1024, 1280),
    "6:10": (1024, 1707),
    "14:10": (1434, 1024),
    "10:14": (1024, 1434),
    "16:9": (1820, 1024),
    "9:16": (1024, 1820),
}
_PIXELS: Mapping[str, Dimensions] = {
    "1:1": (1024, 1024),
    "2:1": (1536, 768),
    "1:2": (768, 1536),
    "3:2": (1280, 832),
    "2:3": (832, 1280),
    "4:3": (1216, 896),
    "3:4": (896, 1216),
    "5:4": (1152, 896),
    "4:5": (896, 1152),
    "6:10": (832, 1344),
    "14:10": (1280, 896),
    "10:14": (896, 1280),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
}


def _row(
    model_id: str,
    price: float | None = None,
    *,
    names: frozenset[Name] = _NAMES,
    tier: str = "1K",
    pixels: Mapping[str, Dimensions] = _PIXELS,
) -> Profile:
    """Ratios and tier too: on gateways that is how the same sizes are asked for."""
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=names,
        aspect_ratios=tuple(pixels),
        image_sizes=(tier,),
        image_size_is_fixed=True,
        pixels={tier: pixels},
        sizes=tuple(pixels.values()),
        default_tier=tier,
        ranges={Name.STRENGTH: (0, 1)},
        maximum_n=6,
        maximum_reference_images=1,
        price=None if price is None else Price(picture=price),
    )


def _pro(model_id: str, price: float | None = None) -> Profile:
    doubled = {ratio: (width * 2, height * 2) for ratio, (width, height) in _PIXELS.items()}
    return _row(model_id, price, tier="2K", pixels=doubled)


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row("recraftv2", 0.022, names=_STYLED_NAMES, pixels=_OLD_PIXELS),
    _row("recraftv3", 0.04, names=_STYLED_NAMES, pixels=_OLD_PIXELS),
    _row("recraftv4", 0.04),
    _pro("recraftv4_pro", 0.25),
    _pro("recraftv4_1_utility_pro"),
    _row("recraftv4_1_utility"),
    _pro("recraftv4_1_pro", 0.25),
    _row("recraftv4_1_flash"),
    _row("recraftv4_1", 0.04),
)
