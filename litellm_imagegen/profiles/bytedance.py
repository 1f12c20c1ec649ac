"""ByteDance's Seedream models on BytePlus ModelArk.

Sources: https://docs.byteplus.com/en/docs/ModelArk/1541523 (fields),
https://docs.byteplus.com/en/docs/ModelArk/1824121 (sizes), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles.profile import Profile

FAMILY = "bytedance"
STARTS = ("seedream", "dola-seedream", "doubao-seedream")

_NAMES = frozenset({Name.DIMENSIONS, Name.WATERMARK, Name.RESPONSE_FORMAT, Name.PROVIDER_OPTIONS})
_NAMES_OF_5 = _NAMES | {Name.OUTPUT_FORMAT}
_AREA_OF_1K, _AREA_OF_2K, _AREA_OF_4K = 1280 * 720, 2560 * 1440, 4096 * 4096


def _row(
    model_id: str,
    *,
    minimum_area: int,
    maximum_area: int = _AREA_OF_4K,
    names: frozenset[Name] = _NAMES_OF_5,
    maximum_n: int = 15,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=names | {Name.N} if maximum_n > 1 else names,
        pixel_rule=PixelRule(minimum_area=minimum_area, maximum_area=maximum_area, maximum_ratio=16),
        default_tier="2K",
        choices={Name.OUTPUT_FORMAT: ("png", "jpeg")} if Name.OUTPUT_FORMAT in names else {},
        maximum_n=maximum_n,
        maximum_reference_images=14,
        accepted_mime=(
            *("image/jpeg", "image/png", "image/webp"),
            *("image/bmp", "image/tiff", "image/gif"),
        ),
    )


def _single(model_id: str) -> Profile:
    """Pro and Flash refuse the field that asks for more than one picture, and draw up to 2K."""
    return _row(model_id, minimum_area=_AREA_OF_1K, maximum_area=2048 * 2048, maximum_n=1)


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row("seedream-4-0-250828", minimum_area=_AREA_OF_1K, names=_NAMES),
    _row("seedream-4-5-251128", minimum_area=_AREA_OF_2K, names=_NAMES),
    # One model with two ids.
    _row("seedream-5-0-lite-260128", minimum_area=_AREA_OF_2K),
    _row("seedream-5-0-260128", minimum_area=_AREA_OF_2K),
    _single("dola-seedream-5-0-pro-260628"),
    _single("seedream-5-0-flash-260915"),
)
